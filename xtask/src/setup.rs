//! What the other commands need on the machine. Each function installs its tool where it is
//! missing, says what it installs, and otherwise does nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    shell::Shell,
    versions::{NODE, WASM_BINDGEN, WASM_PACK},
};

pub(crate) type Need = fn(&Shell) -> Result<()>;

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn everything(shell: &Shell) -> Result<()> {
    all(
        shell,
        &[
            rust,
            wasm_bindgen,
            wasm_pack,
            node,
            build_tools,
            browser,
            browser_test_tools,
        ],
    )?;
    shell.say("everything is there")
}

pub(crate) fn all(shell: &Shell, needs: &[Need]) -> Result<()> {
    needs.iter().try_for_each(|need| need(shell))
}

/// The formatter, the linter and the standard library for WebAssembly. `rust-toolchain.toml` names
/// them too, but rustup reads it only where it may install toolchains by itself.
pub(crate) fn rust(shell: &Shell) -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if shell
            .read(&mut shell.command(program, &["--version"]))
            .is_err()
        {
            shell.say(format_args!("installing {component} (rustup)"))?;
            shell.run(&mut shell.command("rustup", &["component", "add", component]))?;
        }
    }
    let library = shell.read(&mut shell.command(
        "rustc",
        &["--print", "target-libdir", "--target", WASM_TARGET],
    ))?;
    if !Path::new(&library).is_dir() {
        shell.say(format_args!("installing the target {WASM_TARGET} (rustup)"))?;
        shell.run(&mut shell.command("rustup", &["target", "add", WASM_TARGET]))?;
    }
    Ok(())
}

pub(crate) fn wasm_bindgen(shell: &Shell) -> Result<()> {
    // Not `--locked`: the lock file inside the published package names a version of webpki-roots
    // that not every mirror has.
    WASM_BINDGEN_TOOL.install(shell, &[])
}

pub(crate) fn wasm_pack(shell: &Shell) -> Result<()> {
    WASM_PACK_TOOL.install(shell, &["--locked"])
}

/// Node.js and npm, which come by too many ways to choose one for the user.
pub(crate) fn node(shell: &Shell) -> Result<()> {
    let (major, minor) = NODE;
    let wanted = format!("Node.js {major}.{minor} or later, with npm, must be on the PATH");
    ensure!(shell.find("npm").is_some(), "{wanted}");
    let version = shell
        .read(&mut shell.command("node", &["--version"]))
        .context(wanted.clone())?;
    ensure!(
        node_version(&version) >= Some(NODE),
        "{wanted}; this is {version}"
    );
    Ok(())
}

/// `v20.19.1` → `(20, 19)`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text
        .strip_prefix('v')?
        .split('.')
        .map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// wasm-opt and esbuild.
pub(crate) fn build_tools(shell: &Shell) -> Result<()> {
    npm_ci(shell, "xtask/tools")
}

pub(crate) fn browser_test_tools(shell: &Shell) -> Result<()> {
    npm_ci(shell, "tests/e2e")
}

/// Installs the packages of the lock file in `directory`, unless they have been since it changed.
pub(crate) fn npm_ci(shell: &Shell, directory: &str) -> Result<()> {
    let directory = shell.root.join(directory);
    let installed = directory.join("node_modules/.package-lock.json");
    if is_current(&installed, &[directory.join("package-lock.json")])? {
        return Ok(());
    }
    shell.say(format_args!(
        "installing the npm packages of {}",
        directory.display()
    ))?;
    shell.run(
        shell
            .command(
                "npm",
                &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            )
            .current_dir(directory),
    )
}

/// Whether `output` exists and is no older than any of `inputs`.
pub(crate) fn is_current(output: &Path, inputs: &[PathBuf]) -> Result<bool> {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let Ok(output) = modified(output) else {
        return Ok(false);
    };
    for input in inputs {
        if modified(input).with_context(|| input.display().to_string())? > output {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A command line tool from crates.io. One of another version may be there for other projects, so
/// ours is installed beside cargo's own directory of programs.
struct CargoTool {
    package: &'static str,
    program: &'static str,
    version: &'static str,
}

const WASM_BINDGEN_TOOL: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    version: WASM_BINDGEN,
};
const WASM_PACK_TOOL: CargoTool = CargoTool {
    package: "wasm-pack",
    program: "wasm-pack",
    version: WASM_PACK,
};

impl CargoTool {
    fn install(&self, shell: &Shell, options: &[&str]) -> Result<()> {
        if self.is_on_the_path(shell) {
            return Ok(());
        }
        let Self {
            package, version, ..
        } = self;
        shell.say(format_args!("installing {package} {version} (cargo)"))?;
        shell.run(
            shell
                .command(
                    "cargo",
                    &["install", package, "--version", version, "--root"],
                )
                .arg(self.directory()?)
                .args(options),
        )?;
        ensure!(
            self.is_on_the_path(shell),
            "{package} {version} does not run"
        );
        Ok(())
    }

    fn is_on_the_path(&self, shell: &Shell) -> bool {
        shell
            .read(&mut shell.command(self.program, &["--version"]))
            .is_ok_and(|reply| reply.split_whitespace().nth(1) == Some(self.version))
    }

    fn directory(&self) -> Result<PathBuf> {
        Ok(cargo_home()?.join(format!("gridkey-tools/{}-{}", self.package, self.version)))
    }
}

/// Where the tools that cargo installed for this project are, or will be.
pub(crate) fn tool_directories() -> Result<[PathBuf; 2]> {
    Ok([
        WASM_BINDGEN_TOOL.directory()?.join("bin"),
        WASM_PACK_TOOL.directory()?.join("bin"),
    ])
}

pub(crate) fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(directory) => Ok(directory.into()),
        None => Ok(env::home_dir()
            .context("there is no home directory")?
            .join(".cargo")),
    }
}

/// Package managers, and what one types to install Chromium and its driver with them.
const BROWSER_PACKAGES: [(&str, &str); 6] = [
    // Ubuntu has Chromium as a snap only.
    ("snap", "sudo snap install chromium"),
    (
        "apt-get",
        "sudo apt-get update && sudo apt-get install -y chromium chromium-driver",
    ),
    ("dnf", "sudo dnf install chromium chromedriver"),
    ("pacman", "sudo pacman -S chromium"),
    ("apk", "sudo apk add chromium chromium-chromedriver"),
    ("brew", "brew install --cask google-chrome chromedriver"),
];

/// Chromium and its WebDriver. A system package is installed only where that needs no password;
/// elsewhere the error says what to type.
pub(crate) fn browser(shell: &Shell) -> Result<()> {
    let missing = match (chromium(shell), chromedriver(shell)) {
        (Ok(_), Ok(_)) => return Ok(()),
        (Err(missing), _) | (_, Err(missing)) => missing,
    };
    match BROWSER_PACKAGES
        .iter()
        .find(|(manager, _)| shell.find(manager).is_some())
    {
        Some(("apt-get", _)) if shell.read(&mut shell.command("id", &["-u"]))? == "0" => {
            shell.say("installing chromium and chromium-driver (apt-get)")?;
            shell.run(&mut shell.command("apt-get", &["update"]))?;
            let install = ["install", "-y", "chromium", "chromium-driver"];
            shell.run(
                shell
                    .command("apt-get", &install)
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            )?;
            chromium(shell).and(chromedriver(shell)).map(drop)
        }
        Some((_, command)) => bail!("{missing}. Install them with\n\n    {command}\n"),
        None => bail!("{missing}. Install Chromium and ChromeDriver, of one version"),
    }
}

/// The browser of the tests: `CHROMIUM`, or the first that is found.
pub(crate) fn chromium(shell: &Shell) -> Result<PathBuf> {
    let programs = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    named_or_found(shell, "CHROMIUM", &programs)
}

/// Its WebDriver: `CHROMEDRIVER`, or the first that is found.
pub(crate) fn chromedriver(shell: &Shell) -> Result<PathBuf> {
    named_or_found(
        shell,
        "CHROMEDRIVER",
        &["chromedriver", "chromium.chromedriver"],
    )
}

fn named_or_found(shell: &Shell, variable: &str, programs: &[&str]) -> Result<PathBuf> {
    match env::var_os(variable) {
        Some(named) => {
            let named = PathBuf::from(named);
            ensure!(
                named.is_file(),
                "{variable} names {}, which is no file",
                named.display()
            );
            Ok(named)
        }
        None => programs
            .iter()
            .find_map(|program| shell.find(program))
            .with_context(|| format!("Chromium or its driver is missing ({variable} names none)")),
    }
}

#[cfg(test)]
mod tests {
    use super::{NODE, node_version};

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(node_version("v20.19.1"), Some((20, 19)));
        assert!(node_version("v100.0.0") > Some(NODE));
        assert!(node_version("v20.9.0") < Some(NODE));
        assert!(node_version("") < Some(NODE));
    }
}
