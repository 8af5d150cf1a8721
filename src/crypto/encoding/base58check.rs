//! Base58Check with Bitcoin's alphabet and without a version byte: payload, then the first four
//! bytes of SHA-256(SHA-256(payload)).

#![forbid(unsafe_code)]

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
    let mut bytes = bs58::decode(text)
        .into_vec()
        .map_err(|_| EncodingError::Malformed)?;
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
