//! `fetch`: what is asked of it, and what may become of it.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::GridkeyClient;
use crate::support::{
    ask, assert_code, assert_js, client, client_of, failure, js, list, log, logging, of, settled,
    sleep, text_of,
};

/// Options with a `fetch` that pushes its arguments into `it`.
const RECORDING: &str = "fetch(url, init) {
    it.push({ url, init, headers: Object.fromEntries(init.headers), self: this });
    return Promise.resolve(new Response('{\"data\":[]}'));
}";

fn recording(more: &str) -> (js_sys::Array, GridkeyClient) {
    let requests = log();
    let options = [
        "({ baseUrl: 'https://relay.example/api/', ",
        RECORDING,
        ", ",
        more,
        " })",
    ];
    let client = client_of(&logging(&requests, &options.concat())).unwrap();
    (requests, client)
}

#[wasm_bindgen_test]
async fn a_request_says_no_more_than_it_must() {
    let (requests, client) = recording("");
    settled(list(&client, "undefined")).await.unwrap();
    let request = of(&requests, "it[0]");
    assert_eq!(
        text_of(&request, "it.url"),
        "https://relay.example/api/auth/sessions?accountId=InternalAccount%3A1"
    );
    assert_js(
        &request,
        "it.self === undefined && it.init.method === 'GET'",
    );
    // Nobody's additions to `Object.prototype` get into the request.
    assert_js(&request, "Object.getPrototypeOf(it.init) === null");
    assert_js(
        &request,
        "!('body' in it.init) && !('credentials' in it.init)",
    );
    assert_js(
        &request,
        "it.init.redirect === 'manual' && it.init.signal instanceof AbortSignal",
    );
    assert_eq!(
        text_of(&request, "JSON.stringify(it.headers)"),
        r#"{"accept":"application/json"}"#
    );
}

#[wasm_bindgen_test]
async fn a_signed_request_carries_its_headers() {
    let (requests, client) = recording(
        "credentials: 'include', headers: { 'X-Mine': '1', 'Request-Id': 'not this', 'grid-wallet-signature': 'nor this', 'Idempotency-Key': 'nor this' }",
    );
    let signed = client.operation(
        "revokeAuthSession",
        &"Session:1".into(),
        &JsValue::UNDEFINED,
        &js("{ stamp: 'the-stamp', requestId: 'Request:9' }"),
    );
    settled(signed).await.unwrap_err();
    assert_eq!(
        text_of(&requests, "JSON.stringify(it[0].headers)"),
        concat!(
            r#"{"accept":"application/json","grid-wallet-signature":"the-stamp","#,
            r#""request-id":"Request:9","x-mine":"1"}"#
        )
    );
    assert_js(
        &requests,
        "it[0].init.method === 'DELETE' && it[0].init.credentials === 'include'",
    );

    let executed = client.operation(
        "executeQuote",
        &"Quote:1".into(),
        &JsValue::UNDEFINED,
        &js("{ stamp: 'the-stamp', idempotencyKey: 'once' }"),
    );
    settled(executed).await.unwrap_err();
    assert_eq!(
        text_of(&requests, "JSON.stringify(it[1].headers)"),
        concat!(
            r#"{"accept":"application/json","grid-wallet-signature":"the-stamp","#,
            r#""idempotency-key":"once","x-mine":"1"}"#
        )
    );

    let posted = client.operation(
        "createPasskeyRegistrationOptions",
        &js("{ accountId: 'InternalAccount:1' }"),
        &JsValue::UNDEFINED,
        &JsValue::UNDEFINED,
    );
    settled(posted).await.unwrap_err();
    assert_eq!(
        text_of(&requests, "JSON.stringify(it[2].headers)"),
        r#"{"accept":"application/json","content-type":"application/json","x-mine":"1"}"#
    );
    assert_js(
        &requests,
        r#"it[2].init.body === '{"accountId":"InternalAccount:1"}'"#,
    );
}

#[wasm_bindgen_test]
async fn headers_are_asked_before_each_request() {
    for headers in [
        "headers: () => ({ 'X-Asked': String(it.asked = (it.asked ?? 0) + 1) })",
        "headers: async () => [['X-Asked', String(it.asked = (it.asked ?? 0) + 1)]]",
        "headers: () => new Headers({ 'X-Asked': String(it.asked = (it.asked ?? 0) + 1) })",
    ] {
        let (requests, client) = recording(headers);
        settled(list(&client, "undefined")).await.unwrap();
        settled(list(&client, "undefined")).await.unwrap();
        assert_js(
            &requests,
            "it.length === 2 && it[1].headers['x-asked'] === '2'",
        );
    }
}

#[wasm_bindgen_test]
async fn headers_that_are_none_end_the_call_before_it_is_sent() {
    for (headers, code) in [
        ("() => { throw new Error('0xcanary') }", "network"),
        ("() => Promise.reject()", "network"),
        ("() => ({ 'X Bad': '1' })", "invalid_argument"),
        ("() => ({ 'X-Bad': 'line\\nbreak' })", "invalid_argument"),
        ("() => 5", "invalid_argument"),
        ("() => 'x'", "invalid_argument"),
        ("() => [['X-Alone']]", "invalid_argument"),
        ("{ get 'X-Mine'() { throw 1 } }", "invalid_argument"),
        (
            "() => ({ 'X-Mine': { toString() { throw 1 } } })",
            "invalid_argument",
        ),
    ] {
        let (requests, client) = recording(&["headers: ", headers].concat());
        let error = failure(ask(&client)).await;
        assert_code(&error, code);
        assert_js(&error, "!it.message.includes('0xcanary')");
        assert_eq!(requests.length(), 0, "{headers}");
    }
    let (requests, client) = recording("headers: () => new Promise(() => {}), timeoutMs: 20");
    assert_code(&failure(list(&client, "undefined")).await, "timeout");
    assert_eq!(requests.length(), 0);
}

#[wasm_bindgen_test]
async fn a_call_that_has_ended_is_not_sent_any_more() {
    let (requests, client) =
        recording("headers: () => new Promise(resolve => setTimeout(resolve, 40)), timeoutMs: 10");
    assert_code(&failure(ask(&client)).await, "timeout");
    sleep(60).await;
    assert_eq!(requests.length(), 0);
    let (requests, client) = recording(
        "headers: () => new Promise(resolve => setTimeout(resolve, 40)), timeoutMs: 1000",
    );
    settled(list(&client, "undefined")).await.unwrap();
    assert_eq!(requests.length(), 1);
}

#[wasm_bindgen_test]
async fn a_body_is_read_no_further_when_the_call_has_ended() {
    let reads = log();
    let options = logging(
        &reads,
        "({ baseUrl: 'https://a.example', timeoutMs: 20, fetch: () => ({ status: 200, body: { getReader: () => ({
            read: () => new Promise(resolve => setTimeout(() => { it.push(0); resolve({ value: new Uint8Array(1) }) }, 5))
        }) } }) })",
    );
    let client = client_of(&options).unwrap();
    assert_code(&failure(ask(&client)).await, "timeout");
    sleep(20).await;
    let read = reads.length();
    sleep(40).await;
    assert_eq!(reads.length(), read);
}

#[wasm_bindgen_test]
async fn a_page_must_not_hold_the_platforms_credentials() {
    for headers in [
        "{ Authorization: 'Basic cGxhdGZvcm06c2VjcmV0' }",
        "() => [['authorization', 'bAsIc  cGxhdGZvcm06c2VjcmV0']]",
    ] {
        let (requests, client) = recording(&["headers: ", headers].concat());
        let outcome = settled(list(&client, "undefined")).await;
        // A server may.
        if js("typeof window === 'object' && typeof document === 'object'").is_truthy() {
            let error = outcome.unwrap_err();
            assert_code(&error, "invalid_argument");
            assert_js(&error, "!it.message.includes('cGxhdG')");
            assert_eq!(requests.length(), 0);
        } else {
            outcome.unwrap();
        }
    }
    let (_, client) = recording("headers: { Authorization: 'Bearer abc' }");
    settled(list(&client, "undefined")).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_fetch_that_fails_or_gives_no_response_is_a_network_error() {
    for body in [
        "throw new TypeError('0xcanary')",
        "return Promise.reject(new TypeError('0xcanary'))",
        "return undefined",
        "return null",
        "return 5",
        "return {}",
        "return { status: '200' }",
        "return { status: 0, body: null }",
        "return { status: 1000 }",
        "return { status: 200 }",
        "return { status: 200, body: 5 }",
        "return { status: 200, arrayBuffer() { throw 1 } }",
        "return { status: 200, body: { getReader() { throw 1 } } }",
        "return { status: 200, body: { getReader: () => ({}) } }",
        "return { status: 200, body: { getReader: () => ({ read() { throw 1 } }) } }",
        "return { status: 200, body: { getReader: () => ({ read: () => ({}) }) } }",
        "return Response.error()",
        "return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(5)); c.error(new Error()) } }))",
        "return new Proxy({}, { get() { throw 1 } })",
    ] {
        let client = client(&format!(
            "{{ baseUrl: 'https://a.example', fetch() {{ {body} }} }}"
        ));
        let error = failure(ask(&client)).await;
        assert_code(&error, "network");
        assert_js(&error, "!it.message.includes('0xcanary')");
    }
}

#[wasm_bindgen_test]
async fn a_redirect_is_not_followed_and_is_named() {
    for response in [
        "Response.redirect('https://elsewhere.example/login', 302)",
        "Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })",
    ] {
        let client = client(&format!(
            "{{ baseUrl: 'https://a.example', fetch: () => {response} }}"
        ));
        let error = failure(list(&client, "undefined")).await;
        assert_code(&error, "network");
        assert_js(
            &error,
            "it.reason === 'redirect' && it.recovery === 'integrator'",
        );
    }
}

#[wasm_bindgen_test]
async fn a_body_is_read_up_to_one_mebibyte_and_no_further() {
    let signals = log();
    let options = logging(
        &signals,
        "({ baseUrl: 'https://a.example', fetch(url, { signal }) {
            it.push(signal);
            const chunk = new Uint8Array(64 * 1024).fill(32);
            return new Response(new ReadableStream({ pull(c) { it.pulled = (it.pulled ?? 0) + 1; c.enqueue(chunk) } }));
        } })",
    );
    let client = client_of(&options).unwrap();
    assert_code(&failure(list(&client, "undefined")).await, "relay_protocol");
    assert_js(&signals, "it[0].aborted && it.pulled < 30");
}

#[wasm_bindgen_test]
async fn a_body_may_come_in_pieces_or_whole() {
    for response in [
        "new Response('{\"data\":[]}')",
        "new Response(new ReadableStream({ start(c) { for (const b of new TextEncoder().encode('{\"data\":[]}')) c.enqueue(Uint8Array.of(b)); c.close() } }))",
        "{ status: 200, headers: new Headers(), arrayBuffer: async () => new TextEncoder().encode('{\"data\":[]}').buffer }",
        "{ status: 200, arrayBuffer: () => new TextEncoder().encode('{\"data\":[]}') }",
    ] {
        let client = client(&format!(
            "{{ baseUrl: 'https://a.example', fetch: async () => ({response}) }}"
        ));
        settled(list(&client, "undefined")).await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn what_is_no_answer_of_the_api_is_told() {
    for response in [
        "new Response('<!doctype html><title>Sign in</title>', { status: 200 })",
        "new Response('', { status: 200 })",
        "new Response('{\"data\":[', { status: 200 })",
        "new Response(new Uint8Array([0xff, 0xfe]), { status: 200 })",
        "new Response('{\"data\":[],\"data\":[]}', { status: 200 })",
        "new Response(null, { status: 204 })",
    ] {
        let client = client(&format!(
            "{{ baseUrl: 'https://a.example', fetch: () => {response} }}"
        ));
        assert_code(&failure(list(&client, "undefined")).await, "relay_protocol");
    }
}

#[wasm_bindgen_test]
async fn retry_after_is_seconds_or_a_date() {
    for (header, least, most) in [
        ("'7'", 7000.0, 7000.0),
        (
            "new Date(Date.now() + 60_000).toUTCString()",
            58_000.0,
            60_000.0,
        ),
        ("new Date(Date.now() - 60_000).toUTCString()", 0.0, 0.0),
        ("'4294967295'", 4.0e12, 5.0e12),
    ] {
        let client = client(&format!(
            "{{ baseUrl: 'https://a.example', fetch: () => new Response(
                '{{\"status\":429,\"code\":\"RATE_LIMITED\",\"message\":\"x\",\"details\":{{}}}}',
                {{ status: 429, headers: {{ 'Retry-After': {header} }} }}) }}"
        ));
        let error = failure(ask(&client)).await;
        assert_code(&error, "rate_limited");
        let retry_after_ms = of(&error, "it.retryAfterMs").as_f64().unwrap();
        assert!(
            (least..=most).contains(&retry_after_ms),
            "{header}: {retry_after_ms}"
        );
    }
    let client = client(
        "{ baseUrl: 'https://a.example', fetch: () => new Response(
            '{\"status\":429,\"code\":\"RATE_LIMITED\",\"message\":\"x\",\"details\":{}}',
            { status: 429, headers: { 'Retry-After': 'soon' } }) }",
    );
    assert_js(
        &failure(list(&client, "undefined")).await,
        "it.code === 'rate_limited' && !('retryAfterMs' in it)",
    );
}

#[wasm_bindgen_test]
async fn a_get_is_repeated_after_the_time_that_was_asked_for() {
    let times = log();
    let options = logging(
        &times,
        "({ baseUrl: 'https://a.example', fetch() {
            it.push(performance.now());
            return it.length === 1
                ? new Response('{\"status\":429,\"code\":\"RATE_LIMITED\",\"message\":\"x\",\"details\":{}}',
                    { status: 429, headers: { 'Retry-After': '1' } })
                : new Response('{\"data\":[]}');
        } })",
    );
    let client = client_of(&options).unwrap();
    settled(list(&client, "undefined")).await.unwrap();
    assert_js(&times, "it.length === 2 && it[1] - it[0] >= 995");
}

#[wasm_bindgen_test]
async fn the_browsers_own_fetch_is_used() {
    // Nothing listens there: what matters is that it is asked, without `this`.
    let client = client("{ baseUrl: 'http://127.0.0.1:9', timeoutMs: 10000 }");
    assert_code(&failure(ask(&client)).await, "network");

    if js("typeof window === 'object'").is_truthy() {
        // The page's server knows no such address.
        let client = crate::support::client("{ baseUrl: '/nowhere' }");
        let error = failure(list(&client, "undefined")).await;
        assert_js(&error, "it.status === 404 && it.name === 'GridkeyError'");
    } else {
        let error = client_of(&js("{ baseUrl: '/nowhere' }")).err().unwrap();
        assert_code(&error, "invalid_argument");
    }
}

#[wasm_bindgen_test]
async fn without_fetch_there_is_a_clear_error() {
    let fetch = js(
        "(() => { const { fetch } = globalThis; delete globalThis.fetch; globalThis.fetch = undefined; return fetch })()",
    );
    let client = client("{ baseUrl: 'https://a.example' }");
    let error = settled(list(&client, "undefined")).await;
    of(&fetch, "globalThis.fetch = it");
    let error = error.unwrap_err();
    assert_code(&error, "invalid_argument");
    assert_js(&error, "it.message.includes('fetch')");
}
