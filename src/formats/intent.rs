//! What a `payloadToSign` must be before it is stamped.
//!
//! The relay, or whoever took it over, chooses the payload; a stamp over it moves money. So the
//! payload is read strictly and held against what the caller asked for: the activity type, the
//! parameters that the caller knows, and no parameter beyond. Sources: the examples of
//! lightsparkdev/grid-api openapi.yaml @cf2510e (`POST /auth/credentials`,
//! `POST /auth/sessions/{id}/refresh`) and mintlify/snippets/global-accounts/managing-sessions.mdx.

use super::passkey::PasskeyAttestation;
use crate::{
    crypto::json::{Json, Limits},
    error::{Error, ErrorCode, Result},
};

/// What the caller asked for.
#[derive(Clone, Copy)]
pub enum Intent<'a> {
    /// `createAuthCredential` with a passkey.
    AddPasskey {
        /// What the device made.
        attestation: &'a PasskeyAttestation,
        /// The platform's challenge, base64url, as sent.
        challenge: &'a str,
        /// The name, as sent.
        nickname: &'a str,
    },
    /// `refreshAuthSession`.
    RefreshSession {
        /// `clientPublicKey`, hexadecimal, as sent.
        client_public_key: &'a str,
    },
    /// `revokeAuthSession`. The payload names Turnkey's own key id, which nobody here knows.
    RevokeSession,
}

const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 16,
};
/// A payload is made when the challenge is, and a challenge lives five minutes.
const MAX_AGE_BEFORE_EXPIRY_MS: i64 = 15 * 60 * 1000;
const MAX_SESSION_SECONDS: u64 = 900;

/// Refuses a payload that asks for anything but `intent`.
///
/// `expires_at_ms` is the challenge's own, in milliseconds since 1970. Fails with
/// `intent_refused`, whose `reason` names the check: `malformed`, `type`, `members`, `timestamp`,
/// `organization` or `parameters`.
pub fn check(payload: &str, intent: Intent<'_>, expires_at_ms: i64) -> Result<()> {
    let payload = Json::parse(payload, LIMITS)
        .map_err(|_| refused("malformed", "is not one well-formed JSON object"))?;
    let activity_type =
        text(&payload, "type").ok_or_else(|| refused("malformed", "has no activity `type`"))?;
    if activity_type != intent.activity_type() {
        return Err(refused(
            "type",
            "is of another activity type than was asked for",
        ));
    }
    closed(
        &payload,
        &["organizationId", "parameters", "timestampMs", "type"],
        &["generateAppProofs"],
        "members",
    )?;
    if payload
        .get("generateAppProofs")
        .is_some_and(|flag| flag.as_bool().is_none())
    {
        return Err(refused(
            "members",
            "has a `generateAppProofs` that is no boolean",
        ));
    }
    if text(&payload, "organizationId").is_none_or(str::is_empty) {
        return Err(refused("organization", "names no organization"));
    }
    let timestamp_ms = text(&payload, "timestampMs").and_then(thirteen_digits);
    let earliest_ms = expires_at_ms.saturating_sub(MAX_AGE_BEFORE_EXPIRY_MS);
    if !timestamp_ms.is_some_and(|ms| (earliest_ms..=expires_at_ms).contains(&ms)) {
        return Err(refused("timestamp", "is not of the time of its challenge"));
    }
    let parameters = payload
        .get("parameters")
        .ok_or_else(|| refused("parameters", "has no `parameters`"))?;
    intent.check_parameters(parameters)
}

impl Intent<'_> {
    fn activity_type(self) -> &'static str {
        match self {
            Self::AddPasskey { .. } => "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
            Self::RefreshSession { .. } => "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
            Self::RevokeSession => "ACTIVITY_TYPE_DELETE_API_KEYS",
        }
    }

    fn check_parameters(self, parameters: &Json) -> Result<()> {
        match self {
            Self::AddPasskey {
                attestation,
                challenge,
                nickname,
            } => {
                closed(parameters, &["authenticators", "userId"], &[], "parameters")?;
                let authenticator = only(parameters, "authenticators")?;
                closed(
                    authenticator,
                    &["attestation", "authenticatorName", "challenge"],
                    &["transports"],
                    "parameters",
                )?;
                bound(authenticator, "authenticatorName", nickname)?;
                bound(authenticator, "challenge", challenge)?;
                let given = authenticator.get("attestation").unwrap_or(&Json::Null);
                closed(
                    given,
                    &["attestationObject", "clientDataJson", "credentialId"],
                    &["transports"],
                    "parameters",
                )?;
                bound(given, "attestationObject", &attestation.attestation_object)?;
                bound(given, "clientDataJson", &attestation.client_data_json)?;
                bound(given, "credentialId", &attestation.credential_id)
            }
            Self::RefreshSession { client_public_key } => {
                closed(
                    parameters,
                    &["targetPublicKey"],
                    &["expirationSeconds"],
                    "parameters",
                )?;
                let target = text(parameters, "targetPublicKey");
                if !target.is_some_and(|target| target.eq_ignore_ascii_case(client_public_key)) {
                    return Err(refused("parameters", "carries another `targetPublicKey`"));
                }
                let seconds = parameters.get("expirationSeconds").map(|value| {
                    value
                        .as_u64()
                        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                });
                if seconds.is_some_and(|seconds| seconds.is_none_or(|s| s > MAX_SESSION_SECONDS)) {
                    return Err(refused(
                        "parameters",
                        "asks for a session of over 900 seconds",
                    ));
                }
                Ok(())
            }
            Self::RevokeSession => {
                closed(parameters, &["apiKeyIds", "userId"], &[], "parameters")?;
                match only(parameters, "apiKeyIds")?.as_str() {
                    Some(id) if !id.is_empty() => Ok(()),
                    Some(_) | None => Err(refused("parameters", "names no API key")),
                }
            }
        }
    }
}

fn refused(reason: &'static str, what: &str) -> Error {
    Error::new(
        ErrorCode::IntentRefused,
        format!("the payload to sign {what}; nothing was signed"),
    )
    .with_reason(reason)
}

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

/// An object with all of `required`, perhaps some of `tolerated`, and nothing else.
fn closed(json: &Json, required: &[&str], tolerated: &[&str], reason: &'static str) -> Result<()> {
    let members = json
        .as_object()
        .ok_or_else(|| refused(reason, "has something else for an object"))?;
    for name in required {
        if json.get(name).is_none() {
            return Err(refused(reason, &format!("has no `{name}`")));
        }
    }
    let known = |name: &str| required.contains(&name) || tolerated.contains(&name);
    if members.iter().all(|(name, _)| known(name)) {
        Ok(())
    } else {
        Err(refused(reason, "has members that were not asked for"))
    }
}

fn bound(json: &Json, name: &str, expected: &str) -> Result<()> {
    if text(json, name) == Some(expected) {
        Ok(())
    } else {
        Err(refused("parameters", &format!("carries another `{name}`")))
    }
}

/// The one item of an array.
fn only<'a>(json: &'a Json, name: &str) -> Result<&'a Json> {
    match json.get(name).and_then(Json::as_array) {
        Some([item]) => Ok(item),
        Some(_) | None => Err(refused(
            "parameters",
            &format!("has not exactly one `{name}`"),
        )),
    }
}

fn thirteen_digits(text: &str) -> Option<i64> {
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31";
    /// The examples' timestamps are older than their challenges' `expiresAt`, so tests take the
    /// payload's own time.
    const EXPIRES: i64 = 1_775_681_700_000 + 300_000;

    fn payload(kind: &str, parameters: &str) -> String {
        format!(
            r#"{{"organizationId":"org_1","parameters":{parameters},"timestampMs":"1775681700000","type":"{kind}"}}"#
        )
    }

    fn refresh(parameters: &str) -> String {
        payload("ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2", parameters)
    }

    fn reason(payload: &str, intent: Intent<'_>) -> Option<String> {
        check(payload, intent, EXPIRES).err().map(|error| {
            assert_eq!(error.code(), ErrorCode::IntentRefused);
            error.reason().unwrap().to_owned()
        })
    }

    #[test]
    fn refresh_carries_the_own_key_and_nothing_else() {
        let intent = Intent::RefreshSession {
            client_public_key: KEY,
        };
        let good = format!(r#"{{"targetPublicKey":"{KEY}"}}"#);
        assert_eq!(reason(&refresh(&good), intent), None);
        assert_eq!(
            reason(
                &refresh(
                    &good
                        .to_uppercase()
                        .replace("TARGETPUBLICKEY", "targetPublicKey")
                ),
                intent
            ),
            None
        );
        let with = |extra: &str| refresh(&format!(r#"{{"targetPublicKey":"{KEY}",{extra}}}"#));
        assert_eq!(reason(&with(r#""expirationSeconds":"900""#), intent), None);
        for extra in [
            r#""expirationSeconds":"901""#,
            r#""expirationSeconds":{}"#,
            r#""invalidateExisting":true"#,
            r#""userId":"user_evil""#,
            r#""apiKeyName":"x""#,
        ] {
            assert_eq!(
                reason(&with(extra), intent).as_deref(),
                Some("parameters"),
                "{extra}"
            );
        }
        let other = KEY.replace("02f45f", "03f45f");
        for parameters in [
            format!(r#"{{"targetPublicKey":"{other}"}}"#),
            r#"{"targetPublicKey":null}"#.to_owned(),
            format!(r#"{{"targetPublicKey":["{KEY}"]}}"#),
            "{}".to_owned(),
            "[]".to_owned(),
        ] {
            assert_eq!(
                reason(&refresh(&parameters), intent).as_deref(),
                Some("parameters")
            );
        }
        assert_eq!(
            reason(
                &with(&format!(r#""t\u0061rgetPublicKey":"{other}""#)),
                intent
            )
            .as_deref(),
            Some("malformed")
        );
    }

    #[test]
    fn an_export_is_no_refresh() {
        let export = payload(
            "ACTIVITY_TYPE_EXPORT_WALLET",
            &format!(r#"{{"targetPublicKey":"{KEY}","walletId":"w"}}"#),
        );
        let intent = Intent::RefreshSession {
            client_public_key: KEY,
        };
        assert_eq!(reason(&export, intent).as_deref(), Some("type"));
    }

    #[test]
    fn the_envelope_is_closed_and_of_its_time() {
        let intent = Intent::RefreshSession {
            client_public_key: KEY,
        };
        let good = refresh(&format!(r#"{{"targetPublicKey":"{KEY}"}}"#));
        for (from, to, expected) in [
            ("\"org_1\"", "\"\"", "organization"),
            ("\"org_1\"", "7", "organization"),
            ("\"1775681700000\"", "1775681700000", "timestamp"),
            ("\"1775681700000\"", "\"1775682000001\"", "timestamp"),
            ("\"1775681700000\"", "\"1775681099999\"", "timestamp"),
            ("\"1775681700000\"", "\"+775681700000\"", "timestamp"),
            ("{\"org", "{\"x\":1,\"org", "members"),
            ("{\"org", "{\"generateAppProofs\":1,\"org", "members"),
            ("{\"org", "[{\"org", "malformed"),
            ("_V2\"}", "_V2\"", "malformed"),
            ("_V2\"}", "_V2\"}}", "malformed"),
        ] {
            let hostile = good.replacen(from, to, 1);
            assert_ne!(hostile, good);
            let refused = reason(&hostile, intent);
            assert_eq!(refused.as_deref(), Some(expected), "{from} -> {to}");
        }
        let with_proofs = good.replacen("{\"org", "{\"generateAppProofs\":true,\"org", 1);
        assert_eq!(reason(&with_proofs, intent), None);
    }

    #[test]
    fn a_new_passkey_is_the_one_that_was_made() {
        let attestation = PasskeyAttestation {
            credential_id: "AdKX".to_owned(),
            client_data_json: "eyJj".to_owned(),
            attestation_object: "o2Nm".to_owned(),
            transports: Vec::new(),
        };
        let intent = Intent::AddPasskey {
            attestation: &attestation,
            challenge: "ArkQ",
            nickname: "Phone",
        };
        let authenticator = r#"{"attestation":{"attestationObject":"o2Nm","clientDataJson":"eyJj","credentialId":"AdKX"},"authenticatorName":"Phone","challenge":"ArkQ","transports":["internal"]}"#;
        let of = |authenticators: &str| {
            payload(
                "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
                &format!(r#"{{"authenticators":{authenticators},"userId":"user_1"}}"#),
            )
        };
        assert_eq!(reason(&of(&format!("[{authenticator}]")), intent), None);
        for (from, to) in [
            ("o2Nm", "o2Nn"),
            ("eyJj", "eyJk"),
            ("AdKX", "AdKY"),
            ("Phone", "phone"),
            ("ArkQ", "ArkR"),
            ("\"transports\"", "\"transport\""),
            ("\"challenge\":\"ArkQ\",", ""),
        ] {
            let hostile = of(&format!("[{}]", authenticator.replacen(from, to, 1)));
            assert_eq!(
                reason(&hostile, intent).as_deref(),
                Some("parameters"),
                "{from} -> {to}"
            );
        }
        for authenticators in [
            format!("[{authenticator},{authenticator}]"),
            "[]".to_owned(),
            authenticator.to_owned(),
        ] {
            assert_eq!(
                reason(&of(&authenticators), intent).as_deref(),
                Some("parameters")
            );
        }
    }

    #[test]
    fn a_revocation_names_one_key() {
        let of = |ids: &str| {
            payload(
                "ACTIVITY_TYPE_DELETE_API_KEYS",
                &format!(r#"{{"apiKeyIds":{ids},"userId":"user_1"}}"#),
            )
        };
        assert_eq!(reason(&of(r#"["api_key_1"]"#), Intent::RevokeSession), None);
        for ids in [
            "[]",
            r#"["a","b"]"#,
            r#"[""]"#,
            "[1]",
            r#"{"0":"a","length":1}"#,
        ] {
            let refused = reason(&of(ids), Intent::RevokeSession);
            assert_eq!(refused.as_deref(), Some("parameters"), "{ids}");
        }
    }
}
