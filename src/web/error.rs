//! Errors as JavaScript sees them.

use std::cell::RefCell;

use js_sys::{Array, Function, JSON, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use crate::{crypto::json::Json, error::Error};

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
    let message = JsValue::from_str(error.message());
    // As one JSON text, because crossing the border once for each property would weigh more.
    let fields = to_object(&fields(error));
    let arguments = Array::of3(&message, &fields, cause);
    let class = ERROR_CLASS.with_borrow(Clone::clone);
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

/// An object, array or primitive of JavaScript with the same content.
pub(crate) fn to_object(json: &Json) -> JsValue {
    // Cannot fail: the text is of our own writing.
    JSON::parse(&json.to_text()).unwrap_or_default()
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        to_js(&error, &Self::UNDEFINED)
    }
}

fn fields(error: &Error) -> Json {
    let text = |text: &str| Json::from(text);
    let number = |number: u64| Json::from(number);
    let members = [
        ("code", Some(text(error.code().as_str()))),
        ("recovery", Some(text(error.recovery().as_str()))),
        ("status", error.status().map(|status| number(status.into()))),
        ("gridCode", error.grid_code().map(text)),
        ("reason", error.reason().map(text)),
        ("details", error.details().cloned()),
        ("retryAfterMs", error.retry_after_ms().map(number)),
        ("requestId", error.request_id().map(text)),
        ("operation", error.operation().map(text)),
    ];
    let given = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(given.collect())
}
