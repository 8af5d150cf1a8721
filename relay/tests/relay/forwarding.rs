//! What reaches Grid, and what comes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use gridkey_relay::{ConfigError, Decision, Grid};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{
    ALICE_ACCOUNT, Always, CLIENT_ID, CLIENT_SECRET, Mounted, Upstream, bare, builder, post,
    request,
};

const REFRESH: &str = "/auth/sessions/Session:alice/refresh";

#[tokio::test]
async fn a_body_arrives_byte_for_byte() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let body = "\r\n{ \"clientPublicKey\" :\t\"0\\u0034\u{e9}\\/\" }  \n";
    let refresh = request(Method::POST, REFRESH)
        .header("content-type", "Application/JSON; charset=UTF-8")
        .body(Body::from(body))
        .unwrap();
    assert_eq!(relay.send(refresh).await.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.body, body);
    assert_eq!(seen.method, Method::POST);
    assert_eq!(seen.path_and_query, REFRESH);
    assert_eq!(seen.headers["content-type"], "application/json");
}

#[tokio::test]
async fn an_answer_arrives_byte_for_byte() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let body: &[u8] = b" {\"status\":429,\xff\x00 }\n";
    upstream.will_answer((
        StatusCode::TOO_MANY_REQUESTS,
        [
            ("content-type", "application/problem+json; charset=utf-8"),
            ("retry-after", "17"),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("set-cookie", "grid=1"),
            ("access-control-allow-origin", "*"),
            ("cache-control", "public, max-age=600"),
            ("x-internal", "1"),
        ],
        body,
    ));
    let answer = relay.send(post(REFRESH, &json!({}))).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body, body);
    assert_eq!(
        answer.headers["content-type"],
        "application/problem+json; charset=utf-8"
    );
    assert_eq!(answer.headers["retry-after"], "17");
    assert_eq!(answer.headers["date"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(
        answer.headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        crate::support::ORIGIN
    );
    for absent in ["set-cookie", "x-internal"] {
        assert!(!answer.headers.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn an_empty_answer_stays_empty() {
    let upstream = Upstream::start().await;
    upstream.will_answer(StatusCode::NO_CONTENT);
    let answer = Mounted::allowing(&upstream)
        .send(bare(Method::DELETE, "/auth/sessions/Session:a"))
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert!(!answer.headers.contains_key("content-type"));
}

#[tokio::test]
async fn the_platforms_credentials_replace_the_browsers() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let refresh = request(Method::POST, REFRESH)
        .header("content-type", "application/json")
        .header("grid-wallet-signature", "stamp")
        .header("request-id", "Request:1")
        .header("idempotency-key", "key")
        .header("authorization", "Bearer platform-token")
        .header("cookie", "platform=session")
        .header("connection", "keep-alive, x-named")
        .header("x-named", "1")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .header("upgrade", "websocket")
        .header("proxy-authorization", "Basic x")
        .header("x-forwarded-for", "10.0.0.1")
        .header("content-encoding", "identity")
        .header("accept-encoding", "gzip")
        .header("referer", "https://wallet.example/secret")
        .header("user-agent", "browser")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(relay.send(refresh).await.status, 200);
    let headers = upstream.seen()[0].headers.clone();
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "authorization",
            "content-length",
            "content-type",
            "grid-wallet-signature",
            "host",
            "idempotency-key",
            "request-id",
        ]
    );
    // Base64 of `client-id:client-secret-canary`.
    assert_eq!(
        headers["authorization"],
        "Basic Y2xpZW50LWlkOmNsaWVudC1zZWNyZXQtY2FuYXJ5"
    );
    assert_eq!(headers["grid-wallet-signature"], "stamp");
    assert_eq!(headers["request-id"], "Request:1");
    assert_eq!(headers["idempotency-key"], "key");
    assert_eq!(headers["host"], upstream.address.to_string());
}

#[tokio::test]
async fn identifiers_are_decoded_once_and_encoded_again() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for (given, forwarded) in [
        ("/auth/sessions/Session%3A%31", "/auth/sessions/Session:1"),
        (
            "/auth/sessions/a%3Fb%23c;d&e",
            "/auth/sessions/a%3Fb%23c%3Bd%26e",
        ),
        ("/auth/sessions/...", "/auth/sessions/..."),
    ] {
        assert_eq!(
            relay.send(bare(Method::DELETE, given)).await.status,
            200,
            "{given}"
        );
        assert_eq!(upstream.seen().last().unwrap().path_and_query, forwarded);
    }
    let given = "/auth/sessions?%61ccountId=Internal%41ccount%3Aa%26b%2B";
    assert_eq!(relay.send(bare(Method::GET, given)).await.status, 200);
    let forwarded = "/auth/sessions?accountId=InternalAccount:a%26b%2B";
    assert_eq!(upstream.seen().last().unwrap().path_and_query, forwarded);
}

#[tokio::test]
async fn the_relay_can_be_mounted_anywhere() {
    let upstream = Upstream::start().await;
    let router = || {
        let builder = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
        builder.router().unwrap()
    };
    let deep = Router::new().nest("/api", Router::new().nest("/v1/grid", router()));
    for (mounted, prefix) in [(router(), ""), (deep, "/api/v1/grid")] {
        let mut refresh = post(REFRESH, &json!({}));
        *refresh.uri_mut() = format!("{prefix}{REFRESH}").parse().unwrap();
        assert_eq!(
            Mounted(mounted.clone()).send(refresh).await.status,
            200,
            "{prefix}"
        );
        assert_eq!(upstream.seen().last().unwrap().path_and_query, REFRESH);
        let mut unknown = bare(Method::GET, "");
        *unknown.uri_mut() = format!("{prefix}/unknown").parse().unwrap();
        Mounted(mounted).send(unknown).await.assert_unknown_path();
    }
}

#[tokio::test]
async fn connections_to_grid_are_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(Mutex::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            *counted.lock().unwrap() += 1;
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.unwrap() > 0 {
                    stream
                        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                        .await
                        .unwrap();
                }
            });
        }
    });
    let relay = relay_to(&format!("http://{address}"), Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(
            relay
                .send(bare(Method::DELETE, "/auth/sessions/Session:a"))
                .await
                .status,
            204
        );
    }
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        // The first client gets an answer, and then each is left after its request.
        for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "", ""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            *counted.lock().unwrap() += 1;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let relay = relay_to(&base_url, Duration::from_secs(10));
    let revoke = || bare(Method::DELETE, "/auth/sessions/Session:a");
    assert_eq!(relay.send(revoke()).await.status, 204);
    tokio::time::sleep(Duration::from_millis(50)).await;
    relay
        .send(revoke())
        .await
        .assert_refused(502, "INTERNAL_ERROR");
    assert_eq!(*requests.lock().unwrap(), 2);
}

#[tokio::test]
async fn an_https_grid_is_spoken_to_in_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let first_bytes = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        bytes.truncate(length);
        bytes
    });
    let relay = relay_to(&base_url, Duration::from_secs(10));
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(502, "INTERNAL_ERROR");
    // A handshake record (RFC 8446, section 5.1).
    assert_eq!(first_bytes.await.unwrap().first(), Some(&22));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let upstream = Upstream::start().await;
    let location = format!("http://{}/grid/2025-10-13/elsewhere", upstream.address);
    upstream.will_answer((
        StatusCode::TEMPORARY_REDIRECT,
        [("location", location)],
        "moved",
    ));
    let answer = Mounted::allowing(&upstream)
        .send(post(REFRESH, &json!({})))
        .await;
    assert_eq!(answer.status, 307);
    assert!(!answer.headers.contains_key("location"));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_grid_that_is_too_slow_is_given_up() {
    let upstream = Upstream::start().await;
    upstream.will_wait(Duration::from_secs(60));
    let grid = upstream.grid_with_time_limit(Duration::from_millis(50));
    let relay = builder(grid, Always::new(Ok(Decision::Allow)));
    let relay = Mounted::nested(relay.router().unwrap());
    let answer = relay.send(post(REFRESH, &json!({}))).await;
    answer.assert_refused(504, "INTERNAL_ERROR");
}

#[tokio::test]
async fn a_grid_that_stops_in_the_middle_is_given_up() {
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
    let relay = relay_to(&serve_once(whole, true).await, Duration::from_millis(50));
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(504, "INTERNAL_ERROR");
    let relay = relay_to(&serve_once(whole, false).await, Duration::from_secs(10));
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(502, "INTERNAL_ERROR");
}

#[tokio::test]
async fn a_grid_that_cannot_be_reached_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let relay = relay_to(&base_url, Duration::from_secs(10));
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(502, "INTERNAL_ERROR");

    let relay = relay_to(
        &serve_once("not HTTP\r\n\r\n", false).await,
        Duration::from_secs(10),
    );
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(502, "INTERNAL_ERROR");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_a_bad_gateway() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    upstream.will_answer("a".repeat(1024 * 1024));
    assert_eq!(relay.send(post(REFRESH, &json!({}))).await.status, 200);
    upstream.will_answer("a".repeat(1024 * 1024 + 1));
    relay
        .send(post(REFRESH, &json!({})))
        .await
        .assert_refused(502, "INTERNAL_ERROR");
}

#[tokio::test]
async fn the_platform_hears_of_verified_sessions_only() {
    let upstream = Upstream::start().await;
    let heard = Arc::<Mutex<Vec<(String, Value)>>>::default();
    let hearing = heard.clone();
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow))).on_verified(
        move |user, session| {
            let hearing = hearing.clone();
            async move { hearing.lock().unwrap().push((user.id, session)) }
        },
    );
    let relay = Mounted::nested(relay.router().unwrap());
    let verify = || {
        let body = json!({ "type": "PASSKEY", "assertion": {} });
        post("/auth/credentials/AuthMethod:alice/verify", &body)
    };
    let session = json!({
        "id": "Session:alice",
        "accountId": ALICE_ACCOUNT,
        "encryptedSessionSigningKey": "sealed",
    });

    upstream.will_answer((StatusCode::ACCEPTED, axum::Json(session.clone())));
    assert_eq!(relay.send(verify()).await.status, 202);
    upstream.will_answer((StatusCode::UNAUTHORIZED, axum::Json(session.clone())));
    assert_eq!(relay.send(verify()).await.status, 401);
    upstream.will_answer(axum::Json(session.clone()));
    assert_eq!(relay.send(post(REFRESH, &json!({}))).await.status, 200);
    assert!(heard.lock().unwrap().is_empty());

    upstream.will_answer(axum::Json(session.clone()));
    assert_eq!(relay.send(verify()).await.json(), session);
    let told = json!({ "id": "Session:alice", "accountId": ALICE_ACCOUNT });
    assert_eq!(*heard.lock().unwrap(), [("alice".to_owned(), told)]);
}

#[test]
fn the_secret_goes_out_in_clear_to_this_machine_only() {
    let grid = |base_url| {
        let limit = Duration::from_secs(1);
        Grid::new(base_url, CLIENT_ID, CLIENT_SECRET, limit).err()
    };
    for good in [
        "https://api.lightspark.com/grid/2025-10-13",
        "http://localhost:8787",
        "http://127.0.0.1:8787/grid",
        "http://[::1]:8787",
    ] {
        assert_eq!(grid(good), None, "{good}");
    }
    for insecure in [
        "http://api.lightspark.com/grid",
        "http://10.0.0.1",
        "http://localhost.evil.com",
    ] {
        assert_eq!(
            grid(insecure),
            Some(ConfigError::InsecureBaseUrl),
            "{insecure}"
        );
    }
    for invalid in [
        "",
        "/grid",
        "ftp://localhost",
        "https://a:b@c.example",
        "https://c.example?q",
    ] {
        assert_eq!(
            grid(invalid),
            Some(ConfigError::InvalidBaseUrl),
            "{invalid}"
        );
    }
}

#[test]
fn credentials_must_fit_basic_authentication() {
    for (id, secret) in [("", "s"), ("i", ""), ("i:j", "s")] {
        let grid = Grid::new("https://grid.example", id, secret, Duration::from_secs(1));
        assert_eq!(grid.err(), Some(ConfigError::InvalidCredentials));
    }
}

fn relay_to(base_url: &str, time_limit: Duration) -> Mounted {
    let grid = Grid::new(base_url, CLIENT_ID, CLIENT_SECRET, time_limit).unwrap();
    Mounted::nested(
        builder(grid, Always::new(Ok(Decision::Allow)))
            .router()
            .unwrap(),
    )
}

/// A server that sends these bytes to its first client, and then nothing or the end.
async fn serve_once(answer: &'static str, stay_open: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
        if stay_open {
            std::future::pending::<()>().await;
        }
    });
    format!("http://{address}")
}
