//! JavaScript values that may be hostile: whatever they throw comes back as a `Result`.
//!
//! An exception that left an import unhandled would tear through the frames of this module. So
//! nothing here, and nothing else in [`super`], touches a value from outside by an import that may
//! throw without `catch`.

use js_sys::{Function, JsString, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};
use wasm_bindgen_futures::JsFuture;

use super::number;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Uint8Array)]
    type ForeignBytes;

    #[wasm_bindgen(constructor, js_class = "Uint8Array", catch)]
    fn new(source: &JsValue) -> Result<ForeignBytes, JsValue>;

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

/// A property that is a text.
pub(crate) fn get_text(object: &JsValue, name: &str) -> Option<JsString> {
    get(object, name)?.dyn_into().ok()
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

/// Calls a method. Nothing where there is no such method.
pub(crate) fn call(
    object: &JsValue,
    method: &str,
    arguments: &[&JsValue],
) -> Option<Result<JsValue, JsValue>> {
    let method = get(object, method)?.dyn_into::<Function>().ok()?;
    let arguments = arguments.iter().copied().collect();
    Some(Reflect::apply(&method, object, &arguments))
}

/// What `value`, a promise, a thenable or neither, comes to.
///
/// A promise of our own takes it on, because `then` of a foreign one may be anything.
pub(crate) async fn settled(value: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::new(&mut |resolve, _| {
        // `resolve` throws nothing: it turns an exception of a thenable into a rejection.
        let _ = resolve.call1(&JsValue::UNDEFINED, &value);
    }))
    .await
}

/// Calls a function without `this` and waits for what it comes to.
pub(crate) async fn called(function: &Function, argument: &JsValue) -> Result<JsValue, JsValue> {
    settled(function.call1(&JsValue::UNDEFINED, argument)?).await
}

/// Calls a method and waits for what it comes to. Nothing where there is no such method.
pub(crate) async fn call_settled(
    object: &JsValue,
    method: &str,
    arguments: &[&JsValue],
) -> Option<Result<JsValue, JsValue>> {
    Some(match call(object, method, arguments)? {
        Ok(value) => settled(value).await,
        Err(thrown) => Err(thrown),
    })
}

/// The bytes of an `ArrayBuffer`, a typed array or a `DataView`. Nothing where `value` is none of
/// those or has more than `max` bytes.
pub(crate) fn bytes(value: &JsValue, max: u64) -> Option<Vec<u8>> {
    let length = get_whole(value, "byteLength", max)?;
    // A `Uint8Array` of our own: properties of a foreign one may be anything.
    let copy: Uint8Array = ForeignBytes::new(value).ok()?.unchecked_into();
    (u64::from(copy.length()) == length).then(|| copy.to_vec())
}
