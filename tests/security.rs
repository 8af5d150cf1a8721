//! What `SECURITY.md` promises is held by tests that exist.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::{fs, path::Path};

/// Of the client, and of the relay.
const THREATS: [(char, usize); 2] = [('R', 32), ('P', 8)];

#[test]
fn every_threat_has_a_row() {
    let page = read("SECURITY.md").unwrap();
    let ids: Vec<String> = rows(&page).iter().map(|row| row[0].to_owned()).collect();
    let wanted: Vec<String> = THREATS
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")))
        .collect();
    assert_eq!(ids, wanted);
}

#[test]
fn every_mechanism_and_every_test_is_there() {
    let page = read("SECURITY.md").unwrap();
    let problems: Vec<String> = rows(&page).iter().flat_map(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_is_not_there_is_found_out() {
    let row = |mechanism: &str, tests: &str, limit: &str| {
        let page = format!("| R1 | a threat | a promise | {mechanism} | {tests} | {limit} |\n");
        problems(&rows(&page)[0]).len()
    };
    let (file, test) = (
        "`src/error.rs`",
        "`tests/security.rs: every_threat_has_a_row`",
    );
    assert_eq!(row(file, test, ""), 0);
    assert_eq!(row(file, "`cargo xtask test native`", ""), 0);
    assert_eq!(row(file, "`cargo xtask assure curve`", ""), 0);
    assert_eq!(row("", "", "Nobody can."), 0);
    assert_eq!(row("", "", ""), 1);
    assert_eq!(row("`src/errors.rs`", test, ""), 1);
    assert_eq!(row(file, "", ""), 1);
    for none in [
        "`tests/security.rs: every_threat`",
        "`tests/security.rs: rows`",
        "`tests/secure.rs: every_threat_has_a_row`",
        "`tests/security.rs`",
        "`tests/node/keys.test.mjs: errors name`",
        "every_threat_has_a_row",
        "`cargo xtask test curve`",
        "`cargo xtask test`",
    ] {
        assert_eq!(row(file, none, ""), 1, "{none}");
        assert_eq!(row(file, &format!("{test}; {none}"), ""), 1, "{none}");
    }
}

/// The cells of each threat: its number, what it is, promise, mechanism, tests, limit.
fn rows(page: &str) -> Vec<[&str; 6]> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'))
        .filter(|line| {
            let number = line.strip_prefix(['R', 'P']);
            number.is_some_and(|number| number.starts_with(char::is_numeric))
        })
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            cells.try_into().unwrap()
        })
        .collect()
}

fn problems([id, _, _, mechanism, tests, limit]: &[&str; 6]) -> Vec<String> {
    let mut problems = Vec::new();
    // Where nothing can be done, the limit says so.
    if tests.is_empty() && (!mechanism.is_empty() || limit.is_empty()) {
        problems.push(format!("{id}: no test"));
    }
    let listed = mechanism.split(", ").filter(|file| !file.is_empty());
    for file in listed.map(|file| file.trim_matches('`')) {
        if read(file).is_none() {
            problems.push(format!("{id}: there is no file {file}"));
        }
    }
    let listed = tests.split("; ").filter(|test| !test.is_empty());
    for test in listed.filter(|test| !exists(test)) {
        problems.push(format!("{id}: there is no test {test}"));
    }
    problems
}

/// Whether a test that is written as a file and its name there is a test of that file, and one that is
/// written as a command is a part of its suite.
fn exists(test: &str) -> bool {
    for (suite, list) in [("test", "parts"), ("assure", "assure")] {
        let part = test.strip_prefix(&format!("`cargo xtask {suite} "));
        if let Some(part) = part.and_then(|part| part.strip_suffix('`')) {
            let parts = read(&format!("xtask/src/{list}.rs")).unwrap();
            return parts.contains(&format!("name: \"{part}\""));
        }
    }
    let marks = test.chars().take_while(|mark| *mark == '`').count();
    let code = test
        .trim_start_matches('`')
        .strip_suffix(&"`".repeat(marks));
    let Some((file, name)) = code.and_then(|code| code.trim_end().split_once(": ")) else {
        return false;
    };
    let Some(source) = read(file).filter(|_| marks > 0) else {
        return false;
    };
    if !file.ends_with(".rs") {
        let is_called = |function| source.contains(&format!("{function}(\"{name}\""));
        return is_called("test") || is_called("testCase");
    }
    let declaration = format!("fn {name}(");
    let mut pieces: Vec<&str> = source.split(&declaration).collect();
    pieces.pop();
    pieces.iter().any(|before| {
        let before = before.trim_end_matches("async ").trim_end();
        let attribute = before.lines().last().unwrap_or_default().trim();
        attribute.starts_with("#[") && attribute.contains("test")
    })
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).ok()
}
