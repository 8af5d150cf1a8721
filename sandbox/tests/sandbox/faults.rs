//! Faults on order.

use std::time::{Duration, Instant};

use crate::client::{Call, Server, delegation, execution, quote_of};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn order(server: &Server, fault: serde_json::Value) {
    let command = json!({
        "command": "fault", "operation": "listAuthSessions", "leg": 1, "fault": fault,
    });
    server.post("/sandbox/control", command).await.expect(204);
}

fn listing(server: &Server) -> Call {
    Call::get(format!(
        "/auth/sessions?accountId={}",
        server.customer().account_id
    ))
}

#[tokio::test]
async fn each_fault_happens_once() {
    let server = Server::start().await;
    let list = listing(&server);

    order(&server, json!({ "kind": "delay", "ms": 80 })).await;
    let start = Instant::now();
    server.send(&list).await.expect(200);
    assert!(start.elapsed() >= Duration::from_millis(80));

    order(
        &server,
        json!({ "kind": "status", "status": 502, "body": "<html>bad gateway" }),
    )
    .await;
    let reply = server.send(&list).await;
    assert_eq!(
        (reply.status, reply.body),
        (502, json!("<html>bad gateway"))
    );

    order(
        &server,
        json!({ "kind": "status", "status": 503, "body": null }),
    )
    .await;
    let reply = server.send(&list).await;
    assert_eq!((reply.status, reply.body), (503, json!("")));

    order(
        &server,
        json!({ "kind": "rateLimit", "retryAfterSeconds": 2 }),
    )
    .await;
    let reply = server.send(&list).await;
    assert_eq!(reply.retry_after.as_deref(), Some("2"));
    reply.expect_error(429, "RATE_LIMITED", "INJECTED_FAULT");

    order(
        &server,
        json!({ "kind": "error", "status": 500, "code": "GRID_SWITCH_ERROR" }),
    )
    .await;
    server
        .send(&list)
        .await
        .expect_error(500, "GRID_SWITCH_ERROR", "INJECTED_FAULT");

    order(&server, json!({ "kind": "truncate" })).await;
    let reply = server.send(&list).await;
    assert_eq!((reply.status, reply.body), (200, json!("{\"dat")));

    order(&server, json!({ "kind": "cutBody" })).await;
    assert!(server.try_send(&list).await.unwrap_err().is_decode());

    order(&server, json!({ "kind": "drop" })).await;
    assert!(server.try_send(&list).await.unwrap_err().is_request());

    server.send(&list).await.expect(200);
}

#[tokio::test]
async fn a_dropped_connection_carries_no_byte() {
    let server = Server::start().await;
    for (fault, counted) in [
        (json!({ "kind": "drop" }), 0),
        (json!({ "kind": "cutBody" }), 1),
    ] {
        order(&server, fault).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let path = listing(&server).path;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.len().min(1), counted);
        let answer = String::from_utf8(answer).unwrap();
        if let Some((head, body)) = answer.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            assert_eq!(body.len(), length / 2);
        }
    }
}

#[tokio::test]
async fn a_processed_request_can_lose_its_answer() {
    let server = Server::start().await;
    let regenerate = Call::post(
        format!("/agents/{}/device-codes", server.customer().agent_id),
        None,
    );
    for (processed, status) in [(false, 200), (true, 404)] {
        server
            .post("/sandbox/control", json!({ "command": "reset" }))
            .await
            .expect(204);
        let command = json!({
            "command": "fault", "fault": { "kind": "drop", "processed": processed },
        });
        server.post("/sandbox/control", command).await.expect(204);
        server.try_send(&regenerate).await.unwrap_err();
        let code = server.customer().device_code;
        assert_eq!(
            server
                .get(&format!("/agents/device-codes/{code}/status"))
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn faults_wait_for_their_operation_and_leg() {
    let server = Server::start().await;
    let command = json!({
        "command": "fault", "operation": "revokeAuthSession", "leg": 2, "times": 2,
        "fault": { "kind": "status", "status": 503 },
    });
    server.post("/sandbox/control", command).await.expect(204);
    let session = server.sign_in_with_code().await;
    let revoke = Call::delete(format!("/auth/sessions/{}", session.id));
    server.send(&listing(&server)).await.expect(200);
    for status in [503, 503, 204] {
        server
            .send_signed(&revoke, &session.key)
            .await
            .expect(status);
    }
    let counts = server.get("/sandbox/requests").await.expect(200);
    assert_eq!(counts["revokeAuthSession"], json!({ "1": 3, "2": 3 }));
    assert_eq!(counts["verifyAuthCredential"], json!({ "1": 1, "2": 1 }));
    assert_eq!(counts["listAuthSessions"], json!({ "1": 1, "2": 0 }));
}

#[tokio::test]
async fn unknown_orders_are_refused() {
    let server = Server::start().await;
    for command in [
        json!({ "command": "explode" }),
        json!({ "command": "fault", "fault": { "kind": "nothing" } }),
        json!({ "command": "fault", "legs": 1, "fault": { "kind": "drop" } }),
        json!({ "command": "lie", "lie": "white" }),
    ] {
        assert_eq!(server.post("/sandbox/control", command).await.status, 422);
    }
}

#[tokio::test]
async fn an_execution_can_lose_its_answer() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let quote = server.send(&quote_of(&server.customer(), 1000)).await;
    let call = execution(&quote.expect(201), &session.key).idempotency_key("one");
    for fault in [
        json!({ "kind": "drop" }),
        json!({ "kind": "drop", "processed": true }),
        json!({ "kind": "cutBody" }),
    ] {
        let command = json!({
            "command": "fault", "operation": "executeQuote", "leg": 1, "fault": fault,
        });
        server.post("/sandbox/control", command).await.expect(204);
        assert!(server.try_send(&call).await.is_err());
    }
    let executed = server.send(&call).await.expect(200);
    assert_eq!(executed["status"], "PROCESSING");
    let listed = server.get("/customers/internal-accounts?limit=1").await;
    let balance = &listed.expect(200)["data"][0]["balance"];
    assert_eq!(balance["amount"], 999_000);
    server.expect_conformance();
}

#[tokio::test]
async fn a_fault_of_the_third_leg() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let call = delegation(&server.customer());
    let command = json!({
        "command": "fault", "operation": "createDelegatedKey", "leg": 3,
        "fault": { "kind": "delay", "ms": 80 },
    });
    server.post("/sandbox/control", command).await.expect(204);
    let second = server.send_signed(&call, &session.key).await.expect(202);
    let start = Instant::now();
    server
        .send(&call.signed(&second, &session.key))
        .await
        .expect(201);
    assert!(start.elapsed() >= Duration::from_millis(80));
    server.expect_conformance();
}
