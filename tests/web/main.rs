//! The bindings to JavaScript, as hostile code and broken browsers meet them: in Node and, the same
//! tests, in a browser's page.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod arguments;
mod authenticator;
mod bindings;
mod calls;
mod credentials;
mod fetching;
mod operations;
mod plain;
mod signing_in;
mod support;
mod transporting;
mod wallet;
