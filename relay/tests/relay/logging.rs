//! What is written to the log: a line per request, and nothing secret in any line.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use gridkey_relay::{Decision, Grid, OwnedResources};
use serde_json::json;

use crate::support::{
    ALICE_ACCOUNT, ALICE_AUTH_METHOD, Always, CLIENT_SECRET, Mounted, Platform, Upstream, builder,
    post, request,
};

/// What all tests of this process have logged, at the finest level.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    })
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn one_line_for_each_request() {
    log();
    let upstream = Upstream::start().await;
    upstream.will_answer(StatusCode::IM_A_TEAPOT);
    let path = "/auth/sessions/Session:a";
    Mounted::allowing(&upstream)
        .send(request(Method::DELETE, path).body(Body::empty()).unwrap())
        .await;
    let text = log().text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("status=418"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("INFO gridkey_relay"), "{lines:?}");
    assert!(
        lines[0].contains("operation=\"revokeAuthSession\""),
        "{lines:?}"
    );
    assert!(lines[0].contains("duration_ms="), "{lines:?}");
}

#[tokio::test]
async fn no_secret_in_any_line() {
    log();
    let upstream = Upstream::start().await;
    let grid = upstream.grid();
    let owned = OwnedResources::new(grid.clone(), Platform);
    let owned = Mounted::nested(builder(grid, owned).router().unwrap());
    let unreachable = Grid::new(
        "http://127.0.0.1:1",
        "id",
        CLIENT_SECRET,
        Duration::from_secs(1),
    )
    .unwrap();
    let unreachable = builder(unreachable, Always::new(Ok(Decision::Allow)));
    let unreachable = Mounted::nested(unreachable.router().unwrap());

    let body = json!({
        "type": "OAUTH",
        "encryptedOtpBundle": "canary-bundle",
        "oidcToken": "canary-token",
        "assertion": { "signature": "canary-assertion" },
    });
    let verification = |path: &str| {
        let mut request = post(path, &body);
        let headers = request.headers_mut();
        headers.insert("grid-wallet-signature", "canary-stamp".parse().unwrap());
        headers.insert("cookie", "canary-cookie".parse().unwrap());
        headers.insert("authorization", "Bearer canary-bearer".parse().unwrap());
        request
    };
    for path in ["AuthMethod:alice", "AuthMethod:canary-id", "canary-id%2F"] {
        let path = format!("/auth/credentials/{path}/verify");
        upstream.will_answer(axum::Json(
            json!({ "data": [{ "id": ALICE_AUTH_METHOD, "type": "" }] }),
        ));
        upstream.will_answer("canary-answer");
        owned.send(verification(&path)).await;
        unreachable.send(verification(&path)).await;
    }
    let options = json!({ "accountId": ALICE_ACCOUNT, "canary-member": "canary-value" });
    owned
        .send(post("/auth/credentials/registration-options", &options))
        .await;

    let text = log().text();
    assert!(text.contains("verifyAuthCredential"));
    assert!(text.contains("Grid gave no answer"));
    for line in text.lines() {
        assert!(!line.to_lowercase().contains("canary"), "{line}");
        assert!(!line.contains("Basic "), "{line}");
        assert!(!line.contains("@example.com"), "{line}");
    }
}

#[test]
fn what_can_be_printed_has_no_secret() {
    let grid = Grid::new(
        "https://c.example",
        "id",
        CLIENT_SECRET,
        Duration::from_secs(1),
    );
    assert!(!format!("{:?}", grid.as_ref().err()).contains("canary"));
    let invalid = Grid::new("nonsense", "id", CLIENT_SECRET, Duration::from_secs(1))
        .err()
        .unwrap();
    assert!(!format!("{invalid} {invalid:?}").contains("canary"));
}
