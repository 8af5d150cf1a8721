//! An identity provider of the sandbox's own: OpenID Connect's implicit flow without a password, for
//! demos and tests that cannot ask a real one.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, REFERRER_POLICY,
        },
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{
    PublicKey,
    ecdsa::{Signature, SigningKey, VerifyingKey, signature::Verifier},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock::Millis,
    enclaves::{generate_signing_key, sign_jws},
    keys::uncompressed,
    sandbox::Sandbox,
    state::Customer,
};

/// `iss` of the sandbox's own identity provider. The provider is found at the sandbox's address, not
/// here: nobody knows the port beforehand.
pub const OIDC_ISSUER: &str = "https://oidc.sandbox.example";

const KEY_ID: &str = "sandbox";
const TOKEN_LIFE_SECONDS: i64 = 3600;

/// Whom the provider knows. In JSON `"ada"` and `"bo"`, which is their `sub`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OidcUser {
    /// The first customer.
    Ada,
    /// The second customer.
    Bo,
}

/// The provider's key; it outlives a reset, as the enclaves' do.
pub(crate) struct Provider(SigningKey);

/// What is asked of `POST /sandbox/oidc/token`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TokenRequest {
    user: OidcUser,
    client_id: String,
    nonce: Option<String>,
}

/// A request that was checked: it is safe to redirect.
struct Authorization {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
}

impl OidcUser {
    const ALL: [Self; 2] = [Self::Ada, Self::Bo];

    fn of(sub: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.sub() == sub)
    }

    fn sub(self) -> &'static str {
        match self {
            Self::Ada => "ada",
            Self::Bo => "bo",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ada => "Ada",
            Self::Bo => "Bo",
        }
    }

    fn email(self, customers: &[Customer]) -> Option<&str> {
        let mut customers = customers.iter();
        customers
            .find(|customer| customer.name == self.name())
            .map(|customer| customer.email.as_str())
    }
}

impl Provider {
    pub(crate) fn generate() -> Self {
        Self(generate_signing_key())
    }

    fn sign(&self, user: OidcUser, client_id: &str, nonce: Option<&str>, now: Millis) -> String {
        let issued_at = now.div_euclid(1000);
        let mut claims = json!({
            "iss": OIDC_ISSUER,
            "aud": client_id,
            "sub": user.sub(),
            "email": user.email(&crate::state::seeded_customers()),
            "iat": issued_at,
            "exp": issued_at.saturating_add(TOKEN_LIFE_SECONDS),
        });
        if let (Some(nonce), Some(members)) = (nonce, claims.as_object_mut()) {
            members.insert("nonce".to_owned(), json!(nonce));
        }
        let header = json!({ "alg": "ES256", "kid": KEY_ID, "typ": "JWT" });
        sign_jws(&self.0, &header, &claims)
    }

    /// Whether the provider signed this compact JWS.
    pub(crate) fn signed(&self, token: &str) -> bool {
        let verify = || {
            let (input, signature) = token.rsplit_once('.')?;
            let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
            let signature = Signature::from_slice(&signature).ok()?;
            let key = VerifyingKey::from(&self.0);
            key.verify(input.as_bytes(), &signature).ok()
        };
        verify().is_some()
    }

    /// A JWK set (RFC 7517).
    fn jwks(&self) -> Value {
        let point = uncompressed(&PublicKey::from(self.0.verifying_key()));
        let coordinate = |skip: usize| {
            let bytes: Vec<u8> = point.iter().skip(skip).take(32).copied().collect();
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        json!({
            "keys": [{
                "kty": "EC",
                "crv": "P-256",
                "alg": "ES256",
                "use": "sig",
                "kid": KEY_ID,
                "x": coordinate(1),
                "y": coordinate(33),
            }],
        })
    }
}

impl Sandbox {
    /// An ID token of the sandbox's own provider, issued now.
    pub fn id_token(&self, user: OidcUser, client_id: &str, nonce: Option<&str>) -> String {
        let now = self.state().clock.now();
        self.provider().sign(user, client_id, nonce, now)
    }
}

/// What is below `/sandbox/oidc`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/authorize", get(authorize))
        .route("/sign-in", get(sign_in))
        .route("/token", post(token))
        .route("/jwks", get(jwks))
        .route("/.well-known/openid-configuration", get(configuration))
}

async fn token(State(sandbox): State<Sandbox>, Json(request): Json<TokenRequest>) -> Json<Value> {
    let nonce = request.nonce.as_deref();
    let token = sandbox.id_token(request.user, &request.client_id, nonce);
    Json(json!({ "idToken": token }))
}

async fn jwks(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(sandbox.provider().jwks())
}

async fn configuration(headers: HeaderMap) -> Json<Value> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let base = format!("http://{}/sandbox/oidc", host.unwrap_or("localhost"));
    Json(json!({
        "issuer": OIDC_ISSUER,
        "authorization_endpoint": format!("{base}/authorize"),
        "jwks_uri": format!("{base}/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn authorize(Query(query): Query<HashMap<String, String>>) -> Response {
    let request = match Authorization::check(&query) {
        Ok(request) => request,
        Err(message) => return (StatusCode::BAD_REQUEST, message).into_response(),
    };
    let get = |name: &str| query.get(name).map(String::as_str);
    if get("response_type") != Some("id_token") {
        return request.redirect("error", "unsupported_response_type");
    }
    // Nobody is ever signed in here (OpenID Connect Core, 3.1.2.6).
    if get("prompt") == Some("none") {
        return request.redirect("error", "login_required");
    }
    let buttons = OidcUser::ALL.map(|user| {
        format!(
            "<p><button name=\"user\" value=\"{}\">Sign in as {}</button></p>",
            user.sub(),
            user.name(),
        )
    });
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Sandbox sign-in</title>\n\
         </head>\n<body>\n<main>\n<h1>Sandbox sign-in</h1>\n<p>{} wants to know who you are.</p>\n\
         <form action=\"sign-in\">\n{}\n{}\n</form>\n</main>\n</body>\n</html>\n",
        escape_html(&request.client_id),
        request.inputs(),
        buttons.concat(),
    );
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page).into_response()
}

async fn sign_in(
    State(sandbox): State<Sandbox>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let request = match Authorization::check(&query) {
        Ok(request) => request,
        Err(message) => return (StatusCode::BAD_REQUEST, message).into_response(),
    };
    let Some(user) = query.get("user").and_then(|sub| OidcUser::of(sub)) else {
        return request.redirect("error", "access_denied");
    };
    let token = sandbox.id_token(user, &request.client_id, request.nonce.as_deref());
    request.redirect("id_token", &token)
}

impl Authorization {
    /// Refuses, without a redirect, what names no client or no place on this machine to return to.
    fn check(query: &HashMap<String, String>) -> Result<Self, &'static str> {
        let get = |name: &str| query.get(name).filter(|text| !text.is_empty()).cloned();
        let client_id = get("client_id").ok_or("client_id is required")?;
        let redirect_uri = get("redirect_uri")
            .filter(|uri| is_loopback(uri))
            .ok_or("redirect_uri is required, and http on a loopback host")?;
        Ok(Self {
            client_id,
            redirect_uri,
            state: get("state"),
            nonce: get("nonce"),
        })
    }

    /// The request once more, as hidden inputs.
    fn inputs(&self) -> String {
        [
            ("client_id", Some(&self.client_id)),
            ("redirect_uri", Some(&self.redirect_uri)),
            ("state", self.state.as_ref()),
            ("nonce", self.nonce.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            let value = escape_html(value?);
            Some(format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"
            ))
        })
        .collect()
    }

    /// 303 with the answer in the fragment.
    fn redirect(&self, name: &str, value: &str) -> Response {
        let mut location = format!("{}#{name}={}", self.redirect_uri, encode(value));
        if let Some(state) = &self.state {
            location.push_str("&state=");
            location.push_str(&encode(state));
        }
        (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
    }
}

/// `http` on this machine, without user information and without a fragment.
fn is_loopback(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("http://") else {
        return false;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&host)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Percent-encodes all but the unreserved characters of RFC 3986, 2.3.
fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn redirects_stay_on_this_machine() {
        for uri in [
            "http://localhost",
            "http://localhost:5173/",
            "http://127.0.0.1:80/callback?x=1",
            "http://[::1]:8080/x",
            "http://[::1]",
        ] {
            assert!(is_loopback(uri), "{uri}");
        }
        for uri in [
            "https://localhost/",
            "http://localhost.example/",
            "http://localhost@example.com/",
            "http://localhost:80@example.com/",
            "http://example.com/localhost",
            "http://127.0.0.1.example:80/",
            "http://localhost:99999/",
            "http://localhost/#x",
            "http://localhost/\r\nx",
            "//localhost/",
            "",
        ] {
            assert!(!is_loopback(uri), "{uri}");
        }
    }
}
