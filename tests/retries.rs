//! What is repeated unasked, and what never is: by the number of requests that Grid has seen.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use gridkey::{
    api::{
        call::GridReply,
        client::{Answer, CallOptions, GridApi},
        operation::{Operation, Signing},
        request::{Request, SignedHeaders},
    },
    crypto::{json::Json, random::SystemRandom},
    error::{Error, ErrorCode, Recovery, Result},
    flow::key_delivery::KeyDelivery,
    ports::{Clock, LocalFuture},
};
use gridkey_sandbox::{Customer, Fault, FaultOrder};
use support::{
    World,
    abort::Abort,
    code, enrolment,
    flow::{DEFAULTS, Flow, parse},
    local,
};

/// Longer than anything that is waited for between requests.
const TIMEOUT_MS: u64 = 3_600_000;

/// Time that stands still, but for waits: they are over at once, and written down.
#[derive(Default)]
struct PatientClock {
    waits: RefCell<Vec<u64>>,
}

impl Clock for PatientClock {
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis()).unwrap()
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        if ms == TIMEOUT_MS {
            return Box::pin(std::future::pending());
        }
        self.waits.borrow_mut().push(ms);
        Box::pin(async {})
    }

    fn spawn(&self, _: LocalFuture<'static, ()>) {
        panic!("calls have no background");
    }
}

/// Whether an operation's first, or only, request may be repeated unasked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Repeated {
    Yes,
    Never,
}

/// Requests of each operation, one for each kind that it knows. A new operation does not compile
/// before it is here.
fn requests(operation: Operation, customer: &Customer) -> (Repeated, Vec<Request>) {
    use Operation as O;
    const UUID: &str = "0195a2b4-33c1-7def-8123-456789abcdef";
    const KEY: &str = "02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31";
    let id = |prefix: &str| format!("{prefix}:{UUID}");
    let account: Json = customer.account_id.as_str().into();
    let of_account = |kind: &str, members: &str| Request {
        body: Some(parse(&format!(
            r#"{{"type":"{kind}","accountId":"{}"{members}}}"#,
            customer.account_id
        ))),
        ..Request::new(operation)
    };
    let on = |prefix: &str| Request::on(operation, &id(prefix));
    let with_body = |request: Request, body: &str| Request {
        body: Some(parse(body)),
        ..request
    };
    let client_public_key = [("clientPublicKey", Json::from(KEY))];
    let challenged = |request: Request| {
        request.with_headers(SignedHeaders {
            request_id: Some(id("Request")),
            ..Default::default()
        })
    };
    let is_repeated = match operation {
        O::GetAgentDeviceCodeStatus
        | O::GetDelegatedKeyById
        | O::GetQuoteById
        | O::ListAuthCredentials
        | O::ListAuthSessions
        | O::ListCustomerInternalAccounts
        | O::ListDelegatedKeys
        | O::RefreshAuthSession
        | O::RevokeAuthCredential
        | O::RevokeAuthSession
        | O::ExportInternalAccount
        | O::UpdateInternalAccount => Repeated::Yes,
        O::AuthorizeQuote
        | O::ChallengeAuthCredential
        | O::CreateAuthCredential
        | O::CreateDelegatedKey
        | O::CreatePasskeyRegistrationOptions
        | O::CreateQuote
        | O::ExecuteQuote
        | O::RegenerateAgentDeviceCode
        | O::ResendQuoteScaCode
        | O::RevokeDelegatedKey
        | O::UpdateCustomerById
        | O::VerifyAuthCredential
        | O::SignedRequest => Repeated::Never,
    };
    let requests = match operation {
        O::AuthorizeQuote => vec![on("Quote").with_body([("code", "123456".into())])],
        O::ChallengeAuthCredential => vec![
            Request::on(operation, &customer.email_otp_auth_method_id),
            on("AuthMethod").with_body(client_public_key),
        ],
        O::CreateAuthCredential => vec![
            of_account("EMAIL_OTP", ""),
            of_account("SMS_OTP", ""),
            of_account("OAUTH", r#","oidcToken":"e30.e30.e30""#),
            of_account(
                "PASSKEY",
                r#","nickname":"Key","challenge":"AAAAAAAAAAAAAAAAAAAAAA","attestation":{"credentialId":"AdKX","clientDataJson":"eyJj","attestationObject":"o2Nm","transports":["internal"]}"#,
            ),
        ],
        O::CreateDelegatedKey => vec![Request::new(operation).with_body([
            ("cardId", customer.card_id.as_str().into()),
            ("internalAccountId", account),
            ("nickname", "Groceries".into()),
        ])],
        O::CreatePasskeyRegistrationOptions => {
            vec![Request::new(operation).with_body([("accountId", account)])]
        }
        O::CreateQuote => vec![with_body(
            Request::new(operation),
            &format!(
                r#"{{"source":{{"sourceType":"ACCOUNT","accountId":"{}"}},"destination":{{"destinationType":"ACCOUNT","accountId":"{}"}},"lockedCurrencySide":"SENDING","lockedCurrencyAmount":500}}"#,
                customer.account_id, customer.external_account_id
            ),
        )],
        O::ExecuteQuote => vec![on("Quote").with_headers(SignedHeaders {
            stamp: Some("eyJ9".to_owned()),
            request_id: None,
            idempotency_key: Some("0123456789abcdef".to_owned()),
        })],
        O::ExportInternalAccount => {
            let key = gridkey::crypto::key::PublicKey::from_hex(KEY).unwrap();
            let request = Request::on(operation, &customer.account_id)
                .with_body([("clientPublicKey", key.to_uncompressed_hex().into())]);
            vec![request]
        }
        O::GetAgentDeviceCodeStatus => vec![Request::on(operation, &customer.device_code)],
        O::GetDelegatedKeyById | O::RevokeDelegatedKey => vec![on("DelegatedKey")],
        O::GetQuoteById | O::ResendQuoteScaCode => vec![on("Quote")],
        O::ListAuthCredentials | O::ListAuthSessions | O::ListDelegatedKeys => {
            vec![Request::new(operation).with_query([("accountId", account)])]
        }
        O::ListCustomerInternalAccounts => {
            let customer_id = customer.customer_id.as_str().into();
            vec![Request::new(operation).with_query([("customerId", customer_id)])]
        }
        O::RefreshAuthSession => vec![on("Session").with_body(client_public_key)],
        O::RegenerateAgentDeviceCode => vec![Request::on(operation, &customer.agent_id)],
        O::RevokeAuthCredential => vec![on("AuthMethod")],
        O::RevokeAuthSession => vec![on("Session")],
        O::UpdateCustomerById => vec![Request::on(operation, &customer.customer_id).with_body([
            ("customerType", "INDIVIDUAL".into()),
            ("phoneNumber", "+4915112345678".into()),
        ])],
        O::UpdateInternalAccount => vec![
            Request::on(operation, &customer.account_id)
                .with_body([("privateEnabled", true.into())]),
        ],
        O::VerifyAuthCredential => vec![
            with_body(
                on("AuthMethod"),
                r#"{"type":"EMAIL_OTP","encryptedOtpBundle":"{\"encappedPublic\":\"04\",\"ciphertext\":\"00\"}"}"#,
            ),
            with_body(
                on("AuthMethod"),
                &format!(
                    r#"{{"type":"OAUTH","oidcToken":"e30.e30.e30","clientPublicKey":"{KEY}"}}"#
                ),
            ),
            challenged(with_body(
                on("AuthMethod"),
                r#"{"type":"PASSKEY","assertion":{"credentialId":"AdKX","clientDataJson":"eyJj","authenticatorData":"AAAA","signature":"MEUC"}}"#,
            )),
        ],
        O::SignedRequest => vec![],
    };
    (is_repeated, requests)
}

/// The same request as a second leg.
fn stamped(request: &Request) -> Request {
    request.clone().with_headers(SignedHeaders {
        stamp: Some("eyJ9".to_owned()),
        request_id: Some("Request:0195a2b4-33c1-7def-8123-456789abcdef".to_owned()),
        idempotency_key: None,
    })
}

/// A client without flows, and the sandbox behind it, without a relay that looks things up.
struct Calls {
    world: World,
    clock: Rc<PatientClock>,
    api: GridApi,
}

impl Calls {
    async fn new() -> Self {
        let world = World::without_relay().await;
        let clock = Rc::new(PatientClock::default());
        let api = GridApi::new(
            world.transport.clone(),
            clock.clone(),
            Rc::new(SystemRandom),
            None,
            TIMEOUT_MS,
        );
        Self { world, clock, api }
    }

    /// Sends a request whose first `times` attempts fail so. Gives what came of it, and how many
    /// requests Grid has seen.
    async fn failing(&self, request: &Request, fault: Fault, times: u32) -> (Result<Answer>, u64) {
        let sandbox = &self.world.sandbox;
        sandbox.reset();
        self.clock.waits.take();
        let operation = sandbox_operation(request.operation);
        sandbox.fault(FaultOrder {
            operation: Some(operation),
            leg: None,
            times,
            fault,
        });
        let result = self.api.call(request.clone(), &DEFAULTS).await;
        let seen = sandbox.requests();
        assert_eq!(seen.len(), 1, "{seen:?}");
        let legs = seen[&operation];
        (result, legs.first + legs.second + legs.third)
    }
}

fn sandbox_operation(operation: Operation) -> gridkey_sandbox::Operation {
    let id = operation.spec().id;
    let mut all = gridkey_sandbox::Operation::ALL.into_iter();
    all.find(|operation| operation.id() == id).unwrap()
}

/// All operations of Grid's; the relay's own is not in the sandbox.
fn operations() -> impl Iterator<Item = Operation> {
    let own = Operation::CreatePasskeyRegistrationOptions;
    let all = Operation::ALL.iter().copied();
    all.filter(move |operation| *operation != own)
}

/// What passes by itself, and what each means where it does not.
fn passing() -> Vec<(Fault, ErrorCode)> {
    let grids = |status, code: &str| Fault::Error {
        status,
        code: code.to_owned(),
    };
    let proxys = |status| Fault::Status {
        status,
        body: Some("<html>".to_owned()),
        content_type: None,
    };
    vec![
        (Fault::Drop { processed: false }, ErrorCode::Network),
        (Fault::Drop { processed: true }, ErrorCode::Network),
        (grids(500, "INTERNAL_ERROR"), ErrorCode::GridError),
        (grids(503, "GRID_SWITCH_ERROR"), ErrorCode::GridError),
        (proxys(502), ErrorCode::RelayProtocol),
        (proxys(503), ErrorCode::RelayProtocol),
        (proxys(504), ErrorCode::RelayProtocol),
        (
            Fault::RateLimit {
                retry_after_seconds: 2,
            },
            ErrorCode::RateLimited,
        ),
    ]
}

#[tokio::test]
async fn what_does_no_harm_is_repeated_twice() {
    local(async {
        let calls = Calls::new().await;
        let mut repeated = 0;
        for operation in operations() {
            let (is_repeated, requests) = requests(operation, &calls.world.customer);
            for request in requests {
                if is_repeated == Repeated::Never {
                    continue;
                }
                repeated += 1;
                for (fault, code) in passing() {
                    let told = format!("{operation:?} {fault:?}");
                    let (result, seen) = calls.failing(&request, fault.clone(), 3).await;
                    assert_eq!(result.unwrap_err().code(), code, "{told}");
                    assert_eq!(seen, 3, "{told}");
                    for times in [1, 2] {
                        let (result, seen) = calls.failing(&request, fault.clone(), times).await;
                        assert_eq!(seen, u64::from(times) + 1, "{told}");
                        // Of what the sandbox does not know it says so.
                        let known = result.map_or_else(|error| error.status().unwrap(), |_| 200);
                        assert!([200, 404].contains(&known), "{told}: {known}");
                    }
                }
            }
        }
        assert_eq!(repeated, 12);
    })
    .await;
}

#[tokio::test]
async fn what_may_do_harm_is_never_repeated() {
    local(async {
        let calls = Calls::new().await;
        let mut never = 0;
        for operation in operations() {
            let (is_repeated, requests) = requests(operation, &calls.world.customer);
            for request in requests {
                let is_stamped = request.headers.request_id.is_some();
                let second = matches!(operation.spec().signing, Signing::Retry(_)) && !is_stamped;
                let mut harmful = Vec::new();
                harmful.extend(second.then(|| stamped(&request)));
                harmful.extend((is_repeated == Repeated::Never).then_some(request));
                for request in harmful {
                    never += 1;
                    for (fault, code) in passing() {
                        let told = format!("{request:?} {fault:?}");
                        let (result, seen) = calls.failing(&request, fault, 3).await;
                        assert_eq!(result.unwrap_err().code(), code, "{told}");
                        assert_eq!(seen, 1, "{told}");
                        assert!(calls.clock.waits.borrow().is_empty(), "{told}");
                    }
                }
            }
        }
        // First legs: 2 challenges, 4 creations, 3 verifications and 8 others; second legs: those
        // of 5 repeatable operations, the 4 creations, 2 of the verifications, a delegated key and
        // a customer.
        assert_eq!(never, 2 + 4 + 3 + 8 + 5 + 4 + 2 + 1 + 1);
    })
    .await;
}

/// The relay's own operation reaches no sandbox; what has left the client counts.
#[tokio::test]
async fn registration_options_are_never_repeated() {
    local(async {
        let world = World::new().await;
        let operation = Operation::CreatePasskeyRegistrationOptions;
        let (is_repeated, requests) = requests(operation, &world.customer);
        assert_eq!(is_repeated, Repeated::Never);
        let client = world.client(KeyDelivery::Sealed);
        for status in [429, 500, 502, 503] {
            world.transport.set_answer(Some(GridReply {
                status,
                body: Vec::new(),
                retry_after_ms: Some(10),
                date_ms: None,
            }));
            world.transport.take_sent();
            let request = requests[0].clone();
            let error = client.api().call(request, &DEFAULTS).await.unwrap_err();
            assert_eq!(error.status(), Some(status));
            assert_eq!(world.transport.take_sent().len(), 1, "{status}");
        }
        world.transport.set_answer(None);
        world.transport.set_down(true);
        let request = requests[0].clone();
        let error = client.api().call(request, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Network);
        assert_eq!(world.transport.take_sent().len(), 1);
    })
    .await;
}

/// Refusals do not change by being asked again.
#[tokio::test]
async fn refusals_are_not_repeated() {
    local(async {
        let calls = Calls::new().await;
        let rate_limited = ("RATE_LIMITED", 429);
        for operation in operations() {
            let (is_repeated, requests) = requests(operation, &calls.world.customer);
            if is_repeated == Repeated::Never {
                continue;
            }
            for (code, status) in [
                ("INVALID_INPUT", 400),
                ("UNAUTHORIZED", 401),
                ("FORBIDDEN", 403),
                ("REFERENCE_NOT_FOUND", 404),
                ("CONFLICT", 409),
                ("NOT_IMPLEMENTED", 501),
                // It does not say when to come back.
                rate_limited,
            ] {
                let fault = Fault::Error {
                    status,
                    code: code.to_owned(),
                };
                let (result, seen) = calls.failing(&requests[0], fault, 3).await;
                let error = result.unwrap_err();
                assert_eq!(error.status(), Some(status), "{operation:?}");
                assert_eq!(seen, 1, "{operation:?} {status}");
            }
        }
        // Nor does an answer that is cut off and looks whole: whoever sends such a thing will again.
        let (_, requests) = requests(Operation::ListAuthCredentials, &calls.world.customer);
        let (result, seen) = calls.failing(&requests[0], Fault::Truncate, 3).await;
        assert_eq!(result.unwrap_err().code(), ErrorCode::RelayProtocol);
        assert_eq!(seen, 1);
    })
    .await;
}

/// A connection that is cut in the body brought no answer.
#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_again() {
    local(async {
        let calls = Calls::new().await;
        let (_, requests) = requests(Operation::ListAuthCredentials, &calls.world.customer);
        let (result, seen) = calls.failing(&requests[0], Fault::CutBody, 2).await;
        result.unwrap();
        assert_eq!(seen, 3);
    })
    .await;
}

/// 300 ms, then 600, and by chance up to twice that; a server that says how long is given at least
/// that long.
#[tokio::test]
async fn how_long_is_waited() {
    local(async {
        let calls = Calls::new().await;
        let (_, requests) = requests(Operation::ListAuthSessions, &calls.world.customer);
        let failed = || Fault::Drop { processed: false };
        let mut waits = Vec::new();
        for _ in 0..20 {
            calls
                .failing(&requests[0], failed(), 3)
                .await
                .0
                .unwrap_err();
            let pair = calls.clock.waits.take();
            assert_eq!(pair.len(), 2);
            assert!((300..600).contains(&pair[0]), "{pair:?}");
            assert!((600..1200).contains(&pair[1]), "{pair:?}");
            waits.extend(pair);
        }
        waits.sort_unstable();
        waits.dedup();
        assert!(
            waits.len() > 20,
            "not everybody comes back at once: {waits:?}"
        );

        for seconds in [0, 1, 10] {
            let fault = Fault::RateLimit {
                retry_after_seconds: seconds,
            };
            calls.failing(&requests[0], fault, 2).await.0.unwrap();
            let pair = calls.clock.waits.take();
            assert!(
                (seconds * 1000..=seconds * 1000 + 300).contains(&pair[0]),
                "{pair:?}"
            );
            assert!(
                (seconds * 1000..=seconds * 1000 + 600).contains(&pair[1]),
                "{pair:?}"
            );
        }
    })
    .await;
}

/// Who would have to wait for more than ten seconds is told so instead.
#[tokio::test]
async fn a_long_wait_is_the_callers() {
    local(async {
        let calls = Calls::new().await;
        for operation in operations() {
            let (is_repeated, requests) = requests(operation, &calls.world.customer);
            if is_repeated == Repeated::Never {
                continue;
            }
            let fault = Fault::RateLimit {
                retry_after_seconds: 11,
            };
            let (result, seen) = calls.failing(&requests[0], fault, 3).await;
            let error = result.unwrap_err();
            assert_eq!(error.code(), ErrorCode::RateLimited);
            assert_eq!(error.recovery(), Recovery::Wait);
            assert_eq!(error.retry_after_ms(), Some(11_000));
            assert_eq!(seen, 1, "{operation:?}");
            assert!(calls.clock.waits.borrow().is_empty());
        }
    })
    .await;
}

/// Whoever was too slow once gets no second load.
#[tokio::test]
async fn a_timeout_is_not_repeated() {
    local(async {
        let world = World::without_relay().await;
        let client = world.client(KeyDelivery::Sealed);
        for operation in operations() {
            let (is_repeated, requests) = requests(operation, &world.customer);
            if is_repeated == Repeated::Never {
                continue;
            }
            world.sandbox.reset();
            let operation = sandbox_operation(operation);
            world.sandbox.fault(FaultOrder {
                operation: Some(operation),
                leg: None,
                times: 3,
                fault: Fault::Delay { ms: 60_000 },
            });
            let seen = || {
                world
                    .sandbox
                    .requests()
                    .get(&operation)
                    .map(|legs| legs.first)
            };
            let call = client.api().call(requests[0].clone(), &DEFAULTS);
            let (result, ()) = tokio::join!(call, async {
                while seen().is_none() {
                    tokio::task::yield_now().await;
                }
                world.clock.advance(11_000);
            });
            world.clock.advance(-11_000);
            assert_eq!(result.unwrap_err().code(), ErrorCode::Timeout);
            assert_eq!(seen(), Some(1));
        }
    })
    .await;
}

#[tokio::test]
async fn an_abort_ends_the_wait() {
    local(async {
        let world = World::without_relay().await;
        let client = world.client(KeyDelivery::Sealed);
        let operation = sandbox_operation(Operation::ListAuthSessions);
        world.sandbox.fault(FaultOrder {
            operation: Some(operation),
            leg: None,
            times: 3,
            fault: Fault::RateLimit {
                retry_after_seconds: 9,
            },
        });
        let seen = || {
            world
                .sandbox
                .requests()
                .get(&operation)
                .map(|legs| legs.first)
        };
        let abort = Rc::new(Abort::default());
        let options = CallOptions {
            cancellation: Some(abort.clone()),
            timeout_ms: None,
        };
        let (_, requests) = requests(Operation::ListAuthSessions, &world.customer);
        let began = Instant::now();
        let call = client.api().call(requests[0].clone(), &options);
        let (result, ()) = tokio::join!(call, async {
            while seen() != Some(1) {
                tokio::task::yield_now().await;
            }
            // The answer is on its way, then the wait begins.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            abort.abort();
        });
        assert_eq!(result.unwrap_err().code(), ErrorCode::Aborted);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        assert_eq!(seen(), Some(1));
    })
    .await;
}

/// Aborted between the legs, by the page or because the person has left it: the stamp is not sent.
#[tokio::test]
async fn an_abort_keeps_what_was_not_sent() {
    local(async {
        for flow in Flow::ALL {
            let mut attempt = flow.prepared(KeyDelivery::Sealed).await;
            let abort = Rc::new(Abort::default());
            attempt.options.cancellation = Some(abort.clone());
            let transport = attempt.world().transport.clone();
            transport.set_tamper(move |_, _| abort.abort());
            transport.take_sent();
            let error = attempt.make().await.err();
            let sent = transport.take_sent();
            transport.stop_tampering();
            assert_eq!(sent.len(), 1, "{flow:?}: {sent:?}");
            assert!(!sent[0].1, "{flow:?}");
            if flow == Flow::SignInByOauth {
                // Its only answer has brought the session.
                assert!(error.is_none());
                continue;
            }
            let error = error.unwrap();
            assert_eq!(error.code(), ErrorCode::Aborted, "{flow:?}: {error:?}");
            assert_eq!(
                error.reason(),
                None,
                "{flow:?}: nothing can have been carried out"
            );
            attempt.options = DEFAULTS;
            attempt.make().await.unwrap();
        }
    })
    .await;
}

/// What ends by time, or by an abort, while a stamp is under way may have been carried out.
#[tokio::test]
async fn what_ends_under_way_is_an_unknown_outcome() {
    local(async {
        for flow in [Flow::Refresh, Flow::ExportMnemonic, Flow::ExecuteQuote] {
            let mut attempt = flow.prepared(KeyDelivery::Sealed).await;
            let (operation, leg) = last_request(flow);
            let transport = attempt.world().transport.clone();
            let stamped = async || {
                while !transport.take_sent().iter().any(|(_, stamped)| *stamped) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            let delay = || Fault::Delay { ms: 60_000 };
            fault_at(attempt.world(), operation, leg, delay());
            transport.take_sent();
            let clock = attempt.world().clock.clone();
            let (made, ()) = tokio::join!(attempt.make(), async {
                stamped().await;
                clock.advance(11_000);
            });
            clock.advance(-11_000);
            let error = made.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Timeout, "{flow:?}");
            assert_eq!(error.reason(), Some("outcome_unknown"), "{flow:?}");

            fault_at(attempt.world(), operation, leg, delay());
            let abort = Rc::new(Abort::default());
            attempt.options.cancellation = Some(abort.clone());
            let (made, ()) = tokio::join!(attempt.make(), async {
                stamped().await;
                abort.abort();
            });
            let error = made.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Aborted, "{flow:?}");
            assert_eq!(error.reason(), Some("outcome_unknown"), "{flow:?}");
            attempt.options = DEFAULTS;
            attempt.make().await.unwrap();
        }
    })
    .await;
}

fn fault_at(world: &World, operation: Operation, leg: u8, fault: Fault) {
    world.sandbox.fault(FaultOrder {
        operation: Some(sandbox_operation(operation)),
        leg: Some(leg),
        times: 1,
        fault,
    });
}

/// The operation that ends a flow, and with which of its legs.
fn last_request(flow: Flow) -> (Operation, u8) {
    use Operation as O;
    match flow {
        Flow::SignInByEmail | Flow::SignInBySms => (O::VerifyAuthCredential, 2),
        Flow::SignInByPasskey | Flow::SignInByOauth => (O::VerifyAuthCredential, 1),
        Flow::Refresh => (O::RefreshAuthSession, 2),
        Flow::RevokeSession | Flow::SignedRequest => (O::RevokeAuthSession, 2),
        Flow::AddPasskey | Flow::AddOauth | Flow::AddEmailOtp | Flow::AddSmsOtp => {
            (O::CreateAuthCredential, 2)
        }
        Flow::RevokePasskey | Flow::RevokeOauth => (O::RevokeAuthCredential, 2),
        Flow::UpdateEmail | Flow::UpdatePhoneNumber => (O::UpdateCustomerById, 2),
        Flow::UpdatePrivacy => (O::UpdateInternalAccount, 2),
        Flow::ExportMnemonic => (O::ExportInternalAccount, 2),
        Flow::ExecuteQuote => (O::ExecuteQuote, 1),
        Flow::CreateDelegatedKey => (O::CreateDelegatedKey, 3),
    }
}

/// What was signed, or proven, may have been carried out: that is said, and nothing is repeated.
#[tokio::test]
async fn a_lost_answer_to_a_last_leg_is_an_unknown_outcome() {
    local(async {
        for flow in Flow::ALL {
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            let world = attempt.world();
            let (operation, leg) = last_request(flow);
            for fault in [
                Fault::Drop { processed: false },
                Fault::CutBody,
                Fault::Error {
                    status: 500,
                    code: "INTERNAL_ERROR".to_owned(),
                },
            ] {
                if matches!(fault, Fault::CutBody) && is_single_use(flow) {
                    // It is carried out, and cannot be tried again.
                    continue;
                }
                let before = world.sandbox.requests();
                let seen = |leg: u8| {
                    let count = |counts: &gridkey_sandbox::RequestCounts| {
                        let legs = counts.get(&sandbox_operation(operation));
                        let legs = legs.copied().unwrap_or_default();
                        [legs.first, legs.second, legs.third][usize::from(leg) - 1]
                    };
                    count(&world.sandbox.requests()) - count(&before)
                };
                fault_at(world, operation, leg, fault.clone());
                let error: Error = attempt.make().await.unwrap_err();
                let told = format!("{flow:?} {fault:?}: {error:?}");
                assert_eq!(error.reason(), Some("outcome_unknown"), "{told}");
                assert_eq!(seen(leg), 1, "{told}");
            }
            attempt
                .make()
                .await
                .unwrap_or_else(|error| panic!("{flow:?}: {error:?}"));
        }
    })
    .await;
}

/// What Grid does not know any more ran out, or was used: by the same request, if it arrived twice.
#[tokio::test]
async fn what_was_used_is_an_unknown_outcome() {
    local(async {
        for flow in [
            Flow::SignInByEmail,
            Flow::Refresh,
            Flow::RevokeSession,
            Flow::AddPasskey,
            Flow::UpdateEmail,
            Flow::UpdatePrivacy,
            Flow::ExportMnemonic,
            Flow::CreateDelegatedKey,
        ] {
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            let (operation, leg) = last_request(flow);
            let fault = Fault::Error {
                status: 401,
                code: "UNAUTHORIZED".to_owned(),
            };
            fault_at(attempt.world(), operation, leg, fault);
            let error = attempt.make().await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::ChallengeExpired, "{flow:?}");
            assert_eq!(error.reason(), Some("outcome_unknown"), "{flow:?}");
        }
    })
    .await;
}

/// Signed out while a refresh is under way: what it has opened is ended, and where that cannot be had
/// it is said.
#[tokio::test]
async fn a_session_that_comes_after_signing_out_is_not_forgotten() {
    local(async {
        let lost = || Fault::Drop { processed: true };
        let unknown = Some("outcome_unknown");
        for (operation, spoilt, is_left, told) in [
            (Operation::RefreshAuthSession, None, false, None),
            (Operation::RefreshAuthSession, Some(lost()), true, unknown),
            (Operation::RevokeAuthSession, Some(lost()), false, unknown),
        ] {
            let world = World::new().await;
            let client = world.client(KeyDelivery::ClientHeld);
            let session = world.sign_in(&client).await;
            if let Some(fault) = spoilt {
                fault_at(&world, operation, 2, fault);
            }
            let known = world.sandbox.sessions().len();
            // The old session is not revoked before there is a new one.
            fault_at(
                &world,
                Operation::RevokeAuthSession,
                1,
                Fault::Error {
                    status: 403,
                    code: "FORBIDDEN".to_owned(),
                },
            );
            let transport = world.transport.clone();
            transport.take_sent();
            let (refreshed, _) = tokio::join!(session.refresh(false, &DEFAULTS), async {
                while !transport
                    .take_sent()
                    .contains(&("refreshAuthSession", true))
                {
                    tokio::task::yield_now().await;
                }
                session.sign_out(&DEFAULTS).await
            });
            let error = refreshed.unwrap_err();
            assert_eq!(error.code(), ErrorCode::SessionExpired);
            assert_eq!(error.reason(), told);
            let sessions = world.sandbox.sessions();
            assert_eq!(sessions.len(), known + 1);
            assert_eq!(sessions.last().unwrap().active, is_left);
        }
    })
    .await;
}

/// What is done when it was carried out once.
fn is_single_use(flow: Flow) -> bool {
    !matches!(
        flow,
        Flow::SignInByEmail
            | Flow::SignInBySms
            | Flow::SignInByPasskey
            | Flow::SignInByOauth
            | Flow::Refresh
            | Flow::UpdatePrivacy
            | Flow::ExportMnemonic
            | Flow::ExecuteQuote
    )
}

/// First legs that fail for a moment are not noticed, and Grid sees one stamp.
#[tokio::test]
async fn a_flow_survives_a_moment() {
    local(async {
        for (flow, operation) in [
            (Flow::Refresh, Operation::RefreshAuthSession),
            (Flow::RevokeSession, Operation::RevokeAuthSession),
            (Flow::RevokePasskey, Operation::RevokeAuthCredential),
            (Flow::RevokeOauth, Operation::RevokeAuthCredential),
            (Flow::ExportMnemonic, Operation::ExportInternalAccount),
            (Flow::UpdatePrivacy, Operation::UpdateInternalAccount),
        ] {
            let attempt = flow.prepared(KeyDelivery::ClientHeld).await;
            let sandbox = &attempt.world().sandbox;
            let counts = || {
                let legs = sandbox
                    .requests()
                    .get(&sandbox_operation(operation))
                    .copied();
                let legs = legs.unwrap_or_default();
                (legs.first, legs.second)
            };
            let before = counts();
            sandbox.fault(FaultOrder {
                operation: Some(sandbox_operation(operation)),
                leg: Some(1),
                times: 2,
                fault: Fault::Drop { processed: true },
            });
            attempt.make().await.unwrap();
            assert_eq!(counts(), (before.0 + 3, before.1 + 1), "{flow:?}");
        }
    })
    .await;
}

/// Where it is gone, nothing is left to revoke: on either leg, and by signing out too.
#[tokio::test]
async fn what_is_not_there_has_been_revoked() {
    local(async {
        let not_found = || Fault::Error {
            status: 404,
            code: "REFERENCE_NOT_FOUND".to_owned(),
        };
        for leg in [1, 2] {
            for flow in [Flow::RevokeSession, Flow::RevokePasskey, Flow::RevokeOauth] {
                let attempt = flow.prepared(KeyDelivery::Sealed).await;
                let (operation, _) = last_request(flow);
                fault_at(attempt.world(), operation, leg, not_found());
                attempt.make().await.unwrap();
            }
            let world = World::new().await;
            let client = world.client(KeyDelivery::Sealed);
            let session = world.sign_in(&client).await;
            fault_at(&world, Operation::RevokeAuthSession, leg, not_found());
            assert!(session.sign_out(&DEFAULTS).await);

            // Of everything else it is told.
            for flow in [Flow::ExportMnemonic, Flow::UpdatePrivacy, Flow::UpdateEmail] {
                let attempt = flow.prepared(KeyDelivery::Sealed).await;
                let (operation, _) = last_request(flow);
                fault_at(attempt.world(), operation, leg, not_found());
                let error = attempt.make().await.unwrap_err();
                assert_eq!(error.code(), ErrorCode::NotFound, "{flow:?}");
            }
        }
    })
    .await;
}

/// A challenge sends a message, or uses up the one before: once a tap.
#[tokio::test]
async fn sign_ins_ask_once() {
    local(async {
        for flow in [
            Flow::SignInByEmail,
            Flow::SignInBySms,
            Flow::SignInByPasskey,
        ] {
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            let world = attempt.world();
            let operation = Operation::ChallengeAuthCredential;
            let counted = || world.sandbox.requests()[&sandbox_operation(operation)].first;
            let before = counted();
            fault_at(world, operation, 1, Fault::Drop { processed: true });
            attempt.make().await.unwrap_err();
            assert_eq!(counted() - before, 1, "{flow:?}");
            attempt.make().await.unwrap();
            assert_eq!(counted() - before, 2, "{flow:?}");
        }
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in(&client).await;
        world.transport.set_down(true);
        world.transport.take_sent();
        let options = session.prepare_passkey_registration(enrolment("Key"), DEFAULTS);
        assert!(options.await.is_err());
        let id = &world.customer.email_otp_auth_method_id;
        assert!(client.send_otp(id, &DEFAULTS).await.is_err());
        assert_eq!(world.transport.take_sent().len(), 2);
        world.transport.set_down(false);
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    })
    .await;
}
