//! ConfigMaps.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{ConfigMap, ConfigMapReader, ConfigMapWriter, ObjectMeta};
use http::Method;
use k8s_openapi::api::core::v1;
use serde_json::json;

use crate::api::{KubeApi, MANAGER};
use crate::call::{Ask, JSON, MERGE_PATCH};
use crate::meta::meta;
use crate::resource::{Resource, with_query};

pub(crate) static CONFIG_MAPS: Resource = Resource::of("", "v1", "configmaps");

fn config_map(found: v1::ConfigMap) -> ConfigMap {
    ConfigMap {
        meta: meta(found.metadata),
        data: found.data.unwrap_or_default(),
        immutable: found.immutable.unwrap_or_default(),
    }
}

fn target(meta: &ObjectMeta) -> String {
    format!("ConfigMap {meta}")
}

#[async_trait]
impl ConfigMapReader for KubeApi {
    async fn get_config_map(&self, namespace: &str, name: &str) -> Result<ConfigMap> {
        let target = format!("ConfigMap {namespace}/{name}");
        let ask = Ask::get("get configmaps", target, CONFIG_MAPS.object(Some(namespace), name));
        Ok(config_map(self.json(&ask).await?))
    }
}

#[async_trait]
impl ConfigMapWriter for KubeApi {
    async fn create_config_map(&self, config_map: &ConfigMap) -> Result<ConfigMap> {
        let meta = &config_map.meta;
        let address = with_query(&CONFIG_MAPS.path(meta.namespace.as_deref()), &[("fieldManager", MANAGER)]);
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "labels": meta.labels,
                "annotations": meta.annotations,
            },
            "data": config_map.data,
            "immutable": config_map.immutable,
        });
        let ask = Ask::write(Method::POST, "create configmaps", target(meta), address, (JSON, &body));
        Ok(self::config_map(self.json(&ask).await?))
    }

    async fn patch_config_map(
        &self,
        read: &ObjectMeta,
        data: &BTreeMap<String, Option<String>>,
    ) -> Result<ConfigMap> {
        let address = with_query(
            &CONFIG_MAPS.object(read.namespace.as_deref(), &read.name),
            &[("fieldManager", MANAGER)],
        );
        // The API server compares both with what is there; `null` takes a key away.
        let body = json!({
            "metadata": {"uid": read.uid, "resourceVersion": read.resource_version},
            "data": data,
        });
        let ask = Ask::write(Method::PATCH, "patch configmaps", target(read), address, (MERGE_PATCH, &body))
            .of_a_read_state(read)?;
        Ok(config_map(self.json(&ask).await?))
    }

    async fn delete_config_map(&self, read: &ObjectMeta) -> Result<()> {
        let address = CONFIG_MAPS.object(read.namespace.as_deref(), &read.name);
        self.delete_read("delete configmaps", target(read), address, read).await
    }
}
