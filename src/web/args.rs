//! Reads what JavaScript code passes in.
//!
//! Own properties only, so that nobody's additions to `Object.prototype` count; exact primitive
//! types, so that nothing changes between a check and its use; each property once; lengths before
//! anything else. Messages name the argument and never its value.

use std::cell::Cell;

use js_sys::{Function, JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};
use zeroize::Zeroizing;

use super::{number, plain, value};
use crate::{
    crypto::json::Json,
    error::{Error, Result, joined},
    formats::otp::OtpCode,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String)]
    type CodeUnits;

    #[wasm_bindgen(method, js_name = charCodeAt)]
    fn char_code_at(this: &CodeUnits, index: u32) -> u16;
}

/// Gives what `read` made of the arguments, unless one of them was wrong: then what it made is
/// dropped.
///
/// So reading goes straight on: after the first wrong argument nothing more is looked at, and what
/// is asked for is empty. A branch at each argument would be a third of the bindings' code.
pub(crate) fn read<T>(read: impl FnOnce(&Problem) -> T) -> Result<T> {
    let problem = Problem::default();
    let value = read(&problem);
    match problem.0.into_inner() {
        None => Ok(value),
        Some(error) => Err(error),
    }
}

/// The first thing that is wrong with the arguments.
#[derive(Default)]
pub(crate) struct Problem(Cell<Option<Error>>);

impl Problem {
    fn is_known(&self) -> bool {
        let error = self.0.take();
        let is_known = error.is_some();
        self.0.set(error);
        is_known
    }

    fn note(&self, error: Error) {
        let first = self.0.take();
        self.0.set(first.or(Some(error)));
    }
}

/// An argument, or a member of one: a value, and what it is called in messages.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    value: &'a JsValue,
    name: &'static str,
    parent: Option<&'a Argument<'a>>,
    problem: &'a Problem,
}

impl<'a> Argument<'a> {
    /// `name` is the parameter's.
    pub(crate) fn new(problem: &'a Problem, value: &'a JsValue, name: &'static str) -> Self {
        Self {
            value,
            name,
            parent: None,
            problem,
        }
    }

    /// `value`, which [`Self::get`] gave for `name`.
    pub(crate) fn member(&'a self, name: &'static str, value: &'a JsValue) -> Self {
        Self {
            value,
            name,
            parent: Some(self),
            problem: self.problem,
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

    /// Refuses what is no object.
    pub(crate) fn demand_object(&self) {
        if !self.value.is_object() {
            self.refuse("must be an object");
        }
    }

    /// An own property of this argument, which must be an object; `undefined` where there is none.
    #[inline(never)]
    pub(crate) fn get(&self, name: &'static str) -> JsValue {
        self.demand_object();
        if self.problem.is_known() {
            return JsValue::UNDEFINED;
        }
        let key = JsValue::from_str(name);
        let value = match value::has_own(self.value, &key) {
            Ok(true) => Reflect::get(self.value, &key),
            Ok(false) => Ok(JsValue::UNDEFINED),
            Err(thrown) => Err(thrown),
        };
        value.unwrap_or_else(|_| {
            self.member(name, &JsValue::UNDEFINED)
                .refuse("could not be read: it threw an exception");
            JsValue::UNDEFINED
        })
    }

    /// As [`Self::get`], of an argument that may itself be `undefined`.
    pub(crate) fn get_optional(&self, name: &'static str) -> JsValue {
        if self.is_given() {
            self.get(name)
        } else {
            JsValue::UNDEFINED
        }
    }

    /// An own property that is a text: see [`Self::as_text`].
    #[inline(never)]
    pub(crate) fn text(&self, name: &'static str, max: u32) -> String {
        let value = self.get(name);
        self.member(name, &value).as_text(max)
    }

    /// As [`Self::text`], where there may be none.
    #[inline(never)]
    pub(crate) fn optional_text(&self, name: &'static str, max: u32) -> Option<String> {
        let value = self.get_optional(name);
        let member = self.member(name, &value);
        member.is_given().then(|| member.as_text(max))
    }

    /// Which of a few texts an own property is.
    pub(crate) fn choice(&self, name: &'static str, choices: &[&'static str]) -> &'static str {
        let value = self.get(name);
        self.member(name, &value).as_choice(choices)
    }

    /// As [`Self::choice`], where there may be none.
    #[inline(never)]
    pub(crate) fn optional_choice(
        &self,
        name: &'static str,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let value = self.get_optional(name);
        let member = self.member(name, &value);
        member.is_given().then(|| member.as_choice(choices))
    }

    /// An own property that is a function, where there is one.
    #[inline(never)]
    pub(crate) fn optional_function(&self, name: &'static str) -> Option<Function> {
        let value = self.get_optional(name);
        match value.dyn_ref::<Function>() {
            None if !value.is_undefined() => {
                self.member(name, &value).refuse("must be a function");
                None
            }
            function => function.cloned(),
        }
    }

    /// An own property that is a time span, where there is one: whole milliseconds from 1 to what
    /// a timer can hold.
    #[inline(never)]
    pub(crate) fn optional_milliseconds(&self, name: &'static str) -> Option<u64> {
        const MAX: u64 = 0x7fff_ffff;
        let value = self.get_optional(name);
        let milliseconds = value.as_f64().and_then(|value| number::whole(value, MAX));
        let milliseconds = milliseconds.filter(|milliseconds| *milliseconds > 0);
        if milliseconds.is_none() && !value.is_undefined() {
            self.member(name, &value)
                .refuse("must be 1 to 2147483647 milliseconds");
        }
        milliseconds
    }

    /// An own property that is a time, where there is one: whole milliseconds since 1970, up to
    /// what a `Date` can hold.
    pub(crate) fn optional_milliseconds_since_1970(&self, name: &'static str) -> Option<i64> {
        const MAX: u64 = 8_640_000_000_000_000;
        let value = self.get_optional(name);
        let milliseconds = value.as_f64().and_then(|value| number::whole(value, MAX));
        if milliseconds.is_none() && !value.is_undefined() {
            self.member(name, &value)
                .refuse("must be whole milliseconds since 1970");
        }
        milliseconds.and_then(|milliseconds| i64::try_from(milliseconds).ok())
    }

    /// An own property that is `true`: what it allows must be said.
    pub(crate) fn demand_true(&self, name: &'static str) {
        let value = self.get(name);
        if value.as_bool() != Some(true) {
            self.member(name, &value).refuse("must be true");
        }
    }

    /// An own property that is a boolean.
    pub(crate) fn boolean(&self, name: &'static str) -> bool {
        let value = self.get(name);
        if value.as_bool().is_none() {
            self.member(name, &value).refuse("must be a boolean");
        }
        value.is_truthy()
    }

    /// An own property that is a boolean; false where there is none.
    pub(crate) fn optional_boolean(&self, name: &'static str) -> bool {
        let value = self.get_optional(name);
        if value.as_bool().is_none() && !value.is_undefined() {
            self.member(name, &value).refuse("must be a boolean");
        }
        value.is_truthy()
    }

    /// The elements of an own property that is an array of at most `max`; none where it is absent.
    #[inline(never)]
    pub(crate) fn list(&self, name: &'static str, max: u32) -> Vec<JsValue> {
        let value = self.get(name);
        if value.is_undefined() {
            return Vec::new();
        }
        let length = match value::is_array(&value) {
            Ok(true) => value::get_whole(&value, "length", max.into()),
            Ok(false) | Err(_) => None,
        };
        let mut elements = Vec::new();
        for index in 0..length
            .and_then(|length| u32::try_from(length).ok())
            .unwrap_or(0)
        {
            elements.push(Reflect::get_u32(&value, index).unwrap_or_default());
        }
        if length.is_none() {
            let at_most = [
                "must be an array of at most ",
                &max.to_string(),
                " elements",
            ];
            self.member(name, &value).refuse(&joined(&at_most));
        }
        elements
    }

    /// A string of at most `max` UTF-16 code units, without lone surrogates.
    #[inline(never)]
    pub(crate) fn as_text(&self, max: u32) -> String {
        let Some(text) = self.as_js_string(max) else {
            return String::new();
        };
        value::well_formed(text).unwrap_or_else(|| {
            self.refuse("must not contain lone surrogates");
            String::new()
        })
    }

    /// Plain data: see [`plain::read`]. Nothing where it is `undefined`.
    #[inline(never)]
    pub(crate) fn as_json(&self) -> Option<Json> {
        if !self.is_given() || self.problem.is_known() {
            return None;
        }
        let json = plain::read(self.value);
        if json.is_none() {
            self.refuse(
                "must be of plain objects, arrays, texts without lone surrogates, finite numbers, \
                 booleans and null, at most 256 Ki characters",
            );
        }
        json
    }

    /// A one-time code, read code unit by code unit into memory that is wiped. Fails with
    /// `invalid_argument`.
    pub(crate) fn as_otp_code(&self) -> Result<OtpCode> {
        const MAX_CHARS: u32 = 16;
        let mut code = Zeroizing::new([0; 16]);
        let mut length = 0_usize;
        if let Some(text) = self.as_js_string(MAX_CHARS) {
            let units: &CodeUnits = text.unchecked_ref();
            for (place, index) in code.iter_mut().zip(0..text.length()) {
                // What is no byte is no letter either.
                *place = u8::try_from(units.char_code_at(index)).unwrap_or(b' ');
                length = length.saturating_add(1);
            }
        }
        OtpCode::new(code.get(..length).unwrap_or_default())
    }

    /// A private key: a `Uint8Array` of 32 bytes, copied into memory that is wiped and does not
    /// move.
    pub(crate) fn as_private_key(&self) -> Box<Zeroizing<[u8; 32]>> {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        let is_copied = self.value.is_instance_of::<Uint8Array>()
            && key
                .iter_mut()
                .zip(0..)
                .all(|(place, index)| self.byte_at(index).map(|byte| *place = byte).is_some())
            && self.byte_at(32).is_none();
        if !is_copied {
            self.refuse("must be a Uint8Array of 32 bytes");
        }
        key
    }

    /// By index, because it needs no second copy; as a value, because this may be a proxy of a
    /// `Uint8Array`.
    fn byte_at(&self, index: u32) -> Option<u8> {
        let value = Reflect::get_u32(self.value, index).ok()?;
        u8::try_from(number::whole(value.as_f64()?, 255)?).ok()
    }

    /// Which of a few texts it is; the first of them if it is none.
    #[inline(never)]
    pub(crate) fn as_choice(&self, choices: &[&'static str]) -> &'static str {
        const MAX_CHARS: u32 = 64;
        let text = self.as_text(MAX_CHARS);
        let choice = choices.iter().find(|choice| **choice == text);
        if choice.is_none() {
            let mut why = "must be".to_owned();
            for (or, choice) in [""].iter().chain([" or"].iter().cycle()).zip(choices) {
                why = joined(&[&why, or, " \"", choice, "\""]);
            }
            self.refuse(&why);
        }
        choice.or(choices.first()).copied().unwrap_or_default()
    }

    #[inline(never)]
    fn as_js_string(&self, max: u32) -> Option<&'a JsString> {
        // `typeof value === "string"`: a `String` object could change under our hands.
        let text = self.value.dyn_ref::<JsString>();
        let text = text.filter(|text| text.length() <= max);
        if text.is_none() {
            let why = [
                "must be a string of at most ",
                &max.to_string(),
                " characters",
            ];
            self.refuse(&joined(&why));
        }
        text
    }

    /// Notes `invalid_argument`, naming this argument. `why` continues its name.
    #[inline(never)]
    pub(crate) fn refuse(&self, why: &str) {
        let mut name = self.name.to_owned();
        let mut parent = self.parent;
        while let Some(argument) = parent {
            name = joined(&[argument.name, ".", &name]);
            parent = argument.parent;
        }
        let message = joined(&["`", &name, "` ", why, "."]);
        self.problem.note(Error::invalid_argument(message));
    }
}
