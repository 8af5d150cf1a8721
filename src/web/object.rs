//! Objects for JavaScript, member by member.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::number;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = create)]
    fn create_object(prototype: &JsValue) -> JsValue;
}

/// An object in the making.
///
/// While it is made it has no prototype, so that nobody's setters on `Object.prototype` see it.
pub(crate) struct Builder(JsValue);

impl Builder {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self(create_object(&JsValue::NULL))
    }

    /// Adds a member, unless it is `undefined`.
    #[inline(never)]
    pub(crate) fn set(&self, name: &str, value: &JsValue) -> &Self {
        if !value.is_undefined() {
            // Cannot fail: the object is ours, and not frozen.
            let _ = Reflect::set(&self.0, &name.into(), value);
        }
        self
    }

    /// Adds a text.
    #[inline(never)]
    pub(crate) fn text(&self, name: &str, text: &str) -> &Self {
        self.set(name, &text.into())
    }

    /// Adds a text, if there is one.
    #[inline(never)]
    pub(crate) fn optional_text(&self, name: &str, text: Option<&str>) -> &Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds a number, if there is one.
    #[inline(never)]
    pub(crate) fn number(&self, name: &str, number: Option<u64>) -> &Self {
        match number.and_then(|number| i64::try_from(number).ok()) {
            Some(number) => self.set(name, &number::to_js(number).into()),
            None => self,
        }
    }

    /// The object as the browser gets it: without a prototype, so that nobody's additions to
    /// `Object.prototype` are read out of it.
    pub(crate) fn dictionary(&self) -> JsValue {
        self.0.clone()
    }

    /// The object as callers get it.
    #[inline(never)]
    pub(crate) fn build(&self) -> JsValue {
        let prototype = Object::get_prototype_of(&Object::new());
        Object::set_prototype_of(self.0.unchecked_ref::<Object>(), &prototype);
        self.0.clone()
    }
}
