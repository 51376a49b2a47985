//! Which files may hold manifests, by their names.

use std::path::Path;

use eks_declared::Name;
use eks_deprecations::Format;

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text with manifests in it, and maybe with declarations.
    Text(Format),
    /// A file of Terraform.
    Terraform,
    /// A CloudFormation template, if what is in it says so.
    Template,
}

impl Default for Kind {
    fn default() -> Self {
        Self::Text(Format::Manifest)
    }
}

/// What a file of this name is read as; `None` when it is no business of ours.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    match eks_declared::by_name(name) {
        Some(Name::Terraform) => Some(Kind::Terraform),
        Some(Name::Template) => match format_of(name) {
            Some(format) => Some(Kind::Text(format)),
            None => Some(Kind::Template),
        },
        // A kustomization needs no suffix.
        Some(Name::Chart) => Some(Kind::Text(format_of(name).unwrap_or_default())),
        None => format_of(name).map(Kind::Text),
    }
}

/// As [`kind_of`], of the last part of a path.
pub(crate) fn kind_of_path(path: &Path) -> Option<Kind> {
    path.file_name().and_then(|name| kind_of(&name.to_string_lossy()))
}

/// What people put behind `.yaml` for texts that become YAML.
const SUFFIXES: [&str; 19] = [
    "tmpl", "tpl", "template", "gotmpl", "gtpl", "j2", "jinja", "jinja2", "erb", "mustache", "hbs", "in",
    "dist", "example", "sample", "injected", "golden", "envsubst", "tftpl",
];

/// What a file of this name is meant to be; `None` when it is no business of ours.
fn format_of(name: &str) -> Option<Format> {
    // Nearly all names are settled by this, without an allocation.
    match extension(name) {
        Some("yaml" | "yml") => return Some(Format::Manifest),
        Some("json") => return Some(Format::Json),
        _ => {}
    }
    let name = name.to_ascii_lowercase();
    let mut stem = name.as_str();
    let mut templated = false;
    loop {
        match extension(stem) {
            Some("yaml" | "yml" | "ndjson" | "jsonl" | "kubeconfig") => return Some(Format::Manifest),
            Some("json") => return Some(if templated { Format::Manifest } else { Format::Json }),
            Some(suffix) if SUFFIXES.contains(&suffix) => {
                templated = true;
                stem = stem.strip_suffix(suffix).and_then(|stem| stem.strip_suffix('.')).unwrap_or_default();
            }
            _ if stem == "kubeconfig" => return Some(Format::Manifest),
            _ => break,
        }
    }
    (extension(&name) == Some("tpl")).then_some(Format::Helpers)
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is_meant_to_be() {
        for (name, format) in [
            ("a.yaml", Some(Format::Manifest)),
            ("a.YML", Some(Format::Manifest)),
            ("a.json", Some(Format::Json)),
            ("a.ndjson", Some(Format::Manifest)),
            ("a.yaml.tmpl", Some(Format::Manifest)),
            ("a.yml.j2", Some(Format::Manifest)),
            ("a.yaml.template.in", Some(Format::Manifest)),
            ("a.json.tpl", Some(Format::Manifest)),
            ("_helpers.tpl", Some(Format::Helpers)),
            ("kubeconfig", Some(Format::Manifest)),
            ("prod.kubeconfig", Some(Format::Manifest)),
            ("README.md", None),
            ("Makefile.in", None),
            ("yaml", None),
            (".yaml", Some(Format::Manifest)),
            ("", None),
        ] {
            assert_eq!(format_of(name), format, "{name}");
        }
    }

    #[test]
    fn declarations_are_known_by_their_names_too() {
        for (name, kind) in [
            ("main.tf", Some(Kind::Terraform)),
            ("main.tf.json", Some(Kind::Terraform)),
            ("Kustomization", Some(Kind::Text(Format::Manifest))),
            ("main.tofu", Some(Kind::Terraform)),
            ("main.tofu.json", Some(Kind::Terraform)),
            ("prod.auto.tfvars", Some(Kind::Terraform)),
            ("prod.tfvars.json", Some(Kind::Terraform)),
            ("cluster.template", Some(Kind::Template)),
            ("cluster.yaml.template", Some(Kind::Text(Format::Manifest))),
            ("cluster.yaml", Some(Kind::Text(Format::Manifest))),
            ("plan.json", Some(Kind::Text(Format::Json))),
            ("main.tftpl", None),
            ("terraform.tfstate", None),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
