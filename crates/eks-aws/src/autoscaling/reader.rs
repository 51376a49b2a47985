//! Groups, their instances, and what was done to them.

use async_trait::async_trait;
use aws_sdk_autoscaling::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingInstance, ScalingActivity,
};
use jiff::Timestamp;

use crate::Aws;
use crate::autoscaling::{group::group, on, shapes};
use crate::call::{Pages, What};

/// Names or groups a call.
const GROUPS: usize = 100;
/// Instances a call.
const INSTANCES: usize = 50;

impl Aws {
    /// Groups as the SDK has them. With names, `filters` is empty.
    async fn groups(
        &self,
        what: &What,
        names: Option<&[String]>,
        filters: &[sdk::Filter],
    ) -> Result<Vec<sdk::AutoScalingGroup>> {
        let call = |token| {
            self.autoscaling
                .describe_auto_scaling_groups()
                .set_auto_scaling_group_names(names.map(<[String]>::to_vec))
                .set_filters((!filters.is_empty()).then(|| filters.to_vec()))
                .max_records(100)
                .set_next_token(token)
                .send()
        };
        self.pages(what, call, |answer| (answer.auto_scaling_groups, answer.next_token)).await
    }

    /// One group as the SDK has it.
    pub(super) async fn group_as_it_is(&self, what: &What, name: &str) -> Result<sdk::AutoScalingGroup> {
        let names = [name.to_owned()];
        let found = self.groups(what, Some(&names), &[]).await?;
        found
            .into_iter()
            .find(|group| group.auto_scaling_group_name() == Some(name))
            .ok_or_else(|| what.error(eks_provider::Class::NotFound))
    }
}

#[async_trait]
impl AutoScalingGroupReader for Aws {
    async fn describe_auto_scaling_groups(
        &self,
        query: &AutoScalingGroupQuery,
    ) -> Result<Vec<AutoScalingGroup>> {
        let mut found = Vec::new();
        match &query.names {
            None => {
                let what = What::new(
                    "autoscaling:DescribeAutoScalingGroups",
                    format!("groups of region {}", self.region),
                );
                found = self.groups(&what, None, &filters(query)).await?;
                found.retain(|group| has_tags(group, query));
            }
            Some(names) => {
                let names: Vec<String> = names.iter().cloned().collect();
                for names in names.chunks(GROUPS) {
                    let what = on("autoscaling:DescribeAutoScalingGroups", &names.join(", "));
                    let answer = self.groups(&what, Some(names), &[]).await?;
                    found.extend(answer.into_iter().filter(|group| has_tags(group, query)));
                }
            }
        }
        let what = |found: &sdk::AutoScalingGroup| {
            let name = found.auto_scaling_group_name().unwrap_or_default();
            on("autoscaling:DescribeAutoScalingGroups", name)
        };
        let groups = found.into_iter().map(|found| group(&what(&found), found));
        let mut groups = groups.collect::<Result<Vec<_>>>()?;
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    async fn describe_auto_scaling_instances(
        &self,
        instance_ids: &[String],
    ) -> Result<Vec<AutoScalingInstance>> {
        let what = What::new(
            "autoscaling:DescribeAutoScalingInstances",
            format!("{} instances", instance_ids.len()),
        );
        let mut instances = Vec::new();
        for ids in instance_ids.chunks(INSTANCES) {
            let call = |token| {
                self.autoscaling
                    .describe_auto_scaling_instances()
                    .set_instance_ids(Some(ids.to_vec()))
                    .max_records(50)
                    .set_next_token(token)
                    .send()
            };
            let found =
                self.pages(&what, call, |answer| (answer.auto_scaling_instances, answer.next_token)).await?;
            for details in found {
                instances.push(shapes::instance_details(&what, details)?);
            }
        }
        instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        instances.dedup_by(|a, b| a.instance_id == b.instance_id);
        Ok(instances)
    }

    async fn describe_scaling_activities(
        &self,
        group: &str,
        since: Timestamp,
    ) -> Result<Vec<ScalingActivity>> {
        let what = on("autoscaling:DescribeScalingActivities", group);
        let mut activities = Vec::new();
        let mut pages = Pages::default();
        // They come newest first: what is older than asked for is not fetched, six weeks of a
        // busy group are many pages.
        loop {
            let token = pages.token();
            let call = || {
                self.autoscaling
                    .describe_scaling_activities()
                    .auto_scaling_group_name(group)
                    .max_records(100)
                    .set_next_token(token.clone())
                    .send()
            };
            let answer = self.send(&what, call).await?;
            let mut older = false;
            for found in answer.activities.into_iter().flatten() {
                let activity = shapes::activity(&what, found)?;
                if activity.start_time < since {
                    older = true;
                } else {
                    activities.push(activity);
                }
            }
            if older || !pages.go_on(&what, answer.next_token)? {
                return Ok(activities);
            }
        }
    }
}

fn filters(query: &AutoScalingGroupQuery) -> Vec<sdk::Filter> {
    let filter = |(key, values): (&String, &Vec<String>)| {
        let filter = sdk::Filter::builder();
        if values.is_empty() {
            filter.name("tag-key").values(key).build()
        } else {
            filter.name(format!("tag:{key}")).set_values(Some(values.clone())).build()
        }
    };
    query.tags.iter().map(filter).collect()
}

/// Whether a group has the tags that are asked for. The service filters too; several filters by
/// `tag-key` it joins by "or".
fn has_tags(group: &sdk::AutoScalingGroup, query: &AutoScalingGroupQuery) -> bool {
    query.tags.iter().all(|(key, values)| {
        group.tags().iter().any(|tag| {
            tag.key() == Some(key)
                && (values.is_empty() || values.iter().any(|value| tag.value().unwrap_or_default() == value))
        })
    })
}
