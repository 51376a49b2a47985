//! Who else acts on the cluster and on AWS: cluster-autoscaler, Karpenter, people.
//!
//! They act on AWS only through what `aws` offers them, and each deed is written down by the observer.

pub(crate) mod autoscaler;
pub(crate) mod karpenter;
pub(crate) mod person;

pub use self::autoscaler::{AutoscalerGroup, ClusterAutoscaler};
pub use self::karpenter::{Karpenter, KarpenterPool};
pub use self::person::{Deed, TimedDeed};

use std::time::Duration;

use super::Event;
use super::scenario::Scenario;
use crate::World;

/// Who acts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actors {
    pub(crate) autoscaler: Option<autoscaler::State>,
    pub(crate) karpenter: Option<karpenter::State>,
}

/// Those that a scenario names begin: Karpenter at once, since Pods may wait for its nodes; the others when the
/// world does.
pub(crate) fn start(world: &mut World, scenario: &Scenario) {
    let beginning: Duration = world.start().duration_since(world.now()).try_into().unwrap_or_default();
    if let Some(autoscaler) = &scenario.cluster_autoscaler {
        autoscaler::start(world, autoscaler.clone(), beginning);
    }
    if let Some(karpenter) = &scenario.karpenter {
        karpenter::start(world, karpenter.clone());
    }
    for event in &scenario.events {
        let after = beginning + Duration::from_secs(event.after_seconds);
        world.after(after, Event::Person(Box::new(event.deed.clone())).into());
    }
}
