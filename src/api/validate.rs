//! What is refused before anything is sent.

use crate::{
    crypto::encoding::decimal,
    error::{Error, Result, cut, filled},
};

/// The prefixes of Grid's ids, `Prefix:<uuid>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdKind {
    /// `Agent:…`
    Agent,
    /// `AuthMethod:…`
    AuthMethod,
    /// `Card:…`
    Card,
    /// `CardFundingSource:…`
    CardFundingSource,
    /// `Customer:…`
    Customer,
    /// `DelegatedKey:…`
    DelegatedKey,
    /// `GRID-AGENT-…`, which is no id but stands where one does. Whoever has it becomes the agent.
    DeviceCode,
    /// `InternalAccount:…`
    InternalAccount,
    /// `Quote:…`
    Quote,
    /// `Request:…`
    Request,
    /// `Session:…`
    Session,
}

impl IdKind {
    const ALL: [Self; 10] = [
        Self::Agent,
        Self::AuthMethod,
        Self::Card,
        Self::CardFundingSource,
        Self::Customer,
        Self::DelegatedKey,
        Self::InternalAccount,
        Self::Quote,
        Self::Request,
        Self::Session,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::AuthMethod => "AuthMethod",
            Self::Card => "Card",
            Self::CardFundingSource => "CardFundingSource",
            Self::Customer => "Customer",
            Self::DelegatedKey => "DelegatedKey",
            Self::DeviceCode => "GRID-AGENT",
            Self::InternalAccount => "InternalAccount",
            Self::Quote => "Quote",
            Self::Request => "Request",
            Self::Session => "Session",
        }
    }

    /// What an id of this kind must be, for messages.
    pub fn demand(self) -> &'static str {
        match self {
            Self::Agent => "must be an Agent's id",
            Self::AuthMethod => "must be an AuthMethod's id",
            Self::Card => "must be a Card's id",
            Self::CardFundingSource => "must be a CardFundingSource's id",
            Self::Customer => "must be a Customer's id",
            Self::DelegatedKey => "must be a DelegatedKey's id",
            Self::DeviceCode => "must be a device code",
            Self::InternalAccount => "must be an InternalAccount's id",
            Self::Quote => "must be a Quote's id",
            Self::Request => "must be a Request's id",
            Self::Session => "must be a Session's id",
        }
    }
}

const MAX_ID_CHARS: usize = 256;

/// Whether a text is an id: 1 to 256 letters, digits and `: - _ .`, with a letter or digit among
/// them.
///
/// A platform with routes of its own may have ids of its own, so a prefix is not demanded; but the
/// prefix of another kind (an account's id where a credential's belongs) is refused.
pub fn is_id(kind: IdKind, text: &str) -> bool {
    let well_formed = text.len() <= MAX_ID_CHARS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.'))
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let (prefix, rest) = cut(text, b':');
    let is_others = |other: IdKind| other != kind && other.prefix() == prefix;
    well_formed && !(rest.is_some() && IdKind::ALL.into_iter().any(is_others))
}

/// Refuses what is no id: see [`is_id`].
pub fn id(name: &str, kind: IdKind, text: &str) -> Result<()> {
    if is_id(kind, text) {
        return Ok(());
    }
    Err(Error::invalid_argument(filled(
        "`{}` {}: 1 to {} letters, digits and `: - _ .`",
        &[name, kind.demand(), &decimal::encode(MAX_ID_CHARS)],
    )))
}

/// Checks a text that is sent as it is: not empty, at most `max` bytes.
pub fn text(name: &str, max: usize, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > max {
        return Err(Error::invalid_argument(filled(
            "`{}` must have 1 to {} bytes",
            &[name, &decimal::encode(max)],
        )));
    }
    Ok(())
}

/// Checks a text that becomes a header: visible ASCII, at most `max` characters.
pub fn header(name: &str, max: usize, value: &str) -> Result<()> {
    text(name, max, value)?;
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid_argument(filled(
            "`{}` must be visible ASCII",
            &[name],
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn ids() {
        let check = |text: &str| id("authMethodId", IdKind::AuthMethod, text);
        assert!(check("AuthMethod:019542f5-b3e7-1d02-0000-000000000001").is_ok());
        assert!(check("my-own_id.7").is_ok());
        assert!(check(&"a".repeat(256)).is_ok());
        for wrong in [
            "",
            "..",
            ":",
            "a/b",
            "a b",
            "a?b",
            "a%2Fb",
            "é",
            "a\n",
            "InternalAccount:019542f5-b3e7-1d02-0000-000000000001",
            &"a".repeat(257),
        ] {
            assert_eq!(
                check(wrong).unwrap_err().code(),
                ErrorCode::InvalidArgument,
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn headers_take_no_line_breaks() {
        assert!(header("requestId", 256, "Request:1").is_ok());
        for wrong in ["", "a b", "a\r\nb", "é"] {
            assert!(header("requestId", 256, wrong).is_err(), "{wrong:?}");
        }
    }
}
