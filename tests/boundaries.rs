//! The edges of what is refused, and what is told of it, where another test would not notice a fault that
//! `cargo xtask mutants` puts there. The same tests run natively and in WebAssembly.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in WebAssembly these tests are no `#[test]`s"
)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use gridkey::{
    crypto::{
        enclave::open_unsigned_envelope,
        encoding::{base64url, hex},
        json::{Json, Limits},
        random::SystemRandom,
    },
    error::ErrorCode,
    formats::{
        intent::{Expected, Intent, check},
        oauth::{ExpectedIdToken, check_id_token},
        session_key::{SessionKey, stamp_from_raw},
        timestamp::parse_rfc3339_ms,
    },
};

const KEY: &str = "046b4f88421f76b6ba418afc2ea1d8ced671337d7db6b80478a60d8531bf8f17fa9a512f0fef96fc0c9b4cd9dff70b34992e520ce04c79d931f6ff6296b547d201";

/// A token of an identity provider may be one of an intent's texts.
#[test]
fn an_intent_is_printed_without_its_texts() {
    let intent = Intent::AddOauth {
        oidc_token: "canary".to_owned(),
    };
    assert_eq!(format!("{intent:?}"), "addOauth");
}

/// A payload may be made in the very millisecond in which it runs out.
#[test]
fn a_payload_is_no_younger_than_its_end() {
    const END: i64 = 1_782_919_651_260;
    let refusal = |timestamp_ms: i64| {
        let payload = format!(
            r#"{{"type":"ACTIVITY_TYPE_UPDATE_USER_EMAIL","timestampMs":"{timestamp_ms}","organizationId":"o","parameters":{{"userEmail":"a@b.c","userId":"u"}}}}"#
        );
        let intent = Intent::SetEmail {
            email: "a@b.c".to_owned(),
        };
        let expected = Expected {
            expires_at_ms: Some(END),
            now_ms: END - 1,
            ..Expected::default()
        };
        let error = check(&payload, &intent, &expected).err()?;
        error.reason().map(str::to_owned)
    };
    assert_eq!(refusal(END), None);
    assert_eq!(refusal(END + 1).as_deref(), Some("timestamp"));
}

/// The hosted sandbox leaves both members empty. With one of them it is somebody else's.
#[test]
fn a_half_signed_envelope_is_not_an_unsigned_one() {
    let envelope = |signature: &str, key: &str| {
        format!(
            r#"{{"version":"v1.0.0","data":"7b7d","dataSignature":"{signature}","enclaveQuorumPublic":"{key}"}}"#
        )
    };
    assert_eq!(open_unsigned_envelope(&envelope("", "")).unwrap(), b"{}");
    for (signature, key) in [("", KEY), ("3006020101020101", ""), ("00", KEY)] {
        let error = open_unsigned_envelope(&envelope(signature, key)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BundleUntrusted);
    }
}

/// Nine digits of a second are the finest that is read.
#[test]
fn a_timestamp_has_at_most_35_characters() {
    let longest = "2026-04-08T15:35:00.123456789+02:00";
    assert_eq!(longest.len(), 35);
    assert_eq!(parse_rfc3339_ms(longest).unwrap(), 1_775_655_300_123);
    let longer = longest.replace("789", "7890");
    assert!(parse_rfc3339_ms(&longer).is_err());
}

#[test]
fn a_private_key_comes_out_as_it_went_in() {
    let bytes: Vec<u8> = (1..=32).collect();
    let key = SessionKey::from_private_key(&bytes).unwrap();
    assert_eq!(**key.export_private_key(), bytes[..]);
    let key = SessionKey::generate(&SystemRandom).unwrap();
    let again = SessionKey::from_private_key(&**key.export_private_key()).unwrap();
    assert_eq!(again.public_key(), key.public_key());
}

/// The browser's own keys sign in another form.
#[test]
fn a_stamp_of_a_raw_signature_is_that_of_the_same_in_der() {
    for message in 0..40 {
        let key = SessionKey::generate(&SystemRandom).unwrap();
        let stamp = key.stamp_unchecked(&message.to_string()).unwrap();
        let raw = raw_signature(&stamp);
        assert_eq!(stamp_from_raw(key.public_key(), &raw).unwrap(), stamp);
        for wrong in [&raw[..63], &[raw.as_slice(), &[0]].concat(), &[]] {
            let error = stamp_from_raw(key.public_key(), wrong).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StorageUnavailable);
        }
    }
}

/// `r` and `s` of a stamp, 32 bytes each: `30 len 02 len r 02 len s`.
fn raw_signature(stamp: &str) -> Vec<u8> {
    let json = String::from_utf8(base64url::decode(stamp, 1024).unwrap()).unwrap();
    let limits = Limits {
        bytes: 1024,
        depth: 1,
    };
    let json = Json::parse(&json, limits).unwrap();
    let der = hex::decode(json.get("signature").unwrap().as_str().unwrap(), 72).unwrap();
    let mut raw = Vec::new();
    let mut rest = &der[2..];
    while let [2, length, more @ ..] = rest {
        let (integer, after) = more.split_at(usize::from(*length));
        let start = integer.len().saturating_sub(32);
        raw.resize(raw.len() + 32 - (integer.len() - start), 0);
        raw.extend_from_slice(&integer[start..]);
        rest = after;
    }
    raw
}

/// A token of a later time may be this device's fault, but only where nobody has told it the time.
#[test]
fn a_wrong_clock_is_told_from_a_stale_token() {
    const NOW_SECONDS: i64 = 1_775_662_500;
    let code = |issued: i64, expires: i64, uncertainty_ms: i64| {
        let part = |text: &str| base64url::encode(text.as_bytes());
        let claims = format!(
            r#"{{"iss":"i","sub":"s","aud":"page","iat":{},"exp":{}}}"#,
            NOW_SECONDS + issued,
            NOW_SECONDS + expires
        );
        let token = format!("{}.{}.c2ln", part(r#"{"alg":"ES256"}"#), part(&claims));
        let expected = ExpectedIdToken {
            client_id: Some("page"),
            nonce: None,
            now_ms: NOW_SECONDS * 1000,
            uncertainty_ms,
        };
        check_id_token(&token, &expected)
            .err()
            .map(|error| error.code())
    };
    let stale = Some(ErrorCode::OauthRejected);
    for (issued, expires, uncertainty_ms, expected) in [
        (0, 300, 0, None),
        (60, 300, 0, None),
        (61, 300, 0, stale),
        (-60, 300, 0, None),
        (-61, 300, 0, stale),
        (180, 600, 120_000, None),
        (181, 600, 120_000, Some(ErrorCode::ClockWrong)),
        (-181, 600, 120_000, stale),
        // New, and run out all the same.
        (1, -120, 120_000, stale),
        (0, -120, 120_000, stale),
        (0, -119, 120_000, None),
    ] {
        assert_eq!(
            code(issued, expires, uncertainty_ms),
            expected,
            "{issued} {expires} {uncertainty_ms}"
        );
    }
}

/// RFC 8259 section 6.
#[test]
fn an_exponent_has_one_sign_at_most() {
    let limits = Limits {
        bytes: 64,
        depth: 1,
    };
    for number in ["1e5", "1E5", "1e+5", "1e-5", "-0.1E-05"] {
        let json = Json::parse(number, limits).unwrap();
        assert_eq!(json.to_text(), number);
    }
    for refused in [
        "1e", "1e+", "1e-", "1e+-5", "1e-+5", "1e--5", "1e++5", "1e5.0", "e5",
    ] {
        assert!(Json::parse(refused, limits).is_err(), "{refused}");
    }
}
