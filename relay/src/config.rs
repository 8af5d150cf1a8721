//! What can be wrong with a relay's settings.

use std::error::Error;
use std::fmt;

/// A setting that the relay cannot work with, found before it serves anything.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Grid's address is not an absolute `http` or `https` URL without query and user name.
    InvalidBaseUrl,
    /// Grid's address is plain `http` on a host other than loopback: the platform's secret would
    /// travel in clear.
    InsecureBaseUrl,
    /// The client id is empty or has a colon in it, or the secret is empty.
    InvalidCredentials,
    /// Not the origin of a page: scheme, host and perhaps a port, and nothing behind it.
    InvalidOrigin(String),
    /// Not the name of a header.
    InvalidHeaderName(String),
    /// The TLS library refused its own defaults.
    Tls,
    /// The secret behind the passkeys' `user.id` is shorter than 16 bytes.
    ShortUserIdSecret,
    /// The system gave no random bytes.
    NoRandomness,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidBaseUrl => f.write_str(
                "Grid's base URL must be an absolute http or https URL without query and user name",
            ),
            Self::InsecureBaseUrl => f.write_str(
                "Grid's base URL must be https: plain http is for a Grid on this machine only",
            ),
            Self::InvalidCredentials => f.write_str(
                "Grid's client id must not be empty or contain a colon, and its client secret \
                 must not be empty",
            ),
            Self::InvalidOrigin(origin) => write!(
                f,
                "{origin:?} is not an origin: write scheme, host and port, as in \
                 https://wallet.example.com"
            ),
            Self::InvalidHeaderName(name) => write!(f, "{name:?} is not the name of a header"),
            Self::Tls => f.write_str("TLS could not be set up"),
            Self::ShortUserIdSecret => {
                f.write_str("the secret behind the passkeys' user ids must have 16 bytes or more")
            }
            Self::NoRandomness => f.write_str("the system gave no random bytes"),
        }
    }
}

impl Error for ConfigError {}
