//! Which permission each method needs. The traits are defined with their permissions beside each
//! method, so a method without one does not compile, and documentation and policies are made of
//! the same words.

/// Whether a trait can change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// It only looks.
    Read,
    /// It asks what a change would do, by a call that changes nothing (dry run), for which
    /// the service nevertheless wants the permission to change.
    DryRun,
    /// It changes something.
    Write,
}

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// An action of IAM: `eks:DescribeCluster`.
    Iam {
        /// The action.
        action: &'static str,
        /// Needed only in this case; `None` is always.
        when: Option<&'static str>,
    },
    /// Verbs on a resource in a role of Kubernetes.
    Rbac {
        /// The verbs: `get`, `list`.
        verbs: &'static [&'static str],
        /// The API group; empty for the core group, `*` for all.
        group: &'static str,
        /// The resource, with its subresource: `pods/eviction`; `*` for all.
        resource: &'static str,
        /// Needed only in this case; `None` is always.
        when: Option<&'static str>,
    },
    /// `get` on a path that is no resource: `/metrics`.
    Path {
        /// The path.
        path: &'static str,
    },
}

/// A method of a trait, and what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The trait.
    pub provider: &'static str,
    /// The method.
    pub method: &'static str,
    /// Whether it can change anything.
    pub access: Access,
    /// All that it needs.
    pub needs: &'static [Permission],
}

/// Defines a provider trait: `#[async_trait]`, mocked behind the feature `mock`, with the
/// permissions of each method in its documentation and in `<dyn Trait>::CALLS`.
macro_rules! provider {
    (
        $(#[doc = $doc:literal])*
        #[access($access:ident)]
        pub trait $name:ident {
            $(
                $(#[doc = $method_doc:literal])*
                $(#[iam($($action:literal $(if $iam_when:literal)?),+ $(,)?)])?
                $(#[rbac(
                    $([$($verb:literal),+] $group:literal / $resource:literal $(if $rbac_when:literal)?),+ $(,)?
                )])?
                $(#[path($($path:literal),+)])?
                async fn $method:ident(&self $(, $($argument:tt)*)?) -> $answer:ty;
            )+
        }
    ) => {
        $(#[doc = $doc])*
        #[cfg_attr(feature = "mock", mockall::automock)]
        #[async_trait::async_trait]
        pub trait $name: Send + Sync {
            $(
                $(#[doc = $method_doc])*
                #[doc = ""]
                #[doc = "# Needs"]
                $($(#[doc = concat!("- `", $action, "`" $(, ", only if ", $iam_when)?)])+)?
                $($(#[doc = concat!(
                    "- `", $($verb, " ",)+ $resource, "` of group `\"", $group, "\"`"
                    $(, ", only if ", $rbac_when)?
                )])+)?
                $($(#[doc = concat!("- `get` on the path `", $path, "`")])+)?
                // `self` is written here and not passed through: mockall's own `self` must mean it.
                async fn $method(&self $(, $($argument)*)?) -> $answer;
            )+
        }

        impl dyn $name {
            /// What each method of this trait needs.
            pub const CALLS: &'static [$crate::Call] = &[
                $($crate::Call {
                    provider: stringify!($name),
                    method: stringify!($method),
                    access: $crate::Access::$access,
                    needs: &[
                        $($($crate::Permission::Iam {
                            action: $action,
                            when: $crate::calls::when!($($iam_when)?),
                        },)+)?
                        $($($crate::Permission::Rbac {
                            verbs: &[$($verb),+],
                            group: $group,
                            resource: $resource,
                            when: $crate::calls::when!($($rbac_when)?),
                        },)+)?
                        $($($crate::Permission::Path { path: $path },)+)?
                    ],
                },)+
            ];
        }
    };
}
pub(crate) use provider;

/// `None`, or `Some` of the text that is given.
macro_rules! when {
    () => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}
pub(crate) use when;

/// Defines a bundle: a trait that is all of these, for whatever is all of these, and the list of
/// their calls.
macro_rules! bundle {
    ($(#[doc = $doc:literal])* pub trait $name:ident: $($provider:path),+ $(,)?;) => {
        $(#[doc = $doc])*
        pub trait $name: $($provider +)+ {}

        impl<T: $($provider +)+ ?Sized> $name for T {}

        impl dyn $name {
            /// What each method of each trait of this bundle needs, trait by trait.
            pub const CALLS: &'static [&'static [$crate::Call]] = &[$(<dyn $provider>::CALLS),+];
        }
    };
}
pub(crate) use bundle;
