//! Hexadecimal, RFC 4648 section 8.

#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};

use super::{
    EncodingError,
    digits::{self, Alphabet, Run},
};

/// Lower case, two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    digits::encode(&DIGITS, bytes)
}

/// Digits of either case, an even number of them, for at most `max_bytes` bytes.
pub fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, EncodingError> {
    if text.len() > max_bytes.saturating_mul(2) {
        return Err(EncodingError::TooLong);
    }
    digits::decode(&DIGITS, text)
}

const DIGITS: Alphabet = Alphabet {
    bits: 4,
    written: &[Run::new(b'0', b'9', 0), Run::new(b'a', b'f', 10)],
    read: &[
        Run::new(b'0', b'9', 0),
        Run::new(b'a', b'f', 10),
        Run::new(b'A', b'F', 10),
    ],
};

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_byte_and_every_character() {
        for byte in 0..=u8::MAX {
            assert_eq!(encode(&[byte]), format!("{byte:02x}"));
            assert_eq!(decode(&format!("{byte:02x}"), 1), Ok(vec![byte]));
            assert_eq!(decode(&format!("{byte:02X}"), 1), Ok(vec![byte]));
        }
        for character in (0..=u8::MAX).map(char::from) {
            let text = format!("{character}0");
            assert_eq!(
                decode(&text, 8).is_ok(),
                character.is_ascii_hexdigit(),
                "{character:?}"
            );
        }
    }

    #[test]
    fn writes_lower_case_and_reads_either() {
        assert_eq!(encode(&[0, 0x1a, 0xff]), "001aff");
        assert_eq!(decode("001aFf", 3).unwrap(), [0, 0x1a, 0xff]);
        assert!(decode("", 0).unwrap().is_empty());
    }

    #[test]
    fn refuses_anything_else() {
        for refused in [
            "0",
            "000",
            "0x00",
            "0g",
            " 00",
            "00 ",
            "0\u{ff10}",
            "é",
            "+1",
            "-1",
        ] {
            assert_eq!(
                decode(refused, 8),
                Err(EncodingError::Malformed),
                "{refused}"
            );
        }
    }

    #[test]
    fn is_capped() {
        assert_eq!(decode("0000", 2).unwrap(), [0, 0]);
        assert_eq!(decode("00000", 2), Err(EncodingError::TooLong));
        assert_eq!(
            decode(&"x".repeat(1 << 20), 32),
            Err(EncodingError::TooLong)
        );
    }
}
