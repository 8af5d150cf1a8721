//! Request lines and headers that no browser sends, byte for byte over a socket.

use axum::http::Method;
use gridkey_relay::Decision;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Always, CLIENT_ID, CLIENT_SECRET, ORIGIN, Upstream, builder};
use crate::wire::{exchange, request, serve, serve_allowing};

const REVOKE: &str = "DELETE /api/grid/auth/sessions/Session:a HTTP/1.1";
const REFRESH: &str = "POST /api/grid/auth/sessions/Session:a/refresh HTTP/1.1";

#[tokio::test]
async fn paths_that_are_not_in_the_table() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let too_long_id = format!("/auth/sessions/{}", "a".repeat(129));
    let too_long = format!("/auth/sessions/{}", "a".repeat(70_000));
    let deep = "/a".repeat(10_000);
    let targets: [&[u8]; 56] = [
        // Slashes and backslashes in an identifier: encoded once, twice and three times, as overlong
        // UTF-8, as IIS had them, and as the full-width letter.
        b"/auth/sessions/a%2fb",
        b"/auth/sessions/a%2Fb",
        b"/auth/sessions/a%5cb",
        b"/auth/sessions/a%5Cb",
        b"/auth/sessions/a\\b",
        b"/auth/sessions/a%252fb",
        b"/auth/sessions/a%255cb",
        b"/auth/sessions/a%25252fb",
        b"/auth/sessions/a%c0%afb",
        b"/auth/sessions/a%u002fb",
        b"/auth/sessions/a%ef%bc%8fb",
        b"/auth/sessions/%2fetc",
        b"/auth\\sessions\\Session:a",
        b"/auth%2fsessions%2fSession:a",
        b"/auth%2fsessions/Session:a",
        // Dot segments.
        b"/auth/sessions/.",
        b"/auth/sessions/..",
        b"/auth/sessions/%2e",
        b"/auth/sessions/%2e%2e",
        b"/auth/sessions/.%2E",
        b"/auth/sessions/%252e%252e",
        b"/auth/sessions/..%2f..%2fquotes",
        b"/auth/sessions/../sessions/Session:a",
        b"/auth/sessions/Session:a/..",
        b"/auth/sessions/Session:a/.",
        b"/auth/./sessions/Session:a",
        b"/./auth/sessions/Session:a",
        b"/../grid/auth/sessions/Session:a",
        b"/quotes/../auth/sessions/Session:a",
        b"/quotes/%2e%2e/auth/sessions/Session:a",
        // Empty segments.
        b"//auth/sessions/Session:a",
        b"/auth//sessions/Session:a",
        b"/auth/sessions//Session:a",
        b"/auth/sessions/Session:a/",
        b"/auth/sessions/Session:a//",
        b"/auth/sessions/",
        b"",
        b"/",
        // NULs and other control characters, and bytes that are none of ASCII.
        b"/auth/sessions/a\0b",
        b"/auth/sessions/a%00",
        b"/auth/sessions/a%0d%0aX-Injected:%201",
        b"/auth/sessions/a%09b",
        b"/auth/sessions/a\tb",
        b"/auth/sessions/a b",
        b"/auth/sessions/a\x7fb",
        b"/auth/sessions/\xc3\xa9",
        b"/auth/sessions/\xff",
        // Literal segments, written otherwise.
        b"/%61uth/sessions/Session:a",
        b"/auth/session%73/Session:a",
        b"/AUTH/sessions/Session:a",
        b"/auth/sessions;v=1/Session:a",
        // A query where there is none, in which a path is.
        b"/auth/sessions/Session:a?x=/../..",
        b"/auth/sessions/Session:a?/auth/sessions/Session:b",
        too_long_id.as_bytes(),
        too_long.as_bytes(),
        deep.as_bytes(),
    ];
    for target in targets {
        let line = [b"DELETE /api/grid", target, b" HTTP/1.1"].concat();
        let rest = request("", "\r\n");
        let answers = exchange(relay, &[&line, &rest[..]].concat()).await;
        let what = String::from_utf8_lossy(target);
        assert!(
            matches!(answers.status(), 400 | 404 | 405 | 414),
            "{what:.80}: {answers:?}"
        );
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    // The same without the attack is forwarded.
    let answers = exchange(relay, &request(REVOKE, "\r\n")).await;
    assert_eq!((answers.status(), upstream.seen().len()), (200, 1));
}

/// A server may be asked as a proxy is. Grid is asked what it would have been asked otherwise.
#[tokio::test]
async fn targets_with_a_host_in_them() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    for target in [
        "http://wallet.example/api/grid/auth/sessions/Session:a",
        "http://evil.example/api/grid/auth/sessions/Session:a",
        "http://evil.example:8080/api/grid/auth/sessions/Session:a",
    ] {
        let line = format!("DELETE {target} HTTP/1.1");
        let answers = exchange(relay, &request(&line, "\r\n")).await;
        assert_eq!(answers.status(), 200, "{target}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.path_and_query, "/auth/sessions/Session:a");
        assert_eq!(seen.headers["host"], upstream.address.to_string());
    }
    let forwarded = upstream.seen().len();
    for target in [
        "http://evil.example/auth/sessions/Session:a",
        "http:///api/grid/auth/sessions/Session:a",
        "//wallet.example/api/grid/auth/sessions/Session:a",
        "wallet.example/api/grid/auth/sessions/Session:a",
        "*",
    ] {
        let line = format!("DELETE {target} HTTP/1.1");
        let answers = exchange(relay, &request(&line, "\r\n")).await;
        assert!(
            matches!(answers.status(), 400 | 404),
            "{target}: {answers:?}"
        );
    }
    assert_eq!(upstream.seen().len(), forwarded);
}

#[tokio::test]
async fn methods_that_are_not_in_the_table() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    for method in [
        "TRACE", "PUT", "PATCH", "POST", "HEAD", "PROPFIND", "MKCOL", "delete", "Delete",
        "DELETEX", "DELET", "TRACK", "DEBUG", "PRI", "QUERY",
    ] {
        let line = format!("{method} /api/grid/auth/sessions/Session:a HTTP/1.1");
        let answers = exchange(relay, &request(&line, "\r\n")).await;
        assert_eq!(answers.status(), 405, "{method}");
    }
    for line in [
        "CONNECT wallet.example:443 HTTP/1.1",
        "CONNECT /api/grid/auth/sessions/Session:a HTTP/1.1",
        "DEL\u{e9}TE /api/grid/auth/sessions/Session:a HTTP/1.1",
        "DEL\0ETE /api/grid/auth/sessions/Session:a HTTP/1.1",
        " DELETE /api/grid/auth/sessions/Session:a HTTP/1.1",
        "DELETE\t/api/grid/auth/sessions/Session:a\tHTTP/1.1",
        "DELETE  /api/grid/auth/sessions/Session:a HTTP/1.1",
        "DELETE /api/grid/auth/sessions/Session:a",
        "DELETE /api/grid/auth/sessions/Session:a HTTP/0.9",
        "DELETE /api/grid/auth/sessions/Session:a HTTP/1.2",
        "DELETE /api/grid/auth/sessions/Session:a HTTP/2.0",
        "DELETE /api/grid/auth/sessions/Session:a HTTP/1.1 HTTP/1.1",
        "PRI * HTTP/2.0",
    ] {
        let answers = exchange(relay, &request(line, "\r\n")).await;
        assert!(
            matches!(answers.statuses().as_slice(), [] | [400 | 404 | 405]),
            "{line}: {answers:?}"
        );
    }
    // Preflight requests are answered by the relay itself.
    let preflight = "OPTIONS /api/grid/auth/sessions/Session:a HTTP/1.1";
    let answers = exchange(relay, &request(preflight, "\r\n")).await;
    assert_eq!(answers.status(), 200);
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

const OVERRIDES: &str = "X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\n\
    X-Method-Override: DELETE\r\nX-Original-Method: DELETE\r\n\
    X-Original-URL: /auth/sessions/Session:b\r\nX-Rewrite-URL: /auth/sessions/Session:b\r\n";

#[tokio::test]
async fn methods_and_paths_in_headers() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    for line in [
        "POST /api/grid/auth/sessions/Session:a HTTP/1.1",
        "POST /api/grid/auth/sessions/Session:a?_method=DELETE HTTP/1.1",
    ] {
        let rest = format!("{OVERRIDES}\r\n");
        assert_eq!(exchange(relay, &request(line, &rest)).await.status(), 405);
    }
    let rest =
        format!("{OVERRIDES}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
    assert_eq!(
        exchange(relay, &request(REFRESH, &rest)).await.status(),
        200
    );
    let [seen] = upstream.seen().try_into().unwrap();
    assert_eq!(seen.method, Method::POST);
    assert_eq!(seen.path_and_query, "/auth/sessions/Session:a/refresh");
}

/// What Grid gets is written out here to the last byte.
#[tokio::test]
async fn grid_gets_these_bytes_and_no_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let got = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = Vec::new();
        let mut buffer = [0; 4096];
        while !got.ends_with(b"{ }") {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "{got:?}");
            got.extend_from_slice(&buffer[..length]);
        }
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8(got).unwrap()
    });
    let base_url = format!("http://{address}/grid/v1");
    let limit = std::time::Duration::from_secs(10);
    let grid = gridkey_relay::Grid::new(&base_url, CLIENT_ID, CLIENT_SECRET, limit).unwrap();
    let relay = builder(grid, Always::new(Ok(Decision::Allow)));
    let relay = serve(relay.router().unwrap()).await;

    let hostile = "Connection: authorization, host, grid-wallet-signature, x-hop\r\nX-Hop: 1\r\n\
        Authorization: Bearer of-the-page\r\nProxy-Authorization: Basic of-the-page\r\n\
        Cookie: platform=session\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: evil.example\r\n\
        X-Forwarded-Proto: http\r\nX-Forwarded-Prefix: /admin\r\nForwarded: for=10.0.0.1\r\n\
        X-Real-IP: 10.0.0.1\r\nTrue-Client-IP: 10.0.0.1\r\nVia: 1.1 evil\r\nX-Client-Id: other\r\n\
        X-Api-Key: of-the-page\r\nContent-Encoding: identity\r\nAccept-Encoding: gzip\r\n\
        Accept: text/html\r\nAccept-Language: en\r\nUser-Agent: browser\r\nReferer: https://x/\r\n\
        If-Match: *\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\nKeep-Alive: timeout=600\r\n\
        TE: trailers\r\nTrailer: X-Late\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\
        Expect: 100-continue\r\nOrigin-Agent-Cluster: ?1\r\nTraceparent: 00-1-1-01\r\n\
        Baggage: a=b\r\nX-Injected: 1\r\nGrid-Api-Version: 1\r\nGrid_Wallet_Signature: forged\r\n\
        Grid-Wallet-Signature: stamp\r\nIdempotency-Key: key\r\nRequest-Id: Request:1\r\n\
        Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n\
        1;extension=1\r\n{\r\n2;\"quoted\"\r\n }\r\n0\r\nX-Late: 1\r\nAuthorization: late\r\n\r\n";
    let overrides = [OVERRIDES, hostile].concat();
    let answers = exchange(relay, &request(REFRESH, &overrides)).await;
    assert_eq!(answers.statuses().last(), Some(&204), "{answers:?}");
    // Base64 of `client-id:client-secret-canary`.
    let expected = format!(
        "POST /grid/v1/auth/sessions/Session:a/refresh HTTP/1.1\r\n\
         grid-wallet-signature: stamp\r\n\
         idempotency-key: key\r\n\
         request-id: Request:1\r\n\
         content-type: application/json\r\n\
         accept: application/json\r\n\
         authorization: Basic Y2xpZW50LWlkOmNsaWVudC1zZWNyZXQtY2FuYXJ5\r\n\
         host: {address}\r\n\
         content-length: 3\r\n\r\n\
         {{ }}"
    );
    assert_eq!(got.await.unwrap(), expected);
}

#[tokio::test]
async fn values_of_forwarded_headers() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let too_long = "a".repeat(8193);
    for name in ["Grid-Wallet-Signature", "Idempotency-Key", "Request-Id"] {
        let values: [&[u8]; 7] = [
            b"",
            b"\xff",
            b"\xc3\xa9",
            b"a\0b",
            b"a\rb",
            b"a\r\n b",
            too_long.as_bytes(),
        ];
        for value in values {
            let header = [name.as_bytes(), b": ", value, b"\r\n\r\n"].concat();
            let bytes = [&request(REVOKE, "")[..], &header].concat();
            let answers = exchange(relay, &bytes).await;
            assert_eq!(answers.status(), 400, "{name} {value:?}");
        }
        let twice = format!("{name}: a\r\n{}: b\r\n\r\n", name.to_lowercase());
        let answers = exchange(relay, &request(REVOKE, &twice)).await;
        assert_eq!(answers.status(), 400, "{name}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

/// A request to this host, with these headers besides.
fn to_host(host: &str, headers: &str) -> Vec<u8> {
    let text = format!("{REVOKE}\r\n{host}X-User: alice\r\nConnection: close\r\n{headers}\r\n");
    text.into_bytes()
}

#[tokio::test]
async fn origins_that_are_not_listed() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let host = "Host: wallet.example\r\n";
    for origin in [
        "",
        "null",
        "wallet.example",
        "*",
        "https://",
        "http://wallet.example",
        "HTTPS://wallet.example",
        "https://WALLET.EXAMPLE",
        "https://wallet.example:443",
        "https://wallet.example:8443",
        "https://wallet.example.",
        "https://wallet.example/",
        "https://wallet.example.evil.example",
        "https://wallet.example@evil.example",
        "https://wallet.example%2eevil.example",
        "https://evilwallet.example",
        "https://a.wallet.example",
        "https://evil.example/https://wallet.example",
        "https://wallet.example https://evil.example",
        "https://wallet.example, https://evil.example",
        "https://evil.example",
    ] {
        let headers = format!("Origin: {origin}\r\n");
        let answers = exchange(relay, &to_host(host, &headers)).await;
        assert_eq!(answers.status(), 403, "{origin}");
    }
    let forwarded_host = "X-Forwarded-Host: wallet.example\r\nReferer: https://wallet.example/\r\n";
    let own = format!("Origin: {ORIGIN}\r\n");
    for headers in [
        "",
        forwarded_host,
        "Sec-Fetch-Site: same-origin\r\n",
        &[&own, "Origin: https://evil.example\r\n"].concat(),
        &["Origin: https://evil.example\r\n", &own].concat(),
        &[&*own, &*own].concat(),
    ] {
        let answers = exchange(relay, &to_host(host, headers)).await;
        assert_eq!(answers.status(), 403, "{headers}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(exchange(relay, &to_host(host, &own)).await.status(), 200);
}

/// Where no origins are listed, the relay goes by the host it was sent to, and so that has to be
/// beyond doubt.
#[tokio::test]
async fn hosts_that_are_beyond_doubt() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    let relay = relay.allowed_origins::<String>([]).router().unwrap();
    let relay = serve(relay).await;
    let own = format!("Origin: {ORIGIN}\r\n");
    for hosts in [
        "",
        "Host:\r\n",
        "Host: evil.example\r\n",
        "Host: wallet.example:8443\r\n",
        "Host: wallet.example.\r\n",
        "Host: wallet.example, evil.example\r\n",
        "Host: wallet.example@evil.example\r\n",
        "Host: wallet.example\r\nHost: evil.example\r\n",
        "Host: evil.example\r\nHost: wallet.example\r\n",
        "Host: wallet.example\r\nHost: wallet.example\r\n",
        "Host: evil.example\r\nX-Forwarded-Host: wallet.example\r\n",
        "X-Forwarded-Host: wallet.example\r\nForwarded: host=wallet.example\r\n",
    ] {
        let answers = exchange(relay, &to_host(hosts, &own)).await;
        assert_eq!(answers.status(), 403, "{hosts}");
    }
    // The host in the target is another than that of the header.
    let elsewhere = "DELETE http://evil.example/api/grid/auth/sessions/Session:a HTTP/1.1";
    for line in [elsewhere, &elsewhere.replace("evil", "evil.wallet")] {
        assert_eq!(exchange(relay, &request(line, "\r\n")).await.status(), 403);
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    for line in [REVOKE, &elsewhere.replace("evil", "wallet")] {
        assert_eq!(exchange(relay, &request(line, "\r\n")).await.status(), 200);
    }
}
