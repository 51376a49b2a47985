//! Starting, protecting and terminating instances.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_autoscaling::config::Builder;
use eks_provider::aws::{
    AutoScalingInstanceWriter, LaunchError, LaunchInstances, LaunchOutcome, LifecycleAction, LifecycleResult,
    ScalingActivity, TerminateInstance,
};
use eks_provider::{Class, Result};

use crate::Aws;
use crate::autoscaling::{on, on_instance, shapes};
use crate::call::{What, some};
use crate::config::once;

/// Instances a call of SetInstanceProtection.
const PROTECTED: usize = 50;

/// For calls that are not the same the second time.
fn sent_once() -> Builder {
    Builder::new().retry_config(once())
}

#[async_trait]
impl AutoScalingInstanceWriter for Aws {
    async fn launch_instances(&self, request: &LaunchInstances) -> Result<LaunchOutcome> {
        let target = format!("group {} in {}", request.group, request.availability_zone);
        let what = What::new("autoscaling:LaunchInstances", target);
        let count = i32::try_from(request.count)
            .map_err(|_| what.error(Class::Invalid).message("too many instances to be sent"))?;
        let call = || {
            self.autoscaling
                .launch_instances()
                .auto_scaling_group_name(&request.group)
                .availability_zones(&request.availability_zone)
                .set_subnet_ids(request.subnet_id.clone().map(|subnet| vec![subnet]))
                .requested_capacity(count)
                .retry_strategy(request.retry_strategy.as_str().into())
                .client_token(request.token.as_str())
                .send()
        };
        let answer = self.send(&what, call).await?;
        let errors = answer.errors.into_iter().flatten().map(|error| LaunchError {
            // Without a code, still an error.
            code: error.error_code.unwrap_or_default(),
            message: some(error.error_message),
            instance_type: some(error.instance_type),
            availability_zone: some(error.availability_zone),
            subnet_id: some(error.subnet_id),
            market: some(error.market_type),
        });
        Ok(LaunchOutcome {
            errors: errors.collect(),
            instance_ids: answer
                .instances
                .into_iter()
                .flatten()
                .flat_map(|instances| instances.instance_ids.into_iter().flatten())
                .collect(),
        })
    }

    async fn terminate_instance_in_auto_scaling_group(
        &self,
        request: &TerminateInstance,
    ) -> Result<ScalingActivity> {
        let what = on_instance(
            "autoscaling:TerminateInstanceInAutoScalingGroup",
            &request.group,
            &request.instance_id,
        );
        let call = || {
            self.autoscaling
                .terminate_instance_in_auto_scaling_group()
                .instance_id(&request.instance_id)
                .should_decrement_desired_capacity(request.decrement_desired_capacity)
                .customize()
                .config_override(sent_once())
                .send()
        };
        let answer = self.send(&what, call).await?;
        let first = answer.activity.or_else(|| answer.activities.into_iter().flatten().next());
        shapes::activity(&what, what.need("Activity", first)?)
    }

    async fn set_instance_protection(
        &self,
        group: &str,
        instance_ids: &BTreeSet<String>,
        protected_from_scale_in: bool,
    ) -> Result<()> {
        let what = on("autoscaling:SetInstanceProtection", group);
        let ids: Vec<String> = instance_ids.iter().cloned().collect();
        for ids in ids.chunks(PROTECTED) {
            let call = || {
                self.autoscaling
                    .set_instance_protection()
                    .auto_scaling_group_name(group)
                    .set_instance_ids(Some(ids.to_vec()))
                    .protected_from_scale_in(protected_from_scale_in)
                    .send()
            };
            self.send(&what, call).await?;
        }
        Ok(())
    }

    async fn enter_standby(
        &self,
        group: &str,
        instance_id: &str,
        decrement_desired_capacity: bool,
    ) -> Result<Vec<ScalingActivity>> {
        let what = on_instance("autoscaling:EnterStandby", group, instance_id);
        let call = || {
            self.autoscaling
                .enter_standby()
                .auto_scaling_group_name(group)
                .instance_ids(instance_id)
                .should_decrement_desired_capacity(decrement_desired_capacity)
                .customize()
                .config_override(sent_once())
                .send()
        };
        let answer = self.send(&what, call).await?;
        answer.activities.into_iter().flatten().map(|found| shapes::activity(&what, found)).collect()
    }

    async fn exit_standby(&self, group: &str, instance_id: &str) -> Result<Vec<ScalingActivity>> {
        let what = on_instance("autoscaling:ExitStandby", group, instance_id);
        let call = || {
            self.autoscaling
                .exit_standby()
                .auto_scaling_group_name(group)
                .instance_ids(instance_id)
                .customize()
                .config_override(sent_once())
                .send()
        };
        let answer = self.send(&what, call).await?;
        answer.activities.into_iter().flatten().map(|found| shapes::activity(&what, found)).collect()
    }

    async fn complete_lifecycle_action(
        &self,
        action: &LifecycleAction,
        result: &LifecycleResult,
    ) -> Result<()> {
        let what = on_hook("autoscaling:CompleteLifecycleAction", action);
        let call = || {
            self.autoscaling
                .complete_lifecycle_action()
                .auto_scaling_group_name(&action.group)
                .lifecycle_hook_name(&action.hook)
                .instance_id(&action.instance_id)
                .lifecycle_action_result(result.as_str())
                .send()
        };
        self.send(&what, call).await.map(drop)
    }

    async fn record_lifecycle_action_heartbeat(&self, action: &LifecycleAction) -> Result<()> {
        let what = on_hook("autoscaling:RecordLifecycleActionHeartbeat", action);
        let call = || {
            self.autoscaling
                .record_lifecycle_action_heartbeat()
                .auto_scaling_group_name(&action.group)
                .lifecycle_hook_name(&action.hook)
                .instance_id(&action.instance_id)
                .send()
        };
        self.send(&what, call).await.map(drop)
    }
}

fn on_hook(operation: &'static str, action: &LifecycleAction) -> What {
    let LifecycleAction { group, hook, instance_id } = action;
    What::new(operation, format!("hook {hook} of group {group} for instance {instance_id}"))
}
