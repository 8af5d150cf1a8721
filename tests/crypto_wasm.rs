//! What only WebAssembly can get wrong: what is left of secrets in its memory, which every script
//! of the page can read, and where its randomness comes from.
//!
//! The secrets are made in JavaScript and looked for from there, so that the search itself puts no
//! copy into the memory that is searched.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use gridkey::{
    ErrorCode,
    crypto::{
        enclave::ExportTrust,
        hex, hpke,
        key::PrivateKey,
        random::{Random, SystemRandom},
    },
    formats::{
        otp::OtpCode,
        sealed_key::SealedKeyReceiver,
        session_key::{PublicKeyEncoding, SessionKey},
        wallet_export::WalletExportKey,
    },
};
use js_sys::{Array, Function, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use zeroize::Zeroizing;

/// A secret that lives in JavaScript.
struct Secret(Uint8Array);

impl Secret {
    /// A private key: 32 bytes below n.
    fn new() -> Self {
        Self::make(
            "const bytes = crypto.getRandomValues(new Uint8Array(32));
             bytes[0] &= 0x7f;
             return bytes;",
        )
    }

    /// A text of letters.
    fn text(length: u32) -> Self {
        Self::make(&format!(
            "return crypto.getRandomValues(new Uint8Array({length})).map(byte => 97 + byte % 26);"
        ))
    }

    fn make(body: &str) -> Self {
        Self(
            Function::new_no_args(body)
                .call0(&JsValue::NULL)
                .unwrap()
                .into(),
        )
    }

    /// A copy in this memory that is wiped when dropped.
    fn copy(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }

    /// The forms in which it stands in memory: as bytes, as the little-endian limbs of a number,
    /// and as the texts that code makes of keys.
    fn found(&self) -> Vec<String> {
        let search = Function::new_with_args(
            "memory, secret",
            "const hex = [...secret].map(byte => byte.toString(16).padStart(2, '0')).join('');
             const base64 = btoa(String.fromCharCode(...secret)).replace(/=+$/, '');
             const ascii = text => Uint8Array.from(text, letter => letter.charCodeAt(0));
             const needles = {
                 bytes: secret,
                 limbs: secret.slice().reverse(),
                 hex: ascii(hex),
                 HEX: ascii(hex.toUpperCase()),
                 base64: ascii(base64),
                 base64url: ascii(base64.replaceAll('+', '-').replaceAll('/', '_')),
             };
             const hay = new Uint8Array(memory.buffer);
             const found = [];
             for (const [form, needle] of Object.entries(needles)) {
                 for (let at = hay.indexOf(needle[0]); at >= 0; at = hay.indexOf(needle[0], at + 1)) {
                     if (needle.every((byte, index) => hay[at + index] === byte)) {
                         found.push(`${form} at ${at}`);
                     }
                 }
             }
             return found;",
        );
        let found = search.call2(&JsValue::NULL, &wasm_bindgen::memory(), &self.0);
        Array::from(&found.unwrap())
            .iter()
            .map(|place| place.as_string().unwrap())
            .collect()
    }
}

impl Random for Secret {
    fn fill(&self, bytes: &mut [u8]) -> gridkey::error::Result<()> {
        self.0.copy_to(bytes);
        Ok(())
    }
}

#[wasm_bindgen_test]
fn a_session_key_stands_in_one_place_until_it_is_dropped() {
    let secret = Secret::new();
    let key = SessionKey::generate(&secret).unwrap();
    assert_eq!(forms(&secret), ["limbs"]);
    for number in 0..100 {
        key.stamp_unchecked(&number.to_string()).unwrap();
    }
    assert_eq!(forms(&secret), ["limbs"]);
    drop(key);
    assert_eq!(secret.found(), NOWHERE);
}

#[wasm_bindgen_test]
fn a_key_is_wiped_after_it_was_exported_and_imported() {
    let secret = Secret::new();
    let key = SessionKey::generate(&secret).unwrap();
    // Not dropped by a call: that would move it, and a move leaves its bytes behind.
    let imported = {
        let exported = key.export_private_key();
        SessionKey::from_private_key(exported.as_slice()).unwrap()
    };
    drop(key);
    assert_eq!(forms(&secret), ["limbs"]);
    drop(imported);
    assert_eq!(secret.found(), NOWHERE);
}

#[wasm_bindgen_test]
fn a_sealed_key_is_wiped_after_it_was_opened() {
    let secret = Secret::new();
    let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
    let bundle = sealed_key(&receiver, &secret);
    assert_eq!(secret.found(), NOWHERE);
    let session = receiver.open(&bundle).unwrap();
    assert_eq!(forms(&secret), ["limbs"]);
    // Growing moves nothing, and what is new is empty.
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.grow(16);
    assert_eq!(forms(&secret), ["limbs"]);
    drop(session);
    for _ in 0..100 {
        drop(receiver.open(&bundle).unwrap());
    }
    assert_eq!(secret.found(), NOWHERE);
}

#[wasm_bindgen_test]
fn a_one_time_code_is_wiped_after_it_was_sealed() {
    let secret = Secret::text(16);
    let enclave = PrivateKey::generate(&SystemRandom).unwrap();
    let target = PrivateKey::generate(&SystemRandom).unwrap();
    let data = format!(
        r#"{{"targetPublic":"{}"}}"#,
        target.public_key().to_uncompressed_hex()
    );
    let bundle = envelope(&enclave, &data);
    let key = SessionKey::generate(&SystemRandom).unwrap();
    let code = OtpCode::new(&secret.copy()).unwrap();
    assert_eq!(forms(&secret), ["bytes"]);
    for _ in 0..100 {
        key.seal_otp_code(
            &bundle,
            &code,
            enclave.public_key(),
            PublicKeyEncoding::Uncompressed,
            &SystemRandom,
        )
        .unwrap();
    }
    assert_eq!(forms(&secret), ["bytes"]);
    drop(code);
    assert_eq!(secret.found(), NOWHERE);
}

#[wasm_bindgen_test]
fn a_mnemonic_is_wiped_after_it_was_read() {
    let secret = Secret::text(32);
    let enclave = PrivateKey::generate(&SystemRandom).unwrap();
    let key = WalletExportKey::generate(&SystemRandom).unwrap();
    let sealed = hpke::seal(key.public_key(), &secret.copy(), &SystemRandom).unwrap();
    let data = format!(
        r#"{{"encappedPublic":"{}","ciphertext":"{}","organizationId":"org"}}"#,
        sealed.encapped.to_uncompressed_hex(),
        hex::encode(&sealed.ciphertext)
    );
    let bundle = envelope(&enclave, &data);
    assert_eq!(secret.found(), NOWHERE);
    let trust = ExportTrust::Key(enclave.public_key().clone());
    let mnemonic = key.open(&bundle, "org", &trust).unwrap();
    assert_eq!(forms(&secret), ["bytes"]);
    drop(mnemonic);
    assert_eq!(secret.found(), NOWHERE);
}

/// No fallback: whatever is wrong with `crypto.getRandomValues`, no key is made.
#[wasm_bindgen_test]
fn without_secure_randomness_there_is_no_key() {
    for crypto in [
        "undefined",
        "{}",
        "{ getRandomValues: 4 }",
        "{ getRandomValues() { throw new Error('QuotaExceededError'); } }",
        "{ getRandomValues: array => array }",
        "{ getRandomValues: array => array.fill(0) }",
        "{ getRandomValues: array => array.fill(255) }",
    ] {
        let replace = Function::new_no_args(&format!(
            "const was = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
             Object.defineProperty(globalThis, 'crypto', {{ value: {crypto}, configurable: true }});
             return was;"
        ));
        let restore =
            Function::new_with_args("was", "Object.defineProperty(globalThis, 'crypto', was);");
        let was = replace.call0(&JsValue::NULL).unwrap();
        let mut bytes = [0; 32];
        let filled = SystemRandom.fill(&mut bytes);
        let key = SessionKey::generate(&SystemRandom);
        restore.call1(&JsValue::NULL, &was).unwrap();
        assert_eq!(filled.is_ok(), bytes == [255; 32], "{crypto}");
        let error = key.err().unwrap_or_else(|| panic!("{crypto}"));
        assert_eq!(error.code(), ErrorCode::RandomnessUnavailable, "{crypto}");
        assert!(SessionKey::generate(&SystemRandom).is_ok());
    }
}

const NOWHERE: [String; 0] = [];

/// Where it is found, without the addresses.
fn forms(secret: &Secret) -> Vec<String> {
    let found = secret.found();
    found
        .iter()
        .map(|place| place.split(' ').next().unwrap().to_owned())
        .collect()
}

/// `encryptedSessionSigningKey` with the secret inside.
fn sealed_key(receiver: &SealedKeyReceiver, secret: &Secret) -> String {
    let sealed = hpke::seal(receiver.public_key(), &secret.copy(), &SystemRandom).unwrap();
    let payload = [
        sealed.encapped.to_compressed().as_slice(),
        &sealed.ciphertext,
    ]
    .concat();
    let checksum = Sha256::digest(Sha256::digest(&payload));
    bs58::encode([payload.as_slice(), &checksum[..4]].concat()).into_string()
}

fn envelope(signer: &PrivateKey, data: &str) -> String {
    format!(
        r#"{{"version":"v1.0.0","data":"{}","dataSignature":"{}","enclaveQuorumPublic":"{}"}}"#,
        hex::encode(data.as_bytes()),
        hex::encode(&signer.sign_der(data.as_bytes())),
        signer.public_key().to_uncompressed_hex()
    )
}
