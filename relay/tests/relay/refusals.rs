//! What is refused before Grid hears of it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gridkey_relay::Decision;
use serde_json::json;

use crate::support::{Always, Answer, Mounted, Upstream, bare, builder, post, request};

async fn assert_refused(requests: Vec<Request<Body>>, status: u16, code: &str) {
    assert_each(requests, |answer| answer.assert_refused(status, code)).await;
}

/// Sends each request to a relay that allows everything, and asserts the refusal.
async fn assert_each(requests: Vec<Request<Body>>, assert_refusal: impl Fn(&Answer)) {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for request in requests {
        let what = format!("{request:?}");
        let answer = relay.send(request).await;
        assert!(!answer.body.is_empty(), "{what}");
        assert_refusal(&answer);
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

fn refresh_with(body: impl Into<Body>) -> Request<Body> {
    request(Method::POST, "/auth/sessions/Session:a/refresh")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn paths_that_are_not_listed() {
    let paths = [
        "",
        "/auth",
        "/auth/credentials/",
        "/auth//credentials",
        "/auth/credentials//challenge",
        "/auth/credentials/AuthMethod:a/challenge/",
        "/auth/credentials/AuthMethod:a/challenge/b",
        "/Auth/credentials",
        "/auth/delegated-keys/DelegatedKey:a/sign",
        "/customers",
        "/customers/internal-accounts/InternalAccount:a",
        "/internal-accounts",
        "/internal-accounts/InternalAccount:a/export/again",
        "/quotes/Quote:a/cancel",
        "/quotes/Quote:a/authorize/resend/",
        "/transfer-out",
        "/sandbox/internal-accounts/InternalAccount:a/fund",
        "/agents",
        "/agents/me",
        "/agents/Agent:a",
        "/agents/device-codes/GRID-AGENT-A/redeem",
        "/agents/device-codes/GRID-AGENT-A%2Fredeem",
    ];
    let requests = paths
        .into_iter()
        .map(|path| bare(Method::POST, path))
        .collect();
    assert_each(requests, Answer::assert_unknown_path).await;
}

#[tokio::test]
async fn methods_that_are_not_listed() {
    let mut requests = Vec::new();
    for method in [
        Method::PUT,
        Method::PATCH,
        Method::HEAD,
        Method::TRACE,
        Method::DELETE,
    ] {
        requests.push(bare(method, "/auth/credentials"));
    }
    requests.push(bare(Method::GET, "/auth/credentials/AuthMethod:a"));
    requests.push(bare(Method::POST, "/auth/sessions/Session:a"));
    requests.push(bare(Method::GET, "/auth/credentials/AuthMethod:a/verify"));
    requests.push(bare(Method::GET, "/agents/Agent:a/device-codes"));
    requests.push(bare(Method::POST, "/auth/delegated-keys/DelegatedKey:a"));
    requests.push(bare(Method::GET, "/customers/Customer:a"));
    requests.push(bare(Method::DELETE, "/customers/Customer:a"));
    // What is literal is no customer's identifier.
    requests.push(bare(Method::PATCH, "/customers/internal-accounts"));
    requests.push(bare(
        Method::DELETE,
        "/auth/credentials/registration-options",
    ));
    requests.push(bare(Method::GET, "/internal-accounts/InternalAccount:a"));
    requests.push(bare(Method::GET, "/quotes"));
    requests.push(bare(Method::GET, "/quotes/Quote:a/execute"));
    // The answer to HEAD has no body to look at.
    requests.retain(|request| request.method() != Method::HEAD);
    assert_refused(requests, 405, "INVALID_INPUT").await;

    let upstream = Upstream::start().await;
    let head = bare(
        Method::HEAD,
        "/auth/credentials?accountId=InternalAccount:a",
    );
    assert_eq!(Mounted::allowing(&upstream).send(head).await.status, 405);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn agent_operations_unless_switched_on() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    let relay = Mounted::nested(relay.router().unwrap());
    let requests = || {
        [
            bare(Method::POST, "/agents/Agent:a/device-codes"),
            bare(Method::GET, "/agents/device-codes/GRID-AGENT-A/status"),
        ]
    };
    for request in requests() {
        relay.send(request).await.assert_unknown_path();
    }
    assert!(upstream.seen().is_empty());

    let relay = Mounted::allowing(&upstream);
    for request in requests() {
        assert_eq!(relay.send(request).await.status, 200);
    }
}

#[tokio::test]
async fn delegated_keys_are_not_created_unless_switched_on() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    let relay = Mounted::nested(relay.router().unwrap());
    let ids = json!({ "cardId": "Card:a", "internalAccountId": "InternalAccount:a" });
    let create = || post("/auth/delegated-keys", &ids);
    let answer = relay.send(create()).await;
    answer.assert_refused(405, "INVALID_INPUT");
    assert!(upstream.seen().is_empty());
    // What there is can be seen and revoked all the same.
    for request in [
        bare(
            Method::GET,
            "/auth/delegated-keys?accountId=InternalAccount:a",
        ),
        bare(Method::GET, "/auth/delegated-keys/DelegatedKey:a"),
        bare(Method::DELETE, "/auth/delegated-keys/DelegatedKey:a"),
    ] {
        assert_eq!(relay.send(request).await.status, 200);
    }

    let relay = Mounted::allowing(&upstream);
    assert_eq!(relay.send(create()).await.status, 200);
}

#[tokio::test]
async fn identifiers_that_could_be_read_otherwise() {
    let too_long = "a".repeat(129);
    let ids = [
        "",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "a%2Fb",
        "a%2fb",
        "%2F",
        "a%5Cb",
        "a%00",
        "a%0Ab",
        "a%7F",
        "a%20b",
        "a%25b",
        "a%252Fb",
        "a%zz",
        "a%",
        "%C3%A9",
        "%FF",
        "%ED%A0%80",
        &too_long,
    ];
    let mut requests = Vec::new();
    for id in ids {
        requests.push(bare(Method::GET, &format!("/auth/sessions?accountId={id}")));
        if id.is_empty() {
            continue;
        }
        requests.push(bare(Method::DELETE, &format!("/auth/sessions/{id}")));
        requests.push(bare(
            Method::POST,
            &format!("/auth/credentials/{id}/challenge"),
        ));
        requests.push(bare(Method::POST, &format!("/agents/{id}/device-codes")));
        requests.push(bare(
            Method::GET,
            &format!("/agents/device-codes/{id}/status"),
        ));
        requests.push(bare(Method::GET, &format!("/auth/sessions?accountId={id}")));
    }
    assert_refused(requests, 400, "INVALID_INPUT").await;
}

#[tokio::test]
async fn identifiers_in_bodies_that_could_be_read_otherwise() {
    let ids = [
        json!(""),
        json!(".."),
        json!("a/b"),
        json!("a\\b"),
        json!("a%2Fb"),
        json!("a b"),
        json!("a\0"),
        json!("\u{e9}"),
        json!("a".repeat(129)),
        json!(["a"]),
        json!(1),
        json!(null),
    ];
    let mut requests = Vec::new();
    for id in ids {
        let options = json!({ "accountId": id });
        requests.push(post("/auth/credentials/registration-options", &options));
        let otp = json!({ "type": "EMAIL_OTP", "accountId": id });
        requests.push(post("/auth/credentials", &otp));
    }
    requests.push(post("/auth/credentials", &json!({ "type": "EMAIL_OTP" })));
    requests.push(post("/auth/credentials/registration-options", &json!({})));
    assert_refused(requests, 400, "INVALID_INPUT").await;
}

#[tokio::test]
async fn queries_with_more_or_less_than_their_parameter() {
    let queries = [
        "",
        "?",
        "?accountId",
        "?accountId=",
        "?accountid=a",
        "?accountId=a&accountId=b",
        "?accountId=a&%61ccountId=b",
        "?accountId=a&limit=1",
        "?limit=1&accountId=a",
        "?accountId=a+b",
        "?accountId[]=a",
    ];
    let mut requests = Vec::new();
    for query in queries {
        requests.push(bare(Method::GET, &format!("/auth/credentials{query}")));
        requests.push(bare(Method::GET, &format!("/auth/sessions{query}")));
    }
    requests.push(bare(Method::DELETE, "/auth/sessions/Session:a?force=true"));
    requests.push(bare(
        Method::POST,
        "/agents/Agent:a/device-codes?agentId=Agent:b",
    ));
    assert_refused(requests, 400, "INVALID_INPUT").await;
}

#[tokio::test]
async fn bodies_that_grid_could_read_otherwise() {
    let bodies: [&[u8]; 14] = [
        b"",
        b"[]",
        b"null",
        b"\"text\"",
        b"{",
        b"{} {}",
        b"{}x",
        b"\xef\xbb\xbf{}",
        b"{\"clientPublicKey\":\"\xff\"}",
        b"{\"clientPublicKey\":\"\\ud800\"}",
        b"{\"clientPublicKey\":\"a\",\"clientPublicKey\":\"b\"}",
        b"{\"clientPublicKey\":\"a\",\"client\\u0050ublicKey\":\"b\"}",
        b"{\"ClientPublicKey\":\"a\"}",
        b"{\"clientPublicKey\":\"a\",\"accountId\":\"b\"}",
    ];
    assert_refused(
        bodies.into_iter().map(refresh_with).collect(),
        400,
        "INVALID_INPUT",
    )
    .await;

    let too_deep = format!("{{\"clientPublicKey\":{}", "[".repeat(60_000));
    assert_refused(vec![refresh_with(too_deep)], 400, "INVALID_INPUT").await;
}

#[tokio::test]
async fn bodies_where_there_should_be_none() {
    let paths = [
        (Method::GET, "/auth/credentials?accountId=InternalAccount:a"),
        (Method::DELETE, "/auth/sessions/Session:a"),
        (Method::POST, "/agents/Agent:a/device-codes"),
    ];
    let with_body = |(method, path): (Method, &str)| {
        let builder = request(method, path).header("content-type", "application/json");
        builder
            .body(Body::from("{\"accountId\":\"InternalAccount:b\"}"))
            .unwrap()
    };
    assert_refused(
        paths.into_iter().map(with_body).collect(),
        400,
        "INVALID_INPUT",
    )
    .await;
}

#[tokio::test]
async fn bodies_of_other_types() {
    let types = [
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/json; charset=utf-16",
        "application/jsonp",
    ];
    let of_type = |content_type: &str| {
        let builder = request(Method::POST, "/auth/sessions/Session:a/refresh");
        builder
            .header("content-type", content_type)
            .body(Body::from("{}"))
            .unwrap()
    };
    let mut requests: Vec<_> = types.into_iter().map(of_type).collect();
    let builder = request(Method::POST, "/auth/sessions/Session:a/refresh");
    requests.push(builder.body(Body::from("{}")).unwrap());
    let mut twice = of_type("application/json");
    twice
        .headers_mut()
        .append("content-type", "application/json".parse().unwrap());
    requests.push(twice);
    assert_refused(requests, 415, "INVALID_INPUT").await;
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow))).max_body_bytes(32);
    let relay = Mounted::nested(relay.router().unwrap());
    let body = |bytes: usize| format!("{{\"clientPublicKey\":\"{}\"}}", "a".repeat(bytes - 22));
    assert_eq!(body(32).len(), 32);
    assert_eq!(relay.send(refresh_with(body(32))).await.status, 200);
    relay
        .send(refresh_with(body(33)))
        .await
        .assert_refused(413, "INVALID_INPUT");
    let chunks = (0..40).map(|_| Ok::<_, Infallible>(" "));
    let chunked = Body::from_stream(futures_util::stream::iter(chunks));
    relay
        .send(refresh_with(chunked))
        .await
        .assert_refused(413, "INVALID_INPUT");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn bodies_that_do_not_arrive() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)))
        .body_time_limit(Duration::from_millis(50));
    let relay = Mounted::nested(relay.router().unwrap());
    let never = Body::from_stream(futures_util::stream::pending::<Result<&str, Infallible>>());
    relay
        .send(refresh_with(never))
        .await
        .assert_refused(408, "INVALID_INPUT");
    let broken = futures_util::stream::iter([Ok("{"), Err(std::io::Error::other("reset"))]);
    let broken = refresh_with(Body::from_stream(broken));
    relay
        .send(broken)
        .await
        .assert_refused(400, "INVALID_INPUT");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn headers_that_are_ambiguous() {
    let mut requests = Vec::new();
    for name in ["grid-wallet-signature", "request-id", "idempotency-key"] {
        for values in [vec![""], vec!["a", "b"], vec![&*"a".repeat(8193)]] {
            let mut builder = request(Method::DELETE, "/auth/sessions/Session:a");
            for value in values {
                builder = builder.header(name, value);
            }
            requests.push(builder.body(Body::empty()).unwrap());
        }
    }
    assert_refused(requests, 400, "INVALID_INPUT").await;
}

#[tokio::test]
async fn credentials_of_unknown_types() {
    let types = [
        json!("passkey"),
        json!("PASSKEY "),
        json!("API_KEY"),
        json!(["PASSKEY"]),
        json!(null),
    ];
    let with_type = |r#type| {
        let body = json!({ "type": r#type, "accountId": "InternalAccount:a", "challenge": "c" });
        post("/auth/credentials", &body)
    };
    let mut requests: Vec<_> = types.into_iter().map(with_type).collect();
    requests.push(post(
        "/auth/credentials",
        &json!({ "accountId": "InternalAccount:a" }),
    ));
    assert_refused(requests, 400, "INVALID_INPUT").await;
}
