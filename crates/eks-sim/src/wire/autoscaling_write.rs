//! EC2 Auto Scaling: what it is told.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::aws::{
    AutoScalingGroupQuery, GroupTag, LaunchChange, LaunchInstances, LaunchRetryStrategy, LaunchTemplateKey,
    LaunchTemplateRef, LifecycleAction, LifecycleResult, ScalingProcess, TemplateVersion, TerminateInstance,
    UpdateAutoScalingGroup,
};

use super::Wire;
use super::autoscaling::{Failed, Outcome, activity, invalid, result};
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
    let desired = query.number("DesiredCapacity")?;
    let request = UpdateAutoScalingGroup {
        launch,
        min_size: query.number("MinSize")?,
        max_size: query.number("MaxSize")?,
        new_instances_protected_from_scale_in: query.flag("NewInstancesProtectedFromScaleIn")?,
        ..UpdateAutoScalingGroup::of(group)
    };
    if request != UpdateAutoScalingGroup::of(group) {
        wire.writer.update_auto_scaling_group(&request).await?;
    }
    if let Some(desired) = desired {
        wire.writer.set_desired_capacity(group, desired).await?;
    }
    Ok(None)
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
    // Without a list, all are meant.
    let processes: BTreeSet<ScalingProcess> = match query.texts("ScalingProcesses.member") {
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

async fn tags(wire: &Wire, action: &str, query: &Query) -> Outcome {
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
    let outcome = wire
        .writer
        .launch_instances(&LaunchInstances {
            group: group.to_owned(),
            availability_zone: zone.clone(),
            subnet_id: query.texts("SubnetIds.member").and_then(|subnets| subnets.first().cloned()),
            count: query.number("RequestedCapacity")?.unwrap_or(1),
            retry_strategy: LaunchRetryStrategy::from(query.get("RetryStrategy").unwrap_or("none")),
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
    let found = wire.reader.describe_auto_scaling_instances(std::slice::from_ref(&instance_id)).await?;
    let group = found.first().map(|instance| instance.group.clone()).unwrap_or_default();
    let done = wire
        .writer
        .terminate_instance_in_auto_scaling_group(&TerminateInstance {
            instance_id,
            group,
            decrement_desired_capacity: query.flag("ShouldDecrementDesiredCapacity")?.unwrap_or(false),
        })
        .await?;
    let action = "TerminateInstanceInAutoScalingGroup";
    Ok(Some(result(action).child(activity(Element::new("Activity"), &done))))
}

async fn protect(wire: &Wire, query: &Query) -> Outcome {
    let ids: BTreeSet<String> = query.texts("InstanceIds.member").unwrap_or_default().into_iter().collect();
    if ids.len() > 50 {
        return Err(Failed::Request("ValidationError", "At most 50 instances may be named.".to_owned()));
    }
    let on = query.flag("ProtectedFromScaleIn")?.unwrap_or(false);
    wire.writer.set_instance_protection(query.required("AutoScalingGroupName")?, &ids, on).await?;
    Ok(Some(result("SetInstanceProtection")))
}

async fn standby(wire: &Wire, action: &str, query: &Query) -> Outcome {
    let group = query.required("AutoScalingGroupName")?;
    let decrement = query.flag("ShouldDecrementDesiredCapacity")?.unwrap_or(false);
    let mut done = Vec::new();
    for id in query.texts("InstanceIds.member").unwrap_or_default() {
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
    // An instance of another group is no instance of this one.
    let group = wire.reader.describe_auto_scaling_groups(&AutoScalingGroupQuery::named(&of.group)).await?;
    if group.is_empty() {
        return Err(Failed::Request(
            "ValidationError",
            format!("AutoScalingGroup name not found - {}", of.group),
        ));
    }
    if action == "CompleteLifecycleAction" {
        let result = LifecycleResult::from(query.required("LifecycleActionResult")?);
        wire.writer.complete_lifecycle_action(&of, &result).await?;
    } else {
        wire.writer.record_lifecycle_action_heartbeat(&of).await?;
    }
    Ok(Some(result(action)))
}
