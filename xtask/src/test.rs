//! Runs the parts of the test suite and tells how each went, in a line of its own.

use std::{
    fs::{self, File},
    io::Write as _,
    time::Instant,
};

use anyhow::{Result, ensure};

use crate::{build::scratch, parts::Part, shell::Shell};

pub(crate) fn list(parts: &[Part]) {
    for part in parts {
        println!("{:<12} {}", part.name, part.description);
    }
}

/// Runs those of the parts that have these names, or all; whether all passed.
pub(crate) fn run(shell: &Shell, parts: &'static [Part], names: &[&str]) -> Result<bool> {
    let parts = select(parts, names)?;
    for part in &parts {
        part.needs.iter().try_for_each(|install| install(shell))?;
    }
    let mut passed = 0_usize;
    for part in &parts {
        if passes(shell, part)? {
            passed = passed.saturating_add(1);
        }
    }
    let failed = parts.len().saturating_sub(passed);
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// In the order of the list, whatever the order of the names.
fn select(parts: &'static [Part], names: &[&str]) -> Result<Vec<&'static Part>> {
    for name in names {
        ensure!(
            parts.iter().any(|part| part.name == *name),
            "there is no part {name}; `--list` names them"
        );
    }
    Ok(parts
        .iter()
        .filter(|part| names.is_empty() || names.contains(&part.name))
        .collect())
}

fn passes(shell: &Shell, part: &Part) -> Result<bool> {
    let log = scratch(shell)?.join(format!("{}.log", part.name));
    print!("{:<12} ", part.name);
    std::io::stdout().flush()?;

    let start = Instant::now();
    let outcome = (part.run)(&shell.logging_to(File::create(&log)?));
    let seconds = start.elapsed().as_secs_f64();

    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let outcome = outcome.and_then(|()| (part.result)(&output));
    match &outcome {
        Ok(result) => println!("ok     {seconds:>7.1} s  {result}"),
        Err(error) => println!(
            "FAILED {seconds:>7.1} s\n\n{output}\n{}: {error:#}\n",
            part.name
        ),
    }
    Ok(outcome.is_ok())
}
