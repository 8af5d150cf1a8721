//! What a developer panel or a log may see of a request.

use alloc::string::String;

use super::failure::Leg;
use crate::{
    crypto::{encoding::decimal, json::Json},
    error::{ErrorCode, characters, filled},
};

/// One when a request goes out, one when it has ended.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    /// The same for both events of one request; counts up within a client.
    pub id: u64,
    /// The operationId.
    pub operation: &'static str,
    /// Its leg.
    pub leg: Leg,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the base URL.
    pub path: String,
    /// Whether it carries a stamp.
    pub signed: bool,
    /// The body, redacted.
    pub body: Option<Json>,
    /// How it ended; missing when it has just been sent.
    pub outcome: Option<Outcome>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// In milliseconds.
    pub duration_ms: u64,
    /// The HTTP status, where an answer arrived.
    pub status: Option<u16>,
    /// The error, if it is one.
    pub code: Option<ErrorCode>,
    /// `Retry-After`, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// The members whose text is harmless and helps, where it is a constant or a date.
const SHOWN: &[&str] = &["createdAt", "expiresAt", "type", "updatedAt"];

/// Of an error body also these.
const SHOWN_OF_ERRORS: &[&str] = &["code", "reason"];

/// Keeps the members' names and flags, and an error's status; of texts only the length, but for a
/// few harmless ones. `is_error`: it is the body of an error, whose code is no device code.
pub fn redact(json: &Json, is_error: bool) -> Json {
    redact_member("", json, is_error)
}

fn redact_member(name: &str, json: &Json, is_error: bool) -> Json {
    match json {
        Json::Null | Json::Bool(_) => json.clone(),
        // Balances and amounts are nobody else's business.
        Json::Number(_) if is_error && name == "status" => json.clone(),
        Json::Number(_) => Json::from("… a number"),
        Json::String(text) => {
            let is_shown = SHOWN.contains(&name) || (is_error && SHOWN_OF_ERRORS.contains(&name));
            if is_shown && is_plain(text) {
                json.clone()
            } else {
                Json::String(hidden(text))
            }
        }
        Json::Array(items) => Json::Array(
            items
                .iter()
                .map(|item| redact_member("", item, is_error))
                .collect(),
        ),
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let shown = if is_plain(name) {
                        name.clone()
                    } else {
                        hidden(name)
                    };
                    (shown, redact_member(name, value, is_error))
                })
                .collect(),
        ),
    }
}

/// Whether this may be a constant, a name or a date. A hostile relay can have a secret come back in the
/// place of one.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:.+".contains(&byte);
    text.len() <= 63 && text.bytes().all(is_plain)
}

fn hidden(text: &str) -> String {
    filled("… {} characters", &[&decimal::encode(characters(text))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::json::Limits;

    fn redacted(text: &str, is_error: bool) -> String {
        let limits = Limits {
            bytes: 1000,
            depth: 8,
        };
        redact(&Json::parse(text, limits).unwrap(), is_error).to_text()
    }

    #[test]
    fn texts_are_hidden_but_for_the_harmless_ones() {
        let body = r#"{"type":"OAUTH","oidcToken":"abc","n":3,"b":true,"a":[{"secret":"x"}]}"#;
        assert_eq!(
            redacted(body, false),
            "{\"type\":\"OAUTH\",\"oidcToken\":\"… 3 characters\",\"n\":\"… a number\",\"b\":true,\
             \"a\":[{\"secret\":\"… 1 characters\"}]}"
        );
    }

    #[test]
    fn what_stands_in_the_place_of_a_harmless_text_is_hidden() {
        let token = "a".repeat(64);
        for secret in [&token, "two words", "{\\\"type\\\":1}", "é"] {
            let answer = ["{\"type\":\"", secret, "\",\"", secret, "\":null}"].concat();
            assert!(!redacted(&answer, false).contains(secret), "{secret}");
            let error = ["{\"reason\":\"", secret, "\"}"].concat();
            assert!(!redacted(&error, true).contains(secret), "{secret}");
        }
        let date = r#"{"expiresAt":"2026-04-08T15:40:00.123456789+02:00"}"#;
        assert_eq!(redacted(date, false), date);
    }

    #[test]
    fn a_device_code_is_hidden_and_an_error_code_is_shown() {
        let device_code = r#"{"code":"GRID-AGENT-X7K9-M2P4","status":201}"#;
        assert!(redacted(device_code, false).contains("… 20"));
        let error = redacted(
            r#"{"status":401,"code":"UNAUTHORIZED","message":"a@b.c"}"#,
            true,
        );
        assert!(error.contains("UNAUTHORIZED") && !error.contains("a@b.c"));
    }
}
