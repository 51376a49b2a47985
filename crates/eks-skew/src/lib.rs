//! Which Kubernetes versions may run together, which way leads from one to another, and how long
//! EKS supports each.
//!
//! - The rules of the version skew policy, one function each: [`kubelet()`], [`kube_proxy()`],
//!   [`kube_proxy_beside_kubelet()`], [`controller_manager()`], [`kubectl()`], …
//! - [`plan()`] and [`plan_back()`]: which nodes must be rolled before which hop, as early or as late as
//!   [`Policy`] says; no step passes through a state that the rules forbid.
//! - [`Calendar`]: standard and extended support, what the upgrade policy will do and when, and what
//!   it costs. [`rollback()`]: whether there is a way back, and until when.
//! - [`node_image()`]: what the name of a node image says, and which families end.
//! - [`judge()`] and [`judge_change()`]: a [`ClusterSnapshot`](eks_model::ClusterSnapshot) in, findings
//!   out, now and after each hop.
//!
//! ```
//! use eks_model::KubeMinor;
//! use eks_skew::{Calendar, Skew, Support, hops, kubelet};
//!
//! let (from, to) = ("1.34".parse()?, "1.37".parse()?);
//! for hop in hops(from, to)? {
//!     // A group that stays at 1.34 is within the policy to the end.
//!     assert_eq!(kubelet(KubeMinor::new(34), hop.to().into()), Skew::Within);
//! }
//! let today = "2026-11-24".parse()?;
//! assert_eq!(Calendar::embedded().support(from, today), Some(Support::Standard { days_left: 8 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Facts are tables (`data/*.tsv`), each row with its source and day. This crate knows no file, no
//! clock, no network and no environment.
#![warn(clippy::disallowed_methods)]

mod calendar;
mod change;
mod image;
mod judge;
mod plan;
mod rollback;
pub mod rules;
mod skew;

pub use calendar::{Calendar, Outlook, Price, Release, Support, dollars};
pub use change::judge_change;
pub use image::{ImageEnd, image_end, node_image, release_version};
pub use judge::{is_component, judge, judge_component, judge_together, window_of};
pub use plan::{GroupVersion, Plan, Policy, Step, Versions, Violation, hops, plan, plan_back};
pub use rollback::{NoWayBack, Rollback, RollbackFacts, WINDOW, rollback};
pub use skew::{
    ApiServers, Limit, Skew, api_servers, cloud_controller_manager, controller_manager, kube_proxy,
    kube_proxy_beside_kubelet, kubectl, kubelet, limits, oldest_kubelet, scheduler,
};
