//! What is published: that it says what has changed, and that whoever has the commit gets the same
//! bytes.
//!
//! Lock files and `rust-toolchain.toml` name all that makes these bytes but Node, whose zlib packs the
//! tarball: with another Node what is in it is the same.
//!
//! Publishing is done by hand, with the tarball that this has made.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{
    build::{self, scratch},
    setup,
    shell::Shell,
};

/// What a user of the package sees. Whoever changes one of these has something to tell.
const PUBLIC: [&str; 5] = [
    "docs/errors.md",
    "docs/intents.md",
    "docs/operations.md",
    "pkg/api.snapshot.d.ts",
    "pkg/files.snapshot.txt",
];

const CHANGELOG: &str = "CHANGELOG.md";
const UNRELEASED: &str = "Unreleased";
/// The kinds of change of Keep a Changelog 1.1.0.
const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// Why there is no command that publishes, and what to type.
pub(crate) const BY_HAND: &str = "\
publishing is done by hand, by somebody who may:

  1. name the section Unreleased of CHANGELOG.md after the version and the day, and commit
  2. cargo xtask release --dry-run
  3. npm publish the tarball that it prints, and compare the digest
  4. git tag the commit";

/// Makes the tarball from the commit alone, twice, and compares.
pub(crate) fn dry_run(shell: &Shell) -> Result<()> {
    let changes = shell.read(&mut shell.command("git status --porcelain"))?;
    ensure!(
        changes.is_empty(),
        "a release is made from a commit, and this is in none:\n{changes}"
    );
    let is_released = !changelog(shell)?;
    setup::package_tools(shell)?;

    let commit = shell.read(&mut shell.command("git rev-parse HEAD"))?;
    // Paths of different lengths move whatever has one of them in it.
    let base = scratch(shell)?.join("release");
    if base.exists() {
        fs::remove_dir_all(&base)?;
    }
    let first = tarball(shell, &commit, &base.join("a"))?;
    let second = tarball(
        shell,
        &commit,
        &base.join("another/and-a-longer-path/to-it"),
    )?;
    compare(shell, &first, &second, &base)?;

    let kept = scratch(shell)?.join(first.file_name().context("a tarball has a name")?);
    fs::copy(&first, &kept)?;
    fs::remove_dir_all(&base)?;
    describe(shell, &kept, &commit)?;
    if !is_released {
        shell.say(format_args!(
            "not to be published yet: {CHANGELOG} has a section {UNRELEASED}"
        ))?;
    }
    Ok(())
}

/// Packs a clone of the commit, with a target directory of its own.
fn tarball(shell: &Shell, commit: &str, directory: &Path) -> Result<PathBuf> {
    shell.say(format_args!("building in {}", directory.display()))?;
    shell.run(
        shell
            .command("git clone --quiet --no-checkout")
            .args([&shell.root, directory]),
    )?;
    let clone = shell.in_workspace(directory)?;
    clone.run(clone.command("git checkout --quiet --detach").arg(commit))?;
    setup::package_tools(&clone)?;
    let tarball = build::pack(&clone)?;
    // Else a lock file was out of date, or something is built that git does not ignore.
    let changes = clone.read(&mut clone.command("git status --porcelain"))?;
    ensure!(
        changes.is_empty(),
        "building changes the sources:\n{changes}"
    );
    Ok(tarball)
}

/// An error that names the files that differ.
fn compare(shell: &Shell, first: &Path, second: &Path, base: &Path) -> Result<()> {
    if fs::read(first)? == fs::read(second)? {
        return Ok(());
    }
    for (name, tarball) in [("1", first), ("2", second)] {
        let directory = base.join("unpacked").join(name);
        fs::create_dir_all(&directory)?;
        shell.run(
            shell
                .command("tar -xzf")
                .arg(tarball)
                .arg("-C")
                .arg(&directory),
        )?;
    }
    let differences = shell
        .command("diff --recursive --brief 1 2")
        .current_dir(base.join("unpacked"))
        .output()?;
    bail!(
        "the same commit gave two packages; they are left in {}\n{}",
        base.display(),
        String::from_utf8_lossy(&differences.stdout)
    )
}

fn describe(shell: &Shell, tarball: &Path, commit: &str) -> Result<()> {
    let manifest = manifest(shell)?;
    let digest = shell.read(
        shell
            .command("node --print")
            .arg("crypto.createHash('sha256').update(fs.readFileSync(process.argv[1])).digest('hex')")
            .arg(tarball),
    )?;
    let files = shell.read(shell.command("tar -tzf").arg(tarball))?;
    shell.say(format_args!(
        "name     {}\n\
         version  {}\n\
         commit   {commit}\n\
         sha256   {digest}\n\
         size     {} bytes\n\
         files    {}\n\
         tarball  {}",
        text(&manifest, "name")?,
        text(&manifest, "version")?,
        fs::metadata(tarball)?.len(),
        files.lines().count(),
        tarball.display(),
    ))
}

/// Whether the changelog is in order: its form, its newest version, and that nothing that users see
/// has changed since it last did. Whether there are changes that no version has yet.
pub(crate) fn changelog(shell: &Shell) -> Result<bool> {
    let read =
        |path: &str| fs::read_to_string(shell.root.join(path)).with_context(|| path.to_owned());
    let version = text(&manifest(shell)?, "version")?;
    let workspace = workspace_version(&read("Cargo.toml")?)?;
    ensure!(
        version == workspace,
        "pkg/package.json is of version {version}, and Cargo.toml of {workspace}"
    );
    let has_unreleased = check_changelog(&read(CHANGELOG)?, &version)?;

    let untold = untold_changes(shell)?;
    ensure!(
        untold.is_empty(),
        "these have changed since {CHANGELOG} did, which must say what that means for users: {}",
        untold.join(", ")
    );
    Ok(has_unreleased)
}

/// The public files that have changed since the changelog did, committed or not. On a branch that was
/// merged, the merge is what changed them.
fn untold_changes(shell: &Shell) -> Result<Vec<String>> {
    let git = |words: &str| shell.command(words);
    let last = "git log --first-parent --max-count=1 --format=%H --";
    let Ok(last) = shell.read(git(last).arg(CHANGELOG)) else {
        shell.say("no git, or no repository: the changelog is not compared with the changes")?;
        return Ok(Vec::new());
    };
    let pending = shell.read(git("git status --porcelain --").arg(CHANGELOG))?;
    // None, where the files were unpacked inside of somebody's repository.
    if last.is_empty() || !pending.is_empty() {
        return Ok(Vec::new());
    }
    let changed = shell.read(git("git diff --name-only").arg(last).arg("--").args(PUBLIC))?;
    Ok(changed.lines().map(ToOwned::to_owned).collect())
}

/// That every section has its version and day and says something, and that the newest version is
/// the package's. Whether there are changes that no version has yet.
fn check_changelog(changelog: &str, version: &str) -> Result<bool> {
    let mut sections = sections(changelog, "## ").into_iter().peekable();
    ensure!(sections.peek().is_some(), "{CHANGELOG} has no section");
    let unreleased = sections.next_if(|(title, _)| *title == UNRELEASED);
    let released: Vec<_> = sections.collect();
    for (title, text) in unreleased.iter().chain(&released) {
        let kinds = self::sections(text, "### ");
        ensure!(!kinds.is_empty(), "{CHANGELOG} says nothing under {title}");
        for (kind, text) in kinds {
            ensure!(
                KINDS.contains(&kind),
                "{CHANGELOG} has {kind} under {title}; it is one of {}",
                KINDS.join(", ")
            );
            ensure!(
                text.lines().any(|line| line.starts_with("- ")),
                "{CHANGELOG} says nothing under {title}, {kind}"
            );
        }
    }
    for (title, _) in &released {
        ensure!(
            title.split_once(" - ").is_some_and(|(_, day)| is_day(day)),
            "{CHANGELOG} has a section {title}, which is no version and day: 1.2.3 - 2026-01-31"
        );
    }
    if let Some((newest, _)) = released.first() {
        ensure!(
            newest.split(" - ").next() == Some(version),
            "the package is of version {version}, and the newest in {CHANGELOG} is {newest}"
        );
    }
    Ok(unreleased.is_some())
}

/// The titles of one level and what stands below each.
fn sections<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    let mark = format!("\n{mark}");
    let mut parts = text.split(mark.as_str());
    // What comes before the first.
    parts.next();
    parts
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .collect()
}

/// `2026-01-31`
fn is_day(text: &str) -> bool {
    let numbers: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = numbers.iter().map(|number| number.len()).collect();
    let is_number = |number: &&str| number.bytes().all(|byte| byte.is_ascii_digit());
    lengths == [4, 2, 2] && numbers.iter().all(is_number)
}

fn manifest(shell: &Shell) -> Result<Value> {
    let manifest = fs::read_to_string(shell.root.join("pkg/package.json"))?;
    serde_json::from_str(&manifest).context("pkg/package.json")
}

fn text(manifest: &Value, key: &str) -> Result<String> {
    let value = manifest.get(key).and_then(Value::as_str);
    let value = value.with_context(|| format!("pkg/package.json has no {key}"))?;
    Ok(value.to_owned())
}

fn workspace_version(manifest: &str) -> Result<String> {
    manifest
        .lines()
        .skip_while(|line| *line != "[workspace.package]")
        .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(ToOwned::to_owned)
        .context("Cargo.toml gives the workspace no version")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{check_changelog, compare, workspace_version};
    use crate::shell::Shell;

    const RELEASED: &str = "# Changelog\n\n## 0.2.0 - 2026-11-20\n\n### Fixed\n\n- A thing.\n\n\
        ## 0.1.0 - 2026-01-31\n\n### Added\n\n- Another.\n";

    #[test]
    fn a_changelog_says_what_is_released_and_what_is_not() {
        assert!(!check_changelog(RELEASED, "0.2.0").unwrap());
        let unreleased = RELEASED.replacen(
            "## 0.2.0",
            "## Unreleased\n\n### Added\n\n- Something.\n\n## 0.2.0",
            1,
        );
        assert!(check_changelog(&unreleased, "0.2.0").unwrap());
    }

    #[test]
    fn a_changelog_is_refused_if_it_says_too_little() {
        for (from, to) in [
            ("## ", "### "),
            ("0.2.0", "0.3.0"),
            ("0.2.0 - 2026-11-20", "0.2.0"),
            ("2026-01-31", "31.1.2026"),
            ("### Fixed", "### Repaired"),
            ("- A thing.", ""),
            ("### Added\n\n- Another.\n", ""),
            ("## 0.2.0", "## Unreleased\n\n## 0.2.0"),
            ("0.1.0 - 2026-01-31", "Unreleased"),
        ] {
            let changelog = RELEASED.replace(from, to);
            assert!(
                check_changelog(&changelog, "0.2.0").is_err(),
                "{from} → {to}"
            );
        }
    }

    #[test]
    fn two_packages_are_the_same_or_the_difference_is_named() {
        let shell = Shell::new().unwrap();
        let base = std::env::temp_dir().join(format!("xtask-release-{}", std::process::id()));
        let [first, other] = ["1", "2"].map(|content| {
            let directory = base.join(content);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("kept.js"), "0").unwrap();
            fs::write(directory.join("changed.js"), content).unwrap();
            let tarball = base.join(format!("{content}.tgz"));
            let mut tar = shell.command("tar -czf");
            tar.arg(&tarball).arg("-C").arg(&directory).arg(".");
            shell.run(&mut tar).unwrap();
            tarball
        });
        let same = base.join("same.tgz");
        fs::copy(&first, &same).unwrap();
        compare(&shell, &first, &same, &base).unwrap();
        let error = compare(&shell, &first, &other, &base).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("changed.js"), "{error}");
        assert!(!error.contains("kept.js"), "{error}");
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn the_version_of_the_workspace_is_not_that_of_a_dependency() {
        let manifest = "[x]\nversion = \"9\"\n[workspace.package]\nversion = \"0.1.0\"\n";
        assert_eq!(workspace_version(manifest).unwrap(), "0.1.0");
    }
}
