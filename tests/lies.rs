//! What a relay, or whoever took it over, may answer: nothing is stamped, the error names the
//! reason, and the same attempt succeeds when the lying stops.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use std::{future::Future, pin::Pin};

use gridkey::{
    error::{Error, ErrorCode, Result},
    flow::{client::Gridkey, key_delivery::KeyDelivery, session::WalletSession},
};
use gridkey_sandbox::{Lie, LieOrder, Operation};
use support::{World, code, enrolment, local};

/// A flow that a lie is told in.
type Flow<'a> = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> + 'a>;

/// Tells `lie` in `flow`, and holds what must follow. `stamps` says how many stamped requests the
/// client may have sent: none, unless the lie is told in the answer to one.
async fn told(
    world: &World,
    operation: Operation,
    lie: Lie,
    stamps: usize,
    expected: (ErrorCode, Option<&str>),
    flow: Flow<'_>,
) {
    world.sandbox.lie(LieOrder {
        operation: Some(operation),
        lie,
    });
    world.transport.take_sent();
    let error: Error = flow()
        .await
        .err()
        .unwrap_or_else(|| panic!("{lie:?} was believed"));
    let sent = world.transport.take_sent();
    assert_eq!(error.code(), expected.0, "{lie:?}: {error:?}");
    if expected.1.is_some() {
        assert_eq!(error.reason(), expected.1, "{lie:?}: {error:?}");
    }
    let stamped = sent.iter().filter(|(_, stamped)| *stamped).count();
    assert_eq!(stamped, stamps, "{lie:?}: {sent:?}");
    flow()
        .await
        .unwrap_or_else(|error| panic!("after {lie:?}: {error:?}"));
}

async fn sign_in_by_code(world: &World, client: &Gridkey) -> Result<()> {
    let id = &world.customer.email_otp_auth_method_id;
    let otp = client.send_otp(id, &Default::default()).await?;
    otp.submit(&code("000000"), &Default::default()).await?;
    Ok(())
}

#[tokio::test]
async fn in_a_sign_in_by_code() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let challenge = Operation::ChallengeAuthCredential;
        let verify = Operation::VerifyAuthCredential;
        use ErrorCode as E;
        for (operation, lie, stamps, code, reason) in [
            (challenge, Lie::OtherEnclaveKey, 0, E::BundleUntrusted, None),
            (
                challenge,
                Lie::ExportEnclaveKey,
                0,
                E::BundleUntrusted,
                None,
            ),
            (challenge, Lie::TamperBundle, 0, E::BundleUntrusted, None),
            (
                challenge,
                Lie::CompressedTarget,
                0,
                E::BundleMalformed,
                None,
            ),
            (
                challenge,
                Lie::InvalidCurveTarget,
                0,
                E::BundleMalformed,
                None,
            ),
            (challenge, Lie::TruncateBundle, 0, E::BundleMalformed, None),
            (challenge, Lie::OversizedBundle, 0, E::BundleMalformed, None),
            (challenge, Lie::LoneSurrogate, 0, E::RelayProtocol, None),
            (verify, Lie::JsonPayloadForOtp, 0, E::IntentRefused, None),
            (verify, Lie::SwapPayload, 0, E::IntentRefused, None),
            (verify, Lie::OtherTokenKey, 0, E::IntentRefused, None),
            (verify, Lie::OtherContact, 0, E::IntentRefused, None),
            (verify, Lie::OtherEnclaveKey, 0, E::BundleUntrusted, None),
            (verify, Lie::ExportEnclaveKey, 0, E::BundleUntrusted, None),
            (verify, Lie::TamperBundle, 0, E::BundleUntrusted, None),
            (verify, Lie::ExpiredChallenge, 0, E::ClockWrong, None),
            (verify, Lie::LoneSurrogate, 0, E::RelayProtocol, None),
            (
                verify,
                Lie::SealedKeyUnasked,
                1,
                E::BundleUntrusted,
                Some("sealed_key_unasked"),
            ),
        ] {
            let flow: Flow<'_> = Box::new(|| Box::pin(sign_in_by_code(&world, &client)));
            told(&world, operation, lie, stamps, (code, reason), flow).await;
        }
    })
    .await;
}

#[tokio::test]
async fn in_a_sign_in_by_passkey() {
    local(async {
        use ErrorCode as E;
        let world = World::new().await;
        let sealed = world.client(KeyDelivery::Sealed);
        let session = world.sign_in_by_code(&sealed).await;
        let passkey_id = world.add_passkey(&session, "Test device").await;
        let client_held = world.client(KeyDelivery::ClientHeld);
        let challenge = Operation::ChallengeAuthCredential;
        let verify = Operation::VerifyAuthCredential;
        for (client, operation, lie, code, reason) in [
            (
                &sealed,
                challenge,
                Lie::ExpiredChallenge,
                E::ClockWrong,
                None,
            ),
            (
                &sealed,
                verify,
                Lie::NoSealedKey,
                E::RelayProtocol,
                Some("sealed_key_missing"),
            ),
            (
                &sealed,
                verify,
                Lie::TamperSealedKey,
                E::DecryptFailed,
                None,
            ),
            (
                &sealed,
                verify,
                Lie::TruncateBundle,
                E::BundleMalformed,
                None,
            ),
            (
                &sealed,
                verify,
                Lie::OversizedBundle,
                E::BundleMalformed,
                None,
            ),
            (
                &client_held,
                verify,
                Lie::SealedKeyUnasked,
                E::BundleUntrusted,
                Some("sealed_key_unasked"),
            ),
        ] {
            let flow: Flow<'_> = Box::new(|| {
                Box::pin(async {
                    client
                        .sign_in_with_passkey(&passkey_id, &Default::default())
                        .await
                        .map(|_| ())
                })
            });
            told(&world, operation, lie, 0, (code, reason), flow).await;
        }
    })
    .await;
}

/// A refresh that was lied to keeps the old session and its key.
#[tokio::test]
async fn in_a_refresh() {
    local(async {
        use ErrorCode as E;
        use KeyDelivery::{ClientHeld, Sealed};
        let world = World::new().await;
        let refresh = Operation::RefreshAuthSession;
        for (delivery, lie, stamps, code, reason) in [
            (Sealed, Lie::SwapPayload, 0, E::IntentRefused, Some("type")),
            (
                Sealed,
                Lie::WrongActivityType,
                0,
                E::IntentRefused,
                Some("type"),
            ),
            (
                Sealed,
                Lie::SwapTargetKey,
                0,
                E::IntentRefused,
                Some("parameters"),
            ),
            (
                ClientHeld,
                Lie::SwapTargetKey,
                0,
                E::IntentRefused,
                Some("parameters"),
            ),
            (
                Sealed,
                Lie::DuplicateMember,
                0,
                E::IntentRefused,
                Some("malformed"),
            ),
            (Sealed, Lie::LoneSurrogate, 0, E::RelayProtocol, None),
            (Sealed, Lie::ExpiredChallenge, 0, E::ClockWrong, None),
            (
                Sealed,
                Lie::NoSealedKey,
                1,
                E::RelayProtocol,
                Some("sealed_key_missing"),
            ),
            (Sealed, Lie::TamperSealedKey, 1, E::DecryptFailed, None),
            (Sealed, Lie::TruncateBundle, 1, E::BundleMalformed, None),
            (
                ClientHeld,
                Lie::SealedKeyUnasked,
                1,
                E::BundleUntrusted,
                Some("sealed_key_unasked"),
            ),
        ] {
            let client = world.client(delivery);
            let session = world.sign_in_by_code(&client).await;
            let before = session.info();
            let attempts = std::cell::Cell::new(0);
            let (session, before, attempts) = (&session, &before, &attempts);
            let flow: Flow<'_> = Box::new(move || {
                Box::pin(async move {
                    if attempts.replace(1) == 1 {
                        assert_eq!(session.info(), *before, "the old session is kept");
                        assert!(session.is_active());
                    }
                    session.refresh(false, &Default::default()).await
                })
            });
            told(&world, refresh, lie, stamps, (code, reason), flow).await;
        }
    })
    .await;
}

async fn add_and_forget(session: &WalletSession) -> Result<()> {
    let options = Default::default();
    let enrolment = session
        .prepare_passkey_registration(enrolment("Key"), options)
        .await?;
    enrolment.confirm(&Default::default()).await.map(|_| ())
}

#[tokio::test]
async fn in_adding_a_passkey() {
    local(async {
        use ErrorCode as E;
        for (lie, code, reason) in [
            (Lie::SwapPayload, E::IntentRefused, Some("type")),
            (Lie::WrongActivityType, E::IntentRefused, Some("type")),
            (Lie::SwapAttestation, E::IntentRefused, Some("parameters")),
            (Lie::DuplicateMember, E::IntentRefused, Some("malformed")),
            (Lie::LoneSurrogate, E::RelayProtocol, None),
            (Lie::ExpiredChallenge, E::ClockWrong, None),
        ] {
            let world = World::new().await;
            let client = world.client(KeyDelivery::Sealed);
            let session = world.sign_in_by_code(&client).await;
            let operation = Operation::CreateAuthCredential;
            let flow: Flow<'_> = Box::new(|| Box::pin(add_and_forget(&session)));
            told(&world, operation, lie, 0, (code, reason), flow).await;
        }
    })
    .await;
}

#[tokio::test]
async fn in_a_revocation() {
    local(async {
        use ErrorCode as E;
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        for (lie, code, reason) in [
            (Lie::SwapPayload, E::IntentRefused, Some("type")),
            (Lie::WrongActivityType, E::IntentRefused, Some("type")),
            (Lie::DuplicateMember, E::IntentRefused, Some("malformed")),
            (Lie::ExpiredChallenge, E::ClockWrong, None),
        ] {
            let other = world.sign_in_by_code(&client).await.info().id;
            let (session, other) = (&session, &other);
            let flow: Flow<'_> =
                Box::new(move || Box::pin(session.revoke_session(other, &OPTIONS)));
            told(
                &world,
                Operation::RevokeAuthSession,
                lie,
                0,
                (code, reason),
                flow,
            )
            .await;
        }
    })
    .await;
}

/// What must be signed is not taken for done before anything was.
#[tokio::test]
async fn done_before_anything_was_signed() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::ClientHeld);
        let session = world.sign_in_by_code(&client).await;
        let before = session.info();
        let now = "2026-11-20T12:00:00Z";
        let body = format!(
            r#"{{"id":"Session:1","accountId":"{}","type":"EMAIL_OTP","nickname":"x","createdAt":"{now}","updatedAt":"{now}","expiresAt":"2126-11-20T12:00:00Z"}}"#,
            world.customer.account_id
        );
        world.transport.set_tamper(move |call, reply| {
            reply.status = match call.operation {
                "refreshAuthSession" => 201,
                "verifyAuthCredential" => 200,
                "revokeAuthSession" => 204,
                _ => return,
            };
            reply.body = body.clone().into_bytes();
        });
        let otp = client.send_otp(&world.customer.email_otp_auth_method_id, &OPTIONS).await;
        let signed_in = otp.unwrap().submit(&code("000000"), &OPTIONS).await;
        let refreshed = session.refresh(false, &OPTIONS).await;
        let revoked = session.revoke_session("Session:2", &OPTIONS).await;
        for error in [signed_in.err(), refreshed.err(), revoked.err()] {
            let error = error.unwrap();
            if error.code() != ErrorCode::Forbidden {
                assert_eq!(error.code(), ErrorCode::RelayProtocol, "{error:?}");
                assert_eq!(error.reason(), Some("unsigned"));
            }
        }
        assert_eq!(session.info(), before);
        assert!(!session.sign_out(&OPTIONS).await);
    })
    .await;
}

/// What would go into the next request is of its form, or the answer is refused.
#[tokio::test]
async fn ids_that_are_none() {
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

const OPTIONS: gridkey::api::client::CallOptions = gridkey::api::client::CallOptions {
    cancellation: None,
    timeout_ms: None,
};
