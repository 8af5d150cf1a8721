//! The parts of the test suite, in the order in which they run.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    build::{self, scratch},
    setup::{self, Need, WASM_TARGET},
    shell::Shell,
    size,
};

pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&Shell) -> Result<()>,
    /// What to say of a part that succeeded with this output; an error if it was no success.
    pub(crate) result: fn(&str) -> Result<String>,
}

pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "fmt",
        description: "formatting",
        needs: &[setup::rust],
        run: |shell| cargo(shell, &["fmt", "--all", "--check"]),
        result: silent,
    },
    Part {
        name: "clippy",
        description: "lints, natively and for WebAssembly",
        needs: &[setup::rust],
        run: clippy,
        result: silent,
    },
    Part {
        name: "native",
        description: "all tests of the workspace that need no browser",
        needs: &[setup::rust],
        run: |shell| cargo(shell, &["test", "--workspace", "--no-fail-fast"]),
        result: tests_passed,
    },
    Part {
        name: "docs",
        description: "documentation without warnings, natively and for WebAssembly",
        needs: &[setup::rust],
        run: docs,
        result: silent,
    },
    Part {
        name: "build",
        description: "the npm package",
        needs: build::NEEDS,
        run: build::package,
        result: silent,
    },
    Part {
        name: "size",
        description: "what the package weighs, against its budget",
        needs: build::NEEDS,
        run: size::report,
        result: last_line,
    },
    Part {
        name: "wasm-node",
        description: "the tests in WebAssembly, in Node.js",
        needs: &[
            setup::rust,
            setup::wasm_bindgen,
            setup::wasm_pack,
            setup::node,
        ],
        run: |shell| shell.run(&mut wasm_pack_test(shell, &["--node"])),
        result: tests_passed,
    },
    Part {
        name: "wasm-chrome",
        description: "the tests in WebAssembly, in Chromium",
        needs: &[
            setup::rust,
            setup::wasm_bindgen,
            setup::wasm_pack,
            setup::browser,
        ],
        run: wasm_chrome,
        result: tests_passed,
    },
    Part {
        name: "package",
        description: "the package's own tests, in Node.js",
        needs: build::NEEDS,
        run: package,
        result: tests_passed,
    },
];

fn cargo(shell: &Shell, arguments: &[&str]) -> Result<()> {
    shell.run(&mut shell.command("cargo", arguments))
}

fn clippy(shell: &Shell) -> Result<()> {
    cargo(
        shell,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    let wasm = [
        "clippy",
        "--package",
        "gridkey",
        "--lib",
        "--tests",
        "--target",
        WASM_TARGET,
    ];
    shell.run(shell.command("cargo", &wasm).args(["--", "-D", "warnings"]))
}

fn docs(shell: &Shell) -> Result<()> {
    let native = ["doc", "--workspace", "--no-deps"];
    let wasm = [
        "doc",
        "--package",
        "gridkey",
        "--no-deps",
        "--target",
        WASM_TARGET,
    ];
    for arguments in [native.as_slice(), &wasm] {
        shell.run(
            shell
                .command("cargo", arguments)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )?;
    }
    Ok(())
}

/// wasm-pack with the tools of this machine: it would download its own.
fn wasm_pack_test(shell: &Shell, arguments: &[&str]) -> Command {
    let mut command = shell.command("wasm-pack", &["test", "--mode", "no-install"]);
    command.args(arguments).arg(".");
    command
}

fn wasm_chrome(shell: &Shell) -> Result<()> {
    shell.run(
        wasm_pack_test(shell, &["--headless", "--chrome", "--chromedriver"])
            .arg(setup::chromedriver(shell)?)
            .env(
                "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
                webdriver_capabilities(shell)?,
            ),
    )
}

/// `webdriver.json` with the browser that is installed here.
fn webdriver_capabilities(shell: &Shell) -> Result<PathBuf> {
    let text = fs::read_to_string(shell.root.join("webdriver.json"))?;
    let mut capabilities: Value = serde_json::from_str(&text)?;
    capabilities
        .get_mut("goog:chromeOptions")
        .and_then(Value::as_object_mut)
        .context("webdriver.json has no goog:chromeOptions")?
        .insert("binary".to_owned(), json!(setup::chromium(shell)?));
    let file = scratch(shell)?.join("webdriver.json");
    fs::write(&file, capabilities.to_string())?;
    Ok(file)
}

fn package(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    shell.run(&mut node_test(shell, "tests/node")?)
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
    let options = ["--test", "--test-reporter=spec", "--test-timeout=120000"];
    let mut command = shell.command("node", &options);
    command.args(files);
    Ok(command)
}

fn silent(_: &str) -> Result<String> {
    Ok(String::new())
}

fn last_line(output: &str) -> Result<String> {
    Ok(output.lines().last().unwrap_or_default().to_owned())
}

/// How many tests passed, by the closing lines of cargo's, wasm-bindgen's and Node's test runners.
/// A runner that found no test is content; this is not.
fn tests_passed(output: &str) -> Result<String> {
    let passed: u64 = output
        .lines()
        .filter_map(|line| {
            line.strip_prefix("test result: ok. ")
                .or_else(|| line.strip_prefix("ℹ pass "))
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
    fn tests_of_every_runner_are_counted() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            \n\
            test result: ok. 11 passed; 0 failed; 0 ignored\n\
            ℹ tests 3\nℹ pass 3\nℹ fail 0\n";
        assert_eq!(tests_passed(output).unwrap(), "16 tests");
    }

    #[test]
    fn running_no_test_is_no_success() {
        assert!(tests_passed("no tests to run!").is_err());
        assert!(tests_passed("test result: ok. 0 passed; 0 failed; 0 ignored").is_err());
    }
}
