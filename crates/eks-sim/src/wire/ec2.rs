//! EC2 and STS: what they are asked and told.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::aws::{
    Image, Instance, InstanceQuery, InstanceState, InstanceStatus, InstanceType, NetworkQuery,
};
use eks_provider::{Class, ProviderError};

use super::errors::Failed;
use super::paging::page;
use super::query::Query;
use super::xml::Element;
use super::{Answer, Request, Wire, ec2_templates, errors, parameters};

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The answer without its outermost element.
pub(super) type Outcome = Result<Element, Failed>;

pub(super) async fn answer(wire: &Wire, request: &Request, id: &str) -> Answer {
    let query = Query::parse(&request.body, &request.query);
    let action = query.action();
    let outcome = match action {
        _ if let Some(refused) = strange(action, &query) => Err(refused),
        "DescribeInstances" => instances(wire, &query).await,
        "DescribeInstanceStatus" => instance_status(wire, &query).await,
        "TerminateInstances" => terminate(wire, &query).await,
        "DescribeImages" => images(wire, &query).await,
        "DescribeSubnets" => subnets(wire, &query).await,
        "DescribeSecurityGroups" => security_groups(wire, &query).await,
        "DescribeAvailabilityZones" => zones(wire).await,
        "DescribeInstanceTypes" => instance_types(wire, &query).await,
        "DescribeInstanceTypeOfferings" => offerings(wire, &query).await,
        "DescribeKeyPairs" => key_pairs(wire, &query).await,
        "DescribeLaunchTemplates" => ec2_templates::templates(wire, &query).await,
        "DescribeLaunchTemplateVersions" => ec2_templates::versions(wire, &query).await,
        "CreateLaunchTemplateVersion" => ec2_templates::create_version(wire, &query).await,
        _ => Err(Failed::Request(
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )),
    };
    match outcome {
        Ok(inner) => {
            let response =
                inner.renamed(format!("{action}Response")).namespace(NAMESPACE).text("requestId", id);
            Answer::Response(response.response(200))
        }
        Err(failed) => errors::ec2_failed(failed, id),
    }
}

/// Why an action does not take what was sent.
fn strange(action: &str, query: &Query) -> Option<Failed> {
    let name = parameters::stranger(query, parameters::ec2(action)?)?;
    let message = format!("The parameter {name} is not recognized by the simulated world's {action}");
    Some(Failed::Request("UnknownParameter", message))
}

/// STS: who asks.
pub(super) async fn sts(wire: &Wire, request: &Request, id: &str) -> Answer {
    let query = Query::parse(&request.body, &request.query);
    if query.action() != "GetCallerIdentity" {
        let message = format!("Could not find operation {}", query.action());
        return Answer::Response(errors::query_error(400, "InvalidAction", &message, id));
    }
    match wire.reader.get_caller_identity().await {
        Ok(caller) => {
            let result = Element::new("GetCallerIdentityResult")
                .text("Arn", &caller.arn)
                .text("UserId", &caller.user_id)
                .text("Account", &caller.account);
            let metadata = Element::new("ResponseMetadata").text("RequestId", id);
            let response = Element::new("GetCallerIdentityResponse")
                .namespace("https://sts.amazonaws.com/doc/2011-06-15/")
                .child(result)
                .child(metadata);
            Answer::Response(response.response(200))
        }
        Err(error) => errors::query(&error, id),
    }
}

/// An element that gets its name later.
pub(super) fn body() -> Element {
    Element::new("Response")
}

/// A page of a list, by `MaxResults` and `NextToken`. Without the former, everything.
pub(super) fn paged<T>(items: Vec<T>, list: &str, query: &Query) -> Result<(Vec<T>, Option<String>), Failed> {
    let most = query.number::<usize>("MaxResults")?;
    if most.is_some_and(|most| !(1..=1000).contains(&most)) {
        let message = "Value for parameter MaxResults is invalid. Expecting a value between 1 and 1000.";
        return Err(Failed::Request("InvalidParameterValue", message.to_owned()));
    }
    let most = most.unwrap_or(usize::MAX);
    page(items, list, query.get("NextToken"), most).map(|page| (page.items, page.next)).ok_or_else(|| {
        Failed::Request("InvalidPaginationToken", "The pagination token is not valid.".to_owned())
    })
}

pub(super) fn tag_set(element: Element, tags: &BTreeMap<String, String>) -> Element {
    element
        .list("tagSet", "item", tags, |element, (key, value)| element.text("key", key).text("value", value))
}

fn unknown_filter(name: &str) -> Failed {
    Failed::Request("InvalidParameterValue", format!("The filter '{name}' is invalid"))
}

fn set(values: Option<Vec<String>>) -> Option<BTreeSet<String>> {
    values.map(|values| values.into_iter().collect())
}

/// How EC2 says that something is not there: code, and message before and after the id.
type Missing = (&'static str, &'static str, &'static str);

const INSTANCES: Missing = ("InvalidInstanceID.NotFound", "The instance ID '", "' does not exist");
const SUBNETS: Missing = ("InvalidSubnetID.NotFound", "The subnet ID '", "' does not exist");
const GROUPS: Missing = ("InvalidGroup.NotFound", "The security group '", "' does not exist");
const IMAGES: Missing = ("InvalidAMIID.NotFound", "The image id '[", "]' does not exist");

/// What is named by id must be there, all of it; a filter only finds what is there.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html> (2026-11)
fn all_there<'a>(
    named: Option<&BTreeSet<String>>,
    found: impl Iterator<Item = &'a String>,
    (code, before, after): &Missing,
) -> Result<(), Failed> {
    let found: BTreeSet<&String> = found.collect();
    match named.into_iter().flatten().find(|id| !found.contains(id)) {
        Some(id) => Err(Failed::Request(code, format!("{before}{id}{after}"))),
        None => Ok(()),
    }
}

async fn instances(wire: &Wire, query: &Query) -> Outcome {
    let filters = query.filters("Filter", "Value");
    let (tags, others) = Query::tag_filters(&filters);
    let named = set(query.texts("InstanceId"));
    let mut ids = named.clone();
    let mut states = Vec::new();
    for (name, values) in others {
        match name.as_str() {
            "instance-state-name" => {
                states.extend(values.iter().map(|state| InstanceState::from(state.as_str())));
            }
            "instance-id" => ids = Some(values.iter().cloned().collect()),
            other => return Err(unknown_filter(other)),
        }
    }
    let found = wire.reader.describe_instances(&InstanceQuery { ids, tags, states }).await?;
    all_there(named.as_ref(), found.iter().map(|one| &one.id), &INSTANCES)?;
    let (found, next) = paged(found, "instances", query)?;
    // One reservation for each: how they were started together is not told.
    Ok(body()
        .list("reservationSet", "item", &found, |element, one| {
            let number = one.id.trim_start_matches("i-");
            element
                .text("reservationId", format!("r-{number}"))
                .text("ownerId", "111122223333")
                .child(Element::new("instancesSet").child(instance(Element::new("item"), one)))
        })
        .maybe("nextToken", next))
}

/// The number that EC2 has for a state.
fn state_code(state: &InstanceState) -> u32 {
    match state {
        InstanceState::Pending => 0,
        InstanceState::Running | InstanceState::Other(_) => 16,
        InstanceState::ShuttingDown => 32,
        InstanceState::Terminated => 48,
        InstanceState::Stopping => 64,
        InstanceState::Stopped => 80,
    }
}

fn state(name: &str, state: &InstanceState) -> Element {
    Element::new(name).text("code", state_code(state)).text("name", state)
}

fn instance(element: Element, one: &Instance) -> Element {
    let mut element = element
        .text("instanceId", &one.id)
        .child(state("instanceState", &one.state))
        .maybe("imageId", one.image_id.as_ref())
        .maybe("instanceType", one.instance_type.as_ref())
        .maybe("architecture", one.architecture.as_ref())
        .maybe("platform", one.platform.as_ref())
        .time("launchTime", one.launch_time)
        .maybe("subnetId", one.subnet_id.as_ref())
        .maybe("vpcId", one.vpc_id.as_ref())
        .maybe("privateDnsName", one.private_dns_name.as_ref())
        .maybe("privateIpAddress", one.private_ip_address.as_ref())
        .maybe("keyName", one.key_name.as_ref())
        .maybe("instanceLifecycle", one.lifecycle.as_ref())
        .list("groupSet", "item", &one.security_group_ids, |element, id| element.text("groupId", id));
    if let Some(zone) = &one.availability_zone {
        element = element
            .child(Element::new("placement").text("availabilityZone", zone).text("tenancy", "default"));
    }
    if let Some(reason) = &one.state_reason {
        element = element.text("reason", reason).child(
            Element::new("stateReason").text("code", "Client.UserInitiatedShutdown").text("message", reason),
        );
    }
    if let Some(arn) = &one.iam_instance_profile_arn {
        element = element.child(Element::new("iamInstanceProfile").text("arn", arn));
    }
    if let Some(principal) = &one.operator {
        element = element.child(Element::new("operator").text("managed", true).text("principal", principal));
    }
    tag_set(element, &one.tags)
}

async fn instance_status(wire: &Wire, query: &Query) -> Outcome {
    let ids = some(query, "InstanceId")?;
    let found = wire.reader.describe_instance_status(&ids).await?;
    all_there(Some(&ids), found.iter().map(|one| &one.instance_id), &INSTANCES)?;
    // Of those that do not run it is said only when they are asked for.
    let all = query.flag("IncludeAllInstances")?.unwrap_or(false);
    let runs =
        |one: &InstanceStatus| one.instance_status.as_deref().is_some_and(|word| word != "not-applicable");
    let found: Vec<InstanceStatus> = found.into_iter().filter(|one| all || runs(one)).collect();
    let (found, next) = paged(found, "status", query)?;
    let status = |name: &str, status: Option<&String>| {
        Element::new(name).text("status", status.map_or("initializing", String::as_str))
    };
    Ok(body()
        .list("instanceStatusSet", "item", &found, |element, one| {
            element
                .text("instanceId", &one.instance_id)
                .child(status("instanceStatus", one.instance_status.as_ref()))
                .child(status("systemStatus", one.system_status.as_ref()))
                .list("eventsSet", "item", &one.events, |element, event| {
                    element
                        .text("code", &event.code)
                        .maybe("description", event.description.as_ref())
                        .time("notBefore", event.not_before)
                })
        })
        .maybe("nextToken", next))
}

/// What is named, of which there must be some.
fn some(query: &Query, list: &str) -> Result<BTreeSet<String>, Failed> {
    set(query.texts(list)).ok_or_else(|| {
        Failed::Request("MissingParameter", format!("The request must contain the parameter {list}"))
    })
}

async fn terminate(wire: &Wire, query: &Query) -> Outcome {
    let ids = some(query, "InstanceId")?;
    if query.flag("DryRun")? == Some(true) {
        let found = wire.reader.describe_instances(&InstanceQuery::of(ids.iter())).await?;
        all_there(Some(&ids), found.iter().map(|one| &one.id), &INSTANCES)?;
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Failed::Provider(
            ProviderError::new(Class::Other, "ec2:TerminateInstances", "instances")
                .code("DryRunOperation")
                .status(412)
                .message(message),
        ));
    }
    let done = wire.writer.terminate_instances(&ids).await?;
    // What it was before is not told, and looking first would be a call that nobody made: of one that is shutting
    // down it is said that it ran.
    let was = |now: &InstanceState| {
        if *now == InstanceState::ShuttingDown { InstanceState::Running } else { now.clone() }
    };
    Ok(body().list("instancesSet", "item", &done, |element, (id, now)| {
        element
            .text("instanceId", id)
            .child(state("currentState", now))
            .child(state("previousState", &was(now)))
    }))
}

async fn images(wire: &Wire, query: &Query) -> Outcome {
    let named = set(query.texts("ImageId"));
    let filters = query.filters("Filter", "Value");
    if let Some((name, _)) = filters.iter().find(|(name, _)| name != "image-id") {
        return Err(unknown_filter(name));
    }
    let filtered = || filters.first().map(|(_, values)| values.iter().cloned().collect());
    let Some(ids) = named.clone().or_else(filtered) else {
        return Err(Failed::Request(
            "MissingParameter",
            "the simulated world describes images by id: name them".to_owned(),
        ));
    };
    let found = wire.reader.describe_images(&ids).await?;
    all_there(named.as_ref(), found.iter().map(|one| &one.id), &IMAGES)?;
    Ok(body().list("imagesSet", "item", &found, image))
}

fn image(element: Element, one: &Image) -> Element {
    element
        .text("imageId", &one.id)
        .maybe("name", one.name.as_ref())
        .maybe("description", one.description.as_ref())
        .maybe("imageOwnerId", one.owner_id.as_ref())
        .maybe("imageOwnerAlias", one.owner_alias.as_ref())
        .text("imageState", &one.state)
        .maybe("architecture", one.architecture.as_ref())
        .maybe("platform", one.platform.as_ref())
        .time("creationDate", one.creation_date)
        .time("deprecationTime", one.deprecation_time)
        .maybe("rootDeviceName", one.root_device_name.as_ref())
        .list("blockDeviceMapping", "item", one.root_volume_gib, |element, gib| {
            element
                .maybe("deviceName", one.root_device_name.as_ref())
                .child(Element::new("ebs").text("volumeSize", gib))
        })
}

/// Filters of networks: by tag, by VPC, and by id.
fn network(query: &Query, ids: &str, by_id: &str) -> Result<NetworkQuery, Failed> {
    let filters = query.filters("Filter", "Value");
    let (tags, others) = Query::tag_filters(&filters);
    let mut vpc_id = None;
    let mut ids = set(query.texts(ids));
    for (name, values) in others {
        match name.as_str() {
            name if name == by_id => ids = Some(values.iter().cloned().collect()),
            "vpc-id" if values.len() == 1 => vpc_id = values.first().cloned(),
            other => return Err(unknown_filter(other)),
        }
    }
    Ok(NetworkQuery { ids, tags, vpc_id })
}

async fn subnets(wire: &Wire, query: &Query) -> Outcome {
    let found = wire.reader.describe_subnets(&network(query, "SubnetId", "subnet-id")?).await?;
    all_there(set(query.texts("SubnetId")).as_ref(), found.iter().map(|one| &one.id), &SUBNETS)?;
    let (found, next) = paged(found, "subnets", query)?;
    Ok(body()
        .list("subnetSet", "item", &found, |element, one| {
            let element = element
                .text("subnetId", &one.id)
                .text("vpcId", &one.vpc_id)
                .text("availabilityZone", &one.availability_zone)
                .maybe("availabilityZoneId", one.availability_zone_id.as_ref())
                .maybe("cidrBlock", one.cidr_block.as_ref())
                .text("availableIpAddressCount", one.available_ip_address_count)
                .maybe("state", one.state.as_ref())
                .maybe("outpostArn", one.outpost_arn.as_ref())
                .list("ipv6CidrBlockAssociationSet", "item", &one.ipv6_cidr_blocks, |element, cidr| {
                    element
                        .text("ipv6CidrBlock", cidr)
                        .child(Element::new("ipv6CidrBlockState").text("state", "associated"))
                });
            tag_set(element, &one.tags)
        })
        .maybe("nextToken", next))
}

async fn security_groups(wire: &Wire, query: &Query) -> Outcome {
    let found = wire.reader.describe_security_groups(&network(query, "GroupId", "group-id")?).await?;
    all_there(set(query.texts("GroupId")).as_ref(), found.iter().map(|one| &one.id), &GROUPS)?;
    let (found, next) = paged(found, "security groups", query)?;
    Ok(body()
        .list("securityGroupInfo", "item", &found, |element, one| {
            let element = element
                .text("groupId", &one.id)
                .text("groupName", &one.name)
                .text("groupDescription", &one.name)
                .maybe("vpcId", one.vpc_id.as_ref());
            tag_set(element, &one.tags)
        })
        .maybe("nextToken", next))
}

async fn zones(wire: &Wire) -> Outcome {
    let found = wire.reader.describe_availability_zones().await?;
    Ok(body().list("availabilityZoneInfo", "item", &found, |element, one| {
        element
            .text("zoneName", &one.name)
            .maybe("zoneId", one.id.as_ref())
            .text("zoneState", &one.state)
            .list("messageSet", "item", &one.messages, |element, message| element.text("message", message))
    }))
}

async fn instance_types(wire: &Wire, query: &Query) -> Outcome {
    let filters = query.filters("Filter", "Value");
    if let Some((name, _)) = filters.iter().find(|(name, _)| name != "instance-type") {
        return Err(unknown_filter(name));
    }
    let named = set(query.texts("InstanceType"));
    let filtered = filters.first().map(|(_, values)| values.iter().cloned().collect());
    let Some(names) = named.clone().or(filtered) else {
        return Err(Failed::Request(
            "MissingParameter",
            "the simulated world describes instance types by name: name them".to_owned(),
        ));
    };
    let found = wire.reader.describe_instance_types(&names).await?;
    if let Some(missing) = named.iter().flatten().find(|name| !found.iter().any(|one| one.name == **name)) {
        let message = format!("The following supplied instance types do not exist: [{missing}]");
        return Err(Failed::Request("InvalidInstanceType", message));
    }
    let (found, next) = paged(found, "instance types", query)?;
    Ok(body().list("instanceTypeSet", "item", &found, instance_type).maybe("nextToken", next))
}

fn instance_type(element: Element, one: &InstanceType) -> Element {
    let mut element = element
        .text("instanceType", &one.name)
        .text("currentGeneration", one.current_generation)
        .text("bareMetal", one.bare_metal)
        .maybe("hypervisor", one.hypervisor.as_ref())
        .child(Element::new("vCpuInfo").text("defaultVCpus", one.vcpus))
        .child(Element::new("memoryInfo").text("sizeInMiB", one.memory_mib))
        .child(Element::new("processorInfo").texts("supportedArchitectures", "item", &one.architectures))
        .child(
            Element::new("networkInfo")
                .text("maximumNetworkInterfaces", one.max_network_interfaces)
                .text("ipv4AddressesPerInterface", one.ipv4_addresses_per_interface),
        )
        .texts("supportedUsageClasses", "item", &one.usage_classes);
    if one.gpus > 0 {
        let gpus = Element::new("gpus").child(Element::new("item").text("count", one.gpus));
        element = element.child(Element::new("gpuInfo").child(gpus));
    }
    element
}

async fn offerings(wire: &Wire, query: &Query) -> Outcome {
    let filters = query.filters("Filter", "Value");
    if let Some((name, _)) = filters.iter().find(|(name, _)| name != "instance-type") {
        return Err(unknown_filter(name));
    }
    if filters.is_empty() {
        return Err(Failed::Request(
            "MissingParameter",
            "the simulated world tells where types are offered by name: filter by instance-type".to_owned(),
        ));
    }
    if query.get("LocationType") != Some("availability-zone") {
        return Err(Failed::Request(
            "InvalidParameterValue",
            "the simulated world knows offerings of zones: LocationType must be availability-zone".to_owned(),
        ));
    }
    let names: BTreeSet<String> = filters.iter().flat_map(|(_, values)| values.iter().cloned()).collect();
    let found = wire.reader.describe_instance_type_offerings(&names).await?;
    let pairs: Vec<(String, String)> = found
        .into_iter()
        .flat_map(|(name, zones)| zones.into_iter().map(move |zone| (name.clone(), zone)))
        .collect();
    let (pairs, next) = paged(pairs, "offerings", query)?;
    Ok(body()
        .list("instanceTypeOfferingSet", "item", &pairs, |element, (name, zone)| {
            element
                .text("instanceType", name)
                .text("locationType", "availability-zone")
                .text("location", zone)
        })
        .maybe("nextToken", next))
}

async fn key_pairs(wire: &Wire, query: &Query) -> Outcome {
    let names = some(query, "KeyName")?;
    let found = wire.reader.describe_key_pairs(&names).await?;
    if let Some(missing) = names.iter().find(|name| !found.contains(*name)) {
        return Err(Failed::Request(
            "InvalidKeyPair.NotFound",
            format!("The key pair '{missing}' does not exist"),
        ));
    }
    Ok(body().list("keySet", "item", &found, |element, name| element.text("keyName", name)))
}
