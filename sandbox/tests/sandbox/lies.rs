//! Lies on order: what is false in them, and that nothing else is.

use crate::client::{
    Answered, Call, Server, add_passkey, authenticator::Passkey, claims, compressed_hex, generate,
    open_session_key, parse_bundle, uncompressed_hex, verifies_jwt,
};
use serde_json::{Value, json};

async fn lie(server: &Server, lie: &str) {
    let command = json!({ "command": "lie", "lie": lie });
    server.post("/sandbox/control", command).await.expect(204);
}

async fn bundle(server: &Server) -> Answered {
    let id = server.customer().email_otp_auth_method_id;
    let call = Call::post(format!("/auth/credentials/{id}/challenge"), Some(json!({})));
    server.answered(&call).await
}

#[tokio::test]
async fn bundles_signed_by_the_wrong_key() {
    let server = Server::start().await;
    let keys = server.sandbox.enclave_keys();

    let honest = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert_eq!(honest.quorum, keys.otp);
    assert!(honest.is_signed_by(&keys.otp));
    assert_eq!(honest.data["targetPublic"].as_str().unwrap().len(), 130);

    lie(&server, "otherEnclaveKey").await;
    let other = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert!(other.is_signed_by(&other.quorum));
    assert!(other.quorum != keys.otp && other.quorum != keys.export);

    lie(&server, "exportEnclaveKey").await;
    let other = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert!(other.is_signed_by(&keys.export));
    assert_eq!(other.quorum, keys.export);
}

#[tokio::test]
async fn bundles_that_were_tampered_with() {
    let server = Server::start().await;
    lie(&server, "tamperBundle").await;
    let tampered = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert_eq!(tampered.quorum, server.sandbox.enclave_keys().otp);
    assert!(!tampered.is_signed_by(&tampered.quorum));
    assert!(tampered.target().is_some());

    lie(&server, "truncateBundle").await;
    let text = bundle(&server).await.text("otpEncryptionTargetBundle");
    assert!(text.starts_with("{\"") && serde_json::from_str::<Value>(&text).is_err());

    lie(&server, "oversizedBundle").await;
    let text = bundle(&server).await.text("otpEncryptionTargetBundle");
    assert!(text.len() > 128 << 10);
    assert!(parse_bundle(&text).is_signed_by(&server.sandbox.enclave_keys().otp));

    lie(&server, "loneSurrogate").await;
    let answer = bundle(&server).await;
    assert!(answer.raw.contains("}\\ud800\"") && answer.json.is_none());
}

#[tokio::test]
async fn bundles_with_the_wrong_target() {
    let server = Server::start().await;
    let otp = server.sandbox.enclave_keys().otp;

    lie(&server, "compressedTarget").await;
    let compressed = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert!(compressed.is_signed_by(&otp));
    assert_eq!(compressed.data["targetPublic"].as_str().unwrap().len(), 66);
    assert!(compressed.target().is_some());

    lie(&server, "invalidCurveTarget").await;
    let invalid = parse_bundle(&bundle(&server).await.text("otpEncryptionTargetBundle"));
    assert!(invalid.is_signed_by(&otp));
    assert_eq!(invalid.data["targetPublic"].as_str().unwrap().len(), 130);
    assert!(invalid.target().is_none());
    server.expect_conformance();
}

#[tokio::test]
async fn false_tokens() {
    let server = Server::start().await;
    let keys = server.sandbox.enclave_keys();
    let key = compressed_hex(&generate().public_key());
    let otp = &keys.otp;
    for (told, signer, false_claim) in [
        (None, Some(otp), None),
        (Some("otherEnclaveKey"), None, None),
        (Some("exportEnclaveKey"), Some(&keys.export), None),
        (Some("tamperBundle"), None, Some("exp")),
        (Some("otherTokenKey"), Some(otp), Some("public_key")),
        (Some("otherContact"), Some(otp), Some("contact")),
    ] {
        let call = server.otp_verification(&key).await;
        if let Some(told) = told {
            lie(&server, told).await;
        }
        let token = server.answered(&call).await.text("payloadToSign");
        let signers: Vec<_> = [otp, &keys.export]
            .into_iter()
            .filter(|key| verifies_jwt(&token, key))
            .collect();
        assert_eq!(signers, signer.into_iter().collect::<Vec<_>>(), "{told:?}");
        let claims = claims(&token);
        assert_eq!(
            claims["public_key"] != json!(key),
            false_claim == Some("public_key")
        );
        let contact = json!(server.customer().email);
        assert_eq!(claims["contact"] != contact, false_claim == Some("contact"));
        let exp: i64 = claims["exp"].as_str().unwrap().parse().unwrap();
        assert_eq!(exp.to_string().len(), 13);
        assert_eq!(claims["organization_id"], server.customer().organization_id);
    }

    let call = server.otp_verification(&key).await;
    lie(&server, "jsonPayloadForOtp").await;
    let payload = server.answered(&call).await.text("payloadToSign");
    assert_eq!(activity(&payload)["type"], "ACTIVITY_TYPE_EXPORT_WALLET");
    server.expect_conformance();
}

fn activity(payload: &str) -> Value {
    serde_json::from_str(payload).unwrap_or_default()
}

#[tokio::test]
async fn false_refresh_payloads() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let organization = json!(server.customer().organization_id);
    for key in [
        uncompressed_hex(&generate().public_key()),
        compressed_hex(&generate().public_key()),
    ] {
        let call = Call::post(
            format!("/auth/sessions/{}/refresh", session.id),
            Some(json!({ "clientPublicKey": key })),
        );
        let honest = activity(&server.answered(&call).await.text("payloadToSign"));
        assert_eq!(honest["parameters"]["targetPublicKey"], key);
        for (told, false_member) in [
            ("swapPayload", "/type"),
            ("swapTargetKey", "/parameters/targetPublicKey"),
            ("otherOrganization", "/organizationId"),
            ("wrongActivityType", "/type"),
        ] {
            lie(&server, told).await;
            let answer = server.answered(&call).await;
            let told = activity(&answer.text("payloadToSign"));
            assert_ne!(honest.pointer(false_member), told.pointer(false_member));
            let target = told["parameters"]["targetPublicKey"].as_str().unwrap();
            if false_member == "/parameters/targetPublicKey" {
                assert_eq!(target.len(), key.len());
            }
            // Nobody can make use of a stamp over a lie.
            let stamped = call.signed(&answer.json.unwrap(), &session.key);
            server.send(&stamped).await.expect_error(
                401,
                "WALLET_SIGNATURE_INVALID",
                "STAMP_SIGNATURE_INVALID",
            );
        }
        assert_eq!(honest["organizationId"], organization);

        lie(&server, "duplicateMember").await;
        let payload = server.answered(&call).await.text("payloadToSign");
        assert_eq!(payload.matches("\"type\":").count(), 2);
        assert_eq!(activity(&payload)["type"], honest["type"]);

        lie(&server, "loneSurrogate").await;
        assert!(server.answered(&call).await.raw.contains("}\\ud800\""));

        lie(&server, "expiredChallenge").await;
        let challenge = server.answered(&call).await.json.unwrap();
        let session_end = session.answer["expiresAt"].as_str().unwrap();
        assert!(
            challenge["expiresAt"].as_str().unwrap()
                < session.answer["createdAt"].as_str().unwrap()
        );
        assert!(challenge["expiresAt"].as_str().unwrap() < session_end);
    }
    server.expect_conformance();
}

#[tokio::test]
async fn false_passkey_payload() {
    let server = Server::start().await;
    let passkey = Passkey::new();
    server.sign_in_with_code().await;
    let call = add_passkey(&server.customer().account_id, &passkey, b"challenge");
    lie(&server, "swapAttestation").await;
    let payload = activity(&server.answered(&call).await.text("payloadToSign"));
    let honest = passkey.attest(b"challenge");
    let told = &payload["parameters"]["authenticators"][0]["attestation"];
    assert_ne!(told["credentialId"], honest["credentialId"]);
    assert_ne!(told["attestationObject"], honest["attestationObject"]);
    assert_eq!(told["clientDataJson"], honest["clientDataJson"]);
    server.expect_conformance();
}

#[tokio::test]
async fn false_sealed_keys() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let own = generate();
    let refresh = async |key: String, told: Option<&str>| {
        let call = Call::post(
            format!("/auth/sessions/{}/refresh", session.id),
            Some(json!({ "clientPublicKey": key })),
        );
        if let Some(told) = told {
            lie(&server, told).await;
        }
        let answer = server.send_signed(&call, &session.key).await;
        answer.expect(201)["encryptedSessionSigningKey"].clone()
    };
    let sealed = uncompressed_hex(&own.public_key());
    let held = compressed_hex(&own.public_key());
    let opens = |sealed: &Value| open_session_key(&own, sealed.as_str().unwrap()).is_some();
    let is_base58check = |sealed: &Value| {
        bs58::decode(sealed.as_str().unwrap())
            .with_check(None)
            .into_vec()
            .is_ok()
    };

    assert!(opens(&refresh(sealed.clone(), None).await));
    assert!(refresh(held.clone(), None).await.is_null());
    assert!(refresh(sealed.clone(), Some("noSealedKey")).await.is_null());
    assert!(opens(&refresh(held, Some("sealedKeyUnasked")).await));
    let tampered = refresh(sealed.clone(), Some("tamperSealedKey")).await;
    assert!(is_base58check(&tampered) && !opens(&tampered));
    let truncated = refresh(sealed.clone(), Some("truncateBundle")).await;
    assert!(!is_base58check(&truncated) && truncated.as_str().unwrap().len() > 50);
    let oversized = refresh(sealed, Some("oversizedBundle")).await;
    assert!(oversized.as_str().unwrap().len() > 128 << 10);
    server.expect_conformance();
}

#[tokio::test]
async fn a_lie_waits_for_an_answer_that_has_what_it_is_about() {
    let server = Server::start().await;
    let command =
        json!({ "command": "lie", "operation": "revokeAuthSession", "lie": "expiredChallenge" });
    server.post("/sandbox/control", command).await.expect(204);
    lie(&server, "swapTargetKey").await;
    let call = server
        .otp_verification(&compressed_hex(&generate().public_key()))
        .await;
    let honest = server.answered(&call).await.text("expiresAt");
    let session = server.sign_in_with_code().await;
    assert!(*honest > *session.answer["createdAt"].as_str().unwrap());
    let call = Call::delete(format!("/auth/sessions/{}", session.id));
    let told = server.answered(&call).await.text("expiresAt");
    assert!(*told < *session.answer["createdAt"].as_str().unwrap());
    let honest = server.answered(&call).await.text("expiresAt");
    assert!(*honest > *session.answer["createdAt"].as_str().unwrap());
}
