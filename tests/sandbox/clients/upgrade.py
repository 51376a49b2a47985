"""AWS's own client for Python takes the simulated cluster through an upgrade, as a person with boto3 would.

Called with the sandbox's line of JSON; says what it saw, as one line of JSON.
"""

import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

where = json.loads(sys.argv[1])
of = dict(
    region_name=where["region"],
    endpoint_url=where["aws"],
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 1}),
)
eks, groups, ec2, ssm, sts, quotas = (
    boto3.client(name, **of) for name in ("eks", "autoscaling", "ec2", "ssm", "sts", "service-quotas")
)
cluster = where["cluster"]
seen = {}


def refused(call, **arguments):
    """The code and the status of an error that has to come."""
    try:
        call(**arguments)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


def ended(update, **which):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = eks.describe_update(name=cluster, updateId=update["id"], **which)["update"]
        if now["status"] != "InProgress":
            return now["status"]
        time.sleep(0.05)
    raise SystemExit(f"update {update['id']} has not ended in a minute")


def settled(read, wanted):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = read()
        if wanted(found):
            return found
        time.sleep(0.05)
    raise SystemExit(f"it did not come about in a minute: {found}")


seen["caller"] = sts.get_caller_identity()["Arn"]
seen["clusters"] = eks.list_clusters()["clusters"]
seen["versions"] = [v["clusterVersion"] for v in eks.describe_cluster_versions()["clusterVersions"]]
before = eks.describe_cluster(name=cluster)["cluster"]["version"]
after = f"1.{int(before.split('.')[1]) + 1}"
beyond = f"1.{int(before.split('.')[1]) + 2}"
seen["before"], seen["after"] = before, after

# Refusals, in the service's own words.
seen["two minors at once"] = refused(eks.update_cluster_version, name=cluster, version=beyond)
seen["no such cluster"] = refused(eks.describe_cluster, name="nowhere")
seen["above the maximum"] = refused(groups.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=1000)
seen["no such template"] = refused(ec2.describe_launch_template_versions, LaunchTemplateName="nowhere")
seen["no such parameter"] = refused(ssm.get_parameter, Name="/aws/service/eks/nowhere")
seen["no such instance"] = refused(ec2.describe_instances, InstanceIds=["i-00000000000000000"])

# Insights, then the control plane. A second call with the same token is the same update; with another it is refused.
seen["insights"] = sorted({i["insightStatus"]["status"] for i in eks.list_insights(clusterName=cluster)["insights"]})
update = eks.update_cluster_version(name=cluster, version=after, clientRequestToken="once")["update"]
again = eks.update_cluster_version(name=cluster, version=after, clientRequestToken="once")["update"]
seen["the same update"] = update["id"] == again["id"]
seen["while it goes on"] = refused(eks.update_cluster_version, name=cluster, version=after)
seen["control plane"] = ended(update)
seen["version"] = eks.describe_cluster(name=cluster)["cluster"]["version"]

# Add-ons: the default for the new version.
for name in eks.list_addons(clusterName=cluster)["addons"]:
    offered = eks.describe_addon_versions(addonName=name, kubernetesVersion=after)["addons"][0]["addonVersions"]
    default = next(v["addonVersion"] for v in offered if v["compatibilities"][0]["defaultVersion"])
    now = eks.describe_addon(clusterName=cluster, addonName=name)["addon"]["addonVersion"]
    if now != default:
        update = eks.update_addon(
            clusterName=cluster, addonName=name, addonVersion=default, resolveConflicts="PRESERVE"
        )["update"]
        ended(update, addonName=name)
    settled(
        lambda name=name: eks.describe_addon(clusterName=cluster, addonName=name)["addon"],
        lambda addon, default=default: addon["status"] == "ACTIVE" and addon["addonVersion"] == default,
    )
seen["add-ons"] = "at the default"

# The managed group: EKS replaces its nodes.
update = eks.update_nodegroup_version(clusterName=cluster, nodegroupName="system")["update"]
seen["managed group"] = ended(update, nodegroupName="system")
seen["managed version"] = eks.describe_nodegroup(clusterName=cluster, nodegroupName="system")["nodegroup"]["version"]

# The self-managed group, by hand: the new image of the family into a new version of the template, a new instance, an
# old one terminated; page by page, one group a page.
pages = groups.get_paginator("describe_auto_scaling_groups").paginate(PaginationConfig={"PageSize": 1})
seen["groups"] = len([g for page in pages for g in page["AutoScalingGroups"]])
image = ssm.get_parameter(
    Name=f"/aws/service/eks/optimized-ami/{after}/amazon-linux-2023/x86_64/standard/recommended/image_id"
)["Parameter"]["Value"]
version = ec2.create_launch_template_version(
    LaunchTemplateName="web", SourceVersion="2", LaunchTemplateData={"ImageId": image}
)["LaunchTemplateVersion"]["VersionNumber"]
groups.update_auto_scaling_group(
    AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web", "Version": str(version)}
)


def web():
    return groups.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]


was = web()
old = {i["InstanceId"] for i in was["Instances"]}
groups.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=was["DesiredCapacity"] + 1)
larger = settled(
    web, lambda g: len([i for i in g["Instances"] if i["LifecycleState"] == "InService"]) == len(old) + 1
)
(new,) = (i for i in larger["Instances"] if i["InstanceId"] not in old)
seen["template of the new one"] = new["LaunchTemplate"]["Version"] == str(version)
(instance,) = (
    i for r in ec2.describe_instances(InstanceIds=[new["InstanceId"]])["Reservations"] for i in r["Instances"]
)
seen["image of the new one"] = instance["ImageId"] == image
victim = sorted(old)[0]
activity = groups.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=True)
seen["cause"] = victim in activity["Activity"]["Description"]
settled(web, lambda g: victim not in {i["InstanceId"] for i in g["Instances"]})
seen["desired again"] = web()["DesiredCapacity"] == was["DesiredCapacity"]

print(json.dumps(seen))
