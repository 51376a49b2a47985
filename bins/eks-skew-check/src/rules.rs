//! The rules of all crates, in the order of their documentation.

use eks_model::Rule;

/// All rules.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    let (apis, versions, addons) =
        (eks_deprecations::rules::ALL, eks_skew::rules::ALL, eks_addons::rules::ALL);
    apis.into_iter().chain(versions).chain(addons)
}

/// The rule of an id.
pub(crate) fn get(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}
