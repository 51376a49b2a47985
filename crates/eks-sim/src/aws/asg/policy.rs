//! Which instance goes first at a scale-in.

use std::collections::BTreeMap;

use eks_provider::aws::{
    LaunchSource, LaunchTemplateKey, LaunchTemplateRef, LifecycleState, TemplateVersion,
};
use jiff::Timestamp;

use crate::aws::asg::{Group, Member};

/// The instance that a scale-in takes: unprotected, in service, from the zone with the most instances that has such
/// a one, then by the group's termination policies in their order, each among those that the one before left.
///
/// Zones that are level are looked at together. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html>.
/// What is left over is taken by age and then by id, where AWS takes any. `AllocationStrategy` and custom policies leave all.
pub(crate) fn victim(group: &Group, now: Timestamp) -> Option<String> {
    let mut by_zone: BTreeMap<&str, usize> = BTreeMap::new();
    for member in group.active() {
        *by_zone.entry(&member.view.availability_zone).or_default() += 1;
    }
    let open = |member: &&Member| {
        !member.view.protected_from_scale_in && member.view.lifecycle_state == LifecycleState::InService
    };
    let most = group
        .active()
        .filter(open)
        .filter_map(|member| by_zone.get(member.view.availability_zone.as_str()))
        .max()
        .copied()?;
    let mut left: Vec<&Member> = group
        .active()
        .filter(open)
        .filter(|member| by_zone.get(member.view.availability_zone.as_str()) == Some(&most))
        .collect();
    let default = ["Default".to_owned()];
    let policies = &group.group.termination_policies;
    for policy in if policies.is_empty() { &default[..] } else { policies } {
        match policy.as_str() {
            "OldestInstance" => keep(&mut left, |member| member.launched),
            "NewestInstance" => keep(&mut left, |member| std::cmp::Reverse(member.launched)),
            "OldestLaunchTemplate" | "OldestLaunchConfiguration" => {
                keep(&mut left, |member| source_age(group, member));
            }
            "ClosestToNextInstanceHour" => keep(&mut left, |member| to_next_hour(member, now)),
            "Default" => {
                keep(&mut left, |member| source_age(group, member));
                keep(&mut left, |member| to_next_hour(member, now));
            }
            _ => {}
        }
    }
    left.into_iter()
        .min_by_key(|member| (member.launched, member.view.instance_id.clone()))
        .map(|member| member.view.instance_id.clone())
}

fn keep<K: Ord>(left: &mut Vec<&Member>, key: impl Fn(&Member) -> K) {
    if let Some(least) = left.iter().map(|member| key(member)).min() {
        left.retain(|member| key(member) == least);
    }
}

/// Launch configurations first, then templates that are not the group's present one, then the lower versions of that.
fn source_age(group: &Group, member: &Member) -> (bool, bool, u64) {
    let present = match &group.group.launch {
        LaunchSource::Template(template) => Some(&template.template),
        LaunchSource::Mixed(policy) => Some(&policy.template.template),
        LaunchSource::Configuration(_) | LaunchSource::Unstated => None,
    };
    let Some(LaunchTemplateRef { template, version }) = &member.view.launch_template else {
        return (false, false, 0);
    };
    let number = match version {
        TemplateVersion::Number(number) => *number,
        TemplateVersion::Latest | TemplateVersion::Default | TemplateVersion::Other(_) => 0,
    };
    // A reference by name cannot be told from here; it counts as the present one.
    let other = matches!((present, template), (Some(LaunchTemplateKey::Id(id)), LaunchTemplateKey::Id(own)) if id != own);
    (true, !other, number)
}

/// Seconds until the instance has run for another full hour.
fn to_next_hour(member: &Member, now: Timestamp) -> i64 {
    3600 - now.duration_since(member.launched).as_secs().rem_euclid(3600)
}
