//! The browser: `fetch`, `navigator.credentials`, timers. Decides nothing.
//!
//! JavaScript calls it through [`call`], by the package's own JavaScript (`pkg/`),
//! which is documented in `types`.

mod arguments;
mod authenticator;
mod bridge;
mod cancellation;
mod client;
mod clock;
mod data;
mod error;
mod functions;
mod host;
mod key_store;
mod keys;
mod notes;
mod number;
mod one_thread;
mod passkey;
mod session;
mod sign_in;
#[cfg(feature = "standalone")]
mod standalone;
mod state;
mod tasks;
#[cfg(test)]
mod testing;
mod transport;
#[cfg(feature = "test-trap")]
mod trap;
mod value;

pub use bridge::{call, free, method_names};

use wasm_bindgen::prelude::wasm_bindgen;

/// What JavaScript sees, written down for TypeScript.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = concat!(
    include_str!("types/operations.d.ts"),
    "\n\n",
    include_str!("types/client.d.ts"),
    "\n\n",
    include_str!("types/error.d.ts"),
    "\n\n",
    include_str!("types/keys.d.ts"),
    "\n\n\n",
    include_str!("types/classes.d.ts"),
);
