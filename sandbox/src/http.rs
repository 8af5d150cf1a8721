//! HTTP as values: what a request says and what is answered.

use std::{borrow::Cow, collections::HashMap};

use axum::{
    body::Body,
    http::{
        self, HeaderMap,
        header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use p256::PublicKey;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    errors::{GridError, Reason, Result},
    keys::parse_hex,
    operation::Operation,
    options::SandboxOptions,
};

/// In lower case, as HTTP/2 has it and header names are compared.
pub(crate) const GRID_WALLET_SIGNATURE: HeaderName =
    HeaderName::from_static("grid-wallet-signature");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request for an operation.
pub(crate) struct GridRequest {
    pub(crate) operation: Operation,
    /// Path and query, as they came.
    pub(crate) path: String,
    /// The id or code in the path, percent-decoded; empty where the path has none.
    pub(crate) id: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl GridRequest {
    /// `Grid-Wallet-Signature`
    pub(crate) fn signature(&self) -> Option<Cow<'_, str>> {
        self.header(&GRID_WALLET_SIGNATURE)
    }

    /// `Request-Id`
    pub(crate) fn request_id(&self) -> Option<Cow<'_, str>> {
        self.header(&REQUEST_ID)
    }

    /// `Idempotency-Key`
    pub(crate) fn idempotency_key(&self) -> Option<Cow<'_, str>> {
        self.header(&IDEMPOTENCY_KEY)
    }

    fn header(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// 2 for a signed retry, otherwise 1. A passkey verification is a first and only leg although it
    /// carries a `Request-Id`, and so is the execution of a quote, which is signed.
    pub(crate) fn leg(&self) -> u8 {
        if self.operation == Operation::ExecuteQuote {
            return 1;
        }
        let names_pending_request = self.request_id().is_some()
            && !(self.operation == Operation::VerifyAuthCredential && self.is_about_passkey());
        if self.signature().is_some() || names_pending_request {
            2
        } else {
            1
        }
    }

    fn is_about_passkey(&self) -> bool {
        self.json::<Value>()
            .is_ok_and(|body| body.get("type") == Some(&Value::from("PASSKEY")))
    }

    /// `clientPublicKey` of the body, if there is a good one.
    pub(crate) fn client_public_key(&self) -> Option<PublicKey> {
        let body: Value = self.json().ok()?;
        parse_hex(body.get("clientPublicKey")?.as_str()?)
    }

    /// Checks the platform's Basic credentials (RFC 7617).
    pub(crate) fn check_platform(&self, options: &SandboxOptions) -> Result<()> {
        let Some(header) = self.header(&AUTHORIZATION) else {
            return Err(GridError::unauthorized(
                Reason::ApiCredentialsMissing,
                "API credentials are required",
            ));
        };
        let given = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, credentials)| BASE64_STANDARD.decode(credentials).ok());
        let expected = format!("{}:{}", options.client_id, options.client_secret);
        if given.as_deref() == Some(expected.as_bytes()) {
            return Ok(());
        }
        Err(GridError::unauthorized(
            Reason::ApiCredentialsInvalid,
            "API credentials are invalid",
        ))
    }

    /// The JSON body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|_| {
            GridError::invalid_input(Reason::BodyMalformed, "the body is not what is expected")
        })
    }

    /// `accountId` of a listing's query.
    pub(crate) fn account_id(&self) -> Result<&str> {
        self.query
            .get("accountId")
            .filter(|id| {
                let uuid = id.strip_prefix("InternalAccount:");
                uuid.is_some_and(|uuid| Uuid::try_parse(uuid).is_ok())
            })
            .map(String::as_str)
            .ok_or_else(|| {
                GridError::invalid_input(
                    Reason::AccountIdMalformed,
                    "accountId is not InternalAccount:<uuid>",
                )
            })
    }
}

/// An answer, before it is bytes.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    pub(crate) retry_after_seconds: Option<u64>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            retry_after_seconds: None,
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            body: None,
            retry_after_seconds: None,
        }
    }

    /// The session that this answer issues.
    pub(crate) fn session_id(&self) -> Option<&str> {
        self.body
            .as_ref()?
            .get("id")?
            .as_str()
            .filter(|id| id.starts_with("Session:"))
    }

    /// `requestId`, or nothing.
    pub(crate) fn request_id(&self) -> &str {
        let id = self.body.as_ref().and_then(|body| body.get("requestId"));
        id.and_then(Value::as_str).unwrap_or_default()
    }

    /// Status and headers.
    pub(crate) fn head(&self) -> http::Response<()> {
        let mut head = http::Response::builder().status(self.status);
        if let Some(seconds) = self.retry_after_seconds {
            head = head.header(RETRY_AFTER, seconds);
        }
        if self.body.is_some() {
            head = head.header(CONTENT_TYPE, "application/json");
        }
        head.body(()).unwrap_or_default()
    }

    /// The body's text.
    pub(crate) fn text(&self) -> String {
        self.body.as_ref().map(Value::to_string).unwrap_or_default()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let text = self.text();
        self.head().map(|()| Body::from(text))
    }
}
