//! What is right, made wrong in a few places.

use arbitrary::{Result, Unstructured};
use gridkey::crypto::json::Json;

/// In what is made wrong, and never in a message of the package's own.
pub const CANARY: &str = "c0ffee5ec2e7";

/// Changes up to three places of a text, or none.
pub fn text(u: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..u.int_in_range(0..=3)? {
        let at = u.int_in_range(0..=characters.len())?;
        let end = u.int_in_range(at..=characters.len().min(at.saturating_add(40)))?;
        match u.int_in_range(0..=7)? {
            0 => drop(characters.drain(at..end)),
            1 => characters.insert(at, u.int_in_range(b' '..=b'~')?.into()),
            2 => characters.insert(
                at,
                *u.choose(&['\0', '\n', '\u{e9}', '\u{1f600}', '\u{feff}'])?,
            ),
            3 => {
                if let Some(character) = characters.get_mut(at) {
                    *character = u.int_in_range(b' '..=b'~')?.into();
                }
            }
            4 => {
                let copied = characters[at..end].to_vec();
                characters.splice(at..at, copied);
            }
            5 => {
                for character in &mut characters[at..end] {
                    *character = if character.is_ascii_lowercase() {
                        character.to_ascii_uppercase()
                    } else {
                        character.to_ascii_lowercase()
                    };
                }
            }
            6 => drop(characters.splice(at..end, CANARY.chars())),
            _ => characters.truncate(at),
        }
    }
    *text = characters.into_iter().collect();
    Ok(())
}

/// Any bytes, so many at most.
pub fn some<'a>(u: &mut Unstructured<'a>, max_bytes: usize) -> Result<&'a [u8]> {
    let length = u.int_in_range(0..=u.len().min(max_bytes))?;
    u.bytes(length)
}

/// Changes up to three places of some bytes, or none.
pub fn bytes(u: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    for _ in 0..u.int_in_range(0..=3)? {
        let at = u.int_in_range(0..=bytes.len())?;
        match u.int_in_range(0..=4)? {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u.arbitrary()?),
            2 => drop(bytes.drain(at..u.int_in_range(at..=bytes.len())?)),
            3 => bytes.extend_from_slice(u.bytes(u.len().min(4))?),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= u.arbitrary::<u8>()?;
                }
            }
        }
    }
    Ok(())
}

/// Changes up to three values of a JSON text's, or none. Names may come to stand twice.
pub fn json(u: &mut Unstructured<'_>, json: &mut Json) -> Result<()> {
    for _ in 0..u.int_in_range(0..=3)? {
        let path = u.int_in_range(0..=count(json).saturating_sub(1))?;
        value(u, nth(json, &mut { path }).unwrap())?;
    }
    Ok(())
}

fn value(u: &mut Unstructured<'_>, json: &mut Json) -> Result<()> {
    match json {
        Json::String(string) if u.ratio(3_u8, 4_u8)? => {
            // What a comparison of beginnings, of ends or without case would not notice.
            match u.int_in_range(0..=5)? {
                0 => string.push(u.int_in_range(b'0'..=b'z')?.into()),
                1 => string.insert(0, u.int_in_range(b'0'..=b'z')?.into()),
                2 => string.make_ascii_uppercase(),
                _ => text(u, string)?,
            }
            return Ok(());
        }
        Json::Object(members) if !members.is_empty() && u.ratio(3_u8, 4_u8)? => {
            let at = u.choose_index(members.len())?;
            let other = u.choose_index(members.len())?;
            match u.int_in_range(0..=5)? {
                0 => drop(members.remove(at)),
                1 => text(u, &mut members[at].0)?,
                2 => {
                    let twice = members[at].clone();
                    members.insert(other, twice);
                }
                3 => {
                    members[at].1 = members[other].1.clone();
                }
                4 => members.push((name(u)?, any(u, 2)?)),
                _ => members.swap(at, other),
            }
            return Ok(());
        }
        Json::Array(items) if u.ratio(3_u8, 4_u8)? => {
            match (u.int_in_range(0..=2)?, items.is_empty()) {
                (0, false) => drop(items.remove(u.choose_index(items.len())?)),
                (1, false) => {
                    let twice = items[u.choose_index(items.len())?].clone();
                    items.push(twice);
                }
                _ => items.push(any(u, 1)?),
            }
            return Ok(());
        }
        _ => {}
    }
    *json = any(u, 2)?;
    Ok(())
}

/// A name that means something to somebody, or any.
fn name(u: &mut Unstructured<'_>) -> Result<String> {
    const NAMES: &[&str] = &[
        "__proto__",
        "authenticatorIds",
        "crit",
        "encryptedSessionSigningKey",
        "expirationSeconds",
        "generateAppProofs",
        "invalidateExisting",
        "nonce",
        "organizationId",
        "transports",
        "type",
        "userId",
    ];
    match u.ratio(3_u8, 4_u8)? {
        true => Ok((*u.choose(NAMES)?).to_owned()),
        false => word(u),
    }
}

fn word(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=12)?;
    (0..length)
        .map(|_| Ok(char::from(u.int_in_range(b' '..=b'~')?)))
        .collect()
}

/// Any JSON value.
pub fn any(u: &mut Unstructured<'_>, depth: u8) -> Result<Json> {
    let kinds = if depth == 0 { 6 } else { 8 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Json::Null,
        1 => Json::Bool(u.arbitrary()?),
        2 => Json::from(u.arbitrary::<u64>()?),
        3 => Json::Number(
            (*u.choose(&["-0", "0.0", "1e400", "-1", "900", "1.5E-7", "1775681700000"])?)
                .to_owned(),
        ),
        4 => Json::from(CANARY),
        5 => Json::String(String::new()),
        6 => Json::String(u.arbitrary::<&str>()?.chars().take(40).collect()),
        7 => {
            let mut items = Vec::new();
            for _ in 0..u.int_in_range(0..=2)? {
                items.push(any(u, depth.saturating_sub(1))?);
            }
            Json::Array(items)
        }
        _ => {
            let mut members = Vec::new();
            for _ in 0..u.int_in_range(0..=2)? {
                members.push((name(u)?, any(u, depth.saturating_sub(1))?));
            }
            Json::Object(members)
        }
    })
}

/// How many values there are in all.
fn count(json: &Json) -> usize {
    let inner: usize = match json {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    };
    inner.saturating_add(1)
}

fn nth<'a>(json: &'a mut Json, left: &mut usize) -> Option<&'a mut Json> {
    if *left == 0 {
        return Some(json);
    }
    *left -= 1;
    match json {
        Json::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Json::Object(members) => members.iter_mut().find_map(|(_, value)| nth(value, left)),
        _ => None,
    }
}

/// A text for a value: with white space, and with escapes where none are needed.
pub fn written(u: &mut Unstructured<'_>, json: &Json) -> Result<String> {
    let mut out = String::new();
    let is_plain = u.ratio(1_u8, 2_u8)?;
    if is_plain {
        return Ok(json.to_text());
    }
    write(u, json, &mut out)?;
    Ok(out)
}

fn write(u: &mut Unstructured<'_>, json: &Json, out: &mut String) -> Result<()> {
    space(u, out)?;
    match json {
        Json::String(string) => write_text(u, string, out)?,
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(u, item, out)?;
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                space(u, out)?;
                write_text(u, name, out)?;
                space(u, out)?;
                out.push(':');
                write(u, value, out)?;
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_text()),
    }
    space(u, out)
}

fn space(u: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    if u.ratio(1_u8, 8_u8)? {
        out.push(*u.choose(&[' ', '\n', '\t', '\r'])?);
    }
    Ok(())
}

fn write_text(u: &mut Unstructured<'_>, text: &str, out: &mut String) -> Result<()> {
    let text = Json::from(text).to_text();
    // One character of the plain ones by its number.
    let at = u.int_in_range(0..=text.len())?;
    for (index, character) in text.char_indices() {
        if index == at && (character.is_ascii_alphanumeric() && !text.contains('\\')) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    Ok(())
}
