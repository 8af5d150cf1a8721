//! What may be stamped, written down a second time: from Grid's documents and Turnkey's examples, kind
//! by kind, by hand, without gridkey's table.

use gridkey::crypto::json::Json;

use crate::strict::{self, member, text};

const MINUTE_MS: i64 = 60_000;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// As JavaScript names it.
    pub kind: &'a str,
    /// What was stated, by the names that JavaScript has for it.
    pub stated: Vec<(&'a str, &'a str)>,
    /// Of the kind `activity`: the type and the parameters.
    pub activity: Option<(&'a str, &'a Json)>,
    /// The organization, where it is known.
    pub organization_id: Option<&'a str>,
    /// When the challenge runs out, where that is known.
    pub expires_at_ms: Option<i64>,
    /// The time.
    pub now_ms: i64,
}

impl Asked<'_> {
    /// Whether the payload is what was asked for and nothing else.
    pub fn is(&self, payload: &str) -> bool {
        self.holds(payload) == Some(true)
    }

    fn stated(&self, name: &str) -> Option<&str> {
        let (_, value) = self.stated.iter().find(|(stated, _)| *stated == name)?;
        Some(value)
    }

    fn holds(&self, payload: &str) -> Option<bool> {
        let json = strict::read(payload, 64 * 1024, 16)?;
        let envelope = ["organizationId", "parameters", "timestampMs", "type"];
        let proofs = member(&json, "generateAppProofs");
        let is_envelope = has_exactly(&json, &envelope, &["generateAppProofs"])
            && matches!(proofs, None | Some(Json::Bool(_)));
        let organization_id = shown(&json, "organizationId")?;
        let is_ours = self
            .organization_id
            .is_none_or(|known| known == organization_id);
        let digits = text(&json, "timestampMs")?;
        let is_time = digits.len() == 13 && digits.chars().all(|digit| digit.is_ascii_digit());
        let made_ms: i64 = digits.parse().ok()?;
        let parameters = member(&json, "parameters")?;
        Some(
            is_envelope
                && is_ours
                && is_time
                && self.is_timely(made_ms)
                && self.is_activity(shown(&json, "type")?, parameters)?,
        )
    }

    fn is_timely(&self, made_ms: i64) -> bool {
        let age_ms = self.now_ms - made_ms;
        let max_age_ms = match (self.kind, self.expires_at_ms) {
            // A quote's rate may be locked for longer than a challenge lives.
            ("executeQuote", Some(_)) => 24 * 60 * MINUTE_MS,
            _ => 15 * MINUTE_MS,
        };
        let ends_well = self
            .expires_at_ms
            .is_none_or(|end_ms| self.now_ms < end_ms && made_ms <= end_ms);
        age_ms <= max_age_ms && age_ms >= -10 * MINUTE_MS && ends_well
    }

    fn is_activity(&self, kind: &str, parameters: &Json) -> Option<bool> {
        let is = |name: &str, stated: &str| {
            shown(parameters, name).is_some_and(|said| Some(said) == self.stated(stated))
        };
        let is_key = || {
            let said = shown(parameters, "targetPublicKey")?.to_ascii_lowercase();
            Some(said == self.stated("clientPublicKey")?.to_ascii_lowercase())
        };
        let is_if_given = |name: &str, stated: &str| {
            shown(parameters, name)
                .is_some_and(|said| self.stated(stated).is_none_or(|stated| stated == said))
        };
        let has =
            |required: &[&str], optional: &[&str]| has_exactly(parameters, required, optional);
        let one_id = |name: &str| {
            has(&[name, "userId"], &[])
                && shown(parameters, "userId").is_some()
                && matches!(member(parameters, name), Some(Json::Array(ids))
                    if matches!(ids.as_slice(), [Json::String(id)] if is_shown(id)))
        };
        Some(match self.kind {
            "activity" => {
                let (asked_for, stated) = self.activity?;
                kind == asked_for && same(parameters, stated)
            }
            "setEmail" => {
                kind == "ACTIVITY_TYPE_UPDATE_USER_EMAIL"
                    && has(&["userEmail", "userId"], &[])
                    && is("userEmail", "email")
                    && shown(parameters, "userId").is_some()
            }
            "setPhone" => {
                kind == "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER"
                    && has(&["userPhoneNumber", "userId"], &[])
                    && is("userPhoneNumber", "phoneNumber")
                    && shown(parameters, "userId").is_some()
            }
            "revokePasskey" => {
                kind == "ACTIVITY_TYPE_DELETE_AUTHENTICATORS" && one_id("authenticatorIds")
            }
            "revokeOauth" => {
                kind == "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS" && one_id("providerIds")
            }
            "revokeSession" => kind == "ACTIVITY_TYPE_DELETE_API_KEYS" && one_id("apiKeyIds"),
            "refreshSession" => {
                kind == "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2"
                    && has(&["targetPublicKey"], &["expirationSeconds"])
                    && is_key()?
                    && member(parameters, "expirationSeconds").is_none_or(is_session_life)
            }
            "exportWallet" => {
                kind == "ACTIVITY_TYPE_EXPORT_WALLET"
                    && has(&["targetPublicKey", "walletId"], &[])
                    && is_key()?
                    && is_if_given("walletId", "walletId")
            }
            "executeQuote" => {
                kind == "ACTIVITY_TYPE_SIGN_TRANSACTION_V2"
                    && has(&["signWith", "type", "unsignedTransaction"], &[])
                    && is_if_given("signWith", "signWith")
                    && shown(parameters, "type").is_some()
                    && shown(parameters, "unsignedTransaction").is_some()
            }
            "updatePrivacy" => {
                kind == "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2"
                    && has(&["encoding", "hashFunction", "payload", "signWith"], &[])
                    && text(parameters, "encoding") == Some("PAYLOAD_ENCODING_HEXADECIMAL")
                    && text(parameters, "hashFunction") == Some("HASH_FUNCTION_NO_OP")
                    && shown(parameters, "payload").is_some()
                    && is_if_given("signWith", "signWith")
            }
            "addOauth" => {
                let provider = only(parameters, "oauthProviders")?;
                kind == "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS"
                    && has(&["oauthProviders", "userId"], &[])
                    && shown(parameters, "userId").is_some()
                    && has_exactly(provider, &["oidcToken", "providerName"], &[])
                    && shown(provider, "oidcToken") == self.stated("oidcToken")
                    && shown(provider, "oidcToken").is_some()
                    && shown(provider, "providerName")?.chars().count() <= 64
            }
            "addPasskey" => {
                let passkey = only(parameters, "authenticators")?;
                let attestation = member(passkey, "attestation")?;
                let is_stated = |json: &Json, name: &str| {
                    shown(json, name).is_some() && shown(json, name) == self.stated(name)
                };
                let name = shown(passkey, "authenticatorName")?;
                let attested = ["attestationObject", "clientDataJson", "credentialId"];
                kind == "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2"
                    && has(&["authenticators", "userId"], &[])
                    && shown(parameters, "userId").is_some()
                    && has_exactly(
                        passkey,
                        &["attestation", "authenticatorName", "challenge"],
                        &["transports"],
                    )
                    && has_exactly(attestation, &attested, &["transports"])
                    && attested.iter().all(|name| is_stated(attestation, name))
                    && is_stated(passkey, "challenge")
                    && self
                        .stated("nickname")
                        .is_none_or(|stated| stated.trim() == name)
                    && [passkey, attestation]
                        .iter()
                        .all(|json| are_texts(json, "transports"))
            }
            _ => false,
        })
    }
}

/// Minutes, in seconds, as a number or as its digits: both are seen at Turnkey.
fn is_session_life(json: &Json) -> bool {
    let digits = match json {
        Json::Number(digits) => digits,
        Json::String(digits) if !digits.starts_with('0') => digits,
        _ => return false,
    };
    digits.chars().all(|digit| digit.is_ascii_digit())
        && digits
            .parse::<u64>()
            .is_ok_and(|seconds| (1..=900).contains(&seconds))
}

fn are_texts(json: &Json, name: &str) -> bool {
    match member(json, name) {
        None => true,
        Some(Json::Array(items)) => items
            .iter()
            .all(|item| matches!(item, Json::String(text) if is_shown(text))),
        Some(_) => false,
    }
}

fn only<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    match member(json, name)? {
        Json::Array(items) if items.len() == 1 => items.first(),
        _ => None,
    }
}

/// An object with all of the first, perhaps some of the second, and nothing else.
fn has_exactly(json: &Json, required: &[&str], optional: &[&str]) -> bool {
    let Json::Object(members) = json else {
        return false;
    };
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    required.iter().all(|name| names.contains(name))
        && names
            .iter()
            .all(|name| required.contains(name) || optional.contains(name))
}

/// A text that can be shown.
fn shown<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    text(json, name).filter(|text| is_shown(text))
}

fn is_shown(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| !matches!(character, '\0'..='\x1f' | '\x7f'))
}

/// As `serde_json` compares them: members in any order.
fn same(a: &Json, b: &Json) -> bool {
    let value = |json: &Json| serde_json::from_str::<serde_json::Value>(&json.to_text()).unwrap();
    value(a) == value(b)
}
