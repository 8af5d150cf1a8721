//! The npm package: compiles the crate, makes the JavaScript glue, and shrinks the module.
//!
//! The same sources give the same bytes wherever they are built.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    glue::{self, Renamed},
    setup::{self, WASM_TARGET},
    shell::Shell,
};

/// What the module may use: that which rustc uses by itself, and every supported browser knows.
/// All features that binaryen knows would break it.
const WASM_FEATURES: [&str; 9] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Fills `pkg/wasm`, if what is there is older than the compiled crate, and `pkg/cjs`.
pub(crate) fn package(shell: &Shell) -> Result<()> {
    let compiled = compile(shell)?;
    let generated = shell.root.join("pkg/wasm");
    let module = generated.join("gridkey_bg.wasm");
    if !setup::is_current(&module, &[compiled.clone(), env::current_exe()?])? {
        generate(shell, &compiled, &generated, &module)?;
    }
    shell.run(&mut shell.command("node xtask/tools/entries.mjs pkg"))
}

/// Makes the glue and the module.
fn generate(shell: &Shell, compiled: &Path, generated: &Path, module: &Path) -> Result<()> {
    bind(shell, compiled, generated)?;
    let unoptimized = scratch(shell)?.join("gridkey_bg.wasm");
    fs::rename(module, &unoptimized)?;
    let optimized = unoptimized.with_extension("small.wasm");
    let renamed = optimize(
        shell,
        &unoptimized,
        &optimized,
        &[
            "--strip-target-features",
            // Names with hashes in them are what compresses worst.
            "--minify-imports-and-exports-and-modules",
        ],
    )?;
    write_glue(generated, &serde_json::from_str(&renamed)?)?;
    // Last, so that a module in its place is a finished one.
    fs::rename(optimized, module)?;
    shell.say(format_args!("built {}", module.display()))
}

/// The package's module with the names of its functions in it.
pub(crate) fn named_module(shell: &Shell) -> Result<PathBuf> {
    let compiled = compile(shell)?;
    let directory = scratch(shell)?.join("named");
    shell.run(
        shell
            .command("wasm-bindgen --target bundler --out-name gridkey --out-dir")
            .args([&directory, &compiled]),
    )?;
    let module = directory.join("named.wasm");
    let _ = optimize(shell, &directory.join("gridkey_bg.wasm"), &module, &["-g"])?;
    Ok(module)
}

/// Returns what binaryen says. From -O2 to -Oz the sizes are within a percent, and the speeds not to
/// be told apart. Taken apart first and optimised twice, the module is 0.4 KB smaller after brotli.
/// What saves bytes and hides repetitions from brotli is left out: zeros left out of the data and common
/// subexpressions kept in locals, 1.2 KB; what has one caller is in place, 0.3 KB.
///
/// The lowest kilobyte is the end of the stack, which nothing comes near to; what did would trap. That
/// lets offsets be written into the instructions: 0.5 KB after brotli.
fn optimize(shell: &Shell, from: &Path, to: &Path, options: &[&str]) -> Result<String> {
    shell.read(
        shell
            .command("node xtask/tools/node_modules/binaryen/bin/wasm-opt")
            .args([
                "--flatten",
                "--rereloop",
                "-Oz",
                "-Oz",
                "--low-memory-unused",
            ])
            .args(["--skip-pass=memory-packing", "--skip-pass=local-cse"])
            .arg("--one-caller-inline-max-function-size=200")
            .args(WASM_FEATURES)
            .args(options)
            .arg(from)
            .arg("--output")
            .arg(to),
    )
}

/// A package like that of [`package`], whose WebAssembly traps where it is told to: for the tests of
/// what comes after a trap. Not optimised, which is what takes long.
pub(crate) fn trapping_package(shell: &Shell) -> Result<PathBuf> {
    shell.run(
        shell
            .command("cargo build --quiet --package gridkey --lib --features standalone,test-trap --target")
            .arg(WASM_TARGET),
    )?;
    let compiled = shell.target.join(WASM_TARGET).join("debug/gridkey.wasm");
    let directory = scratch(shell)?.join("trap");
    let package = directory.join("pkg");
    bind(shell, &compiled, &package.join("wasm"))?;
    write_glue(&package.join("wasm"), &Renamed::default())?;
    for (from, to) in [
        (shell.root.join("pkg"), &package),
        (shell.root.clone(), &directory),
    ] {
        for entry in fs::read_dir(from)? {
            let file = entry?.path();
            if let (true, Some(name)) = (file.is_file(), file.file_name()) {
                fs::copy(&file, to.join(name))?;
            }
        }
    }
    shell.run(shell.command("node xtask/tools/entries.mjs").arg(&package))?;
    Ok(package)
}

/// Writes a module and what belongs to it into a directory, and nothing else is there.
fn bind(shell: &Shell, compiled: &Path, generated: &Path) -> Result<()> {
    if generated.exists() {
        fs::remove_dir_all(generated)?;
    }
    shell.run(
        shell
            .command("wasm-bindgen --target bundler --out-name gridkey")
            .args([
                "--remove-name-section",
                "--remove-producers-section",
                "--out-dir",
            ])
            .args([generated, compiled]),
    )
}

/// Puts `glue.js` in the place of wasm-bindgen's loader, which the package has its own of, and
/// leaves the types of what the glue's classes and functions are.
fn write_glue(generated: &Path, renamed: &Renamed) -> Result<()> {
    let glue = fs::read_to_string(generated.join("gridkey_bg.js"))?;
    for loader in ["gridkey.js", "gridkey_bg.js", "gridkey_bg.wasm.d.ts"] {
        fs::remove_file(generated.join(loader))?;
    }
    fs::write(
        generated.join("glue.js"),
        glue::as_function(&glue, renamed)?,
    )?;
    // Of the modules that the glue imports from the package itself.
    let copies = generated.join("snippets");
    if copies.exists() {
        fs::remove_dir_all(copies)?;
    }
    Ok(())
}

/// Builds the package and packs it as npm would publish it. Returns where the tarball is.
pub(crate) fn pack(shell: &Shell) -> Result<PathBuf> {
    package(shell)?;
    let destination = scratch(shell)?.join("pack");
    fs::create_dir_all(&destination)?;
    let name = shell.read(
        shell
            .command("npm pack ./pkg --silent --ignore-scripts --pack-destination")
            .arg(&destination),
    )?;
    Ok(destination.join(name))
}

/// A directory of this program's own for files on the way.
pub(crate) fn scratch(shell: &Shell) -> Result<PathBuf> {
    let directory = shell.target.join("xtask");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// As a `cdylib` alone: where the crate is compiled for Rust as well, what is public in it, and the end
/// of panics, are kept for others, and so is everything that only panics' messages would need. That is
/// 11 KB after brotli.
fn compile(shell: &Shell) -> Result<PathBuf> {
    shell.run(
        shell
            .command("cargo rustc --quiet --release --package gridkey --lib --crate-type cdylib --features standalone --target")
            .arg(WASM_TARGET)
            .env("CARGO_TARGET_DIR", &shell.target)
            .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(shell)?),
    )?;
    Ok(shell.target.join(WASM_TARGET).join("release/gridkey.wasm"))
}

/// Chooses the compact backends, and replaces the directories of this machine in the module's panic
/// messages.
fn rust_flags(shell: &Shell) -> Result<String> {
    let version = shell.read(&mut shell.command("rustc --version --verbose"))?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))
        .context("rustc names no commit")?;
    let sysroot = shell.read(&mut shell.command("rustc --print sysroot"))?;

    // rustc takes the last prefix that fits.
    let mut remapped = vec![
        (shell.root.clone(), "gridkey".to_owned()),
        (shell.target.clone(), "gridkey/target".to_owned()),
        (
            Path::new(&sysroot).join("lib/rustlib/src/rust"),
            format!("/rustc/{commit}"),
        ),
    ];
    remapped.extend(
        registries()?
            .into_iter()
            .map(|directory| (directory, "crates".to_owned())),
    );
    let mut flags: Vec<_> = remapped
        .into_iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    // These flags replace those of `.cargo/config.toml`, which say why.
    flags.push(r#"--cfg=aes_backend_soft="compact""#.to_owned());
    flags.push(r#"--cfg=sha2_backend_soft="compact""#.to_owned());
    // The separator that cargo asks for.
    Ok(flags.join("\u{1f}"))
}

/// The directories in which cargo has unpacked crates: one for each registry or mirror.
fn registries() -> Result<Vec<PathBuf>> {
    let mut directories = fs::read_dir(setup::cargo_home()?.join("registry/src"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    directories.sort();
    Ok(directories)
}
