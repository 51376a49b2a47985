//! Instances.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{
    Instance, InstanceEvent, InstanceQuery, InstanceReader, InstanceState, InstanceStatus, InstanceWriter,
};

use crate::Aws;
use crate::call::{What, some, time};
use crate::ec2::filters::{by_tags, filter, portions};
use crate::ec2::{not_found, operator, tags, those_that_are_there};

/// Instances a call of DescribeInstanceStatus, and of TerminateInstances.
const INSTANCES: usize = 100;

#[async_trait]
impl InstanceReader for Aws {
    async fn describe_instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>> {
        let target = query.ids.as_ref().map_or_else(
            || format!("instances of region {}", self.region),
            |ids| format!("{} instances", ids.len()),
        );
        let what = What::new("ec2:DescribeInstances", target);
        let mut others = by_tags(&query.tags);
        if !query.states.is_empty() {
            let states: Vec<String> = query.states.iter().map(ToString::to_string).collect();
            others.push(filter("instance-state-name", &states));
        }
        let mut instances = Vec::new();
        for filters in portions("instance-id", query.ids.as_ref(), &others) {
            let call = |token| {
                self.ec2
                    .describe_instances()
                    .set_filters((!filters.is_empty()).then(|| filters.clone()))
                    // What AWS services manage may be hidden in the account; it is there.
                    .include_managed_resources(true)
                    .max_results(500)
                    .set_next_token(token)
                    .send()
            };
            let found = self.pages(&what, call, |answer| (answer.reservations, answer.next_token)).await?;
            for found in found.into_iter().flat_map(|reservation| reservation.instances.into_iter().flatten())
            {
                instances.push(read(&what, found)?);
            }
        }
        instances.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(instances)
    }

    async fn describe_instance_status(&self, ids: &BTreeSet<String>) -> Result<Vec<InstanceStatus>> {
        let what = What::new("ec2:DescribeInstanceStatus", format!("{} instances", ids.len()));
        let what = &what;
        let ids: Vec<String> = ids.iter().cloned().collect();
        // There is no filter by id.
        let found = those_that_are_there(&ids, INSTANCES, not_found, |ids| async move {
            let call = |token| {
                self.ec2
                    .describe_instance_status()
                    .set_instance_ids(Some(ids.clone()))
                    .include_all_instances(true)
                    .include_managed_resources(true)
                    .set_next_token(token)
                    .send()
            };
            self.pages(what, call, |answer| (answer.instance_statuses, answer.next_token)).await
        })
        .await?;
        let mut statuses = found.into_iter().map(|found| status(what, found)).collect::<Result<Vec<_>>>()?;
        statuses.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        Ok(statuses)
    }
}

#[async_trait]
impl InstanceWriter for Aws {
    async fn terminate_instances(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, InstanceState>> {
        let what = What::new("ec2:TerminateInstances", format!("{} instances", ids.len()));
        let what = &what;
        let ids: Vec<String> = ids.iter().cloned().collect();
        // For one that is gone, EC2 terminates none of the call.
        let found = those_that_are_there(&ids, INSTANCES, not_found, |ids| async move {
            let call = || self.ec2.terminate_instances().set_instance_ids(Some(ids.clone())).send();
            let answer = self.send(what, call).await?;
            Ok(answer.terminating_instances.unwrap_or_default())
        })
        .await?;
        found
            .into_iter()
            .map(|change| {
                let id = what.text("TerminatingInstances.InstanceId", change.instance_id)?;
                Ok((id, state(what, change.current_state)?))
            })
            .collect()
    }
}

fn state(what: &What, state: Option<sdk::InstanceState>) -> Result<InstanceState> {
    let name = state.and_then(|state| state.name);
    what.word("State.Name", name.as_ref().map(sdk::InstanceStateName::as_str))
}

fn read(what: &What, found: sdk::Instance) -> Result<Instance> {
    let reason = found.state_reason.and_then(|reason| some(reason.message).or(some(reason.code)));
    Ok(Instance {
        id: what.text("Instances.InstanceId", found.instance_id)?,
        state: state(what, found.state)?,
        state_reason: reason.or(some(found.state_transition_reason)),
        image_id: some(found.image_id),
        instance_type: found.instance_type.map(|kind| kind.as_str().to_owned()),
        architecture: found.architecture.map(|architecture| architecture.as_str().to_owned()),
        platform: found.platform.map(|platform| platform.as_str().to_owned()),
        launch_time: time(found.launch_time),
        availability_zone: some(found.placement.and_then(|placement| placement.availability_zone)),
        subnet_id: some(found.subnet_id),
        vpc_id: some(found.vpc_id),
        private_dns_name: some(found.private_dns_name),
        private_ip_address: some(found.private_ip_address),
        security_group_ids: found
            .security_groups
            .into_iter()
            .flatten()
            .filter_map(|group| some(group.group_id))
            .collect(),
        iam_instance_profile_arn: some(found.iam_instance_profile.and_then(|profile| profile.arn)),
        key_name: some(found.key_name),
        lifecycle: found.instance_lifecycle.map(|lifecycle| lifecycle.as_str().to_owned()),
        operator: operator(found.operator),
        tags: tags(found.tags),
    })
}

fn status(what: &What, found: sdk::InstanceStatus) -> Result<InstanceStatus> {
    let word = |summary: Option<sdk::InstanceStatusSummary>| {
        summary.and_then(|summary| summary.status).map(|status| status.as_str().to_owned())
    };
    let events = found.events.into_iter().flatten().map(|event| {
        Ok(InstanceEvent {
            code: what.need("Events.Code", event.code)?.as_str().to_owned(),
            description: some(event.description),
            not_before: time(event.not_before),
        })
    });
    Ok(InstanceStatus {
        instance_id: what.text("InstanceStatuses.InstanceId", found.instance_id)?,
        instance_status: word(found.instance_status),
        system_status: word(found.system_status),
        events: events.collect::<Result<_>>()?,
    })
}
