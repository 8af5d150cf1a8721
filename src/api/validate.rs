//! What is refused before anything is sent.

use crate::{
    crypto::key::PublicKey,
    error::{Error, Result},
};

/// The prefixes of Grid's ids, `Prefix:<uuid>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdKind {
    /// `Agent:…`
    Agent,
    /// `AuthMethod:…`
    AuthMethod,
    /// `InternalAccount:…`
    InternalAccount,
    /// `Request:…`
    Request,
    /// `Session:…`
    Session,
}

impl IdKind {
    const ALL: [Self; 5] = [
        Self::Agent,
        Self::AuthMethod,
        Self::InternalAccount,
        Self::Request,
        Self::Session,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::AuthMethod => "AuthMethod",
            Self::InternalAccount => "InternalAccount",
            Self::Request => "Request",
            Self::Session => "Session",
        }
    }
}

const MAX_ID_CHARS: usize = 256;

/// Checks an id: 1 to 256 letters, digits and `: - _ .`, with a letter or digit among them.
///
/// A platform with routes of its own may have ids of its own, so a prefix is not demanded; but the
/// prefix of another kind (an account's id where a credential's belongs) is refused.
pub fn id(name: &str, kind: IdKind, text: &str) -> Result<()> {
    let well_formed = text.len() <= MAX_ID_CHARS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":-_.".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if !well_formed {
        return Err(Error::invalid_argument(format!(
            "`{name}` must be an id of 1 to {MAX_ID_CHARS} letters, digits and `: - _ .`"
        )));
    }
    let prefix = text.split_once(':').map(|(prefix, _)| prefix);
    match IdKind::ALL
        .into_iter()
        .find(|known| Some(known.prefix()) == prefix)
    {
        Some(other) if other != kind => Err(Error::invalid_argument(format!(
            "`{name}` must be the id of a {}, not of a {}",
            kind.prefix(),
            other.prefix()
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Checks a `clientPublicKey`: SEC1 in hexadecimal, compressed (66) or uncompressed (130).
pub fn client_public_key(text: &str) -> Result<()> {
    PublicKey::from_hex(text).map(|_| ()).map_err(|_| {
        Error::invalid_argument(
            "`clientPublicKey` must be a P-256 public key in SEC1 form, hexadecimal: 66 characters \
             compressed or 130 uncompressed",
        )
    })
}

/// Checks a text that is sent as it is: not empty, at most `max` bytes.
pub fn text(name: &str, max: usize, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > max {
        return Err(Error::invalid_argument(format!(
            "`{name}` must have 1 to {max} bytes"
        )));
    }
    Ok(())
}

/// Checks a text that becomes a header: visible ASCII, at most `max` characters.
pub fn header(name: &str, max: usize, value: &str) -> Result<()> {
    text(name, max, value)?;
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid_argument(format!(
            "`{name}` must be visible ASCII"
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
