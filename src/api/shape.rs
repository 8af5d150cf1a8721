//! The forms of requests and answers as data, and the one check that reads them.
//!
//! A request's objects are closed, so that a misspelt member is told instead of sent. An answer's
//! are open: a newer Grid may say more, and what it says is handed on.

use alloc::{borrow::ToOwned as _, string::String};

use super::validate::{self, IdKind};
use crate::{
    crypto::{base64url, json::Json, key::PublicKey},
    error::{Error, Result, filled},
    formats::{nickname::passkey_nickname, otp::split, timestamp::parse_rfc3339_ms},
};

/// The form of a value.
#[derive(Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// A whole number of at least one.
    Amount,
    /// A text of 1 to so many bytes.
    Text(usize),
    /// A text, which may be empty.
    AnyText,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An id of Grid's.
    Id(IdKind),
    /// What becomes a header: visible ASCII.
    Header,
    /// RFC 3339.
    Time,
    /// Unpadded base64url of at most so many characters.
    Base64Url(usize),
    /// A P-256 public key: SEC1, hexadecimal, 66 or 130 digits.
    PublicKey,
    /// A P-256 public key: SEC1 uncompressed, hexadecimal, 130 digits.
    UncompressedKey,
    /// A JSON Web Token.
    Token,
    /// A passkey's name.
    Nickname,
    /// An object with these members.
    Object(&'static [Member]),
    /// An object whose member of this name says which members it has.
    Tagged(&'static (&'static str, &'static [(&'static str, &'static [Member])])),
    /// An array of such values.
    List(&'static Shape),
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Whether it may be missing.
    pub is_optional: bool,
    /// Its form.
    pub shape: Shape,
}

/// A member that must be there.
pub const fn required(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        is_optional: false,
        shape,
    }
}

/// A member that may be missing.
pub const fn optional(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        is_optional: true,
        shape,
    }
}

/// Long enough for any text of Grid's, and for bundles.
pub const LONG_TEXT_BYTES: usize = 64 * 1024;
/// An OIDC token is a few kilobytes at most.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// A `Request:<uuid>`, with room.
const MAX_HEADER_CHARS: usize = 256;

/// Refuses a request's part that is not of its form, with `invalid_argument`. `name` is what the
/// caller calls it: `body`, say.
pub fn check_request(name: &str, shape: &Shape, value: &Json) -> Result<()> {
    check_argument(name, shape, value, true)
}

/// As [`check_request`], of an answer that the caller gives back: it may have more members.
pub fn check_given(name: &str, shape: &Shape, value: &Json) -> Result<()> {
    check_argument(name, shape, value, false)
}

fn check_argument(name: &str, shape: &Shape, value: &Json, is_closed: bool) -> Result<()> {
    let mut path = name.to_owned();
    match shape.mismatch(value, is_closed, &mut path) {
        None => Ok(()),
        Some(what) => Err(Error::invalid_argument(filled("`{}` {}", &[&path, what]))),
    }
}

/// Refuses an answer that is not of its form, with `relay_protocol`.
pub fn check_answer(shape: &Shape, value: &Json) -> Result<()> {
    let mut path = "it".to_owned();
    match shape.mismatch(value, false, &mut path) {
        None => Ok(()),
        Some(what) => Err(Error::relay_protocol(filled(
            "the answer is not of the API's form: `{}` {}, but is not",
            &[&path, what],
        ))),
    }
}

impl Shape {
    /// What is wrong, and in `path` with what.
    fn mismatch(&self, value: &Json, is_closed: bool, path: &mut String) -> Option<&'static str> {
        match self {
            Self::Object(members) => Self::members(members, &[], value, is_closed, path),
            Self::Tagged((tag, kinds)) => {
                let kind = value.text(tag);
                match kinds.iter().find(|(name, _)| Some(*name) == kind) {
                    Some((_, members)) => Self::members(members, &[tag], value, is_closed, path),
                    None => {
                        descend(path, tag);
                        Some("must be one of the API's kinds")
                    }
                }
            }
            Self::List(shape) => match value.as_array() {
                None => Some("must be an array"),
                Some(items) => items
                    .iter()
                    .find_map(|item| shape.mismatch(item, is_closed, path)),
            },
            _ => self.scalar_mismatch(value),
        }
    }

    fn members(
        members: &[Member],
        also: &[&str],
        value: &Json,
        is_closed: bool,
        path: &mut String,
    ) -> Option<&'static str> {
        let Some(given) = value.as_object() else {
            return Some("must be an object");
        };
        for member in members {
            let value = match value.get(member.name) {
                Some(value) if member.is_optional && !is_closed && is_left_out(value) => continue,
                None if member.is_optional => continue,
                None => {
                    descend(path, member.name);
                    return Some("must be given");
                }
                Some(value) => value,
            };
            let length = path.len();
            descend(path, member.name);
            if let Some(what) = member.shape.mismatch(value, is_closed, path) {
                return Some(what);
            }
            path.truncate(length);
        }
        let is_known =
            |name: &str| also.contains(&name) || members.iter().any(|member| member.name == name);
        if is_closed && !given.iter().all(|(name, _)| is_known(name)) {
            return Some("must have no other members than the API's");
        }
        None
    }

    fn scalar_mismatch(&self, value: &Json) -> Option<&'static str> {
        let text = value.as_str().unwrap_or_default();
        let (is_right, what) = match self {
            Self::Any => (true, ""),
            Self::Flag => (value.as_bool().is_some(), "must be true or false"),
            Self::Number => (matches!(value, Json::Number(_)), "must be a number"),
            Self::Amount => (
                value.as_u64().is_some_and(|amount| amount > 0),
                "must be a whole number of at least 1",
            ),
            Self::AnyText => (value.as_str().is_some(), "must be a text"),
            Self::Text(max) => (
                !text.is_empty() && text.len() <= *max,
                "must be a text that is not empty and not too long",
            ),
            Self::OneOf(texts) => (
                texts.contains(&text),
                "must be one of the values that the API names",
            ),
            Self::Id(kind) => (validate::is_id(*kind, text), kind.demand()),
            Self::Header => (
                !text.is_empty()
                    && text.len() <= MAX_HEADER_CHARS
                    && text.bytes().all(|byte| byte.is_ascii_graphic()),
                "must be visible ASCII of at most 256 characters",
            ),
            Self::Time => (
                parse_rfc3339_ms(text).is_ok(),
                "must be a time as in RFC 3339",
            ),
            Self::Base64Url(max) => (
                !text.is_empty() && base64url::decode(text, *max).is_ok(),
                "must be unpadded base64url",
            ),
            Self::PublicKey => (
                PublicKey::from_hex(text).is_ok(),
                "must be a P-256 public key in SEC1 form, hexadecimal: 66 characters compressed \
                 or 130 uncompressed",
            ),
            Self::UncompressedKey => (
                text.len() == 130 && PublicKey::from_hex(text).is_ok(),
                "must be a P-256 public key in uncompressed SEC1 form: 130 hexadecimal characters",
            ),
            Self::Token => (
                is_token(text),
                "must be a JSON Web Token: three base64url texts with dots between, 8 KiB at most",
            ),
            Self::Nickname => (
                passkey_nickname(text).is_ok(),
                "must have 1 to 100 letters, digits, spaces or . _ - ' ( )",
            ),
            Self::Object(_) | Self::Tagged(..) | Self::List(_) => (false, "must be otherwise"),
        };
        (!is_right).then_some(what)
    }
}

impl Shape {
    /// Whether it is an object with a member of this name.
    pub fn has_member(&self, name: &str) -> bool {
        match self {
            Self::Object(members) => members.iter().any(|member| member.name == name),
            _ => false,
        }
    }

    /// Takes out of an answer what [`Shape`] reads as left out, so that nobody has to tell the two
    /// apart.
    pub fn tidy(&self, value: &mut Json) {
        match (self, value) {
            (Self::Object(members), value) => tidy_members(members, value),
            (Self::Tagged((tag, kinds)), value) => {
                let kind = value.text(tag);
                let kind = kinds.iter().find(|(name, _)| Some(*name) == kind);
                if let Some((_, members)) = kind {
                    tidy_members(members, value);
                }
            }
            (Self::List(shape), Json::Array(items)) => {
                for item in items {
                    shape.tidy(item);
                }
            }
            _ => {}
        }
    }
}

fn tidy_members(members: &[Member], value: &mut Json) {
    let Json::Object(given) = value else { return };
    given.retain(|(name, value)| {
        let member = members.iter().find(|member| member.name == name);
        !(member.is_some_and(|member| member.is_optional) && is_left_out(value))
    });
    for (name, value) in given {
        if let Some(member) = members.iter().find(|member| member.name == name) {
            member.shape.tidy(value);
        }
    }
}

/// Some servers write null, or an empty text, for what they leave out.
fn is_left_out(value: &Json) -> bool {
    matches!(value, Json::Null) || value.as_str() == Some("")
}

fn is_token(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !part.is_empty() && part.bytes().all(is_digit)
    };
    text.len() <= MAX_TOKEN_BYTES
        && split(text).is_some_and(|(_, header, claims, signature)| {
            [header, claims, signature].into_iter().all(is_part)
        })
}

fn descend(path: &mut String, name: &str) {
    path.push('.');
    path.push_str(name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::json::Limits;
    use crate::error::ErrorCode;

    const PERSON: Shape = Shape::Object(&[
        required("id", Shape::Id(IdKind::Session)),
        optional("name", Shape::Text(5)),
        optional("tags", Shape::List(&Shape::OneOf(&["a", "b"]))),
        optional("inner", Shape::Object(&[required("flag", Shape::Flag)])),
    ]);

    fn json(text: &str) -> Json {
        let limits = Limits {
            bytes: 100_000,
            depth: 8,
        };
        Json::parse(text, limits).unwrap()
    }

    fn request(shape: &Shape, text: &str) -> std::result::Result<(), String> {
        check_request("body", shape, &json(text)).map_err(|error| {
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            error.message().to_owned()
        })
    }

    #[test]
    fn a_refusal_names_the_member() {
        for (text, expected) in [
            ("[]", "`body` must be an object"),
            ("{}", "`body.id` must be given"),
            (r#"{"id":7}"#, "`body.id` must be"),
            (r#"{"id":"Session:1","name":"123456"}"#, "`body.name` must"),
            (r#"{"id":"Session:1","name":null}"#, "`body.name` must"),
            (r#"{"id":"Session:1","tags":["a","c"]}"#, "`body.tags` must"),
            (r#"{"id":"Session:1","inner":{}}"#, "`body.inner.flag` must"),
            (
                r#"{"id":"Session:1","Name":"x"}"#,
                "`body` must have no other",
            ),
            (
                r#"{"id":"Session:1","__proto__":{}}"#,
                "`body` must have no",
            ),
        ] {
            let message = request(&PERSON, text).unwrap_err();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
        assert!(request(&PERSON, r#"{"id":"Session:1","name":"12345","tags":["b"]}"#).is_ok());
    }

    #[test]
    fn an_answer_may_say_more() {
        for text in [
            r#"{"id":"Session:1","new":[{}]}"#,
            r#"{"id":"Session:1","name":null}"#,
            r#"{"id":"Session:1","name":"","inner":{"flag":true}}"#,
        ] {
            assert!(check_answer(&PERSON, &json(text)).is_ok(), "{text}");
        }
        let mut answer = json(r#"{"new":null,"id":"Session:1","name":"","tags":null}"#);
        PERSON.tidy(&mut answer);
        assert_eq!(answer.to_text(), r#"{"new":null,"id":"Session:1"}"#);
        for text in ["{}", r#"{"id":"../"}"#, r#"{"id":"Session:1","tags":{}}"#] {
            let error = check_answer(&PERSON, &json(text)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::RelayProtocol, "{text}");
        }
    }

    #[test]
    fn a_tag_says_which_members() {
        const SHAPE: Shape = Shape::Tagged(&(
            "type",
            &[
                ("A", &[required("a", Shape::Flag)]),
                ("B", &[required("b", Shape::Amount)]),
            ],
        ));
        assert!(request(&SHAPE, r#"{"type":"A","a":true}"#).is_ok());
        assert!(request(&SHAPE, r#"{"type":"B","b":1}"#).is_ok());
        for text in [
            "{}",
            r#"{"type":"C"}"#,
            r#"{"type":"A","b":1}"#,
            r#"{"type":"B","b":0}"#,
            r#"{"type":"B","b":1.5}"#,
            r#"{"type":"A","a":true,"b":1}"#,
        ] {
            assert!(request(&SHAPE, text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_forms_of_texts() {
        let key = "02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31";
        let long_token = "a.b.".to_owned() + &"c".repeat(9000);
        // The base64url of the seeds' own example has 45 characters, which is no such length.
        let example = "ArkQi2yAYHPlgnJNFBlneIwchQdWXBOTrdB-AmMUB21Lx";
        for (shape, right, wrong) in [
            (Shape::PublicKey, key, ["", "02", "zz"].as_slice()),
            (
                Shape::Token,
                "a.b.c",
                &["", "a.b", "a..c", "a.b.c.d", "a.b.c\n", &long_token],
            ),
            (
                Shape::Base64Url(64),
                "ArkQ",
                &[example, "", "AA==", "A+/A", "é"],
            ),
            (
                Shape::Time,
                "2026-04-08T15:35:00Z",
                &["", "x", "NaN", "2026-04-08"],
            ),
            (Shape::Header, "Request:1", &["", "a b", "a\r\nb", "é"]),
            (Shape::Nickname, "My phone", &["", "<b>", "a\u{202e}b"]),
        ] {
            let quoted = |text: &str| Json::from(text).to_text();
            assert!(request(&shape, &quoted(right)).is_ok(), "{shape:?}");
            for text in wrong {
                assert!(
                    request(&shape, &quoted(text)).is_err(),
                    "{shape:?} {text:?}"
                );
            }
            for other in ["7", "null", "[]", "{}", "true"] {
                assert!(request(&shape, other).is_err(), "{shape:?} {other}");
            }
        }
        assert!(request(&Shape::UncompressedKey, &format!("\"{key}\"")).is_err());
    }
}
