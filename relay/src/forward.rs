//! From a browser's request to Grid's, and from Grid's answer to the browser's.

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use crate::grid::GridAnswer;
use crate::refusal::Refusal;

pub(crate) const GRID_WALLET_SIGNATURE: HeaderName =
    HeaderName::from_static("grid-wallet-signature");
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The headers of Grid's request: nothing of the browser's but these three, and the type of a
/// body that was read as JSON.
pub(crate) fn request_headers(parts: &Parts, body: &Bytes) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for name in [GRID_WALLET_SIGNATURE, IDEMPOTENCY_KEY, REQUEST_ID] {
        let mut values = parts.headers.get_all(&name).iter();
        match (values.next(), values.next()) {
            (None, _) => {}
            (Some(value), None) if is_plain(value) => {
                headers.insert(name, value.clone());
            }
            _ => {
                return Err(Refusal::invalid(
                    "A header is empty, too long, not in ASCII or there twice.",
                ));
            }
        }
    }
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(headers)
}

/// Grid's answer: its status, its body, and three of its headers. By `Date` a page notices that the
/// device's clock is wrong.
pub(crate) fn response(answer: GridAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    for name in [CONTENT_TYPE, DATE, RETRY_AFTER] {
        if let Some(value) = answer.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// What is personal must not be kept by a cache, and what came from elsewhere must not run as a
/// page of the platform's origin.
pub(crate) fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
}

/// A byte that is no ASCII character is read by some servers as Latin-1 and by others as UTF-8.
fn is_plain(value: &HeaderValue) -> bool {
    (1..=MAX_HEADER_BYTES).contains(&value.len()) && value.to_str().is_ok()
}

/// A stamp has about 300 characters.
const MAX_HEADER_BYTES: usize = 8 * 1024;
