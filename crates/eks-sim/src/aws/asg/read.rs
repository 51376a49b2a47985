//! The readers of Auto Scaling.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingInstance,
    AutoScalingSettingsReader, InstanceRefresh, LaunchConfiguration, LifecycleHook, ScalingActivity,
    ScalingPolicy, ScheduledAction, TrafficSource, WarmPool,
};
use jiff::Timestamp;

use crate::Sim;
use crate::aws::asg::{Group, named};
use crate::aws::ec2::tags_fit;

/// A group as it is described: with its instances, those of the warm pool left out.
fn described(known: &Group) -> AutoScalingGroup {
    let members = known.members.values().map(|member| &member.view);
    let warmed = known.members.values().filter(|member| member.view.lifecycle_state.is_warmed()).count();
    AutoScalingGroup {
        instances: members.filter(|view| !view.lifecycle_state.is_warmed()).cloned().collect(),
        warm_pool_size: known.group.warm_pool.as_ref().map(|_| u32::try_from(warmed).unwrap_or(u32::MAX)),
        ..known.group.clone()
    }
}

#[async_trait]
impl AutoScalingGroupReader for Sim {
    async fn describe_auto_scaling_groups(
        &self,
        query: &AutoScalingGroupQuery,
    ) -> Result<Vec<AutoScalingGroup>> {
        let named: Vec<&str> = query.names.iter().flatten().map(String::as_str).collect();
        let target = format!("groups {}", named.join(", "));
        self.read("autoscaling:DescribeAutoScalingGroups", target, |view| {
            let fits = |known: &&Group| {
                query.names.as_ref().is_none_or(|names| names.contains(&known.group.name))
                    && tags_fit(&query.tags, |key| known.group.tags.get(key).map(|tag| tag.value.as_str()))
            };
            Ok(view.aws.asg.groups.values().filter(fits).map(described).collect())
        })
        .await
    }

    async fn describe_auto_scaling_instances(
        &self,
        instance_ids: &[String],
    ) -> Result<Vec<AutoScalingInstance>> {
        self.read("autoscaling:DescribeAutoScalingInstances", "instances", |view| {
            let asg = &view.aws.asg;
            let one =
                |id: &String| Some(asg.groups.get(asg.group_of.get(id)?)?.members.get(id)?.view.clone());
            let mut found: Vec<AutoScalingInstance> = instance_ids.iter().filter_map(one).collect();
            found.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
            found.dedup_by(|a, b| a.instance_id == b.instance_id);
            Ok(found)
        })
        .await
    }

    async fn describe_scaling_activities(
        &self,
        group: &str,
        since: Timestamp,
    ) -> Result<Vec<ScalingActivity>> {
        self.read("autoscaling:DescribeScalingActivities", format!("group {group}"), |view| {
            let known = named(&view.aws.asg, group)?;
            let recent = |activity: &&ScalingActivity| activity.start_time >= since;
            Ok(known.activities.iter().rev().filter(recent).cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl AutoScalingSettingsReader for Sim {
    async fn describe_lifecycle_hooks(&self, group: &str) -> Result<Vec<LifecycleHook>> {
        self.read("autoscaling:DescribeLifecycleHooks", format!("group {group}"), |view| {
            Ok(sorted(&named(&view.aws.asg, group)?.hooks, |hook| &hook.name))
        })
        .await
    }

    async fn describe_warm_pool(&self, group: &str) -> Result<Option<WarmPool>> {
        self.read("autoscaling:DescribeWarmPool", format!("group {group}"), |view| {
            let known = named(&view.aws.asg, group)?;
            let warmed = known
                .members
                .values()
                .map(|member| &member.view)
                .filter(|view| view.lifecycle_state.is_warmed());
            Ok(known
                .group
                .warm_pool
                .clone()
                .map(|configuration| WarmPool { configuration, instances: warmed.cloned().collect() }))
        })
        .await
    }

    async fn describe_instance_refreshes(&self, group: &str) -> Result<Vec<InstanceRefresh>> {
        self.read("autoscaling:DescribeInstanceRefreshes", format!("group {group}"), |view| {
            Ok(named(&view.aws.asg, group)?.refreshes.iter().rev().cloned().collect())
        })
        .await
    }

    async fn describe_scheduled_actions(&self, group: &str) -> Result<Vec<ScheduledAction>> {
        self.read("autoscaling:DescribeScheduledActions", format!("group {group}"), |view| {
            Ok(sorted(&named(&view.aws.asg, group)?.scheduled, |action| &action.name))
        })
        .await
    }

    async fn describe_policies(&self, group: &str) -> Result<Vec<ScalingPolicy>> {
        self.read("autoscaling:DescribePolicies", format!("group {group}"), |view| {
            Ok(sorted(&named(&view.aws.asg, group)?.policies, |policy| &policy.name))
        })
        .await
    }

    async fn describe_traffic_sources(&self, group: &str) -> Result<Vec<TrafficSource>> {
        self.read("autoscaling:DescribeTrafficSources", format!("group {group}"), |view| {
            let arns = &named(&view.aws.asg, group)?.group.target_group_arns;
            let source = |arn: &String| TrafficSource {
                identifier: arn.clone(),
                kind: Some("elbv2".to_owned()),
                state: "InService".to_owned(),
            };
            Ok(arns.iter().map(source).collect())
        })
        .await
    }

    async fn describe_launch_configurations(
        &self,
        _names: &[String],
    ) -> Result<BTreeMap<String, LaunchConfiguration>> {
        // No group of this world has one: AWS takes no new ones since 2024.
        self.read(
            "autoscaling:DescribeLaunchConfigurations",
            "launch configurations",
            |_| Ok(BTreeMap::new()),
        )
        .await
    }
}

fn sorted<T: Clone>(list: &[T], name: impl Fn(&T) -> &String) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_by(|a, b| name(a).cmp(name(b)));
    list
}
