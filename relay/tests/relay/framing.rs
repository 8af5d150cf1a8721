//! Where a request ends. What one server takes for a body and another for the next request is a
//! request in somebody else's name.

use std::time::Duration;

use gridkey_relay::Decision;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Always, ORIGIN, Upstream, builder};
use crate::wire::{Answers, exchange, read_to_end, serve, serve_allowing};

/// The request that must not be found in the body of another.
const SMUGGLED: &str = "DELETE /api/grid/auth/sessions/Session:smuggled HTTP/1.1\r\n\
    Host: wallet.example\r\nOrigin: https://wallet.example\r\nX-User: alice\r\n\
    Connection: close\r\n\r\n";

/// A refresh on a connection that stays open, with these headers and this body.
fn refresh(headers: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "POST /api/grid/auth/sessions/Session:a/refresh HTTP/1.1\r\nHost: wallet.example\r\n\
         Origin: {ORIGIN}\r\nX-User: alice\r\nContent-Type: application/json\r\n{headers}\r\n\r\n\
         {body}"
    );
    text.into_bytes()
}

fn is_smuggled(upstream: &Upstream) -> bool {
    let seen = upstream.seen();
    seen.iter().any(|seen| {
        seen.path_and_query.contains("smuggled")
            || seen.body.windows(8).any(|bytes| bytes == b"smuggled")
    })
}

#[tokio::test]
async fn lengths_that_say_two_things() {
    let chunked = format!("2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
    let counted = format!("{{}}{SMUGGLED}");
    let length = counted.len();
    for (headers, body) in [
        // Both ways of saying it, in both orders. The chunks count, and then the connection ends.
        (
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            &chunked,
        ),
        (
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
            &chunked,
        ),
        (
            "Content-Length: 2\r\nTransfer-Encoding: chunked".into(),
            &chunked,
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked".into(),
            &chunked,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: nonsense".into(),
            &chunked,
        ),
        (
            format!(
                "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive"
            ),
            &chunked,
        ),
        // Two lengths.
        (
            format!("Content-Length: 2\r\nContent-Length: {length}"),
            &counted,
        ),
        (
            format!("Content-Length: {length}\r\nContent-Length: 2"),
            &counted,
        ),
        (format!("Content-Length: 2, {length}"), &counted),
        ("Content-Length: 2, 2".into(), &counted),
        // No length.
        ("Content-Length: +2".into(), &counted),
        ("Content-Length: -2".into(), &counted),
        ("Content-Length: 0x2".into(), &counted),
        ("Content-Length: 2.0".into(), &counted),
        ("Content-Length: 2 2".into(), &counted),
        ("Content-Length:".into(), &counted),
        ("Content-Length: 18446744073709551616".into(), &counted),
        ("Content-Length: 18446744073709551618".into(), &counted),
        ("Content-Length : 2".into(), &counted),
        ("Content-Length\0: 2".into(), &counted),
        // Encodings that are chunks to some.
        ("Transfer-Encoding: xchunked".into(), &chunked),
        ("Transfer-Encoding: chunkedx".into(), &chunked),
        ("Transfer-Encoding: identity".into(), &chunked),
        ("Transfer-Encoding: chunked, identity".into(), &chunked),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),
            &chunked,
        ),
        ("Transfer-Encoding: \"chunked\"".into(), &chunked),
        ("Transfer-Encoding: chunked;q=1".into(), &chunked),
        ("Transfer-Encoding: \x0bchunked".into(), &chunked),
        ("Transfer-Encoding: chunked\0".into(), &chunked),
        ("Transfer-Encoding : chunked".into(), &chunked),
        ("Transfer-Encoding\t: chunked".into(), &chunked),
        (" Transfer-Encoding: chunked".into(), &chunked),
        ("Transfer-Encoding:\r\n chunked".into(), &chunked),
        ("Transfer-Encoding: chunked\r\n , identity".into(), &chunked),
        ("X: 1\rTransfer-Encoding: chunked".into(), &chunked),
        ("X: 1\r\n\rTransfer-Encoding: chunked".into(), &chunked),
        (":Transfer-Encoding: chunked".into(), &chunked),
        ("Transfer-Encoding chunked".into(), &chunked),
    ] {
        let upstream = Upstream::start().await;
        let relay = serve_allowing(&upstream).await;
        let answers = exchange(relay, &refresh(&headers, body)).await;
        // One answer, and the end of the connection.
        assert!(
            matches!(answers.status(), 200 | 400),
            "{headers:?}: {answers:?}"
        );
        assert!(!is_smuggled(&upstream), "{headers:?}: {answers:?}");
        // What was read as a request is the one that was written.
        for seen in upstream.seen() {
            assert_eq!(seen.body, "{}", "{headers:?}");
            assert_eq!(seen.headers["content-length"], "2", "{headers:?}");
            assert!(!seen.headers.contains_key("transfer-encoding"));
        }
    }
}

#[tokio::test]
async fn encodings_of_an_older_http() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let body = format!("2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
    let bytes = refresh("Transfer-Encoding: chunked", &body);
    let bytes = String::from_utf8(bytes).unwrap();
    let older = bytes.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let answers = exchange(relay, older.as_bytes()).await;
    assert_eq!(answers.status(), 400);
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

/// The same request that the attacks hide arrives if it is a request of its own: they would be seen.
#[tokio::test]
async fn requests_one_after_the_other() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    for (headers, body) in [
        ("Content-Length: 2", "{}"),
        ("Content-Length: 2\r\nContent-Length: 2", "{}"),
        ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
        (
            "Transfer-Encoding:\tCHUNKED ",
            "1;a=b\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        ),
    ] {
        let both = [&refresh(headers, body)[..], SMUGGLED.as_bytes()].concat();
        let answers = exchange(relay, &both).await;
        assert_eq!(answers.statuses(), [200, 200], "{headers}");
        let seen = upstream.seen();
        let [.., first, second] = seen.as_slice() else {
            panic!("{seen:?}");
        };
        assert_eq!(first.body, "{}");
        assert_eq!(second.path_and_query, "/auth/sessions/Session:smuggled");
    }
}

/// A request that is refused before its body is read: the body is not read as a request either.
#[tokio::test]
async fn bodies_of_refused_requests() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let body = format!("{SMUGGLED}{SMUGGLED}");
    let padded = format!("{}{SMUGGLED}", " ".repeat(200 * 1024));
    for body in [body, padded] {
        let whole = refresh(&format!("Content-Length: {}", body.len()), &body);
        let whole = String::from_utf8(whole).unwrap();
        for (from, to) in [
            ("X-User: alice", "X-None: alice"),
            ("Origin: https://wallet", "Origin: https://evil"),
            ("/refresh HTTP/1.1", "/unknown HTTP/1.1"),
            ("/refresh HTTP/1.1", " HTTP/1.1"),
            ("application/json", "text/plain"),
        ] {
            let refused = whole.replacen(from, to, 1);
            assert_ne!(refused, whole);
            // The relay may keep the connection for another request: this is it.
            let last = SMUGGLED.replace("smuggled", "last");
            let answers = exchange(relay, format!("{refused}{last}").as_bytes()).await;
            let statuses = answers.statuses();
            assert!(
                matches!(statuses.as_slice(), [] | [400..=499] | [400..=499, 200]),
                "{to}: {answers:?}"
            );
            assert!(!is_smuggled(&upstream), "{to}: {answers:?}");
        }
    }
}

#[tokio::test]
async fn chunks_that_are_none() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let long_extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(40_000));
    let many_extensions = format!("{}0\r\n\r\n", "1;aaaaaaaaaaaaaaa\r\n \r\n".repeat(4000));
    let many_trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "X: 1\r\n".repeat(5000));
    for body in [
        "x\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "10000000000000002\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r{}\r0\r\r",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}xx0\r\n\r\n",
        "2;a\n=b\r\n{}\r\n0\r\n\r\n",
        ";\r\n{}\r\n0\r\n\r\n",
        &long_extension,
        &many_extensions,
        &many_trailers,
    ] {
        let bytes = refresh("Transfer-Encoding: chunked", body);
        let answers = exchange(relay, &[&bytes[..], SMUGGLED.as_bytes()].concat()).await;
        assert_eq!(answers.status(), 400, "{body:.40}: {answers:?}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn heads_that_are_none() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let many = "X: 1\r\n".repeat(200);
    let long = format!("X: {}", "a".repeat(1024 * 1024));
    for (headers, status) in [
        ("X\0: 1", 400),
        ("X: a\0b", 400),
        ("X: a\rb", 400),
        ("X: a\r\n b", 400),
        ("X: a\r\n\tb", 400),
        ("X Y: 1", 400),
        ("X : 1", 400),
        ("(X): 1", 400),
        ("X", 400),
        (": 1", 400),
        (many.trim_end(), 431),
        (&long, 431),
    ] {
        let bytes = refresh(headers, SMUGGLED);
        let answers = exchange(relay, &bytes).await;
        // Of what is too long, the answer may be lost: it is still being sent.
        let statuses = answers.statuses();
        assert!(
            statuses == [status] || headers.len() > 1000 && statuses.is_empty(),
            "{headers:.40}: {answers:?}"
        );
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn bodies_that_are_packed() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    // `{}` as gzip has it.
    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    for encoding in ["gzip", "x-gzip", "deflate", "br", "identity"] {
        let headers = format!(
            "Content-Encoding: {encoding}\r\nContent-Length: {}\r\nConnection: close",
            packed.len()
        );
        let bytes = [&refresh(&headers, "")[..], packed].concat();
        assert_eq!(exchange(relay, &bytes).await.status(), 400, "{encoding}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn bodies_without_an_end() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let pad = " ".repeat(100 * 1024);
    let counted = refresh("Content-Length: 1000000000000", &pad);
    let chunk = format!("{:x}\r\n{pad}\r\n", pad.len());
    let chunked = refresh("Transfer-Encoding: chunked", &chunk);
    for bytes in [counted, chunked] {
        assert_eq!(exchange(relay, &bytes).await.status(), 413);
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn bodies_that_trickle() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)))
        .body_time_limit(Duration::from_millis(500));
    let relay = serve(relay.router().unwrap()).await;
    let mut clients = Vec::new();
    for headers in ["Content-Length: 60000", "Transfer-Encoding: chunked"] {
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(relay).await.unwrap();
            stream.write_all(&refresh(headers, "")).await.unwrap();
            trickle(stream, b"1\r\n \r\n").await
        }));
    }
    for client in clients {
        assert_eq!(client.await.unwrap().status(), 408);
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

/// Sends these bytes again and again until there is an answer.
async fn trickle(stream: TcpStream, bytes: &'static [u8]) -> Answers {
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        while write.write_all(bytes).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        write
    });
    let mut first = vec![0; 4096];
    let reading = tokio::time::timeout(Duration::from_secs(30), read.read(&mut first));
    let length = reading.await.unwrap().unwrap_or(0);
    sending.abort();
    first.truncate(length);
    Answers(String::from_utf8(first).unwrap())
}

/// Who has no login gets an answer, and not the leave to send a body.
#[tokio::test]
async fn bodies_that_are_not_wanted() {
    let upstream = Upstream::start().await;
    let relay = serve_allowing(&upstream).await;
    let head = refresh(
        "Content-Length: 100\r\nExpect: 100-continue\r\nConnection: close",
        "",
    );
    let stranger = String::from_utf8(head)
        .unwrap()
        .replace("X-User: alice\r\n", "");
    let mut stream = TcpStream::connect(relay).await.unwrap();
    stream.write_all(stranger.as_bytes()).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await.status(), 401);
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}
