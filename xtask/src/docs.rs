//! Documents that are generated: docs/rules.md.

use std::fmt::Write as _;
use std::path::Path;

use eks_model::Rule;

use crate::process::ensure_file;

pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    ensure_file(&root.join("docs/rules.md"), &rules_page()?, check, "cargo xtask docs")?;
    if check {
        println!("docs: docs/rules.md is current");
    }
    Ok(())
}

/// The rules of all crates, in the order of their documentation.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let (apis, versions, addons) =
        (eks_deprecations::rules::ALL, eks_skew::rules::ALL, eks_addons::rules::ALL);
    apis.into_iter().chain(versions).chain(addons)
}

fn rules_page() -> anyhow::Result<String> {
    let mut page = String::from(
        "# Rules\n\nGenerated from the rules in the code by `cargo xtask docs`; do not edit.\n\n| rule | finds |\n|---|---|\n",
    );
    for rule in rules() {
        writeln!(page, "| [{}](#{}) | {} |", rule.id, rule.id.to_lowercase(), rule.title)?;
    }
    for rule in rules() {
        writeln!(page, "\n## {}\n\n**{}**\n", rule.id, rule.title)?;
        for (heading, text) in rule.sections() {
            writeln!(page, "### {heading}\n\n{text}\n")?;
        }
        let example = rule.example;
        writeln!(page, "### Example\n")?;
        if let Some(before) = example.before {
            writeln!(page, "Found in a change (`--base`) from:\n\n```yaml\n{before}```\n\nto:\n")?;
        } else {
            writeln!(page, "Found from 1.{} to 1.{}:\n", example.from, example.to)?;
        }
        writeln!(page, "```yaml\n{}```", example.text)?;
    }
    Ok(page)
}
