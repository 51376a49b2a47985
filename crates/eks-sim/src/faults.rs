//! Faults, by schedule or by chance: what goes wrong with calls, machines and updates. The numbers (F1, F9, …)
//! are those of the list of faults that every roller must survive.

use serde::{Deserialize, Serialize};

use crate::bridge::MachineFault;

/// What goes wrong in a world. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Faults {
    /// Calls of AWS that fail, and calls of AWS or Kubernetes at which the caller dies. The first rule that fires decides.
    pub calls: Vec<CallRule>,
    /// Reads that answer with the state of a while ago (F24).
    pub stale_reads: Option<StaleReads>,
    /// Instances that start and do not become nodes (F9).
    pub machines: Vec<MachineRule>,
    /// Updates of EKS that fail.
    pub updates: Vec<UpdateRule>,
    /// How long a caller waits for an answer that does not come. In seconds.
    pub timeout_seconds: u64,
}

/// Reads that answer with the state of a while ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaleReads {
    /// At most so many seconds ago.
    pub seconds: u64,
    /// How many of a thousand reads.
    #[serde(default = "always")]
    pub permille: u64,
}

/// A rule about calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallRule {
    /// What goes wrong.
    pub fault: CallFault,
    /// With which calls: `autoscaling:SetDesiredCapacity`, `eks:*`; for deaths also `patch nodes`. Empty is all.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Only on targets with this text in their name.
    #[serde(default)]
    pub target: Option<String>,
    /// Only calls that change something.
    #[serde(default)]
    pub writes_only: bool,
    /// When, and how often.
    #[serde(default)]
    pub when: When,
}

/// When a rule holds, and how often it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct When {
    /// From this second of the world on.
    pub from_seconds: u64,
    /// For so many seconds; nothing is for ever.
    pub for_seconds: Option<u64>,
    /// Leaves the first so many matches alone.
    pub skip: u64,
    /// Fires so many times at most; nothing is without end.
    pub times: Option<u64>,
    /// By chance: so many of a thousand matches.
    pub permille: u64,
}

impl Default for When {
    fn default() -> Self {
        Self { from_seconds: 0, for_seconds: None, skip: 0, times: None, permille: always() }
    }
}

fn always() -> u64 {
    1000
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallFault {
    /// Too many calls: each service in its own words (F1).
    Throttled,
    /// `ResourceContention` of Auto Scaling (F2).
    ResourceContention,
    /// `ScalingActivityInProgress` of Auto Scaling (F2).
    ScalingActivityInProgress,
    /// The call is carried out and the answer does not arrive (F3).
    ResponseLost,
    /// The call does not arrive.
    RequestLost,
    /// `ExpiredToken` (F8).
    ExpiredCredentials,
    /// The caller may not.
    AccessDenied,
    /// 503 of the service: not carried out.
    ServiceUnavailable,
    /// The clock of the caller is wrong: its signature is refused (F8).
    ClockSkewed,
    /// The caller dies before the call arrives (F12). Deaths end [`Sim::run`](crate::Sim::run) with an error.
    CallerDiesBefore,
    /// The call is carried out, and the caller dies before it hears of it (F12).
    CallerDiesAfterEffect,
    /// The caller hears the answer, and dies at what it waits for next (F12).
    CallerDiesAfterAnswer,
}

impl CallFault {
    /// Whether it is the end of the caller (F12): that is so at any call, of AWS or of Kubernetes.
    pub(crate) fn is_death(self) -> bool {
        matches!(self, Self::CallerDiesBefore | Self::CallerDiesAfterEffect | Self::CallerDiesAfterAnswer)
    }
}

/// A caller that died at a call (F12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// Who.
    pub caller: String,
    /// The call, as its permission is named.
    pub operation: String,
    /// What the call was about.
    pub target: String,
    /// Whether the call was carried out.
    pub had_effect: bool,
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let when = if self.had_effect { "after" } else { "before" };
        write!(f, "{} died {when} {} on {}", self.caller, self.operation, self.target)
    }
}

/// A rule about instances that start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachineRule {
    /// What is wrong with them.
    pub fault: MachineFault,
    /// Only of this group.
    #[serde(default)]
    pub group: Option<String>,
    /// Only of this image.
    #[serde(default)]
    pub image: Option<String>,
    /// When, and how often.
    #[serde(default)]
    pub when: When,
}

/// A rule about updates of EKS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRule {
    /// EKS's code: `IpNotAvailable`, `PodEvictionFailure`, `ConfigurationConflict`.
    pub code: String,
    /// EKS's sentence.
    #[serde(default)]
    pub message: Option<String>,
    /// The resources that it names.
    #[serde(default)]
    pub resource_ids: Vec<String>,
    /// Only of this kind of update: `VersionUpdate`, `AddonUpdate`, …
    #[serde(default)]
    pub kind: Option<String>,
    /// Only of this node group, add-on or cluster.
    #[serde(default)]
    pub name: Option<String>,
    /// When, and how often.
    #[serde(default)]
    pub when: When,
}

/// How often each rule matched and fired.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultsSeen {
    calls: Vec<Seen>,
    machines: Vec<Seen>,
    updates: Vec<Seen>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    matched: u64,
    fired: u64,
}

impl crate::World {
    /// Which fault hits a call of AWS.
    pub(crate) fn call_fault(&mut self, operation: &str, target: &str, write: bool) -> Option<CallFault> {
        self.fault_at(operation, target, write, |_| true)
    }

    /// How the caller dies at a call of Kubernetes. What else goes wrong with those is said in their own section.
    pub(crate) fn death_at(&mut self, operation: &str, target: &str, write: bool) -> Option<CallFault> {
        self.fault_at(operation, target, write, CallFault::is_death)
    }

    fn fault_at(
        &mut self,
        operation: &str,
        target: &str,
        write: bool,
        counts: impl Fn(CallFault) -> bool,
    ) -> Option<CallFault> {
        for index in 0..self.faults.calls.len() {
            let rule = &self.faults.calls[index];
            let matches = counts(rule.fault)
                && (rule.operations.is_empty()
                    || rule.operations.iter().any(|pattern| fits(pattern, operation)))
                && rule.target.as_ref().is_none_or(|part| target.contains(part.as_str()))
                && (write || !rule.writes_only);
            let (fault, when) = (rule.fault, rule.when);
            if matches && self.fires(when, |seen| &mut seen.calls, index) {
                return Some(fault);
            }
        }
        None
    }

    /// What is wrong with an instance that starts.
    pub(crate) fn machine_fault(&mut self, group: Option<&str>, image: &str) -> Option<MachineFault> {
        for index in 0..self.faults.machines.len() {
            let rule = &self.faults.machines[index];
            let matches = rule.group.as_deref().is_none_or(|name| Some(name) == group)
                && rule.image.as_deref().is_none_or(|id| id == image);
            let (fault, when) = (rule.fault, rule.when);
            if matches && self.fires(when, |seen| &mut seen.machines, index) {
                return Some(fault);
            }
        }
        None
    }

    /// How an update fails, if it does.
    pub(crate) fn update_fault(&mut self, kind: &str, name: &str) -> Option<UpdateRule> {
        for index in 0..self.faults.updates.len() {
            let rule = &self.faults.updates[index];
            let matches = rule.kind.as_deref().is_none_or(|wanted| wanted == kind)
                && rule.name.as_deref().is_none_or(|wanted| wanted == name);
            let when = rule.when;
            if matches && self.fires(when, |seen| &mut seen.updates, index) {
                return self.faults.updates.get(index).cloned();
            }
        }
        None
    }

    fn fires(
        &mut self,
        when: When,
        list: impl FnOnce(&mut FaultsSeen) -> &mut Vec<Seen>,
        index: usize,
    ) -> bool {
        let second = u64::try_from(self.now().duration_since(self.start()).as_secs()).unwrap_or(0);
        let until = when.for_seconds.map(|length| when.from_seconds.saturating_add(length));
        if second < when.from_seconds || until.is_some_and(|until| second >= until) {
            return false;
        }
        let by_chance = when.permille >= 1000 || self.random.chance(when.permille);
        let list = list(&mut self.faults_seen);
        if list.len() <= index {
            list.resize(index + 1, Seen::default());
        }
        let Some(seen) = list.get_mut(index) else { return false };
        seen.matched += 1;
        let fires =
            by_chance && seen.matched > when.skip && when.times.is_none_or(|times| seen.fired < times);
        seen.fired += u64::from(fires);
        fires
    }
}

/// Whether an operation fits a pattern: the same, or the same up to a `*` at its end.
fn fits(pattern: &str, operation: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => operation.starts_with(head),
        None => pattern == operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;
    use std::time::Duration;

    fn world(rule: CallRule) -> World {
        let mut world = World::new(jiff::Timestamp::UNIX_EPOCH, 7);
        world.set_faults(Faults { calls: vec![rule], ..Faults::default() });
        world
    }

    fn rule(when: When) -> CallRule {
        CallRule {
            fault: CallFault::Throttled,
            operations: vec!["eks:Describe*".to_owned(), "autoscaling:SetDesiredCapacity".to_owned()],
            target: None,
            writes_only: false,
            when,
        }
    }

    #[test]
    fn rules_match_by_operation_window_skip_times_and_chance() {
        let hits = |when: When, after: u64, calls: usize| {
            let mut world = world(rule(when));
            world.advance(Duration::from_secs(after));
            (0..calls).filter(|_| world.call_fault("eks:DescribeCluster", "", false).is_some()).count()
        };
        let always = When::default();
        assert_eq!(hits(always, 0, 5), 5);
        assert_eq!(hits(When { skip: 2, ..always }, 0, 5), 3);
        assert_eq!(hits(When { times: Some(2), ..always }, 0, 5), 2);
        assert_eq!(hits(When { from_seconds: 10, for_seconds: Some(5), ..always }, 9, 5), 0);
        assert_eq!(hits(When { from_seconds: 10, for_seconds: Some(5), ..always }, 14, 5), 5);
        assert_eq!(hits(When { from_seconds: 10, for_seconds: Some(5), ..always }, 15, 5), 0);
        let some = hits(When { permille: 300, ..always }, 0, 1000);
        assert!((200..400).contains(&some), "{some}");
        let mut world = world(rule(always));
        assert_eq!(world.call_fault("ec2:DescribeInstances", "", false), None);
        assert!(world.call_fault("autoscaling:SetDesiredCapacity", "", true).is_some());
    }
}
