//! The platform's credentials, ids and bodies.

use serde_json::json;

use crate::client::{Call, Server, UNKNOWN_ACCOUNT};

/// One request for each operation that needs the platform's credentials.
fn calls(server: &Server) -> Vec<Call> {
    let customer = server.customer();
    let account = &customer.account_id;
    let credential = &customer.email_otp_auth_method_id;
    vec![
        Call::post(
            "/auth/credentials",
            Some(json!({ "type": "EMAIL_OTP", "accountId": account })),
        ),
        Call::get(format!("/auth/credentials?accountId={account}")),
        Call::post(
            format!("/auth/credentials/{credential}/challenge"),
            Some(json!({})),
        ),
        Call::post(
            format!("/auth/credentials/{credential}/verify"),
            Some(json!({})),
        ),
        Call::delete(format!("/auth/credentials/{credential}")),
        Call::get(format!("/auth/sessions?accountId={account}")),
        Call::delete("/auth/sessions/Session:x"),
        Call::post("/auth/sessions/Session:x/refresh", Some(json!({}))),
        Call::get("/customers/internal-accounts"),
        Call::patch(format!("/internal-accounts/{account}"), json!({})),
        Call::post(format!("/internal-accounts/{account}/export"), None),
        Call::patch(format!("/customers/{}", customer.customer_id), json!({})),
        Call::post("/quotes", Some(json!({}))),
        Call::get("/quotes/Quote:x"),
        Call::post("/quotes/Quote:x/execute", None),
        Call::post("/quotes/Quote:x/authorize", Some(json!({}))),
        Call::post("/quotes/Quote:x/authorize/resend", None),
        Call::post("/auth/delegated-keys", Some(json!({}))),
        Call::get(format!("/auth/delegated-keys?accountId={account}")),
        Call::get("/auth/delegated-keys/DelegatedKey:x"),
        Call::delete("/auth/delegated-keys/DelegatedKey:x"),
        Call::post(format!("/agents/{}/device-codes", customer.agent_id), None),
        Call::get(format!(
            "/agents/device-codes/{}/status",
            customer.device_code
        )),
    ]
}

#[tokio::test]
async fn basic_credentials_are_required() {
    let server = Server::start().await;
    for call in calls(&server) {
        let reply = server
            .send(&Call {
                password: None,
                ..call.clone()
            })
            .await;
        reply.expect_error(401, "UNAUTHORIZED", "API_CREDENTIALS_MISSING");
        let reply = server
            .send(&Call {
                password: Some("wrong".to_owned()),
                ..call
            })
            .await;
        reply.expect_error(401, "UNAUTHORIZED", "API_CREDENTIALS_INVALID");
    }
}

#[tokio::test]
async fn ids_have_to_be_known() {
    let server = Server::start().await;
    let account = UNKNOWN_ACCOUNT;
    let verification = json!({ "type": "EMAIL_OTP", "encryptedOtpBundle": "{}" });
    let refresh = json!({ "clientPublicKey": "02" });
    for (call, reason) in [
        (
            Call::post(
                "/auth/credentials",
                Some(json!({ "type": "EMAIL_OTP", "accountId": account })),
            ),
            "ACCOUNT_NOT_FOUND",
        ),
        (
            Call::post("/auth/credentials/x/challenge", Some(json!({}))),
            "CREDENTIAL_NOT_FOUND",
        ),
        (
            Call::post("/auth/credentials/x/verify", Some(verification)),
            "CREDENTIAL_NOT_FOUND",
        ),
        (Call::delete("/auth/credentials/x"), "CREDENTIAL_NOT_FOUND"),
        (Call::delete("/auth/sessions/x"), "SESSION_NOT_FOUND"),
        (
            Call::post("/auth/sessions/x/refresh", Some(refresh)),
            "SESSION_NOT_FOUND",
        ),
        (
            Call::post("/agents/x/device-codes", None),
            "AGENT_NOT_FOUND",
        ),
        (
            Call::get("/agents/device-codes/x/status"),
            "DEVICE_CODE_NOT_FOUND",
        ),
        (
            Call::post("/agents/device-codes/x/redeem", None),
            "DEVICE_CODE_NOT_FOUND",
        ),
    ] {
        server
            .send(&call)
            .await
            .expect_error(404, "REFERENCE_NOT_FOUND", reason);
    }
}

#[tokio::test]
async fn listings_want_an_account_id() {
    let server = Server::start().await;
    for path in ["/auth/credentials", "/auth/sessions"] {
        for query in [
            "",
            "?accountId=",
            "?accountId=InternalAccount:1",
            "?accountId=Session:x",
        ] {
            server.get(&format!("{path}{query}")).await.expect_error(
                400,
                "INVALID_INPUT",
                "ACCOUNT_ID_MALFORMED",
            );
        }
        let unknown = server
            .get(&format!("{path}?accountId={}", UNKNOWN_ACCOUNT))
            .await;
        assert_eq!(unknown.expect(200), json!({ "data": [] }));
    }
}

#[tokio::test]
async fn bodies_have_to_be_json_of_the_right_shape() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let credential = server.customer().email_otp_auth_method_id;
    for path in [
        "/auth/credentials".to_owned(),
        format!("/auth/credentials/{credential}/verify"),
        format!("/auth/sessions/{}/refresh", session.id),
    ] {
        for body in [
            "",
            "{",
            "[]",
            "{\"type\":\"PIGEON\"}",
            "{\"type\":\"EMAIL_OTP\",\"type\":1}",
        ] {
            let call = Call {
                body: Some(body.to_owned()),
                ..Call::post(path.clone(), None)
            };
            server
                .send(&call)
                .await
                .expect_error(400, "INVALID_INPUT", "BODY_MALFORMED");
        }
    }
    let big = Call {
        body: Some(" ".repeat(1 << 21)),
        ..Call::post("/auth/credentials", None)
    };
    server
        .send(&big)
        .await
        .expect_error(400, "INVALID_INPUT", "BODY_MALFORMED");
}
