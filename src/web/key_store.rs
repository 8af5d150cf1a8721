//! Session keys that no script can read: made by WebCrypto, kept in IndexedDB.
//!
//! A script of the same origin can still sign with them: what is kept is safe from being copied,
//! not from being used.

use alloc::{borrow::Cow, boxed::Box, rc::Rc, vec::Vec};
use core::future::ready;

use wasm_bindgen::JsValue;

use super::host::{self, Answer, Task, kind};
use crate::{
    crypto::key::PublicKey,
    error::{Error, ErrorCode, Result, joined},
    flow::steps::then,
    ports::{KeyStore, LocalFuture, SessionSigner},
};

/// What a key signs to show that it is the one: no payload of Grid's, each of which is an object of
/// JSON.
const PROOF: &[u8] = b"gridkey";

/// IndexedDB.
pub(crate) struct BrowserKeyStore;

impl KeyStore for BrowserKeyStore {
    fn generate(&self) -> LocalFuture<'_, Result<Rc<dyn SessionSigner>>> {
        Box::pin(async {
            let made = Task::new(host::generate_key(PROOF)).await;
            check(&made)?;
            let public_key = PublicKey::from_sec1(&made.bytes(4, 65));
            let public_key = public_key.map_err(|_| unavailable(NOT_P_256))?;
            let name = public_key.to_compressed_hex();
            let signer = signer(&made, public_key)?;
            check(&Task::new(host::in_store("put", &name, &made.value(3), &[])).await)?;
            Ok(signer)
        })
    }

    fn load(&self, public_key: &str) -> LocalFuture<'_, Result<Option<Rc<dyn SessionSigner>>>> {
        let public_key = PublicKey::from_hex(public_key);
        // Nothing is kept under another name.
        let Ok(public_key) = public_key else {
            return Box::pin(ready(Ok(None)));
        };
        let name = public_key.to_compressed_hex();
        let kept = host::in_store("get", &name, &JsValue::UNDEFINED, PROOF);
        then(host::then(kept, Ok), move |kept| match kept.kind() {
            kind::NOTHING => Ok(None),
            _ => signer(&kept, public_key).map(Some),
        })
    }

    fn remove(&self, public_key: &str) -> LocalFuture<'_, ()> {
        let name = public_key.to_ascii_lowercase();
        let removed = host::in_store("delete", &name, &JsValue::UNDEFINED, &[]);
        // What cannot be removed is of no use once it is an hour old.
        host::then(removed, |_| ())
    }
}

/// A `CryptoKey` of ECDSA over P-256.
pub(crate) struct WebCryptoSigner {
    private_key: JsValue,
    public_key: PublicKey,
}

impl SessionSigner for WebCryptoSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: Vec<u8>) -> LocalFuture<'_, Result<Vec<u8>>> {
        host::then(host::sign(&self.private_key, &message), |made| {
            signature(&made)
        })
    }
}

/// A key that cannot be copied and signs for this public key: any script of the origin may have
/// put another in its place.
///
/// The browser lets nothing else sign here than a `CryptoKey`, private, of ECDSA and with the usage
/// "sign"; what it signed tells the curve and the key.
fn signer(made: &Answer, public_key: PublicKey) -> Result<Rc<dyn SessionSigner>> {
    let signature = signature(made)?;
    let cannot_be_copied = made.value(2).is_truthy();
    if !(cannot_be_copied && public_key.verify_raw(PROOF, &signature)) {
        return Err(unavailable(
            "What is kept for this public key is another key, or one that can be copied.",
        ));
    }
    Ok(Rc::new(WebCryptoSigner {
        private_key: made.value(3),
        public_key,
    }))
}

fn signature(made: &Answer) -> Result<Vec<u8>> {
    check(made)?;
    let signature = made.bytes(1, 64);
    if signature.len() != 64 {
        return Err(unavailable(
            "WebCrypto made a signature that is not of 64 bytes.",
        ));
    }
    Ok(signature)
}

const NOT_P_256: &str = "WebCrypto made a key that is none of P-256.";

fn check(answer: &Answer) -> Result<()> {
    let kind = answer.kind();
    Err(unavailable(match kind {
        kind::DONE => return Ok(()),
        kind::MISSING => "There is no IndexedDB here, or not in a private window.",
        kind::BLOCKED => "IndexedDB is blocked by another tab, which uses an older version of it.",
        kind::LATE => "IndexedDB gave no answer within ten seconds.",
        kind::NO_CRYPTO => "There is no WebCrypto here.",
        kind::INSECURE => {
            "WebCrypto needs a secure context: serve the page by https, or from localhost."
        }
        kind::NO_REPLY => NOT_P_256,
        _ => {
            let what = match kind {
                kind::CRYPTO_FAILED => "WebCrypto failed",
                _ => "IndexedDB failed",
            };
            return Err(match answer.text(1) {
                Some(name) => unavailable(joined(&[what, ": ", &name, "."])).with_reason(name),
                None => unavailable(joined(&[what, "."])),
            });
        }
    }))
}

fn unavailable(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::StorageUnavailable, message)
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{or, poll_once};
    use js_sys::{Reflect, Uint8Array};
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::testing::{Replaced, js, of, settled};

    /// Anybody's public key.
    const GENERATOR: &str = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";

    /// Node has none: there the tests of a real database have nothing to do.
    fn has_database() -> bool {
        js("globalThis.indexedDB != null").is_truthy()
    }

    /// Deletes the database, and tells whether nobody had it open.
    async fn deleted() -> bool {
        let deletion = "new Promise((resolve, reject) => {
            const request = indexedDB.deleteDatabase('gridkey');
            let free = true;
            request.onblocked = () => { free = false };
            request.onerror = () => reject(request.error);
            request.onsuccess = () => resolve(free);
        })";
        settled(&JsValue::UNDEFINED, deletion).await.is_truthy()
    }

    /// Calls a function with the object store and `it`, and gives what its request comes to.
    async fn within(it: &JsValue, request: &str) -> JsValue {
        let promise = format!(
            "new Promise((resolve, reject) => {{
                const opening = indexedDB.open('gridkey');
                opening.onsuccess = () => {{
                    const transaction = opening.result.transaction('keys', 'readwrite');
                    const request = ({request})(transaction.objectStore('keys'), it);
                    transaction.onabort = () => reject(transaction.error);
                    transaction.oncomplete = () => {{ opening.result.close(); resolve(request.result) }};
                }};
            }})"
        );
        settled(it, &promise).await
    }

    async fn generated() -> (Rc<dyn SessionSigner>, String) {
        let signer = BrowserKeyStore.generate().await.unwrap();
        let name = signer.public_key().to_compressed_hex();
        (signer, name)
    }

    async fn is_kept(name: &str) -> bool {
        BrowserKeyStore.load(name).await.unwrap().is_some()
    }

    fn refused<T>(result: Result<T>) -> Error {
        let error = result.err().unwrap();
        assert_eq!(error.code(), ErrorCode::StorageUnavailable, "{error}");
        error
    }

    #[test]
    async fn a_key_outlives_the_page() {
        if !has_database() {
            return;
        }
        let (signer, name) = generated().await;
        let loaded = BrowserKeyStore.load(&name).await.unwrap().unwrap();
        assert_eq!(loaded.public_key(), signer.public_key());
        for signer in [&signer, &loaded] {
            let signature = signer.sign(b"message".to_vec()).await.unwrap();
            assert_eq!(signature.len(), 64);
            let public_key = signer.public_key();
            assert!(public_key.verify_raw(b"message", &signature));
            assert!(!public_key.verify_raw(b"massage", &signature));
        }
        let (_, other) = generated().await;
        assert_ne!(name, other);
        assert!(is_kept(&name.to_ascii_uppercase()).await);

        BrowserKeyStore.remove(&name.to_ascii_uppercase()).await;
        assert!(!is_kept(&name).await && is_kept(&other).await);
        loaded.sign(Vec::new()).await.unwrap();
        assert!(deleted().await);
        assert!(!is_kept(&other).await);
        assert!(deleted().await);
    }

    #[test]
    async fn names_that_are_no_public_keys_are_of_nothing() {
        for name in ["", "zz", "02", &"00".repeat(33), &"ff".repeat(33)] {
            assert!(!is_kept(name).await, "{name}");
        }
    }

    #[test]
    async fn no_script_can_read_a_key() {
        if !has_database() {
            return;
        }
        let (_, name) = generated().await;
        let record = within(&name.into(), "(store, name) => store.get(name)").await;
        let members = of(&record, "Object.keys(it).sort().join()");
        assert_eq!(members, "createdAt,privateKey");
        let created = of(&record, "Math.abs(Date.now() - it.createdAt) < 60_000");
        assert!(created.is_truthy());
        let key = of(&record, "it.privateKey");
        assert_eq!(of(&key, "it.usages.join()"), "sign");
        assert_eq!(of(&key, "it.type"), "private");
        for form in ["pkcs8", "jwk"] {
            let exported = format!(
                "crypto.subtle.exportKey('{form}', it).then(() => 'out', error => error.name)"
            );
            assert_eq!(settled(&key, &exported).await, "InvalidAccessError");
        }
        assert!(deleted().await);
    }

    #[test]
    async fn what_is_too_old_is_not_loaded_and_goes() {
        if !has_database() {
            return;
        }
        for (created_at, is_fresh) in [
            ("Date.now() - 59 * 60_000", true),
            ("Date.now() - 61 * 60_000", false),
            ("Date.now() + 59 * 60_000", true),
            ("Date.now() + 61 * 60_000", false),
            ("NaN", false),
            ("String(Date.now())", false),
            ("undefined", false),
        ] {
            for by_generating in [false, true] {
                let (_, name) = generated().await;
                let (_, other) = generated().await;
                let name_value = JsValue::from(&name);
                let age = format!(
                    "(store, name) => store.get(name).onsuccess = event =>
                        store.put({{ ...event.target.result, createdAt: {created_at} }}, name)"
                );
                within(&name_value, &age).await;
                if by_generating {
                    generated().await;
                } else {
                    assert_eq!(is_kept(&name).await, is_fresh, "{created_at}");
                }
                let left = within(&name_value, "(store, name) => store.count(name)").await;
                assert_eq!(left == 1, is_fresh, "{created_at}");
                assert!(is_kept(&other).await);
            }
        }
        assert!(deleted().await);
    }

    #[test]
    async fn another_key_is_not_handed_out() {
        if !has_database() {
            return;
        }
        let (_, name) = generated().await;
        let name_value = JsValue::from(&name);
        let swap = async |private_key: &JsValue| {
            let it = of(&name_value, "{ name: it }");
            Reflect::set(&it, &"privateKey".into(), private_key).unwrap();
            let put = "(store, it) => store.put({ privateKey: it.privateKey, createdAt: Date.now() }, it.name)";
            within(&it, put).await;
        };
        let make = |algorithm: &str, usages: &str, half: &str| {
            format!(
                "crypto.subtle.generateKey({algorithm}, false, {usages}).then(made => made{half})"
            )
        };
        let ecdsa = "{ name: 'ECDSA', namedCurve: 'P-256' }";
        for private_key in [
            make(ecdsa, "['sign']", ".privateKey"),
            make(ecdsa, "['sign', 'verify']", ".publicKey"),
            make("{ name: 'ECDSA', namedCurve: 'P-384' }", "['sign']", ".privateKey"),
            make("{ name: 'ECDH', namedCurve: 'P-256' }", "['deriveBits']", ".privateKey"),
            make("{ name: 'HMAC', hash: 'SHA-256' }", "['sign']", ""),
            make("{ name: 'AES-GCM', length: 256 }", "['encrypt']", ""),
            "({ type: 'private', extractable: false, algorithm: { name: 'ECDSA', namedCurve: 'P-256' }, usages: ['sign'] })".to_owned(),
            "'key'".to_owned(),
            "null".to_owned(),
            "undefined".to_owned(),
        ] {
            swap(&settled(&JsValue::UNDEFINED, &private_key).await).await;
            refused(BrowserKeyStore.load(&name).await);
        }

        // The right one, but for everybody to read.
        let readable = settled(
            &JsValue::UNDEFINED,
            "crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']).then(async pair => ({
                pair, raw: await crypto.subtle.exportKey('raw', pair.publicKey),
                jwk: await crypto.subtle.exportKey('jwk', pair.privateKey) }))",
        )
        .await;
        let public_key = Uint8Array::new(&of(&readable, "it.raw")).to_vec();
        let public_key = PublicKey::from_sec1(&public_key).unwrap();
        let name = JsValue::from(public_key.to_compressed_hex());
        for (private_key, is_fit) in [
            ("it.pair.privateKey", false),
            (
                "crypto.subtle.importKey('jwk', { ...it.jwk, ext: false, key_ops: ['sign'] }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])",
                true,
            ),
        ] {
            let it = settled(&readable, &format!("Promise.resolve({private_key})")).await;
            let pair = of(&it, "{ privateKey: it, createdAt: Date.now() }");
            Reflect::set(&pair, &"name".into(), &name).unwrap();
            within(
                &pair,
                "(store, { name, ...record }) => store.put(record, name)",
            )
            .await;
            let loaded = BrowserKeyStore.load(&public_key.to_compressed_hex()).await;
            assert_eq!(loaded.is_ok(), is_fit);
        }
        assert!(deleted().await);
    }

    #[test]
    async fn a_database_that_was_closed_is_opened_again_once() {
        if !has_database() {
            return;
        }
        for (failures, is_kept) in [(1, true), (2, false)] {
            let restore = of(
                &failures.into(),
                "(() => {
                    const { transaction } = IDBDatabase.prototype;
                    IDBDatabase.prototype.transaction = function (...scope) {
                        if (it-- > 0) this.close();
                        return transaction.apply(this, scope);
                    };
                    return () => { IDBDatabase.prototype.transaction = transaction };
                })()",
            );
            let result = BrowserKeyStore.generate().await;
            of(&restore, "it()");
            match is_kept {
                true => assert!(result.is_ok()),
                false => assert_eq!(refused(result).reason(), Some("InvalidStateError")),
            }
        }
        assert!(deleted().await);
    }

    #[test]
    async fn a_key_that_cannot_be_kept_is_not_handed_out() {
        if !has_database() {
            return;
        }
        for (put, reason) in [
            (
                "throw new DOMException('', 'DataCloneError')",
                Some("DataCloneError"),
            ),
            (
                "const request = put.apply(this, it); this.transaction.abort(); return request",
                Some("AbortError"),
            ),
            // Two of the same name: the second request fails, and with it the transaction.
            (
                "this.add(...it); return this.add(...it)",
                Some("ConstraintError"),
            ),
            // The request succeeds, and the transaction does not.
            (
                "const request = put.apply(this, it); request.addEventListener('success', () => this.transaction.abort()); return request",
                None,
            ),
        ] {
            let restore = js(&format!(
                "(() => {{
                    const {{ put }} = IDBObjectStore.prototype;
                    IDBObjectStore.prototype.put = function (...it) {{ {put} }};
                    return () => {{ IDBObjectStore.prototype.put = put }};
                }})()"
            ));
            let result = BrowserKeyStore.generate().await;
            of(&restore, "it()");
            let error = refused(result);
            if let Some(reason) = reason {
                assert_eq!(error.reason(), Some(reason), "{put}");
                assert!(error.message().contains(reason));
            }
            let kept = within(&JsValue::UNDEFINED, "store => store.count()").await;
            assert_eq!(kept, 0, "{put}");
        }
        assert!(deleted().await);
    }

    #[test]
    async fn a_database_of_somebody_elses_is_refused() {
        if !has_database() {
            return;
        }
        for (version, reason) in [(1, "NotFoundError"), (2, "VersionError")] {
            settled(
                &version.into(),
                "new Promise(resolve => {
                    const request = indexedDB.open('gridkey', it);
                    request.onsuccess = () => { request.result.close(); resolve() };
                })",
            )
            .await;
            let error = refused(BrowserKeyStore.generate().await);
            assert_eq!(error.reason(), Some(reason));
            assert!(deleted().await);
        }
    }

    /// Dropped while it opens a database, makes one, writes, or closes.
    #[test]
    async fn an_abandoned_use_leaves_nothing_open() {
        if !has_database() {
            return;
        }
        // A timer would not be exact enough.
        let waited = async |ms: f64| {
            let waited = "new Promise(resolve => {
                const end = performance.now() + it;
                const { port1, port2 } = new MessageChannel();
                const turn = () => performance.now() < end ? port2.postMessage(0) : (port1.close(), resolve());
                port1.onmessage = turn;
                turn();
            })";
            settled(&ms.into(), waited).await;
        };
        let mut ms = 0.25;
        let mut finished = Vec::new();
        while finished.len() < 3 {
            let generating = async { BrowserKeyStore.generate().await.is_ok() };
            let abandoned = async {
                waited(ms).await;
                false
            };
            if or(generating, abandoned).await {
                finished.push(ms);
            }
            // One that is not asked again before its time has passed.
            let mut generating = BrowserKeyStore.generate();
            for _ in 0..5 {
                if poll_once(&mut generating).await.is_some() {
                    break;
                }
                waited(ms).await;
            }
            drop(generating);
            let (_, name) = generated().await;
            assert!(is_kept(&name).await);
            assert!(deleted().await, "{ms}");
            ms *= 1.15;
            assert!(ms < 60_000.0);
        }
        assert!(ms > 0.5, "{ms}");
    }

    #[test]
    async fn a_database_that_does_not_open_in_time_is_closed_later() {
        if !has_database() {
            return;
        }
        // Somebody has it open and does not care that somebody else wants to delete it.
        let held = settled(
            &JsValue::UNDEFINED,
            "new Promise(resolve => {
                const request = indexedDB.open('gridkey', 1);
                request.onsuccess = () => {
                    const deletion = indexedDB.deleteDatabase('gridkey');
                    deletion.onblocked = () => resolve({ database: request.result, deleted: new Promise(resolve => { deletion.onsuccess = resolve }) });
                };
            })",
        )
        .await;
        let error = {
            let _soon = Replaced::new(
                "setTimeout",
                "{ value: (setTimeout => (callback, ms) => setTimeout(callback, ms / 50))(setTimeout) }",
            );
            refused(BrowserKeyStore.generate().await)
        };
        assert!(error.message().contains("ten seconds"), "{error}");
        settled(&held, "(it.database.close(), it.deleted)").await;
        // The one that was late makes the database, and it makes all of it.
        settled(
            &JsValue::UNDEFINED,
            "(async () => {
                while (!(await indexedDB.databases()).some(({ name }) => name === 'gridkey')) {
                    await new Promise(resolve => setTimeout(resolve, 5));
                }
            })()",
        )
        .await;
        let kept = within(&JsValue::UNDEFINED, "store => store.count()").await;
        assert_eq!(kept, 0);
        assert!(deleted().await);
    }

    /// A stand-in for what no browser can be made to do: an expression over `it`, which remembers.
    fn stand_in(open: &str) -> (JsValue, Replaced) {
        let it = js("globalThis.gridkeyTest = { opened: 0, closed: 0 }");
        let factory = format!(
            "{{ value: {{ open() {{
                const it = globalThis.gridkeyTest;
                it.opened++;
                const fail = (target, name) => Object.assign(target, {{ error: new DOMException('0xcanary', name) }});
                const later = (target, type) => setTimeout(() => target['on' + type]?.({{ type }}));
                const request = {{ readyState: 'done' }};
                const database = {{ close() {{ it.closed++ }} }};
                {open};
                return request;
            }} }} }}"
        );
        (it, Replaced::new("indexedDB", &factory))
    }

    #[test]
    async fn a_broken_database_is_an_error_that_names_it() {
        for (indexed_db, reason) in [
            ("{ value: undefined }", None),
            ("{ value: null }", None),
            ("{ value: {} }", None),
            ("{ value: { open: 5 } }", None),
            (
                "{ get() { throw new DOMException('0xcanary', 'SecurityError') } }",
                None,
            ),
            (
                "{ value: { open() { throw new DOMException('0xcanary', 'SecurityError') } } }",
                Some("SecurityError"),
            ),
            ("{ value: { open() { throw 5 } } }", None),
            ("{ value: { open() { throw { name: 'a b' } } } }", None),
            ("{ value: { open() { throw { name: '' } } } }", None),
            (
                "{ value: { open() { throw { name: 'x'.repeat(33) } } } }",
                None,
            ),
            (
                "{ value: { open() { throw { get name() { throw 1 } } } } }",
                None,
            ),
        ] {
            let _broken = Replaced::new("indexedDB", indexed_db);
            let generated = refused(BrowserKeyStore.generate().await);
            let loaded = refused(BrowserKeyStore.load(GENERATOR).await);
            BrowserKeyStore.remove(GENERATOR).await;
            for error in [generated, loaded] {
                assert_eq!(error.reason(), reason, "{indexed_db}");
                assert!(error.message().contains("IndexedDB"));
                assert!(!error.message().contains("0xcanary"));
            }
        }
    }

    #[test]
    async fn a_database_that_fails_is_tried_again_only_where_that_may_help() {
        for (open, reason, opened, closed) in [
            // Private windows of Firefox before 115.
            ("later(fail(request, 'InvalidStateError'), 'error')", Some("InvalidStateError"), 2, 0),
            ("later(fail(request, 'UnknownError'), 'error')", Some("UnknownError"), 2, 0),
            ("later(fail(request, 'QuotaExceededError'), 'error')", Some("QuotaExceededError"), 1, 0),
            ("later(request, 'error')", None, 1, 0),
            // The transaction fails as it ends: there is no room.
            ("request.result = database; later(request, 'success');
              database.transaction = () => {
                  const done = { result: undefined };
                  const transaction = { objectStore: () => ({ put() { later(done, 'success'); return done }, openCursor() { later(done, 'success'); setTimeout(() => later(fail(transaction, 'QuotaExceededError'), 'abort')); return done } }) };
                  return transaction;
              }", Some("QuotaExceededError"), 1, 1),
        ] {
            let (it, _replaced) = stand_in(open);
            let error = refused(BrowserKeyStore.generate().await);
            assert_eq!(error.reason(), reason, "{open}");
            assert_eq!(of(&it, "it.opened"), opened, "{open}");
            assert_eq!(of(&it, "it.closed"), closed, "{open}");
        }
    }

    #[test]
    async fn a_blocked_database_is_given_up_and_closed_later() {
        let (it, _replaced) = stand_in(
            "request.readyState = 'pending'; later(request, 'blocked');
             it.unblock = () => { request.readyState = 'done'; request.result = database; request.onsuccess({ type: 'success' }) }",
        );
        let error = refused(BrowserKeyStore.generate().await);
        assert!(error.message().contains("another tab"), "{error}");
        assert_eq!(of(&it, "it.closed"), 0);
        settled(
            &it,
            "new Promise(resolve => setTimeout(resolve)).then(() => it.unblock()).then(() => new Promise(resolve => setTimeout(resolve)))",
        )
        .await;
        assert_eq!(of(&it, "it.closed"), 1);
    }

    #[test]
    async fn without_web_crypto_there_is_a_clear_error() {
        for (crypto, message) in [
            ("{ value: undefined }", "no WebCrypto"),
            ("{ value: {} }", "no WebCrypto"),
            ("{ get() { throw 1 } }", "no WebCrypto"),
            ("{ value: { subtle: {} } }", "no WebCrypto"),
            ("{ value: { subtle: { generateKey() { throw new DOMException('', 'NotSupportedError') } } } }", "NotSupportedError"),
            ("{ value: { subtle: { generateKey: async () => { throw new DOMException('', 'OperationError') } } } }", "OperationError"),
            ("{ value: { subtle: { generateKey: async () => undefined, exportKey: async () => undefined } } }", "none of P-256"),
            ("{ value: { subtle: { generateKey: async () => ({}), exportKey: async () => new ArrayBuffer(65) } } }", "none of P-256"),
            ("{ value: { subtle: (subtle => ({
                generateKey: (_, ...more) => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, ...more),
                exportKey: (...all) => subtle.exportKey(...all) }))(crypto.subtle) } }", "none of P-256"),
            ("{ value: { subtle: (subtle => ({
                generateKey: (...all) => subtle.generateKey(...all), exportKey: (...all) => subtle.exportKey(...all),
                sign: async () => new ArrayBuffer(63) }))(crypto.subtle) } }", "64 bytes"),
            ("{ value: { subtle: (subtle => ({
                generateKey: (...all) => subtle.generateKey(...all), exportKey: (...all) => subtle.exportKey(...all),
                sign: async () => new ArrayBuffer(65) }))(crypto.subtle) } }", "64 bytes"),
            ("{ value: { subtle: (subtle => ({
                generateKey: (algorithm, _, usages) => subtle.generateKey(algorithm, true, usages), exportKey: (...all) => subtle.exportKey(...all),
                sign: (...all) => subtle.sign(...all) }))(crypto.subtle) } }", "can be copied"),
        ] {
            let _broken = Replaced::new("crypto", crypto);
            let error = refused(BrowserKeyStore.generate().await);
            assert!(error.message().contains(message), "{crypto}: {error}");
        }
        let _insecure = (
            Replaced::new("crypto", "{ value: {} }"),
            Replaced::new("isSecureContext", "{ value: false }"),
        );
        let error = refused(BrowserKeyStore.generate().await);
        assert!(error.message().contains("https"), "{error}");
    }
}
