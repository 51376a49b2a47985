//! How fast text is scanned in memory: the line reader, the complete parser, and the limit that
//! looking at each line once sets. Compare within one run.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use eks_deprecations::{Format, scan_by_parser, scan_with};

fn main() {
    divan::main();
}

/// A few megabytes in the style of real trees: small objects, a large CRD, data, templates.
fn text(template: bool) -> String {
    let mut text = String::new();
    for number in 0..4_000 {
        text.push_str(&format!(
            "---\n# Source: shop/templates/web-{number}.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{number}\n  namespace: shop\n  labels:\n    app.kubernetes.io/name: web\n    \"helm.sh/chart\": web-1.2.3\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - name: web\n        image: registry.example.com:5000/web:1.2.{number}\n        args: [\"--listen\", \":8080\", --verbose]\n        env:\n        - name: MODE\n          value: 'it''s fine'\n        description: plain text that goes on\n          over two lines\n"
        ));
        if number % 16 == 0 {
            text.push_str("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  script: |\n");
            for line in 0..60 {
                text.push_str(&format!("    echo \"line {line}: $HOME\" | sed 's/a/b/'\n"));
            }
        }
        if template && number % 4 == 0 {
            text.push_str("---\n{{- if .Values.a }}\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: {{ .n }}\n{{- end }}\n");
        }
    }
    text
}

#[divan::bench]
fn limit_count_lines(bencher: Bencher<'_, '_>) {
    let text = text(false);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| memchr::memchr_iter(b'\n', black_box(text.as_bytes())).count());
}

#[divan::bench]
fn manifests_by_lines(bencher: Bencher<'_, '_>) {
    let text = text(false);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| scan_with(black_box(text.as_bytes()), Format::Manifest, &|_, _| false).objects);
}

#[divan::bench]
fn manifests_by_parser(bencher: Bencher<'_, '_>) {
    let text = text(false);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| scan_by_parser(black_box(text.as_bytes()), Format::Manifest, &|_, _| false).objects);
}

#[divan::bench]
fn with_templates(bencher: Bencher<'_, '_>) {
    let text = text(true);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| scan_with(black_box(text.as_bytes()), Format::Manifest, &|_, _| false).objects);
}
