//! The relay program under load: what happens is in `tests/load`.

use anyhow::{Context as _, Result, ensure};
use gridkey_sandbox::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Sandbox, SandboxOptions};
use serde_json::json;

use crate::{setup, shell::Shell};

/// What the load needs before its time is taken.
pub(crate) const NEEDS: &[fn(&Shell) -> Result<()>] = &[setup::rust, setup::load_generator, build];

/// Prints a table; what has to hold and does not is an error.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let sandbox = Sandbox::new(SandboxOptions::default());
    let customer = sandbox.customers().into_iter().next();
    let customer = customer.context("no customer is seeded")?;
    let customer = json!({
        "accountId": customer.account_id,
        "customerId": customer.customer_id,
    });
    let programs = shell.target.join(PROFILE);
    shell.run(
        shell
            .command("node tests/load/run.mjs")
            .env("RELAY_PROGRAM", programs.join("gridkey-relay"))
            .env("SANDBOX_PROGRAM", programs.join("gridkey-sandbox"))
            .env("GRID_CLIENT_ID", DEFAULT_CLIENT_ID)
            .env("GRID_CLIENT_SECRET", DEFAULT_CLIENT_SECRET)
            .env("GRID_CUSTOMER", customer.to_string()),
    )
}

/// The two programs, optimised as servers are.
fn build(shell: &Shell) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "the load needs Linux: memory and open files are read from /proc"
    );
    // One after the other, so that neither gets the other's features: the sandbox's validation of all
    // traffic would be the slowest of all.
    for package in ["gridkey-relay", "gridkey-sandbox --no-default-features"] {
        let command = format!("cargo build --quiet --profile {PROFILE} --bins --package {package}");
        shell.run(&mut shell.command(&command))?;
    }
    Ok(())
}

const PROFILE: &str = "load";
