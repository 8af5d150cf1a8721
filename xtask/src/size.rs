//! What an app that uses all of the package makes its visitors download.

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::{build, shell::Shell};

/// Bytes of WebAssembly and JavaScript together, in brotli 11.
const BUDGET: u64 = 80_000;
const AIM: u64 = 60_000;

#[derive(Deserialize)]
struct Sizes {
    parts: Vec<Size>,
    entries: Vec<Size>,
    peers: Vec<Size>,
}

#[derive(Deserialize)]
struct Size {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    raw: u64,
}

/// Builds the package and prints the size of each entry and of the peers beside the budget. Being
/// over it is said and no error.
pub(crate) fn report(shell: &Shell) -> Result<()> {
    build::package(shell)?;
    let sizes = shell.read(&mut shell.command("node xtask/tools/sizes.mjs pkg benches/peers"))?;
    let sizes: Sizes = serde_json::from_str(&sizes)?;

    shell.say(format_args!(
        "{:<16}{:>9}{:>9}{:>9}",
        "bytes", "raw", "gzip", "brotli"
    ))?;
    for (title, rows) in [
        ("an app with all of", &sizes.entries),
        ("of which", &sizes.parts),
        ("only keys, stamps and bundles", &sizes.peers),
    ] {
        shell.say(title)?;
        for Size {
            name,
            raw,
            gzip,
            brotli,
        } in rows
        {
            shell.say(format_args!("  {name:<14}{raw:>9}{gzip:>9}{brotli:>9}"))?;
        }
    }
    let brotli = sizes.entries.first().map_or(0, |entry| entry.brotli);
    ensure!(brotli > 0, "no size of the default entry");
    let verdict = if brotli <= AIM {
        "within the aim".to_owned()
    } else if brotli <= BUDGET {
        format!("within the budget of {BUDGET}, over the aim of {AIM}")
    } else {
        format!("OVER the budget of {BUDGET}")
    };
    shell.say(format_args!("{brotli} bytes of brotli, {verdict}"))
}

/// Prints which part of the module is how large.
pub(crate) fn groups(shell: &Shell) -> Result<()> {
    let module = build::named_module(shell)?;
    let groups = shell.read(shell.command("node xtask/tools/groups.mjs").arg(module))?;
    let groups: Vec<Group> = serde_json::from_str(&groups)?;
    shell.say(format_args!("{:<34}{:>9}", "bytes of the module", "raw"))?;
    for Group { name, raw } in groups {
        shell.say(format_args!("  {name:<32}{raw:>9}"))?;
    }
    Ok(())
}
