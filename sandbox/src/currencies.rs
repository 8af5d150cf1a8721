//! Currencies, as Grid describes them.

use serde_json::{Value, json};

/// A currency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    name: &'static str,
    symbol: &'static str,
}

/// What Embedded Wallets hold.
pub(crate) const USD: Currency = Currency {
    code: "USD",
    name: "United States Dollar",
    symbol: "$",
};
pub(crate) const EUR: Currency = Currency {
    code: "EUR",
    name: "Euro",
    symbol: "€",
};

impl Currency {
    pub(crate) fn json(self) -> Value {
        json!({ "code": self.code, "name": self.name, "symbol": self.symbol, "decimals": 2 })
    }

    /// A `CurrencyAmount`, in cents.
    pub(crate) fn amount(self, amount: i64) -> Value {
        json!({ "amount": amount, "currency": self.json() })
    }
}
