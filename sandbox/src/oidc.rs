//! OIDC ID tokens. As in Grid's sandbox the signature segment is not verified, but for those of the
//! sandbox's own provider; everything else is.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    clock::Millis,
    errors::{GridError, Reason, Result},
    oidc_provider::{OIDC_ISSUER, Provider},
};

const MAX_AGE_MS: i64 = 60_000;

/// Who an ID token is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    pub(crate) iss: String,
    pub(crate) aud: Audience,
    pub(crate) sub: String,
}

/// `aud`: one text or several (RFC 7519, 4.1.3).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn is_empty(&self) -> bool {
        match self {
            Self::One(text) => text.is_empty(),
            Self::Several(texts) => texts.is_empty() || texts.iter().any(String::is_empty),
        }
    }
}

/// A token that is fresh and from a supported issuer.
pub(crate) struct IdToken {
    pub(crate) identity: Identity,
    pub(crate) email: Option<String>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    iat: i64,
    exp: i64,
    nonce: Option<String>,
    email: Option<String>,
}

impl IdToken {
    pub(crate) fn check(
        token: &str,
        issuers: &[String],
        provider: &Provider,
        now: Millis,
    ) -> Result<Self> {
        let claims = parse(token).ok_or_else(|| {
            GridError::invalid_input(Reason::OidcTokenMalformed, "oidcToken is malformed")
        })?;
        if !issuers.contains(&claims.iss) {
            return Err(GridError::invalid_input(
                Reason::OidcIssuerUnsupported,
                "the issuer of oidcToken is not supported",
            ));
        }
        if claims.iss == OIDC_ISSUER && !provider.signed(token) {
            return Err(GridError::unauthorized(
                Reason::OidcSignatureInvalid,
                "the signature of oidcToken does not verify",
            ));
        }
        let age_ms = now.saturating_sub(claims.iat.saturating_mul(1000));
        // A second is the resolution of `iat`, so a token may seem that much ahead.
        if !(-1000..MAX_AGE_MS).contains(&age_ms) {
            return Err(GridError::unauthorized(
                Reason::OidcTokenStale,
                "oidcToken was not issued within the last 60 seconds",
            ));
        }
        if now >= claims.exp.saturating_mul(1000) {
            return Err(GridError::unauthorized(
                Reason::OidcTokenExpired,
                "oidcToken expired",
            ));
        }
        Ok(Self {
            identity: Identity {
                iss: claims.iss,
                aud: claims.aud,
                sub: claims.sub,
            },
            email: claims.email,
            nonce: claims.nonce,
        })
    }

    /// Checks that the token was asked for with this key: `nonce` is the lowercase hex SHA-256 of
    /// the key's hex as sent.
    pub(crate) fn check_nonce(&self, client_public_key: &str) -> Result<()> {
        let expected = hex::encode(Sha256::digest(client_public_key.as_bytes()));
        if self.nonce.as_ref() == Some(&expected) {
            return Ok(());
        }
        Err(GridError::unauthorized(
            Reason::OidcNonceMismatch,
            "the nonce of oidcToken is not the SHA-256 of clientPublicKey",
        ))
    }
}

fn parse(token: &str) -> Option<Claims> {
    let [header, claims, signature] =
        <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).ok()?;
    let header: Header = read(header)?;
    let claims: Claims = read(claims)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let is_complete = !header.alg.is_empty()
        && !signature.is_empty()
        && !claims.aud.is_empty()
        && !claims.sub.is_empty();
    is_complete.then_some(claims)
}

fn read<'a, T: for<'de> Deserialize<'de>>(part: &'a str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// What Turnkey calls the provider.
pub(crate) fn provider_name(iss: &str) -> String {
    match iss {
        "https://accounts.google.com" => "Google".to_owned(),
        "https://appleid.apple.com" => "Apple".to_owned(),
        other => other.trim_start_matches("https://").to_owned(),
    }
}
