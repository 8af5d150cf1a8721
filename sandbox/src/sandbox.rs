//! The sandbox as a whole: one lock around its state, a router for the Grid operations and one for
//! its own surface.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, RequestExt, Router,
    body::Body,
    extract::{Query, RawPathParams, Request, State},
    http::{self, HeaderValue, StatusCode, header::DATE},
    middleware::map_response_with_state,
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on, post},
};
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinHandle};

#[cfg(feature = "conformance")]
use axum::http::{Method, Uri};

#[cfg(feature = "conformance")]
use crate::conformance::{self, Violation};
use crate::{
    clock::http_date,
    control::Command,
    counts::{RequestCounts, count},
    enclaves::{EnclaveKeys, Enclaves},
    errors::{GridError, Reason, Result},
    http::{Answer, GridRequest},
    lies::Liar,
    oidc_provider::{self, Provider},
    operation::Operation,
    options::SandboxOptions,
    sessions::SessionRecord,
    state::{self, Customer, Grid, seeded_customers},
};

const MAX_BODY_BYTES: usize = 1 << 20;

/// A local Grid. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    options: SandboxOptions,
    enclaves: Enclaves,
    provider: Provider,
    state: Mutex<state::State>,
}

impl Sandbox {
    /// A sandbox with the seeded customers and fresh enclave keys.
    pub fn new(options: SandboxOptions) -> Self {
        let state = Mutex::new(state::State::seeded(&options));
        Self(Arc::new(Shared {
            options,
            enclaves: Enclaves::generate(),
            provider: Provider::generate(),
            state,
        }))
    }

    /// The Grid operations at their own paths, and the sandbox's surface below `/sandbox`.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for operation in Operation::ALL {
            let sandbox = self.clone();
            let filter = MethodFilter::try_from(operation.method()).unwrap_or(MethodFilter::POST);
            let handler = move |request| async move { sandbox.answer(operation, request).await };
            router = router.route(operation.path(), on(filter, handler));
        }
        let router = router.nest("/sandbox", self.own_surface());
        #[cfg(feature = "conformance")]
        let router = self.with_unknown_paths(router);
        router.layer(map_response_with_state(self.clone(), date))
    }

    /// Paths and methods of no operation.
    #[cfg(feature = "conformance")]
    fn with_unknown_paths(&self, router: Router) -> Router {
        let record = |status| {
            let sandbox = self.clone();
            async move |method: Method, uri: Uri| {
                sandbox
                    .state()
                    .violations
                    .push(conformance::unknown_path(&method, uri.path()));
                status
            }
        };
        router
            .fallback(record(StatusCode::NOT_FOUND))
            .method_not_allowed_fallback(record(StatusCode::METHOD_NOT_ALLOWED))
    }

    fn own_surface(&self) -> Router {
        fn view<T: Serialize>(State(sandbox): State<Sandbox>, see: fn(&Sandbox) -> T) -> Json<T> {
            Json(see(&sandbox))
        }
        let router = Router::new()
            .route(
                "/enclave-keys",
                get(|sandbox| async { view(sandbox, Self::enclave_keys) }),
            )
            .route(
                "/customers",
                get(|sandbox| async { view(sandbox, Self::customers) }),
            )
            .route(
                "/sessions",
                get(|sandbox| async { view(sandbox, Self::sessions) }),
            )
            .route(
                "/requests",
                get(|sandbox| async { view(sandbox, Self::requests) }),
            )
            .route("/control", post(control))
            .nest("/oidc", oidc_provider::router());
        #[cfg(feature = "conformance")]
        let router = router.route(
            "/violations",
            get(|sandbox| async { view(sandbox, Self::violations) }),
        );
        router.with_state(self.clone())
    }

    /// The public keys of this sandbox's enclaves.
    pub fn enclave_keys(&self) -> EnclaveKeys {
        self.0.enclaves.public_keys()
    }

    /// The seeded customers.
    pub fn customers(&self) -> Vec<Customer> {
        seeded_customers()
    }

    /// All sessions ever issued.
    pub fn sessions(&self) -> Vec<SessionRecord> {
        self.state().session_records()
    }

    /// How many requests arrived, per operation and leg.
    pub fn requests(&self) -> RequestCounts {
        self.state().counts.clone()
    }

    /// Traffic that was not what Grid's documents specify.
    #[cfg(feature = "conformance")]
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    async fn answer(&self, operation: Operation, request: Request) -> Response {
        let request = match read(operation, request).await {
            Ok(request) => request,
            Err(error) => return error.to_answer().into_response(),
        };
        #[cfg(feature = "conformance")]
        let violation = conformance::check_request(&request);
        let fault = {
            let mut state = self.state();
            let leg = state.leg(&request);
            count(&mut state.counts, operation, leg);
            #[cfg(feature = "conformance")]
            state.violations.extend(violation);
            state.faults.take(operation, leg)
        };
        let Some(fault) = fault else {
            let (head, text) = self.process(&request);
            return head.map(|()| Body::from(text));
        };
        fault.delay().await;
        if let Some(response) = fault.answer_instead() {
            return response;
        }
        let (head, text) = self.process(&request);
        fault.spoil(head, text)
    }

    fn process(&self, request: &GridRequest) -> (http::Response<()>, String) {
        let mut state = self.state();
        let now = state.clock.now();
        let enclaves = &self.0.enclaves;
        let mut grid = Grid {
            options: &self.0.options,
            enclaves,
            provider: &self.0.provider,
            state: &mut state,
            now,
        };
        let mut answer = grid
            .perform(request)
            .unwrap_or_else(|error| error.to_answer());
        let session_key = answer.session_id().and_then(|id| state.session(id));
        let liar = Liar {
            enclaves,
            now,
            session_key: session_key.map(|s| s.public_key),
            client_public_key: request.client_public_key(),
        };
        let lie = state.lies.tell(request.operation, &mut answer, &liar);
        #[cfg(feature = "conformance")]
        {
            state.renames.rename(request.operation, &mut answer);
            state
                .violations
                .extend(conformance::check_answer(request, &answer));
        }
        (answer.head(), lie.unwrap_or_else(|| answer.text()))
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.0.provider
    }

    pub(crate) fn options(&self) -> &SandboxOptions {
        &self.0.options
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, state::State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grid<'_> {
    fn perform(&mut self, request: &GridRequest) -> Result<Answer> {
        if request.operation.is_platform_authenticated() {
            request.check_platform(self.options)?;
        }
        match request.operation {
            Operation::CreateAuthCredential => self.create_auth_credential(request),
            Operation::ListAuthCredentials => self.list_auth_credentials(request),
            Operation::RevokeAuthCredential => self.revoke_auth_credential(request),
            Operation::ChallengeAuthCredential => self.challenge_auth_credential(request),
            Operation::VerifyAuthCredential => self.verify_auth_credential(request),
            Operation::ListAuthSessions => self.list_auth_sessions(request),
            Operation::RevokeAuthSession => self.revoke_auth_session(request),
            Operation::RefreshAuthSession => self.refresh_auth_session(request),
            Operation::ListCustomerInternalAccounts => {
                self.list_customer_internal_accounts(request)
            }
            Operation::UpdateInternalAccount => self.update_internal_account(request),
            Operation::ExportInternalAccount => self.export_internal_account(request),
            Operation::UpdateCustomerById => self.update_customer_by_id(request),
            Operation::CreateQuote => self.create_quote(request),
            Operation::GetQuoteById => self.get_quote_by_id(request),
            Operation::ExecuteQuote => self.execute_quote(request),
            Operation::AuthorizeQuote => self.authorize_quote(request),
            Operation::ResendQuoteScaCode => self.resend_quote_sca_code(request),
            Operation::CreateDelegatedKey => self.create_delegated_key(request),
            Operation::ListDelegatedKeys => self.list_delegated_keys(request),
            Operation::GetDelegatedKeyById => self.get_delegated_key_by_id(request),
            Operation::RevokeDelegatedKey => self.revoke_delegated_key(request),
            Operation::RegenerateAgentDeviceCode => self.regenerate_agent_device_code(request),
            Operation::GetAgentDeviceCodeStatus => self.get_agent_device_code_status(request),
            Operation::RedeemAgentDeviceCode => self.redeem_agent_device_code(request),
        }
    }
}

/// Dates an answer by sandbox time.
async fn date(State(sandbox): State<Sandbox>, mut response: Response) -> Response {
    let now = sandbox.state().clock.now();
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// 204, or 422 with the reason in plain text.
async fn control(State(sandbox): State<Sandbox>, Json(command): Json<Command>) -> StatusCode {
    sandbox.control(command);
    StatusCode::NO_CONTENT
}

async fn read(operation: Operation, mut request: Request) -> Result<GridRequest> {
    let unreadable = || GridError::invalid_input(Reason::BodyMalformed, "unreadable request");
    let params: RawPathParams = request.extract_parts().await.map_err(|_| unreadable())?;
    let query: Query<HashMap<String, String>> =
        request.extract_parts().await.map_err(|_| unreadable())?;
    let (parts, body) = request.into_parts();
    Ok(GridRequest {
        operation,
        path: parts
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        id: params
            .iter()
            .next()
            .map(|(_, id)| id.to_owned())
            .unwrap_or_default(),
        query: query.0,
        headers: parts.headers,
        body: axum::body::to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| unreadable())?,
    })
}

/// Serves `router` on a free port of 127.0.0.1, in a task of its own, until that is aborted.
///
/// # Errors
///
/// When no port can be bound.
pub async fn serve(router: Router) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let server = axum::serve(listener, router);
    let task = tokio::spawn(async move {
        // Serving ends only with the task.
        let _ = server.await;
    });
    Ok((address, task))
}
