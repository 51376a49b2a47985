//! What the bodies of EKS's operations may hold. A value of another kind is refused as the service does it; so is what
//! this world does not know, which the service may take: nothing is passed over in silence.
//!
//! Members and their bounds: the service model of botocore 1.44.5.

use serde_json::Value;

/// The kind of a member.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Flag,
    /// A whole number, with the least and the most.
    Number(i64, i64),
    Texts,
    /// A map of texts.
    Words,
    Object(Members),
    Objects(Members),
}

type Members = &'static [(&'static str, Kind)];

use Kind::{Flag, Number, Object, Objects, Text, Texts, Words};

const COUNT: i64 = i32::MAX as i64;
const TAINTS: Members = &[("key", Text), ("value", Text), ("effect", Text)];
const IDENTITIES: Members = &[("serviceAccount", Text), ("roleArn", Text)];

/// What the body of an operation may hold; `None` where there is no such operation, or none with a body.
fn members(method: &str, parts: &[&str]) -> Option<Members> {
    Some(match (method, parts) {
        ("POST", ["clusters", _, "updates"]) => &[
            ("version", Text),
            ("force", Flag),
            ("rollbackConfig", Object(&[("timeoutMinutes", Number(0, COUNT))])),
            ("clientRequestToken", Text),
        ],
        ("POST", ["clusters", _, "updates", _, "cancel-update"]) => &[("clientRequestToken", Text)],
        ("POST", ["clusters", _, "update-config"]) => &[
            ("upgradePolicy", Object(&[("supportType", Text)])),
            ("deletionProtection", Flag),
            ("zonalShiftConfig", Object(&[("enabled", Flag)])),
            ("resourcesVpcConfig", Object(&[("subnetIds", Texts)])),
            ("controlPlaneScalingConfig", Object(&[("tier", Text)])),
            ("clientRequestToken", Text),
        ],
        ("POST", ["clusters", _, "insights"]) => &[
            ("filter", Object(&[("categories", Texts), ("kubernetesVersions", Texts), ("statuses", Texts)])),
            ("maxResults", Number(1, 100)),
            ("nextToken", Text),
        ],
        ("POST", ["clusters", _, "insights-refresh"]) => &[],
        ("POST", ["clusters", _, "addons", _, "update"]) => &[
            ("addonVersion", Text),
            ("serviceAccountRoleArn", Text),
            ("resolveConflicts", Text),
            ("clientRequestToken", Text),
            ("configurationValues", Text),
            ("podIdentityAssociations", Objects(IDENTITIES)),
        ],
        ("POST", ["clusters", _, "addons"]) => &[
            ("addonName", Text),
            ("addonVersion", Text),
            ("serviceAccountRoleArn", Text),
            ("resolveConflicts", Text),
            ("clientRequestToken", Text),
            ("tags", Words),
            ("configurationValues", Text),
            ("podIdentityAssociations", Objects(IDENTITIES)),
            ("namespaceConfig", Object(&[("namespace", Text)])),
        ],
        ("POST", ["clusters", _, "node-groups", _, "update-version"]) => &[
            ("version", Text),
            ("releaseVersion", Text),
            ("launchTemplate", Object(&[("name", Text), ("version", Text), ("id", Text)])),
            ("force", Flag),
            ("clientRequestToken", Text),
        ],
        ("POST", ["clusters", _, "node-groups", _, "update-config"]) => &[
            ("labels", Object(&[("addOrUpdateLabels", Words), ("removeLabels", Texts)])),
            ("taints", Object(&[("addOrUpdateTaints", Objects(TAINTS)), ("removeTaints", Objects(TAINTS))])),
            (
                "scalingConfig",
                Object(&[
                    ("minSize", Number(0, COUNT)),
                    ("maxSize", Number(1, COUNT)),
                    ("desiredSize", Number(0, COUNT)),
                ]),
            ),
            (
                "updateConfig",
                Object(&[
                    ("maxUnavailable", Number(1, COUNT)),
                    ("maxUnavailablePercentage", Number(1, 100)),
                    ("updateStrategy", Text),
                ]),
            ),
            ("clientRequestToken", Text),
        ],
        ("POST", ["tags", ..]) => &[("tags", Words)],
        _ => return None,
    })
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// `SerializationException`, `InvalidParameterException`
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Whether a body is one of its operation.
pub(super) fn check(method: &str, parts: &[&str], body: &Value) -> Result<(), Wrong> {
    match (members(method, parts), body) {
        (None, _) | (Some(_), Value::Null) => Ok(()),
        (Some(members), body) => object("the body", members, body),
    }
}

fn not(place: &str, kind: &str) -> Wrong {
    Wrong { code: "SerializationException", message: format!("{place} is not {kind}") }
}

fn object(place: &str, members: Members, value: &Value) -> Result<(), Wrong> {
    let entries = value.as_object().ok_or_else(|| not(place, "an object"))?;
    for (name, value) in entries {
        // A member that is null is one that is not there.
        if value.is_null() {
            continue;
        }
        let Some((_, kind)) = members.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = members.iter().map(|(known, _)| *known).collect();
            let message = format!(
                "the simulated world does not take {name} in {place}, only {}",
                if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
            );
            return Err(Wrong { code: "InvalidParameterException", message });
        };
        of_kind(name, *kind, value)?;
    }
    Ok(())
}

fn of_kind(name: &str, kind: Kind, value: &Value) -> Result<(), Wrong> {
    let list = || value.as_array().ok_or_else(|| not(name, "a list"));
    match kind {
        Text if !value.is_string() => Err(not(name, "a string")),
        Flag if !value.is_boolean() => Err(not(name, "a boolean")),
        Text | Flag => Ok(()),
        Number(least, most) => {
            let number = value.as_i64().ok_or_else(|| not(name, "an integer"))?;
            if (least..=most).contains(&number) {
                return Ok(());
            }
            let message = format!("{name} must be between {least} and {most}, and is {number}");
            Err(Wrong { code: "InvalidParameterException", message })
        }
        Texts if list()?.iter().all(Value::is_string) => Ok(()),
        Texts => Err(not(name, "a list of strings")),
        Words => match value.as_object() {
            Some(entries) if entries.values().all(Value::is_string) => Ok(()),
            _ => Err(not(name, "a map of strings")),
        },
        Object(members) => object(name, members, value),
        Objects(members) => list()?.iter().try_for_each(|item| object(name, members, item)),
    }
}
