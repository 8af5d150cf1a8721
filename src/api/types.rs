//! The shapes of Grid's answers: read from JSON strictly, written back for JavaScript.
//!
//! Names and meanings are those of the API document (lightsparkdev/grid-api openapi.yaml
//! @cf2510e). Members that it does not name are passed over, so that a newer Grid can add some.

use std::fmt;

use super::validate::{self, IdKind};
use crate::{
    crypto::{base64url, json::Json},
    error::{Error, ErrorCode, Result},
    formats::timestamp::parse_rfc3339_ms,
};

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

    fn parse(text: &str) -> Option<Self> {
        [Self::EmailOtp, Self::Oauth, Self::Passkey, Self::SmsOtp]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A way to sign in to an account.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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

/// What installs an agent's software.
#[derive(Clone, PartialEq)]
pub struct AgentDeviceCode {
    /// `GRID-AGENT-XXXX-XXXX`; whoever redeems it becomes the agent.
    pub code: String,
    /// `Agent:<uuid>`
    pub agent_id: String,
    /// RFC 3339.
    pub expires_at: String,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

impl fmt::Debug for AgentDeviceCode {
    /// Without the code, which is worth a bearer token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentDeviceCode")
            .field("agent_id", &self.agent_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
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

impl AuthMethod {
    /// Reads an `AuthMethod` or `AuthMethodResponse`.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("an AuthMethod", json);
        Ok(Self {
            id: read.id("id", IdKind::AuthMethod)?,
            account_id: read.id("accountId", IdKind::InternalAccount)?,
            kind: read.kind()?,
            credential_id: read.optional_text("credentialId")?,
            nickname: read.text("nickname")?,
            created_at: read.time("createdAt")?.0,
            updated_at: read.time("updatedAt")?.0,
            otp_encryption_target_bundle: read.optional_text("otpEncryptionTargetBundle")?,
        })
    }

    /// The shape of the API document.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            member("id", &self.id),
            member("accountId", &self.account_id),
            member("type", self.kind.as_str()),
            member("nickname", &self.nickname),
            member("createdAt", &self.created_at),
            member("updatedAt", &self.updated_at),
        ];
        push(&mut members, "credentialId", self.credential_id.as_deref());
        push(
            &mut members,
            "otpEncryptionTargetBundle",
            self.otp_encryption_target_bundle.as_deref(),
        );
        Json::Object(members)
    }
}

impl AuthSession {
    /// Reads an `AuthSession`.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("an AuthSession", json);
        let (created_at, created_at_ms) = read.time("createdAt")?;
        let (expires_at, expires_at_ms) = read.time("expiresAt")?;
        Ok(Self {
            id: read.id("id", IdKind::Session)?,
            account_id: read.id("accountId", IdKind::InternalAccount)?,
            kind: read.kind()?,
            credential_id: read.optional_text("credentialId")?,
            nickname: read.text("nickname")?,
            created_at,
            updated_at: read.time("updatedAt")?.0,
            expires_at,
            created_at_ms,
            expires_at_ms,
            encrypted_session_signing_key: read.optional_text("encryptedSessionSigningKey")?,
        })
    }

    /// The shape of the API document.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            member("id", &self.id),
            member("accountId", &self.account_id),
            member("type", self.kind.as_str()),
            member("nickname", &self.nickname),
            member("createdAt", &self.created_at),
            member("updatedAt", &self.updated_at),
            member("expiresAt", &self.expires_at),
        ];
        push(&mut members, "credentialId", self.credential_id.as_deref());
        push(
            &mut members,
            "encryptedSessionSigningKey",
            self.encrypted_session_signing_key.as_deref(),
        );
        Json::Object(members)
    }
}

impl SignedRequestChallenge {
    /// Reads a `SignedRequestChallenge` or `AuthSignedRequestChallenge`.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("a SignedRequestChallenge", json);
        let (expires_at, expires_at_ms) = read.time("expiresAt")?;
        Ok(Self {
            payload_to_sign: read.text("payloadToSign")?,
            request_id: read.request_id()?,
            expires_at,
            expires_at_ms,
            kind: match json.get("type") {
                Some(_) => Some(read.kind()?),
                None => None,
            },
        })
    }

    /// The shape of the API document.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            member("payloadToSign", &self.payload_to_sign),
            member("requestId", &self.request_id),
            member("expiresAt", &self.expires_at),
        ];
        push(&mut members, "type", self.kind.map(AuthMethodType::as_str));
        Json::Object(members)
    }
}

impl PasskeyAuthChallenge {
    /// Reads a `PasskeyAuthChallenge`.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("a PasskeyAuthChallenge", json);
        let (expires_at, expires_at_ms) = read.time("expiresAt")?;
        Ok(Self {
            auth_method: AuthMethod::from_json(json)?,
            credential_id: read.base64url("credentialId")?,
            challenge: read.text("challenge")?,
            request_id: read.request_id()?,
            expires_at,
            expires_at_ms,
        })
    }

    /// The shape of the API document.
    pub fn to_json(&self) -> Json {
        let method = &self.auth_method;
        Json::object([
            ("id", Json::from(method.id.as_str())),
            ("accountId", Json::from(method.account_id.as_str())),
            ("type", Json::from(method.kind.as_str())),
            ("nickname", Json::from(method.nickname.as_str())),
            ("createdAt", Json::from(method.created_at.as_str())),
            ("updatedAt", Json::from(method.updated_at.as_str())),
            ("credentialId", Json::from(self.credential_id.as_str())),
            ("challenge", Json::from(self.challenge.as_str())),
            ("requestId", Json::from(self.request_id.as_str())),
            ("expiresAt", Json::from(self.expires_at.as_str())),
        ])
    }
}

impl AgentDeviceCode {
    /// Reads an `AgentDeviceCode`.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("an AgentDeviceCode", json);
        Ok(Self {
            code: read.text("code")?,
            agent_id: read.text("agentId")?,
            expires_at: read.time("expiresAt")?.0,
            redeemed: read.flag("redeemed")?,
        })
    }

    /// The shape of the API document.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("code", Json::from(self.code.as_str())),
            ("agentId", Json::from(self.agent_id.as_str())),
            ("expiresAt", Json::from(self.expires_at.as_str())),
            ("redeemed", Json::from(self.redeemed)),
        ])
    }
}

impl PasskeyRegistrationOptions {
    /// Reads the relay's registration options.
    pub fn from_json(json: &Json) -> Result<Self> {
        let read = Members("the registration options", json);
        let (expires_at, expires_at_ms) = read.time("expiresAt")?;
        let user = read.member("user")?;
        let user = Members("the registration options' `user`", user);
        let rp = json
            .get("rp")
            .map(|rp| Members("the registration options' `rp`", rp));
        let optional = |name| rp.as_ref().map_or(Ok(None), |rp| rp.optional_text(name));
        let user_name = user.text("name")?;
        Ok(Self {
            challenge: read.base64url("challenge")?,
            expires_at,
            expires_at_ms,
            rp_id: optional("id")?,
            rp_name: optional("name")?,
            user_id: user.base64url("id")?,
            user_display_name: user
                .optional_text("displayName")?
                .unwrap_or_else(|| user_name.clone()),
            user_name,
            exclude_credentials: read.exclude_credentials()?,
        })
    }

    /// The shape of the relay's documentation.
    pub fn to_json(&self) -> Json {
        let mut rp = Vec::new();
        push(&mut rp, "id", self.rp_id.as_deref());
        push(&mut rp, "name", self.rp_name.as_deref());
        let exclude = self.exclude_credentials.iter().map(|id| {
            Json::object([
                ("type", Json::from("public-key")),
                ("id", Json::from(id.as_str())),
            ])
        });
        Json::object([
            ("challenge", Json::from(self.challenge.as_str())),
            ("expiresAt", Json::from(self.expires_at.as_str())),
            ("rp", Json::Object(rp)),
            (
                "user",
                Json::object([
                    ("id", Json::from(self.user_id.as_str())),
                    ("name", Json::from(self.user_name.as_str())),
                    ("displayName", Json::from(self.user_display_name.as_str())),
                ]),
            ),
            ("excludeCredentials", Json::Array(exclude.collect())),
        ])
    }
}

/// Reads `{"data": […]}`.
pub fn list<T>(json: &Json, item: impl Fn(&Json) -> Result<T>) -> Result<Vec<T>> {
    let read = Members("a list", json);
    read.member("data")?
        .as_array()
        .ok_or_else(|| read.wrong("data"))?
        .iter()
        .map(item)
        .collect()
}

/// WebAuthn's own ids and challenges are far shorter than this.
const MAX_REQUEST_ID_CHARS: usize = 256;
const MAX_BASE64URL_CHARS: usize = 4096;

/// The members of an object that the server sent, with what it is called in errors.
struct Members<'a>(&'static str, &'a Json);

impl<'a> Members<'a> {
    fn member(&self, name: &str) -> Result<&'a Json> {
        self.1.get(name).ok_or_else(|| {
            Error::new(
                ErrorCode::RelayProtocol,
                format!("the answer should be {} but has no `{name}`", self.0),
            )
        })
    }

    fn wrong(&self, name: &str) -> Error {
        Error::new(
            ErrorCode::RelayProtocol,
            format!(
                "the answer should be {} but its `{name}` is of another form",
                self.0
            ),
        )
    }

    fn text(&self, name: &str) -> Result<String> {
        let text = self
            .member(name)?
            .as_str()
            .ok_or_else(|| self.wrong(name))?;
        if text.is_empty() {
            Err(self.wrong(name))
        } else {
            Ok(text.to_owned())
        }
    }

    /// An id that goes into the next request.
    fn id(&self, name: &str, kind: IdKind) -> Result<String> {
        let id = self.text(name)?;
        validate::id(name, kind, &id).map_err(|_| self.wrong(name))?;
        Ok(id)
    }

    /// A text that comes back as a header.
    fn request_id(&self) -> Result<String> {
        let id = self.text("requestId")?;
        validate::header("requestId", MAX_REQUEST_ID_CHARS, &id)
            .map_err(|_| self.wrong("requestId"))?;
        Ok(id)
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>> {
        match self.1.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(_) => self.text(name).map(Some),
        }
    }

    fn flag(&self, name: &str) -> Result<bool> {
        self.member(name)?.as_bool().ok_or_else(|| self.wrong(name))
    }

    fn kind(&self) -> Result<AuthMethodType> {
        AuthMethodType::parse(&self.text("type")?).ok_or_else(|| self.wrong("type"))
    }

    fn time(&self, name: &str) -> Result<(String, i64)> {
        let text = self.text(name)?;
        let ms = parse_rfc3339_ms(&text).map_err(|_| self.wrong(name))?;
        Ok((text, ms))
    }

    fn base64url(&self, name: &str) -> Result<String> {
        let text = self.text(name)?;
        base64url::decode(&text, MAX_BASE64URL_CHARS).map_err(|_| self.wrong(name))?;
        Ok(text)
    }

    fn exclude_credentials(&self) -> Result<Vec<String>> {
        let name = "excludeCredentials";
        let Some(list) = self.1.get(name) else {
            return Ok(Vec::new());
        };
        list.as_array()
            .ok_or_else(|| self.wrong(name))?
            .iter()
            .map(|descriptor| Members(self.0, descriptor).base64url("id"))
            .collect()
    }
}

fn member(name: &str, text: &str) -> (String, Json) {
    (name.to_owned(), Json::from(text))
}

fn push(members: &mut Vec<(String, Json)>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        members.push(member(name, text));
    }
}
