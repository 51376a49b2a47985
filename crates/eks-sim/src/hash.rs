//! A short mark of a text, the same on every machine and in every build: for ids and tokens that are made up. It
//! protects nothing.

/// FNV-1a, 64 bits. <http://www.isthe.com/chongo/tech/comp/fnv/> (2012)
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
