//! What can be set when a sandbox is made.

use std::time::Duration;

use crate::oidc_provider::OIDC_ISSUER;

/// The default `client id` of the platform's Basic credentials.
pub const DEFAULT_CLIENT_ID: &str = "sandbox-client-id";
/// The default `client secret` of the platform's Basic credentials.
pub const DEFAULT_CLIENT_SECRET: &str = "sandbox-client-secret";

/// What can be set when a sandbox is made.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// User name of the platform's Basic credentials.
    pub client_id: String,
    /// Password of the platform's Basic credentials.
    pub client_secret: String,
    /// How long a session lives.
    pub session_life: Duration,
    /// How long a request to be signed, or a passkey challenge, is valid.
    pub challenge_life: Duration,
    /// How long an e-mailed code is valid.
    pub otp_life: Duration,
    /// How long a device code is valid.
    pub device_code_life: Duration,
    /// How long a quote can be executed.
    pub quote_life: Duration,
    /// Relying party id of all passkeys.
    pub rp_id: String,
    /// Which pages may make and use passkeys.
    pub origins: AllowedOrigins,
    /// Supported `iss` of OIDC tokens.
    pub oidc_issuers: Vec<String>,
    /// Whether wallet exports come without a signature, as those of Grid's own sandbox do. The
    /// control can change it.
    pub unsigned_exports: bool,
    /// Challenges per credential.
    pub challenge_limit: RateLimit,
    /// Verifications per credential, both legs counted.
    pub verify_limit: RateLimit,
    /// Codes of Strong Customer Authentication sent again, per quote.
    pub sca_resend_limit: RateLimit,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            session_life: Duration::from_secs(15 * 60),
            challenge_life: Duration::from_secs(5 * 60),
            otp_life: Duration::from_secs(5 * 60),
            device_code_life: Duration::from_secs(60 * 60),
            quote_life: Duration::from_secs(5 * 60),
            rp_id: "localhost".to_owned(),
            origins: AllowedOrigins::AnyHttpLocalhost,
            oidc_issuers: vec![
                "https://accounts.google.com".to_owned(),
                "https://appleid.apple.com".to_owned(),
                OIDC_ISSUER.to_owned(),
            ],
            unsigned_exports: false,
            challenge_limit: RateLimit {
                requests: 60,
                per: Duration::from_secs(60),
            },
            verify_limit: RateLimit {
                requests: 120,
                per: Duration::from_secs(60),
            },
            sca_resend_limit: RateLimit {
                requests: 3,
                per: Duration::from_secs(60),
            },
        }
    }
}

/// Which pages may make and use passkeys.
#[derive(Clone, Debug)]
pub enum AllowedOrigins {
    /// `http://localhost`, with or without a port.
    AnyHttpLocalhost,
    /// Exactly these (`https://wallet.example`).
    List(Vec<String>),
}

impl AllowedOrigins {
    pub(crate) fn allow(&self, origin: &str) -> bool {
        match self {
            Self::AnyHttpLocalhost => match origin.strip_prefix("http://localhost") {
                Some("") => true,
                Some(port) => port
                    .strip_prefix(':')
                    .is_some_and(|p| p.parse::<u16>().is_ok()),
                None => false,
            },
            Self::List(origins) => origins.iter().any(|allowed| allowed == origin),
        }
    }
}

/// At most `requests` within any stretch of time as long as `per`.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// How many.
    pub requests: usize,
    /// Within how long.
    pub per: Duration,
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
