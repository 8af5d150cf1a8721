//! Device codes.

use crate::client::{Call, Server};

fn redeem(code: &str) -> Call {
    let path = format!("/agents/device-codes/{code}/redeem");
    Call {
        password: None,
        ..Call::post(path, None)
    }
}

#[tokio::test]
async fn device_codes_expire() {
    let server = Server::start().await;
    let code = server.customer().device_code;
    server.sandbox.advance_clock(60 * 60 * 1000);
    let reply = server.send(&redeem(&code)).await;
    reply.expect_error(400, "INVALID_INPUT", "DEVICE_CODE_EXPIRED");
}

#[tokio::test]
async fn connecting_is_per_agent() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let regenerate = |agent: &str| Call::post(format!("/agents/{agent}/device-codes"), None);
    server.send(&redeem(&ada.device_code)).await.expect(200);
    let reply = server.send(&regenerate(&ada.agent_id)).await;
    reply.expect_error(409, "CONFLICT", "AGENT_CONNECTED");
    let new = server.send(&regenerate(&bo.agent_id)).await.expect(201);
    assert_eq!(new["agentId"], bo.agent_id);
    assert_eq!(
        new["code"].as_str().unwrap().len(),
        "GRID-AGENT-X7K9-M2P4".len()
    );
    server.expect_conformance();
}

#[tokio::test]
async fn a_replaced_code_is_gone() {
    let server = Server::start().await;
    let customer = server.customer();
    let call = Call::post(format!("/agents/{}/device-codes", customer.agent_id), None);
    server.send(&call).await.expect(201);
    let status = format!("/agents/device-codes/{}/status", customer.device_code);
    for call in [Call::get(status), redeem(&customer.device_code)] {
        let reply = server.send(&call).await;
        reply.expect_error(404, "REFERENCE_NOT_FOUND", "DEVICE_CODE_REPLACED");
    }
}
