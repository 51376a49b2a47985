//! What is sent and cannot have an effect is refused: nothing is passed over in silence, and nothing is half done.

use super::{client, code, signed, tag};
use crate::wire::Request;

#[test]
fn bodies_of_eks_with_members_of_another_kind_are_refused() {
    let client = client("");
    let updates = "/clusters/shop/updates";
    for (path, body, refused) in [
        (updates, "[]", "SerializationException"),
        (updates, r#"{"version": "1.35", "force": "yes"}"#, "SerializationException"),
        (updates, r#"{"version": 1.35}"#, "SerializationException"),
        (
            updates,
            r#"{"version": "1.35", "rollbackConfig": {"timeoutMinutes": -5}}"#,
            "InvalidParameterException",
        ),
        (
            updates,
            r#"{"version": "1.35", "rollbackConfig": {"timeoutMinutes": 1.5}}"#,
            "SerializationException",
        ),
        (updates, r#"{"version": "1.35", "froce": true}"#, "InvalidParameterException"),
        ("/clusters/shop/update-config", r#"{"logging": {}}"#, "InvalidParameterException"),
        (
            "/clusters/shop/node-groups/a/update-config",
            r#"{"scalingConfig": {"minSize": -1}}"#,
            "InvalidParameterException",
        ),
        (
            "/clusters/shop/node-groups/a/update-config",
            r#"{"nodeRepairConfig": {"enabled": true}}"#,
            "InvalidParameterException",
        ),
        (
            "/clusters/shop/node-groups/a/update-config",
            r#"{"taints": {"addOrUpdateTaints": ["k=v"]}}"#,
            "SerializationException",
        ),
        ("/clusters/shop/addons", r#"{"addonName": "coredns", "tags": {"a": 1}}"#, "SerializationException"),
        ("/clusters/shop/insights", r#"{"filter": 0}"#, "SerializationException"),
    ] {
        let (status, answer) = client.eks("POST", path, &[], body);
        assert_eq!((status, code(&answer)), (400, refused), "{path} {body}: {answer}");
    }
    // Null is not there.
    let (status, answer) = client.eks("POST", "/clusters/shop/insights", &[], r#"{"filter": null}"#);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(client.eks("GET", "/clusters/shop/updates", &[], "").1["updateIds"], serde_json::json!([]));
}

#[test]
fn parameters_that_an_action_does_not_take_are_refused() {
    let client = client("");
    for (service, call, refused) in [
        (
            "autoscaling",
            "Action=UpdateAutoScalingGroup&AutoScalingGroupName=web&HealthCheckType=ELB",
            "ValidationError",
        ),
        (
            "autoscaling",
            "Action=SuspendProcesses&AutoScalingGroupName=web&ScalingProcesses.member.1=Lunch",
            "ValidationError",
        ),
        ("autoscaling", "Action=CreateOrUpdateTags&Tags.member.x.Key=a", "ValidationError"),
        ("autoscaling", "Action=CreateOrUpdateTags", "ValidationError"),
        (
            "autoscaling",
            "Action=DescribeTags&Filters.member.1.Name=value&Filters.member.1.Values.member.1=a",
            "ValidationError",
        ),
        ("autoscaling", "Action=DescribeAutoScalingGroups&MaxRecords=101", "ValidationError"),
        (
            "autoscaling",
            "Action=SetInstanceProtection&AutoScalingGroupName=web&ProtectedFromScaleIn=true",
            "ValidationError",
        ),
        ("autoscaling", "Action=TerminateInstanceInAutoScalingGroup&InstanceId=i-1", "ValidationError"),
        // Passed over, this would describe every instance.
        ("ec2", "Action=DescribeInstances&InstanceId.99999999999=i-1", "UnknownParameter"),
        ("ec2", "Action=DescribeInstances&MaxResults=0", "InvalidParameterValue"),
        ("ec2", "Action=TerminateInstances", "MissingParameter"),
        (
            "ec2",
            "Action=DescribeLaunchTemplates&LaunchTemplateName.1=none",
            "InvalidLaunchTemplateName.NotFoundException",
        ),
        ("ec2", "Action=DescribeLaunchTemplates&LaunchTemplateId.1=lt-0", "InvalidLaunchTemplateId.NotFound"),
        ("ec2", "Action=DescribeLaunchTemplates", "MissingParameter"),
        ("ec2", "Action=DescribeInstanceTypes&InstanceType.1=m99.large", "InvalidInstanceType"),
        (
            "ec2",
            "Action=CreateLaunchTemplateVersion&LaunchTemplateName=web&SourceVersion=1&LaunchTemplateData.InstanceType=m5.large",
            "UnknownParameter",
        ),
    ] {
        let (status, answer) = client.query(service, call);
        assert_eq!((status, tag(&answer, "Code")), (400, Some(refused)), "{call}: {answer}");
    }
    // An empty list is written as its name alone.
    let (status, answer) =
        client.query("autoscaling", "Action=DescribeAutoScalingGroups&AutoScalingGroupNames=");
    assert_eq!(status, 200, "{answer}");
    let types = "Action=DescribeInstanceTypes&Filter.1.Name=instance-type&Filter.1.Value.1=m7i.large";
    assert_eq!(tag(&client.query("ec2", types).1, "instanceType"), Some("m7i.large"));
}

#[test]
fn an_update_of_a_group_is_done_as_a_whole_or_not_at_all() {
    let client = client("");
    let update = |sizes: &str| {
        client
            .query("autoscaling", &format!("Action=UpdateAutoScalingGroup&AutoScalingGroupName=api&{sizes}"))
    };
    let sizes = || {
        let (_, answer) = client
            .query("autoscaling", "Action=DescribeAutoScalingGroups&AutoScalingGroupNames.member.1=api");
        ["MinSize", "MaxSize", "DesiredCapacity"].map(|name| tag(&answer, name).unwrap().to_owned())
    };
    let (status, answer) = update("MinSize=1&MaxSize=5&DesiredCapacity=6");
    assert_eq!((status, tag(&answer, "Code")), (400, Some("ValidationError")), "{answer}");
    assert!(
        answer.contains("Desired capacity:6 must be between the specified min size:1 and max size:5"),
        "{answer}"
    );
    assert_eq!(sizes(), ["0", "9", "1"], "nothing of it was done");
    assert_eq!(update("MinSize=2&MaxSize=12&DesiredCapacity=11").0, 200);
    assert_eq!(sizes(), ["2", "12", "11"]);
    let (status, answer) =
        client.query("autoscaling", "Action=UpdateAutoScalingGroup&AutoScalingGroupName=none");
    assert_eq!((status, tag(&answer, "Code")), (400, Some("ValidationError")), "{answer}");
}

/// A rule about one operation must not hit another one, and the log holds what clients asked for.
#[test]
fn a_write_is_one_call_in_the_world() {
    let client = client("faults: { calls: [{ fault: access-denied, operations: ['*:Describe*'] }] }\n");
    let id = {
        let world = client.sim.world();
        world.aws.asg.groups["web"].members.keys().next().unwrap().clone()
    };
    let standby = format!("Action=TerminateInstances&InstanceId.1={id}");
    let (status, answer) = client.query("ec2", &standby);
    assert_eq!((status, tag(&answer, "instanceId")), (200, Some(id.as_str())), "{answer}");
    let terminate = format!(
        "Action=TerminateInstanceInAutoScalingGroup&InstanceId={id}&ShouldDecrementDesiredCapacity=false"
    );
    let (_, answer) = client.query("autoscaling", &terminate);
    assert_ne!(tag(&answer, "Code"), Some("AccessDenied"), "{answer}");
    let calls: Vec<String> = client.sim.world().calls().iter().map(|call| call.operation.clone()).collect();
    assert_eq!(calls, ["ec2:TerminateInstances", "autoscaling:TerminateInstanceInAutoScalingGroup"]);
}

#[test]
fn what_is_sent_back_is_xml_whatever_was_sent() {
    let client = client("");
    let (status, answer) = client
        .query("autoscaling", "Action=SetDesiredCapacity&AutoScalingGroupName=a%00%1B%3Cb&DesiredCapacity=1");
    assert_eq!(status, 400);
    assert!(answer.chars().all(|c| !c.is_control()), "{answer:?}");
    assert!(answer.contains("a\u{fffd}\u{fffd}&lt;b"), "{answer}");
}

#[test]
fn instances_that_do_not_run_have_a_status_only_when_it_is_asked_for() {
    let client = client("");
    let ids: Vec<String> = {
        let world = client.sim.world();
        world.aws.asg.groups["web"].members.keys().take(2).cloned().collect()
    };
    assert_eq!(client.query("ec2", &format!("Action=TerminateInstances&InstanceId.1={}", ids[0])).0, 200);
    let both = format!("Action=DescribeInstanceStatus&InstanceId.1={}&InstanceId.2={}", ids[0], ids[1]);
    assert_eq!(client.query("ec2", &both).1.matches("<instanceId>").count(), 1);
    let (_, all) = client.query("ec2", &format!("{both}&IncludeAllInstances=true"));
    assert_eq!(all.matches("<instanceId>").count(), 2);
}

#[test]
fn tags_are_told_of_all_that_has_some() {
    let client = client("");
    let addon = client.eks("GET", "/clusters/shop/addons/coredns", &[], "").1;
    let arn = addon["addon"]["addonArn"].as_str().unwrap().to_owned();
    let path = format!("/tags/{}", arn.replace('/', "%2F"));
    assert_eq!(client.eks("POST", &path, &[], r#"{"tags": {"team": "a"}}"#).0, 200);
    assert_eq!(client.eks("GET", &path, &[], "").1["tags"]["team"], "a");
    let (status, answer) = client.eks("GET", &format!("{path}0"), &[], "");
    assert_eq!((status, code(&answer)), (404, "NotFoundException"), "{answer}");
}

#[test]
fn a_refresh_that_was_begun_says_no_more_than_the_service() {
    let client = client("");
    let (status, answer) = client.eks("POST", "/clusters/shop/insights-refresh", &[], "");
    assert_eq!((status, answer.as_object().unwrap().len()), (200, 2), "{answer}");
    let seen = client.eks("GET", "/clusters/shop/insights-refresh", &[], "").1;
    assert!(seen["startedAt"].is_number(), "{seen}");
}

#[test]
fn parameters_are_asked_for_by_ten_names_at_most() {
    let client = client("");
    for (body, refused) in [
        ("[]".to_owned(), "SerializationException"),
        (r#"{"Names": "x"}"#.to_owned(), "SerializationException"),
        (r#"{"Names": []}"#.to_owned(), "ValidationException"),
        (serde_json::json!({ "Names": vec!["/x"; 11] }).to_string(), "ValidationException"),
    ] {
        let mut request = Request { method: "POST".to_owned(), path: "/".to_owned(), ..signed("ssm", &body) };
        request.headers.insert("x-amz-target".to_owned(), "AmazonSSM.GetParameters".to_owned());
        let answer = client.answer(&request);
        let found: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, code(&found)), (400, refused), "{body}");
    }
}

#[test]
fn words_that_a_service_does_not_have_are_refused() {
    let client = client("");
    let lifecycle =
        "Action=CompleteLifecycleAction&AutoScalingGroupName=web&LifecycleHookName=a&InstanceId=i-1";
    let launch = "Action=LaunchInstances&AutoScalingGroupName=web&AvailabilityZones.member.1=eu-west-1a";
    let update =
        "Action=UpdateAutoScalingGroup&AutoScalingGroupName=web&LaunchTemplate.LaunchTemplateName=web";
    for (call, said) in [
        (format!("{lifecycle}&LifecycleActionResult=MAYBE"), "neither CONTINUE nor ABANDON"),
        (format!("{launch}&RetryStrategy=maybe"), "RetryStrategy maybe"),
        (format!("{update}&LaunchTemplate.Version=99"), "valid fully-formed launch template"),
    ] {
        let (status, answer) = client.query("autoscaling", &call);
        assert_eq!((status, tag(&answer, "Code")), (400, Some("ValidationError")), "{answer}");
        assert!(answer.contains(said), "{answer}");
    }
}

#[test]
fn instances_go_into_standby_together_or_not_at_all() {
    let client = client("");
    let ids: Vec<String> = {
        let world = client.sim.world();
        world.aws.asg.groups["web"].members.keys().take(2).cloned().collect()
    };
    let enter = |first: &str, second: &str| {
        let named = format!("InstanceIds.member.1={first}&InstanceIds.member.2={second}");
        let call = "Action=EnterStandby&AutoScalingGroupName=web&ShouldDecrementDesiredCapacity=true";
        client.query("autoscaling", &format!("{call}&{named}"))
    };
    let standing = || {
        let world = client.sim.world();
        let members = world.aws.asg.groups["web"].members.values();
        members.filter(|member| member.view.lifecycle_state.as_str() == "Standby").count()
    };
    for second in ["i-none", ids[0].as_str()] {
        let (status, answer) = enter(&ids[0], second);
        assert_eq!((status, tag(&answer, "Code")), (400, Some("ValidationError")), "{answer}");
        assert_eq!(standing(), 0);
    }
    assert_eq!(enter(&ids[0], &ids[1]).0, 200);
    assert_eq!(standing(), 2);
}
