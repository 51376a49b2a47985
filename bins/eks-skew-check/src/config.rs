//! `.eks-skew-check.yaml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use eks_model::{FailOn, KubeMinor};
use serde::Deserialize;

/// The names that are looked for.
const NAMES: [&str; 2] = [".eks-skew-check.yaml", ".eks-skew-check.yml"];

/// The configuration as read.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The folder that its globs start from.
    pub(crate) root: PathBuf,
    /// The file, as shown to people.
    pub(crate) file: String,
    pub(crate) from: Option<KubeMinor>,
    pub(crate) to: Option<KubeMinor>,
    pub(crate) fail_on: Option<FailOn>,
    /// A recorded catalogue of add-ons: its path, and the day of it.
    pub(crate) addons: Option<(PathBuf, jiff::civil::Date)>,
    pub(crate) suppress: Vec<SuppressEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawAddons {
    file: PathBuf,
    as_of: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    from: Option<Version>,
    to: Option<Version>,
    fail_on: Option<RawFailOn>,
    addons: Option<RawAddons>,
    #[serde(default)]
    suppress: Vec<SuppressEntry>,
}

/// A version may be written without quotes, and is a number to YAML then: `1.30` would be 1.3.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Version(serde_yaml::Value);

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawFailOn {
    Block,
    Warn,
    None,
}

/// A suppression in the configuration. All that is given must match.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SuppressEntry {
    /// A rule id, or `unread`.
    pub(crate) rule: Option<String>,
    /// A glob, from the configuration's folder on.
    pub(crate) path: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    /// The last day that it holds.
    pub(crate) until: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Config {
    /// The configuration to use: the one named, or the nearest from `directory` upwards.
    pub(crate) fn load(named: Option<&Path>, directory: &Path) -> anyhow::Result<Self> {
        let Some(path) = named.map(|path| directory.join(path)).or_else(|| find(directory)) else {
            return Ok(Self { root: directory.to_owned(), ..Self::default() });
        };
        let shown = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("the configuration {shown} cannot be read; name a file that is there with --config")
        })?;
        Self::parse(&text, shown, path.parent().unwrap_or(directory))
    }

    fn parse(text: &str, file: String, root: &Path) -> anyhow::Result<Self> {
        // An empty file is an empty configuration.
        let nothing = text.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line == "---"
        });
        let raw = if nothing {
            Raw { from: None, to: None, fail_on: None, addons: None, suppress: Vec::new() }
        } else {
            serde_yaml::from_str(text)
                .with_context(|| format!("the configuration {file} is wrong; correct it"))?
        };
        for (index, entry) in raw.suppress.iter().enumerate() {
            let number = index + 1;
            if entry.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
                bail!(
                    "the configuration {file}: suppression {number} gives no `reason`; write why it is right to suppress"
                );
            }
            if [&entry.rule, &entry.path, &entry.kind, &entry.name, &entry.namespace]
                .iter()
                .all(|by| by.is_none())
            {
                bail!(
                    "the configuration {file}: suppression {number} would cover everything; name a rule, path, kind, name or namespace"
                );
            }
        }
        let minor = |version: Option<Version>, key: &str| -> anyhow::Result<Option<KubeMinor>> {
            match version.map(|Version(value)| value) {
                None | Some(serde_yaml::Value::Null) => Ok(None),
                Some(serde_yaml::Value::String(text)) => {
                    Ok(Some(text.parse().with_context(|| format!("the configuration {file}, `{key}`"))?))
                }
                Some(_) => bail!(
                    "the configuration {file}: put `{key}` in quotes, since 1.30 without them is the number 1.3"
                ),
            }
        };
        let addons = raw
            .addons
            .map(|addons| {
                let day = addons.as_of.parse().with_context(|| {
                    format!("the configuration {file}: `as-of` of `addons` is no day like 2026-11-24")
                })?;
                anyhow::Ok((root.join(addons.file), day))
            })
            .transpose()?;
        Ok(Self {
            addons,
            root: root.to_owned(),
            from: minor(raw.from, "from")?,
            to: minor(raw.to, "to")?,
            fail_on: raw.fail_on.map(|fail_on| match fail_on {
                RawFailOn::Block => FailOn::Block,
                RawFailOn::Warn => FailOn::Warn,
                RawFailOn::None => FailOn::None,
            }),
            suppress: raw.suppress,
            file,
        })
    }
}

/// The nearest configuration from a folder upwards, up to the root of the repository.
fn find(directory: &Path) -> Option<PathBuf> {
    for folder in directory.ancestors() {
        if let Some(found) = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
            return Some(found);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<Config> {
        Config::parse(text, "c.yaml".to_owned(), Path::new("/repo"))
    }

    #[test]
    fn a_typo_is_refused_with_its_place() {
        let error = format!("{:#}", parse("from: \"1.33\"\nsupress: []\n").unwrap_err());
        assert!(error.contains("supress") && error.contains("line 2"), "{error}");
        let error = format!("{:#}", parse("suppress:\n- rule: API001\n  pth: x\n  reason: y\n").unwrap_err());
        assert!(error.contains("pth"), "{error}");
    }

    #[test]
    fn a_version_without_quotes_is_refused_since_yaml_drops_its_zero() {
        let error = parse("to: 1.30\n").unwrap_err().to_string();
        assert!(error.contains("quotes"), "{error}");
    }

    #[test]
    fn a_suppression_needs_a_reason_and_a_subject() {
        assert!(parse("suppress:\n- rule: API001\n").unwrap_err().to_string().contains("reason"));
        assert!(parse("suppress:\n- reason: because\n").unwrap_err().to_string().contains("everything"));
        assert_eq!(parse("suppress:\n- rule: API001\n  reason: because\n").unwrap().suppress.len(), 1);
    }

    #[test]
    fn an_empty_configuration_is_one() {
        for text in ["", "# nothing\n", "---\n"] {
            assert!(parse(text).unwrap().suppress.is_empty(), "{text:?}");
        }
    }
}
