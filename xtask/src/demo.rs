//! The login page, its relay and a Grid, on one loopback port.
//!
//! | path | what |
//! |---|---|
//! | `/` | the page |
//! | `/config.json` | whose wallet it shows, and which enclaves it trusts |
//! | `/api/grid` | the relay |
//! | `/grid` | the sandbox, unless the environment names another Grid |

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
};

use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    http::{HeaderValue, header::CACHE_CONTROL},
    routing::get,
};
use gridkey_sandbox::{OTP_CODE, SCA_CODE, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};
use tower_http::{services::ServeDir, set_header::SetResponseHeader};
use tracing_subscriber::filter::LevelFilter;

use crate::{build, grid::Grid, setup, shell::Shell};

/// Builds everything and serves it until Ctrl-C.
pub(crate) fn run(shell: &Shell, port: u16) -> Result<()> {
    let backend = match Grid::from_environment()? {
        Some(grid) => Backend::Grid(Box::new(grid)),
        None => Backend::Sandbox(Sandbox::new(SandboxOptions::default())),
    };
    setup::package_tools(shell)?;
    build_page(shell)?;

    // What goes wrong between relay and Grid.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .init();
    let runtime = Runtime::new()?;
    let is_sandbox = matches!(backend, Backend::Sandbox(_));
    let demo = runtime.block_on(Demo::start(backend, port, login_page(shell)))?;
    shell.say(format_args!("\nThe login page is at\n\n    {}\n", demo.url))?;
    shell.say(
        "Pages of your own can proxy /api/grid and /config.json there, with changeOrigin: false: \
         see docs/newcomer.md.",
    )?;
    if is_sandbox {
        shell.say(format_args!(
            "Its Grid is a sandbox: the code is always {OTP_CODE}, and that of a payment {SCA_CODE}."
        ))?;
    }
    shell.say("Ctrl-C ends it.")?;
    Ok(runtime.block_on(tokio::signal::ctrl_c())?)
}

/// Builds everything and serves it with `sandbox` on a free port while `client`, which gets the
/// page's address, runs.
pub(crate) fn run_for(
    shell: &Shell,
    sandbox: &Sandbox,
    client: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    build_page(shell)?;
    serve_for(sandbox, login_page(shell), client)
}

/// As [`run_for`], for clients with a page of their own: it does not build this one.
pub(crate) fn run_servers_for(
    shell: &Shell,
    sandbox: &Sandbox,
    client: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    serve_for(sandbox, login_page(shell), client)
}

/// As [`run_for`], with the package itself at `/pkg`, and the files of `directory`, in place of the
/// login page.
pub(crate) fn run_package_for(
    shell: &Shell,
    sandbox: &Sandbox,
    directory: &str,
    client: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    build::package(shell)?;
    let pages = Router::new()
        .nest_service("/pkg", ServeDir::new(shell.root.join("pkg")))
        .fallback_service(ServeDir::new(shell.root.join(directory)));
    serve_for(sandbox, pages, client)
}

fn serve_for(
    sandbox: &Sandbox,
    pages: Router,
    client: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    let runtime = Runtime::new()?;
    let backend = Backend::Sandbox(sandbox.clone());
    let demo = runtime.block_on(Demo::start(backend, 0, pages))?;
    client(&demo.url)
}

/// The page, with the package as npm installs it.
fn build_page(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    setup::packages_with_gridkey(shell, "www")?;
    let www = shell.root.join("www");
    shell.run(shell.command("npm run --silent build").current_dir(www))
}

fn login_page(shell: &Shell) -> Router {
    Router::new().fallback_service(ServeDir::new(shell.root.join("www/dist")))
}

enum Backend {
    Sandbox(Sandbox),
    Grid(Box<Grid>),
}

/// Serves until it is dropped.
struct Demo {
    url: String,
    _servers: JoinSet<io::Result<()>>,
}

impl Demo {
    async fn start(backend: Backend, port: u16, pages: Router) -> Result<Self> {
        let (listeners, port) = listen(port).await?;
        // WebAuthn wants a host that has a name.
        let url = format!("http://localhost:{port}/");

        let mut app = Router::new();
        let (grid, more) = match backend {
            Backend::Grid(grid) => (*grid, Value::Null),
            Backend::Sandbox(sandbox) => {
                app = app.nest("/grid", sandbox.router());
                let grid = Grid::sandbox(&sandbox, format!("http://127.0.0.1:{port}/grid"))?;
                (grid, of_sandbox(&sandbox))
            }
        };
        let config = Json(with_members(grid.page_config(), more));
        let pages = SetResponseHeader::overriding(
            pages,
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        );
        let app = app
            .nest("/api/grid", grid.relay()?)
            .route("/config.json", get(|| async { config }))
            .fallback_service(pages);

        let mut servers = JoinSet::new();
        for listener in listeners {
            servers.spawn(axum::serve(listener, app.clone()).into_future());
        }
        Ok(Self {
            url,
            _servers: servers,
        })
    }
}

/// What a page of the sandbox's first customer is told beside the rest: what the platform knows of
/// the wallet, and where the identity provider is.
fn of_sandbox(sandbox: &Sandbox) -> Value {
    let organization_id = sandbox
        .customers()
        .into_iter()
        .next()
        .map(|customer| customer.organization_id);
    json!({
        "organizationId": organization_id,
        "oauth": {
            "name": "Sandbox sign-in",
            "authorizeUrl": "/grid/sandbox/oidc/authorize",
            "clientId": "gridkey-demo",
        },
    })
}

fn with_members(mut object: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (object.as_object_mut(), more) {
        members.extend(more);
    }
    object
}

/// `localhost` is an IPv4 address to some and an IPv6 address to others. Port 0 is any free one.
async fn listen(port: u16) -> Result<(Vec<TcpListener>, u16)> {
    let taken = || format!("port {port} cannot be used; --port N takes another");
    let ipv4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(taken)?;
    let port = ipv4.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(ipv6) => Ok((vec![ipv4, ipv6], port)),
        // This machine has no IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => Ok((vec![ipv4], port)),
        Err(error) => Err(error).with_context(taken),
    }
}
