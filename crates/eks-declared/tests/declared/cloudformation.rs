//! CloudFormation templates.

use crate::check;

const TEMPLATE: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Version:
    Type: String
    Default: "1.34"
  Image:
    Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
    Default: /aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id
  Stage: {Type: String, Default: prod}
  Name: {Type: String}
Mappings:
  Versions:
    prod: {coredns: v1.13.2-eksbuild.24}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Cluster:
    Type: AWS::EKS::Cluster
    Properties:
      Name: shop
      Version: !Ref Version
      UpgradePolicy: {SupportType: EXTENDED}
  Web:
    Type: AWS::EKS::Nodegroup
    Properties:
      ClusterName: !Ref Cluster
      Version: !If [IsProd, !Ref Version, "1.30"]
      AmiType: AL2023_x86_64_STANDARD
  Old:
    Type: AWS::EKS::Nodegroup
    Properties:
      NodegroupName: old
      ClusterName: !GetAtt Cluster.Name
      AmiType: AL2_x86_64
  Dns:
    Type: AWS::EKS::Addon
    Properties:
      ClusterName: !Ref Cluster
      AddonName: coredns
      AddonVersion: !FindInMap [Versions, !Ref Stage, coredns]
  Proxy:
    Type: AWS::EKS::Addon
    Properties: {ClusterName: shop, AddonName: kube-proxy}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData: {ImageId: !Ref Image}
  Own:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      LaunchTemplate: {LaunchTemplateId: !If [IsProd, !Ref Template, !Ref Other], Version: "1"}
      Tags:
      - {Key: !Sub "kubernetes.io/cluster/shop", Value: owned, PropagateAtLaunch: true}
  Unrelated:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: {LaunchTemplate: {LaunchTemplateName: web, Version: "1"}}
"#;

const EXPECTED: [&str; 6] = [
    "cluster shop 1.34 @t.yaml:5:14",
    "  support EXTENDED @t.yaml:22:36",
    // The control plane's own value: it goes with it.
    "  managed node group Web - follows, Amazon Linux 2023 @t.yaml:28:16",
    "  managed node group old -, Amazon Linux 2 @t.yaml:34:16",
    "  self-managed node group Own 1.33 @t.yaml:8:14, Amazon Linux 2023 @t.yaml:8:14",
    "  add-on coredns v1.13.2-eksbuild.24 @t.yaml:13:21",
];

#[test]
fn short_tags_parameters_mappings_and_conditions_are_followed() {
    let mut expected = EXPECTED.to_vec();
    expected.push("  add-on kube-proxy -");
    check(&[("t.yaml", TEMPLATE)], &expected);
}

#[test]
fn a_template_in_json_says_the_same() {
    check(
        &[(
            "t.json",
            r#"{
  "Parameters": {"V": {"Type": "String", "Default": "1.34"}},
  "Resources": {
    "Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Version": {"Ref": "V"}}},
    "Nodes": {"Type": "AWS::EKS::Nodegroup", "Properties": {"ClusterName": {"Ref": "Cluster"}, "ReleaseVersion": "1.33.5-20260101"}}
  }
}"#,
        )],
        &["cluster Cluster 1.34 @t.json:2:53", "  managed node group Nodes 1.33.5 @t.json:5:114, -"],
    );
}

#[test]
fn what_is_settled_outside_is_not_guessed() {
    let template = |version: &str| {
        format!(
            "Parameters:\n  V: {{Type: String}}\nResources:\n  C:\n    Type: AWS::EKS::Cluster\n    Properties:\n      Version: {version}\n"
        )
    };
    for (version, reason) in [
        ("!Ref V", "parameter V has no default in the template"),
        ("!ImportValue x", "it is imported from another stack"),
        ("!If [Nowhere, '1.33', '1.34']", "it depends on a condition that is settled outside"),
        ("!FindInMap [M, a, b]", "there is no M.a.b in its mappings"),
        ("!GetAtt Other.Version", "it is an attribute of a resource"),
    ] {
        // The place is that of what the tag is put to.
        let column = 17 + version.find(' ').unwrap();
        check(
            &[("t.yaml", &template(version))],
            &[
                "cluster C ?",
                &format!("not read @t.yaml:7:{column}: the version of cluster \"C\" is not known: {reason}"),
            ],
        );
    }
    // Both ways lead to the same.
    check(&[("t.yaml", &template("!If [Nowhere, '1.33', '1.33']"))], &["cluster C 1.33 @t.yaml:7:30"]);
}

#[test]
fn parameters_that_go_in_a_circle_end() {
    check(
        &[(
            "t.yaml",
            "Conditions:\n  A: !Condition B\n  B: !Condition A\nResources:\n  C:\n    Type: AWS::EKS::Cluster\n    Properties: {Version: !If [A, '1.33', '1.34']}\n",
        )],
        &[
            "cluster C ?",
            "not read @t.yaml:7:31: the version of cluster \"C\" is not known: it depends on a condition that is settled outside",
        ],
    );
}

#[test]
fn what_a_loop_makes_is_said() {
    let text = "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::C:\n  - N\n  - [A, B]\n  - 'C${N}': {Type: AWS::EKS::Cluster, Properties: {Version: '1.30'}}\n";
    check(
        &[("t.yaml", text)],
        &[
            "not read @t.yaml:4:5: Fn::ForEach::C makes EKS resources, and is worked out by CloudFormation alone; check the processed template",
        ],
    );
    // Loops over other things are none of ours.
    check(&[("t.yaml", &text.replace("AWS::EKS::Cluster", "AWS::S3::Bucket"))], &[]);
}

#[test]
fn what_the_cdk_synthesises_is_read() {
    let text = "{\n  \"Resources\": {\n    \"C9F\": {\"Type\": \"Custom::AWSCDK-EKS-Cluster\", \"Properties\": {\"Config\": {\"name\": \"shop\",\n      \"version\": \"1.31\"}}},\n    \"N\": {\"Type\": \"AWS::EKS::Nodegroup\", \"Properties\": {\"ClusterName\": {\"Ref\": \"C9F\"}}}\n  }\n}\n";
    check(&[("t.json", text)], &["cluster shop 1.31 @t.json:4:18", "  managed node group N -, -"]);
}

#[test]
fn functions_stand_in_for_whole_blocks() {
    let head = "Parameters: {P: {Default: 'y'}}\nConditions:\n  Yes: !Equals [!Ref P, 'y']\n  Open: !Equals [!Ref Q, 'y']\n  And: !And [!Condition Open, !Not [!Condition Yes]]\n";
    let text = format!(
        "{head}Resources:\n  C:\n    Type: AWS::EKS::Cluster\n    Properties:\n      Version: '1.36'\n      UpgradePolicy: !If [Yes, {{SupportType: STANDARD}}, !Ref AWS::NoValue]\n  L:\n    Type: AWS::EC2::LaunchTemplate\n    Properties: {{LaunchTemplateData: {{ImageId: '{{{{resolve:ssm:/aws/service/eks/optimized-ami/1.30/amazon-linux-2023/x86_64/standard/recommended/image_id}}}}'}}}}\n  N:\n    Type: AWS::EKS::Nodegroup\n    Properties:\n      ClusterName: !Ref C\n      LaunchTemplate: !If [Yes, {{Id: !Ref L}}, !Ref AWS::NoValue]\n  Never:\n    Type: AWS::EKS::Cluster\n    Condition: And\n    Properties: {{Version: '1.20'}}\n"
    );
    check(
        &[("t.yaml", &text)],
        &[
            "cluster C 1.36 @t.yaml:10:16",
            "  support STANDARD @t.yaml:11:46",
            "  managed node group N 1.30 @t.yaml:14:48, Amazon Linux 2023 @t.yaml:14:48",
        ],
    );
}

#[test]
fn functions_of_functions_end() {
    let mut text = "Conditions:\n  A0: !Equals [!Ref X, 'y']\n".to_owned();
    for n in 1..8 {
        let parts = vec![format!("!Condition A{}", n - 1); 30].join(", ");
        text.push_str(&format!("  A{n}: !And [{parts}]\n"));
    }
    text.push_str("Parameters:\n  P0: {Default: x}\n");
    for n in 1..12 {
        let parts = vec![format!("!Ref P{}", n - 1); 10].join(", ");
        text.push_str(&format!("  P{n}: {{Default: !Join ['', [{parts}]]}}\n"));
    }
    text.push_str("Resources:\n  C:\n    Type: AWS::EKS::Cluster\n    Condition: A7\n    Properties: {Version: !Ref P11}\n");
    let found = crate::lines(&crate::read(&[("t.yaml", &text)]));
    assert!(found.last().is_some_and(|last| last.contains("takes more work than any real one")), "{found:?}");
}
