//! What an app that uses all of the package makes its visitors download.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{build, shell::Shell};

/// Bytes of WebAssembly and JavaScript together, in brotli 11.
const BUDGET: u64 = 80_000;
const AIM: u64 = 60_000;

/// Builds the package and prints its sizes beside the budget. Being over it is said and no error.
pub(crate) fn report(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    let sizes = shell.read(&mut shell.command("node xtask/tools/sizes.mjs pkg"))?;
    let sizes: Value = serde_json::from_str(&sizes)?;

    shell.say(format_args!(
        "{:<12}{:>9}{:>9}{:>9}",
        "bytes", "raw", "gzip", "brotli"
    ))?;
    let mut sum = Size::default();
    for part in ["wasm", "javascript"] {
        let size = Size::read(&sizes, part)?;
        shell.say(size.line(part))?;
        sum = sum.plus(&size);
    }
    shell.say(sum.line("together"))?;

    let Size { brotli, .. } = sum;
    let verdict = if brotli <= AIM {
        "within the aim".to_owned()
    } else if brotli <= BUDGET {
        format!("within the budget of {BUDGET}, over the aim of {AIM}")
    } else {
        format!("OVER the budget of {BUDGET}")
    };
    shell.say(format_args!("{brotli} bytes of brotli, {verdict}"))
}

#[derive(Default)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Size {
    fn read(sizes: &Value, part: &str) -> Result<Self> {
        let length = |form| {
            let length = sizes.get(part).and_then(|lengths| lengths.get(form));
            length
                .and_then(Value::as_u64)
                .with_context(|| format!("no {form} length of {part}"))
        };
        Ok(Self {
            raw: length("raw")?,
            gzip: length("gzip")?,
            brotli: length("brotli")?,
        })
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            raw: self.raw.saturating_add(other.raw),
            gzip: self.gzip.saturating_add(other.gzip),
            brotli: self.brotli.saturating_add(other.brotli),
        }
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<12}{:>9}{:>9}{:>9}",
            self.raw, self.gzip, self.brotli
        )
    }
}
