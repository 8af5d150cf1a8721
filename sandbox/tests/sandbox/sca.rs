//! Strong Customer Authentication of customers in the EU.

use gridkey_sandbox::SCA_CODE;
use serde_json::{Value, json};

use crate::client::{Call, Reply, Server, Session, execution, quote_of};

/// A customer of the EU with a quote that was executed, and its session.
async fn with_pending_quote() -> (Server, Session, Value) {
    let server = Server::start().await;
    let command = json!({ "command": "requireSca" });
    server.post("/sandbox/control", command).await.expect(204);
    let session = server.sign_in_with_code().await;
    let quote = executed(&server, &session).await;
    (server, session, quote)
}

async fn executed(server: &Server, session: &Session) -> Value {
    let quote = server.send(&quote_of(&server.customer(), 1000)).await;
    let quote = quote.expect(201);
    let call = execution(&quote, &session.key);
    let executed = server.send(&call).await.expect(200);
    assert_eq!(executed["status"], "PENDING_AUTHORIZATION");
    let challenge = &executed["scaChallenge"];
    assert_eq!(challenge["factor"], "SMS_OTP");
    assert_eq!(challenge["availableFactors"], json!(["SMS_OTP"]));
    server
        .send(&call)
        .await
        .expect_error(409, "CONFLICT", "QUOTE_EXECUTED");
    executed
}

async fn authorize(server: &Server, quote: &Value, code: &str) -> Reply {
    let path = format!("/quotes/{}/authorize", quote["id"].as_str().unwrap());
    server.post(&path, json!({ "code": code })).await
}

fn resend(quote: &Value) -> Call {
    let id = quote["id"].as_str().unwrap();
    Call::post(format!("/quotes/{id}/authorize/resend"), None)
}

async fn balance(server: &Server) -> Value {
    let listed = server.get("/customers/internal-accounts?limit=1").await;
    listed.expect(200)["data"][0]["balance"]["amount"].clone()
}

#[tokio::test]
async fn a_code_releases_the_transfer() {
    let (server, _, quote) = with_pending_quote().await;
    assert_eq!(balance(&server).await, 1_000_000);
    authorize(&server, &quote, "000000")
        .await
        .expect_error(400, "INVALID_INPUT", "SCA_CODE_WRONG");
    let released = authorize(&server, &quote, SCA_CODE).await.expect(200);
    assert_eq!(released["status"], "PROCESSING");
    assert!(released.get("scaChallenge").is_none());
    assert_eq!(balance(&server).await, 999_000);
    authorize(&server, &quote, SCA_CODE)
        .await
        .expect_error(409, "CONFLICT", "SCA_NOT_PENDING");
    server
        .send(&resend(&quote))
        .await
        .expect_error(409, "CONFLICT", "SCA_NOT_PENDING");
    server.expect_conformance();
}

#[tokio::test]
async fn five_wrong_codes_lock_the_customer_out() {
    let (server, session, quote) = with_pending_quote().await;
    for _ in 0..5 {
        authorize(&server, &quote, "1")
            .await
            .expect_error(400, "INVALID_INPUT", "SCA_CODE_WRONG");
    }
    authorize(&server, &quote, SCA_CODE)
        .await
        .expect_error(423, "ACCOUNT_LOCKED", "SCA_LOCKED");
    // The lock is the customer's, not the quote's.
    let other = executed(&server, &session).await;
    authorize(&server, &other, SCA_CODE)
        .await
        .expect_error(423, "ACCOUNT_LOCKED", "SCA_LOCKED");
    server.sandbox.advance_clock(15 * 60_000);
    let session = server.sign_in_with_code().await;
    let third = executed(&server, &session).await;
    authorize(&server, &third, SCA_CODE).await.expect(200);
    server.expect_conformance();
}

#[tokio::test]
async fn challenges_expire_and_codes_are_sent_again() {
    let (server, _, quote) = with_pending_quote().await;
    for _ in 0..3 {
        server.send(&resend(&quote)).await.expect(204);
    }
    let reply = server.send(&resend(&quote)).await;
    assert!(reply.retry_after.is_some());
    reply.expect_error(429, "RATE_LIMITED", "TOO_MANY_REQUESTS");
    server.sandbox.advance_clock(300_000);
    authorize(&server, &quote, SCA_CODE)
        .await
        .expect_error(400, "INVALID_INPUT", "SCA_EXPIRED");
    let path = format!("/quotes/{}", quote["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200)["status"], "EXPIRED");
    server.expect_conformance();
}

#[tokio::test]
async fn other_factors_and_other_customers() {
    let (server, session, quote) = with_pending_quote().await;
    let path = format!("/quotes/{}/authorize", quote["id"].as_str().unwrap());
    let assertion = json!({ "passkeyAssertion": {}, "origin": "http://localhost" });
    server
        .post(&path, assertion)
        .await
        .expect_error(400, "INVALID_INPUT", "SCA_FACTOR_UNSUITABLE");

    let quote = server.send(&quote_of(&server.customer(), 1000)).await;
    let quote = quote.expect(201);
    let call = Call {
        body: Some(json!({ "scaFactor": "PASSKEY" }).to_string()),
        ..execution(&quote, &session.key)
    };
    server
        .send(&call)
        .await
        .expect_error(400, "INVALID_INPUT", "SCA_FACTOR_UNSUITABLE");
    // Elsewhere the factor is of no consequence.
    server
        .sandbox
        .require_sca(Some(&server.customer().customer_id), false);
    let executed = server.send(&call).await.expect(200);
    assert_eq!(executed["status"], "PROCESSING");
    server.expect_conformance();
}
