//! A local Grid for tests and demos.

#![forbid(unsafe_code)]

mod agents;
mod clock;
#[cfg(feature = "conformance")]
mod conformance;
mod control;
mod counts;
mod credentials;
mod enclaves;
mod errors;
mod faults;
mod http;
mod keys;
mod lies;
mod nickname;
mod oidc;
mod operation;
mod options;
mod otp;
mod payloads;
mod rate_limits;
mod sandbox;
mod sessions;
mod sign_in;
mod signed_requests;
mod stamps;
mod state;
mod webauthn;

#[cfg(feature = "conformance")]
pub use conformance::{Direction, Violation};
pub use control::Command;
pub use counts::{LegCounts, RequestCounts};
pub use enclaves::EnclaveKeys;
pub use errors::Reason;
pub use faults::{Fault, FaultOrder};
pub use lies::{Lie, LieOrder};
pub use operation::Operation;
pub use options::{
    AllowedOrigins, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, RateLimit, SandboxOptions,
};
pub use otp::OTP_CODE;
pub use sandbox::{Sandbox, serve};
pub use sessions::SessionRecord;
pub use state::Customer;
