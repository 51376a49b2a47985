//! Auto Scaling groups, launch templates, instances, networks, parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, CreateLaunchTemplateVersion, GroupTag, InstanceQuery,
    InstanceState, LaunchSource, LaunchTemplateRef, LaunchTemplateVersionQuery, LifecycleState, NetworkQuery,
    ScalingProcess, TemplateVersion, TerminateInstance, UpdateAutoScalingGroup,
};
use eks_provider::{Class, Token};

use super::{AwsWorld, Outcome, Verdict, came, checks, eventually, holds};

/// How long instances may take to come and go.
const MINUTES: Duration = Duration::from_mins(15);

pub(super) async fn all(world: &AwsWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "asg-missing": "a group that is not there is left out of a list, and is NotFound when it is changed" => missing,
        "asg-describe": "a group has its sizes, zones, launch template and instances; each instance the number of its version" => describe,
        "asg-tags": "tags are set and taken away, one by one, and groups are found by them" => tags,
        "asg-suspend": "processes are suspended and resumed, and those of others stay" => suspend,
        "asg-limits": "a desired capacity above the maximum is refused" => limits,
        "asg-protect": "instances are protected and no longer" => protect,
        "asg-scale": "one more is asked for, and comes into service; the activity says why" => scale,
        "asg-decrement": "an instance is terminated with a decrement: it leaves, and nothing takes its place" => decrement,
        "asg-replace": "an instance is terminated without a decrement: another one takes its place" => replace,
        "lt-versions": "a version is made of another one, keeps what is not said, and the same token makes no second one" => template_versions,
        "ec2-instances": "instances are found by id, and one that is not there is left out or NotFound" => instances,
        "ec2-subnets": "the subnets of a group are there, with their free addresses" => subnets,
        "ssm-parameter": "a parameter is there; one that is not is NotFound, and left out of many" => parameters,
    ]
}

async fn group(world: &AwsWorld<'_>) -> Result<AutoScalingGroup, String> {
    let query = AutoScalingGroupQuery::named(&world.facts.group);
    let groups = came(world.reader.describe_auto_scaling_groups(&query).await)?;
    groups.into_iter().next().ok_or_else(|| format!("there is no group {}", world.facts.group))
}

fn in_service(group: &AutoScalingGroup) -> BTreeSet<String> {
    let serving = group.instances.iter().filter(|one| one.lifecycle_state == LifecycleState::InService);
    serving.map(|one| one.instance_id.clone()).collect()
}

/// Waits until so many instances are in service, and none is on its way.
async fn settled(world: &AwsWorld<'_>, count: usize) -> Result<AutoScalingGroup, String> {
    let what = format!("{count} instances in service and none on its way");
    let query = AutoScalingGroupQuery::named(&world.facts.group);
    let groups = eventually(
        world.clock,
        MINUTES,
        &what,
        || world.reader.describe_auto_scaling_groups(&query),
        |groups| groups.first().is_some_and(|g| in_service(g).len() == count && g.instances.len() == count),
    )
    .await?;
    groups.into_iter().next().ok_or_else(|| "the group is gone".to_owned())
}

async fn missing(world: &AwsWorld<'_>) -> Verdict {
    let none = "no-such-group-4f1c";
    let found = came(world.reader.describe_auto_scaling_groups(&AutoScalingGroupQuery::named(none)).await)?;
    holds(found.is_empty(), || format!("a list has {found:?}"))?;
    match world.writer.set_desired_capacity(none, 1).await {
        Ok(()) => Err("the desired capacity of nothing was set".to_owned()),
        Err(error) => holds(matches!(error.class(), Class::NotFound | Class::Invalid), || error.to_string()),
    }
}

async fn describe(world: &AwsWorld<'_>) -> Verdict {
    let group = group(world).await?;
    let count = u32::try_from(group.instances.len()).unwrap_or(u32::MAX);
    holds(group.min_size < group.desired_capacity && group.desired_capacity < group.max_size, || {
        format!("min {}, desired {}, max {}", group.min_size, group.desired_capacity, group.max_size)
    })?;
    holds(count == group.desired_capacity, || {
        format!("{count} instances, {} desired", group.desired_capacity)
    })?;
    let zones: BTreeSet<&String> = group.instances.iter().map(|one| &one.availability_zone).collect();
    holds(zones.len() >= 2, || format!("instances in {zones:?}"))?;
    holds(matches!(group.launch, LaunchSource::Template(_)), || format!("launch {:?}", group.launch))?;
    for instance in &group.instances {
        let number = instance.launch_template.as_ref().map(|template| &template.version);
        holds(matches!(number, Some(TemplateVersion::Number(_))), || {
            format!("{} was started from version {number:?}", instance.instance_id)
        })?;
    }
    let ids: Vec<String> = group.instances.iter().map(|one| one.instance_id.clone()).collect();
    let by_id = came(world.reader.describe_auto_scaling_instances(&ids).await)?;
    holds(by_id == group.instances, || "instances by id are not those of the group".to_owned())
}

async fn tags(world: &AwsWorld<'_>) -> Verdict {
    let name = &world.facts.group;
    let before = group(world).await?.tags;
    let ours = GroupTag { value: "one".to_owned(), propagate_at_launch: false };
    let set: BTreeMap<String, GroupTag> = [("contract/check".to_owned(), ours.clone())].into();
    came(world.writer.create_or_update_tags(name, &set).await)?;
    let mut expected = before.clone();
    expected.insert("contract/check".to_owned(), ours);
    let now = group(world).await?.tags;
    holds(now == expected, || format!("tags {now:?}"))?;
    let query = AutoScalingGroupQuery {
        names: None,
        tags: [("contract/check".to_owned(), vec!["one".to_owned()])].into(),
    };
    let found = came(world.reader.describe_auto_scaling_groups(&query).await)?;
    holds(found.iter().map(|group| &group.name).eq([name]), || format!("by tag {} groups", found.len()))?;
    let keys: BTreeSet<String> = ["contract/check".to_owned(), "contract/never-there".to_owned()].into();
    came(world.writer.delete_tags(name, &keys).await)?;
    let now = group(world).await?.tags;
    holds(now == before, || format!("tags {now:?} after they were taken away"))
}

async fn suspend(world: &AwsWorld<'_>) -> Verdict {
    let name = &world.facts.group;
    let set = |processes: &[ScalingProcess]| processes.iter().cloned().collect::<BTreeSet<_>>();
    let suspended = |group: AutoScalingGroup| group.suspended_processes.into_keys().collect::<BTreeSet<_>>();
    let before = suspended(group(world).await?);
    let foreign = set(&[ScalingProcess::ScheduledActions]);
    let ours = set(&[ScalingProcess::AzRebalance, ScalingProcess::AlarmNotification]);
    came(world.writer.suspend_processes(name, &foreign).await)?;
    came(world.writer.suspend_processes(name, &ours).await)?;
    let now = suspended(group(world).await?);
    holds(now.is_superset(&ours) && now.is_superset(&foreign), || format!("suspended {now:?}"))?;
    came(world.writer.resume_processes(name, &ours).await)?;
    let now = suspended(group(world).await?);
    holds(now.is_superset(&foreign) && now.is_disjoint(&ours), || format!("suspended {now:?}"))?;
    came(world.writer.resume_processes(name, &BTreeSet::new()).await)?;
    let now = suspended(group(world).await?);
    holds(now.is_superset(&foreign), || "an empty set resumed all".to_owned())?;
    came(world.writer.resume_processes(name, &foreign).await)?;
    let now = suspended(group(world).await?);
    holds(now == before, || format!("suspended {now:?} at the end, {before:?} before"))
}

async fn limits(world: &AwsWorld<'_>) -> Verdict {
    let group = group(world).await?;
    match world.writer.set_desired_capacity(&group.name, group.max_size + 1).await {
        Ok(()) => Err(format!("a desired capacity above {} was taken", group.max_size)),
        Err(error) => holds(error.class() == Class::Invalid, || error.to_string()),
    }
}

async fn protect(world: &AwsWorld<'_>) -> Verdict {
    let before = group(world).await?;
    let ids = in_service(&before);
    let set = async |on: bool| -> Verdict {
        came(world.writer.set_instance_protection(&world.facts.group, &ids, on).await)?;
        let now = group(world).await?;
        let wrong = now.instances.iter().find(|one| one.protected_from_scale_in != on);
        holds(wrong.is_none(), || format!("protection {on} was set, and {wrong:?}"))
    };
    set(true).await?;
    set(false).await?;
    let new = UpdateAutoScalingGroup {
        new_instances_protected_from_scale_in: Some(true),
        ..UpdateAutoScalingGroup::of(&world.facts.group)
    };
    came(world.writer.update_auto_scaling_group(&new).await)?;
    let now = group(world).await?;
    holds(
        now.new_instances_protected_from_scale_in
            && (now.min_size, now.max_size, now.desired_capacity, &now.launch)
                == (before.min_size, before.max_size, before.desired_capacity, &before.launch),
        || format!("an update of one thing made {now:?}"),
    )?;
    let back = UpdateAutoScalingGroup { new_instances_protected_from_scale_in: Some(false), ..new };
    came(world.writer.update_auto_scaling_group(&back).await)
}

async fn scale(world: &AwsWorld<'_>) -> Verdict {
    let before = group(world).await?;
    let since = world.clock.now();
    came(world.writer.set_desired_capacity(&before.name, before.desired_capacity + 1).await)?;
    let now = settled(world, before.instances.len() + 1).await?;
    let new: Vec<_> =
        now.instances.iter().filter(|one| !in_service(&before).contains(&one.instance_id)).collect();
    holds(new.len() == 1, || format!("{} new instances", new.len()))?;
    let found = came(world.reader.describe_scaling_activities(&before.name, since).await)?;
    let cause = format!("from {} to {}", before.desired_capacity, before.desired_capacity + 1);
    holds(found.iter().any(|activity| activity.cause.contains(&cause)), || {
        format!(
            "no activity has \"{cause}\" for its cause: {:?}",
            found.iter().map(|a| &a.cause).collect::<Vec<_>>()
        )
    })
}

/// Terminates an instance of the group.
async fn terminate(world: &AwsWorld<'_>, decrement: bool) -> Result<(AutoScalingGroup, String), String> {
    let before = group(world).await?;
    let id = in_service(&before).into_iter().next().ok_or("no instance in service")?;
    let request = TerminateInstance {
        instance_id: id.clone(),
        group: before.name.clone(),
        decrement_desired_capacity: decrement,
    };
    let activity = came(world.writer.terminate_instance_in_auto_scaling_group(&request).await)?;
    holds(activity.instance_id() == Some(&id), || format!("the activity is \"{}\"", activity.description))?;
    Ok((before, id))
}

async fn decrement(world: &AwsWorld<'_>) -> Verdict {
    let (before, id) = terminate(world, true).await?;
    let now = settled(world, before.instances.len() - 1).await?;
    holds(now.desired_capacity + 1 == before.desired_capacity, || {
        format!("desired {} after {}", now.desired_capacity, before.desired_capacity)
    })?;
    holds(now.instances.iter().all(|one| one.instance_id != id), || format!("{id} is still there"))
}

async fn replace(world: &AwsWorld<'_>) -> Verdict {
    let (before, id) = terminate(world, false).await?;
    let query = AutoScalingGroupQuery::named(&before.name);
    // It has to leave first: a group that is still whole looks settled.
    eventually(
        world.clock,
        MINUTES,
        "the terminated instance has left",
        || world.reader.describe_auto_scaling_groups(&query),
        |groups| groups.iter().all(|group| group.instances.iter().all(|one| one.instance_id != id)),
    )
    .await?;
    let now = settled(world, before.instances.len()).await?;
    holds(now.desired_capacity == before.desired_capacity, || {
        format!("desired {} after {}", now.desired_capacity, before.desired_capacity)
    })
}

async fn template_versions(world: &AwsWorld<'_>) -> Verdict {
    let LaunchSource::Template(LaunchTemplateRef { template, .. }) = group(world).await?.launch else {
        return Err("the group has no launch template".to_owned());
    };
    let of = |versions: &[TemplateVersion]| LaunchTemplateVersionQuery {
        template: template.clone(),
        versions: Some(versions.iter().cloned().collect()),
        resolve_alias: false,
    };
    let latest = came(world.reader.describe_launch_template_versions(&of(&[TemplateVersion::Latest])).await)?;
    let [source] = latest.as_slice() else { return Err(format!("$Latest is {} versions", latest.len())) };
    let request = CreateLaunchTemplateVersion {
        template: template.clone(),
        source_version: source.number,
        image_id: None,
        user_data: None,
        description: "contract".to_owned(),
        token: Token::derive("contract", "a version"),
    };
    let made = came(world.writer.create_launch_template_version(&request).await)?;
    holds(made.number == source.number + 1, || format!("version {} after {}", made.number, source.number))?;
    holds(made.data == source.data, || format!("{:?} was made of {:?}", made.data, source.data))?;
    let again = came(world.writer.create_launch_template_version(&request).await)?;
    holds(again.number == made.number, || {
        format!("the same token made {} and {}", made.number, again.number)
    })?;
    let templates = came(world.reader.describe_launch_templates(std::slice::from_ref(&template)).await)?;
    let latest = templates.first().map(|template| template.latest_version);
    holds(latest == Some(made.number), || format!("the latest version is {latest:?}"))?;
    let missing = of(&[TemplateVersion::Number(made.number + 1000)]);
    match world.reader.describe_launch_template_versions(&missing).await {
        Ok(found) => holds(found.is_empty(), || "a version that was never made is there".to_owned()),
        Err(error) => holds(matches!(error.class(), Class::NotFound | Class::Invalid), || error.to_string()),
    }
}

async fn instances(world: &AwsWorld<'_>) -> Verdict {
    let group = group(world).await?;
    let ids = in_service(&group);
    let found = came(world.reader.describe_instances(&InstanceQuery::of(ids.iter())).await)?;
    holds(found.iter().map(|one| &one.id).eq(ids.iter()), || format!("{} of {}", found.len(), ids.len()))?;
    for instance in &found {
        let own = instance.tags.get("aws:autoscaling:groupName");
        holds(own == Some(&group.name), || format!("{} has the group {own:?}", instance.id))?;
        holds(instance.state == InstanceState::Running, || format!("{} is {}", instance.id, instance.state))?;
        holds(instance.private_dns_name.is_some() && instance.image_id.is_some(), || {
            format!("{} has no name or no image", instance.id)
        })?;
    }
    match world.reader.describe_instances(&InstanceQuery::of(["i-00000000000000bad"])).await {
        Ok(found) => holds(found.is_empty(), || format!("{found:?}")),
        Err(error) => holds(error.class() == Class::NotFound, || error.to_string()),
    }
}

async fn subnets(world: &AwsWorld<'_>) -> Verdict {
    let group = group(world).await?;
    let found = came(world.reader.describe_subnets(&NetworkQuery::of(&group.subnet_ids)).await)?;
    holds(found.len() == group.subnet_ids.len(), || {
        format!("{} of {}", found.len(), group.subnet_ids.len())
    })?;
    let poor = found.iter().find(|subnet| subnet.available_ip_address_count == 0);
    holds(poor.is_none(), || format!("{poor:?}"))
}

async fn parameters(world: &AwsWorld<'_>) -> Verdict {
    let name = &world.facts.parameter;
    let found = came(world.reader.get_parameter(name).await)?;
    holds(&found.name == name && !found.value.is_empty(), || format!("{found:?}"))?;
    let none = "/no/such/parameter";
    match world.reader.get_parameter(none).await {
        Ok(found) => return Err(format!("{none} is {found:?}")),
        Err(error) => holds(error.class() == Class::NotFound, || error.to_string())?,
    }
    let both = [name.clone(), none.to_owned()];
    let many = came(world.reader.get_parameters(&both).await)?;
    holds(many.keys().eq([name]), || format!("{:?}", many.keys().collect::<Vec<_>>()))
}
