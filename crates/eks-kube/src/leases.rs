//! Leases, changed by compare-and-swap.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{Lease, LeaseReader, LeaseWriter, ObjectMeta};
use http::Method;
use k8s_openapi::api::coordination::v1;
use serde_json::{Value, json};

use crate::api::{KubeApi, MANAGER};
use crate::call::{Ask, JSON};
use crate::list::Listing;
use crate::meta::{meta, micro_time, seconds, some_count, sorted, text, to_micro_time, whole_seconds};
use crate::resource::{Resource, with_query};

pub(crate) static LEASES: Resource = Resource::of("coordination.k8s.io", "v1", "leases");

fn lease(lease: v1::Lease) -> Lease {
    let spec = lease.spec.unwrap_or_default();
    Lease {
        meta: meta(lease.metadata),
        holder_identity: text(spec.holder_identity),
        lease_duration: spec.lease_duration_seconds.map(seconds),
        acquire_time: micro_time(spec.acquire_time),
        renew_time: micro_time(spec.renew_time),
        lease_transitions: some_count(spec.lease_transitions),
    }
}

/// All of a Lease, as it is to be. With uid and resourceVersion it is the state of before that is replaced.
fn body(lease: &Lease) -> Value {
    let meta = &lease.meta;
    let owners = meta.owner_references.iter().map(|owner| {
        json!({
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
            "controller": owner.controller,
        })
    });
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "labels": meta.labels,
            "annotations": meta.annotations,
            "ownerReferences": owners.collect::<Vec<_>>(),
            "finalizers": meta.finalizers,
        },
        "spec": {
            "holderIdentity": lease.holder_identity,
            "leaseDurationSeconds": lease.lease_duration.map(whole_seconds),
            "acquireTime": lease.acquire_time.map(to_micro_time),
            "renewTime": lease.renew_time.map(to_micro_time),
            "leaseTransitions": lease.lease_transitions,
        },
    })
}

fn target(meta: &ObjectMeta) -> String {
    format!("Lease {meta}")
}

#[async_trait]
impl LeaseReader for KubeApi {
    async fn get_lease(&self, namespace: &str, name: &str) -> Result<Lease> {
        let target = format!("Lease {namespace}/{name}");
        let ask = Ask::get("get leases", target, LEASES.object(Some(namespace), name));
        Ok(lease(self.json(&ask).await?))
    }

    async fn list_leases(&self, namespace: &str) -> Result<Vec<Lease>> {
        let listing = Listing::all(&LEASES, format!("Leases of {namespace}")).namespace(Some(namespace));
        let found = self.everything(&listing, |found| Ok(lease(found))).await?;
        Ok(sorted(found, |lease| &lease.meta))
    }
}

#[async_trait]
impl LeaseWriter for KubeApi {
    async fn create_lease(&self, lease: &Lease) -> Result<Lease> {
        let meta = &lease.meta;
        let address = with_query(&LEASES.path(meta.namespace.as_deref()), &[("fieldManager", MANAGER)]);
        let body = body(lease);
        let ask = Ask::write(Method::POST, "create leases", target(meta), address, (JSON, &body));
        Ok(self::lease(self.json(&ask).await?))
    }

    async fn update_lease(&self, lease: &Lease) -> Result<Lease> {
        let meta = &lease.meta;
        let path = LEASES.object(meta.namespace.as_deref(), &meta.name);
        let address = with_query(&path, &[("fieldManager", MANAGER)]);
        let mut body = body(lease);
        body["metadata"]["uid"] = json!(meta.uid);
        body["metadata"]["resourceVersion"] = json!(meta.resource_version);
        let ask = Ask::write(Method::PUT, "update leases", target(meta), address, (JSON, &body))
            .of_a_read_state(meta)?;
        Ok(self::lease(self.json(&ask).await?))
    }

    async fn delete_lease(&self, lease: &Lease) -> Result<()> {
        let meta = &lease.meta;
        let address = LEASES.object(meta.namespace.as_deref(), &meta.name);
        self.delete_read("delete leases", target(meta), address, meta).await
    }
}
