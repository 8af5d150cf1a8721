//! Running other programs: from the workspace's root, with the project's own tools on the `PATH`,
//! and with the output going to the terminal or to a log.

use std::{
    env,
    ffi::OsString,
    fmt::Display,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use wait_timeout::ChildExt as _;

use crate::setup;

/// No command takes this long, not even a first compilation on two slow cores. One that hangs is
/// ended while there is still time to show what it had printed.
const TIME_LIMIT: Duration = Duration::from_secs(30 * 60);

pub(crate) struct Shell {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    path: OsString,
    log: Option<File>,
}

impl Shell {
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask is a member of a workspace")?;
        let inherited = env::var_os("PATH").unwrap_or_default();
        let mut shell = Self {
            root: root.to_owned(),
            target: PathBuf::new(),
            path: env::join_paths(
                setup::tool_directories()?
                    .into_iter()
                    .chain(env::split_paths(&inherited)),
            )?,
            log: None,
        };
        shell.target = shell.cargo_target_directory()?;
        Ok(shell)
    }

    /// The same shell with all output in `log`.
    pub(crate) fn logging_to(&self, log: File) -> Self {
        Self {
            root: self.root.clone(),
            target: self.target.clone(),
            path: self.path.clone(),
            log: Some(log),
        }
    }

    /// The same shell in another copy of the workspace, which has its own target directory.
    pub(crate) fn in_workspace(&self, root: &Path) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            target: root.join("target"),
            path: self.path.clone(),
            log: self.log.as_ref().map(File::try_clone).transpose()?,
        })
    }

    pub(crate) fn say(&self, line: impl Display) -> Result<()> {
        match self.log.as_ref() {
            Some(mut log) => writeln!(log, "{line}")?,
            None => println!("{line}"),
        }
        Ok(())
    }

    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        which::which_in(program, Some(&self.path), &self.root).ok()
    }

    /// A program and its first arguments, none of which has a space in it.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut words = words.split_ascii_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .current_dir(&self.root)
            .env("PATH", &self.path)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command that must succeed.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let status = self.status(command, TIME_LIMIT)?;
        ensure!(status.success(), "{}: {status}", describe(command));
        Ok(())
    }

    /// Runs a command that may take so long.
    pub(crate) fn status(&self, command: &mut Command, limit: Duration) -> Result<ExitStatus> {
        if let Some(log) = &self.log {
            command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        }
        let mut child = command.spawn().with_context(|| describe(command))?;
        let Some(status) = child.wait_timeout(limit)? else {
            child.kill()?;
            child.wait()?;
            bail!(
                "{}: stopped after {} minutes",
                describe(command),
                limit.as_secs() / 60
            );
        };
        Ok(status)
    }

    /// What a command that must succeed prints.
    pub(crate) fn read(&self, command: &mut Command) -> Result<String> {
        let output = command.output().with_context(|| describe(command))?;
        ensure!(
            output.status.success(),
            "{}: {}\n{}",
            describe(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    fn cargo_target_directory(&self) -> Result<PathBuf> {
        let metadata =
            self.read(&mut self.command("cargo metadata --no-deps --format-version 1"))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let directory = metadata
            .get("target_directory")
            .and_then(serde_json::Value::as_str)
            .context("cargo metadata names no target directory")?;
        Ok(directory.into())
    }
}

fn describe(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}
