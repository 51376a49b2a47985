//! What goes over the wire, request by request: shapes, errors, pages, what gets lost.

mod strict;

use std::sync::Arc;

use super::{Answer, Request, Response, Wire};
use crate::{Sim, World};

const SCENARIO: &str = "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 7
network:
  subnets:
    - { id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/22 }
    - { id: subnet-b, zone: eu-west-1b, cidr: 10.0.4.0/22 }
clusters:
  - { name: shop, version: '1.34', addons: [{ name: coredns }, { name: kube-proxy }, { name: vpc-cni }] }
launchTemplates:
  - { name: web, versions: [{ amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34' }] }
autoScalingGroups:
  - { name: api, cluster: shop, launchTemplate: { name: web, version: '1' }, min: 0, max: 9, desired: 1 }
  - { name: web, cluster: shop, launchTemplate: { name: web, version: '1' }, min: 0, max: 200, desired: 120 }
";

struct Client {
    sim: Arc<Sim>,
    wire: Wire,
}

fn client(faults: &str) -> Client {
    let sim = Arc::new(Sim::new(World::from_scenario(&format!("{SCENARIO}{faults}")).unwrap()));
    Client { wire: Wire::new(Arc::clone(&sim)), sim }
}

impl Client {
    fn send(&self, request: &Request) -> Answer {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        self.sim.run(self.wire.answer(request, now)).unwrap()
    }

    fn answer(&self, request: &Request) -> Response {
        match self.send(request) {
            Answer::Response(response) => response,
            Answer::Lost => panic!("the answer to {request:?} is lost"),
        }
    }

    /// A call of EKS: status and body.
    fn eks(&self, method: &str, path: &str, query: &[(&str, &str)], body: &str) -> (u16, serde_json::Value) {
        let answer = self.answer(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..signed("eks", body)
        });
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// A call of a query service: status and body.
    fn query(&self, service: &str, body: &str) -> (u16, String) {
        let answer = self.answer(&Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            ..signed(service, body)
        });
        (answer.status, String::from_utf8(answer.body).unwrap())
    }
}

fn signed(service: &str, body: &str) -> Request {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    Request {
        headers: [("authorization".to_owned(), scope)].into(),
        body: body.as_bytes().to_vec(),
        ..Request::default()
    }
}

fn code(body: &serde_json::Value) -> &str {
    body["__type"].as_str().or_else(|| body["code"].as_str()).unwrap_or_default()
}

/// What stands between the first such tag and its end.
fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    xml.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

#[test]
fn who_signs_nothing_or_for_another_service_is_refused() {
    let client = client("");
    let unsigned = Request { method: "GET".to_owned(), path: "/clusters".to_owned(), ..Request::default() };
    let answer = client.answer(&unsigned);
    assert_eq!(answer.status, 403);
    assert!(String::from_utf8_lossy(&answer.body).contains("Missing Authentication Token"));
    let other = Request { method: "POST".to_owned(), path: "/".to_owned(), ..signed("lambda", "") };
    let answer = client.answer(&other);
    assert_eq!(answer.status, 501);
    assert!(String::from_utf8_lossy(&answer.body).contains("no service `lambda`"));
}

#[test]
fn errors_of_eks_are_json_with_their_type_in_a_header() {
    let client = client("");
    let request =
        Request { method: "GET".to_owned(), path: "/clusters/nowhere".to_owned(), ..signed("eks", "") };
    let answer = client.answer(&request);
    assert_eq!((answer.status, answer.content_type), (404, "application/json"));
    assert!(answer.headers.contains(&("x-amzn-errortype", "ResourceNotFoundException".to_owned())));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["message"], "No cluster found for name: nowhere.");
}

#[test]
fn a_call_of_eks_with_a_wrong_shape_has_the_services_own_error() {
    let client = client("");
    for (method, path, query, body, status) in [
        ("GET", "/clusters", vec![("maxResults", "many")], "", 400),
        ("GET", "/clusters", vec![("maxResults", "0")], "", 400),
        ("GET", "/clusters", vec![("nextToken", "made up")], "", 400),
        ("POST", "/clusters/shop/updates", vec![], "{", 400),
        ("POST", "/clusters/shop/updates", vec![], "{}", 400),
        ("POST", "/clusters/shop/updates", vec![], r#"{"version": 1.35}"#, 400),
        ("POST", "/clusters/shop/updates", vec![], r#"{"version": "newest"}"#, 400),
        ("POST", "/clusters/shop/addons/coredns/update", vec![], r#"{"resolveConflicts": "MAYBE"}"#, 400),
        ("GET", "/clusters/shop/nowhere", vec![], "", 404),
        ("PUT", "/clusters/shop", vec![], "", 404),
    ] {
        let (found, answer) = client.eks(method, path, &query, body);
        assert_eq!(found, status, "{method} {path} {query:?} {body}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    let cluster = client.eks("GET", "/clusters/shop", &[], "").1;
    assert_eq!(
        (&cluster["cluster"]["version"], &cluster["cluster"]["status"]),
        (&"1.34".into(), &"ACTIVE".into())
    );
}

#[test]
fn an_upgrade_over_the_wire_is_the_upgrade_of_the_world() {
    let client = client("");
    let body = r#"{"version": "1.35", "clientRequestToken": "once"}"#;
    let (status, first) = client.eks("POST", "/clusters/shop/updates", &[], body);
    assert_eq!((status, &first["update"]["type"]), (200, &"VersionUpdate".into()));
    let (_, second) = client.eks("POST", "/clusters/shop/updates", &[], body);
    assert_eq!(first["update"]["id"], second["update"]["id"], "the same token is the same update");
    let other = r#"{"version": "1.35", "clientRequestToken": "twice"}"#;
    let (status, refused) = client.eks("POST", "/clusters/shop/updates", &[], other);
    assert_eq!((status, code(&refused)), (409, "ResourceInUseException"), "{refused}");
    client.sim.advance(std::time::Duration::from_hours(1));
    let path = format!("/clusters/shop/updates/{}", first["update"]["id"].as_str().unwrap());
    assert_eq!(client.eks("GET", &path, &[], "").1["update"]["status"], "Successful");
    assert_eq!(client.eks("GET", "/clusters/shop", &[], "").1["cluster"]["version"], "1.35");
}

#[test]
fn errors_of_the_query_services_are_xml_in_the_form_of_each() {
    let client = client("");
    let (status, body) = client
        .query("autoscaling", "Action=SetDesiredCapacity&AutoScalingGroupName=nowhere&DesiredCapacity=1");
    assert_eq!((status, tag(&body, "Code")), (400, Some("ValidationError")), "{body}");
    assert!(body.contains("<ErrorResponse") && tag(&body, "RequestId").is_some(), "{body}");
    let (status, body) = client.query("ec2", "Action=DescribeInstances&InstanceId.1=i-00000000000000000");
    assert_eq!((status, tag(&body, "Code")), (400, Some("InvalidInstanceID.NotFound")), "{body}");
    assert!(body.contains("<Response>") && tag(&body, "RequestID").is_some(), "{body}");
    for (service, body, code) in [
        ("autoscaling", "Action=Dance", "InvalidAction"),
        ("autoscaling", "Action=SetDesiredCapacity&DesiredCapacity=1", "ValidationError"),
        (
            "autoscaling",
            "Action=SetDesiredCapacity&AutoScalingGroupName=web&DesiredCapacity=two",
            "ValidationError",
        ),
        ("autoscaling", "Action=DescribeAutoScalingGroups&NextToken=made-up", "InvalidNextToken"),
        ("ec2", "Action=Dance", "InvalidAction"),
        (
            "ec2",
            "Action=DescribeInstances&Filter.1.Name=colour&Filter.1.Value.1=red",
            "InvalidParameterValue",
        ),
        ("ec2", "Action=DescribeSubnets&SubnetId.1=subnet-z", "InvalidSubnetID.NotFound"),
        ("ec2", "Action=DescribeSecurityGroups&GroupId.1=sg-z", "InvalidGroup.NotFound"),
        ("ec2", "Action=DescribeImages&ImageId.1=ami-z", "InvalidAMIID.NotFound"),
        ("ec2", "Action=TerminateInstances&InstanceId.1=i-00000000000000000", "InvalidInstanceID.NotFound"),
        ("sts", "Action=AssumeRole", "InvalidAction"),
    ] {
        let (status, answer) = client.query(service, body);
        assert_eq!((status, tag(&answer, "Code")), (400, Some(code)), "{service} {body}: {answer}");
    }
}

#[test]
fn what_a_filter_does_not_find_is_no_error() {
    let client = client("");
    let filter = "Action=DescribeInstances&Filter.1.Name=instance-id&Filter.1.Value.1=i-00000000000000000";
    let (status, body) = client.query("ec2", filter);
    assert_eq!((status, tag(&body, "instanceId")), (200, None), "{body}");
    let (status, body) =
        client.query("ec2", "Action=DescribeImages&Filter.1.Name=image-id&Filter.1.Value.1=ami-z");
    assert_eq!((status, tag(&body, "imageId")), (200, None), "{body}");
    let (status, body) =
        client.query("ec2", "Action=DescribeSubnets&Filter.1.Name=subnet-id&Filter.1.Value.1=subnet-a");
    assert_eq!((status, tag(&body, "subnetId")), (200, Some("subnet-a")), "{body}");
}

/// All pages of a list: how often a tag was there, page by page.
fn pages(client: &Client, service: &str, call: &str, token: &str, of: &str) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let body = match &next {
            None => call.to_owned(),
            Some(text) => format!("{call}&NextToken={text}"),
        };
        let (status, xml) = client.query(service, &body);
        assert_eq!(status, 200, "{xml}");
        counts.push(xml.matches(&format!("<{of}>")).count());
        assert!(counts.len() < 100, "the pages do not end");
        next = tag(&xml, token).map(str::to_owned);
        if next.is_none() {
            return counts;
        }
    }
}

#[test]
fn lists_come_in_pages_of_the_services_size_to_the_end() {
    let client = client("");
    let groups = "Action=DescribeAutoScalingGroups&MaxRecords=1";
    assert_eq!(pages(&client, "autoscaling", groups, "NextToken", "AutoScalingGroupARN"), [1, 1]);
    // 121 instances, 50 a page.
    let instances = "Action=DescribeAutoScalingInstances";
    assert_eq!(pages(&client, "autoscaling", instances, "NextToken", "InstanceId"), [50, 50, 21]);
    let few = "Action=DescribeInstances&MaxResults=100";
    assert_eq!(pages(&client, "ec2", few, "nextToken", "reservationId"), [100, 21]);
    let (_, first) = client.eks("GET", "/clusters/shop/addons", &[("maxResults", "2")], "");
    let token = first["nextToken"].as_str().unwrap();
    let (_, second) =
        client.eks("GET", "/clusters/shop/addons", &[("maxResults", "2"), ("nextToken", token)], "");
    assert_eq!(first["addons"].as_array().unwrap().len() + second["addons"].as_array().unwrap().len(), 3);
    assert!(second["nextToken"].is_null());
    let (status, _) = client.eks("GET", "/clusters", &[("nextToken", token)], "");
    assert_eq!(status, 400, "a token of another list");
}

#[test]
fn no_more_than_fifty_instances_may_be_named_at_once() {
    let client = client("");
    let named = |count: usize| {
        (1..=count).fold("Action=DescribeAutoScalingInstances".to_owned(), |text, number| {
            format!("{text}&InstanceIds.member.{number}=i-{number:017x}")
        })
    };
    assert_eq!(client.query("autoscaling", &named(50)).0, 200);
    let (status, body) = client.query("autoscaling", &named(51));
    assert_eq!((status, tag(&body, "Code")), (400, Some("ValidationError")), "{body}");
}

#[test]
fn too_many_calls_are_said_in_each_services_words() {
    let client = client("faults: { calls: [{ fault: throttled }] }\n");
    let (status, body) = client.eks("GET", "/clusters/shop", &[], "");
    assert_eq!((status, code(&body)), (429, "ThrottlingException"), "{body}");
    let (status, body) = client.query("autoscaling", "Action=DescribeAutoScalingGroups");
    assert_eq!((status, tag(&body, "Code")), (400, Some("Throttling")), "{body}");
    let (status, body) = client.query("ec2", "Action=DescribeInstances");
    assert_eq!((status, tag(&body, "Code")), (503, Some("RequestLimitExceeded")), "{body}");
}

#[test]
fn an_answer_that_is_lost_cuts_the_connection_and_the_call_was_carried_out() {
    let client =
        client("faults: { calls: [{ fault: response-lost, writesOnly: true, when: { times: 1 } }] }\n");
    let body = "Action=SetDesiredCapacity&AutoScalingGroupName=api&DesiredCapacity=2";
    let call = Request { method: "POST".to_owned(), path: "/".to_owned(), ..signed("autoscaling", body) };
    assert_eq!(client.send(&call), Answer::Lost);
    let (_, groups) =
        client.query("autoscaling", "Action=DescribeAutoScalingGroups&AutoScalingGroupNames.member.1=api");
    assert_eq!(tag(&groups, "DesiredCapacity"), Some("2"));
}

#[test]
fn parameters_speak_json_with_a_target() {
    let client = client("");
    let call = |target: &str, body: &str| {
        let mut request = Request { method: "POST".to_owned(), path: "/".to_owned(), ..signed("ssm", body) };
        request.headers.insert("x-amz-target".to_owned(), target.to_owned());
        let answer = client.answer(&request);
        (answer.status, serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap())
    };
    let name = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id";
    let (status, found) = call("AmazonSSM.GetParameter", &format!(r#"{{"Name": "{name}"}}"#));
    assert_eq!(status, 200);
    assert!(found["Parameter"]["Value"].as_str().unwrap().starts_with("ami-"));
    let (status, refused) = call("AmazonSSM.GetParameter", r#"{"Name": "/nowhere"}"#);
    assert_eq!((status, code(&refused)), (400, "ParameterNotFound"), "{refused}");
    let (status, _) = call("AmazonSSM.Dance", "{}");
    assert_eq!(status, 400);
}
