//! What a customer does, natively: the flows against the sandbox, through the relay, over HTTP.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use gridkey::{
    api::{operation::Operation, request::Request},
    flow::{key_delivery::KeyDelivery, state::SessionState},
};
use support::{World, code, local, text};

/// E-mail code, add passkey, sign out, passkey, refresh, device code, sign out.
async fn a_customers_day(delivery: KeyDelivery) {
    let world = World::new().await;
    let client = world.client(delivery);
    let account_id = &world.customer.account_id;

    let session = world.sign_in_by_code(&client).await;
    assert!(session.is_active());
    assert_eq!(session.info().account_id, *account_id);
    assert!(matches!(client.state(), SessionState::SignedIn(info) if info == session.info()));

    let passkey_id = world.add_passkey(&session, "Test device").await;
    let methods = client
        .list_auth_methods(account_id, &Default::default())
        .await
        .unwrap();
    assert!(
        methods
            .iter()
            .any(|m| m.id == passkey_id && m.nickname == "Test device")
    );

    assert!(session.sign_out(&Default::default()).await);
    assert!(!session.is_active());
    assert!(
        world
            .sandbox
            .sessions()
            .iter()
            .all(|s| s.account_id != *account_id || !s.active)
    );

    let prepared = client
        .prepare_passkey(&passkey_id, Default::default())
        .await
        .unwrap();
    let session = prepared.confirm(&Default::default()).await.unwrap();
    let first = session.info();
    assert_eq!(first.auth_method_id.as_deref(), Some(passkey_id.as_str()));
    let of_grid = |id: &str| {
        world
            .sandbox
            .sessions()
            .into_iter()
            .find(|s| s.id == id)
            .unwrap()
    };
    assert_eq!(of_grid(&first.id).public_key, first.public_key);

    session.refresh(false, &Default::default()).await.unwrap();
    let second = session.info();
    assert_ne!(second.id, first.id);
    assert_ne!(second.public_key, first.public_key);
    assert_eq!(of_grid(&second.id).public_key, second.public_key);
    assert!(of_grid(&first.id).active, "refreshing adds a session");

    // The next stamp is made with the new key: it alone may end the old session.
    session
        .revoke_session(&first.id, &Default::default())
        .await
        .unwrap();
    assert!(!of_grid(&first.id).active);

    let agent_id = &world.customer.agent_id;
    let device_code = async || {
        let request = Request::on(Operation::RegenerateAgentDeviceCode, agent_id);
        let answer = client.api().call(request, &Default::default()).await;
        text(&answer.unwrap().body, "code")
    };
    let old = device_code().await;
    let new = device_code().await;
    let redeem = async |code: &str| {
        let url = format!("{}/agents/device-codes/{code}/redeem", world.sandbox_url);
        reqwest::Client::new()
            .post(url)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(redeem(&old).await, 404);
    assert_eq!(redeem(&new).await, 200);

    assert!(session.sign_out(&Default::default()).await);
    assert!(!of_grid(&second.id).active);
}

#[tokio::test]
async fn a_customers_day_sealed() {
    local(a_customers_day(KeyDelivery::Sealed)).await;
}

#[tokio::test]
async fn a_customers_day_client_held() {
    local(a_customers_day(KeyDelivery::ClientHeld)).await;
}

#[tokio::test]
async fn wrong_code_then_right_code() {
    local(async {
        let world = World::new().await;
        let client = world.client(KeyDelivery::Sealed);
        let id = &world.customer.email_otp_auth_method_id;
        let otp = client.send_otp(id, &Default::default()).await.unwrap();
        let error = otp
            .submit(&code("123456"), &Default::default())
            .await
            .err()
            .unwrap();
        assert_eq!(error.code().as_str(), "otp_rejected");
        otp.submit(&code("000000"), &Default::default())
            .await
            .unwrap();
    })
    .await;
}
