//! Changes of groups.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_autoscaling::types as sdk;
use eks_provider::aws::{
    AutoScalingGroupWriter, GroupTag, LaunchChange, LaunchTemplateKey, LaunchTemplateRef, ScalingProcess,
    UpdateAutoScalingGroup,
};
use eks_provider::{Class, Result};

use crate::Aws;
use crate::autoscaling::on;
use crate::call::{What, some};

/// Tags a call.
const TAGS: usize = 25;

#[async_trait]
impl AutoScalingGroupWriter for Aws {
    async fn update_auto_scaling_group(&self, request: &UpdateAutoScalingGroup) -> Result<()> {
        if *request == UpdateAutoScalingGroup::of(&request.group) {
            return Ok(());
        }
        let what = on("autoscaling:UpdateAutoScalingGroup", &request.group);
        let (template, mixed) = match &request.launch {
            None => (None, None),
            Some(LaunchChange::Template(template)) => (Some(specification(template)), None),
            Some(LaunchChange::Mixed { base, overrides }) => {
                let group = self
                    .group_as_it_is(
                        &on("autoscaling:DescribeAutoScalingGroups", &request.group),
                        &request.group,
                    )
                    .await?;
                (None, Some(changed(&what, group.mixed_instances_policy, base.as_ref(), overrides)?))
            }
        };
        let min = number(&what, request.min_size)?;
        let max = number(&what, request.max_size)?;
        let call = || {
            self.autoscaling
                .update_auto_scaling_group()
                .auto_scaling_group_name(&request.group)
                .set_launch_template(template.clone())
                .set_mixed_instances_policy(mixed.clone())
                .set_min_size(min)
                .set_max_size(max)
                .set_new_instances_protected_from_scale_in(request.new_instances_protected_from_scale_in)
                .send()
        };
        self.send(&what, call).await.map(drop)
    }

    async fn set_desired_capacity(&self, group: &str, desired_capacity: u32) -> Result<()> {
        let what = on("autoscaling:SetDesiredCapacity", group);
        let desired = number(&what, Some(desired_capacity))?;
        let call = || {
            self.autoscaling
                .set_desired_capacity()
                .auto_scaling_group_name(group)
                .set_desired_capacity(desired)
                .honor_cooldown(false)
                .send()
        };
        self.send(&what, call).await.map(drop)
    }

    async fn suspend_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()> {
        // No list would be all processes.
        let Some(names) = names(processes) else { return Ok(()) };
        let what = on("autoscaling:SuspendProcesses", group);
        let call = || {
            let call = self.autoscaling.suspend_processes().auto_scaling_group_name(group);
            call.set_scaling_processes(Some(names.clone())).send()
        };
        self.send(&what, call).await.map(drop)
    }

    async fn resume_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()> {
        let Some(names) = names(processes) else { return Ok(()) };
        let what = on("autoscaling:ResumeProcesses", group);
        let call = || {
            let call = self.autoscaling.resume_processes().auto_scaling_group_name(group);
            call.set_scaling_processes(Some(names.clone())).send()
        };
        self.send(&what, call).await.map(drop)
    }

    async fn create_or_update_tags(&self, group: &str, tags: &BTreeMap<String, GroupTag>) -> Result<()> {
        let what = on("autoscaling:CreateOrUpdateTags", group);
        let tags: Vec<sdk::Tag> = tags
            .iter()
            .map(|(key, tag)| {
                sdk::Tag::builder()
                    .resource_type("auto-scaling-group")
                    .resource_id(group)
                    .key(key)
                    .value(&tag.value)
                    .propagate_at_launch(tag.propagate_at_launch)
                    .build()
            })
            .collect();
        for tags in tags.chunks(TAGS) {
            let call = || self.autoscaling.create_or_update_tags().set_tags(Some(tags.to_vec())).send();
            self.send(&what, call).await?;
        }
        Ok(())
    }

    async fn delete_tags(&self, group: &str, keys: &BTreeSet<String>) -> Result<()> {
        let what = on("autoscaling:DeleteTags", group);
        let tags: Vec<sdk::Tag> = keys
            .iter()
            .map(|key| {
                let tag = sdk::Tag::builder().resource_type("auto-scaling-group").resource_id(group);
                tag.key(key).build()
            })
            .collect();
        for tags in tags.chunks(TAGS) {
            let call = || self.autoscaling.delete_tags().set_tags(Some(tags.to_vec())).send();
            self.send(&what, call).await?;
        }
        Ok(())
    }
}

fn number(what: &What, value: Option<u32>) -> Result<Option<i32>> {
    value
        .map(i32::try_from)
        .transpose()
        .map_err(|_| what.error(Class::Invalid).message("the number is too large to be sent"))
}

fn names(processes: &BTreeSet<ScalingProcess>) -> Option<Vec<String>> {
    let names: Vec<String> = processes.iter().map(|process| process.as_str().to_owned()).collect();
    (!names.is_empty()).then_some(names)
}

fn specification(wanted: &LaunchTemplateRef) -> sdk::LaunchTemplateSpecification {
    let template = sdk::LaunchTemplateSpecification::builder().version(wanted.version.to_string());
    match &wanted.template {
        LaunchTemplateKey::Id(id) => template.launch_template_id(id),
        LaunchTemplateKey::Name(name) => template.launch_template_name(name),
    }
    .build()
}

/// The policy that a group has, with other templates, and everything else as it is.
fn changed(
    what: &What,
    policy: Option<sdk::MixedInstancesPolicy>,
    base: Option<&LaunchTemplateRef>,
    overrides: &BTreeMap<usize, LaunchTemplateRef>,
) -> Result<sdk::MixedInstancesPolicy> {
    let conflict = |why: String| what.error(Class::Conflict).message(why);
    let mut policy =
        policy.ok_or_else(|| conflict("the group no longer has a mixed instances policy".to_owned()))?;
    let template = policy.launch_template.as_mut();
    let template = template.ok_or_else(|| what.missing("MixedInstancesPolicy.LaunchTemplate"))?;
    if let Some(base) = base {
        template.launch_template_specification = Some(specification(base));
    }
    template.launch_template_specification.as_mut().into_iter().for_each(one_name);
    let list = template.overrides.get_or_insert_default();
    for (place, wanted) in overrides {
        let length = list.len();
        let entry = list.get_mut(*place).ok_or_else(|| {
            conflict(format!("the group has {length} overrides, and none at place {place}"))
        })?;
        entry.launch_template_specification = Some(specification(wanted));
    }
    for entry in list.iter_mut() {
        entry.launch_template_specification.as_mut().into_iter().for_each(one_name);
    }
    Ok(policy)
}

/// The service answers with both id and name, and takes only one of them. The id is what lasts.
fn one_name(template: &mut sdk::LaunchTemplateSpecification) {
    if some(template.launch_template_id.clone()).is_some() {
        template.launch_template_name = None;
    }
}
