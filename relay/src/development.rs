//! One customer for everybody who can reach the relay: for development.

use axum::http::request::Parts;

use crate::access::{Login, Unavailable, User};
use crate::owned::{Owned, Ownership};

/// A [`Login`] that takes every request for the same customer's, and an [`Ownership`] that knows
/// what that customer owns.
///
/// Whoever can reach the relay is that customer. Keep it on loopback.
#[derive(Clone, Debug)]
pub struct DevelopmentCustomer {
    /// Who everybody is.
    pub user: User,
    /// What is theirs.
    pub owned: Owned,
}

impl Login for DevelopmentCustomer {
    async fn identify(&self, _: &Parts) -> Result<Option<User>, Unavailable> {
        Ok(Some(self.user.clone()))
    }
}

impl Ownership for DevelopmentCustomer {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        Ok(if user.id == self.user.id {
            self.owned.clone()
        } else {
            Owned::default()
        })
    }
}
