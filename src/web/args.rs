//! Reads what JavaScript code passes in.
//!
//! Own properties only, so that nobody's additions to `Object.prototype` count; exact primitive
//! types, so that nothing changes between a check and its use; each property once; lengths before
//! anything else. Messages name the argument and never its value.

use js_sys::{Function, JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};
use zeroize::Zeroizing;

use super::{number, value};
use crate::{
    error::{Error, Result},
    formats::otp::OtpCode,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = hasOwn, catch)]
    fn has_own(object: &JsValue, name: &JsValue) -> std::result::Result<bool, JsValue>;

    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    fn is_array(value: &JsValue) -> std::result::Result<bool, JsValue>;

    #[wasm_bindgen(js_name = String)]
    type CodeUnits;

    #[wasm_bindgen(method, js_name = charCodeAt)]
    fn char_code_at(this: &CodeUnits, index: u32) -> u16;
}

/// An argument, or a member of one: a value, and what it is called in messages.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    value: &'a JsValue,
    name: &'static str,
    parent: Option<&'a Argument<'a>>,
}

impl<'a> Argument<'a> {
    /// `name` is the parameter's.
    pub(crate) fn new(value: &'a JsValue, name: &'static str) -> Self {
        Self {
            value,
            name,
            parent: None,
        }
    }

    /// `value`, which [`Self::get`] gave for `name`.
    pub(crate) fn member(&'a self, name: &'static str, value: &'a JsValue) -> Self {
        Self {
            value,
            name,
            parent: Some(self),
        }
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &'a JsValue {
        self.value
    }

    /// Whether there is one.
    pub(crate) fn is_given(&self) -> bool {
        !self.value.is_undefined()
    }

    /// An own property of this argument, which must be an object; `undefined` where there is none.
    pub(crate) fn get(&self, name: &'static str) -> Result<JsValue> {
        if !self.value.is_object() {
            return Err(self.refused("must be an object"));
        }
        let key = JsValue::from_str(name);
        let value = match has_own(self.value, &key) {
            Ok(true) => Reflect::get(self.value, &key),
            Ok(false) => Ok(JsValue::UNDEFINED),
            Err(thrown) => Err(thrown),
        };
        value.map_err(|_| {
            let undefined = JsValue::UNDEFINED;
            self.member(name, &undefined)
                .refused("could not be read: it threw an exception")
        })
    }

    /// As [`Self::get`], of an argument that may itself be `undefined`.
    pub(crate) fn get_optional(&self, name: &'static str) -> Result<JsValue> {
        if self.is_given() {
            self.get(name)
        } else {
            Ok(JsValue::UNDEFINED)
        }
    }

    /// An own property that is a text: see [`Self::as_text`].
    pub(crate) fn text(&self, name: &'static str, max: u32) -> Result<String> {
        let value = self.get(name)?;
        self.member(name, &value).as_text(max)
    }

    /// As [`Self::text`], where there may be none.
    pub(crate) fn optional_text(&self, name: &'static str, max: u32) -> Result<Option<String>> {
        let value = self.get_optional(name)?;
        let member = self.member(name, &value);
        if member.is_given() {
            member.as_text(max).map(Some)
        } else {
            Ok(None)
        }
    }

    /// An own property that is one of a few texts.
    pub(crate) fn choice(
        &self,
        name: &'static str,
        choices: &[&'static str],
    ) -> Result<&'static str> {
        let value = self.get(name)?;
        self.member(name, &value).as_choice(choices)
    }

    /// As [`Self::choice`], where there may be none.
    pub(crate) fn optional_choice(
        &self,
        name: &'static str,
        choices: &[&'static str],
    ) -> Result<Option<&'static str>> {
        let value = self.get_optional(name)?;
        let member = self.member(name, &value);
        if member.is_given() {
            member.as_choice(choices).map(Some)
        } else {
            Ok(None)
        }
    }

    /// An own property that is a function, where there is one.
    pub(crate) fn optional_function(&self, name: &'static str) -> Result<Option<Function>> {
        let value = self.get_optional(name)?;
        if value.is_undefined() {
            return Ok(None);
        }
        match value.dyn_into() {
            Ok(function) => Ok(Some(function)),
            Err(value) => Err(self.member(name, &value).refused("must be a function")),
        }
    }

    /// An own property that is a time span, where there is one: whole milliseconds from 1 to what
    /// a timer can hold.
    pub(crate) fn optional_milliseconds(&self, name: &'static str) -> Result<Option<u64>> {
        const MAX: u64 = 0x7fff_ffff;
        let value = self.get_optional(name)?;
        if value.is_undefined() {
            return Ok(None);
        }
        match value.as_f64().and_then(|value| number::whole(value, MAX)) {
            Some(milliseconds) if milliseconds > 0 => Ok(Some(milliseconds)),
            _ => Err(self
                .member(name, &value)
                .refused("must be 1 to 2147483647 milliseconds")),
        }
    }

    /// An own property that is a boolean, where there is one.
    pub(crate) fn optional_boolean(&self, name: &'static str) -> Result<Option<bool>> {
        let value = self.get_optional(name)?;
        match value.as_bool() {
            None if !value.is_undefined() => {
                Err(self.member(name, &value).refused("must be a boolean"))
            }
            boolean => Ok(boolean),
        }
    }

    /// The elements of an own property that is an array of at most `max`; none where it is absent.
    pub(crate) fn list(&self, name: &'static str, max: u32) -> Result<Vec<JsValue>> {
        let value = self.get(name)?;
        if value.is_undefined() {
            return Ok(Vec::new());
        }
        let length = match is_array(&value) {
            Ok(true) => value::get_whole(&value, "length", max.into()),
            Ok(false) | Err(_) => None,
        };
        let elements = length.and_then(|length| {
            let indices = 0..u32::try_from(length).ok()?;
            indices
                .map(|index| Reflect::get_u32(&value, index).ok())
                .collect()
        });
        elements.ok_or_else(|| {
            let array = [
                "must be an array of at most ",
                &max.to_string(),
                " elements",
            ];
            self.member(name, &value).refused(&array.concat())
        })
    }

    /// A string of at most `max` UTF-16 code units, without lone surrogates.
    pub(crate) fn as_text(&self, max: u32) -> Result<String> {
        let text = self.as_js_string(max)?;
        let copy = String::from(text);
        // Lone surrogates become U+FFFD on their way in: two strings would be one.
        if copy.contains(char::REPLACEMENT_CHARACTER) && !text.is_valid_utf16() {
            return Err(self.refused("must not contain lone surrogates"));
        }
        Ok(copy)
    }

    /// A one-time code, read code unit by code unit into memory that is wiped.
    pub(crate) fn as_otp_code(&self) -> Result<OtpCode> {
        const MAX_CHARS: u32 = 16;
        let text = self.as_js_string(MAX_CHARS)?;
        let units: &CodeUnits = text.unchecked_ref();
        let mut code = Zeroizing::new([0; 16]);
        let mut length = 0_usize;
        for (place, index) in code.iter_mut().zip(0..text.length()) {
            *place = u8::try_from(units.char_code_at(index))
                .map_err(|_| self.refused("must consist of ASCII letters and digits"))?;
            length = length.saturating_add(1);
        }
        OtpCode::new(code.get(..length).unwrap_or_default())
    }

    /// A private key: a `Uint8Array` of 32 bytes, copied into memory that is wiped.
    pub(crate) fn as_private_key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        let is_copied = self.value.is_instance_of::<Uint8Array>()
            && key
                .iter_mut()
                .zip(0..)
                .all(|(place, index)| self.byte_at(index).map(|byte| *place = byte).is_some())
            && self.byte_at(32).is_none();
        if is_copied {
            Ok(key)
        } else {
            Err(self.refused("must be a Uint8Array of 32 bytes"))
        }
    }

    /// By index, because it needs no second copy; as a value, because this may be a proxy of a
    /// `Uint8Array`.
    fn byte_at(&self, index: u32) -> Option<u8> {
        let value = Reflect::get_u32(self.value, index).ok()?;
        u8::try_from(number::whole(value.as_f64()?, 255)?).ok()
    }

    /// One of a few texts.
    pub(crate) fn as_choice(&self, choices: &[&'static str]) -> Result<&'static str> {
        const MAX_CHARS: u32 = 64;
        let text = self.as_text(MAX_CHARS)?;
        let choice = choices.iter().find(|choice| **choice == text);
        choice
            .copied()
            .ok_or_else(|| self.refused(&["must be \"", &choices.join("\" or \""), "\""].concat()))
    }

    fn as_js_string(&self, max: u32) -> Result<&'a JsString> {
        // `typeof value === "string"`: a `String` object could change under our hands.
        match self.value.dyn_ref::<JsString>() {
            Some(text) if text.length() <= max => Ok(text),
            _ => {
                let text = [
                    "must be a string of at most ",
                    &max.to_string(),
                    " characters",
                ];
                Err(self.refused(&text.concat()))
            }
        }
    }

    /// `invalid_argument`, naming this argument. `why` continues its name.
    pub(crate) fn refused(&self, why: &str) -> Error {
        let mut name = self.name.to_owned();
        let mut parent = self.parent;
        while let Some(argument) = parent {
            name = [argument.name, ".", &name].concat();
            parent = argument.parent;
        }
        Error::invalid_argument(["`", &name, "` ", why, "."].concat())
    }
}
