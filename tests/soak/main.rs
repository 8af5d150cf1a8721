//! A customer's days in bad weather: signing in, using the wallet, signing out, thousands of times,
//! over real HTTP that loses, delays, doubles and cuts what it carries.
//!
//! What holds after every call, by Grid's own records:
//!
//! - **No session is lost.** A session is lost if Grid still takes its key and neither has the
//!   client got it, nor does its caller know that there may be one. So, in both directions: while
//!   the client says that it is signed in, Grid has that session, active and of that key; and each
//!   active session that Grid has of this customer is either the client's, or was left behind in
//!   one of these ways, each of which the caller was told of: a refresh leaves the old one to run out
//!   (unless `revokeOld`); a call ended with the reason `outcome_unknown`; a request that opens a
//!   session arrived twice, as no client can see; signing out said `false`, or the session was
//!   dropped instead. What was left behind is then got rid of as the documentation has it: the next
//!   attempt succeeds when the weather is calm, and by `listAuthSessions` and `revokeSession` Grid
//!   has the client's session and no other.
//! - **Nothing is signed twice.** Each payload gets one stamp, and each stamp is sent once. Only a
//!   quote is stamped again, by another call, after Grid has said that it is not paid yet; and it
//!   is paid once.
//! - **Repetition has an end.** No more than two of one request, none with a stamp and none of what
//!   may do harm; no timer is left running.
//! - **Errors are the weather's.** Each is of a code that what has just happened explains; what may
//!   have been carried out all the same is told as `outcome_unknown`, and nothing else is.
//! - **No key stays behind.** When the sessions are over, none of the keys that were made or opened
//!   is found on the heap, and the browser's storage has none.
//!
//! All chance comes from one seed, which is printed. `SOAK_SEED` gives it, `SOAK_ROUNDS` how many
//! rounds are made.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod heap;
mod luck;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod weather;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
    env, fmt,
    rc::Rc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use gridkey::{
    api::{
        call::{GridCall, GridReply},
        client::CallOptions,
        operation::Operation,
        request::Request,
    },
    crypto::json::{Json, Limits},
    error::{Error, ErrorCode, Result},
    flow::{
        client::{Gridkey, Options, Ports},
        key_delivery::KeyDelivery,
        oauth::{OAuthOptions, OAuthSignIn},
        otp::OtpSignIn,
        session::WalletSession,
        state::{SessionState, SignedOutReason},
        wallet::ExecuteOptions,
    },
    formats::sealed_key::SealedKeyReceiver,
    ports::{LocalFuture, Transport},
};
use gridkey_sandbox::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, RateLimit, SandboxOptions, SessionRecord,
};

use crate::{
    heap::ListedHeap,
    luck::{Dice, Disguised, KnownRandom},
    support::{HttpTransport, World, abort::Abort, code, local, text},
    time::SharedTime,
    weather::{Fault, PATIENCE_MS, Passed, Weather},
};

#[global_allocator]
static HEAP: ListedHeap = ListedHeap;

/// Of a thousand requests so many suffer, unless `SOAK_FAULTS` says otherwise; in every tenth round so
/// many.
const BAD: u64 = 50;
const STORM: u64 = 400;
/// After so many attempts in bad weather the next one is in calm weather.
const ATTEMPTS: u32 = 5;
/// A world is left after so many rounds: what Grid has seen is looked through after each call.
const ROUNDS_OF_A_WORLD: u64 = 100;
/// Longer than a session lives.
const SESSION_LIFE_MS: i64 = 16 * 60 * 1000;

/// Knows what is under way.
struct Counted {
    http: HttpTransport,
    under_way: Rc<Cell<u32>>,
}

struct UnderWay(Rc<Cell<u32>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Transport for Counted {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        self.under_way.set(self.under_way.get() + 1);
        let under_way = UnderWay(self.under_way.clone());
        Box::pin(async move {
            let reply = self.http.send(call).await;
            drop(under_way);
            reply
        })
    }
}

#[derive(Default)]
struct Tally {
    rounds: u64,
    requests: u64,
    arrived: u64,
    faults: BTreeMap<Fault, u64>,
    made: u64,
    refreshed: u64,
    revoked: u64,
    left_behind: u64,
    stamps: u64,
    payments: u64,
    retries: u64,
    keys: u64,
    searched: usize,
    errors: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self
            .faults
            .iter()
            .map(|(fault, times)| format!("{fault:?} {times}"))
            .collect();
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|(code, times)| format!("{code} {times}"))
            .collect();
        write!(
            f,
            "{} rounds, {} requests ({} repeated unasked, {} arrived), {} faults ({}); sessions: {} \
             signed in, {} refreshed, {} revoked, {} left behind and accounted for; {} stamps, {} \
             payments, {} keys of which none is left in {} KB of heap; errors: {}",
            self.rounds,
            self.requests,
            self.retries,
            self.arrived,
            self.faults.values().sum::<u64>(),
            faults.join(", "),
            self.made,
            self.refreshed,
            self.revoked,
            self.left_behind,
            self.stamps,
            self.payments,
            self.keys,
            self.searched / 1024,
            errors.join(", "),
        )
    }
}

/// How a customer signs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Method {
    Code,
    Passkey,
    PreparedPasskey,
    Oauth,
    OauthOverRedirect,
}

/// What a customer does with the wallet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Deed {
    Refresh,
    RefreshAndRevoke,
    Pay,
    Privacy,
    Export,
    Look,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    SignOut,
    SignOutWhileRefreshing,
    Drop,
    RunOut,
}

/// What was there before a call.
struct Mark {
    passed: usize,
    sessions: usize,
    keys: usize,
}

/// A world in which it rains, its customer and the page that they use.
struct Soak {
    /// What was on the heap before has no key.
    heap_before: u64,
    world: World,
    weather: Rc<Weather>,
    time: Rc<SharedTime>,
    random: Rc<KnownRandom>,
    under_way: Rc<Cell<u32>>,
    dice: Dice,
    /// Through the relay and straight to Grid, with sealed and with client-held keys.
    clients: Vec<Gridkey>,
    passkey_id: String,
    oauth_id: String,
    session: RefCell<Option<WalletSession>>,
    /// Active sessions that are not the client's, of which its caller knows.
    left_behind: RefCell<HashSet<String>>,
    /// What of the present attempt has suffered.
    suffered: RefCell<Vec<Fault>>,
    payloads: RefCell<HashMap<String, String>>,
    stamped: RefCell<HashSet<String>>,
    stamps: RefCell<HashSet<String>>,
    opened: RefCell<Vec<Disguised>>,
    quotes_paid: Cell<u64>,
    tally: RefCell<Tally>,
}

impl Soak {
    async fn new(seed: u64) -> Self {
        let heap_before = heap::now();
        let often = RateLimit {
            requests: usize::MAX,
            ..SandboxOptions::default().challenge_limit
        };
        let world = World::with(SandboxOptions {
            challenge_limit: often,
            verify_limit: often,
            ..SandboxOptions::default()
        })
        .await;
        let dice = Dice::new(seed);
        let time = Rc::new(SharedTime::new(&world.sandbox));
        let weather = Weather::new(dice.roll(), time.clone());
        let random = Rc::new(KnownRandom::new(dice.roll()));
        let under_way = Rc::new(Cell::new(0));
        let relay = weather.before(&world.relay_url).await;
        let grid = weather.before(&world.sandbox_url).await;
        let mut clients = Vec::new();
        for delivery in [KeyDelivery::Sealed, KeyDelivery::ClientHeld] {
            for http in [
                HttpTransport::new(&relay),
                HttpTransport::to_grid(&grid, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET),
            ] {
                let transport = Rc::new(Counted {
                    http,
                    under_way: under_way.clone(),
                });
                clients.push(Gridkey::new(
                    Ports {
                        transport,
                        authenticator: world.authenticator.clone(),
                        clock: time.clone(),
                        random: random.clone(),
                        key_store: world.key_store.clone(),
                        notes: world.notes.clone(),
                    },
                    Options {
                        session_keys: delivery,
                        enclave: world.enclave(),
                        rp_id: Some("localhost".to_owned()),
                        rp_name: None,
                        timeout_ms: PATIENCE_MS,
                        observer: None,
                        organizations: Vec::new(),
                    },
                ));
            }
        }
        // What a customer has before it begins to rain.
        let session = world.sign_in_by_code(&clients[0]).await;
        let passkey_id = world.add_passkey(&session, "Key").await;
        let id_token = world.id_token(None);
        let options = CallOptions::default();
        let added = session.add_oauth(&id_token, None, &options);
        let oauth_id = added.await.unwrap().id;
        assert!(session.sign_out(&Default::default()).await);
        drop(session);
        Self {
            heap_before,
            world,
            weather,
            time,
            random,
            under_way,
            dice,
            clients,
            passkey_id,
            oauth_id,
            session: RefCell::default(),
            left_behind: RefCell::default(),
            suffered: RefCell::default(),
            payloads: RefCell::default(),
            stamped: RefCell::default(),
            stamps: RefCell::default(),
            opened: RefCell::default(),
            quotes_paid: Cell::new(0),
            tally: RefCell::default(),
        }
    }

    async fn round(&self, number: u64) {
        self.weather.set(match number % 10 {
            9 => STORM,
            _ => given("SOAK_FAULTS").unwrap_or(BAD),
        });
        self.weather.passed.borrow_mut().clear();
        let client = &self.clients[usize::try_from(self.dice.below(4)).unwrap()];
        let method = self.dice.one_of(&[
            Method::Code,
            Method::Code,
            Method::Passkey,
            Method::PreparedPasskey,
            Method::Oauth,
            Method::OauthOverRedirect,
        ]);
        self.sign_in(client, method).await;
        for _ in 0..=self.dice.below(3) {
            let deed = self.dice.one_of(&[
                Deed::Refresh,
                Deed::Refresh,
                Deed::RefreshAndRevoke,
                Deed::Pay,
                Deed::Privacy,
                Deed::Export,
                Deed::Look,
            ]);
            self.carry_out(client, deed).await;
        }
        if !self.left_behind.borrow().is_empty() && self.dice.one_in(2) {
            self.tidy(client).await;
        }
        let end = self.dice.one_of(&[
            End::SignOut,
            End::SignOut,
            End::SignOut,
            End::SignOutWhileRefreshing,
            End::Drop,
            End::RunOut,
        ]);
        self.end(client, end).await;
        self.tally.borrow_mut().rounds += 1;
    }

    /// Until it succeeds; at the latest when the weather is calm.
    async fn until_done<T>(&self, what: &str, attempt: impl AsyncFn() -> Result<T>) -> T {
        for _ in 0..ATTEMPTS {
            self.suffered.borrow_mut().clear();
            if let Ok(done) = attempt().await {
                return done;
            }
        }
        let bad = self.weather.set(0);
        self.suffered.borrow_mut().clear();
        let done = attempt().await;
        self.weather.set(bad);
        done.unwrap_or_else(|error| panic!("{what}, in calm weather: {error:?}"))
    }

    async fn sign_in(&self, client: &Gridkey, method: Method) {
        let (world, customer) = (&self.world, &self.world.customer);
        let session = match method {
            Method::Code => {
                let sent: RefCell<Option<OtpSignIn>> = RefCell::default();
                let id = &customer.email_otp_auth_method_id;
                self.until_done("signing in by code", async || {
                    let otp = sent.take();
                    // A code that was tried may be used up.
                    let otp = match otp {
                        Some(otp) => {
                            let sent_again = self.call(async |options| otp.resend(&options).await);
                            sent_again.await.map(|()| otp)?
                        }
                        None => {
                            self.call(async |options| client.send_otp(id, &options).await)
                                .await?
                        }
                    };
                    let entered = self.opening(async |options| {
                        let code = code("000000");
                        otp.submit(&code, &options).await
                    });
                    let entered = entered.await;
                    sent.replace(Some(otp));
                    entered
                })
                .await
            }
            Method::Passkey => {
                self.until_done("signing in by passkey", async || {
                    self.opening(async |options| {
                        let id = &self.passkey_id;
                        client.sign_in_with_passkey(id, &options).await
                    })
                    .await
                })
                .await
            }
            Method::PreparedPasskey => {
                let prepared = self
                    .until_done("preparing a passkey", async || {
                        self.call(async |options| {
                            client.prepare_passkey(&self.passkey_id, options).await
                        })
                        .await
                    })
                    .await;
                self.until_done("confirming with a passkey", async || {
                    self.opening(async |options| prepared.confirm(&options).await)
                        .await
                })
                .await
            }
            Method::Oauth | Method::OauthOverRedirect => {
                let redirect = method == Method::OauthOverRedirect;
                let oauth = self.oauth(client, redirect).await;
                self.until_done("signing in by token", async || {
                    let token = world.id_token(Some(oauth.nonce()));
                    self.opening(async |options| oauth.submit(&token, &options).await)
                        .await
                })
                .await
            }
        };
        self.tally.borrow_mut().made += 1;
        let info = session.info();
        assert_eq!(info.account_id, customer.account_id);
        assert!(matches!(client.state(), SessionState::SignedIn(shown) if shown.id == info.id));
    }

    async fn oauth(&self, client: &Gridkey, redirect: bool) -> OAuthSignIn {
        let options = OAuthOptions {
            credential: (&self.oauth_id).into(),
            client_id: Some("page".to_owned()),
            redirect,
        };
        let oauth = client.prepare_oauth(options).await.unwrap();
        match oauth.state() {
            // The page was left, and is loaded anew.
            Some(state) => client.resume_oauth(state).await.unwrap(),
            None => oauth,
        }
    }

    fn held(&self) -> WalletSession {
        self.session.borrow().clone().unwrap()
    }

    async fn carry_out(&self, client: &Gridkey, deed: Deed) {
        let session = self.held();
        let customer = &self.world.customer;
        match deed {
            Deed::Refresh | Deed::RefreshAndRevoke => {
                let revoke_old = deed == Deed::RefreshAndRevoke;
                self.until_done("refreshing", async || {
                    let old = session.info().id.clone();
                    let refreshed = self.call(async |options| {
                        let refreshed = session.refresh(revoke_old, &options).await;
                        if refreshed.is_ok() {
                            // It lives on at Grid, unless it could be revoked.
                            self.left_behind.borrow_mut().insert(old.clone());
                        }
                        refreshed
                    });
                    refreshed.await?;
                    assert_ne!(session.info().id, old);
                    Ok(())
                })
                .await;
                self.tally.borrow_mut().refreshed += 1;
            }
            Deed::Pay => self.pay(client, &session).await,
            Deed::Privacy => {
                let enabled = self.dice.one_in(2);
                self.until_done("switching privacy", async || {
                    self.call(async |options| {
                        let account = session.update_privacy(enabled, &options).await?;
                        let said = account.get("privateEnabled").and_then(Json::as_bool);
                        assert_eq!(said, Some(enabled));
                        Ok(())
                    })
                    .await
                })
                .await;
            }
            Deed::Export => {
                self.until_done("exporting", async || {
                    self.call(async |options| {
                        let organization_id = Some(customer.organization_id.clone());
                        let exported = session.export_mnemonic(organization_id, &options).await?;
                        assert_eq!(*exported, customer.mnemonic.as_bytes());
                        Ok(())
                    })
                    .await
                })
                .await;
            }
            Deed::Look => {
                self.until_done("looking", async || self.listed(client).await)
                    .await;
            }
        }
    }

    /// Pays five dollars, once.
    async fn pay(&self, client: &Gridkey, session: &WalletSession) {
        let quote = self
            .until_done("asking for a quote", async || {
                self.call(async |options| {
                    let request = self.world.quote_request();
                    client.api().call(request, &options).await
                })
                .await
            })
            .await
            .body;
        let id = text(&quote, "id");
        let is_unknown = Cell::new(false);
        self.until_done("paying", async || {
            if is_unknown.get() && self.status(client, &id).await? != "PENDING" {
                return Ok(());
            }
            let paid = self.call(async |options| {
                let execute = ExecuteOptions::default();
                session.execute_quote(&quote, execute, &options).await
            });
            let paid = paid.await;
            let unknown = |error: &Error| error.reason() == Some("outcome_unknown");
            is_unknown.set(is_unknown.get() || paid.as_ref().is_err_and(unknown));
            paid.map(drop)
        })
        .await;
        let status = self
            .until_done("looking at a quote", async || {
                self.status(client, &id).await
            })
            .await;
        assert!(
            ["PROCESSING", "COMPLETED"].contains(&&*status),
            "a payment is {status}"
        );
        self.quotes_paid.set(self.quotes_paid.get() + 1);
        self.tally.borrow_mut().payments += 1;
    }

    async fn status(&self, client: &Gridkey, quote_id: &str) -> Result<String> {
        let quote = self.call(async |options| {
            let request = Request::on(Operation::GetQuoteById, quote_id);
            client.api().call(request, &options).await
        });
        Ok(text(&quote.await?.body, "status"))
    }

    /// The ids of the sessions that Grid has.
    async fn listed(&self, client: &Gridkey) -> Result<Vec<String>> {
        let account_id = self.world.customer.account_id.as_str();
        let listed = self.call(async |options| {
            let request = Request::new(Operation::ListAuthSessions)
                .with_query([("accountId", account_id.into())]);
            client.api().call(request, &options).await
        });
        let listed = listed.await?.body;
        let sessions = listed.get("data").and_then(Json::as_array).unwrap();
        Ok(sessions.iter().map(|session| text(session, "id")).collect())
    }

    /// Ends what was left behind, as the documentation has it.
    async fn tidy(&self, client: &Gridkey) {
        let session = self.held();
        self.until_done("revoking what was left behind", async || {
            let own = session.info().id.clone();
            for id in self.listed(client).await? {
                if id != own {
                    self.call(async |options| session.revoke_session(&id, &options).await)
                        .await?;
                    self.tally.borrow_mut().revoked += 1;
                }
            }
            Ok(())
        })
        .await;
        let active: Vec<_> = self.active().into_iter().map(|it| it.id).collect();
        assert_eq!(active, [session.info().id.clone()]);
    }

    async fn end(&self, client: &Gridkey, end: End) {
        let session = self.held();
        let id = session.info().id.clone();
        match end {
            End::SignOut => {
                self.session.take();
                self.left_behind.borrow_mut().insert(id.clone());
                self.suffered.borrow_mut().clear();
                let revoked = Cell::new(false);
                self.call(async |options| {
                    revoked.set(session.sign_out(&options).await);
                    Ok(())
                })
                .await
                .unwrap();
                assert!(!session.is_active());
                let is_active = self.active().iter().any(|it| it.id == id);
                assert!(!(revoked.get() && is_active), "it is not revoked");
                self.tally.borrow_mut().revoked += u64::from(revoked.get());
                assert_eq!(reason(client), Some(SignedOutReason::SignedOut));
            }
            End::SignOutWhileRefreshing => {
                self.session.take();
                self.left_behind.borrow_mut().insert(id.clone());
                self.suffered.borrow_mut().clear();
                let moment = self.dice.below(40);
                let refreshed = self.call(async |_| {
                    self.weather.set_abort(None);
                    let options = CallOptions::default();
                    let (refreshed, _) = tokio::join!(session.refresh(false, &options), async {
                        for _ in 0..moment {
                            tokio::task::yield_now().await;
                        }
                        session.sign_out(&CallOptions::default()).await
                    });
                    if refreshed.is_ok() {
                        // It was before.
                        self.left_behind
                            .borrow_mut()
                            .insert(session.info().id.clone());
                    }
                    refreshed
                });
                refreshed.await.ok();
                assert!(!session.is_active());
                assert_eq!(reason(client), Some(SignedOutReason::SignedOut));
            }
            End::Drop => {
                self.session.take();
                self.left_behind.borrow_mut().insert(id);
                drop(session);
                assert_eq!(reason(client), Some(SignedOutReason::SignedOut));
            }
            End::RunOut => {
                self.time.advance(SESSION_LIFE_MS);
                self.settled().await;
                assert!(!session.is_active());
                assert_eq!(reason(client), Some(SignedOutReason::Expired));
                self.session.take();
                drop(session);
            }
        }
        self.time.advance(SESSION_LIFE_MS);
        self.settled().await;
        assert!(self.active().is_empty(), "sessions end");
        self.left_behind.borrow_mut().clear();
        assert_eq!(self.time.timers(), 0, "timers are left running");
        assert_eq!(self.world.key_store.len(), 0, "keys are left in storage");
        for name in self.world.notes.all().keys() {
            assert!(name.starts_with("wallet:"), "{name} was noted");
        }
    }

    /// A call that opens a session, which from then on is the client's.
    async fn opening(
        &self,
        call: impl AsyncFn(CallOptions) -> Result<WalletSession>,
    ) -> Result<WalletSession> {
        self.call(async |options| {
            let session = call(options).await?;
            self.session.replace(Some(session.clone()));
            Ok(session)
        })
        .await
    }

    /// Makes a call, and checks all that must hold after every call.
    async fn call<T>(&self, call: impl AsyncFn(CallOptions) -> Result<T>) -> Result<T> {
        self.settled().await;
        let mark = Mark {
            passed: self.weather.passed.borrow().len(),
            sessions: self.world.sandbox.sessions().len(),
            keys: self.random.keys().len(),
        };
        let abort = Rc::new(Abort::default());
        self.weather.set_abort(Some(abort.clone()));
        let options = CallOptions {
            cancellation: Some(abort),
            timeout_ms: None,
        };
        let result = call(options).await;
        self.settled().await;
        assert!(
            !self.weather.went_on.get(),
            "what was given up must end, and its connection be closed"
        );
        let passed = self.weather.passed.borrow()[mark.passed..].to_vec();
        let suffered = passed.iter().filter_map(|request| request.fault);
        self.suffered.borrow_mut().extend(suffered);
        let error = result.as_ref().err();
        let round = self.tally.borrow().rounds;
        let story = || {
            let requests: Vec<_> = passed
                .iter()
                .map(|it| {
                    let statuses: Vec<_> = it.answers.iter().map(|(status, _)| status).collect();
                    let signed = if it.stamp.is_some() { ", signed" } else { "" };
                    format!("{:?}{signed}: {:?} {statuses:?}", it.operation, it.fault)
                })
                .collect();
            format!("round {round}, {requests:#?}, which ended with {error:?}")
        };
        if let Some(error) = error {
            let mut tally = self.tally.borrow_mut();
            *tally.errors.entry(error.code().as_str()).or_default() += 1;
            drop(tally);
            assert!(
                self.explains(error, &passed),
                "nothing explains it: {}",
                story()
            );
        }
        self.check_requests(&passed, &story);
        self.check_sessions(&mark, error, &passed, &story);
        self.open_sealed_keys(&mark, &passed);
        result
    }

    /// Until nothing is under way any more, on whichever side.
    async fn settled(&self) {
        let mut quiet = 0;
        while quiet < 10 {
            tokio::task::yield_now().await;
            let is_quiet = self.under_way.get() == 0 && !self.weather.is_busy();
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }

    /// Whether what has happened is a reason for this error.
    fn explains(&self, error: &Error, passed: &[Passed]) -> bool {
        if error.code() == ErrorCode::SessionExpired {
            // Only whoever signs out meanwhile is told so: all others have more time than they need.
            return self.session.borrow().is_none();
        }
        let suffered = |faults: &[Fault]| {
            let mut all = passed.iter().filter_map(|request| request.fault);
            all.any(|fault| faults.contains(&fault))
        };
        let is_known = match error.code() {
            ErrorCode::Network => suffered(&[Fault::Lost, Fault::AnswerLost, Fault::Cut]),
            ErrorCode::Timeout => suffered(&[Fault::LateRequest, Fault::LateAnswer]),
            ErrorCode::Aborted => suffered(&[Fault::Aborted]),
            ErrorCode::RelayProtocol => suffered(&[Fault::Halved, Fault::BadGateway]),
            ErrorCode::RateLimited => suffered(&[Fault::Busy]),
            // The second of two arrivals finds used up what the first has used.
            ErrorCode::ChallengeExpired | ErrorCode::PasskeyRejected => {
                suffered(&[Fault::TwiceSecondAnswered])
            }
            // Of two codes the second is good, of one the first attempt.
            ErrorCode::OtpRejected => {
                let twice = [Fault::Twice, Fault::TwiceSecondAnswered];
                let mut all = self.suffered.borrow().clone().into_iter();
                all.any(|fault| twice.contains(&fault))
            }
            _ => false,
        };
        // Whoever has sent what may be carried out must say so if no whole answer came, and only then.
        let failed = error.operation().unwrap();
        let is_of_it = |it: &&Passed| it.operation.spec().id == failed;
        let last = passed.iter().rfind(is_of_it).unwrap();
        let is_effective = last.stamp.is_some()
            || (last.operation == Operation::VerifyAuthCredential
                && !last.body.contains("encryptedOtpBundle"));
        let is_unknown = is_effective
            && match last.fault {
                None | Some(Fault::Busy | Fault::Slow | Fault::Twice) => false,
                // A passkey that was not accepted may be tried again, whatever came of the first.
                Some(Fault::TwiceSecondAnswered) => last.stamp.is_some(),
                Some(_) => true,
            };
        is_known && is_unknown == (error.reason() == Some("outcome_unknown"))
    }

    /// Nothing is repeated that may not be, and nothing is signed twice.
    fn check_requests(&self, passed: &[Passed], story: &impl Fn() -> String) {
        let mut tally = self.tally.borrow_mut();
        let mut same: HashMap<_, u64> = HashMap::new();
        for request in passed {
            tally.requests += 1;
            let times = same
                .entry((&request.target, &request.body, &request.stamp))
                .or_default();
            *times += 1;
            tally.retries += u64::from(*times > 1);
            let may_repeat = request.operation.spec().is_repeatable && request.stamp.is_none();
            let most = if may_repeat { 3 } else { 1 };
            assert!(*times <= most, "repeated too often: {}", story());
            for (status, body) in &request.answers {
                let body = parse(body);
                if let (202, Some(id)) = (status, body.get("requestId")) {
                    let id = id.as_str().unwrap().to_owned();
                    let payload = text(&body, "payloadToSign");
                    self.payloads.borrow_mut().insert(id, payload);
                }
            }
            let Some(stamp) = &request.stamp else {
                continue;
            };
            tally.stamps += 1;
            let Some(id) = &request.request_id else {
                assert_eq!(request.operation, Operation::ExecuteQuote);
                continue;
            };
            let payload = self.payloads.borrow()[id].clone();
            assert!(
                self.stamped.borrow_mut().insert(payload),
                "a payload was stamped twice: {}",
                story()
            );
            assert!(
                self.stamps.borrow_mut().insert(stamp.clone()),
                "a stamp was sent twice: {}",
                story()
            );
        }
    }

    fn active(&self) -> Vec<SessionRecord> {
        let account_id = &self.world.customer.account_id;
        let mut sessions = self.world.sandbox.sessions();
        sessions.retain(|session| session.active && session.account_id == *account_id);
        sessions
    }

    /// What the client says is so at Grid, and what Grid has is the client's or known to be left.
    fn check_sessions(
        &self,
        mark: &Mark,
        error: Option<&Error>,
        passed: &[Passed],
        story: &impl Fn() -> String,
    ) {
        let session = self.session.borrow();
        let held = session.as_ref().filter(|session| session.is_active());
        let info = held.map(|session| session.info());
        let is_own = |id: &str| info.as_ref().is_some_and(|info| info.id == id);
        let all = self.world.sandbox.sessions();
        let mut left_behind = self.left_behind.borrow_mut();
        // No client sees that its request has arrived twice.
        let mut doubled = passed
            .iter()
            .filter(|it| matches!(it.fault, Some(Fault::Twice | Fault::TwiceSecondAnswered)))
            .count();
        let is_unknown = error.is_some_and(|error| error.reason() == Some("outcome_unknown"));
        for new in &all[mark.sessions..] {
            if is_own(&new.id) || left_behind.contains(&new.id) {
                continue;
            }
            if !is_unknown && new.active {
                assert!(doubled > 0, "a session was lost: {}", story());
                doubled -= 1;
            }
            self.tally.borrow_mut().left_behind += 1;
            left_behind.insert(new.id.clone());
        }
        for active in self.active() {
            assert!(
                is_own(&active.id) || left_behind.contains(&active.id),
                "a session was lost: {}",
                story()
            );
        }
        if let Some(info) = &info {
            let found = all.iter().find(|it| it.id == info.id).unwrap();
            assert!(
                found.active,
                "the client has a session that Grid has not: {}",
                story()
            );
            assert_eq!(found.public_key, info.public_key);
        }
    }

    /// Keys that came sealed are to be found nowhere afterwards either.
    fn open_sealed_keys(&self, mark: &Mark, passed: &[Passed]) {
        // A passkey's was made when its challenge was fetched.
        let keys = self.random.keys();
        let recent = &keys[mark.keys.saturating_sub(3)..];
        for (_, body) in passed.iter().flat_map(|request| &request.answers) {
            let body = parse(body);
            let Some(sealed) = body.get("encryptedSessionSigningKey") else {
                continue;
            };
            for key in recent {
                let receiver = SealedKeyReceiver::from_private_key(&key.revealed()).unwrap();
                if let Ok(opened) = receiver.open(sealed.as_str().unwrap()) {
                    let opened = Disguised::new(&opened.export_private_key());
                    self.opened.borrow_mut().push(opened);
                }
            }
        }
    }

    /// Grid's books are as the customer's, and no key is left.
    async fn close(self) -> Tally {
        self.weather.set(0);
        let customer = &self.world.customer;
        let request = Request::new(Operation::ListCustomerInternalAccounts)
            .with_query([("customerId", customer.customer_id.as_str().into())]);
        let answer = self.clients[1]
            .api()
            .call(request, &Default::default())
            .await
            .unwrap();
        let accounts = answer.body.get("data").and_then(Json::as_array).unwrap();
        let own = accounts
            .iter()
            .find(|account| text(account, "id") == customer.account_id);
        let balance = own.unwrap().get("balance").unwrap().get("amount").unwrap();
        let expected = 1_000_000 - 500 * self.quotes_paid.get();
        assert_eq!(balance.to_text(), expected.to_string());

        let mut keys = self.random.keys();
        keys.extend(self.opened.take());
        let searched = heap::search(&keys, self.heap_before);
        assert_eq!(searched.found, 0, "keys are left on the heap");
        let mut tally = self.tally.take();
        tally.keys += keys.len() as u64;
        tally.searched = searched.bytes;
        tally.faults = self.weather.faults.take();
        tally.arrived = self.weather.arrived.get();
        tally
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.requests += other.requests;
        self.arrived += other.arrived;
        for (fault, times) in other.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        self.made += other.made;
        self.refreshed += other.refreshed;
        self.revoked += other.revoked;
        self.left_behind += other.left_behind;
        self.stamps += other.stamps;
        self.payments += other.payments;
        self.retries += other.retries;
        self.keys += other.keys;
        self.searched = self.searched.max(other.searched);
        for (code, times) in other.errors {
            *self.errors.entry(code).or_default() += times;
        }
    }
}

fn reason(client: &Gridkey) -> Option<SignedOutReason> {
    match client.state() {
        SessionState::SignedOut { reason } => reason,
        SessionState::SignedIn(_) => None,
    }
}

fn parse(text: &str) -> Json {
    let limits = Limits {
        bytes: 1 << 20,
        depth: 32,
    };
    Json::parse(text, limits).unwrap_or(Json::Null)
}

fn given(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test]
async fn bad_weather() {
    let rounds = given("SOAK_ROUNDS");
    // The same for everybody, but where there is time for surprises.
    let seed = given("SOAK_SEED").unwrap_or_else(|| match rounds {
        Some(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            now.as_secs()
        }
        None => 1,
    });
    println!("\nSOAK_SEED={seed}");
    let rounds = rounds.unwrap_or(60);
    let began = Instant::now();
    let mut tally = Tally::default();
    let dice = Dice::new(seed);
    while tally.rounds < rounds {
        let seed = dice.roll();
        let first = tally.rounds;
        let world = local(async {
            let soak = Soak::new(seed).await;
            for number in first..rounds.min(first + ROUNDS_OF_A_WORLD) {
                soak.round(number).await;
            }
            soak.close().await
        });
        tally.add(world.await);
    }
    // In a line of its own, whatever the runner has written.
    println!(
        "\nsoak: {} s from seed {seed}: {tally}",
        began.elapsed().as_secs()
    );
}
