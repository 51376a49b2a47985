//! What a scenario may not say, and how it is told: with the line, and with what is allowed.

use eks_sim::World;

const GOOD: &str = "scenario: 1
start: 2026-11-24T12:00:00Z
network:
  subnets:
    - { id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/22 }
    - { id: subnet-b, zone: eu-west-1b, cidr: 10.0.4.0/22 }
clusters:
  - { name: shop, version: '1.34', addons: [{ name: coredns }], nodeGroups: [{ name: system, min: 1, max: 2, desired: 1 }] }
launchTemplates:
  - { name: web, versions: [{ amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34' }] }
targetGroups: [{ name: front }]
autoScalingGroups:
  - { name: api, launchTemplate: { name: web, version: '1' }, min: 0, max: 9, desired: 1, healthCheckType: 'EC2,ELB', suspendedProcesses: [AZRebalance] }
";

#[test]
fn what_cannot_be_is_told_with_its_line_and_what_is_allowed() {
    assert!(World::from_scenario(GOOD).is_ok());
    for (from, to, said) in [
        (
            "AZRebalance",
            "AZRebalanec",
            "line 13: `AZRebalanec` is not allowed for suspendedProcesses; it is one of ",
        ),
        ("EC2,ELB", "EC2,ELBB", "line 13: `ELBB` is not allowed for healthCheckType"),
        (
            "desired: 1, health",
            "desired: 1, terminationPolicies: [Oldest], health",
            "line 13: `Oldest` is not allowed",
        ),
        (
            "desired: 1, health",
            "desired: 1, zoneDistribution: even, health",
            "balanced-best-effort, balanced-only",
        ),
        (
            "desired: 1, health",
            "desired: 1, terminateHookAbandon: keep, health",
            "it is one of retain, terminate",
        ),
        ("max: 9, desired: 1", "max: 4000000000, desired: 4000000000", "it has 20000 at most"),
        ("max: 2, desired: 1", "max: 4294967295, desired: 4294967295", "it has 20000 at most"),
        (
            "desired: 1, health",
            "desired: 1, instances: [{ zone: eu-west-1a, count: 4294967295, standby: true }, { zone: eu-west-1a, count: 9, standby: true }], health",
            "in standby",
        ),
        (
            "desired: 1, health",
            "desired: 1, scheduledActions: [{ name: up, recurrence: '0 8 * * 1-5', min: 9, max: 2 }], health",
            "line 13: up sets sizes",
        ),
        (
            "desired: 1, health",
            "desired: 1, hooks: [{ name: a, heartbeatSeconds: 60 }, { name: a, heartbeatSeconds: 90 }], health",
            "hook a stands twice",
        ),
        (
            "[{ name: front }]",
            "[{ name: front }, { name: front }]",
            "line 11: target group front stands twice",
        ),
        (
            "[{ name: front }]",
            "[{ name: front, deregistrationDelaySeconds: 3601 }]",
            "line 11: the deregistration delay",
        ),
        (
            "[{ name: coredns }]",
            "[{ name: coredns }, { name: coredns }]",
            "line 8: add-on coredns stands twice",
        ),
        (
            "max: 2, desired: 1",
            "max: 2, desired: 1, maxUnavailable: 0",
            "line 8: maxUnavailable of system is between 1 and 100",
        ),
        ("max: 2, desired: 1", "max: 2, desired: 1, maxUnavailablePercentage: 101", "between 1 and 100"),
        (
            "max: 2, desired: 1",
            "max: 2, desired: 1, maxUnavailable: 1, maxUnavailablePercentage: 1",
            "maxUnavailable or maxUnavailablePercentage, not both",
        ),
        ("name: shop", "name: 'sh/op'", "line 8: `sh/op` is no name of a cluster"),
        (
            "version: '1.34', addons",
            "version: '1.34', createdVersion: '1.35', addons",
            "not created at a later version",
        ),
        (
            "10.0.4.0/22",
            "10.0.2.0/23",
            "line 6: the addresses of subnet subnet-b are those of subnet-a as well",
        ),
        (
            "10.0.4.0/22",
            "10.0.5.0/22",
            "line 6: `10.0.5.0/22` does not begin where a block of its size begins",
        ),
        ("eu-west-1b", "us-east-1b", "line 6: zone `us-east-1b` of subnet subnet-b is not in eu-west-1"),
        (
            "scenario: 1",
            "scenario: 1\naccount: '12'",
            "line 2: `12` is no account: an account is twelve digits",
        ),
        ("network:", "network:\n  addressesPerInstance: 0", "line 4: an instance takes one address at least"),
        (
            "targetGroups:",
            "faults: { calls: [{ fault: throttled, when: { permille: 1001 } }] }\ntargetGroups:",
            "line 11: a chance",
        ),
    ] {
        let scenario = GOOD.replace(from, to);
        assert_ne!(scenario, GOOD, "{from} is in the scenario");
        let error = World::from_scenario(&scenario).unwrap_err().to_string();
        assert!(error.contains(said), "{to}: {error}");
    }
}
