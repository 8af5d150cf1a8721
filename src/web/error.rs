//! Errors as JavaScript sees them.

use super::data::Data;
use crate::{crypto::json::Json, error::Error};

/// What `pkg/bridge.js` makes a `GridkeyError` of: its message and its members.
pub(super) fn to_json(error: &Error) -> Json {
    let mut data = Data::default();
    data.text("message", error.message())
        .text("code", error.code().as_str())
        .text("recovery", error.recovery().as_str())
        .number("status", error.status().map(u64::from))
        .optional_text("gridCode", error.grid_code())
        .optional_text("reason", error.reason());
    if let Some(details) = error.details() {
        data.set("details", details.clone());
    }
    data.number("retryAfterMs", error.retry_after_ms())
        .optional_text("requestId", error.request_id())
        .optional_text("operation", error.operation())
        .json()
}
