//! The upgrade as a whole, and its hops.

use std::fmt;

use crate::KubeMinor;

/// The upgrade of a control plane by one minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// The minor that the hop ends at. It starts one below.
    to: KubeMinor,
}

impl Hop {
    /// The minor that the hop starts from.
    pub fn from(self) -> KubeMinor {
        self.to.previous().unwrap_or(self.to)
    }

    /// The minor that the hop ends at.
    pub fn to(self) -> KubeMinor {
        self.to
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.from(), self.to)
    }
}

/// From which minor to which minor a cluster goes, both ends included.
///
/// A window of one minor has no hop: everything is judged at that minor alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    from: KubeMinor,
    to: KubeMinor,
    /// Where it starts is not known: only its end can be judged.
    open: bool,
}

/// Two minors that make no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an upgrade cannot go from {from} down to {to}: the first minor must not be above the last; swap them"
)]
pub struct WindowError {
    from: KubeMinor,
    to: KubeMinor,
}

impl Window {
    /// The window from `from` to `to`.
    ///
    /// # Errors
    /// [`WindowError`] when `from` is above `to`.
    pub fn new(from: KubeMinor, to: KubeMinor) -> Result<Self, WindowError> {
        if from > to { Err(WindowError { from, to }) } else { Ok(Self { from, to, open: false }) }
    }

    /// The end of an upgrade whose start nobody knows: everything is judged at that minor alone.
    pub fn end_only(to: KubeMinor) -> Self {
        Self { from: to, to, open: true }
    }

    /// Whether the start is not known.
    pub fn is_end_only(self) -> bool {
        self.open
    }

    /// When something is true that is true after a hop, or at the start: `after the hop 1.36 → 1.37`,
    /// `now`; `by then` where the start is not known.
    pub fn when(self, hop: Option<Hop>) -> String {
        match hop {
            Some(hop) => format!("after the hop {hop}"),
            None if self.open => "by then".to_owned(),
            None => "now".to_owned(),
        }
    }

    /// The minor in use before the upgrade.
    pub fn from(self) -> KubeMinor {
        self.from
    }

    /// The minor in use after the upgrade.
    pub fn to(self) -> KubeMinor {
        self.to
    }

    /// The hops, in order. Each is one minor, as EKS demands.
    pub fn hops(self) -> impl Iterator<Item = Hop> {
        (self.from.minor()..self.to.minor()).map(|minor| Hop { to: KubeMinor::new(minor).next() })
    }

    /// The hop that ends at `minor`, if it belongs to this window.
    pub fn hop_to(self, minor: KubeMinor) -> Option<Hop> {
        (self.from < minor && minor <= self.to).then_some(Hop { to: minor })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.from)?;
        self.hops().try_for_each(|hop| write!(f, " → {}", hop.to()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_window_prints_every_minor() {
        let window = Window::new(KubeMinor::new(34), KubeMinor::new(37)).unwrap();
        assert_eq!(window.to_string(), "1.34 → 1.35 → 1.36 → 1.37");
    }

    #[test]
    fn a_window_never_goes_down() {
        let error = Window::new(KubeMinor::new(36), KubeMinor::new(34)).unwrap_err();
        assert!(error.to_string().contains("from 1.36 down to 1.34"), "{error}");
    }

    proptest! {
        #[test]
        fn every_hop_is_one_minor_and_they_join(from in 0u16..200, len in 0u16..50) {
            let window = Window::new(KubeMinor::new(from), KubeMinor::new(from + len)).unwrap();
            let mut at = window.from();
            for hop in window.hops() {
                prop_assert_eq!(hop.from(), at);
                prop_assert_eq!(hop.to(), at.next());
                prop_assert_eq!(window.hop_to(hop.to()), Some(hop));
                at = hop.to();
            }
            prop_assert_eq!(at, window.to());
            prop_assert_eq!(window.hop_to(window.from()), None);
        }
    }
}
