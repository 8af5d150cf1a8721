//! The life of a session.

use std::time::Duration;

use gridkey_sandbox::SandboxOptions;
use serde_json::json;

use crate::client::{Call, Server, compressed_hex, generate};

fn refresh(id: &str) -> Call {
    let body = json!({ "clientPublicKey": compressed_hex(&generate().public_key()) });
    Call::post(format!("/auth/sessions/{id}/refresh"), Some(body))
}

fn revoke(id: &str) -> Call {
    Call::delete(format!("/auth/sessions/{id}"))
}

#[tokio::test]
async fn sessions_expire() {
    for (options, life_ms) in [
        (SandboxOptions::default(), 900_000),
        (
            SandboxOptions {
                session_life: Duration::from_secs(60),
                ..SandboxOptions::default()
            },
            60_000,
        ),
    ] {
        let server = Server::with(options).await;
        let session = server.sign_in_with_code().await;
        server.sandbox.advance_clock(life_ms - 2000);
        assert_eq!(server.session_ids().await.len(), 1);
        server.sandbox.advance_clock(2000);
        assert_eq!(server.session_ids().await.len(), 0);
        let reply = server.send(&refresh(&session.id)).await;
        reply.expect_error(401, "UNAUTHORIZED", "SESSION_NOT_ACTIVE");
        let reply = server.send(&revoke(&session.id)).await;
        reply.expect_error(404, "REFERENCE_NOT_FOUND", "SESSION_NOT_ACTIVE");
    }
}

#[tokio::test]
async fn a_session_can_expire_between_the_legs() {
    let server = Server::start().await;
    for call in [refresh, revoke] {
        let session = server.sign_in_with_code().await;
        let call = call(&session.id);
        let challenge = server.send(&call).await.expect(202);
        server.sandbox.expire_sessions();
        let status = if call.body.is_some() { 401 } else { 404 };
        let code = if call.body.is_some() {
            "UNAUTHORIZED"
        } else {
            "REFERENCE_NOT_FOUND"
        };
        let reply = server.send(&call.signed(&challenge, &session.key)).await;
        reply.expect_error(status, code, "SESSION_NOT_ACTIVE");
    }
}

#[tokio::test]
async fn a_revoked_session_is_gone() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    server
        .send_signed(&revoke(&session.id), &session.key)
        .await
        .expect(204);
    let reply = server.send(&revoke(&session.id)).await;
    reply.expect_error(404, "REFERENCE_NOT_FOUND", "SESSION_NOT_ACTIVE");
    let reply = server.send(&refresh(&session.id)).await;
    reply.expect_error(401, "UNAUTHORIZED", "SESSION_NOT_ACTIVE");
    let [record] = server.sandbox.sessions().try_into().unwrap();
    assert!(record.revoked && !record.active);
}

#[tokio::test]
async fn a_refreshed_session_lives_on() {
    let server = Server::start().await;
    let old = server.sign_in_with_code().await;
    server.sandbox.advance_clock(10_000);
    let new = server
        .send_signed(&refresh(&old.id), &old.key)
        .await
        .expect(201);
    assert_eq!(
        server.session_ids().await,
        [json!(old.id), new["id"].clone()]
    );
    assert!(new["expiresAt"].as_str() > old.answer["expiresAt"].as_str());
    server
        .send_signed(&refresh(&old.id), &old.key)
        .await
        .expect(201);
}

#[tokio::test]
async fn payloads_are_turnkey_activities() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let call = refresh(&session.id);
    let body: serde_json::Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    let answer = server.send(&call).await.expect(202);
    assert!(answer.get("type").is_none());
    let payload = answer["payloadToSign"].as_str().unwrap();
    let activity: serde_json::Value = serde_json::from_str(payload).unwrap();
    let timestamp = activity["timestampMs"].as_str().unwrap();
    assert_eq!(timestamp.len(), 13);
    let expected = format!(
        concat!(
            r#"{{"organizationId":"{}","parameters":{{"targetPublicKey":"{}"}},"#,
            r#""timestampMs":"{}","type":"ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2"}}"#
        ),
        customer.organization_id,
        body["clientPublicKey"].as_str().unwrap(),
        timestamp,
    );
    assert_eq!(payload, expected);

    let answer = server.send(&revoke(&session.id)).await.expect(202);
    assert_eq!(answer["type"], "EMAIL_OTP");
    let activity: serde_json::Value =
        serde_json::from_str(answer["payloadToSign"].as_str().unwrap()).unwrap();
    assert_eq!(activity["type"], "ACTIVITY_TYPE_DELETE_API_KEYS");
    assert_eq!(
        activity["parameters"]["apiKeyIds"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn sessions_are_listed_per_account() {
    let server = Server::start().await;
    for customer in server.sandbox.customers() {
        let session = server.sign_in_customer_with_code(&customer).await;
        let path = format!("/auth/sessions?accountId={}", customer.account_id);
        let listed = server.get(&path).await.expect(200);
        assert_eq!(listed, json!({ "data": [session.answer] }));
    }
}
