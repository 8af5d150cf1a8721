//! ECDSA signatures in DER.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use super::EncodingError;

/// `r` and `s`, 32 bytes each, big-endian.
pub type Integers = ([u8; 32], [u8; 32]);

/// X.690's identifiers of the two types that a signature is made of.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// `Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 section 2.2.3), 8 to 72 bytes.
pub fn encode((r, s): &Integers) -> Vec<u8> {
    let integers = [integer(r), integer(s)].concat();
    // At most 70: each integer has at most 33 bytes behind two of its own.
    let length = u8::try_from(integers.len()).unwrap_or_default();
    [&[SEQUENCE, length], integers.as_slice()].concat()
}

/// Reads what [`encode`] writes, and nothing else: X.690's distinguished encoding has one text for
/// each signature. So no trailing bytes, no other form of a length, and no integer that is
/// negative, longer than it must be, or longer than 32 bytes. Whether `r` and `s` are in `1..n` is
/// not looked at.
pub fn decode(signature: &[u8]) -> Result<Integers, EncodingError> {
    let (content, rest) = take(SEQUENCE, signature)?;
    let (r, content) = take(INTEGER, content)?;
    let (s, content) = take(INTEGER, content)?;
    if rest.is_empty() && content.is_empty() {
        Ok((unsigned(r)?, unsigned(s)?))
    } else {
        Err(EncodingError::Malformed)
    }
}

/// Identifier, length and big-endian two's complement without needless leading bytes.
fn integer(value: &[u8; 32]) -> Vec<u8> {
    let digits = match value.iter().position(|byte| *byte != 0) {
        Some(first) => value.get(first..).unwrap_or_default(),
        None => &[0],
    };
    let sign: &[u8] = if digits.first() >= Some(&0x80) {
        &[0]
    } else {
        &[]
    };
    let length = u8::try_from(sign.len().saturating_add(digits.len())).unwrap_or_default();
    [&[INTEGER, length], sign, digits].concat()
}

/// The content of the element in front, and what follows it. Lengths from 128 have a long form,
/// which no signature of this size needs.
fn take(identifier: u8, bytes: &[u8]) -> Result<(&[u8], &[u8]), EncodingError> {
    match bytes {
        [first, length @ ..=0x7f, rest @ ..] if *first == identifier => rest
            .split_at_checked(usize::from(*length))
            .ok_or(EncodingError::Malformed),
        _ => Err(EncodingError::Malformed),
    }
}

/// The value of an integer's content.
fn unsigned(content: &[u8]) -> Result<[u8; 32], EncodingError> {
    let digits = match content {
        [0] => content,
        // A zero in front is there where the next byte would make the number negative, and only
        // there.
        [0, 0x80..=0xff, ..] => content.get(1..).unwrap_or_default(),
        [1..=0x7f, ..] => content,
        _ => return Err(EncodingError::Malformed),
    };
    let mut value = [0; 32];
    value
        .len()
        .checked_sub(digits.len())
        .and_then(|start| value.get_mut(start..))
        .ok_or(EncodingError::TooLong)?
        .copy_from_slice(digits);
    Ok(value)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn number(digits: &[u8]) -> [u8; 32] {
        let mut value = [0; 32];
        value[32 - digits.len()..].copy_from_slice(digits);
        value
    }

    #[test]
    fn one_text_for_each_signature() {
        for (r, s, text) in [
            (
                number(&[1]),
                number(&[0x7f]),
                vec![0x30, 6, 2, 1, 1, 2, 1, 0x7f],
            ),
            (
                number(&[0x80]),
                number(&[1, 0]),
                vec![0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0],
            ),
            (number(&[0]), number(&[1]), vec![0x30, 6, 2, 1, 0, 2, 1, 1]),
        ] {
            assert_eq!(encode(&(r, s)), text);
            assert_eq!(decode(&text), Ok((r, s)));
        }
        let longest = encode(&([0xff; 32], [0xff; 32]));
        assert_eq!(longest.len(), 72);
        assert_eq!(decode(&longest), Ok(([0xff; 32], [0xff; 32])));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            &[][..],
            &[0x30],
            &[0x30, 0],
            &[0x30, 3, 2, 1, 1],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 3, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 3, 1, 1],
            // Too much, too little.
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1],
            &[0x30, 5, 2, 1, 1, 2, 1, 1],
            // The long form of a length; the indefinite one.
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0],
            // Nothing, negative, over-long.
            &[0x30, 5, 2, 0, 2, 1, 1],
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 0, 2, 1, 1],
        ] {
            assert_eq!(decode(wrong), Err(EncodingError::Malformed), "{wrong:?}");
        }
        let too_long = [&[0x30, 38, 2, 33, 1][..], &[0; 32], &[2, 1, 1]].concat();
        assert_eq!(decode(&too_long), Err(EncodingError::TooLong));
    }
}
