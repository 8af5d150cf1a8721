//! Traffic that is not what Grid's documents specify is recorded.

use crate::client::{
    Call, Server, add_passkey, authenticator::Passkey, generate, uncompressed_hex,
};
use serde_json::{Value, json};

/// `[operation, direction, status, document]` of each violation.
async fn violations(server: &Server) -> Value {
    let violations = server.get("/sandbox/violations").await.expect(200);
    let summary = |violation: &Value| {
        json!([
            violation["operation"],
            violation["direction"],
            violation["status"],
            violation["document"],
        ])
    };
    violations
        .as_array()
        .into_iter()
        .flatten()
        .map(summary)
        .collect()
}

#[tokio::test]
async fn a_renamed_request_member_is_recorded() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    assert_eq!(violations(&server).await, json!([]));

    let mut call = add_passkey(&server.customer().account_id, &Passkey::new(), b"challenge");
    call.body = call
        .body
        .map(|body| body.replace("transports", "transport"));
    server.send_signed(&call, &session.key).await.expect(201);
    let expected = json!([
        "createAuthCredential",
        "request",
        null,
        "createAuthCredential.yaml"
    ]);
    assert_eq!(violations(&server).await, json!([expected, expected]));
    assert_eq!(
        server.sandbox.violations()[0].what,
        "/attestation: Unevaluated properties are not allowed ('transport' was unexpected)"
    );
}

#[tokio::test]
async fn a_renamed_answer_member_is_recorded() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    for pointer in ["/encryptedSessionSigningKey", "/nickname"] {
        let command = json!({
            "command": "renameMember", "operation": "refreshAuthSession", "pointer": pointer,
        });
        server.post("/sandbox/control", command).await.expect(204);
    }
    let key = uncompressed_hex(&generate().public_key());
    let call = Call::post(
        format!("/auth/sessions/{}/refresh", session.id),
        Some(json!({ "clientPublicKey": key })),
    );
    let answer = server.send_signed(&call, &session.key).await.expect(201);
    assert!(answer["encryptedSessionSigningKeyX"].is_string());
    let expected = json!([
        "refreshAuthSession",
        "answer",
        201,
        "refreshAuthSession.yaml"
    ]);
    assert_eq!(violations(&server).await, json!([expected]));

    server.send_signed(&call, &session.key).await.expect(201);
    assert_eq!(violations(&server).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn other_liberties_are_recorded() {
    let server = Server::start().await;
    let customer = server.customer();
    let account = &customer.account_id;
    let codes = format!("/agents/{}/device-codes", customer.agent_id);
    for call in [
        Call::get(format!("/auth/sessions?accountId={account}&page=1")),
        Call::get("/auth/credentials"),
        Call::post(codes.clone(), Some(json!({}))),
        Call::post(codes.clone(), None).idempotency_key("one"),
        Call {
            request_id: Some("Request:1".to_owned()),
            ..Call::post(codes, None)
        },
        Call {
            content_type: "text/plain",
            ..Call::post(
                format!(
                    "/auth/credentials/{}/challenge",
                    customer.email_otp_auth_method_id
                ),
                Some(json!({})),
            )
        },
        Call::get("/auth/session"),
        Call::delete("/auth/credentials"),
        Call::get("/auth/credentials/x/challenge"),
    ] {
        let before = violations(&server).await.as_array().unwrap().len();
        server.send(&call).await;
        let after = violations(&server).await.as_array().unwrap().len();
        assert_eq!(after, before + 1, "{} {}", call.method, call.path);
    }
}

#[tokio::test]
async fn client_held_keys_are_held_against_the_api_document() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    for (key, document) in [("02", "grid.yaml"), ("04", "refreshAuthSession.yaml")] {
        let body = json!({ "clientPublicKey": key });
        let path = format!("/auth/sessions/{}/refresh", session.id);
        server.post(&path, body).await.expect(400);
        let last = violations(&server)
            .await
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(
            last,
            json!(["refreshAuthSession", "request", null, document])
        );
    }
}

#[tokio::test]
async fn faults_are_exempt() {
    let server = Server::start().await;
    for fault in [
        json!({ "kind": "error", "status": 418, "code": "TEA" }),
        json!({ "kind": "status", "status": 200, "body": "{}", "contentType": "application/json" }),
        json!({ "kind": "truncate" }),
    ] {
        let command = json!({ "command": "fault", "fault": fault });
        server.post("/sandbox/control", command).await.expect(204);
        let id = server.customer().email_otp_auth_method_id;
        server
            .post(&format!("/auth/credentials/{id}/challenge"), json!({}))
            .await;
    }
    assert_eq!(violations(&server).await, json!([]));
}

#[tokio::test]
async fn a_reset_keeps_violations() {
    let server = Server::start().await;
    server.get("/auth/session").await.expect(404);
    server
        .post("/sandbox/control", json!({ "command": "reset" }))
        .await
        .expect(204);
    assert_eq!(violations(&server).await.as_array().unwrap().len(), 1);
}
