//! IAM and Elastic Load Balancing, the classic one and the newer: queries with XML, read only.

use eks_provider::aws::{TargetGroup, TargetGroupQuery, TargetHealth};

use super::errors::Failed;
use super::paging::page;
use super::query::Query;
use super::xml::Element;
use super::{Answer, Request, Wire, errors, parameters};

const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const CLASSIC: &str = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/";
const BALANCING: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// When every role and profile was made: the traits do not tell, and IAM always does.
const MADE: &str = "2020-01-01T00:00:00Z";

/// What stands within the `…Result`, or `None` for an operation that is not served.
type Outcome = Option<Result<Element, Failed>>;

/// Why an action does not take what was sent.
fn strange(action: &str, query: &Query) -> Option<Failed> {
    let name = parameters::stranger(query, parameters::others(action)?)?;
    let message = format!("The parameter {name} is not recognized by the simulated world's {action}");
    Some(Failed::Request("ValidationError", message))
}

fn finish(outcome: Outcome, action: &str, namespace: &'static str, id: &str) -> Answer {
    match outcome {
        Some(Ok(result)) => {
            let response = Element::new(format!("{action}Response"))
                .namespace(namespace)
                .child(result)
                .child(Element::new("ResponseMetadata").text("RequestId", id));
            Answer::Response(response.response(200))
        }
        Some(Err(failed)) => errors::query_failed(failed, id),
        None => {
            let message = format!("Could not find operation {action}");
            Answer::Response(errors::query_error(400, "InvalidAction", &message, id))
        }
    }
}

/// IAM: instance profiles, roles, and what a principal may do.
pub(super) async fn iam(wire: &Wire, request: &Request, id: &str) -> Answer {
    let query = Query::parse(&request.body, &request.query);
    let action = query.action();
    let result = Element::new(format!("{action}Result"));
    if let Some(failed) = strange(action, &query) {
        return finish(Some(Err(failed)), action, IAM, id);
    }
    let outcome = match action {
        "GetInstanceProfile" => Some(instance_profile(wire, &query, result).await),
        "GetRole" => Some(role(wire, &query, result).await),
        "SimulatePrincipalPolicy" => Some(simulate(wire, &query, result).await),
        _ => None,
    };
    finish(outcome, action, IAM, id)
}

fn of_role(arn: &str) -> Element {
    let name = arn.rsplit('/').next().unwrap_or_default();
    Element::new("Role")
        .text("Path", "/")
        .text("RoleName", name)
        .text("RoleId", format!("AROA{}", name.to_ascii_uppercase()))
        .text("Arn", arn)
        .text("CreateDate", MADE)
}

async fn instance_profile(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let found = wire.reader.get_instance_profile(query.required("InstanceProfileName")?).await?;
    let mut roles = Element::new("Roles");
    for arn in &found.role_arns {
        roles = roles.child(of_role(arn).renamed("member".to_owned()));
    }
    let profile = Element::new("InstanceProfile")
        .text("Path", "/")
        .text("InstanceProfileName", &found.name)
        .text("InstanceProfileId", format!("AIPA{}", found.name.to_ascii_uppercase()))
        .text("Arn", &found.arn)
        .text("CreateDate", MADE)
        .child(roles);
    Ok(result.child(profile))
}

async fn role(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    Ok(result.child(of_role(&wire.reader.get_role(query.required("RoleName")?).await?)))
}

async fn simulate(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let actions = query.texts("ActionNames.member").unwrap_or_default();
    let resource = query.get("ResourceArns.member.1").unwrap_or("*");
    let missing =
        wire.reader.simulate_principal_policy(query.required("PolicySourceArn")?, &actions, resource).await?;
    let found = result
        .list("EvaluationResults", "member", &actions, |element, action| {
            let decision = if missing.contains(action) { "implicitDeny" } else { "allowed" };
            element
                .text("EvalActionName", action)
                .text("EvalResourceName", resource)
                .text("EvalDecision", decision)
        })
        .text("IsTruncated", false);
    Ok(found)
}

/// Elastic Load Balancing: target groups and their targets, and the instances of a Classic Load Balancer.
pub(super) async fn balancing(wire: &Wire, request: &Request, id: &str) -> Answer {
    let query = Query::parse(&request.body, &request.query);
    let action = query.action();
    let result = Element::new(format!("{action}Result"));
    // Both generations have one name in the signature.
    let namespace = if query.get("Version") == Some("2012-06-01") { CLASSIC } else { BALANCING };
    if let Some(failed) = strange(action, &query) {
        return finish(Some(Err(failed)), action, namespace, id);
    }
    let outcome = match action {
        "DescribeInstanceHealth" => Some(classic(wire, &query, result).await),
        "DescribeTargetGroups" => Some(target_groups(wire, &query, result).await),
        "DescribeTargetGroupAttributes" => Some(attributes(wire, &query, result).await),
        "DescribeTargetHealth" => Some(health(wire, &query, result).await),
        _ => None,
    };
    finish(outcome, action, namespace, id)
}

async fn classic(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let found = wire.reader.describe_instance_health(query.required("LoadBalancerName")?).await?;
    Ok(result.list("InstanceStates", "member", &found, |element, one| {
        element
            .text("InstanceId", &one.instance_id)
            .text("State", &one.state)
            .maybe("ReasonCode", one.reason_code.as_ref())
    }))
}

/// Groups by their ARNs; all where none is named. One that is not there is an error.
async fn named(wire: &Wire, arns: Option<Vec<String>>) -> Result<Vec<TargetGroup>, Failed> {
    let arns = arns.map(|arns| arns.into_iter().collect::<std::collections::BTreeSet<_>>());
    let found = wire.reader.describe_target_groups(&TargetGroupQuery { arns: arns.clone() }).await?;
    let is_there = |arn: &String| found.iter().any(|group| group.arn == *arn);
    if arns.iter().flatten().all(is_there) {
        return Ok(found);
    }
    Err(Failed::Request("TargetGroupNotFound", "One or more target groups not found".to_owned()))
}

async fn target_groups(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let found = named(wire, query.texts("TargetGroupArns.member")).await?;
    let most = query.number::<usize>("PageSize")?.unwrap_or(400).clamp(1, 400);
    let page = page(found, "target groups", query.get("Marker"), most)
        .ok_or_else(|| Failed::Request("ValidationError", "Invalid marker".to_owned()))?;
    let list = result.list("TargetGroups", "member", &page.items, |element, one| {
        element
            .text("TargetGroupArn", &one.arn)
            .text("TargetGroupName", &one.name)
            .maybe("Protocol", one.protocol.as_ref())
            .text("TargetType", &one.target_type)
            .texts("LoadBalancerArns", "member", &one.load_balancer_arns)
    });
    Ok(list.maybe("NextMarker", page.next))
}

async fn attributes(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let arn = query.required("TargetGroupArn")?.to_owned();
    let found = named(wire, Some(vec![arn])).await?;
    let delay = found.iter().filter_map(|group| group.deregistration_delay);
    Ok(result.list("Attributes", "member", delay, |element, delay| {
        element.text("Key", "deregistration_delay.timeout_seconds").text("Value", delay.as_secs())
    }))
}

async fn health(wire: &Wire, query: &Query, result: Element) -> Result<Element, Failed> {
    let found = wire.reader.describe_target_health(query.required("TargetGroupArn")?).await?;
    let one = |element: Element, one: &TargetHealth| {
        let target = Element::new("Target")
            .text("Id", &one.target_id)
            .maybe("Port", one.port)
            .maybe("AvailabilityZone", one.availability_zone.as_ref());
        let state = Element::new("TargetHealth")
            .text("State", one.state.as_str())
            .maybe("Reason", one.reason.as_ref());
        element.child(target).child(state)
    };
    Ok(result.list("TargetHealthDescriptions", "member", &found, one))
}
