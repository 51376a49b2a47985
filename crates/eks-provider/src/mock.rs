//! Mocks of every trait, and healthy values to change in a test. Behind the feature `mock`.
//!
//! Mocks are for one call's error branch. How AWS and Kubernetes *behave* over many calls is the
//! business of the simulated world, which implements the same traits.

pub mod sample;

pub use crate::aws::{
    MockAccessEntryReader, MockAddonCatalogueReader, MockAddonReader, MockAddonWriter,
    MockAutoScalingGroupReader, MockAutoScalingGroupWriter, MockAutoScalingInstanceWriter,
    MockAutoScalingSettingsReader, MockCertificateAuthorityReader, MockClusterReader,
    MockClusterVersionReader, MockClusterWriter, MockEksTagWriter, MockFargateReader, MockIdentityReader,
    MockImageReader, MockInsightReader, MockInsightRefresher, MockInstanceReader, MockInstanceTypeReader,
    MockInstanceWriter, MockKeyReader, MockLaunchTemplateReader, MockLaunchTemplateWriter, MockNetworkReader,
    MockNodegroupReader, MockNodegroupWriter, MockParameterReader, MockQuotaReader, MockTargetReader,
    MockUpdateReader,
};
pub use crate::clock::MockClock;
pub use crate::kube::{
    MockBudgetReader, MockChangeReader, MockConfigMapReader, MockConfigMapWriter, MockCustomResourceReader,
    MockEventReader, MockEventWriter, MockEvictionProbe, MockHelmReleaseReader, MockLeaseReader,
    MockLeaseWriter, MockMetadataReader, MockNodeReader, MockNodeWriter, MockObjectReader, MockPodEvictor,
    MockPodReader, MockServerReader, MockServiceReader, MockTokenSource, MockVolumeReader, MockWebhookReader,
    MockWorkloadReader, MockWorkloadWriter,
};
