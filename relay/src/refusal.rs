//! What the relay itself answers when it does not forward.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A request that is not forwarded, or that Grid did not answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody is signed in to the platform. The body has no Grid `code`, so that a client can
    /// tell it from Grid's own 401s.
    SignedOut,
    /// The path is none that the relay offers. Not in Grid's shape either: its 404 says that a
    /// resource is gone, which a client may take for the success of a revocation.
    UnknownPath,
    /// The relay has as much under way as it may, of this operation or in all.
    Busy,
    /// The customer has as much under way as one customer may.
    TooManyAtOnce,
    /// Anything else, in the shape of Grid's errors.
    Error {
        status: StatusCode,
        code: &'static str,
        message: &'static str,
    },
}

impl Refusal {
    pub(crate) fn invalid(message: &'static str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, INVALID_INPUT, message)
    }

    pub(crate) fn forbidden() -> Self {
        Self::error(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            "This is not yours to use.",
        )
    }

    pub(crate) fn foreign_origin() -> Self {
        let message = "Requests are taken from the platform's own pages only: list their origins, or let \
                       the proxy between keep `Host`.";
        Self::error(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    pub(crate) fn not_found() -> Self {
        let message = "There is nothing with this identifier, or no longer.";
        Self::error(StatusCode::NOT_FOUND, REFERENCE_NOT_FOUND, message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "The relay does not offer this method on this path.";
        Self::error(StatusCode::METHOD_NOT_ALLOWED, INVALID_INPUT, message)
    }

    pub(crate) fn body_too_late() -> Self {
        let message = "The request's body did not arrive in time.";
        Self::error(StatusCode::REQUEST_TIMEOUT, INVALID_INPUT, message)
    }

    pub(crate) fn body_too_large() -> Self {
        let message = "The request's body is too large.";
        Self::error(StatusCode::PAYLOAD_TOO_LARGE, INVALID_INPUT, message)
    }

    pub(crate) fn not_json() -> Self {
        let message = "The request's body must be of type application/json, in UTF-8.";
        Self::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT, message)
    }

    pub(crate) fn internal() -> Self {
        let message = "The relay failed.";
        Self::error(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_ERROR, message)
    }

    pub(crate) fn grid_unreachable() -> Self {
        let message = "Grid could not be reached, or its answer could not be read.";
        Self::error(StatusCode::BAD_GATEWAY, INTERNAL_ERROR, message)
    }

    pub(crate) fn grid_too_late() -> Self {
        let message = "Grid did not answer in time.";
        Self::error(StatusCode::GATEWAY_TIMEOUT, INTERNAL_ERROR, message)
    }

    pub(crate) fn unavailable() -> Self {
        let message = "The platform cannot decide about this request at the moment.";
        Self::error(StatusCode::SERVICE_UNAVAILABLE, INTERNAL_ERROR, message)
    }

    fn error(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self::Error {
            status,
            code,
            message,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::UnknownPath => {
                let body = json!({ "error": "unsupported_operation" });
                (StatusCode::NOT_FOUND, Json(body)).into_response()
            }
            Self::SignedOut => {
                let body = json!({ "error": "signed_out_of_platform" });
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
            Self::Busy => later(StatusCode::SERVICE_UNAVAILABLE, INTERNAL_ERROR, BUSY),
            Self::TooManyAtOnce => later(
                StatusCode::TOO_MANY_REQUESTS,
                RATE_LIMITED,
                TOO_MANY_AT_ONCE,
            ),
            Self::Error {
                status,
                code,
                message,
            } => {
                let body = json!({ "status": status.as_u16(), "code": code, "message": message });
                (status, Json(body)).into_response()
            }
        }
    }
}

/// Nothing has been forwarded, and places are free again within moments.
fn later(status: StatusCode, code: &'static str, message: &'static str) -> Response {
    let mut response = Refusal::error(status, code, message).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

const BUSY: &str = "The relay has too many requests under way. Nothing was done: try again.";
const TOO_MANY_AT_ONCE: &str =
    "This customer has too many requests under way. Nothing was done: try again.";

// Values of `code` in Grid's error schemas.
const INTERNAL_ERROR: &str = "INTERNAL_ERROR";
const INVALID_INPUT: &str = "INVALID_INPUT";
const RATE_LIMITED: &str = "RATE_LIMITED";
const REFERENCE_NOT_FOUND: &str = "REFERENCE_NOT_FOUND";
