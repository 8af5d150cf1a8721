//! Errors as JavaScript sees them.

use std::cell::RefCell;

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::object::Builder;
use crate::error::Error;

/// `GridkeyErrorCode`, written out in full.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/error.d.ts");

thread_local! {
    static ERROR_CLASS: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Takes the package's error class: `new GridkeyError(message, fields, cause)`.
///
/// The loader hands it over once for each instance. The class lives in JavaScript, because errors
/// of the loader itself are of the same class. Without it errors are of class `Error`, with the
/// same properties.
#[wasm_bindgen(js_name = installErrorClass, skip_typescript)]
pub fn install_error_class(class: Function) {
    ERROR_CLASS.set(Some(class));
}

/// The error as a JavaScript `Error` with `code`, `recovery` and what else is known, and `cause`
/// unless that is `undefined`.
pub(crate) fn to_js(error: &Error, cause: &JsValue) -> JsValue {
    let fields = Builder::new();
    fields
        .text("code", error.code().as_str())
        .text("recovery", error.recovery().as_str())
        .number("status", error.status().map(u64::from))
        .optional_text("gridCode", error.grid_code())
        .optional_text("reason", error.reason())
        .json("details", error.details())
        .number("retryAfterMs", error.retry_after_ms())
        .optional_text("requestId", error.request_id())
        .optional_text("operation", error.operation());
    let fields = fields.dictionary();
    let class = ERROR_CLASS.with_borrow(Clone::clone);
    let arguments = Array::of3(&error.message().into(), &fields, cause);
    if let Some(Ok(error)) = class.map(|class| Reflect::construct(&class, &arguments)) {
        return error;
    }
    let plain = js_sys::Error::new(error.message());
    plain.set_name("GridkeyError");
    js_sys::Object::assign(&plain, fields.unchecked_ref());
    if !cause.is_undefined() {
        plain.set_cause(cause);
    }
    plain.into()
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        to_js(&error, &Self::UNDEFINED)
    }
}
