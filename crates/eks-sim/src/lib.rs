//! A simulated EKS world in virtual time. It is a simulation, and says what it does not model.
//!
//! One [`World`] holds the state of two services that act on each other: AWS ([`aws`]) and Kubernetes ([`kube`]).
//! It is a plain value: it moves only when it is told how far ([`World::advance_to`]), and the same seed and
//! calls give the same world. [`Sim`] is a handle on it that implements the traits of `eks-provider`, and
//! its clock: whoever waits on it moves the world.
#![warn(clippy::disallowed_methods)]

pub mod aws;
mod bridge;
#[cfg(feature = "contract")]
pub mod contract;
pub mod faults;
mod hash;
pub mod kube;
pub mod log;
mod outside;
mod random;
pub mod scenario;
mod sim;
#[cfg(feature = "wire")]
pub mod wire;
mod world;

pub use bridge::{Machine, MachineFault};
pub use outside::Order;
pub use random::Random;
pub use sim::{Sim, Stopped};
pub use world::World;
