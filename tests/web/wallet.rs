//! What a signed-in customer can do, with answers made here: over a redirect and back, with an
//! app's code that is asked for intents, and with storage that holds anything.

use gridkey::crypto::{encoding::hex, key::PublicKey};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::{GridkeyClient, SessionKey, WalletSession};
use crate::support::{
    assert_code, assert_js, failure, js, log, object, of, settled, sleep, text_of,
};

/// JavaScript that every expression here begins with.
const HELPERS: &str = "
    const accountId = 'InternalAccount:1';
    const soon = (ms = 300_000) => new Date(Date.now() + ms).toISOString();
    const session = type => ({ id: 'Session:1', accountId, type, nickname: 'a', createdAt: soon(0), updatedAt: soon(0), expiresAt: soon(600_000) });
    const payload = (type, parameters, organizationId = 'org_1') => JSON.stringify({ organizationId, parameters, timestampMs: String(Date.now()), type });
    const news = organizationId => payload('ACTIVITY_TYPE_NEW', { a: 1 }, organizationId);
    const stated = { kind: 'activity', activityType: 'ACTIVITY_TYPE_NEW', parameters: { a: 1 } };
    const challenge = payloadToSign => ({ status: 202, body: { payloadToSign, requestId: 'Request:1', expiresAt: soon() } });
    const encode = json => btoa(JSON.stringify(json)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const seconds = () => Math.floor(Date.now() / 1000);
    const idToken = nonce => [{ alg: 'RS256' }, { iss: 'https://id.example', sub: '1', aud: 'client-1', iat: seconds(), exp: seconds() + 600, nonce }].map(encode).join('.') + '.c2ln';
";

/// The value of an expression over `it`, with the helpers in its scope.
fn with(it: &JsValue, expression: &str) -> JsValue {
    Function::new_with_args(
        "it",
        &["'use strict';", HELPERS, "return (", expression, ");"].concat(),
    )
    .call1(&JsValue::UNDEFINED, it)
    .unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

fn promise(it: &JsValue, expression: &str) -> Promise {
    with(it, expression).unchecked_into()
}

/// A client whose transport pushes each call into the log and answers with this expression over
/// `call`.
fn client(calls: &Array, answer: &str) -> GridkeyClient {
    let options = with(
        calls,
        &format!(
            "({{ sessionKeys: 'client-held', transport(call) {{ it.push(call); return {answer} }} }})"
        ),
    );
    GridkeyClient::create(&options, Function::new_no_args(""))
        .ok()
        .unwrap()
}

/// A session of that client, as JavaScript has it.
fn signed_in(calls: &Array, answer: &str) -> JsValue {
    adopted(&client(calls, answer)).into()
}

fn adopted(client: &GridkeyClient) -> WalletSession {
    let session = with(&JsValue::UNDEFINED, "session('EMAIL_OTP')");
    let key = SessionKey::generate().ok().unwrap();
    client.adopt_session(&session, &key).ok().unwrap()
}

/// Answers the first leg with a payload and the second with nothing much.
const SIGNING: &str = "call.stamp ? { status: 200, body: {} } : challenge(news())";

/// A signed request of a session `it.session`, with what else `it` has.
const REQUEST: &str =
    "it.session.signedRequest({ method: 'POST', path: '/new', body: {}, ...it.more })";

fn requested(session: &JsValue, more: &JsValue) -> Promise {
    let it = object("session", session);
    of(
        &Array::of2(&it, more),
        "Object.assign(it[0], { more: it[1] })",
    );
    promise(&it, REQUEST)
}

/// Fails unless `stamp` is this key's signature over `payload`.
fn assert_stamp(stamp: &JsValue, payload: &JsValue, public_key: &str) {
    let stamp = of(
        stamp,
        "JSON.parse(atob(it.replaceAll('-', '+').replaceAll('_', '/')))",
    );
    assert_eq!(text_of(&stamp, "it.publicKey"), public_key);
    let signature = hex::decode(&text_of(&stamp, "it.signature"), 80).unwrap();
    let message = payload.as_string().unwrap();
    let key = PublicKey::from_hex(public_key).unwrap();
    assert!(key.verify_der(message.as_bytes(), &signature));
    assert!(!key.verify_der(b"another", &signature));
}

fn has_database() -> bool {
    js("typeof indexedDB === 'object'").is_truthy()
}

/// How many keys the browser keeps.
async fn kept_keys() -> f64 {
    let count = js("new Promise((resolve, reject) => {
        const opening = indexedDB.open('gridkey');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
            const counting = opening.result.transaction('keys').objectStore('keys').count();
            counting.onsuccess = () => { opening.result.close(); resolve(counting.result) };
        };
    })");
    settled(count.unchecked_into())
        .await
        .unwrap()
        .as_f64()
        .unwrap()
}

#[wasm_bindgen_test]
async fn a_sign_in_goes_on_after_the_page_was_left() {
    let options = js("{ authMethodId: 'AuthMethod:1', clientId: 'client-1', redirect: true }");
    let answer = "{ status: 200, body: session('OAUTH') }";
    if !has_database() {
        let client = client(&log(), answer);
        let error = failure(client.prepare_oauth(&options)).await;
        assert_code(&error, "storage_unavailable");
        return;
    }
    let state = {
        let client = client(&log(), answer);
        let sign_in = settled(client.prepare_oauth(&options)).await.unwrap();
        let state = of(
            &sign_in,
            "JSON.stringify({ ...it.state, nonce: it.nonce, key: it.clientPublicKey })",
        );
        assert_js(&sign_in, "Object.isFrozen(it.state)");
        of(&sign_in, "it.free()");
        of(&state, "JSON.parse(it)")
    };
    assert_js(
        &state,
        "it.authMethodId === 'AuthMethod:1' && it.clientId === 'client-1' && it.clientPublicKey === it.key && it.key.length === 66",
    );
    assert_eq!(kept_keys().await, 1.0);

    // Another page, which has nothing but the state.
    let calls = log();
    let client = client(&calls, answer);
    let sign_in = settled(client.resume_oauth(&state)).await.unwrap();
    assert_eq!(
        text_of(&sign_in, "it.clientPublicKey + it.nonce"),
        text_of(&state, "it.key + it.nonce")
    );
    let error = failure(promise(&sign_in, "it.submit(idToken('00'))")).await;
    assert_code(&error, "oauth_rejected");
    assert_js(&error, "it.reason === 'nonce'");
    assert_eq!((calls.length(), kept_keys().await), (0, 1.0));

    let session = settled(promise(&sign_in, "it.submit(idToken(it.nonce))"))
        .await
        .unwrap();
    let key = text_of(&state, "it.key");
    assert_eq!(text_of(&session, "it.publicKey"), key);
    assert_eq!(
        text_of(&calls, "JSON.parse(it[0].body).clientPublicKey"),
        key
    );
    let payload = with(&JsValue::UNDEFINED, "news()");
    for _ in 0..2 {
        let both = of(&Array::of2(&session, &payload), "it");
        let stamp = settled(promise(&both, "it[0].stamp(it[1], stated)"))
            .await
            .unwrap();
        assert_stamp(&stamp, &payload, &key);
        // Gone from where other scripts could use it, and of use to this session.
        assert_eq!(kept_keys().await, 0.0);
    }
    let error = failure(client.resume_oauth(&state)).await;
    assert_code(&error, "challenge_expired");

    // The end of the session comes between the asking and the signing.
    let both = of(&Array::of2(&session, &payload), "it");
    let late = promise(
        &both,
        "(() => { const late = it[0].stamp(it[1], stated); it[0].signOut(); return late })()",
    );
    assert_code(&failure(late).await, "session_expired");
}

#[wasm_bindgen_test]
async fn what_was_not_kept_is_not_resumed() {
    let client = client(&log(), "undefined");
    let not_kept = match has_database() {
        true => "challenge_expired",
        false => "storage_unavailable",
    };
    let key = "'036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'";
    for (state, code) in [
        (
            format!("{{ authMethodId: 'AuthMethod:1', clientPublicKey: {key} }}"),
            not_kept,
        ),
        (
            format!("{{ authMethodId: 'AuthMethod:1', clientPublicKey: {key}.slice(2) }}"),
            "invalid_argument",
        ),
        (
            format!("{{ authMethodId: 'Quote:1', clientPublicKey: {key} }}"),
            "invalid_argument",
        ),
        (
            format!("Object.create({{ authMethodId: 'AuthMethod:1', clientPublicKey: {key} }})"),
            "invalid_argument",
        ),
        ("undefined".to_owned(), "invalid_argument"),
    ] {
        let error = failure(client.resume_oauth(&js(&state))).await;
        assert_code(&error, code);
    }
}

#[wasm_bindgen_test]
async fn an_exported_mnemonic_is_bytes() {
    let vector = js(&format!(
        "({}).tests[0]",
        include_str!("../vectors/turnkey_export_bundle.json")
    ));
    let text = |name: &str| text_of(&vector, &format!("JSON.stringify(it.{name})"));
    let calls = log();
    let client = client(
        &calls,
        &format!(
            "call.stamp
                ? {{ status: 200, body: {{ id: accountId, encryptedWalletCredentials: {} }} }}
                : challenge(payload('ACTIVITY_TYPE_EXPORT_WALLET', {{ targetPublicKey: JSON.parse(call.body).clientPublicKey, walletId: 'wallet_1' }}, {}))",
            text("exportBundle"),
            text("organizationId")
        ),
    );
    let session = JsValue::from(adopted(&client));
    // The key is made at random: this is the outcome that Turnkey published.
    let restore = js(&format!(
        "(() => {{
            const bytes = {}.match(/../g).map(pair => parseInt(pair, 16));
            crypto.getRandomValues = array => (array.set(bytes), array);
            return () => delete crypto.getRandomValues;
        }})()",
        text("privateKey")
    ));
    let exporting = format!(
        "it.exportMnemonic({{ organizationId: {} }})",
        text("organizationId")
    );
    let mnemonic = settled(promise(&session, &exporting)).await;
    of(&restore, "it()");
    let mnemonic = mnemonic.unwrap();
    assert_js(&mnemonic, "it instanceof Uint8Array");
    assert_eq!(
        text_of(&mnemonic, "new TextDecoder().decode(it)"),
        text_of(&vector, "it.mnemonic")
    );
    assert_js(&calls, "it.length === 2 && it[1].stamp.length > 100");
    // The other tests' payloads are of another organization.
    client
        .forget_organization(&"InternalAccount:1".into())
        .ok()
        .unwrap();
}

#[wasm_bindgen_test]
async fn an_intent_is_stated_beforehand_or_by_a_function() {
    for intent in [
        "stated",
        "() => stated",
        "async () => stated",
        "text => (JSON.parse(text).parameters.a === 1 && stated)",
        "() => ({ then(resolve) { resolve(stated); resolve(5) } })",
    ] {
        let calls = log();
        let session = signed_in(&calls, SIGNING);
        let more = with(&JsValue::UNDEFINED, &format!("({{ intent: {intent} }})"));
        settled(requested(&session, &more)).await.unwrap();
        assert_js(&calls, "it.length === 2 && !('stamp' in it[0])");
        assert_js(
            &calls,
            "it[1].requestId === 'Request:1' && it[1].body === '{}'",
        );
    }
}

#[wasm_bindgen_test]
async fn what_an_intent_function_gives_instead_signs_nothing() {
    for (intent, code) in [
        ("() => { throw new Error('0xcanary') }", "intent_refused"),
        ("async () => { throw '0xcanary' }", "intent_refused"),
        (
            "() => ({ get then() { throw '0xcanary' } })",
            "intent_refused",
        ),
        ("() => ({ ...stated, parameters: {} })", "intent_refused"),
        ("() => undefined", "invalid_argument"),
        ("() => null", "invalid_argument"),
        ("() => 'activity'", "invalid_argument"),
        ("() => Symbol('x')", "invalid_argument"),
        ("() => [stated]", "invalid_argument"),
        ("() => Object.create(stated)", "invalid_argument"),
        ("() => ({ kind: 'constructor' })", "invalid_argument"),
        (
            "() => new Proxy({}, { ownKeys() { throw '0xcanary' } })",
            "invalid_argument",
        ),
        (
            "() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy }",
            "intent_refused",
        ),
    ] {
        let calls = log();
        let session = signed_in(&calls, SIGNING);
        let more = with(&JsValue::UNDEFINED, &format!("({{ intent: {intent} }})"));
        let error = failure(requested(&session, &more)).await;
        assert_code(&error, code);
        assert_js(
            &error,
            "!it.message.includes('0xcanary') && it.requestId === 'Request:1'",
        );
        assert_js(
            &error,
            "it.code !== 'intent_refused' || it.reason === (it.message.includes('threw') ? 'application' : 'parameters')",
        );
        assert_eq!(calls.length(), 1, "{intent}");
    }
}

#[wasm_bindgen_test]
async fn an_intent_function_may_call_back() {
    let calls = log();
    let session = signed_in(&calls, SIGNING);
    let key = text_of(&session, "it.publicKey");
    let more = with(
        &session,
        "(() => {
            const log = [];
            const intent = async text => {
                log.push(text, await it.stamp(text, stated), it.isActive, it.publicKey);
                return stated;
            };
            return { log, intent };
        })()",
    );
    settled(requested(&session, &more)).await.unwrap();
    let text = of(&more, "it.log[0]");
    assert_stamp(&of(&more, "it.log[1]"), &text, &key);
    assert_js(&more, "it.log[2] === true && it.log[3].length === 66");
    assert_js(&calls, "it.length === 2");
}

#[wasm_bindgen_test]
async fn a_session_that_is_freed_meanwhile_finishes_what_is_under_way() {
    for free in ["free", "sign out"] {
        let calls = log();
        let session = signed_in(&calls, SIGNING);
        let more = with(
            &session,
            &format!(
                "({{ intent: async () => {{ {}; return stated }} }})",
                if free == "free" {
                    "it.free()"
                } else {
                    "it.signOut()"
                }
            ),
        );
        let outcome = settled(requested(&session, &more)).await;
        if free == "free" {
            outcome.unwrap();
            assert_js(&calls, "it.length === 2 && 'stamp' in it[1]");
        } else {
            assert_code(&outcome.unwrap_err(), "session_expired");
            assert_js(
                &calls,
                "it.every(call => call.operation !== 'signedRequest' || !('stamp' in call))",
            );
        }
    }
}

#[wasm_bindgen_test]
async fn a_signed_call_is_ended_in_each_of_its_phases() {
    for (phase, answer, intent, legs, reason) in [
        (
            "the first leg",
            "new Promise(() => {})",
            "stated",
            1,
            "undefined",
        ),
        (
            "the intent",
            SIGNING,
            "() => new Promise(() => {})",
            1,
            "undefined",
        ),
        (
            "the second leg",
            "call.stamp ? new Promise(() => {}) : challenge(news())",
            "stated",
            2,
            "outcome_unknown",
        ),
    ] {
        let calls = log();
        let session = signed_in(&calls, answer);
        let controller = js("new AbortController()");
        let more = with(
            &controller,
            &format!("({{ intent: {intent}, signal: it.signal }})"),
        );
        let requested = requested(&session, &more);
        sleep(50).await;
        of(&controller, "it.abort('mine')");
        let error = failure(requested).await;
        assert_code(&error, "aborted");
        assert_js(&error, "it.cause === 'mine'");
        assert_eq!(text_of(&error, "it.reason"), reason, "{phase}");
        assert_eq!(calls.length(), legs, "{phase}");
        assert_js(&session, "it.isActive");
    }
}

#[wasm_bindgen_test]
async fn storage_that_holds_anything_neither_signs_nor_stops() {
    let restore = js("(() => {
        if (typeof window === 'object') return () => localStorage.clear();
        const kept = new Map();
        Object.defineProperty(globalThis, 'localStorage', { configurable: true, value: {
            getItem: name => kept.get(name) ?? null, setItem: (name, text) => { kept.set(name, text) }, removeItem: name => { kept.delete(name) },
        } });
        return () => delete globalThis.localStorage;
    })()");
    let name = "'gridkey:wallet:InternalAccount:1'";
    for junk in [
        "''",
        "'null'",
        "'5'",
        "'[]'",
        "'{'",
        "'<html>'",
        "'{\"organizationId\":5}'",
        "'{\"organizationId\":\"\"}'",
        "'{\"organizationId\":[\"org_evil\"]}'",
        "'{\"organizationId\":\"' + 'x'.repeat(4000) + '\"}'",
        "'{\"organizationId\":\"a\",\"organizationId\":\"org_1\"}'",
        "'[' .repeat(4000)",
        "'\\ud800'",
        "'\\0'",
    ] {
        js(&format!("localStorage.setItem({name}, {junk})"));
        let session = signed_in(&log(), SIGNING);
        let more = with(&JsValue::UNDEFINED, "({ intent: stated })");
        settled(requested(&session, &more)).await.unwrap();
        // What Grid accepted stands there now, and is held to.
        let noted = js(&format!("JSON.parse(localStorage.getItem({name}))"));
        assert_eq!(text_of(&noted, "it.organizationId"), "org_1", "{junk}");
        assert_js(&noted, "it.isConfirmed === false");
    }
    // An export is not let through by a note that nobody confirmed.
    let session = signed_in(&log(), SIGNING);
    assert_code(
        &failure(promise(&session, "it.exportMnemonic()")).await,
        "invalid_argument",
    );
    // Another organization than the one that is noted, in this page or the next.
    for calls in [log(), log()] {
        let client = client(
            &calls,
            "call.stamp ? { status: 200, body: {} } : challenge(news('org_2'))",
        );
        let session = JsValue::from(adopted(&client));
        let more = with(&JsValue::UNDEFINED, "({ intent: stated })");
        let error = failure(requested(&session, &more)).await;
        assert_code(&error, "intent_refused");
        assert_js(&error, "it.reason === 'organization'");
        assert_js(&calls, "it.length === 1");
        client
            .forget_organization(&"InternalAccount:1".into())
            .ok()
            .unwrap();
        settled(requested(&session, &more)).await.unwrap();
        js(&format!(
            "localStorage.setItem({name}, '{{\"organizationId\":\"org_1\"}}')"
        ));
    }
    of(&restore, "it()");
}
