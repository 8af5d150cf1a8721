//! Internal accounts: listing, privacy, export.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, UNKNOWN_ACCOUNT, activity, compressed_hex, generate, open_export, parse_bundle,
    uncompressed_hex,
};

async fn list(server: &Server, query: &str) -> Value {
    let path = format!("/customers/internal-accounts{query}");
    server.get(&path).await.expect(200)
}

fn ids(listing: &Value) -> Vec<String> {
    let accounts = listing["data"].as_array().unwrap().iter();
    accounts
        .map(|account| account["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn filters() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let all = list(&server, "").await;
    assert_eq!(all["hasMore"], false);
    assert_eq!(all["totalCount"], 4);
    assert!(all.get("nextCursor").is_none());
    assert_eq!(
        ids(&all).iter().collect::<Vec<_>>(),
        [
            &ada.account_id,
            &bo.account_id,
            &ada.holding_account_id,
            &bo.holding_account_id
        ]
    );
    for (query, expected) in [
        (
            "?type=EMBEDDED_WALLET".to_owned(),
            vec![&ada.account_id, &bo.account_id],
        ),
        (
            format!("?customerId={}", ada.customer_id),
            vec![&ada.account_id, &ada.holding_account_id],
        ),
        (
            format!("?customerId={}&type=EMBEDDED_WALLET", bo.customer_id),
            vec![&bo.account_id],
        ),
        (
            "?currency=EUR".to_owned(),
            vec![&ada.holding_account_id, &bo.holding_account_id],
        ),
        ("?type=INTERNAL_CRYPTO".to_owned(), vec![]),
        ("?customerId=Customer:x".to_owned(), vec![]),
    ] {
        let listed = list(&server, &query).await;
        assert_eq!(ids(&listed).iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(listed["totalCount"], expected.len(), "{query}");
    }
    let wallet = &all["data"][0];
    assert_eq!(wallet["type"], "EMBEDDED_WALLET");
    assert_eq!(wallet["balance"]["amount"], 1_000_000);
    assert_eq!(wallet["balance"]["currency"]["code"], "USD");
    assert_eq!(wallet["privateEnabled"], false);
    server.expect_conformance();
}

#[tokio::test]
async fn pages() {
    let server = Server::start().await;
    let whole = ids(&list(&server, "").await);
    let mut paged = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = list(&server, &query).await;
        assert!(ids(&page).len() <= 3);
        assert_eq!(page["totalCount"], 4);
        paged.extend(ids(&page));
        assert_eq!(page["hasMore"], json!(paged.len() < 4));
        assert_eq!(page.get("nextCursor").is_some(), paged.len() < 4);
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        query = format!("?limit=3&cursor={cursor}");
    }
    assert_eq!(paged, whole);
    for query in ["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?type=x"] {
        let path = format!("/customers/internal-accounts{query}");
        server
            .get(&path)
            .await
            .expect_error(400, "INVALID_INPUT", "LISTING_PARAMETER_INVALID");
    }
    server.expect_conformance();
}

fn privacy(account_id: &str, private_enabled: bool) -> Call {
    let body = json!({ "privateEnabled": private_enabled });
    Call::patch(format!("/internal-accounts/{account_id}"), body)
}

#[tokio::test]
async fn privacy_is_signed_by_the_wallet() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    for private_enabled in [true, false] {
        let call = privacy(&customer.account_id, private_enabled);
        let challenge = server.send(&call).await.expect(202);
        let activity = activity(&challenge);
        assert_eq!(activity["type"], "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2");
        let parameters = activity["parameters"].as_object().unwrap();
        assert_eq!(parameters.len(), 4);
        assert_eq!(parameters["encoding"], "PAYLOAD_ENCODING_HEXADECIMAL");
        assert_eq!(parameters["hashFunction"], "HASH_FUNCTION_NO_OP");
        assert_eq!(parameters["payload"].as_str().unwrap().len(), 64);
        assert_eq!(parameters["signWith"], customer.spark_address);
        let updated = server.send(&call.signed(&challenge, &session.key)).await;
        assert_eq!(updated.expect(200)["privateEnabled"], private_enabled);
        let listed = list(&server, "?limit=1").await;
        assert_eq!(listed["data"][0]["privateEnabled"], private_enabled);
    }

    // The setting that was signed is the one that is made.
    let challenge = server
        .send(&privacy(&customer.account_id, true))
        .await
        .expect(202);
    let other = privacy(&customer.account_id, false).signed(&challenge, &session.key);
    server
        .send(&other)
        .await
        .expect_error(401, "WALLET_SIGNATURE_BODY_MISMATCH", "BODY_CHANGED");
    let nothing = Call::patch(
        format!("/internal-accounts/{}", customer.account_id),
        json!({}),
    );
    server
        .send(&nothing)
        .await
        .expect_error(400, "INVALID_INPUT", "UPDATE_UNSUITABLE");
    for id in [UNKNOWN_ACCOUNT, &customer.holding_account_id] {
        server.send(&privacy(id, true)).await.expect_error(
            404,
            "REFERENCE_NOT_FOUND",
            "ACCOUNT_NOT_FOUND",
        );
    }
    server.expect_conformance();
}

fn export(account_id: &str, client_public_key: &str) -> Call {
    let body = json!({ "clientPublicKey": client_public_key });
    Call::post(
        format!("/internal-accounts/{account_id}/export"),
        Some(body),
    )
}

#[tokio::test]
async fn an_export_is_sealed_and_signed() {
    let server = Server::start().await;
    for customer in server.sandbox.customers() {
        let session = server.sign_in_customer_with_code(&customer).await;
        let receiver = generate();
        let public_key = uncompressed_hex(&receiver.public_key());
        let call = export(&customer.account_id, &public_key);
        let challenge = server.send(&call).await.expect(202);
        let activity = activity(&challenge);
        assert_eq!(activity["type"], "ACTIVITY_TYPE_EXPORT_WALLET");
        assert_eq!(activity["organizationId"], customer.organization_id);
        let parameters = json!({ "targetPublicKey": public_key, "walletId": customer.wallet_id });
        assert_eq!(activity["parameters"], parameters);

        let exported = server.send(&call.signed(&challenge, &session.key)).await;
        let exported = exported.expect(200);
        assert_eq!(exported["id"], customer.account_id);
        let bundle = parse_bundle(exported["encryptedWalletCredentials"].as_str().unwrap());
        let keys = server.sandbox.enclave_keys();
        assert_eq!(bundle.quorum, keys.export);
        assert!(bundle.is_signed_by(&keys.export) && !bundle.is_signed_by(&keys.otp));
        assert_eq!(bundle.data["organizationId"], customer.organization_id);
        let mnemonic = open_export(&receiver, &bundle.data).unwrap();
        assert_eq!(mnemonic, customer.mnemonic.as_bytes());
        assert_eq!(customer.mnemonic.split(' ').count(), 12);
        assert!(open_export(&generate(), &bundle.data).is_none());
    }
    server.expect_conformance();
}

#[tokio::test]
async fn exports_without_a_signature() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let receiver = generate();
    let call = export(
        &customer.account_id,
        &uncompressed_hex(&receiver.public_key()),
    );
    for unsigned in [true, false] {
        let command = json!({ "command": "unsignedExports", "unsigned": unsigned });
        server.post("/sandbox/control", command).await.expect(204);
        let exported = server.send_signed(&call, &session.key).await.expect(200);
        let bundle = exported["encryptedWalletCredentials"].as_str().unwrap();
        let envelope: Value = serde_json::from_str(bundle).unwrap();
        for name in ["dataSignature", "enclaveQuorumPublic"] {
            assert_eq!(envelope[name] == "", unsigned);
        }
        let mnemonic = open_export(&receiver, &parse_bundle(bundle).data).unwrap();
        assert_eq!(mnemonic, customer.mnemonic.as_bytes());
    }
    server.sandbox.set_unsigned_exports(true);
    server.sandbox.reset();
    let session = server.sign_in_with_code().await;
    let exported = server.send_signed(&call, &session.key).await.expect(200);
    let bundle = parse_bundle(exported["encryptedWalletCredentials"].as_str().unwrap());
    assert!(bundle.is_signed_by(&server.sandbox.enclave_keys().export));
    server.expect_conformance();
}

#[tokio::test]
async fn an_export_is_by_the_owner_to_an_uncompressed_key() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_customer_with_code(&bo).await;
    let key = generate().public_key();
    let call = export(&ada.account_id, &uncompressed_hex(&key));
    server.send_signed(&call, &session.key).await.expect_error(
        401,
        "WALLET_SIGNATURE_INVALID",
        "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
    );
    for key in [compressed_hex(&key), "04".repeat(65)] {
        server
            .send(&export(&ada.account_id, &key))
            .await
            .expect_error(400, "INVALID_INPUT", "CLIENT_PUBLIC_KEY_INVALID");
    }
    server.expect_conformance();
}
