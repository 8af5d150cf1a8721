//! The project's commands: see `USAGE`.
//!
//! Each installs what it needs and the machine lacks, and says so.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program speaks through its output"
)]

mod assure;
mod build;
mod demo;
mod engines;
mod fuzz;
mod glue;
mod grid;
mod load;
mod mutants;
mod newcomer;
mod packaging;
mod parts;
mod release;
mod setup;
mod shell;
mod size;
mod supply;
mod test;
mod versions;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::{parts::PARTS, shell::Shell};

/// Fixed, so that the page keeps its origin, and with it what the browser stores for it.
const DEMO_PORT: u16 = 8700;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [--port N]   serve the login page with a local Grid; prints the address
  test [PART…]      every check and test, or only the named parts
  test --list       the parts
  assure [PART…]    what holds the promises of SECURITY.md, in less than half an hour
  assure --list     its parts, and the commands that take longer
  mutants [FILE…]   faults put into the code that refuses things, each of which a test must notice; for
                    hours. --resume: without the files that an earlier run finished
  engines [NAME…]   the browser tests in chromium, firefox and webkit
  load              1,000 connections on the relay, before Grids that are well and that are not
  fuzz [TARGET…]    each target of fuzz/ for a minute, or --seconds N; --keep: what is found
  check             formatting, lints and documentation
  build             the npm package in pkg/
  pack              the same as the tarball that npm publishes; prints its path
  size [--groups]   what the package weighs beside its peers, against its budget; what of it is what
  packaging [NAME…] the package in every environment, or only the named ones, in a table
  release --dry-run the tarball twice from clean clones of the commit, compared; prints its digest
  setup             only install what is missing";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the command found everything in order.
fn run() -> Result<bool> {
    let shell = Shell::new()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["demo"] => demo::run(&shell, DEMO_PORT)?,
        ["demo", "--port", port] => demo::run(&shell, port.parse().context("--port")?)?,
        ["setup"] => setup::everything(&shell)?,
        ["build"] => {
            setup::package_tools(&shell)?;
            build::package(&shell)?;
        }
        ["pack"] => {
            setup::package_tools(&shell)?;
            println!("{}", build::pack(&shell)?.display());
        }
        ["size", rest @ ..] if matches!(rest, [] | ["--groups"]) => {
            setup::package_tools(&shell)?;
            setup::peers(&shell)?;
            if !rest.is_empty() {
                size::groups(&shell)?;
            }
            size::report(&shell)?;
        }
        ["load"] => {
            load::NEEDS.iter().try_for_each(|install| install(&shell))?;
            load::run(&shell)?;
        }
        ["packaging", names @ ..] => packaging::run(&shell, names)?,
        ["release", "--dry-run"] => release::dry_run(&shell)?,
        ["release"] => bail!("{}", release::BY_HAND),
        ["check"] => return test::run(&shell, PARTS, &["fmt", "clippy", "docs"]),
        ["test", "--list"] => test::list(PARTS),
        ["test", names @ ..] => return test::run(&shell, PARTS, names),
        ["assure", "--list"] => {
            test::list(assure::PARTS);
            println!("\n{}", assure::LONGER);
        }
        ["assure", names @ ..] => return test::run(&shell, assure::PARTS, names),
        ["fuzz", arguments @ ..] => fuzz::command(&shell, arguments)?,
        ["mutants", "--resume", names @ ..] => return mutants::run(&shell, names, true),
        ["mutants", names @ ..] => return mutants::run(&shell, names, false),
        ["engines", names @ ..] => return engines::run(&shell, names),
        ["help" | "--help" | "-h"] => println!("{USAGE}"),
        _ => bail!("{USAGE}"),
    }
    Ok(true)
}
