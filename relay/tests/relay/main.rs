//! The relay between a browser's requests and a small Grid made here.

// Marks the helpers as tests too, for the lints' exceptions.
#![cfg(test)]

mod authorization;
mod forwarding;
mod logging;
mod origins;
mod passkey_registration;
mod refusals;
mod support;
