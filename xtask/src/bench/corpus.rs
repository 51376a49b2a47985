//! A tree to measure on, made from a fixed seed and the example in the repository.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// To be raised when the generator changes, so that trees made before are made anew.
const GENERATION: u32 = 3;

/// What was made: the files that hold, or may hold, manifests.
pub(super) struct Made {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Numbers that look random and are the same in every run: SplitMix64
/// (<https://prng.di.unimi.it/splitmix64.c>).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Makes a tree of so many bytes, unless it is there.
pub(super) fn make(folder: &Path, bytes: u64) -> anyhow::Result<Made> {
    let marker = folder.with_extension("made");
    if let Some(made) = fs::read_to_string(&marker).ok().as_deref().and_then(read_marker) {
        return Ok(made);
    }
    drop(fs::remove_dir_all(folder));
    let mut seed = Seeded(20_261_124);
    let mut made = Made { files: 0, bytes: 0 };
    let mut at = folder.to_owned();
    for number in 0.. {
        if made.bytes >= bytes {
            break;
        }
        if number % 12 == 0 {
            at = folder.join(format!("team-{}/app-{}", seed.below(97), number / 12));
            fs::create_dir_all(&at).with_context(|| format!("{} cannot be made", at.display()))?;
        }
        // In public repositories there are about three other files to two manifests.
        if seed.below(5) < 3 {
            fs::write(at.join(format!("source-{number}.go")), "package main\n".repeat(300))?;
            continue;
        }
        let (name, text) = file(&mut seed, number);
        fs::write(at.join(name), &text)?;
        made.files += 1;
        made.bytes += text.len() as u64;
    }
    fs::write(&marker, format!("{GENERATION} {} {}", made.files, made.bytes))?;
    Ok(made)
}

fn read_marker(text: &str) -> Option<Made> {
    let mut words = text.split(' ');
    let same = words.next()?.parse() == Ok(GENERATION);
    let made = Made { files: words.next()?.parse().ok()?, bytes: words.next()?.parse().ok()? };
    same.then_some(made)
}

/// Ten files, as a pull request changes them.
pub(super) fn make_ten(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut seed = Seeded(10);
    for number in 0..10 {
        let mut text = String::new();
        for _ in 0..3 {
            small(&mut seed, &mut text);
        }
        fs::write(folder.join(format!("f{number}.yaml")), text)?;
    }
    Ok(())
}

/// One file, in the proportions of public repositories: mostly small objects, some large CRDs,
/// charts' templates, JSON, and files that are no manifests.
fn file(seed: &mut Seeded, number: u64) -> (String, String) {
    let mut text = String::new();
    match seed.below(100) {
        0..=1 => {
            for _ in 0..=seed.below(4) {
                definition(seed, &mut text);
            }
            (format!("crd-{number}.yaml"), text)
        }
        2..=5 => {
            dashboard(seed, &mut text);
            (format!("dashboard-{number}.json"), text)
        }
        6..=29 => {
            template(seed, &mut text);
            (format!("template-{number}.yaml"), text)
        }
        30..=39 => {
            for key in 0..seed.below(200) {
                let value = seed.next();
                append(
                    &mut text,
                    format_args!("key{key}:\n  # explains it\n  enabled: true\n  value: \"{value:x}\"\n"),
                );
            }
            (format!("values-{number}.yaml"), text)
        }
        40 => {
            text.push_str(include_str!("../../../examples/shop/base/web.yaml"));
            (format!("example-{number}.yaml"), text)
        }
        41..=44 => {
            for _ in 0..20 + seed.below(60) {
                small(seed, &mut text);
            }
            (format!("rendered-{number}.yaml"), text)
        }
        45..=48 => {
            terraform(seed, number, &mut text);
            (format!("main-{number}.tf"), text)
        }
        49 => {
            let (minor, name) = (33 + seed.below(5), seed.below(1_000_000));
            append(
                &mut text,
                format_args!(
                    "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: c-{name}\n  region: eu-west-1\n  version: \"1.{minor}\"\nmanagedNodeGroups:\n- name: web\n  amiFamily: AmazonLinux2023\naddons:\n- name: vpc-cni\n  version: v1.20.1-eksbuild.3\n"
                ),
            );
            (format!("cluster-{number}.yaml"), text)
        }
        _ => {
            for _ in 0..=seed.below(5) {
                small(seed, &mut text);
            }
            (format!("object-{number}.yaml"), text)
        }
    }
}

/// Mostly resources that have nothing to do with EKS; one file in ten calls the module of a cluster.
fn terraform(seed: &mut Seeded, number: u64, text: &mut String) {
    for bucket in 0..2 + seed.below(12) {
        append(
            text,
            format_args!(
                "resource \"aws_s3_bucket\" \"b{number}_{bucket}\" {{\n  bucket = \"${{var.prefix_{number}}}-{bucket}\"\n  tags = {{\n    team    = local.team_{number}\n    purpose = \"logs\"\n  }}\n}}\n\n"
            ),
        );
    }
    append(
        text,
        format_args!(
            "variable \"prefix_{number}\" {{\n  default = \"shop\"\n}}\n\nlocals {{\n  team_{number} = \"a\"\n}}\n"
        ),
    );
    if seed.below(10) == 0 {
        let minor = 33 + seed.below(5);
        append(
            text,
            format_args!(
                "\nmodule \"eks_{number}\" {{\n  source             = \"terraform-aws-modules/eks/aws\"\n  version            = \"~> 21.0\"\n  name               = \"${{var.prefix_{number}}}-{number}\"\n  kubernetes_version = \"1.{minor}\"\n  addons = {{\n    coredns = {{}}\n    vpc-cni = {{ addon_version = \"v1.20.1-eksbuild.3\" }}\n  }}\n  eks_managed_node_groups = {{\n    web   = {{}}\n    batch = {{ kubernetes_version = \"1.{minor}\" }}\n  }}\n}}\n"
            ),
        );
    }
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.push_str(&arguments.to_string());
}

fn small(seed: &mut Seeded, text: &mut String) {
    let id = seed.below(1_000_000);
    match seed.below(200) {
        // A controller whose version matters to the upgrade.
        199 => append(
            text,
            format_args!(
                "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ca-{id}\n  namespace: kube-system\nspec:\n  template:\n    spec:\n      containers:\n      - name: cluster-autoscaler\n        image: registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.1\n"
            ),
        ),
        0 => append(
            text,
            format_args!(
                "---\napiVersion: storage.k8s.io/v1beta1\nkind: VolumeAttributesClass\nmetadata:\n  name: class-{id}\n"
            ),
        ),
        1..=40 => append(
            text,
            format_args!(
                "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: svc-{id}\n  namespace: shop\nspec:\n  selector: {{app: web}}\n  ports:\n  - port: 80\n    targetPort: http\n    protocol: TCP\n"
            ),
        ),
        41..=70 => {
            append(
                text,
                format_args!(
                    "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm-{id}\ndata:\n  run.sh: |\n"
                ),
            );
            for line in 0..seed.below(80) {
                append(
                    text,
                    format_args!("    echo \"step {line}\" && curl -s http://example.com/{line} # go on\n"),
                );
            }
        }
        _ => append(
            text,
            format_args!(
                "---\n# A web server.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{id}\n  namespace: shop\n  labels:\n    app.kubernetes.io/name: web\n    app.kubernetes.io/version: \"1.{id}\"\n  annotations:\n    example.com/owner: 'team a'\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: web\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: web\n    spec:\n      containers:\n      - name: web\n        image: registry.example.com:5000/web:1.{id}\n        args: [\"--port\", \"8080\"]\n        ports:\n        - containerPort: 8080\n          name: http\n        resources:\n          requests:\n            cpu: 100m\n            memory: 128Mi\n          limits: {{}}\n        env:\n        - name: MODE\n          value: \"production\"\n        - name: ADDRESS\n          valueFrom:\n            fieldRef:\n              fieldPath: status.podIP\n"
            ),
        ),
    }
}

fn definition(seed: &mut Seeded, text: &mut String) {
    let id = seed.below(1_000_000);
    append(
        text,
        format_args!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things-{id}.example.com\nspec:\n  group: example.com\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        properties:\n"
        ),
    );
    for property in 0..150 + seed.below(900) {
        append(
            text,
            format_args!(
                "          property{property}:\n            description: The value that is used for number {property} of this object, when the controller\n              looks at it; see the documentation for what it means.\n            type: string\n            enum:\n            - a\n            - b\n"
            ),
        );
        if property % 9 == 0 {
            text.push_str("            x-rule: 'self.a == ''b'' ||\n              self.c'\n");
        }
    }
}

fn dashboard(seed: &mut Seeded, text: &mut String) {
    text.push_str("{\n  \"panels\": [\n");
    let panels = 5 + seed.below(60);
    for panel in 0..panels {
        let comma = if panel + 1 < panels { "," } else { "" };
        append(
            text,
            format_args!(
                "    {{\n      \"id\": {panel},\n      \"title\": \"panel {panel}\",\n      \"targets\": [{{\"expr\": \"sum(rate(http_requests_total{{job=\\\"web\\\"}}[5m])) by (code)\"}}]\n    }}{comma}\n"
            ),
        );
    }
    text.push_str("  ],\n  \"schemaVersion\": 36\n}\n");
}

fn template(seed: &mut Seeded, text: &mut String) {
    let id = seed.below(1_000);
    append(
        text,
        format_args!(
            "{{{{- if .Values.feature{id}.enabled }}}}\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: {{{{ include \"chart.fullname\" . }}}}\n  labels:\n    {{{{- include \"chart.labels\" . | nindent 4 }}}}\nspec:\n"
        ),
    );
    for line in 0..seed.below(40) {
        append(
            text,
            format_args!(
                "  field{line}: {{{{ .Values.feature{id}.value{line} | default \"x\" | quote }}}}\n"
            ),
        );
    }
    text.push_str("{{- end }}\n");
}
