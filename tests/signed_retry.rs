//! The signed retry against a relay that answers what it likes: what is stamped, what is sent, how often, and
//! what the caller is told of it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, pending, ready},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use gridkey::{
    api::{
        call::{GridCall, GridReply},
        client::{Answer, CallOptions, GridApi},
        operation::Operation,
        request::{Request, Route},
        signed_retry::{DoneAtOnce, check_not_aborted, outcome_unknown, signed_retry},
        types::SignedRequestChallenge,
    },
    crypto::random::SystemRandom,
    error::{Error, ErrorCode, Result},
    ports::{Cancellation, Clock, LocalFuture, Transport},
};

/// 2026-04-08T20:55:00Z
const NOW: i64 = 1_775_681_700_000;
const LATER: &str = "2026-04-08T20:55:01Z";
const PAST: &str = "2026-04-08T20:55:00Z";
const SESSION: &str = "Session:0195a2b4-33c1-7def-8123-456789abcdef";

struct StandingClock;

impl Clock for StandingClock {
    fn now_ms(&self) -> i64 {
        NOW
    }

    fn sleep(&self, _: u64) -> LocalFuture<'static, ()> {
        Box::pin(pending())
    }

    fn spawn(&self, _: LocalFuture<'static, ()>) {
        panic!("calls have no background");
    }
}

#[derive(Default)]
struct Abort(Cell<bool>);

impl Cancellation for Abort {
    fn is_cancelled(&self) -> bool {
        self.0.get()
    }

    fn cancelled(&self) -> LocalFuture<'static, ()> {
        Box::pin(pending())
    }
}

/// Answers in turn, whatever it is sent.
#[derive(Default)]
struct Script {
    answers: RefCell<VecDeque<(u16, String)>>,
    sent: RefCell<Vec<GridCall>>,
}

impl Transport for Script {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        self.sent.borrow_mut().push(call);
        let (status, body) = self.answers.borrow_mut().pop_front().unwrap();
        Box::pin(ready(Ok(GridReply {
            status,
            body: body.into_bytes(),
            retry_after_ms: None,
            date_ms: Some(NOW),
        })))
    }
}

fn challenge(payload: &str, id: u8, expires_at: &str) -> (u16, String) {
    let id = format!("Request:0195a2b4-33c1-7def-8123-4567890000{id:02}");
    (
        202,
        format!(r#"{{"payloadToSign":"{payload}","requestId":"{id}","expiresAt":"{expires_at}"}}"#),
    )
}

fn done() -> (u16, String) {
    (204, String::new())
}

struct Run {
    result: Result<Answer>,
    sent: Vec<GridCall>,
    stamped: Vec<String>,
}

type Stamp = fn(&SignedRequestChallenge, &Abort) -> Result<String>;

fn run_with(
    request: &Request,
    answers: impl IntoIterator<Item = (u16, String)>,
    done_at_once: DoneAtOnce,
    stamp: Stamp,
) -> Run {
    let script = Rc::new(Script {
        answers: RefCell::new(answers.into_iter().collect()),
        ..Script::default()
    });
    let api = GridApi::new(
        script.clone(),
        Rc::new(StandingClock),
        Rc::new(SystemRandom),
        None,
        1000,
    );
    let abort = Rc::new(Abort::default());
    let options = CallOptions {
        cancellation: Some(abort.clone()),
        ..CallOptions::default()
    };
    let stamped = RefCell::new(Vec::new());
    let stamper = |challenge: SignedRequestChallenge| -> LocalFuture<'_, Result<String>> {
        stamped.borrow_mut().push(challenge.payload_to_sign.clone());
        Box::pin(ready(stamp(&challenge, &abort)))
    };
    let result = at_once(signed_retry(
        &api,
        request,
        &options,
        done_at_once,
        &stamper,
    ));
    let sent = script.sent.take();
    Run {
        result,
        sent,
        stamped: stamped.take(),
    }
}

/// Nothing here waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something that nobody answers"),
    }
}

fn run(
    request: &Request,
    answers: impl IntoIterator<Item = (u16, String)>,
    done_at_once: DoneAtOnce,
) -> Run {
    run_with(request, answers, done_at_once, |challenge, _| {
        Ok(format!("stamp-of-{}", challenge.payload_to_sign))
    })
}

fn revocation() -> Request {
    Request::on(Operation::RevokeAuthSession, SESSION)
}

fn of_any_path() -> Request {
    let route = Route::new("POST", "/what/grid/adds/next".to_owned()).unwrap();
    Request::to(route, None).unwrap()
}

#[test]
fn the_second_leg_is_the_first_with_a_stamp_over_what_was_answered() {
    let run = run(
        &revocation(),
        [challenge("one", 1, LATER), done()],
        DoneAtOnce::Refused,
    );
    assert_eq!(run.result.unwrap().status, 204);
    assert_eq!(run.stamped, ["one"]);
    let [first, second] = run.sent.as_slice() else {
        panic!("two legs");
    };
    assert_eq!((&first.stamp, &first.request_id), (&None, &None));
    assert_eq!(second.stamp.as_deref(), Some("stamp-of-one"));
    assert_eq!(
        second.request_id.as_deref(),
        Some("Request:0195a2b4-33c1-7def-8123-456789000001")
    );
    assert_eq!(second.idempotency_key, None);
    assert_eq!(
        (first.method, &first.path, &first.body),
        (second.method, &second.path, &second.body)
    );
}

#[test]
fn what_nobody_signed_is_not_done() {
    let refused = run(&revocation(), [done()], DoneAtOnce::Refused);
    let error = refused.result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RelayProtocol);
    assert_eq!(error.reason(), Some("unsigned"));
    assert!(refused.stamped.is_empty());

    let accepted = run(&revocation(), [done()], DoneAtOnce::Accepted);
    assert_eq!(accepted.result.unwrap().status, 204);
    // Where it may be done at once, it need not be.
    let signed = run(
        &revocation(),
        [challenge("one", 1, LATER), done()],
        DoneAtOnce::Accepted,
    );
    assert!(signed.result.is_ok());
    assert_eq!(signed.stamped, ["one"]);
}

#[test]
fn no_payload_and_no_request_id_is_stamped_twice() {
    for (again, what) in [
        (challenge("one", 2, LATER), "the payload"),
        (challenge("two", 1, LATER), "the id"),
        (challenge("one", 1, LATER), "both"),
    ] {
        let run = run(
            &of_any_path(),
            [challenge("one", 1, LATER), again],
            DoneAtOnce::Refused,
        );
        let error = run.result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RelayProtocol, "{what}");
        assert_eq!(error.reason(), Some("outcome_unknown"), "{what}");
        assert!(error.request_id().is_some(), "{what}");
        assert!(error.to_string().contains("the same challenge"), "{what}");
        assert_eq!(run.stamped, ["one"], "{what}");
        assert_eq!(run.sent.len(), 2, "{what}");
    }
}

#[test]
fn no_more_is_stamped_than_the_operation_asks_for() {
    let answers = |count: u8| {
        (1..=count)
            .map(|id| challenge(&format!("payload-{id}"), id, LATER))
            .chain([done()])
    };
    for (request, stamps) in [(revocation(), 1), (of_any_path(), 3)] {
        let enough = run(&request, answers(stamps), DoneAtOnce::Refused);
        assert!(enough.result.is_ok());
        assert_eq!(enough.stamped.len(), usize::from(stamps));

        let further = run(&request, answers(stamps + 1), DoneAtOnce::Refused);
        let error = further.result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RelayProtocol);
        assert_eq!(error.reason(), Some("outcome_unknown"));
        assert!(error.to_string().contains("a further challenge"));
        assert_eq!(further.stamped.len(), usize::from(stamps));
        assert_eq!(further.sent.len(), usize::from(stamps) + 1);
    }
}

#[test]
fn an_operation_without_a_signature_stamps_nothing() {
    let request = Request::on(
        Operation::GetQuoteById,
        "Quote:0195a2b4-33c1-7def-8123-456789abcdef",
    );
    let run = run(&request, [challenge("one", 1, LATER)], DoneAtOnce::Accepted);
    assert!(run.result.is_err());
    assert!(run.stamped.is_empty());
}

#[test]
fn a_challenge_that_has_run_out_is_not_stamped() {
    let run = run(
        &revocation(),
        [challenge("one", 1, PAST), done()],
        DoneAtOnce::Refused,
    );
    assert_eq!(run.result.unwrap_err().code(), ErrorCode::ChallengeExpired);
    assert!(run.stamped.is_empty());
    assert_eq!(run.sent.len(), 1);
}

#[test]
fn a_signature_is_not_sent_after_the_caller_has_ended_the_call() {
    let run = run_with(
        &revocation(),
        [challenge("one", 1, LATER), done()],
        DoneAtOnce::Refused,
        |_, abort| {
            abort.0.set(true);
            Ok("stamp".to_owned())
        },
    );
    let error = run.result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Aborted);
    assert_eq!(error.reason(), None);
    assert_eq!(
        error.request_id(),
        Some("Request:0195a2b4-33c1-7def-8123-456789000001")
    );
    assert_eq!(run.sent.len(), 1);
}

#[test]
fn a_call_is_ended_by_its_own_caller_only() {
    assert!(check_not_aborted(&CallOptions::default()).is_ok());
    let abort = Rc::new(Abort::default());
    let options = CallOptions {
        cancellation: Some(abort.clone()),
        ..CallOptions::default()
    };
    assert!(check_not_aborted(&options).is_ok());
    abort.0.set(true);
    let error = check_not_aborted(&options).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Aborted);
}

#[test]
fn what_is_not_what_was_asked_for_is_not_sent() {
    let run = run_with(
        &revocation(),
        [challenge("one", 1, LATER), done()],
        DoneAtOnce::Refused,
        |_, _| Err(Error::new(ErrorCode::IntentRefused, "no").with_reason("type")),
    );
    let error = run.result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("type"));
    assert!(error.request_id().is_some());
    assert_eq!(run.sent.len(), 1);
}

#[test]
fn a_failure_of_the_second_leg_may_have_been_done() {
    let run = run(
        &revocation(),
        [challenge("one", 1, LATER), (502, String::new())],
        DoneAtOnce::Refused,
    );
    let error = run.result.unwrap_err();
    assert_eq!(error.reason(), Some("outcome_unknown"));
    assert!(error.request_id().is_some());
    assert_eq!(run.sent.len(), 2, "it is not repeated");
}

#[test]
fn what_may_have_been_carried_out_is_told_apart() {
    use ErrorCode as C;
    let cases = [
        (C::Network, None, true),
        (C::Timeout, None, true),
        (C::Aborted, None, true),
        (C::RelayProtocol, None, false),
        (C::RelayProtocol, Some(200), true),
        (C::RelayProtocol, Some(299), true),
        (C::RelayProtocol, Some(300), false),
        (C::RelayProtocol, Some(499), false),
        (C::RelayProtocol, Some(500), true),
        (C::GridError, None, false),
        (C::GridError, Some(400), false),
        (C::GridError, Some(499), false),
        (C::GridError, Some(500), true),
        (C::GridError, Some(503), true),
        (C::SignatureRejected, Some(401), false),
        // Grid's answer, or this device's own opinion.
        (C::ChallengeExpired, Some(409), true),
        (C::ChallengeExpired, None, false),
    ];
    for (code, status, unknown) in cases {
        let error = |reason: Option<&'static str>| {
            let error = Error::new(code, "what happened");
            let error = match status {
                Some(status) => error.with_status(status),
                None => error,
            };
            match reason {
                Some(reason) => error.with_reason(reason),
                None => error,
            }
        };
        let told = outcome_unknown(error(None));
        assert_eq!(
            told.reason(),
            unknown.then_some("outcome_unknown"),
            "{code:?} {status:?}"
        );
        // Grid's own reason gives way; one of this package's does not.
        let told = outcome_unknown(error(Some("mine")));
        let gives_way = unknown && status.is_some();
        assert_eq!(
            told.reason(),
            Some(if gives_way { "outcome_unknown" } else { "mine" }),
            "{code:?} {status:?}"
        );
    }
}
