//! Evictions: what is sent, and what each answer means.

use std::time::Duration;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{DeletePod, EvictPod, EvictionOutcome, EvictionProbe, PodEvictor};
use http::Method;
use serde_json::json;

use crate::api::KubeApi;
use crate::call::{Ask, JSON};
use crate::meta::whole_seconds;
use crate::pods::PODS;
use crate::refusal::Refusal;
use crate::resource::with_query;

/// The cause by which a budget is told from priority and fairness.
const BUDGET: &str = "DisruptionBudget";

impl KubeApi {
    async fn evict(&self, pod: &EvictPod, dry_run: bool) -> Result<EvictionOutcome> {
        let EvictPod { namespace, name, uid } = pod;
        let path = format!("{}/eviction", PODS.object(Some(namespace), name));
        let address = if dry_run { with_query(&path, &[("dryRun", "All")]) } else { path };
        // No grace period: the Pod's own counts.
        let body = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        });
        let target = format!("Pod {namespace}/{name}");
        let ask = Ask::write(Method::POST, "create pods/eviction", target, address, (JSON, &body));
        let reply = self.reply(&ask).await?;
        match Refusal::of(&reply) {
            Some(refusal) => outcome(&refusal).ok_or_else(|| refusal.error(&ask)),
            None => Ok(EvictionOutcome::Accepted),
        }
    }
}

/// What a refusal says of the Pod and its budgets; `None` where it says nothing of them.
fn outcome(refusal: &Refusal) -> Option<EvictionOutcome> {
    let message = || refusal.message.clone();
    // A webhook may answer with any number: it is looked for first.
    if (400..500).contains(&refusal.status)
        && let Some(webhook) = refused_by(&refusal.message)
    {
        return Some(EvictionOutcome::RefusedByWebhook { webhook, message: message() });
    }
    match refusal.status {
        // "Not found" in plain text comes from something that knows no Pods.
        404 if refusal.is_status && ["", "pods"].contains(&refusal.kind.as_str()) => {
            Some(EvictionOutcome::Gone)
        }
        409 if refusal.message.contains("UID in") => Some(EvictionOutcome::Gone),
        429 => refusal.cause(BUDGET).map(|cause| {
            let sentence = if cause.message.is_empty() { &refusal.message } else { &cause.message };
            EvictionOutcome::Blocked {
                budget: budget(sentence),
                message: sentence.clone(),
                // A number that is 0 is not written down.
                retry_after: Some(refusal.retry_after().unwrap_or(Duration::ZERO)),
            }
        }),
        403 if refusal.cause("NamespaceTerminating").is_some() => Some(EvictionOutcome::NamespaceTerminating),
        // Not a role's refusal: that is about Pods.
        403 if refusal.cause(BUDGET).is_some() || refusal.kind.starts_with("poddisruptionbudget") => {
            Some(EvictionOutcome::BudgetUnsettled { message: message() })
        }
        500 if refusal.message.contains("more than one PodDisruptionBudget") => {
            Some(EvictionOutcome::ManyBudgets { message: message() })
        }
        _ => None,
    }
}

/// Whether admission has refused it, and which webhook, where one is named.
fn refused_by(message: &str) -> Option<Option<String>> {
    if let Some((_, rest)) = message.split_once("admission webhook \"") {
        let (name, rest) = rest.split_once('"')?;
        return rest.trim_start().starts_with("denied the request").then(|| Some(name.to_owned()));
    }
    // A policy in the API server itself is asked in the webhook's place.
    (message.contains("ValidatingAdmissionPolicy '") && message.contains(" denied request")).then_some(None)
}

/// The budget that a sentence of the API server is about.
fn budget(sentence: &str) -> Option<String> {
    let rest = sentence.strip_prefix("The disruption budget ")?;
    rest.split_whitespace().next().map(ToOwned::to_owned)
}

#[async_trait]
impl EvictionProbe for KubeApi {
    async fn probe_eviction(&self, pod: &EvictPod) -> Result<EvictionOutcome> {
        self.evict(pod, true).await
    }
}

#[async_trait]
impl PodEvictor for KubeApi {
    async fn evict_pod(&self, pod: &EvictPod) -> Result<EvictionOutcome> {
        self.evict(pod, false).await
    }

    async fn delete_pod(&self, pod: &DeletePod) -> Result<()> {
        let DeletePod { namespace, name, uid, grace_period } = pod;
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
        if let Some(grace) = grace_period {
            // Never 0 for a part of a second: 0 means that nobody waits for the kubelet.
            body["gracePeriodSeconds"] = json!(whole_seconds(*grace));
        }
        let target = format!("Pod {namespace}/{name}");
        let address = PODS.object(Some(namespace), name);
        let ask = Ask::write(Method::DELETE, "delete pods", target, address, (JSON, &body));
        self.bytes(&ask).await.map(drop)
    }
}
