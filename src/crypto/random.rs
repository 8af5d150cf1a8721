//! Randomness.

#![forbid(unsafe_code)]

use crate::error::{Error, ErrorCode, Result};

/// A source of secure random bytes.
pub trait Random {
    /// Fills all of `bytes` from a cryptographically secure source, or fails with
    /// `randomness_unavailable`.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The platform's source: `crypto.getRandomValues` in browsers, workers and Node, the operating
/// system natively. There is no fallback.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            unavailable("There is no source of secure randomness: crypto.getRandomValues failed.")
        })?;
        refuse_zeros(bytes)
    }
}

/// Refuses a source that answers without doing its work.
///
/// Sixteen zero bytes come from a working source once in 2^128 calls.
fn refuse_zeros(bytes: &[u8]) -> Result<()> {
    if bytes.len() >= 16 && bytes.iter().all(|byte| *byte == 0) {
        return Err(unavailable(
            "The source of randomness gave nothing but zeros.",
        ));
    }
    Ok(())
}

fn unavailable(message: &'static str) -> Error {
    Error::new(ErrorCode::RandomnessUnavailable, message)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn fills_everything_and_never_twice_the_same() {
        let mut first = [0; 64];
        let mut second = [0; 64];
        SystemRandom.fill(&mut first).unwrap();
        SystemRandom.fill(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first[..16], [0; 16]);
        assert_ne!(first[48..], [0; 16]);
    }

    #[test]
    fn zeros_are_a_failure() {
        assert_eq!(
            refuse_zeros(&[0; 16]).unwrap_err().code(),
            ErrorCode::RandomnessUnavailable
        );
        let mut almost = [0; 32];
        almost[31] = 1;
        refuse_zeros(&almost).unwrap();
        refuse_zeros(&[0; 15]).unwrap();
    }
}
