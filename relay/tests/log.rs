//! What all crates of the process log, at every level, while requests and answers come and go that
//! have a canary in every place where there may be a secret.

// Marks the helpers as tests too, for the lints' exceptions.
#![cfg(test)]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use gridkey_relay::{Decision, Grid, OwnedResources};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use support::{Always, CLIENT_ID, CLIENT_SECRET, ORIGIN, Platform, Upstream, builder};
use wire::{exchange, serve};

#[path = "relay/support.rs"]
#[allow(dead_code, reason = "the other tests' helpers are here too")]
mod support;
#[path = "relay/wire.rs"]
#[allow(dead_code, reason = "the other tests' helpers are here too")]
mod wire;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const TIME_LIMIT: Duration = Duration::from_millis(300);

/// Each with a canary in its path, query, headers and body.
fn requests() -> Vec<String> {
    let headers = format!(
        "Host: wallet.example\r\nOrigin: {ORIGIN}\r\nConnection: close\r\nX-User: alice\r\n\
         Cookie: session=canary-cookie\r\nAuthorization: Bearer canary-bearer\r\n\
         Grid-Wallet-Signature: canary-stamp\r\nIdempotency-Key: canary-key\r\n\
         Request-Id: canary-request-id\r\nUser-Agent: canary-agent\r\nX-Canary: canary\r\n\
         X-Forwarded-For: canary-address\r\nContent-Type: application/json\r\n"
    );
    let with = |line: &str, headers: &str, body: &str| {
        let length = body.len();
        format!("{line} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
    };
    let otp = r#"{"type":"EMAIL_OTP","encryptedOtpBundle":"canary-bundle","oidcToken":"canary"}"#;
    let account = r#"{"type":"OAUTH","accountId":"InternalAccount:alice","oidcToken":"canary"}"#;
    let quote = r#"{"source":{"sourceType":"ACCOUNT","accountId":"InternalAccount:canary"},
        "destination":{"destinationType":"UMA_ADDRESS","umaAddress":"$canary@uma.example"},
        "description":"canary-description"}"#;
    let unknown = r#"{"canary-member":"canary","canary-member":"canary"}"#;
    let mut requests = Vec::new();
    for (line, body) in [
        (
            "POST /api/grid/auth/credentials/AuthMethod:alice/verify",
            otp,
        ),
        (
            "POST /api/grid/auth/credentials/AuthMethod:canary/verify",
            otp,
        ),
        (
            "POST /api/grid/auth/credentials/canary%2Fcanary/verify",
            otp,
        ),
        (
            "POST /api/grid/auth/credentials/registration-options",
            account,
        ),
        (
            "POST /api/grid/auth/credentials/registration-options",
            r#"{"accountId":"InternalAccount:alice"}"#,
        ),
        ("POST /api/grid/auth/credentials", account),
        ("POST /api/grid/auth/credentials", "canary, and no JSON"),
        (
            "GET /api/grid/auth/credentials?accountId=InternalAccount:alice",
            "",
        ),
        (
            "GET /api/grid/auth/credentials?accountId=InternalAccount:canary",
            "",
        ),
        (
            "GET /api/grid/auth/sessions?accountId=InternalAccount:alice&canary=canary",
            "",
        ),
        ("DELETE /api/grid/auth/sessions/Session:alice", ""),
        ("DELETE /api/grid/auth/sessions/Session:canary", ""),
        ("POST /api/grid/quotes", quote),
        ("GET /api/grid/quotes/Quote:canary", ""),
        ("GET /api/grid/quotes/Quote:alice", ""),
        (
            "POST /api/grid/auth/sessions/Session:alice/refresh",
            unknown,
        ),
        (
            "GET /api/grid/agents/device-codes/GRID-AGENT-CANARY/status",
            "",
        ),
        ("GET /api/grid/canary/canary?canary=canary#canary", ""),
        ("CANARY /api/grid/auth/sessions/Session:canary", ""),
    ] {
        requests.push(with(line, &headers, body));
    }
    let first = requests[0].clone();
    requests.push(first.replace("X-User: alice", "X-User: outage"));
    requests.push(first.replace("X-User: alice\r\n", ""));
    requests.push(first.replace(ORIGIN, "https://canary.example"));
    requests.push(first.replace("application/json", "text/canary"));
    let mut too_large = first.replace("Content-Length: ", "Content-Length: 1");
    too_large.push_str(&"canary".repeat(20_000));
    requests.push(too_large);
    requests
}

/// What never becomes a request.
const MALFORMED: [&str; 4] = [
    "canary\r\n\r\n",
    "GET /canary\0 HTTP/1.1\r\nX: canary\r\n\r\n",
    "GET /api/grid/canary HTTP/1.1\r\nCookie: canary\0\r\n\r\n",
    "GET /api/grid/canary HTTP/1.1\r\nContent-Length: canary\r\n\r\n",
];

/// A server that answers everybody with these bytes, and then hangs up or does not.
async fn junk(answer: &'static [u8], stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer).await;
                if stays {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    address
}

/// Answers of a Grid that is well, failing, and out of its mind.
fn will_answer(upstream: &Upstream, round: usize) {
    let headers = [
        ("retry-after", "1"),
        ("x-canary", "canary"),
        ("set-cookie", "canary"),
    ];
    let error = r#"{"status":400,"code":"CANARY","message":"canary-message","details":"canary"}"#;
    let lists = r#"{"data":[{"id":"AuthMethod:alice","type":"canary","nickname":"canary"}]}"#;
    for _ in 0..10 {
        upstream.will_answer(match round {
            0 => (StatusCode::OK, headers, lists).into_response(),
            1 => (StatusCode::BAD_REQUEST, headers, error).into_response(),
            2 => (StatusCode::INTERNAL_SERVER_ERROR, headers, error).into_response(),
            _ => (StatusCode::OK, headers, "canary, and no JSON").into_response(),
        });
    }
}

#[tokio::test]
async fn lines_have_the_operation_the_status_and_the_duration() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let upstream = Upstream::start().await;
    let grids = [
        format!("http://{}", junk(b"", false).await),
        format!("http://{}", junk(b"", true).await),
        format!("http://{}", junk(b"canary\r\n\r\n", false).await),
        format!(
            "http://{}",
            junk(b"HTTP/1.1 200 OK\r\ncanary: canary\0\r\n\r\n", false).await
        ),
        format!(
            "http://{}",
            junk(
                b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncanary",
                false
            )
            .await
        ),
        // Of TLS: an alert, and nothing that it could be.
        format!(
            "https://{}",
            junk(b"\x15\x03\x03\x00\x02\x02\x28", false).await
        ),
        format!("https://{}", junk(b"canary", false).await),
        "http://127.0.0.1:1".to_owned(),
    ];
    let mut relays = Vec::new();
    for base_url in grids {
        let grid = Grid::new(&base_url, CLIENT_ID, CLIENT_SECRET, TIME_LIMIT).unwrap();
        let relay = builder(grid, Always::new(Ok(Decision::Allow)));
        relays.push((
            serve(relay.agent_operations(true).router().unwrap()).await,
            1,
        ));
    }
    let owned = OwnedResources::new(upstream.grid(), Platform);
    let owned = builder(upstream.grid(), owned).on_verified(async |_, _| {});
    relays.push((serve(owned.router().unwrap()).await, 4));

    let mut sent = 0;
    for (relay, rounds) in relays {
        for round in 0..rounds {
            for request in requests() {
                will_answer(&upstream, round);
                let answers = exchange(relay, request.as_bytes()).await;
                // What is too large may be cut off before the answer is read.
                assert!(answers.statuses().len() <= 1, "{answers:?}");
                sent += 1;
            }
            for request in MALFORMED {
                exchange(relay, request.as_bytes()).await;
            }
        }
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let mut requests = 0;
    for line in text.lines() {
        let (_, rest) = line.split_once('Z').unwrap();
        let (level, rest) = rest.trim_start().split_once(' ').unwrap();
        match rest.trim_start().split_once(": ") {
            Some(("gridkey_relay::relay", said)) if said.starts_with("request ") => {
                assert_eq!(level, "INFO", "{line}");
                assert_is_of_a_request(said);
                requests += 1;
            }
            Some(("gridkey_relay::relay" | "gridkey_relay::owned", said)) => {
                assert_eq!(level, "WARN", "{line}");
                let what = said.split_once(" error=");
                let (what, error) = what.unwrap_or_else(|| panic!("{line}"));
                assert!(what.starts_with("Grid "), "{line}");
                assert!(
                    [
                        "TooLate",
                        "Unreachable",
                        "Malformed",
                        "Status(400)",
                        "Status(500)"
                    ]
                    .contains(&error),
                    "{line}"
                );
            }
            // The connections to Grid.
            Some((target, _)) => assert!(target.starts_with("hyper_util::client::"), "{line}"),
            None => panic!("{line}"),
        }
        let line = line.to_lowercase();
        for secret in [
            "canary",
            "basic ",
            "y2xpzw50",
            "alice",
            "@",
            "/auth",
            "wallet.example",
        ] {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
    assert_eq!(requests, sent);
}

/// `request operation="…" status=… duration_ms=…`, and no more.
#[track_caller]
fn assert_is_of_a_request(said: &str) {
    let words: Vec<_> = said.split(' ').collect();
    let [_, operation, status, duration] = words.as_slice() else {
        panic!("{said}");
    };
    let operation = operation.strip_prefix("operation=\"").unwrap();
    let operation = operation.strip_suffix('"').unwrap();
    assert!(operation.bytes().all(|b| b.is_ascii_alphabetic()), "{said}");
    let status = status.strip_prefix("status=").unwrap();
    assert!((100..600).contains(&status.parse().unwrap()), "{said}");
    let duration = duration.strip_prefix("duration_ms=").unwrap();
    duration.parse::<u64>().unwrap();
}
