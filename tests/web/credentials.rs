//! A stand-in for `navigator.credentials`.

use js_sys::Array;

use crate::support::{log, of};

/// What the stand-in answers with: all that a good answer needs, and methods that extensions break.
const GOOD: &str = "(options => {
    const { challenge } = options.publicKey;
    const encode = bytes => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const type = options.publicKey.user ? 'webauthn.create' : 'webauthn.get';
    const broken = () => { throw new TypeError('Illegal invocation') };
    return {
        id: 'not read', toJSON: broken, rawId: Uint8Array.of(1, 2, 3).buffer,
        response: {
            clientDataJSON: new TextEncoder().encode(JSON.stringify({ type, challenge: encode(challenge), origin: 'https://a.example' })).buffer,
            authenticatorData: Uint8Array.of(4).buffer, signature: Uint8Array.of(255, 254).buffer, userHandle: null,
            attestationObject: Uint8Array.of(5).buffer, getPublicKey: broken, getTransports: () => ['internal', 'smart-card', 'internal'],
        },
    };
})";

/// Puts a stand-in in the place of `navigator.credentials` while `test` runs. `ceremony` is a
/// function of the options; they are pushed into the log.
pub async fn with_credentials<T>(ceremony: &str, test: impl AsyncFnOnce(Array) -> T) -> T {
    let calls = log();
    let restore = of(
        &calls,
        &format!(
            "(() => {{
                const good = {GOOD};
                const ceremony = {ceremony};
                const run = options => {{ it.push(options); return ceremony(options, good) }};
                const credentials = {{ get: run, create: run }};
                const before = ['navigator', 'PublicKeyCredential'].map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
                const define = (name, value) => Object.defineProperty(globalThis, name, {{ value, configurable: true }});
                define('navigator', {{ credentials }});
                define('PublicKeyCredential', class {{}});
                return () => before.forEach(([name, descriptor]) => descriptor ? Object.defineProperty(globalThis, name, descriptor) : delete globalThis[name]);
            }})()"
        ),
    );
    let result = test(calls).await;
    of(&restore, "it()");
    result
}

/// Ends when its signal says so, as browsers do.
pub const WAITING: &str = "options => new Promise((resolve, reject) => {
    options.signal.addEventListener('abort', () => reject(options.signal.reason));
})";
