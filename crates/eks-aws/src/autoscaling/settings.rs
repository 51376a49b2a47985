//! What is set up beside a group.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_autoscaling::types as sdk;
use eks_provider::aws::{
    AutoScalingSettingsReader, InstanceRefresh, LaunchConfiguration, LifecycleHook, ScalingPolicy,
    ScheduledAction, TrafficSource, WarmPool,
};
use eks_provider::{Result, Sensitive};

use crate::Aws;
use crate::autoscaling::on;
use crate::autoscaling::shapes::{instance, launch_source, seconds, warm_pool};
use crate::call::{What, count, some, time};

/// Launch configurations a call.
const CONFIGURATIONS: usize = 50;

#[async_trait]
impl AutoScalingSettingsReader for Aws {
    async fn describe_lifecycle_hooks(&self, group: &str) -> Result<Vec<LifecycleHook>> {
        let what = on("autoscaling:DescribeLifecycleHooks", group);
        let call = || self.autoscaling.describe_lifecycle_hooks().auto_scaling_group_name(group).send();
        let answer = self.send(&what, call).await?;
        let hooks = answer.lifecycle_hooks.into_iter().flatten().map(|found| hook(&what, found));
        let mut hooks = hooks.collect::<Result<Vec<_>>>()?;
        hooks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(hooks)
    }

    async fn describe_warm_pool(&self, group: &str) -> Result<Option<WarmPool>> {
        let what = on("autoscaling:DescribeWarmPool", group);
        let call = |token| {
            self.autoscaling
                .describe_warm_pool()
                .auto_scaling_group_name(group)
                .max_records(50)
                .set_next_token(token)
                .send()
        };
        // Every page has the configuration and some of the instances.
        let pages = self
            .pages(&what, call, |answer| {
                (Some(vec![(answer.warm_pool_configuration, answer.instances)]), answer.next_token)
            })
            .await?;
        let (mut configuration, mut instances) = (None, Vec::new());
        for (found, some_instances) in pages {
            configuration = found.or(configuration);
            for found in some_instances.into_iter().flatten() {
                instances.push(instance(&what, group, found)?);
            }
        }
        instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        match configuration {
            Some(found) => Ok(Some(WarmPool { configuration: warm_pool(&what, found)?, instances })),
            None if instances.is_empty() => Ok(None),
            None => Err(what.missing("WarmPoolConfiguration")),
        }
    }

    async fn describe_instance_refreshes(&self, group: &str) -> Result<Vec<InstanceRefresh>> {
        let what = on("autoscaling:DescribeInstanceRefreshes", group);
        let call = |token| {
            self.autoscaling
                .describe_instance_refreshes()
                .auto_scaling_group_name(group)
                .max_records(100)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.instance_refreshes, answer.next_token)).await?;
        let mut refreshes =
            found.into_iter().map(|found| refresh(&what, found)).collect::<Result<Vec<_>>>()?;
        // One that has not begun is the newest of all.
        refreshes
            .sort_by_key(|refresh| std::cmp::Reverse((refresh.start_time.is_none(), refresh.start_time)));
        Ok(refreshes)
    }

    async fn describe_scheduled_actions(&self, group: &str) -> Result<Vec<ScheduledAction>> {
        let what = on("autoscaling:DescribeScheduledActions", group);
        let call = |token| {
            self.autoscaling
                .describe_scheduled_actions()
                .auto_scaling_group_name(group)
                .max_records(100)
                .set_next_token(token)
                .send()
        };
        let found = self
            .pages(&what, call, |answer| (answer.scheduled_update_group_actions, answer.next_token))
            .await?;
        let actions = found.into_iter().map(|action| {
            Ok(ScheduledAction {
                name: what.text("ScheduledActionName", action.scheduled_action_name)?,
                start_time: time(action.start_time),
                end_time: time(action.end_time),
                recurrence: some(action.recurrence),
                time_zone: some(action.time_zone),
                min_size: count(action.min_size),
                max_size: count(action.max_size),
                desired_capacity: count(action.desired_capacity),
            })
        });
        let mut actions = actions.collect::<Result<Vec<_>>>()?;
        actions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(actions)
    }

    async fn describe_policies(&self, group: &str) -> Result<Vec<ScalingPolicy>> {
        let what = on("autoscaling:DescribePolicies", group);
        let call = |token| {
            self.autoscaling
                .describe_policies()
                .auto_scaling_group_name(group)
                .max_records(100)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.scaling_policies, answer.next_token)).await?;
        let policies = found.into_iter().map(|policy| {
            Ok(ScalingPolicy {
                name: what.text("PolicyName", policy.policy_name)?,
                kind: what.text("PolicyType", policy.policy_type)?,
                // On, unless it says otherwise: what may act must not be overlooked.
                enabled: policy.enabled != Some(false),
                alarms: policy
                    .alarms
                    .into_iter()
                    .flatten()
                    .filter_map(|alarm| some(alarm.alarm_name))
                    .collect(),
            })
        });
        let mut policies = policies.collect::<Result<Vec<_>>>()?;
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(policies)
    }

    async fn describe_traffic_sources(&self, group: &str) -> Result<Vec<TrafficSource>> {
        let what = on("autoscaling:DescribeTrafficSources", group);
        let call = |token| {
            self.autoscaling
                .describe_traffic_sources()
                .auto_scaling_group_name(group)
                .max_records(50)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.traffic_sources, answer.next_token)).await?;
        let sources = found.into_iter().map(|source| {
            // The older field has only the ARNs of VPC Lattice.
            #[expect(deprecated, reason = "where an answer has only the older field, it is read")]
            let identifier = some(source.identifier).or(some(source.traffic_source));
            Ok(TrafficSource {
                identifier: what.need("TrafficSources.Identifier", identifier)?,
                kind: some(source.r#type),
                state: what.text("TrafficSources.State", source.state)?,
            })
        });
        let mut sources = sources.collect::<Result<Vec<_>>>()?;
        sources.sort_by(|a, b| a.identifier.cmp(&b.identifier));
        Ok(sources)
    }

    async fn describe_launch_configurations(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, LaunchConfiguration>> {
        let names: Vec<String> = names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut configurations = BTreeMap::new();
        for names in names.chunks(CONFIGURATIONS) {
            let target = format!("launch configurations {}", names.join(", "));
            let what = What::new("autoscaling:DescribeLaunchConfigurations", target);
            let call = |token| {
                self.autoscaling
                    .describe_launch_configurations()
                    .set_launch_configuration_names(Some(names.to_vec()))
                    .max_records(100)
                    .set_next_token(token)
                    .send()
            };
            let found =
                self.pages(&what, call, |answer| (answer.launch_configurations, answer.next_token)).await?;
            for found in found {
                let configuration = configuration(&what, found)?;
                configurations.insert(configuration.name.clone(), configuration);
            }
        }
        Ok(configurations)
    }
}

fn hook(what: &What, hook: sdk::LifecycleHook) -> Result<LifecycleHook> {
    let timeout = |field, value| what.need(field, seconds(value));
    Ok(LifecycleHook {
        name: what.text("LifecycleHookName", hook.lifecycle_hook_name)?,
        transition: what.word("LifecycleTransition", hook.lifecycle_transition.as_deref())?,
        heartbeat_timeout: timeout("HeartbeatTimeout", hook.heartbeat_timeout)?,
        global_timeout: timeout("GlobalTimeout", hook.global_timeout)?,
        default_result: what.word("DefaultResult", hook.default_result.as_deref())?,
        notification_target_arn: some(hook.notification_target_arn),
        notification_metadata: some(hook.notification_metadata),
    })
}

fn refresh(what: &What, refresh: sdk::InstanceRefresh) -> Result<InstanceRefresh> {
    let status = refresh.status.as_ref().map(sdk::InstanceRefreshStatus::as_str);
    Ok(InstanceRefresh {
        id: what.text("InstanceRefreshId", refresh.instance_refresh_id)?,
        status: what.word("InstanceRefreshes.Status", status)?,
        status_reason: some(refresh.status_reason),
        start_time: time(refresh.start_time),
        end_time: time(refresh.end_time),
        percentage_complete: count(refresh.percentage_complete),
        instances_to_update: count(refresh.instances_to_update),
        desired: refresh
            .desired_configuration
            .map(|desired| launch_source(what, None, desired.launch_template, desired.mixed_instances_policy))
            .transpose()?,
    })
}

fn configuration(what: &What, found: sdk::LaunchConfiguration) -> Result<LaunchConfiguration> {
    Ok(LaunchConfiguration {
        name: what.text("LaunchConfigurationName", found.launch_configuration_name)?,
        image_id: what.text("ImageId", found.image_id)?,
        instance_type: what.text("InstanceType", found.instance_type)?,
        user_data: some(found.user_data).map(|data| Sensitive::new(data.into_bytes())),
        iam_instance_profile: some(found.iam_instance_profile),
        security_groups: found.security_groups.unwrap_or_default(),
        key_name: some(found.key_name),
        spot_price: some(found.spot_price),
    })
}
