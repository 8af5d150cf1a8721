//! The relay itself: each request's way from the browser to Grid and back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;

use crate::access::{Authorizer, Decision, Login, User};
use crate::body::{Members, RequestBody};
use crate::challenges::{ChallengeStore, MemoryChallengeStore};
use crate::concurrency::{self, Concurrency};
use crate::config::ConfigError;
use crate::forward::{self, GRID_WALLET_SIGNATURE};
use crate::grid::{Grid, GridAnswer, GridError, GridRequest};
use crate::operation::{self, Match, Operation, Switches};
use crate::origin::Origins;
use crate::passkey_registration::{PasskeyRegistration, PasskeyUserIds, RelyingParty};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::resource::Resource;

/// A relay at work: the state of the router that [`Relay::builder`] leads to.
pub struct Relay<L, A, S> {
    grid: Grid,
    login: L,
    authorizer: A,
    passkey_registration: PasskeyRegistration<S>,
    origins: Origins,
    switches: Switches,
    max_body_bytes: usize,
    body_time_limit: Duration,
    concurrency: Concurrency,
    on_verified: Option<OnVerified>,
}

/// The settings of a relay: what [`Relay::builder`] takes has no default, what the methods set has.
pub struct RelayBuilder<L, A, S> {
    grid: Grid,
    login: L,
    authorizer: A,
    relying_party: RelyingParty,
    store: S,
    user_id_secret: Option<Vec<u8>>,
    challenge_lifetime: Duration,
    allowed_origins: Vec<String>,
    allowed_headers: Vec<String>,
    switches: Switches,
    max_body_bytes: usize,
    body_time_limit: Duration,
    limits: concurrency::Limits,
    on_verified: Option<OnVerified>,
}

type OnVerified =
    Box<dyn Fn(User, Value) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl<L: Login, A: Authorizer> Relay<L, A, MemoryChallengeStore> {
    /// Begins a relay to `grid` for the customers that `login` knows, who may do what `authorizer`
    /// allows, and whose passkeys are made for `relying_party`.
    pub fn builder(
        grid: Grid,
        login: L,
        authorizer: A,
        relying_party: RelyingParty,
    ) -> RelayBuilder<L, A, MemoryChallengeStore> {
        RelayBuilder {
            grid,
            login,
            authorizer,
            relying_party,
            store: MemoryChallengeStore::default(),
            user_id_secret: None,
            challenge_lifetime: Duration::from_secs(300),
            allowed_origins: Vec::new(),
            allowed_headers: Vec::new(),
            switches: Switches::default(),
            max_body_bytes: 64 * 1024,
            body_time_limit: Duration::from_secs(10),
            limits: concurrency::Limits::default(),
            on_verified: None,
        }
    }
}

impl<L: Login, A: Authorizer, S: ChallengeStore> RelayBuilder<L, A, S> {
    /// The origins of the pages that may send requests, such as `https://wallet.example.com`.
    /// Without this, those of the origin the relay is reached at. Pages of the listed origins may
    /// be elsewhere than the relay: they get CORS answers, with credentials.
    pub fn allowed_origins<O: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = O>,
    ) -> Self {
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Headers that pages of other origins may send besides Grid's, for [`Login`] to read.
    pub fn allowed_headers<H: Into<String>>(mut self, names: impl IntoIterator<Item = H>) -> Self {
        self.allowed_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Offers `regenerateAgentDeviceCode` and `getAgentDeviceCodeStatus`. Off by default.
    pub fn agent_operations(mut self, on: bool) -> Self {
        self.switches.agent_operations = on;
        self
    }

    /// Offers `createDelegatedKey`. Off by default: the key that a customer creates by it spends
    /// from their wallet, without them, until it is revoked. Keys that exist are always listed,
    /// shown and revoked.
    pub fn delegated_keys(mut self, on: bool) -> Self {
        self.switches.delegated_keys = on;
        self
    }

    /// The secret (16 bytes or more) from which the passkeys' `user.id` is made. Every relay of a
    /// platform needs the same one, for good: with another, password managers list an account
    /// twice. Without this, a random one for the life of the process.
    pub fn user_id_secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.user_id_secret = Some(secret.into());
        self
    }

    /// Where challenges of passkey registrations are kept. By default in this process's memory.
    pub fn challenge_store<S2: ChallengeStore>(self, store: S2) -> RelayBuilder<L, A, S2> {
        RelayBuilder {
            grid: self.grid,
            login: self.login,
            authorizer: self.authorizer,
            relying_party: self.relying_party,
            store,
            user_id_secret: self.user_id_secret,
            challenge_lifetime: self.challenge_lifetime,
            allowed_origins: self.allowed_origins,
            allowed_headers: self.allowed_headers,
            switches: self.switches,
            max_body_bytes: self.max_body_bytes,
            body_time_limit: self.body_time_limit,
            limits: self.limits,
            on_verified: self.on_verified,
        }
    }

    /// For how long a challenge of a passkey registration holds. 5 minutes by default.
    pub fn challenge_lifetime(mut self, lifetime: Duration) -> Self {
        self.challenge_lifetime = lifetime;
        self
    }

    /// The longest request body. 64 KiB by default.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// How long a request's body may take to arrive. 10 seconds by default.
    pub fn body_time_limit(mut self, limit: Duration) -> Self {
        self.body_time_limit = limit;
        self
    }

    /// How many requests of customers may be under way at once. 512 by default. Each has a
    /// connection to Grid, and is held in memory until Grid has answered. Further ones are
    /// answered at once, by 503 with `Retry-After`.
    pub fn max_concurrent_requests(mut self, requests: usize) -> Self {
        self.limits.total = requests;
        self
    }

    /// How many of those may be of one operation. 256 by default. While Grid stalls on one
    /// operation, the others have the rest.
    pub fn max_concurrent_requests_per_operation(mut self, requests: usize) -> Self {
        self.limits.per_operation = requests;
        self
    }

    /// How many of those may be of one customer. 32 by default. Further ones are answered by 429
    /// with `Retry-After`.
    pub fn max_concurrent_requests_per_user(mut self, requests: usize) -> Self {
        self.limits.per_user = requests;
        self
    }

    /// Called when Grid has accepted a sign-in, before the browser hears of it, and also if the
    /// browser has hung up meanwhile. The JSON is Grid's `AuthSession` without its
    /// `encryptedSessionSigningKey`.
    pub fn on_verified<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(User, Value) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.on_verified = Some(Box::new(move |user, session| Box::pin(hook(user, session))));
        self
    }

    /// The relay as a router, to be served at the root or nested at any path.
    pub fn router(self) -> Result<Router, ConfigError> {
        let origins = Origins::new(&self.allowed_origins)?;
        let allowed_headers = self
            .allowed_headers
            .iter()
            .map(|name| {
                name.parse()
                    .map_err(|_| ConfigError::InvalidHeaderName(name.clone()))
            })
            .collect::<Result<Vec<HeaderName>, _>>()?;
        let cors = origins.cors(&allowed_headers);
        let user_id_secret = match self.user_id_secret {
            Some(secret) => secret,
            None => random_secret()?,
        };

        let relay = Relay {
            grid: self.grid,
            login: self.login,
            authorizer: self.authorizer,
            passkey_registration: PasskeyRegistration {
                relying_party: self.relying_party,
                user_ids: PasskeyUserIds::new(&user_id_secret)?,
                challenge_lifetime: self.challenge_lifetime,
                store: self.store,
            },
            origins,
            switches: self.switches,
            max_body_bytes: self.max_body_bytes,
            body_time_limit: self.body_time_limit,
            concurrency: Concurrency::new(self.limits),
            on_verified: self.on_verified,
        };
        // Not a fallback: that of a router which is nested twice is lost.
        let router = Router::new()
            .route("/", any(answer::<L, A, S>))
            .route("/{*path}", any(answer::<L, A, S>))
            .with_state(Arc::new(relay));
        Ok(match cors {
            Some(cors) => router.layer(cors),
            None => router,
        })
    }
}

async fn answer<L: Login, A: Authorizer, S: ChallengeStore>(
    State(relay): State<Arc<Relay<L, A, S>>>,
    request: Request,
) -> Response {
    let begin = Instant::now();
    let found = if has_doubled_slash(&request) {
        Err(Refusal::UnknownPath)
    } else {
        operation::find(request.method(), request.uri().path(), relay.switches)
    };
    let operation = found
        .as_ref()
        .map_or("none", |found| found.row.operation.id());
    let mut response = match relay.answer(found, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    forward::protect(&mut response);
    // Neither path nor query, header or body: identifiers are personal, and the rest is secret.
    tracing::info!(
        operation,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Whether there is an empty segment between the mount point and the operation's path. axum strips
/// it with the mount point, and a proxy in front may have rules by path that it slipped through.
fn has_doubled_slash(request: &Request) -> bool {
    let original = request.extensions().get::<OriginalUri>();
    let mounted_at =
        original.and_then(|original| original.path().strip_suffix(request.uri().path()));
    mounted_at.is_some_and(|mounted_at| mounted_at.ends_with('/'))
}

impl<L: Login, A: Authorizer, S: ChallengeStore> Relay<L, A, S> {
    async fn answer(
        self: &Arc<Self>,
        found: Result<Match, Refusal>,
        request: Request,
    ) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        self.origins.check(&parts)?;
        let Match { row, resource } = found?;
        let user = self
            .login
            .identify(&parts)
            .await
            .map_err(|_| Refusal::unavailable())?;
        let user = user.ok_or(Refusal::SignedOut)?;
        // Not before: who is nobody's customer takes no customer's place.
        let place = self.concurrency.admit(row.operation, &user.id)?;
        let body = RequestBody::read(
            &parts,
            body,
            &row.body,
            self.max_body_bytes,
            self.body_time_limit,
        )
        .await?;

        let query = Query::read(&parts.uri, row.query)?;
        let named = resource.iter().chain(&query.resources);
        let resources: Vec<Resource> = named.chain(&body.resources).cloned().collect();
        if resources.is_empty() {
            return Err(Refusal::invalid(
                "The request does not say what it is about.",
            ));
        }
        let decision = self
            .authorizer
            .authorize(&user, row.operation, &resources)
            .await;
        match decision.map_err(|_| Refusal::unavailable())? {
            Decision::Allow => {}
            Decision::Deny => return Err(Refusal::forbidden()),
            Decision::NotFound => return Err(Refusal::not_found()),
        }

        if row.operation == Operation::CreatePasskeyRegistrationOptions {
            let account_id = body.members.text("accountId").unwrap_or_default();
            return self
                .passkey_registration
                .options(&self.grid, &user, account_id)
                .await;
        }

        let request = GridRequest {
            method: parts.method.clone(),
            path_and_query: format!("{}{}", row.grid_path(resource.as_ref()), query.encoded),
            headers: forward::request_headers(&parts, &body.bytes)?,
            body: body.bytes,
        };
        let answer = match row.operation {
            Operation::CreateAuthCredential => {
                self.create_auth_credential(&user, &body.members, request)
                    .await?
            }
            Operation::VerifyAuthCredential => {
                let relay = Arc::clone(self);
                // On its own, because this future ends with the client's connection: a page that
                // hangs up must not keep a session from the platform.
                let verified = tokio::spawn(async move {
                    let answer = relay.grid.send(request).await;
                    // However long the platform takes to hear of it, it is Grid's answer that was waited for.
                    drop(place);
                    let answer = answer?;
                    if answer.status == StatusCode::OK {
                        relay.tell_verified(user, &answer).await;
                    }
                    Ok::<_, Refusal>(answer)
                });
                verified.await.map_err(|_| Refusal::internal())??
            }
            _ => self.grid.send(request).await?,
        };
        Ok(forward::response(answer))
    }

    /// A passkey is created only with a challenge that was issued for it, and only once.
    async fn create_auth_credential(
        &self,
        user: &User,
        members: &Members,
        request: GridRequest,
    ) -> Result<GridAnswer, Refusal> {
        match members.text("type") {
            Some("PASSKEY") => {}
            Some("EMAIL_OTP" | "OAUTH" | "SMS_OTP") => return Ok(self.grid.send(request).await?),
            _ => {
                return Err(Refusal::invalid(
                    "The credential's type is missing or unknown.",
                ));
            }
        }
        let registration = &self.passkey_registration;
        let account_id = members.text("accountId").unwrap_or_default();
        let challenge = members.text("challenge").unwrap_or_default();
        let issued = registration.find(user, account_id, challenge).await?;

        if request.headers.contains_key(GRID_WALLET_SIGNATURE) {
            // Taken before it is sent, so that of two simultaneous retries one is refused.
            registration.take(&issued).await?;
            let answer = self.grid.send(request).await?;
            // Given back only where Grid certainly created nothing, for a further attempt.
            if answer.status == StatusCode::ACCEPTED || answer.status.is_client_error() {
                registration.give_back(issued).await;
            }
            return Ok(answer);
        }
        let answer = self.grid.send(request).await?;
        if answer.status == StatusCode::CREATED {
            registration.take(&issued).await?;
        }
        Ok(answer)
    }

    async fn tell_verified(&self, user: User, answer: &GridAnswer) {
        let Some(on_verified) = &self.on_verified else {
            return;
        };
        let Ok(mut session) = serde_json::from_slice::<Value>(&answer.body) else {
            return;
        };
        if let Some(session) = session.as_object_mut() {
            session.remove("encryptedSessionSigningKey");
        }
        on_verified(user, session).await;
    }
}

impl From<GridError> for Refusal {
    fn from(error: GridError) -> Self {
        tracing::warn!(?error, "Grid gave no answer");
        match error {
            GridError::TooLate => Self::grid_too_late(),
            GridError::Unreachable | GridError::Status(_) | GridError::Malformed => {
                Self::grid_unreachable()
            }
        }
    }
}

fn random_secret() -> Result<Vec<u8>, ConfigError> {
    tracing::warn!("no secret for the passkeys' user ids: they change when the relay starts again");
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|_| ConfigError::NoRandomness)?;
    Ok(secret)
}
