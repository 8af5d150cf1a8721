//! What is held against an intent before it is stamped: for each kind, a payload that is right, made
//! wrong in places. What is taken has exactly the members that are allowed, with the values that were
//! asked for, as `serde_json` reads it; and what is right is taken.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::{
    ErrorCode,
    crypto::json::{Json, Limits},
    formats::intent::{Expected, Intent, check},
};
use gridkey_fuzz::{
    judge::Asked,
    mutate::{self, CANARY},
    split, strict,
};
use libfuzzer_sys::fuzz_target;

const NOW_MS: i64 = 1_775_662_500_000;
const ORGANIZATION: &str = "org_2m9F";

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        // The intent as JavaScript states it, a new line, the payload.
        if let Ok(text) = std::str::from_utf8(rest)
            && let Some((intent, payload)) = text.split_once('\n')
            && let Ok(intent) = Json::parse(intent, LIMITS)
        {
            given(&intent, payload);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 16,
};

fn given(stated: &Json, payload: &str) {
    if stated.get("kind").and_then(Json::as_str) == Some("verifyOtp") {
        return;
    }
    // The examples carry times of their own.
    let said = strict::read(payload, 64 * 1024, 16);
    let now_ms = said
        .and_then(|said| strict::text(&said, "timestampMs")?.parse().ok())
        .filter(|ms| (0..=9_999_999_999_999).contains(ms));
    compare(stated, payload, None, None, now_ms.unwrap_or(NOW_MS));
}

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let (kind, members) = u.choose(Intent::KINDS)?;
    if *kind == "verifyOtp" {
        return Ok(());
    }
    let mut stated = vec![("kind".to_owned(), Json::from(*kind))];
    for member in *members {
        let name = member.trim_end_matches('?');
        if name != *member && u.arbitrary()? {
            continue;
        }
        let value = match name {
            "allowBlindSigning" => Json::Bool(true),
            "parameters" => {
                let parameters = mutate::any(u, 3)?;
                // JavaScript's objects have no name twice.
                let is_object = strict::read(&parameters.to_text(), 4096, 8).is_some();
                if is_object { parameters } else { Json::Null }
            }
            _ => {
                let mut text = format!("{name} 1");
                if u.ratio(1_u8, 8_u8)? {
                    mutate::text(u, &mut text)?;
                }
                text.into()
            }
        };
        stated.push((name.to_owned(), value));
    }
    let stated = Json::Object(stated);
    let made_ms = NOW_MS + time(u)?;
    let mut payload = payload(u, &stated, made_ms)?;
    if u.ratio(3_u8, 4_u8)? {
        mutate::json(u, &mut payload)?;
    }
    let mut text = mutate::written(u, &payload)?;
    if u.ratio(1_u8, 8_u8)? {
        mutate::text(u, &mut text)?;
    }
    let organization_id = *u.choose(&[None, Some(ORGANIZATION), Some("org_other")])?;
    let expires_at_ms = match u.arbitrary()? {
        true => Some(NOW_MS + time(u)?),
        false => None,
    };
    compare(&stated, &text, organization_id, expires_at_ms, NOW_MS);
    Ok(())
}

/// Around the ends of what is taken.
fn time(u: &mut Unstructured<'_>) -> Result<i64> {
    const MINUTE_MS: i64 = 60_000;
    let near = u.int_in_range(-2..=2)?;
    let far = *u.choose(&[
        0,
        -MINUTE_MS,
        -15 * MINUTE_MS,
        -24 * 60 * MINUTE_MS,
        5 * MINUTE_MS,
        10 * MINUTE_MS,
        60 * MINUTE_MS,
    ])?;
    Ok(near + far)
}

/// What Grid would ask for.
fn payload(u: &mut Unstructured<'_>, stated: &Json, made_ms: i64) -> Result<Json> {
    let text = |name: &str, otherwise: &str| {
        let stated = strict::text(stated, name).unwrap_or(otherwise);
        Json::from(stated.trim())
    };
    let user = || Json::from("user_2m9F");
    let ids = || Json::Array(vec!["id_1".into()]);
    let kind = strict::text(stated, "kind").unwrap_or_default();
    let (activity_type, parameters) = match kind {
        "setEmail" => (
            "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
            Json::object([("userEmail", text("email", "")), ("userId", user())]),
        ),
        "setPhone" => (
            "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER",
            Json::object([
                ("userPhoneNumber", text("phoneNumber", "")),
                ("userId", user()),
            ]),
        ),
        "revokePasskey" => (
            "ACTIVITY_TYPE_DELETE_AUTHENTICATORS",
            Json::object([("authenticatorIds", ids()), ("userId", user())]),
        ),
        "revokeOauth" => (
            "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS",
            Json::object([("providerIds", ids()), ("userId", user())]),
        ),
        "revokeSession" => (
            "ACTIVITY_TYPE_DELETE_API_KEYS",
            Json::object([("apiKeyIds", ids()), ("userId", user())]),
        ),
        "refreshSession" => {
            let life = match u.int_in_range(0..=4)? {
                0 => Json::from("900"),
                1 => Json::from(u.int_in_range(0..=1000_u64)?),
                2 => Json::from(u.int_in_range(0..=1000_u64)?.to_string()),
                _ => Json::from(900_u64),
            };
            (
                "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
                Json::object([
                    ("targetPublicKey", text("clientPublicKey", "")),
                    ("expirationSeconds", life),
                ]),
            )
        }
        "exportWallet" => (
            "ACTIVITY_TYPE_EXPORT_WALLET",
            Json::object([
                ("targetPublicKey", text("clientPublicKey", "")),
                ("walletId", text("walletId", "wallet_1")),
            ]),
        ),
        "executeQuote" => (
            "ACTIVITY_TYPE_SIGN_TRANSACTION_V2",
            Json::object([
                ("signWith", text("signWith", "wallet_1")),
                ("type", "TRANSACTION_TYPE_SPARK".into()),
                ("unsignedTransaction", "ea69b4bf".into()),
            ]),
        ),
        "updatePrivacy" => (
            "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2",
            Json::object([
                ("encoding", "PAYLOAD_ENCODING_HEXADECIMAL".into()),
                ("hashFunction", "HASH_FUNCTION_NO_OP".into()),
                ("payload", "9f3b".into()),
                ("signWith", text("signWith", "sp1q")),
            ]),
        ),
        "addOauth" => {
            let provider = Json::object([
                ("oidcToken", text("oidcToken", "")),
                ("providerName", "g".repeat(u.int_in_range(1..=66)?).into()),
            ]);
            (
                "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS",
                Json::object([
                    ("oauthProviders", Json::Array(vec![provider])),
                    ("userId", user()),
                ]),
            )
        }
        "addPasskey" => {
            let attestation = Json::object([
                ("attestationObject", text("attestationObject", "")),
                ("clientDataJson", text("clientDataJson", "")),
                ("credentialId", text("credentialId", "")),
                ("transports", Json::Array(vec!["internal".into()])),
            ]);
            let passkey = Json::object([
                ("attestation", attestation),
                ("authenticatorName", text("nickname", "Key")),
                ("challenge", text("challenge", "")),
            ]);
            (
                "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
                Json::object([
                    ("authenticators", Json::Array(vec![passkey])),
                    ("userId", user()),
                ]),
            )
        }
        _ => (
            strict::text(stated, "activityType").unwrap_or_default(),
            strict::member(stated, "parameters")
                .unwrap_or(&Json::Null)
                .clone(),
        ),
    };
    Ok(Json::object([
        ("organizationId", ORGANIZATION.into()),
        ("parameters", parameters),
        ("timestampMs", made_ms.to_string().into()),
        ("type", activity_type.into()),
    ]))
}

fn compare(
    stated: &Json,
    payload: &str,
    organization_id: Option<&str>,
    expires_at_ms: Option<i64>,
    now_ms: i64,
) {
    let Ok(intent) = Intent::from_json(stated) else {
        return;
    };
    let Json::Object(members) = stated else {
        return;
    };
    let asked = Asked {
        kind: strict::text(stated, "kind").unwrap_or_default(),
        stated: members
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect(),
        activity: strict::text(stated, "activityType").zip(strict::member(stated, "parameters")),
        organization_id,
        expires_at_ms,
        now_ms,
    };
    let found = check(
        payload,
        &intent.intent,
        &Expected {
            organization_id,
            expires_at_ms,
            now_ms,
        },
    );
    assert_eq!(
        found.is_ok(),
        asked.is(payload),
        "{found:?} {stated:?} {payload}"
    );
    match found {
        Ok(checked) => {
            let said = strict::read(payload, 64 * 1024, 16).unwrap();
            assert_eq!(
                checked.organization_id.as_deref(),
                strict::text(&said, "organizationId")
            );
            assert_eq!(
                checked.activity_type.as_deref(),
                strict::text(&said, "type")
            );
            let is_blind = ["executeQuote", "updatePrivacy"].contains(&asked.kind);
            assert_eq!(checked.fingerprint.is_some(), is_blind);
        }
        Err(error) => {
            let is_known = matches!(
                error.code(),
                ErrorCode::IntentRefused | ErrorCode::ChallengeExpired | ErrorCode::ClockWrong
            );
            assert!(is_known, "{error:?}");
            assert!(!error.message().contains(CANARY), "{error}");
        }
    }
}
