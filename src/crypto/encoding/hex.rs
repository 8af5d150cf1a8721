//! Hexadecimal, RFC 4648 section 8.

#![forbid(unsafe_code)]

use super::EncodingError;

/// Lower case, two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Digits of either case, an even number of them, for at most `max_bytes` bytes.
pub fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, EncodingError> {
    if text.len() > max_bytes.saturating_mul(2) {
        return Err(EncodingError::TooLong);
    }
    base16ct::mixed::decode_vec(text).map_err(|_| EncodingError::Malformed)
}
