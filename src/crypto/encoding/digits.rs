//! Texts of digits that stand for a few bits each: what hexadecimal and base64url share.
//!
//! Written out because `base16ct` and `base64ct` are 2 KB more of WebAssembly, and panic where these
//! lines cannot. Like theirs, neither the time nor what is read depends on the bytes: there are no
//! tables to look up and no branches, for keys are written so too.

#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};

use super::EncodingError;

/// Which characters are digits.
pub(super) struct Alphabet {
    /// Of each digit.
    pub bits: u32,
    /// Every value once.
    pub written: &'static [Run],
    /// Every character once.
    pub read: &'static [Run],
}

/// Characters that follow one another as their values do.
pub(super) struct Run {
    pub first: u8,
    pub last: u8,
    /// Of the first.
    pub value: u8,
}

impl Run {
    pub(super) const fn new(first: u8, last: u8, value: u8) -> Self {
        Self { first, last, value }
    }
}

#[inline(never)]
pub(super) fn encode(alphabet: &Alphabet, bytes: &[u8]) -> String {
    // Of its final size from the start, and as long for hexadecimal as it gets.
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    let (mut pending, mut pending_bits) = (0, 0);
    for byte in bytes {
        pending = (pending << 8) | u32::from(*byte);
        pending_bits = u32::wrapping_add(pending_bits, 8);
        while pending_bits >= alphabet.bits {
            pending_bits = pending_bits.wrapping_sub(alphabet.bits);
            text.push(alphabet.digit(pending >> pending_bits));
        }
    }
    if pending_bits > 0 {
        text.push(alphabet.digit(pending << alphabet.bits.wrapping_sub(pending_bits)));
    }
    text
}

/// Refuses bits that are left over, unless they are zeros and fewer than a digit's.
#[inline(never)]
pub(super) fn decode(alphabet: &Alphabet, text: &str) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut pending, mut pending_bits) = (0, 0);
    let mut is_right = true;
    for character in text.bytes() {
        let value = alphabet.value(character);
        is_right &= value >= 0;
        pending = (pending << alphabet.bits) | value.cast_unsigned();
        pending_bits = u32::wrapping_add(pending_bits, alphabet.bits);
        if pending_bits >= 8 {
            pending_bits = pending_bits.wrapping_sub(8);
            bytes.push(low_byte(pending >> pending_bits));
        }
    }
    let left_over = low_byte(pending << 8_u32.wrapping_sub(pending_bits));
    if is_right && pending_bits < alphabet.bits && left_over == 0 {
        Ok(bytes)
    } else {
        Err(EncodingError::Malformed)
    }
}

impl Alphabet {
    /// The digit of the lowest bits.
    fn digit(&self, bits: u32) -> char {
        let value = i32::from(low_byte(bits)) & (1_i32 << self.bits).wrapping_sub(1);
        let mut digit = 0;
        for run in self.written {
            let beyond = value.wrapping_sub(run.value.into());
            let length = run.last.wrapping_sub(run.first);
            digit |= within(beyond, length) & beyond.wrapping_add(run.first.into());
        }
        char::from(low_byte(digit.cast_unsigned()))
    }

    /// The value of a digit, or -1.
    fn value(&self, character: u8) -> i32 {
        let mut value = 0;
        for run in self.read {
            let beyond = i32::from(character).wrapping_sub(run.first.into());
            let length = run.last.wrapping_sub(run.first);
            value |= within(beyond, length) & beyond.wrapping_add(run.value.into()).wrapping_add(1);
        }
        i32::wrapping_sub(value, 1)
    }
}

/// All ones for numbers from 0 to `length`, or else all zeros. Both are of a byte's size.
fn within(number: i32, length: u8) -> i32 {
    !(number | i32::from(length).wrapping_sub(number)) >> 31
}

fn low_byte(bits: u32) -> u8 {
    let [.., byte] = bits.to_be_bytes();
    byte
}
