//! Adding and listing credentials.

use serde_json::json;

use crate::client::{
    Call, Server, add_passkey, authenticator::Passkey, compressed_hex, generate, otp_attempt,
    seal_otp, verification,
};

fn add_email(server: &Server) -> Call {
    let account = server.customer().account_id;
    let body = json!({ "type": "EMAIL_OTP", "accountId": account });
    Call::post("/auth/credentials", Some(body))
}

#[tokio::test]
async fn an_account_has_one_email_otp_credential() {
    let server = Server::start().await;
    server.send(&add_email(&server)).await.expect_error(
        400,
        "EMAIL_OTP_CREDENTIAL_ALREADY_EXISTS",
        "EMAIL_OTP_CREDENTIAL_EXISTS",
    );
    server.expect_conformance();
}

#[tokio::test]
async fn email_otp_is_added_back_with_a_bundle() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;

    // Another way to sign in, so that the account keeps a session without the first one.
    let mut passkey = Passkey::new();
    let call = add_passkey(&customer.account_id, &passkey, b"challenge");
    let id = server.send_signed(&call, &session.key).await.expect(201)["id"].clone();
    let id = id.as_str().unwrap();
    let key = generate();
    let body = json!({ "clientPublicKey": compressed_hex(&key.public_key()) });
    let challenge = server
        .post(&format!("/auth/credentials/{id}/challenge"), body)
        .await
        .expect(200);
    let assertion = passkey.assert(challenge["challenge"].as_str().unwrap().as_bytes());
    let body = json!({ "type": "PASSKEY", "assertion": assertion });
    let call = Call::post(format!("/auth/credentials/{id}/verify"), Some(body));
    server
        .send(&call.request_id(&challenge["requestId"]))
        .await
        .expect(200);
    server
        .sandbox
        .remove_auth_method(&customer.email_otp_auth_method_id);

    let challenge = server.send(&add_email(&server)).await.expect(202);
    assert_eq!(challenge["type"], "EMAIL_OTP");
    let payload: serde_json::Value =
        serde_json::from_str(challenge["payloadToSign"].as_str().unwrap()).unwrap();
    assert_eq!(payload["type"], "ACTIVITY_TYPE_UPDATE_USER_EMAIL");
    assert_eq!(payload["parameters"]["userEmail"], customer.email);
    let added = server
        .send(&add_email(&server).signed(&challenge, &key))
        .await
        .expect(201);
    let bundle = added["otpEncryptionTargetBundle"].as_str().unwrap();
    let attempt = otp_attempt("000000", &compressed_hex(&key.public_key()));
    let call = verification(added["id"].as_str().unwrap(), &seal_otp(bundle, &attempt));
    server.send_signed(&call, &key).await.expect(200);
    server.expect_conformance();
}

#[tokio::test]
async fn a_first_credential_needs_no_signature() {
    let server = Server::start().await;
    server
        .sandbox
        .remove_auth_method(&server.customer().email_otp_auth_method_id);
    let added = server.send(&add_email(&server)).await.expect(201);
    assert!(added.get("otpEncryptionTargetBundle").is_none());
    server.request_code(added["id"].as_str().unwrap()).await;
    server.expect_conformance();
}

#[tokio::test]
async fn credentials_are_listed_per_account() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_customer_with_code(&ada).await;
    let passkey = Passkey::new();
    let call = add_passkey(&ada.account_id, &passkey, b"challenge");
    let added = server.send_signed(&call, &session.key).await.expect(201);
    let list = async |account: &str| {
        let path = format!("/auth/credentials?accountId={account}");
        server.get(&path).await.expect(200)["data"].clone()
    };
    let ada_has = list(&ada.account_id).await;
    assert_eq!(ada_has.as_array().unwrap().len(), 2);
    assert_eq!(ada_has[0]["id"], ada.email_otp_auth_method_id);
    assert_eq!(ada_has[0]["nickname"], ada.email);
    assert_eq!(ada_has[1], added);
    assert_eq!(
        list(&bo.account_id).await[0]["id"],
        bo.email_otp_auth_method_id
    );
}
