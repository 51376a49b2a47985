//! `addons --from capture.json --as-of DATE`: takes a recorded answer of DescribeAddonVersions into the tables, and
//! prints what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail};
use eks_addons::Capture;
use eks_model::{AddonVersion, KubeMinor};
use serde_json::Value;

/// The tables that change, as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tables {
    managed: String,
    complete: String,
    addons: String,
    sources: String,
}

/// The tables that only use sources.
const OTHERS: [&str; 4] = ["oldest.tsv", "controllers.tsv", "recognise.tsv", "charts.tsv"];

pub(crate) fn run(root: &Path, file: &str, as_of: &str) -> anyhow::Result<()> {
    let folder = root.join("crates/eks-addons/data");
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name)).with_context(|| format!("the table {name} cannot be read"))
    };
    let tables = Tables {
        managed: read("managed.tsv")?,
        complete: read("complete.tsv")?,
        addons: read("addons.tsv")?,
        sources: read("sources.tsv")?,
    };
    let others = OTHERS.iter().map(|name| read(name)).collect::<anyhow::Result<Vec<_>>>()?.concat();
    let bytes = std::fs::read(file).with_context(|| format!("{file} cannot be read"))?;
    let (merged, changes) = merge(&tables, &others, &bytes, as_of).with_context(|| file.to_owned())?;
    for change in &changes {
        println!("{change}");
    }
    for (name, text) in [
        ("managed.tsv", &merged.managed),
        ("complete.tsv", &merged.complete),
        ("addons.tsv", &merged.addons),
        ("sources.tsv", &merged.sources),
    ] {
        std::fs::write(folder.join(name), text)
            .with_context(|| format!("the table {name} cannot be written"))?;
    }
    println!(
        "{} changes; look at them with git diff, run the tests, and commit them apart from code",
        changes.len()
    );
    Ok(())
}

/// The comment lines and the header of a table, and its rows.
fn split(table: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let comments = table.lines().take_while(|line| line.starts_with('#')).count();
    let head = table.lines().take(comments + 1).collect();
    let rows = table.lines().skip(comments + 1).map(|line| line.split('\t').collect()).collect();
    (head, rows)
}

fn joined(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = head.join("\n") + "\n";
    for row in rows {
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text
}

type Key = (String, KubeMinor, AddonVersion);

fn key(row: &[&str]) -> anyhow::Result<Key> {
    let [addon, minor, version, ..] = row else { bail!("a row of managed.tsv has not three columns") };
    Ok(((*addon).to_owned(), minor.parse()?, version.parse()?))
}

/// Takes an answer in. What it speaks of is replaced by it; the rest stays.
fn merge(tables: &Tables, others: &str, answer: &[u8], as_of: &str) -> anyhow::Result<(Tables, Vec<String>)> {
    let day = as_of.parse().with_context(|| format!("`{as_of}` is no day like 2026-11-24"))?;
    let capture = Capture::parse(answer, day)?;
    let source = format!("describe-addon-versions-{day}");
    let mut changes = Vec::new();

    let (managed_head, rows) = split(&tables.managed);
    let mut managed: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    for row in rows {
        managed.insert(key(&row)?, row.iter().map(|&cell| cell.to_owned()).collect());
    }
    let (complete_head, rows) = split(&tables.complete);
    let mut complete: BTreeMap<(String, KubeMinor), Vec<String>> = BTreeMap::new();
    for row in rows {
        let [addon, minor, ..] = row.as_slice() else { bail!("a row of complete.tsv has not two columns") };
        complete
            .insert(((*addon).to_owned(), minor.parse()?), row.iter().map(|&cell| cell.to_owned()).collect());
    }
    for (addon, minor, offered) in capture.lists() {
        let of_pair = |key: &Key| key.0 == addon && key.1 == minor;
        let before: BTreeMap<AddonVersion, bool> = managed
            .iter()
            .filter(|(key, _)| of_pair(key))
            .map(|(key, row)| (key.2.clone(), row.get(3).is_some_and(|cell| cell == "yes")))
            .collect();
        managed.retain(|key, _| !of_pair(key));
        for offer in offered {
            if !before.contains_key(&offer.version) {
                changes.push(format!("+ {addon} {minor} {}", offer.version));
            }
            let platforms: Vec<String> = offer.platforms.iter().map(ToString::to_string).collect();
            managed.insert(
                (addon.to_owned(), minor, offer.version.clone()),
                [
                    addon.to_owned(),
                    minor.to_string(),
                    offer.version.to_string(),
                    if offer.default { "yes" } else { "no" }.to_owned(),
                    if platforms.is_empty() { "*".to_owned() } else { platforms.join(",") },
                    "listed".to_owned(),
                    day.to_string(),
                    source.clone(),
                ]
                .into(),
            );
        }
        for gone in before.keys().filter(|version| !offered.iter().any(|offer| offer.version == **version)) {
            changes.push(format!("- {addon} {minor} {gone}"));
        }
        let was = before.iter().find(|(_, default)| **default).map(|(version, _)| version);
        let now = offered.iter().find(|offer| offer.default).map(|offer| &offer.version);
        if was != now {
            let shown =
                |version: Option<&AddonVersion>| version.map_or("none".to_owned(), ToString::to_string);
            changes.push(format!("default of {addon} {minor}: {} to {}", shown(was), shown(now)));
        }
        complete.insert(
            (addon.to_owned(), minor),
            vec![addon.to_owned(), minor.to_string(), day.to_string(), source.clone()],
        );
    }

    let (addons_head, rows) = split(&tables.addons);
    let mut addons: BTreeMap<String, Vec<String>> = rows
        .into_iter()
        .filter_map(|row| {
            Some(((*row.first()?).to_owned(), row.iter().map(|&cell| cell.to_owned()).collect()))
        })
        .collect();
    let answer: Value = serde_json::from_slice(answer)?;
    for addon in answer["addons"].as_array().into_iter().flatten() {
        let text = |name: &str| addon[name].as_str().unwrap_or_default().to_owned();
        let name = text("addonName");
        if name.is_empty() || addons.contains_key(&name) {
            continue;
        }
        changes.push(format!("new add-on {name}, by {}", text("owner")));
        let row = [
            name.clone(),
            text("owner"),
            text("defaultNamespace"),
            "80".to_owned(),
            "advised".to_owned(),
            "no".to_owned(),
            String::new(),
            source.clone(),
            day.to_string(),
        ];
        addons.insert(name, row.into());
    }

    let mut merged = Tables {
        managed: joined(&managed_head, managed.into_values()),
        complete: joined(&complete_head, complete.into_values()),
        addons: joined(&addons_head, addons.into_values()),
        sources: String::new(),
    };
    // A source that no row uses any more goes.
    let used: BTreeSet<&str> = [others, &merged.managed, &merged.complete, &merged.addons]
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('\t'))
        .collect();
    let (sources_head, rows) = split(&tables.sources);
    let mut sources: BTreeMap<String, Vec<String>> = rows
        .into_iter()
        .filter_map(|row| {
            Some(((*row.first()?).to_owned(), row.iter().map(|&cell| cell.to_owned()).collect()))
        })
        .collect();
    sources.insert(
        source.clone(),
        vec![source.clone(), format!("answer of DescribeAddonVersions, recorded on {day}")],
    );
    sources.retain(|id, _| used.contains(id.as_str()));
    let text = joined(&sources_head, sources.into_values());
    merged.sources = text;
    Ok((merged, changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        Tables {
            managed: "# versions\naddon\tkubernetes\tversion\tdefault\tplatform_versions\thow\tas_of\tsource\n\
                      coredns\t1.36\tv1.14.7-eksbuild.9\tyes\t*\tseen\t2026-10-01\told\n\
                      coredns\t1.36\tv1.14.7-eksbuild.11\tno\t*\tseen\t2026-10-01\told\n\
                      vpc-cni\t1.36\tv1.23.2-eksbuild.1\tno\t*\tseen\t2026-10-01\tkept\n"
                .to_owned(),
            complete: "addon\tkubernetes\tas_of\tsource\n".to_owned(),
            addons: "addon\towner\tnamespace\torder\tone_minor_at_a_time\tfollows_kubernetes_minor\tnote\tsource\tas_of\n\
                     coredns\taws\tkube-system\t20\tadvised\tno\t\tkept\t2026-10-01\n\
                     vpc-cni\taws\tkube-system\t10\tmust\tno\t\tkept\t2026-10-01\n"
                .to_owned(),
            sources: "id\tcitation\nkept\tsomething\nold\tsomething else\n".to_owned(),
        }
    }

    const ANSWER: &str = r#"{"addons": [
        {"addonName": "coredns", "owner": "aws", "addonVersions": [
            {"addonVersion": "v1.14.7-eksbuild.11", "compatibilities": [{"clusterVersion": "1.36", "platformVersions": ["*"], "defaultVersion": true}]},
            {"addonVersion": "v1.15.0-eksbuild.2", "compatibilities": [{"clusterVersion": "1.37", "platformVersions": ["eks.4+"], "defaultVersion": true}]}]},
        {"addonName": "newcomer", "owner": "community", "defaultNamespace": "new", "addonVersions": [
            {"addonVersion": "v0.1.0-eksbuild.1", "compatibilities": [{"clusterVersion": "1.36"}]}]}]}"#;

    #[test]
    fn what_the_answer_speaks_of_is_replaced_and_the_rest_stays() {
        let (merged, changes) = merge(&tables(), "", ANSWER.as_bytes(), "2026-11-24").unwrap();
        assert_eq!(
            changes,
            [
                "- coredns 1.36 v1.14.7-eksbuild.9",
                "default of coredns 1.36: v1.14.7-eksbuild.9 to v1.14.7-eksbuild.11",
                "+ coredns 1.37 v1.15.0-eksbuild.2",
                "default of coredns 1.37: none to v1.15.0-eksbuild.2",
                "+ newcomer 1.36 v0.1.0-eksbuild.1",
                "new add-on newcomer, by community",
            ]
        );
        let rows: Vec<&str> = merged.managed.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "coredns\t1.36\tv1.14.7-eksbuild.11\tyes\t*\tlisted\t2026-11-24\tdescribe-addon-versions-2026-11-24",
                "coredns\t1.37\tv1.15.0-eksbuild.2\tyes\teks.4+\tlisted\t2026-11-24\tdescribe-addon-versions-2026-11-24",
                "newcomer\t1.36\tv0.1.0-eksbuild.1\tno\t*\tlisted\t2026-11-24\tdescribe-addon-versions-2026-11-24",
                "vpc-cni\t1.36\tv1.23.2-eksbuild.1\tno\t*\tseen\t2026-10-01\tkept",
            ]
        );
        // No version of newcomer for 1.37 is an answer too.
        assert!(merged.complete.contains("newcomer\t1.37\t2026-11-24"));
        assert!(merged.addons.contains("newcomer\tcommunity\tnew\t80"));
        assert!(merged.sources.contains("kept\t") && !merged.sources.contains("old\t"), "{}", merged.sources);
        // Taken in again, nothing changes.
        let (again, changes) = merge(&merged, "", ANSWER.as_bytes(), "2026-11-24").unwrap();
        assert_eq!((again, changes), (merged, Vec::new()));
    }

    #[test]
    fn the_tables_of_the_project_can_be_taken_apart_and_put_together() {
        let managed = include_str!("../../crates/eks-addons/data/managed.tsv");
        let (head, rows) = split(managed);
        let keys = rows.iter().map(|row| key(row)).collect::<anyhow::Result<Vec<_>>>().unwrap();
        assert!(keys.is_sorted(), "managed.tsv is not in the order that this command writes");
        let own = rows.into_iter().map(|row| row.into_iter().map(str::to_owned).collect());
        assert_eq!(joined(&head, own), managed);
    }

    #[test]
    fn a_wrong_day_or_answer_is_refused() {
        assert!(merge(&tables(), "", ANSWER.as_bytes(), "soon").is_err());
        assert!(merge(&tables(), "", b"{}", "2026-11-24").is_err());
    }
}
