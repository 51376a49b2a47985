//! Idempotency tokens: the same request again is answered as it was the first time, and does nothing.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use eks_provider::Token;

use crate::World;
use crate::aws::call::{Answer, refuse};

/// What was asked and answered, by operation and token.
///
/// Services forget tokens after a while; this world does not, since how long they remember is not documented
/// for all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(BTreeMap<(&'static str, String), Remembered>);

#[derive(Debug, Clone)]
struct Remembered {
    request: String,
    answer: Arc<dyn Any + Send + Sync>,
}

/// Does a piece of work once per token. The same token with another request is refused.
///
/// EC2: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>: a repeated token with other
/// parameters is `IdempotentParameterMismatch`. EKS documents no code for it; `InvalidParameterException` is ours.
pub(crate) fn once<T: Clone + Send + Sync + 'static>(
    world: &mut World,
    operation: &'static str,
    token: &Token,
    request: &impl Debug,
    work: impl FnOnce(&mut World) -> Answer<T>,
) -> Answer<T> {
    let key = (operation, token.as_str().to_owned());
    let request = format!("{request:?}");
    if let Some(remembered) = world.aws.tokens.0.get(&key) {
        if remembered.request == request
            && let Some(answer) = remembered.answer.downcast_ref::<T>()
        {
            return Ok(answer.clone());
        }
        let code = if operation.starts_with("eks:") {
            "InvalidParameterException"
        } else {
            "IdempotentParameterMismatch"
        };
        return refuse(code, "The client token was used before with other parameters");
    }
    let answer = work(world)?;
    world.aws.tokens.0.insert(key, Remembered { request, answer: Arc::new(answer.clone()) });
    Ok(answer)
}
