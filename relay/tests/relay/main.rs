//! The relay between a browser's requests and a Grid: a small one made here, and the sandbox.

// Marks the helpers as tests too, for the lints' exceptions.
#![cfg(test)]

mod attacks;
mod authorization;
mod concurrency;
mod forwarding;
mod framing;
mod logging;
mod operations;
mod origins;
mod passkey_registration;
mod program;
mod refusals;
mod sandbox;
mod support;
mod wire;
