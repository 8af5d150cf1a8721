//! JavaScript by the line, clients, and what errors must look like.

use futures_lite::future::or;
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::bindings::GridkeyClient;

/// The value of an expression.
pub fn js(expression: &str) -> JsValue {
    Function::new_no_args(&["'use strict'; return (", expression, ");"].concat())
        .call0(&JsValue::UNDEFINED)
        .unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// The value of an expression over `it`.
pub fn of(it: &JsValue, expression: &str) -> JsValue {
    Function::new_with_args("it", &["'use strict'; return (", expression, ");"].concat())
        .call1(&JsValue::UNDEFINED, it)
        .unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// A text of an expression over `it`.
pub fn text_of(it: &JsValue, expression: &str) -> String {
    of(it, &["String(", expression, ")"].concat())
        .as_string()
        .unwrap()
}

pub fn assert_js(it: &JsValue, condition: &str) {
    assert!(
        of(it, condition).is_truthy(),
        "{condition}: {}",
        text_of(it, "JSON.stringify(it) ?? it")
    );
}

/// A client of these options: an expression.
pub fn client(options: &str) -> GridkeyClient {
    client_of(&js(options)).unwrap()
}

pub fn client_of(options: &JsValue) -> Result<GridkeyClient, JsValue> {
    let ignore = Function::new_no_args("");
    GridkeyClient::create(options, ignore)
}

/// `challengeAuthCredential` of some credential: unlike [`list`] it is never repeated unasked, which
/// takes its time.
pub fn ask(client: &GridkeyClient) -> Promise {
    client.operation(
        "challengeAuthCredential",
        &"AuthMethod:1".into(),
        &JsValue::UNDEFINED,
        &JsValue::UNDEFINED,
    )
}

/// `listAuthSessions` of some account: a GET that needs nothing else.
pub fn list(client: &GridkeyClient, call: &str) -> Promise {
    client.operation(
        "listAuthSessions",
        &js("{ accountId: 'InternalAccount:1' }"),
        &JsValue::UNDEFINED,
        &js(call),
    )
}

/// What a promise comes to. Fails if it comes to nothing: in Node a test that waits for ever would
/// otherwise end the process, and with it all tests, as a success.
pub async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    let never = async {
        sleep(10_000).await;
        panic!("the promise did not settle")
    };
    or(JsFuture::from(promise), never).await
}

/// The `GridkeyError` that a promise is rejected with.
pub async fn failure(promise: Promise) -> JsValue {
    match settled(promise).await {
        Ok(value) => panic!("resolved to {}", text_of(&value, "JSON.stringify(it)")),
        Err(error) => error,
    }
}

/// Fails unless `error` is a `GridkeyError` of this code.
pub fn assert_code(error: &JsValue, code: &str) {
    assert_js(error, "it instanceof Error && it.name === 'GridkeyError'");
    assert_eq!(
        text_of(error, "it.code"),
        code,
        "{}",
        text_of(error, "it.message")
    );
    assert_js(
        error,
        "['fix_input', 'integrator', 'other_method', 'retry', 'sign_in', 'wait'].includes(it.recovery)",
    );
}

/// Waits.
pub async fn sleep(milliseconds: u32) {
    let promise = of(
        &milliseconds.into(),
        "new Promise(resolve => setTimeout(resolve, it))",
    );
    JsFuture::from(promise.unchecked_into::<Promise>())
        .await
        .unwrap();
}

/// An object that remembers: `log` is what was pushed into it.
pub fn log() -> Array {
    Array::new()
}

/// A function with `log` in its scope.
pub fn logging(log: &Array, expression: &str) -> JsValue {
    of(log, expression)
}

/// An object of one member.
pub fn object(name: &str, value: &JsValue) -> JsValue {
    let object = Object::new();
    Reflect::set(&object, &name.into(), value).unwrap();
    object.into()
}
