//! The ways that customers take, from end to end.

use crate::client::{
    Call, Server, add_passkey, authenticator::Passkey, compressed_hex, generate, open_session_key,
    uncompressed_hex,
};
use serde_json::json;

#[tokio::test]
async fn code_passkey_refresh_sign_out() {
    for is_sealed in [true, false] {
        let server = Server::start().await;
        let customer = server.customer();
        let session = server.sign_in_with_code().await;
        assert!(session.answer.get("encryptedSessionSigningKey").is_none());
        assert_eq!(session.answer["type"], "EMAIL_OTP");

        let mut passkey = Passkey::new();
        let call = add_passkey(&customer.account_id, &passkey, b"registration");
        let added = server.send_signed(&call, &session.key).await.expect(201);
        assert_eq!(added["type"], "PASSKEY");
        assert_eq!(added["credentialId"], passkey.id());
        assert_eq!(added["nickname"], "Ada's phone");
        let id = added["id"].as_str().unwrap();

        let own = generate();
        let client_public_key = |key: &p256::SecretKey| {
            let key = key.public_key();
            if is_sealed {
                uncompressed_hex(&key)
            } else {
                compressed_hex(&key)
            }
        };
        let challenge = server
            .post(
                &format!("/auth/credentials/{id}/challenge"),
                json!({ "clientPublicKey": client_public_key(&own) }),
            )
            .await
            .expect(200);
        let text = challenge["challenge"].as_str().unwrap();
        assert_eq!(text.len(), 64);
        let body = json!({ "type": "PASSKEY", "assertion": passkey.assert(text.as_bytes()) });
        let call = Call::post(format!("/auth/credentials/{id}/verify"), Some(body))
            .request_id(&challenge["requestId"]);
        let signed_in = server.send(&call).await.expect(200);
        let session_key = |answer: &serde_json::Value, own: p256::SecretKey| {
            let sealed = answer.get("encryptedSessionSigningKey");
            assert_eq!(sealed.is_some(), is_sealed);
            sealed.map_or(own.clone(), |sealed| {
                open_session_key(&own, sealed.as_str().unwrap()).unwrap()
            })
        };
        let key = session_key(&signed_in, own);
        assert_eq!(signed_in["credentialId"], passkey.id());

        let next = generate();
        let call = Call::post(
            format!(
                "/auth/sessions/{}/refresh",
                signed_in["id"].as_str().unwrap()
            ),
            Some(json!({ "clientPublicKey": client_public_key(&next) })),
        );
        let refreshed = server.send_signed(&call, &key).await.expect(201);
        assert_ne!(refreshed["id"], signed_in["id"]);
        let next = session_key(&refreshed, next);
        assert_eq!(server.session_ids().await.len(), 3);

        let call = Call::delete(format!(
            "/auth/sessions/{}",
            refreshed["id"].as_str().unwrap()
        ));
        server.send_signed(&call, &next).await.expect(204);
        assert_eq!(
            server.session_ids().await,
            [session.answer["id"].clone(), signed_in["id"].clone()]
        );
        server.expect_conformance();
    }
}

#[tokio::test]
async fn device_codes() {
    let server = Server::start().await;
    let customer = server.customer();
    let regenerate = Call::post(format!("/agents/{}/device-codes", customer.agent_id), None);
    let first = server.send(&regenerate).await.expect(201);
    let second = server.send(&regenerate).await.expect(201);
    assert_eq!(second["agentId"], customer.agent_id);
    assert_eq!(second["redeemed"], false);

    let redeem = |code: &serde_json::Value| Call {
        password: None,
        ..Call::post(
            format!("/agents/device-codes/{}/redeem", code.as_str().unwrap()),
            None,
        )
    };
    server.send(&redeem(&first["code"])).await.expect_error(
        404,
        "REFERENCE_NOT_FOUND",
        "DEVICE_CODE_REPLACED",
    );
    let redeemed = server.send(&redeem(&second["code"])).await.expect(200);
    assert!(
        redeemed["accessToken"]
            .as_str()
            .unwrap()
            .starts_with("gat_")
    );
    server.send(&redeem(&second["code"])).await.expect_error(
        400,
        "INVALID_INPUT",
        "DEVICE_CODE_REDEEMED",
    );
    let status = format!(
        "/agents/device-codes/{}/status",
        second["code"].as_str().unwrap()
    );
    assert_eq!(server.get(&status).await.expect(200)["redeemed"], true);
    server
        .send(&regenerate)
        .await
        .expect_error(409, "CONFLICT", "AGENT_CONNECTED");
    server.expect_conformance();
}
