//! Mutation testing: cargo-mutants puts one fault after the other into the code that refuses things,
//! and a test must turn red for each. What no test can tell from the right code is listed in
//! `.cargo/mutants.toml`, with the reason.
//!
//! It runs on a copy of the workspace that differs in one thing: the tests stand in the library's own test
//! program. So a mutant costs one compilation and one link, of a second, and not one for each
//! file of tests.

use std::{
    fmt::{self, Write as _},
    fs::{self, File},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{build::scratch, setup, shell::Shell};

/// What is mutated, the most important first, and the tests that must notice: those whose names have one
/// of these texts in them.
const FILES: &[(&str, &[&str])] = &[
    ("src/formats/intent.rs", &["intent"]),
    (
        "src/crypto/enclave.rs",
        &["enclave", "export", "otp", "vectors::turnkey"],
    ),
    ("src/formats/otp.rs", &["otp", "token", "vectors::turnkey"]),
    ("src/formats/timestamp.rs", &["timestamp"]),
    (
        "src/formats/session_key.rs",
        &["session_key", "stamp", "refusals"],
    ),
    ("src/formats/sealed_key.rs", &["sealed", "vectors::turnkey"]),
    ("src/formats/wallet_export.rs", &["export"]),
    ("src/formats/oauth.rs", &["formats::oauth", "nonce"]),
    ("src/formats/intent/table.rs", &["intent"]),
    ("src/crypto/encoding/der.rs", &["der"]),
    (
        "src/crypto/p256/ecdsa.rs",
        &["ecdsa", "rfc_6979", "vectors::turnkey"],
    ),
    ("src/crypto/json.rs", &["json", "intent"]),
    ("src/crypto/encoding/digits.rs", &["encoding"]),
    ("src/crypto/encoding/decimal.rs", &["encoding"]),
    ("src/api/server_clock.rs", &["server_clock"]),
    ("src/api/signed_retry.rs", &["signed_retry"]),
];

/// The files of tests that need neither sandbox nor relay. The first is for all of the files.
const TESTS: &[&str] = &[
    EDGES,
    "crypto_hostile",
    "docs",
    "intent",
    "intent_hostile",
    "signed_retry",
    "vectors",
];
const EDGES: &str = "boundaries";

/// A mutant that turns a loop around has no end. The tests take a second or two: on a machine that is busy with
/// something else ten times that.
const TEST_SECONDS: &str = "120";
/// One that also collects would take what there is.
const MEMORY_KB: u64 = 8_000_000;
/// Of one file's mutants.
const TIME_LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

#[derive(Default)]
struct Counts {
    caught: u64,
    endless: u64,
    unviable: u64,
    missed: u64,
}

/// Whether a test noticed every mutant of these files, or of all. Where `is_resumed`, a file is left out
/// that an earlier run finished without a miss.
pub(crate) fn run(shell: &Shell, names: &[&str], is_resumed: bool) -> Result<bool> {
    for name in names {
        ensure!(
            FILES.iter().any(|(file, _)| file == name),
            "{name} is not mutated; FILES in xtask/src/mutants.rs names the files"
        );
    }
    setup::cargo_mutants(shell)?;
    let directory = scratch(shell)?.join("mutants");
    let tree = directory.join("tree");
    copy(shell, &tree)?;
    let mut sum = Counts::default();
    for (file, tests) in FILES {
        if !names.is_empty() && !names.contains(file) {
            continue;
        }
        let output = directory.join(file.replace('/', "-"));
        let counts = match counts(&output) {
            Ok(counts) if is_resumed && counts.missed == 0 => counts,
            Ok(_) | Err(_) => {
                mutate(shell, &tree, &output, file, tests)?;
                counts(&output).with_context(|| format!("cargo mutants did not finish {file}"))?
            }
        };
        shell.say(format_args!("{file:<29} {counts}"))?;
        sum.add(&counts);
    }
    shell.say(format_args!("{:<29} {sum}", "all"))?;
    Ok(sum.missed == 0)
}

fn mutate(shell: &Shell, tree: &Path, output: &Path, file: &str, tests: &[&str]) -> Result<()> {
    if output.exists() {
        fs::remove_dir_all(output)?;
    }
    fs::create_dir_all(output)?;
    let mut command = shell.command("nice -n 19 sh -c");
    command
        // The limit reaches the tests too. Not every system has it.
        .arg(format!(
            "ulimit -v {MEMORY_KB} 2>/dev/null; exec \"$0\" \"$@\""
        ))
        .args(["cargo", "mutants", "--in-place", "--package", "gridkey"])
        .args(["--colors", "never", "--no-times", "--timeout", TEST_SECONDS])
        .args(["--file", file, "--cargo-arg=--offline", "--output"])
        .arg(output)
        .arg("--dir")
        .arg(tree)
        // The copy's, where the dependencies are compiled already.
        .env("CARGO_TARGET_DIR", &shell.target)
        .args(["--", "--lib", "--", EDGES])
        .args(tests);
    match shell.status(&mut command, TIME_LIMIT)?.code() {
        // Two: a mutant was missed. Three: one has no end.
        Some(0 | 2 | 3) => Ok(()),
        status => bail!("{file}: cargo mutants ended with {status:?}"),
    }
}

/// Of a run that came to its end.
fn counts(output: &Path) -> Result<Counts> {
    let outcomes: Value =
        serde_json::from_slice(&fs::read(output.join("mutants.out/outcomes.json"))?)?;
    let count = |name: &str| {
        outcomes
            .get(name)
            .and_then(Value::as_u64)
            .with_context(|| format!("it does not say how many are {name}"))
    };
    let counts = Counts {
        caught: count("caught")?,
        endless: count("timeout")?,
        unviable: count("unviable")?,
        missed: count("missed")?,
    };
    let tested = [
        counts.caught,
        counts.endless,
        counts.unviable,
        counts.missed,
    ]
    .into_iter()
    .sum::<u64>();
    ensure!(tested > 0, "no mutant was tested");
    ensure!(tested == count("total_mutants")?, "it was interrupted");
    Ok(counts)
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.caught = self.caught.saturating_add(other.caught);
        self.endless = self.endless.saturating_add(other.endless);
        self.unviable = self.unviable.saturating_add(other.unviable);
        self.missed = self.missed.saturating_add(other.missed);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            caught,
            endless,
            unviable,
            missed,
        } = self;
        let viable = caught.saturating_add(*endless).saturating_add(*missed);
        write!(
            f,
            "{viable} mutants: {caught} turned a test red, {endless} had no end, {missed} were missed \
             ({unviable} more do not compile)"
        )
    }
}

/// The workspace's files, as they are, and their tests in one program.
fn copy(shell: &Shell, tree: &Path) -> Result<()> {
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    let files =
        shell.read(&mut shell.command("git ls-files --cached --others --exclude-standard"))?;
    for file in files.lines() {
        let (from, to) = (shell.root.join(file), tree.join(file));
        if !from.is_file() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file has a directory")?)?;
        fs::copy(&from, &to).with_context(|| file.to_owned())?;
        // So that cargo knows what it has compiled. `src/lib.rs` is written below, and the crate with it.
        File::options()
            .write(true)
            .open(&to)?
            .set_modified(fs::metadata(&from)?.modified()?)?;
    }
    edit(&tree.join("Cargo.toml"), |manifest| {
        // No other test program, no module, no lint that would refuse a mutant for its style.
        let manifest = manifest
            .replacen("[package]\n", "[package]\nautotests = false\n", 1)
            .replacen("[lib]\n", "[lib]\ndoctest = false\n", 1)
            .replacen(r#"crate-type = ["cdylib", "rlib"]"#, "", 1)
            .replacen("[lints]\nworkspace = true\n", "", 1);
        Ok(manifest)
    })?;
    edit(&tree.join("src/lib.rs"), |library| {
        let mut library = library + "\n#[cfg(test)]\nextern crate self as gridkey;\n";
        for test in TESTS {
            writeln!(
                library,
                "#[cfg(test)]\n#[path = \"../tests/{test}.rs\"]\nmod test_{test};"
            )?;
        }
        Ok(library)
    })
}

fn edit(path: &Path, change: impl FnOnce(String) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let changed = change(text.clone())?;
    ensure!(changed != text, "{} is not as it was", path.display());
    fs::write(path, changed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{FILES, counts};

    #[test]
    fn what_is_mutated_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (file, _) in FILES {
            assert!(root.join(file).is_file(), "{file}");
        }
    }

    #[test]
    fn only_a_whole_run_counts() {
        let output = std::env::temp_dir().join(format!("xtask-mutants-{}", std::process::id()));
        fs::create_dir_all(output.join("mutants.out")).unwrap();
        let of = |text: &str| {
            fs::write(output.join("mutants.out/outcomes.json"), text).unwrap();
            counts(&output).map(|counts| counts.to_string())
        };
        let whole =
            r#"{"total_mutants":10,"missed":1,"caught":6,"timeout":1,"unviable":2,"success":0}"#;
        assert!(
            of(whole)
                .unwrap()
                .starts_with("8 mutants: 6 turned a test red, 1 had no end, 1 were missed")
        );
        assert!(of(&whole.replace("10", "11")).is_err(), "interrupted");
        assert!(
            of(r#"{"total_mutants":0,"missed":0,"caught":0,"timeout":0,"unviable":0}"#).is_err()
        );
        assert!(of("{}").is_err());
        fs::remove_dir_all(&output).unwrap();
        assert!(counts(&output).is_err());
    }
}
