//! Base58Check, against `bs58`'s own check of it and sums done by hand.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::crypto::{base58check, encoding::EncodingError};
use gridkey_fuzz::{mutate, split};
use libfuzzer_sys::fuzz_target;

const MAX_CHARS: usize = 512;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        if let Ok(text) = std::str::from_utf8(rest) {
            compare(text);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let mut text = String::new();
    mutate::text(u, &mut text)?;
    let payload = u.bytes(u.len().min(400))?;
    text = bs58::encode(payload).with_check().into_string() + &text;
    compare(&text);
    Ok(())
}

fn compare(text: &str) {
    let found = base58check::decode(text, MAX_CHARS);
    if text.len() > MAX_CHARS {
        assert_eq!(found, Err(EncodingError::TooLong));
        return;
    }
    let checked = bs58::decode(text).with_check(None).into_vec();
    match (&found, &checked) {
        (Ok(found), Ok(checked)) => {
            assert_eq!(found, checked);
            assert_eq!(bs58::encode(found).with_check().into_string(), text);
        }
        (Err(EncodingError::Checksum), Err(bs58::decode::Error::InvalidChecksum { .. })) => {}
        (
            Err(EncodingError::Malformed),
            Err(
                bs58::decode::Error::InvalidCharacter { .. }
                | bs58::decode::Error::NonAsciiCharacter { .. }
                | bs58::decode::Error::NoChecksum,
            ),
        ) => {}
        _ => panic!("{text:?}: {found:?}, {checked:?}"),
    }
    // Both stand on `bs58`, so its sums are done again.
    if let Ok(found) = found {
        let digits = by_hand(text);
        assert_eq!(digits[..digits.len() - 4], found);
    }
}

/// The number to the base 256, and a zero byte for each one in front.
fn by_hand(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    // The lowest byte first.
    let mut number: Vec<u8> = Vec::new();
    for character in text.chars() {
        let mut carried = ALPHABET.find(character).unwrap();
        for byte in &mut number {
            carried += usize::from(*byte) * 58;
            *byte = (carried % 256) as u8;
            carried /= 256;
        }
        while carried > 0 {
            number.push((carried % 256) as u8);
            carried /= 256;
        }
    }
    let zeros = text
        .chars()
        .take_while(|character| *character == '1')
        .count();
    number.resize(number.len() + zeros, 0);
    number.reverse();
    number
}
