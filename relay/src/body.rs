//! Reading a request's body: bounded in size and time, and as strict as authorisation needs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::operation::{self, Member, MemberValue};
use crate::refusal::Refusal;
use crate::resource::Resource;

/// A request's body as it arrived, its top-level members, and what it names.
pub(crate) struct RequestBody {
    pub(crate) bytes: Bytes,
    pub(crate) members: Members,
    pub(crate) resources: Vec<Resource>,
}

/// The members of a JSON object. Reading fails where a name occurs twice, at whatever depth,
/// because Grid might go by the one that was not authorised.
#[derive(Default)]
pub(crate) struct Members(BTreeMap<String, Value>);

/// A JSON value, as far as the relay reads it.
enum Value {
    Object(Members),
    Text(String),
    Other,
}

impl RequestBody {
    pub(crate) async fn read(
        parts: &Parts,
        body: Body,
        expected: &operation::Body,
        max_bytes: usize,
        time_limit: Duration,
    ) -> Result<Self, Refusal> {
        let collected = tokio::time::timeout(time_limit, Limited::new(body, max_bytes).collect());
        let bytes = match collected.await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(e)) if e.is::<LengthLimitError>() => return Err(Refusal::body_too_large()),
            Ok(Err(_)) => return Err(Refusal::invalid("The request's body broke off.")),
            Err(_) => return Err(Refusal::body_too_late()),
        };

        let expected = match (expected, bytes.is_empty()) {
            (operation::Body::None | operation::Body::Optional(_), true) => {
                return Ok(Self {
                    bytes,
                    members: Members::default(),
                    resources: Vec::new(),
                });
            }
            (operation::Body::None, false) => {
                return Err(Refusal::invalid("This operation takes no body."));
            }
            (operation::Body::Optional(expected) | operation::Body::Required(expected), _) => {
                expected
            }
        };
        if !is_json_in_utf8(parts) {
            return Err(Refusal::not_json());
        }
        let members: Members = serde_json::from_slice(&bytes).map_err(|_| {
            Refusal::invalid("The request's body must be a JSON object without repeated names.")
        })?;
        let mut resources = Vec::new();
        members.identify(expected, &mut resources)?;
        Ok(Self {
            bytes,
            members,
            resources,
        })
    }
}

impl Members {
    /// A member's value, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            Value::Object(_) | Value::Other => None,
        }
    }

    /// Adds what the members identify, in the order of the operation's table. The names must be
    /// the expected ones, and every identifier must be readable.
    fn identify(&self, expected: &[Member], found: &mut Vec<Resource>) -> Result<(), Refusal> {
        let is_known = |name: &String| expected.iter().any(|member| member.name == name);
        if !self.0.keys().all(is_known) {
            return Err(Refusal::invalid(
                "The request's body has a member that is not known here.",
            ));
        }
        for member in expected {
            if !member.is_required && !self.0.contains_key(member.name) {
                continue;
            }
            match &member.value {
                MemberValue::Any => {}
                MemberValue::Id(kind) => {
                    let id = self.text(member.name);
                    found.push(
                        id.and_then(|id| Resource::new(*kind, id))
                            .ok_or_else(bad_id)?,
                    );
                }
                MemberValue::IdOf(kinds) => {
                    let id = self.text(member.name);
                    let resource = id.and_then(|id| Resource::of_kinds(kinds, id));
                    found.push(resource.ok_or_else(bad_id)?);
                }
                MemberValue::OneOf {
                    discriminator,
                    variants,
                } => {
                    let Some(Value::Object(object)) = self.0.get(member.name) else {
                        return Err(bad_object());
                    };
                    let name = object.text(discriminator);
                    let variant = variants.iter().find(|variant| Some(variant.name) == name);
                    let variant = variant.ok_or_else(bad_object)?;
                    object.identify(variant.members, found)?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object without repeated names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("repeated name"));
            }
        }
        Ok(Members(members))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without repeated names")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        MembersVisitor.visit_map(map).map(Value::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<Value>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
}

fn bad_id() -> Refusal {
    Refusal::invalid("An identifier in the request's body is missing or malformed.")
}

fn bad_object() -> Refusal {
    Refusal::invalid("An object in the request's body is missing, or is none that is known here.")
}

/// Another character set could make Grid read other identifiers than the relay does. That only
/// JSON is taken also keeps foreign pages from posting without a preflight request.
fn is_json_in_utf8(parts: &Parts) -> bool {
    let mut values = parts.headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let text = text.to_ascii_lowercase();
    let mut parameters = text.split(';').map(str::trim);
    parameters.next() == Some("application/json")
        && parameters.all(|parameter| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\""))
}
