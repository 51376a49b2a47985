//! Auto Scaling.

mod group;
mod group_writer;
mod instance_writer;
mod reader;
mod settings;
mod shapes;

use crate::call::What;

fn on(operation: &'static str, group: &str) -> What {
    What::new(operation, format!("group {group}"))
}

fn on_instance(operation: &'static str, group: &str, instance: &str) -> What {
    What::new(operation, format!("instance {instance} of group {group}"))
}
