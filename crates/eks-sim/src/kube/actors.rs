//! Who else acts on the cluster and on AWS: cluster-autoscaler, Karpenter, people.
//!
//! They act on AWS only through what `aws` offers them, and each deed is written down by the observer.

pub(crate) mod autoscaler;
pub(crate) mod karpenter;
pub(crate) mod person;

pub use self::autoscaler::{AutoscalerGroup, ClusterAutoscaler};
pub use self::karpenter::{Karpenter, KarpenterPool};
pub use self::person::{Deed, PersonDoes};

use super::Event;
use super::scenario::Scenario;
use crate::World;

/// Who acts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actors {
    pub(crate) autoscaler: Option<autoscaler::State>,
    pub(crate) karpenter: Option<karpenter::State>,
}

/// Those that a scenario names begin.
pub(crate) fn start(world: &mut World, scenario: &Scenario) {
    if let Some(autoscaler) = &scenario.cluster_autoscaler {
        autoscaler::start(world, autoscaler.clone());
    }
    if let Some(karpenter) = &scenario.karpenter {
        karpenter::start(world, karpenter.clone());
    }
    for deed in &scenario.person {
        let after = std::time::Duration::from_secs(deed.after_seconds);
        world.after(after, Event::Person(Box::new(deed.does.clone())).into());
    }
}
