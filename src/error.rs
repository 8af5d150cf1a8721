//! The one error of the package: a closed set of codes, each with what to do about it.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, boxed::Box, string::String};
use core::fmt;

use crate::crypto::json::Json;

/// Everything this crate does ends in this or in success.
pub type Result<T> = core::result::Result<T, Error>;

/// What went wrong, with what, and what to do.
///
/// Carries no secret and no echo of secret input: messages are written in this crate, and what
/// comes from a server ([`Error::grid_code`], [`Error::reason`], [`Error::details`]) is handed on
/// apart from them.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: ErrorCode,
    recovery: Recovery,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    status: Option<u16>,
    grid_code: Option<String>,
    reason: Option<Cow<'static, str>>,
    details: Option<Json>,
    retry_after_ms: Option<u64>,
    request_id: Option<String>,
}

impl Error {
    /// An error with the recovery that is usual for its code.
    ///
    /// `message` says what was wrong, with what, and what to do. It must not contain input.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            recovery: code.recovery(),
            message: message.into(),
            operation: None,
            status: None,
            grid_code: None,
            reason: None,
            details: None,
            retry_after_ms: None,
            request_id: None,
        }))
    }

    /// `invalid_argument`: the caller passed something that is refused before any work.
    pub fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// `relay_protocol`: the answer is not what the API says of it.
    pub fn relay_protocol(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::RelayProtocol, message)
    }

    /// What went wrong.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What to do about it.
    pub fn recovery(&self) -> Recovery {
        self.0.recovery
    }

    /// One sentence or two, in English, for developers.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The `operationId` of the request that failed.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// `code` of Grid's error body.
    pub fn grid_code(&self) -> Option<&str> {
        self.0.grid_code.as_deref()
    }

    /// A finer reason, where Grid or a check of this crate gives one.
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// `details` of Grid's error body.
    pub fn details(&self) -> Option<&Json> {
        self.0.details.as_ref()
    }

    /// How long to wait before the next attempt, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// Grid's id of the signed request that failed.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Replaces the recovery where the usual one does not fit.
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.0.recovery = recovery;
        self
    }

    /// Names the operation that failed.
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Keeps the HTTP status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Keeps the code of Grid's error body.
    pub fn with_grid_code(mut self, grid_code: impl Into<String>) -> Self {
        self.0.grid_code = Some(grid_code.into());
        self
    }

    /// Keeps a finer reason.
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// Keeps the details of Grid's error body.
    pub fn with_details(mut self, details: Json) -> Self {
        self.0.details = Some(details);
        self
    }

    /// Says how long to wait, in milliseconds.
    pub fn with_retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.0.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// Names the signed request.
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(request_id.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)?;
        if let Some(grid_code) = &self.0.grid_code {
            write!(f, " [{grid_code}]")?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

/// The texts, one after the other. `concat` and `format!` weigh more.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// The template with the parts in the places of its `{}`, in turn.
pub(crate) fn filled(template: &str, parts: &[&str]) -> String {
    let mut parts = parts.iter();
    let mut text = String::new();
    for character in template.chars() {
        match character {
            '{' => text.push_str(parts.next().unwrap_or(&"")),
            '}' => {}
            _ => text.push(character),
        }
    }
    text
}

/// What stands before the first separator, and what stands behind it where there is one. The
/// standard library's ways to look for a character are 1.2 KB of WebAssembly.
#[inline(never)]
pub(crate) fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == separator) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at.saturating_add(1)..),
        ),
        None => (text, None),
    }
}

/// How many characters a text has. What `Chars::count` does to be fast weighs more.
pub(crate) fn characters(text: &str) -> usize {
    text.bytes()
        .filter(|byte| !matches!(byte, 0x80..=0xbf))
        .count()
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $recovery:ident, $for_people:literal;)+) => {
        /// Every code an error of this crate can have.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// All of them, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as JavaScript sees it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What usually helps.
            pub fn recovery(self) -> Recovery {
                match self {
                    $(Self::$variant => Recovery::$recovery,)+
                }
            }

            /// What it means, for developers.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }

            /// What a page may show people.
            pub fn for_people(self) -> &'static str {
                match self {
                    $(Self::$variant => $for_people,)+
                }
            }
        }
    };
}

codes! {
    /// The caller's `AbortSignal` ended the call.
    Aborted = "aborted", Retry,
        "(Nothing: they asked for it.)";
    /// A bundle is not what its format says.
    BundleMalformed = "bundle_malformed", Integrator,
        "Something went wrong on our side. Nothing was signed. Try again later, or contact support.";
    /// A bundle or token is not signed by the enclave key that this package trusts.
    BundleUntrusted = "bundle_untrusted", Integrator,
        "Something between you and the bank is not what it should be. Nothing was signed. Contact support.";
    /// Grid's challenge ran out before it was answered.
    ChallengeExpired = "challenge_expired", Retry,
        "That took too long. Try again.";
    /// This device's clock differs from Grid's by more than two minutes, or what Grid has just issued
    /// has run out, or is yet to come, by it.
    ClockWrong = "clock_wrong", FixInput,
        "Your device's date or time is wrong. Set it to automatic, then try again.";
    /// The resource is in a state that forbids this, e.g. the agent is already connected.
    Conflict = "conflict", Integrator,
        "That is not possible as things are now. Look again.";
    /// The account already has this credential, or another account this address.
    CredentialAlreadyExists = "credential_already_exists", OtherMethod,
        "That way to sign in is already there.";
    /// A sealed text does not open with this key.
    DecryptFailed = "decrypt_failed", Retry,
        "Something went wrong on the way. Try again.";
    /// The relay, or Grid, does not allow this to this user.
    Forbidden = "forbidden", Integrator,
        "You may not do this here. Contact support.";
    /// Grid refused, for a reason that has no code of its own here: see `gridCode`.
    GridError = "grid_error", Integrator,
        "The server did not accept this. Try again later, or contact support.";
    /// The WebAssembly instance stopped; a fresh one has taken its place.
    InstanceLost = "instance_lost", Retry,
        "Something went wrong on this page. Sign in again.";
    /// What was to be signed is not what was asked for. Nothing was signed.
    IntentRefused = "intent_refused", Integrator,
        "This page was asked to sign something else than you wanted, and did not. Contact support.";
    /// An argument is not of the form that the documentation gives.
    InvalidArgument = "invalid_argument", Integrator,
        "Something went wrong on this page. Contact support.";
    /// No answer arrived.
    Network = "network", Retry,
        "There is no connection. Check it, then try again.";
    /// Grid does not know this id.
    NotFound = "not_found", Integrator,
        "That is not there any more.";
    /// The identity provider's token was refused.
    OauthRejected = "oauth_rejected", Retry,
        "Your identity provider's answer was not accepted. Sign in there again.";
    /// The one-time code ran out. Ask for a new one.
    OtpExpired = "otp_expired", Retry,
        "That code has run out. Ask for another one.";
    /// The one-time code, or a payment's authorisation, was wrong or ran out.
    OtpRejected = "otp_rejected", FixInput,
        "That code is not right, or has run out. Check it, or ask for another one.";
    /// The device already holds a passkey for this account.
    PasskeyAlreadyRegistered = "passkey_already_registered", OtherMethod,
        "This device already has a passkey for your wallet.";
    /// The prompt was closed, timed out, or no passkey fitted.
    PasskeyNotUsed = "passkey_not_used", Retry,
        "No passkey was used. Try again, or choose another way.";
    /// Grid did not accept the passkey's answer.
    PasskeyRejected = "passkey_rejected", Retry,
        "Your passkey was not accepted. Try again, or choose another way.";
    /// This browser, page or device cannot do passkeys.
    PasskeyUnsupported = "passkey_unsupported", OtherMethod,
        "This browser or device cannot use passkeys. Choose another way.";
    /// The device has no source of secure randomness.
    RandomnessUnavailable = "randomness_unavailable", OtherMethod,
        "This browser cannot make secure keys. Use another one.";
    /// Too many attempts. Wait `retryAfterMs`.
    RateLimited = "rate_limited", Wait,
        "There were too many attempts. Wait a moment, then try again.";
    /// The answer is not one of this API's: a proxy's page, a cut-off body, a missing field.
    RelayProtocol = "relay_protocol", Integrator,
        "The server's answer cannot be read. Try again later, or contact support.";
    /// The session ran out, was revoked, or was signed out here.
    SessionExpired = "session_expired", SignIn,
        "Your session has ended. Sign in again.";
    /// Grid did not accept the signature of a signed request.
    SignatureRejected = "signature_rejected", SignIn,
        "Your session was not accepted any more. Sign in again.";
    /// The platform's own login lapsed.
    SignedOutOfPlatform = "signed_out_of_platform", SignIn,
        "You are signed out of this site. Sign in to the site again.";
    /// This browser does not let the page keep a key.
    StorageUnavailable = "storage_unavailable", OtherMethod,
        "This browser does not let the page keep a key, as in a private window. Choose another way.";
    /// The answer took longer than `timeoutMs`.
    Timeout = "timeout", Retry,
        "The server took too long. Check your connection, then try again.";
    /// The relay does not offer this operation.
    UnsupportedOperation = "unsupported_operation", Integrator,
        "This is switched off here.";
    /// The object was freed.
    UsedAfterFree = "used_after_free", Integrator,
        "This page has lost track of your session. Reload it and sign in again.";
    /// The page's Content-Security-Policy forbids WebAssembly.
    WasmBlockedByCsp = "wasm_blocked_by_csp", Integrator,
        "This page is not allowed to run its secure part. Contact support.";
    /// The WebAssembly is missing, is not WebAssembly, or has not been loaded.
    WasmUnavailable = "wasm_unavailable", Integrator,
        "The secure part of this page could not be loaded. Reload it, or update the browser.";
}

/// What helps after an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recovery {
    /// Correct the input (a code, the clock) and call again.
    FixInput,
    /// Nothing the customer can do: the page, the relay or the platform must be mended.
    Integrator,
    /// Offer another way to sign in.
    OtherMethod,
    /// Call again.
    Retry,
    /// Sign in again.
    SignIn,
    /// Call again after `retryAfterMs`.
    Wait,
}

impl Recovery {
    /// The recovery as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FixInput => "fix_input",
            Self::Integrator => "integrator",
            Self::OtherMethod => "other_method",
            Self::Retry => "retry",
            Self::SignIn => "sign_in",
            Self::Wait => "wait",
        }
    }
}
