//! EC2.

mod filters;
mod images;
mod instance_types;
mod instances;
mod launch_templates;
mod network;
mod template_data;

use std::collections::BTreeMap;

use aws_sdk_ec2::types as sdk;
use eks_provider::{Class, ProviderError, Result};

use crate::call::some;

/// Tags, by key.
fn tags(tags: Option<Vec<sdk::Tag>>) -> BTreeMap<String, String> {
    tags.into_iter()
        .flatten()
        .filter_map(|tag| Some((some(tag.key)?, tag.value.unwrap_or_default())))
        .collect()
}

/// Who alone may change a thing, where that is somebody.
fn operator(operator: Option<sdk::OperatorResponse>) -> Option<String> {
    let operator = operator.filter(|operator| operator.managed == Some(true))?;
    // That it is managed counts, whoever it is.
    Some(some(operator.principal).unwrap_or_else(|| "unknown".to_owned()))
}

/// One of the things that were asked for is not there.
pub(crate) fn not_found(error: &ProviderError) -> bool {
    error.class() == Class::NotFound
}

/// Asks for many things by name where one that is not there makes the whole call fail: then for each half,
/// down to the one, which is left out.
pub(crate) async fn those_that_are_there<K, T, F>(
    names: &[K],
    most: usize,
    is_missing: impl Fn(&ProviderError) -> bool + Send + Sync,
    ask: impl Fn(Vec<K>) -> F + Send + Sync,
) -> Result<Vec<T>>
where
    K: Clone + Send + Sync,
    T: Send,
    F: Future<Output = Result<Vec<T>>> + Send,
{
    let mut open: Vec<Vec<K>> = names.chunks(most).rev().map(<[K]>::to_vec).collect();
    let mut found = Vec::new();
    while let Some(some_names) = open.pop() {
        match ask(some_names.clone()).await {
            Ok(more) => found.extend(more),
            Err(error) if is_missing(&error) => {
                if some_names.len() > 1 {
                    let (first, second) = some_names.split_at(some_names.len() / 2);
                    open.extend([second.to_vec(), first.to_vec()]);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn those_that_are_not_there_are_left_out_and_the_others_are_not() {
        let names: Vec<usize> = (0..100).collect();
        let calls = AtomicUsize::new(0);
        let ask = |names: Vec<usize>| {
            calls.fetch_add(1, Ordering::SeqCst);
            let gone = names.iter().any(|name| [3, 70].contains(name));
            async move { if gone { Err(ProviderError::not_found("ec2:X", "things")) } else { Ok(names) } }
        };
        let found = those_that_are_there(&names, 50, not_found, ask).await.unwrap();
        assert_eq!(found.len(), 98);
        assert!(found.is_sorted());
        assert!(calls.load(Ordering::SeqCst) < 30);
    }

    #[tokio::test]
    async fn other_failures_end_it_and_nothing_is_asked_of_nobody() {
        let denied = |_: Vec<u8>| async { Err::<Vec<u8>, _>(ProviderError::new(Class::Denied, "x", "y")) };
        assert_eq!(
            those_that_are_there(&[1, 2], 1, not_found, denied).await.unwrap_err().class(),
            Class::Denied
        );
        assert_eq!(those_that_are_there(&[], 1, not_found, denied).await, Ok(Vec::new()));
    }

    #[test]
    fn managed_by_nobody_knows_whom_is_managed() {
        let managed = |managed| sdk::OperatorResponse::builder().managed(managed).build();
        assert_eq!(operator(Some(managed(true))).as_deref(), Some("unknown"));
        assert_eq!(operator(Some(managed(false))), None);
        assert_eq!(operator(None), None);
    }
}
