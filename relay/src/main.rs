//! The relay as a program, for development: everybody who reaches it is one configured customer,
//! and it listens on loopback only. A platform mounts the library behind its own login instead.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use gridkey_relay::{DevelopmentCustomer, Grid, Owned, OwnedResources, Relay, RelyingParty, User};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// For the head of a request, and for the next one on a connection that is kept open.
const HEAD_TIME_LIMIT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = setting("RELAY_LISTEN", "127.0.0.1:8788").parse()?;
    if !address.ip().is_loopback() {
        return Err("RELAY_LISTEN must be a loopback address: this program has no login".into());
    }
    let grid = Grid::new(
        &required("GRID_BASE_URL")?,
        &required("GRID_CLIENT_ID")?,
        &required("GRID_CLIENT_SECRET")?,
        Duration::from_secs(number("GRID_TIME_LIMIT_SECONDS", 15)?),
    )?;
    let customer = DevelopmentCustomer {
        user: User::new(
            "development",
            setting("RELAY_USER_NAME", "Development customer"),
        ),
        owned: Owned {
            account_ids: vec![required("GRID_ACCOUNT_ID")?],
            agent_ids: list("GRID_AGENT_ID"),
            card_funding_source_ids: list("GRID_CARD_FUNDING_SOURCE_ID"),
            card_ids: list("GRID_CARD_ID"),
            customer_ids: list("GRID_CUSTOMER_ID"),
            external_account_ids: list("GRID_EXTERNAL_ACCOUNT_ID"),
        },
    };
    let relying_party = RelyingParty {
        id: setting("RELAY_RP_ID", "localhost"),
        name: setting("RELAY_RP_NAME", "gridkey relay"),
    };
    let own_origins = format!("http://{address} http://localhost:{}", address.port());
    let origins = setting("RELAY_ORIGINS", &own_origins);

    let authorizer = OwnedResources::new(grid.clone(), customer.clone());
    let mut relay = Relay::builder(grid, customer, authorizer, relying_party)
        .allowed_origins(origins.split_ascii_whitespace())
        .agent_operations(setting("RELAY_AGENT_OPERATIONS", "off") == "on")
        .delegated_keys(setting("RELAY_DELEGATED_KEYS", "off") == "on");
    if let Some(requests) = optional_number("RELAY_MAX_REQUESTS")? {
        relay = relay.max_concurrent_requests(requests);
    }
    if let Some(requests) = optional_number("RELAY_MAX_REQUESTS_PER_OPERATION")? {
        relay = relay.max_concurrent_requests_per_operation(requests);
    }
    if let Some(requests) = optional_number("RELAY_MAX_REQUESTS_PER_CUSTOMER")? {
        relay = relay.max_concurrent_requests_per_user(requests);
    }
    if let Ok(secret) = env::var("RELAY_USER_ID_SECRET") {
        relay = relay.user_id_secret(secret);
    }
    let app: Router = Router::new().nest("/api/grid", relay.router()?);

    let listener = TcpListener::bind(address).await?;
    tracing::warn!("for development: whoever reaches this relay is the one configured customer");
    tracing::info!("the relay is at http://{}/api/grid", listener.local_addr()?);
    serve_connections(listener, app).await;
    Ok(())
}

/// What `axum::serve` does, with a limit on the time that a request's head may take. Until Ctrl-C, and
/// then until what is under way has been answered.
async fn serve_connections(mut listener: TcpListener, app: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_LIMIT);
    let connections = GracefulShutdown::new();
    let mut interrupted = pin!(interrupted());
    loop {
        let stream = tokio::select! {
            (stream, _) = Listener::accept(&mut listener) => stream,
            () = &mut interrupted => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // The client hung up, was too slow, or sent what is no HTTP: it has been answered that.
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}

async fn interrupted() {
    // Without a signal handler the program is ended by the signal itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The words of a setting, of which there may be none.
fn list(name: &str) -> Vec<String> {
    let words = setting(name, "");
    words.split_ascii_whitespace().map(str::to_owned).collect()
}

fn optional_number<N: FromStr>(name: &str) -> Result<Option<N>, String> {
    let Ok(text) = env::var(name) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| format!("{name} is not a number"))
}

fn number<N: FromStr>(name: &str, default: N) -> Result<N, String> {
    Ok(optional_number(name)?.unwrap_or(default))
}
