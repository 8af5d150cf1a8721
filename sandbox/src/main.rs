//! Serves a sandbox: `gridkey-sandbox [--port <port>]`. Prints its address; port 0 is a free one.

#![forbid(unsafe_code)]

use std::{env, error::Error, io::Write, net::Ipv4Addr};

use gridkey_sandbox::{Sandbox, SandboxOptions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => 0,
        [flag, port] if flag == "--port" => port.parse()?,
        _ => return Err("usage: gridkey-sandbox [--port <port>]".into()),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let router = Sandbox::new(SandboxOptions::default()).router();
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            // Without a signal handler the default action ends the process just as well.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
