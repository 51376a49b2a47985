//! EC2 Auto Scaling.
//!
//! Sources: the user guide, <https://docs.aws.amazon.com/autoscaling/ec2/userguide/>, and the API reference,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/>; each rule names its page.

mod activity;
mod balance;
pub(crate) mod cron;
pub(crate) mod health;
pub(crate) mod launch;
pub(crate) mod lifecycle;
mod policy;
mod read;
pub(crate) mod refresh;
pub(crate) mod schedule;
pub(crate) mod size;
pub(crate) mod standby;
pub(crate) mod terminate;
pub(crate) mod warm;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::aws::{
    AutoScalingGroup, AutoScalingInstance, InstanceRefresh, LifecycleHook, LifecycleState, ScalingActivity,
    ScalingPolicy, ScalingProcess, ScheduledAction,
};
use jiff::Timestamp;

use crate::World;
use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::instances::Join;

/// What is to happen in Auto Scaling.
#[derive(Debug)]
pub(crate) enum Event {
    /// Compare what a group has with what it wants.
    Reconcile(String),
    /// Balance the zones of a group.
    Rebalance(String),
    /// A hook may have waited long enough.
    Hook { group: String, instance: String },
    /// An instance goes on after its hooks.
    Proceed { group: String, instance: String },
    /// Ask for the health of a group's instances.
    Health(String),
    /// A scheduled action is due.
    Scheduled { group: String, action: String },
    /// An instance refresh goes on.
    Refresh(String),
    /// An instance may have lived long enough.
    Lifetime { group: String, instance: String },
}

/// What Auto Scaling holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) groups: BTreeMap<String, Group>,
    /// The group of each instance.
    pub(crate) group_of: BTreeMap<String, String>,
}

/// A group with all that belongs to it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "what is described of a group is a group")]
pub(crate) struct Group {
    /// As it is described; its instances are in `members`.
    pub(crate) group: AutoScalingGroup,
    pub(crate) members: BTreeMap<String, Member>,
    /// The first one first.
    pub(crate) activities: Vec<ScalingActivity>,
    pub(crate) hooks: Vec<LifecycleHook>,
    pub(crate) scheduled: Vec<ScheduledAction>,
    pub(crate) policies: Vec<ScalingPolicy>,
    /// The first one first.
    pub(crate) refreshes: Vec<InstanceRefresh>,
    pub(crate) refresh_min_healthy: u32,
    /// Since when a refresh waits for instances that are protected.
    refresh_waits: Option<Timestamp>,
    /// How its instances join a cluster.
    pub(crate) join: Option<Join>,
    /// Who changed the desired capacity last, as a cause says it.
    pub(crate) why: Option<String>,
    /// How often in a row no instance could be started.
    failures: u32,
    reconcile_due: bool,
    rebalance_due: bool,
    /// Started to balance the zones: until it is in service the group has one more than it wants.
    rebalancing: Option<String>,
}

/// An instance of a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) view: AutoScalingInstance,
    pub(crate) launched: Timestamp,
    /// The activity under way.
    activity: Option<String>,
    /// The hooks that hold it, by name.
    held: BTreeMap<String, Held>,
    /// When targets have ended what was open.
    drained_at: Option<Timestamp>,
    pub(crate) spot: bool,
    /// It goes on standby when the world begins.
    pub(crate) stands_by: bool,
}

/// A hook that holds an instance.
#[derive(Debug, Clone, Copy)]
struct Held {
    deadline: Timestamp,
    last: Timestamp,
}

/// How long a health check takes to see that an instance is gone. The guide says "every few minutes" for EC2's
/// status checks and "immediately" for a state that is not running.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html>
const HEALTH_CHECK: u64 = 60;

impl Group {
    /// A group without instances.
    pub(crate) fn new(group: AutoScalingGroup) -> Self {
        Self {
            group,
            members: BTreeMap::new(),
            activities: Vec::new(),
            hooks: Vec::new(),
            scheduled: Vec::new(),
            policies: Vec::new(),
            refreshes: Vec::new(),
            refresh_min_healthy: 90,
            refresh_waits: None,
            join: None,
            why: None,
            failures: 0,
            reconcile_due: false,
            rebalance_due: false,
            rebalancing: None,
        }
    }

    /// Whether a process is suspended.
    pub(crate) fn suspended(&self, process: &ScalingProcess) -> bool {
        self.group.suspended_processes.contains_key(process)
    }

    /// The instances that count towards the desired capacity: those on their way in, and those in service.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| counts(&member.view.lifecycle_state))
    }

    /// How many instances count towards the desired capacity.
    pub(crate) fn active_count(&self) -> u32 {
        u32::try_from(self.active().count()).unwrap_or(u32::MAX)
    }
}

/// Whether an instance in this state counts towards the desired capacity. Standby does not.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html>
pub(crate) fn counts(state: &LifecycleState) -> bool {
    matches!(
        state,
        LifecycleState::Pending
            | LifecycleState::PendingWait
            | LifecycleState::PendingProceed
            | LifecycleState::InService
    )
}

/// Lets something happen.
pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Reconcile(group) => size::reconcile(world, &group),
        Event::Rebalance(group) => balance::rebalance(world, &group),
        Event::Hook { group, instance } => lifecycle::hook_timeout(world, &group, &instance),
        Event::Proceed { group, instance } => lifecycle::proceed(world, &group, &instance),
        Event::Health(group) => health::check(world, &group),
        Event::Scheduled { group, action } => schedule::due(world, &group, &action),
        Event::Refresh(group) => refresh::go_on(world, &group),
        Event::Lifetime { group, instance } => health::lifetime(world, &group, &instance),
    }
}

/// Puts something of Auto Scaling into the future.
pub(crate) fn after(world: &mut World, delay: Duration, event: Event) {
    world.after(delay, crate::world::Event::Aws(crate::aws::Event::Asg(event)));
}

/// Has a group looked at soon. Auto Scaling takes a few seconds to act on a change.
pub(crate) fn touch(world: &mut World, name: &str) {
    let wait = Duration::from_secs(1 + world.random.below(5));
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    if !group.reconcile_due {
        group.reconcile_due = true;
        after(world, wait, Event::Reconcile(name.to_owned()));
    }
}

/// The group of this name.
pub(crate) fn named<'w>(state: &'w State, name: &str) -> Answer<&'w Group> {
    match state.groups.get(name) {
        Some(group) => Ok(group),
        None => not_found(name),
    }
}

/// The group of this name, to be changed by a caller. A group with an operator is changed by nobody else: "All
/// mutating API calls from non-operator callers are rejected with an AccessDenied exception" (botocore 1.44.5).
pub(crate) fn named_by<'w>(world: &'w mut World, name: &str, caller: &str) -> Answer<&'w mut Group> {
    match world.aws.asg.groups.get_mut(name) {
        Some(group) => match &group.group.operator {
            Some(operator) if operator != caller => {
                refuse("AccessDenied", format!("{name} is operated by {operator}, and by nobody else"))
            }
            _ => Ok(group),
        },
        None => not_found(name),
    }
}

fn not_found<T>(name: &str) -> Answer<T> {
    refuse(
        "ValidationError",
        format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"),
    )
}

/// A moment as causes have it.
pub(crate) fn clock(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
