//! Refusals, in Grid's error shape: `{status, code, message, details}`.

use serde::Serialize;
use serde_json::json;

use crate::http::Answer;

/// Result of an operation or a check.
pub(crate) type Result<T> = std::result::Result<T, GridError>;

/// A refusal. Its answer's `details` is `{"reason": <Reason>}`.
#[derive(Clone, Debug)]
pub(crate) struct GridError {
    pub(crate) code: Code,
    pub(crate) reason: Reason,
    pub(crate) message: &'static str,
    pub(crate) retry_after_seconds: Option<u64>,
}

impl GridError {
    pub(crate) fn new(code: Code, reason: Reason, message: &'static str) -> Self {
        Self {
            code,
            reason,
            message,
            retry_after_seconds: None,
        }
    }

    pub(crate) fn invalid_input(reason: Reason, message: &'static str) -> Self {
        Self::new(Code::InvalidInput, reason, message)
    }

    pub(crate) fn unauthorized(reason: Reason, message: &'static str) -> Self {
        Self::new(Code::Unauthorized, reason, message)
    }

    /// Grid has no code of its own for credentials, sessions and agents that do not exist.
    pub(crate) fn not_found(reason: Reason, message: &'static str) -> Self {
        Self::new(Code::ReferenceNotFound, reason, message)
    }

    pub(crate) fn to_answer(&self) -> Answer {
        let status = self.code.status();
        Answer {
            status,
            body: Some(json!({
                "status": status,
                "code": self.code,
                "message": self.message,
                "details": { "reason": self.reason },
            })),
            retry_after_seconds: self.retry_after_seconds,
        }
    }
}

/// The API's error codes that the sandbox uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Code {
    InvalidInput,
    EmailOtpCredentialAlreadyExists,
    SmsOtpCredentialAlreadyExists,
    PasskeyCredentialAlreadyExists,
    AmountOutOfRange,
    InvalidUmaAddress,
    InvalidCurrency,
    Unauthorized,
    WalletSignatureMissing,
    WalletSignatureMalformed,
    WalletSignatureBodyMismatch,
    WalletSignatureInvalid,
    RequestIdMissing,
    ReferenceNotFound,
    QuoteNotFound,
    Conflict,
    EmailOtpEmailAlreadyExists,
    EmailOtpCredentialSetChanged,
    AccountLocked,
    RateLimited,
    InternalError,
}

impl Code {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::InvalidInput
            | Self::EmailOtpCredentialAlreadyExists
            | Self::SmsOtpCredentialAlreadyExists
            | Self::PasskeyCredentialAlreadyExists
            | Self::AmountOutOfRange
            | Self::InvalidUmaAddress
            | Self::InvalidCurrency => 400,
            Self::Unauthorized
            | Self::WalletSignatureMissing
            | Self::WalletSignatureMalformed
            | Self::WalletSignatureBodyMismatch
            | Self::WalletSignatureInvalid
            | Self::RequestIdMissing => 401,
            Self::ReferenceNotFound | Self::QuoteNotFound => 404,
            Self::Conflict
            | Self::EmailOtpEmailAlreadyExists
            | Self::EmailOtpCredentialSetChanged => 409,
            Self::AccountLocked => 423,
            Self::RateLimited => 429,
            Self::InternalError => 500,
        }
    }
}

/// The finer word in `details.reason` of every error body, written in SCREAMING_SNAKE_CASE
/// (`OTP_CODE_WRONG`). The sandbox's own: the API documents `details` as free.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    // ── 400 ─────────────────────────────────────────────────────────────────────────────────
    /// The body is not JSON, or lacks a field, or has one of the wrong type.
    BodyMalformed,
    /// `accountId` of a listing is missing or not `InternalAccount:<uuid>`.
    AccountIdMalformed,
    /// `type`, `limit` or `cursor` of a listing is not one, or what it needs is missing.
    ListingParameterInvalid,
    /// An update with nothing in it, or with an e-mail address and a phone number at once.
    UpdateUnsuitable,
    /// What is to be quoted is not offered: `message` says why.
    QuoteUnsuitable,
    /// The account has less than what is sent.
    BalanceInsufficient,
    /// The customer is not enrolled for the factor, or the proof is of another one.
    ScaFactorUnsuitable,
    /// The wrong code.
    ScaCodeWrong,
    /// The challenge expired.
    ScaExpired,
    /// The delegated key is pending or revoked.
    DelegatedKeyNotActive,
    /// The e-mail address or phone number is none.
    ContactMalformed,
    /// The type is not the credential's own.
    CredentialTypeUnsuitable,
    /// `clientPublicKey` is no P-256 point in a SEC1 encoding of 66 or 130 hex characters.
    ClientPublicKeyInvalid,
    /// An OAUTH credential was asked for a challenge; it has none.
    OauthHasNoChallenge,
    /// The account has an EMAIL_OTP credential.
    EmailOtpCredentialExists,
    /// The account has an SMS_OTP credential.
    SmsOtpCredentialExists,
    /// The account's only credential cannot be revoked.
    LastCredential,
    /// The nickname is empty, too long, or has a character that is not allowed.
    NicknameInvalid,
    /// The account has a passkey with this credentialId.
    PasskeyCredentialExists,
    /// The attestation cannot be read, or is not the one of this registration.
    AttestationInvalid,
    /// The registration challenge was used before.
    RegistrationChallengeUsed,
    /// `encryptedOtpBundle` or what is sealed in it has the wrong shape.
    OtpBundleMalformed,
    /// `oidcToken` is no JWT, or lacks a claim, or has one of the wrong type.
    OidcTokenMalformed,
    /// `oidcToken` comes from an issuer that is not supported.
    OidcIssuerUnsupported,
    /// The device code was redeemed before.
    DeviceCodeRedeemed,
    /// The device code expired unredeemed.
    DeviceCodeExpired,

    // ── 401 ─────────────────────────────────────────────────────────────────────────────────
    /// No Basic credentials.
    ApiCredentialsMissing,
    /// Other Basic credentials than the platform's.
    ApiCredentialsInvalid,
    /// A signed retry without `Grid-Wallet-Signature`.
    SignatureMissing,
    /// A signed retry, or a passkey verification, without `Request-Id`.
    RequestIdMissing,
    /// No such request was issued.
    RequestIdUnknown,
    /// The request was issued for another method, path or credential.
    RequestIdOfAnotherRequest,
    /// The request was answered before.
    RequestIdUsed,
    /// The request expired.
    RequestIdExpired,
    /// The body differs from the one the request was issued for.
    BodyChanged,
    /// The stamp is no base64url JSON of `publicKey`, `scheme` and `signature`.
    StampMalformed,
    /// The stamp's key is not the key of an active session of the account.
    StampKeyNotOfActiveSession,
    /// The stamp of a refresh is by another session than the refreshed one.
    StampKeyOfAnotherSession,
    /// The stamp that revokes a credential is by a session of that credential.
    StampKeyOfRevokedCredential,
    /// The stamp of an OTP verification is by another key than the one in the OTP bundle.
    StampKeyNotInOtpBundle,
    /// The stamp's signature does not verify over the pending payload.
    StampSignatureInvalid,
    /// The session expired or was revoked. (404 when it is being revoked.)
    SessionNotActive,
    /// No code was issued for the credential, or it was used.
    OtpNotIssued,
    /// The code expired.
    OtpExpired,
    /// The bundle cannot be opened by the key of the latest code.
    OtpBundleUndecryptable,
    /// The wrong code.
    OtpCodeWrong,
    /// The signature of a token of the sandbox's own provider does not verify.
    OidcSignatureInvalid,
    /// `iat` is 60 seconds old or more, or in the future.
    OidcTokenStale,
    /// `exp` has passed.
    OidcTokenExpired,
    /// `nonce` is not the SHA-256 of `clientPublicKey`.
    OidcNonceMismatch,
    /// `iss`, `aud` and `sub` are not the credential's.
    OidcIdentityMismatch,
    /// The assertion cannot be read.
    AssertionMalformed,
    /// The assertion is by another passkey.
    AssertionCredentialMismatch,
    /// The assertion is not over the issued challenge.
    AssertionChallengeMismatch,
    /// The origin in the assertion is not allowed.
    AssertionOriginNotAllowed,
    /// The assertion is for another relying party.
    AssertionRpIdMismatch,
    /// The user was not present.
    AssertionUserNotPresent,
    /// The assertion's signature does not verify.
    AssertionSignatureInvalid,
    /// The signature counter did not increase.
    AssertionCounterNotIncreased,

    // ── 404 ─────────────────────────────────────────────────────────────────────────────────
    /// No such customer.
    CustomerNotFound,
    /// No such internal account, or not that of an Embedded Wallet.
    AccountNotFound,
    /// No such credential.
    CredentialNotFound,
    /// No such quote.
    QuoteNotFound,
    /// No such card, or none of this account.
    CardNotFound,
    /// No such delegated key.
    DelegatedKeyNotFound,
    /// No such session.
    SessionNotFound,
    /// No such agent.
    AgentNotFound,
    /// No such device code.
    DeviceCodeNotFound,
    /// The device code was replaced by a newer one.
    DeviceCodeReplaced,

    // ── 409, 423, 429, 500 ──────────────────────────────────────────────────────────────────
    /// The quote was executed before.
    QuoteExecuted,
    /// The quote expired.
    QuoteExpired,
    /// The quote has no challenge to authorize.
    ScaNotPending,
    /// The card has an active delegated key.
    DelegatedKeyActive,
    /// Too many wrong codes of Strong Customer Authentication.
    ScaLocked,
    /// Another credential has the e-mail address or phone number.
    ContactTaken,
    /// The customer's credentials changed between the legs.
    CredentialSetChanged,
    /// The agent redeemed a code and is connected.
    AgentConnected,
    /// Too many requests for this credential; see `Retry-After`.
    TooManyRequests,
    /// Told to answer so.
    InjectedFault,
    /// A defect of the sandbox.
    SandboxDefect,
}
