//! Delegated keys.

use gridkey_sandbox::{LegCounts, Operation};
use serde_json::{Value, json};

use crate::client::{Call, Server, activity, delegation};

fn path(key: &Value) -> String {
    format!("/auth/delegated-keys/{}", key["id"].as_str().unwrap())
}

async fn statuses(server: &Server, query: &str) -> Vec<Value> {
    let listed = server.get(&format!("/auth/delegated-keys?{query}")).await;
    let listed = listed.expect(200);
    let keys = listed["data"].as_array().unwrap().iter();
    keys.map(|key| key["status"].clone()).collect()
}

#[tokio::test]
async fn three_legs() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let of_account = format!("accountId={}", customer.account_id);
    let call = delegation(&customer);

    let first = server.send(&call).await.expect(202);
    assert!(first.get("type").is_none());
    let signer = activity(&first);
    assert_eq!(signer["type"], "ACTIVITY_TYPE_CREATE_USERS_V3");
    let user = &signer["parameters"]["users"][0];
    assert_eq!(user["userName"], "Card payments key");
    let public_key = user["apiKeys"][0]["publicKey"].clone();
    assert_eq!(public_key.as_str().unwrap().len(), 66);
    assert!(statuses(&server, &of_account).await.is_empty());

    let second = server.send(&call.signed(&first, &session.key)).await;
    let second = second.expect(202);
    assert_ne!(second["requestId"], first["requestId"]);
    let policies = activity(&second);
    assert_eq!(policies["type"], "ACTIVITY_TYPE_CREATE_POLICIES");
    assert_eq!(
        policies["parameters"]["policies"].as_array().unwrap().len(),
        2
    );
    assert_eq!(statuses(&server, &of_account).await, ["PENDING"]);

    // The first request was used up by the second leg.
    server
        .send(&call.signed(&first, &session.key))
        .await
        .expect_error(401, "UNAUTHORIZED", "REQUEST_ID_USED");
    let key = server.send(&call.signed(&second, &session.key)).await;
    let key = key.expect(201);
    assert_eq!(key["status"], "ACTIVE");
    assert_eq!(key["publicKey"], public_key);
    assert_eq!(key["cardId"], customer.card_id);
    assert_eq!(key["fundingSourceId"], customer.card_funding_source_id);
    assert_eq!(key["accountId"], customer.account_id);
    assert_eq!(server.get(&path(&key)).await.expect(200), key);
    let expected = LegCounts {
        first: 1,
        second: 2,
        third: 1,
    };
    let counts = server.sandbox.requests();
    assert_eq!(counts[&Operation::CreateDelegatedKey], expected);
    server
        .send(&call)
        .await
        .expect_error(409, "CONFLICT", "DELEGATED_KEY_ACTIVE");

    server.send(&Call::delete(path(&key))).await.expect(204);
    assert_eq!(
        server.get(&path(&key)).await.expect(200)["status"],
        "REVOKED"
    );
    server.send(&Call::delete(path(&key))).await.expect_error(
        400,
        "INVALID_INPUT",
        "DELEGATED_KEY_NOT_ACTIVE",
    );
    let by_source = format!("fundingSourceId={}", customer.card_funding_source_id);
    for query in [
        &of_account,
        &by_source,
        &format!("{of_account}&{by_source}"),
    ] {
        assert_eq!(statuses(&server, query).await, ["REVOKED"], "{query}");
    }
    server.send(&call).await.expect(202);
    server.expect_conformance();
}

#[tokio::test]
async fn an_abandoned_key_is_in_nobodys_way() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let call = delegation(&customer);
    server.send_signed(&call, &session.key).await.expect(202);
    let second = server.send_signed(&call, &session.key).await.expect(202);
    let signed = call.signed(&second, &session.key);
    server.send(&signed).await.expect(201);
    let of_account = format!("accountId={}", customer.account_id);
    assert_eq!(statuses(&server, &of_account).await, ["PENDING", "ACTIVE"]);
    server.expect_conformance();
}

#[tokio::test]
async fn both_legs_are_stamped_by_the_owner() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_with_code().await;
    let stranger = server.sign_in_customer_with_code(&bo).await;
    let call = delegation(&ada);
    let refused = |reply: crate::client::Reply| {
        reply.expect_error(
            401,
            "WALLET_SIGNATURE_INVALID",
            "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
        );
    };
    refused(server.send_signed(&call, &stranger.key).await);
    let second = server.send_signed(&call, &session.key).await.expect(202);
    refused(server.send(&call.signed(&second, &stranger.key)).await);
    let of_account = format!("accountId={}", ada.account_id);
    assert_eq!(statuses(&server, &of_account).await, ["PENDING"]);
    server.expect_conformance();
}

#[tokio::test]
async fn ids_have_to_be_known() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let foreign = gridkey_sandbox::Customer {
        card_id: bo.card_id,
        ..ada
    };
    server.send(&delegation(&foreign)).await.expect_error(
        404,
        "REFERENCE_NOT_FOUND",
        "CARD_NOT_FOUND",
    );
    for call in [
        Call::get("/auth/delegated-keys/DelegatedKey:x"),
        Call::delete("/auth/delegated-keys/DelegatedKey:x"),
    ] {
        server.send(&call).await.expect_error(
            404,
            "REFERENCE_NOT_FOUND",
            "DELEGATED_KEY_NOT_FOUND",
        );
    }
    server.get("/auth/delegated-keys").await.expect_error(
        400,
        "INVALID_INPUT",
        "LISTING_PARAMETER_INVALID",
    );
    let other = statuses(&server, "fundingSourceId=CardFundingSource:x").await;
    assert!(other.is_empty());
    server.expect_conformance();

    let mut call = delegation(&server.customer());
    let nickname = json!("n".repeat(257)).to_string();
    call.body = call
        .body
        .map(|body| body.replace("\"Card payments key\"", &nickname));
    server
        .send(&call)
        .await
        .expect_error(400, "INVALID_INPUT", "NICKNAME_INVALID");
}
