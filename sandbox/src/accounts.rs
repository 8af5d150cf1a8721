//! Internal accounts: listing, privacy, export.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    currencies::{EUR, USD},
    enclaves::{export_data, sign_envelope, unsigned_envelope},
    errors::{GridError, Reason, Result},
    http::{Answer, GridRequest},
    keys::{ClientPublicKey, Delivery},
    payloads,
    signed_requests::{Leg, Signer},
    state::{Account, Grid},
};

const TYPES: [&str; 3] = ["INTERNAL_FIAT", "INTERNAL_CRYPTO", "EMBEDDED_WALLET"];
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// A customer's account that Grid manages, an empty one in euros. It can only be looked at.
pub(crate) struct Holding {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) created_at: Millis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateRequest {
    private_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExportRequest {
    client_public_key: String,
}

impl Account {
    /// An `InternalAccount`.
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "customerId": self.customer_id,
            "type": "EMBEDDED_WALLET",
            "status": "ACTIVE",
            "balance": USD.amount(self.balance),
            "totalBalance": USD.amount(self.total_balance),
            "fundingPaymentInstructions": [],
            "privateEnabled": self.is_private,
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(self.updated_at),
        })
    }
}

impl Holding {
    /// An `InternalAccount`.
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "customerId": self.customer_id,
            "type": "INTERNAL_FIAT",
            "status": "ACTIVE",
            "balance": EUR.amount(0),
            "totalBalance": EUR.amount(0),
            "fundingPaymentInstructions": [],
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(self.created_at),
        })
    }
}

impl Grid<'_> {
    /// `listCustomerInternalAccounts`
    pub(crate) fn list_customer_internal_accounts(&self, request: &GridRequest) -> Result<Answer> {
        let query = |name: &str| request.query.get(name).map(String::as_str);
        let limit = match query("limit") {
            None => DEFAULT_LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| invalid_parameter("limit is 1 to 100"))?,
        };
        if query("type").is_some_and(|kind| !TYPES.contains(&kind)) {
            return Err(invalid_parameter("type is not one of internal accounts"));
        }
        let wallets = self.state.accounts.iter().map(Account::json);
        let holdings = self.state.holdings.iter().map(Holding::json);
        let is_wanted = |account: &Value| {
            [
                ("customerId", "/customerId"),
                ("type", "/type"),
                ("currency", "/balance/currency/code"),
            ]
            .into_iter()
            .all(|(name, pointer)| {
                query(name).is_none_or(|wanted| account.pointer(pointer) == Some(&json!(wanted)))
            })
        };
        let all: Vec<_> = wallets.chain(holdings).filter(is_wanted).collect();
        let start = match query("cursor") {
            None => 0,
            Some(cursor) => after(cursor, &all)
                .ok_or_else(|| invalid_parameter("cursor is not one of this listing"))?,
        };
        let page: Vec<_> = all.iter().skip(start).take(limit).cloned().collect();
        let has_more = all.len() > start.saturating_add(page.len());
        let mut body = json!({ "hasMore": has_more, "totalCount": all.len() });
        if let (true, Some(last), Some(members)) = (has_more, page.last(), body.as_object_mut()) {
            members.insert("nextCursor".to_owned(), json!(cursor(last)));
        }
        if let Some(members) = body.as_object_mut() {
            members.insert("data".to_owned(), Value::Array(page));
        }
        Ok(Answer::json(200, body))
    }

    /// `updateInternalAccount`
    pub(crate) fn update_internal_account(&mut self, request: &GridRequest) -> Result<Answer> {
        let account = self.account(&request.id)?;
        let body: UpdateRequest = request.json()?;
        let is_private = body.private_enabled.ok_or_else(|| {
            GridError::invalid_input(Reason::UpdateUnsuitable, "nothing is to be updated")
        })?;
        match Leg::of(request)? {
            Leg::First => {
                let payload = payloads::set_privacy(&account, is_private, self.now);
                Ok(self.ask_account(request, payload, &account))
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                let now = self.now;
                let account = self.account_mut(&request.id)?;
                account.is_private = is_private;
                account.updated_at = now;
                Ok(Answer::json(200, account.json()))
            }
        }
    }

    /// `exportInternalAccount`
    pub(crate) fn export_internal_account(&mut self, request: &GridRequest) -> Result<Answer> {
        let account = self.account(&request.id)?;
        let body: ExportRequest = request.json()?;
        let client_public_key = ClientPublicKey::parse(&body.client_public_key)?;
        if client_public_key.delivery != Delivery::Sealed {
            return Err(GridError::invalid_input(
                Reason::ClientPublicKeyInvalid,
                "clientPublicKey of an export is uncompressed",
            ));
        }
        match Leg::of(request)? {
            Leg::First => {
                let payload = payloads::export_wallet(&account, &client_public_key.text, self.now);
                Ok(self.ask_account(request, payload, &account))
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                let data = export_data(
                    &client_public_key.key,
                    &account.organization_id,
                    account.mnemonic.as_bytes(),
                )?;
                let envelope = if self.state.has_unsigned_exports {
                    unsigned_envelope(data.as_bytes())
                } else {
                    sign_envelope(&self.enclaves.export, data.as_bytes())
                };
                let body = json!({ "id": account.id, "encryptedWalletCredentials": envelope });
                Ok(Answer::json(200, body))
            }
        }
    }

    /// Asks for a stamp by any active session of the account.
    pub(crate) fn ask_account(
        &mut self,
        request: &GridRequest,
        payload: String,
        account: &Account,
    ) -> Answer {
        let signer = Signer::AccountSession {
            account_id: account.id.clone(),
        };
        self.ask_for_signature(request, payload, signer, None)
    }

    pub(crate) fn account(&self, id: &str) -> Result<Account> {
        self.state.account(id).cloned().ok_or_else(not_found)
    }

    pub(crate) fn account_mut(&mut self, id: &str) -> Result<&mut Account> {
        let mut accounts = self.state.accounts.iter_mut();
        accounts
            .find(|account| account.id == id)
            .ok_or_else(not_found)
    }
}

fn not_found() -> GridError {
    GridError::not_found(
        Reason::AccountNotFound,
        "no such internal account of an Embedded Wallet",
    )
}

fn invalid_parameter(message: &'static str) -> GridError {
    GridError::invalid_input(Reason::ListingParameterInvalid, message)
}

/// The cursor of the page after `last`.
fn cursor(last: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(last.get("id").and_then(Value::as_str).unwrap_or_default())
}

/// Where the page at `cursor` starts.
fn after(cursor: &str, all: &[Value]) -> Option<usize> {
    let id = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let position = all
        .iter()
        .position(|account| account.get("id") == Some(&json!(id)))?;
    position.checked_add(1)
}
