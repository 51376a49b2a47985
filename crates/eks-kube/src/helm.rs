//! Helm releases, as Helm stores them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::kube::{HelmRelease, HelmReleaseReader, HelmStorage, Page, PageRequest};
use eks_provider::{Result, Sensitive};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use serde::Deserialize;

use crate::api::KubeApi;
use crate::config_maps::CONFIG_MAPS;
use crate::list::Listing;
use crate::meta::{Read, meta};
use crate::resource::Resource;

static SECRETS: Resource = Resource::of("", "v1", "secrets");

/// Of what Helm has stored, what is or may become the state of the cluster; a word that Helm may add is among it.
const LIVE: &str = "owner=helm,status notin (superseded,uninstalled)";
/// The type that Helm gives its Secrets: no other Secret comes out, whatever its labels.
const TYPE: &str = "type=helm.sh/release.v1";
/// Never more at a time, since each may be a megabyte (the limit of etcd, and so of the API server).
const AT_A_TIME: u32 = 25;

/// What stores a release: a Secret, whose content is base64 once more, or a ConfigMap.
#[derive(Deserialize)]
struct Stored<P> {
    metadata: api::ObjectMeta,
    #[serde(default)]
    data: Option<BTreeMap<String, P>>,
}

fn release<P>(storage: HelmStorage, stored: Stored<P>, bytes: impl Fn(P) -> Vec<u8>) -> Read<HelmRelease> {
    let meta = meta(stored.metadata);
    let payload = stored.data.and_then(|mut data| data.remove("release"));
    let label = |key: &str| meta.labels.get(key).map(String::as_str);
    let modified = label("modifiedAt").and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
    Ok(HelmRelease {
        storage,
        release: label("name").unwrap_or(&meta.name).to_owned(),
        revision: label("version").and_then(|revision| revision.parse().ok()),
        status: label("status").unwrap_or_default().to_owned(),
        modified_at: modified,
        payload: payload
            .map(|payload| Sensitive::new(bytes(payload)))
            .ok_or_else(|| format!("{meta}: it is labelled as a Helm release and stores none"))?,
        meta,
    })
}

#[async_trait]
impl HelmReleaseReader for KubeApi {
    async fn list_helm_releases(
        &self,
        storage: HelmStorage,
        page: &PageRequest,
    ) -> Result<Page<HelmRelease>> {
        let page = PageRequest { limit: page.limit.min(AT_A_TIME), after: page.after.clone() };
        match storage {
            HelmStorage::Secret => {
                let mut listing = Listing::all(&SECRETS, "Helm releases in Secrets");
                listing.labels = Some(LIVE.to_owned());
                listing.fields = Some(TYPE.to_owned());
                self.page(&listing, &page, |stored: Stored<ByteString>| {
                    release(storage, stored, |bytes| bytes.0)
                })
                .await
            }
            HelmStorage::ConfigMap => {
                let mut listing = Listing::all(&CONFIG_MAPS, "Helm releases in ConfigMaps");
                listing.labels = Some(LIVE.to_owned());
                self.page(&listing, &page, |stored: Stored<String>| {
                    release(storage, stored, String::into_bytes)
                })
                .await
            }
        }
    }
}
