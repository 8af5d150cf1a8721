//! From which pages requests are taken.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use gridkey_relay::{ConfigError, Decision};

use crate::support::{Always, Mounted, ORIGIN, Upstream, builder};

const LIST: &str = "/auth/sessions?accountId=InternalAccount:a";
const REVOKE: &str = "/auth/sessions/Session:a";

fn relay(upstream: &Upstream, origins: &[&str]) -> Mounted {
    let builder = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    Mounted::nested(builder.allowed_origins(origins.to_vec()).router().unwrap())
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut builder = Request::builder()
        .method(method)
        .uri(format!("/api/grid{path}"))
        .header("host", "wallet.example")
        .header("x-user", "alice");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn listed_origins_only() {
    let upstream = Upstream::start().await;
    let relay = relay(&upstream, &[ORIGIN, "HTTP://LocalHost:8080"]);
    for origin in [ORIGIN, "http://localhost:8080"] {
        for (method, path) in [(Method::GET, LIST), (Method::DELETE, REVOKE)] {
            let answer = relay
                .send(request(method, path, &[("origin", origin)]))
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            assert_eq!(answer.headers["access-control-allow-credentials"], "true");
            assert_eq!(
                answer.headers["access-control-expose-headers"],
                "date,retry-after"
            );
        }
    }
    let forwarded = upstream.seen().len();
    for origin in [
        "https://evil.example",
        "http://wallet.example",
        "https://wallet.example:8443",
        "https://wallet.example.evil.example",
        "https://wallet.example/",
        "null",
        "",
    ] {
        for (method, path) in [(Method::GET, LIST), (Method::DELETE, REVOKE)] {
            let answer = relay
                .send(request(method, path, &[("origin", origin)]))
                .await;
            answer.assert_refused(403, "FORBIDDEN");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
    }
    let twice = [("origin", ORIGIN), ("origin", "https://evil.example")];
    relay
        .send(request(Method::DELETE, REVOKE, &twice))
        .await
        .assert_refused(403, "FORBIDDEN");
    assert_eq!(upstream.seen().len(), forwarded);
}

#[tokio::test]
async fn without_a_list_the_relays_own_origin_only() {
    let upstream = Upstream::start().await;
    let relay = relay(&upstream, &[]);
    let own = relay
        .send(request(Method::DELETE, REVOKE, &[("origin", ORIGIN)]))
        .await;
    assert_eq!(own.status, 200);
    assert!(!own.headers.contains_key("access-control-allow-origin"));
    for origin in [
        "https://evil.example",
        "https://wallet.example:8443",
        "null",
        "wallet.example",
    ] {
        let answer = relay
            .send(request(Method::DELETE, REVOKE, &[("origin", origin)]))
            .await;
        answer.assert_refused(403, "FORBIDDEN");
    }
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "DELETE"),
    ];
    let answer = relay
        .send(request(Method::OPTIONS, REVOKE, &preflight))
        .await;
    answer.assert_refused(405, "INVALID_INPUT");
}

#[tokio::test]
async fn without_an_origin_reading_only_and_not_for_other_sites() {
    let upstream = Upstream::start().await;
    for relay in [relay(&upstream, &[ORIGIN]), relay(&upstream, &[])] {
        assert_eq!(
            relay.send(request(Method::GET, LIST, &[])).await.status,
            200
        );
        let same = [("sec-fetch-site", "same-origin")];
        assert_eq!(
            relay.send(request(Method::GET, LIST, &same)).await.status,
            200
        );
        for site in ["cross-site", "same-site", "none"] {
            let answer = relay
                .send(request(Method::GET, LIST, &[("sec-fetch-site", site)]))
                .await;
            answer.assert_refused(403, "FORBIDDEN");
        }
        relay
            .send(request(Method::DELETE, REVOKE, &[]))
            .await
            .assert_refused(403, "FORBIDDEN");
        relay
            .send(request(Method::DELETE, REVOKE, &same))
            .await
            .assert_refused(403, "FORBIDDEN");
    }
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test]
async fn preflight_requests_of_listed_origins() {
    let upstream = Upstream::start().await;
    let builder = builder(upstream.grid(), Always::new(Ok(Decision::Deny)));
    let router = builder.allowed_headers(["X-CSRF-Token"]).router().unwrap();
    let relay = Mounted::nested(router);
    let preflight = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "DELETE"),
        ];
        let mut request = request(Method::OPTIONS, REVOKE, &headers);
        request.headers_mut().remove("x-user");
        request
    };
    let answer = relay.send(preflight(ORIGIN)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    assert_eq!(
        list(&answer.headers, "access-control-allow-methods"),
        ["DELETE", "GET", "PATCH", "POST"]
    );
    assert_eq!(
        list(&answer.headers, "access-control-allow-headers"),
        [
            "content-type",
            "grid-wallet-signature",
            "idempotency-key",
            "request-id",
            "x-csrf-token"
        ]
    );
    assert!(
        answer.headers["vary"]
            .to_str()
            .unwrap()
            .to_lowercase()
            .contains("origin")
    );
    let foreign = relay.send(preflight("https://evil.example")).await;
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn refusals_can_be_read_by_listed_origins() {
    let upstream = Upstream::start().await;
    let mut signed_out = request(Method::DELETE, REVOKE, &[("origin", ORIGIN)]);
    signed_out.headers_mut().remove("x-user");
    let answer = relay(&upstream, &[ORIGIN]).send(signed_out).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
}

#[tokio::test]
async fn settings_that_are_no_origins_or_headers() {
    let upstream = Upstream::start().await;
    let build = |origin: &str| -> Result<Router, ConfigError> {
        let builder = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
        builder.allowed_origins([origin]).router()
    };
    for origin in [
        "*",
        "null",
        "",
        "wallet.example",
        "https://wallet.example/",
        "https://wallet.example/login",
        "https://user@wallet.example",
        "chrome-extension://abc",
    ] {
        assert_eq!(
            build(origin).err(),
            Some(ConfigError::InvalidOrigin(origin.into()))
        );
    }
    let builder = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    let named = builder.allowed_headers(["two words"]).router();
    assert_eq!(
        named.err(),
        Some(ConfigError::InvalidHeaderName("two words".into()))
    );
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = headers[name].to_str().unwrap();
    let mut items: Vec<_> = text.split(',').map(|item| item.trim().to_owned()).collect();
    items.sort_unstable();
    items
}
