//! Base64 with the URL-safe alphabet and without padding, RFC 4648 section 5.

#![forbid(unsafe_code)]

use base64ct::{Base64UrlUnpadded, Encoding};

use super::EncodingError;

/// Without padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Refuses padding, white space, and texts whose unused last bits are not zero, for at most
/// `max_bytes` bytes.
pub fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, EncodingError> {
    if text.len() > max_bytes.saturating_mul(4).div_ceil(3) {
        return Err(EncodingError::TooLong);
    }
    Base64UrlUnpadded::decode_vec(text).map_err(|_| EncodingError::Malformed)
}
