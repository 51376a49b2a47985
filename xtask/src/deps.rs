//! What we depend on: licences that go with ours, and no crate twice without a reason.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;

use crate::process::metadata;

/// Licences that Apache-2.0 software may be made of.
const LICENCES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0", // of data: Mozilla's list of certificate authorities
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

/// Crates that are there in two versions, and why.
const DOUBLED: &[(&str, &str)] = &[
    ("syn", "derive macros of the ecosystem are half-way from 2 to 3; build time only"),
    ("getrandom", "tempfile and ahash are at different ones; tests only"),
    ("base64", "k8s-openapi is at the one before"),
    ("hashbrown", "kube and indexmap are at different ones"),
    ("jiff", "kube and k8s-openapi speak 0.2, our own dates are at 1"),
    ("jiff-core", "comes with jiff"),
    ("jiff-static", "comes with jiff"),
    ("windows-sys", "ring is at an old one; in the lock file, not compiled here"),
    ("block-buffer", "aws-config (SSO's cached tokens) is at an older sha1 than its own sibling aws-sigv4"),
    ("cpufeatures", "comes with sha1 and proptest"),
    ("crypto-common", "comes with digest"),
    ("digest", "aws-config is at an older sha1 than aws-sigv4"),
    ("r-efi", "comes with getrandom, for UEFI; not compiled here"),
];

pub(crate) fn run(_root: &Path) -> anyhow::Result<()> {
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        versions.entry(name).or_default().push(package["version"].as_str().unwrap_or_default());
        let licence = package["license"].as_str().unwrap_or_default();
        if !allowed(licence) {
            wrong.push(format!("{name}: its licence `{licence}` is not on the list"));
        }
    }
    for (name, versions) in &versions {
        if versions.len() > 1 && !DOUBLED.iter().any(|(known, _)| known == name) {
            wrong.push(format!(
                "{name} is there in {} versions ({}); unify them, or give the reason",
                versions.len(),
                versions.join(", ")
            ));
        }
    }
    for (name, _) in DOUBLED {
        if versions.get(name).is_none_or(|versions| versions.len() < 2) {
            wrong.push(format!("{name} is no longer there twice: take it off the list"));
        }
    }
    if wrong.is_empty() {
        println!("deps: {} packages, licences and versions as they should be", packages.len());
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

/// Whether an SPDX expression can be met from the list: each part of an AND, one part of an OR.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    !expression.trim().is_empty()
        && expression.split(" AND ").all(|all| all.split(" OR ").any(|one| LICENCES.contains(&one.trim())))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_met_from_the_list() {
        for (expression, expected) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("", false),
        ] {
            assert_eq!(allowed(expression), expected, "{expression}");
        }
    }
}
