//! Text from outside: words that a service may add to, versions that may not parse, contents
//! that must not be printed.

use std::fmt;
use std::str::FromStr;

/// Defines an enum for a list of words of a service. A word that is not on the list is kept as
/// text in `Other`, since services add words without a new API version.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )+
        }
    ) => {
        $(#[$meta])*
        ///
        /// Comes from text with [`From`]; a word that is not known is kept as it is.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* #[doc = concat!(" (`", $text, "`)")] $variant, )+
            /// A word that this version does not know, as the service wrote it.
            Other(String),
        }

        impl $name {
            /// Every word that is known.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The word of the API.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $( $text => Self::$variant, )+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(text.as_str()))
            }
        }
    };
}
pub(crate) use words;

/// A value as a service wrote it, and what it means where that could be read.
///
/// One strange value must neither poison the list that it is in nor vanish from it: it stays
/// visible as text, and whoever judges it says "unknown".
///
/// ```
/// use eks_model::{KubeMinor, KubeVersion};
/// use eks_provider::Written;
///
/// let kubelet = Written::<KubeVersion>::of("v1.34.2-eks-5e0fdde");
/// assert_eq!(kubelet.value().map(KubeVersion::minor), Some(KubeMinor::new(34)));
/// let strange = Written::<KubeVersion>::of("nightly");
/// assert_eq!((strange.value(), strange.text()), (None, "nightly"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Written<T> {
    text: String,
    value: Option<T>,
}

impl<T: FromStr> Written<T> {
    /// Keeps the text, and reads it.
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        let value = text.parse().ok();
        Self { text, value }
    }
}

impl<T> Written<T> {
    /// Keeps the text with what another reader made of it.
    pub fn with(text: impl Into<String>, value: Option<T>) -> Self {
        Self { text: text.into(), value }
    }

    /// The text, exactly as the service wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means; `None` where it could not be read, which is never "fine".
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> fmt::Display for Written<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As its text. What it means is read again when it is read back.
impl<T> serde::Serialize for Written<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: FromStr> serde::Deserialize<'de> for Written<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer).map(Self::of)
    }
}

/// A type that goes by its text: `Display` writes it, `FromStr` reads it.
macro_rules! by_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use by_text;

/// Content that may hold secrets (user data, Helm releases): `Debug` shows its size only.
///
/// ```
/// let user_data = eks_provider::Sensitive::new(b"--token s3cret".to_vec());
/// assert_eq!(format!("{user_data:?}"), "<14 bytes>");
/// assert_eq!(user_data.expose(), b"--token s3cret");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(Vec<u8>);

impl Sensitive {
    /// Wraps it.
    pub fn new(content: Vec<u8>) -> Self {
        Self(content)
    }

    /// The content. Whoever asks for it answers for where it goes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ClusterStatus;

    #[test]
    fn known_words_and_unknown_words_both_survive_the_round_trip() {
        for text in ClusterStatus::KNOWN {
            let word = ClusterStatus::from(*text);
            assert!(!matches!(word, ClusterStatus::Other(_)), "{text}");
            assert_eq!(word.to_string(), *text);
        }
        for text in ["active", "PAUSED", ""] {
            assert_eq!(ClusterStatus::from(text), ClusterStatus::Other(text.to_owned()));
            let json = serde_json::to_string(&ClusterStatus::from(text)).unwrap();
            assert_eq!(serde_json::from_str::<ClusterStatus>(&json).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_cannot_be_read_stays_visible() {
        let strange = Written::<eks_model::AddonVersion>::of("v1.18-custom");
        assert_eq!(strange.value(), None);
        assert_eq!(strange.to_string(), "v1.18-custom");
        // The text is what goes back to the service: not `v1.18.0`, which is what it means.
        assert_eq!(Written::<eks_model::AddonVersion>::of("1.18").text(), "1.18");
    }
}
