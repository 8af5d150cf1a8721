//! The package in the environments that it is for: bundlers, frameworks, test runners, Node.js and
//! pages. What each is to do is in `tests/packaging`.

use anyhow::Result;

use crate::{build, newcomer, setup, shell::Shell};

/// What the projects need; each brings its own packages.
pub(crate) const NEEDS: &[fn(&Shell) -> Result<()>] = &[
    setup::package_tools,
    setup::browser,
    setup::browser_test_tools,
];

/// All environments, or those of these names, in a table; and then what a newcomer does.
pub(crate) fn run(shell: &Shell, names: &[&str]) -> Result<()> {
    NEEDS.iter().try_for_each(|install| install(shell))?;
    let (newcomer, environments): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| **name == "newcomer");
    if names.is_empty() || !environments.is_empty() {
        run_prepared(shell, &environments)?;
    }
    if names.is_empty() || !newcomer.is_empty() {
        newcomer::run(shell)?;
    }
    Ok(())
}

/// Those that are a part of the test suite: neither big nor slow.
pub(crate) fn quick(shell: &Shell) -> Result<()> {
    run_prepared(shell, &["--quick"])
}

fn run_prepared(shell: &Shell, arguments: &[&str]) -> Result<()> {
    build::package(shell)?;
    shell.run(
        shell
            .command("node tests/packaging/run.mjs")
            .args(arguments)
            .env("PACKAGING_DIRECTORY", shell.target.join("packaging"))
            .env("CHROMIUM", setup::chromium(shell)?),
    )
}
