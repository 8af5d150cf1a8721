//! `transport(call)`: what it is given, and what it may give back.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{
    ask, assert_code, assert_js, client, client_of, failure, js, list, log, logging, of, settled,
    sleep, text_of,
};

#[wasm_bindgen_test]
async fn a_call_is_a_plain_object() {
    let calls = log();
    let options = logging(
        &calls,
        "({ transport(call) { it.push({ call, self: this }); return { status: 202, body: {
            payloadToSign: 'x', requestId: 'Request:1', expiresAt: '2030-01-01T00:00:00Z' } } } })",
    );
    let client = client_of(&options).unwrap();
    let answer = client.operation(
        "refreshAuthSession",
        &"Session:a.b".into(),
        &js("{ clientPublicKey: '03' + '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' }"),
        &js("{ stamp: 'stamp', requestId: 'Request:0' }"),
    );
    let answer = settled(answer).await.unwrap();
    assert_js(
        &answer,
        "it.status === 202 && it.challenge.payloadToSign === 'x'",
    );
    let call = of(&calls, "it[0].call");
    assert_eq!(text_of(&call, "it.operation"), "refreshAuthSession");
    assert_eq!(text_of(&call, "it.method"), "POST");
    assert_eq!(
        text_of(&call, "it.path"),
        "/auth/sessions/Session%3Aa.b/refresh"
    );
    assert_eq!(
        text_of(&call, "JSON.stringify(it.params)"),
        r#"{"id":"Session:a.b"}"#
    );
    assert_js(&call, "JSON.parse(it.body).clientPublicKey.length === 66");
    assert_js(
        &call,
        "it.stamp === 'stamp' && it.requestId === 'Request:0' && !('idempotencyKey' in it)",
    );
    assert_js(
        &call,
        "it.signal instanceof AbortSignal && !it.signal.aborted",
    );
    assert_js(&of(&calls, "it[0]"), "it.self === undefined");

    settled(list(&client, "undefined")).await.unwrap_err();
    assert_js(
        &of(&calls, "it[1].call"),
        "!('body' in it) && !('stamp' in it)",
    );

    let executed = client.operation(
        "executeQuote",
        &"Quote:1".into(),
        &JsValue::UNDEFINED,
        &js("{ stamp: 'stamp', idempotencyKey: 'key' }"),
    );
    settled(executed).await.unwrap_err();
    assert_js(
        &of(&calls, "it[2].call"),
        "it.stamp === 'stamp' && it.idempotencyKey === 'key' && !('requestId' in it)",
    );
}

#[wasm_bindgen_test]
async fn each_status_has_its_member() {
    let soon = "new Date(Date.now() + 300000).toISOString()";
    let shared = format!(
        "accountId: 'InternalAccount:1', nickname: 'a', createdAt: {soon}, updatedAt: {soon}, expiresAt: {soon}"
    );
    let key = "'03' + '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'";
    let session = format!("{{ id: 'Session:1', type: 'EMAIL_OTP', {shared} }}");
    let method = format!("{{ id: 'AuthMethod:1', type: 'EMAIL_OTP', {shared} }}");
    let cases = [
        (
            "refreshAuthSession",
            "'Session:1'",
            format!("{{ clientPublicKey: {key} }}"),
            201,
            session.clone(),
            "it.session.id === 'Session:1'",
        ),
        (
            "verifyAuthCredential",
            "'AuthMethod:1'",
            "{ type: 'EMAIL_OTP', encryptedOtpBundle: '{}' }".to_owned(),
            200,
            session,
            "it.session.type === 'EMAIL_OTP'",
        ),
        (
            "createAuthCredential",
            "{ type: 'EMAIL_OTP', accountId: 'InternalAccount:1' }",
            "undefined".to_owned(),
            201,
            method.clone(),
            "it.authMethod.id === 'AuthMethod:1'",
        ),
        (
            "challengeAuthCredential",
            "'AuthMethod:1'",
            "undefined".to_owned(),
            200,
            method,
            "it.type === 'EMAIL_OTP' && it.authMethod.id === 'AuthMethod:1'",
        ),
        (
            "revokeAuthSession",
            "'Session:1'",
            "undefined".to_owned(),
            204,
            "null".to_owned(),
            "Object.keys(it).length === 1",
        ),
        (
            "regenerateAgentDeviceCode",
            "'Agent:1'",
            "undefined".to_owned(),
            201,
            format!(
                "{{ code: 'GRID-AGENT-AAAA-BBBB', agentId: 'Agent:1', expiresAt: {soon}, redeemed: false }}"
            ),
            "it.deviceCode.redeemed === false",
        ),
    ];
    for (operation, subject, body, status, answer, check) in cases {
        let client = client(&format!(
            "{{ transport: () => ({{ status: {status}, body: {answer} }}) }}"
        ));
        let promise = client.operation(operation, &js(subject), &js(&body), &JsValue::UNDEFINED);
        let answer = settled(promise).await.unwrap();
        assert_js(
            &answer,
            &format!(
                "it.status === {status} && {check} && Object.getPrototypeOf(it) === Object.prototype"
            ),
        );
    }
}

#[wasm_bindgen_test]
async fn a_body_is_a_text_or_what_was_parsed_of_it() {
    for reply in [
        r#"{ status: 200, body: { data: [] } }"#,
        r#"{ status: 200, body: '{"data":[]}' }"#,
        r#"{ status: 200, body: { data: [] }, retryAfterMs: 1.5, more: 1 }"#,
        r#"{ status: 200, body: { data: [] }, dateMs: Date.now() }"#,
        r#"{ status: 200, body: { data: [] }, retryAfterMs: undefined, dateMs: undefined }"#,
        r#"Promise.resolve({ status: 200, body: { data: [] } })"#,
        r#"{ then(resolve) { resolve({ status: 200, body: { data: [] } }); resolve(5) } }"#,
    ] {
        let client = client(&format!("{{ transport: () => ({reply}) }}"));
        let answer = settled(list(&client, "undefined")).await.unwrap();
        assert_js(&answer, "it.status === 200 && it.sessions.length === 0");
    }
}

#[wasm_bindgen_test]
async fn junk_is_told_from_an_answer() {
    let refused = async |reply: &str| {
        let client = client(&format!("{{ transport: () => ({reply}) }}"));
        let error = failure(list(&client, "undefined")).await;
        assert_code(&error, "relay_protocol");
        assert_eq!(
            text_of(&error, "it.operation"),
            "listAuthSessions",
            "{reply}"
        );
        error
    };
    for reply in [
        "undefined",
        "null",
        "5",
        "'OK'",
        "[]",
        "{}",
        "{ status: '200', body: {} }",
        "{ status: 0, body: {} }",
        "{ status: -0, body: { data: [] } }",
        "{ status: 0, body: { status: 0, code: 'NOT_FOUND', message: 'x', details: {} } }",
        "{ body: { data: [] } }",
        "{ status: 99, body: {} }",
        "{ status: -200, body: {} }",
        "{ status: 65736, body: { data: [] } }",
        "{ status: 4294967496, body: { data: [] } }",
        "{ status: 600, body: {} }",
        "{ status: 200.5, body: {} }",
        "{ status: NaN, body: {} }",
        "Object.create({ status: 200, body: { data: [] } })",
        "new Proxy({}, { getOwnPropertyDescriptor() { throw 1 } })",
        "{ get status() { throw 1 } }",
        "{ status: 200, body: 10n }",
        "{ status: 200, body: () => 1 }",
        "{ status: 200, body: Symbol('x') }",
        "(() => { const body = {}; body.body = body; return { status: 200, body } })()",
        "{ status: 200, body: { toJSON() { throw 1 } } }",
        "{ status: 200, body: '\\ud800' }",
        "{ status: 200, body: 'x'.repeat(1024 * 1024 + 1) }",
        "{ status: 200, body: { x: 'x'.repeat(1024 * 1024) } }",
        "{ status: 200, body: { data: [] }, retryAfterMs: '5' }",
        "{ status: 200, body: { data: [] }, retryAfterMs: -1 }",
        "{ status: 200, body: { data: [] }, retryAfterMs: NaN }",
        "{ status: 200, body: { data: [] }, dateMs: '784111777000' }",
        "{ status: 200, body: { data: [] }, dateMs: new Date() }",
        "{ status: 200, body: { data: [] }, dateMs: null }",
        "{ status: 200, body: { data: [] }, dateMs: 0.5 }",
        "{ status: 200, body: { data: [] }, dateMs: -1 }",
        "{ status: 200, body: { data: [] }, dateMs: NaN }",
        "{ status: 200, body: { data: [] }, dateMs: Infinity }",
        "{ status: 200, body: { data: [] }, dateMs: 8640000000000001 }",
    ] {
        assert_js(
            &refused(reply).await,
            "it.message.startsWith('`transport` must resolve to') && !('status' in it)",
        );
    }
    // Of the right form, but not of this API's.
    for reply in [
        "{ status: 200, body: null }",
        "{ status: 200, body: '' }",
        "{ status: 200, body: '<html>' }",
        "{ status: 200, body: { data: 5 } }",
        "{ status: 302, body: {} }",
        "{ status: 100, body: {} }",
        "{ status: 599, body: {} }",
    ] {
        assert_js(&refused(reply).await, "it.status >= 100");
    }
}

#[wasm_bindgen_test]
async fn what_throws_or_rejects_is_a_network_error() {
    for body in [
        "throw new Error('0xcanary')",
        "throw undefined",
        "return Promise.reject(new Error('0xcanary'))",
        "return Promise.reject()",
        "return { then() { throw 1 } }",
        "return { get then() { throw 1 } }",
        "const p = Promise.resolve({}); p.then = () => { throw 1 }; Object.defineProperty(p, 'constructor', { get() { throw 1 } }); return p",
    ] {
        let client = client(&format!("{{ transport() {{ {body} }} }}"));
        let error = failure(ask(&client)).await;
        assert_code(&error, "network");
        assert_js(
            &error,
            "it.recovery === 'retry' && !it.message.includes('0xcanary')",
        );
    }
}

#[wasm_bindgen_test]
async fn what_never_settles_times_out_and_is_aborted() {
    let calls = log();
    let options = logging(
        &calls,
        "({ timeoutMs: 20, transport(call) { it.push(call.signal); return new Promise(() => {}) } })",
    );
    let client = client_of(&options).unwrap();
    assert_code(&failure(list(&client, "undefined")).await, "timeout");
    assert_code(&failure(list(&client, "{ timeoutMs: 1 }")).await, "timeout");
    assert_js(
        &calls,
        "it.length === 2 && it.every(signal => signal.aborted)",
    );
}

#[wasm_bindgen_test]
async fn an_answered_call_is_not_aborted() {
    let calls = log();
    let options = logging(
        &calls,
        "({ timeoutMs: 30, transport(call) { it.push(call.signal); return { status: 200, body: { data: [] } } } })",
    );
    let client = client_of(&options).unwrap();
    settled(list(&client, "undefined")).await.unwrap();
    sleep(60).await;
    assert_js(&calls, "it.length === 1 && !it[0].aborted");
}

#[wasm_bindgen_test]
async fn grids_errors_come_with_all_they_say() {
    let client = client(
        "{ transport: () => ({ status: 429, retryAfterMs: 1500, body: {
            status: 429, code: 'RATE_LIMITED', message: 'Slow down', details: { limit: 3, __proto__: null } } }) }",
    );
    let error = failure(client.operation(
        "challengeAuthCredential",
        &"AuthMethod:1".into(),
        &JsValue::UNDEFINED,
        &JsValue::UNDEFINED,
    ))
    .await;
    assert_code(&error, "rate_limited");
    assert_js(
        &error,
        "it.status === 429 && it.gridCode === 'RATE_LIMITED'",
    );
    assert_js(&error, "it.retryAfterMs === 1500 && it.recovery === 'wait'");
    assert_js(
        &error,
        "it.operation === 'challengeAuthCredential' && it.details.limit === 3",
    );
}

#[wasm_bindgen_test]
async fn an_observer_that_throws_does_no_harm() {
    let events = log();
    let options = logging(
        &events,
        "({ onRequest(event) { it.push(event); throw new Error('log') },
            transport: () => ({ status: 404, body: { status: 404, code: 'NOT_FOUND', message: 'x', details: {} } }) })",
    );
    let client = client_of(&options).unwrap();
    assert_code(&failure(list(&client, "undefined")).await, "not_found");
    assert_js(
        &events,
        "it.length === 2 && it.every(Object.isFrozen) && it[0].id === it[1].id",
    );
    assert_js(
        &events,
        "it[0].phase === 'sent' && it[0].leg === 1 && it[0].signed === false",
    );
    assert_js(
        &events,
        "it[1].phase === 'ended' && it[1].status === 404 && it[1].code === 'not_found'",
    );
    assert_js(
        &events,
        "it[0].operation === 'listAuthSessions' && it[1].durationMs >= 0",
    );
}
