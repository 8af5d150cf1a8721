//! What the flows need of Grid's answers, and the forms of those answers.
//!
//! Names and meanings are those of the API document (lightsparkdev/grid-api openapi.yaml
//! @cf2510e).

use alloc::{borrow::ToOwned as _, string::String, vec, vec::Vec};
use core::fmt;

use super::{
    request::texts,
    shape::{LONG_TEXT_BYTES, Member, Shape, check_answer, optional, required},
    validate::IdKind,
};
use crate::{crypto::json::Json, error::Result, formats::timestamp::parse_rfc3339_ms};

/// The kind of a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthMethodType {
    /// A one-time code by e-mail.
    EmailOtp,
    /// An OpenID Connect token.
    Oauth,
    /// A WebAuthn passkey.
    Passkey,
    /// A one-time code by SMS.
    SmsOtp,
}

impl AuthMethodType {
    /// As Grid writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmailOtp => "EMAIL_OTP",
            Self::Oauth => "OAUTH",
            Self::Passkey => "PASSKEY",
            Self::SmsOtp => "SMS_OTP",
        }
    }

    /// From what Grid writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::EmailOtp, Self::Oauth, Self::Passkey, Self::SmsOtp]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// From the member `type`.
    pub(super) fn of(json: &Json) -> Option<Self> {
        Self::parse(json.text("type")?)
    }

    /// Whether a one-time code proves it.
    pub fn is_one_time_code(self) -> bool {
        matches!(self, Self::EmailOtp | Self::SmsOtp)
    }
}

/// A way to sign in to an account.
#[derive(Clone, PartialEq)]
pub struct AuthMethod {
    /// `AuthMethod:<uuid>`
    pub id: String,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// Its kind.
    pub kind: AuthMethodType,
    /// WebAuthn's credential id, base64url; passkeys only.
    pub credential_id: Option<String>,
    /// The e-mail address, the phone number or the passkey's name.
    pub nickname: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// What the next one-time code is sealed to; only on answers that sent one.
    pub otp_encryption_target_bundle: Option<String>,
}

impl fmt::Debug for AuthMethod {
    /// Without the bundle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthMethod")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A session, as it is issued or listed.
#[derive(Clone, PartialEq)]
pub struct AuthSession {
    /// `Session:<uuid>`
    pub id: String,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// The kind of the credential that it was opened with.
    pub kind: AuthMethodType,
    /// WebAuthn's credential id, base64url; passkeys only.
    pub credential_id: Option<String>,
    /// The credential's nickname.
    pub nickname: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// `created_at` in milliseconds since 1970.
    pub created_at_ms: i64,
    /// `expires_at` in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The session's key, sealed; only when it was issued after an uncompressed key was sent.
    pub encrypted_session_signing_key: Option<String>,
}

impl fmt::Debug for AuthSession {
    /// Without the sealed key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSession")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .field("kind", &self.kind)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A 202: what to stamp, and how to come back.
#[derive(Clone, PartialEq)]
pub struct SignedRequestChallenge {
    /// What is stamped, byte for byte.
    pub payload_to_sign: String,
    /// `Request:<uuid>`, sent back as `Request-Id`; good for one use.
    pub request_id: String,
    /// RFC 3339.
    pub expires_at: String,
    /// `expires_at` in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The kind of the credential concerned; missing on a refresh.
    pub kind: Option<AuthMethodType>,
}

impl fmt::Debug for SignedRequestChallenge {
    /// Without the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequestChallenge")
            .field("request_id", &self.request_id)
            .field("expires_at", &self.expires_at)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a passkey is asked to sign.
#[derive(Clone, Debug, PartialEq)]
pub struct PasskeyAuthChallenge {
    /// The credential that is challenged.
    pub auth_method: AuthMethod,
    /// WebAuthn's credential id, base64url.
    pub credential_id: String,
    /// 64 hexadecimal digits, whose ASCII bytes are WebAuthn's challenge.
    pub challenge: String,
    /// `Request:<uuid>`, sent back as `Request-Id`; good for one use.
    pub request_id: String,
    /// RFC 3339.
    pub expires_at: String,
    /// `expires_at` in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// What the platform gives for the making of a passkey.
#[derive(Clone, Debug, PartialEq)]
pub struct PasskeyRegistrationOptions {
    /// base64url; single use.
    pub challenge: String,
    /// RFC 3339.
    pub expires_at: String,
    /// `expires_at` in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The relying party's domain; missing: the page's own.
    pub rp_id: Option<String>,
    /// The relying party's name, for people.
    pub rp_name: Option<String>,
    /// Opaque, stable and base64url.
    pub user_id: String,
    /// The account's name, for people: usually an e-mail address.
    pub user_name: String,
    /// The person's name.
    pub user_display_name: String,
    /// Credential ids, base64url, that this account already has.
    pub exclude_credentials: Vec<String>,
}

const ID_TEXT_BYTES: usize = 4096;
const KINDS: &[&str] = &["EMAIL_OTP", "OAUTH", "PASSKEY", "SMS_OTP"];

const METHOD_MEMBERS: &[Member] = &[
    required("id", Shape::Id(IdKind::AuthMethod)),
    required("accountId", Shape::Id(IdKind::InternalAccount)),
    required("type", Shape::OneOf(KINDS)),
    required("nickname", Shape::AnyText),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
    optional("credentialId", Shape::Text(ID_TEXT_BYTES)),
    optional("otpEncryptionTargetBundle", Shape::Text(BUNDLE_TEXT_BYTES)),
];
/// Longer than any bundle may be, so that one that is too long is told as such.
const BUNDLE_TEXT_BYTES: usize = 1024 * 1024;

/// `AuthMethod` and `AuthMethodResponse`.
pub const AUTH_METHOD: Shape = Shape::Object(METHOD_MEMBERS);

/// As [`AUTH_METHOD`], in a list: of a kind, perhaps, that a newer Grid has, for which the others
/// must not be missed.
pub const LISTED_METHOD: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::AuthMethod)),
    required("accountId", Shape::Id(IdKind::InternalAccount)),
    required("type", Shape::Text(ID_TEXT_BYTES)),
    required("nickname", Shape::AnyText),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
    optional("credentialId", Shape::Text(ID_TEXT_BYTES)),
]);

/// As [`AUTH_SESSION`], in a list.
pub const LISTED_SESSION: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::Session)),
    required("accountId", Shape::Id(IdKind::InternalAccount)),
    required("type", Shape::Text(ID_TEXT_BYTES)),
    required("nickname", Shape::AnyText),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
    required("expiresAt", Shape::Time),
    optional("credentialId", Shape::Text(ID_TEXT_BYTES)),
]);

/// `AuthSession`.
pub const AUTH_SESSION: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::Session)),
    required("accountId", Shape::Id(IdKind::InternalAccount)),
    required("type", Shape::OneOf(KINDS)),
    required("nickname", Shape::AnyText),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
    required("expiresAt", Shape::Time),
    optional("credentialId", Shape::Text(ID_TEXT_BYTES)),
    optional("encryptedSessionSigningKey", Shape::Text(BUNDLE_TEXT_BYTES)),
]);

/// `SignedRequestChallenge` and `AuthSignedRequestChallenge`.
pub const SIGNED_REQUEST_CHALLENGE: Shape = Shape::Object(&[
    required("payloadToSign", Shape::Text(BUNDLE_TEXT_BYTES)),
    required("requestId", Shape::Header),
    required("expiresAt", Shape::Time),
    optional("type", Shape::Text(ID_TEXT_BYTES)),
]);

/// The answer to `challengeAuthCredential`. An `OAUTH` credential is not challenged.
pub const CHALLENGED_CREDENTIAL: Shape = Shape::Tagged(&(
    "type",
    &[
        ("EMAIL_OTP", METHOD_MEMBERS),
        ("SMS_OTP", METHOD_MEMBERS),
        (
            "PASSKEY",
            &[
                required("id", Shape::Id(IdKind::AuthMethod)),
                required("accountId", Shape::Id(IdKind::InternalAccount)),
                required("nickname", Shape::AnyText),
                required("createdAt", Shape::Time),
                required("updatedAt", Shape::Time),
                required("credentialId", Shape::Base64Url(ID_TEXT_BYTES)),
                required("challenge", Shape::Text(ID_TEXT_BYTES)),
                required("requestId", Shape::Header),
                required("expiresAt", Shape::Time),
            ],
        ),
    ],
));

/// `AgentDeviceCode`.
pub const AGENT_DEVICE_CODE: Shape = Shape::Object(&[
    required("code", Shape::Text(ID_TEXT_BYTES)),
    required("agentId", Shape::Text(ID_TEXT_BYTES)),
    required("expiresAt", Shape::Time),
    required("redeemed", Shape::Flag),
]);

/// What the relay gives for the making of a passkey.
pub const REGISTRATION_OPTIONS: Shape = Shape::Object(&[
    required("challenge", Shape::Base64Url(ID_TEXT_BYTES)),
    required("expiresAt", Shape::Time),
    optional(
        "rp",
        Shape::Object(&[
            optional("id", Shape::Text(ID_TEXT_BYTES)),
            optional("name", Shape::Text(ID_TEXT_BYTES)),
        ]),
    ),
    required(
        "user",
        Shape::Object(&[
            required("id", Shape::Base64Url(ID_TEXT_BYTES)),
            required("name", Shape::Text(ID_TEXT_BYTES)),
            optional("displayName", Shape::Text(ID_TEXT_BYTES)),
        ]),
    ),
    optional(
        "excludeCredentials",
        Shape::List(&Shape::Object(&[required(
            "id",
            Shape::Base64Url(ID_TEXT_BYTES),
        )])),
    ),
]);

/// A passkey's answer to a challenge.
pub const PASSKEY_ASSERTION: Shape = Shape::Object(&[
    required("credentialId", Shape::Base64Url(LONG_TEXT_BYTES)),
    required("clientDataJson", Shape::Base64Url(LONG_TEXT_BYTES)),
    required("authenticatorData", Shape::Base64Url(LONG_TEXT_BYTES)),
    required("signature", Shape::Base64Url(LONG_TEXT_BYTES)),
    optional("userHandle", Shape::Base64Url(LONG_TEXT_BYTES)),
]);

/// A new passkey.
pub const PASSKEY_ATTESTATION: Shape = Shape::Object(&[
    required("credentialId", Shape::Base64Url(LONG_TEXT_BYTES)),
    required("clientDataJson", Shape::Base64Url(LONG_TEXT_BYTES)),
    required("attestationObject", Shape::Base64Url(LONG_TEXT_BYTES)),
    optional(
        "transports",
        Shape::List(&Shape::OneOf(&["usb", "nfc", "ble", "internal", "hybrid"])),
    ),
]);

impl AuthMethod {
    /// Whether it is a credential of a kind that [`AuthMethodType`] has.
    pub fn is_of_known_kind(json: &Json) -> bool {
        AuthMethodType::of(json).is_some()
    }

    /// Reads what is of the form [`AUTH_METHOD`], or the credential's part of a challenge.
    pub fn read(json: &Json) -> Self {
        Self {
            id: text(json, "id"),
            account_id: text(json, "accountId"),
            kind: kind(json),
            credential_id: optional_text(json, "credentialId"),
            nickname: text(json, "nickname"),
            created_at: text(json, "createdAt"),
            updated_at: text(json, "updatedAt"),
            otp_encryption_target_bundle: optional_text(json, "otpEncryptionTargetBundle"),
        }
    }

    /// The API's form, without the bundle of a code under way.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("id", self.id.as_str()),
            ("accountId", &self.account_id),
            ("type", self.kind.as_str()),
            ("nickname", &self.nickname),
            ("createdAt", &self.created_at),
            ("updatedAt", &self.updated_at),
        ];
        if let Some(credential_id) = &self.credential_id {
            members.push(("credentialId", credential_id));
        }
        texts(&members)
    }
}

impl AuthSession {
    /// Reads what is of the form [`AUTH_SESSION`].
    pub fn read(json: &Json) -> Self {
        Self {
            id: text(json, "id"),
            account_id: text(json, "accountId"),
            kind: kind(json),
            credential_id: optional_text(json, "credentialId"),
            nickname: text(json, "nickname"),
            created_at: text(json, "createdAt"),
            updated_at: text(json, "updatedAt"),
            expires_at: text(json, "expiresAt"),
            created_at_ms: time(json, "createdAt"),
            expires_at_ms: time(json, "expiresAt"),
            encrypted_session_signing_key: optional_text(json, "encryptedSessionSigningKey"),
        }
    }

    /// Reads a session that was not read before. Fails with `relay_protocol`.
    pub fn from_json(json: &Json) -> Result<Self> {
        check_answer(&AUTH_SESSION, json)?;
        Ok(Self::read(json))
    }
}

impl SignedRequestChallenge {
    /// Reads what is of the form [`SIGNED_REQUEST_CHALLENGE`].
    pub fn read(json: &Json) -> Self {
        Self {
            payload_to_sign: text(json, "payloadToSign"),
            request_id: text(json, "requestId"),
            expires_at: text(json, "expiresAt"),
            expires_at_ms: time(json, "expiresAt"),
            kind: AuthMethodType::of(json),
        }
    }
}

impl PasskeyAuthChallenge {
    /// Reads what is of the form [`CHALLENGED_CREDENTIAL`], of a passkey.
    pub fn read(json: &Json) -> Self {
        Self {
            auth_method: AuthMethod::read(json),
            credential_id: text(json, "credentialId"),
            challenge: text(json, "challenge"),
            request_id: text(json, "requestId"),
            expires_at: text(json, "expiresAt"),
            expires_at_ms: time(json, "expiresAt"),
        }
    }
}

impl PasskeyRegistrationOptions {
    /// Reads what is of the form [`REGISTRATION_OPTIONS`].
    pub fn read(json: &Json) -> Self {
        let rp = json.get("rp").unwrap_or(&Json::Null);
        let user = json.get("user").unwrap_or(&Json::Null);
        let user_name = text(user, "name");
        let exclude = json.get("excludeCredentials").and_then(Json::as_array);
        Self {
            challenge: text(json, "challenge"),
            expires_at: text(json, "expiresAt"),
            expires_at_ms: time(json, "expiresAt"),
            rp_id: optional_text(rp, "id"),
            rp_name: optional_text(rp, "name"),
            user_id: text(user, "id"),
            user_display_name: optional_text(user, "displayName")
                .unwrap_or_else(|| user_name.clone()),
            user_name,
            exclude_credentials: exclude
                .unwrap_or_default()
                .iter()
                .map(|descriptor| text(descriptor, "id"))
                .collect(),
        }
    }
}

/// A text that is known to be there.
fn text(json: &Json, name: &str) -> String {
    optional_text(json, name).unwrap_or_default()
}

fn optional_text(json: &Json, name: &str) -> Option<String> {
    json.text(name).map(str::to_owned)
}

/// A time that is known to be one.
fn time(json: &Json, name: &str) -> i64 {
    parse_rfc3339_ms(json.text(name).unwrap_or_default()).unwrap_or_default()
}

/// A kind that is known to be one.
fn kind(json: &Json) -> AuthMethodType {
    AuthMethodType::of(json).unwrap_or(AuthMethodType::Passkey)
}
