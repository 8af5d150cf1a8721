//! An identity provider's token, against `base64` and `serde_json`.

#![no_main]

use arbitrary::{Result, Unstructured};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    ErrorCode,
    crypto::json::Json,
    formats::oauth::{ExpectedIdToken, check_id_token},
};
use gridkey_fuzz::{mutate, split, strict};
use libfuzzer_sys::fuzz_target;

const MAX_BYTES: usize = 8 * 1024;
const NOW_S: u64 = 1_775_662_500;
const NOW_MS: i64 = 1_775_662_500_000;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        if let Ok(text) = std::str::from_utf8(rest) {
            compare(text, None, None, 0);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let nonce = *u.choose(&[None, Some("nonce")])?;
    let client_id = *u.choose(&[None, Some("page"), Some("other")])?;
    let uncertainty_ms = *u.choose(&[0, 1, 120_000])?;
    let mut header = Json::object([("alg", "RS256".into())]);
    let audience = match u.int_in_range(0..=2)? {
        0 => Json::from("page"),
        1 => Json::Array(vec!["api".into(), "page".into()]),
        _ => Json::Array(Vec::new()),
    };
    let moment = |u: &mut Unstructured<'_>| -> Result<Json> {
        Ok(Json::from(match u.int_in_range(0..=7)? {
            0 => u.arbitrary()?,
            1 => u64::MAX,
            2 => 9_223_372_036_854_775_807,
            // Around the ends of what is taken.
            3 => NOW_S - u.int_in_range(50..=70)?,
            4 => NOW_S + u.int_in_range(50..=190)?,
            _ => NOW_S + u.int_in_range(0..=10)?,
        }))
    };
    let mut claims = Json::object([
        ("iss", "https://provider.example".into()),
        ("sub", "1".into()),
        ("aud", audience),
        ("iat", moment(u)?),
        ("exp", moment(u)?),
        ("nonce", "nonce".into()),
    ]);
    if u.ratio(1_u8, 2_u8)?
        && let Json::Object(members) = &mut claims
    {
        members.pop();
    }
    match u.int_in_range(0..=3)? {
        0 => mutate::json(u, &mut header)?,
        1 => mutate::json(u, &mut claims)?,
        _ => {}
    }
    let mut token = [
        BASE64.encode(mutate::written(u, &header)?),
        BASE64.encode(mutate::written(u, &claims)?),
        BASE64.encode(u.bytes(u.len().min(3))?),
    ]
    .join(".");
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut token)?;
    }
    compare(&token, nonce, client_id, uncertainty_ms);
    Ok(())
}

fn compare(token: &str, nonce: Option<&str>, client_id: Option<&str>, uncertainty_ms: i64) {
    let found = check_id_token(
        token,
        &ExpectedIdToken {
            nonce,
            client_id,
            now_ms: NOW_MS,
            uncertainty_ms,
        },
    );
    let is_right = is_right(token, nonce, client_id, uncertainty_ms) == Some(true);
    assert_eq!(found.is_ok(), is_right, "{found:?} {token}");
    if let Err(error) = found {
        let is_known = matches!(
            error.code(),
            ErrorCode::OauthRejected | ErrorCode::ClockWrong
        );
        assert!(
            is_known && !error.message().contains(mutate::CANARY),
            "{error:?}"
        );
    }
}

fn is_right(
    token: &str,
    nonce: Option<&str>,
    client_id: Option<&str>,
    uncertainty_ms: i64,
) -> Option<bool> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = *parts else {
        return None;
    };
    let algorithm =
        part(header).and_then(|header| Some(strict::text(&header, "alg")?.to_owned()))?;
    let is_signed = !BASE64.decode(signature).ok()?.is_empty()
        && !algorithm.is_empty()
        && !algorithm.eq_ignore_ascii_case("none");
    let claims = part(claims)?;
    let is_named = ["iss", "sub"]
        .iter()
        .all(|name| strict::text(&claims, name).is_some_and(|text| !text.is_empty()));
    let audiences: Vec<&Json> = match strict::member(&claims, "aud")? {
        Json::Array(audiences) => audiences.iter().collect(),
        audience => vec![audience],
    };
    let mut named = Vec::new();
    for audience in audiences {
        match audience {
            Json::String(text) if !text.is_empty() => named.push(text.as_str()),
            _ => return None,
        }
    }
    let is_for_us = !named.is_empty() && client_id.is_none_or(|id| named.contains(&id));
    let seconds = |name: &str| match strict::member(&claims, name)? {
        Json::Number(digits) => digits
            .parse::<u64>()
            .ok()
            .and_then(|n| i64::try_from(n).ok()),
        _ => None,
    };
    // In a number that has room.
    let (issued, expires) = (i128::from(seconds("iat")?), i128::from(seconds("exp")?));
    let (now, uncertainty) = (i128::from(NOW_MS), i128::from(uncertainty_ms));
    let is_fresh =
        (issued * 1000 - now).abs() <= 60_000 + uncertainty && expires * 1000 > now - uncertainty;
    let is_bound = match (strict::member(&claims, "nonce"), nonce) {
        (None, None) => true,
        (Some(Json::String(said)), Some(nonce)) => said == nonce,
        _ => false,
    };
    Some(is_signed && is_named && is_for_us && is_fresh && is_bound)
}

fn part(base64: &str) -> Option<Json> {
    let bytes = BASE64.decode(base64).ok()?;
    strict::read(std::str::from_utf8(&bytes).ok()?, MAX_BYTES, 16)
}
