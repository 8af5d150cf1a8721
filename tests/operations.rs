//! Grid's operations one by one, as code with flows of its own calls them: all credential types,
//! each leg by hand.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use gridkey::{
    api::{
        client::{Answer, CallOptions, GridApi},
        operation::Operation,
        request::{Request, SignedHeaders},
        types::{AuthMethod, AuthMethodType, AuthSession, SignedRequestChallenge},
    },
    crypto::{json::Json, random::SystemRandom},
    error::{ErrorCode, Result},
    flow::key_delivery::KeyDelivery,
    formats::{
        oauth::nonce,
        sealed_key::SealedKeyReceiver,
        session_key::{PublicKeyEncoding, SessionKey},
    },
    ports::Clock,
};
use support::{World, code, local};

const DEFAULTS: CallOptions = CallOptions {
    cancellation: None,
    timeout_ms: None,
};

fn challenged(answer: Result<Answer>) -> SignedRequestChallenge {
    let answer = answer.unwrap();
    assert!(answer.is_challenge(), "done without a stamp");
    SignedRequestChallenge::read(&answer.body)
}

fn done(answer: Result<Answer>) -> Answer {
    let answer = answer.unwrap();
    assert!(!answer.is_challenge(), "another challenge");
    answer
}

fn stamped(key: &SessionKey, challenge: &SignedRequestChallenge) -> SignedHeaders {
    SignedHeaders {
        stamp: Some(key.stamp_unchecked(&challenge.payload_to_sign).unwrap()),
        request_id: Some(challenge.request_id.clone()),
        idempotency_key: None,
    }
}

async fn sign_in_by_code(world: &World, api: &GridApi) -> (AuthSession, SessionKey) {
    let id = &world.customer.email_otp_auth_method_id;
    let challenge = Request::on(Operation::ChallengeAuthCredential, id);
    let challenged_otp = api.call(challenge, &DEFAULTS).await.unwrap();
    let method = AuthMethod::read(&challenged_otp.body);
    assert_eq!(method.kind, AuthMethodType::EmailOtp, "no one-time code");
    let key = SessionKey::generate(&SystemRandom).unwrap();
    let encrypted_otp_bundle = key
        .seal_otp_code(
            &method.otp_encryption_target_bundle.unwrap(),
            &code("000000"),
            &world.enclave().otp,
            // Turnkey's form, which Grid's enclave takes as well.
            PublicKeyEncoding::Compressed,
            &SystemRandom,
        )
        .unwrap();
    let request = Request::on(Operation::VerifyAuthCredential, id).with_body([
        ("type", "EMAIL_OTP".into()),
        ("encryptedOtpBundle", encrypted_otp_bundle.into()),
    ]);
    let leg = async |headers| {
        api.call(request.clone().with_headers(headers), &DEFAULTS)
            .await
    };
    let challenge = challenged(leg(SignedHeaders::default()).await);
    let session = done(leg(stamped(&key, &challenge)).await);
    (AuthSession::read(&session.body), key)
}

/// A token of a provider that the sandbox knows, which checks no provider's signature.
fn oidc_token(world: &World, nonce: Option<&str>) -> String {
    let now = world.clock.now_ms() / 1000;
    let nonce = nonce.map_or(String::new(), |nonce| format!(r#","nonce":"{nonce}""#));
    let claims = format!(
        r#"{{"iss":"https://accounts.google.com","aud":"app","sub":"1","email":"a@b.c","iat":{now},"exp":{}{nonce}}}"#,
        now + 3600
    );
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"RS256","typ":"JWT"}"#),
        part(&claims),
        part("signature")
    )
}

fn create<const N: usize>(
    kind: &str,
    account_id: &str,
    proof: [(&'static str, Json); N],
) -> Request {
    let mut members = vec![
        ("type".to_owned(), Json::from(kind)),
        ("accountId".to_owned(), Json::from(account_id)),
    ];
    members.extend(proof.map(|(name, value)| (name.to_owned(), value)));
    Request {
        body: Some(Json::Object(members)),
        ..Request::new(Operation::CreateAuthCredential)
    }
}

async fn add_oauth(world: &World, api: &GridApi, key: &SessionKey) -> AuthMethod {
    let request = create(
        "OAUTH",
        &world.customer.account_id,
        [("oidcToken", oidc_token(world, None).into())],
    );
    let leg = async |headers| {
        api.call(request.clone().with_headers(headers), &DEFAULTS)
            .await
    };
    let challenge = challenged(leg(SignedHeaders::default()).await);
    assert_eq!(challenge.kind, Some(AuthMethodType::Oauth));
    AuthMethod::read(&done(leg(stamped(key, &challenge)).await).body)
}

#[tokio::test]
async fn an_identity_is_added_and_signs_in_both_ways() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let api = client.api();
        let (_, key) = sign_in_by_code(&world, api).await;
        let method = add_oauth(&world, api, &key).await;
        let verify = async |client_public_key: String, nonce: &str| {
            let request = Request::on(Operation::VerifyAuthCredential, &method.id).with_body([
                ("type", "OAUTH".into()),
                ("oidcToken", oidc_token(&world, Some(nonce)).into()),
                ("clientPublicKey", client_public_key.into()),
            ]);
            api.call(request, &DEFAULTS).await
        };

        let held = SessionKey::generate(&SystemRandom)
            .unwrap()
            .public_key()
            .to_compressed_hex();
        let session =
            AuthSession::read(&done(verify(held.clone(), &nonce(&held).unwrap()).await).body);
        assert_eq!(session.encrypted_session_signing_key, None);

        let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        let sealed_to = receiver.public_key().to_uncompressed_hex();
        let session = done(verify(sealed_to.clone(), &nonce(&sealed_to).unwrap()).await);
        let session = AuthSession::read(&session.body);
        let key = receiver
            .open(&session.encrypted_session_signing_key.unwrap())
            .unwrap();
        let of_grid = world
            .sandbox
            .sessions()
            .into_iter()
            .find(|s| s.id == session.id)
            .unwrap();
        assert_eq!(of_grid.public_key, key.public_key().to_compressed_hex());

        // The nonce is over the text that is sent, so that of the other encoding does not fit.
        let error = verify(sealed_to, &nonce(&held).unwrap()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::OauthRejected);
    })
    .await;
}

#[tokio::test]
async fn what_create_auth_credential_refuses() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let api = client.api();
        let account_id = &world.customer.account_id;
        let first = |request| async move { api.call(request, &DEFAULTS).await };
        let again = create("EMAIL_OTP", account_id, []);
        let error = first(again).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialAlreadyExists);
        assert_eq!(
            error.grid_code(),
            Some("EMAIL_OTP_CREDENTIAL_ALREADY_EXISTS")
        );
        // Of a JWT's shape, so that it goes out, but nothing in it.
        let malformed = create("OAUTH", account_id, [("oidcToken", "e30.e30.e30".into())]);
        let error = first(malformed).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::OauthRejected);
        assert_eq!(error.status(), Some(400));
    })
    .await;
}

/// Headers that do not belong together are refused before anything is sent, and a stamp that does
/// not fit by Grid.
#[tokio::test]
async fn signatures_that_grid_refuses() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let api = client.api();
        let (session, key) = sign_in_by_code(&world, api).await;
        let revoke = Request::on(Operation::RevokeAuthSession, &session.id);
        let leg = async |headers| {
            api.call(revoke.clone().with_headers(headers), &DEFAULTS)
                .await
        };
        world.transport.take_sent();
        for headers in [
            SignedHeaders {
                stamp: Some("x".into()),
                ..Default::default()
            },
            SignedHeaders {
                request_id: Some("Request:1".into()),
                ..Default::default()
            },
        ] {
            let error = leg(headers).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
        }
        assert!(world.transport.take_sent().is_empty());

        let stranger = SessionKey::generate(&SystemRandom).unwrap();
        for (stamp, grid_code) in [
            (None, "WALLET_SIGNATURE_MALFORMED"),
            (Some(&stranger), "WALLET_SIGNATURE_INVALID"),
        ] {
            let challenge = challenged(leg(SignedHeaders::default()).await);
            let mut headers = stamped(stamp.unwrap_or(&key), &challenge);
            if stamp.is_none() {
                headers.stamp = Some("bm8".into());
            }
            let error = leg(headers).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureRejected);
            assert_eq!(error.grid_code(), Some(grid_code));
        }
        let challenge = challenged(leg(SignedHeaders::default()).await);
        done(leg(stamped(&key, &challenge)).await);
    })
    .await;
}

/// A wallet's first credential is created unsigned: 201 at once, and for EMAIL_OTP without a bundle.
#[tokio::test]
async fn a_first_credential_is_created_at_once() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        world
            .sandbox
            .remove_auth_method(&world.customer.email_otp_auth_method_id);
        let request = create("EMAIL_OTP", &world.customer.account_id, []);
        let method = done(client.api().call(request, &DEFAULTS).await);
        let method = AuthMethod::read(&method.body);
        assert_eq!(method.kind, AuthMethodType::EmailOtp);
        assert_eq!(method.otp_encryption_target_bundle, None);
        let otp = client.send_otp(&method.id, &DEFAULTS).await.unwrap();
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    })
    .await;
}
