//! Texts from a hostile relay: valid ones with bytes changed, cut out, doubled and swapped. Each is
//! refused with an error of its own kind, nothing panics, and the next call works.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use gridkey::{
    ErrorCode,
    crypto::{
        enclave::{EnclaveKeys, open_envelope},
        hex,
        json::{Json, Limits},
        key::{PrivateKey, PublicKey},
        random::SystemRandom,
    },
    formats::{
        oauth,
        otp::{ExpectedToken, OtpCode, VerificationToken},
        passkey::{self, Ceremony},
        sealed_key::SealedKeyReceiver,
        session_key::{PublicKeyEncoding, SessionKey},
        timestamp,
        wallet_export::WalletExportKey,
    },
};
use sha2::{Digest, Sha256};

#[test]
fn sealed_session_keys() {
    let vectors = vectors(include_str!("vectors/turnkey_credential_bundle.json"));
    let fixture = &vectors["tests"][0];
    let private = hex::decode(fixture["receiverPrivateKey"].as_str().unwrap(), 32).unwrap();
    let receiver = SealedKeyReceiver::from_private_key(&private).unwrap();
    let bundle = fixture["bundle"].as_str().unwrap();
    each_hostile(bundle, |text| {
        let code = receiver.open(text).err().unwrap().code();
        assert!(
            matches!(code, ErrorCode::BundleMalformed | ErrorCode::DecryptFailed),
            "{code:?}"
        );
    });
    assert!(receiver.open(bundle).is_ok());
}

#[test]
fn wallet_exports() {
    let vectors = vectors(include_str!("vectors/turnkey_export_bundle.json"));
    let fixture = &vectors["tests"][0];
    let private = hex::decode(fixture["privateKey"].as_str().unwrap(), 32).unwrap();
    let key = WalletExportKey::from_private_key(&private).unwrap();
    let organization = fixture["organizationId"].as_str().unwrap();
    let trust = EnclaveKeys::production().unwrap().export;
    let bundle = fixture["exportBundle"].as_str().unwrap();
    each_hostile(bundle, |text| {
        let code = key.open(text, organization, &trust).err().unwrap().code();
        assert!(
            matches!(
                code,
                ErrorCode::BundleMalformed | ErrorCode::BundleUntrusted
            ),
            "{code:?} {text}"
        );
    });
    assert!(key.open(bundle, organization, &trust).is_ok());
}

#[test]
fn otp_bundles() {
    let enclave = PrivateKey::generate(&SystemRandom).unwrap();
    let target = PrivateKey::generate(&SystemRandom).unwrap();
    let data = format!(
        r#"{{"targetPublic":"{}"}}"#,
        target.public_key().to_uncompressed_hex()
    );
    let bundle = Json::object([
        ("version", "v1.0.0".into()),
        ("data", hex::encode(data.as_bytes()).into()),
        (
            "dataSignature",
            hex::encode(&enclave.sign_der(data.as_bytes())).into(),
        ),
        (
            "enclaveQuorumPublic",
            enclave.public_key().to_uncompressed_hex().into(),
        ),
    ])
    .to_text();
    let key = SessionKey::generate(&SystemRandom).unwrap();
    let code = OtpCode::new(b"000000").unwrap();
    let seal = |text: &str| {
        key.seal_otp_code(
            text,
            &code,
            enclave.public_key(),
            PublicKeyEncoding::Uncompressed,
            &SystemRandom,
        )
    };
    each_hostile(&bundle, |text| {
        let code = seal(text).unwrap_err().code();
        assert!(
            matches!(
                code,
                ErrorCode::BundleMalformed | ErrorCode::BundleUntrusted
            ),
            "{code:?} {text}"
        );
    });
    assert!(seal(&bundle).is_ok());
}

#[test]
fn verification_tokens() {
    let vectors = vectors(include_str!("vectors/turnkey_jwt.json"));
    let fixture = &vectors["tests"][1];
    let token = fixture["jwt"].as_str().unwrap();
    let otp_key = EnclaveKeys::production().unwrap().otp;
    let public_key = "036335b78f92736e32e99dc6aed979aff0b5c24192e76b1628aa54edaf58c8c15d";
    let public_key = PublicKey::from_hex(public_key).unwrap();
    let expected = ExpectedToken {
        otp_key: &otp_key,
        public_key: &public_key,
        contact: Some("user@example.com"),
        verification_type: Some("OTP_TYPE_EMAIL"),
        now_ms: 0,
    };
    each_hostile(token, |text| {
        let code = VerificationToken::verify(text, &expected)
            .unwrap_err()
            .code();
        assert!(
            matches!(
                code,
                ErrorCode::BundleMalformed | ErrorCode::BundleUntrusted | ErrorCode::IntentRefused
            ),
            "{code:?} {text}"
        );
    });
    assert!(VerificationToken::verify(token, &expected).is_ok());
}

/// What has no signature may be taken or refused; it must not panic.
#[test]
fn everything_else_that_reads_text() {
    let limits = Limits {
        bytes: 1 << 20,
        depth: 16,
    };
    let json = r#"{"a":[1.5e-3,"\ud83d\ude00\n",{"b":null,"é":[[]]}],"c":true}"#;
    each_hostile(json, |text| {
        if let Ok(value) = Json::parse(text, limits) {
            // What is read is written so that it reads the same.
            assert_eq!(
                Json::parse(&value.to_text(), limits).unwrap(),
                value,
                "{text}"
            );
        }
    });
    let key =
        PublicKey::from_hex("02f739f8c77b32f4d5f13265861febd76e7a9c61a1140d296b8c16302508870316")
            .unwrap();
    each_hostile(&key.to_uncompressed_hex(), |text| {
        let _ = oauth::nonce(text);
        let _ = passkey::challenge_bytes(text);
    });
    each_hostile("2026-04-08T15:35:00.123+02:00", |text| {
        let _ = timestamp::parse_rfc3339_ms(text);
    });
    each_hostile(
        "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQVFJIn0",
        |text| {
            let _ = passkey::check_client_data(text, Ceremony::Get, &[1, 2]);
        },
    );
}

/// The mnemonic of somebody else's wallet, the code for somebody else: nothing that was secret in
/// the input stands in an error.
#[test]
fn errors_do_not_repeat_input() {
    let canary = "canary0c0ffee";
    let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
    let own = SessionKey::generate(&SystemRandom).unwrap();
    let expected = ExpectedToken {
        otp_key: own.public_key(),
        public_key: own.public_key(),
        contact: Some("somebody"),
        verification_type: None,
        now_ms: 0,
    };
    let long = canary.repeat(100_000);
    for text in [canary, &format!(r#"{{"{canary}":"{canary}"}}"#), &long] {
        let errors = [
            receiver.open(text).err(),
            open_envelope(text, own.public_key()).err(),
            VerificationToken::verify(text, &expected).err(),
            OtpCode::new(format!("{text} ").as_bytes()).err(),
            PublicKey::from_hex(text).err(),
            PrivateKey::from_bytes(text.as_bytes()).err(),
            passkey::challenge_bytes(text).err(),
            passkey::check_client_data(text, Ceremony::Get, &[]).err(),
            oauth::nonce(text).err(),
            timestamp::parse_rfc3339_ms(text).err(),
            gridkey::formats::nickname::passkey_nickname(&format!("{text}<")).err(),
        ];
        for error in errors {
            let error = error.unwrap();
            assert!(
                !format!("{error:?} {error}").contains("canary"),
                "{error:?}"
            );
        }
    }
}

/// Calls `check` with variations of `valid`, the same ones on every run; none is `valid` itself.
fn each_hostile(valid: &str, check: impl Fn(&str)) {
    let mut dice = Dice::default();
    for _ in 0..300 {
        let mut bytes = valid.as_bytes().to_vec();
        for _ in 0..=dice.below(2) {
            mutate(&mut bytes, &mut dice);
        }
        // What reaches Rust is always UTF-8: JavaScript's half surrogates arrive as U+FFFD.
        let text = String::from_utf8_lossy(&bytes);
        // Hex in the other case is the same data, and so are spaces between a JSON text's parts.
        let is_same = |text: &str| text.trim().to_lowercase() == valid.to_lowercase();
        if !is_same(&text) {
            check(&text);
        }
    }
    for text in ["", " ", "\0", "{", "null", "\u{feff}", "\u{fffd}", "💣"] {
        check(text);
    }
    check(&valid.repeat(2));
    check(&"[".repeat(200_000));
    check(&"1".repeat(2_000_000));
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len().max(1));
    let end = (at + 1 + dice.below(8)).min(bytes.len());
    match dice.below(6) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        1 if !bytes.is_empty() => bytes[at] = b"\"\\{}[]:,.09azAZ-_= \0\xff"[dice.below(21)],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => bytes[at..end].reverse(),
    }
}

/// Reproducible and the same on every target: SHA-256 of a counter.
#[derive(Default)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 += 1;
        let digest = Sha256::digest(self.0.to_be_bytes());
        let number = u32::from_be_bytes(*digest.first_chunk().unwrap());
        usize::try_from(number).unwrap() % end
    }
}

fn vectors(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
