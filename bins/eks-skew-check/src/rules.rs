//! The rules of all crates, in the order of their documentation.

use eks_model::Rule;

/// All rules.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    eks_deprecations::rules::ALL.into_iter().chain(eks_skew::rules::ALL)
}

/// The rule of an id.
pub(crate) fn get(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}
