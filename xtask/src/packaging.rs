//! The package in the environments that it is for: bundlers, frameworks, test runners, Node.js and
//! pages. What each is to do is in `tests/packaging`.

use anyhow::Result;

use crate::{build, setup, shell::Shell};

/// What the projects need; each brings its own packages.
pub(crate) const NEEDS: &[fn(&Shell) -> Result<()>] = &[
    setup::package_tools,
    setup::browser,
    setup::browser_test_tools,
];

/// All environments, or those of these names, in a table.
pub(crate) fn run(shell: &Shell, names: &[&str]) -> Result<()> {
    NEEDS.iter().try_for_each(|install| install(shell))?;
    run_prepared(shell, names)
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
