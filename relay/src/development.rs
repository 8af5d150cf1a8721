//! One customer for everybody who can reach the relay: for development.

use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::access::{Login, Unavailable, User};
use crate::owned::{Owned, Ownership};
use crate::resource::Resource;
use crate::{grid, origin};

/// A [`Login`] that takes every request for the same customer's, and an [`Ownership`] that knows
/// what that customer owns.
///
/// Whoever can reach the relay is that customer, so only requests to a loopback address or to
/// `localhost` are taken for the customer's: no page elsewhere can send one, not even by giving
/// its own name the address 127.0.0.1 (DNS rebinding).
#[derive(Clone, Debug)]
pub struct DevelopmentCustomer {
    /// Who everybody is.
    pub user: User,
    /// What is theirs.
    pub owned: Owned,
}

impl Login for DevelopmentCustomer {
    async fn identify(&self, request: &Parts) -> Result<Option<User>, Unavailable> {
        let authority =
            origin::own_authority(request).and_then(|own| own.parse::<Authority>().ok());
        let is_local = authority.is_some_and(|authority| is_local(&authority));
        Ok(is_local.then(|| self.user.clone()))
    }
}

/// What follows the host has to be a port: `Authority` takes any text for one.
fn is_local(authority: &Authority) -> bool {
    let host = authority.host();
    let rest = authority.as_str().strip_prefix(host);
    let is_only_host = rest.is_some_and(|rest| rest.is_empty() || authority.port_u16().is_some());
    is_only_host && grid::is_loopback(host)
}

impl Ownership for DevelopmentCustomer {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        Ok(if user.id == self.user.id {
            self.owned.clone()
        } else {
            Owned::default()
        })
    }

    /// Everybody is this customer, and so whoever has a code or a lookup has it from them.
    async fn vouches_for(&self, user: &User, _: &Resource) -> Result<bool, Unavailable> {
        Ok(user.id == self.user.id)
    }
}
