//! What each action of the query services takes. What is not among it is refused: a parameter that were passed over
//! in silence would let a caller believe that it had an effect.

use super::query::Query;

/// An action of Auto Scaling, and what it takes. `#` is the number of an item.
pub(super) fn autoscaling(action: &str) -> Option<&'static [&'static str]> {
    Some(match action {
        "DescribeAutoScalingGroups" => &[
            "AutoScalingGroupNames.member.#",
            "Filters.member.#.Name",
            "Filters.member.#.Values.member.#",
            "MaxRecords",
            "NextToken",
        ],
        "DescribeAutoScalingInstances" => &["InstanceIds.member.#", "MaxRecords", "NextToken"],
        "DescribeScalingActivities" => {
            &["AutoScalingGroupName", "ActivityIds.member.#", "MaxRecords", "NextToken"]
        }
        "DescribeTags" => {
            &["Filters.member.#.Name", "Filters.member.#.Values.member.#", "MaxRecords", "NextToken"]
        }
        "DescribeLifecycleHooks" => &["AutoScalingGroupName", "LifecycleHookNames.member.#"],
        "DescribeWarmPool" | "DescribeTrafficSources" => &["AutoScalingGroupName", "MaxRecords", "NextToken"],
        "DescribeInstanceRefreshes" => {
            &["AutoScalingGroupName", "InstanceRefreshIds.member.#", "MaxRecords", "NextToken"]
        }
        "DescribeScheduledActions" => {
            &["AutoScalingGroupName", "ScheduledActionNames.member.#", "MaxRecords", "NextToken"]
        }
        "DescribePolicies" => &["AutoScalingGroupName", "PolicyNames.member.#", "MaxRecords", "NextToken"],
        "DescribeLaunchConfigurations" => &["LaunchConfigurationNames.member.#", "MaxRecords", "NextToken"],
        "UpdateAutoScalingGroup" => &[
            "AutoScalingGroupName",
            "DesiredCapacity",
            "LaunchTemplate.LaunchTemplateId",
            "LaunchTemplate.LaunchTemplateName",
            "LaunchTemplate.Version",
            "MaxSize",
            "MinSize",
            "MixedInstancesPolicy.*",
            "NewInstancesProtectedFromScaleIn",
        ],
        "SetDesiredCapacity" => &["AutoScalingGroupName", "DesiredCapacity", "HonorCooldown"],
        "SuspendProcesses" | "ResumeProcesses" => &["AutoScalingGroupName", "ScalingProcesses.member.#"],
        "CreateOrUpdateTags" | "DeleteTags" => &[
            "Tags.member.#.Key",
            "Tags.member.#.PropagateAtLaunch",
            "Tags.member.#.ResourceId",
            "Tags.member.#.ResourceType",
            "Tags.member.#.Value",
        ],
        "LaunchInstances" => &[
            "AutoScalingGroupName",
            "AvailabilityZones.member.#",
            "ClientToken",
            "RequestedCapacity",
            "RetryStrategy",
            "SubnetIds.member.#",
        ],
        "TerminateInstanceInAutoScalingGroup" => &["InstanceId", "ShouldDecrementDesiredCapacity"],
        "SetInstanceProtection" => &["AutoScalingGroupName", "InstanceIds.member.#", "ProtectedFromScaleIn"],
        "EnterStandby" => &["AutoScalingGroupName", "InstanceIds.member.#", "ShouldDecrementDesiredCapacity"],
        "ExitStandby" => &["AutoScalingGroupName", "InstanceIds.member.#"],
        "CompleteLifecycleAction" => {
            &["AutoScalingGroupName", "InstanceId", "LifecycleActionResult", "LifecycleHookName"]
        }
        "RecordLifecycleActionHeartbeat" => &["AutoScalingGroupName", "InstanceId", "LifecycleHookName"],
        _ => return None,
    })
}

/// An action of EC2, and what it takes.
pub(super) fn ec2(action: &str) -> Option<&'static [&'static str]> {
    Some(match action {
        "DescribeInstances" => &[
            "Filter.#.Name",
            "Filter.#.Value.#",
            "IncludeManagedResources",
            "InstanceId.#",
            "MaxResults",
            "NextToken",
        ],
        "DescribeInstanceStatus" => {
            &["IncludeAllInstances", "IncludeManagedResources", "InstanceId.#", "MaxResults", "NextToken"]
        }
        "TerminateInstances" => &["DryRun", "InstanceId.#"],
        "DescribeImages" => &[
            "Filter.#.Name",
            "Filter.#.Value.#",
            "ImageId.#",
            "IncludeDeprecated",
            "IncludeDisabled",
            "MaxResults",
            "NextToken",
        ],
        "DescribeSubnets" => &["Filter.#.Name", "Filter.#.Value.#", "MaxResults", "NextToken", "SubnetId.#"],
        "DescribeSecurityGroups" => {
            &["Filter.#.Name", "Filter.#.Value.#", "GroupId.#", "MaxResults", "NextToken"]
        }
        "DescribeAvailabilityZones" => &[],
        "DescribeInstanceTypes" => {
            &["Filter.#.Name", "Filter.#.Value.#", "InstanceType.#", "MaxResults", "NextToken"]
        }
        "DescribeInstanceTypeOfferings" => {
            &["Filter.#.Name", "Filter.#.Value.#", "LocationType", "MaxResults", "NextToken"]
        }
        "DescribeKeyPairs" => &["KeyName.#"],
        "DescribeLaunchTemplates" => &[
            "IncludeManagedResources",
            "LaunchTemplateId.#",
            "LaunchTemplateName.#",
            "MaxResults",
            "NextToken",
        ],
        "DescribeLaunchTemplateVersions" => &[
            "IncludeManagedResources",
            "LaunchTemplateId",
            "LaunchTemplateName",
            "LaunchTemplateVersion.#",
            "MaxResults",
            "NextToken",
            "ResolveAlias",
        ],
        "CreateLaunchTemplateVersion" => &[
            "ClientToken",
            "LaunchTemplateData.ImageId",
            "LaunchTemplateData.UserData",
            "LaunchTemplateId",
            "LaunchTemplateName",
            "SourceVersion",
            "VersionDescription",
        ],
        _ => return None,
    })
}

/// An action of IAM or Elastic Load Balancing, and what it takes.
pub(super) fn others(action: &str) -> Option<&'static [&'static str]> {
    Some(match action {
        "GetInstanceProfile" => &["InstanceProfileName"],
        "GetRole" => &["RoleName"],
        "SimulatePrincipalPolicy" => {
            &["ActionNames.member.#", "Marker", "MaxItems", "PolicySourceArn", "ResourceArns.member.#"]
        }
        "DescribeInstanceHealth" => &["LoadBalancerName"],
        "DescribeTargetGroups" => &["Marker", "PageSize", "TargetGroupArns.member.#"],
        "DescribeTargetGroupAttributes" | "DescribeTargetHealth" => &["TargetGroupArn"],
        _ => return None,
    })
}

/// The first parameter of a request that an action does not take.
pub(super) fn stranger<'q>(query: &'q Query, known: &[&str]) -> Option<&'q str> {
    query.names().find(|name| {
        let shape: String = name
            .split('.')
            .map(|part| if is_number(part) { "#" } else { part })
            .collect::<Vec<_>>()
            .join(".");
        // A list with nothing in it is written as its bare name.
        let fits = |taken: &&str| match taken.strip_suffix('*') {
            Some(start) => shape.starts_with(start),
            None => shape == **taken || taken.strip_prefix(&shape).is_some_and(is_list),
        };
        !of_every_request(name) && !known.iter().any(fits)
    })
}

/// Whether a part is the number of an item. One that is too large to be one would be passed over.
fn is_number(part: &str) -> bool {
    !part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok()
}

fn is_list(rest: &str) -> bool {
    matches!(rest, ".#" | ".member.#")
}

/// What names the action and its version, and what signs a request in its address.
fn of_every_request(name: &str) -> bool {
    matches!(name, "Action" | "Version") || name.starts_with("X-Amz-")
}
