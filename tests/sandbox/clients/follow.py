"""The real control plane beside the simulated AWS, reached as every AWS client reaches a cluster: the address and the
certificate from DescribeCluster, a token signed for STS. No kubeconfig is read.

Called with the sandbox's line of JSON; says what it saw, as one line of JSON.
"""

import base64
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.signers import RequestSigner

where = json.loads(sys.argv[1])
keys = dict(region_name=where["region"], aws_access_key_id="any", aws_secret_access_key="any")
eks = boto3.client("eks", endpoint_url=where["aws"], **keys)
cluster = eks.describe_cluster(name=where["cluster"])["cluster"]
trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificateAuthority"]["data"]).decode())
seen = {"one address": cluster["endpoint"] == where["kubernetes"]}


def token():
    session = boto3.Session(**keys)
    service = session.client("sts").meta.service_model.service_id
    signer = RequestSigner(service, where["region"], "sts", "v4", session.get_credentials(), session.events)
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://sts.{where['region']}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": where["cluster"]},
            "context": {},
        },
        region_name=where["region"],
        expires_in=60,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def get(path, bearer=None):
    headers = {"Authorization": f"Bearer {bearer or token()}"}
    request = urllib.request.Request(cluster["endpoint"] + path, headers=headers)
    with urllib.request.urlopen(request, context=trust, timeout=30) as answer:
        return json.load(answer)


def status(path, bearer):
    try:
        get(path, bearer)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def kubelets():
    """By instance: the minor of the kubelet, of nodes that are ready."""
    found = {}
    for node in get("/api/v1/nodes")["items"]:
        ready = [c["status"] for c in node["status"].get("conditions", []) if c["type"] == "Ready"]
        if ready == ["True"]:
            instance = node["spec"]["providerID"].rsplit("/", 1)[1]
            found[instance] = ".".join(node["status"]["nodeInfo"]["kubeletVersion"].lstrip("v").split(".")[:2])
    return found


def in_group(name):
    groups = boto3.client("autoscaling", endpoint_url=where["aws"], **keys)
    (found,) = groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return {i["InstanceId"] for i in found["Instances"] if i["LifecycleState"] == "InService"}


def settled(read, wanted):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = read()
        if wanted(found):
            return found
        time.sleep(0.2)
    raise SystemExit(f"it did not come about: {found}")


def ended(update, **which):
    look = lambda: eks.describe_update(name=where["cluster"], updateId=update["id"], **which)["update"]["status"]
    return settled(look, lambda status: status != "InProgress")


seen["a wrong token"] = status("/api/v1/nodes", "k8s-aws-v1.bm90aGluZw")
seen["minor before"] = get("/version")["emulationMinor"]
seen["web has joined"] = settled(kubelets, lambda found: in_group("web") <= set(found)) is not None

update = eks.update_cluster_version(name=where["cluster"], version="1.35")["update"]
seen["control plane"] = ended(update)
seen["minor after"] = get("/version")["emulationMinor"]
seen["the nodes are still there"] = in_group("web") <= set(kubelets())

update = eks.update_nodegroup_version(clusterName=where["cluster"], nodegroupName="system")["update"]
seen["managed group"] = ended(update, nodegroupName="system")
group = eks.describe_nodegroup(clusterName=where["cluster"], nodegroupName="system")["nodegroup"]
(scaling,) = group["resources"]["autoScalingGroups"]
new = settled(
    kubelets, lambda found: in_group(scaling["name"]) <= {i for i, minor in found.items() if minor == "1.35"}
)
seen["new kubelets"] = sorted({new[i] for i in in_group(scaling["name"])})
seen["old ones are gone"] = settled(kubelets, lambda found: set(found) == in_group("web") | in_group(scaling["name"])) is not None

print(json.dumps(seen))
