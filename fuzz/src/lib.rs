//! What the fuzz targets share: the other side of each comparison, and hostile input that gets past
//! the first check.
//!
//! A target's input is either a text as it is, or choices out of which something right is made and
//! then made wrong in places: see [`mutate`].

#![allow(
    clippy::missing_panics_doc,
    reason = "a target says that something is wrong by a panic"
)]

extern crate alloc;

pub mod edge;
pub mod judge;
pub mod mutate;
pub mod oracle;
pub mod right;
pub mod strict;
pub mod world;

/// Modules that gridkey keeps to itself, compiled from its own sources.
#[allow(dead_code, missing_docs, reason = "not all of them is called here")]
pub mod inner {
    #[path = "../../../src/crypto/aes_gcm.rs"]
    pub mod aes_gcm;
    pub mod curve;
    #[path = "../../../src/crypto/hmac.rs"]
    mod hmac;
    #[path = "../../../src/crypto/p256/mod.rs"]
    mod p256;
}

/// The target's choices, and whether the rest is a text to be taken as it is.
///
/// The corpus has both: vectors as they were published, and what the fuzzer has put together.
pub fn split(data: &[u8]) -> Option<(bool, &[u8])> {
    let (mode, rest) = data.split_first()?;
    Some((*mode == b'=', rest))
}

/// Lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of either case.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let bytes = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8);
    Some(bytes.collect())
}
