//! How much is under way at once, and what becomes of it when the client goes.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use gridkey_relay::{Decision, Grid};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{
    Always, Answer, CLIENT_ID, CLIENT_SECRET, Mounted, Upstream, builder, post_of, request_of,
};
use crate::wire::{request, serve};

/// A Grid that answers nobody until it is told to, by 204.
struct Stalled {
    base_url: String,
    go: watch::Sender<bool>,
    /// The requests it has, and the connections that are open.
    requests: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Stalled {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (go, told) = watch::channel(false);
        let (requests, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, opened) = (requests.clone(), open.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, SeqCst);
                let (mut told, counted, opened) = (told.clone(), counted.clone(), opened.clone());
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    while let Ok(1..) = stream.read(&mut buffer).await {
                        counted.fetch_add(1, SeqCst);
                        let hung_up = async { stream.readable().await };
                        tokio::select! {
                            _ = told.wait_for(|go| *go) => {}
                            _ = hung_up => continue,
                        }
                        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                        let _ = stream.write_all(answer).await;
                    }
                    opened.fetch_sub(1, SeqCst);
                });
            }
        });
        Self {
            base_url,
            go,
            requests,
            open,
        }
    }

    fn grid(&self, time_limit: Duration) -> Grid {
        Grid::new(&self.base_url, CLIENT_ID, CLIENT_SECRET, time_limit).unwrap()
    }

    async fn has(&self, requests: usize) {
        eventually(|| self.requests.load(SeqCst) == requests).await;
    }

    async fn has_open(&self, connections: usize) {
        eventually(|| self.open.load(SeqCst) == connections).await;
    }
}

async fn eventually(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const LONG: Duration = Duration::from_secs(60);

fn revoke(user: &str) -> axum::http::Request<axum::body::Body> {
    let path = format!("/auth/sessions/Session:{user}");
    request_of(user, Method::DELETE, &path)
        .body(axum::body::Body::empty())
        .unwrap()
}

fn refresh(user: &str) -> axum::http::Request<axum::body::Body> {
    let path = format!("/auth/sessions/Session:{user}/refresh");
    post_of(user, &path, &json!({ "clientPublicKey": "02" }))
}

#[track_caller]
fn assert_later(answer: &Answer, status: u16, code: &str) {
    answer.assert_refused(status, code);
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_once() {
    let grid = Stalled::start().await;
    let relay = builder(grid.grid(LONG), Always::new(Ok(Decision::Allow)))
        .max_concurrent_requests(5)
        .max_concurrent_requests_per_operation(3)
        .max_concurrent_requests_per_user(2);
    let relay = Arc::new(Mounted::nested(relay.router().unwrap()));
    let mut under_way = Vec::new();
    let begin = |request| {
        let relay = Arc::clone(&relay);
        tokio::spawn(async move { relay.send(request).await.status })
    };
    for user in ["a", "a", "b"] {
        under_way.push(begin(revoke(user)));
    }
    grid.has(3).await;

    // The customer, the operation, all.
    assert_later(&relay.send(refresh("a")).await, 429, "RATE_LIMITED");
    assert_later(&relay.send(revoke("c")).await, 503, "INTERNAL_ERROR");
    under_way.push(begin(refresh("b")));
    under_way.push(begin(refresh("c")));
    grid.has(5).await;
    assert_later(&relay.send(refresh("d")).await, 503, "INTERNAL_ERROR");
    // Who is not signed in takes no place, and is told so all the same.
    let mut stranger = refresh("d");
    stranger.headers_mut().remove("x-user");
    assert_eq!(relay.send(stranger).await.status, 401);
    assert_eq!(grid.requests.load(SeqCst), 5);

    grid.go.send(true).unwrap();
    for request in under_way {
        assert_eq!(request.await.unwrap(), 204);
    }
    for user in ["a", "b", "c", "d"] {
        assert_eq!(relay.send(refresh(user)).await.status, 204, "{user}");
        assert_eq!(relay.send(revoke(user)).await.status, 204, "{user}");
    }
}

#[tokio::test]
async fn a_grid_that_stalls_costs_its_time_limit_and_no_more() {
    let grid = Stalled::start().await;
    let limit = Duration::from_millis(500);
    let relay = builder(grid.grid(limit), Always::new(Ok(Decision::Allow)))
        .max_concurrent_requests_per_user(100);
    let relay = Arc::new(Mounted::nested(relay.router().unwrap()));
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let relay = Arc::clone(&relay);
            tokio::spawn(async move { relay.send(refresh("a")).await })
        })
        .collect();
    for request in requests {
        request.await.unwrap().assert_refused(504, "INTERNAL_ERROR");
    }
    // The connections are closed, and the places free.
    grid.has_open(0).await;
    grid.go.send(true).unwrap();
    assert_eq!(relay.send(refresh("a")).await.status, 204);
}

/// The bytes of a request that stays under way until Grid answers or the client goes.
fn bytes_of(first_line: &str, body: &str) -> Vec<u8> {
    let rest = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    request(first_line, if body.is_empty() { "\r\n" } else { &rest })
}

#[tokio::test]
async fn a_client_that_goes_leaves_its_place() {
    let grid = Stalled::start().await;
    let relay = builder(grid.grid(LONG), Always::new(Ok(Decision::Allow)))
        .max_concurrent_requests(1)
        .router()
        .unwrap();
    let address = serve(relay.clone()).await;
    let relay = Mounted::nested(relay);
    let bytes = bytes_of("DELETE /api/grid/auth/sessions/Session:a HTTP/1.1", "");
    for round in 1..=3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        grid.has(round).await;
        assert_later(&relay.send(revoke("b")).await, 503, "INTERNAL_ERROR");
        drop(stream);
        // Its request at Grid is given up with it.
        grid.has_open(0).await;
    }
    grid.go.send(true).unwrap();
    assert_eq!(relay.send(revoke("b")).await.status, 204);
}

#[tokio::test]
async fn the_platform_hears_of_a_session_whose_page_has_gone() {
    let upstream = Upstream::start().await;
    upstream.will_wait(Duration::from_millis(300));
    upstream.will_answer(axum::Json(json!({ "id": "Session:new" })));
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let hearing = heard.clone();
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow))).on_verified(
        move |user, session| {
            let hearing = hearing.clone();
            async move {
                let line = format!("{} {}", user.id, session["id"].as_str().unwrap());
                hearing.lock().unwrap().push(line);
            }
        },
    );
    let address = serve(relay.router().unwrap()).await;
    let line = "POST /api/grid/auth/credentials/AuthMethod:a/verify HTTP/1.1";
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = r#"{"type":"PASSKEY"}"#;
    stream.write_all(&bytes_of(line, body)).await.unwrap();
    eventually(|| upstream.seen().len() == 1).await;
    drop(stream);
    eventually(|| !heard.lock().unwrap().is_empty()).await;
    assert_eq!(*heard.lock().unwrap(), ["alice Session:new"]);
}

/// A platform that never gets done with what it hears takes nobody's place.
#[tokio::test]
async fn a_platform_that_is_slow_to_hear_takes_no_place() {
    let upstream = Upstream::start().await;
    upstream.will_answer(axum::Json(json!({ "id": "Session:new" })));
    let heard = Arc::<AtomicUsize>::default();
    let hearing = heard.clone();
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)))
        .max_concurrent_requests(1)
        .on_verified(move |_, _| {
            hearing.fetch_add(1, SeqCst);
            std::future::pending::<()>()
        });
    let address = serve(relay.router().unwrap()).await;
    let line = "POST /api/grid/auth/credentials/AuthMethod:a/verify HTTP/1.1";
    let mut streams = Vec::new();
    for sign_ins in 1..=3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = r#"{"type":"PASSKEY"}"#;
        stream.write_all(&bytes_of(line, body)).await.unwrap();
        streams.push(stream);
        eventually(|| heard.load(SeqCst) == sign_ins).await;
    }
}
