//! Bytes: P-256 keys, the one HPKE suite, signed enclave bundles, strict encodings, strict JSON.
//!
//! Every input that a relay could have altered is refused unless it is exactly of its form, and
//! its length is checked before any other work. Nothing in here panics on input; nothing echoes
//! input in an error.
//!
//! # What is wiped
//!
//! Private scalars live in heap boxes that are wiped when dropped, so that moving a key does not
//! leave copies behind. Shared secrets, symmetric keys and plaintexts live in buffers of their
//! final size that are wiped when dropped. What a computation leaves on the stack is wiped after
//! it. Not reached are values that the compiler keeps in registers or that the JavaScript engine
//! copies.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, reason = "tests count and pad")
)]

mod aes_gcm;
pub mod enclave;
pub mod encoding;
mod hmac;
pub mod hpke;
pub mod json;
pub mod key;
mod p256;
pub mod random;
mod stack;

pub use encoding::{base58check, base64url, hex};
