//! Documents that are generated: docs/rules.md.

use std::fmt::Write as _;
use std::path::Path;

use eks_deprecations::rules;

use crate::process::ensure_file;

pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    ensure_file(&root.join("docs/rules.md"), &rules_page()?, check, "cargo xtask docs")?;
    if check {
        println!("docs: docs/rules.md is current");
    }
    Ok(())
}

fn rules_page() -> anyhow::Result<String> {
    let mut page = String::from(
        "# Rules\n\nGenerated from the rules in the code by `cargo xtask docs`; do not edit.\n\n| rule | finds |\n|---|---|\n",
    );
    for rule in rules::ALL {
        writeln!(page, "| [{}](#{}) | {} |", rule.id, rule.id.to_lowercase(), rule.title)?;
    }
    for rule in rules::ALL {
        writeln!(page, "\n## {}\n\n**{}**\n", rule.id, rule.title)?;
        for (heading, text) in rule.sections() {
            writeln!(page, "### {heading}\n\n{text}\n")?;
        }
        writeln!(
            page,
            "### Example\n\nFound from 1.{} to 1.{}:\n\n```yaml\n{}```",
            rule.example.from, rule.example.to, rule.example.text
        )?;
    }
    Ok(page)
}
