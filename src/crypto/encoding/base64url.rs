//! Base64 with the URL-safe alphabet and without padding, RFC 4648 section 5.

#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};

use super::{
    EncodingError,
    digits::{self, Alphabet, Run},
};

/// Without padding.
pub fn encode(bytes: &[u8]) -> String {
    digits::encode(&DIGITS, bytes)
}

/// Refuses padding, white space, and texts whose unused last bits are not zero, for at most
/// `max_bytes` bytes.
pub fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, EncodingError> {
    if text.len() > max_bytes.saturating_mul(4).div_ceil(3) {
        return Err(EncodingError::TooLong);
    }
    digits::decode(&DIGITS, text)
}

const DIGITS: Alphabet = Alphabet {
    bits: 6,
    written: RUNS,
    read: RUNS,
};

const RUNS: &[Run] = &[
    Run::new(b'A', b'Z', 0),
    Run::new(b'a', b'z', 26),
    Run::new(b'0', b'9', 52),
    Run::new(b'-', b'-', 62),
    Run::new(b'_', b'_', 63),
];

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use base64ct::{Base64UrlUnpadded, Encoding as _};

    use super::*;

    /// Every byte in every place of a text, and every number of bytes, against the `base64ct` crate.
    #[test]
    fn agrees_with_the_base64ct_crate() {
        for length in 0..70_usize {
            for byte in 0..=u8::MAX {
                let bytes: Vec<u8> = (0..length)
                    .map(|at| byte.wrapping_add(u8::try_from(at).unwrap().wrapping_mul(89)))
                    .collect();
                let text = Base64UrlUnpadded::encode_string(&bytes);
                assert_eq!(encode(&bytes), text);
                assert_eq!(decode(&text, length).unwrap(), bytes);
            }
        }
        for first in 0..=127_u8 {
            for second in 0..=127_u8 {
                let pair = [first, second].map(char::from);
                for text in [String::from_iter(pair), format!("AA{}{}", pair[0], pair[1])] {
                    let expected = Base64UrlUnpadded::decode_vec(&text).ok();
                    assert_eq!(decode(&text, 3).ok(), expected, "{text:?}");
                }
            }
        }
    }

    /// RFC 4648 section 10, without padding; and the two letters of the URL-safe alphabet.
    #[test]
    fn writes_and_reads_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text, bytes.len()).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode("-_8", 2).unwrap(), [0xfb, 0xff]);
    }

    #[test]
    fn refuses_padding_other_alphabets_spaces_and_unused_bits() {
        for refused in [
            "Zg==", "Zm8=", "=", "+/8", "Zg\n", " Zg", "Z g", "Z", "Zm9vY", "Zé", "Zh", "Zm9",
        ] {
            assert_eq!(
                decode(refused, 64),
                Err(EncodingError::Malformed),
                "{refused}"
            );
        }
    }

    #[test]
    fn is_capped() {
        for length in 0..40 {
            let text = encode(&vec![0; length]);
            assert!(decode(&text, length).is_ok(), "{length}");
            if length > 0 {
                assert_eq!(
                    decode(&text, length - 1),
                    Err(EncodingError::TooLong),
                    "{length}"
                );
            }
        }
    }
}
