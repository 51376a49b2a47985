//! Lists: page by page, with a bounded number of objects in memory, and what becomes of one whose moment the
//! API server has forgotten.

use eks_provider::kube::{Freshness, LabelSelector, Page, PageRequest, SelectorOperator};
use eks_provider::{Class, ProviderError, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::KubeApi;
use crate::call::{Ask, JSON};
use crate::meta::Read;
use crate::refusal::Refusal;
use crate::resource::{Resource, with_query};

/// How many objects a page has, where everything is asked for. What kubectl takes, too.
const PAGE: u32 = 500;
/// How often a list is begun anew, when its moment is forgotten before it is over.
const BEGINNINGS: usize = 3;
/// Before the token of a page: all pages so far show one moment, or not.
const CONSISTENT: char = '=';
const TORN: char = '~';

/// Which objects are asked for.
pub(crate) struct Listing<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) labels: Option<String>,
    pub(crate) fields: Option<String>,
    pub(crate) freshness: Freshness,
    /// How people call what is asked for.
    pub(crate) target: String,
    pub(crate) accept: &'static str,
    /// Of an everything-list: how many at a time. Fewer where single ones are big.
    pub(crate) page: u32,
}

impl<'a> Listing<'a> {
    /// All of a resource, in the whole cluster, as they are now.
    pub(crate) fn all(resource: &'a Resource, target: impl Into<String>) -> Self {
        Self {
            resource,
            namespace: None,
            labels: None,
            fields: None,
            freshness: Freshness::MostRecent,
            target: target.into(),
            accept: JSON,
            page: PAGE,
        }
    }

    pub(crate) fn namespace(mut self, namespace: Option<&'a str>) -> Self {
        self.namespace = namespace;
        self
    }

    pub(crate) fn labels(mut self, selector: &LabelSelector) -> Result<Self> {
        let text = label_query(selector).map_err(|why| {
            ProviderError::new(Class::Invalid, self.resource.permission("list"), self.target.as_str())
                .message(why)
        })?;
        self.labels = Some(text).filter(|text| !text.is_empty());
        Ok(self)
    }

    pub(crate) fn ask(&self, limit: u32, token: Option<&str>) -> Ask {
        let limit = limit.to_string();
        let mut parameters = vec![("limit", limit.as_str())];
        if let Some(labels) = &self.labels {
            parameters.push(("labelSelector", labels));
        }
        if let Some(fields) = &self.fields {
            parameters.push(("fieldSelector", fields));
        }
        match token {
            Some(token) => parameters.push(("continue", token)),
            // Not named, it is the most recent. With 0 the cache answers, which in older servers minds no limit:
            // whoever lists what there can be very many of must not ask for that.
            None if self.freshness == Freshness::Any => {
                parameters.extend([("resourceVersion", "0"), ("resourceVersionMatch", "NotOlderThan")]);
            }
            None => {}
        }
        let address = with_query(&self.resource.path(self.namespace), &parameters);
        Ask::get(self.resource.permission("list"), self.target.as_str(), address).accept(self.accept)
    }
}

/// A list as the API server writes it.
#[derive(Deserialize)]
#[serde(bound = "K: DeserializeOwned")]
pub(crate) struct List<K> {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default, rename = "apiVersion")]
    pub(crate) api_version: String,
    #[serde(default)]
    pub(crate) metadata: ListMeta,
    /// `null` where a server of Go has none.
    #[serde(default)]
    pub(crate) items: Option<Vec<K>>,
}

#[derive(Deserialize, Default)]
pub(crate) struct ListMeta {
    #[serde(default, rename = "continue")]
    pub(crate) go_on: String,
    #[serde(default, rename = "resourceVersion")]
    pub(crate) resource_version: String,
}

/// A page before its objects are converted.
pub(crate) struct Raw<K> {
    pub(crate) list: List<K>,
    pub(crate) next: Option<String>,
    pub(crate) consistent: bool,
}

impl KubeApi {
    /// One page. When the moment of the list is forgotten (410), it goes on from where it was at a later moment,
    /// and this page and all that follow say that they are not of one moment.
    pub(crate) async fn raw_page<K: DeserializeOwned>(
        &self,
        listing: &Listing<'_>,
        page: &PageRequest,
    ) -> Result<Raw<K>> {
        let (mut consistent, mut token) = match &page.after {
            None => (true, None),
            Some(after) => match (after.strip_prefix(CONSISTENT), after.strip_prefix(TORN)) {
                (Some(token), _) => (true, Some(token.to_owned())),
                (None, Some(token)) => (false, Some(token.to_owned())),
                (None, None) => {
                    let ask = listing.ask(page.limit, None);
                    return Err(ask
                        .error(Class::Invalid)
                        .message("the page to go on from is none of this list"));
                }
            },
        };
        let limit = page.limit.max(1);
        let mut ask = listing.ask(limit, token.as_deref());
        let mut reply = self.reply(&ask).await?;
        if token.is_some()
            && let Some(go_on) = Refusal::of(&reply).filter(|no| no.status == 410).and_then(|no| no.go_on)
        {
            tracing::debug!(
                target = listing.target,
                "the moment of the list is forgotten; going on at a later one"
            );
            consistent = false;
            ask = listing.ask(limit, Some(&go_on));
            token = Some(go_on);
            reply = self.reply(&ask).await?;
        }
        drop(token);
        if let Some(refusal) = Refusal::of(&reply) {
            return Err(refusal.error(&ask));
        }
        let list: List<K> = serde_json::from_slice(&reply.body)
            .map_err(|error| ask.malformed(unreadable::<K>(&reply.body, &error)))?;
        let mark = if consistent { CONSISTENT } else { TORN };
        let next = Some(&list.metadata.go_on)
            .filter(|go_on| !go_on.is_empty())
            .map(|go_on| format!("{mark}{go_on}"));
        Ok(Raw { list, next, consistent })
    }

    /// One page, converted.
    pub(crate) async fn page<K: DeserializeOwned, T>(
        &self,
        listing: &Listing<'_>,
        page: &PageRequest,
        convert: impl Fn(K) -> Read<T>,
    ) -> Result<Page<T>> {
        let raw: Raw<K> = self.raw_page(listing, page).await?;
        let items = raw.list.items.unwrap_or_default().into_iter().map(convert).collect::<Read<Vec<T>>>();
        let items = items.map_err(|why| listing.ask(page.limit, None).malformed(why))?;
        Ok(Page { items, next: raw.next, consistent: raw.consistent })
    }

    /// Everything, converted page by page. All of it is of one moment: a list that is torn is begun anew.
    pub(crate) async fn everything<K: DeserializeOwned, T>(
        &self,
        listing: &Listing<'_>,
        convert: impl Fn(K) -> Read<T>,
    ) -> Result<Vec<T>> {
        'again: for _ in 0..BEGINNINGS {
            let mut found = Vec::new();
            let mut request = Some(PageRequest::first(listing.page));
            while let Some(wanted) = request.take() {
                let page = self.page(listing, &wanted, &convert).await?;
                if !page.consistent {
                    continue 'again;
                }
                request = page.next_request(listing.page);
                found.extend(page.items);
            }
            return Ok(found);
        }
        Err(listing
            .ask(listing.page, None)
            .error(Class::Conflict)
            .code("Expired")
            .message("the API server forgot each list before it was read to its end"))
    }
}

/// What is wrong with a list: the first object of it that cannot be read, by its name.
fn unreadable<K: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> String {
    let items =
        serde_json::from_slice::<List<Value>>(body).ok().and_then(|list| list.items).unwrap_or_default();
    for item in items {
        let word = |key: &str| item["metadata"][key].as_str().unwrap_or_default();
        let name = match (word("namespace"), word("name")) {
            ("", "") => "an object without a name".to_owned(),
            ("", name) => name.to_owned(),
            (namespace, name) => format!("{namespace}/{name}"),
        };
        if let Err(error) = K::deserialize(item) {
            return format!("{name}: {error}");
        }
    }
    error.to_string()
}

/// "Not found", of a list, is: there is no such resource.
pub(crate) fn served<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class() == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A selector as a query has it.
pub(crate) fn label_query(selector: &LabelSelector) -> std::result::Result<String, String> {
    let mut parts: Vec<String> =
        selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    for requirement in &selector.match_expressions {
        let key = &requirement.key;
        let values: Vec<&str> = requirement.values.iter().map(String::as_str).collect();
        let one = || match values.as_slice() {
            [one] => Ok(*one),
            _ => Err(format!("`{} {}` compares with one number", key, requirement.operator)),
        };
        if values.is_empty() && matches!(requirement.operator, SelectorOperator::In | SelectorOperator::NotIn)
        {
            // A query would take it for the empty value.
            return Err(format!("`{key} {}` compares with no value", requirement.operator));
        }
        parts.push(match &requirement.operator {
            SelectorOperator::In => format!("{key} in ({})", values.join(",")),
            SelectorOperator::NotIn => format!("{key} notin ({})", values.join(",")),
            SelectorOperator::Exists => key.clone(),
            SelectorOperator::DoesNotExist => format!("!{key}"),
            SelectorOperator::Gt => format!("{key}>{}", one()?),
            SelectorOperator::Lt => format!("{key}<{}", one()?),
            SelectorOperator::Other(word) => return Err(format!("`{word}` is no operator of a selector")),
        });
    }
    Ok(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eks_provider::kube::Requirement;

    #[test]
    fn selectors_are_written_as_queries() {
        let requirement = |key: &str, operator: &str, values: &[&str]| Requirement {
            key: key.to_owned(),
            operator: operator.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let selector = LabelSelector {
            match_labels: [("app".to_owned(), "web".to_owned())].into(),
            match_expressions: vec![
                requirement("tier", "In", &["a", "b"]),
                requirement("zone", "NotIn", &["c"]),
                requirement("x", "Exists", &[]),
                requirement("y", "DoesNotExist", &[]),
                requirement("size", "Gt", &["3"]),
                requirement("size", "Lt", &["9"]),
            ],
        };
        assert_eq!(
            label_query(&selector).unwrap(),
            "app=web,tier in (a,b),zone notin (c),x,!y,size>3,size<9"
        );
        assert_eq!(label_query(&LabelSelector::default()).unwrap(), "");
        for (operator, values) in
            [("Near", &["a"] as &[&str]), ("Gt", &[]), ("Lt", &["1", "2"]), ("In", &[]), ("NotIn", &[])]
        {
            let selector = LabelSelector {
                match_expressions: vec![requirement("k", operator, values)],
                ..LabelSelector::default()
            };
            assert!(label_query(&selector).unwrap_err().contains(operator));
        }
    }
}
