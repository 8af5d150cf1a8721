//! Currencies, as Grid describes them.

use serde_json::{Value, json};

/// A currency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    name: &'static str,
    symbol: &'static str,
    /// Thousandths of a dollar that one unit costs.
    pub(crate) rate_per_mille: i32,
}

/// What Embedded Wallets hold.
pub(crate) const USD: Currency = Currency {
    code: "USD",
    name: "United States Dollar",
    symbol: "$",
    rate_per_mille: 1000,
};
pub(crate) const EUR: Currency = Currency {
    code: "EUR",
    name: "Euro",
    symbol: "€",
    rate_per_mille: 1087,
};
const GBP: Currency = Currency {
    code: "GBP",
    name: "Pound Sterling",
    symbol: "£",
    rate_per_mille: 1269,
};
const MXN: Currency = Currency {
    code: "MXN",
    name: "Mexican Peso",
    symbol: "$",
    rate_per_mille: 58,
};

/// A currency that can be paid out, by its code.
pub(crate) fn receivable(code: &str) -> Option<Currency> {
    [EUR, GBP, MXN]
        .into_iter()
        .find(|currency| currency.code == code)
}

impl Currency {
    pub(crate) fn json(self) -> Value {
        json!({ "code": self.code, "name": self.name, "symbol": self.symbol, "decimals": 2 })
    }

    /// Dollars per unit.
    pub(crate) fn rate(self) -> f64 {
        f64::from(self.rate_per_mille) / 1000.0
    }

    /// A `CurrencyAmount`, in cents.
    pub(crate) fn amount(self, amount: i64) -> Value {
        json!({ "amount": amount, "currency": self.json() })
    }
}
