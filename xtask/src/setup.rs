//! What the other commands need on the machine. Each function installs its tool where it is
//! missing, says what it installs, and otherwise does nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    shell::Shell,
    versions::{CARGO_DENY, CARGO_FUZZ, CARGO_MUTANTS, GECKODRIVER, NODE, WASM_BINDGEN, WASM_PACK},
};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn everything(shell: &Shell) -> Result<()> {
    rust(shell)?;
    package_tools(shell)?;
    wasm_pack(shell)?;
    fuzz(shell)?;
    browser(shell)?;
    browser_test_tools(shell)?;
    test_runners(shell)?;
    shell.say("everything is there")
}

/// The formatter, the linter and the standard library for WebAssembly. `rust-toolchain.toml` names
/// them too, but rustup reads that only where it may install toolchains by itself.
pub(crate) fn rust(shell: &Shell) -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        let version = format!("{program} --version");
        if shell.read(&mut shell.command(&version)).is_err() {
            shell.say(format_args!("installing {component} (rustup)"))?;
            shell.run(shell.command("rustup component add").arg(component))?;
        }
    }
    let library = format!("rustc --print target-libdir --target {WASM_TARGET}");
    let library = shell.read(&mut shell.command(&library))?;
    if !Path::new(&library).is_dir() {
        shell.say(format_args!("installing the target {WASM_TARGET} (rustup)"))?;
        shell.run(shell.command("rustup target add").arg(WASM_TARGET))?;
    }
    Ok(())
}

/// All that makes the npm package.
pub(crate) fn package_tools(shell: &Shell) -> Result<()> {
    wasm_bindgen(shell)?;
    node(shell)?;
    npm_ci(shell, "xtask/tools", &[])
}

fn wasm_bindgen(shell: &Shell) -> Result<()> {
    rust(shell)?;
    // Not `--locked`: the lock file inside the published package names a version of webpki-roots
    // that not every mirror has.
    WASM_BINDGEN_TOOL.install(shell, &[])
}

pub(crate) fn wasm_pack(shell: &Shell) -> Result<()> {
    wasm_bindgen(shell)?;
    WASM_PACK_TOOL.install(shell, &["--locked"])
}

/// cargo-fuzz, and what libFuzzer is compiled with.
pub(crate) fn fuzz(shell: &Shell) -> Result<()> {
    rust(shell)?;
    CXX.install(shell)?;
    CARGO_FUZZ_TOOL.install(shell, &["--locked"])
}

pub(crate) fn cargo_deny(shell: &Shell) -> Result<()> {
    CARGO_DENY_TOOL.install(shell, &["--locked"])
}

pub(crate) fn cargo_mutants(shell: &Shell) -> Result<()> {
    CARGO_MUTANTS_TOOL.install(shell, &["--locked"])
}

/// Node.js and npm, which come by too many ways to choose one for the user.
pub(crate) fn node(shell: &Shell) -> Result<()> {
    let (major, minor) = NODE;
    let wanted = format!("Node.js {major}.{minor} or later, with npm, must be on the PATH");
    ensure!(shell.find("npm").is_some(), "{wanted}");
    let version = shell
        .read(&mut shell.command("node --version"))
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

pub(crate) fn browser_test_tools(shell: &Shell) -> Result<()> {
    node(shell)?;
    npm_ci(shell, "tests/e2e", &[])
}

/// What puts the relay under load.
pub(crate) fn load_generator(shell: &Shell) -> Result<()> {
    node(shell)?;
    npm_ci(shell, "tests/load", &[])
}

/// What the package is measured against.
pub(crate) fn peers(shell: &Shell) -> Result<()> {
    node(shell)?;
    npm_ci(shell, "benches", &[])
}

/// What the package is held against, in both directions.
pub(crate) fn interop(shell: &Shell) -> Result<()> {
    node(shell)?;
    npm_ci(shell, "tests/interop", &[])
}

/// Those that `gridkey/testing` is tested in.
pub(crate) fn test_runners(shell: &Shell) -> Result<()> {
    node(shell)?;
    npm_ci(shell, "tests/testing/jest", &[])?;
    npm_ci(shell, "tests/testing/vitest", &[])
}

/// The packages of a page or an example. gridkey is among them, and npm installs a copy.
pub(crate) fn packages_with_gridkey(shell: &Shell, directory: &str) -> Result<()> {
    let mut gridkey = Vec::new();
    for directory in ["pkg", "pkg/testing", "pkg/wasm"] {
        for entry in fs::read_dir(shell.root.join(directory))? {
            gridkey.push(entry?.path());
        }
    }
    npm_ci(shell, directory, &gridkey)
}

/// Installs the packages of a lock file, unless they are newer than it and the other `inputs`.
fn npm_ci(shell: &Shell, directory: &str, inputs: &[PathBuf]) -> Result<()> {
    let absolute = shell.root.join(directory);
    let installed = absolute.join("node_modules/.package-lock.json");
    let lock = absolute.join("package-lock.json");
    if is_current(&installed, inputs.iter().chain([&lock]))? {
        return Ok(());
    }
    shell.say(format_args!("installing the npm packages of {directory}"))?;
    let install = "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error";
    shell.run(shell.command(install).current_dir(absolute))
}

/// Whether `output` exists and is no older than any of `inputs`.
pub(crate) fn is_current<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<bool> {
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

/// A command line tool that cargo installs. One of another version may be there for other projects, so
/// ours is installed beside cargo's own directory of programs.
struct CargoTool {
    package: &'static str,
    /// How it is called.
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
const CARGO_FUZZ_TOOL: CargoTool = CargoTool {
    package: "cargo-fuzz",
    program: "cargo-fuzz",
    version: CARGO_FUZZ,
};
/// Firefox's WebDriver, which Debian packages without.
const GECKODRIVER_TOOL: CargoTool = CargoTool {
    package: "geckodriver",
    program: "geckodriver",
    version: GECKODRIVER,
};
/// What a crate may be: its licence, its source, whether it is known to be dangerous.
const CARGO_DENY_TOOL: CargoTool = CargoTool {
    package: "cargo-deny",
    program: "cargo-deny",
    version: CARGO_DENY,
};
const CARGO_MUTANTS_TOOL: CargoTool = CargoTool {
    package: "cargo-mutants",
    // It knows its version only as what cargo calls.
    program: "cargo-mutants mutants",
    version: CARGO_MUTANTS,
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
                .command("cargo install")
                .args([package, "--version", version])
                .args(options)
                .arg("--root")
                .arg(self.directory()?),
        )?;
        ensure!(
            self.is_on_the_path(shell),
            "{package} {version} does not run"
        );
        Ok(())
    }

    fn is_on_the_path(&self, shell: &Shell) -> bool {
        shell
            .read(shell.command(self.program).arg("--version"))
            .is_ok_and(|reply| reply.split_whitespace().nth(1) == Some(self.version))
    }

    fn directory(&self) -> Result<PathBuf> {
        Ok(cargo_home()?.join(format!("gridkey-tools/{}-{}", self.package, self.version)))
    }
}

/// Where the tools that cargo installed for this project are, or will be.
pub(crate) fn tool_directories() -> Result<[PathBuf; 6]> {
    Ok([
        CARGO_DENY_TOOL.directory()?.join("bin"),
        CARGO_MUTANTS_TOOL.directory()?.join("bin"),
        WASM_BINDGEN_TOOL.directory()?.join("bin"),
        WASM_PACK_TOOL.directory()?.join("bin"),
        CARGO_FUZZ_TOOL.directory()?.join("bin"),
        GECKODRIVER_TOOL.directory()?.join("bin"),
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

/// What comes with the system's packages: installed where that needs no password; elsewhere the
/// error says what to type.
struct SystemPackages {
    /// Fails with what is missing.
    check: fn(&Shell) -> Result<()>,
    /// Package managers and what one types to install it; for apt-get, only the packages.
    managers: &'static [(&'static str, &'static str)],
    /// For those who have none of these.
    otherwise: &'static str,
}

const CHROMIUM: SystemPackages = SystemPackages {
    check: |shell| chromium(shell).and(chromedriver(shell)).map(drop),
    managers: &[
        // Ubuntu has Chromium as a snap only.
        ("snap", "sudo snap install chromium"),
        ("apt-get", "chromium chromium-driver"),
        ("dnf", "sudo dnf install chromium chromedriver"),
        ("pacman", "sudo pacman -S chromium"),
        ("apk", "sudo apk add chromium chromium-chromedriver"),
        ("brew", "brew install --cask google-chrome chromedriver"),
    ],
    otherwise: "Install Chromium and ChromeDriver, of one version",
};

const FIREFOX: SystemPackages = SystemPackages {
    check: |shell| firefox(shell).map(drop),
    managers: &[
        // Ubuntu has Firefox as a snap only.
        ("snap", "sudo snap install firefox"),
        ("apt-get", "firefox-esr"),
        ("dnf", "sudo dnf install firefox"),
        ("pacman", "sudo pacman -S firefox"),
        ("apk", "sudo apk add firefox"),
        ("brew", "brew install --cask firefox"),
    ],
    otherwise: "Install Firefox",
};

const WEBKIT: SystemPackages = SystemPackages {
    check: |shell| webkit_driver(shell).and(xvfb(shell)).map(drop),
    managers: &[("apt-get", "webkit2gtk-driver xvfb")],
    otherwise: "Install WebKitGTK with its WebKitWebDriver and MiniBrowser, and Xvfb",
};

const CXX: SystemPackages = SystemPackages {
    check: |shell| {
        let named = env::var_os("CXX").is_some();
        ensure!(
            named
                || ["c++", "g++", "clang++"]
                    .iter()
                    .any(|name| shell.find(name).is_some()),
            "there is no C++ compiler on the PATH, and CXX names none"
        );
        Ok(())
    },
    managers: &[
        ("apt-get", "g++"),
        ("dnf", "sudo dnf install gcc-c++"),
        ("pacman", "sudo pacman -S gcc"),
        ("apk", "sudo apk add g++"),
        ("brew", "xcode-select --install"),
    ],
    otherwise: "Install one",
};

impl SystemPackages {
    fn install(&self, shell: &Shell) -> Result<()> {
        let Err(missing) = (self.check)(shell) else {
            return Ok(());
        };
        let manager = self
            .managers
            .iter()
            .find(|(manager, _)| shell.find(manager).is_some());
        match manager {
            Some(("apt-get", packages)) if is_root(shell)? => {
                shell.say(format_args!("installing {packages} (apt-get)"))?;
                shell.run(&mut shell.command("apt-get update"))?;
                shell.run(
                    shell
                        .command(&format!("apt-get install -y {packages}"))
                        .env("DEBIAN_FRONTEND", "noninteractive"),
                )?;
                (self.check)(shell)
            }
            Some(("apt-get", packages)) => bail!(
                "{missing}. Install it with\n\n    \
                 sudo apt-get update && sudo apt-get install -y {packages}\n"
            ),
            Some((_, command)) => bail!("{missing}. Install it with\n\n    {command}\n"),
            None => bail!("{missing}. {}", self.otherwise),
        }
    }
}

pub(crate) fn is_root(shell: &Shell) -> Result<bool> {
    Ok(shell.read(&mut shell.command("id -u"))? == "0")
}

/// Chromium and its WebDriver.
pub(crate) fn browser(shell: &Shell) -> Result<()> {
    CHROMIUM.install(shell)
}

/// Firefox and its WebDriver.
pub(crate) fn firefox_browser(shell: &Shell) -> Result<()> {
    FIREFOX.install(shell)?;
    GECKODRIVER_TOOL.install(shell, &["--locked"])
}

/// WebKitGTK's browser, its WebDriver, and a display for it: it cannot do without.
pub(crate) fn webkit_browser(shell: &Shell) -> Result<()> {
    WEBKIT.install(shell)
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
        .context("there is no Chromium on the PATH, and CHROMIUM names none")
}

/// Its WebDriver: `CHROMEDRIVER`, or the first that is found.
pub(crate) fn chromedriver(shell: &Shell) -> Result<PathBuf> {
    named_or_found(
        shell,
        "CHROMEDRIVER",
        &["chromedriver", "chromium.chromedriver"],
    )
    .context("there is no chromedriver on the PATH, and CHROMEDRIVER names none")
}

/// Firefox: `FIREFOX`, or the first that is found.
pub(crate) fn firefox(shell: &Shell) -> Result<PathBuf> {
    let programs = [
        "firefox-esr",
        "firefox",
        "/Applications/Firefox.app/Contents/MacOS/firefox",
    ];
    named_or_found(shell, "FIREFOX", &programs)
        .context("there is no Firefox on the PATH, and FIREFOX names none")
}

pub(crate) fn geckodriver(shell: &Shell) -> Result<PathBuf> {
    shell
        .find("geckodriver")
        .context("there is no geckodriver on the PATH")
}

pub(crate) fn webkit_driver(shell: &Shell) -> Result<PathBuf> {
    shell
        .find("WebKitWebDriver")
        .context("there is no WebKitWebDriver on the PATH")
}

pub(crate) fn xvfb(shell: &Shell) -> Result<PathBuf> {
    shell.find("Xvfb").context("there is no Xvfb on the PATH")
}

fn named_or_found(shell: &Shell, variable: &str, programs: &[&str]) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    named.or_else(|| programs.iter().find_map(|program| shell.find(program)))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::{Duration, SystemTime},
    };

    use super::{NODE, is_current, node_version};

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(node_version("v20.19.1"), Some((20, 19)));
        assert!(node_version("v100.0.0") > Some(NODE));
        assert!(node_version("v20.9.0") < Some(NODE));
        assert!(node_version("") < Some(NODE));
    }

    #[test]
    fn output_is_current_until_an_input_changes() {
        let directory = std::env::temp_dir().join(format!("xtask-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let (input, output) = (directory.join("input"), directory.join("output"));
        let made = SystemTime::now();
        File::create(&input).unwrap().set_modified(made).unwrap();
        assert!(!is_current(&output, [&input]).unwrap());

        let file = File::create(&output).unwrap();
        file.set_modified(made).unwrap();
        assert!(is_current(&output, [&input]).unwrap());
        file.set_modified(made - Duration::from_secs(1)).unwrap();
        assert!(!is_current(&output, [&input]).unwrap());

        fs::remove_file(&input).unwrap();
        assert!(is_current(&output, [&input]).is_err());
        fs::remove_dir_all(&directory).unwrap();
    }
}
