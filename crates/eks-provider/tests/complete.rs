//! The table of calls is complete, readers can only read, and nothing that the rollers and the
//! upgrader need is missing.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use eks_provider::{
    Access, AwsReader, AwsWriter, Call, KubeReader, KubeWriter, Permission, aws, calls, kube,
};

/// The traits that stand in the sources.
fn traits_in_the_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for side in ["aws", "kube"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(side);
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for line in text.lines() {
                if let Some(rest) = line.trim_start().strip_prefix("pub trait ") {
                    found.insert(rest.split([' ', ':']).next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn every_trait_is_in_a_bundle_and_so_in_the_table() {
    let mut listed: BTreeSet<String> = calls().map(|call| call.provider.to_owned()).collect();
    // Makes tokens and calls nobody.
    listed.insert("TokenSource".to_owned());
    assert_eq!(listed, traits_in_the_sources());
}

#[test]
fn every_trait_has_its_mock_in_one_place() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mock.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    for name in traits_in_the_sources() {
        assert!(words.contains(format!("Mock{name}").as_str()), "Mock{name}");
    }
}

#[test]
fn no_method_is_called_like_another() {
    // All traits of a bundle are methods of one value: a name that is there twice could not be called.
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for call in calls() {
        let before = seen.insert(call.method, call.provider);
        assert_eq!(before, None, "{} of {}", call.method, call.provider);
    }
}

#[test]
fn every_call_says_what_it_needs_in_the_words_of_iam_and_kubernetes() {
    for call in calls() {
        assert!(!call.needs.is_empty(), "{}", call.method);
        for need in call.needs {
            match need {
                Permission::Iam { action, .. } => {
                    let (service, name) = action.split_once(':').unwrap();
                    assert!(
                        service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                        "{action}"
                    );
                    assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{action}");
                }
                Permission::Rbac { verbs, group, resource, .. } => {
                    let known = ["get", "list", "watch", "create", "update", "patch", "delete"];
                    assert!(!verbs.is_empty() && verbs.iter().all(|verb| known.contains(verb)), "{verbs:?}");
                    assert!(group.is_empty() || *group == "*" || *group == group.to_lowercase(), "{group}");
                    assert_eq!(*resource, resource.to_lowercase());
                }
                Permission::Path { path } => assert!(path.starts_with('/'), "{path}"),
            }
        }
    }
}

#[test]
fn readers_need_no_permission_to_change_anything() {
    // Everybody may ask what they may do themselves; the API has it as an object that is created.
    let asks = |call: &Call| call.method == "review_self_access";
    for call in calls().filter(|call| call.access == Access::Read && !asks(call)) {
        for need in call.needs {
            let reads = match need {
                Permission::Iam { action, .. } => {
                    let name = action.split_once(':').unwrap().1;
                    ["Describe", "List", "Get", "Simulate"].iter().any(|verb| name.starts_with(verb))
                }
                Permission::Rbac { verbs, .. } => {
                    verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb))
                }
                Permission::Path { .. } => true,
            };
            assert!(reads, "{}: {need:?}", call.method);
        }
    }
    let in_bundles =
        |bundle: &[&[Call]], access| bundle.iter().copied().flatten().all(|c| c.access == access);
    assert!(in_bundles(<dyn AwsReader>::CALLS, Access::Read));
    assert!(in_bundles(<dyn KubeReader>::CALLS, Access::Read));
    assert!(in_bundles(<dyn AwsWriter>::CALLS, Access::Write));
    assert!(in_bundles(<dyn KubeWriter>::CALLS, Access::Write));
}

#[test]
fn what_the_roller_and_the_upgrader_call_is_there() {
    let actions: BTreeSet<&str> = calls()
        .flat_map(|call| call.needs)
        .filter_map(|need| match need {
            Permission::Iam { action, .. } => Some(*action),
            Permission::Rbac { .. } | Permission::Path { .. } => None,
        })
        .collect();
    let wanted = "
        autoscaling:DescribeAutoScalingGroups autoscaling:DescribeScalingActivities
        autoscaling:DescribeLifecycleHooks autoscaling:DescribeWarmPool
        autoscaling:DescribeInstanceRefreshes autoscaling:DescribeScheduledActions
        autoscaling:DescribeTrafficSources autoscaling:UpdateAutoScalingGroup autoscaling:LaunchInstances
        autoscaling:SetDesiredCapacity autoscaling:SetInstanceProtection autoscaling:SuspendProcesses
        autoscaling:ResumeProcesses autoscaling:TerminateInstanceInAutoScalingGroup
        autoscaling:CreateOrUpdateTags autoscaling:DeleteTags autoscaling:RecordLifecycleActionHeartbeat
        autoscaling:CompleteLifecycleAction autoscaling:EnterStandby autoscaling:ExitStandby
        ec2:DescribeInstances ec2:DescribeLaunchTemplates ec2:DescribeLaunchTemplateVersions
        ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeInstanceTypeOfferings
        ec2:CreateLaunchTemplateVersion ec2:TerminateInstances ec2:CreateFleet ec2:RunInstances
        iam:PassRole ssm:GetParameter ssm:GetParameters sts:GetCallerIdentity
        elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth
        elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:DescribeInstanceHealth
        servicequotas:GetServiceQuota
        eks:DescribeCluster eks:ListClusters eks:DescribeNodegroup eks:ListNodegroups eks:DescribeUpdate
        eks:ListUpdates eks:DescribeClusterVersions eks:ListInsights eks:DescribeInsight
        eks:StartInsightsRefresh eks:DescribeInsightsRefresh eks:ListAddons eks:DescribeAddon
        eks:DescribeAddonVersions eks:DescribeAddonConfiguration eks:UpdateAddon eks:UpdateClusterVersion
        eks:UpdateClusterConfig eks:CancelUpdate eks:UpdateNodegroupVersion eks:UpdateNodegroupConfig
        eks:ListFargateProfiles eks:DescribeFargateProfile eks:TagResource eks:UntagResource";
    for action in wanted.split_whitespace() {
        assert!(actions.contains(action), "{action}");
    }

    let rules: BTreeSet<(&str, &str)> = calls()
        .flat_map(|call| call.needs)
        .flat_map(|need| match need {
            Permission::Rbac { verbs, resource, .. } => {
                verbs.iter().map(|verb| (*verb, *resource)).collect::<Vec<_>>()
            }
            Permission::Iam { .. } | Permission::Path { .. } => Vec::new(),
        })
        .collect();
    for (verbs, resource) in [
        ("get list watch patch delete", "nodes"),
        ("get list watch delete", "pods"),
        ("create", "pods/eviction"),
        ("get list watch", "poddisruptionbudgets"),
        ("get list patch", "deployments"),
        ("get list", "replicasets"),
        ("get list", "statefulsets"),
        ("get list", "daemonsets"),
        ("get list", "jobs"),
        ("list", "persistentvolumes"),
        ("list", "persistentvolumeclaims"),
        ("list", "namespaces"),
        ("list watch", "volumeattachments"),
        ("get create update delete", "leases"),
        ("create", "events"),
        ("create", "selfsubjectaccessreviews"),
        ("list", "targetgroupbindings"),
        ("get create patch delete", "configmaps"),
        ("list", "secrets"),
        ("list", "validatingwebhookconfigurations"),
        ("list", "mutatingwebhookconfigurations"),
        ("list", "endpointslices"),
        ("list", "nodeclaims"),
    ] {
        for verb in verbs.split_whitespace() {
            assert!(rules.contains(&(verb, resource)), "{verb} {resource}");
        }
    }
}

#[test]
fn bundles_are_objects_and_give_their_parts_away() {
    // That these are types is the test: a method that is not object safe would not compile.
    fn narrow(all: &dyn AwsReader) -> &dyn aws::ClusterReader {
        all
    }
    fn narrow_kube(all: Arc<dyn KubeReader>) -> Arc<dyn kube::NodeReader> {
        all
    }
    fn writers(_aws: Arc<dyn AwsWriter>, _kube: Arc<dyn KubeWriter>) {}
    let _: fn(&dyn AwsReader) -> &dyn aws::ClusterReader = narrow;
    let _: fn(Arc<dyn KubeReader>) -> Arc<dyn kube::NodeReader> = narrow_kube;
    let _: fn(Arc<dyn AwsWriter>, Arc<dyn KubeWriter>) = writers;
}
