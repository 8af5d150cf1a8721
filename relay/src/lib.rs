//! The half of gridkey that runs in the platform's backend: an axum router that lets a customer's
//! browser use Grid's embedded wallet operations.
//!
//! The browser sends Grid's own requests to the router's mount point. For each, the relay asks the
//! platform who the customer is ([`Login`]) and whether that customer may touch each identifier in
//! the request ([`Authorizer`]), adds the platform's credentials and forwards it. What is not
//! listed ([`Operation`]) or not allowed is not forwarded.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use axum::http::request::Parts;
//! use gridkey_relay::{
//!     Grid, Login, Owned, OwnedResources, Ownership, Relay, RelyingParty, Unavailable, User,
//! };
//!
//! struct Platform;
//!
//! impl Login for Platform {
//!     async fn identify(&self, request: &Parts) -> Result<Option<User>, Unavailable> {
//!         // What the platform's session middleware has left in the request.
//!         Ok(request.extensions.get::<User>().cloned())
//!     }
//! }
//!
//! impl Ownership for Platform {
//!     async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
//!         // A query to the platform's database, by `user.id`.
//!         Ok(Owned {
//!             account_ids: vec![format!("InternalAccount:{}", user.id)],
//!             customer_ids: vec![format!("Customer:{}", user.id)],
//!             ..Owned::default()
//!         })
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let grid = Grid::new(
//!     "https://api.lightspark.com/grid/2025-10-13",
//!     &std::env::var("GRID_CLIENT_ID")?,
//!     &std::env::var("GRID_CLIENT_SECRET")?,
//!     Duration::from_secs(15),
//! )?;
//! let relying_party = RelyingParty { id: "example.com".into(), name: "Example".into() };
//! let authorizer = OwnedResources::new(grid.clone(), Platform);
//! let relay = Relay::builder(grid, Platform, authorizer, relying_party)
//!     .allowed_origins(["https://wallet.example.com"])
//!     .user_id_secret(std::env::var("PASSKEY_USER_ID_SECRET")?)
//!     .router()?;
//! let app: axum::Router = axum::Router::new().nest("/api/grid", relay);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

// Unit tests have the helpers of the tests in `tests`, to which this crate is another.
#[cfg(test)]
extern crate self as gridkey_relay;

pub use access::{Authorizer, Decision, Login, Unavailable, User};
pub use challenges::{ChallengeStore, IssuedChallenge, MemoryChallengeStore};
pub use config::ConfigError;
pub use development::DevelopmentCustomer;
pub use grid::{AuthMethod, AuthSession, DelegatedKey, Grid, GridError, Quote, QuoteSource};
pub use operation::Operation;
pub use owned::{Owned, OwnedResources, Ownership};
pub use passkey_registration::RelyingParty;
pub use relay::{Relay, RelayBuilder};
pub use resource::{Resource, ResourceKind};

mod access;
mod body;
mod challenges;
mod concurrency;
mod config;
mod development;
mod forward;
mod grid;
mod operation;
mod origin;
mod owned;
mod passkey_registration;
mod query;
mod refusal;
mod relay;
mod resource;
