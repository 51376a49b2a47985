//! Idempotency tokens: the same step of the same run sends the same token, whichever process
//! sends it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A client request token: a service that gets the same one again answers as it did the first
/// time and does nothing.
///
/// It is made from the run and the step and from nothing else, so a process that takes a run up
/// after a crash sends what its predecessor sent. The step must name the target and every value
/// of the request that may differ: a token sent with other parameters is refused
/// (`IdempotentParameterMismatch`). A *new* try after a failure that was answered is a new step
/// (`…/try-2`), since the old token brings the old answer back.
///
/// Letters, digits and `-`, at most [`Token::MAX`] characters: Auto Scaling's `ClientToken` takes 64,
/// EC2's 128 (ASCII), and EKS's `clientRequestToken` states no limit. The head is readable, so that
/// an entry in CloudTrail leads back to its run.
///
/// ```
/// use eks_provider::Token;
///
/// let token = Token::derive("roll-2026-11-24", "web-asg/slot-3/launch");
/// assert_eq!(token, Token::derive("roll-2026-11-24", "web-asg/slot-3/launch"));
/// assert_ne!(token, Token::derive("roll-2026-11-24", "web-asg/slot-4/launch"));
/// assert!(token.as_str().starts_with("roll-2026-11-24-"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The most characters that a token has: the head of the run's id, a dash, the digest.
    pub const MAX: usize = Self::HEAD + 1 + 32;

    const HEAD: usize = 24;

    /// The token of this step of this run.
    pub fn derive(run: &str, step: &str) -> Self {
        let head: String =
            run.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(Self::HEAD).collect();
        let mut digest = Fnv::default();
        // With its length in front, ("ab", "c") is not ("a", "bc").
        digest.write(&(run.len() as u64).to_be_bytes());
        digest.write(run.as_bytes());
        digest.write(step.as_bytes());
        Self(format!("{}-{:032x}", if head.is_empty() { "run" } else { &head }, digest.0))
    }

    /// The text that is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a with 128 bits. Nobody attacks these tokens; they must only be the same on every machine
/// and with every compiler, which the standard library's hasher does not promise.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u128::from(*byte);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digest_is_fnv_1a_128() {
        // The vectors of the IETF draft "The FNV Non-Cryptographic Hash Algorithm".
        for (text, expected) in [
            ("", 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128),
            ("a", 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964),
            ("foobar", 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18),
        ] {
            let mut digest = Fnv::default();
            digest.write(text.as_bytes());
            assert_eq!(digest.0, expected, "{text}");
        }
    }

    #[test]
    fn a_token_once_sent_stays_the_same_in_later_versions() {
        // A journal may outlive the program that wrote it: a change here breaks runs under way.
        assert_eq!(Token::derive("run", "step").as_str(), "run-1e2ffa53ce8a2d372e525fc8030d04f3");
    }

    proptest! {
        #[test]
        fn every_token_fits_every_service(run in ".*", step in ".*") {
            let token = Token::derive(&run, &step);
            prop_assert!(token.as_str().len() <= Token::MAX && Token::MAX <= 64);
            prop_assert!(token.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        }

        #[test]
        fn where_the_run_ends_and_the_step_begins_matters(text in ".{2,40}", at in 1usize..39) {
            let at = text.char_indices().map(|(at, _)| at).nth(at.min(text.chars().count() - 1)).unwrap_or(0);
            let (run, step) = text.split_at(at);
            prop_assert_ne!(Token::derive(run, step), Token::derive(&text, ""));
        }
    }
}
