//! One request to the relay and its answer, as values.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// A request of one leg of one operation.
#[derive(Clone)]
pub struct GridCall {
    /// The API's `operationId`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query below the relay's base URL, percent-encoded, e.g.
    /// `/auth/sessions/Session%3A0195/refresh`.
    pub path: String,
    /// What stands in `path`, by the API document's parameter names, not encoded.
    pub params: Vec<(&'static str, String)>,
    /// The JSON body: the same bytes on both legs of a signed retry.
    pub body: Option<String>,
    /// `Grid-Wallet-Signature`.
    pub stamp: Option<String>,
    /// `Request-Id`.
    pub request_id: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

impl fmt::Debug for GridCall {
    /// Without body and stamp, which carry tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.operation)
    }
}

/// An answer, as it came.
#[derive(Clone)]
pub struct GridReply {
    /// The HTTP status.
    pub status: u16,
    /// The body's bytes, empty where there is none.
    pub body: Vec<u8>,
    /// `Retry-After`, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// `Date`: when the server answered, in milliseconds since 1970, if the transport can tell.
    pub date_ms: Option<i64>,
}
