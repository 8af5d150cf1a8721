//! What the flows need of the world. The browser implements it in [`crate::web`]; the native tests
//! with real HTTP and a software authenticator.

#![forbid(unsafe_code)]

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::{future::Future, pin::Pin};

pub use crate::crypto::random::Random;
use crate::{
    api::call::{GridCall, GridReply},
    crypto::key::PublicKey,
    error::Result,
    formats::passkey::{
        PasskeyAssertion, PasskeyAssertionRequest, PasskeyAttestation, PasskeyCreationRequest,
    },
};

/// A future that stays on its thread, as everything in a browser does.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Carries one request to the relay and its answer back.
pub trait Transport {
    /// Sends `call` once. Never retries, never follows a redirect to another origin.
    ///
    /// Dropping the future before it is ready ends the request.
    ///
    /// Fails with `network` where no answer arrived, and with nothing else: an answer of any
    /// status and any body is a success.
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>>;
}

/// Makes and uses passkeys. One ceremony at a time: a new one ends the old.
pub trait Authenticator {
    /// Creates a passkey: `navigator.credentials.create()`.
    ///
    /// Fails with `passkey_not_used`, `passkey_already_registered` or `passkey_unsupported`.
    /// Dropping the future ends the ceremony.
    fn create(
        &self,
        request: PasskeyCreationRequest,
    ) -> LocalFuture<'_, Result<PasskeyAttestation>>;

    /// Uses a passkey: `navigator.credentials.get()`.
    ///
    /// Fails with `passkey_not_used` or `passkey_unsupported`. Dropping the future ends the
    /// ceremony.
    fn get(&self, request: PasskeyAssertionRequest) -> LocalFuture<'_, Result<PasskeyAssertion>>;
}

/// Time, and what happens later.
pub trait Clock {
    /// Milliseconds since 1970-01-01T00:00:00Z, as this device has it.
    fn now_ms(&self) -> i64;

    /// Ready `ms` milliseconds from now. Dropping it cancels the timer.
    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()>;

    /// Runs `task` in the background.
    fn spawn(&self, task: LocalFuture<'static, ()>);
}

/// The caller's wish to end a call: an `AbortSignal` in JavaScript.
pub trait Cancellation {
    /// Whether the wish was expressed.
    fn is_cancelled(&self) -> bool;

    /// Ready when it is.
    fn cancelled(&self) -> LocalFuture<'static, ()>;
}

/// Signs with a key that need not be in this memory.
pub trait SessionSigner {
    /// The key's public half.
    fn public_key(&self) -> &PublicKey;

    /// ECDSA P-256 over SHA-256 of `message`: `r || s`, 64 bytes.
    ///
    /// Fails with `storage_unavailable` where the key cannot be used any more.
    fn sign(&self, message: Vec<u8>) -> LocalFuture<'_, Result<Vec<u8>>>;
}

/// Keys that no script can read and that outlive the page.
pub trait KeyStore {
    /// Makes a key and keeps it under its own public key, until it is removed or an hour has
    /// passed.
    ///
    /// Fails with `storage_unavailable`.
    fn generate(&self) -> LocalFuture<'_, Result<Rc<dyn SessionSigner>>>;

    /// The key with this public key (SEC1 compressed, hex), if it is kept.
    ///
    /// Fails with `storage_unavailable`.
    fn load(&self, public_key: &str) -> LocalFuture<'_, Result<Option<Rc<dyn SessionSigner>>>>;

    /// Keeps the key no longer. Who holds it already can go on signing.
    fn remove(&self, public_key: &str) -> LocalFuture<'_, ()>;
}

/// Short texts, none of them secret, that outlive the page where there is storage.
pub trait Notes {
    /// What was noted under this name.
    fn get(&self, name: &str) -> Option<String>;

    /// Notes a text; `None` strikes it out.
    fn set(&self, name: &str, text: Option<&str>);
}
