//! Base58Check with Bitcoin's alphabet and without a version byte: payload, then the first four
//! bytes of SHA-256(SHA-256(payload)).

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::EncodingError;

const CHECKSUM_BYTES: usize = 4;

/// The payload of a text of at most `max_chars` characters.
///
/// The time to decode grows with the square of the length, so choose the cap small.
pub fn decode(text: &str, max_chars: usize) -> Result<Vec<u8>, EncodingError> {
    if text.len() > max_chars {
        return Err(EncodingError::TooLong);
    }
    let mut bytes = digits(text).ok_or(EncodingError::Malformed)?;
    let payload_bytes = bytes
        .len()
        .checked_sub(CHECKSUM_BYTES)
        .ok_or(EncodingError::Malformed)?;
    let checksum = bytes.split_off(payload_bytes);
    if Sha256::digest(Sha256::digest(&bytes)).starts_with(&checksum) {
        Ok(bytes)
    } else {
        Err(EncodingError::Checksum)
    }
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The number of these digits, big-endian, behind as many zeros as the text has ones in front.
fn digits(text: &str) -> Option<Vec<u8>> {
    let mut little_endian = Vec::new();
    let mut zeros = 0_usize;
    for character in text.bytes() {
        let digit = ALPHABET.iter().position(|digit| *digit == character)?;
        let mut carry = u8::try_from(digit).ok()?;
        for byte in &mut little_endian {
            // At most 255 * 58 + 57.
            let [high, low] = u16::from(*byte)
                .wrapping_mul(58)
                .wrapping_add(u16::from(carry))
                .to_be_bytes();
            (*byte, carry) = (low, high);
        }
        if carry > 0 {
            little_endian.push(carry);
        } else if little_endian.is_empty() {
            zeros = zeros.saturating_add(1);
        }
    }
    little_endian.resize(little_endian.len().saturating_add(zeros), 0);
    Some(little_endian.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::hex;

    #[test]
    fn vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/base58check.json")).unwrap();
        for test in vectors["valid"].as_array().unwrap() {
            let payload = hex::decode(test["payload"].as_str().unwrap(), 64).unwrap();
            assert_eq!(
                decode(test["string"].as_str().unwrap(), 64).unwrap(),
                payload,
                "{test}"
            );
        }
        for test in vectors["invalid"].as_array().unwrap() {
            let text = test.as_str().or(test["string"].as_str()).unwrap();
            let error = decode(text, 64).unwrap_err();
            let expected = if test["exception"] == "Invalid checksum" {
                EncodingError::Checksum
            } else {
                EncodingError::Malformed
            };
            assert_eq!(error, expected, "{test}");
        }
    }

    #[test]
    fn leading_ones_are_leading_zeros() {
        let text =
            bs58::encode([[0, 0, 7].as_slice(), &checksum(&[0, 0, 7])].concat()).into_string();
        assert!(text.starts_with("11"));
        assert_eq!(decode(&text, 16).unwrap(), [0, 0, 7]);
        assert!(decode(text.trim_start_matches('1'), 16).is_err());
        assert!(decode(&format!("1{text}"), 16).is_err());
    }

    #[test]
    fn refuses_what_is_too_short_and_other_characters() {
        // The empty payload has a text; nothing shorter has.
        let empty = bs58::encode(checksum(&[])).into_string();
        assert!(decode(&empty, 16).unwrap().is_empty());
        for refused in ["", "1", "111", "0", "O", "I", "l", " 1", "1\n", "é"] {
            assert_eq!(
                decode(refused, 16),
                Err(EncodingError::Malformed),
                "{refused}"
            );
        }
    }

    #[test]
    fn is_capped_before_the_characters_are_looked_at() {
        assert_eq!(decode(&"0".repeat(512), 512), Err(EncodingError::Malformed));
        assert_eq!(decode(&"0".repeat(513), 512), Err(EncodingError::TooLong));
        // Without the cap this would run for minutes.
        assert_eq!(
            decode(&"z".repeat(1 << 20), 512),
            Err(EncodingError::TooLong)
        );
    }

    fn checksum(payload: &[u8]) -> Vec<u8> {
        Sha256::digest(Sha256::digest(payload))[..4].to_vec()
    }
}
