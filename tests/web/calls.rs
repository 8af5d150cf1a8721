//! Ending calls, sessions and their state.

use js_sys::{Array, Function};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::{GridkeyClient, SessionKey};
use crate::support::{
    assert_code, assert_js, client, client_of, failure, js, list, log, logging, object, of,
    settled, sleep, text_of,
};

#[wasm_bindgen_test]
async fn a_signal_ends_a_call_and_says_why() {
    let signals = log();
    let options = logging(
        &signals,
        "({ transport(call) { it.push(call.signal); return new Promise(() => {}) } })",
    );
    let client = client_of(&options).unwrap();
    for (abort, cause) in [
        (
            "it.abort()",
            "it instanceof DOMException && it.name === 'AbortError'",
        ),
        ("it.abort('because')", "it === 'because'"),
    ] {
        let controller = js("new AbortController()");
        let call = object("signal", &of(&controller, "it.signal"));
        let promise = client.operation(
            "listAuthSessions",
            &js("{ accountId: 'InternalAccount:1' }"),
            &JsValue::UNDEFINED,
            &call,
        );
        sleep(5).await;
        of(&controller, abort);
        let error = failure(promise).await;
        assert_code(&error, "aborted");
        assert_js(&of(&error, "it.cause"), cause);
    }
    assert_js(
        &signals,
        "it.length === 2 && it.every(signal => signal.aborted)",
    );
}

#[wasm_bindgen_test]
async fn an_aborted_signal_lets_nothing_begin() {
    let calls = log();
    let client = client_of(&logging(
        &calls,
        "({ transport() { it.push(1); return new Promise(() => {}) } })",
    ))
    .unwrap();
    assert_code(
        &failure(list(&client, "{ signal: AbortSignal.abort() }")).await,
        "aborted",
    );
    assert_eq!(calls.length(), 0);
    let error = failure(list(&client, "{ signal: AbortSignal.timeout(10) }")).await;
    assert_code(&error, "aborted");
    assert_js(&of(&error, "it.cause"), "it.name === 'TimeoutError'");
}

#[wasm_bindgen_test]
async fn listeners_are_taken_off_signals() {
    let counts = log();
    let signal = logging(
        &counts,
        "({ aborted: false, addEventListener(type, f) { it.push(f) }, removeEventListener(type, f) { it.splice(it.indexOf(f), 1) } })",
    );
    let client = client("{ transport: () => ({ status: 200, body: { data: [] } }) }");
    let call = object("signal", &signal);
    let account = js("{ accountId: 'InternalAccount:1' }");
    let promise = client.operation("listAuthSessions", &account, &JsValue::UNDEFINED, &call);
    settled(promise).await.unwrap();
    assert_eq!(counts.length(), 0);
}

#[wasm_bindgen_test]
async fn a_signal_that_throws_does_not_end_the_call() {
    let client = client("{ transport: () => ({ status: 200, body: { data: [] } }) }");
    let call = "{ signal: { aborted: false, addEventListener() { throw 1 }, removeEventListener() { throw 1 }, get reason() { throw 1 } } }";
    settled(list(&client, call)).await.unwrap();
}

/// A session for a minute, of a key of our own.
const SESSION: &str =
    "{ id: 'Session:1', accountId: 'InternalAccount:1', type: 'EMAIL_OTP', nickname: 'a@b.example',
    createdAt: new Date().toISOString(), updatedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 60_000).toISOString() }";

fn observed(options: &str) -> (Array, GridkeyClient) {
    let states = log();
    let push: Function = of(&states, "state => { it.push(state) }").unchecked_into();
    let client = GridkeyClient::create(&js(options), push).ok().unwrap();
    (states, client)
}

#[wasm_bindgen_test]
async fn an_adopted_session_is_signed_in_until_it_is_signed_out() {
    let (states, client) = observed("{ transport() { throw 1 } }");
    let key = SessionKey::generate().ok().unwrap();
    let public_key = key.public_key().unwrap();
    let session = client.adopt_session(&js(SESSION), &key).ok().unwrap();
    let state = of(&states, "it[0]");
    assert_js(
        &state,
        "it.status === 'signedIn' && it.session.expiresAt instanceof Date",
    );
    assert_js(&state, "Object.isFrozen(it) && Object.isFrozen(it.session)");
    assert_js(&state, "Object.keys(it.session).length === 7");
    assert_eq!(text_of(&state, "it.session.publicKey"), public_key);
    assert!(session.is_active());
    assert_eq!(session.id().as_string().unwrap(), "Session:1");
    assert!(session.auth_method_id().is_undefined());

    let signed_out = settled(session.sign_out(&JsValue::UNDEFINED))
        .await
        .unwrap();
    assert_js(&signed_out, "it.revokedAtGrid === false");
    assert!(!session.is_active());
    assert_js(
        &states,
        "it.length === 2 && it[1].status === 'signedOut' && it[1].reason === 'signedOut'",
    );
    let error = failure(session.refresh(&JsValue::UNDEFINED)).await;
    assert_code(&error, "session_expired");
}

#[wasm_bindgen_test]
async fn a_session_is_adopted_only_in_its_form() {
    let (states, client) = observed("{ transport() { throw 1 } }");
    for session in [
        "undefined",
        "{}",
        &SESSION.replace("'EMAIL_OTP'", "'MAGIC'"),
        &SESSION.replace("'Session:1'", "5"),
        &SESSION.replace("new Date(Date.now() + 60_000).toISOString()", "'soon'"),
        &SESSION.replace("new Date(Date.now() + 60_000).toISOString()", "NaN"),
    ] {
        let key = SessionKey::generate().ok().unwrap();
        let error = client.adopt_session(&js(session), &key).err().unwrap();
        assert_code(&error, "invalid_argument");
        assert!(key.public_key().is_ok(), "it costs nobody their key");
    }
    assert_eq!(states.length(), 0);
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_or_calls_back_does_no_harm() {
    let client = {
        let listener = Function::new_no_args("throw new Error('listener')");
        GridkeyClient::create(&js("{ transport() { throw 1 } }"), listener)
            .ok()
            .unwrap()
    };
    let key = SessionKey::generate().ok().unwrap();
    let session = client.adopt_session(&js(SESSION), &key).ok().unwrap();
    settled(session.sign_out(&JsValue::UNDEFINED))
        .await
        .unwrap();
    assert!(!session.is_active());
}

#[wasm_bindgen_test]
async fn a_session_ends_by_itself() {
    let (states, client) = observed("{ transport() { throw 1 } }");
    let key = SessionKey::generate().ok().unwrap();
    // It is not used in its last 30 seconds.
    let session = SESSION.replace("60_000", "30_100");
    let session = client.adopt_session(&js(&session), &key).ok().unwrap();
    assert!(session.is_active());
    sleep(300).await;
    assert!(!session.is_active());
    assert_js(&states, "it.length === 2 && it[1].reason === 'expired'");
}
