//! Authorisation by ownership: a customer may touch what belongs to the customer's own accounts.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::{Mutex, PoisonError};

use crate::access::{Authorizer, Decision, Unavailable, User};
use crate::grid::{Grid, GridError};
use crate::operation::Operation;
use crate::resource::{Resource, ResourceKind};

/// What belongs to a customer. What is not listed is denied.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Owned {
    /// Identifiers of internal accounts. The customer's pages can pay from what is listed, and
    /// only an embedded wallet then wants the customer's signature: an account of another type
    /// belongs here if the platform's login is enough to spend from it.
    pub account_ids: Vec<String>,
    /// Identifiers of agents.
    pub agent_ids: Vec<String>,
    /// Identifiers of cards.
    pub card_ids: Vec<String>,
    /// Identifiers of the funding sources of the cards.
    pub card_funding_source_ids: Vec<String>,
    /// The identifier that Grid gave the customer.
    pub customer_ids: Vec<String>,
    /// Identifiers of external accounts that the customer may pay to.
    pub external_account_ids: Vec<String>,
}

impl Owned {
    fn has(&self, resource: &Resource) -> bool {
        let ids = match resource.kind {
            ResourceKind::Account => &self.account_ids,
            ResourceKind::Agent => &self.agent_ids,
            ResourceKind::Card => &self.card_ids,
            ResourceKind::CardFundingSource => &self.card_funding_source_ids,
            ResourceKind::Customer => &self.customer_ids,
            ResourceKind::ExternalAccount => &self.external_account_ids,
            ResourceKind::AuthMethod
            | ResourceKind::DelegatedKey
            | ResourceKind::DeviceCode
            | ResourceKind::Lookup
            | ResourceKind::Quote
            | ResourceKind::Session => return false,
        };
        ids.contains(&resource.id)
    }

    /// Nobody owns what has no owner.
    fn has_all(&self, owners: &[Resource]) -> bool {
        !owners.is_empty() && owners.iter().all(|owner| self.has(owner))
    }
}

/// Knows what is whose: a query to the platform's own database.
pub trait Ownership: Send + Sync + 'static {
    /// What belongs to this user. Nothing, if the user has no wallet yet.
    fn owned_by(&self, user: &User) -> impl Future<Output = Result<Owned, Unavailable>> + Send;

    /// Whether a device code or a lookup is this user's: nothing in Grid's answers tells, so the
    /// platform must have kept it. Unless implemented, none is.
    fn vouches_for(
        &self,
        _user: &User,
        _resource: &Resource,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        ready(Ok(false))
    }
}

/// An [`Authorizer`] that needs to be told no more than what [`Owned`] lists for each customer.
/// Whose a credential, a session, a delegated key or a quote is, it asks Grid.
///
/// What belongs to somebody else is denied. A session or a delegated key that is not on one of the
/// customer's accounts, and a quote of a payment that is not from there, are not found, whether
/// they have expired, never were, or are another's: that is also what Grid says of what is not
/// there. Device codes and lookups are denied unless [`Ownership::vouches_for`] says otherwise.
pub struct OwnedResources<O> {
    grid: Grid,
    ownership: O,
    owners: OwnerCache,
}

impl<O: Ownership> OwnedResources<O> {
    /// Authorises by what `ownership` says.
    pub fn new(grid: Grid, ownership: O) -> Self {
        Self {
            grid,
            ownership,
            owners: OwnerCache::default(),
        }
    }

    async fn decide(
        &self,
        user: &User,
        owned: &Owned,
        resource: &Resource,
    ) -> Result<Decision, Unavailable> {
        let (is_own, otherwise) = match resource.kind {
            ResourceKind::Account
            | ResourceKind::Agent
            | ResourceKind::Card
            | ResourceKind::CardFundingSource
            | ResourceKind::Customer
            | ResourceKind::ExternalAccount => (owned.has(resource), Decision::Deny),
            ResourceKind::AuthMethod => (
                self.is_on_own_account(owned, resource).await?,
                Decision::Deny,
            ),
            ResourceKind::DelegatedKey | ResourceKind::Session => (
                self.is_on_own_account(owned, resource).await?,
                Decision::NotFound,
            ),
            ResourceKind::Quote => (
                self.is_from_own_source(owned, resource).await?,
                Decision::NotFound,
            ),
            ResourceKind::DeviceCode | ResourceKind::Lookup => (
                self.ownership.vouches_for(user, resource).await?,
                Decision::Deny,
            ),
        };
        Ok(if is_own { Decision::Allow } else { otherwise })
    }

    async fn is_on_own_account(
        &self,
        owned: &Owned,
        resource: &Resource,
    ) -> Result<bool, Unavailable> {
        if let Some(owners) = self.owners.of(resource) {
            return Ok(owned.has_all(&owners));
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
                self.owners.remember(
                    resource,
                    vec![Resource {
                        kind: ResourceKind::Account,
                        id: account_id.clone(),
                    }],
                );
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
        Ok(match kind {
            ResourceKind::AuthMethod => {
                let methods = self.grid.list_auth_credentials(account_id).await?;
                methods.into_iter().map(|method| method.id).collect()
            }
            ResourceKind::DelegatedKey => {
                let keys = self.grid.list_delegated_keys(account_id).await?;
                keys.into_iter().map(|key| key.id).collect()
            }
            ResourceKind::Session => {
                let sessions = self.grid.list_auth_sessions(account_id).await?;
                sessions.into_iter().map(|session| session.id).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Whether a quote is of a payment from the customer's own. All that its source names has to
    /// be: of an account that several customers share, the customer tells whose payment it is.
    async fn is_from_own_source(
        &self,
        owned: &Owned,
        quote: &Resource,
    ) -> Result<bool, Unavailable> {
        if let Some(owners) = self.owners.of(quote) {
            return Ok(owned.has_all(&owners));
        }
        let found = self.grid.get_quote(&quote.id).await.map_err(|error| {
            tracing::warn!(?error, "Grid did not say what a quote is paid from");
            Unavailable
        })?;
        let Some(found) = found else {
            return Ok(false);
        };
        let source = found.source;
        let account = (ResourceKind::Account, source.account_id);
        let customer = (ResourceKind::Customer, source.customer_id);
        let owners: Vec<_> = [account, customer]
            .into_iter()
            .filter_map(|(kind, id)| Some(Resource { kind, id: id? }))
            .collect();
        let is_own = owned.has_all(&owners);
        self.owners.remember(quote, owners);
        Ok(is_own)
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
            let decision = self.decide(user, &owned, resource).await?;
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

/// Whose something is, by the account or the customer that Grid has named. That never changes, so
/// it is asked for once; what the user's own accounts are, is asked for each time.
#[derive(Default)]
struct OwnerCache(Mutex<HashMap<(ResourceKind, String), Vec<Resource>>>);

impl OwnerCache {
    fn of(&self, resource: &Resource) -> Option<Vec<Resource>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(resource.kind, resource.id.clone())).cloned()
    }

    fn remember(&self, resource: &Resource, owners: Vec<Resource>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        known.insert((resource.kind, resource.id.clone()), owners);
    }
}

/// About 4 MB.
const MAX_CACHED: usize = 10_000;
