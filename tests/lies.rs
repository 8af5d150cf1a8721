//! What a relay, or whoever took it over, may answer: nothing is stamped, nothing is sent after it,
//! the error names the reason, and the same attempt succeeds when the lying stops.
//!
//! Every lie that the sandbox can tell is told during every flow that has what it is about.
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

use gridkey::ports::Clock as _;
use gridkey::{
    error::{ErrorCode, Result},
    flow::{client::Gridkey, key_delivery::KeyDelivery, session::WalletSession},
};
use gridkey_sandbox::{Lie, LieOrder, Operation};
use support::{
    World, code,
    flow::{Attempt, DEFAULTS, Flow, NEW_EMAIL, NEW_PHONE_NUMBER},
    local,
};

const LIES: [Lie; 44] = [
    Lie::SwapPayload,
    Lie::SwapTargetKey,
    Lie::SwapAttestation,
    Lie::OtherOrganization,
    Lie::WrongActivityType,
    Lie::DuplicateMember,
    Lie::EscapedDuplicateMember,
    Lie::DuplicateParameter,
    Lie::EscapedDuplicateParameter,
    Lie::ExtraParameter,
    Lie::StaleTimestamp,
    Lie::FutureTimestamp,
    Lie::OtherSignWith,
    Lie::OtherWalletId,
    Lie::OtherEmail,
    Lie::OtherPhone,
    Lie::OtherOidcToken,
    Lie::SecondProvider,
    Lie::TwoIds,
    Lie::Replay,
    Lie::LoneSurrogate,
    Lie::JsonPayloadForOtp,
    Lie::OtherTokenKey,
    Lie::OtherContact,
    Lie::OtherTokenType,
    Lie::ExpiredToken,
    Lie::OtherEnclaveKey,
    Lie::ExportEnclaveKey,
    Lie::TamperBundle,
    Lie::CompressedTarget,
    Lie::InvalidCurveTarget,
    Lie::TruncateBundle,
    Lie::OversizedBundle,
    Lie::TamperSealedKey,
    Lie::SwapAnswerKey,
    Lie::SealedKeyUnasked,
    Lie::NoSealedKey,
    Lie::ExpiredChallenge,
    Lie::ExportOtherOrganization,
    Lie::ExportOtherEnclaveKey,
    Lie::ExportOtpEnclaveKey,
    Lie::TamperExport,
    Lie::ExportOtherReceiver,
    Lie::ExportNotUtf8,
];

/// What comes to the client in a flow's answers to an operation.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    /// An activity to sign.
    activity: bool,
    /// A verification token to sign.
    token: bool,
    /// A bundle to seal a code to; and how many stamps were sent for it.
    bundle: Option<usize>,
    /// A session whose key was asked for; and how many stamps were sent for it.
    session: Option<usize>,
    /// What lives for some minutes without being signed here: a passkey's challenge.
    challenge: bool,
    /// A sealed mnemonic.
    export: bool,
}

/// Each flow's operations that a lie can be told in.
fn answers(flow: Flow) -> Vec<(Operation, Answers)> {
    use Operation as O;
    let none = Answers::default();
    let activity = Answers {
        activity: true,
        ..none
    };
    let token = Answers {
        token: true,
        ..none
    };
    match flow {
        Flow::SignInByEmail | Flow::SignInBySms => {
            let bundle = Answers {
                bundle: Some(0),
                ..none
            };
            vec![
                (O::ChallengeAuthCredential, bundle),
                (O::VerifyAuthCredential, token),
            ]
        }
        Flow::SignInByPasskey => {
            let challenge = Answers {
                challenge: true,
                ..none
            };
            let session = Answers {
                session: Some(0),
                ..none
            };
            vec![
                (O::ChallengeAuthCredential, challenge),
                (O::VerifyAuthCredential, session),
            ]
        }
        Flow::SignInByOauth => {
            let session = Answers {
                session: Some(0),
                ..none
            };
            vec![(O::VerifyAuthCredential, session)]
        }
        Flow::Refresh => {
            let session = Answers {
                session: Some(1),
                ..activity
            };
            vec![(O::RefreshAuthSession, session)]
        }
        Flow::AddEmailOtp | Flow::AddSmsOtp => {
            let bundle = Answers {
                bundle: Some(1),
                ..activity
            };
            vec![
                (O::CreateAuthCredential, bundle),
                (O::VerifyAuthCredential, token),
            ]
        }
        Flow::ExportMnemonic => {
            let export = Answers {
                export: true,
                ..activity
            };
            vec![(O::ExportInternalAccount, export)]
        }
        Flow::RevokeSession | Flow::SignedRequest => vec![(O::RevokeAuthSession, activity)],
        Flow::AddPasskey | Flow::AddOauth => vec![(O::CreateAuthCredential, activity)],
        Flow::RevokePasskey | Flow::RevokeOauth => vec![(O::RevokeAuthCredential, activity)],
        Flow::UpdateEmail | Flow::UpdatePhoneNumber => vec![(O::UpdateCustomerById, activity)],
        Flow::UpdatePrivacy => vec![(O::UpdateInternalAccount, activity)],
        Flow::ExecuteQuote => vec![(O::CreateQuote, activity)],
        Flow::CreateDelegatedKey => vec![(O::CreateDelegatedKey, activity)],
    }
}

/// What must come of a lie: how many stamps were sent before it was told, and what it is called.
type Verdict = (usize, ErrorCode, Option<&'static str>);

/// What must come of a lie told in a flow's answer to an operation; nothing where there is nothing
/// to lie about. A new lie does not compile before it is here.
fn verdict(lie: Lie, flow: Flow, told: Answers, delivery: KeyDelivery) -> Option<Verdict> {
    use ErrorCode as E;
    let refused = |reason: &'static str| Some((0, E::IntentRefused, Some(reason)));
    let of =
        |flows: &[Flow], reason| refused(reason).filter(|_| told.activity && flows.contains(&flow));
    let of_activity = |reason| refused(reason).filter(|_| told.activity);
    let of_token = |reason| refused(reason).filter(|_| told.token);
    let of_bundle = |code| told.bundle.map(|stamps| (stamps, code, None));
    let of_signed = |code| {
        let of_token = told.token.then_some((0, code, None));
        of_bundle(code).or(of_token)
    };
    let of_session = |asked_for, code, reason| {
        let stamps = told.session.filter(|_| delivery == asked_for);
        stamps.map(|stamps| (stamps, code, reason))
    };
    let sealed = |code| of_session(KeyDelivery::Sealed, code, None);
    let exported = |code, reason| told.export.then_some((1, code, reason));
    match lie {
        // Whose export is asked for is known; of all else the type is looked at first.
        Lie::SwapPayload if flow == Flow::ExportMnemonic => refused("organization"),
        Lie::SwapPayload => of_activity("type").or(of_token("type")),
        Lie::SwapTargetKey => of(&[Flow::Refresh, Flow::ExportMnemonic], "parameters"),
        Lie::SwapAttestation => of(&[Flow::AddPasskey], "parameters"),
        Lie::OtherOrganization => of_activity("organization"),
        Lie::WrongActivityType => of_activity("type"),
        Lie::DuplicateMember
        | Lie::EscapedDuplicateMember
        | Lie::DuplicateParameter
        | Lie::EscapedDuplicateParameter => of_activity("malformed"),
        Lie::ExtraParameter => of_activity("parameters"),
        // A quote's rate may be locked for hours.
        Lie::StaleTimestamp if flow == Flow::ExecuteQuote => None,
        Lie::StaleTimestamp | Lie::FutureTimestamp => of_activity("timestamp"),
        Lie::OtherSignWith => of(&[Flow::UpdatePrivacy, Flow::ExecuteQuote], "parameters"),
        Lie::OtherWalletId => of(&[Flow::ExportMnemonic], "parameters"),
        Lie::OtherEmail => of(&[Flow::AddEmailOtp, Flow::UpdateEmail], "parameters"),
        Lie::OtherPhone => of(&[Flow::AddSmsOtp, Flow::UpdatePhoneNumber], "parameters"),
        Lie::OtherOidcToken | Lie::SecondProvider => of(&[Flow::AddOauth], "parameters"),
        Lie::TwoIds => of(
            &[
                Flow::RevokeSession,
                Flow::SignedRequest,
                Flow::RevokePasskey,
                Flow::RevokeOauth,
            ],
            "parameters",
        ),
        // More of it below: not every flow has asked for something before. This one has, for a
        // passkey.
        Lie::Replay if flow == Flow::AddEmailOtp && told.activity => refused("type"),
        Lie::Replay => {
            of(&[Flow::Refresh, Flow::ExportMnemonic], "parameters").or(of_token("parameters"))
        }
        Lie::LoneSurrogate => {
            let told = told.activity || told.token || told.bundle.is_some();
            told.then_some((0, E::RelayProtocol, None))
        }
        Lie::JsonPayloadForOtp => of_token("type"),
        Lie::OtherTokenKey | Lie::OtherContact | Lie::OtherTokenType => of_token("parameters"),
        Lie::ExpiredToken => told.token.then_some((0, E::ChallengeExpired, None)),
        // What carries a token is taken for one, by the liar alone.
        Lie::OtherEnclaveKey | Lie::ExportEnclaveKey if flow == Flow::AddOauth => {
            refused("malformed")
        }
        Lie::OtherEnclaveKey | Lie::ExportEnclaveKey | Lie::TamperBundle => {
            of_signed(E::BundleUntrusted)
        }
        Lie::CompressedTarget | Lie::InvalidCurveTarget => of_bundle(E::BundleMalformed),
        Lie::TruncateBundle | Lie::OversizedBundle => {
            of_bundle(E::BundleMalformed).or(sealed(E::BundleMalformed))
        }
        Lie::TamperSealedKey | Lie::SwapAnswerKey => sealed(E::DecryptFailed),
        Lie::SealedKeyUnasked => {
            let reason = Some("sealed_key_unasked");
            let by_code = told.token.then_some((1, E::BundleUntrusted, reason));
            by_code.or(of_session(
                KeyDelivery::ClientHeld,
                E::BundleUntrusted,
                reason,
            ))
        }
        Lie::NoSealedKey => {
            let reason = Some("sealed_key_missing");
            of_session(KeyDelivery::Sealed, E::RelayProtocol, reason)
        }
        Lie::ExpiredChallenge if flow == Flow::ExecuteQuote => Some((0, E::ChallengeExpired, None)),
        Lie::ExpiredChallenge => {
            let told = told.activity || told.token || told.challenge;
            // The clock is known to be right: Grid's answers are dated.
            told.then_some((0, E::ChallengeExpired, None))
        }
        Lie::ExportOtherOrganization => exported(E::BundleUntrusted, Some("organization_mismatch")),
        Lie::ExportOtherEnclaveKey | Lie::ExportOtpEnclaveKey | Lie::TamperExport => {
            exported(E::BundleUntrusted, None)
        }
        Lie::ExportOtherReceiver => exported(E::DecryptFailed, None),
        Lie::ExportNotUtf8 => exported(E::BundleMalformed, None),
    }
}

/// Of what nobody can see in a payload, the customer's own Grid still says that it never was
/// (threats to payloads that are signed blind, or whose parts only Grid knows).
fn is_invisible(lie: Lie, flow: Flow) -> bool {
    matches!(
        (lie, flow),
        // The payload is a hash, or Turnkey's own id.
        (Lie::Replay | Lie::StaleTimestamp, Flow::ExecuteQuote)
            | (Lie::Replay, Flow::UpdatePrivacy)
            // The signer's key is made by Grid, and told only when it has become one.
            | (Lie::SwapTargetKey | Lie::Replay, Flow::CreateDelegatedKey)
    )
}

fn lie(world: &World, operation: Operation, lie: Lie) {
    world.sandbox.lie(LieOrder {
        operation: Some(operation),
        lie,
    });
}

/// The name that a flow's requests for an operation have in the client.
fn name(flow: Flow, operation: Operation) -> &'static str {
    match flow {
        Flow::SignedRequest => "signedRequest",
        _ => operation.id(),
    }
}

/// Makes an attempt that is lied to, and one more.
async fn assert_refused(attempt: &Attempt, last: &str, what: &str, verdict: Verdict) {
    let (stamps, code, reason) = verdict;
    let transport = &attempt.world().transport;
    let info = || attempt.session.as_ref().map(WalletSession::info);
    let before = info();
    transport.take_sent();
    let error = match attempt.make().await {
        Ok(()) => panic!("{what}: it was believed"),
        Err(error) => error,
    };
    let sent = transport.take_sent();
    assert_eq!(error.code(), code, "{what}: {error:?}");
    assert_eq!(error.reason(), reason, "{what}: {error:?}");
    // A code's credential is created before it is verified, by a stamp of its own.
    let stamped = sent.iter().filter(|sent| **sent == (last, true)).count();
    assert_eq!(stamped, stamps, "{what}: {sent:?}");
    // Nothing is sent after it.
    assert_eq!(sent.last(), Some(&(last, stamps > 0)), "{what}: {sent:?}");
    assert_eq!(info(), before, "{what}: the session is kept");
    if let Err(error) = attempt.make().await {
        panic!("{what}, afterwards: {error:?}");
    }
}

/// Tells every lie in every flow, and gives the number of those that had something to lie about.
async fn tell_all(delivery: KeyDelivery) -> usize {
    let mut pairs = 0;
    for flow in Flow::ALL {
        for (operation, told) in answers(flow) {
            let mut idle = Vec::new();
            for each in LIES {
                if is_invisible(each, flow) {
                    continue;
                }
                let Some(verdict) = verdict(each, flow, told, delivery) else {
                    idle.push(each);
                    continue;
                };
                pairs += 1;
                let attempt = flow.prepared(delivery).await;
                lie(attempt.world(), operation, each);
                let what = format!("{each:?} in {operation:?} of {flow:?}");
                assert_refused(&attempt, name(flow, operation), &what, verdict).await;
            }
            // What has nothing to be about is not told, and disturbs nobody.
            let attempt = flow.prepared(delivery).await;
            for each in idle {
                lie(attempt.world(), operation, each);
            }
            if let Err(error) = attempt.make().await {
                panic!("{flow:?}: {error:?}");
            }
        }
    }
    pairs
}

#[tokio::test]
async fn every_lie_in_every_flow_sealed() {
    assert_eq!(local(tell_all(KeyDelivery::Sealed)).await, 304);
}

#[tokio::test]
async fn every_lie_in_every_flow_client_held() {
    assert_eq!(local(tell_all(KeyDelivery::ClientHeld)).await, 292);
}

/// The second payload of a delegated key is looked at as the first was. One stamp was sent before.
#[tokio::test]
async fn in_the_third_leg_of_a_delegated_key() {
    local(async {
        let flow = Flow::CreateDelegatedKey;
        let operation = Operation::CreateDelegatedKey;
        let [(_, told)] = answers(flow)[..] else {
            panic!("one operation");
        };
        for each in LIES {
            let verdict = match each {
                // It is not this payload that has a key.
                Lie::SwapTargetKey => None,
                // The challenge of the leg before, which was stamped already.
                Lie::Replay => Some((0, ErrorCode::RelayProtocol, Some("outcome_unknown"))),
                // No answer that is whole: of the stamp before it nobody knows.
                Lie::LoneSurrogate => Some((0, ErrorCode::RelayProtocol, Some("outcome_unknown"))),
                _ => verdict(each, flow, told, KeyDelivery::Sealed),
            };
            let Some((_, code, reason)) = verdict else {
                continue;
            };
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            let world = attempt.world();
            let sandbox = world.sandbox.clone();
            let is_told = RefCell::new(false);
            world.transport.set_tamper(move |call, _| {
                let is_first = call.operation == operation.id() && call.stamp.is_none();
                if is_first && !is_told.replace(true) {
                    sandbox.lie(LieOrder {
                        operation: Some(operation),
                        lie: each,
                    });
                }
            });
            let what = format!("{each:?} in the third leg");
            assert_refused(&attempt, operation.id(), &what, (1, code, reason)).await;
        }
    })
    .await;
}

/// What was asked to be signed before, for something else. What is bound to what is asked for now
/// is refused; of what is not, Grid knows that it was used.
#[tokio::test]
async fn replays_of_what_was_asked_before() {
    local(async {
        let delivery = KeyDelivery::Sealed;
        // Another address.
        let attempt = Flow::UpdateEmail.prepared(delivery).await;
        let (world, session) = (attempt.world(), attempt.session.as_ref().unwrap());
        let customer_id = &world.customer.customer_id;
        let other = "ada.other@example.com";
        assert_ne!(other, NEW_EMAIL);
        session
            .update_email(customer_id, other, &DEFAULTS)
            .await
            .unwrap();
        lie(world, Operation::UpdateCustomerById, Lie::Replay);
        let parameters = (0, ErrorCode::IntentRefused, Some("parameters"));
        assert_refused(
            &attempt,
            "updateCustomerById",
            "another address",
            parameters,
        )
        .await;

        // Another credential.
        for (flow, verdict) in [
            (
                Flow::AddPasskey,
                (0, ErrorCode::IntentRefused, Some("type")),
            ),
            (Flow::AddSmsOtp, (0, ErrorCode::IntentRefused, Some("type"))),
        ] {
            let attempt = flow.prepared(delivery).await;
            let (world, session) = (attempt.world(), attempt.session.as_ref().unwrap());
            let token = world.id_token(None);
            session.add_oauth(&token, None, &DEFAULTS).await.unwrap();
            lie(world, Operation::CreateAuthCredential, Lie::Replay);
            assert_refused(
                &attempt,
                "createAuthCredential",
                "another credential",
                verdict,
            )
            .await;
        }

        // Another challenge: a hash, of which only Grid knows what it is of.
        let attempt = Flow::SignInByPasskey.prepared(delivery).await;
        attempt.make().await.unwrap();
        lie(
            attempt.world(),
            Operation::ChallengeAuthCredential,
            Lie::Replay,
        );
        let error = attempt.make().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PasskeyRejected, "{error:?}");
        attempt.make().await.unwrap();

        // Another session's end, and another payment: which one it is, nobody here can see.
        for (flow, code) in [
            (Flow::RevokeSession, ErrorCode::ChallengeExpired),
            (Flow::UpdatePrivacy, ErrorCode::ChallengeExpired),
            (Flow::ExecuteQuote, ErrorCode::Conflict),
        ] {
            let attempt = flow.prepared(delivery).await;
            let (world, session) = (attempt.world(), attempt.session.as_ref().unwrap());
            if flow == Flow::RevokeSession {
                let another = world
                    .sign_in_by_code(&attempt.client)
                    .await
                    .info()
                    .id
                    .clone();
                session.revoke_session(&another, &DEFAULTS).await.unwrap();
            }
            let [(operation, _)] = answers(flow)[..] else {
                panic!("one operation");
            };
            lie(world, operation, Lie::Replay);
            let error = attempt.make().await.unwrap_err();
            assert_eq!(error.code(), code, "{flow:?}: {error:?}");
            attempt.make().await.unwrap();
        }
    })
    .await;
}

/// Lies that nobody can see come to nothing at Grid, which has not said them, and cost no session.
#[tokio::test]
async fn what_cannot_be_seen_is_grids_to_refuse() {
    local(async {
        for (flow, each, operation) in [
            (
                Flow::ExecuteQuote,
                Lie::StaleTimestamp,
                Operation::CreateQuote,
            ),
            (
                Flow::CreateDelegatedKey,
                Lie::SwapTargetKey,
                Operation::CreateDelegatedKey,
            ),
        ] {
            assert!(is_invisible(each, flow));
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            lie(attempt.world(), operation, each);
            let error = attempt.make().await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureRejected, "{flow:?}");
            attempt.make().await.unwrap();
        }
    })
    .await;
}

/// A session lives as long as Grid's do, whatever is claimed.
#[tokio::test]
async fn a_session_that_claims_to_live_for_ever() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        // Also where it claims to begin later.
        for claimed in [&["expiresAt"][..], &["createdAt", "expiresAt"]] {
            let session = world.sign_in(&client).await;
            world.transport.set_tamper(move |call, reply| {
                if call.stamp.is_some() {
                    let mut lie = String::from_utf8(reply.body.clone()).unwrap();
                    for name in claimed {
                        lie = lie.replace(&format!("\"{name}\":\"20"), &format!("\"{name}\":\"21"));
                    }
                    reply.body = lie.into_bytes();
                }
            });
            session.refresh(false, &DEFAULTS).await.unwrap();
            world.transport.stop_tampering();
            let life_ms = session.info().expires_at_ms - world.clock.now_ms();
            assert!(life_ms <= 24 * 60 * 60 * 1000, "{claimed:?}: {life_ms}");
            world.clock.advance(life_ms);
            assert!(!session.is_active(), "{claimed:?}");
            world.clock.advance(-life_ms);
        }
    })
    .await;
}

/// The old session is no new one: its end would come with the key that it never had.
#[tokio::test]
async fn a_refresh_that_brings_the_old_session() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in(&client).await;
        let before = session.info();
        let old = before.id.clone();
        world.transport.set_tamper(move |call, reply| {
            if call.stamp.is_some() {
                let honest = String::from_utf8(reply.body.clone()).unwrap();
                let (start, rest) = honest.split_once("\"id\":\"").unwrap();
                let (_, end) = rest.split_once('"').unwrap();
                reply.body = format!("{start}\"id\":\"{old}\"{end}").into_bytes();
            }
        });
        let error = session.refresh(false, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RelayProtocol, "{error:?}");
        assert_eq!(session.info(), before);
        world.transport.stop_tampering();
        session.refresh(false, &DEFAULTS).await.unwrap();
        assert_ne!(session.info().id, before.id);
    })
    .await;
}

/// One false date stops what it came with, and ends nothing that is running.
#[tokio::test]
async fn a_false_date() {
    local(async {
        for flow in [
            Flow::Refresh,
            Flow::RevokeSession,
            Flow::ExportMnemonic,
            Flow::AddOauth,
        ] {
            for hours in [1, -1] {
                let attempt = flow.prepared(KeyDelivery::Sealed).await;
                let transport = &attempt.world().transport;
                transport.set_tamper(move |_, reply| {
                    reply.date_ms = reply.date_ms.map(|date_ms| date_ms + hours * 3_600_000);
                });
                transport.take_sent();
                let error = attempt.make().await.unwrap_err();
                assert_eq!(error.code(), ErrorCode::ClockWrong, "{flow:?}: {error:?}");
                let sent = transport.take_sent();
                assert!(
                    sent.iter().all(|(_, stamped)| !stamped),
                    "{flow:?}: {sent:?}"
                );
                assert!(attempt.session.as_ref().unwrap().is_active());
                transport.stop_tampering();
                // It was said once: the next attempt asks again.
                attempt.make().await.unwrap();
            }
        }
    })
    .await;
}

/// A payload is neither younger than its challenge lets it be nor older than a quarter of an hour.
#[tokio::test]
async fn a_payload_is_not_younger_than_its_challenge() {
    local(async {
        for (minutes, expected) in [
            (0, None),
            (4, Some(ErrorCode::SignatureRejected)),
            (6, Some(ErrorCode::IntentRefused)),
            (-14, Some(ErrorCode::SignatureRejected)),
            (-16, Some(ErrorCode::IntentRefused)),
        ] {
            let attempt = Flow::Refresh.prepared(KeyDelivery::Sealed).await;
            attempt.world().transport.set_tamper(move |call, reply| {
                if call.stamp.is_none() {
                    let honest = String::from_utf8(reply.body.clone()).unwrap();
                    let (before, after) = honest.split_once("timestampMs\\\":\\\"").unwrap();
                    let (made_ms, after) = after.split_at(13);
                    let made_ms = made_ms.parse::<i64>().unwrap() + minutes * 60_000;
                    let lie = format!("{before}timestampMs\\\":\\\"{made_ms}{after}");
                    reply.body = lie.into_bytes();
                }
            });
            // What is in the bounds is Grid's to refuse, which has not said it.
            let code = attempt.make().await.err().map(|error| error.code());
            assert_eq!(code, expected, "{minutes} minutes");
        }
    })
    .await;
}

/// An answer about something else than was asked for is not taken for the one that was.
#[tokio::test]
async fn answers_about_something_else() {
    local(async {
        let customers = World::new().await.sandbox.customers();
        let (own, other) = (&customers[0], &customers[1]);
        let account = (own.account_id.as_str(), other.account_id.as_str());
        let method = ("\"id\":\"AuthMethod:", "\"id\":\"AuthMethod:9");
        let mallory = "mallory@example.com";
        for (flow, operation, (from, to)) in [
            (Flow::SignInByEmail, "challengeAuthCredential", method),
            (Flow::SignInByEmail, "verifyAuthCredential", account),
            (Flow::SignInByPasskey, "challengeAuthCredential", method),
            (Flow::SignInByPasskey, "verifyAuthCredential", account),
            (
                Flow::SignInByOauth,
                "verifyAuthCredential",
                ("\"OAUTH\"", "\"PASSKEY\""),
            ),
            (
                Flow::SignInByEmail,
                "verifyAuthCredential",
                ("\"EMAIL_OTP\"", "\"SMS_OTP\""),
            ),
            (
                Flow::SignInByPasskey,
                "verifyAuthCredential",
                ("\"PASSKEY\"", "\"OAUTH\""),
            ),
            (Flow::Refresh, "refreshAuthSession", account),
            (
                Flow::Refresh,
                "refreshAuthSession",
                ("\"EMAIL_OTP\"", "\"PASSKEY\""),
            ),
            (
                Flow::UpdatePrivacy,
                "updateInternalAccount",
                ("\"privateEnabled\":true", "\"privateEnabled\":false"),
            ),
            (
                Flow::UpdateEmail,
                "updateCustomerById",
                (&own.customer_id, &other.customer_id),
            ),
            (Flow::AddPasskey, "createAuthCredential", account),
            (
                Flow::AddPasskey,
                "createAuthCredential",
                ("\"PASSKEY\"", "\"OAUTH\""),
            ),
            (
                Flow::AddPasskey,
                "createAuthCredential",
                ("\"credentialId\":\"", "\"credentialId\":\"AAAA"),
            ),
            (Flow::AddOauth, "createAuthCredential", account),
            (
                Flow::AddOauth,
                "createAuthCredential",
                ("\"OAUTH\"", "\"PASSKEY\""),
            ),
            (Flow::AddEmailOtp, "createAuthCredential", account),
            (
                Flow::AddEmailOtp,
                "createAuthCredential",
                (&own.email, mallory),
            ),
            (
                Flow::AddSmsOtp,
                "createAuthCredential",
                (&own.phone_number, &other.phone_number),
            ),
            (
                Flow::UpdateEmail,
                "updateCustomerById",
                (NEW_EMAIL, mallory),
            ),
            (
                Flow::UpdatePhoneNumber,
                "updateCustomerById",
                (NEW_PHONE_NUMBER, &other.phone_number),
            ),
            (Flow::UpdatePrivacy, "updateInternalAccount", account),
            (Flow::ExportMnemonic, "exportInternalAccount", account),
            (
                Flow::ExecuteQuote,
                "executeQuote",
                ("\"Quote:", "\"Quote:9"),
            ),
            (Flow::CreateDelegatedKey, "createDelegatedKey", account),
            (
                Flow::CreateDelegatedKey,
                "createDelegatedKey",
                (&own.card_id, &other.card_id),
            ),
        ] {
            let attempt = flow.prepared(KeyDelivery::Sealed).await;
            let (from, to) = (from.to_owned(), to.to_owned());
            let is_told = Rc::new(RefCell::new(false));
            let told = is_told.clone();
            let transport = attempt.world().transport.clone();
            transport.set_tamper(move |call, reply| {
                if call.operation == operation && reply.status != 202 {
                    let honest = String::from_utf8(reply.body.clone()).unwrap();
                    let lie = honest.replace(&from, &to);
                    told.replace(lie != honest);
                    reply.body = lie.into_bytes();
                }
            });
            let before = attempt.session.as_ref().map(WalletSession::info);
            transport.take_sent();
            let error = attempt.make().await.err();
            let error = error.unwrap_or_else(|| panic!("{flow:?}: it was believed"));
            assert!(is_told.take(), "{flow:?}");
            assert_eq!(
                error.code(),
                ErrorCode::RelayProtocol,
                "{flow:?}: {error:?}"
            );
            let sent = transport.take_sent();
            assert_eq!(sent.last().unwrap().0, operation, "{flow:?}: {sent:?}");
            assert_eq!(attempt.session.as_ref().map(WalletSession::info), before);
        }
    })
    .await;
}

/// What must be signed is not taken for done before anything was: the answer to a second leg is
/// none to the first.
#[tokio::test]
async fn done_before_anything_was_signed() {
    local(async {
        for flow in [
            Flow::SignInByEmail,
            Flow::SignInBySms,
            Flow::Refresh,
            Flow::RevokeSession,
            Flow::RevokePasskey,
            Flow::RevokeOauth,
            Flow::UpdatePrivacy,
            Flow::ExportMnemonic,
            Flow::CreateDelegatedKey,
            Flow::SignedRequest,
        ] {
            let honest = flow.prepared(KeyDelivery::ClientHeld).await;
            let done = Rc::new(RefCell::new(None));
            let seen = done.clone();
            honest.world().transport.set_tamper(move |call, reply| {
                if call.stamp.is_some() {
                    seen.replace(Some((call.operation, reply.clone())));
                }
            });
            honest.make().await.unwrap();
            let (operation, done) = done.take().unwrap();

            let attempt = flow.prepared(KeyDelivery::ClientHeld).await;
            attempt.world().transport.set_tamper(move |call, reply| {
                if call.operation == operation {
                    *reply = done.clone();
                }
            });
            let verdict = (0, ErrorCode::RelayProtocol, Some("unsigned"));
            let transport = attempt.world().transport.clone();
            transport.take_sent();
            let error = attempt.make().await.unwrap_err();
            assert_eq!(
                (error.code(), error.reason()),
                (verdict.1, verdict.2),
                "{flow:?}"
            );
            let sent = transport.take_sent();
            assert_eq!(sent.last(), Some(&(operation, false)), "{flow:?}: {sent:?}");
            transport.stop_tampering();
            attempt.make().await.unwrap();
        }

        // A session that was said to be revoked, and was not, is not said to be.
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        world.transport.set_tamper(|_, reply| {
            reply.status = 204;
            reply.body.clear();
        });
        assert!(!session.sign_out(&DEFAULTS).await);
    })
    .await;
}

/// What would go into the next request is of its form, or the answer is refused.
#[tokio::test]
async fn ids_that_are_none() {
    async fn sign_in_by_code(world: &World, client: &Gridkey) -> Result<()> {
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &DEFAULTS).await?;
        otp.submit(&code("000000"), &DEFAULTS).await.map(drop)
    }
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        for (from, to) in [("Request:", "Request: "), ("Session:", "../")] {
            world.transport.set_tamper(move |_, reply| {
                let text = String::from_utf8(reply.body.clone()).unwrap();
                reply.body = text.replace(from, to).into_bytes();
            });
            let error = sign_in_by_code(&world, &client).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::RelayProtocol, "{from}: {error:?}");
        }
    })
    .await;
}
