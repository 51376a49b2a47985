//! What every call goes through: one sentence about what it is, the pages of a list, credentials
//! that are renewed once, and answers that lack what they must have.

use std::collections::BTreeSet;
use std::error::Error;

use aws_sdk_eks::config::http::HttpResponse;
use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::primitives::DateTime;
use eks_provider::{Class, ProviderError, Result, Written};
use jiff::Timestamp;

use crate::Aws;
use crate::failure::failure;

/// The result of a call of an SDK.
pub(crate) type Answer<O, E> = std::result::Result<O, SdkError<E, HttpResponse>>;

/// Which call, on what: how an error begins.
#[derive(Debug, Clone)]
pub(crate) struct What {
    pub(crate) operation: &'static str,
    pub(crate) target: String,
}

impl What {
    pub(crate) fn new(operation: &'static str, target: impl Into<String>) -> Self {
        Self { operation, target: target.into() }
    }

    pub(crate) fn error(&self, class: Class) -> ProviderError {
        ProviderError::new(class, self.operation, &self.target)
    }

    pub(crate) fn malformed(&self, why: impl Into<String>) -> ProviderError {
        self.error(Class::Malformed).message(why)
    }

    /// The answer lacks a field that it must have.
    pub(crate) fn missing(&self, field: &str) -> ProviderError {
        self.malformed(format!("the answer has no {field}"))
    }

    pub(crate) fn need<T>(&self, field: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.missing(field))
    }

    /// A text. The SDKs fill an empty one in where a required one is missing, so empty is missing.
    pub(crate) fn text(&self, field: &str, value: Option<String>) -> Result<String> {
        self.need(field, value.filter(|text| !text.is_empty()))
    }

    /// A number of things.
    pub(crate) fn count<T: TryFrom<i64>>(&self, field: &str, value: Option<impl Into<i64>>) -> Result<T> {
        let number: i64 = self.need(field, value)?.into();
        T::try_from(number).map_err(|_| self.malformed(format!("{field} is {number}")))
    }

    /// A word of a list that may grow.
    pub(crate) fn word<T: for<'a> From<&'a str>>(&self, field: &str, value: Option<&str>) -> Result<T> {
        // What the SDKs fill in where a required word is missing.
        let value = value.filter(|word| !word.is_empty() && *word != "no value was set");
        Ok(T::from(self.need(field, value)?))
    }

    pub(crate) fn time(&self, field: &str, value: Option<DateTime>) -> Result<Timestamp> {
        // The SDKs fill the epoch in where a required time is missing.
        self.need(field, time(value).filter(|time| *time != Timestamp::UNIX_EPOCH))
    }
}

/// A word of a list that may grow, where there is one.
pub(crate) fn word<T: for<'a> From<&'a str>>(value: Option<&str>) -> Option<T> {
    value.filter(|word| !word.is_empty()).map(T::from)
}

/// A text, where there is one.
pub(crate) fn some(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// A moment, where there is one that can be written.
pub(crate) fn time(value: Option<DateTime>) -> Option<Timestamp> {
    let value = value?;
    let nanos = i32::try_from(value.subsec_nanos()).ok()?;
    Timestamp::new(value.secs(), nanos).ok()
}

/// A number of things, where there is one. AWS writes "none of its own" as a negative one.
pub(crate) fn count(value: Option<i32>) -> Option<u32> {
    u32::try_from(value?).ok()
}

/// A version as it is written, where there is one.
pub(crate) fn written<T: std::str::FromStr>(value: Option<String>) -> Option<Written<T>> {
    some(value).map(Written::of)
}

/// The values of a list, sorted and once each.
pub(crate) fn set<T: Ord>(value: Option<Vec<T>>) -> BTreeSet<T> {
    value.into_iter().flatten().collect()
}

/// Pairs, sorted.
pub(crate) fn map(
    value: Option<std::collections::HashMap<String, String>>,
) -> std::collections::BTreeMap<String, String> {
    value.into_iter().flatten().collect()
}

impl Aws {
    /// Sends a call. Where the service does not accept the credentials, sends it once more with
    /// new ones: it was not carried out.
    pub(crate) async fn send<O, E, F>(&self, what: &What, call: impl Fn() -> F + Send + Sync) -> Result<O>
    where
        F: Future<Output = Answer<O, E>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        O: Send,
    {
        let generation = self.credentials.generation();
        let error = match Box::pin(call()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => failure(what, &error),
        };
        // Without an answer, the credentials could not be had at all: that was the one try.
        if error.class() != Class::Unauthenticated || error.http_status().is_none() {
            return Err(error);
        }
        self.credentials.renew(generation).await;
        Box::pin(call()).await.map_err(|error| failure(what, &error))
    }

    /// All pages of a list, joined. `call` asks for the page of a token, `page` takes it apart.
    pub(crate) async fn pages<O, E, F, T>(
        &self,
        what: &What,
        call: impl Fn(Option<String>) -> F + Send + Sync,
        page: impl Fn(O) -> (Option<Vec<T>>, Option<String>) + Send + Sync,
    ) -> Result<Vec<T>>
    where
        F: Future<Output = Answer<O, E>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        O: Send,
        T: Send,
    {
        let mut all = Vec::new();
        let mut pages = Pages::default();
        loop {
            let token = pages.token();
            let answer = self.send(what, || call(token.clone())).await?;
            let (items, next) = page(answer);
            all.extend(items.into_iter().flatten());
            if !pages.go_on(what, next)? {
                return Ok(all);
            }
        }
    }
}

/// Where in a list one is. A list that leads back to a page which was read never ends.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    token: Option<String>,
    seen: BTreeSet<String>,
}

impl Pages {
    /// The token of the page to ask for; none for the first.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Takes the token of the next page. Whether there is one.
    pub(crate) fn go_on(&mut self, what: &What, next: Option<String>) -> Result<bool> {
        self.token = some(next);
        let Some(token) = &self.token else { return Ok(false) };
        if self.seen.insert(token.clone()) {
            return Ok(true);
        }
        Err(what.malformed("the answer leads back to a page of the list that was read before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_cannot_be_written_are_unknown_and_never_the_epoch() {
        assert_eq!(time(Some(DateTime::from_secs(0))), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(time(Some(DateTime::from_secs(i64::MAX))), None);
        let what = What::new("autoscaling:DescribeScalingActivities", "group web");
        let error = what.time("StartTime", Some(DateTime::from_secs(0))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "autoscaling:DescribeScalingActivities on group web: unreadable answer: the answer has no StartTime"
        );
        assert_eq!(
            what.time("StartTime", Some(DateTime::from_secs_and_nanos(1, 500_000_000))).unwrap().to_string(),
            "1970-01-01T00:00:01.5Z"
        );
    }

    #[test]
    fn what_the_sdk_fills_in_is_missing() {
        let what = What::new("eks:DescribeCluster", "cluster shop");
        assert!(what.text("name", Some(String::new())).is_err());
        assert!(what.word::<eks_provider::aws::ClusterStatus>("status", Some("no value was set")).is_err());
        assert_eq!(
            what.count::<u32>("MinSize", Some(-1)).unwrap_err().service_message(),
            Some("MinSize is -1")
        );
        assert_eq!(count(Some(-1)), None);
    }
}
