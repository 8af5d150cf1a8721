//! Signing in, and the life of a session. Speaks to the world only through [`crate::ports`].

#![forbid(unsafe_code)]

mod ahead;
pub mod client;
pub mod key_delivery;
pub mod otp;
pub mod passkey;
pub mod session;
pub mod state;
mod turns;
