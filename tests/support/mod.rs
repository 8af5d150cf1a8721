//! The whole way, natively: client, HTTP, relay, HTTP, sandbox, with a software authenticator.

#![allow(
    dead_code,
    missing_docs,
    reason = "each test file uses its own part of it"
)]

pub mod abort;
mod authenticator;
mod clock;
pub mod flow;
mod storage;
mod transport;

use std::{future::Future, rc::Rc, time::Duration};

use gridkey::{
    api::{operation::Operation, request::Request},
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        json::Json,
        key::PublicKey,
        random::SystemRandom,
    },
    flow::{
        client::{Gridkey, Options, Ports},
        enrolment::EnrolmentOptions,
        key_delivery::KeyDelivery,
        session::WalletSession,
    },
    formats::otp::OtpCode,
    ports::Notes,
};
use gridkey_relay::{DevelopmentCustomer, Grid, Owned, OwnedResources, Relay, RelyingParty, User};
use gridkey_sandbox::{
    Customer, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, OidcUser, Sandbox, SandboxOptions,
};
use tokio::task::LocalSet;

pub use self::{
    authenticator::SoftwareAuthenticator,
    clock::TestClock,
    storage::{TestKeyStore, TestNotes},
    transport::HttpTransport,
};

/// A sandbox and a relay before it, each on a loopback port, and a client with a new device.
pub struct World {
    pub sandbox: Sandbox,
    pub sandbox_url: String,
    pub relay_url: String,
    pub customer: Customer,
    pub clock: Rc<TestClock>,
    pub authenticator: Rc<SoftwareAuthenticator>,
    pub transport: Rc<HttpTransport>,
    pub notes: Rc<TestNotes>,
    pub key_store: Rc<TestKeyStore>,
}

/// Runs a test that is not `Send`, as nothing in a browser is.
pub async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

impl World {
    pub async fn new() -> Self {
        Self::with(SandboxOptions::default()).await
    }

    pub async fn with(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::new(options);
        let (address, _) = gridkey_sandbox::serve(sandbox.router()).await.unwrap();
        let sandbox_url = format!("http://{address}");
        let customer = sandbox.customers().remove(0);
        let relay_url = serve_relay(&sandbox_url, &customer).await;
        let origin = relay_url.replace("127.0.0.1", "localhost");
        Self {
            sandbox,
            sandbox_url,
            transport: Rc::new(HttpTransport::new(&relay_url)),
            relay_url,
            customer,
            clock: Rc::new(TestClock::default()),
            authenticator: Rc::new(SoftwareAuthenticator::new(&origin)),
            notes: Rc::default(),
            key_store: Rc::default(),
        }
    }

    /// As [`Self::new`], without a relay: what the client sends is what the sandbox sees.
    pub async fn without_relay() -> Self {
        let mut world = Self::new().await;
        world.transport = Rc::new(HttpTransport::to_grid(
            &world.sandbox_url,
            DEFAULT_CLIENT_ID,
            DEFAULT_CLIENT_SECRET,
        ));
        world
    }

    pub fn client(&self, session_keys: KeyDelivery) -> Gridkey {
        self.client_that_trusts(session_keys, self.enclave())
    }

    pub fn client_that_trusts(&self, session_keys: KeyDelivery, enclave: EnclaveKeys) -> Gridkey {
        self.client_with(session_keys, enclave, Vec::new())
    }

    /// A client that knows the customer's organization.
    pub fn client_that_knows(&self, session_keys: KeyDelivery) -> Gridkey {
        let known = (
            self.customer.account_id.clone(),
            self.customer.organization_id.clone(),
        );
        self.client_with(session_keys, self.enclave(), vec![known])
    }

    pub fn client_with(
        &self,
        session_keys: KeyDelivery,
        enclave: EnclaveKeys,
        organizations: Vec<(String, String)>,
    ) -> Gridkey {
        self.client_of(session_keys, enclave, organizations, self.notes.clone())
    }

    pub fn client_with_notes(&self, session_keys: KeyDelivery, notes: Rc<dyn Notes>) -> Gridkey {
        self.client_of(session_keys, self.enclave(), Vec::new(), notes)
    }

    fn client_of(
        &self,
        session_keys: KeyDelivery,
        enclave: EnclaveKeys,
        organizations: Vec<(String, String)>,
        notes: Rc<dyn Notes>,
    ) -> Gridkey {
        Gridkey::new(
            Ports {
                transport: self.transport.clone(),
                authenticator: self.authenticator.clone(),
                clock: self.clock.clone(),
                random: Rc::new(SystemRandom),
                key_store: self.key_store.clone(),
                notes,
            },
            Options {
                session_keys,
                enclave,
                rp_id: Some("localhost".to_owned()),
                rp_name: None,
                timeout_ms: 10_000,
                observer: None,
                organizations,
            },
        )
    }

    pub fn enclave(&self) -> EnclaveKeys {
        let keys = self.sandbox.enclave_keys();
        EnclaveKeys {
            otp: PublicKey::from_hex(&keys.otp).unwrap(),
            export: ExportTrust::Key(PublicKey::from_hex(&keys.export).unwrap()),
        }
    }

    /// Signs in with the code that the sandbox takes.
    pub async fn sign_in_by_code(&self, client: &Gridkey) -> WalletSession {
        let id = &self.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &Default::default()).await.unwrap();
        otp.submit(&code("000000"), &Default::default())
            .await
            .unwrap()
    }

    /// A session whose key came in the way that the client asks for: sealed, or held from the start.
    pub async fn sign_in(&self, client: &Gridkey) -> WalletSession {
        let session = self.sign_in_by_code(client).await;
        let first = session.info().public_key.clone();
        session.refresh(false, &Default::default()).await.unwrap();
        assert_ne!(session.info().public_key, first);
        session
    }

    /// An ID token of the first customer's, issued now by Grid's time.
    pub fn id_token(&self, nonce: Option<&str>) -> String {
        self.sandbox.id_token(OidcUser::Ada, "page", nonce)
    }

    /// A body of `createQuote`: five dollars to the customer's own bank account.
    pub fn quote_request(&self) -> Request {
        Request::new(Operation::CreateQuote).with_body([
            (
                "source",
                Json::object([
                    ("sourceType", "ACCOUNT".into()),
                    ("accountId", self.customer.account_id.as_str().into()),
                ]),
            ),
            (
                "destination",
                Json::object([
                    ("destinationType", "ACCOUNT".into()),
                    (
                        "accountId",
                        self.customer.external_account_id.as_str().into(),
                    ),
                ]),
            ),
            ("lockedCurrencySide", "SENDING".into()),
            ("lockedCurrencyAmount", Json::from(500_u64)),
        ])
    }

    /// A quote of [`Self::quote_request`].
    pub async fn quote(&self, client: &Gridkey) -> Json {
        let request = self.quote_request();
        let answer = client.api().call(request, &Default::default()).await;
        answer.unwrap().body
    }

    /// Adds a passkey and gives its id.
    pub async fn add_passkey(&self, session: &WalletSession, nickname: &str) -> String {
        let enrolment = session
            .prepare_passkey_registration(enrolment(nickname), Default::default())
            .await
            .unwrap();
        enrolment.confirm(&Default::default()).await.unwrap().id
    }
}

impl Drop for World {
    /// Whatever a test was about: all that was said on the way to the sandbox and back was what
    /// Grid's documents specify.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.sandbox.violations();
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}

pub fn code(text: &str) -> OtpCode {
    OtpCode::new(text.as_bytes()).unwrap()
}

/// A text of an answer.
pub fn text(json: &Json, name: &str) -> String {
    json.get(name).and_then(Json::as_str).unwrap().to_owned()
}

pub fn enrolment(nickname: &str) -> EnrolmentOptions {
    EnrolmentOptions {
        nickname: nickname.to_owned(),
        user_name: None,
        user_display_name: None,
    }
}

/// A relay for one customer, with everything switched on.
pub async fn serve_relay(sandbox_url: &str, customer: &Customer) -> String {
    let grid = Grid::new(
        sandbox_url,
        DEFAULT_CLIENT_ID,
        DEFAULT_CLIENT_SECRET,
        Duration::from_secs(10),
    )
    .unwrap();
    let platform = DevelopmentCustomer {
        user: User::new(&customer.customer_id, &customer.email),
        owned: Owned {
            account_ids: vec![customer.account_id.clone()],
            agent_ids: vec![customer.agent_id.clone()],
            card_ids: vec![customer.card_id.clone()],
            card_funding_source_ids: vec![customer.card_funding_source_id.clone()],
            customer_ids: vec![customer.customer_id.clone()],
            external_account_ids: vec![customer.external_account_id.clone()],
        },
    };
    let authorizer = OwnedResources::new(grid.clone(), platform.clone());
    let relying_party = RelyingParty {
        id: "localhost".to_owned(),
        name: "Demo".to_owned(),
    };
    let router = Relay::builder(grid, platform, authorizer, relying_party)
        .agent_operations(true)
        .delegated_keys(true)
        .router()
        .unwrap();
    let (address, _) = gridkey_sandbox::serve(router).await.unwrap();
    format!("http://{address}")
}
