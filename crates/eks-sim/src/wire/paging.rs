//! Paging with tokens that say nothing to the client, and are refused when they were not given out.

use crate::hash::fnv;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// The page that a token asks for; `None` for a token that was never given out for this list.
pub(super) fn page<T>(items: Vec<T>, list: &str, token: Option<&str>, most: usize) -> Option<Page<T>> {
    let start = match token {
        None | Some("") => 0,
        Some(token) => {
            let (number, mark) = token.split_once('.')?;
            let start = usize::from_str_radix(number, 16).ok()?;
            if mark != self::mark(list, start) {
                return None;
            }
            start
        }
    };
    let most = most.max(1);
    let total = items.len();
    let items: Vec<T> = items.into_iter().skip(start).take(most).collect();
    let end = start + items.len();
    let next = (end < total).then(|| format!("{end:x}.{}", mark(list, end)));
    Some(Page { items, next })
}

/// Tells tokens of other lists apart, and protects nothing.
fn mark(list: &str, at: usize) -> String {
    format!("{:016x}", fnv(&format!("{list}#{at}")))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut token = None;
        let mut all = Vec::new();
        for _ in 0..4 {
            let part = page((0..7).collect(), "x", token.as_deref(), 2).unwrap();
            all.extend(part.items);
            token = part.next;
        }
        assert_eq!((all, token), ((0..7).collect::<Vec<_>>(), None));
    }

    #[test]
    fn tokens_of_other_lists_are_refused() {
        let other = page((0..7).collect(), "y", None, 2).unwrap().next;
        assert!(page((0..7).collect(), "x", other.as_deref(), 2).is_none());
        assert!(page((0..7).collect(), "x", Some("2.deadbeef"), 2).is_none());
        assert!(page(Vec::<u8>::new(), "x", Some("nonsense"), 2).is_none());
    }
}
