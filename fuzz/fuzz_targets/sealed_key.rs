//! `encryptedSessionSigningKey`, against `bs58`, `p256` and `hpke`.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::{ErrorCode, formats::sealed_key::SealedKeyReceiver};
use gridkey_fuzz::{edge, mutate, oracle, right, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        // The receiver's private key, then the bundle.
        if let Some((private, text)) = rest.split_first_chunk()
            && let Ok(text) = std::str::from_utf8(text)
        {
            compare(private, text);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let receiver = edge::scalar(u)?;
    let key = right::of(&receiver);
    let is_key = u.ratio(3_u8, 4_u8)?;
    let plaintext = match is_key {
        true => edge::number(u)?.to_vec(),
        false => u.bytes(u.len().min(70))?.to_vec(),
    };
    let sealed_for = match u.ratio(7_u8, 8_u8)? {
        true => key,
        false => right::key(u)?,
    };
    let (encapped, ciphertext) = right::sealed(u, sealed_for.public_key(), &plaintext)?;
    let mut payload = match u.ratio(7_u8, 8_u8)? {
        true => encapped.to_compressed().to_vec(),
        false => encapped.as_uncompressed().to_vec(),
    };
    payload.extend_from_slice(&ciphertext);
    mutate::bytes(u, &mut payload)?;
    let mut text = bs58::encode(&payload).with_check().into_string();
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut text)?;
    }
    compare(&receiver, &text);
    Ok(())
}

fn compare(private: &[u8; 32], text: &str) {
    let Ok(receiver) = SealedKeyReceiver::from_private_key(private) else {
        assert!(oracle::public(private).is_none());
        return;
    };
    match (receiver.open(text), expected(private, text)) {
        (Ok(key), Ok(plaintext)) => {
            assert_eq!(key.export_private_key().as_slice(), plaintext);
            let public = oracle::public(&plaintext).unwrap();
            assert_eq!(*key.public_key().as_uncompressed(), public);
        }
        (Err(error), Err(code)) => assert_eq!(error.code(), code),
        (found, expected) => panic!("{:?} {expected:?}", found.err()),
    }
}

/// The private key that is sealed, or why there is none.
fn expected(private: &[u8; 32], text: &str) -> Result<Vec<u8>, ErrorCode> {
    let malformed = ErrorCode::BundleMalformed;
    if text.len() > 512 {
        return Err(malformed);
    }
    let payload = bs58::decode(text).with_check(None).into_vec();
    let payload = payload.map_err(|_| malformed)?;
    let (encapped, ciphertext) = payload.split_first_chunk::<33>().ok_or(malformed)?;
    let encapped = oracle::point(encapped).ok_or(malformed)?;
    let plaintext = oracle::open(private, &encapped, ciphertext);
    plaintext
        .filter(|key| key.len() == 32 && oracle::public(key).is_some())
        .ok_or(ErrorCode::DecryptFailed)
}
