//! HTTP as values: what a request says and what is answered.

use std::collections::HashMap;

use axum::http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    errors::{GridError, Reason, Result},
    operation::Operation,
    options::SandboxOptions,
};

const GRID_WALLET_SIGNATURE: HeaderName = HeaderName::from_static("grid-wallet-signature");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// A request for an operation.
pub(crate) struct GridRequest {
    pub(crate) operation: Operation,
    /// Path and query, as they came.
    pub(crate) path: String,
    /// The id or code in the path, percent-decoded; empty where the path has none.
    pub(crate) id: String,
    pub(crate) query: HashMap<String, String>,
    /// `Grid-Wallet-Signature`
    pub(crate) signature: Option<String>,
    /// `Request-Id`
    pub(crate) request_id: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Bytes,
}

impl GridRequest {
    pub(crate) fn read_headers(&mut self, headers: &HeaderMap) {
        let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        self.signature = text(GRID_WALLET_SIGNATURE);
        self.request_id = text(REQUEST_ID);
        self.authorization = text(AUTHORIZATION);
    }

    /// Checks the platform's Basic credentials (RFC 7617).
    pub(crate) fn check_platform(&self, options: &SandboxOptions) -> Result<()> {
        let Some(header) = &self.authorization else {
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
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        if let Some(seconds) = self.retry_after_seconds {
            response = response.header(RETRY_AFTER, seconds);
        }
        let body = match self.body {
            Some(body) => {
                response = response.header(CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        response.body(body).unwrap_or_default()
    }
}
