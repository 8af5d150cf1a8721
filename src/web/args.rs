//! Reads what JavaScript code passes in.
//!
//! Own properties only, so that nobody's additions to `Object.prototype` count; exact primitive
//! types, so that nothing changes between a check and its use; each property once; lengths before
//! anything else. Messages name the argument and never its value.

use std::cell::Cell;

use js_sys::{JsString, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::value;
use crate::error::{Error, Result, joined};

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
