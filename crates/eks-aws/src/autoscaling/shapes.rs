//! What several answers of Auto Scaling have in common.

use std::time::Duration;

use aws_sdk_autoscaling::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{
    AutoScalingInstance, LaunchSource, LaunchTemplateKey, LaunchTemplateOverride, LaunchTemplateRef,
    MixedInstancesPolicy, ScalingActivity, TemplateVersion, WarmPoolConfiguration, WarmPoolState,
};

use crate::call::{What, count, some, time, word};

/// A number of seconds. AWS writes "none" as a negative one.
pub(super) fn seconds(value: Option<i32>) -> Option<Duration> {
    count(value).map(|seconds| Duration::from_secs(u64::from(seconds)))
}

pub(super) fn template_ref(
    what: &What,
    template: sdk::LaunchTemplateSpecification,
) -> Result<LaunchTemplateRef> {
    let (id, name) = (some(template.launch_template_id), some(template.launch_template_name));
    let key = id.map(LaunchTemplateKey::Id).or(name.map(LaunchTemplateKey::Name));
    Ok(LaunchTemplateRef {
        template: what.need("LaunchTemplate.LaunchTemplateId", key)?,
        version: word(template.version.as_deref()).unwrap_or(TemplateVersion::Default),
    })
}

/// A weight. One that is not a number must not pass as none.
fn weight(what: &What, value: Option<String>) -> Result<Option<u32>> {
    some(value)
        .map(|text| text.parse().map_err(|_| what.malformed(format!("WeightedCapacity is `{text}`"))))
        .transpose()
}

pub(super) fn launch_source(
    what: &What,
    configuration: Option<String>,
    template: Option<sdk::LaunchTemplateSpecification>,
    mixed: Option<sdk::MixedInstancesPolicy>,
) -> Result<LaunchSource> {
    match (mixed, template, some(configuration)) {
        (Some(policy), _, _) => Ok(LaunchSource::Mixed(mixed_policy(what, policy)?)),
        (None, Some(template), _) => Ok(LaunchSource::Template(template_ref(what, template)?)),
        (None, None, Some(name)) => Ok(LaunchSource::Configuration(name)),
        (None, None, None) => Ok(LaunchSource::Unstated),
    }
}

fn mixed_policy(what: &What, policy: sdk::MixedInstancesPolicy) -> Result<MixedInstancesPolicy> {
    let template = what.need("MixedInstancesPolicy.LaunchTemplate", policy.launch_template)?;
    let base = template.launch_template_specification;
    let base = what.need("MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification", base)?;
    let overrides = template.overrides.into_iter().flatten().map(|each| {
        Ok(LaunchTemplateOverride {
            instance_type: some(each.instance_type),
            attribute_based: each.instance_requirements.is_some(),
            weighted_capacity: weight(what, each.weighted_capacity)?,
            template: match each.launch_template_specification {
                None => None,
                Some(template) => Some(template_ref(what, template)?),
            },
            image_id: some(each.image_id),
        })
    });
    let overrides = overrides.collect::<Result<_>>()?;
    let split = policy.instances_distribution;
    let split = split.unwrap_or_else(|| sdk::InstancesDistribution::builder().build());
    Ok(MixedInstancesPolicy {
        template: template_ref(what, base)?,
        overrides,
        // The defaults that the API documents.
        on_demand_base_capacity: count(split.on_demand_base_capacity).unwrap_or(0),
        on_demand_percentage_above_base: count(split.on_demand_percentage_above_base_capacity).unwrap_or(100),
        on_demand_allocation_strategy: some(split.on_demand_allocation_strategy),
        spot_allocation_strategy: some(split.spot_allocation_strategy),
    })
}

pub(super) fn instance(what: &What, group: &str, found: sdk::Instance) -> Result<AutoScalingInstance> {
    let state = found.lifecycle_state.as_ref().map(sdk::LifecycleState::as_str);
    Ok(AutoScalingInstance {
        instance_id: what.text("Instances.InstanceId", found.instance_id)?,
        group: group.to_owned(),
        instance_type: some(found.instance_type),
        availability_zone: what.text("Instances.AvailabilityZone", found.availability_zone)?,
        lifecycle_state: what.word("Instances.LifecycleState", state)?,
        health_status: what.text("Instances.HealthStatus", found.health_status)?,
        launch_configuration: some(found.launch_configuration_name),
        launch_template: match found.launch_template {
            None => None,
            Some(template) => Some(template_ref(what, template)?),
        },
        image_id: some(found.image_id),
        protected_from_scale_in: found.protected_from_scale_in == Some(true),
        weighted_capacity: weight(what, found.weighted_capacity)?,
    })
}

pub(super) fn instance_details(
    what: &What,
    found: sdk::AutoScalingInstanceDetails,
) -> Result<AutoScalingInstance> {
    let group = what.text("AutoScalingInstances.AutoScalingGroupName", found.auto_scaling_group_name)?;
    // The same thing with another spelling of the state: a text, in which case means nothing.
    let state = found.lifecycle_state.as_deref().map(lifecycle_state);
    let same = sdk::Instance::builder()
        .set_instance_id(found.instance_id)
        .set_instance_type(found.instance_type)
        .set_availability_zone(found.availability_zone)
        .set_lifecycle_state(state)
        .set_health_status(found.health_status.as_deref().map(health_status))
        .set_launch_configuration_name(found.launch_configuration_name)
        .set_launch_template(found.launch_template)
        .set_image_id(found.image_id)
        .set_protected_from_scale_in(found.protected_from_scale_in)
        .set_weighted_capacity(found.weighted_capacity);
    instance(what, &group, same.build())
}

fn lifecycle_state(text: &str) -> sdk::LifecycleState {
    let known = sdk::LifecycleState::values().iter().find(|known| known.eq_ignore_ascii_case(text));
    (*known.unwrap_or(&text)).into()
}

/// `HEALTHY` here is `Healthy` there.
fn health_status(text: &str) -> String {
    let known = ["Healthy", "Unhealthy"].into_iter().find(|known| known.eq_ignore_ascii_case(text));
    known.unwrap_or(text).to_owned()
}

pub(super) fn warm_pool(what: &What, pool: sdk::WarmPoolConfiguration) -> Result<WarmPoolConfiguration> {
    // Auto Scaling writes `Stopped`, EKS `STOPPED`.
    let state =
        pool.pool_state.map_or_else(|| "STOPPED".to_owned(), |state| state.as_str().to_ascii_uppercase());
    let reuse = pool.instance_reuse_policy.and_then(|policy| policy.reuse_on_scale_in);
    Ok(WarmPoolConfiguration {
        min_size: pool
            .min_size
            .map_or(Ok(0), |size| what.count("WarmPoolConfiguration.MinSize", Some(size)))?,
        max_group_prepared_capacity: count(pool.max_group_prepared_capacity),
        pool_state: WarmPoolState::from(state.as_str()),
        status: pool.status.map(|status| status.as_str().to_owned()),
        reuse_on_scale_in: reuse == Some(true),
    })
}

pub(super) fn activity(what: &What, activity: sdk::Activity) -> Result<ScalingActivity> {
    let status = activity.status_code.as_ref().map(sdk::ScalingActivityStatusCode::as_str);
    Ok(ScalingActivity {
        id: what.text("Activity.ActivityId", activity.activity_id)?,
        group: what.text("Activity.AutoScalingGroupName", activity.auto_scaling_group_name)?,
        description: activity.description.unwrap_or_default(),
        cause: activity.cause.unwrap_or_default(),
        start_time: what.time("Activity.StartTime", activity.start_time)?,
        end_time: time(activity.end_time),
        status: what.word("Activity.StatusCode", status)?,
        status_message: some(activity.status_message),
        progress: count(activity.progress),
        details: some(activity.details),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_state_are_one() {
        assert_eq!(lifecycle_state("INSERVICE"), sdk::LifecycleState::InService);
        assert_eq!(lifecycle_state("InService"), sdk::LifecycleState::InService);
        assert_eq!(lifecycle_state("Somewhere:New").as_str(), "Somewhere:New");
        assert_eq!(health_status("HEALTHY"), "Healthy");
        assert_eq!(health_status("Strange"), "Strange");
    }

    #[test]
    fn a_weight_that_is_no_number_does_not_pass_as_none() {
        let what = What::new("autoscaling:DescribeAutoScalingGroups", "group web");
        assert_eq!(weight(&what, Some("4".to_owned())), Ok(Some(4)));
        assert_eq!(weight(&what, None), Ok(None));
        assert!(weight(&what, Some("four".to_owned())).is_err());
    }
}
