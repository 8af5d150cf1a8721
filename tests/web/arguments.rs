//! What JavaScript code may pass in instead of what is asked for.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::{SealedKeyReceiver, SessionKey, WalletExportKey, oauth_nonce};
use crate::support::{
    assert_code, assert_js, client, client_of, failure, js, list, log, logging, settled, text_of,
};

async fn stamp_failure(payload: &JsValue) -> JsValue {
    let key = SessionKey::generate().ok().unwrap();
    failure(key.dangerously_stamp_unchecked(payload)).await
}

/// Each of these is no string, whatever it turns into.
const NO_STRINGS: &[&str] = &[
    "undefined",
    "null",
    "5",
    "new String('text')",
    "{ toString() { return 'text' } }",
    "['text']",
    "Symbol('text')",
    "10n",
    "new Proxy({}, { get() { throw new Error('trap') } })",
    "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()",
];

#[wasm_bindgen_test]
async fn only_primitive_strings_are_strings() {
    for expression in NO_STRINGS {
        let error = stamp_failure(&js(expression)).await;
        assert_code(&error, "invalid_argument");
        assert_js(&error, "it.message.includes('`payloadToSign`')");
    }
}

#[wasm_bindgen_test]
async fn lone_surrogates_are_refused_wherever_they_stand() {
    for text in [
        "'\\ud800abc'",
        "'abc\\udc00def'",
        "'abc\\ud83d'",
        "'\\udc00\\ud800'",
    ] {
        let error = stamp_failure(&js(text)).await;
        assert_code(&error, "invalid_argument");
        assert_js(&error, "it.message.includes('surrogates')");
    }
}

#[wasm_bindgen_test]
async fn well_formed_text_is_stamped_as_it_is() {
    let key = SessionKey::generate().ok().unwrap();
    let mut stamps = Vec::new();
    // The replacement character itself is a character like any other.
    for text in ["'\\ufffd'", "'\\ud83d\\ude00'", "''"] {
        let stamp = settled(key.dangerously_stamp_unchecked(&js(text)))
            .await
            .unwrap();
        stamps.push(stamp.as_string().unwrap());
    }
    stamps.dedup();
    assert_eq!(stamps.len(), 3);
}

#[wasm_bindgen_test]
async fn a_payload_has_at_most_one_mebibyte() {
    let key = SessionKey::generate().ok().unwrap();
    settled(key.dangerously_stamp_unchecked(&js("'x'.repeat(1024 * 1024)")))
        .await
        .unwrap();
    for text in [
        "'x'.repeat(1024 * 1024 + 1)",
        "'\\u20ac'.repeat(1024 * 1024)",
    ] {
        assert_code(&stamp_failure(&js(text)).await, "invalid_argument");
    }
    settled(key.dangerously_stamp_unchecked(&js("'goes on'")))
        .await
        .unwrap();
}

#[wasm_bindgen_test]
fn a_code_is_at_most_16_ascii_letters_and_digits() {
    let key = SessionKey::generate().ok().unwrap();
    let seal = |code: &str| {
        let bundle = JsValue::from_str("{}");
        key.seal_otp_code(&bundle, &js(code), &JsValue::UNDEFINED)
            .err()
            .unwrap()
    };
    // The bundle is looked at after the code: these codes are good.
    for code in ["'000000'", "'ABCdef0123456789'"] {
        assert_code(&seal(code), "bundle_malformed");
    }
    for code in [
        "''",
        "'0'.repeat(17)",
        "'12 456'",
        "'12345\\u00e9'",
        "'\\uff10\\uff10'",
        "'\\u0130\\u0130'",
        "123456",
        "new String('123456')",
    ] {
        let error = seal(code);
        assert_code(&error, "invalid_argument");
        assert_js(&error, "!/12345|0000/.test(it.message)");
    }
}

#[wasm_bindgen_test]
fn a_private_key_is_a_uint8array_of_32_bytes_below_n() {
    for bytes in [
        "undefined",
        "new Uint8Array(31).fill(1)",
        "new Uint8Array(33).fill(1)",
        "new Uint8Array(0)",
        "new Uint8Array(1e6).fill(1)",
        "Array(32).fill(1)",
        "new Uint16Array(32).fill(1)",
        "new Uint8Array(32).fill(1).buffer",
        "'01'.repeat(32)",
        "new Uint8Array(32)",
        "new Uint8Array(32).fill(255)",
        "new Proxy(new Uint8Array(32).fill(1), { get() { throw new Error('trap') } })",
        "Object.setPrototypeOf({ length: 32 }, Uint8Array.prototype)",
        "(() => { const a = new Uint8Array(32).fill(1); structuredClone(a.buffer, { transfer: [a.buffer] }); return a })()",
    ] {
        let bytes = js(bytes);
        let errors = [
            SessionKey::dangerously_from_private_key(&bytes).err(),
            SealedKeyReceiver::dangerously_from_private_key(&bytes).err(),
            WalletExportKey::dangerously_from_private_key(&bytes).err(),
        ];
        for error in errors {
            assert_code(&error.unwrap(), "invalid_argument");
        }
    }
    let bytes = js("new Uint8Array(40).fill(1).subarray(4, 36)");
    let key = SessionKey::dangerously_from_private_key(&bytes)
        .ok()
        .unwrap();
    assert_js(
        &key.dangerously_export_private_key().ok().unwrap(),
        "it.length === 32 && it.every(b => b === 1)",
    );
}

#[wasm_bindgen_test]
fn each_property_is_read_once() {
    let reads = log();
    let options = logging(
        &reads,
        "({ get publicKeyEncoding() { it.push('encoding'); return it.length > 1 ? 'evil' : 'compressed' },
            get enclaveKey() { it.push('key'); return undefined } })",
    );
    let key = SessionKey::generate().ok().unwrap();
    let error = key
        .seal_otp_code(&"{}".into(), &"1".into(), &options)
        .err()
        .unwrap();
    assert_code(&error, "bundle_malformed");
    assert_eq!(text_of(&reads, "it.sort()"), "encoding,key");
}

#[wasm_bindgen_test]
fn after_the_first_wrong_argument_nothing_more_is_looked_at() {
    let reads = log();
    let options = logging(
        &reads,
        "({ get publicKeyEncoding() { it.push('encoding'); return 5 },
            get enclaveKey() { it.push('key'); return 5 } })",
    );
    let key = SessionKey::generate().ok().unwrap();
    let error = key
        .seal_otp_code(&"{}".into(), &"1".into(), &options)
        .err()
        .unwrap();
    assert_js(&error, "it.message.includes('publicKeyEncoding')");
    assert_eq!(text_of(&reads, "it"), "encoding");
}

#[wasm_bindgen_test]
fn inherited_properties_do_not_count() {
    js("Object.prototype.publicKeyEncoding = 'evil', Object.prototype.enclaveKey = 'evil'");
    let key = SessionKey::generate().ok().unwrap();
    let sealed = key.seal_otp_code(&"{}".into(), &"1".into(), &js("{}"));
    js("delete Object.prototype.publicKeyEncoding && delete Object.prototype.enclaveKey");
    assert_code(&sealed.err().unwrap(), "bundle_malformed");
}

#[wasm_bindgen_test]
fn options_that_throw_are_refused_by_name() {
    let key = SessionKey::generate().ok().unwrap();
    for options in [
        "{ get enclaveKey() { throw new Error('0xsecret') } }",
        "new Proxy({}, { getOwnPropertyDescriptor() { throw new Error('0xsecret') } })",
        "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()",
        "'text'",
        "null",
        "5",
    ] {
        let error = key
            .seal_otp_code(&"{}".into(), &"1".into(), &js(options))
            .err()
            .unwrap();
        let error = error;
        assert_code(&error, "invalid_argument");
        assert_js(
            &error,
            "it.message.includes('`options') && !it.message.includes('0xsecret')",
        );
    }
}

#[wasm_bindgen_test]
fn unknown_properties_are_tolerated() {
    let key = SessionKey::generate().ok().unwrap();
    let options = js("{ toBeAddedLater: true, publicKeyEncoding: 'compressed' }");
    let error = key
        .seal_otp_code(&"{}".into(), &"1".into(), &options)
        .err()
        .unwrap();
    assert_code(&error, "bundle_malformed");
}

#[wasm_bindgen_test]
async fn a_client_says_which_option_is_wrong() {
    for (options, name) in [
        ("undefined", "options"),
        ("null", "options"),
        ("{}", "baseUrl"),
        ("{ baseUrl: 5 }", "options.baseUrl"),
        ("{ baseUrl: 'https://a.example/?x' }", "baseUrl"),
        (
            "{ baseUrl: 'https://' + 'a'.repeat(3000) }",
            "options.baseUrl",
        ),
        ("{ transport: 'fetch' }", "options.transport"),
        ("{ transport() {}, timeoutMs: 0 }", "options.timeoutMs"),
        ("{ transport() {}, timeoutMs: -1 }", "options.timeoutMs"),
        ("{ transport() {}, timeoutMs: NaN }", "options.timeoutMs"),
        (
            "{ transport() {}, timeoutMs: Infinity }",
            "options.timeoutMs",
        ),
        (
            "{ transport() {}, timeoutMs: 2 ** 31 }",
            "options.timeoutMs",
        ),
        ("{ transport() {}, timeoutMs: '1' }", "options.timeoutMs"),
        (
            "{ transport() {}, sessionKeys: 'constructor' }",
            "options.sessionKeys",
        ),
        (
            "{ transport() {}, passkey: { rpId: 1 } }",
            "options.passkey.rpId",
        ),
        (
            "{ transport() {}, passkey: 'a.example' }",
            "options.passkey",
        ),
        ("{ transport() {}, enclave: 'staging' }", "options.enclave"),
        (
            "{ transport() {}, enclave: {} }",
            "options.enclave.dangerouslyTrust",
        ),
        (
            "{ transport() {}, enclave: { dangerouslyTrust: { export: 'unsigned-sandbox' } } }",
            "options.enclave.dangerouslyTrust.otp",
        ),
        ("{ transport() {}, onRequest: {} }", "options.onRequest"),
        (
            "{ baseUrl: 'https://a.example', fetch: {} }",
            "options.fetch",
        ),
        (
            "{ baseUrl: 'https://a.example', credentials: 'maybe' }",
            "options.credentials",
        ),
        ("{ baseUrl: 'https://a.example', headers: 'x' }", "headers"),
    ] {
        let error = client_of(&js(options)).err().unwrap();
        assert_code(&error, "invalid_argument");
        let message = text_of(&error, "it.message");
        assert!(
            message.contains(&["`", name, "`"].concat()),
            "{options}: {message}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_call_says_which_option_is_wrong() {
    let client = client("{ transport: () => ({ status: 200, body: { data: [] } }) }");
    for (call, name) in [
        ("null", "call"),
        ("{ timeoutMs: '5' }", "call.timeoutMs"),
        ("{ signal: {} }", "call.signal"),
        ("{ signal: 'abort' }", "call.signal"),
        ("{ signal: null }", "call.signal"),
        (
            "{ signal: { aborted: false, addEventListener() {} } }",
            "call.signal",
        ),
        ("{ stamp: 5 }", "call.stamp"),
        ("{ requestId: 'x'.repeat(5000) }", "call.requestId"),
    ] {
        let error = failure(list(&client, call)).await;
        assert_code(&error, "invalid_argument");
        assert_js(&error, &format!("it.message.includes('`{name}`')"));
    }
    settled(list(&client, "undefined")).await.unwrap();
    settled(list(&client, "{ timeoutMs: undefined, signal: undefined }"))
        .await
        .unwrap();
}

#[wasm_bindgen_test]
async fn bodies_are_read_member_by_member() {
    let client = client("{ transport: () => ({ status: 500, body: '' }) }");
    let verify = |body: &str| {
        client.operation(
            "verifyAuthCredential",
            &"AuthMethod:1".into(),
            &js(body),
            &JsValue::UNDEFINED,
        )
    };
    for (body, name) in [
        ("undefined", "body"),
        ("{}", "body.type"),
        ("{ type: 'toString' }", "body.type"),
        ("{ type: 'EMAIL_OTP' }", "body.encryptedOtpBundle"),
        (
            "{ type: 'OAUTH', oidcToken: 'a.b.c' }",
            "body.clientPublicKey",
        ),
        ("{ type: 'PASSKEY' }", "body.assertion"),
        (
            "{ type: 'PASSKEY', assertion: { credentialId: 'AA' } }",
            "body.assertion.clientDataJson",
        ),
    ] {
        let error = failure(verify(body)).await;
        assert_code(&error, "invalid_argument");
        let message = text_of(&error, "it.message");
        assert!(
            message.contains(&["`", name, "`"].concat()),
            "{body}: {message}"
        );
    }
    let unknown = client.operation(
        "constructor",
        &JsValue::UNDEFINED,
        &JsValue::UNDEFINED,
        &JsValue::UNDEFINED,
    );
    assert_code(&failure(unknown).await, "invalid_argument");
}

#[wasm_bindgen_test]
fn an_error_is_an_error_of_javascript() {
    let error = oauth_nonce(&js("'0xcanary'")).err().unwrap();
    assert_code(&error, "invalid_argument");
    assert_js(
        &error,
        "typeof it.stack === 'string' && String(it).startsWith('GridkeyError: ')",
    );
    assert_js(
        &error,
        "it.recovery === 'integrator' && !('status' in it) && !('cause' in it)",
    );
    assert_js(
        &error,
        "!JSON.stringify([it.message, it.stack, { ...it }]).includes('0xcanary')",
    );
}

#[wasm_bindgen_test]
fn what_is_sealed_for_nobody_is_refused_and_the_receiver_goes_on() {
    let receiver = SealedKeyReceiver::generate().ok().unwrap();
    for (text, code) in [
        ("''", "bundle_malformed"),
        ("'x'", "bundle_malformed"),
        ("'1'.repeat(512)", "bundle_malformed"),
        ("'1'.repeat(513)", "invalid_argument"),
        ("'1'.repeat(1e6)", "invalid_argument"),
        ("'\\ud800'", "invalid_argument"),
        (
            "'w99a5xV6A75TfoAUkZn869fVyDYvgVsKrawMALZXmrauZd8hEv66EkPU1Z42CUaHESQjcA5bqd8dynTGBMLWB9ewtXWPEVbZvocB4Tw2K1vQVp7uwjf'",
            "decrypt_failed",
        ),
    ] {
        let error = receiver.open(&js(text)).err().unwrap();
        assert_code(&error, code);
    }
    assert_eq!(receiver.public_key().len(), 130);
}
