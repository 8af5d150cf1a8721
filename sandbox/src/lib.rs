//! A local Grid for tests and demos: in memory, on loopback, with enclave keys of its own.
//!
//! It answers the Grid operations of embedded wallets and device codes ([`Operation`]) as the API
//! documents them, and does for real what Grid does: opens OTP bundles, seals session keys, verifies
//! stamps, attestations and assertions. It shares no code with the client whose other side it is, so
//! that a mistake in one is not cancelled out by the same mistake in the other.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use gridkey_sandbox::{Sandbox, SandboxOptions, serve};
//!
//! let sandbox = Sandbox::new(SandboxOptions::default());
//! let (address, server) = serve(sandbox.router()).await?;
//! // http://{address} is Grid now; `sandbox` sees and steers it.
//! # Ok(()) }
//! ```
//!
//! The platform's Basic credentials are [`DEFAULT_CLIENT_ID`] and [`DEFAULT_CLIENT_SECRET`] unless
//! set otherwise, an e-mailed or texted code is always [`OTP_CODE`], pages on `http://localhost:*` may use
//! passkeys with the RP id `localhost`. What Grid leaves open is decided so: a pending request is
//! good for one retry, whatever comes of it; a right code is used up by the first leg; a refresh is
//! stamped by the refreshed session itself; a registration challenge completes one registration; a
//! credential's sessions end with it; only answers that are no refusals are repeated for an
//! `Idempotency-Key`; a quote that expired is a 409; five wrong codes of Strong Customer
//! Authentication lock the customer out for 15 minutes.
//!
//! # Errors
//!
//! Errors have Grid's shape and codes. `details.reason` says more; the words are those of
//! [`Reason`].
//!
//! # The sandbox's own surface
//!
//! No credentials needed. Each has its method on [`Sandbox`].
//!
//! | request | answer |
//! |---|---|
//! | `GET /sandbox/enclave-keys` | `{"otp", "export"}`: public keys, SEC1 uncompressed hex ([`EnclaveKeys`]) |
//! | `GET /sandbox/customers` | the seeded customers ([`Customer`]), always the same ids |
//! | `GET /sandbox/sessions` | all sessions, ended ones too ([`SessionRecord`]) |
//! | `GET /sandbox/requests` | how many requests arrived: `{"verifyAuthCredential": {"1": 2, "2": 1}}` ([`RequestCounts`]) |
//! | `GET /sandbox/violations` | traffic that is not what Grid's documents specify ([`Violation`]) |
//! | `POST /sandbox/control` | 204; 422 for what is no [`Command`] |
//!
//! # The identity provider
//!
//! OpenID Connect's implicit flow without a password. Tokens are signed (ES256), have
//! [`OIDC_ISSUER`] as their `iss` and any `client_id` as their `aud`; unlike those of other issuers
//! their signature is verified. Redirects go to `http` on a loopback host only.
//!
//! | request | answer |
//! |---|---|
//! | `GET /sandbox/oidc/authorize?client_id&redirect_uri&response_type=id_token&state&nonce` | a page to sign in as Ada or Bo, which ends in a 303 to `redirect_uri#id_token=…&state=…`; with `prompt=none` in one to `#error=login_required&state=…` |
//! | `POST /sandbox/oidc/token` with `{"user": "ada", "clientId", "nonce"?}` | `{"idToken"}`, as [`Sandbox::id_token`] |
//! | `GET /sandbox/oidc/jwks` | the key |
//! | `GET /sandbox/oidc/.well-known/openid-configuration` | where all that is |
//!
//! # Control
//!
//! | command | effect |
//! |---|---|
//! | `{"command": "advanceClock", "ms": 60000}` | moves sandbox time; negative: back |
//! | `{"command": "expireChallenges"}` | ends all pending requests, passkey challenges and codes |
//! | `{"command": "expireSessions"}` | ends all sessions |
//! | `{"command": "revokeSessions"}` | revokes all sessions |
//! | `{"command": "fault", "operation"?, "leg"?, "times"?, "fault": …}` | spoils the next requests, once unless told otherwise; see [`Fault`] |
//! | … `{"kind": "delay", "ms": 500}` | processed and answered later |
//! | … `{"kind": "drop", "processed"?: true}` | the connection is cut without an answer, before (or after) the request was processed |
//! | … `{"kind": "truncate"}` | processed; the body ends in the middle |
//! | … `{"kind": "cutBody"}` | processed; the connection is cut in the middle of the body |
//! | … `{"kind": "status", "status": 502, "body"?: "<html>…", "contentType"?}` | not processed: no answer of Grid's |
//! | … `{"kind": "rateLimit", "retryAfterSeconds": 2}` | not processed: 429 `RATE_LIMITED` |
//! | … `{"kind": "error", "status": 500, "code": "INTERNAL_ERROR"}` | not processed: an error of Grid's |
//! | `{"command": "lie", "operation"?, "lie": "swapPayload"}` | falsifies the next answer that has what the lie is about; all lies: [`Lie`] |
//! | `{"command": "connectAgent", "agentId"?}` | connects an agent, so that regenerating a code is a 409 |
//! | `{"command": "removeAuthMethod", "authMethodId"}` | removes a credential and its sessions |
//! | `{"command": "requireSca", "customerId"?, "required"?: false}` | makes a customer, or all, one of the EU, who enters [`SCA_CODE`] before a payment; or no longer |
//! | `{"command": "unsignedExports", "unsigned"?: false}` | wallet exports come without a signature, as those of Grid's own sandbox; or signed again |
//! | `{"command": "renameMember", "operation", "pointer"}` | renames a member of the next answer that has it: a violation, to test the tests |
//! | `{"command": "reset"}` | everything back to the seeds, but the enclaves' and the identity provider's keys and the violations |

#![forbid(unsafe_code)]

mod accounts;
mod agents;
mod clock;
#[cfg(feature = "conformance")]
mod conformance;
mod control;
mod counts;
mod credentials;
mod currencies;
mod customers;
mod delegated_keys;
mod enclaves;
mod errors;
mod faults;
mod http;
mod idempotency;
mod keys;
mod lies;
mod nickname;
mod oidc;
mod oidc_provider;
mod operation;
mod options;
mod otp;
mod payloads;
mod quotes;
mod rate_limits;
mod sandbox;
mod sca;
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
pub use oidc_provider::{OIDC_ISSUER, OidcUser};
pub use operation::Operation;
pub use options::{
    AllowedOrigins, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, RateLimit, SandboxOptions,
};
pub use otp::OTP_CODE;
pub use sandbox::{Sandbox, serve};
pub use sca::SCA_CODE;
pub use sessions::SessionRecord;
pub use state::Customer;
