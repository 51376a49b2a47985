//! Objects of any kind: their metadata alone, or all of them as text.

use async_trait::async_trait;
use eks_provider::kube::{
    ManagedFields, MetadataReader, ObjectMetadata, ObjectReader, Page, PageRequest, RawObject, ResourceType,
};
use eks_provider::{Class, ProviderError, Result, Sensitive};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::KubeApi;
use crate::call::METADATA_LIST;
use crate::list::{Listing, Raw, served};
use crate::meta::{Read, meta, text, time};
use crate::resource::Resource;

/// An object of which only the metadata was asked for.
#[derive(Deserialize)]
struct Partial {
    #[serde(default)]
    metadata: api::ObjectMeta,
}

fn metadata(object: Partial) -> ObjectMetadata {
    let mut from = object.metadata;
    let managed_fields = from.managed_fields.take().unwrap_or_default();
    ObjectMetadata {
        meta: meta(from),
        managed_fields: managed_fields
            .into_iter()
            .map(|entry| ManagedFields {
                manager: entry.manager.unwrap_or_default(),
                operation: entry.operation.unwrap_or_default(),
                api_version: entry.api_version.unwrap_or_default(),
                time: time(entry.time),
                subresource: text(entry.subresource),
            })
            .collect(),
    }
}

/// An object as text, with the kind and version that objects of a list do without.
fn raw(mut object: Value, list_kind: &str, api_version: &str) -> Read<RawObject> {
    let Some(fields) = object.as_object_mut() else {
        return Err("an item of the list is no object".to_owned());
    };
    if let Some(kind) = list_kind.strip_suffix("List") {
        fields.entry("kind").or_insert_with(|| json!(kind));
    }
    fields.entry("apiVersion").or_insert_with(|| json!(api_version));
    let Some(meta) = fields.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err("an item of the list has no metadata".to_owned());
    };
    meta.remove("managedFields");
    let word = |key: &str| meta.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let (namespace, name, uid) = (text(word("namespace")), word("name"), word("uid"));
    Ok(RawObject {
        namespace,
        name: name.ok_or("an item of the list has no name")?,
        uid: uid.unwrap_or_default(),
        json: Sensitive::new(object.to_string().into_bytes()),
    })
}

#[async_trait]
impl ObjectReader for KubeApi {
    async fn list_objects(
        &self,
        resource: &ResourceType,
        page: &PageRequest,
    ) -> Result<Option<Page<RawObject>>> {
        if resource.group.is_empty() && resource.plural == "secrets" {
            let why = "Secrets are not read whole";
            return Err(ProviderError::new(Class::Invalid, "list secrets", resource.to_string()).message(why));
        }
        let of = Resource::from(resource);
        let listing = Listing::all(&of, resource.to_string());
        let Some(found) = served(self.raw_page::<Value>(&listing, page).await)? else { return Ok(None) };
        let Raw { list, next, consistent } = found;
        let items = list.items.unwrap_or_default().into_iter();
        let items = items.map(|object| raw(object, &list.kind, &list.api_version)).collect::<Read<_>>();
        let items = items.map_err(|why| listing.ask(page.limit, None).malformed(why))?;
        Ok(Some(Page { items, next, consistent }))
    }
}

#[async_trait]
impl MetadataReader for KubeApi {
    async fn list_metadata(
        &self,
        resource: &ResourceType,
        page: &PageRequest,
    ) -> Result<Option<Page<ObjectMetadata>>> {
        let of = Resource::from(resource);
        let mut listing = Listing::all(&of, resource.to_string());
        listing.accept = METADATA_LIST;
        served(self.page(&listing, page, |object: Partial| Ok(metadata(object))).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_as_text_says_what_it_is_and_not_who_wrote_it() {
        let object = json!({"metadata": {"name": "a", "namespace": "b", "uid": "u", "managedFields": [{}]}, "spec": {"x": 1}});
        let found = raw(object, "IngressList", "networking.k8s.io/v1").unwrap();
        let json: Value = serde_json::from_slice(found.json.expose()).unwrap();
        assert_eq!(
            json,
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"x": 1},
                "metadata": {"name": "a", "namespace": "b", "uid": "u"},
            })
        );
        assert_eq!(
            (found.namespace.as_deref(), found.name.as_str(), found.uid.as_str()),
            (Some("b"), "a", "u")
        );
        // What says itself what it is, is believed.
        let object = json!({"kind": "Own", "apiVersion": "x/v1", "metadata": {"name": "a"}});
        let found = raw(object, "OtherList", "y/v1").unwrap();
        assert!(String::from_utf8(found.json.expose().to_vec()).unwrap().contains("\"Own\""));
        for (object, why) in
            [(json!(1), "no object"), (json!({}), "no metadata"), (json!({"metadata": {}}), "no name")]
        {
            assert!(raw(object, "XList", "v1").unwrap_err().contains(why));
        }
    }
}
