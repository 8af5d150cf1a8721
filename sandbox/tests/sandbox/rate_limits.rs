//! Too many requests.

use std::time::Duration;

use gridkey_sandbox::{RateLimit, SandboxOptions};
use serde_json::json;

use crate::client::{Call, Server, verification};

#[tokio::test]
async fn challenges_and_verifications_are_limited_per_credential() {
    let limit = RateLimit {
        requests: 2,
        per: Duration::from_secs(30),
    };
    let server = Server::with(SandboxOptions {
        challenge_limit: limit,
        verify_limit: limit,
        ..SandboxOptions::default()
    })
    .await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let (ada, bo) = (ada.email_otp_auth_method_id, bo.email_otp_auth_method_id);
    let challenge =
        |id: &str| Call::post(format!("/auth/credentials/{id}/challenge"), Some(json!({})));
    for (call, elsewhere) in [
        (challenge(&ada), challenge(&bo)),
        (verification(&ada, "{}"), verification(&bo, "{}")),
    ] {
        for _ in 0..2 {
            assert_ne!(server.send(&call).await.status, 429);
            server.sandbox.advance_clock(10_000);
        }
        let reply = server.send(&call).await;
        assert_eq!(reply.retry_after.as_deref(), Some("10"));
        reply.expect_error(429, "RATE_LIMITED", "TOO_MANY_REQUESTS");
        assert_ne!(server.send(&elsewhere).await.status, 429);
        server.sandbox.advance_clock(10_000);
        assert_ne!(server.send(&call).await.status, 429);
        assert_eq!(server.send(&call).await.status, 429);
    }
    server.expect_conformance();
}
