//! Passkeys, with a stand-in for `navigator.credentials`.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::{create_passkey, passkey_challenge_bytes, request_passkey};
use crate::credentials::{WAITING, with_credentials};
use crate::support::{
    assert_code, assert_js, failure, js, log, object, of, settled, sleep, text_of,
};

fn challenge() -> JsValue {
    js("{ challenge: '0123456789abcdef'.repeat(4), credentialId: 'AQID' }")
}

fn request(options: &str) -> Promise {
    request_passkey(&challenge(), &js(options))
}

fn registration() -> JsValue {
    js("{ nickname: 'Phone', challenge: 'AAECAwQFBgcICQoLDA0ODw', rp: { id: 'a.example', name: 'A' },
          user: { id: 'AQ', name: 'a@b.example' }, excludeCredentials: [{ id: 'AQID', type: 'public-key', transports: ['usb'] }] }")
}

#[wasm_bindgen_test]
async fn an_assertion_is_read_from_raw_buffers() {
    let calls = log();
    let answer = with_credentials(
        "(options, good) => Promise.resolve(good(options))",
        async |seen| {
            let answer = settled(request("{ rpId: 'a.example', timeoutMs: 5000 }"))
                .await
                .unwrap();
            calls.push(&of(&seen, "it[0]"));
            answer
        },
    )
    .await;
    assert_js(
        &answer,
        "it.credentialId === 'AQID' && it.authenticatorData === 'BA'",
    );
    assert_js(&answer, "it.signature === '__4' && !('userHandle' in it)");
    assert_js(&answer, "!it.clientDataJson.includes('=')");
    let asked = of(&calls, "it[0].publicKey");
    // 64 ASCII bytes: WebAuthn signs the digits.
    assert_js(
        &asked,
        "it.challenge.length === 64 && it.challenge[10] === 97",
    );
    assert_js(
        &asked,
        "it.allowCredentials.length === 1 && String(it.allowCredentials[0].id) === '1,2,3'",
    );
    assert_js(
        &asked,
        "it.rpId === 'a.example' && it.timeout === 5000 && it.userVerification === 'required'",
    );
    assert_js(&asked, "Object.getPrototypeOf(it) === null");
    assert_js(
        &calls,
        "it[0].signal instanceof AbortSignal && !it[0].signal.aborted",
    );
}

#[wasm_bindgen_test]
async fn a_passkey_is_made_as_grid_takes_it() {
    let calls = log();
    let answer = with_credentials("(options, good) => good(options)", async |seen| {
        let answer = settled(create_passkey(&registration(), &JsValue::UNDEFINED))
            .await
            .unwrap();
        calls.push(&of(&seen, "it[0]"));
        answer
    })
    .await;
    assert_js(
        &answer,
        "it.attestationObject === 'BQ' && it.credentialId === 'AQID'",
    );
    assert_eq!(
        text_of(&answer, "JSON.stringify(it.transports)"),
        r#"["internal"]"#
    );
    let asked = of(&calls, "it[0].publicKey");
    assert_eq!(
        text_of(&asked, "JSON.stringify(it.pubKeyCredParams)"),
        r#"[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}]"#
    );
    assert_eq!(
        text_of(&asked, "JSON.stringify(it.rp)"),
        r#"{"id":"a.example","name":"A"}"#
    );
    assert_js(
        &asked,
        "it.user.name === 'a@b.example' && it.user.displayName === 'a@b.example'",
    );
    assert_js(
        &asked,
        "it.challenge.length === 16 && it.user.id.length === 1",
    );
    assert_js(
        &asked,
        "it.excludeCredentials.length === 1 && it.attestation === 'none'",
    );
    assert_js(
        &asked,
        "it.authenticatorSelection.residentKey === 'preferred' && it.authenticatorSelection.userVerification === 'required'",
    );
}

#[wasm_bindgen_test]
async fn exceptions_are_told_apart_by_their_names() {
    for (name, get, create) in [
        ("NotAllowedError", "passkey_not_used", "passkey_not_used"),
        ("AbortError", "passkey_not_used", "passkey_not_used"),
        ("UnknownError", "passkey_not_used", "passkey_not_used"),
        ("OperationError", "passkey_not_used", "passkey_not_used"),
        (
            "InvalidStateError",
            "passkey_not_used",
            "passkey_already_registered",
        ),
        (
            "NotSupportedError",
            "passkey_unsupported",
            "passkey_unsupported",
        ),
        (
            "SecurityError",
            "passkey_unsupported",
            "passkey_unsupported",
        ),
        (
            "ConstraintError",
            "passkey_unsupported",
            "passkey_unsupported",
        ),
        ("TypeError", "passkey_unsupported", "passkey_unsupported"),
    ] {
        let ceremony = format!("() => Promise.reject(new DOMException('0xcanary', '{name}'))");
        with_credentials(&ceremony, async |_| {
            for (code, promise) in [
                (get, request("undefined")),
                (create, create_passkey(&registration(), &JsValue::UNDEFINED)),
            ] {
                let error = failure(promise).await;
                assert_code(&error, code);
                assert_js(
                    &error,
                    &format!("it.reason === '{name}' && !it.message.includes('0xcanary')"),
                );
            }
        })
        .await;
    }
    with_credentials("() => { throw { name: '0xcanary' } }", async |_| {
        let error = failure(request("undefined")).await;
        assert_code(&error, "passkey_not_used");
        assert_js(&error, "!('reason' in it)");
    })
    .await;
    with_credentials(
        "() => { throw new DOMException('', 'SecurityError') }",
        async |_| {
            let error = failure(request("undefined")).await;
            assert_js(
                &error,
                "it.message.includes('rpId') && it.message.includes('https')",
            );
        },
    )
    .await;
}

#[wasm_bindgen_test]
async fn junk_is_no_answer() {
    for ceremony in [
        "() => null",
        "() => undefined",
        "() => ({})",
        "() => ({ rawId: new ArrayBuffer(3), response: {} })",
        "(options, good) => ({ ...good(options), rawId: 'AQID' })",
        "(options, good) => ({ ...good(options), rawId: { byteLength: 1e9 } })",
        "(options, good) => ({ ...good(options), rawId: { get byteLength() { throw 1 } } })",
        "(options, good) => ({ ...good(options), rawId: { byteLength: 3, length: 4 } })",
        "(options, good) => ({ ...good(options), rawId: new ArrayBuffer(65537) })",
        "() => new Proxy({}, { get() { throw 1 } })",
    ] {
        with_credentials(ceremony, async |_| {
            assert_code(&failure(request("undefined")).await, "passkey_not_used");
        })
        .await;
    }
    // Another challenge, or another kind of ceremony, than was asked for.
    for ceremony in [
        "(options, good) => good({ publicKey: { challenge: Uint8Array.of(1) } })",
        "(options, good) => good({ publicKey: { ...options.publicKey, challenge: options.publicKey.challenge, user: {} } })",
    ] {
        with_credentials(ceremony, async |_| {
            assert_code(&failure(request("undefined")).await, "passkey_rejected");
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn an_extension_may_leave_transports_out() {
    // An empty user handle is none.
    with_credentials(
        "(options, good) => { const used = good(options); used.response.userHandle = new ArrayBuffer(0); return used }",
        async |_| {
            let used = settled(request("undefined")).await.unwrap();
            assert_js(&used, "!('userHandle' in it)");
        },
    )
    .await;
    for transports in [
        "undefined",
        "() => { throw 1 }",
        "() => 5",
        "() => [5, {}, 'x'.repeat(99)]",
    ] {
        let ceremony = format!(
            "(options, good) => {{ const made = good(options); made.response.getTransports = {transports}; return made }}"
        );
        with_credentials(&ceremony, async |_| {
            let made = create_passkey(&registration(), &JsValue::UNDEFINED);
            assert_js(&settled(made).await.unwrap(), "it.transports.length === 0");
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn a_new_ceremony_ends_the_old() {
    with_credentials(WAITING, async |seen| {
        let old = request("undefined");
        sleep(5).await;
        let controller = js("new AbortController()");
        let new = request_passkey(
            &challenge(),
            &object("signal", &of(&controller, "it.signal")),
        );
        let error = failure(old).await;
        assert_code(&error, "passkey_not_used");
        assert_js(&error, "it.reason === 'AbortError'");
        assert_js(
            &seen,
            "it.length === 2 && it[0].signal.aborted && !it[1].signal.aborted",
        );
        of(&controller, "it.abort()");
        assert_code(&failure(new).await, "aborted");
        assert_js(&seen, "it[1].signal.aborted");
    })
    .await;
}

#[wasm_bindgen_test]
async fn an_aborted_signal_asks_for_no_passkey() {
    with_credentials(WAITING, async |seen| {
        let call = object("signal", &js("AbortSignal.abort()"));
        let error = failure(request_passkey(&challenge(), &call)).await;
        assert_code(&error, "aborted");
        assert_eq!(seen.length(), 0);
    })
    .await;
}

#[wasm_bindgen_test]
async fn the_browser_is_asked_before_anything_else_happens() {
    // A macrotask later the tap would be over in some browsers.
    with_credentials("(options, good) => good(options)", async |seen| {
        let promise = request("undefined");
        settled(js("Promise.resolve().then(() => {}).then(() => {})").unchecked_into())
            .await
            .unwrap();
        assert_eq!(seen.length(), 1);
        settled(promise).await.unwrap();
    })
    .await;
}

#[wasm_bindgen_test]
async fn where_there_are_no_passkeys_it_is_said() {
    let remove = "(() => {
        const before = ['navigator', 'PublicKeyCredential'].map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
        for (const name of ['navigator', 'PublicKeyCredential']) Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
        return () => before.forEach(([name, descriptor]) => descriptor ? Object.defineProperty(globalThis, name, descriptor) : delete globalThis[name]);
    })()";
    let restore = js(remove);
    let error = failure(request("undefined")).await;
    of(&restore, "it()");
    assert_code(&error, "passkey_unsupported");
    assert_js(&error, "it.recovery === 'other_method'");

    let restore = js("(() => {
        const before = Object.getOwnPropertyDescriptor(globalThis, 'isSecureContext');
        Object.defineProperty(globalThis, 'isSecureContext', { value: false, configurable: true });
        return () => before ? Object.defineProperty(globalThis, 'isSecureContext', before) : delete globalThis.isSecureContext;
    })()");
    let error = failure(request("undefined")).await;
    of(&restore, "it()");
    assert_code(&error, "passkey_unsupported");
    assert_js(&error, "it.message.includes('https')");
}

#[wasm_bindgen_test]
async fn what_is_wrong_with_a_request_is_named() {
    for (challenge, name) in [
        ("undefined", "challenge"),
        ("{ challenge: 'x', credentialId: 'AQ' }", "challenge"),
        (
            "{ challenge: '0'.repeat(64), credentialId: 'A=' }",
            "credentialId",
        ),
        (
            "{ challenge: '0'.repeat(64), credentialId: 'A'.repeat(9999) }",
            "credentialId",
        ),
        ("{ challenge: '0'.repeat(64) }", "credentialId"),
    ] {
        let error = failure(request_passkey(&js(challenge), &JsValue::UNDEFINED)).await;
        assert_code(&error, "invalid_argument");
        assert_js(&error, &format!("it.message.includes('{name}')"));
    }
    for registration in [
        "{ ...it, nickname: '' }",
        "{ ...it, nickname: 'a/b' }",
        "{ ...it, nickname: undefined }",
        "{ ...it, challenge: 'AAAA' }",
        "{ ...it, challenge: 'not base64url!' }",
        "{ ...it, user: undefined }",
        "{ ...it, user: { id: '', name: 'x' } }",
        "{ ...it, user: { id: 'A'.repeat(200), name: 'x' } }",
        "{ ...it, user: { id: 'AQ' } }",
        "{ ...it, rp: 'a.example' }",
        "{ ...it, excludeCredentials: {} }",
        "{ ...it, excludeCredentials: [null] }",
        "{ ...it, excludeCredentials: Array(300).fill({ id: 'AQ' }) }",
        "{ ...it, excludeCredentials: { length: 1, 0: { id: 'AQ' } } }",
    ] {
        let registration = of(
            &crate::authenticator::registration(),
            &["(", registration, ")"].concat(),
        );
        let error = failure(create_passkey(&registration, &JsValue::UNDEFINED)).await;
        assert_code(&error, "invalid_argument");
    }
}

#[wasm_bindgen_test]
fn a_challenge_is_64_ascii_bytes() {
    let bytes = passkey_challenge_bytes(&js("'0123456789abcdef'.repeat(4)"))
        .ok()
        .unwrap();
    assert_js(
        &bytes,
        "it instanceof Uint8Array && it.length === 64 && it[10] === 97",
    );
    for challenge in [
        "'0'.repeat(63)",
        "'0'.repeat(65)",
        "'A'.repeat(64)",
        "'0'.repeat(1e6)",
        "null",
    ] {
        let error = passkey_challenge_bytes(&js(challenge)).err().unwrap();
        assert_code(&error, "invalid_argument");
    }
}
