//! Signing in, and the life of a session. Speaks to the world only through [`crate::ports`].

#![forbid(unsafe_code)]

mod ahead;
pub mod client;
pub mod enrolment;
pub mod key_delivery;
pub mod oauth;
pub mod otp;
pub mod passkey;
pub mod session;
pub mod signed;
pub mod signer;
pub mod state;
pub mod steps;
mod turns;
pub mod wallet;
mod wallets;
