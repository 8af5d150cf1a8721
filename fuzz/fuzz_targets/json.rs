//! The strict JSON reader and the writer, against `serde_json`: what the one takes the other takes,
//! with the same value, and nobody takes a name twice.

#![no_main]

use arbitrary::{Result, Unstructured};
use gridkey::crypto::json::{Json, Limits};
use gridkey_fuzz::{mutate, split, strict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        if let Ok(text) = std::str::from_utf8(rest) {
            compare(text, 64 * 1024, 16);
        }
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let mut json = mutate::any(u, 4)?;
    let brackets = match u.ratio(1_u8, 8_u8)? {
        true => u.int_in_range(0..=80)?,
        false => 0,
    };
    for _ in 0..brackets {
        json = Json::Array(vec![json]);
    }
    mutate::json(u, &mut json)?;
    let mut text = mutate::written(u, &json)?;
    mutate::text(u, &mut text)?;
    let (bytes, depth) = match u.ratio(1_u8, 4_u8)? {
        true => (u.int_in_range(0..=100)?, u.int_in_range(0..=70)?),
        false => (4096, 16),
    };
    compare(&text, bytes, depth);
    Ok(())
}

fn compare(text: &str, bytes: usize, depth: usize) {
    let found = Json::parse(text, Limits { bytes, depth });
    // Whatever the caller allows, 64 levels are the most.
    let expected = strict::read(text, bytes, depth.min(64));
    let found = match (found, expected) {
        (Ok(found), expected) => {
            if strict::is_ambiguous(&found) {
                return;
            }
            assert_eq!(Some(strict::as_kept(&found)), expected, "{text:?}");
            found
        }
        (Err(error), expected) => {
            assert_eq!(expected, None, "{text:?}: {error}");
            assert!(!error.to_string().contains(mutate::CANARY));
            return;
        }
    };

    let again = found.to_text();
    let limits = Limits {
        bytes: usize::MAX,
        depth: 64,
    };
    assert_eq!(Json::parse(&again, limits).as_ref(), Ok(&found));
    assert_eq!(
        strict::read(&again, usize::MAX, 64),
        Some(strict::as_kept(&found))
    );
    look_at(&found);
}

/// Each value by itself, as a caller reads it.
fn look_at(json: &Json) {
    match json {
        Json::String(text) => {
            assert_eq!(json.to_text(), serde_json::to_string(text).unwrap());
            assert_eq!(json.as_str(), Some(text.as_str()));
        }
        Json::Number(digits) => {
            let number: serde_json::Number = digits.parse().unwrap();
            assert_eq!(json.as_u64(), number.as_u64());
        }
        Json::Array(items) => items.iter().for_each(look_at),
        Json::Object(members) => {
            for (name, value) in members {
                assert_eq!(json.get(name), Some(value));
                look_at(value);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}
