//! Which pages may send requests.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, DATE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::ConfigError;
use crate::forward::{GRID_WALLET_SIGNATURE, IDEMPOTENCY_KEY, REQUEST_ID};
use crate::refusal::Refusal;

/// The pages that may send requests: those of the listed origins, or, without a list, those of
/// the origin the relay itself is reached at.
pub(crate) struct Origins(Vec<HeaderValue>);

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Result<Self, ConfigError> {
        origins
            .iter()
            .map(|origin| parse(origin).ok_or_else(|| ConfigError::InvalidOrigin(origin.clone())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Browsers send `Origin` with everything but a GET to the page's own origin.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        let is_allowed = match (origins.next(), origins.next()) {
            (None, _) => parts.method == Method::GET && !is_cross_site(parts),
            (Some(origin), None) if self.0.is_empty() => is_own_origin(origin, parts),
            (Some(origin), None) => self.0.contains(origin),
            (Some(_), Some(_)) => false,
        };
        if is_allowed {
            Ok(())
        } else {
            Err(Refusal::foreign_origin())
        }
    }

    /// What lets the pages of the listed origins send their requests and read the answers, or
    /// nothing if there is no list.
    pub(crate) fn cors(&self, further_headers: &[HeaderName]) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let grid_headers = [
            CONTENT_TYPE,
            GRID_WALLET_SIGNATURE,
            IDEMPOTENCY_KEY,
            REQUEST_ID,
        ];
        let headers: Vec<_> = grid_headers
            .into_iter()
            .chain(further_headers.to_vec())
            .collect();
        Some(
            CorsLayer::new()
                .allow_credentials(true)
                .allow_headers(headers)
                .allow_methods([Method::DELETE, Method::GET, Method::PATCH, Method::POST])
                .allow_origin(AllowOrigin::list(self.0.clone()))
                .expose_headers([DATE, RETRY_AFTER])
                .max_age(Duration::from_secs(600)),
        )
    }
}

/// An origin as browsers write it (RFC 6454, section 6.2).
fn parse(origin: &str) -> Option<HeaderValue> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let serialized = format!("{scheme}://{authority}").to_ascii_lowercase();
    let is_origin = matches!(scheme, "http" | "https")
        && !serialized.contains('@')
        && serialized == origin.to_ascii_lowercase();
    if is_origin {
        HeaderValue::from_str(&serialized).ok()
    } else {
        None
    }
}

/// The scheme cannot be compared: in front of the relay there may be a proxy that ends TLS.
fn is_own_origin(origin: &HeaderValue, parts: &Parts) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let Some((_, origin_authority)) = origin.split_once("://") else {
        return false;
    };
    own_authority(parts).is_some_and(|own| own.eq_ignore_ascii_case(origin_authority))
}

/// The host and port that the request was sent to, as the sender sees them. `None` if the request
/// says none, or more than one: whoever is in between may have gone by another than the relay would.
pub(crate) fn own_authority(parts: &Parts) -> Option<&str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    let target = parts.uri.authority().map(Authority::as_str);
    match (host, target) {
        (Some(host), Some(target)) if !host.eq_ignore_ascii_case(target) => None,
        (host, target) => host.or(target),
    }
}

/// A page elsewhere can have a browser GET an address without `Origin`, as an image or a link.
/// Browsers then say so in `Sec-Fetch-Site`, which scripts cannot set.
fn is_cross_site(parts: &Parts) -> bool {
    parts
        .headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| site != "same-origin")
}
