//! What the project is built from, and that nobody else decides it: lock files, exact versions, one source for
//! each, no script that runs by itself, licences, known faults.
//!
//! What needs a network that is not there is left out, and the last line says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    setup::WASM_TARGET,
    shell::Shell,
    versions::{CARGO_DENY, CARGO_FUZZ, CARGO_MUTANTS, GECKODRIVER, NODE, WASM_BINDGEN, WASM_PACK},
};

const PAGE: &str = "docs/dependencies.md";
const LICENCES: &str = "pkg/THIRD-PARTY-LICENSES";
/// For what the network answers at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// Members of a `package.json` that bring packages in.
const DEPENDENCIES: [&str; 6] = [
    "bundleDependencies",
    "bundledDependencies",
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];
/// Scripts that npm runs without being told to.
const UNASKED: [&str; 9] = [
    "dependencies",
    "install",
    "postinstall",
    "postprepare",
    "preinstall",
    "prepare",
    "preprepare",
    "prepublish",
    "prepublishOnly",
];

pub(crate) fn run(shell: &Shell) -> Result<()> {
    let files = shell.read(&mut shell.command("git -c core.quotePath=false ls-files"))?;
    let files: BTreeSet<&str> = files
        .lines()
        .filter(|file| shell.root.join(file).is_file())
        .collect();
    let mut faults = Vec::new();
    let (workspaces, crates) = cargo_workspaces(shell, &files, &mut faults)?;
    let (locks, packages) = npm_packages(shell, &files, &mut faults)?;
    tools(shell, &files, &mut faults)?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));

    pages(shell)?;
    for workspace in &workspaces {
        let check = "check --hide-inclusion-graph licenses bans sources";
        shell.run(&mut deny(shell, workspace, check))?;
    }
    let notes = [advisories(shell, &workspaces)?, npm_audit(shell, &locks)?];
    let notes: Vec<_> = notes.into_iter().flatten().collect();
    shell.say(format_args!(
        "{crates} crates and {packages} npm packages, each locked by its hash; {}",
        if notes.is_empty() {
            "none with a known fault".to_owned()
        } else {
            notes.join("; ")
        }
    ))
}

/// The directories of all workspaces, and how many crates they have from elsewhere.
fn cargo_workspaces<'a>(
    shell: &Shell,
    files: &BTreeSet<&'a str>,
    faults: &mut Vec<String>,
) -> Result<(Vec<&'a str>, usize)> {
    let mut workspaces = Vec::new();
    let mut members = BTreeSet::new();
    let mut crates = BTreeSet::new();
    for file in files.iter().filter(|file| is_named(file, "Cargo.toml")) {
        let manifest = fs::read_to_string(shell.root.join(file))?;
        if !manifest.lines().any(|line| line.trim() == "[workspace]") {
            continue;
        }
        let directory = directory(file);
        workspaces.push(directory);
        if !files.contains(beside(file, "Cargo.lock").as_str()) {
            faults.push(format!("{file}: no Cargo.lock is committed beside it"));
            continue;
        }
        let metadata = "cargo metadata --locked --format-version 1 --all-features --manifest-path";
        let metadata = shell.read(shell.command(metadata).arg(file))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        for package in array(&metadata, "packages") {
            let name = text(package, "name");
            if package.get("source").is_some_and(Value::is_string) {
                crates.insert((name.to_owned(), text(package, "version").to_owned()));
            } else {
                members.insert(PathBuf::from(text(package, "manifest_path")));
            }
            faults.extend(crate_fault(package, &shell.root));
        }
    }
    for file in files.iter().filter(|file| is_named(file, "Cargo.toml")) {
        if !members.contains(&shell.root.join(file)) {
            faults.push(format!(
                "{file}: is in no workspace, so nothing locks what it uses"
            ));
        }
    }
    Ok((workspaces, crates.len()))
}

/// What is wrong with a package of `cargo metadata`. Which registry it comes from is cargo-deny's to see to.
fn crate_fault(package: &Value, root: &Path) -> Option<String> {
    let name = text(package, "name");
    if let Some(source) = package.get("source").and_then(Value::as_str) {
        let is_published = source.starts_with("registry+");
        return (!is_published).then(|| format!("crate {name}: comes from {source}"));
    }
    let manifest = text(package, "manifest_path");
    if !Path::new(manifest).starts_with(root) {
        return Some(format!(
            "crate {name}: comes from {manifest}, outside of the repository"
        ));
    }
    has_build_script(package).then(|| {
        format!("crate {name}: has a build script; none of ours runs code when it is built")
    })
}

/// The lock files, and how many packages they name.
fn npm_packages<'a>(
    shell: &Shell,
    files: &BTreeSet<&'a str>,
    faults: &mut Vec<String>,
) -> Result<(Vec<&'a str>, usize)> {
    let (mut packages, mut registries) = (BTreeSet::new(), BTreeSet::new());
    for file in files.iter().filter(|file| is_named(file, "package.json")) {
        let is_locked = files.contains(beside(file, "package-lock.json").as_str());
        faults.extend(manifest_faults(file, &read_json(shell, file)?, is_locked));
    }
    let locks: Vec<&str> = files
        .iter()
        .filter(|file| is_named(file, "package-lock.json"))
        .copied()
        .collect();
    for file in &locks {
        let lock = read_json(shell, file)?;
        faults.extend(lock_faults(file, &lock));
        for (path, package) in members(&lock, "packages") {
            if !path.is_empty() {
                let (_, name) = path.rsplit_once("node_modules/").unwrap_or(("", path));
                packages.insert((name.to_owned(), text(package, "version").to_owned()));
            }
            registries.extend(registry(text(package, "resolved")).map(str::to_owned));
        }
    }
    if registries.len() > 1 {
        faults.push(format!(
            "npm packages come from more than one place: {registries:?}"
        ));
    }
    Ok((locks, packages.len()))
}

/// What is wrong with a `package.json`.
fn manifest_faults(file: &str, manifest: &Value, is_locked: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let is_published = file == "pkg/package.json";
    let mut uses_packages = false;
    for kind in DEPENDENCIES {
        if is_published && manifest.get(kind).is_some() {
            faults.push(format!(
                "{file}: has `{kind}`, and what is published brings nothing along"
            ));
        }
        for (name, version) in members(manifest, kind) {
            uses_packages = true;
            let version = version.as_str().unwrap_or_default();
            if !is_exact(file, name, version) {
                faults.push(format!(
                    "{file}: {name} is {version:?}, which is no exact version"
                ));
            }
        }
    }
    if uses_packages && !is_locked {
        faults.push(format!(
            "{file}: no package-lock.json is committed beside it"
        ));
    }
    for (script, _) in members(manifest, "scripts") {
        if is_published || UNASKED.contains(&script.as_str()) {
            faults.push(format!(
                "{file}: has the script `{script}`, which npm may run unasked"
            ));
        }
    }
    let is_private = manifest.get("private").and_then(Value::as_bool) == Some(true);
    if is_private == is_published {
        faults.push(format!(
            "{file}: what is published is gridkey, and nothing beside it"
        ));
    }
    let (major, minor) = NODE;
    let oldest = format!(">={major}.{minor}");
    let node = manifest.pointer("/engines/node").and_then(Value::as_str);
    if node.is_some_and(|node| node != oldest) {
        faults.push(format!("{file}: `engines.node` is not {oldest}"));
    }
    faults
}

/// `1.2.3`, the same under another name, or gridkey itself.
fn is_exact(file: &str, name: &str, version: &str) -> bool {
    if let Some(path) = version.strip_prefix("file:") {
        return name == "gridkey" && resolved(directory(file), path) == Path::new("pkg");
    }
    let version = match version.strip_prefix("npm:") {
        Some(alias) => alias.rsplit_once('@').map_or("", |(_, version)| version),
        None => version,
    };
    let (numbers, _) = version.split_once('-').unwrap_or((version, ""));
    let numbers: Vec<_> = numbers.split('.').collect();
    let is_number = |text: &&str| {
        text.parse::<u32>()
            .is_ok_and(|number| number.to_string() == **text)
    };
    numbers.len() == 3 && numbers.iter().all(is_number)
}

/// What is wrong with a `package-lock.json`.
fn lock_faults(file: &str, lock: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if lock.get("lockfileVersion").and_then(Value::as_u64) != Some(3) {
        faults.push(format!("{file}: is not of lockfileVersion 3"));
    }
    for (path, package) in members(lock, "packages") {
        let source = text(package, "resolved");
        let is_gridkey = path == "node_modules/gridkey"
            && source
                .strip_prefix("file:")
                .is_some_and(|path| resolved(directory(file), path) == Path::new("pkg"));
        if path.is_empty() || is_gridkey {
            continue;
        }
        if !source.is_empty() && registry(source).is_none() {
            faults.push(format!("{file}: {path} comes from {source}"));
        }
        if !text(package, "integrity").starts_with("sha512-") {
            faults.push(format!("{file}: {path} has no SHA-512"));
        }
    }
    faults
}

/// The host that a package is downloaded from.
fn registry(source: &str) -> Option<&str> {
    source.strip_prefix("https://")?.split('/').next()
}

/// The version of a tool stands where the command finds it, and nowhere else.
fn tools(shell: &Shell, files: &BTreeSet<&str>, faults: &mut Vec<String>) -> Result<()> {
    let channel = fs::read_to_string(shell.root.join("rust-toolchain.toml"))?;
    let channel = channel
        .split('"')
        .nth(1)
        .context("rust-toolchain.toml names no channel")?;
    let manifest = read_json(shell, "xtask/tools/package.json")?;
    let npm = members(&manifest, "devDependencies")
        .filter_map(|(name, version)| Some((name.as_str(), version.as_str()?)));
    let tools: Vec<(&str, &str)> = [
        ("rust", channel),
        ("wasm-bindgen", WASM_BINDGEN),
        ("wasm-pack", WASM_PACK),
        ("geckodriver", GECKODRIVER),
        ("cargo-deny", CARGO_DENY),
        ("cargo-fuzz", CARGO_FUZZ),
        ("cargo-mutants", CARGO_MUTANTS),
    ]
    .into_iter()
    .chain(npm)
    .collect();
    for file in files {
        if !may_name_versions(file)
            && let Ok(text) = fs::read_to_string(shell.root.join(file))
        {
            faults.extend(versions_named(file, &text, &tools));
        }
    }
    let manifest = fs::read_to_string(shell.root.join("Cargo.toml"))?;
    let oldest = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap_or_default()
        .trim_matches('"');
    if !channel.starts_with(&format!("{oldest}.")) {
        faults.push(format!(
            "Cargo.toml: rust-version is {oldest}, and the toolchain is {channel}"
        ));
    }
    Ok(())
}

/// Where the versions of tools are, what other tools wrote, what is measured and of a day, and projects that
/// have a lock file of their own.
fn may_name_versions(file: &str) -> bool {
    let homes = [
        "CHANGELOG.md",
        "rust-toolchain.toml",
        "xtask/src/versions.rs",
    ];
    let names = ["Cargo.lock", "package-lock.json", "package.json"];
    homes.contains(&file)
        || names.iter().any(|name| is_named(file, name))
        || file.starts_with("docs/")
        || file.starts_with("tests/vectors/")
}

fn versions_named(file: &str, text: &str, tools: &[(&str, &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        // The one crate whose version is the tool's: a test of `versions.rs` holds them together.
        if file == "Cargo.toml" && line.starts_with("wasm-bindgen = ") {
            continue;
        }
        let lower = line.to_lowercase();
        for (name, version) in tools {
            let is_version =
                |word: &str| word.trim_matches(|end: char| !end.is_ascii_digit()) == *version;
            if lower.contains(name)
                && line
                    .split(|char: char| !(char.is_ascii_alphanumeric() || char == '.'))
                    .any(is_version)
            {
                faults.push(format!(
                    "{file}:{number}: names {name} {version}, which xtask/src/versions.rs, \
                     rust-toolchain.toml or xtask/tools/package.json does alone"
                ));
            }
        }
    }
    faults
}

/// Holds what is said of the module's crates against the lock file, or writes it.
fn pages(shell: &Shell) -> Result<()> {
    let metadata = "cargo metadata --locked --format-version 1 --all-features";
    let metadata: Value = serde_json::from_str(&shell.read(&mut shell.command(metadata))?)?;
    let packages: Packages<'_> = array(&metadata, "packages")
        .map(|package| ((text(package, "name"), text(package, "version")), package))
        .collect();
    let tree = format!(
        "cargo tree --locked --package gridkey --edges normal --target {WASM_TARGET} --features standalone \
         --no-dedupe --prefix depth --format |{{p}}"
    );
    let (shipped, compiling) = crates(&shell.read(&mut shell.command(&tree))?)?;
    for (file, expected) in [
        (PAGE, page_text(&shipped, &compiling, &packages)?),
        (LICENCES, licences_text(&shipped, &packages)?),
    ] {
        let path = shell.root.join(file);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &expected)?;
        }
        ensure!(
            fs::read_to_string(&path).unwrap_or_default() == expected,
            "{file} says something else: `UPDATE_DOCS=1 cargo xtask test supply` writes it"
        );
    }
    Ok(())
}

fn page_text(shipped: &Crates, compiling: &Crates, packages: &Packages<'_>) -> Result<String> {
    let mut page = format!(
        "# What the module is made of\n\n\
         The crates that the WebAssembly is compiled from; of some nothing is left in it. The npm package has no\n\
         dependencies. This page is written by `UPDATE_DOCS=1 cargo xtask test supply`, and every run holds it\n\
         against `Cargo.lock`. What a crate may be is in [deny.toml](../deny.toml); the licences are in the package, in\n\
         [THIRD-PARTY-LICENSES](../pkg/THIRD-PARTY-LICENSES).\n\n\
         *Build script*: a program of the crate's that runs where it is compiled. *`unsafe`*: how often the word\n\
         stands in its sources, comments left out; with what only other machines compile, and its tests.\n\n\
         {HEAD}"
    );
    for name in shipped {
        row(&mut page, name, packages)?;
    }
    let _ = writeln!(
        page,
        "\n{} crates beside gridkey. These run where it is compiled, as its macros and below them:\n\n{HEAD}",
        shipped.len().saturating_sub(1)
    );
    page.truncate(page.trim_end().len());
    page.push('\n');
    for name in compiling.difference(shipped) {
        row(&mut page, name, packages)?;
    }
    Ok(page)
}

/// What the licences of the module's crates ask to go with it. Of two to choose from the MIT's, whose
/// text is short; equal texts stand once.
fn licences_text(shipped: &Crates, packages: &Packages<'_>) -> Result<String> {
    let mut by_text = BTreeMap::<String, Vec<String>>::new();
    for (name, version) in shipped.iter().filter(|(name, _)| name != "gridkey") {
        let package = package(packages, name, version)?;
        let directory = crate_directory(package)?;
        let text = ["LICENSE-MIT", "LICENSE"]
            .iter()
            .find_map(|file| fs::read_to_string(directory.join(file)).ok())
            .unwrap_or_else(|| {
                let [licence, source] = ["license", "repository"].map(|name| text(package, name));
                format!("{licence}; the crate has no text of it. {source}")
            });
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        let crates = by_text.entry(lines.join("\n").trim().to_owned());
        crates.or_default().push(name.clone());
    }
    let mut parts: Vec<_> = by_text
        .into_iter()
        .map(|(text, crates)| format!("{}\n\n{text}\n", crates.join(", ")))
        .collect();
    parts.sort();
    let head = "The WebAssembly of this package is compiled from gridkey's own code and from these crates.\n";
    parts.insert(0, head.to_owned());
    Ok(parts.join(&format!("\n{}\n\n", "-".repeat(80))))
}

const HEAD: &str =
    "| crate | version | licence | build script | `unsafe` |\n|---|---|---|---|---|\n";

type Crates = BTreeSet<(String, String)>;
type Packages<'a> = BTreeMap<(&'a str, &'a str), &'a Value>;

/// Of a tree with depths, what is in the module, and what is only needed to compile it.
fn crates(tree: &str) -> Result<(Crates, Crates)> {
    let (mut shipped, mut compiling) = (Crates::new(), Crates::new());
    let mut below_macro = None;
    for line in tree.lines() {
        let (depth, package) = line.split_once('|').context("cargo tree says no depth")?;
        let depth: u32 = depth.parse()?;
        let mut words = package.split_whitespace();
        let (name, version) = words
            .next()
            .zip(words.next().and_then(|version| version.strip_prefix('v')))
            .with_context(|| format!("cargo tree says {line:?}"))?;
        let name = (name.to_owned(), version.to_owned());
        if below_macro.is_some_and(|start| depth <= start) {
            below_macro = None;
        }
        if below_macro.is_none() && package.contains("(proc-macro)") {
            below_macro = Some(depth);
        }
        match below_macro {
            Some(_) => compiling.insert(name),
            None => shipped.insert(name),
        };
    }
    Ok((shipped, compiling))
}

fn package<'a>(packages: &Packages<'a>, name: &str, version: &str) -> Result<&'a Value> {
    let found = packages.get(&(name, version)).copied();
    found.with_context(|| format!("cargo metadata does not know {name} {version}"))
}

fn crate_directory(package: &Value) -> Result<&Path> {
    let manifest = Path::new(text(package, "manifest_path"));
    manifest.parent().context("a manifest is in a directory")
}

fn row(
    page: &mut String,
    (name, version): &(String, String),
    packages: &Packages<'_>,
) -> Result<()> {
    let package = package(packages, name, version)?;
    let directory = crate_directory(package)?;
    let script = if has_build_script(package) { "yes" } else { "" };
    let count = unsafe_words(&directory.join("src"))?;
    let count = if count == 0 {
        String::new()
    } else {
        count.to_string()
    };
    let licence = text(package, "license").replace('/', " OR ");
    writeln!(
        page,
        "| {name} | {version} | {licence} | {script} | {count} |"
    )?;
    Ok(())
}

/// Reading Rust properly is not worth a dependency: nothing else has this word in it but strings.
fn unsafe_words(directory: &Path) -> Result<usize> {
    let mut count = 0_usize;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let here = if path.is_dir() {
            unsafe_words(&path)?
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            unsafe_words_in(&fs::read_to_string(&path)?)
        } else {
            0
        };
        count = count.saturating_add(here);
    }
    Ok(count)
}

fn unsafe_words_in(source: &str) -> usize {
    source
        .lines()
        .filter_map(|line| line.split("//").next())
        .flat_map(|code| code.split(|char: char| !(char.is_alphanumeric() || char == '_')))
        .filter(|word| *word == "unsafe")
        .count()
}

/// Refuses crates with known faults, and withdrawn ones; or says what was skipped.
fn advisories(shell: &Shell, workspaces: &[&str]) -> Result<Option<String>> {
    let fetched = shell.status(&mut deny(shell, "", "fetch db"), PATIENCE);
    if !fetched.is_ok_and(|status| status.success()) {
        return Ok(Some(
            "skipped: advisories, no database of RustSec's could be had".to_owned(),
        ));
    }
    for workspace in workspaces {
        let check = "check --disable-fetch --hide-inclusion-graph advisories";
        shell.run(&mut deny(shell, workspace, check))?;
    }
    Ok(None)
}

fn deny(shell: &Shell, workspace: &str, words: &str) -> std::process::Command {
    let mut deny = shell.command("cargo deny --locked --config deny.toml --manifest-path");
    deny.arg(Path::new(workspace).join("Cargo.toml"))
        .args(words.split_whitespace());
    deny
}

/// Holds every lock file against npm's list; says what it found that is not refused, or what was skipped.
///
/// Nothing of it is shipped: the tools of tests and builds run on what is in the repository, none of their scripts
/// at installation is run, and a fault in one must not stop a mend of the package. So it is shown, and only
/// those fail that an example would bring to whoever copies it.
fn npm_audit(shell: &Shell, locks: &[&str]) -> Result<Option<String>> {
    let mut tools = 0_u64;
    for lock in locks {
        let audit = |options: &[&str]| -> Result<Option<u64>> {
            let mut npm = shell.command("npm audit --json --package-lock-only");
            npm.args(options)
                .current_dir(shell.root.join(directory(lock)));
            // It fails where there is a fault.
            let output = npm.output().context("npm audit")?;
            Ok(serious(
                &serde_json::from_slice(&output.stdout).unwrap_or_default(),
            ))
        };
        let Some(all) = audit(&[])? else {
            return Ok(Some(
                "skipped: npm audit, the registry does not answer it".to_owned(),
            ));
        };
        if all > 0 {
            shell.say(format_args!(
                "{lock}: {all} packages with a serious known fault"
            ))?;
        }
        if lock.starts_with("examples/") || lock.starts_with("www/") {
            let shipped = audit(&["--omit=dev"])?.context("npm audit has stopped answering")?;
            ensure!(
                shipped == 0,
                "{lock}: {shipped} packages with a serious known fault are in the page"
            );
        }
        tools = tools.saturating_add(all);
    }
    Ok((tools > 0).then(|| format!("{tools} npm tools, not shipped, with a serious known fault")))
}

/// How many high and critical ones `npm audit` has found; nothing if it has not been told.
fn serious(report: &Value) -> Option<u64> {
    let counts = report.pointer("/metadata/vulnerabilities")?;
    let count = |name: &str| counts.get(name).and_then(Value::as_u64);
    Some(count("high")?.saturating_add(count("critical")?))
}

fn has_build_script(package: &Value) -> bool {
    array(package, "targets")
        .flat_map(|target| array(target, "kind"))
        .any(|kind| kind == "custom-build")
}

fn is_named(file: &str, name: &str) -> bool {
    Path::new(file).file_name().is_some_and(|last| last == name)
}

fn directory(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn beside(file: &str, name: &str) -> String {
    Path::new(directory(file))
        .join(name)
        .to_string_lossy()
        .into_owned()
}

/// A relative path from a directory of the repository, which it may not leave.
fn resolved(directory: &str, path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in Path::new(directory).join(path).components() {
        match component {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            other => whole.push(other),
        }
    }
    whole
}

fn read_json(shell: &Shell, file: &str) -> Result<Value> {
    let text = fs::read_to_string(shell.root.join(file))?;
    serde_json::from_str(&text).with_context(|| file.to_owned())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{
        crate_fault, crates, is_exact, lock_faults, manifest_faults, registry, serious,
        unsafe_words_in, versions_named,
    };

    #[test]
    fn versions_must_be_exact() {
        for version in [
            "1.2.3",
            "0.0.1-beta.2",
            "npm:typescript@5.2.2",
            "npm:@a/b@1.0.0",
        ] {
            assert!(is_exact("www/package.json", "x", version), "{version}");
        }
        for version in [
            "^1.2.3",
            "~1.2.3",
            "1.2",
            "1.x.0",
            "*",
            "",
            "latest",
            ">=1.2.3",
            "1.2.3 || 2.0.0",
            "01.2.3",
            "npm:typescript",
            "npm:typescript@^5.2.2",
            "git+https://example.org/x.git",
            "https://example.org/x.tgz",
            "file:../pkg",
            "github:a/b#1.2.3",
        ] {
            assert!(!is_exact("www/package.json", "x", version), "{version}");
        }
    }

    #[test]
    fn of_files_only_the_package_itself_is_installed() {
        assert!(is_exact("www/package.json", "gridkey", "file:../pkg"));
        assert!(is_exact(
            "examples/one/package.json",
            "gridkey",
            "file:../../pkg"
        ));
        assert!(!is_exact(
            "examples/one/package.json",
            "gridkey",
            "file:../pkg"
        ));
        assert!(!is_exact(
            "examples/one/package.json",
            "other",
            "file:../../pkg"
        ));
    }

    #[test]
    fn what_is_published_brings_nothing_and_runs_nothing() {
        let faults = |manifest| manifest_faults("pkg/package.json", &manifest, true).len();
        assert_eq!(
            faults(json!({ "name": "gridkey", "engines": { "node": ">=20.19" } })),
            0
        );
        assert_eq!(faults(json!({ "dependencies": { "a": "1.0.0" } })), 1);
        assert_eq!(faults(json!({ "peerDependencies": {} })), 1);
        assert_eq!(
            faults(json!({ "scripts": { "postinstall": "node x.js" } })),
            1
        );
        assert_eq!(faults(json!({ "scripts": { "test": "node x.js" } })), 1);
        assert_eq!(faults(json!({ "private": true })), 1);
        assert_eq!(faults(json!({ "engines": { "node": ">=18" } })), 1);
    }

    #[test]
    fn projects_are_private_and_locked() {
        let faults =
            |manifest, is_locked| manifest_faults("a/package.json", &manifest, is_locked).len();
        let project = json!({ "private": true, "devDependencies": { "a": "1.0.0" }, "scripts": { "test": "x" } });
        assert_eq!(faults(project.clone(), true), 0);
        assert_eq!(faults(project, false), 1);
        assert_eq!(faults(json!({ "private": true }), false), 0);
        assert_eq!(faults(json!({ "name": "a" }), false), 1);
        assert_eq!(
            faults(
                json!({ "private": true, "scripts": { "prepare": "x" } }),
                false
            ),
            1
        );
        assert_eq!(
            faults(
                json!({ "private": true, "dependencies": { "a": "^1.0.0" } }),
                true
            ),
            1
        );
    }

    #[test]
    fn lock_files_have_hashes_and_one_source() {
        let faults = |packages| {
            let lock = json!({ "lockfileVersion": 3, "packages": packages });
            lock_faults("www/package-lock.json", &lock).len()
        };
        let sha512 = "sha512-AAAA";
        assert_eq!(
            faults(json!({ "": {}, "node_modules/a": { "integrity": sha512 } })),
            0
        );
        assert_eq!(
            faults(json!({ "node_modules/gridkey": { "resolved": "file:../pkg" } })),
            0
        );
        assert_eq!(
            faults(json!({ "node_modules/a": { "resolved": "file:../pkg" } })),
            2
        );
        assert_eq!(
            faults(json!({ "node_modules/gridkey": { "resolved": "file:../other" } })),
            2
        );
        assert_eq!(faults(json!({ "node_modules/a": {} })), 1);
        assert_eq!(
            faults(json!({ "node_modules/a": { "integrity": "sha1-AAAA" } })),
            1
        );
        let npm = "https://registry.example/a/-/a-1.0.0.tgz";
        assert_eq!(
            faults(json!({ "node_modules/a": { "integrity": sha512, "resolved": npm } })),
            0
        );
        assert_eq!(registry(npm), Some("registry.example"));
        let git = "git+ssh://git@example.org/a.git#1";
        assert_eq!(
            faults(json!({ "node_modules/a": { "integrity": sha512, "resolved": git } })),
            1
        );
        assert_eq!(
            lock_faults("package-lock.json", &json!({ "lockfileVersion": 2 })).len(),
            1
        );
    }

    #[test]
    fn crates_are_published_ones_and_ours_run_nothing() {
        let fault = |package| crate_fault(&package, Path::new("/here"));
        let of = |source| json!({ "name": "a", "source": source, "targets": [{ "kind": ["custom-build"] }] });
        assert!(fault(of("registry+https://example.org/index")).is_none());
        assert!(fault(of("path+file:///elsewhere")).is_some());
        assert!(fault(of("git+https://example.org/a#1")).is_some());
        let ours = |path, kind| json!({ "name": "a", "source": null, "manifest_path": path, "targets": [{ "kind": [kind] }] });
        assert!(fault(ours("/here/a/Cargo.toml", "lib")).is_none());
        assert!(fault(ours("/there/a/Cargo.toml", "lib")).is_some());
        assert!(fault(ours("/here/a/Cargo.toml", "custom-build")).is_some());
    }

    #[test]
    fn a_tools_version_stands_in_one_place() {
        let tools = [("wasm-pack", "7.15.1"), ("rust", "7.95.0")];
        let count = |line| versions_named("README.md", line, &tools).len();
        for line in [
            "cargo install wasm-pack@7.15.1",
            "- wasm-pack: v7.15.1",
            "RUN Wasm-Pack \"7.15.1\".",
            "rustup toolchain install 7.95.0",
        ] {
            assert_eq!(count(line), 1, "{line}");
        }
        for line in [
            "wasm-pack",
            "hpke 7.15.1",
            "wasm-pack 7.15.10",
            "wasm-pack 17.15.1",
        ] {
            assert_eq!(count(line), 0, "{line}");
        }
    }

    #[test]
    fn what_only_macros_need_is_not_shipped() {
        let tree = "0|a v1.0.0 (/here)\n1|b v1.0.0\n2|m v1.0.0 (proc-macro)\n3|q v1.0.0\n4|b v2.0.0\n2|c v1.0.0\n1|q v1.0.0\n";
        let (shipped, compiling) = crates(tree).unwrap();
        let names = |crates: super::Crates| {
            crates
                .into_iter()
                .map(|(name, version)| name + &version)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(shipped), ["a1.0.0", "b1.0.0", "c1.0.0", "q1.0.0"]);
        assert_eq!(names(compiling), ["b2.0.0", "m1.0.0", "q1.0.0"]);
    }

    #[test]
    fn words_are_counted_in_code() {
        let source =
            "#![forbid(unsafe_code)]\n// unsafe\nunsafe fn f() { unsafe { g() } } // unsafe\n";
        assert_eq!(unsafe_words_in(source), 2);
    }

    /// As npm 10 writes it.
    #[test]
    fn an_audit_is_read() {
        let counts =
            json!({ "info": 0, "low": 1, "moderate": 2, "high": 3, "critical": 4, "total": 10 });
        let report = json!({ "auditReportVersion": 2, "metadata": { "vulnerabilities": counts } });
        assert_eq!(serious(&report), Some(7));
        assert_eq!(
            serious(&json!({ "message": "405 Method Not Allowed", "statusCode": 405 })),
            None
        );
        assert_eq!(serious(&json!(null)), None);
    }
}
