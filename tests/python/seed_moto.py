"""What the contract is tried on, put into moto: a cluster, a group over three zones, a parameter.

Called with the address of a moto server.
"""

import sys

import boto3

of = dict(
    region_name="eu-west-1",
    endpoint_url=sys.argv[1],
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="secret",
)
eks, groups, ec2, ssm = (boto3.client(name, **of) for name in ("eks", "autoscaling", "ec2", "ssm"))

subnets = sorted(ec2.describe_subnets()["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
ids = [subnet["SubnetId"] for subnet in subnets]
image = sorted(ec2.describe_images()["Images"], key=lambda image: image["ImageId"])[0]["ImageId"]
eks.create_cluster(
    name="shop",
    version="1.34",
    roleArn="arn:aws:iam::123456789012:role/shop",
    resourcesVpcConfig={"subnetIds": ids},
)
ec2.create_launch_template(
    LaunchTemplateName="web",
    LaunchTemplateData={"ImageId": image, "InstanceType": "m7i.large", "KeyName": "ada"},
)
groups.create_auto_scaling_group(
    AutoScalingGroupName="web",
    MinSize=2,
    DesiredCapacity=3,
    MaxSize=6,
    LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"},
    VPCZoneIdentifier=",".join(ids),
)
ssm.put_parameter(Name="/contract/image", Value=image, Type="String")
