//! The signed retry: stamps and request ids.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, Session, compressed_hex, generate, stamp, stamp_text, uncompressed_hex,
};

struct Refresh {
    server: Server,
    session: Session,
    call: Call,
}

impl Refresh {
    async fn start() -> Self {
        let server = Server::start().await;
        let session = server.sign_in_with_code().await;
        let call = refresh_of(&session);
        Self {
            server,
            session,
            call,
        }
    }

    async fn challenge(&self) -> Value {
        self.server.send(&self.call).await.expect(202)
    }

    async fn refused(&self, call: &Call, code: &str, reason: &str) {
        self.server.send(call).await.expect_error(401, code, reason);
    }
}

fn refresh_of(session: &Session) -> Call {
    let key = compressed_hex(&generate().public_key());
    Call::post(
        format!("/auth/sessions/{}/refresh", session.id),
        Some(json!({ "clientPublicKey": key })),
    )
}

#[tokio::test]
async fn both_headers_are_needed() {
    let flow = Refresh::start().await;
    let challenge = flow.challenge().await;
    let signed = flow.call.signed(&challenge, &flow.session.key);
    let unsigned = Call {
        signature: None,
        ..signed.clone()
    };
    flow.refused(&unsigned, "WALLET_SIGNATURE_MISSING", "SIGNATURE_MISSING")
        .await;
    let unnamed = Call {
        request_id: None,
        ..signed.clone()
    };
    flow.refused(&unnamed, "REQUEST_ID_MISSING", "REQUEST_ID_MISSING")
        .await;
    flow.server.send(&signed).await.expect(201);
}

#[tokio::test]
async fn stamps_are_base64url_json_of_three_members() {
    let flow = Refresh::start().await;
    let stamp = |public_key: &str, scheme: &str, signature: &str| {
        stamp_text(&json!({ "publicKey": public_key, "scheme": scheme, "signature": signature }))
    };
    let key = compressed_hex(&flow.session.key.public_key());
    let long_key = uncompressed_hex(&flow.session.key.public_key());
    let scheme = "SIGNATURE_SCHEME_TK_API_P256";
    let der = "3006020101020101";
    let right_but_for_padding = format!("{}=", stamp(&key, scheme, der));
    for malformed in [
        "",
        "%%%",
        "e30",
        &right_but_for_padding,
        &stamp(&key, "SIGNATURE_SCHEME_TK_API_SECP256K1", der),
        &stamp(&long_key, scheme, der),
        &stamp(&format!("02{}", "ff".repeat(32)), scheme, der),
        &stamp(&key, scheme, "zz"),
        // Trailing bytes, a negative r, a non-minimal r, r = 0.
        &stamp(&key, scheme, "300602010102010100"),
        &stamp(&key, scheme, "3006020181020101"),
        &stamp(&key, scheme, "300702020001020101"),
        &stamp(&key, scheme, "3006020100020101"),
        &stamp_text(&json!({ "publicKey": key, "scheme": scheme })),
        &stamp_text(&json!({ "publicKey": key, "scheme": scheme, "signature": der, "a": 1 })),
    ] {
        let challenge = flow.challenge().await;
        let call = flow.call.retry(&challenge, malformed);
        flow.refused(&call, "WALLET_SIGNATURE_MALFORMED", "STAMP_MALFORMED")
            .await;
    }
    let challenge = flow.challenge().await;
    let call = flow.call.retry(&challenge, &stamp(&key, scheme, der));
    flow.refused(&call, "WALLET_SIGNATURE_INVALID", "STAMP_SIGNATURE_INVALID")
        .await;
}

#[tokio::test]
async fn stamps_are_over_the_exact_payload() {
    let flow = Refresh::start().await;
    for change in [" ", "\n"] {
        let challenge = flow.challenge().await;
        let payload = format!("{}{change}", challenge["payloadToSign"].as_str().unwrap());
        let call = flow
            .call
            .retry(&challenge, &stamp(&flow.session.key, &payload));
        flow.refused(&call, "WALLET_SIGNATURE_INVALID", "STAMP_SIGNATURE_INVALID")
            .await;
    }
}

#[tokio::test]
async fn stamps_are_by_an_active_session_of_the_account() {
    let Refresh {
        server, session, ..
    } = Refresh::start().await;
    let customers = server.sandbox.customers();
    let foreign = server.sign_in_customer_with_code(&customers[1]).await;
    let other = server.sign_in_with_code().await;
    let revoke = Call::delete(format!("/auth/sessions/{}", session.id));
    let code = "WALLET_SIGNATURE_INVALID";
    for key in [&generate(), &foreign.key] {
        let reply = server.send_signed(&revoke, key).await;
        reply.expect_error(401, code, "STAMP_KEY_NOT_OF_ACTIVE_SESSION");
    }

    // Any of them may revoke, only its own may refresh.
    let refresh = refresh_of(&session);
    let reply = server.send_signed(&refresh, &other.key).await;
    reply.expect_error(401, code, "STAMP_KEY_OF_ANOTHER_SESSION");
    server.send_signed(&refresh, &session.key).await.expect(201);
    server.send_signed(&revoke, &other.key).await.expect(204);

    let revoke = Call::delete(format!("/auth/sessions/{}", other.id));
    let reply = server.send_signed(&revoke, &session.key).await;
    reply.expect_error(401, code, "STAMP_KEY_NOT_OF_ACTIVE_SESSION");
    server.send_signed(&revoke, &other.key).await.expect(204);
}

#[tokio::test]
async fn otp_retries_are_stamped_by_the_key_in_the_bundle() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let key = generate();
    for stranger in [&generate(), &session.key] {
        let call = server
            .otp_verification(&compressed_hex(&key.public_key()))
            .await;
        server.send_signed(&call, stranger).await.expect_error(
            401,
            "WALLET_SIGNATURE_INVALID",
            "STAMP_KEY_NOT_IN_OTP_BUNDLE",
        );
    }
    let call = server
        .otp_verification(&compressed_hex(&key.public_key()))
        .await;
    server.send_signed(&call, &key).await.expect(200);
}

#[tokio::test]
async fn request_ids_are_single_use() {
    let flow = Refresh::start().await;
    let challenge = flow.challenge().await;
    let signed = flow.call.signed(&challenge, &flow.session.key);
    flow.server.send(&signed).await.expect(201);
    flow.refused(&signed, "UNAUTHORIZED", "REQUEST_ID_USED")
        .await;

    // A failed attempt counts.
    let challenge = flow.challenge().await;
    let wrong = flow.call.signed(&challenge, &generate());
    flow.refused(
        &wrong,
        "WALLET_SIGNATURE_INVALID",
        "STAMP_KEY_NOT_OF_ACTIVE_SESSION",
    )
    .await;
    let signed = flow.call.signed(&challenge, &flow.session.key);
    flow.refused(&signed, "UNAUTHORIZED", "REQUEST_ID_USED")
        .await;
}

#[tokio::test]
async fn request_ids_expire() {
    let flow = Refresh::start().await;
    for (wait_ms, is_expired) in [(299_000, false), (300_000, true)] {
        let challenge = flow.challenge().await;
        let signed = flow.call.signed(&challenge, &flow.session.key);
        flow.server.sandbox.advance_clock(wait_ms);
        if is_expired {
            flow.refused(&signed, "UNAUTHORIZED", "REQUEST_ID_EXPIRED")
                .await;
        } else {
            flow.server.send(&signed).await.expect(201);
        }
    }
    let challenge = flow.challenge().await;
    flow.server.sandbox.expire_challenges();
    let signed = flow.call.signed(&challenge, &flow.session.key);
    flow.refused(&signed, "UNAUTHORIZED", "REQUEST_ID_EXPIRED")
        .await;
}

#[tokio::test]
async fn request_ids_are_bound_to_method_path_and_body() {
    let flow = Refresh::start().await;
    let other = flow.server.sign_in_with_code().await;
    let challenge = flow.challenge().await;
    let unknown = json!({ "requestId": "Request:x", "payloadToSign": "" });
    let call = flow.call.signed(&unknown, &flow.session.key);
    flow.refused(&call, "UNAUTHORIZED", "REQUEST_ID_UNKNOWN")
        .await;
    for path in [
        format!("/auth/sessions/{}/refresh", other.id),
        format!("/auth/sessions/{}/refresh?again", flow.session.id),
    ] {
        let call = Call {
            path,
            ..flow.call.clone()
        }
        .signed(&challenge, &flow.session.key);
        flow.refused(&call, "UNAUTHORIZED", "REQUEST_ID_OF_ANOTHER_REQUEST")
            .await;
    }
    let revoke = Call::delete(format!("/auth/sessions/{}", flow.session.id));
    let call = revoke.signed(&challenge, &flow.session.key);
    flow.refused(&call, "UNAUTHORIZED", "REQUEST_ID_OF_ANOTHER_REQUEST")
        .await;
    flow.server
        .send(&flow.call.signed(&challenge, &flow.session.key))
        .await
        .expect(201);

    let challenge = flow.challenge().await;
    let signed = flow.call.signed(&challenge, &flow.session.key);
    let body = signed.body.as_ref().map(|body| format!("{body} "));
    let call = Call { body, ..signed };
    flow.refused(&call, "WALLET_SIGNATURE_BODY_MISMATCH", "BODY_CHANGED")
        .await;

    let challenge = flow.challenge().await;
    let body = json!({ "clientPublicKey": compressed_hex(&generate().public_key()) });
    let signed = flow.call.signed(&challenge, &flow.session.key);
    let call = Call {
        body: Some(body.to_string()),
        ..signed
    };
    flow.refused(&call, "WALLET_SIGNATURE_BODY_MISMATCH", "BODY_CHANGED")
        .await;
}
