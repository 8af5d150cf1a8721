//! P-256, against `p256`: keys, signatures, verification, key agreement, and points that are none.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::crypto::key::{PrivateKey, PublicKey};
use gridkey_fuzz::{edge, inner::curve, mutate, oracle};
use libfuzzer_sys::fuzz_target;
use p256::{
    FieldBytes, Scalar, SecretKey,
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::hazmat::{PrehashSigner, PrehashVerifier},
    },
    elliptic_curve::{ecdh, ff::PrimeField, ops::Reduce},
};

fuzz_target!(|data: &[u8]| {
    run(&mut Unstructured::new(data)).ok();
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=4)? {
        0 => keys(u),
        1 => points(u),
        2 => shared(u),
        3 => signed(u),
        _ => verified(u),
    }
}

fn keys(u: &mut Unstructured<'_>) -> Result<()> {
    let number = edge::number(u)?;
    let expected = oracle::public(&number);
    assert_eq!(curve::public(&number), expected);
    let key = PrivateKey::from_bytes(&number).ok();
    let public = key.as_ref().map(|key| *key.public_key().as_uncompressed());
    assert_eq!(public, expected);
    if let Some(key) = key {
        assert_eq!(**key.to_bytes(), number);
    }
    Ok(())
}

fn points(u: &mut Unstructured<'_>) -> Result<()> {
    let mut sec1 = match u.int_in_range(0..=3)? {
        0 => [&[u.arbitrary()?], edge::number(u)?.as_slice()].concat(),
        1 => [
            [u.arbitrary()?].as_slice(),
            &edge::number(u)?,
            &edge::number(u)?,
        ]
        .concat(),
        2 => {
            let point = oracle::public(&edge::scalar(u)?).unwrap();
            [&[2 | u.int_in_range(0..=1)?], &point[1..33]].concat()
        }
        _ => oracle::public(&edge::scalar(u)?).unwrap().to_vec(),
    };
    if u.ratio(1_u8, 2_u8)? {
        mutate::bytes(u, &mut sec1)?;
    }
    let expected = oracle::point(&sec1);
    assert_eq!(curve::decode(&sec1), expected, "{sec1:x?}");
    let key = PublicKey::from_sec1(&sec1).ok();
    assert_eq!(key.as_ref().map(|key| *key.as_uncompressed()), expected);
    if let Some(key) = key {
        assert_eq!(oracle::point(&key.to_compressed()), expected);
    }
    Ok(())
}

fn shared(u: &mut Unstructured<'_>) -> Result<()> {
    let private = edge::scalar(u)?;
    let public = oracle::public(&edge::scalar(u)?).unwrap();
    let expected = ecdh::diffie_hellman(
        SecretKey::from_slice(&private).unwrap().to_nonzero_scalar(),
        p256::PublicKey::from_sec1_bytes(&public)
            .unwrap()
            .as_affine(),
    );
    let expected = expected.raw_secret_bytes().as_slice().try_into().ok();
    assert_eq!(curve::shared(&private, &public), expected);
    Ok(())
}

/// Digests are numbers too: they may be n and more.
fn signed(u: &mut Unstructured<'_>) -> Result<()> {
    let (private, digest) = (edge::scalar(u)?, edge::number(u)?);
    let key = SigningKey::from_bytes(&private.into()).unwrap();
    let expected: Signature = key.sign_prehash(&digest).unwrap();
    let signature = curve::signature(&private, &digest).unwrap();
    assert_eq!(signature.as_slice(), expected.to_bytes().as_slice());
    let public = oracle::public(&private).unwrap();
    assert!(curve::verifies(&public, &digest, &signature));

    let message = u.bytes(u.len().min(100))?;
    let key = PrivateKey::from_bytes(&private).unwrap();
    assert_eq!(key.sign_der(message), oracle::sign(&private, message));
    Ok(())
}

fn verified(u: &mut Unstructured<'_>) -> Result<()> {
    let (private, mut digest) = (edge::scalar(u)?, edge::number(u)?);
    let public = oracle::public(&private).unwrap();
    let mut signature = match u.int_in_range(0..=3)? {
        0 => curve::signature(&private, &digest).unwrap().to_vec(),
        1 => crafted(u, &private, &digest)?,
        2 => {
            let (of, crafted) = with_s(u, &private)?;
            digest = of;
            crafted
        }
        _ => [edge::number(u)?, edge::number(u)?].concat(),
    };
    match u.int_in_range(0..=3)? {
        0 => mutate::bytes(u, &mut signature)?,
        1 => {
            // The other s that is as good.
            if let Ok(other) = Signature::from_slice(&signature) {
                let (r, s) = other.split_scalars();
                let other = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes());
                signature = other.unwrap().to_bytes().to_vec();
            }
        }
        _ => {}
    }
    let key = VerifyingKey::from_sec1_bytes(&public).unwrap();
    let expected = Signature::from_slice(&signature)
        .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok());
    assert_eq!(
        curve::verifies(&public, &digest, &signature),
        expected,
        "{signature:x?}"
    );
    Ok(())
}

/// The signature by a nonce of choice, so that points and sums come out as they seldom do.
fn crafted(u: &mut Unstructured<'_>, private: &[u8; 32], digest: &[u8; 32]) -> Result<Vec<u8>> {
    let (r, nonce) = r_and_nonce(u)?;
    let inverse = nonce.invert().unwrap();
    let s = inverse * (scalar(digest) + r * scalar(private));
    Ok([r.to_repr(), s.to_repr()].concat())
}

/// A digest, and a signature of it with an s of choice; perhaps with n added to s, where that fits.
fn with_s(u: &mut Unstructured<'_>, private: &[u8; 32]) -> Result<([u8; 32], Vec<u8>)> {
    let (r, nonce) = r_and_nonce(u)?;
    let mut s = edge::scalar(u)?;
    let digest = scalar(&s) * nonce - r * scalar(private);
    if u.arbitrary()? {
        s = edge::plus_n(&s).unwrap_or(s);
    }
    Ok((
        digest.to_repr().into(),
        [r.to_repr().as_slice(), &s].concat(),
    ))
}

fn r_and_nonce(u: &mut Unstructured<'_>) -> Result<(Scalar, Scalar)> {
    let nonce = edge::scalar(u)?;
    let point = oracle::public(&nonce).unwrap();
    Ok((scalar(point[1..33].try_into().unwrap()), scalar(&nonce)))
}

fn scalar(bytes: &[u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&(*bytes).into())
}
