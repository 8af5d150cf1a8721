//! What holds the promises of `SECURITY.md` and takes longer than the test suite may. The last line of
//! each part's output has the figures that `docs/assurance.md` quotes.

use anyhow::{Result, ensure};

use crate::{
    build, fuzz, load,
    parts::{self, Part, last_line, tests_passed},
    setup,
    shell::Shell,
};

pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "curve",
        description: "the curve against RustCrypto's, at length",
        needs: &[setup::rust],
        run: |shell| {
            let mut tests = shell.command("cargo test --package gridkey --lib p256");
            shell.run(tests.env("P256_ROUNDS", "60"))
        },
        result: tests_passed,
    },
    Part {
        name: "timing",
        description: "whether the time of signing and opening tells anything of a key",
        needs: &[setup::rust],
        run: |shell| shell.run(&mut shell.command("cargo run --release --package gridkey-timing")),
        result: last_line,
    },
    Part {
        name: "interop",
        description: "the npm package and its peers on each other's keys and texts, at length",
        needs: &[setup::package_tools, setup::interop],
        run: |shell| parts::interop(shell, 2000, 40),
        result: last_line,
    },
    Part {
        name: "soak",
        description: "customers in bad weather, and one instance of the package for long",
        needs: &[setup::package_tools],
        run: soak,
        result: soaked,
    },
    Part {
        name: "load",
        description: "the relay under load, before Grids that are well and that are not",
        needs: load::NEEDS,
        run: load::run,
        result: last_line,
    },
    Part {
        name: "memory",
        description: "what is left of secrets in the package's memory, in more failures and after 1,000 rounds",
        needs: parts::BROWSER_NEEDS,
        run: |shell| parts::memory(shell, 1000, 2),
        result: parts::figures,
    },
    Part {
        name: "fuzz",
        description: "each fuzz target over its corpus, and on for half a minute",
        needs: &[setup::fuzz],
        run: |shell| fuzz::run(shell, 30, &[]),
        result: last_line,
    },
];

/// The commands that take longer.
pub(crate) const LONGER: &str = "\
cargo xtask fuzz --seconds 600   ten minutes of each fuzz target
cargo xtask mutants              faults put into the code that refuses things, each of which a test must notice";

fn soak(shell: &Shell) -> Result<()> {
    let mut rounds = shell.command("cargo test --package gridkey --test soak -- --nocapture");
    shell.run(rounds.env("SOAK_ROUNDS", "1000"))?;
    build::package(shell)?;
    let mut operations = shell.command("node --test --test-reporter=spec tests/node/flat.test.mjs");
    shell.run(operations.env("FLAT_OPERATIONS", "10000"))
}

/// What both have counted.
fn soaked(output: &str) -> Result<String> {
    tests_passed(output)?;
    let counted: Vec<_> = output
        .lines()
        .filter_map(|line| line.strip_prefix("soak: "))
        .collect();
    ensure!(counted.len() == 2, "not both have said what they did");
    Ok(counted.join("; "))
}
