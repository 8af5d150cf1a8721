//! Authorisation by ownership: a customer may touch what belongs to the customer's own accounts.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use crate::access::{Authorizer, Decision, Unavailable, User};
use crate::grid::{Grid, GridError};
use crate::operation::Operation;
use crate::resource::{Resource, ResourceKind};

/// What belongs to a customer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Owned {
    /// Identifiers of internal accounts.
    pub account_ids: Vec<String>,
    /// Identifiers of agents.
    pub agent_ids: Vec<String>,
}

/// Knows which accounts and agents are whose: a query to the platform's own database.
pub trait Ownership: Send + Sync + 'static {
    /// What belongs to this user. Nothing, if the user has no wallet yet.
    fn owned_by(&self, user: &User) -> impl Future<Output = Result<Owned, Unavailable>> + Send;
}

/// An [`Authorizer`] that needs to be told no more than each customer's accounts and agents.
/// Whose a credential or a session is, it asks Grid.
///
/// What belongs to somebody else is denied. A session that is not among the active ones of the
/// customer's accounts is not found, whether it has expired, never was, or is another's: that is
/// also what Grid says of it. Device codes are denied, since nothing in Grid's answers tells
/// whose they are.
pub struct OwnedResources<O> {
    grid: Grid,
    ownership: O,
    accounts: AccountCache,
}

impl<O: Ownership> OwnedResources<O> {
    /// Authorises by what `ownership` says.
    pub fn new(grid: Grid, ownership: O) -> Self {
        Self {
            grid,
            ownership,
            accounts: AccountCache::default(),
        }
    }

    async fn decide(&self, owned: &Owned, resource: &Resource) -> Result<Decision, Unavailable> {
        let (is_own, otherwise) = match resource.kind {
            ResourceKind::Account => (owned.account_ids.contains(&resource.id), Decision::Deny),
            ResourceKind::Agent => (owned.agent_ids.contains(&resource.id), Decision::Deny),
            ResourceKind::AuthMethod => (
                self.is_on_own_account(owned, resource).await?,
                Decision::Deny,
            ),
            ResourceKind::Session => (
                self.is_on_own_account(owned, resource).await?,
                Decision::NotFound,
            ),
            ResourceKind::DeviceCode => (false, Decision::Deny),
        };
        Ok(if is_own { Decision::Allow } else { otherwise })
    }

    async fn is_on_own_account(
        &self,
        owned: &Owned,
        resource: &Resource,
    ) -> Result<bool, Unavailable> {
        if let Some(account_id) = self.accounts.account_of(resource) {
            return Ok(owned.account_ids.contains(&account_id));
        }
        for account_id in &owned.account_ids {
            let ids = self
                .ids_on_account(account_id, resource.kind)
                .await
                .map_err(|error| {
                    tracing::warn!(?error, "Grid did not say what is on the user's account");
                    Unavailable
                })?;
            if ids.contains(&resource.id) {
                self.accounts.remember(resource, account_id);
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn ids_on_account(
        &self,
        account_id: &str,
        kind: ResourceKind,
    ) -> Result<Vec<String>, GridError> {
        if kind == ResourceKind::Session {
            let sessions = self.grid.list_auth_sessions(account_id).await?;
            return Ok(sessions.into_iter().map(|session| session.id).collect());
        }
        let methods = self.grid.list_auth_credentials(account_id).await?;
        Ok(methods.into_iter().map(|method| method.id).collect())
    }
}

impl<O: Ownership> Authorizer for OwnedResources<O> {
    async fn authorize(
        &self,
        user: &User,
        _: Operation,
        resources: &[Resource],
    ) -> Result<Decision, Unavailable> {
        let owned = self.ownership.owned_by(user).await?;
        for resource in resources {
            let decision = self.decide(&owned, resource).await?;
            if decision != Decision::Allow {
                return Ok(decision);
            }
        }
        Ok(if resources.is_empty() {
            Decision::Deny
        } else {
            Decision::Allow
        })
    }
}

/// On which account a credential or a session is. That never changes, so it is asked for once;
/// whose the account is, is asked for each time.
#[derive(Default)]
struct AccountCache(Mutex<HashMap<(ResourceKind, String), String>>);

impl AccountCache {
    fn account_of(&self, resource: &Resource) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(resource.kind, resource.id.clone())).cloned()
    }

    fn remember(&self, resource: &Resource, account_id: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        known.insert((resource.kind, resource.id.clone()), account_id.to_owned());
    }
}

/// About 2 MB.
const MAX_CACHED: usize = 10_000;
