//! Signing in with a passkey, with a stand-in for it and answers made here.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::GridkeyClient;
use crate::credentials::{WAITING, with_credentials};
use crate::support::{assert_code, assert_js, failure, js, log, of, settled, sleep, text_of};

const ANSWERING: &str = "(credentials, good) => good(credentials)";

/// A client whose transport answers as Grid does, and pushes each call into the log.
fn client(calls: &Array) -> GridkeyClient {
    let options = of(
        calls,
        "({
            sessionKeys: 'client-held',
            passkey: { rpId: 'a.example' },
            transport(call) {
                it.push(call);
                const soon = new Date(Date.now() + 300_000).toISOString();
                const shared = { accountId: 'InternalAccount:1', type: 'PASSKEY', nickname: 'Phone', createdAt: soon, updatedAt: soon, expiresAt: soon };
                return call.operation === 'challengeAuthCredential'
                    ? { status: 200, body: { id: 'AuthMethod:1', ...shared, credentialId: 'AQID', challenge: '0123456789abcdef'.repeat(4), requestId: 'Request:1' } }
                    : { status: 200, body: { id: 'Session:1', ...shared, credentialId: 'AQID' } };
            },
        })",
    );
    GridkeyClient::create(&options, Function::new_no_args(""))
        .ok()
        .unwrap()
}

async fn prepared(client: &GridkeyClient) -> JsValue {
    let options = js("{ authMethodId: 'AuthMethod:1' }");
    settled(client.prepare_passkey(&options)).await.unwrap()
}

fn promise(it: &JsValue, expression: &str) -> Promise {
    of(it, expression).unchecked_into()
}

#[wasm_bindgen_test]
async fn a_passkey_signs_in() {
    let calls = log();
    let client = client(&calls);
    let session = with_credentials(ANSWERING, async |_| {
        let options = js("{ authMethodId: 'AuthMethod:1' }");
        settled(client.sign_in_with_passkey(&options))
            .await
            .unwrap()
    })
    .await;
    assert_js(
        &session,
        "it.isActive && it.type === 'PASSKEY' && it.authMethodId === 'AuthMethod:1'",
    );
    assert_js(
        &session,
        "it.expiresAt instanceof Date && it.accountId === 'InternalAccount:1'",
    );
    // The key that was sent is the key that stamps.
    let sent = text_of(&calls, "JSON.parse(it[0].body).clientPublicKey");
    assert_eq!(text_of(&session, "it.publicKey"), sent);
    assert_js(
        &calls,
        "it.length === 2 && it[1].requestId === 'Request:1' && !('stamp' in it[1])",
    );
    assert_js(
        &calls,
        "JSON.parse(it[1].body).assertion.credentialId === 'AQID'",
    );
}

#[wasm_bindgen_test]
async fn a_prepared_sign_in_asks_at_once_and_can_be_cancelled_and_repeated() {
    let calls = log();
    let client = client(&calls);
    let sign_in = prepared(&client).await;
    assert_js(
        &sign_in,
        "it.authMethodId === 'AuthMethod:1' && it.expiresAt > new Date()",
    );
    of(&sign_in, "it.cancel()");

    with_credentials(WAITING, async |asked| {
        let confirming = promise(&sign_in, "it.confirm()");
        sleep(5).await;
        assert_js(
            &asked,
            "it.length === 1 && it[0].publicKey.rpId === 'a.example'",
        );
        of(&sign_in, "it.cancel()");
        assert_code(&failure(confirming).await, "aborted");
        assert_js(&asked, "it[0].signal.aborted");

        let confirming = promise(&sign_in, "it.confirm({ signal: AbortSignal.abort() })");
        assert_code(&failure(confirming).await, "aborted");
        assert_eq!(asked.length(), 1);
    })
    .await;

    let session = with_credentials(ANSWERING, async |_| {
        settled(promise(&sign_in, "it.confirm()")).await.unwrap()
    })
    .await;
    assert_js(&session, "it.isActive");
    // The challenge that was prepared was good for all of them.
    assert_eq!(
        text_of(&calls, "it.map(call => call.operation)"),
        "challengeAuthCredential,verifyAuthCredential"
    );
}

#[wasm_bindgen_test]
async fn the_callers_signal_and_cancel_both_end_a_sign_in() {
    let calls = log();
    let client = client(&calls);
    let sign_in = prepared(&client).await;
    with_credentials(WAITING, async |_| {
        for end in ["it.controller.abort('mine')", "it.signIn.cancel()"] {
            let both = of(
                &sign_in,
                "({ signIn: it, controller: new AbortController() })",
            );
            let confirming = promise(&both, "it.signIn.confirm({ signal: it.controller.signal })");
            sleep(5).await;
            of(&both, end);
            assert_code(&failure(confirming).await, "aborted");
        }
    })
    .await;
}
