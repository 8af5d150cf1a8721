//! What a `payloadToSign` must be before it is stamped.
//!
//! The relay, or whoever took it over, chooses the payload; a stamp over it moves money. So the
//! payload is read strictly and held against what the caller asked for: the activity type, the
//! parameters that the caller knows, and no parameter beyond. What that is for each kind of intent
//! is one table of data: [`rows`].
//!
//! No row: one-time codes are answered by a signed token ([`Intent::VerifyOtp`]), and what Grid
//! does not document (revoking an e-mail or SMS credential, creating a delegated key) is signed
//! only through [`Intent::Activity`], by a caller that states the whole payload.

#![forbid(unsafe_code)]

use alloc::{
    borrow::{Cow, ToOwned as _},
    string::String,
};
use core::fmt;

use sha2::{Digest, Sha256};

use super::{
    nickname::trimmed,
    otp::{ExpectedToken, VerificationToken},
    timestamp::parse_rfc3339_ms,
};
use crate::{
    crypto::{
        enclave::EnclaveKeys,
        encoding::{decimal, hex},
        json::{Json, Limits},
        key::PublicKey,
    },
    error::{Error, ErrorCode, Result, characters, filled},
};

mod table;

pub use table::{Field, Row, Rule};

/// What the caller asked for. Texts are as they were sent.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "an intent is made for one payload"
)]
pub enum Intent {
    /// A passkey becomes a credential.
    AddPasskey {
        /// Base64url.
        credential_id: String,
        /// Base64url.
        client_data_json: String,
        /// Base64url.
        attestation_object: String,
        /// The platform's challenge, base64url.
        challenge: String,
        /// The credential's name, where it is known.
        nickname: Option<String>,
    },
    /// An account at an identity provider becomes a credential.
    AddOauth {
        /// The provider's ID token.
        oidc_token: String,
    },
    /// An e-mail address becomes the customer's, or a credential.
    SetEmail {
        /// The address.
        email: String,
    },
    /// A number becomes the customer's, or a credential.
    SetPhone {
        /// E.164.
        phone_number: String,
    },
    /// One passkey is a credential no longer. Which one cannot be seen: its id is Turnkey's own.
    RevokePasskey,
    /// One account at an identity provider is a credential no longer. Which one cannot be seen.
    RevokeOauth,
    /// One session ends. Which one cannot be seen.
    RevokeSession,
    /// A new session begins.
    RefreshSession {
        /// The key that it is for, hexadecimal.
        client_public_key: String,
    },
    /// The wallet's mnemonic is sealed.
    ExportWallet {
        /// The key that it is sealed to, hexadecimal.
        client_public_key: String,
        /// Turnkey's id of the wallet, where it is known.
        wallet_id: Option<String>,
    },
    /// The right one-time code was given: not an activity, but a token that an enclave signed.
    VerifyOtp {
        /// The key that was sealed with the code, and is about to become the session key.
        public_key: PublicKey,
        /// The address or number that the code was sent to, where it is known.
        contact: Option<String>,
        /// E.g. `OTP_TYPE_EMAIL`, where it is known.
        verification_type: Option<String>,
        /// The enclave key that signs such tokens.
        quorum_key: PublicKey,
    },
    /// A quote is executed. Blind: the payload shows neither amount nor payee.
    ExecuteQuote {
        /// The wallet that pays, where it is known.
        sign_with: Option<String>,
    },
    /// The wallet's privacy is set. Blind: what is signed is a hash, which a payment is too.
    UpdatePrivacy {
        /// The wallet's address, where it is known.
        sign_with: Option<String>,
    },
    /// Exactly this, for operations that Grid adds.
    Activity {
        /// The payload's `type`.
        activity_type: String,
        /// The payload's `parameters`: all of them, in whatever order.
        parameters: Json,
    },
}

impl fmt::Debug for Intent {
    /// Without its texts: a token of an identity provider may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// What a payload is held against beside the intent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// The customer's organization at Turnkey, where it is known.
    pub organization_id: Option<&'a str>,
    /// When the challenge or the quote runs out, in milliseconds since 1970, where that is known.
    pub expires_at_ms: Option<i64>,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What a payload was seen to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The customer's organization at Turnkey.
    pub organization_id: Option<String>,
    /// The payload's `type`.
    pub activity_type: Option<String>,
    /// Whose key Turnkey uses: `signWith` or `walletId`.
    pub wallet: Option<String>,
    /// Of a payload that is signed blind: its SHA-256, hexadecimal.
    pub fingerprint: Option<String>,
}

/// An intent as JavaScript states it, with what it may say beside.
#[derive(Clone, Debug)]
pub struct Stated {
    /// The intent.
    pub intent: Intent,
    /// `organizationId`
    pub organization_id: Option<String>,
    /// `expiresAt`, in milliseconds since 1970.
    pub expires_at_ms: Option<i64>,
}

impl From<Intent> for Stated {
    /// With nothing beside.
    fn from(intent: Intent) -> Self {
        Self {
            intent,
            organization_id: None,
            expires_at_ms: None,
        }
    }
}

/// Refuses a payload that asks for anything but `intent`.
///
/// Fails with `intent_refused`, whose `reason` names the check: `malformed`, `type`, `members`,
/// `timestamp`, `organization` or `parameters`. `details.activityType` is the type that was
/// refused, if it has the form of one. A token is refused as [`VerificationToken::verify`] says.
pub fn check(payload: &str, intent: &Intent, expected: &Expected<'_>) -> Result<Checked> {
    if let Intent::VerifyOtp { .. } = intent {
        return check_token(payload, intent, expected);
    }
    let json = Json::parse(payload, LIMITS).map_err(|_| malformed())?;
    let activity_type = json.text("type").ok_or_else(malformed)?;
    let row = table::ROWS
        .iter()
        .find(|row| row.kind == intent.kind() && row.activity_type == activity_type);
    let is_asked_for = match intent {
        Intent::Activity {
            activity_type: asked_for,
            ..
        } => asked_for == activity_type,
        _ => row.is_some(),
    };
    if !is_asked_for {
        return Err(other_type(activity_type));
    }
    intent
        .fields(&json, table::ENVELOPE)
        .map_err(|name| refused_member("members", name))?;
    let organization_id = json.text("organizationId").unwrap_or_default();
    check_organization(organization_id, expected)?;
    let max_age_ms = row.map_or(table::MAX_AGE_MS, |row| row.max_age_ms);
    let timestamp_ms = json.text("timestampMs").and_then(thirteen_digits);
    expected.check_time(timestamp_ms.ok_or_else(untimely)?, max_age_ms)?;
    let parameters = json.get("parameters").unwrap_or(&Json::Null);
    match (intent, row) {
        (
            Intent::Activity {
                parameters: asked_for,
                ..
            },
            _,
        ) => same(parameters, asked_for).then_some(()).ok_or(""),
        (_, Some(row)) => intent.fields(parameters, row.parameters),
        (_, None) => Err(""),
    }
    .map_err(|name| refused_member("parameters", name))?;
    let wallet = parameters
        .text("signWith")
        .or_else(|| parameters.text("walletId"));
    let is_blind = row.is_some_and(|row| row.blind);
    Ok(Checked {
        organization_id: Some(organization_id.to_owned()),
        activity_type: Some(activity_type.to_owned()),
        wallet: wallet.map(str::to_owned),
        fingerprint: is_blind.then(|| hex::encode(&Sha256::digest(payload))),
    })
}

/// What each kind of intent that is an activity allows a payload to be.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    table::ROWS.iter()
}

impl Intent {
    /// The kinds as JavaScript names them, each with its own members; those with `?` may be
    /// missing. Every kind may have `organizationId` and `expiresAt` beside them.
    pub const KINDS: &'static [(&'static str, &'static [&'static str])] = &[
        (
            "addPasskey",
            &[
                "credentialId",
                "clientDataJson",
                "attestationObject",
                "challenge",
                "nickname?",
            ],
        ),
        ("addOauth", &["oidcToken"]),
        ("setEmail", &["email"]),
        ("setPhone", &["phoneNumber"]),
        ("revokePasskey", &[]),
        ("revokeOauth", &[]),
        ("revokeSession", &[]),
        ("refreshSession", &["clientPublicKey"]),
        ("exportWallet", &["clientPublicKey", "walletId?"]),
        (
            "verifyOtp",
            &["publicKeyHex", "contact?", "quorumPublicKey?"],
        ),
        ("executeQuote", &["signWith?", BLIND]),
        ("updatePrivacy", &["signWith?", BLIND]),
        ("activity", &["activityType", PARAMETERS]),
    ];

    /// The kind as JavaScript names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddPasskey { .. } => "addPasskey",
            Self::AddOauth { .. } => "addOauth",
            Self::SetEmail { .. } => "setEmail",
            Self::SetPhone { .. } => "setPhone",
            Self::RevokePasskey => "revokePasskey",
            Self::RevokeOauth => "revokeOauth",
            Self::RevokeSession => "revokeSession",
            Self::RefreshSession { .. } => "refreshSession",
            Self::ExportWallet { .. } => "exportWallet",
            Self::VerifyOtp { .. } => "verifyOtp",
            Self::ExecuteQuote { .. } => "executeQuote",
            Self::UpdatePrivacy { .. } => "updatePrivacy",
            Self::Activity { .. } => "activity",
        }
    }

    /// From the object that JavaScript states an intent with: `{ kind, …, organizationId?,
    /// expiresAt? }`, its members as in [`Intent::KINDS`].
    ///
    /// Fails with `invalid_argument` where a member is unknown, missing or of another type; where
    /// `expiresAt` is no time of RFC 3339; and where what is signed blind is not allowed
    /// explicitly, by `allowBlindSigning: true`.
    pub fn from_json(json: &Json) -> Result<Stated> {
        let kind = json.text("kind").unwrap_or_default();
        let (kind, members) = Self::KINDS
            .iter()
            .find(|(name, _)| *name == kind)
            .ok_or_else(|| wrong_member("kind"))?;
        for (name, _) in json.as_object().unwrap_or_default() {
            let is_known = ["kind", "organizationId", "expiresAt"].contains(&name.as_str())
                || members.iter().any(|member| bare(member) == name);
            if !is_known {
                // A name like those of the documents is a slip of the pen, anything else is input.
                return Err(wrong_member(if is_word(name) { name } else { "?" }));
            }
        }
        let organization_id = stated_text(json, "organizationId?")?.map(str::to_owned);
        let expires_at_ms = match stated_text(json, "expiresAt?")? {
            Some(text) => Some(parse_rfc3339_ms(text).map_err(|_| wrong_member("expiresAt"))?),
            None => None,
        };
        for member in *members {
            match (*member, json.get(member)) {
                (BLIND, Some(Json::Bool(true))) | (PARAMETERS, Some(_)) => {}
                (BLIND | PARAMETERS, _) => return Err(wrong_member(member)),
                _ => {
                    stated_text(json, member)?;
                }
            }
        }
        // What must be there is: the loop has seen to it.
        let required = |name| owned(json, name).unwrap_or_default();
        let intent = match *kind {
            "addPasskey" => Self::AddPasskey {
                credential_id: required("credentialId"),
                client_data_json: required("clientDataJson"),
                attestation_object: required("attestationObject"),
                challenge: required("challenge"),
                nickname: owned(json, "nickname"),
            },
            "addOauth" => Self::AddOauth {
                oidc_token: required("oidcToken"),
            },
            "setEmail" => Self::SetEmail {
                email: required("email"),
            },
            "setPhone" => Self::SetPhone {
                phone_number: required("phoneNumber"),
            },
            "revokePasskey" => Self::RevokePasskey,
            "revokeOauth" => Self::RevokeOauth,
            "revokeSession" => Self::RevokeSession,
            "refreshSession" => Self::RefreshSession {
                client_public_key: required("clientPublicKey"),
            },
            "exportWallet" => Self::ExportWallet {
                client_public_key: required("clientPublicKey"),
                wallet_id: owned(json, "walletId"),
            },
            "verifyOtp" => Self::VerifyOtp {
                public_key: stated_key(json, "publicKeyHex")?,
                contact: owned(json, "contact"),
                verification_type: None,
                quorum_key: match json.get("quorumPublicKey") {
                    Some(_) => stated_key(json, "quorumPublicKey")?,
                    None => EnclaveKeys::production()?.otp,
                },
            },
            "executeQuote" => Self::ExecuteQuote {
                sign_with: owned(json, "signWith"),
            },
            "updatePrivacy" => Self::UpdatePrivacy {
                sign_with: owned(json, "signWith"),
            },
            "activity" => Self::Activity {
                activity_type: required("activityType"),
                parameters: json.get(PARAMETERS).cloned().unwrap_or(Json::Null),
            },
            _ => return Err(wrong_member("kind")),
        };
        Ok(Stated {
            intent,
            organization_id,
            expires_at_ms,
        })
    }

    /// What a payload is held against, by the name that it has in [`Intent::KINDS`].
    fn text(&self, name: &str) -> Option<&str> {
        let (_, members) = Self::KINDS.iter().find(|(kind, _)| *kind == self.kind())?;
        let at = members.iter().position(|member| bare(member) == name)?;
        let text = self.texts().get(at).copied().flatten()?;
        // As Grid keeps it.
        Some(if name == "nickname" {
            trimmed(text)
        } else {
            text
        })
    }

    /// In the order of [`Intent::KINDS`].
    fn texts(&self) -> [Option<&String>; MAX_TEXTS] {
        match self {
            Self::AddPasskey {
                credential_id,
                client_data_json,
                attestation_object,
                challenge,
                nickname,
            } => [
                Some(credential_id),
                Some(client_data_json),
                Some(attestation_object),
                Some(challenge),
                nickname.as_ref(),
            ],
            Self::AddOauth { oidc_token: text }
            | Self::SetEmail { email: text }
            | Self::SetPhone { phone_number: text }
            | Self::RefreshSession {
                client_public_key: text,
            } => [Some(text), None, None, None, None],
            Self::ExportWallet {
                client_public_key,
                wallet_id,
            } => [
                Some(client_public_key),
                wallet_id.as_ref(),
                None,
                None,
                None,
            ],
            Self::ExecuteQuote { sign_with } | Self::UpdatePrivacy { sign_with } => {
                [sign_with.as_ref(), None, None, None, None]
            }
            Self::RevokePasskey
            | Self::RevokeOauth
            | Self::RevokeSession
            | Self::VerifyOtp { .. }
            | Self::Activity { .. } => [None; MAX_TEXTS],
        }
    }

    /// An object with the members of `fields` and nothing else. Fails with the name of the member
    /// that is not as it should be, or with an empty one.
    fn fields(
        &self,
        json: &Json,
        fields: &'static [Field],
    ) -> core::result::Result<(), &'static str> {
        for (name, _) in json.as_object().ok_or("")? {
            if !fields.iter().any(|field| field.name == name) {
                return Err("");
            }
        }
        for field in fields {
            let is_right = match json.get(field.name) {
                Some(value) => self.value(value, &field.rule)?,
                None => field.rule.is_optional(),
            };
            if !is_right {
                return Err(field.name);
            }
        }
        Ok(())
    }

    fn value(&self, value: &Json, rule: &'static Rule) -> core::result::Result<bool, &'static str> {
        let text = value.as_str().filter(|text| is_text(text));
        let only = match value.as_array() {
            Some([only]) => Some(only),
            _ => None,
        };
        Ok(match *rule {
            Rule::Any => true,
            Rule::Text => text.is_some(),
            Rule::ShortText(max_chars) => text.is_some_and(|text| characters(text) <= max_chars),
            Rule::OneOf(texts) => text.is_some_and(|text| texts.contains(&text)),
            Rule::Equal(name) => text.is_some() && text == self.text(name),
            Rule::EqualHex(name) => text
                .zip(self.text(name))
                .is_some_and(|(text, asked_for)| text.eq_ignore_ascii_case(asked_for)),
            Rule::EqualIfGiven(name) => {
                text.is_some() && (self.text(name).is_none() || text == self.text(name))
            }
            Rule::Object(fields) => self.fields(value, fields).map(|()| true)?,
            Rule::OnlyObject(fields) => match only {
                Some(only) => self.fields(only, fields).map(|()| true)?,
                None => false,
            },
            Rule::OnlyText => only.and_then(Json::as_str).is_some_and(is_text),
            Rule::OptionalFlag => value.as_bool().is_some(),
            Rule::OptionalUpTo(most) => {
                let digits = text.filter(|text| text.as_bytes().first() != Some(&b'0'));
                let number = value.as_u64().or_else(|| digits.and_then(decimal::decode));
                number.is_some_and(|number| (1..=most).contains(&number))
            }
            Rule::OptionalTexts => value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| item.as_str().is_some_and(is_text))),
        })
    }
}

impl Expected<'_> {
    /// Refuses a payload that is too old, or of a time to come: whoever answers also chooses
    /// `expiresAt`, so it can only narrow what this device's time allows.
    fn check_time(&self, timestamp_ms: i64, max_age_ms: i64) -> Result<()> {
        let now_ms = self.now_ms;
        let is_ahead = timestamp_ms > now_ms.saturating_add(MAX_FUTURE_MS);
        let max_age_ms = match self.expires_at_ms {
            Some(_) => max_age_ms,
            None => table::MAX_AGE_MS,
        };
        let has_run_out = self.expires_at_ms.is_some_and(|end_ms| end_ms <= now_ms);
        if has_run_out {
            return Err(Error::new(
                ErrorCode::ChallengeExpired,
                "what the payload belongs to has run out: start again; nothing was signed",
            ));
        }
        if timestamp_ms < now_ms.saturating_sub(max_age_ms) {
            return Err(untimely());
        }
        match self.expires_at_ms {
            None if is_ahead => Err(untimely()),
            None => Ok(()),
            Some(expires_at_ms) if timestamp_ms > expires_at_ms => Err(untimely()),
            // The payload and its challenge agree about the time, and this device does not.
            Some(_) if is_ahead => Err(Error::new(
                ErrorCode::ClockWrong,
                "the payload to sign is of a later time than this device's: correct the device's \
                 date and time; nothing was signed",
            )),
            Some(_) => Ok(()),
        }
    }
}

fn untimely() -> Error {
    refused(
        "timestamp",
        "The payload to sign was not made at the time of its challenge. Nothing was signed. The \
         other cause is a device whose clock is wrong.",
    )
}

const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 16,
};
/// How far a payload's time may lie ahead of this device's.
const MAX_FUTURE_MS: i64 = 10 * 60 * 1000;
const MAX_TEXTS: usize = 5;
const MAX_ACTIVITY_TYPE_CHARS: usize = 100;
const BLIND: &str = "allowBlindSigning";
const PARAMETERS: &str = "parameters";

fn check_token(token: &str, intent: &Intent, expected: &Expected<'_>) -> Result<Checked> {
    let Intent::VerifyOtp {
        public_key,
        contact,
        verification_type,
        quorum_key,
    } = intent
    else {
        return Err(malformed());
    };
    let verified = VerificationToken::verify(
        token,
        &ExpectedToken {
            otp_key: quorum_key,
            public_key,
            contact: contact.as_deref(),
            verification_type: verification_type.as_deref(),
            now_ms: expected.now_ms,
        },
    )?;
    check_organization(&verified.organization_id, expected)?;
    Ok(Checked {
        organization_id: Some(verified.organization_id),
        ..Checked::default()
    })
}

fn check_organization(id: &str, expected: &Expected<'_>) -> Result<()> {
    if is_text(id) && expected.organization_id.is_none_or(|known| known == id) {
        Ok(())
    } else {
        Err(refused(
            "organization",
            "The payload to sign names no organization, or another than this wallet's. Nothing was \
             signed.",
        ))
    }
}

fn malformed() -> Error {
    refused(
        "malformed",
        "The payload to sign is not one well-formed JSON object with a `type`. Nothing was signed.",
    )
}

fn other_type(activity_type: &str) -> Error {
    let error = refused(
        "type",
        "The payload to sign is of another activity type than was asked for. Nothing was signed.",
    );
    let is_type = activity_type.bytes().all(|byte| !byte.is_ascii_lowercase());
    if is_type && is_word(activity_type) {
        error.with_details(Json::object([("activityType", activity_type.into())]))
    } else {
        error
    }
}

fn refused_member(reason: &'static str, name: &str) -> Error {
    if name.is_empty() {
        return refused(
            reason,
            "The payload to sign has something that was not asked for. Nothing was signed.",
        );
    }
    refused(
        reason,
        filled(
            "In the payload to sign, `{}` is not what was asked for. Nothing was signed.",
            &[name],
        ),
    )
}

fn refused(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::IntentRefused, message).with_reason(reason)
}

fn wrong_member(name: &str) -> Error {
    Error::invalid_argument(filled(
        "`intent.{}` is missing, is not of this kind of intent, or is not of its form.",
        &[bare(name)],
    ))
}

fn stated_text<'a>(json: &'a Json, member: &str) -> Result<Option<&'a str>> {
    match json.get(bare(member)) {
        None if member.ends_with('?') => Ok(None),
        Some(Json::String(text)) if !text.is_empty() => Ok(Some(text)),
        _ => Err(wrong_member(member)),
    }
}

fn stated_key(json: &Json, name: &str) -> Result<PublicKey> {
    PublicKey::from_hex(json.text(name).unwrap_or_default()).map_err(|_| wrong_member(name))
}

fn owned(json: &Json, name: &str) -> Option<String> {
    json.text(name).map(str::to_owned)
}

/// Without the mark of those that may be missing.
fn bare(member: &str) -> &str {
    member.strip_suffix('?').unwrap_or(member)
}

/// Whether two values are the same, in whatever order their members stand. Numbers are compared
/// as they are written.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(members)) => {
            a.len() == members.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::String(a), Json::String(b)) | (Json::Number(a), Json::Number(b)) => a == b,
        (Json::Bool(a), Json::Bool(b)) => a == b,
        (Json::Null, Json::Null) => true,
        _ => false,
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control())
}

fn is_word(text: &str) -> bool {
    (1..=MAX_ACTIVITY_TYPE_CHARS).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn thirteen_digits(text: &str) -> Option<i64> {
    if text.len() != 13 {
        return None;
    }
    i64::try_from(decimal::decode(text)?).ok()
}
