//! SMS_OTP: codes that are texted.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, add_otp, claims, compressed_hex, generate, otp_attempt, parse_bundle, seal_otp,
    sms_verification, verification,
};

#[tokio::test]
async fn from_adding_to_signing_in_again() {
    let server = Server::start().await;
    let customer = server.customer();
    assert_eq!(customer.phone_number, "+14155550101");
    let first = server.sign_in_with_code().await;

    let call = add_otp(&customer.account_id, "SMS_OTP");
    let challenge = server.send(&call).await.expect(202);
    assert_eq!(challenge["type"], "SMS_OTP");
    let payload: Value =
        serde_json::from_str(challenge["payloadToSign"].as_str().unwrap()).unwrap();
    assert_eq!(payload["type"], "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER");
    let parameters = payload["parameters"].as_object().unwrap();
    assert_eq!(parameters.len(), 2);
    assert_eq!(parameters["userPhoneNumber"], customer.phone_number);

    let session = server.sign_in_with_text(&first).await;
    assert_eq!(session.answer["type"], "SMS_OTP");
    assert_eq!(session.answer["nickname"], customer.phone_number);

    // The session is as good as any, and refreshing it knows its type.
    let key = generate();
    let call = Call::post(
        format!("/auth/sessions/{}/refresh", session.id),
        Some(json!({ "clientPublicKey": compressed_hex(&key.public_key()) })),
    );
    let refreshed = server.send_signed(&call, &session.key).await.expect(201);
    assert_eq!(refreshed["type"], "SMS_OTP");

    let listed = server
        .get(&format!(
            "/auth/credentials?accountId={}",
            customer.account_id
        ))
        .await
        .expect(200);
    let id = listed["data"][1]["id"].as_str().unwrap();
    let bundle = server.request_code(id).await;
    let quorum = server.sandbox.enclave_keys().otp;
    assert!(parse_bundle(&bundle).is_signed_by(&quorum));
    let attempt = otp_attempt("000000", &compressed_hex(&key.public_key()));
    let call = sms_verification(id, &seal_otp(&bundle, &attempt));
    let challenge = server.send(&call).await.expect(202);
    assert_eq!(challenge["type"], "SMS_OTP");
    let claims = claims(challenge["payloadToSign"].as_str().unwrap());
    assert_eq!(claims["verification_type"], "OTP_TYPE_SMS");
    assert_eq!(claims["contact"], customer.phone_number);
    server
        .send(&call.signed(&challenge, &key))
        .await
        .expect(200);
    server.expect_conformance();
}

#[tokio::test]
async fn an_account_has_one_sms_otp_credential() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    server.sign_in_with_text(&session).await;
    let call = add_otp(&server.customer().account_id, "SMS_OTP");
    server.send(&call).await.expect_error(
        400,
        "SMS_OTP_CREDENTIAL_ALREADY_EXISTS",
        "SMS_OTP_CREDENTIAL_EXISTS",
    );
    server.expect_conformance();
}

#[tokio::test]
async fn the_type_has_to_be_the_credentials() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let text = server.sign_in_with_text(&session).await;
    let listed = server
        .get(&format!(
            "/auth/credentials?accountId={}",
            server.customer().account_id
        ))
        .await
        .expect(200);
    let [email, sms] = [0, 1].map(|i| listed["data"][i]["id"].as_str().unwrap().to_owned());
    assert_eq!(text.answer["type"], "SMS_OTP");
    for call in [verification(&sms, "{}"), sms_verification(&email, "{}")] {
        server
            .send(&call)
            .await
            .expect_error(400, "INVALID_INPUT", "CREDENTIAL_TYPE_UNSUITABLE");
    }
    server.expect_conformance();
}
