//! Whether `docs/newcomer.md` is true: does what it says, from an empty directory to signed in.

use anyhow::Result;
use gridkey_sandbox::{Sandbox, SandboxOptions};

use crate::{build, demo, setup, shell::Shell};

/// Needs what the other environments need.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    let tarball = build::pack(shell)?;
    let chromium = setup::chromium(shell)?;
    demo::run_for(shell, &Sandbox::new(SandboxOptions::default()), |url| {
        shell.run(
            shell
                .command("node tests/packaging/newcomer.mjs")
                .env("GRIDKEY_DEMO_URL", url)
                .env("GRIDKEY_TARBALL", &tarball)
                .env("CHROMIUM", &chromium),
        )
    })
}
