//! The client side of Grid embedded wallets.
//!
//! The crate is compiled to WebAssembly and installed with npm; `pkg/` is the package and its
//! documentation speaks to JavaScript. Everything but [`web`] is plain Rust and is tested natively.
//!
//! | module | knows |
//! |---|---|
//! | [`crypto`] | bytes: P-256 keys, HPKE, signed enclave bundles, strict encodings |
//! | [`formats`] | Grid's texts: stamps, bundles, tokens, passkey data |
//! | [`api`] | Grid's endpoints, as values; sends nothing |
//! | [`flow`] | signing in and the life of a session; speaks only through [`ports`] |
//! | [`web`] | the browser; decides nothing |

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_op_in_unsafe_fn)]

extern crate alloc;
/// What the package ships has an allocator and an end of panics of its own: see `web::standalone`.
#[cfg(not(any(test, feature = "standalone")))]
extern crate std;

pub mod api;
pub mod crypto;
pub mod error;
pub mod flow;
pub mod formats;
pub mod ports;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, ErrorCode, Recovery};
