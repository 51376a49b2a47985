//! x
mod autoscaling;
mod call;
mod clock;
mod config;
mod credentials;
mod ec2;
mod eks;
mod failure;
mod identity;
mod keys;
mod load_balancing;
mod quotas;
mod ssm;
pub use clock::SystemClock;
pub use config::{AssumedRole, Aws, CALL_TIMEOUT, Keys, Options};
