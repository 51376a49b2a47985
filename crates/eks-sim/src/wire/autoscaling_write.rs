//! EC2 Auto Scaling: what it is told.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::aws::{
    AutoScalingGroupQuery, AutoScalingInstance, GroupTag, LaunchChange, LaunchInstances, LaunchRetryStrategy,
    LaunchTemplateKey, LaunchTemplateRef, LifecycleAction, LifecycleResult, LifecycleState, ScalingProcess,
    TemplateVersion, TerminateInstance, UpdateAutoScalingGroup,
};

use super::Wire;
use super::autoscaling::{Outcome, activity, invalid, result};
use super::errors::Failed;
use super::query::Query;
use super::xml::Element;

pub(super) async fn write(wire: &Wire, action: &str, query: &Query) -> Option<Outcome> {
    Some(match action {
        "UpdateAutoScalingGroup" => update(wire, query).await,
        "SetDesiredCapacity" => set_desired(wire, query).await,
        "SuspendProcesses" | "ResumeProcesses" => processes(wire, action, query).await,
        "CreateOrUpdateTags" | "DeleteTags" => tags(wire, action, query).await,
        "LaunchInstances" => launch(wire, query).await,
        "TerminateInstanceInAutoScalingGroup" => terminate(wire, query).await,
        "SetInstanceProtection" => protect(wire, query).await,
        "EnterStandby" | "ExitStandby" => standby(wire, action, query).await,
        "CompleteLifecycleAction" | "RecordLifecycleActionHeartbeat" => lifecycle(wire, action, query).await,
        _ => return None,
    })
}

/// `LaunchTemplate.LaunchTemplateId` and so on.
fn template(query: &Query, prefix: &str) -> Option<LaunchTemplateRef> {
    let key = match (
        query.get(&format!("{prefix}.LaunchTemplateId")),
        query.get(&format!("{prefix}.LaunchTemplateName")),
    ) {
        (Some(id), _) => LaunchTemplateKey::Id(id.to_owned()),
        (None, Some(name)) => LaunchTemplateKey::Name(name.to_owned()),
        (None, None) => return None,
    };
    let version =
        query.get(&format!("{prefix}.Version")).map_or(TemplateVersion::Default, TemplateVersion::from);
    Some(LaunchTemplateRef { template: key, version })
}

async fn update(wire: &Wire, query: &Query) -> Outcome {
    let group = query.required("AutoScalingGroupName")?;
    let mixed = "MixedInstancesPolicy.LaunchTemplate";
    let launch = if let Some(template) = template(query, "LaunchTemplate") {
        Some(LaunchChange::Template(template))
    } else {
        let base = template(query, &format!("{mixed}.LaunchTemplateSpecification"));
        let overrides: BTreeMap<usize, LaunchTemplateRef> = query
            .indices(&format!("{mixed}.Overrides.member"))
            .into_iter()
            .enumerate()
            .filter_map(|(place, index)| {
                let of = format!("{mixed}.Overrides.member.{index}.LaunchTemplateSpecification");
                Some((place, template(query, &of)?))
            })
            .collect();
        (base.is_some() || !overrides.is_empty()).then_some(LaunchChange::Mixed { base, overrides })
    };
    let desired: Option<u32> = query.number("DesiredCapacity")?;
    let request = UpdateAutoScalingGroup {
        launch,
        min_size: query.number("MinSize")?,
        max_size: query.number("MaxSize")?,
        new_instances_protected_from_scale_in: query.flag("NewInstancesProtectedFromScaleIn")?,
        ..UpdateAutoScalingGroup::of(group)
    };
    let sizes = (request.min_size, request.max_size);
    let alone = request == UpdateAutoScalingGroup::of(group);
    if let Some(desired) = desired
        && !alone
    {
        fits(wire, group, sizes, desired).await?;
    }
    // A request that says nothing is still one about a group, which has to be there.
    if !alone || desired.is_none() {
        wire.writer.update_auto_scaling_group(&request).await?;
    }
    if let Some(desired) = desired {
        wire.writer.set_desired_capacity(group, desired).await?;
    }
    Ok(None)
}

/// Whether a desired capacity is within the limits that the same request sets. AWS does all of a request or nothing of
/// it, and here it is two calls: the first one must not be carried out when the second one cannot be.
async fn fits(
    wire: &Wire,
    group: &str,
    (min, max): (Option<u32>, Option<u32>),
    desired: u32,
) -> Result<(), Failed> {
    let found = wire.reader.describe_auto_scaling_groups(&AutoScalingGroupQuery::named(group)).await?;
    // A group that is not there is refused by the call itself.
    let Some(now) = found.first() else { return Ok(()) };
    let (min, max) = (min.unwrap_or(now.min_size), max.unwrap_or(now.max_size));
    if min > max || (min..=max).contains(&desired) {
        return Ok(());
    }
    Err(Failed::Request(
        "ValidationError",
        format!("Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"),
    ))
}

async fn set_desired(wire: &Wire, query: &Query) -> Outcome {
    let desired = query.number("DesiredCapacity")?;
    let desired =
        desired.ok_or_else(|| invalid("autoscaling:SetDesiredCapacity", "DesiredCapacity is missing"))?;
    wire.writer.set_desired_capacity(query.required("AutoScalingGroupName")?, desired).await?;
    Ok(None)
}

async fn processes(wire: &Wire, action: &str, query: &Query) -> Outcome {
    let group = query.required("AutoScalingGroupName")?;
    let said = query.texts("ScalingProcesses.member");
    if let Some(unknown) = said.iter().flatten().find(|name| !is_process(name)) {
        let message = format!("Invalid scaling process {unknown}");
        return Err(Failed::Request("ValidationError", message));
    }
    // Without a list, all are meant.
    let processes: BTreeSet<ScalingProcess> = match said {
        Some(named) => named.iter().map(|name| ScalingProcess::from(name.as_str())).collect(),
        None => ScalingProcess::KNOWN.iter().map(|name| ScalingProcess::from(*name)).collect(),
    };
    if action == "SuspendProcesses" {
        wire.writer.suspend_processes(group, &processes).await?;
    } else {
        wire.writer.resume_processes(group, &processes).await?;
    }
    Ok(None)
}

fn is_process(name: &str) -> bool {
    ScalingProcess::KNOWN.contains(&name)
}

async fn tags(wire: &Wire, action: &str, query: &Query) -> Outcome {
    if query.indices("Tags.member").is_empty() {
        return Err(Failed::Request("ValidationError", "Tags are missing.".to_owned()));
    }
    let mut by_group: BTreeMap<String, BTreeMap<String, GroupTag>> = BTreeMap::new();
    for index in query.indices("Tags.member") {
        let of = |name: &str| query.get(&format!("Tags.member.{index}.{name}")).map(str::to_owned);
        let group = of("ResourceId")
            .ok_or_else(|| invalid("autoscaling:CreateOrUpdateTags", "ResourceId is missing"))?;
        let key = of("Key").ok_or_else(|| invalid("autoscaling:CreateOrUpdateTags", "Key is missing"))?;
        let tag = GroupTag {
            value: of("Value").unwrap_or_default(),
            propagate_at_launch: of("PropagateAtLaunch").as_deref() == Some("true"),
        };
        by_group.entry(group).or_default().insert(key, tag);
    }
    for (group, tags) in by_group {
        if action == "CreateOrUpdateTags" {
            wire.writer.create_or_update_tags(&group, &tags).await?;
        } else {
            let keys: BTreeSet<String> = tags.into_keys().collect();
            wire.writer.delete_tags(&group, &keys).await?;
        }
    }
    Ok(None)
}

async fn launch(wire: &Wire, query: &Query) -> Outcome {
    let zones = query.texts("AvailabilityZones.member").unwrap_or_default();
    let [zone] = zones.as_slice() else {
        return Err(Failed::Request(
            "ValidationError",
            "Exactly one Availability Zone must be given.".to_owned(),
        ));
    };
    let group = query.required("AutoScalingGroupName")?;
    let retry_strategy = LaunchRetryStrategy::from(query.get("RetryStrategy").unwrap_or("none"));
    if let LaunchRetryStrategy::Other(word) = &retry_strategy {
        let message = format!("RetryStrategy {word} is neither none nor retry-with-group-configuration");
        return Err(Failed::Request("ValidationError", message));
    }
    let outcome = wire
        .writer
        .launch_instances(&LaunchInstances {
            group: group.to_owned(),
            availability_zone: zone.clone(),
            subnet_id: query.texts("SubnetIds.member").and_then(|subnets| subnets.first().cloned()),
            count: query.number("RequestedCapacity")?.unwrap_or(1),
            retry_strategy,
            token: wire.token(query.get("ClientToken")),
        })
        .await?;
    let instances =
        Element::new("Instances").child(Element::new("member").text("AvailabilityZone", zone).texts(
            "InstanceIds",
            "member",
            &outcome.instance_ids,
        ));
    let mut element = result("LaunchInstances")
        .text("AutoScalingGroupName", group)
        .maybe("ClientToken", query.get("ClientToken"));
    if !outcome.instance_ids.is_empty() {
        element = element.child(instances);
    }
    Ok(Some(element.list("Errors", "member", &outcome.errors, |element, error| {
        element
            .text("ErrorCode", &error.code)
            .maybe("ErrorMessage", error.message.as_ref())
            .maybe("InstanceType", error.instance_type.as_ref())
            .maybe("AvailabilityZone", error.availability_zone.as_ref())
            .maybe("SubnetId", error.subnet_id.as_ref())
            .maybe("MarketType", error.market.as_ref())
    })))
}

async fn terminate(wire: &Wire, query: &Query) -> Outcome {
    let instance_id = query.required("InstanceId")?.to_owned();
    let done = wire
        .writer
        .terminate_instance_in_auto_scaling_group(&TerminateInstance {
            instance_id,
            // The service finds it by its instance: looking first would be a call that nobody made.
            group: String::new(),
            decrement_desired_capacity: required_flag(query, "ShouldDecrementDesiredCapacity")?,
        })
        .await?;
    let action = "TerminateInstanceInAutoScalingGroup";
    Ok(Some(result(action).child(activity(Element::new("Activity"), &done))))
}

/// A flag that must be there.
fn required_flag(query: &Query, name: &str) -> Result<bool, Failed> {
    query.required(name)?;
    Ok(query.flag(name)?.unwrap_or(false))
}

async fn protect(wire: &Wire, query: &Query) -> Outcome {
    let ids: BTreeSet<String> = query.texts("InstanceIds.member").unwrap_or_default().into_iter().collect();
    if ids.len() > 50 {
        return Err(Failed::Request("ValidationError", "At most 50 instances may be named.".to_owned()));
    }
    let on = required_flag(query, "ProtectedFromScaleIn")?;
    if ids.is_empty() {
        return Err(Failed::Request("ValidationError", "InstanceIds are missing.".to_owned()));
    }
    wire.writer.set_instance_protection(query.required("AutoScalingGroupName")?, &ids, on).await?;
    Ok(Some(result("SetInstanceProtection")))
}

/// Whether instances can be moved one after the other: none may be moved when one of them cannot be.
async fn together(wire: &Wire, group: &str, ids: &[String], from: &LifecycleState) -> Result<(), Failed> {
    let found = wire.reader.describe_auto_scaling_instances(ids).await?;
    for (place, id) in ids.iter().enumerate() {
        if ids.iter().take(place).any(|before| before == id) {
            let message = format!("The instance {id} is named twice.");
            return Err(Failed::Request("ValidationError", message));
        }
        let fits = |one: &AutoScalingInstance| {
            one.instance_id == *id && one.group == group && one.lifecycle_state == *from
        };
        if !found.iter().any(fits) {
            let message =
                format!("The instance {id} is not part of Auto Scaling group {group}, or not in {from}.");
            return Err(Failed::Request("ValidationError", message));
        }
    }
    Ok(())
}

async fn standby(wire: &Wire, action: &str, query: &Query) -> Outcome {
    let group = query.required("AutoScalingGroupName")?;
    let decrement = action == "EnterStandby" && required_flag(query, "ShouldDecrementDesiredCapacity")?;
    let mut done = Vec::new();
    let ids = query.texts("InstanceIds.member").unwrap_or_default();
    if ids.len() > 1 {
        let from = if action == "EnterStandby" { LifecycleState::InService } else { LifecycleState::Standby };
        together(wire, group, &ids, &from).await?;
    }
    for id in ids {
        done.extend(if action == "EnterStandby" {
            wire.writer.enter_standby(group, &id, decrement).await?
        } else {
            wire.writer.exit_standby(group, &id).await?
        });
    }
    Ok(Some(result(action).list("Activities", "member", &done, activity)))
}

async fn lifecycle(wire: &Wire, action: &str, query: &Query) -> Outcome {
    let of = LifecycleAction {
        group: query.required("AutoScalingGroupName")?.to_owned(),
        hook: query.required("LifecycleHookName")?.to_owned(),
        instance_id: query.required("InstanceId")?.to_owned(),
    };
    if action == "CompleteLifecycleAction" {
        let result = LifecycleResult::from(query.required("LifecycleActionResult")?);
        if let LifecycleResult::Other(word) = &result {
            let message = format!("Lifecycle action result {word} is neither CONTINUE nor ABANDON");
            return Err(Failed::Request("ValidationError", message));
        }
        wire.writer.complete_lifecycle_action(&of, &result).await?;
    } else {
        wire.writer.record_lifecycle_action_heartbeat(&of).await?;
    }
    Ok(Some(result(action)))
}
