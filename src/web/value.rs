//! JavaScript values that may be hostile: whatever they throw comes back as a `Result`.
//!
//! An exception that left an import unhandled would tear through the frames of this module. So
//! nothing here, and nothing else in [`super`], touches a value from outside by an import that may
//! throw without `catch`.

use js_sys::{Function, JsString, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{host, number};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = hasOwn, catch)]
    pub(crate) fn has_own(object: &JsValue, name: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    pub(crate) fn is_array(value: &JsValue) -> Result<bool, JsValue>;
}

/// A property, inherited or own. Nothing where there is no object, or where reading it throws.
pub(crate) fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into())
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// A property of the global object.
pub(crate) fn global(name: &str) -> Option<JsValue> {
    get(&js_sys::global(), name)
}

/// A text without lone surrogates: they become U+FFFD on their way in, and two texts would be one.
pub(crate) fn well_formed(text: &JsString) -> Option<String> {
    let copy = String::from(text);
    let may_be_lossy = copy.chars().any(|character| character == '\u{fffd}');
    (!may_be_lossy || text.is_valid_utf16()).then_some(copy)
}

/// A property that is a whole number of at most `max`.
pub(crate) fn get_whole(object: &JsValue, name: &str, max: u64) -> Option<u64> {
    number::whole(get(object, name)?.as_f64()?, max)
}

/// Calls a function without `this` and waits for what it comes to.
pub(crate) async fn called(function: &Function, argument: &JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(host::called(function, argument)).await
}
