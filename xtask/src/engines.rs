//! The browser tests in three engines, and what each of them lacks.
//!
//! Two suites run in each: the crate's own tests in WebAssembly, and the package on a plain page
//! (`tests/engines`). What a test needs and an engine lacks is listed there, and held against what
//! the engine says.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use gridkey_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Map, Value, json};

use crate::{build::scratch, demo, setup, shell::Shell};

/// Cargo's setting: what runs a program for WebAssembly. wasm-pack sets the same, but stops at the
/// first program that fails.
const RUNNER: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER";

const PAGE: &str = "docs/engines.md";

/// From here on the page says nothing that changes with a browser's version or with a test more.
const LASTING: &str = "## The package on a page";

type FindProgram = fn(&Shell) -> Result<PathBuf>;

pub(crate) struct Engine {
    /// As it is named on the command line, and in `tests/engines`.
    name: &'static str,
    /// For people.
    title: &'static str,
    install: fn(&Shell) -> Result<()>,
    driver: FindProgram,
    /// Its member of `webdriver.json`, and the program to add to it. One without starts as its
    /// driver does by itself.
    options: Option<(&'static str, FindProgram)>,
    /// By which wasm-bindgen's test runner takes the driver.
    driver_variable: &'static str,
    needs_display: bool,
}

pub(crate) const CHROMIUM: Engine = Engine {
    name: "chromium",
    title: "Chromium",
    install: setup::browser,
    driver: setup::chromedriver,
    options: Some(("goog:chromeOptions", setup::chromium)),
    driver_variable: "CHROMEDRIVER",
    needs_display: false,
};

const ENGINES: [Engine; 3] = [
    CHROMIUM,
    Engine {
        name: "firefox",
        title: "Firefox",
        install: setup::firefox_browser,
        driver: setup::geckodriver,
        options: Some(("moz:firefoxOptions", setup::firefox)),
        driver_variable: "GECKODRIVER",
        needs_display: false,
    },
    Engine {
        name: "webkit",
        title: "WebKitGTK",
        install: setup::webkit_browser,
        driver: setup::webkit_driver,
        options: None,
        // WebKitWebDriver is started as Safari's driver is, and starts its own browser unasked: the
        // runner does not see that it is another.
        driver_variable: "SAFARIDRIVER",
        needs_display: true,
    },
];

impl Engine {
    /// Writes what a new WebDriver session asks for: `webdriver.json` with the browser that is
    /// installed here, and nothing of other browsers.
    pub(crate) fn capabilities(&self, shell: &Shell) -> Result<PathBuf> {
        let mut capabilities = Map::new();
        if let Some((name, program)) = self.options {
            let text = fs::read_to_string(shell.root.join("webdriver.json"))?;
            let all: Value = serde_json::from_str(&text)?;
            let mut options = all
                .get(name)
                .and_then(Value::as_object)
                .with_context(|| format!("webdriver.json has no {name}"))?
                .clone();
            options.insert("binary".to_owned(), json!(program(shell)?));
            capabilities.insert(name.to_owned(), options.into());
        }
        let file = scratch(shell)?.join(format!("webdriver-{}.json", self.name));
        fs::write(&file, Value::from(capabilities).to_string())?;
        Ok(file)
    }
}

/// What one engine did.
struct Report {
    title: &'static str,
    version: String,
    /// Passed and failed.
    wasm: Counts,
    page: Counts,
    /// By the test's name, in their order: "passed", "failed" or what the engine lacks.
    tests: Vec<(String, String)>,
    lacks: BTreeMap<String, String>,
    problems: Vec<String>,
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    inapplicable: u64,
}

/// Runs the tests in the engines of these names, or in all; whether all passed. With `UPDATE_DOCS`
/// the page about it is written.
pub(crate) fn run(shell: &Shell, names: &[&str]) -> Result<bool> {
    for name in names {
        ensure!(
            ENGINES.iter().any(|engine| engine.name == *name),
            "there is no engine {name}: chromium, firefox and webkit are"
        );
    }
    let engines: Vec<_> = ENGINES
        .iter()
        .filter(|engine| names.is_empty() || names.contains(&engine.name))
        .collect();
    setup::package_tools(shell)?;
    for engine in &engines {
        (engine.install)(shell)?;
    }
    let mut reports = Vec::new();
    for engine in engines {
        reports.push(test(shell, engine)?);
    }
    let table = table(&reports)?;
    shell.say(format_args!("\n{table}"))?;
    let mut passed = true;
    for Report {
        title, problems, ..
    } in &reports
    {
        for problem in problems {
            passed = false;
            shell.say(format_args!("{title}: {problem}"))?;
        }
    }
    if passed && names.is_empty() {
        hold_against_page(shell, &table)?;
    }
    Ok(passed)
}

fn test(shell: &Shell, engine: &Engine) -> Result<Report> {
    let display = engine
        .needs_display
        .then(|| Display::start(shell))
        .transpose()?;
    let capabilities = engine.capabilities(shell)?;
    let driver = (engine.driver)(shell)?;
    let environment = |command: &mut Command| -> Result<()> {
        if let Some(display) = &display {
            command.env("DISPLAY", &display.name);
            if setup::is_root(shell)? {
                // Its sandbox needs a user namespace, which root in a container has none of.
                command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
            }
        }
        Ok(())
    };

    let mut problems = Vec::new();
    let mut logged = |suite: &str, run: &dyn Fn(&Shell) -> Result<()>| -> Result<String> {
        let log = scratch(shell)?.join(format!("engine-{}-{suite}.log", engine.name));
        let start = Instant::now();
        let outcome = run(&shell.logging_to(File::create(&log)?));
        let seconds = start.elapsed().as_secs_f64();
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        shell.say(format_args!(
            "{:<10} {suite:<5} {word:<6} {seconds:>7.1} s",
            engine.title
        ))?;
        if let Err(error) = outcome {
            shell.say(format_args!("\n{output}"))?;
            problems.push(format!("{suite}: {error:#}"));
        }
        Ok(output)
    };

    let output = logged("wasm", &|shell| {
        let mut command = shell.command("cargo test --lib --test * --no-fail-fast --target");
        command
            .arg(setup::WASM_TARGET)
            .env(RUNNER, "wasm-bindgen-test-runner")
            .env(engine.driver_variable, &driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
            .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
            // Tests that do not name a place to run in run in both.
            .env("WASM_BINDGEN_USE_BROWSER", "1");
        environment(&mut command)?;
        shell.run(&mut command)
    })?;
    let wasm = wasm_counts(&output);

    let report = scratch(shell)?.join(format!("engine-{}.json", engine.name));
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let sandbox = Sandbox::new(SandboxOptions::default());
    logged("page", &|shell| {
        demo::run_package_for(shell, &sandbox, "tests/engines/page", |url| {
            let mut command = shell.command(
                "node --test --test-reporter=spec --test-timeout=600000 tests/engines/package.test.mjs",
            );
            command
                .env("GRIDKEY_DEMO_URL", url)
                .env("GRIDKEY_ENGINE", engine.name)
                .env("GRIDKEY_WEBDRIVER", &driver)
                .env("GRIDKEY_WEBDRIVER_JSON", &capabilities)
                .env("GRIDKEY_ENGINE_REPORT", &report);
            environment(&mut command)?;
            shell.run(&mut command)
        })
    })?;
    if wasm.passed == 0 {
        problems.push("wasm: no test passed".to_owned());
    }
    read_report(engine, &report, wasm, problems)
}

/// What the tests on the page wrote down.
fn read_report(
    engine: &Engine,
    file: &PathBuf,
    wasm: Counts,
    mut problems: Vec<String>,
) -> Result<Report> {
    let read: Value = match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(error) => {
            problems.push(format!("page: there is no report: {error}"));
            Value::Null
        }
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut page = Counts::default();
    let mut tests = Vec::new();
    for test in read
        .get("tests")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = text(test.get("name")).context("a test without a name")?;
        let missing: Vec<_> = test
            .get("lacks")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let (count, outcome) = if !missing.is_empty() {
            (
                &mut page.inapplicable,
                format!("lacks {}", missing.join(", ")),
            )
        } else if test.get("passed") == Some(&Value::Bool(true)) {
            (&mut page.passed, "passed".to_owned())
        } else {
            (&mut page.failed, "**failed**".to_owned())
        };
        *count = count.saturating_add(1);
        tests.push((name, outcome));
    }
    if page.passed == 0 {
        problems.push("page: no test passed".to_owned());
    }
    let lacks = read
        .get("lacks")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(feature, answer)| Some((feature.clone(), answer.as_str()?.to_owned())))
        .collect();
    Ok(Report {
        title: engine.title,
        version: text(read.get("version")).unwrap_or_else(|| "unknown".to_owned()),
        wasm,
        page,
        tests,
        lacks,
        problems,
    })
}

/// `test result: ok. 12 passed; 0 failed; 3 ignored; …`, once for each test program.
fn wasm_counts(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        let Some((_, result)) = line.split_once("test result: ") else {
            continue;
        };
        for (count, word) in [
            (&mut counts.passed, " passed"),
            (&mut counts.failed, " failed"),
            (&mut counts.inapplicable, " ignored"),
        ] {
            let number = result
                .split_once(word)
                .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok())
                .unwrap_or(0);
            *count = count.saturating_add(number);
        }
    }
    counts
}

impl Counts {
    fn words(&self) -> String {
        let mut words = vec![format!("{} passed", self.passed)];
        for (count, word) in [
            (self.failed, "**failed**"),
            (self.inapplicable, "not applicable"),
        ] {
            if count > 0 {
                words.push(format!("{count} {word}"));
            }
        }
        words.join(", ")
    }
}

fn table(reports: &[Report]) -> Result<String> {
    let mut table = String::new();
    let row = |table: &mut String, head: &str, cells: &[String]| {
        writeln!(table, "| {head} | {} |", cells.join(" | "))
    };
    let cells = |cell: &dyn Fn(&Report) -> String| reports.iter().map(cell).collect::<Vec<_>>();
    let titles = cells(&|report| report.title.to_owned());
    let rule = cells(&|_| "---".to_owned());

    row(&mut table, "", &titles)?;
    row(&mut table, "---", &rule)?;
    row(
        &mut table,
        "version",
        &cells(&|report| report.version.clone()),
    )?;
    row(
        &mut table,
        "the crate's tests in WebAssembly",
        &cells(&|report| report.wasm.words()),
    )?;
    row(
        &mut table,
        "the package on a page",
        &cells(&|report| report.page.words()),
    )?;

    writeln!(table, "\n{LASTING}\n")?;
    row(&mut table, "test", &titles)?;
    row(&mut table, "---", &rule)?;
    let mut names: Vec<&str> = Vec::new();
    for report in reports {
        for (name, _) in &report.tests {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    for name in names {
        let outcomes = cells(&|report| {
            let outcome = report.tests.iter().find(|(test, _)| test == name);
            outcome.map_or_else(|| "–".to_owned(), |(_, outcome)| outcome.clone())
        });
        row(&mut table, name, &outcomes)?;
    }

    writeln!(table, "\n## What an engine lacks, in its own words\n")?;
    writeln!(table, "| engine | lacks | it says |\n|---|---|---|")?;
    for report in reports {
        for (feature, answer) in &report.lacks {
            writeln!(table, "| {} | {feature} | {answer} |", report.title)?;
        }
    }
    Ok(table)
}

const INTRODUCTION: &str = "\
# Engines

`cargo xtask engines` runs the browser tests in three engines, without a window: the crate's tests in
WebAssembly, and the package on a plain page against relay and sandbox, driven by WebDriver alone.
This page is written by `UPDATE_DOCS=1 cargo xtask engines`; versions and numbers are of that day.

WebKitGTK stands for Safari as far as the engine goes. Passkeys are Safari's own part, so they are
tested in Chromium and Firefox only, with an authenticator that the browser itself pretends to have.
The crate's tests bring the passkeys that they need, and leave nothing out in any engine.
";

/// Writes the page, or fails if it says something else. Versions and numbers of tests are those of
/// when it was written.
fn hold_against_page(shell: &Shell, table: &str) -> Result<()> {
    let file = shell.root.join(PAGE);
    let page = format!("{INTRODUCTION}\n{table}");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, page)?;
        return shell.say(format_args!("wrote {PAGE}"));
    }
    let written = fs::read_to_string(&file).with_context(|| PAGE.to_owned())?;
    ensure!(
        says_the_same(&written, &page),
        "{PAGE} says something else: `UPDATE_DOCS=1 cargo xtask engines` writes it"
    );
    Ok(())
}

fn says_the_same(written: &str, page: &str) -> bool {
    match (written.split_once(LASTING), page.split_once(LASTING)) {
        (Some((_, written)), Some((_, page))) => written == page,
        _ => false,
    }
}

/// An X server without a screen, until it is dropped.
struct Display {
    name: String,
    server: Child,
}

impl Display {
    fn start(shell: &Shell) -> Result<Self> {
        let mut server = shell
            .command("Xvfb -displayfd 1 -screen 0 1280x1024x24 -nolisten tcp")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb")?;
        let said = server.stdout.take().context("Xvfb has no output")?;
        let mut number = String::new();
        BufReader::new(said).read_line(&mut number)?;
        let display = Self {
            name: format!(":{}", number.trim()),
            server,
        };
        ensure!(!number.trim().is_empty(), "Xvfb did not start");
        Ok(display)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{LASTING, says_the_same, wasm_counts};

    #[test]
    fn only_what_lasts_is_compared() {
        let page = |version: &str, outcome: &str| format!("{version}\n{LASTING}\n{outcome}");
        assert!(says_the_same(&page("1", "passed"), &page("2", "passed")));
        assert!(!says_the_same(&page("1", "passed"), &page("1", "lacks")));
        assert!(!says_the_same("passed", "passed"));
    }

    #[test]
    fn counts_of_all_programs_are_added() {
        let output = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 filtered out\n\
                      noise 5 passed\n\
                      test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 filtered out\n";
        let counts = wasm_counts(output);
        assert_eq!(
            (counts.passed, counts.failed, counts.inapplicable),
            (19, 2, 3)
        );
    }
}
