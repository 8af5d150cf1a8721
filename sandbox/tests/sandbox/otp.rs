//! E-mailed codes.

use serde_json::json;

use crate::client::{
    Call, Server, compressed_hex, generate, otp_attempt, parse_bundle, seal_otp, seal_to,
    uncompressed_hex, verification,
};

#[tokio::test]
async fn the_key_in_the_bundle_may_have_either_encoding() {
    let server = Server::start().await;
    let key = generate();
    for public_key in [
        compressed_hex(&key.public_key()),
        uncompressed_hex(&key.public_key()),
    ] {
        let call = server.otp_verification(&public_key).await;
        let session = server.send_signed(&call, &key).await.expect(200);
        assert!(session.get("encryptedSessionSigningKey").is_none());
    }
    let sessions = server.sandbox.sessions();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_eq!(session.public_key, compressed_hex(&key.public_key()));
        assert!(session.active && !session.sealed);
    }
}

#[tokio::test]
async fn a_wrong_code_then_the_right_one() {
    let server = Server::start().await;
    let key = generate();
    let public_key = compressed_hex(&key.public_key());
    let id = server.customer().email_otp_auth_method_id;
    let bundle = server.request_code(&id).await;
    for code in ["000001", "0", "", "ABC234"] {
        let call = verification(&id, &seal_otp(&bundle, &otp_attempt(code, &public_key)));
        server
            .send(&call)
            .await
            .expect_error(401, "UNAUTHORIZED", "OTP_CODE_WRONG");
    }
    let call = verification(&id, &seal_otp(&bundle, &otp_attempt("000000", &public_key)));
    server.send_signed(&call, &key).await.expect(200);
    // The code is used up.
    server
        .send(&call)
        .await
        .expect_error(401, "UNAUTHORIZED", "OTP_NOT_ISSUED");
}

#[tokio::test]
async fn a_bundle_is_for_the_latest_code() {
    let server = Server::start().await;
    let id = server.customer().email_otp_auth_method_id;
    let attempt = otp_attempt("000000", &compressed_hex(&generate().public_key()));
    let first = server.request_code(&id).await;
    let second = server.request_code(&id).await;
    assert_ne!(parse_bundle(&first).data, parse_bundle(&second).data);
    let call = verification(&id, &seal_otp(&first, &attempt));
    server
        .send(&call)
        .await
        .expect_error(401, "UNAUTHORIZED", "OTP_BUNDLE_UNDECRYPTABLE");

    // Sealed as it should be, but with another info, or with aad the wrong way round.
    let target = parse_bundle(&second).target().unwrap();
    for (info, is_aad_swapped) in [("turnkey", false), ("turnkey_hpke", true)] {
        let call = verification(&id, &seal_to(&target, info, is_aad_swapped, &attempt));
        server
            .send(&call)
            .await
            .expect_error(401, "UNAUTHORIZED", "OTP_BUNDLE_UNDECRYPTABLE");
    }
    let call = verification(&id, &seal_to(&target, "turnkey_hpke", false, &attempt));
    server.send(&call).await.expect(202);
}

#[tokio::test]
async fn codes_expire() {
    let server = Server::start().await;
    let call = server
        .otp_verification(&compressed_hex(&generate().public_key()))
        .await;
    server.sandbox.advance_clock(300_000);
    server
        .send(&call)
        .await
        .expect_error(401, "UNAUTHORIZED", "OTP_EXPIRED");
    let call = server
        .otp_verification(&compressed_hex(&generate().public_key()))
        .await;
    server.sandbox.expire_challenges();
    server
        .send(&call)
        .await
        .expect_error(401, "UNAUTHORIZED", "OTP_EXPIRED");
}

#[tokio::test]
async fn a_code_has_to_be_issued() {
    let server = Server::start().await;
    let id = server.customer().email_otp_auth_method_id;
    let call = verification(&id, "{}");
    server
        .send(&call)
        .await
        .expect_error(401, "UNAUTHORIZED", "OTP_NOT_ISSUED");
}

#[tokio::test]
async fn bundles_have_a_shape() {
    let server = Server::start().await;
    let id = server.customer().email_otp_auth_method_id;
    let bundle = server.request_code(&id).await;
    let key = compressed_hex(&generate().public_key());
    let enc = uncompressed_hex(&generate().public_key());
    let malformed = "OTP_BUNDLE_MALFORMED";
    for (text, reason) in [
        ("".to_owned(), malformed),
        (json!("{}").to_string(), malformed),
        (json!({ "encappedPublic": enc }).to_string(), malformed),
        (
            json!({ "encappedPublic": key, "ciphertext": "00" }).to_string(),
            malformed,
        ),
        (
            json!({ "encappedPublic": enc, "ciphertext": "0" }).to_string(),
            malformed,
        ),
        (
            json!({ "encappedPublic": enc, "ciphertext": "00", "a": 1 }).to_string(),
            malformed,
        ),
        (
            json!({ "encappedPublic": enc, "ciphertext": "00" }).to_string(),
            "OTP_BUNDLE_UNDECRYPTABLE",
        ),
        (seal_otp(&bundle, "000000"), malformed),
        (seal_otp(&bundle, &otp_attempt("000000", "02ff")), malformed),
        (
            seal_otp(
                &bundle,
                &json!({ "otpCode": "000000", "publicKey": key }).to_string(),
            ),
            malformed,
        ),
        (
            seal_otp(
                &bundle,
                &format!(r#"{{"otp_code":"000000","otp_code":"000000","public_key":"{key}"}}"#),
            ),
            malformed,
        ),
    ] {
        let (status, code) = if reason == malformed {
            (400, "INVALID_INPUT")
        } else {
            (401, "UNAUTHORIZED")
        };
        server
            .send(&verification(&id, &text))
            .await
            .expect_error(status, code, reason);
    }
}

#[tokio::test]
async fn verification_is_of_the_credentials_own_type() {
    let server = Server::start().await;
    let id = server.customer().email_otp_auth_method_id;
    let body = json!({ "type": "OAUTH", "oidcToken": "x", "clientPublicKey": "02" });
    server
        .send(&Call::post(
            format!("/auth/credentials/{id}/verify"),
            Some(body),
        ))
        .await
        .expect_error(400, "INVALID_INPUT", "CREDENTIAL_TYPE_UNSUITABLE");
}
