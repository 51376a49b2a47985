//! Faults of the API server and of what stands around it, as a scenario says them: by schedule, or by chance.

use std::time::Duration;

use eks_provider::kube::NamespacedName;
use serde::{Deserialize, Serialize};

use super::{Scenario, ScenarioError};
use crate::World;
use crate::faults::When;
use crate::kube::{Event, Fault, Injection};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultWord {
    /// The API server is out of reach (F7).
    ApiAway,
    /// The token has expired: 401 (F8).
    TokenExpired,
    /// Priority and fairness turns calls away: 429 without a cause (F4).
    Throttled,
    /// The role does not allow it: 403.
    Denied,
    /// A webhook, or the server, answers 500; nothing was done (F6).
    ServerError,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// Caches stand still (F7).
    StaleReads,
    /// Watches are told that their moment is forgotten: 410, once (F7).
    WatchForgets,
    /// The disruption controller stands still.
    BudgetsStandStill,
    /// A webhook refuses evictions: 4xx (F6).
    WebhookRefuses,
    /// A volume is never detached (F20).
    NeverDetaches,
}

impl FaultWord {
    /// Whether it strikes calls, one by one: only then it can be said how often, and by what chance.
    fn strikes_calls(self) -> bool {
        match self {
            Self::ApiAway
            | Self::TokenExpired
            | Self::Throttled
            | Self::Denied
            | Self::ServerError
            | Self::AnswerLost
            | Self::WebhookRefuses => true,
            Self::StaleReads | Self::WatchForgets | Self::BudgetsStandStill | Self::NeverDetaches => false,
        }
    }
}

/// A fault, and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FaultPart {
    /// What goes wrong.
    pub fault: FaultWord,
    /// For which call (`patch nodes`, `create pods/eviction`); every one, where nothing is said.
    #[serde(default)]
    pub operation: Option<String>,
    /// The webhook that refuses, by the name of its configuration.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Its sentence.
    #[serde(default)]
    pub message: Option<String>,
    /// Only in this namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The claim whose volume stays, as namespace/name.
    #[serde(default)]
    pub claim: Option<String>,
    /// When, and how often.
    #[serde(default)]
    pub when: When,
}

/// All calls that may be named.
pub(crate) const OPERATIONS: [&str; 48] = [
    "create configmaps",
    "create events",
    "create leases",
    "create pods/eviction",
    "create selfsubjectaccessreviews",
    "delete configmaps",
    "delete leases",
    "delete nodes",
    "delete pods",
    "get /apis",
    "get /metrics",
    "get /readyz",
    "get /version",
    "get configmaps",
    "get daemonsets",
    "get deployments",
    "get jobs",
    "get leases",
    "get nodes",
    "get poddisruptionbudgets",
    "get pods",
    "get replicasets",
    "get services",
    "get statefulsets",
    "list apiservices",
    "list customresourcedefinitions",
    "list daemonsets",
    "list deployments",
    "list endpointslices",
    "list jobs",
    "list leases",
    "list namespaces",
    "list nodes",
    "list persistentvolumeclaims",
    "list persistentvolumes",
    "list poddisruptionbudgets",
    "list pods",
    "list replicasets",
    "list services",
    "list statefulsets",
    "list storageclasses",
    "list validatingwebhookconfigurations",
    "list volumeattachments",
    "patch deployments",
    "patch nodes",
    "patch statefulsets",
    "update leases",
    "watch",
];

impl FaultPart {
    /// What is wrong with it, where something is.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let word = serde_yaml::to_string(&self.fault).unwrap_or_default().trim().to_owned();
        let wrong = |message: String| Err(ScenarioError::new("faults", &word, message));
        if let Some(operation) = &self.operation {
            if !self.fault.strikes_calls() || self.fault == FaultWord::WebhookRefuses {
                return wrong(format!("{word} is of no single call; leave `operation` out"));
            }
            if !OPERATIONS.contains(&operation.as_str()) {
                return wrong(format!(
                    "`{operation}` is no call; there are {}",
                    OPERATIONS.map(|one| format!("`{one}`")).join(", ")
                ));
            }
        }
        let when = self.when;
        if !self.fault.strikes_calls() && (when.skip > 0 || when.times.is_some() || when.permille < 1000) {
            return wrong(format!("{word} lasts for a time: say it with `fromSeconds` and `forSeconds`"));
        }
        let refuses = self.fault == FaultWord::WebhookRefuses;
        if !refuses && (self.webhook.is_some() || self.message.is_some() || self.namespace.is_some()) {
            return wrong("only webhook-refuses has `webhook`, `message`, `namespace`".to_owned());
        }
        let of_volume = self.fault == FaultWord::NeverDetaches;
        if of_volume != self.claim.is_some() {
            return wrong("never-detaches has a `claim`, and nothing else has one".to_owned());
        }
        if let Some(claim) = &self.claim
            && claim.split_once('/').is_none()
        {
            return wrong(format!("`{claim}` is no namespace/name; write it like shop/data-db-0"));
        }
        if refuses {
            let names: Vec<&str> = scenario.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
            let Some(webhook) =
                scenario.webhooks.iter().find(|webhook| self.webhook.as_ref() == Some(&webhook.name))
            else {
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return wrong(format!("webhook-refuses has a `webhook` of `webhooks`: {known}"));
            };
            let asked = |words: &[String], word: &str| {
                words.is_empty() || words.iter().any(|one| one == "*" || one == word)
            };
            if !asked(&webhook.operations, "CREATE") || !asked(&webhook.resources, "pods/eviction") {
                return wrong(format!(
                    "webhook {} is not asked about evictions: they are CREATE of pods/eviction",
                    webhook.name
                ));
            }
        }
        Ok(())
    }

    fn fault(&self) -> Fault {
        match self.fault {
            FaultWord::ApiAway => Fault::ApiAway,
            FaultWord::TokenExpired => Fault::TokenExpired,
            FaultWord::Throttled => Fault::Throttled,
            FaultWord::Denied => Fault::Denied,
            FaultWord::ServerError => Fault::ServerError,
            FaultWord::AnswerLost => Fault::AnswerLost,
            FaultWord::StaleReads => Fault::StaleReads,
            FaultWord::WatchForgets => Fault::WatchForgets,
            FaultWord::BudgetsStandStill => Fault::BudgetsStandStill,
            FaultWord::WebhookRefuses => Fault::WebhookRefuses {
                webhook: format!("{}.example.com", self.webhook.as_deref().unwrap_or_default()),
                message: self.message.clone().unwrap_or_else(|| "not now".to_owned()),
                namespace: self.namespace.clone(),
            },
            FaultWord::NeverDetaches => {
                let (namespace, name) =
                    self.claim.as_deref().unwrap_or_default().split_once('/').unwrap_or_default();
                Fault::NeverDetaches { claim: NamespacedName::new(namespace, name) }
            }
        }
    }

    /// Has it begin at its time, counted from the world's beginning.
    pub(super) fn arm(&self, world: &mut World) {
        let when = self.when;
        let begins = crate::world::later(world.start(), Duration::from_secs(when.from_seconds));
        let until = when.for_seconds.map(|length| crate::world::later(begins, Duration::from_secs(length)));
        let injection = Injection {
            fault: self.fault(),
            operation: self.operation.clone(),
            times: when.times.map(|times| u32::try_from(times).unwrap_or(u32::MAX)),
            until,
            skip: u32::try_from(when.skip).unwrap_or(u32::MAX),
            permille: when.permille,
        };
        let delay = begins.duration_since(world.now()).try_into().unwrap_or_default();
        world.after(delay, Event::Inject(Box::new(injection)).into());
    }
}
