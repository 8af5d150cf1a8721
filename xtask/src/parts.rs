//! The parts of the test suite, in the order in which they run.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use gridkey_sandbox::{Sandbox, SandboxOptions};

use crate::{
    build, demo, engines, fuzz, packaging, release,
    setup::{self, WASM_TARGET},
    shell::Shell,
    size, supply,
};

pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) needs: &'static [fn(&Shell) -> Result<()>],
    pub(crate) run: fn(&Shell) -> Result<()>,
    /// What to say of a part that succeeded with this output; an error if it was no success.
    pub(crate) result: fn(&str) -> Result<String>,
}

pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "fmt",
        description: "formatting",
        needs: &[setup::rust],
        run: fmt,
        result: nothing,
    },
    Part {
        name: "clippy",
        description: "lints, natively and for WebAssembly",
        needs: &[setup::rust],
        run: clippy,
        result: nothing,
    },
    Part {
        name: "native",
        description: "the workspace's tests that need no browser",
        needs: &[setup::rust],
        run: |shell| shell.run(&mut shell.command("cargo test --workspace --no-fail-fast")),
        result: tests_passed,
    },
    Part {
        name: "fuzz",
        description: "each fuzz target over its corpus, and on for ten seconds",
        needs: &[setup::fuzz],
        run: |shell| fuzz::run(shell, 10, &[]),
        result: last_line,
    },
    Part {
        name: "docs",
        description: "documentation without warnings",
        needs: &[setup::rust],
        run: docs,
        result: nothing,
    },
    Part {
        name: "supply",
        description: "lock files, versions, sources, licences, known faults",
        needs: &[setup::rust, setup::node, setup::cargo_deny],
        run: supply::run,
        result: last_line,
    },
    Part {
        name: "build",
        description: "the npm package",
        needs: &[setup::package_tools],
        run: build::package,
        result: nothing,
    },
    Part {
        name: "size",
        description: "what the package weighs, against its budget",
        needs: &[setup::package_tools, setup::peers],
        run: size::report,
        result: last_line,
    },
    Part {
        name: "wasm-node",
        description: "the crate's tests in WebAssembly, in Node.js",
        needs: &[setup::wasm_pack, setup::node],
        run: wasm_node,
        result: tests_passed,
    },
    Part {
        name: "wasm-chrome",
        description: "the crate's tests in WebAssembly, in Chromium",
        needs: &[setup::wasm_pack, setup::browser],
        run: wasm_chrome,
        result: tests_passed,
    },
    Part {
        name: "package",
        description: "the npm package's tests, in Node.js",
        needs: &[setup::package_tools],
        run: package,
        result: tests_passed,
    },
    Part {
        name: "vectors",
        description: "the published vectors through the npm package, in Chromium",
        needs: BROWSER_NEEDS,
        run: vectors,
        result: last_line,
    },
    Part {
        name: "interop",
        description: "the npm package and Turnkey's, noble and @hpke/core, on each other's keys and texts",
        needs: &[setup::package_tools, setup::interop],
        run: |shell| interop(shell, 320, 4),
        result: last_line,
    },
    Part {
        name: "testing",
        description: "what the package has for tests of pages, in Node.js, Vitest and Jest",
        needs: &[setup::package_tools, setup::test_runners],
        run: testing,
        result: tests_passed,
    },
    Part {
        name: "packaging",
        description: "the packed package in Vite, webpack, Node.js and a plain page",
        needs: packaging::NEEDS,
        run: packaging::quick,
        result: last_line,
    },
    Part {
        name: "e2e",
        description: "the login page in Chromium, with relay and sandbox",
        needs: BROWSER_NEEDS,
        run: e2e,
        result: tests_passed,
    },
    Part {
        name: "memory",
        description: "what is left of secrets in the package's memory, in Node.js and Chromium",
        needs: BROWSER_NEEDS,
        run: |shell| memory(shell, 60, 7),
        result: figures,
    },
    Part {
        name: "hostile",
        description: "whatever a page gives, breaks or answers, in Node.js and Chromium",
        needs: BROWSER_NEEDS,
        run: |shell| hostile(shell, "hostile", |_| {}),
        result: figures,
    },
    Part {
        name: "migration",
        description: "the hand-written code of Grid's documents, beside what takes its place",
        needs: &[setup::package_tools],
        run: migration,
        result: tests_passed,
    },
    Part {
        name: "examples",
        description: "the examples, by themselves and with relay and sandbox",
        needs: BROWSER_NEEDS,
        run: examples,
        result: tests_passed,
    },
];

/// The fuzz targets are a workspace of their own.
fn fmt(shell: &Shell) -> Result<()> {
    shell.run(&mut shell.command("cargo fmt --all --check"))?;
    shell.run(&mut shell.command("cargo fmt --all --check --manifest-path fuzz/Cargo.toml"))
}

fn clippy(shell: &Shell) -> Result<()> {
    let native = "cargo clippy --workspace --all-targets";
    let wasm = format!("cargo clippy --package gridkey --lib --tests --target {WASM_TARGET}");
    for command in [native, &wasm] {
        shell.run(shell.command(command).args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// gridkey is documented for WebAssembly, where all of it exists.
fn docs(shell: &Shell) -> Result<()> {
    let native = "cargo doc --no-deps --workspace --exclude gridkey";
    let wasm = format!("cargo doc --no-deps --package gridkey --target {WASM_TARGET}");
    for command in [native, &wasm] {
        shell.run(shell.command(command).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

fn wasm_node(shell: &Shell) -> Result<()> {
    shell.run(wasm_pack_test(shell).arg("--node").args(WASM_TEST_TARGETS))
}

fn wasm_chrome(shell: &Shell) -> Result<()> {
    let capabilities = engines::CHROMIUM.capabilities(shell)?;
    shell.run(
        wasm_pack_test(shell)
            .args(["--headless", "--chrome", "--chromedriver"])
            .arg(setup::chromedriver(shell)?)
            .args(WASM_TEST_TARGETS)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities)
            // Tests that do not name a place to run in run in both.
            .env("WASM_BINDGEN_USE_BROWSER", "1"),
    )
}

/// wasm-pack with the tools that are installed; it would download others.
fn wasm_pack_test(shell: &Shell) -> Command {
    let mut command = shell.command("wasm-pack test --mode no-install");
    // In seconds, for all of a program's tests together. They are not optimised, and the machine may
    // be busy.
    command.env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    command
}

/// All tests of the crate but those in its documentation, which run natively in any case.
const WASM_TEST_TARGETS: [&str; 4] = [".", "--lib", "--test", "*"];

fn package(shell: &Shell) -> Result<()> {
    release::changelog(shell)?;
    build::package(shell)?;
    let trapping = build::trapping_package(shell)?;
    shell.run(node_test(shell, "tests/node")?.env("GRIDKEY_TRAP_PACKAGE", trapping))
}

fn vectors(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    let chromium = setup::chromium(shell)?;
    let mut command = shell.command("node tests/vectors-package/chromium.mjs");
    shell.run(command.env("CHROMIUM", chromium))
}

/// So many private keys, and so many times all that can be wrong with a text. Those keys and messages that are at
/// some edge take 297.
pub(crate) fn interop(shell: &Shell, rounds: u32, comparisons: u32) -> Result<()> {
    build::package(shell)?;
    let mut command = shell.command("node tests/interop/run.mjs");
    shell.run(
        command
            .env("INTEROP_ROUNDS", rounds.to_string())
            .env("INTEROP_COMPARISONS", comparisons.to_string()),
    )
}

fn testing(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    shell.run(&mut node_test(shell, "tests/testing")?)
}

fn e2e(shell: &Shell) -> Result<()> {
    let sandbox = Sandbox::new(SandboxOptions::default());
    let chromium = setup::chromium(shell)?;
    demo::run_for(shell, &sandbox, |url| {
        let mut tests = node_test(shell, "tests/e2e")?;
        shell.run(
            tests
                .env("GRIDKEY_DEMO_URL", url)
                .env("CHROMIUM", &chromium),
        )
    })?;
    let violations = sandbox.violations();
    ensure!(
        violations.is_empty(),
        "not as the API's documents have it: {violations:#?}"
    );
    Ok(())
}

/// Of tests that drive the package in Chromium.
pub(crate) const BROWSER_NEEDS: &[fn(&Shell) -> Result<()>] = &[
    setup::package_tools,
    setup::browser,
    setup::browser_test_tools,
];

/// So many rounds of mixed work, and one in so many of the ways in which a flow can fail.
pub(crate) fn memory(shell: &Shell, rounds: u32, portion: u32) -> Result<()> {
    hostile(shell, "memory", |tests| {
        tests
            .env("GRIDKEY_ROUNDS", rounds.to_string())
            .env("GRIDKEY_PORTION", portion.to_string());
    })
}

fn hostile(shell: &Shell, suite: &str, set: impl FnOnce(&mut Command)) -> Result<()> {
    build::package(shell)?;
    let chromium = setup::chromium(shell)?;
    let mut tests = shell.command("node --test --test-reporter=spec --test-timeout=1500000");
    tests
        .arg(format!("tests/hostile/{suite}.test.mjs"))
        .env("CHROMIUM", &chromium);
    set(&mut tests);
    shell.run(&mut tests)
}

fn migration(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    let directory = "tests/migration";
    setup::packages_with_gridkey(shell, directory)?;
    shell.run(
        shell
            .command("npx --no-install tsc")
            .current_dir(shell.root.join(directory)),
    )?;
    shell.run(&mut node_test(shell, directory)?)
}

/// Each as a customer would: its own packages, type check, build and tests. Then all of them against
/// a relay.
fn examples(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    for example in ["react-login", "own-routes", "device-code"] {
        let directory = format!("examples/{example}");
        setup::packages_with_gridkey(shell, &directory)?;
        for script in ["build", "test"] {
            let mut npm = shell.command("npm run --silent --if-present");
            shell.run(
                npm.arg(script)
                    .current_dir(shell.root.join(&directory))
                    .env("NO_COLOR", "1"),
            )?;
        }
    }
    let sandbox = Sandbox::new(SandboxOptions::default());
    let chromium = setup::chromium(shell)?;
    demo::run_servers_for(shell, &sandbox, |url| {
        let mut tests = node_test(shell, "tests/examples")?;
        shell.run(
            tests
                .env("GRIDKEY_DEMO_URL", url)
                .env("CHROMIUM", &chromium),
        )
    })?;
    let violations = sandbox.violations();
    ensure!(
        violations.is_empty(),
        "not as the API's documents have it: {violations:#?}"
    );
    Ok(())
}

/// Node's test runner on the files `*.test.mjs` of a directory.
fn node_test(shell: &Shell, directory: &str) -> Result<Command> {
    let mut files = Vec::new();
    for entry in fs::read_dir(shell.root.join(directory)).with_context(|| directory.to_owned())? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "there is no test in {directory}");
    // The limit, 10 minutes, is on each file as well as on each test in it.
    let mut command = shell
        .command("node --test --test-reporter=spec --test-concurrency=1 --test-timeout=600000");
    command.args(files);
    Ok(command)
}

fn nothing(_: &str) -> Result<String> {
    Ok(String::new())
}

pub(crate) fn last_line(output: &str) -> Result<String> {
    Ok(output.lines().last().unwrap_or_default().to_owned())
}

/// What was counted in Node.js and Chromium, which the tests print as a line of their own.
pub(crate) fn figures(output: &str) -> Result<String> {
    let tests = tests_passed(output)?;
    let figures = output
        .lines()
        .find_map(|line| line.strip_prefix("in Node.js + Chromium: "))
        .context("the tests did not say what they counted")?;
    Ok(format!("{tests}: {figures}"))
}

/// How many tests passed, by the closing lines of cargo's, wasm-bindgen's, Node's and Vitest's runners.
/// A runner that found no test is content; this is not. Nor is it with one that began and gave no
/// result: a WebAssembly test in Node that waits for nothing ends the process without an error.
pub(crate) fn tests_passed(output: &str) -> Result<String> {
    let is_begun = |line: &&str| {
        let counted = line.strip_prefix("running ");
        counted.is_some_and(|counted| counted.ends_with(" test") || counted.ends_with(" tests"))
    };
    let begun = output.lines().filter(is_begun).count();
    let ended = output
        .lines()
        .filter(|line| line.starts_with("test result: "))
        .count();
    ensure!(
        begun <= ended,
        "{begun} test programs began, and {ended} gave a result"
    );
    let passed: u64 = output
        .lines()
        .filter_map(|line| {
            line.strip_prefix("test result: ok. ")
                .or_else(|| line.strip_prefix("ℹ pass "))
                .or_else(|| line.trim_start().strip_prefix("Tests  "))
        })
        .filter_map(|counts| counts.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    ensure!(passed > 0, "no test was run");
    Ok(format!("{passed} tests"))
}

#[cfg(test)]
mod tests {
    use super::tests_passed;

    #[test]
    fn a_program_without_a_result_is_a_failure() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            running 1 test\n";
        assert!(tests_passed(output).is_err());
    }

    #[test]
    fn tests_of_every_runner_are_counted() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            \n\
            test result: ok. 11 passed; 0 failed; 0 ignored\n\
            ℹ tests 3\nℹ pass 3\nℹ fail 0\n \
            Test Files  1 passed (1)\n      Tests  9 passed (9)\n";
        assert_eq!(tests_passed(output).unwrap(), "25 tests");
    }

    #[test]
    fn running_no_test_is_no_success() {
        assert!(tests_passed("no tests to run!").is_err());
        assert!(tests_passed("test result: ok. 0 passed; 0 failed; 0 ignored").is_err());
    }
}
