//! Data for JavaScript, member by member.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::{
    crypto::{encoding::decimal, json::Json},
    error::joined,
};

/// An object in the making.
#[derive(Default)]
pub(super) struct Data(Vec<(String, Json)>);

impl Data {
    /// Adds a member.
    #[inline(never)]
    pub(super) fn set(&mut self, name: &str, value: Json) -> &mut Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// Adds a text.
    #[inline(never)]
    pub(super) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.set(name, text.into())
    }

    /// Adds a text, if there is one.
    #[inline(never)]
    pub(super) fn optional_text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds a number, if there is one.
    #[inline(never)]
    pub(super) fn number(&mut self, name: &str, number: Option<u64>) -> &mut Self {
        match number {
            Some(number) => self.set(name, number.into()),
            None => self,
        }
    }

    /// Adds a time in milliseconds since 1970.
    #[inline(never)]
    pub(super) fn time(&mut self, name: &str, milliseconds: i64) -> &mut Self {
        let digits = decimal::encode(milliseconds.unsigned_abs());
        let sign = if milliseconds < 0 { "-" } else { "" };
        self.set(name, Json::Number(joined(&[sign, &digits])))
    }

    /// The object.
    pub(super) fn json(&mut self) -> Json {
        Json::Object(core::mem::take(&mut self.0))
    }
}
