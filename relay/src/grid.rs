//! The connection to Grid, with the platform's credentials.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use base64ct::{Base64, Encoding};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::ConfigError;
use crate::resource::{Resource, ResourceKind};

/// Grid as the platform sees it. Clones share their connections. Redirects are not followed.
#[derive(Clone)]
pub struct Grid(Arc<Connection>);

struct Connection {
    /// Without a slash at the end.
    base_url: String,
    authorization: HeaderValue,
    time_limit: Duration,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Grid gave no answer that can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GridError {
    /// The answer did not arrive within the time limit.
    TooLate,
    /// There was no connection, or it broke, or what arrived was no HTTP or too large.
    Unreachable,
    /// A lookup was answered with another status than 200.
    Status(u16),
    /// A lookup was answered with another body than Grid's documents promise.
    Malformed,
}

/// An authentication credential, as far as the relay reads it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct AuthMethod {
    /// `AuthMethod:…`
    pub id: String,
    /// `EMAIL_OTP`, `SMS_OTP`, `OAUTH` or `PASSKEY`.
    pub r#type: String,
    /// The WebAuthn credential id of a passkey, in base64url.
    pub credential_id: Option<String>,
}

/// An active authentication session, as far as the relay reads it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuthSession {
    /// `Session:…`
    pub id: String,
}

/// A delegated key, as far as the relay reads it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct DelegatedKey {
    /// `DelegatedKey:…`
    pub id: String,
}

/// A quote, as far as the relay reads it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct Quote {
    /// `Quote:…`
    pub id: String,
    /// What it is paid from.
    pub source: QuoteSource,
}

/// What a quote is paid from: an account, or what a customer sends for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct QuoteSource {
    /// `InternalAccount:…` or `ExternalAccount:…`
    pub account_id: Option<String>,
    /// `Customer:…`
    pub customer_id: Option<String>,
}

pub(crate) struct GridRequest {
    pub(crate) method: Method,
    /// Below the base URL: begins with `/` and is encoded.
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct GridAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Grid {
    /// Grid at an address such as `https://api.lightspark.com/grid/2025-10-13`, with the
    /// platform's API token. `time_limit` bounds each exchange, from the first byte of the request
    /// to the last of the answer.
    pub fn new(
        base_url: &str,
        client_id: &str,
        client_secret: &str,
        time_limit: Duration,
    ) -> Result<Self, ConfigError> {
        let base_url = base_url.trim_end_matches('/');
        check_base_url(base_url)?;
        if client_id.is_empty() || client_id.contains(':') || client_secret.is_empty() {
            return Err(ConfigError::InvalidCredentials);
        }
        // RFC 7617, section 2.
        let credentials = Base64::encode_string(format!("{client_id}:{client_secret}").as_bytes());
        let mut authorization = HeaderValue::from_str(&format!("Basic {credentials}"))
            .map_err(|_| ConfigError::InvalidCredentials)?;
        authorization.set_sensitive(true);

        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|_| ConfigError::Tls)?
            .https_or_http()
            .enable_http1()
            .build();
        // A pooled connection that Grid has just closed is noticed before anything is sent on it,
        // and only then does the client take another; nothing is ever sent twice.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        let base_url = base_url.to_owned();
        Ok(Self(Arc::new(Connection {
            base_url,
            authorization,
            time_limit,
            client,
        })))
    }

    /// The credentials of an internal account: none if it does not exist.
    pub async fn list_auth_credentials(
        &self,
        account_id: &str,
    ) -> Result<Vec<AuthMethod>, GridError> {
        self.list("/auth/credentials", account_id).await
    }

    /// The active sessions of an internal account: none if it does not exist.
    pub async fn list_auth_sessions(
        &self,
        account_id: &str,
    ) -> Result<Vec<AuthSession>, GridError> {
        self.list("/auth/sessions", account_id).await
    }

    /// The delegated keys of an internal account, revoked ones too: none if it does not exist.
    pub async fn list_delegated_keys(
        &self,
        account_id: &str,
    ) -> Result<Vec<DelegatedKey>, GridError> {
        self.list("/auth/delegated-keys", account_id).await
    }

    /// A quote: `None` if it does not exist.
    pub async fn get_quote(&self, quote_id: &str) -> Result<Option<Quote>, GridError> {
        let Some(quote) = Resource::new(ResourceKind::Quote, quote_id) else {
            return Ok(None);
        };
        match self.get(format!("/quotes/{}", quote.encoded_id())).await {
            Ok(quote) => Ok(Some(quote)),
            Err(GridError::Status(404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn send(&self, request: GridRequest) -> Result<GridAnswer, GridError> {
        tokio::time::timeout(self.0.time_limit, self.exchange(request))
            .await
            .unwrap_or(Err(GridError::TooLate))
    }

    async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        account_id: &str,
    ) -> Result<Vec<T>, GridError> {
        #[derive(Deserialize)]
        struct List<T> {
            data: Vec<T>,
        }

        let Some(account) = Resource::new(ResourceKind::Account, account_id) else {
            return Ok(Vec::new());
        };
        let account_id = account.encoded_id();
        let list: List<T> = self.get(format!("{path}?accountId={account_id}")).await?;
        Ok(list.data)
    }

    async fn get<T: DeserializeOwned>(&self, path_and_query: String) -> Result<T, GridError> {
        let answer = self
            .send(GridRequest {
                method: Method::GET,
                path_and_query,
                headers: HeaderMap::new(),
                body: Bytes::new(),
            })
            .await?;
        if answer.status != StatusCode::OK {
            return Err(GridError::Status(answer.status.as_u16()));
        }
        serde_json::from_slice(&answer.body).map_err(|_| GridError::Malformed)
    }

    async fn exchange(&self, request: GridRequest) -> Result<GridAnswer, GridError> {
        let uri = format!("{}{}", self.0.base_url, request.path_and_query);
        let mut outgoing = Request::new(Full::new(request.body));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = uri.parse().map_err(|_| GridError::Unreachable)?;
        let headers = outgoing.headers_mut();
        *headers = request.headers;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.0.authorization.clone());

        let answer = self
            .0
            .client
            .request(outgoing)
            .await
            .map_err(|_| GridError::Unreachable)?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|_| GridError::Unreachable)?
            .to_bytes();
        Ok(GridAnswer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

fn check_base_url(base_url: &str) -> Result<(), ConfigError> {
    let uri: Uri = base_url.parse().map_err(|_| ConfigError::InvalidBaseUrl)?;
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
        return Err(ConfigError::InvalidBaseUrl);
    };
    if authority.as_str().contains('@') || base_url.contains(['?', '#']) {
        return Err(ConfigError::InvalidBaseUrl);
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(host) => Ok(()),
        Some("http") => Err(ConfigError::InsecureBaseUrl),
        _ => Err(ConfigError::InvalidBaseUrl),
    }
}

/// Whether this host, as it stands in a URL, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Grid's answers are a few kilobytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
