//! Custom resources. Their API server checks less than Kubernetes' own: what is not said is left out here, and
//! what cannot be read makes the answer malformed, with the object's name.

use async_trait::async_trait;
use eks_provider::kube::{
    AmiSelector, Condition, CustomResourceReader, NamespacedName, NodeClaim, NodeClass, NodeClassRef,
    NodePool, NodePoolBudget, Requirement, Resources, Taint, TargetGroupBinding,
};
use eks_provider::{Class, Result};
use serde::de::DeserializeOwned;

use crate::api::KubeApi;
use crate::custom_types::{self as custom, Object};
use crate::list::{Listing, served};
use crate::meta::{Read, meta, moment, sorted, text};
use crate::resource::Resource;

const KARPENTER: &str = "karpenter.sh";
const KARPENTER_AWS: &str = "karpenter.k8s.aws";
const EKS: &str = "eks.amazonaws.com";
/// Which Pool a NodeClaim is of.
const NODE_POOL: &str = "karpenter.sh/nodepool";

/// The versions to try, the newest first: which of them is served depends on the controller's release.
static NODE_POOLS: [Resource; 2] =
    [Resource::of(KARPENTER, "v1", "nodepools"), Resource::of(KARPENTER, "v1beta1", "nodepools")];
pub(crate) static NODE_CLAIMS: [Resource; 2] =
    [Resource::of(KARPENTER, "v1", "nodeclaims"), Resource::of(KARPENTER, "v1beta1", "nodeclaims")];
static EC2_NODE_CLASSES: [Resource; 2] = [
    Resource::of(KARPENTER_AWS, "v1", "ec2nodeclasses"),
    Resource::of(KARPENTER_AWS, "v1beta1", "ec2nodeclasses"),
];
static AUTO_NODE_CLASSES: [Resource; 1] = [Resource::of(EKS, "v1", "nodeclasses")];
static BINDINGS: [Resource; 1] = [Resource::of("elbv2.k8s.aws", "v1beta1", "targetgroupbindings")];
static AUTO_BINDINGS: [Resource; 1] = [Resource::of(EKS, "v1", "targetgroupbindings")];

fn class_ref(class: custom::ClassRef) -> NodeClassRef {
    let of_version = class.api_version.split_once('/').map(|(group, _)| group.to_owned());
    NodeClassRef {
        group: text(class.group).or(of_version).unwrap_or_default(),
        kind: class.kind,
        name: class.name,
    }
}

fn conditions(found: Vec<custom::Condition>) -> Vec<Condition> {
    found
        .into_iter()
        .map(|from| Condition {
            kind: from.kind,
            status: from.status.as_str().into(),
            reason: text(from.reason),
            message: text(from.message),
            last_transition_time: from.last_transition_time.map(|time| moment(time.0)),
            last_heartbeat_time: None,
            observed_generation: from.observed_generation,
        })
        .collect()
}

fn taints(taints: Vec<custom::Taint>) -> Vec<Taint> {
    taints
        .into_iter()
        .map(|taint| Taint {
            key: taint.key,
            value: text(taint.value),
            effect: taint.effect.as_str().into(),
            time_added: None,
        })
        .collect()
}

fn node_pool(found: Object<custom::PoolSpec, custom::PoolStatus>) -> Read<NodePool> {
    let meta = meta(found.metadata);
    let (spec, template, disruption) =
        (found.spec.template.spec, found.spec.template.metadata, found.spec.disruption);
    let limits = found.spec.limits.into_iter().map(|(resource, amount)| {
        let amount = amount.text().parse().map_err(|error: eks_provider::kube::ParseQuantityError| {
            format!("NodePool {}: {error}", meta.name)
        })?;
        Ok((resource, amount))
    });
    Ok(NodePool {
        limits: limits.collect::<Read<Resources>>()?,
        node_class: class_ref(spec.node_class_ref),
        weight: found.spec.weight,
        labels: template.labels,
        taints: taints(spec.taints),
        startup_taints: taints(spec.startup_taints),
        requirements: spec
            .requirements
            .into_iter()
            .map(|requirement| Requirement {
                key: requirement.key,
                operator: requirement.operator.as_str().into(),
                values: requirement.values.into_iter().collect(),
            })
            .collect(),
        expire_after: text(spec.expire_after).or(text(disruption.expire_after)),
        termination_grace_period: text(spec.termination_grace_period),
        consolidation_policy: text(disruption.consolidation_policy),
        budgets: disruption
            .budgets
            .into_iter()
            .map(|budget| NodePoolBudget {
                nodes: budget.nodes.text(),
                reasons: budget.reasons,
                schedule: text(budget.schedule),
                duration: text(budget.duration),
            })
            .collect(),
        conditions: conditions(found.status.conditions),
        meta,
    })
}

fn node_claim(found: Object<custom::ClaimSpec, custom::ClaimStatus>) -> NodeClaim {
    let meta = meta(found.metadata);
    NodeClaim {
        node_pool: text(meta.labels.get(NODE_POOL).cloned()),
        node_class: class_ref(found.spec.node_class_ref),
        node_name: text(found.status.node_name),
        provider_id: text(found.status.provider_id),
        image_id: text(found.status.image_id),
        conditions: conditions(found.status.conditions),
        meta,
    }
}

fn node_class(group: &str, kind: &str, found: Object<custom::ClassSpec, custom::ClassStatus>) -> NodeClass {
    let meta = meta(found.metadata);
    NodeClass {
        class: NodeClassRef { group: group.to_owned(), kind: kind.to_owned(), name: meta.name.clone() },
        ami_family: text(found.spec.ami_family),
        ami_selectors: found
            .spec
            .ami_selector_terms
            .into_iter()
            .map(|term| AmiSelector {
                alias: text(term.alias),
                id: text(term.id),
                name: text(term.name),
                owner: text(term.owner),
                ssm_parameter: text(term.ssm_parameter),
                tags: term.tags,
            })
            .collect(),
        amis: found.status.amis.into_iter().map(|ami| (ami.id, ami.name)).collect(),
        role: text(found.spec.role),
        instance_profile: text(found.spec.instance_profile).or(text(found.status.instance_profile)),
        conditions: conditions(found.status.conditions),
        meta,
    }
}

fn binding(found: Object<custom::BindingSpec, custom::Nothing>) -> TargetGroupBinding {
    let meta = meta(found.metadata);
    TargetGroupBinding {
        target_group_arn: text(found.spec.target_group_arn),
        target_type: text(found.spec.target_type),
        service: NamespacedName::new(meta.namespace.clone().unwrap_or_default(), found.spec.service_ref.name),
        meta,
    }
}

impl KubeApi {
    /// All of the first of these that is served.
    async fn first_served<K: DeserializeOwned, T>(
        &self,
        versions: &[Resource],
        kind: &str,
        convert: impl Fn(K) -> Read<T>,
    ) -> Result<Option<Vec<T>>> {
        for resource in versions {
            let found = served(self.everything(&Listing::all(resource, kind), &convert).await);
            let found = self.served_or_unknown(resource, found).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Roles are looked at before resources: who may not list what is not served is answered "denied". Whether it
    /// is served, everybody may know (ClusterRole `system:discovery`); where it is not, the answer is `None`.
    pub(crate) async fn served_or_unknown<T>(
        &self,
        resource: &Resource,
        answer: Result<Option<T>>,
    ) -> Result<Option<T>> {
        match answer {
            Err(denied) if denied.class() == Class::Denied => {
                if self.serves(resource).await.unwrap_or(true) {
                    Err(denied)
                } else {
                    Ok(None)
                }
            }
            answer => answer,
        }
    }
}

/// Both together; `None` where there is neither.
fn both<T>(one: Option<Vec<T>>, other: Option<Vec<T>>) -> Option<Vec<T>> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.extend(other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

#[async_trait]
impl CustomResourceReader for KubeApi {
    async fn list_node_pools(&self) -> Result<Option<Vec<NodePool>>> {
        let found = self.first_served(&NODE_POOLS, "NodePools", node_pool).await?;
        Ok(found.map(|found| sorted(found, |pool| &pool.meta)))
    }

    async fn list_node_claims(&self) -> Result<Option<Vec<NodeClaim>>> {
        let found = self.first_served(&NODE_CLAIMS, "NodeClaims", |found| Ok(node_claim(found))).await?;
        Ok(found.map(|found| sorted(found, |claim| &claim.meta)))
    }

    async fn list_node_classes(&self) -> Result<Option<Vec<NodeClass>>> {
        let karpenter = |found| Ok(node_class(KARPENTER_AWS, "EC2NodeClass", found));
        let auto = |found| Ok(node_class(EKS, "NodeClass", found));
        let found = both(
            self.first_served(&EC2_NODE_CLASSES, "EC2NodeClasses", karpenter).await?,
            self.first_served(&AUTO_NODE_CLASSES, "NodeClasses", auto).await?,
        );
        Ok(found.map(|found| sorted(found, |class| &class.meta)))
    }

    async fn list_target_group_bindings(&self) -> Result<Option<Vec<TargetGroupBinding>>> {
        let kind = "TargetGroupBindings";
        let read = |found| Ok(binding(found));
        let found = both(
            self.first_served(&BINDINGS, kind, read).await?,
            self.first_served(&AUTO_BINDINGS, kind, read).await?,
        );
        Ok(found.map(|found| sorted(found, |binding| &binding.meta)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pools_of_both_versions_are_read() {
        let new = json!({
            "metadata": {"name": "general"},
            "spec": {
                "weight": 10,
                "limits": {"cpu": 1000, "memory": "4000Gi"},
                "disruption": {
                    "consolidationPolicy": "WhenEmpty",
                    "budgets": [{"nodes": "10%"}, {"nodes": 0, "reasons": ["Drifted"], "schedule": "@daily", "duration": "10m"}],
                },
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {
                        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
                        "requirements": [{"key": "zone", "operator": "In", "values": ["a"], "minValues": 1}],
                        "taints": [{"key": "t", "effect": "NoSchedule"}],
                        "expireAfter": "720h",
                    },
                },
            },
            "status": {"conditions": [
                {"type": "Ready", "status": "Strange", "lastTransitionTime": "2026-11-24T12:00:00Z", "reason": "", "message": ""},
            ]},
        });
        let pool = node_pool(serde_json::from_value(new).unwrap()).unwrap();
        assert_eq!(pool.budgets[1].nodes, "0");
        assert_eq!(pool.limits["cpu"].units(), 1000);
        assert_eq!(pool.expire_after.as_deref(), Some("720h"));
        assert_eq!(pool.conditions[0].status.as_str(), "Strange");
        assert_eq!(pool.taints[0].value, None);
        let old = json!({
            "metadata": {"name": "old"},
            "spec": {
                "disruption": {"expireAfter": "Never"},
                "template": {"spec": {"nodeClassRef": {"apiVersion": "karpenter.k8s.aws/v1beta1", "kind": "EC2NodeClass", "name": "d"}}},
            },
        });
        let pool = node_pool(serde_json::from_value(old).unwrap()).unwrap();
        assert_eq!(pool.node_class.group, "karpenter.k8s.aws");
        assert_eq!(pool.expire_after.as_deref(), Some("Never"));
        let wrong = json!({"metadata": {"name": "wrong"}, "spec": {
            "limits": {"cpu": "lots"}, "template": {"spec": {"nodeClassRef": {"kind": "K", "name": "n"}}},
        }});
        let error = node_pool(serde_json::from_value(wrong).unwrap()).unwrap_err();
        assert!(error.contains("NodePool wrong") && error.contains("`lots`"), "{error}");
    }

    #[test]
    fn neither_is_none_and_one_is_enough() {
        assert_eq!(both::<u8>(None, None), None);
        assert_eq!(both(Some(vec![1]), None), Some(vec![1]));
        assert_eq!(both(None, Some(vec![])), Some(Vec::<u8>::new()));
        assert_eq!(both(Some(vec![1]), Some(vec![2])), Some(vec![1, 2]));
    }
}
