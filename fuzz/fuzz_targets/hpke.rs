//! HPKE and the AES-256-GCM below it, against `hpke` and `aes-gcm`.

#![no_main]

use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
use arbitrary::{Result, Unstructured};
use gridkey::{
    ErrorCode,
    crypto::{
        hpke,
        key::{PrivateKey, PublicKey},
    },
};
use gridkey_fuzz::{edge, inner::aes_gcm::AesGcm, mutate, oracle, right};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut u = Unstructured::new(data);
    match u.ratio(1_u8, 2_u8) {
        Ok(true) => gcm(&mut u).ok(),
        _ => sealed(&mut u).ok(),
    };
});

fn gcm(u: &mut Unstructured<'_>) -> Result<()> {
    let (key, nonce): ([u8; 32], [u8; 12]) = u.arbitrary()?;
    let aad = mutate::some(u, 80)?;
    let text = mutate::some(u, 200)?;
    // Full of one byte, to be long.
    let text = [text, &vec![0x5a; u.int_in_range(0..=40)? * 16]].concat();

    let mut expected = text.clone();
    let expected_tag = Aes256Gcm::new(&key.into())
        .encrypt_inout_detached(&nonce.into(), aad, expected.as_mut_slice().into())
        .unwrap();
    let gcm = AesGcm::new(&key);
    let mut sealed = text.clone();
    let tag = gcm.seal(&nonce, aad, &mut sealed).unwrap();
    assert_eq!((&sealed, tag), (&expected, expected_tag.into()));

    let (mut altered, mut altered_tag) = (sealed.clone(), tag.to_vec());
    mutate::bytes(u, &mut altered)?;
    mutate::bytes(u, &mut altered_tag)?;
    let Ok(altered_tag) = altered_tag.try_into() else {
        return Ok(());
    };
    let before = altered.clone();
    let is_opened = gcm.open(&nonce, aad, &mut altered, &altered_tag);
    assert_eq!(is_opened, (&before, altered_tag) == (&sealed, tag));
    assert_eq!(altered, if is_opened { text } else { before });
    Ok(())
}

fn sealed(u: &mut Unstructured<'_>) -> Result<()> {
    let receiver = edge::scalar(u)?;
    let recipient = oracle::public(&receiver).unwrap();
    let key = PrivateKey::from_bytes(&receiver).unwrap();
    let seed = edge::number(u)?;
    let text = mutate::some(u, 100)?;

    // Ours, opened by theirs.
    let public = PublicKey::from_sec1(&recipient).unwrap();
    let sent = hpke::seal(&public, text, &right::Told(seed));
    let Some(ephemeral) = oracle::public(&seed) else {
        assert_eq!(sent.err().unwrap().code(), ErrorCode::RandomnessUnavailable);
        return Ok(());
    };
    let sent = sent.unwrap();
    assert_eq!(*sent.encapped.as_uncompressed(), ephemeral);
    let opened = oracle::open(&receiver, &ephemeral, &sent.ciphertext);
    assert_eq!(opened.as_deref(), Some(text));

    // Theirs, opened by ours; then altered, by both.
    let (mut encapped, mut ciphertext) = oracle::seal(&recipient, &seed, text);
    let opened = hpke::open(&key, &PublicKey::from_sec1(&encapped).unwrap(), &ciphertext);
    assert_eq!(*opened.unwrap(), text);
    mutate::bytes(u, &mut ciphertext)?;
    if u.ratio(1_u8, 4_u8)? {
        encapped = oracle::public(&edge::scalar(u)?).unwrap().to_vec();
    }
    let opened = hpke::open(&key, &PublicKey::from_sec1(&encapped).unwrap(), &ciphertext);
    let expected = oracle::open(
        &receiver,
        encapped.as_slice().try_into().unwrap(),
        &ciphertext,
    );
    match (opened, expected) {
        (Ok(opened), Some(expected)) => assert_eq!(*opened, expected),
        (Err(error), None) => assert_eq!(error.code(), ErrorCode::DecryptFailed),
        (opened, expected) => panic!("{:?} {expected:?}", opened.err()),
    }
    Ok(())
}
