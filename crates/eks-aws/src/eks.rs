//! EKS.

mod addons;
mod cluster;
mod fargate;
mod insights;
mod nodegroups;
mod trust;
mod updates;
mod versions;

use eks_provider::aws::Issue;

/// An issue of EKS, whatever it is about: the SDK has a type for each.
macro_rules! issues {
    ($health:expr) => {
        $health
            .and_then(|health| health.issues)
            .into_iter()
            .flatten()
            .map(|issue| {
                $crate::eks::issue(
                    issue.code.as_ref().map(|code| code.as_str()),
                    issue.message,
                    issue.resource_ids,
                )
            })
            .collect()
    };
}
pub(crate) use issues;

fn issue(code: Option<&str>, message: Option<String>, resources: Option<Vec<String>>) -> Issue {
    Issue {
        // An issue without a code is an issue.
        code: code.unwrap_or_default().to_owned(),
        message: message.unwrap_or_default(),
        resource_ids: resources.unwrap_or_default(),
    }
}
