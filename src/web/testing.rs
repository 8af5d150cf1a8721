//! JavaScript by the line, for the tests of these modules.

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// The value of an expression.
pub(crate) fn js(expression: &str) -> JsValue {
    of(&JsValue::UNDEFINED, expression)
}

/// The value of an expression over `it`.
pub(crate) fn of(it: &JsValue, expression: &str) -> JsValue {
    Function::new_with_args("it", &["'use strict'; return (", expression, ");"].concat())
        .call1(&JsValue::UNDEFINED, it)
        .unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// What a promise comes to, an expression over `it`.
pub(crate) async fn settled(it: &JsValue, expression: &str) -> JsValue {
    JsFuture::from(Promise::resolve(&of(it, expression)))
        .await
        .unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// A property of the global object that is replaced until this is dropped.
pub(crate) struct Replaced(JsValue);

impl Replaced {
    /// `descriptor` is a property's, an expression.
    pub(crate) fn new(name: &str, descriptor: &str) -> Self {
        Self(js(&format!(
            "(() => {{
                const before = Object.getOwnPropertyDescriptor(globalThis, '{name}');
                Object.defineProperty(globalThis, '{name}', {{ configurable: true, ...{descriptor} }});
                return () => before
                    ? Object.defineProperty(globalThis, '{name}', before)
                    : delete globalThis['{name}'];
            }})()"
        )))
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        of(&self.0, "it()");
    }
}
