//! Reading a request's body: bounded in size and time, and as strict as authorisation needs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use crate::operation;
use crate::refusal::Refusal;

/// A request's body as it arrived, and its top-level members.
pub(crate) struct RequestBody {
    pub(crate) bytes: Bytes,
    pub(crate) members: Members,
}

/// The members of a JSON object. Reading fails where a name occurs twice, because Grid might go
/// by the one that was not authorised.
#[derive(Default)]
pub(crate) struct Members(BTreeMap<String, Value>);

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

        let members = match (expected, bytes.is_empty()) {
            (operation::Body::None | operation::Body::Optional(_), true) => {
                return Ok(Self {
                    bytes,
                    members: Members::default(),
                });
            }
            (operation::Body::None, false) => {
                return Err(Refusal::invalid("This operation takes no body."));
            }
            (operation::Body::Optional(members) | operation::Body::Required(members), _) => members,
        };
        if !is_json_in_utf8(parts) {
            return Err(Refusal::not_json());
        }
        let found: Members = serde_json::from_slice(&bytes).map_err(|_| {
            Refusal::invalid("The request's body must be a JSON object without repeated names.")
        })?;
        if !found
            .0
            .keys()
            .all(|name| members.iter().any(|member| member.name == name))
        {
            return Err(Refusal::invalid(
                "The request's body has a member that is not known here.",
            ));
        }
        Ok(Self {
            bytes,
            members: found,
        })
    }
}

impl Members {
    /// A member's value, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
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
