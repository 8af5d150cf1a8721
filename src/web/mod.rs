//! The browser: wasm-bindgen classes, `fetch`, `navigator.credentials`, timers. Decides nothing.
//!
//! What is exported here is documented for JavaScript, and called through the package's facade
//! (`pkg/`).
//!
//! No exported method holds a borrow over an await or over a call of somebody else's function, and
//! none that gives a promise keeps its object alive: it takes what it needs at once.

mod args;
mod authenticator;
mod call;
mod cancellation;
mod client;
mod clock;
mod error;
mod host;
mod key_store;
mod keys;
mod notes;
mod number;
mod object;
mod operations;
mod passkey;
mod plain;
mod session;
mod sign_in;
mod state;
#[cfg(test)]
mod testing;
mod transport;
mod value;

pub use client::GridkeyClient;
pub use error::install_error_class;
pub use keys::{SealedKeyReceiver, SessionKey, WalletExportKey, check_intent, oauth_nonce};
pub use passkey::{create_passkey, passkey_challenge_bytes, request_passkey};
pub use session::{PasskeyEnrolment, WalletSession};
pub use sign_in::{OAuthSignIn, OtpSignIn, PasskeySignIn};
