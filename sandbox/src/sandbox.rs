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
    extract::{Query, RawPathParams, Request},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    enclaves::{EnclaveKeys, Enclaves},
    errors::{GridError, Reason, Result},
    http::{Answer, GridRequest},
    operation::Operation,
    options::SandboxOptions,
    sessions::SessionRecord,
    state::{Customer, Grid, State, seeded_customers},
};

const MAX_BODY_BYTES: usize = 1 << 20;

/// A local Grid. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    options: SandboxOptions,
    enclaves: Enclaves,
    state: Mutex<State>,
}

impl Sandbox {
    /// A sandbox with the seeded customers and fresh enclave keys.
    pub fn new(options: SandboxOptions) -> Self {
        let state = Mutex::new(State::seeded(&options));
        Self(Arc::new(Shared {
            options,
            enclaves: Enclaves::generate(),
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
        let (keys, customers, sessions) = (self.clone(), self.clone(), self.clone());
        router
            .route(
                "/sandbox/enclave-keys",
                get(|| async move { Json(keys.enclave_keys()) }),
            )
            .route(
                "/sandbox/customers",
                get(|| async move { Json(customers.customers()) }),
            )
            .route(
                "/sandbox/sessions",
                get(|| async move { Json(sessions.sessions()) }),
            )
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

    /// Moves sandbox time; a negative number moves it back.
    pub fn advance_clock(&self, ms: i64) {
        self.state().clock.advance(ms);
    }

    /// Expires all pending requests, passkey challenges and codes.
    pub fn expire_challenges(&self) {
        self.state().expire_challenges();
    }

    /// Expires all sessions.
    pub fn expire_sessions(&self) {
        self.state().expire_sessions();
    }

    /// Revokes all sessions.
    pub fn revoke_sessions(&self) {
        self.state().revoke_sessions();
    }

    async fn answer(&self, operation: Operation, request: Request) -> Response {
        match read(operation, request).await {
            Ok(request) => self.process(&request),
            Err(error) => error.to_answer(),
        }
        .into_response()
    }

    fn process(&self, request: &GridRequest) -> Answer {
        let mut state = self.state();
        let now = state.clock.now();
        let shared = &self.0;
        let mut grid = Grid {
            options: &shared.options,
            enclaves: &shared.enclaves,
            state: &mut state,
            now,
        };
        grid.perform(request)
            .unwrap_or_else(|error| error.to_answer())
    }

    fn state(&self) -> MutexGuard<'_, State> {
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
            Operation::ChallengeAuthCredential => self.challenge_auth_credential(request),
            Operation::VerifyAuthCredential => self.verify_auth_credential(request),
            Operation::ListAuthSessions => self.list_auth_sessions(request),
            Operation::RevokeAuthSession => self.revoke_auth_session(request),
            Operation::RefreshAuthSession => self.refresh_auth_session(request),
            Operation::RegenerateAgentDeviceCode => self.regenerate_agent_device_code(request),
            Operation::GetAgentDeviceCodeStatus => self.get_agent_device_code_status(request),
            Operation::RedeemAgentDeviceCode => self.redeem_agent_device_code(request),
        }
    }
}

async fn read(operation: Operation, mut request: Request) -> Result<GridRequest> {
    let unreadable = || GridError::invalid_input(Reason::BodyMalformed, "unreadable request");
    let params: RawPathParams = request.extract_parts().await.map_err(|_| unreadable())?;
    let query: Query<HashMap<String, String>> =
        request.extract_parts().await.map_err(|_| unreadable())?;
    let (parts, body) = request.into_parts();
    let mut request = GridRequest {
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
        signature: None,
        request_id: None,
        authorization: None,
        body: axum::body::to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| unreadable())?,
    };
    request.read_headers(&parts.headers);
    Ok(request)
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
