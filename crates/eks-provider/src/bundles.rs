//! All readers together, all writers together. Whoever is handed an [`AwsReader`] and a
//! [`KubeReader`] cannot change anything: there is no method for it.

use crate::calls::bundle;
use crate::{aws, kube};

bundle! {
    /// Everything that can be read of AWS, and nothing that changes it.
    pub trait AwsReader:
        aws::ClusterReader,
        aws::UpdateReader,
        aws::ClusterVersionReader,
        aws::InsightReader,
        aws::AddonReader,
        aws::AddonCatalogueReader,
        aws::NodegroupReader,
        aws::FargateReader,
        aws::AccessEntryReader,
        aws::CertificateAuthorityReader,
        aws::AutoScalingGroupReader,
        aws::AutoScalingSettingsReader,
        aws::LaunchTemplateReader,
        aws::InstanceReader,
        aws::InstanceTypeReader,
        aws::ImageReader,
        aws::NetworkReader,
        aws::KeyReader,
        aws::ParameterReader,
        aws::QuotaReader,
        aws::TargetReader,
        aws::IdentityReader;
}

bundle! {
    /// Everything that can be changed in AWS.
    pub trait AwsWriter:
        aws::ClusterWriter,
        aws::EksTagWriter,
        aws::InsightRefresher,
        aws::AddonWriter,
        aws::NodegroupWriter,
        aws::AutoScalingGroupWriter,
        aws::AutoScalingInstanceWriter,
        aws::LaunchTemplateWriter,
        aws::InstanceWriter;
}

bundle! {
    /// What rolling self-managed node groups changes in AWS, and nothing of EKS.
    pub trait AwsRoller:
        aws::AutoScalingGroupWriter,
        aws::AutoScalingInstanceWriter,
        aws::LaunchTemplateWriter,
        aws::InstanceWriter;
}

bundle! {
    /// Everything that can be read of Kubernetes, and nothing that changes it.
    pub trait KubeReader:
        kube::ServerReader,
        kube::NodeReader,
        kube::PodReader,
        kube::WorkloadReader,
        kube::BudgetReader,
        kube::VolumeReader,
        kube::WebhookReader,
        kube::ServiceReader,
        kube::MetadataReader,
        kube::ObjectReader,
        kube::HelmReleaseReader,
        kube::ConfigMapReader,
        kube::LeaseReader,
        kube::EventReader,
        kube::CustomResourceReader,
        kube::ChangeReader;
}

bundle! {
    /// Everything that can be changed in Kubernetes. [`kube::EvictionProbe`] stands beside the bundles:
    /// it changes nothing, and needs the permission to.
    pub trait KubeWriter:
        kube::NodeWriter,
        kube::PodEvictor,
        kube::WorkloadWriter,
        kube::ConfigMapWriter,
        kube::LeaseWriter,
        kube::EventWriter;
}

bundle! {
    /// What rolling self-managed node groups changes in Kubernetes: it asks what an eviction would do, and evicts.
    pub trait KubeRoller:
        kube::EvictionProbe,
        kube::NodeWriter,
        kube::PodEvictor,
        kube::WorkloadWriter,
        kube::ConfigMapWriter,
        kube::LeaseWriter,
        kube::EventWriter;
}

/// Every method of every trait, with what it needs: what policies and roles are made of. Sorted by
/// bundle and trait.
///
/// ```
/// use eks_provider::{Permission, calls};
///
/// let needed = |method: &str| calls().find(|call| call.method == method).unwrap().needs;
/// assert_eq!(needed("describe_cluster"), [Permission::Iam { action: "eks:DescribeCluster", when: None }]);
/// ```
pub fn calls() -> impl Iterator<Item = &'static crate::Call> {
    [<dyn AwsReader>::CALLS, <dyn AwsWriter>::CALLS, <dyn KubeReader>::CALLS, <dyn KubeWriter>::CALLS]
        .into_iter()
        .flatten()
        .copied()
        .chain([<dyn kube::EvictionProbe>::CALLS])
        .flatten()
}
