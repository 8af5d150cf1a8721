//! Signatures in DER, against the crates `der` and `ecdsa`.

#![no_main]

use arbitrary::{Result, Unstructured};
use der::{Decode, Reader, SliceReader, asn1::UintRef};
use gridkey::crypto::encoding::der as ours;
use gridkey_fuzz::{edge, mutate, split};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::Signature;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        compare(rest);
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let integers = (edge::number(u)?, edge::number(u)?);
    let encoded = ours::encode(&integers);
    assert_eq!(ours::decode(&encoded), Ok(integers));
    if let Ok(signature) = Signature::from_scalars(integers.0, integers.1) {
        assert_eq!(encoded, signature.to_der().as_bytes());
    }
    let mut altered = match u.ratio(1_u8, 2_u8)? {
        true => encoded,
        false => elements(u)?,
    };
    mutate::bytes(u, &mut altered)?;
    compare(&altered);
    Ok(())
}

/// Two integers in a sequence, with identifiers, lengths and contents that need not fit.
fn elements(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut content = element(u, 2)?;
    content.extend(element(u, 2)?);
    wrapped(u, 0x30, &content)
}

fn element(u: &mut Unstructured<'_>, identifier: u8) -> Result<Vec<u8>> {
    let zeros = u.int_in_range(0..=2)?;
    let length = u.int_in_range(0..=34)?;
    let mut content = vec![0; zeros];
    for _ in 0..length {
        content.push(u.arbitrary()?);
    }
    wrapped(u, identifier, &content)
}

fn wrapped(u: &mut Unstructured<'_>, identifier: u8, content: &[u8]) -> Result<Vec<u8>> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let mut element = vec![identifier];
    match u.int_in_range(0..=9)? {
        0 => element.extend([0x81, length]),
        1 => element.extend([0x82, 0, length]),
        2 => element.push(0x80),
        _ => element.push(length),
    }
    element.extend_from_slice(content);
    Ok(element)
}

fn compare(bytes: &[u8]) {
    let found = ours::decode(bytes).ok();
    assert_eq!(found, by_der(bytes), "{bytes:x?}");
    let signature = found.and_then(|(r, s)| Signature::from_scalars(r, s).ok());
    assert_eq!(signature, Signature::from_der(bytes).ok(), "{bytes:x?}");
    if let Some(integers) = found {
        assert_eq!(ours::encode(&integers), bytes);
    }
}

fn by_der(bytes: &[u8]) -> Option<ours::Integers> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let (r, s) = reader
        .sequence(|reader| {
            Ok::<_, der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?))
        })
        .ok()?;
    reader.finish().ok()?;
    Some((number(r.as_bytes())?, number(s.as_bytes())?))
}

fn number(digits: &[u8]) -> Option<[u8; 32]> {
    let mut number = [0; 32];
    number
        .get_mut(32_usize.checked_sub(digits.len())?..)?
        .copy_from_slice(digits);
    Some(number)
}
