//! What an enclave signs, as an OTP target and as a wallet export, against `serde_json`, `p256` and
//! `hpke`.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::{
    ErrorCode,
    crypto::{
        enclave::{ExportTrust, open_envelope, open_unsigned_envelope},
        json::Json,
        key::PublicKey,
    },
    formats::{session_key::otp_encryption_target, wallet_export::WalletExportKey},
};
use gridkey_fuzz::{edge, hex, mutate, oracle, right, split, strict, unhex};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::Signature;

const MAX_BYTES: usize = 64 * 1024;
const ORGANIZATION: &str = "f9a31c64-d604-42e4-9bef-a773096afad7";

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        // The receiver's private key, then the bundle, of which the signer is believed.
        if let Some((receiver, text)) = rest.split_first_chunk()
            && oracle::public(receiver).is_some()
            && let Ok(text) = std::str::from_utf8(text)
        {
            let trusted = strict::read(text, MAX_BYTES, 16)
                .and_then(|json| named_signer(&json))
                .unwrap_or_else(|| oracle::public(&[1; 32]).unwrap());
            compare(text, &trusted, receiver, true);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let signer = right::key(u)?;
    let trusted = match u.ratio(7_u8, 8_u8)? {
        true => signer.public_key().clone(),
        false => right::key(u)?.public_key().clone(),
    };
    let receiver = edge::scalar(u)?;
    let data = data(u, &receiver)?;
    let mut signature = signer.sign_der(&data);
    if u.ratio(1_u8, 4_u8)? {
        mutate::bytes(u, &mut signature)?;
    }
    let is_signed = u.ratio(7_u8, 8_u8)?;
    let signed = |text: String| if is_signed { text } else { String::new() };
    let mut envelope = Json::object([
        ("version", "v1.0.0".into()),
        ("data", hex(&data).into()),
        ("dataSignature", signed(hex(&signature)).into()),
        (
            "enclaveQuorumPublic",
            signed(signer.public_key().to_uncompressed_hex()).into(),
        ),
    ]);
    if u.ratio(1_u8, 2_u8)? {
        mutate::json(u, &mut envelope)?;
    }
    let mut text = mutate::written(u, &envelope)?;
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut text)?;
    }
    let is_signed_export = u.ratio(3_u8, 4_u8)?;
    compare(
        &text,
        trusted.as_uncompressed(),
        &receiver,
        is_signed_export,
    );
    Ok(())
}

/// What is signed.
fn data(u: &mut Unstructured<'_>, receiver: &[u8; 32]) -> Result<Vec<u8>> {
    let mut json = match u.int_in_range(0..=2)? {
        0 => return Ok(u.bytes(u.len().min(40))?.to_vec()),
        1 => {
            let target = right::key(u)?.public_key().to_uncompressed_hex();
            Json::object([("targetPublic", target.into())])
        }
        _ => {
            let mnemonic = match u.ratio(3_u8, 4_u8)? {
                true => b"leaf lady until indicate",
                false => u.bytes(u.len().min(30))?,
            };
            let receiver = right::of(receiver);
            let (encapped, mut ciphertext) = right::sealed(u, receiver.public_key(), mnemonic)?;
            if u.ratio(1_u8, 4_u8)? {
                mutate::bytes(u, &mut ciphertext)?;
            }
            Json::object([
                ("encappedPublic", encapped.to_uncompressed_hex().into()),
                ("ciphertext", hex(&ciphertext).into()),
                ("organizationId", ORGANIZATION.into()),
            ])
        }
    };
    if u.ratio(1_u8, 2_u8)? {
        mutate::json(u, &mut json)?;
    }
    Ok(mutate::written(u, &json)?.into_bytes())
}

fn compare(text: &str, trusted: &[u8; 65], receiver: &[u8; 32], is_signed_export: bool) {
    let trusted_key = PublicKey::from_sec1(trusted).unwrap();
    let signed = expected_signed(text, trusted);
    let unsigned = expected_unsigned(text);
    same(open_envelope(text, &trusted_key), &signed);
    same(open_unsigned_envelope(text), &unsigned);

    let target = signed.clone().and_then(|data| expected_target(&data));
    let found = otp_encryption_target(text, &trusted_key);
    same(found.map(|key| *key.as_uncompressed()), &target);

    let (trust, data) = match is_signed_export {
        true => (ExportTrust::Key(trusted_key), signed),
        false => (ExportTrust::UnsignedSandbox, unsigned),
    };
    let export = data.and_then(|data| expected_export(&data, receiver));
    let key = WalletExportKey::from_private_key(receiver).unwrap();
    let found = key.open(text, ORGANIZATION, &trust);
    let is_used_up = found.is_ok();
    same(found.map(|mnemonic| mnemonic.to_vec()), &export);
    if is_used_up {
        let again = key.open(text, ORGANIZATION, &trust);
        assert_eq!(again.unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    found: gridkey::error::Result<T>,
    expected: &Result<T, ErrorCode>,
) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, *expected),
        (Err(error), Err(code)) => {
            assert_eq!(error.code(), *code, "{error}");
            assert!(!error.message().contains(mutate::CANARY), "{error}");
        }
        (found, expected) => panic!("{found:?} {expected:?}"),
    }
}

const MALFORMED: ErrorCode = ErrorCode::BundleMalformed;
const UNTRUSTED: ErrorCode = ErrorCode::BundleUntrusted;

struct Envelope {
    json: Json,
    data: Vec<u8>,
    is_unsigned: bool,
}

fn envelope(text: &str) -> Option<Envelope> {
    let json = strict::read(text, MAX_BYTES, 16)?;
    let data = unhex(strict::text(&json, "data")?)?;
    let signature = strict::text(&json, "dataSignature")?;
    let signer = strict::text(&json, "enclaveQuorumPublic")?;
    let is_unsigned = signature.is_empty() && signer.is_empty();
    (strict::text(&json, "version")? == "v1.0.0").then_some(Envelope {
        json,
        data,
        is_unsigned,
    })
}

fn expected_signed(text: &str, trusted: &[u8; 65]) -> Result<Vec<u8>, ErrorCode> {
    let envelope = envelope(text).ok_or(MALFORMED)?;
    if envelope.is_unsigned {
        return Err(UNTRUSTED);
    }
    if named_signer(&envelope.json).ok_or(MALFORMED)? != *trusted {
        return Err(UNTRUSTED);
    }
    let signature = strict::text(&envelope.json, "dataSignature").and_then(unhex);
    let signature = signature
        .filter(|bytes| bytes.len() <= 72)
        .ok_or(MALFORMED)?;
    let is_right = Signature::from_der(&signature)
        .is_ok_and(|signature| oracle::verifies(trusted, &envelope.data, &signature));
    is_right.then_some(envelope.data).ok_or(UNTRUSTED)
}

fn expected_unsigned(text: &str) -> Result<Vec<u8>, ErrorCode> {
    let envelope = envelope(text).ok_or(MALFORMED)?;
    envelope
        .is_unsigned
        .then_some(envelope.data)
        .ok_or(UNTRUSTED)
}

fn named_signer(envelope: &Json) -> Option<[u8; 65]> {
    uncompressed(strict::text(envelope, "enclaveQuorumPublic")?)
}

fn uncompressed(text: &str) -> Option<[u8; 65]> {
    oracle::point(&unhex(text).filter(|bytes| bytes.len() == 65)?)
}

fn expected_target(data: &[u8]) -> Result<[u8; 65], ErrorCode> {
    let text = std::str::from_utf8(data).map_err(|_| MALFORMED)?;
    let json = strict::read(text, MAX_BYTES, 16).ok_or(MALFORMED)?;
    strict::text(&json, "targetPublic")
        .and_then(uncompressed)
        .ok_or(MALFORMED)
}

fn expected_export(data: &[u8], receiver: &[u8; 32]) -> Result<Vec<u8>, ErrorCode> {
    let text = std::str::from_utf8(data).map_err(|_| MALFORMED)?;
    let json = strict::read(text, MAX_BYTES, 16).ok_or(MALFORMED)?;
    if strict::text(&json, "organizationId").ok_or(MALFORMED)? != ORGANIZATION {
        return Err(UNTRUSTED);
    }
    let encapped = strict::text(&json, "encappedPublic").and_then(uncompressed);
    let encapped = encapped.ok_or(MALFORMED)?;
    let ciphertext = strict::text(&json, "ciphertext").and_then(unhex);
    let mnemonic = oracle::open(receiver, &encapped, &ciphertext.ok_or(MALFORMED)?)
        .ok_or(ErrorCode::DecryptFailed)?;
    match std::str::from_utf8(&mnemonic) {
        Ok(_) => Ok(mnemonic),
        Err(_) => Err(MALFORMED),
    }
}
