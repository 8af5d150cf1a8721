//! Quotes and their execution.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, execution, generate, quote_of, quote_payload, sha256_hex, stamp,
};

async fn balances(server: &Server) -> [i64; 2] {
    let path = format!(
        "/customers/internal-accounts?customerId={}&type=EMBEDDED_WALLET",
        server.customer().customer_id
    );
    let listed = server.get(&path).await.expect(200);
    ["balance", "totalBalance"].map(|name| listed["data"][0][name]["amount"].as_i64().unwrap())
}

#[tokio::test]
async fn from_quote_to_completion() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let quote = server.send(&quote_of(&customer, 10_000)).await.expect(201);
    assert_eq!(quote["status"], "PENDING");
    assert_eq!(quote["totalSendingAmount"], 10_000);
    assert_eq!(quote["feesIncluded"], 40);
    assert_eq!(quote["exchangeRate"], 1.087);
    assert_eq!(quote["totalReceivingAmount"], 9162);
    assert_eq!(quote["receivingCurrency"]["code"], "EUR");

    let payload: Value = serde_json::from_str(quote_payload(&quote)).unwrap();
    assert_eq!(payload["type"], "ACTIVITY_TYPE_SIGN_TRANSACTION_V2");
    assert_eq!(payload["generateAppProofs"], true);
    assert_eq!(payload["organizationId"], customer.organization_id);
    let transaction = json!({
        "signWith": customer.wallet_id,
        "type": "TRANSACTION_TYPE_ETHEREUM",
        "unsignedTransaction": sha256_hex(quote["id"].as_str().unwrap()),
    });
    assert_eq!(payload["parameters"], transaction);
    assert_eq!(payload.as_object().unwrap().len(), 5);

    let path = format!("/quotes/{}", quote["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), quote);
    let executed = server.send(&execution(&quote, &session.key)).await;
    let executed = executed.expect(200);
    assert_eq!(executed["status"], "PROCESSING");
    assert!(executed.get("paymentInstructions").is_none());
    assert_eq!(balances(&server).await, [990_000, 1_000_000]);
    for _ in 0..2 {
        assert_eq!(server.get(&path).await.expect(200)["status"], "COMPLETED");
        assert_eq!(balances(&server).await, [990_000, 990_000]);
    }
    let counts = server.sandbox.requests();
    let counts = counts[&gridkey_sandbox::Operation::ExecuteQuote];
    assert_eq!((counts.first, counts.second), (1, 0));
    server.expect_conformance();
}

#[tokio::test]
async fn what_is_received_can_be_locked() {
    let server = Server::start().await;
    let mut call = quote_of(&server.customer(), 0);
    for (currency, rate, sending) in [("EUR", 1.087, 1101), ("MXN", 0.058, 69)] {
        let mut body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
        body["lockedCurrencySide"] = json!("RECEIVING");
        body["lockedCurrencyAmount"] = json!(1000);
        body["destination"] = json!({
            "destinationType": "UMA_ADDRESS",
            "umaAddress": "$bo@uma.example",
            "currency": currency,
        });
        call.body = Some(body.to_string());
        let quote = server.send(&call).await.expect(201);
        assert_eq!(quote["totalReceivingAmount"], 1000);
        assert_eq!(quote["totalSendingAmount"], sending);
        assert_eq!(quote["exchangeRate"], rate);
        assert_eq!(quote["destination"], body["destination"]);
    }
    server.expect_conformance();
}

#[tokio::test]
async fn only_what_is_offered_is_quoted() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let uma = |address: &str, currency: &str| json!({ "destinationType": "UMA_ADDRESS", "umaAddress": address, "currency": currency });
    let external = |id: &str| json!({ "destinationType": "ACCOUNT", "accountId": id });
    for (pointer, value, code) in [
        (
            "/source/accountId",
            json!(ada.holding_account_id),
            "INVALID_INPUT",
        ),
        (
            "/destination",
            external(&bo.external_account_id),
            "INVALID_INPUT",
        ),
        (
            "/destination",
            uma("ada@uma.example", "EUR"),
            "INVALID_UMA_ADDRESS",
        ),
        (
            "/destination",
            uma("$ada@uma.example", "USD"),
            "INVALID_CURRENCY",
        ),
        ("/lockedCurrencyAmount", json!(11), "AMOUNT_OUT_OF_RANGE"),
        ("/immediatelyExecute", json!(true), "INVALID_INPUT"),
    ] {
        let mut call = quote_of(&ada, 1000);
        let mut body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
        body["immediatelyExecute"] = json!(false);
        *body.pointer_mut(pointer).unwrap() = value;
        call.body = Some(body.to_string());
        server
            .send(&call)
            .await
            .expect_error(400, code, "QUOTE_UNSUITABLE");
    }
    server
        .get("/quotes/Quote:x")
        .await
        .expect_error(404, "QUOTE_NOT_FOUND", "QUOTE_NOT_FOUND");
    server.expect_conformance();
}

#[tokio::test]
async fn an_execution_is_stamped_by_the_owner() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_with_code().await;
    let stranger = server.sign_in_customer_with_code(&bo).await;
    let quote = server.send(&quote_of(&ada, 1000)).await.expect(201);
    let other = server.send(&quote_of(&ada, 1000)).await.expect(201);
    let good = execution(&quote, &session.key);
    for (signature, code, reason) in [
        (None, "WALLET_SIGNATURE_MISSING", "SIGNATURE_MISSING"),
        (
            Some("x".to_owned()),
            "WALLET_SIGNATURE_MALFORMED",
            "STAMP_MALFORMED",
        ),
        (
            Some(stamp(&stranger.key, quote_payload(&quote))),
            "WALLET_SIGNATURE_INVALID",
            "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
        ),
        (
            Some(stamp(&generate(), quote_payload(&quote))),
            "WALLET_SIGNATURE_INVALID",
            "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
        ),
        (
            Some(stamp(&session.key, quote_payload(&other))),
            "WALLET_SIGNATURE_INVALID",
            "STAMP_SIGNATURE_INVALID",
        ),
    ] {
        let call = Call {
            signature,
            ..good.clone()
        };
        server.send(&call).await.expect_error(401, code, reason);
    }
    assert_eq!(balances(&server).await, [1_000_000, 1_000_000]);
    server.send(&good).await.expect(200);
    server
        .send(&good)
        .await
        .expect_error(409, "CONFLICT", "QUOTE_EXECUTED");

    let too_much = server.send(&quote_of(&ada, 999_001)).await.expect(201);
    server
        .send(&execution(&too_much, &session.key))
        .await
        .expect_error(400, "INVALID_INPUT", "BALANCE_INSUFFICIENT");
    server.sandbox.advance_clock(300_000);
    server
        .send(&execution(&other, &session.key))
        .await
        .expect_error(409, "CONFLICT", "QUOTE_EXPIRED");
    let path = format!("/quotes/{}", other["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200)["status"], "EXPIRED");
    server.expect_conformance();
}

#[tokio::test]
async fn an_idempotency_key_repeats_the_answer() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    let call = quote_of(&customer, 1000).idempotency_key("one");
    let quote = server.send(&call).await.expect(201);
    assert_eq!(server.send(&call).await.expect(201), quote);
    let other = server.send(&call.clone().idempotency_key("two")).await;
    assert_ne!(other.expect(201)["id"], quote["id"]);

    let call = execution(&quote, &session.key).idempotency_key("one");
    let refused = Call {
        signature: None,
        ..call.clone()
    };
    server
        .send(&refused)
        .await
        .expect_error(401, "WALLET_SIGNATURE_MISSING", "SIGNATURE_MISSING");
    let executed = server.send(&call).await.expect(200);
    assert_eq!(server.send(&call).await.expect(200), executed);
    server
        .send(&call.idempotency_key("two"))
        .await
        .expect_error(409, "CONFLICT", "QUOTE_EXECUTED");
    assert_eq!(balances(&server).await[0], 999_000);
    server.expect_conformance();
    server.sandbox.reset();
    assert_eq!(balances(&server).await[0], 1_000_000);
}
