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

/// The members whose text is harmless and helps.
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
            if SHOWN.contains(&name) || (is_error && SHOWN_OF_ERRORS.contains(&name)) {
                json.clone()
            } else {
                let length = decimal::encode(characters(text));
                Json::String(filled("… {} characters", &[&length]))
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
                .map(|(name, value)| (name.clone(), redact_member(name, value, is_error)))
                .collect(),
        ),
    }
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
