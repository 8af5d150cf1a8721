//! JavaScript values that may be hostile: whatever they throw comes back as a `Result`.
//!
//! An exception that left an import unhandled would tear through the frames of this module. So
//! nothing here, and nothing else in [`super`], touches a value from outside by an import that may
//! throw without `catch`.

use js_sys::{Function, Reflect};
use wasm_bindgen::JsValue;

use super::{host, tasks::Answered};

/// A property, inherited or own. Nothing where there is no object, or where reading it throws.
pub(crate) fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into())
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// Calls a function without `this`. Gives what it comes to: `undefined` where it throws.
pub(crate) fn called(function: &Function, argument: &JsValue) -> Answered {
    Answered::new(&host::called(function, argument))
}
