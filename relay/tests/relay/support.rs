//! A platform with two customers, and a Grid that writes down what it is asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::{Builder, Parts};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gridkey_relay::{
    Authorizer, Decision, Grid, Login, Operation, Owned, OwnedResources, Ownership, Relay,
    RelayBuilder, RelyingParty, Resource, Unavailable, User,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

pub const CLIENT_ID: &str = "client-id";
pub const CLIENT_SECRET: &str = "client-secret-canary";
pub const ORIGIN: &str = "https://wallet.example";

pub const ALICE_ACCOUNT: &str = "InternalAccount:alice";
pub const ALICE_AUTH_METHOD: &str = "AuthMethod:alice";
pub const ALICE_SESSION: &str = "Session:alice";
pub const ALICE_AGENT: &str = "Agent:alice";
pub const ALICE_CUSTOMER: &str = "Customer:alice";
pub const ALICE_DELEGATED_KEY: &str = "DelegatedKey:alice";
pub const ALICE_QUOTE: &str = "Quote:alice";

/// Signed in by the header `x-user`, as `alice` or `bob`.
#[derive(Clone)]
pub struct Platform;

impl Login for Platform {
    async fn identify(&self, request: &Parts) -> Result<Option<User>, Unavailable> {
        match request
            .headers
            .get("x-user")
            .map(|value| value.to_str().unwrap())
        {
            None => Ok(None),
            Some("outage") => Err(Unavailable),
            Some(name) => Ok(Some(User::new(name, format!("{name}@example.com")))),
        }
    }
}

impl Ownership for Platform {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        let name = &user.id;
        Ok(Owned {
            account_ids: vec![
                format!("InternalAccount:{name}"),
                format!("InternalAccount:{name}-second"),
            ],
            agent_ids: vec![format!("Agent:{name}")],
            card_funding_source_ids: vec![format!("CardFundingSource:{name}")],
            card_ids: vec![format!("Card:{name}")],
            customer_ids: vec![format!("Customer:{name}")],
            external_account_ids: vec![format!("ExternalAccount:{name}")],
        })
    }
}

/// Gives the same answer to everything, and remembers what it was asked.
#[derive(Clone)]
pub struct Always {
    pub answer: Result<Decision, Unavailable>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

type Asked = (Operation, Vec<Resource>);

impl Always {
    pub fn new(answer: Result<Decision, Unavailable>) -> Self {
        Self {
            answer,
            asked: Arc::default(),
        }
    }
}

impl Authorizer for Always {
    async fn authorize(
        &self,
        _: &User,
        operation: Operation,
        resources: &[Resource],
    ) -> Result<Decision, Unavailable> {
        self.asked
            .lock()
            .unwrap()
            .push((operation, resources.to_vec()));
        self.answer
    }
}

/// A request as Grid got it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A Grid on loopback. It knows the credentials, sessions, delegated keys and quotes of `alice` and
/// `bob`; to everything else it gives the answers it was told to give, and then 200 with an empty
/// object.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    state: Arc<Mutex<UpstreamState>>,
}

#[derive(Default)]
struct UpstreamState {
    seen: Vec<Seen>,
    answers: VecDeque<Response>,
    delay: Duration,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<UpstreamState>>::default();
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, state }
    }

    pub fn will_answer(&self, answer: impl IntoResponse) {
        self.state
            .lock()
            .unwrap()
            .answers
            .push_back(answer.into_response());
    }

    pub fn will_wait(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// Everything Grid was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn grid(&self) -> Grid {
        self.grid_with_time_limit(Duration::from_secs(10))
    }

    pub fn grid_with_time_limit(&self, time_limit: Duration) -> Grid {
        let base_url = format!("http://{}/grid/2025-10-13/", self.address);
        Grid::new(&base_url, CLIENT_ID, CLIENT_SECRET, time_limit).unwrap()
    }
}

async fn answer(State(state): State<Arc<Mutex<UpstreamState>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let path_and_query = parts.uri.path_and_query().unwrap().as_str();
    let path_and_query = path_and_query
        .strip_prefix("/grid/2025-10-13")
        .unwrap()
        .to_owned();
    let (told, delay) = {
        let mut state = state.lock().unwrap();
        state.seen.push(Seen {
            method: parts.method.clone(),
            path_and_query: path_and_query.clone(),
            headers: parts.headers,
            body,
        });
        (state.answers.pop_front(), state.delay)
    };
    tokio::time::sleep(delay).await;
    told.unwrap_or_else(|| known(&parts.method, &path_and_query))
}

fn known(method: &Method, path_and_query: &str) -> Response {
    if let (&Method::GET, Some(id)) = (method, path_and_query.strip_prefix("/quotes/")) {
        return quote(id);
    }
    let json = match path_and_query.split_once("?accountId=InternalAccount:") {
        Some(("/auth/credentials", name)) => credentials(name),
        Some(("/auth/delegated-keys", name)) => delegated_keys(name),
        Some(("/auth/sessions", name)) => sessions(name),
        _ => json!({}),
    };
    axum::Json(json).into_response()
}

/// Each customer has a passkey on the first account and an e-mail address on the second.
fn credentials(name: &str) -> Value {
    let is_second = name.ends_with("-second");
    json!({ "data": [{
        "id": format!("AuthMethod:{name}"),
        "type": if is_second { "EMAIL_OTP" } else { "PASSKEY" },
        "credentialId": format!("credential-of-{name}"),
    }] })
}

fn sessions(name: &str) -> Value {
    json!({ "data": [{ "id": format!("Session:{name}") }] })
}

fn delegated_keys(name: &str) -> Value {
    json!({ "data": [{
        "id": format!("DelegatedKey:{name}"),
        "accountId": format!("InternalAccount:{name}"),
    }] })
}

/// Each customer has a quote from the first account, and one that is paid by a bank transfer.
fn quote(id: &str) -> Response {
    let name = id.trim_start_matches("Quote:");
    let source = match name.split_once('-') {
        None if ["alice", "bob"].contains(&name) => {
            let account_id = format!("InternalAccount:{name}");
            json!({ "sourceType": "ACCOUNT", "accountId": account_id })
        }
        Some((name, "realtime")) => {
            json!({ "sourceType": "REALTIME_FUNDING", "customerId": format!("Customer:{name}") })
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(json!({ "id": id, "source": source })).into_response()
}

/// A relay's router as the platform mounts it.
pub struct Mounted(pub Router);

impl Mounted {
    /// A relay that authorises by ownership.
    pub fn by_ownership(upstream: &Upstream) -> Self {
        let grid = upstream.grid();
        let authorizer = OwnedResources::new(grid.clone(), Platform);
        Self::nested(
            builder(grid, authorizer)
                .agent_operations(true)
                .delegated_keys(true)
                .router()
                .unwrap(),
        )
    }

    /// A relay whose authorizer allows everything.
    pub fn allowing(upstream: &Upstream) -> Self {
        let authorizer = Always::new(Ok(Decision::Allow));
        let builder = builder(upstream.grid(), authorizer);
        Self::nested(
            builder
                .agent_operations(true)
                .delegated_keys(true)
                .router()
                .unwrap(),
        )
    }

    pub fn nested(router: Router) -> Self {
        Self(Router::new().nest("/api/grid", router))
    }

    pub async fn send(&self, request: axum::http::Request<Body>) -> Answer {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

pub fn builder<A: Authorizer>(
    grid: Grid,
    authorizer: A,
) -> RelayBuilder<Platform, A, gridkey_relay::MemoryChallengeStore> {
    let relying_party = RelyingParty {
        id: "wallet.example".into(),
        name: "Wallet".into(),
    };
    Relay::builder(grid, Platform, authorizer, relying_party)
        .allowed_origins([ORIGIN])
        .user_id_secret(*b"a secret of more than 16 bytes")
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts an error of the relay's own, in Grid's shape.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        let body = self.json();
        assert_eq!(body["status"], status);
        assert_eq!(body["code"], code);
        assert!(!body["message"].as_str().unwrap().is_empty());
        self.assert_headers();
    }

    /// Not in Grid's shape: a 404 of Grid's says that a resource is gone.
    pub fn assert_unknown_path(&self) {
        assert_eq!(self.status, 404, "{:?}", self.body);
        assert_eq!(self.json(), json!({ "error": "unsupported_operation" }));
        self.assert_headers();
    }

    fn assert_headers(&self) {
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["cache-control"], "no-store");
    }
}

/// A request of Alice's page, below the mount point.
pub fn request(method: Method, path: &str) -> Builder {
    request_of("alice", method, path)
}

pub fn request_of(user: &str, method: Method, path: &str) -> Builder {
    axum::http::Request::builder()
        .method(method)
        .uri(format!("/api/grid{path}"))
        .header("host", "wallet.example")
        .header("origin", ORIGIN)
        .header("x-user", user)
}

/// A POST of Alice's page.
pub fn post(path: &str, body: &Value) -> axum::http::Request<Body> {
    post_of("alice", path, body)
}

pub fn post_of(user: &str, path: &str, body: &Value) -> axum::http::Request<Body> {
    request_of(user, Method::POST, path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

pub fn patch_of(user: &str, path: &str, body: &Value) -> axum::http::Request<Body> {
    let mut request = post_of(user, path, body);
    *request.method_mut() = Method::PATCH;
    request
}

/// A request of Alice's page without a body.
pub fn bare(method: Method, path: &str) -> axum::http::Request<Body> {
    request(method, path).body(Body::empty()).unwrap()
}
