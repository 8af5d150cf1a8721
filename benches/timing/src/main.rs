//! Whether the time of an operation tells anything about a secret.
//!
//! Two classes of inputs take turns in an order that nobody can foresee, and Welch's t-test says whether
//! their mean times differ (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017). Above
//! the slowest tenth, which is interrupts, a |t| of more than 10 is a leak, as the paper has it.
//!
//! `TIMING_SAMPLES` says how many of each class there are.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers"
)]

use std::{env, hint::black_box, process::ExitCode, time::Instant};

use gridkey::{
    crypto::{
        hpke::{self, Sealed},
        key::PrivateKey,
        random::{Random, SystemRandom},
    },
    formats::session_key::SessionKey,
};

const LEAK: f64 = 10.0;

fn main() -> ExitCode {
    let samples = env::var("TIMING_SAMPLES").map_or(20_000, |count| count.parse().unwrap());
    println!("operation, classes: mean of the first in us, difference in ns, t");
    let rows = [
        stamps(samples),
        keys_that_open(samples),
        failures_to_open(samples),
        failures_by_another_key(samples),
        small_keys(samples),
    ];
    for row in &rows {
        let [mean, difference, t] = [row.mean / 1e3, row.difference, row.t];
        println!("{}: {mean:.1}, {difference:.0}, {t:.1}", row.name);
    }
    let worst = rows
        .iter()
        .fold(0.0_f64, |worst, row| worst.max(row.t.abs()));
    println!("{samples} samples of each class, largest |t| {worst:.1}, a leak is {LEAK}");
    if worst < LEAK {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Row {
    name: &'static str,
    mean: f64,
    difference: f64,
    t: f64,
}

/// Of texts that differ, because the lengths of signatures do.
fn stamps(samples: usize) -> Row {
    let fixed = key().to_bytes();
    let text = || key().public_key().to_compressed_hex();
    compare(
        "stamp, one key or any",
        &[
            pool(samples, || {
                (SessionKey::from_private_key(&fixed[..]).unwrap(), text())
            }),
            pool(samples, || {
                (SessionKey::generate(&SystemRandom).unwrap(), text())
            }),
        ],
        |(key, text)| key.stamp_unchecked(text).is_ok(),
    )
}

fn keys_that_open(samples: usize) -> Row {
    let fixed = key().to_bytes();
    compare(
        "open, one key or any",
        &[
            pool(samples, || {
                sealed_for(PrivateKey::from_bytes(&fixed[..]).unwrap())
            }),
            pool(samples, || sealed_for(key())),
        ],
        |(receiver, sealed)| opens(receiver, sealed),
    )
}

/// What is wrong with a text must not be told by how soon it is refused.
fn failures_to_open(samples: usize) -> Row {
    let receiver = key();
    compare(
        "open, altered in its first or last byte",
        &[
            pool(samples, || altered(&receiver, 0)),
            pool(samples, || altered(&receiver, LENGTH - 1)),
        ],
        |sealed| !opens(&receiver, sealed),
    )
}

fn failures_by_another_key(samples: usize) -> Row {
    let (receiver, another) = (key(), key());
    compare(
        "open, altered or sealed for another key",
        &[
            pool(samples, || altered(&receiver, LENGTH - 1)),
            pool(samples, || altered(&another, LENGTH - 1)),
        ],
        |sealed| !opens(&receiver, sealed),
    )
}

fn small_keys(samples: usize) -> Row {
    let mut one = [0; 32];
    one[31] = 1;
    compare(
        "open, the key 1 or any",
        &[
            pool(samples, || {
                sealed_for(PrivateKey::from_bytes(&one).unwrap())
            }),
            pool(samples, || sealed_for(key())),
        ],
        |(receiver, sealed)| opens(receiver, sealed),
    )
}

/// Of a text that was sealed, without its tag.
const LENGTH: usize = 1024;

fn altered(recipient: &PrivateKey, index: usize) -> Sealed {
    let mut sealed = hpke::seal(recipient.public_key(), &[7; LENGTH], &SystemRandom).unwrap();
    sealed.ciphertext[index] ^= 1;
    sealed
}

fn sealed_for(receiver: PrivateKey) -> (PrivateKey, Sealed) {
    let sealed = hpke::seal(receiver.public_key(), &[7; 32], &SystemRandom).unwrap();
    (receiver, sealed)
}

/// A class has as many inputs as samples, also where they are all the same: fewer would be nearer in the
/// processor's caches, and what is public of them, as the length of a signature, would not be averaged.
fn pool<T>(samples: usize, input: impl Fn() -> T) -> Vec<T> {
    (0..samples).map(|_| input()).collect()
}

fn key() -> PrivateKey {
    PrivateKey::generate(&SystemRandom).unwrap()
}

fn opens(receiver: &PrivateKey, sealed: &Sealed) -> bool {
    hpke::open(receiver, &sealed.encapped, &sealed.ciphertext).is_ok()
}

/// Times `operation`, which must say that it did what it should, on inputs of two classes.
fn compare<T>(name: &'static str, classes: &[Vec<T>; 2], operation: impl Fn(&T) -> bool) -> Row {
    let samples = classes[0].len();
    let mut order = vec![0_u8; 2 * samples];
    SystemRandom.fill(&mut order).unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for coin in &order {
        let class = usize::from(coin & 1);
        let next = times[class].len() % samples;
        let input = black_box(&classes[class][next]);
        let start = Instant::now();
        let is_right = operation(input);
        let time = start.elapsed();
        assert!(is_right, "{name}");
        times[class].push(time.as_nanos() as f64);
    }
    // One limit for both classes: a limit each would hide the difference.
    let mut all = times.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() / 10 * 9];
    let [one, other] = times.map(|times| {
        let times: Vec<f64> = times.into_iter().filter(|time| *time < limit).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let difference = one.0 - other.0;
    Row {
        name,
        mean: one.0,
        difference,
        t: difference / (one.1 + other.1).sqrt(),
    }
}
