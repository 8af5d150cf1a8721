//! Reading a request's query: as strict as authorisation needs.

use axum::http::Uri;

use crate::operation::Parameter;
use crate::refusal::Refusal;
use crate::resource::{Resource, encode};

/// A query of the parameters that an operation has.
#[derive(Default)]
pub(crate) struct Query {
    /// What it names, in the operation's order.
    pub(crate) resources: Vec<Resource>,
    /// With the `?`, encoded anew: Grid reads what was authorised. Empty if nothing was given.
    pub(crate) encoded: String,
}

impl Query {
    pub(crate) fn read(uri: &Uri, expected: &[Parameter]) -> Result<Self, Refusal> {
        let text = uri.query().unwrap_or_default();
        let given: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
        let is_known = |name: &str| expected.iter().any(|parameter| parameter.name == name);
        if !given.iter().all(|(name, _)| is_known(name)) {
            return Err(unexpected());
        }

        let mut query = Self::default();
        for parameter in expected {
            let mut values = given.iter().filter(|(name, _)| name == parameter.name);
            let value = match (values.next(), values.next()) {
                (Some((_, value)), None) => value,
                (None, _) => continue,
                _ => return Err(unexpected()),
            };
            let encoded = match parameter.resource {
                Some(kind) => {
                    let resource = Resource::new(kind, value).ok_or_else(unexpected)?;
                    let encoded = resource.encoded_id();
                    query.resources.push(resource);
                    encoded
                }
                None if is_plain(value) => encode(value),
                None => return Err(unexpected()),
            };
            query
                .encoded
                .push(if query.encoded.is_empty() { '?' } else { '&' });
            query.encoded.push_str(parameter.name);
            query.encoded.push('=');
            query.encoded.push_str(&encoded);
        }
        Ok(query)
    }
}

fn is_plain(value: &str) -> bool {
    (1..=MAX_VALUE_BYTES).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic())
}

fn unexpected() -> Refusal {
    Refusal::invalid("The query has to have parameters of the operation's, each once.")
}

/// Grid's documents give no bound for a cursor.
const MAX_VALUE_BYTES: usize = 1024;
