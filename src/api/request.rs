//! What is asked of Grid: one leg of one operation.

use alloc::{
    borrow::{Cow, ToOwned as _},
    string::String,
    vec,
    vec::Vec,
};

use super::{
    call::GridCall,
    failure::{Exchange, Leg},
    operation::{Body, Operation, Signing},
    shape::{Shape, check_request},
    types::AuthMethodType,
    validate,
};
use crate::{
    crypto::json::Json,
    error::{Error, Result, cut, filled},
    formats::passkey::{PasskeyAssertion, PasskeyAttestation},
};

const MAX_STAMP_CHARS: usize = 4096;
const MAX_HEADER_CHARS: usize = 256;

/// One leg of one operation.
#[derive(Clone)]
pub struct Request {
    /// Which.
    pub operation: Operation,
    /// What stands in the path's braces.
    pub id: Option<String>,
    /// An object of the query's parameters.
    pub query: Option<Json>,
    /// The body.
    pub body: Option<Json>,
    /// The headers of a second leg.
    pub headers: SignedHeaders,
    /// Where [`Operation::SignedRequest`] goes.
    pub route: Option<Route>,
}

/// Method and path of what is none of the known operations.
#[derive(Clone, Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query below the relay's base URL, percent-encoded.
    pub path: String,
}

impl Route {
    /// The methods there are.
    pub const METHODS: &'static [&'static str] = &["DELETE", "GET", "PATCH", "POST", "PUT"];

    /// A path below the relay's base URL, and not beside it. Fails with `invalid_argument`.
    pub fn new(method: &'static str, path: String) -> Result<Self> {
        const MAX_PATH_CHARS: usize = 2048;
        let (way, _) = cut(&path, b'?');
        // Byte by byte: to search a text for a text brings 5 KB of WebAssembly with it.
        let is_escaped = |code: &[u8]| {
            ["%2e", "%2f", "%5c"]
                .iter()
                .any(|escape| code.eq_ignore_ascii_case(escape.as_bytes()))
        };
        let is_below = path.starts_with('/')
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !UNSAFE.contains(&byte))
            && !way.as_bytes().windows(3).any(is_escaped)
            && has_plain_segments(way);
        if is_below && path.len() <= MAX_PATH_CHARS {
            return Ok(Self { method, path });
        }
        Err(Error::invalid_argument(
            "`path` must begin with /, be percent-encoded, and have no empty or dot segment",
        ))
    }
}

/// What a URL has only percent-encoded (RFC 3986 appendix A), so that a browser would send another path
/// than the one that was written; and where its path ends.
const UNSAFE: &[u8] = b"\"#<>\\^`{|}";

/// Whether no segment of a path is empty or a dot segment.
fn has_plain_segments(path: &str) -> bool {
    let (_, mut rest) = cut(path, b'/');
    while let Some(segments) = rest {
        let (segment, more) = cut(segments, b'/');
        if matches!(segment, "" | "." | "..") {
            return false;
        }
        rest = more;
    }
    true
}

/// The headers of a second leg; a passkey's verification has the `Request-Id` alone, the execution
/// of a quote the stamp.
#[derive(Clone, Default)]
pub struct SignedHeaders {
    /// `Grid-Wallet-Signature`.
    pub stamp: Option<String>,
    /// `Request-Id`.
    pub request_id: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

impl core::fmt::Debug for Request {
    /// Without the body, which may hold a token.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("id", &self.id)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for SignedHeaders {
    /// Without the stamp.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SignedHeaders")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// An operation without arguments yet.
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            id: None,
            query: None,
            body: None,
            headers: SignedHeaders::default(),
            route: None,
        }
    }

    /// What is none of the known operations. Fails with `invalid_argument` where a GET has a body.
    pub fn to(route: Route, body: Option<Json>) -> Result<Self> {
        if route.method == "GET" && body.is_some() {
            return Err(Error::invalid_argument("a GET has no `body`"));
        }
        Ok(Self {
            route: Some(route),
            body,
            ..Self::new(Operation::SignedRequest)
        })
    }

    /// An operation on what has this id.
    pub fn on(operation: Operation, id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..Self::new(operation)
        }
    }

    /// With this body.
    pub fn with_body<const N: usize>(mut self, members: [(&str, Json); N]) -> Self {
        self.body = Some(Json::object(members));
        self
    }

    /// With a body of these texts.
    #[inline(never)]
    pub fn with_texts(mut self, members: &[(&str, &str)]) -> Self {
        self.body = Some(texts(members));
        self
    }

    /// With another member of the body.
    pub fn with_member(mut self, name: &str, value: Json) -> Self {
        let members = self.body.get_or_insert_with(|| Json::Object(Vec::new()));
        if let Json::Object(members) = members {
            members.push((name.to_owned(), value));
        }
        self
    }

    /// With this query.
    pub fn with_query<const N: usize>(mut self, members: [(&str, Json); N]) -> Self {
        self.query = Some(Json::object(members));
        self
    }

    /// With these headers.
    pub fn with_headers(mut self, headers: SignedHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// The kind of the credential that a create or verify is about.
    pub(super) fn credential(&self) -> Option<AuthMethodType> {
        AuthMethodType::of(self.body.as_ref()?)
    }

    /// Where its answer belongs.
    pub(super) fn exchange(&self) -> Exchange {
        Exchange {
            operation: self.operation,
            leg: if self.headers.stamp.is_some() {
                Leg::Second
            } else {
                Leg::First
            },
            credential: self.credential(),
        }
    }

    /// The body: the same on all legs.
    pub(super) fn body_json(&self) -> Option<Cow<'_, Json>> {
        match (&self.operation.spec().body, &self.body) {
            (_, Some(body)) => Some(Cow::Borrowed(body)),
            (Body::Defaulted(_), None) => Some(Cow::Owned(Json::Object(Vec::new()))),
            (_, None) => None,
        }
    }

    /// What the transport sends, once all of the request is of its form. Fails with
    /// `invalid_argument`.
    #[inline(never)]
    pub(super) fn to_call(&self) -> Result<GridCall> {
        let spec = self.operation.spec();
        let params = self.checked_params()?;
        let (method, path) = match &self.route {
            Some(Route { method, path }) => (*method, path.clone()),
            None => (spec.method, self.operation.path(&params)?),
        };
        let headers = &self.headers;
        Ok(GridCall {
            operation: spec.id,
            method,
            path,
            params,
            body: self.body_json().map(|body| body.to_text()),
            stamp: headers.stamp.clone(),
            request_id: headers.request_id.clone(),
            idempotency_key: headers.idempotency_key.clone(),
        })
    }

    /// What stands in path and query, once all of the request is of its form. Fails with
    /// `invalid_argument`.
    fn checked_params(&self) -> Result<Vec<(&'static str, String)>> {
        let spec = self.operation.spec();
        let mut params = Vec::new();
        if let Some((name, kind)) = spec.subject {
            let id = self.id.as_deref().unwrap_or_default();
            validate::id(name, kind, id)?;
            params.push((name, id.to_owned()));
        }
        let none = Json::Object(Vec::new());
        let query = self.query.as_ref().unwrap_or(&none);
        check_request("query", &Shape::Object(spec.query), query)?;
        for member in spec.query {
            if let Some(Json::String(text) | Json::Number(text)) = query.get(member.name) {
                params.push((member.name, text.clone()));
            }
        }
        match (&spec.body, &self.body) {
            (Body::Required(shape), body) => {
                check_request("body", shape, body.as_ref().unwrap_or(&Json::Null))?;
            }
            (Body::Optional(shape) | Body::Defaulted(shape), Some(body)) => {
                check_request("body", shape, body)?;
            }
            (Body::Optional(_) | Body::Defaulted(_), None) | (Body::None, _) => {}
        }
        self.check_headers()?;
        Ok(params)
    }

    fn check_headers(&self) -> Result<()> {
        let SignedHeaders {
            stamp,
            request_id,
            idempotency_key,
        } = &self.headers;
        for (name, max, header) in [
            ("stamp", MAX_STAMP_CHARS, stamp),
            ("requestId", MAX_HEADER_CHARS, request_id),
            ("idempotencyKey", MAX_HEADER_CHARS, idempotency_key),
        ] {
            if let Some(header) = header {
                validate::header(name, max, header)?;
            }
        }
        let spec = self.operation.spec();
        let is_passkey = self.operation == Operation::VerifyAuthCredential
            && self.credential() == Some(AuthMethodType::Passkey);
        let (is_right, what) = match spec.signing {
            Signing::Retry(_) if is_passkey => (
                stamp.is_none() && request_id.is_some(),
                "of a passkey needs the challenge's `requestId`, and no `stamp`",
            ),
            Signing::Retry(_) => (
                stamp.is_some() == request_id.is_some(),
                "needs `stamp` and `requestId` together, or neither",
            ),
            Signing::AtOnce => (request_id.is_none(), "takes no `requestId`"),
            Signing::Unsigned => (
                stamp.is_none() && request_id.is_none(),
                "takes no `stamp` and no `requestId`",
            ),
        };
        if !is_right {
            return Err(Error::invalid_argument(filled("{} {}", &[spec.id, what])));
        }
        if idempotency_key.is_some() && !spec.takes_idempotency_key {
            return Err(Error::invalid_argument(filled(
                "{} takes no `idempotencyKey`",
                &[spec.id],
            )));
        }
        Ok(())
    }
}

/// An object of texts.
#[inline(never)]
pub(crate) fn texts(members: &[(&str, &str)]) -> Json {
    let mut object = Vec::new();
    for (name, text) in members {
        object.push(((*name).to_owned(), Json::from(*text)));
    }
    Json::Object(object)
}

/// `attestation` of a request.
pub fn attestation_json(attestation: &PasskeyAttestation) -> Json {
    let mut json = texts(&[
        ("credentialId", &attestation.credential_id),
        ("clientDataJson", &attestation.client_data_json),
        ("attestationObject", &attestation.attestation_object),
    ]);
    let transports = attestation.transports.iter();
    let transports = transports.map(|name| Json::from(name.as_str())).collect();
    if let Json::Object(members) = &mut json {
        members.push(("transports".to_owned(), Json::Array(transports)));
    }
    json
}

/// `assertion` of a request.
pub fn assertion_json(assertion: &PasskeyAssertion) -> Json {
    let mut members = vec![
        ("credentialId", assertion.credential_id.as_str()),
        ("clientDataJson", &assertion.client_data_json),
        ("authenticatorData", &assertion.authenticator_data),
        ("signature", &assertion.signature),
    ];
    if let Some(user_handle) = &assertion.user_handle {
        members.push(("userHandle", user_handle));
    }
    texts(&members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    const ACCOUNT: &str = "InternalAccount:1";

    fn attestation() -> PasskeyAttestation {
        PasskeyAttestation {
            credential_id: "AdKX".to_owned(),
            client_data_json: "eyJj".to_owned(),
            attestation_object: "o2Nm".to_owned(),
            transports: vec!["internal".to_owned()],
        }
    }

    fn passkey() -> Request {
        Request::new(Operation::CreateAuthCredential).with_body([
            ("type", "PASSKEY".into()),
            ("accountId", ACCOUNT.into()),
            ("nickname", "iPhone Face-ID".into()),
            ("challenge", "ArkQ".into()),
            ("attestation", attestation_json(&attestation())),
        ])
    }

    fn headers(stamp: bool, request_id: bool) -> SignedHeaders {
        SignedHeaders {
            stamp: stamp.then(|| "x".to_owned()),
            request_id: request_id.then(|| "Request:1".to_owned()),
            idempotency_key: None,
        }
    }

    #[test]
    fn the_passkey_body_has_the_documents_shape() {
        let request = passkey();
        assert!(request.checked_params().is_ok());
        assert_eq!(
            request.body.unwrap().to_text(),
            concat!(
                r#"{"type":"PASSKEY","accountId":"InternalAccount:1","nickname":"iPhone Face-ID","#,
                r#""challenge":"ArkQ","attestation":{"credentialId":"AdKX","#,
                r#""clientDataJson":"eyJj","attestationObject":"o2Nm","#,
                r#""transports":["internal"]}}"#
            )
        );
    }

    #[test]
    fn headers_go_together() {
        let revoke = Request::on(Operation::RevokeAuthSession, "Session:1");
        let assertion = Request::on(Operation::VerifyAuthCredential, "AuthMethod:1").with_body([
            ("type", "PASSKEY".into()),
            (
                "assertion",
                assertion_json(&PasskeyAssertion {
                    credential_id: "AdKX".to_owned(),
                    client_data_json: "eyJj".to_owned(),
                    authenticator_data: "AAAA".to_owned(),
                    signature: "MEUC".to_owned(),
                    user_handle: None,
                }),
            ),
        ]);
        let execute = Request::on(Operation::ExecuteQuote, "Quote:1");
        let list =
            Request::new(Operation::ListAuthSessions).with_query([("accountId", ACCOUNT.into())]);
        for (request, right) in [
            (passkey(), [(false, false), (true, true)].as_slice()),
            (revoke, &[(false, false), (true, true)]),
            (assertion, &[(false, true)]),
            (execute, &[(false, false), (true, false)]),
            (list, &[(false, false)]),
        ] {
            for pair in [(false, false), (false, true), (true, false), (true, true)] {
                let request = request.clone().with_headers(headers(pair.0, pair.1));
                let checked = request.checked_params();
                assert_eq!(
                    checked.is_ok(),
                    right.contains(&pair),
                    "{:?} {pair:?}: {checked:?}",
                    request.operation
                );
            }
        }
    }

    #[test]
    fn a_route_stays_below_the_relay() {
        for path in ["/new/things/Thing%3A1?limit=5", "/a"] {
            assert!(Route::new("POST", path.to_owned()).is_ok(), "{path}");
        }
        for path in [
            "",
            "a",
            "/",
            "//evil.example",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2E/b",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a b",
            "/a#b",
            "/a`b",
            "/a?{b}",
            "/é",
            "https://evil.example/",
            &format!("/{}", "a".repeat(2048)),
        ] {
            assert!(Route::new("POST", path.to_owned()).is_err(), "{path}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused() {
        for request in [
            Request::new(Operation::RevokeAuthSession),
            Request::on(Operation::RevokeAuthSession, "AuthMethod:1"),
            Request::new(Operation::ListAuthSessions),
            Request::new(Operation::ListAuthSessions)
                .with_query([("accountId", ACCOUNT.into()), ("x", "y".into())]),
            Request::new(Operation::CreateQuote),
            Request::on(Operation::RefreshAuthSession, "Session:1")
                .with_body([("clientPublicKey", "02".into())]),
        ] {
            let error = request.checked_params().unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{request:?}");
        }
    }
}
