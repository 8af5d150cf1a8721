//! Signing in with an identity provider.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, reason = "tests count and pad")
)]

use alloc::string::String;

use sha2::{Digest, Sha256};

use super::otp::{MAX_TOKEN_BYTES, read_part, split};
use crate::{
    crypto::{
        encoding::{base64url, hex},
        json::Json,
        key::PublicKey,
    },
    error::{Error, ErrorCode, Recovery, Result},
};

/// The `nonce` to ask the identity provider for, which binds its token to a key: lower-case hex of
/// SHA-256 over the text of `client_public_key` as it will be sent.
///
/// Over the text, not over the bytes it stands for: the two forms of one key have two nonces
/// (lightsparkdev/grid-api@cf2510e mintlify sandbox-global-account-magic.mdx).
///
/// Fails with `invalid_argument` where the text is not a P-256 public key of 66 or 130 hex digits.
pub fn nonce(client_public_key: &str) -> Result<String> {
    PublicKey::from_hex(client_public_key)?;
    Ok(hex::encode(&Sha256::digest(client_public_key)))
}

/// What an identity provider's ID token must say.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedIdToken<'a> {
    /// The one nonce that the token must carry: a session is opened with it. `None`: it must carry
    /// none, because it becomes a credential.
    pub nonce: Option<&'a str>,
    /// The platform's id at the provider, where it is known.
    pub client_id: Option<&'a str>,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// By how much that may be wrong: what fits within it is for Grid to judge.
    pub uncertainty_ms: i64,
}

/// Refuses an ID token that cannot be accepted, before it is sent.
///
/// A compact JWS of at most 8 KiB (RFC 7515 section 3.1) that is signed, and claims as OpenID
/// Connect Core section 2 has them: `iss`, `sub`, `aud`, `iat` not more than a minute away, `exp`
/// ahead, and `nonce`. Whose signature it is, the provider and Grid know.
///
/// Fails with `oauth_rejected`, whose `reason` is `malformed`, `audience`, `freshness` or `nonce`.
pub fn check_id_token(token: &str, expected: &ExpectedIdToken<'_>) -> Result<()> {
    let claims = read_claims(token).ok_or_else(malformed)?;
    if !is_audience(claims.get("aud"), expected.client_id).ok_or_else(malformed)? {
        return Err(rejected(
            "audience",
            "The ID token is for another client id. Ask the identity provider for one with the \
             client id that the page gives.",
        )
        .with_recovery(Recovery::Integrator));
    }
    let time_ms = |name| {
        let seconds = claims.get(name).and_then(Json::as_u64)?;
        Some(i64::try_from(seconds).ok()?.saturating_mul(1000))
    };
    let issued_at_ms = time_ms("iat").ok_or_else(malformed)?;
    let expires_at_ms = time_ms("exp").ok_or_else(malformed)?;
    let max_away_ms = MAX_AWAY_MS.saturating_add(expected.uncertainty_ms.unsigned_abs());
    let is_new = issued_at_ms.saturating_sub(expected.now_ms).unsigned_abs() <= max_away_ms;
    let earliest_ms = expected.now_ms.saturating_sub(expected.uncertainty_ms);
    if !is_new || expires_at_ms <= earliest_ms {
        // Nobody issues tokens in the future, but there are clocks that are behind.
        let is_ahead = !is_new && issued_at_ms > expected.now_ms;
        if expected.uncertainty_ms > 0 && is_ahead {
            return Err(Error::new(
                ErrorCode::ClockWrong,
                "The ID token is of a later time than this device's: correct the device's date and \
                 time.",
            ));
        }
        return Err(rejected(
            "freshness",
            "The ID token was not issued within the last minute, or has expired. Ask the identity \
             provider for a fresh one. The other cause is a device whose clock is wrong.",
        ));
    }
    match (claims.get("nonce"), expected.nonce) {
        (None, None) => Ok(()),
        (Some(nonce), Some(asked_for)) if nonce.as_str() == Some(asked_for) => Ok(()),
        (_, Some(_)) => Err(rejected(
            "nonce",
            "The ID token does not carry the nonce of this sign-in. Ask the identity provider for \
             a fresh one with this nonce.",
        )),
        (Some(_), None) => Err(rejected(
            "nonce",
            "The ID token carries a nonce, and a credential is made of one without. Ask the \
             identity provider for a fresh one without nonce.",
        )),
    }
}

/// Grid's limit for the age of a token, and as much for a provider's clock that is ahead.
const MAX_AWAY_MS: u64 = 60_000;

/// The claims of a token that has the form of one.
fn read_claims(token: &str) -> Option<Json> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (_, header, claims, signature) = split(token)?;
    let signature = base64url::decode(signature, MAX_TOKEN_BYTES).ok()?;
    let header = read_part(header)?;
    let claims = read_part(claims)?;
    // RFC 7518 section 3.6: `none` is a token that nobody signed.
    let is_signed =
        !signature.is_empty() && !has_text(&header, "alg")?.eq_ignore_ascii_case("none");
    has_text(&claims, "iss")?;
    has_text(&claims, "sub")?;
    is_signed.then_some(claims)
}

fn has_text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(non_empty)
}

fn non_empty(json: &Json) -> Option<&str> {
    json.as_str().filter(|text| !text.is_empty())
}

/// Whether the client is one of those that the token is for. Nothing where it names none.
fn is_audience(audience: Option<&Json>, client_id: Option<&str>) -> Option<bool> {
    let audience = audience?;
    let audiences = audience
        .as_array()
        .unwrap_or(core::slice::from_ref(audience));
    let mut is_known = client_id.is_none();
    for audience in audiences {
        is_known |= Some(non_empty(audience)?) == client_id;
    }
    (!audiences.is_empty()).then_some(is_known)
}

fn malformed() -> Error {
    rejected(
        "malformed",
        "This is not an ID token: a JWT of at most 8 KiB, signed, with the claims `iss`, `sub`, \
         `aud`, `iat` and `exp`. Pass on the identity provider's ID token, not its access token or \
         its code.",
    )
    .with_recovery(Recovery::Integrator)
}

fn rejected(reason: &'static str, message: &'static str) -> Error {
    Error::new(ErrorCode::OauthRejected, message).with_reason(reason)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::key::PrivateKey;

    const NOW: i64 = 1_782_919_651_260;
    const HEADER: &str = r#"{"alg":"RS256","kid":"1","typ":"JWT"}"#;
    const CLAIMS: &str = r#"{"iss":"https://accounts.google.com","sub":"1","aud":"page","iat":1782919651,"exp":1782923251}"#;

    fn token(header: &str, claims: &str) -> String {
        let parts = [header, claims, "signature"].map(|part| base64url::encode(part.as_bytes()));
        parts.join(".")
    }

    fn verdict(token: &str, nonce: Option<&str>, client_id: Option<&str>, now_ms: i64) -> String {
        let expected = ExpectedIdToken {
            nonce,
            client_id,
            now_ms,
            uncertainty_ms: 0,
        };
        match check_id_token(token, &expected) {
            Ok(()) => "accepted".to_owned(),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::OauthRejected);
                error.reason().unwrap().to_owned()
            }
        }
    }

    /// The verdict on claims of which `from` is now `to`.
    fn changed(from: &str, to: &str) -> String {
        let claims = CLAIMS.replacen(from, to, 1);
        assert_ne!(claims, CLAIMS);
        verdict(&token(HEADER, &claims), None, Some("page"), NOW)
    }

    #[test]
    fn takes_a_fresh_token() {
        let good = token(HEADER, CLAIMS);
        assert_eq!(verdict(&good, None, None, NOW), "accepted");
        assert_eq!(verdict(&good, None, Some("page"), NOW), "accepted");
        for audience in [r#"["page"]"#, r#"["other","page"]"#] {
            assert_eq!(changed(r#""page""#, audience), "accepted");
        }
        // What is not looked at here.
        assert_eq!(
            changed("{", r#"{"email":"a@b","x":{"y":[1.5]},"#),
            "accepted"
        );
    }

    #[test]
    fn other_texts_are_malformed() {
        let good = token(HEADER, CLAIMS);
        let [header, claims, signature] = *good.split('.').collect::<Vec<_>>() else {
            panic!("three parts");
        };
        for text in [
            String::new(),
            "x".to_owned(),
            "..".to_owned(),
            "ya29.a0AfH6SM".to_owned(),
            CLAIMS.to_owned(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{good}.{signature}"),
            format!("{good}="),
            format!("{good}\n"),
            format!(" {good}"),
            format!("Bearer {good}"),
            token("[]", CLAIMS),
            token("", CLAIMS),
            token("{", CLAIMS),
            token(r#"{"typ":"JWT"}"#, CLAIMS),
            token(r#"{"alg":""}"#, CLAIMS),
            token(r#"{"alg":1}"#, CLAIMS),
            token(r#"{"alg":["RS256"]}"#, CLAIMS),
            token(r#"{"alg":"none"}"#, CLAIMS),
            token(r#"{"alg":"nOnE"}"#, CLAIMS),
            token(r#"{"alg":"RS256","alg":"RS256"}"#, CLAIMS),
            token(HEADER, "[]"),
            token(HEADER, "{}"),
            token(HEADER, &format!("{CLAIMS} x")),
            token(HEADER, &format!("\u{feff}{CLAIMS}")),
            token(HEADER, &CLAIMS.replacen('{', r#"{"iss":"x","#, 1)),
        ] {
            assert_eq!(
                verdict(&text, None, Some("page"), NOW),
                "malformed",
                "{text}"
            );
        }
        let not_utf8 = format!(
            "{header}.{}.{signature}",
            base64url::encode(b"{\"a\":\"\xff\"}")
        );
        assert_eq!(verdict(&not_utf8, None, None, NOW), "malformed");
    }

    #[test]
    fn other_claims_are_malformed() {
        for (from, to) in [
            ("https://accounts.google.com", ""),
            (r#""https://accounts.google.com""#, "1"),
            (r#""iss""#, r#""Iss""#),
            (r#""sub":"1""#, r#""sub":"""#),
            (r#""sub":"1""#, r#""sub":1"#),
            (r#""sub":"1","#, ""),
            (r#""aud":"page","#, ""),
            (r#""page""#, r#""""#),
            (r#""page""#, "[]"),
            (r#""page""#, "null"),
            (r#""page""#, r#"["page",""]"#),
            (r#""page""#, r#"["page",1]"#),
            (r#""page""#, r#"[["page"]]"#),
            (r#""page""#, r#"{"0":"page","length":1}"#),
            ("1782919651", r#""1782919651""#),
            ("1782919651", "1782919651.0"),
            ("1782919651", "1.782919651e9"),
            ("1782919651", "-1782919651"),
            ("1782919651", "null"),
            ("1782919651", "18446744073709551615"),
            (r#""iat":1782919651,"#, ""),
            ("1782923251", r#""NaN""#),
            ("1782923251", "1e400"),
            ("1782923251", "true"),
            (r#","exp":1782923251"#, ""),
        ] {
            assert_eq!(changed(from, to), "malformed", "{from} -> {to}");
        }
    }

    #[test]
    fn is_capped_at_8_kib() {
        let of = |bytes: usize| {
            let good = token(HEADER, CLAIMS);
            // One length in four is none of base64url's.
            let signature = "A".repeat(bytes - good.len() + base64url::encode(b"signature").len());
            let (signed, _) = good.rsplit_once('.').unwrap();
            verdict(&format!("{signed}.{signature}"), None, None, NOW)
        };
        let at_cap = (0..4).map(|less| of(8 * 1024 - less));
        assert!(at_cap.filter(|verdict| verdict == "accepted").count() >= 3);
        for bytes in 8 * 1024 + 1..8 * 1024 + 5 {
            assert_eq!(of(bytes), "malformed");
        }
    }

    #[test]
    fn is_for_this_client() {
        for other in [
            r#""Page""#,
            r#""page ""#,
            r#""page1""#,
            r#""pag""#,
            r#"["other"]"#,
            r#"["pag","e"]"#,
        ] {
            assert_eq!(changed(r#""page""#, other), "audience", "{other}");
        }
        let good = token(HEADER, CLAIMS);
        assert_eq!(verdict(&good, None, Some(""), NOW), "audience");
    }

    #[test]
    fn is_of_this_minute() {
        let issued_ms = 1_782_919_651_000;
        let at = |now_ms| verdict(&token(HEADER, CLAIMS), None, None, now_ms);
        for away_ms in [-60_000, -1, 0, 1, 60_000] {
            assert_eq!(at(issued_ms + away_ms), "accepted", "{away_ms}");
        }
        for away_ms in [-60_001, 60_001, 3_600_000] {
            assert_eq!(at(issued_ms + away_ms), "freshness", "{away_ms}");
        }
        for now_ms in [i64::MIN, 0, i64::MAX] {
            assert_eq!(at(now_ms), "freshness", "{now_ms}");
        }
        // Milliseconds instead of seconds.
        assert_eq!(changed("1782919651", "1782919651000"), "freshness");
        assert_eq!(changed("1782919651", "9223372036854775807"), "freshness");
        for (exp, expected) in [
            ("1782919652", "accepted"),
            ("1782919651", "freshness"),
            ("0", "freshness"),
            ("9223372036854775807", "accepted"),
        ] {
            assert_eq!(changed("1782923251", exp), expected, "{exp}");
        }
        let short = CLAIMS.replacen("1782923251", "1782919652", 1);
        let at = |now_ms| verdict(&token(HEADER, &short), None, None, now_ms);
        assert_eq!(at(1_782_919_651_999), "accepted");
        assert_eq!(at(1_782_919_652_000), "freshness");
    }

    #[test]
    fn carries_exactly_the_nonce() {
        let nonce = "a".repeat(64);
        let with = |claim: &str| {
            let claims = CLAIMS.replacen('{', &format!(r#"{{"nonce":{claim},"#), 1);
            token(HEADER, &claims)
        };
        let good = with(&format!(r#""{nonce}""#));
        assert_eq!(verdict(&good, Some(&nonce), None, NOW), "accepted");
        assert_eq!(verdict(&good, None, None, NOW), "nonce");
        assert_eq!(verdict(&with("null"), None, None, NOW), "nonce");
        assert_eq!(verdict(&with(r#""""#), None, None, NOW), "nonce");
        for other in [
            token(HEADER, CLAIMS),
            with("null"),
            with(r#""""#),
            with(&format!(r#""{}""#, nonce.to_uppercase())),
            with(&format!(r#""{nonce}a""#)),
            with(&format!(r#""{}""#, "a".repeat(63))),
            with(&format!(r#"["{nonce}"]"#)),
        ] {
            assert_eq!(verdict(&other, Some(&nonce), None, NOW), "nonce", "{other}");
        }
        let upper = CLAIMS.replacen('{', &format!(r#"{{"Nonce":"{nonce}","#), 1);
        let upper = verdict(&token(HEADER, &upper), Some(&nonce), None, NOW);
        assert_eq!(upper, "nonce");
    }

    #[test]
    fn refusals_repeat_nothing_of_the_token() {
        for claims in [
            CLAIMS.replacen("page", "canary", 1),
            CLAIMS.replacen('{', r#"{"nonce":"canary","#, 1),
            CLAIMS.replacen("1782919651", r#""canary""#, 1),
        ] {
            let expected = ExpectedIdToken {
                nonce: None,
                client_id: Some("page"),
                now_ms: NOW,
                uncertainty_ms: 0,
            };
            let error = check_id_token(&token(HEADER, &claims), &expected).unwrap_err();
            assert!(!format!("{error:?}{:?}", error.details()).contains("canary"));
        }
    }

    /// The digest is of the text, so each form, and each case, has its own.
    #[test]
    fn each_text_of_a_key_has_its_own_nonce() {
        let key = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let compressed = key.public_key().to_compressed_hex();
        let uncompressed = key.public_key().to_uncompressed_hex();
        for text in [&compressed, &uncompressed, &compressed.to_uppercase()] {
            let digest = Sha256::digest(text.as_bytes());
            assert_eq!(nonce(text).unwrap(), hex::encode(&digest));
        }
        assert_ne!(nonce(&compressed).unwrap(), nonce(&uncompressed).unwrap());
    }

    #[test]
    fn refuses_what_is_not_a_key() {
        let key = PrivateKey::from_bytes(&[1; 32])
            .unwrap()
            .public_key()
            .to_compressed_hex();
        for refused in [
            "",
            key.get(2..).unwrap(),
            &format!("0x{key}"),
            &format!("{key} "),
            &"0".repeat(66),
        ] {
            assert_eq!(
                nonce(refused).unwrap_err().code(),
                ErrorCode::InvalidArgument
            );
        }
    }
}
