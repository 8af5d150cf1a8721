//! The relay as a program, for development: everybody who reaches it is one configured customer,
//! and it listens on loopback only. A platform mounts the library behind its own login instead.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use gridkey_relay::{DevelopmentCustomer, Grid, Owned, OwnedResources, Relay, RelyingParty, User};
use tokio::net::TcpListener;

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
        Duration::from_secs(15),
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
    if let Ok(secret) = env::var("RELAY_USER_ID_SECRET") {
        relay = relay.user_id_secret(secret);
    }
    let app: Router = Router::new().nest("/api/grid", relay.router()?);

    let listener = TcpListener::bind(address).await?;
    tracing::warn!("for development: whoever reaches this relay is the one configured customer");
    tracing::info!("the relay is at http://{}/api/grid", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            // Without a signal handler the program is ended by the signal itself.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;
    Ok(())
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
