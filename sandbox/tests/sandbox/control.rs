//! `/sandbox`: what can be seen and told over HTTP.

use serde_json::{Value, json};

use crate::client::{Call, Server};

async fn tell(server: &Server, command: Value) {
    server.post("/sandbox/control", command).await.expect(204);
}

#[tokio::test]
async fn what_can_be_seen() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let keys = server.get("/sandbox/enclave-keys").await.expect(200);
    for role in ["otp", "export"] {
        let key = keys[role].as_str().unwrap();
        assert!(key.starts_with("04") && key.len() == 130);
    }
    assert_ne!(keys["otp"], keys["export"]);

    let customers = server.get("/sandbox/customers").await.expect(200);
    let customers = customers.as_array().unwrap();
    assert_eq!(customers.len(), 2);
    for (name, prefix) in [
        ("customerId", "Customer:"),
        ("accountId", "InternalAccount:"),
        ("organizationId", ""),
        ("agentId", "Agent:"),
        ("deviceCode", "GRID-AGENT-"),
        ("email", ""),
        ("phoneNumber", "+1"),
        ("emailOtpAuthMethodId", "AuthMethod:"),
    ] {
        let [one, two] = [&customers[0][name], &customers[1][name]];
        assert!(one.as_str().unwrap().starts_with(prefix), "{name}");
        assert_ne!(one, two, "{name}");
    }

    let sessions = server.get("/sandbox/sessions").await.expect(200);
    let record = json!({
        "id": session.id,
        "accountId": customers[0]["accountId"],
        "authMethodId": customers[0]["emailOtpAuthMethodId"],
        "publicKey": crate::client::compressed_hex(&session.key.public_key()),
        "sealed": false,
        "active": true,
        "revoked": false,
        "expiresAt": session.answer["expiresAt"],
    });
    assert_eq!(sessions, json!([record]));
}

#[tokio::test]
async fn commands() {
    let server = Server::start().await;
    for (command, ends) in [
        (json!({ "command": "advanceClock", "ms": 900_000 }), true),
        (json!({ "command": "expireSessions" }), true),
        (json!({ "command": "revokeSessions" }), true),
        (json!({ "command": "expireChallenges" }), false),
    ] {
        server.sign_in_with_code().await;
        tell(&server, command).await;
        assert_eq!(server.session_ids().await.is_empty(), ends);
    }

    let customer = server.customer();
    let regenerate = Call::post(format!("/agents/{}/device-codes", customer.agent_id), None);
    tell(
        &server,
        json!({ "command": "connectAgent", "agentId": "Agent:x" }),
    )
    .await;
    server.send(&regenerate).await.expect(201);
    tell(
        &server,
        json!({ "command": "connectAgent", "agentId": customer.agent_id }),
    )
    .await;
    server.send(&regenerate).await.expect(409);

    let id = customer.email_otp_auth_method_id;
    tell(
        &server,
        json!({ "command": "removeAuthMethod", "authMethodId": id }),
    )
    .await;
    let challenge = format!("/auth/credentials/{id}/challenge");
    server.post(&challenge, json!({})).await.expect(404);
}

#[tokio::test]
async fn a_reset_brings_the_seeds_back() {
    let server = Server::start().await;
    let keys = server.sandbox.enclave_keys().otp;
    let before = server.sign_in_with_code().await;
    tell(&server, json!({ "command": "connectAgent" })).await;
    tell(
        &server,
        json!({ "command": "fault", "times": 9, "fault": { "kind": "drop" } }),
    )
    .await;
    tell(
        &server,
        json!({ "command": "lie", "lie": "truncateBundle" }),
    )
    .await;
    tell(
        &server,
        json!({ "command": "advanceClock", "ms": 1_000_000_000 }),
    )
    .await;
    tell(&server, json!({ "command": "reset" })).await;

    assert_eq!(server.get("/sandbox/requests").await.expect(200), json!({}));
    assert_eq!(server.get("/sandbox/sessions").await.expect(200), json!([]));
    assert_eq!(server.sandbox.enclave_keys().otp, keys);
    let agent = server.customer().agent_id;
    server
        .send(&Call::post(format!("/agents/{agent}/device-codes"), None))
        .await
        .expect(201);
    let after = server.sign_in_with_code().await;
    assert!(after.answer["createdAt"].as_str() < before.answer["expiresAt"].as_str());
}

#[tokio::test]
async fn answers_are_dated_by_sandbox_time() {
    let server = Server::start().await;
    let path = format!(
        "/auth/credentials?accountId={}",
        server.customer().account_id
    );
    let date = async || server.get(&path).await.date.unwrap();
    let now = date().await;
    assert!(now.ends_with(" GMT") && now.len() == 29, "{now}");
    let year = |date: &str| date.split(' ').nth(3).unwrap().parse::<u16>().unwrap();
    let ms = 2 * 366 * 24 * 3_600_000_i64;
    tell(&server, json!({ "command": "advanceClock", "ms": ms })).await;
    let later = date().await;
    assert_eq!(year(&later) - year(&now), 2, "{now} {later}");

    // Refusals, faults and unknown paths too.
    let fault = json!({ "kind": "status", "status": 502 });
    tell(&server, json!({ "command": "fault", "fault": fault })).await;
    for path in [path.as_str(), "/auth/credentials", "/nowhere"] {
        assert_eq!(year(&server.get(path).await.date.unwrap()), year(&later));
    }
}
