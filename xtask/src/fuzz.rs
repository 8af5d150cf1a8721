//! Fuzzing: the targets in `fuzz/`, each over the corpus that is kept in `fuzz/corpus` and the
//! published vectors, and on from there for some seconds.
//!
//! Without AddressSanitizer, because natively gridkey has no unsafe code; so the stable toolchain will do. Sums
//! that overflow and assertions are checked.

use std::{
    collections::VecDeque,
    fs::{self, File},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::shell::Shell;

const USAGE: &str = "usage: cargo xtask fuzz [--seconds N] [--keep] [TARGET…]";
/// Longer inputs reach nothing more, and take longer.
const MAX_INPUT_BYTES: usize = 2048;
/// An input that takes longer is a fault too.
const INPUT_LIMIT_SECONDS: u64 = 20;
const DEFAULT_SECONDS: u64 = 60;

/// The command. With `--keep`, what was found is minimised into the corpus that is kept.
pub(crate) fn command(shell: &Shell, arguments: &[&str]) -> Result<()> {
    let mut seconds = DEFAULT_SECONDS;
    let mut keep = false;
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match *argument {
            "--seconds" => seconds = arguments.next().context(USAGE)?.parse().context(USAGE)?,
            "--keep" => keep = true,
            option if option.starts_with('-') => bail!(USAGE),
            name => names.push(name),
        }
    }
    run(shell, seconds, &names)?;
    if keep {
        minimise(shell, &names)?;
    }
    Ok(())
}

/// Each of the named targets, or all, for so many seconds. The last line of the output has the sums.
pub(crate) fn run(shell: &Shell, seconds: u64, names: &[&str]) -> Result<()> {
    let targets = targets(shell, names)?;
    build(shell)?;
    write_seeds(shell)?;
    let outcomes = of_each(&targets, |target| target.fuzz(shell, seconds))?;

    shell.say(format_args!(
        "\n{:<20} {:>12} {:>8} {:>7} {:>8} {:>6}",
        "target", "executions", "a second", "corpus", "found", "edges"
    ))?;
    let (mut executions, mut faults) = (0_u64, 0_usize);
    for (target, outcome) in targets.iter().zip(&outcomes) {
        let Figures {
            executed,
            per_second,
            edges,
            inputs,
        } = outcome.figures;
        executions = executions.saturating_add(executed);
        let kept = count_files(&target.kept)?;
        shell.say(format_args!(
            "{:<20} {executed:>12} {per_second:>8} {kept:>7} {inputs:>8} {edges:>6}",
            target.name
        ))?;
        if let Some(fault) = &outcome.fault {
            faults = faults.saturating_add(1);
            shell.say(format_args!("{}: a fault\n\n{fault}\n", target.name))?;
        }
    }
    let sums = format!(
        "{} targets, {executions} executions, {faults} faults",
        targets.len()
    );
    ensure!(
        faults == 0,
        "{sums}: the inputs are in {}, and a target runs one that is given to it again",
        shell.target.join("fuzz/work").display()
    );
    shell.say(sums)
}

struct Target {
    name: String,
    program: PathBuf,
    /// The corpus in the repository.
    kept: PathBuf,
    /// Of the published vectors.
    seeds: PathBuf,
    /// What is found, until it is kept or the build directory is removed.
    found: PathBuf,
    work: PathBuf,
}

struct Outcome {
    figures: Figures,
    /// The end of the output, where an input was a fault.
    fault: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Figures {
    executed: u64,
    per_second: u64,
    edges: u64,
    inputs: u64,
}

/// Those that are named, or all that there are.
fn targets(shell: &Shell, names: &[&str]) -> Result<Vec<Target>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(shell.root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        if let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) {
            all.push(stem.to_owned());
        }
    }
    all.sort();
    for name in names {
        ensure!(
            all.iter().any(|target| target == name),
            "there is no target {name}; there are {}",
            all.join(", ")
        );
    }
    all.retain(|target| names.is_empty() || names.contains(&target.as_str()));
    let programs = build_directory(shell).join(host(shell)?).join("release");
    all.into_iter()
        .map(|name| {
            let work = build_directory(shell).join("work").join(&name);
            let found = work.join("corpus");
            fs::create_dir_all(&found)?;
            let kept = shell.root.join("fuzz/corpus").join(&name);
            fs::create_dir_all(&kept)?;
            let seeds = work.join("seeds");
            fs::create_dir_all(&seeds)?;
            Ok(Target {
                program: programs.join(&name),
                kept,
                seeds,
                found,
                work,
                name,
            })
        })
        .collect()
}

fn build_directory(shell: &Shell) -> PathBuf {
    shell.target.join("fuzz")
}

fn host(shell: &Shell) -> Result<String> {
    let version = shell.read(&mut shell.command("rustc -vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn build(shell: &Shell) -> Result<()> {
    // cargo-fuzz itself would bring a lock file that does not fit up to date.
    shell.run(&mut shell.command("cargo fetch --locked --manifest-path fuzz/Cargo.toml"))?;
    let build = "cargo fuzz build --release --sanitizer none --target";
    shell.run(
        shell
            .command(build)
            .arg(host(shell)?)
            .arg("--target-dir")
            .arg(build_directory(shell)),
    )
}

/// As many at a time as there are processors.
fn of_each<T: Send>(
    targets: &[Target],
    work: impl Fn(&Target) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..targets.len()).collect());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers.min(targets.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some((index, target)) =
                        next.and_then(|index| Some((index, targets.get(index)?)))
                    else {
                        return;
                    };
                    let result = work(target);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

impl Target {
    /// The output goes to a file of its own, whose end is told where there is a fault.
    fn fuzz(&self, shell: &Shell, seconds: u64) -> Result<Outcome> {
        let log = self.work.join("output");
        let mut command = self.command();
        command.arg(format!("-max_total_time={seconds}")).args([
            &self.found,
            &self.kept,
            &self.seeds,
        ]);
        let run = shell.logging_to(File::create(&log)?).run(&mut command);
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let figures = figures(&output);
        let fault = match run {
            Ok(()) if figures.executed > 0 => None,
            Ok(()) => Some("it executed nothing".to_owned()),
            Err(error) => Some(format!("{}{error:#}", fault(&output))),
        };
        Ok(Outcome { figures, fault })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.work)
            .stdin(Stdio::null())
            .args(["-print_final_stats=1", "-len_control=1"])
            .arg(format!("-max_len={MAX_INPUT_BYTES}"))
            .arg(format!("-timeout={INPUT_LIMIT_SECONDS}"))
            .arg(format!("-artifact_prefix={}/", self.work.display()));
        command
    }

    /// The fewest inputs that reach all that is reached, in the place of those that were kept.
    fn minimise(&self, shell: &Shell) -> Result<()> {
        let fewest = self.work.join("fewest");
        if fewest.exists() {
            fs::remove_dir_all(&fewest)?;
        }
        fs::create_dir(&fewest)?;
        let log = File::create(self.work.join("output"))?;
        let mut command = self.command();
        command
            // All edges; not also how often each is passed, which takes twice as many inputs.
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .args([&fewest, &self.kept, &self.found, &self.seeds]);
        shell.logging_to(log).run(&mut command)?;
        ensure!(count_files(&fewest)? > 0, "{}: nothing is left", self.name);
        fs::remove_dir_all(&self.kept)?;
        fs::create_dir_all(&self.kept)?;
        for entry in fs::read_dir(&fewest)? {
            let entry = entry?;
            fs::copy(entry.path(), self.kept.join(entry.file_name()))?;
        }
        Ok(())
    }
}

fn minimise(shell: &Shell, names: &[&str]) -> Result<()> {
    let targets = targets(shell, names)?;
    of_each(&targets, |target| target.minimise(shell))?;
    for target in &targets {
        let kept = count_files(&target.kept)?;
        shell.say(format_args!(
            "{:<20} {kept:>7} inputs are kept",
            target.name
        ))?;
    }
    Ok(())
}

/// libFuzzer's last words.
fn figures(output: &str) -> Figures {
    let last = |mark: &str| {
        let (_, after) = output.rsplit_once(mark)?;
        let digits = after
            .trim_start()
            .split(|c: char| !c.is_ascii_digit())
            .next()?;
        digits.parse().ok()
    };
    Figures {
        executed: last("stat::number_of_executed_units:").unwrap_or(0),
        per_second: last("stat::average_exec_per_sec:").unwrap_or(0),
        edges: last(" cov: ").unwrap_or(0),
        inputs: last(" corp: ").unwrap_or(0),
    }
}

/// The output from the failed assertion on, without what led to it.
fn fault(output: &str) -> String {
    let lines = output.lines();
    let from = lines.skip_while(|line| !line.contains("panicked at") && !line.starts_with("=="));
    let told = from.filter(|line| !line.trim_start().starts_with("at /"));
    told.take(40).map(|line| line.to_owned() + "\n").collect()
}

fn count_files(directory: &Path) -> Result<usize> {
    Ok(fs::read_dir(directory)?.count())
}

/// The published vectors as inputs. The first character says that the rest is to be taken as it is.
fn write_seeds(shell: &Shell) -> Result<()> {
    for target in targets(shell, &[])? {
        let seeds =
            seeds(shell, &target.name).with_context(|| format!("the seeds of {}", target.name))?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(target.seeds.join(number.to_string()), seed)?;
        }
    }
    Ok(())
}

fn seeds(shell: &Shell, target: &str) -> Result<Vec<Vec<u8>>> {
    let read = |name: &str| -> Result<Value> {
        let path = shell.root.join("tests/vectors").join(name);
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    };
    let mut seeds = Vec::new();
    match target {
        "base58" => {
            let vectors = read("base58check.json")?;
            for test in list(&vectors, "/valid")?
                .iter()
                .chain(list(&vectors, "/invalid")?)
            {
                let text = test.as_str().or_else(|| test["string"].as_str());
                seeds.push(text.context("string")?.as_bytes().to_vec());
            }
        }
        "der" => {
            for test in list(&read("turnkey_der.json")?, "/tests")? {
                seeds.push(bytes(test, "der")?);
            }
            let vectors = read("wycheproof_ecdsa_secp256r1_sha256_test.json")?;
            for test in list(&vectors, "/testGroups/0/tests")? {
                seeds.push(bytes(test, "sig")?);
            }
        }
        "envelope" => {
            let vectors = read("turnkey_export_bundle.json")?;
            let real = vectors.pointer("/tests/0").context("tests")?;
            let receiver = bytes(real, "privateKey")?;
            for test in list(&vectors, "/tests")?
                .iter()
                .chain(list(&vectors, "/negatives")?)
            {
                let bundle = text(test, "exportBundle")?.as_bytes();
                seeds.push([receiver.as_slice(), bundle].concat());
            }
        }
        "id_token" => {
            for test in list(&read("turnkey_jwt.json")?, "/tests")? {
                seeds.push(text(test, "jwt")?.as_bytes().to_vec());
            }
        }
        "intent" => {
            for test in list(&read("intent.json")?, "/tests")? {
                let intent = test["intent"].to_string();
                seeds.push(format!("{intent}\n{}", text(test, "payload")?).into_bytes());
            }
        }
        "json" => {
            for test in list(&read("intent.json")?, "/tests")? {
                seeds.push(text(test, "payload")?.as_bytes().to_vec());
            }
            for test in list(&read("turnkey_stamp.json")?, "/tests")? {
                seeds.push(text(test, "json")?.as_bytes().to_vec());
            }
        }
        "passkey" => {
            for ceremony in list(&read("webauthn_l3_es256.json")?, "/ceremonies")? {
                seeds.push(bytes(&ceremony["registration"], "clientDataJSON")?);
                seeds.push(bytes(&ceremony["authentication"], "clientDataJSON")?);
            }
        }
        "sealed_key" => {
            for name in [
                "turnkey_credential_bundle.json",
                "turnkey_generated_bundles.json",
            ] {
                for test in list(&read(name)?, "/tests")? {
                    let receiver = bytes(test, "receiverPrivateKey")?;
                    seeds.push([receiver.as_slice(), text(test, "bundle")?.as_bytes()].concat());
                }
            }
        }
        "verification_token" => {
            for test in list(&read("turnkey_jwt.json")?, "/tests")? {
                let key = bytes(test, "key")?;
                seeds.push([key.as_slice(), text(test, "jwt")?.as_bytes()].concat());
            }
        }
        // These take choices only.
        _ => {}
    }
    Ok(seeds
        .into_iter()
        .map(|seed| [b"=".as_slice(), &seed].concat())
        .collect())
}

fn list<'a>(vectors: &'a Value, pointer: &str) -> Result<&'a [Value]> {
    let list = vectors.pointer(pointer).and_then(Value::as_array);
    Ok(list.with_context(|| pointer.to_owned())?)
}

fn text<'a>(test: &'a Value, name: &str) -> Result<&'a str> {
    test[name].as_str().with_context(|| name.to_owned())
}

fn bytes(test: &Value, name: &str) -> Result<Vec<u8>> {
    let digits = text(test, name)?.as_bytes();
    let pairs = digits.as_chunks::<2>().0.iter();
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Figures, figures};

    #[test]
    fn the_figures_are_the_last_ones() {
        let output = "#7 NEW    cov: 12 ft: 13 corp: 1/1b lim: 4 exec/s: 0 rss: 27Mb\n\
            #456893\tDONE   cov: 502 ft: 983 corp: 352/3437b lim: 3095 exec/s: 50765 rss: 28Mb\n\
            stat::number_of_executed_units: 456893\n\
            stat::average_exec_per_sec:     50765\n";
        let expected = Figures {
            executed: 456_893,
            per_second: 50_765,
            edges: 502,
            inputs: 352,
        };
        assert_eq!(figures(output), expected);
        assert_eq!(figures(""), Figures::default());
    }
}
