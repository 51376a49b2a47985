//! Changes of workloads.

use async_trait::async_trait;
use eks_provider::kube::{
    RestartWorkload, ScaleWorkload, SetImage, Workload, WorkloadKind, WorkloadRef, WorkloadWriter,
};
use eks_provider::{Class, Result};
use http::Method;
use k8s_openapi::api::autoscaling::v1::Scale;
use serde_json::{Value, json};

use crate::api::{KubeApi, MANAGER};
use crate::call::{Ask, JSON_PATCH, MERGE_PATCH};
use crate::refusal::Refusal;
use crate::resource::with_query;
use crate::workloads::{Containers, resource};

/// How often a change is made again, when only something else of the object has changed meanwhile.
const TRIES: usize = 5;

/// Changes that a kind does not have are refused here: the API server would take some of them and do nothing.
fn refuse(workload: &WorkloadRef, operation: &str, kinds: &[WorkloadKind]) -> Result<()> {
    if kinds.contains(&workload.kind) {
        return Ok(());
    }
    let why = format!("a {} has no such change", workload.kind.as_str());
    Err(eks_provider::ProviderError::new(Class::Invalid, operation, workload.to_string()).message(why))
}

const ROLLED: [WorkloadKind; 3] =
    [WorkloadKind::Deployment, WorkloadKind::DaemonSet, WorkloadKind::StatefulSet];
const SCALED: [WorkloadKind; 3] =
    [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::ReplicaSet];

fn patch(workload: &WorkloadRef, subresource: &str, content: (&'static str, &Value)) -> Ask {
    let resource = resource(workload.kind);
    let path = format!("{}{subresource}", resource.object(Some(&workload.namespace), &workload.name));
    let operation = format!("patch {}{subresource}", resource.plural());
    let address = with_query(&path, &[("fieldManager", MANAGER)]);
    Ask::write(Method::PATCH, operation, workload.to_string(), address, content)
}

fn other_uid(ask: &Ask) -> eks_provider::ProviderError {
    ask.error(Class::Conflict).code("Conflict").message("it is another object of the same name by now")
}

#[async_trait]
impl WorkloadWriter for KubeApi {
    async fn set_image(&self, request: &SetImage) -> Result<Workload> {
        let SetImage { workload, uid, container, from, to } = request;
        refuse(workload, "set image", &ROLLED)?;
        // A patch that changes nothing answers with what is there, under the permission to patch alone.
        let nothing = json!({"metadata": {"uid": uid}});
        let look = patch(workload, "", (MERGE_PATCH, &nothing));
        let found: Containers = self.json(&look).await?;
        if found.metadata.uid != *uid {
            return Err(other_uid(&look));
        }
        let Some((place, image)) = found.find(container) else {
            let why = format!("it has no container {container}");
            return Err(look.error(Class::Invalid).message(why));
        };
        if image != from {
            let why = format!("container {container} has the image {image} and not {from}");
            return Err(look.error(Class::Conflict).message(why));
        }
        let steps = json!([
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": format!("{place}/name"), "value": container},
            {"op": "test", "path": format!("{place}/image"), "value": from},
            {"op": "replace", "path": format!("{place}/image"), "value": to},
        ]);
        let ask = patch(workload, "", (JSON_PATCH, &steps));
        let reply = self.reply(&ask).await?;
        match Refusal::of(&reply) {
            // A test that does not hold is answered so, without a cause.
            Some(refusal) if refusal.status == 422 && refusal.causes.is_empty() => {
                Err(refusal.error_of(Class::Conflict, &ask))
            }
            Some(refusal) => Err(refusal.error(&ask)),
            None => Self::workload_of(workload.kind, &reply.body).map_err(|why| ask.malformed(why)),
        }
    }

    async fn restart_workload(&self, request: &RestartWorkload) -> Result<Workload> {
        let RestartWorkload { workload, uid, at } = request;
        refuse(workload, "restart", &ROLLED)?;
        let body = json!({
            "metadata": {"uid": uid},
            "spec": {"template": {"metadata": {"annotations": {
                "kubectl.kubernetes.io/restartedAt": at.to_string(),
            }}}},
        });
        self.workload(workload.kind, &patch(workload, "", (MERGE_PATCH, &body))).await
    }

    async fn scale_workload(&self, request: &ScaleWorkload) -> Result<()> {
        let ScaleWorkload { workload, uid, from, to } = request;
        refuse(workload, "scale", &SCALED)?;
        let resource = resource(workload.kind);
        let path = format!("{}/scale", resource.object(Some(&workload.namespace), &workload.name));
        let look = Ask::get(format!("get {}/scale", resource.plural()), workload.to_string(), path);
        let mut conflict = None;
        for _ in 0..TRIES {
            let found: Scale = self.json(&look).await?;
            let meta = found.metadata;
            if meta.uid.as_deref() != Some(uid) {
                return Err(other_uid(&look));
            }
            let now = found.spec.and_then(|spec| spec.replicas).unwrap_or_default();
            if u32::try_from(now) != Ok(*from) {
                let why = format!("it is to have {now} Pods and not {from}");
                return Err(look.error(Class::Conflict).message(why));
            }
            // The number 0 is not written down, so no patch can test for it: the whole state is tested instead,
            // and its status may change at any time.
            let body = json!({
                "metadata": {"uid": uid, "resourceVersion": meta.resource_version},
                "spec": {"replicas": to},
            });
            match self.bytes(&patch(workload, "/scale", (MERGE_PATCH, &body))).await {
                Ok(_) => return Ok(()),
                Err(error) if error.class() == Class::Conflict => conflict = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(conflict.unwrap_or_else(|| look.error(Class::Conflict)))
    }
}
