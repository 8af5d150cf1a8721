//! Identifiers of Grid's resources, as they travel in paths, queries and bodies.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Something of Grid's that a request names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// What it is, by its place in the request.
    pub kind: ResourceKind,
    /// Its identifier, decoded: 1 to 128 visible ASCII characters without `/`, `\` and `%`, and
    /// not a dot segment.
    pub id: String,
}

/// What an identifier identifies.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ResourceKind {
    /// An internal account (`InternalAccount:…`).
    Account,
    /// A customer's agent (`Agent:…`).
    Agent,
    /// An authentication credential (`AuthMethod:…`).
    AuthMethod,
    /// A card (`Card:…`).
    Card,
    /// An account's part in the funding of a card (`CardFundingSource:…`).
    CardFundingSource,
    /// A customer of the platform (`Customer:…`).
    Customer,
    /// A key that signs for a wallet on its owner's behalf (`DelegatedKey:…`).
    DelegatedKey,
    /// An agent's device code (`GRID-AGENT-…`).
    DeviceCode,
    /// An account outside Grid that a customer pays to (`ExternalAccount:…`).
    ExternalAccount,
    /// What the platform has found out about a receiver (`Lookup:…`).
    Lookup,
    /// A quote of a payment (`Quote:…`).
    Quote,
    /// An authentication session (`Session:…`).
    Session,
}

impl ResourceKind {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Account => "InternalAccount:",
            Self::Agent => "Agent:",
            Self::AuthMethod => "AuthMethod:",
            Self::Card => "Card:",
            Self::CardFundingSource => "CardFundingSource:",
            Self::Customer => "Customer:",
            Self::DelegatedKey => "DelegatedKey:",
            Self::DeviceCode => "GRID-AGENT-",
            Self::ExternalAccount => "ExternalAccount:",
            Self::Lookup => "Lookup:",
            Self::Quote => "Quote:",
            Self::Session => "Session:",
        }
    }
}

impl Resource {
    /// A resource from an identifier that is not encoded. `None` if the identifier could be read
    /// as anything but one path segment.
    pub(crate) fn new(kind: ResourceKind, id: &str) -> Option<Self> {
        let is_one_segment = !matches!(id, "" | "." | "..")
            && id.len() <= MAX_ID_BYTES
            && id
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b'\\' | b'%'));
        is_one_segment.then(|| Self {
            kind,
            id: id.to_owned(),
        })
    }

    /// A resource of that one of the kinds whose prefix the identifier has.
    pub(crate) fn of_kinds(kinds: &[ResourceKind], id: &str) -> Option<Self> {
        let kind = kinds.iter().find(|kind| id.starts_with(kind.prefix()))?;
        Self::new(*kind, id)
    }

    /// A resource from one segment of a request's path. The segment is decoded once; what still
    /// has a `%` in it afterwards was encoded twice, or badly, and is refused.
    pub(crate) fn from_path_segment(kind: ResourceKind, segment: &str) -> Option<Self> {
        let id = percent_decode_str(segment).decode_utf8().ok()?;
        Self::new(kind, &id)
    }

    /// The identifier as one segment of a path, or as the value of a query parameter.
    pub(crate) fn encoded_id(&self) -> String {
        encode(&self.id)
    }
}

/// A text as the value of a query parameter.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Grid's identifiers are shorter than 60; its documents give no bound.
const MAX_ID_BYTES: usize = 128;

/// All but RFC 3986's unreserved characters and the colon of Grid's identifiers.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');
