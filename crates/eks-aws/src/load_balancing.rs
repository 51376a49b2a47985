//! Target groups, and Classic Load Balancers.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use eks_provider::aws::{ClassicInstanceState, TargetGroup, TargetGroupQuery, TargetHealth, TargetReader};
use eks_provider::{Class, Result};

use crate::Aws;
use crate::call::{What, some};
use crate::ec2::{not_found, those_that_are_there};

/// Target groups a call.
const GROUPS: usize = 20;

impl Aws {
    async fn target_groups(&self, what: &What, arns: Option<Vec<String>>) -> Result<Vec<sdk::TargetGroup>> {
        let call = |marker| {
            self.balancers
                .describe_target_groups()
                .set_target_group_arns(arns.clone())
                // The service takes no size of page beside a list.
                .set_page_size(arns.is_none().then_some(400))
                .set_marker(marker)
                .send()
        };
        self.pages(what, call, |answer| (answer.target_groups, answer.next_marker)).await
    }

    /// How long a target may end what is open. `None` where the group has gone meanwhile.
    async fn deregistration_delay(&self, arn: &str) -> Result<Option<Option<Duration>>> {
        let what =
            What::new("elasticloadbalancing:DescribeTargetGroupAttributes", format!("target group {arn}"));
        let call = || self.balancers.describe_target_group_attributes().target_group_arn(arn).send();
        let answer = match self.send(&what, call).await {
            Ok(answer) => answer,
            Err(error) if error.class() == Class::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let delay = answer
            .attributes
            .into_iter()
            .flatten()
            .find(|attribute| attribute.key() == Some("deregistration_delay.timeout_seconds"))
            .and_then(|attribute| attribute.value);
        let seconds = delay
            .map(|text| {
                text.parse().map_err(|_| what.malformed(format!("the deregistration delay is `{text}`")))
            })
            .transpose()?;
        Ok(Some(seconds.map(Duration::from_secs)))
    }
}

#[async_trait]
impl TargetReader for Aws {
    async fn describe_target_groups(&self, query: &TargetGroupQuery) -> Result<Vec<TargetGroup>> {
        let target = query.arns.as_ref().map_or_else(
            || format!("target groups of region {}", self.region),
            |arns| format!("{} target groups", arns.len()),
        );
        let what = What::new("elasticloadbalancing:DescribeTargetGroups", target);
        let what = &what;
        let found = match &query.arns {
            None => self.target_groups(what, None).await?,
            Some(arns) => {
                let arns: Vec<String> = arns.iter().cloned().collect();
                those_that_are_there(&arns, GROUPS, not_found, |arns| self.target_groups(what, Some(arns)))
                    .await?
            }
        };
        let mut groups = Vec::new();
        for group in found {
            let arn = what.text("TargetGroups.TargetGroupArn", group.target_group_arn)?;
            let Some(deregistration_delay) = self.deregistration_delay(&arn).await? else { continue };
            groups.push(TargetGroup {
                arn,
                name: what.text("TargetGroups.TargetGroupName", group.target_group_name)?,
                target_type: what.need("TargetGroups.TargetType", group.target_type)?.as_str().to_owned(),
                protocol: group.protocol.map(|protocol| protocol.as_str().to_owned()),
                load_balancer_arns: group.load_balancer_arns.into_iter().flatten().collect(),
                deregistration_delay,
            });
        }
        groups.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(groups)
    }

    async fn describe_target_health(&self, target_group_arn: &str) -> Result<Vec<TargetHealth>> {
        let what = What::new(
            "elasticloadbalancing:DescribeTargetHealth",
            format!("target group {target_group_arn}"),
        );
        let call = || self.balancers.describe_target_health().target_group_arn(target_group_arn).send();
        let answer = self.send(&what, call).await?;
        let targets = answer.target_health_descriptions.into_iter().flatten().map(|found| {
            let target = what.need("TargetHealthDescriptions.Target", found.target)?;
            let health = what.need("TargetHealthDescriptions.TargetHealth", found.target_health)?;
            let state = health.state.as_ref().map(sdk::TargetHealthStateEnum::as_str);
            Ok(TargetHealth {
                target_id: what.text("TargetHealthDescriptions.Target.Id", target.id)?,
                port: target.port.map(|port| what.count("Target.Port", Some(port))).transpose()?,
                availability_zone: some(target.availability_zone),
                state: what.word("TargetHealthDescriptions.TargetHealth.State", state)?,
                reason: health.reason.map(|reason| reason.as_str().to_owned()),
            })
        });
        let mut targets = targets.collect::<Result<Vec<_>>>()?;
        targets.sort();
        Ok(targets)
    }

    async fn describe_instance_health(&self, load_balancer: &str) -> Result<Vec<ClassicInstanceState>> {
        let what = What::new(
            "elasticloadbalancing:DescribeInstanceHealth",
            format!("load balancer {load_balancer}"),
        );
        let call =
            || self.classic_balancers.describe_instance_health().load_balancer_name(load_balancer).send();
        let answer = self.send(&what, call).await?;
        let states = answer.instance_states.into_iter().flatten().map(|found| {
            Ok(ClassicInstanceState {
                instance_id: what.text("InstanceStates.InstanceId", found.instance_id)?,
                state: what.text("InstanceStates.State", found.state)?,
                reason_code: some(found.reason_code),
            })
        });
        let mut states = states.collect::<Result<Vec<_>>>()?;
        states.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        Ok(states)
    }
}
