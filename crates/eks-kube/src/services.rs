//! Services, who answers for them, and namespaces.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{Endpoint, Namespace, Service, ServicePort, ServiceReader};
use k8s_openapi::api::core::v1;
use k8s_openapi::api::discovery::v1::{self as discovery, EndpointSlice};

use crate::api::KubeApi;
use crate::call::Ask;
use crate::list::Listing;
use crate::meta::{Read, meta, object_ref, port, sorted, text};
use crate::resource::Resource;

static SERVICES: Resource = Resource::of("", "v1", "services");
static NAMESPACES: Resource = Resource::of("", "v1", "namespaces");
static ENDPOINT_SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices");

fn service(service: v1::Service) -> Read<Service> {
    let meta = meta(service.metadata);
    let spec = service.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default().into_iter().map(|of| {
        Ok(ServicePort {
            name: text(of.name),
            protocol: text(of.protocol).unwrap_or_else(|| "TCP".to_owned()),
            port: port(of.port)?,
            node_port: of.node_port.filter(|port| *port > 0).map(port).transpose()?,
        })
    });
    Ok(Service {
        kind: text(spec.type_).unwrap_or_else(|| "ClusterIP".to_owned()),
        selector: spec.selector.unwrap_or_default(),
        cluster_ips: spec.cluster_ips.or_else(|| spec.cluster_ip.map(|ip| vec![ip])).unwrap_or_default(),
        external_ips: spec.external_ips.unwrap_or_default(),
        external_traffic_policy: text(spec.external_traffic_policy),
        ports: ports.collect::<Read<_>>().map_err(|why: String| format!("Service {meta}: {why}"))?,
        load_balancer_ingress: service
            .status
            .and_then(|status| status.load_balancer?.ingress)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|ingress| text(ingress.hostname).or(text(ingress.ip)))
            .collect(),
        meta,
    })
}

fn endpoint(endpoint: discovery::Endpoint) -> Endpoint {
    let conditions = endpoint.conditions.unwrap_or_default();
    // "nil should be interpreted as true", for both.
    let ready = conditions.ready.unwrap_or(true);
    Endpoint {
        addresses: endpoint.addresses.into_iter().collect(),
        ready,
        serving: conditions.serving.unwrap_or(ready),
        terminating: conditions.terminating.unwrap_or_default(),
        node_name: text(endpoint.node_name),
        zone: text(endpoint.zone),
        target: endpoint.target_ref.map(object_ref),
    }
}

#[async_trait]
impl ServiceReader for KubeApi {
    async fn list_services(&self) -> Result<Vec<Service>> {
        let listing = Listing::all(&SERVICES, "Services");
        Ok(sorted(self.everything(&listing, service).await?, |service| &service.meta))
    }

    async fn get_service(&self, namespace: &str, name: &str) -> Result<Service> {
        let target = format!("Service {namespace}/{name}");
        let ask = Ask::get("get services", target, SERVICES.object(Some(namespace), name));
        service(self.json(&ask).await?).map_err(|why| ask.malformed(why))
    }

    async fn list_endpoints(&self, namespace: &str, service: &str) -> Result<Vec<Endpoint>> {
        let mut listing =
            Listing::all(&ENDPOINT_SLICES, format!("EndpointSlices of Service {namespace}/{service}"))
                .namespace(Some(namespace));
        listing.labels = Some(format!("kubernetes.io/service-name={service}"));
        let slices = self
            .everything(&listing, |slice: EndpointSlice| {
                Ok(slice.endpoints.unwrap_or_default().into_iter().map(endpoint).collect::<Vec<_>>())
            })
            .await?;
        Ok(slices.into_iter().flatten().collect())
    }

    async fn list_namespaces(&self) -> Result<Vec<Namespace>> {
        let listing = Listing::all(&NAMESPACES, "Namespaces");
        let read = |namespace: v1::Namespace| {
            let terminating =
                namespace.status.and_then(|status| status.phase).as_deref() == Some("Terminating");
            let meta = meta(namespace.metadata);
            Ok(Namespace { terminating: terminating || meta.is_terminating(), meta })
        };
        Ok(sorted(self.everything(&listing, read).await?, |namespace| &namespace.meta))
    }
}
