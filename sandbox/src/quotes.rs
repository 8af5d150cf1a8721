//! Quotes: payments out of an Embedded Wallet, signed by its owner.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    currencies::{Currency, EUR, USD, receivable},
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    options::millis,
    payloads,
    sca::{ScaChallenge, ScaFactor},
    signed_requests::Signer,
    stamps::Stamp,
    state::{Grid, new_id},
};

/// What a transfer costs: this many cents, and this many thousandths of what is sent.
const FIXED_FEE: i64 = 10;
const FEE_PER_MILLE: i64 = 3;

/// A customer's bank account elsewhere, in euros.
pub(crate) struct ExternalAccount {
    pub(crate) id: String,
    pub(crate) customer_id: String,
}

pub(crate) struct Quote {
    pub(crate) id: String,
    pub(crate) account_id: String,
    destination: Value,
    receiving: Currency,
    amounts: Amounts,
    transaction_id: String,
    /// What the owner signs.
    payload: String,
    pub(crate) status: Status,
    created_at: Millis,
    expires_at: Millis,
}

pub(crate) enum Status {
    Pending,
    PendingAuthorization(ScaChallenge),
    Processing,
    Completed,
}

/// In cents: `sending` = what is exchanged + `fee`.
#[derive(Clone, Copy)]
struct Amounts {
    sending: i64,
    receiving: i64,
    fee: i64,
}

/// `QuoteRequest`, as far as the sandbox offers it. `platformFeeOverride` is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct QuoteRequest {
    source: Source,
    destination: Destination,
    locked_currency_side: LockSide,
    locked_currency_amount: i64,
    #[serde(default)]
    immediately_execute: bool,
    #[serde(rename = "lookupId")]
    _lookup_id: Option<IgnoredAny>,
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "remittanceInformation")]
    _remittance_information: Option<IgnoredAny>,
    #[serde(rename = "purposeOfPayment")]
    _purpose_of_payment: Option<IgnoredAny>,
    #[serde(rename = "scaFactor")]
    _sca_factor: Option<IgnoredAny>,
    #[serde(rename = "senderCustomerInfo")]
    _sender_customer_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(
    tag = "sourceType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
enum Source {
    Account { account_id: String },
}

#[derive(Deserialize)]
#[serde(
    tag = "destinationType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
enum Destination {
    Account {
        account_id: String,
    },
    UmaAddress {
        uma_address: String,
        currency: Option<String>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LockSide {
    Sending,
    Receiving,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExecuteRequest {
    sca_factor: Option<ScaFactor>,
}

impl Amounts {
    /// `None` when there is nothing left to receive, or too much of it.
    fn new(side: LockSide, locked: i64, receiving: Currency) -> Option<Self> {
        let rate = i64::from(receiving.rate_per_mille);
        let amounts = match side {
            LockSide::Sending => {
                let variable = ceiling(locked.checked_mul(FEE_PER_MILLE)?, 1000)?;
                let fee = variable.checked_add(FIXED_FEE)?;
                let exchanged = locked.checked_sub(fee)?;
                Self {
                    sending: locked,
                    receiving: exchanged.checked_mul(1000)?.checked_div(rate)?,
                    fee,
                }
            }
            LockSide::Receiving => {
                let exchanged = ceiling(locked.checked_mul(rate)?, 1000)?;
                let sending = ceiling(
                    exchanged.checked_add(FIXED_FEE)?.checked_mul(1000)?,
                    1000_i64.checked_sub(FEE_PER_MILLE)?,
                )?;
                Self {
                    sending,
                    receiving: locked,
                    fee: sending.checked_sub(exchanged)?,
                }
            }
        };
        (locked > 0 && amounts.receiving > 0).then_some(amounts)
    }
}

/// `dividend / divisor`, rounded up; both are positive.
fn ceiling(dividend: i64, divisor: i64) -> Option<i64> {
    dividend
        .checked_add(divisor.checked_sub(1)?)?
        .checked_div(divisor)
}

impl Quote {
    pub(crate) fn json(&self, now: Millis) -> Value {
        let status = match &self.status {
            Status::Pending if now >= self.expires_at => "EXPIRED",
            Status::PendingAuthorization(challenge) if now >= challenge.expires_at => "EXPIRED",
            Status::Pending => "PENDING",
            Status::PendingAuthorization(_) => "PENDING_AUTHORIZATION",
            Status::Processing => "PROCESSING",
            Status::Completed => "COMPLETED",
        };
        let mut quote = json!({
            "id": self.id,
            "status": status,
            "createdAt": rfc3339(self.created_at),
            "expiresAt": rfc3339(self.expires_at),
            "source": { "sourceType": "ACCOUNT", "accountId": self.account_id },
            "destination": self.destination,
            "sendingCurrency": USD.json(),
            "receivingCurrency": self.receiving.json(),
            "totalSendingAmount": self.amounts.sending,
            "totalReceivingAmount": self.amounts.receiving,
            "exchangeRate": self.receiving.rate(),
            "feesIncluded": self.amounts.fee,
            "platformFeesIncluded": 0,
            "transactionId": self.transaction_id,
        });
        if let Some(members) = quote.as_object_mut() {
            match &self.status {
                Status::Pending => {
                    let wallet =
                        json!({ "accountType": "EMBEDDED_WALLET", "payloadToSign": self.payload });
                    let instructions = json!([{ "accountOrWalletInfo": wallet }]);
                    members.insert("paymentInstructions".to_owned(), instructions);
                }
                Status::PendingAuthorization(challenge) => {
                    members.insert("scaChallenge".to_owned(), challenge.json());
                }
                Status::Processing | Status::Completed => {}
            }
        }
        quote
    }
}

impl Grid<'_> {
    /// `createQuote`
    pub(crate) fn create_quote(&mut self, request: &GridRequest) -> Result<Answer> {
        self.once(request, |grid| {
            let body: QuoteRequest = request.json()?;
            let Source::Account { account_id } = &body.source;
            let account = grid.state.account(account_id).cloned().ok_or_else(|| {
                unsuitable("the source is not the internal account of an Embedded Wallet")
            })?;
            if body.immediately_execute {
                return Err(unsuitable("a transfer out of an Embedded Wallet is signed"));
            }
            let (destination, receiving) =
                grid.destination(&body.destination, &account.customer_id)?;
            let (side, locked) = (body.locked_currency_side, body.locked_currency_amount);
            let amounts = Amounts::new(side, locked, receiving).ok_or_else(|| {
                GridError::new(
                    Code::AmountOutOfRange,
                    Reason::QuoteUnsuitable,
                    "the amount is too small or too large",
                )
            })?;
            let id = new_id("Quote");
            let quote = Quote {
                payload: payloads::sign_transaction(&account, &id, grid.now),
                id,
                account_id: account.id,
                destination,
                receiving,
                amounts,
                transaction_id: new_id("Transaction"),
                status: Status::Pending,
                created_at: grid.now,
                expires_at: grid.now.saturating_add(millis(grid.options.quote_life)),
            };
            let answer = Answer::json(201, quote.json(grid.now));
            grid.state.quotes.push(quote);
            Ok(answer)
        })
    }

    fn destination(
        &self,
        destination: &Destination,
        customer_id: &str,
    ) -> Result<(Value, Currency)> {
        match destination {
            Destination::Account { account_id } => {
                let is_own = |account: &ExternalAccount| {
                    account.id == *account_id && account.customer_id == customer_id
                };
                if !self.state.external_accounts.iter().any(is_own) {
                    return Err(unsuitable("the customer has no such external account"));
                }
                let json = json!({ "destinationType": "ACCOUNT", "accountId": account_id });
                Ok((json, EUR))
            }
            Destination::UmaAddress {
                uma_address,
                currency,
            } => {
                let parts = uma_address
                    .strip_prefix('$')
                    .and_then(|a| a.split_once('@'));
                if parts.is_none_or(|(name, domain)| name.is_empty() || domain.is_empty()) {
                    return Err(GridError::new(
                        Code::InvalidUmaAddress,
                        Reason::QuoteUnsuitable,
                        "umaAddress is not $name@domain",
                    ));
                }
                let code = currency.as_deref().unwrap_or(EUR.code);
                let receiving = receivable(code).ok_or_else(|| {
                    GridError::new(
                        Code::InvalidCurrency,
                        Reason::QuoteUnsuitable,
                        "the currency is not one that the sandbox pays out",
                    )
                })?;
                let json = json!({
                    "destinationType": "UMA_ADDRESS",
                    "umaAddress": uma_address,
                    "currency": code,
                });
                Ok((json, receiving))
            }
        }
    }

    /// `getQuoteById`. Whoever looks at a transfer under way sees it completed.
    pub(crate) fn get_quote_by_id(&mut self, request: &GridRequest) -> Result<Answer> {
        let now = self.now;
        let quote = self.quote_mut(&request.id)?;
        if let Status::Processing = quote.status {
            quote.status = Status::Completed;
            let (sending, account_id) = (quote.amounts.sending, quote.account_id.clone());
            let account = self.account_mut(&account_id)?;
            account.total_balance = account.total_balance.saturating_sub(sending);
            account.updated_at = now;
        }
        let quote = self.quote(&request.id)?;
        Ok(Answer::json(200, quote.json(now)))
    }

    /// `executeQuote`
    pub(crate) fn execute_quote(&mut self, request: &GridRequest) -> Result<Answer> {
        self.quote(&request.id)?;
        self.once(request, |grid| {
            let body = if request.body.is_empty() {
                ExecuteRequest::default()
            } else {
                request.json::<ExecuteRequest>()?
            };
            let quote = grid.quote(&request.id)?;
            if !matches!(quote.status, Status::Pending) {
                return Err(GridError::new(
                    Code::Conflict,
                    Reason::QuoteExecuted,
                    "the quote was executed before",
                ));
            }
            if grid.now >= quote.expires_at {
                return Err(GridError::new(
                    Code::Conflict,
                    Reason::QuoteExpired,
                    "the quote expired",
                ));
            }
            grid.check_quote_stamp(request, quote)?;
            let customer_id = grid.account(&quote.account_id)?.customer_id;
            if grid.customer(&customer_id)?.sca.is_required {
                let challenge = grid.new_sca_challenge(body.sca_factor)?;
                grid.quote_mut(&request.id)?.status = Status::PendingAuthorization(challenge);
            } else {
                grid.transfer(&request.id)?;
            }
            let quote = grid.quote(&request.id)?;
            Ok(Answer::json(200, quote.json(grid.now)))
        })
    }

    fn check_quote_stamp(&self, request: &GridRequest, quote: &Quote) -> Result<()> {
        let stamp = request.signature().ok_or_else(|| {
            GridError::new(
                Code::WalletSignatureMissing,
                Reason::SignatureMissing,
                "Grid-Wallet-Signature is required for an Embedded Wallet",
            )
        })?;
        let stamp = Stamp::parse(&stamp)?;
        let signer = Signer::AccountSession {
            account_id: quote.account_id.clone(),
        };
        self.check_signer(&stamp.public_key, &signer)?;
        stamp.verify(&quote.payload)
    }

    /// Sets the money on its way.
    pub(crate) fn transfer(&mut self, quote_id: &str) -> Result<()> {
        let now = self.now;
        let quote = self.quote(quote_id)?;
        let (sending, account_id) = (quote.amounts.sending, quote.account_id.clone());
        let account = self.account_mut(&account_id)?;
        let rest = account
            .balance
            .checked_sub(sending)
            .filter(|rest| *rest >= 0);
        account.balance = rest.ok_or_else(|| {
            GridError::invalid_input(
                Reason::BalanceInsufficient,
                "the account has less than what is sent",
            )
        })?;
        account.updated_at = now;
        self.quote_mut(quote_id)?.status = Status::Processing;
        Ok(())
    }

    pub(crate) fn quote(&self, id: &str) -> Result<&Quote> {
        let mut quotes = self.state.quotes.iter();
        quotes.find(|quote| quote.id == id).ok_or_else(not_found)
    }

    pub(crate) fn quote_mut(&mut self, id: &str) -> Result<&mut Quote> {
        let mut quotes = self.state.quotes.iter_mut();
        quotes.find(|quote| quote.id == id).ok_or_else(not_found)
    }
}

fn not_found() -> GridError {
    GridError::new(Code::QuoteNotFound, Reason::QuoteNotFound, "no such quote")
}

fn unsuitable(message: &'static str) -> GridError {
    GridError::invalid_input(Reason::QuoteUnsuitable, message)
}

#[cfg(test)]
mod tests {
    use super::{Amounts, EUR, LockSide};

    #[test]
    fn whoever_locks_what_is_received_sends_no_more_than_needed() {
        for locked in [1, 7, 100, 9_991, 123_456_789] {
            let quoted = Amounts::new(LockSide::Receiving, locked, EUR).unwrap();
            let of = |sending| Amounts::new(LockSide::Sending, sending, EUR);
            assert!(of(quoted.sending).unwrap().receiving >= locked);
            assert!(of(quoted.sending - 2).is_none_or(|less| less.receiving < locked));
        }
        for (side, locked) in [
            (LockSide::Sending, 0),
            (LockSide::Sending, -5),
            (LockSide::Sending, 11),
            (LockSide::Receiving, 0),
            (LockSide::Receiving, i64::MAX),
            (LockSide::Sending, i64::MAX),
        ] {
            assert!(Amounts::new(side, locked, EUR).is_none());
        }
    }
}
