//! Which Grid the demo talks to, and as whom.

use std::{env, time::Duration};

use anyhow::{Context as _, Result};
use axum::Router;
use gridkey_relay::{DevelopmentCustomer, Owned, OwnedResources, Relay, RelyingParty, User};
use gridkey_sandbox::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Sandbox};
use serde_json::{Value, json};

/// A Grid, and the one customer there whose wallet the page shows.
pub(crate) struct Grid {
    base_url: String,
    client_id: String,
    client_secret: String,
    user_name: String,
    account_id: String,
    agent_id: Option<String>,
    customer_id: Option<String>,
    card_id: Option<String>,
    card_funding_source_id: Option<String>,
    external_account_id: Option<String>,
    enclave: Value,
    is_sandbox: bool,
}

impl Grid {
    /// The Grid that the environment names, if it names one.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        let Some(base_url) = variable("GRID_BASE_URL")? else {
            return Ok(None);
        };
        let enclave = match variable("GRID_ENCLAVE_OTP_KEY")? {
            Some(otp) => trusted(&otp, &required("GRID_ENCLAVE_EXPORT_KEY")?),
            None => json!("production"),
        };
        Ok(Some(Self {
            base_url,
            client_id: required("GRID_CLIENT_ID")?,
            client_secret: required("GRID_CLIENT_SECRET")?,
            user_name: "gridkey demo".to_owned(),
            account_id: required("GRID_ACCOUNT_ID")?,
            agent_id: variable("GRID_AGENT_ID")?,
            customer_id: variable("GRID_CUSTOMER_ID")?,
            card_id: variable("GRID_CARD_ID")?,
            card_funding_source_id: variable("GRID_CARD_FUNDING_SOURCE_ID")?,
            external_account_id: variable("GRID_EXTERNAL_ACCOUNT_ID")?,
            enclave,
            is_sandbox: false,
        }))
    }

    /// A sandbox that is served at this address.
    pub(crate) fn sandbox(sandbox: &Sandbox, base_url: String) -> Result<Self> {
        let customer = sandbox
            .customers()
            .into_iter()
            .next()
            .context("no customer is seeded")?;
        let keys = sandbox.enclave_keys();
        Ok(Self {
            base_url,
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            user_name: customer.email,
            account_id: customer.account_id,
            agent_id: Some(customer.agent_id),
            customer_id: Some(customer.customer_id),
            card_id: Some(customer.card_id),
            card_funding_source_id: Some(customer.card_funding_source_id),
            external_account_id: Some(customer.external_account_id),
            enclave: trusted(&keys.otp, &keys.export),
            is_sandbox: true,
        })
    }

    /// The relay that everybody on this machine uses as that customer.
    pub(crate) fn relay(&self) -> Result<Router> {
        let grid = gridkey_relay::Grid::new(
            &self.base_url,
            &self.client_id,
            &self.client_secret,
            Duration::from_secs(15),
        )?;
        let listed = |id: &Option<String>| id.iter().cloned().collect();
        let customer = DevelopmentCustomer {
            user: User::new("demo", self.user_name.as_str()),
            owned: Owned {
                account_ids: vec![self.account_id.clone()],
                agent_ids: listed(&self.agent_id),
                card_ids: listed(&self.card_id),
                card_funding_source_ids: listed(&self.card_funding_source_id),
                customer_ids: listed(&self.customer_id),
                external_account_ids: listed(&self.external_account_id),
            },
        };
        let authorizer = OwnedResources::new(grid.clone(), customer.clone());
        let relying_party = RelyingParty {
            id: "localhost".into(),
            name: "gridkey demo".into(),
        };
        let relay = Relay::builder(grid, customer, authorizer, relying_party)
            .agent_operations(true)
            .delegated_keys(true)
            // No secret, but the same at each start: there is one customer, and passkeys stay.
            .user_id_secret("the customer of the gridkey demo")
            .router()?;
        Ok(relay)
    }

    /// What the page is told: `config.json`.
    pub(crate) fn page_config(&self) -> Value {
        let mut config = json!({
            "accountId": self.account_id,
            "enclave": self.enclave,
            "sandbox": self.is_sandbox,
        });
        let optional = [
            ("agentId", &self.agent_id),
            ("cardId", &self.card_id),
            ("customerId", &self.customer_id),
            ("externalAccountId", &self.external_account_id),
        ];
        if let Some(members) = config.as_object_mut() {
            for (name, id) in optional {
                members.extend(id.as_ref().map(|id| (name.to_owned(), json!(id))));
            }
        }
        config
    }
}

/// The option `enclave` of the package, for keys other than those of production.
fn trusted(otp: &str, export: &str) -> Value {
    json!({ "dangerouslyTrust": { "otp": otp, "export": export } })
}

fn required(name: &str) -> Result<String> {
    variable(name)?.with_context(|| format!("GRID_BASE_URL is set, but {name} is not"))
}

fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(name.to_owned()),
    }
}
