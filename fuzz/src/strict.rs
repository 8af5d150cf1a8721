//! JSON by `serde_json`, made as strict as gridkey's own reader is to be: no name twice, a bounded
//! size and depth. It shares no code with it.

use std::{collections::HashSet, fmt};

use gridkey::crypto::json::Json;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// By this name `serde_json` hands on a number's own text.
const NUMBER: &str = "$serde_json::private::Number";

/// What a text says, or nothing where it is refused.
pub fn read(text: &str, max_bytes: usize, max_depth: usize) -> Option<Json> {
    if text.len() > max_bytes {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict(max_depth).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// The same value with numbers written as `serde_json` keeps those that are no integers: it has a
/// small `e`, and always a sign after it.
pub fn as_kept(json: &Json) -> Json {
    match json {
        Json::Number(digits) => {
            let kept = digits.replace('E', "e");
            Json::Number(match kept.split_once('e') {
                Some((number, exponent)) if !exponent.starts_with(['+', '-']) => {
                    format!("{number}e+{exponent}")
                }
                _ => kept,
            })
        }
        Json::Array(items) => Json::Array(items.iter().map(as_kept).collect()),
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), as_kept(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Whether a text has a name in it that `serde_json` takes for something of its own.
pub fn is_ambiguous(json: &Json) -> bool {
    match json {
        Json::Object(members) => members
            .iter()
            .any(|(name, value)| name.starts_with("$serde_json") || is_ambiguous(value)),
        Json::Array(items) => items.iter().any(is_ambiguous),
        _ => false,
    }
}

/// The object's member, if it is a text.
pub fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    match member(json, name)? {
        Json::String(text) => Some(text),
        _ => None,
    }
}

/// The object's member.
pub fn member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    let Json::Object(members) = json else {
        return None;
    };
    let (_, value) = members.iter().find(|(member, _)| member == name)?;
    Some(value)
}

#[derive(Clone, Copy)]
struct Strict(usize);

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.0.checked_sub(1);
        depth.map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let first = map.next_key::<String>()?;
        if first.as_deref() == Some(NUMBER) {
            return Ok(Json::Number(map.next_value()?));
        }
        let inner = self.inner()?;
        let mut members = Vec::new();
        let mut names = HashSet::new();
        let mut next = first;
        while let Some(name) = next {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("twice"));
            }
            members.push((name, map.next_value_seed(inner)?));
            next = map.next_key()?;
        }
        Ok(Json::Object(members))
    }
}
