//! Revoking credentials.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, Session, add_otp, add_passkey, authenticator::Passkey, in_seconds, jwt,
};

fn payload(challenge: &Value) -> Value {
    serde_json::from_str(challenge["payloadToSign"].as_str().unwrap()).unwrap()
}

fn revocation(id: &str) -> Call {
    Call::delete(format!("/auth/credentials/{id}"))
}

/// Ids and types of the first customer's credentials.
async fn credentials(server: &Server) -> Vec<(String, String)> {
    let path = format!(
        "/auth/credentials?accountId={}",
        server.customer().account_id
    );
    let listed = server.get(&path).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = listed["data"].as_array().unwrap().iter();
    listed.map(|c| (text(&c["id"]), text(&c["type"]))).collect()
}

/// A sandbox whose first customer has a credential of each type, and sessions by e-mail and text.
async fn with_all_types() -> (Server, Session, Session) {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let email = server.sign_in_with_code().await;
    let sms = server.sign_in_with_text(&email).await;
    let token = jwt(&json!({
        "iss": "https://accounts.google.com", "aud": "client", "sub": "1",
        "iat": in_seconds(0), "exp": in_seconds(60),
    }));
    let body = json!({ "type": "OAUTH", "accountId": account, "oidcToken": token });
    for call in [
        Call::post("/auth/credentials", Some(body)),
        add_passkey(&account, &Passkey::new(), b"challenge"),
    ] {
        server.send_signed(&call, &email.key).await.expect(201);
    }
    (server, email, sms)
}

#[tokio::test]
async fn each_type() {
    let (server, email, sms) = with_all_types().await;
    for (id, kind) in credentials(&server).await {
        // By a session of another credential: the last one is revoked by nobody.
        let (activity, ids, key) = match kind.as_str() {
            "EMAIL_OTP" => ("ACTIVITY_TYPE_DELETE_USER_EMAIL", None, &sms.key),
            "SMS_OTP" => continue,
            "OAUTH" => (
                "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS",
                Some("providerIds"),
                &sms.key,
            ),
            _ => (
                "ACTIVITY_TYPE_DELETE_AUTHENTICATORS",
                Some("authenticatorIds"),
                &sms.key,
            ),
        };
        let call = revocation(&id);
        let challenge = server.send(&call).await.expect(202);
        assert_eq!(challenge["type"], kind);
        let payload = payload(&challenge);
        assert_eq!(payload["type"], activity);
        assert!(payload["parameters"]["userId"].is_string());
        let parameters = payload["parameters"].as_object().unwrap();
        assert_eq!(parameters.len(), if ids.is_some() { 2 } else { 1 });
        if let Some(ids) = ids {
            assert_eq!(parameters[ids].as_array().unwrap().len(), 1);
        }
        server.send(&call.signed(&challenge, key)).await.expect(204);
        server
            .send(&call)
            .await
            .expect_error(404, "REFERENCE_NOT_FOUND", "CREDENTIAL_NOT_FOUND");
    }
    // The sessions of a revoked credential end with it.
    assert_eq!(server.session_ids().await, [sms.answer["id"].clone()]);
    let [(last, kind)] = credentials(&server).await.try_into().unwrap();
    assert_eq!(kind, "SMS_OTP");
    server
        .send(&revocation(&last))
        .await
        .expect_error(400, "INVALID_INPUT", "LAST_CREDENTIAL");

    // What was revoked can be added back, by the one that is left.
    let call = add_otp(&server.customer().account_id, "EMAIL_OTP");
    server.send_signed(&call, &email.key).await.expect_error(
        401,
        "WALLET_SIGNATURE_INVALID",
        "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
    );
    let added = server.send_signed(&call, &sms.key).await.expect(201);
    assert!(added["otpEncryptionTargetBundle"].is_string());
    server.expect_conformance();
}

#[tokio::test]
async fn not_by_a_session_of_the_same_credential() {
    let (server, email, _) = with_all_types().await;
    let id = server.customer().email_otp_auth_method_id;
    server
        .send_signed(&revocation(&id), &email.key)
        .await
        .expect_error(
            401,
            "WALLET_SIGNATURE_INVALID",
            "STAMP_KEY_OF_REVOKED_CREDENTIAL",
        );
    assert_eq!(credentials(&server).await.len(), 4);
    server.expect_conformance();
}
