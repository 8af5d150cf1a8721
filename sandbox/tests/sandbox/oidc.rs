//! Sign-in with an identity provider.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, Session, compressed_hex, generate, in_seconds, jwt, open_session_key, sha256_hex,
    uncompressed_hex,
};

/// Claims of a token that passes as it is when it was asked for with this nonce.
fn good_claims(nonce: &str) -> Value {
    json!({
        "iss": "https://accounts.google.com",
        "aud": "client",
        "sub": "112233",
        "email": "ada@gmail.example",
        "iat": in_seconds(0),
        "exp": in_seconds(3600),
        "nonce": nonce,
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn creation(server: &Server, token: &str) -> Call {
    let account = server.customer().account_id;
    let body = json!({ "type": "OAUTH", "accountId": account, "oidcToken": token });
    Call::post("/auth/credentials", Some(body))
}

/// A sandbox with an OAUTH credential, and its id.
async fn with_credential() -> (Server, Session, String) {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let call = creation(&server, &jwt(&good_claims("any")));
    let created = server.send_signed(&call, &session.key).await.expect(201);
    assert_eq!(created["nickname"], "ada@gmail.example");
    let id = created["id"].as_str().unwrap().to_owned();
    (server, session, id)
}

fn sign_in(id: &str, token: &str, client_public_key: &str) -> Call {
    let body = json!({ "type": "OAUTH", "oidcToken": token, "clientPublicKey": client_public_key });
    Call::post(format!("/auth/credentials/{id}/verify"), Some(body))
}

#[tokio::test]
async fn both_deliveries() {
    let (server, _, id) = with_credential().await;
    let key = generate();
    for client_public_key in [
        uncompressed_hex(&key.public_key()),
        compressed_hex(&key.public_key()),
    ] {
        let token = jwt(&good_claims(&sha256_hex(&client_public_key)));
        let session = server
            .send(&sign_in(&id, &token, &client_public_key))
            .await
            .expect(200);
        assert_eq!(session["type"], "OAUTH");
        let session_key = match session.get("encryptedSessionSigningKey") {
            Some(sealed) => open_session_key(&key, sealed.as_str().unwrap()).unwrap(),
            None => key.clone(),
        };
        assert_eq!(session_key == key, client_public_key.len() == 66);
        let revoke = Call::delete(format!(
            "/auth/sessions/{}",
            session["id"].as_str().unwrap()
        ));
        server.send_signed(&revoke, &session_key).await.expect(204);
    }
    server.expect_conformance();
}

#[tokio::test]
async fn tokens_have_a_shape() {
    let (server, _, id) = with_credential().await;
    let key = compressed_hex(&generate().public_key());
    let good = good_claims(&sha256_hex(&key));
    let token = jwt(&good);
    let parts: Vec<_> = token.split('.').collect();
    for malformed in [
        String::new(),
        "x".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{token}.e30"),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        jwt(&with(good.clone(), "iat", json!("1"))),
        jwt(&with(good.clone(), "exp", json!("1"))),
        jwt(&with(good.clone(), "exp", Value::Null)),
        jwt(&with(good.clone(), "sub", json!(""))),
        jwt(&with(good.clone(), "aud", json!(""))),
        jwt(&with(good.clone(), "aud", json!([]))),
        jwt(&with(good.clone(), "iss", Value::Null)),
    ] {
        for call in [
            creation(&server, &malformed),
            sign_in(&id, &malformed, &key),
        ] {
            let reply = server.send(&call).await;
            reply.expect_error(400, "INVALID_INPUT", "OIDC_TOKEN_MALFORMED");
        }
    }
    let foreign = jwt(&with(good, "iss", json!("https://idp.example")));
    for call in [creation(&server, &foreign), sign_in(&id, &foreign, &key)] {
        let reply = server.send(&call).await;
        reply.expect_error(400, "INVALID_INPUT", "OIDC_ISSUER_UNSUPPORTED");
    }
}

#[tokio::test]
async fn tokens_are_fresh() {
    let (server, session, id) = with_credential().await;
    let key = compressed_hex(&generate().public_key());
    let good = good_claims(&sha256_hex(&key));
    for (name, later, reason) in [
        ("iat", -60, Some("OIDC_TOKEN_STALE")),
        ("iat", 10, Some("OIDC_TOKEN_STALE")),
        ("exp", 0, Some("OIDC_TOKEN_EXPIRED")),
        ("iat", -55, None),
    ] {
        let token = jwt(&with(good.clone(), name, json!(in_seconds(later))));
        for call in [creation(&server, &token), sign_in(&id, &token, &key)] {
            let reply = server.send(&call).await;
            match reason {
                Some(reason) => reply.expect_error(401, "UNAUTHORIZED", reason),
                None => assert!(reply.status < 300, "{}", reply.body),
            }
        }
    }
    // It may age between the legs of a creation.
    let call = creation(&server, &jwt(&with(good, "sub", json!("2"))));
    let challenge = server.send(&call).await.expect(202);
    server.sandbox.advance_clock(70_000);
    server
        .send(&call.signed(&challenge, &session.key))
        .await
        .expect(201);
}

#[tokio::test]
async fn tokens_are_bound_to_the_key_as_sent() {
    let (server, _, id) = with_credential().await;
    let key = generate();
    let compressed = compressed_hex(&key.public_key());
    let uncompressed = uncompressed_hex(&key.public_key());
    let of_bytes = sha256_hex(hex::decode(&compressed).unwrap());
    for nonce in [
        sha256_hex(&uncompressed),
        sha256_hex(&compressed).to_uppercase(),
        of_bytes,
        compressed.clone(),
    ] {
        let token = jwt(&good_claims(&nonce));
        let reply = server.send(&sign_in(&id, &token, &compressed)).await;
        reply.expect_error(401, "UNAUTHORIZED", "OIDC_NONCE_MISMATCH");
    }
    let token = jwt(&with(good_claims(""), "nonce", Value::Null));
    let reply = server.send(&sign_in(&id, &token, &compressed)).await;
    reply.expect_error(401, "UNAUTHORIZED", "OIDC_NONCE_MISMATCH");
}

#[tokio::test]
async fn tokens_are_about_the_same_person() {
    let (server, _, id) = with_credential().await;
    let key = compressed_hex(&generate().public_key());
    let good = good_claims(&sha256_hex(&key));
    for (name, other) in [
        ("iss", "https://appleid.apple.com"),
        ("aud", "another client"),
        ("sub", "445566"),
    ] {
        let token = jwt(&with(good.clone(), name, json!(other)));
        let reply = server.send(&sign_in(&id, &token, &key)).await;
        reply.expect_error(401, "UNAUTHORIZED", "OIDC_IDENTITY_MISMATCH");
    }
}

#[tokio::test]
async fn there_is_no_challenge() {
    let (server, _, id) = with_credential().await;
    server
        .post(&format!("/auth/credentials/{id}/challenge"), json!({}))
        .await
        .expect_error(400, "INVALID_INPUT", "OAUTH_HAS_NO_CHALLENGE");
}

#[tokio::test]
async fn a_provider_is_added_by_a_turnkey_activity() {
    let server = Server::start().await;
    let organization = server.customer().organization_id;
    for (iss, name) in [
        ("https://accounts.google.com", "Google"),
        ("https://appleid.apple.com", "Apple"),
    ] {
        let token = jwt(&with(good_claims(""), "iss", json!(iss)));
        let challenge = server.send(&creation(&server, &token)).await.expect(202);
        assert_eq!(challenge["type"], "OAUTH");
        let activity = crate::client::activity(&challenge);
        assert_eq!(
            activity,
            json!({
                "organizationId": organization,
                "parameters": {
                    "oauthProviders": [{ "oidcToken": token, "providerName": name }],
                    "userId": activity["parameters"]["userId"],
                },
                "timestampMs": activity["timestampMs"],
                "type": "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS",
            })
        );
    }
}
