//! Relays behind real sockets, and clients that send any bytes: an HTTP client would put right, or
//! refuse to send, what an attacker sends.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use gridkey_relay::Decision;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Always, ORIGIN, Upstream, builder};

/// Serves a router as a platform does.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().nest("/api/grid", router);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// A relay that allows everything: what it refuses, it refuses by itself.
pub async fn serve_allowing(upstream: &Upstream) -> SocketAddr {
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)))
        .agent_operations(true)
        .delegated_keys(true);
    serve(relay.router().unwrap()).await
}

/// A request of Alice's page: its first line, and the headers and body that follow those which it
/// needs. The connection ends with the answer.
pub fn request(first_line: &str, rest: &str) -> Vec<u8> {
    let head = format!(
        "{first_line}\r\nHost: wallet.example\r\nOrigin: {ORIGIN}\r\nX-User: alice\r\n\
         Connection: close\r\n"
    );
    [head.as_bytes(), rest.as_bytes()].concat()
}

/// Sends these bytes, and reads until the relay ends the connection.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Answers {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // What is too much is cut off while it is being sent.
    let _ = stream.write_all(bytes).await;
    read_to_end(&mut stream).await
}

pub async fn read_to_end(stream: &mut TcpStream) -> Answers {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    let reading = async {
        // A connection that is reset was ended as well.
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            read.extend_from_slice(&buffer[..length]);
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), reading).await;
    ended.expect("the relay keeps the connection open");
    Answers(String::from_utf8(read).unwrap())
}

/// All that a relay sent on one connection.
#[derive(Debug)]
pub struct Answers(pub String);

impl Answers {
    /// The status of each answer.
    pub fn statuses(&self) -> Vec<u16> {
        let answers = self.0.split("HTTP/1.1 ").skip(1);
        answers
            .map(|answer| answer.split(' ').next().unwrap().parse().unwrap())
            .collect()
    }

    /// That of the only answer.
    #[track_caller]
    pub fn status(&self) -> u16 {
        match self.statuses().as_slice() {
            [status] => *status,
            other => panic!("{other:?} in {}", self.0),
        }
    }
}
