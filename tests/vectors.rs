//! The published vectors, through the public API: natively, in Node and in browsers.
//!
//! `vectors/INDEX.md` says where each file comes from. Vectors for what is not public (key
//! agreement, AES-GCM, HKDF, the steps of HPKE) are run by the unit tests of those modules.

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
        enclave::{EnclaveKeys, ExportTrust},
        encoding::{base64url, hex},
        key::{PrivateKey, PublicKey},
    },
    formats::{
        oauth,
        otp::{ExpectedToken, VerificationToken},
        passkey::{self, Ceremony},
        sealed_key::SealedKeyReceiver,
        session_key::SessionKey,
        wallet_export::WalletExportKey,
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

#[test]
fn wycheproof_ecdsa_der() {
    let vectors = read(include_str!(
        "vectors/wycheproof_ecdsa_secp256r1_sha256_test.json"
    ));
    let run = wycheproof_ecdsa(&vectors, |key, message, signature| {
        key.verify_der(message, signature)
    });
    assert_eq!(run, 242);
}

#[test]
fn wycheproof_ecdsa_raw() {
    let vectors = read(include_str!(
        "vectors/wycheproof_ecdsa_secp256r1_sha256_p1363_test.json"
    ));
    let run = wycheproof_ecdsa(&vectors, |key, message, signature| {
        key.verify_raw(message, signature)
    });
    assert_eq!(run, 131);
}

fn wycheproof_ecdsa(vectors: &Value, verify: impl Fn(&PublicKey, &[u8], &[u8]) -> bool) -> usize {
    let mut run = 0;
    for group in list(vectors, "testGroups") {
        let key = PublicKey::from_hex(text(&group["publicKey"], "uncompressed")).unwrap();
        for test in list(group, "tests") {
            assert_eq!(
                verify(&key, &bytes(test, "msg"), &bytes(test, "sig")),
                test["result"] == "valid",
                "{test}"
            );
            run += 1;
        }
    }
    run
}

/// "sample" has a high S: whoever normalises cannot reproduce it.
#[test]
fn rfc_6979_signatures() {
    let vectors = read(include_str!("vectors/ecdsa_rfc6979_p256_sha256.json"));
    let key = PrivateKey::from_bytes(&bytes(&vectors, "x")).unwrap();
    let public = [vec![4], bytes(&vectors, "Ux"), bytes(&vectors, "Uy")].concat();
    assert_eq!(key.public_key().as_uncompressed().as_slice(), public);
    for test in list(&vectors, "tests") {
        let message = text(test, "msg_utf8").as_bytes();
        let raw = [bytes(test, "r"), bytes(test, "s")].concat();
        assert!(key.public_key().verify_raw(message, &raw));
        let signature = key.sign_der(message);
        assert_eq!(
            signature,
            der(&bytes(test, "r"), &bytes(test, "s")),
            "{test}"
        );
    }
}

#[test]
fn turnkey_keys() {
    let vectors = read(include_str!("vectors/turnkey_keys.json"));
    let api = &vectors["apiKey"];
    let key = PrivateKey::from_bytes(&bytes(api, "privateKey")).unwrap();
    assert_eq!(
        key.public_key().to_compressed_hex(),
        text(api, "publicKeyCompressed")
    );
    let pkcs8 = &vectors["pkcs8"];
    let raw = PrivateKey::from_bytes(&bytes(pkcs8, "rawPrivateKey")).unwrap();
    // RFC 5915: the public key ends the structure.
    assert!(text(pkcs8, "der").ends_with(&raw.public_key().to_uncompressed_hex()));

    let leading_zeros = &vectors["pointX00"];
    let point = PublicKey::from_hex(text(leading_zeros, "compressed")).unwrap();
    assert_eq!(
        point.to_uncompressed_hex(),
        text(leading_zeros, "uncompressed")
    );
    let uncompressed = PublicKey::from_hex(text(leading_zeros, "uncompressed")).unwrap();
    assert_eq!(
        uncompressed.to_compressed_hex(),
        text(leading_zeros, "compressed")
    );
    assert_eq!(point, uncompressed);
    for refused in [
        text(leading_zeros, "invalidUncompressed"),
        text(&vectors, "badPrefix"),
    ] {
        let error = PublicKey::from_hex(refused).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{refused}");
    }
}

/// Byte for byte what Turnkey's own stamper gives.
#[test]
fn turnkey_stamps() {
    let vectors = read(include_str!("vectors/turnkey_stamp.json"));
    let key = SessionKey::from_private_key(&bytes(&vectors, "privateKey")).unwrap();
    assert_eq!(
        key.public_key().to_compressed_hex(),
        text(&vectors, "publicKey")
    );
    for test in list(&vectors, "tests") {
        let payload = text(test, "payload");
        assert_eq!(payload.as_bytes(), bytes(test, "payloadUtf8Hex"));
        let stamp = key.stamp_unchecked(payload).unwrap();
        assert_eq!(stamp, text(test, "headerValue"), "{test}");
        assert_eq!(
            base64url::decode(&stamp, 1024).unwrap(),
            text(test, "json").as_bytes()
        );
    }
}

#[test]
fn turnkey_credential_bundle() {
    let vectors = read(include_str!("vectors/turnkey_credential_bundle.json"));
    for test in list(&vectors, "tests") {
        let receiver =
            SealedKeyReceiver::from_private_key(&bytes(test, "receiverPrivateKey")).unwrap();
        assert_eq!(
            receiver.public_key().to_uncompressed_hex(),
            text(test, "receiverPublicKeyUncompressed")
        );
        let session = receiver.open(text(test, "bundle")).unwrap();
        assert_eq!(
            session.export_private_key().to_vec(),
            bytes(test, "plaintextHex")
        );
        let public = session.public_key();
        assert_eq!(
            public.to_compressed_hex(),
            text(test, "sessionPublicKeyCompressed")
        );
        assert_eq!(
            public.to_uncompressed_hex(),
            text(test, "sessionPublicKeyUncompressed")
        );
    }
}

/// `encryptedSessionSigningKey` in the examples of lightsparkdev/grid-api openapi.yaml @cf2510e.
#[test]
fn the_example_of_the_api_document_opens() {
    let example = "w99a5xV6A75TfoAUkZn869fVyDYvgVsKrawMALZXmrauZd8hEv66EkPU1Z42CUaHESQjcA5bqd8dyn\
                   TGBMLWB9ewtXWPEVbZvocB4Tw2K1vQVp7uwjf";
    let vectors = read(include_str!("vectors/turnkey_credential_bundle.json"));
    let fixture = &list(&vectors, "tests")[0];
    let receiver =
        SealedKeyReceiver::from_private_key(&bytes(fixture, "receiverPrivateKey")).unwrap();
    let session = receiver.open(example).unwrap();
    assert_eq!(
        session.public_key().to_compressed_hex(),
        text(fixture, "sessionPublicKeyCompressed")
    );
}

#[test]
fn turnkey_generated_bundles() {
    let vectors = read(include_str!("vectors/turnkey_generated_bundles.json"));
    for test in list(&vectors, "tests") {
        let receiver =
            SealedKeyReceiver::from_private_key(&bytes(test, "receiverPrivateKey")).unwrap();
        let opened = receiver.open(text(test, "bundle"));
        if test["expect"] == "ok" {
            let session = opened.unwrap_or_else(|error| panic!("{error:?} {test}"));
            assert_eq!(
                session.export_private_key().to_vec(),
                bytes(test, "plaintextHex")
            );
            assert_eq!(
                session.public_key().to_compressed_hex(),
                text(test, "sessionPublicKeyCompressed")
            );
        } else {
            let code = opened
                .err()
                .unwrap_or_else(|| panic!("opened: {test}"))
                .code();
            let is_refusal = matches!(code, ErrorCode::BundleMalformed | ErrorCode::DecryptFailed);
            assert!(is_refusal, "{code:?} {test}");
        }
    }
}

#[test]
fn turnkey_export_bundles() {
    let vectors = read(include_str!("vectors/turnkey_export_bundle.json"));
    let production = EnclaveKeys::production().unwrap().export;
    let real = &list(&vectors, "tests")[0];
    let key = || WalletExportKey::from_private_key(&bytes(real, "privateKey")).unwrap();

    let mnemonic = key()
        .open(
            text(real, "exportBundle"),
            text(real, "organizationId"),
            &production,
        )
        .unwrap();
    assert_eq!(*mnemonic, text(real, "mnemonic").as_bytes());
    assert_eq!(*mnemonic, bytes(real, "plaintextHex"));

    let key = key();
    for test in list(&vectors, "negatives") {
        let opened = key.open(
            text(test, "exportBundle"),
            text(test, "organizationId"),
            &production,
        );
        let code = opened
            .err()
            .unwrap_or_else(|| panic!("opened: {test}"))
            .code();
        let expected = match text(test, "id") {
            "missing-quorum" | "version-other" => ErrorCode::BundleMalformed,
            _ => ErrorCode::BundleUntrusted,
        };
        assert_eq!(code, expected, "{}", test["id"]);
    }
    // No refusal used the key up.
    let bundle = text(real, "exportBundle");
    assert!(
        key.open(bundle, text(real, "organizationId"), &production)
            .is_ok()
    );
}

/// Roles are separate: what the signer enclave signed is no OTP bundle.
#[test]
fn an_export_bundle_is_no_otp_bundle() {
    use gridkey::{
        crypto::random::SystemRandom,
        formats::{otp::OtpCode, session_key::PublicKeyEncoding},
    };
    let vectors = read(include_str!("vectors/turnkey_export_bundle.json"));
    let refused = SessionKey::generate(&SystemRandom).unwrap().seal_otp_code(
        text(&list(&vectors, "tests")[0], "exportBundle"),
        &OtpCode::new(b"000000").unwrap(),
        &EnclaveKeys::production().unwrap().otp,
        PublicKeyEncoding::Uncompressed,
        &SystemRandom,
    );
    assert_eq!(refused.unwrap_err().code(), ErrorCode::BundleUntrusted);
}

#[test]
fn turnkey_enclave_signatures() {
    let vectors = read(include_str!("vectors/turnkey_enclave_signature.json"));
    let ExportTrust::Key(pinned) = EnclaveKeys::production().unwrap().export else {
        panic!("production exports are signed");
    };
    for test in list(&vectors, "tests") {
        assert_eq!(
            PublicKey::from_hex(text(test, "quorumPublicKey")).unwrap(),
            pinned
        );
        let (data, signature) = (bytes(test, "data"), bytes(test, "dataSignature"));
        assert_eq!(
            pinned.verify_der(&data, &signature),
            test["expect"] == true,
            "{test}"
        );
        assert!(!pinned.verify_der(&data[1..], &signature));
    }
}

#[test]
fn turnkey_tokens() {
    let vectors = read(include_str!("vectors/turnkey_jwt.json"));
    let otp_key = EnclaveKeys::production().unwrap().otp;
    for test in list(&vectors, "tests") {
        let jwt = text(test, "jwt");
        let claims = jwt.split('.').nth(1).unwrap();
        let claims = base64url::decode(claims, 4096).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let public_key = PublicKey::from_hex(text(&claims, "public_key")).unwrap();
        let is_otp = test["kind"] == "otp";
        let verified = VerificationToken::verify(
            jwt,
            &ExpectedToken {
                otp_key: &otp_key,
                public_key: &public_key,
                contact: is_otp.then(|| text(&claims, "contact")),
                verification_type: is_otp.then_some("OTP_TYPE_EMAIL"),
                now_ms: test["nowMs"].as_i64().unwrap_or_default(),
            },
        );
        match verified {
            Ok(token) => {
                assert!(is_otp && test["expect"] == true, "{test}");
                assert_eq!(token.organization_id, text(&claims, "organization_id"));
                assert_eq!(token.expires_at_ms.to_string(), text(&claims, "exp"));
            }
            Err(error) if is_otp => {
                assert_eq!(test["expect"], false, "{error:?} {test}");
                assert_eq!(error.code(), ErrorCode::ChallengeExpired);
            }
            // A session token has another signer and another digest, and is none of these.
            Err(error) => assert_eq!(error.code(), ErrorCode::BundleUntrusted, "{test}"),
        }
    }
}

/// The signer of session tokens, and its double digest, as the vector says: were the pins mixed
/// up, this would show it.
#[test]
fn a_session_token_is_signed_over_a_double_digest_by_another_key() {
    let vectors = read(include_str!("vectors/turnkey_jwt.json"));
    let test = list(&vectors, "tests")
        .iter()
        .find(|test| test["kind"] == "session")
        .unwrap();
    let key = PublicKey::from_hex(text(test, "key")).unwrap();
    assert_ne!(key, EnclaveKeys::production().unwrap().otp);
    let (signed, signature) = text(test, "jwt").rsplit_once('.').unwrap();
    let signature = base64url::decode(signature, 64).unwrap();
    assert!(key.verify_raw(&Sha256::digest(signed), &signature));
    assert!(!key.verify_raw(signed.as_bytes(), &signature));
}

#[test]
fn passkey_challenges() {
    let vectors = read(include_str!("vectors/passkey_challenge_oauth_nonce.json"));
    for test in list(&vectors, "challenge") {
        let challenge = passkey::challenge_bytes(text(test, "challenge")).unwrap();
        assert_eq!(challenge, bytes(test, "challengeBytesHex"));
        let encoded = base64url::encode(&challenge);
        assert_eq!(encoded, text(test, "clientDataChallengeBase64url"));
        if let Some(body) = test["activityBody"].as_str() {
            let digest = hex::encode(&Sha256::digest(body));
            assert_eq!(digest, text(test, "challenge"));
        }
    }
}

#[test]
fn oauth_nonces() {
    let vectors = read(include_str!("vectors/passkey_challenge_oauth_nonce.json"));
    for test in list(&vectors, "nonce") {
        let nonce = oauth::nonce(text(test, "clientPublicKey")).unwrap();
        assert_eq!(nonce, text(test, "nonce"), "{test}");
    }
}

#[test]
fn webauthn_level_3_ceremonies() {
    let vectors = read(include_str!("vectors/webauthn_l3_es256.json"));
    for test in list(&vectors, "ceremonies") {
        let (registration, authentication) = (&test["registration"], &test["authentication"]);
        for (data, ceremony, other) in [
            (registration, Ceremony::Create, Ceremony::Get),
            (authentication, Ceremony::Get, Ceremony::Create),
        ] {
            let client_data = base64url::encode(&bytes(data, "clientDataJSON"));
            let challenge = bytes(data, "challenge");
            let read = passkey::client_data_challenge(&client_data).unwrap();
            assert_eq!(read, challenge, "{test}");
            passkey::check_client_data(&client_data, ceremony, &challenge).unwrap();
            assert!(passkey::check_client_data(&client_data, other, &challenge).is_err());
            assert!(passkey::check_client_data(&client_data, ceremony, &challenge[1..]).is_err());
        }
        // WebAuthn section 6.3.3: what the credential signs.
        let credential =
            PrivateKey::from_bytes(&bytes(registration, "credential_private_key")).unwrap();
        let digest = Sha256::digest(bytes(authentication, "clientDataJSON"));
        let signed = [
            bytes(authentication, "authenticatorData").as_slice(),
            &digest,
        ]
        .concat();
        let signature = bytes(authentication, "signature");
        assert!(credential.public_key().verify_der(&signed, &signature));
        assert!(!credential.public_key().verify_der(&signed[1..], &signature));
    }
}

/// `30 len 02 len r 02 len s`, X.690 section 8.3: as few bytes as there can be, and a zero before
/// a first bit that is set.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut minimal = number[zeros..].to_vec();
        if minimal.first().is_none_or(|first| *first >= 0x80) {
            minimal.insert(0, 0);
        }
        [
            &[2, u8::try_from(minimal.len()).unwrap()],
            minimal.as_slice(),
        ]
        .concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name), 1 << 20).unwrap()
}
