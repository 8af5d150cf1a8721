//! What goes wrong without anybody's malice: each is told by its own code, nothing is lost, and the
//! next attempt works.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use std::{cell::RefCell, rc::Rc};

use gridkey::{
    api::{
        call::GridReply, client::CallOptions, operation::Operation as ApiOperation,
        request::Request, types::AuthSession,
    },
    crypto::{json::Json, random::SystemRandom},
    error::{ErrorCode, Recovery},
    flow::{
        client::Gridkey,
        key_delivery::KeyDelivery,
        session::SessionInfo,
        state::{SessionState, SignedOutReason},
    },
    formats::session_key::SessionKey,
    ports::Clock,
};
use gridkey_sandbox::{Fault, FaultOrder, Operation};
use support::{World, abort::Abort, code, enrolment, local};

const DEFAULTS: CallOptions = CallOptions {
    cancellation: None,
    timeout_ms: None,
};

fn fault(world: &World, operation: Operation, leg: Option<u8>, fault: Fault) {
    world.sandbox.fault(FaultOrder {
        operation: Some(operation),
        leg,
        times: 1,
        fault,
    });
}

async fn list_sessions(client: &Gridkey, account_id: &str) -> Vec<AuthSession> {
    let request =
        Request::new(ApiOperation::ListAuthSessions).with_query([("accountId", account_id.into())]);
    let answer = client.api().call(request, &DEFAULTS).await.unwrap();
    let sessions = answer.body.get("data").and_then(Json::as_array).unwrap();
    sessions.iter().map(AuthSession::read).collect()
}

/// Whatever is no body of Grid is said to be that, on a success and on a failure.
#[tokio::test]
async fn bodies_that_are_not_grids() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let account = &world.customer.account_id;
        for (status, body, says) in [
            (200, &b"<!doctype html><title>Log in</title>"[..], "HTML"),
            (200, b"", "empty"),
            (200, b" \n", "empty"),
            (200, b"{\"data\":[", "JSON"),
            (200, b"not json", "JSON"),
            (200, b"{\"data\":[]}{}", "JSON"),
            (200, b"{\"data\":[],\"data\":[]}", "JSON"),
            (200, b"{\"data\":\"\xff\"}", "UTF-8"),
            (200, b"{}", "`it.data` must"),
            (200, b"{\"data\":{}}", "`it.data` must"),
            (
                200,
                b"{\"data\":[{\"id\":\"AuthMethod:1\"}]}",
                "`it.data.accountId` must be given",
            ),
            (200, b"[]", "`it` must be an object"),
            (204, b"", "204"),
            (201, b"{\"data\":[]}", "201"),
            (502, b"<html>Bad Gateway</html>", "502"),
            (503, b"", "503"),
        ] {
            let body = body.to_vec();
            world.transport.set_tamper(move |_, reply: &mut GridReply| {
                *reply = GridReply {
                    status,
                    body: body.clone(),
                    retry_after_ms: None,
                    date_ms: None,
                };
            });
            let error = client
                .list_auth_methods(account, &DEFAULTS)
                .await
                .unwrap_err();
            assert_eq!(error.code(), ErrorCode::RelayProtocol, "{says}");
            assert!(error.message().contains(says), "{says}: {error}");
            assert_eq!(error.operation(), Some("listAuthCredentials"));
            let retry = status >= 500;
            assert_eq!(error.recovery() == Recovery::Retry, retry, "{says}");
        }
        world
            .transport
            .set_tamper(|_, reply| reply.body = vec![b' '; 1024 * 1024 + 1]);
        let error = client
            .list_auth_methods(account, &DEFAULTS)
            .await
            .unwrap_err();
        assert!(error.message().contains("longer than 1 MiB"), "{error}");
        world.transport.stop_tampering();
        assert!(
            !client
                .list_auth_methods(account, &DEFAULTS)
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn the_platforms_login_lapses() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        world.transport.set_answer(Some(GridReply {
            status: 401,
            body: br#"{"error":"signed_out_of_platform"}"#.to_vec(),
            retry_after_ms: None,
            date_ms: None,
        }));
        let error = otp.submit(&code("000000"), &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::SignedOutOfPlatform);
        world.transport.set_answer(None);
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn too_many_attempts() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let id = &world.customer.email_otp_auth_method_id;
        let limit = Fault::RateLimit {
            retry_after_seconds: 2,
        };
        fault(
            &world,
            Operation::ChallengeAuthCredential,
            None,
            limit.clone(),
        );
        let error = client.send_otp(id, &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::RateLimited);
        assert_eq!(error.recovery(), Recovery::Wait);
        assert_eq!(error.retry_after_ms(), Some(2000));
        assert_eq!(error.grid_code(), Some("RATE_LIMITED"));
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        fault(&world, Operation::VerifyAuthCredential, Some(1), limit);
        let error = otp.submit(&code("000000"), &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::RateLimited);
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_code_is_resent_and_resumed() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        let first = otp.state();
        assert_eq!(first.sent_to, world.customer.email);
        otp.resend(&DEFAULTS).await.unwrap();
        let second = otp.state();
        assert_ne!(
            first.otp_encryption_target_bundle,
            second.otp_encryption_target_bundle
        );
        // The page is loaded anew: another client, the same state.
        let reloaded = world.client(KeyDelivery::Sealed);
        let old = reloaded.resume_otp(first).unwrap();
        let error = old.submit(&code("000000"), &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::OtpRejected);
        let new = reloaded.resume_otp(second.clone()).unwrap();
        new.submit(&code("000000"), &DEFAULTS).await.unwrap();
        // A state that was tampered with is refused at once.
        let mut forged = second.clone();
        forged.otp_encryption_target_bundle = forged.otp_encryption_target_bundle.replace('a', "b");
        let error = reloaded.resume_otp(forged).err().unwrap();
        assert!(
            matches!(
                error.code(),
                ErrorCode::BundleUntrusted | ErrorCode::BundleMalformed
            ),
            "{error:?}"
        );
        for field in 0..3 {
            let mut state = second.clone();
            match field {
                0 => state.auth_method_id = "Session:1".to_owned(),
                1 => state.account_id = "../x".to_owned(),
                _ => state.sent_to = String::new(),
            }
            let error = reloaded.resume_otp(state).err().unwrap();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
        }
    })
    .await;
}

/// Each kind of credential is told by its own call, before anything but the challenge is sent.
#[tokio::test]
async fn the_wrong_kind_of_credential() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let passkey_id = world.add_passkey(&session, "Key").await;
        let otp_id = &world.customer.email_otp_auth_method_id;
        let error = client
            .prepare_passkey(otp_id, DEFAULTS)
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        // The sandbox, as Grid, wants a key to challenge a passkey, and none is sent for a code.
        assert!(client.send_otp(&passkey_id, &DEFAULTS).await.is_err());
        let error = client.send_otp("AuthMethod:00000000-0000-0000-0000-000000000000", &DEFAULTS);
        // It is not this customer's, so the relay does not even ask Grid.
        assert_eq!(error.await.err().unwrap().code(), ErrorCode::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn the_prompt_is_closed_and_then_not() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let enrol = session
            .prepare_passkey_registration(enrolment("Key"), DEFAULTS)
            .await
            .unwrap();
        world.authenticator.set_cancels(true);
        world.transport.take_sent();
        let error = enrol.confirm(&DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PasskeyNotUsed);
        world.authenticator.set_cancels(false);
        let passkey_id = enrol.confirm(&DEFAULTS).await.unwrap().id;
        // What was fetched ahead was still good: nothing was fetched again.
        let sent = world.transport.take_sent();
        assert!(
            sent.iter().all(|(name, _)| *name == "createAuthCredential"),
            "{sent:?}"
        );

        let prepared = client.prepare_passkey(&passkey_id, DEFAULTS).await.unwrap();
        world.authenticator.set_cancels(true);
        world.transport.take_sent();
        let error = prepared.confirm(&DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::PasskeyNotUsed);
        world.authenticator.set_cancels(false);
        prepared.confirm(&DEFAULTS).await.unwrap();
        assert_eq!(
            world.transport.take_sent(),
            [("verifyAuthCredential", false)]
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_device_twice() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        world.add_passkey(&session, "Key").await;
        let again = session
            .prepare_passkey_registration(enrolment("Key"), DEFAULTS)
            .await;
        let error = again.unwrap().confirm(&DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PasskeyAlreadyRegistered);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_grid_does_not_take() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        world.transport.take_sent();
        for nickname in ["", "  ", "a/b", "<b>", &"x".repeat(101)] {
            let options = enrolment(nickname);
            let error = session
                .prepare_passkey_registration(options, DEFAULTS)
                .await
                .err();
            assert_eq!(
                error.unwrap().code(),
                ErrorCode::InvalidArgument,
                "{nickname:?}"
            );
        }
        assert!(world.transport.take_sent().is_empty());
        let options = enrolment("  Zoë's (new) Telefon_2.0-β ");
        let enrol = session
            .prepare_passkey_registration(options, DEFAULTS)
            .await
            .unwrap();
        assert_eq!(
            enrol.confirm(&DEFAULTS).await.unwrap().nickname,
            "Zoë's (new) Telefon_2.0-β"
        );
    })
    .await;
}

/// Grid forgets the challenge while the page still takes it for good.
#[tokio::test]
async fn a_challenge_runs_out_at_grid() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let passkey_id = world.add_passkey(&session, "Key").await;
        let prepared = client.prepare_passkey(&passkey_id, DEFAULTS).await.unwrap();
        world.sandbox.expire_challenges();
        let error = prepared.confirm(&DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::PasskeyRejected);
        assert_eq!(error.recovery(), Recovery::Retry);
        prepared.confirm(&DEFAULTS).await.unwrap();
    })
    .await;
}

/// The page was left open: what was fetched ahead is fetched again before it runs out, and what
/// ran out is not used.
#[tokio::test]
async fn a_challenge_runs_out_on_the_page() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let passkey_id = world.add_passkey(&session, "Key").await;
        let prepared = client.prepare_passkey(&passkey_id, DEFAULTS).await.unwrap();
        let first = prepared.expires_at_ms();
        world.transport.take_sent();
        let advance = |ms| {
            world.sandbox.advance_clock(ms);
            world.clock.advance(ms);
        };
        advance(first - world.clock.now_ms() - 20_000);
        while prepared.expires_at_ms() == first {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            world.transport.take_sent(),
            [("challengeAuthCredential", false)]
        );
        prepared.confirm(&DEFAULTS).await.unwrap();
        assert_eq!(
            world.transport.take_sent(),
            [("verifyAuthCredential", false)]
        );

        // Asleep for an hour, as a laptop is: no timer has run when the tap comes.
        let prepared = client.prepare_passkey(&passkey_id, DEFAULTS).await.unwrap();
        world.transport.take_sent();
        advance(3_600_000);
        prepared.confirm(&DEFAULTS).await.unwrap();
        let sent = world.transport.take_sent();
        assert_eq!(
            sent.first(),
            Some(&("challengeAuthCredential", false)),
            "{sent:?}"
        );
        assert!(sent.contains(&("verifyAuthCredential", false)), "{sent:?}");
    })
    .await;
}

#[tokio::test]
async fn the_relay_is_down_in_the_middle() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        world.transport.set_down(true);
        let error = otp.submit(&code("000000"), &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::Network);
        assert_eq!(error.operation(), Some("verifyAuthCredential"));
        world.transport.set_down(false);
        let session = otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
        let before = session.info();

        world.transport.set_down(true);
        assert_eq!(
            session.refresh(false, &DEFAULTS).await.unwrap_err().code(),
            ErrorCode::Network
        );
        assert_eq!(session.info(), before);
        world.transport.set_down(false);
        session.refresh(false, &DEFAULTS).await.unwrap();
        assert_ne!(session.info(), before);

        // Signing out never fails for the network: the key is gone here all the same.
        world.transport.set_down(true);
        assert!(!session.sign_out(&DEFAULTS).await);
        assert!(!session.is_active());
        assert!(matches!(
            client.state(),
            SessionState::SignedOut {
                reason: Some(SignedOutReason::SignedOut)
            }
        ));
    })
    .await;
}

/// The answer to the stamped request is lost: it may have been carried out, and is not repeated.
#[tokio::test]
async fn the_answer_to_a_stamped_request_is_lost() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let before = session.info();
        for (lost, expected) in [
            (Fault::Drop { processed: true }, ErrorCode::GridError),
            (Fault::Truncate, ErrorCode::RelayProtocol),
        ] {
            fault(&world, Operation::RefreshAuthSession, Some(2), lost);
            world.transport.take_sent();
            let error = session.refresh(false, &DEFAULTS).await.unwrap_err();
            assert_eq!(error.code(), expected, "{error:?}");
            assert!(error.request_id().is_some());
            let stamped = |sent: &(&str, bool)| sent.1;
            assert_eq!(
                world
                    .transport
                    .take_sent()
                    .iter()
                    .filter(|s| stamped(s))
                    .count(),
                1
            );
            assert_eq!(session.info(), before);
        }
        world.transport.set_tamper(|call, reply| {
            if call.stamp.is_some() {
                reply.status = 502;
                reply.body.clear();
            }
        });
        assert!(session.refresh(false, &DEFAULTS).await.is_err());
        world.transport.stop_tampering();
        session.refresh(false, &DEFAULTS).await.unwrap();
        assert_ne!(session.info(), before);
    })
    .await;
}

#[tokio::test]
async fn the_session_ends_between_the_legs() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        let sandbox = world.sandbox.clone();
        world.transport.set_tamper(move |call, _| {
            if call.operation == "refreshAuthSession" && call.stamp.is_none() {
                sandbox.expire_sessions();
            }
        });
        // By Grid's documents the same answer may mean that the challenge ran out, so the session is
        // not given up yet; whether it is gone, the next attempt's first leg tells.
        let error = session.refresh(false, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ChallengeExpired, "{error:?}");
        assert!(error.grid_code().is_some());
        world.transport.stop_tampering();
        let error = session.refresh(false, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SessionExpired, "{error:?}");
        assert_eq!(error.recovery(), Recovery::SignIn);
        world
            .sign_in_by_code(&client)
            .await
            .refresh(false, &DEFAULTS)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_session_that_grid_no_longer_knows_counts_as_revoked() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let other = world.sign_in_by_code(&client).await;
        let other_id = other.info().id.clone();
        session.revoke_session(&other_id, &DEFAULTS).await.unwrap();
        // A relay that looks up whose session it is finds it nowhere: see `Forbidden` above.
        let again = session.revoke_session(&other_id, &DEFAULTS).await;
        assert!(
            again.as_ref().is_ok_and(|()| true)
                || again
                    .as_ref()
                    .is_err_and(|error| error.code() == ErrorCode::Forbidden),
            "{again:?}"
        );
        let own = session.info().id.clone();
        session.revoke_session(&own, &DEFAULTS).await.unwrap();
        assert!(!session.is_active());
        let error = session.revoke_session(&own, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SessionExpired);
    })
    .await;
}

/// Not used in its last 30 seconds; gone when its time is over, without anybody asking.
#[tokio::test]
async fn a_session_runs_out() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let changes = Rc::new(RefCell::new(Vec::new()));
        let listener = {
            let changes = changes.clone();
            Rc::new(move |state: &SessionState| changes.borrow_mut().push(state.clone()))
        };
        let subscription = client.subscribe(listener);
        let session = world.sign_in_by_code(&client).await;
        let SessionInfo { expires_at_ms, .. } = *session.info();
        world
            .clock
            .advance(expires_at_ms - 30_000 - world.clock.now_ms() - 5_000);
        assert!(session.is_active());
        world.clock.advance(5_000);
        assert!(!session.is_active());
        world.transport.take_sent();
        let error = session.refresh(false, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SessionExpired);
        let error = session
            .revoke_session("Session:1", &DEFAULTS)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::SessionExpired);
        let error = session
            .prepare_passkey_registration(enrolment("x"), DEFAULTS)
            .await
            .err();
        assert_eq!(error.unwrap().code(), ErrorCode::SessionExpired);
        assert!(world.transport.take_sent().is_empty());
        while changes.borrow().len() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(changes.borrow()[0], SessionState::SignedIn(_)));
        assert!(matches!(
            changes.borrow()[1],
            SessionState::SignedOut {
                reason: Some(SignedOutReason::Expired)
            }
        ));
        client.unsubscribe(subscription);
        world.clock.advance(-expires_at_ms);
        assert!(
            !session.is_active(),
            "a clock that is set back brings nothing back"
        );
    })
    .await;
}

#[tokio::test]
async fn this_devices_clock_is_wrong() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        world.clock.advance(3_600_000);
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        let error = otp.submit(&code("000000"), &DEFAULTS).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::ClockWrong);
        world.clock.advance(-3_600_000);
        // Grid has taken the code already, so it takes another.
        otp.resend(&DEFAULTS).await.unwrap();
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn slow_answers_and_aborted_calls() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let account = &world.customer.account_id;
        let operation = Operation::ListAuthCredentials;
        fault(&world, operation, None, Fault::Delay { ms: 60_000 });
        let options = CallOptions {
            timeout_ms: Some(50),
            ..DEFAULTS
        };
        let error = client
            .list_auth_methods(account, &options)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout);

        fault(&world, operation, None, Fault::Delay { ms: 60_000 });
        let abort = Rc::new(Abort::default());
        let options = CallOptions {
            cancellation: Some(abort.clone()),
            timeout_ms: None,
        };
        let call = client.list_auth_methods(account, &options);
        let (result, ()) = tokio::join!(call, async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            abort.abort();
        });
        assert_eq!(result.unwrap_err().code(), ErrorCode::Aborted);

        // What was aborted before it began is not sent.
        world.transport.take_sent();
        let error = client
            .list_auth_methods(account, &options)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Aborted);
        assert!(world.transport.take_sent().is_empty());
        client.list_auth_methods(account, &DEFAULTS).await.unwrap();
    })
    .await;
}

/// Aborted between the legs: the stamp is not sent.
#[tokio::test]
async fn aborted_between_the_legs() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let abort = Rc::new(Abort::default());
        let at_first_leg = abort.clone();
        world.transport.set_tamper(move |_, _| at_first_leg.abort());
        world.transport.take_sent();
        let options = CallOptions {
            cancellation: Some(abort),
            timeout_ms: None,
        };
        let error = session.refresh(false, &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Aborted);
        assert_eq!(world.transport.take_sent(), [("refreshAuthSession", false)]);
    })
    .await;
}

#[tokio::test]
async fn two_refreshes_at_once_are_one() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        world.transport.take_sent();
        let (first, second) = tokio::join!(
            session.refresh(false, &DEFAULTS),
            session.refresh(false, &DEFAULTS)
        );
        first.unwrap();
        second.unwrap();
        assert_eq!(
            world.transport.take_sent().len(),
            2,
            "two legs of one refresh"
        );
    })
    .await;
}

#[tokio::test]
async fn signing_out_while_refreshing() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        fault(
            &world,
            Operation::RefreshAuthSession,
            Some(2),
            Fault::Delay { ms: 100 },
        );
        let (refreshed, revoked) = tokio::join!(session.refresh(false, &DEFAULTS), async {
            while !world
                .transport
                .take_sent()
                .contains(&("refreshAuthSession", true))
            {
                tokio::task::yield_now().await;
            }
            session.sign_out(&DEFAULTS).await
        });
        assert_eq!(refreshed.unwrap_err().code(), ErrorCode::SessionExpired);
        assert!(revoked);
        assert!(!session.is_active());
        let account = &world.customer.account_id;
        assert!(
            world
                .sandbox
                .sessions()
                .iter()
                .all(|s| s.account_id != *account || !s.active)
        );
    })
    .await;
}

#[tokio::test]
async fn refreshing_can_end_the_old_session() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        let old = session.info().id.clone();
        session.refresh(true, &DEFAULTS).await.unwrap();
        let of_grid = |id: &str| {
            world
                .sandbox
                .sessions()
                .into_iter()
                .find(|s| s.id == id)
                .unwrap()
        };
        assert!(!of_grid(&old).active);
        assert!(of_grid(&session.info().id).active);
    })
    .await;
}

/// Asked for before the session had ended, but sent after it.
#[tokio::test]
async fn nothing_goes_out_for_a_session_that_was_signed_out_in_the_same_moment() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        world.transport.take_sent();
        let customer_id = world.customer.customer_id.as_str();
        let (_, updated) = tokio::join!(
            session.sign_out(&DEFAULTS),
            session.update_email(customer_id, "other@example.com", &DEFAULTS),
        );
        assert_eq!(updated.unwrap_err().code(), ErrorCode::SessionExpired);
        let sent = world.transport.take_sent();
        assert!(
            sent.iter().all(|(id, _)| *id == "revokeAuthSession"),
            "{sent:?}"
        );
    })
    .await;
}

/// The old session runs out while its refresh is under way: the new one takes its place.
#[tokio::test]
async fn a_refresh_that_crosses_the_end() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let old = session.info();
        let delay = Fault::Delay { ms: 100 };
        fault(&world, Operation::RefreshAuthSession, Some(2), delay);
        // The clock that is set forward is the timeouts' as well.
        let options = CallOptions {
            timeout_ms: Some(3_600_000),
            ..DEFAULTS
        };
        let (refreshed, ()) = tokio::join!(session.refresh(false, &options), async {
            while !world
                .transport
                .take_sent()
                .contains(&("refreshAuthSession", true))
            {
                tokio::task::yield_now().await;
            }
            world.sandbox.advance_clock(1_000);
            world
                .clock
                .advance(old.expires_at_ms - 30_000 - world.clock.now_ms());
            while matches!(client.state(), SessionState::SignedIn(_)) {
                tokio::task::yield_now().await;
            }
            world.clock.advance(-800_000);
        });
        refreshed.unwrap();
        assert!(session.is_active());
        assert_ne!(session.info().id, old.id);
        assert!(matches!(client.state(), SessionState::SignedIn(_)));
    })
    .await;
}

/// What is over is not adopted, and costs nobody their key.
#[tokio::test]
async fn a_session_that_is_over_is_not_adopted() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let _session = world.sign_in_by_code(&client).await;
        let account = &world.customer.account_id;
        let listed = list_sessions(&client, account).await;
        world.clock.advance(3_600_000);
        let adopted = client.adopt_session(listed[0].clone(), || panic!("the key was taken"));
        assert_eq!(adopted.err().unwrap().code(), ErrorCode::SessionExpired);
    })
    .await;
}

/// A key and a session that were got by other means go on here.
#[tokio::test]
async fn a_session_is_adopted() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        let listed = list_sessions(&client, &world.customer.account_id).await;
        let listed: AuthSession = listed
            .into_iter()
            .find(|listed| listed.id == session.info().id)
            .unwrap();
        // Another key than the session's: adopted, but Grid does not take its stamps.
        let key = SessionKey::generate(&SystemRandom).unwrap();
        let adopted = client.adopt_session(listed, || Ok(key)).unwrap();
        assert_eq!(adopted.info().auth_method_id, None);
        let error = adopted.refresh(false, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureRejected, "{error:?}");
        session.refresh(false, &DEFAULTS).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_connected_gets_no_code() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let agent = &world.customer.agent_id;
        world.sandbox.connect_agent(Some(agent));
        let request = Request::on(ApiOperation::RegenerateAgentDeviceCode, agent);
        let error = client
            .api()
            .call(request.clone(), &DEFAULTS)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Conflict);
        assert_eq!(error.status(), Some(409));
        world.sandbox.reset();
        client.api().call(request, &DEFAULTS).await.unwrap();
    })
    .await;
}

/// Nobody holds the session any more: its key is gone, and nobody is signed in.
#[tokio::test]
async fn a_dropped_session_is_signed_out_here() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&client).await;
        let clone = session.clone();
        drop(session);
        assert!(matches!(client.state(), SessionState::SignedIn(_)));
        drop(clone);
        assert!(matches!(client.state(), SessionState::SignedOut { .. }));
    })
    .await;
}
