//! Every list is read to its end, or it is an error.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use eks_provider::aws::{
    AccessEntryReader, AddonCatalogueQuery, AddonCatalogueReader, AddonReader, AutoScalingGroupQuery,
    AutoScalingGroupReader, AutoScalingSettingsReader, CertificateAuthorityReader, ClusterReader,
    ClusterVersionQuery, ClusterVersionReader, FargateReader, IdentityReader, ImageReader, InsightQuery,
    InsightReader, InstanceQuery, InstanceReader, InstanceTypeReader, LaunchTemplateKey,
    LaunchTemplateReader, LaunchTemplateVersionQuery, NetworkQuery, NetworkReader, NodegroupReader,
    ParameterReader, TargetGroupQuery, TargetReader, UpdateReader, UpdateScope,
};
use eks_provider::{Class, Result};
use jiff::Timestamp;

use crate::Aws;
use crate::tests::support::{Protocol, Record, Sent, answer, recorded};

type Called<'a> = Pin<Box<dyn Future<Output = Result<usize>> + Send + 'a>>;

/// A list: the call, its protocol, and how a page with or without a next one is written.
struct List {
    name: &'static str,
    protocol: Protocol,
    page: Page,
    call: fn(&Aws) -> Called<'_>,
}

enum Page {
    /// The name of the list, of strings.
    Names(&'static str),
    /// The name of a list that is empty here: what counts is that it goes on.
    Json(&'static str),
    /// The name of the token, in an answer of the query protocol.
    Query(&'static str),
    Ec2,
}

impl Page {
    fn write(&self, sent: &Sent, number: usize, next: Option<&str>) -> String {
        let action = sent.parameter("Action").unwrap_or_default();
        match self {
            Self::Names(list) => {
                serde_json::json!({ *list: [format!("of-page-{number}")], "nextToken": next }).to_string()
            }
            Self::Json(list) => serde_json::json!({ *list: [], "nextToken": next }).to_string(),
            Self::Query(token) => {
                let next =
                    next.map(|next| format!("<IsTruncated>true</IsTruncated><{token}>{next}</{token}>"));
                let next = next.unwrap_or_default();
                format!("<{action}Response><{action}Result>{next}</{action}Result></{action}Response>")
            }
            Self::Ec2 => {
                let next = next.map(|next| format!("<nextToken>{next}</nextToken>"));
                format!("<{action}Response>{}</{action}Response>", next.unwrap_or_default())
            }
        }
    }
}

macro_rules! list {
    ($protocol:ident $page:expr, $method:ident($($argument:expr),*)) => {
        List {
            name: stringify!($method),
            protocol: Protocol::$protocol,
            page: $page,
            call: |aws| Box::pin(async move { aws.$method($($argument),*).await.map(|found| Count::count(&found)) }),
        }
    };
}

/// How many there are.
trait Count {
    fn count(&self) -> usize;
}

impl<T> Count for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Count for BTreeSet<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

impl<K, V> Count for std::collections::BTreeMap<K, V> {
    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Count for Option<T> {
    fn count(&self) -> usize {
        usize::from(self.is_some())
    }
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

fn versions() -> LaunchTemplateVersionQuery {
    let template = LaunchTemplateKey::Id("lt-1".to_owned());
    LaunchTemplateVersionQuery { template, versions: None, resolve_alias: false }
}

fn insights() -> InsightQuery {
    InsightQuery { cluster: "shop".to_owned(), ..InsightQuery::default() }
}

fn lists() -> Vec<List> {
    use Page::{Ec2, Json, Names, Query};
    let next = || Query("NextToken");
    vec![
        list!(RestJson Names("clusters"), list_clusters()),
        list!(RestJson Names("addons"), list_addons("shop")),
        list!(RestJson Names("nodegroups"), list_nodegroups("shop")),
        list!(RestJson Names("fargateProfileNames"), list_fargate_profiles("shop")),
        list!(RestJson Names("accessEntries"), list_access_entries("shop")),
        list!(RestJson Json("certificateAuthorities"), list_certificate_authorities("shop")),
        list!(RestJson Names("updateIds"), list_updates(&UpdateScope::cluster("shop"))),
        list!(RestJson Json("insights"), list_insights(&insights())),
        list!(RestJson Json("addons"), describe_addon_versions(&AddonCatalogueQuery::default())),
        list!(RestJson Json("clusterVersions"), describe_cluster_versions(&ClusterVersionQuery::default())),
        list!(Query next(), describe_auto_scaling_groups(&AutoScalingGroupQuery::default())),
        list!(Query next(), describe_auto_scaling_instances(&["i-1".to_owned()])),
        list!(Query next(), describe_scaling_activities("web", Timestamp::UNIX_EPOCH)),
        list!(Query next(), describe_warm_pool("web")),
        list!(Query next(), describe_instance_refreshes("web")),
        list!(Query next(), describe_scheduled_actions("web")),
        list!(Query next(), describe_policies("web")),
        list!(Query next(), describe_traffic_sources("web")),
        list!(Query next(), describe_launch_configurations(&["old".to_owned()])),
        list!(Query Query("Marker"), simulate_principal_policy("arn:aws:iam::1:role/x", &["eks:ListClusters".to_owned()], "*")),
        list!(Query Query("NextMarker"), describe_target_groups(&TargetGroupQuery::default())),
        list!(Ec2 Ec2, describe_launch_templates(&[LaunchTemplateKey::Id("lt-1".to_owned())])),
        list!(Ec2 Ec2, describe_launch_template_versions(&versions())),
        list!(Ec2 Ec2, describe_instances(&InstanceQuery::default())),
        list!(Ec2 Ec2, describe_instance_status(&ids(&["i-1"]))),
        list!(Ec2 Ec2, describe_instance_types(&ids(&["m5.large"]))),
        list!(Ec2 Ec2, describe_instance_type_offerings(&ids(&["m5.large"]))),
        list!(Ec2 Ec2, describe_images(&ids(&["ami-1"]))),
        list!(Ec2 Ec2, describe_subnets(&NetworkQuery::default())),
        list!(Ec2 Ec2, describe_security_groups(&NetworkQuery::default())),
    ]
}

/// Calls a list whose pages lead on as `next` says, by the number of the page; `None` is a page that fails.
async fn walk(list: List, next: fn(usize) -> Option<Option<&'static str>>) -> (Result<usize>, Record) {
    let List { protocol, page, call, .. } = list;
    let number = std::sync::atomic::AtomicUsize::new(0);
    let (aws, sent) = recorded(move |sent| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match next(number) {
            Some(next) => answer(200, page.write(sent, number, next)),
            None => protocol.refusal(400, "AccessDeniedException", "no"),
        }
    });
    (call(&aws).await, sent)
}

#[tokio::test]
async fn every_list_is_read_to_its_end() {
    for list in lists() {
        let (name, names) = (list.name, matches!(list.page, Page::Names(_)));
        let (found, sent) = walk(list, |number| Some([Some("go%on"), Some("more"), None][number])).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        let sent = sent.all();
        assert_eq!(sent.len(), 3, "{name}");
        let asked = |number: usize, token: &str| {
            let sent = &sent[number];
            sent.uri.contains(token) || sent.body.contains(token)
        };
        // The sign in the token is written as the protocol wants it.
        assert!(asked(1, "go%25on") || asked(1, "go%on"), "{name}");
        assert!(asked(2, "more") && !asked(0, "more"), "{name}");
        if names {
            assert_eq!(found, 3, "{name}");
        }
    }
}

#[tokio::test]
async fn half_a_list_is_an_error() {
    for list in lists() {
        let name = list.name;
        let (found, sent) = walk(list, |number| (number == 0).then_some(Some("2"))).await;
        assert_eq!(found.unwrap_err().class(), Class::Denied, "{name}");
        assert_eq!(sent.all().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_list_that_goes_round_is_an_error() {
    for list in lists() {
        let name = list.name;
        let (found, sent) = walk(list, |number| [Some("a"), Some("b"), Some("a")].get(number).copied()).await;
        let error = found.unwrap_err();
        assert_eq!(error.class(), Class::Malformed, "{name}: {error}");
        assert_eq!(sent.all().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn the_members_of_all_pages_are_joined_and_sorted() {
    let group = |name: &str| {
        format!(
            "<member><AutoScalingGroupName>{name}</AutoScalingGroupName><AutoScalingGroupARN>arn:{name}\
             </AutoScalingGroupARN><MinSize>0</MinSize><MaxSize>9</MaxSize><DesiredCapacity>1\
             </DesiredCapacity><LaunchConfigurationName>old</LaunchConfigurationName></member>"
        )
    };
    let (aws, _) = recorded(move |sent| {
        let (name, next) = match sent.parameter("NextToken") {
            None => ("web", "<NextToken>2</NextToken>"),
            Some(_) => ("api", ""),
        };
        answer(
            200,
            format!(
                "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups>{}\
                 </AutoScalingGroups>{next}</DescribeAutoScalingGroupsResult>\
                 </DescribeAutoScalingGroupsResponse>",
                group(name)
            ),
        )
    });
    let groups = aws.describe_auto_scaling_groups(&AutoScalingGroupQuery::default()).await.unwrap();
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["api", "web"]);
}

#[tokio::test]
async fn names_are_asked_for_in_portions_and_once_each() {
    let (aws, sent) = recorded(|sent| {
        let asked: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
        let found: Vec<_> = asked["Names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| serde_json::json!({ "Name": name, "Value": "ami-1", "Version": 3 }))
            .collect();
        answer(200, serde_json::json!({ "Parameters": found }).to_string())
    });
    let mut names: Vec<String> = (0..23).map(|number| format!("/eks/{number}")).collect();
    names.push("/eks/0".to_owned());
    let found = aws.get_parameters(&names).await.unwrap();
    assert_eq!(found.len(), 23);
    assert_eq!(found["/eks/7"].version, 3);
    assert_eq!(sent.all().len(), 3);
}
