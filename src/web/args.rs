//! Reads what JavaScript code passes in.
//!
//! Own properties only, so that nobody's additions to `Object.prototype` count; exact primitive
//! types, so that nothing changes between a check and its use; each property once; lengths before
//! anything else. Messages name the argument and never its value.

use js_sys::{Function, JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};
use zeroize::Zeroizing;

use super::number;
use crate::{
    error::{Error, Result},
    formats::otp::OtpCode,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = hasOwn, catch)]
    fn has_own(object: &JsValue, name: &str) -> std::result::Result<bool, JsValue>;

    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    fn is_array(value: &JsValue) -> std::result::Result<bool, JsValue>;

    #[wasm_bindgen(js_name = String)]
    type CodeUnits;

    #[wasm_bindgen(method, js_name = charCodeAt)]
    fn char_code_at(this: &CodeUnits, index: u32) -> u16;
}

/// An argument: a value, and what it is called in messages.
pub(crate) struct Argument {
    value: JsValue,
    name: String,
}

impl Argument {
    /// `name` is the parameter's.
    pub(crate) fn new(value: &JsValue, name: &str) -> Self {
        Self {
            value: value.clone(),
            name: name.to_owned(),
        }
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &JsValue {
        &self.value
    }

    /// An own property of this argument, which must be an object.
    pub(crate) fn get(&self, name: &str) -> Result<Self> {
        let path = [self.name.as_str(), ".", name].concat();
        if !self.value.is_object() {
            return Err(self.refused("must be an object"));
        }
        let value = match has_own(&self.value, name) {
            Ok(true) => Reflect::get(&self.value, &name.into()),
            Ok(false) => Ok(JsValue::UNDEFINED),
            Err(thrown) => Err(thrown),
        };
        match value {
            Ok(value) => Ok(Self { value, name: path }),
            Err(_) => Err(Error::invalid_argument(
                ["Reading `", &path, "` threw an exception."].concat(),
            )),
        }
    }

    /// This argument, unless it is `undefined`.
    pub(crate) fn given(self) -> Option<Self> {
        (!self.value.is_undefined()).then_some(self)
    }

    /// An own property, unless it is absent or `undefined`, or the argument itself is.
    pub(crate) fn get_given(&self, name: &str) -> Result<Option<Self>> {
        if self.value.is_undefined() {
            return Ok(None);
        }
        Ok(self.get(name)?.given())
    }

    /// An own property that is a text, unless it is absent: see [`Self::text`].
    pub(crate) fn get_text(&self, name: &str, max: u32) -> Result<Option<String>> {
        self.get_given(name)?.map(|text| text.text(max)).transpose()
    }

    /// A string of at most `max` UTF-16 code units, without lone surrogates.
    pub(crate) fn text(&self, max: u32) -> Result<String> {
        let text = self.js_string(max)?;
        let copy = String::from(text);
        // Lone surrogates become U+FFFD on their way in: two strings would be one.
        if copy.contains(char::REPLACEMENT_CHARACTER) && !text.is_valid_utf16() {
            return Err(self.refused("must not contain lone surrogates"));
        }
        Ok(copy)
    }

    /// A one-time code, read code unit by code unit into memory that is wiped.
    pub(crate) fn otp_code(&self) -> Result<OtpCode> {
        const MAX_CHARS: u32 = 16;
        let text: &CodeUnits = self.js_string(MAX_CHARS)?.unchecked_ref();
        let mut code = Zeroizing::new([0_u8; 16]);
        let mut length = 0;
        for (place, index) in code.iter_mut().zip(0..self.js_string(MAX_CHARS)?.length()) {
            *place = u8::try_from(text.char_code_at(index))
                .map_err(|_| self.refused("must consist of ASCII letters and digits"))?;
            length = index.saturating_add(1);
        }
        let length = usize::try_from(length).unwrap_or(0);
        OtpCode::new(code.get(..length).unwrap_or_default())
    }

    /// A private key: a `Uint8Array` of 32 bytes, copied into memory that is wiped.
    pub(crate) fn private_key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let refused = || self.refused("must be a Uint8Array of 32 bytes");
        if !self.value.is_instance_of::<Uint8Array>() {
            return Err(refused());
        }
        let mut key = Zeroizing::new([0; 32]);
        for (place, index) in key.iter_mut().zip(0..) {
            *place = self.byte_at(index).ok_or_else(refused)?;
        }
        match self.byte_at(32) {
            None => Ok(key),
            Some(_) => Err(refused()),
        }
    }

    /// By index, because it needs no second copy; as a value, because this may be a proxy of a
    /// `Uint8Array`.
    fn byte_at(&self, index: u32) -> Option<u8> {
        let value = Reflect::get_u32(&self.value, index).ok()?;
        u8::try_from(number::whole(value.as_f64()?, 255)?).ok()
    }

    /// A boolean.
    pub(crate) fn boolean(&self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.refused("must be a boolean"))
    }

    /// A time span: whole milliseconds from 1 to what a timer can hold.
    pub(crate) fn milliseconds(&self) -> Result<u64> {
        const MAX: u64 = 0x7fff_ffff;
        self.value
            .as_f64()
            .and_then(|value| number::whole(value, MAX))
            .filter(|milliseconds| *milliseconds > 0)
            .ok_or_else(|| {
                self.refused("must be a whole number of milliseconds from 1 to 2147483647")
            })
    }

    /// One of a few strings.
    pub(crate) fn choice(&self, choices: &[&'static str]) -> Result<&'static str> {
        const MAX_CHARS: u32 = 64;
        let text = self.text(MAX_CHARS)?;
        choices
            .iter()
            .find(|choice| **choice == text)
            .copied()
            .ok_or_else(|| {
                self.refused(&["must be one of \"", &choices.join("\", \""), "\""].concat())
            })
    }

    /// A function.
    pub(crate) fn function(&self) -> Result<Function> {
        self.value
            .dyn_ref()
            .cloned()
            .ok_or_else(|| self.refused("must be a function"))
    }

    /// The elements of an array of at most `max`.
    pub(crate) fn list(&self, max: u32) -> Result<Vec<Self>> {
        if !is_array(&self.value).unwrap_or(false) {
            return Err(self.refused("must be an array"));
        }
        let length = super::value::get_whole(&self.value, "length", max.into())
            .and_then(|length| u32::try_from(length).ok())
            .ok_or_else(|| {
                self.refused(&["must have at most ", &max.to_string(), " elements"].concat())
            })?;
        (0..length)
            .map(|index| {
                let name = [self.name.as_str(), "[", &index.to_string(), "]"].concat();
                match Reflect::get_u32(&self.value, index) {
                    Ok(value) => Ok(Self { value, name }),
                    Err(_) => Err(Error::invalid_argument(
                        ["Reading `", &name, "` threw an exception."].concat(),
                    )),
                }
            })
            .collect()
    }

    /// `invalid_argument`, naming this argument. `why` continues its name.
    pub(crate) fn refused(&self, why: &str) -> Error {
        Error::invalid_argument(["`", &self.name, "` ", why, "."].concat())
    }

    fn js_string(&self, max: u32) -> Result<&JsString> {
        // `typeof value === "string"`: a `String` object could change under our hands.
        let text: &JsString = self
            .value
            .dyn_ref()
            .ok_or_else(|| self.refused("must be a string"))?;
        if text.length() > max {
            return Err(
                self.refused(&["must have at most ", &max.to_string(), " characters"].concat())
            );
        }
        Ok(text)
    }
}
