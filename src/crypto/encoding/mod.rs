//! Strict text encodings of bytes. Each takes the most it decodes, and refuses more before any
//! other work.

#![forbid(unsafe_code)]

pub mod base58check;
pub mod base64url;
pub mod decimal;
pub mod der;
mod digits;
pub mod hex;

use core::fmt;

/// Why a text does not decode. Says nothing of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EncodingError {
    /// The checksum does not fit the bytes before it.
    Checksum,
    /// A character or a length that the encoding does not have, or not the one canonical text of
    /// these bytes.
    Malformed,
    /// More than the caller takes.
    TooLong,
}

impl EncodingError {
    /// What is wrong.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Checksum => "the checksum does not match",
            Self::Malformed => "the text is not of this encoding",
            Self::TooLong => "the text is too long",
        }
    }
}

impl fmt::Display for EncodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for EncodingError {}
