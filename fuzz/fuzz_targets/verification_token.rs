//! The token that a right one-time code is answered with, against `base64`, `serde_json` and `p256`.

#![no_main]

use arbitrary::{Result, Unstructured};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    ErrorCode,
    crypto::{json::Json, key::PublicKey},
    formats::{
        intent::{self, Expected, Intent},
        otp::{ExpectedToken, VerificationToken},
    },
};
use gridkey_fuzz::{mutate, oracle, right, split, strict, unhex};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::Signature;

const MAX_BYTES: usize = 8 * 1024;
const NOW_MS: i64 = 1_775_662_500_000;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        // The enclave's key, SEC1 uncompressed, then the token, of which the key is believed.
        if let Some((otp_key, text)) = rest.split_first_chunk::<65>()
            && oracle::point(otp_key).is_some()
            && let Ok(text) = std::str::from_utf8(text)
        {
            let own = text.split('.').nth(1).and_then(part);
            let own = own.and_then(|claims| sec1(strict::text(&claims, "public_key")?));
            compare(text, otp_key, &own.unwrap_or(*otp_key), None, None, 0);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let signer = right::key(u)?;
    let otp_key = match u.ratio(7_u8, 8_u8)? {
        true => signer.public_key().clone(),
        false => right::key(u)?.public_key().clone(),
    };
    let own = right::key(u)?;
    let shown = match u.arbitrary()? {
        true => own.public_key().to_compressed_hex(),
        false => own.public_key().to_uncompressed_hex(),
    };
    let expires_at_ms = NOW_MS + i64::from(u.arbitrary::<i16>()?);
    let mut header = Json::object([("alg", "ES256".into()), ("typ", "JWT".into())]);
    let mut claims = Json::object([
        ("contact", "ada@example.com".into()),
        ("exp", expires_at_ms.to_string().into()),
        ("organization_id", "org_1".into()),
        ("public_key", shown.into()),
        ("verification_type", "OTP_TYPE_EMAIL".into()),
    ]);
    match u.int_in_range(0..=7)? {
        0 => mutate::json(u, &mut header)?,
        1 => mutate::json(u, &mut claims)?,
        // What RFC 7515 has a reader understand or refuse.
        2 => {
            if let Json::Object(members) = &mut header {
                members.push(("crit".to_owned(), mutate::any(u, 1)?));
            }
        }
        _ => {}
    }
    let signing_input = [
        BASE64.encode(mutate::written(u, &header)?),
        BASE64.encode(mutate::written(u, &claims)?),
    ]
    .join(".");
    let mut signature = right::signature(&signer, signing_input.as_bytes());
    if u.ratio(1_u8, 4_u8)? {
        mutate::bytes(u, &mut signature)?;
    }
    let mut token = format!("{signing_input}.{}", BASE64.encode(signature));
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut token)?;
    }
    let contact = *u.choose(&[None, Some("ada@example.com"), Some("eve@example.com")])?;
    let kind = *u.choose(&[None, Some("OTP_TYPE_EMAIL"), Some("OTP_TYPE_SMS")])?;
    let own = own.public_key().as_uncompressed();
    compare(
        &token,
        otp_key.as_uncompressed(),
        own,
        contact,
        kind,
        NOW_MS,
    );
    Ok(())
}

fn compare(
    token: &str,
    otp_key: &[u8; 65],
    own: &[u8; 65],
    contact: Option<&str>,
    verification_type: Option<&str>,
    now_ms: i64,
) {
    let otp_key_sec1 = otp_key;
    let otp_key = PublicKey::from_sec1(otp_key).unwrap();
    let public_key = PublicKey::from_sec1(own).unwrap();
    let found = VerificationToken::verify(
        token,
        &ExpectedToken {
            otp_key: &otp_key,
            public_key: &public_key,
            contact,
            verification_type,
            now_ms,
        },
    );
    let expected = claims(token, otp_key_sec1).and_then(|claims| {
        let claim = |name: &str| strict::text(&claims, name);
        let is_right = claim("public_key").and_then(sec1) == Some(*own)
            && contact.is_none_or(|contact| claim("contact") == Some(contact))
            && verification_type.is_none_or(|kind| claim("verification_type") == Some(kind));
        let expires_at = claim("exp").filter(|text| text.chars().all(|c| c.is_ascii_digit()))?;
        let expires_at_ms: i64 = expires_at.parse().ok()?;
        let organization_id = claim("organization_id").filter(|id| !id.is_empty())?;
        (is_right && now_ms < expires_at_ms).then(|| (organization_id.to_owned(), expires_at_ms))
    });
    match (&found, &expected) {
        (Ok(found), Some((organization_id, expires_at_ms))) => {
            assert_eq!(found.organization_id, *organization_id);
            assert_eq!(found.expires_at_ms, *expires_at_ms);
        }
        (Err(error), None) => {
            assert!(
                matches!(
                    error.code(),
                    ErrorCode::BundleMalformed
                        | ErrorCode::BundleUntrusted
                        | ErrorCode::IntentRefused
                        | ErrorCode::ChallengeExpired
                ),
                "{error:?}"
            );
            assert!(!error.message().contains(mutate::CANARY));
        }
        _ => panic!("{found:?} {expected:?}"),
    }

    // The way by which a flow takes it, in which the organization counts too.
    let intent = Intent::VerifyOtp {
        public_key,
        contact: contact.map(str::to_owned),
        verification_type: verification_type.map(str::to_owned),
        quorum_key: otp_key,
    };
    for organization_id in [None, Some("org_1")] {
        let checked = intent::check(
            token,
            &intent,
            &Expected {
                organization_id,
                expires_at_ms: None,
                now_ms,
            },
        );
        let is_expected = expected.as_ref().is_some_and(|(id, _)| {
            organization_id.is_none_or(|known| known == id)
                && !id.chars().any(|character| character.is_ascii_control())
        });
        assert_eq!(checked.is_ok(), is_expected);
    }
}

/// The claims of what the enclave has signed.
fn claims(token: &str, otp_key: &[u8; 65]) -> Option<Json> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = *parts else {
        return None;
    };
    let header = part(header)?;
    let is_es256 = strict::text(&header, "alg") == Some("ES256")
        && strict::text(&header, "typ") == Some("JWT")
        && strict::member(&header, "crit").is_none();
    let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
    let (signing_input, _) = token.rsplit_once('.')?;
    let is_signed = oracle::verifies(otp_key, signing_input.as_bytes(), &signature);
    (is_es256 && is_signed).then(|| part(claims))?
}

fn part(base64: &str) -> Option<Json> {
    let bytes = BASE64.decode(base64).ok()?;
    strict::read(std::str::from_utf8(&bytes).ok()?, MAX_BYTES, 16)
}

fn sec1(digits: &str) -> Option<[u8; 65]> {
    oracle::point(&unhex(digits)?)
}
