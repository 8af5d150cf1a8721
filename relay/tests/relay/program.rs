//! The program, which has a server of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ALICE_ACCOUNT, ORIGIN, Upstream};
use crate::wire::exchange;

/// Ends when it is dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(upstream: &Upstream) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gridkey-relay"))
            .env(
                "GRID_BASE_URL",
                format!("http://{}/grid/2025-10-13", upstream.address),
            )
            .env("GRID_CLIENT_ID", "id")
            .env("GRID_CLIENT_SECRET", "secret")
            .env("GRID_ACCOUNT_ID", ALICE_ACCOUNT)
            .env("RELAY_LISTEN", "127.0.0.1:0")
            .env("RELAY_ORIGINS", ORIGIN)
            .env("RELAY_USER_ID_SECRET", "a secret of more than 16 bytes")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("the relay is at http://")?;
            rest.strip_suffix("/api/grid")?.parse().ok()
        });
        // It must be able to go on writing.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.unwrap(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn list_to(hosts: &str) -> String {
    format!(
        "GET /api/grid/auth/sessions?accountId={ALICE_ACCOUNT} HTTP/1.1\r\n{hosts}\
         Connection: close\r\n\r\n"
    )
}

/// DNS rebinding: a page elsewhere gives its own name this machine's address.
#[tokio::test]
async fn names_that_are_not_of_this_machine() {
    let upstream = Upstream::start().await;
    let program = Program::start(&upstream);
    for hosts in [
        "",
        "Host:\r\n",
        "Host: evil.example\r\n",
        "Host: evil.example:8788\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: localhost:8788.evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: 127.0.0.1:8788@evil.example\r\n",
        "Host: evil.example#localhost\r\n",
        "Host: localhost, evil.example\r\n",
        "Host: localhosts\r\n",
        "Host: 0.0.0.0\r\n",
        "Host: 10.0.0.1\r\n",
        "Host: [::2]\r\n",
        "Host: evil.example\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost\r\nHost: localhost\r\n",
        "Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
    ] {
        let answers = exchange(program.address, list_to(hosts).as_bytes()).await;
        assert_eq!(answers.status(), 401, "{hosts}");
    }
    let elsewhere = list_to("Host: localhost\r\n").replace("/api", "http://evil.example/api");
    let answers = exchange(program.address, elsewhere.as_bytes()).await;
    assert_eq!(answers.status(), 401);
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    for host in ["localhost", "LocalHost:8788", "127.0.0.1:1", "[::1]"] {
        let list = list_to(&format!("Host: {host}\r\n"));
        let answers = exchange(program.address, list.as_bytes()).await;
        assert_eq!(answers.status(), 200, "{host}");
    }
}

/// Clients that keep connections without ever having asked something, in the ways there are.
#[tokio::test]
async fn heads_that_trickle() {
    let upstream = Upstream::start().await;
    let program = Program::start(&upstream);
    let address = program.address;
    let list = list_to("Host: localhost\r\n");
    let kept_open = list.replace("Connection: close\r\n", "");
    let begin = Instant::now();
    let mut clients = Vec::new();
    for (first, again) in [
        // Nothing at all; half a line; header after header; after a request that was answered.
        ("", ""),
        ("GET /api/grid/auth", ""),
        ("GET /api/grid/auth", "a"),
        (list.trim_end(), "\r\nX: 1"),
        (&kept_open, ""),
        (&kept_open, "GET /api/grid/auth/sessions/a"),
    ] {
        let (first, again) = (first.to_owned(), again.to_owned());
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(first.as_bytes()).await.unwrap();
            let (mut read, mut write) = stream.into_split();
            let sending = tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    if write.write_all(again.as_bytes()).await.is_err() {
                        // The other half is still reading.
                        std::future::pending::<()>().await;
                    }
                }
            });
            let mut buffer = [0; 4096];
            while let Ok(1..) = read.read(&mut buffer).await {}
            sending.abort();
            (first, begin.elapsed())
        }));
    }
    // Others are served meanwhile.
    assert_eq!(exchange(address, list.as_bytes()).await.status(), 200);
    for client in clients {
        let ended = tokio::time::timeout(Duration::from_secs(60), client).await;
        let (first, after) = ended.expect("the connection stays open").unwrap();
        assert!(after > Duration::from_secs(9), "{first:?}: {after:?}");
        assert!(after < Duration::from_secs(40), "{first:?}: {after:?}");
    }
}
