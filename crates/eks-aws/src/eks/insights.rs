//! Cluster insights.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{
    ClientStat, DeprecationDetail, Insight, InsightQuery, InsightReader, InsightRefresher, InsightResource,
    InsightSummary, InsightsRefresh,
};

use crate::Aws;
use crate::call::{What, map, some, time, word, written};

#[async_trait]
impl InsightReader for Aws {
    async fn list_insights(&self, query: &InsightQuery) -> Result<Vec<InsightSummary>> {
        let what = What::new("eks:ListInsights", format!("cluster {}", query.cluster));
        let call = |token| {
            self.eks
                .list_insights()
                .cluster_name(&query.cluster)
                .set_filter(filter(query))
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.insights, answer.next_token)).await?;
        let mut insights =
            found.into_iter().map(|insight| summary(&what, insight)).collect::<Result<Vec<_>>>()?;
        insights.sort_by_cached_key(|insight| {
            let version = insight.kubernetes_version.as_ref();
            let minor = version.and_then(|version| version.value().copied());
            (insight.category.clone(), minor, version.map(ToString::to_string), insight.name.clone())
        });
        Ok(insights)
    }

    async fn describe_insight(&self, cluster: &str, insight_id: &str) -> Result<Insight> {
        let what = What::new("eks:DescribeInsight", format!("insight {insight_id} of cluster {cluster}"));
        let call = || self.eks.describe_insight().cluster_name(cluster).id(insight_id).send();
        read(&what, what.need("insight", self.send(&what, call).await?.insight)?)
    }

    async fn describe_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh> {
        let what = What::new("eks:DescribeInsightsRefresh", format!("cluster {cluster}"));
        let call = || self.eks.describe_insights_refresh().cluster_name(cluster).send();
        let answer = self.send(&what, call).await?;
        Ok(InsightsRefresh {
            status: what.word("status", answer.status.as_ref().map(sdk::InsightsRefreshStatus::as_str))?,
            message: some(answer.message),
            started_at: time(answer.started_at),
            ended_at: time(answer.ended_at),
        })
    }
}

#[async_trait]
impl InsightRefresher for Aws {
    async fn start_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh> {
        let what = What::new("eks:StartInsightsRefresh", format!("cluster {cluster}"));
        let call = || self.eks.start_insights_refresh().cluster_name(cluster).send();
        let answer = self.send(&what, call).await?;
        Ok(InsightsRefresh {
            status: what.word("status", answer.status.as_ref().map(sdk::InsightsRefreshStatus::as_str))?,
            message: some(answer.message),
            started_at: None,
            ended_at: None,
        })
    }
}

fn filter(query: &InsightQuery) -> Option<sdk::InsightsFilter> {
    fn all<T, U>(of: &[T], each: impl Fn(&T) -> U) -> Option<Vec<U>> {
        (!of.is_empty()).then(|| of.iter().map(each).collect())
    }
    let categories = all(&query.categories, |category| sdk::Category::from(category.as_str()));
    let versions = all(&query.kubernetes_versions, ToString::to_string);
    let statuses = all(&query.statuses, |status| sdk::InsightStatusValue::from(status.as_str()));
    if categories.is_none() && versions.is_none() && statuses.is_none() {
        return None;
    }
    let filter = sdk::InsightsFilter::builder()
        .set_categories(categories)
        .set_kubernetes_versions(versions)
        .set_statuses(statuses);
    Some(filter.build())
}

fn summary(what: &What, insight: sdk::InsightSummary) -> Result<InsightSummary> {
    let (status, reason) = insight.insight_status.map_or((None, None), |said| (said.status, said.reason));
    Ok(InsightSummary {
        id: what.text("insight.id", insight.id)?,
        name: what.text("insight.name", insight.name)?,
        category: what.word("insight.category", insight.category.as_ref().map(sdk::Category::as_str))?,
        kubernetes_version: written(insight.kubernetes_version),
        last_refresh: time(insight.last_refresh_time),
        last_transition: time(insight.last_transition_time),
        description: insight.description.unwrap_or_default(),
        status: what
            .word("insight.insightStatus.status", status.as_ref().map(sdk::InsightStatusValue::as_str))?,
        reason: some(reason),
    })
}

fn read(what: &What, insight: sdk::Insight) -> Result<Insight> {
    let short = sdk::InsightSummary::builder()
        .set_id(insight.id)
        .set_name(insight.name)
        .set_category(insight.category)
        .set_kubernetes_version(insight.kubernetes_version)
        .set_last_refresh_time(insight.last_refresh_time)
        .set_last_transition_time(insight.last_transition_time)
        .set_description(insight.description)
        .set_insight_status(insight.insight_status)
        .build();
    let (deprecations, addons) = insight
        .category_specific_summary
        .map_or((None, None), |summary| (summary.deprecation_details, summary.addon_compatibility_details));
    Ok(Insight {
        summary: summary(what, short)?,
        recommendation: some(insight.recommendation),
        additional_info: map(insight.additional_info),
        resources: insight.resources.into_iter().flatten().map(resource).collect(),
        deprecations: deprecations
            .into_iter()
            .flatten()
            .map(|detail| deprecation(what, detail))
            .collect::<Result<_>>()?,
        addon_compatibility: addons
            .into_iter()
            .flatten()
            .map(|addon| {
                let name = what.text("insight.addonCompatibilityDetails.name", addon.name)?;
                Ok((name, addon.compatible_versions.unwrap_or_default()))
            })
            .collect::<Result<_>>()?,
    })
}

fn resource(resource: sdk::InsightResourceDetail) -> InsightResource {
    let (status, reason) = resource.insight_status.map_or((None, None), |said| (said.status, said.reason));
    InsightResource {
        kubernetes_resource_uri: some(resource.kubernetes_resource_uri),
        arn: some(resource.arn),
        status: word(status.as_ref().map(sdk::InsightStatusValue::as_str)),
        reason: some(reason),
    }
}

fn deprecation(what: &What, detail: sdk::DeprecationDetail) -> Result<DeprecationDetail> {
    let client = |client: sdk::ClientStat| ClientStat {
        user_agent: client.user_agent.unwrap_or_default(),
        requests_last_30_days: u64::try_from(client.number_of_requests_last30_days).unwrap_or_default(),
        last_request: time(client.last_request_time),
    };
    Ok(DeprecationDetail {
        usage: what.text("insight.deprecationDetails.usage", detail.usage)?,
        replaced_with: some(detail.replaced_with),
        stop_serving_version: written(detail.stop_serving_version),
        start_serving_replacement_version: written(detail.start_serving_replacement_version),
        clients: detail.client_stats.into_iter().flatten().map(client).collect(),
    })
}
