//! Strong Customer Authentication: what a customer in the EU does once more before money moves.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    options::millis,
    quotes::Status,
    state::{Grid, new_id},
};

/// The code that every customer "receives", as in Grid's own sandbox.
pub const SCA_CODE: &str = "123456";

/// After so many wrong codes the customer's login is locked.
const MAX_FAILURES: u32 = 5;
const LOCK_MS: i64 = 15 * 60 * 1000;

/// What SCA is to a customer.
#[derive(Clone, Default)]
pub(crate) struct CustomerSca {
    /// Whether the customer is one of the EU.
    pub(crate) is_required: bool,
    failures: u32,
    locked_until: Millis,
}

/// A code that was not entered yet.
pub(crate) struct ScaChallenge {
    id: String,
    pub(crate) expires_at: Millis,
}

/// No customer is enrolled for any but SMS_OTP.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ScaFactor {
    SmsOtp,
    Totp,
    Passkey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ScaAuthorization {
    code: Option<String>,
    passkey_assertion: Option<Value>,
    #[serde(rename = "origin")]
    _origin: Option<String>,
    #[serde(rename = "endUserIpAddress")]
    _end_user_ip_address: Option<String>,
}

impl ScaChallenge {
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "expiresAt": rfc3339(self.expires_at),
            "factor": "SMS_OTP",
            "availableFactors": ["SMS_OTP"],
        })
    }
}

impl CustomerSca {
    /// Checks a code; too many wrong ones lock the customer out for a while.
    fn check(&mut self, code: &str, now: Millis) -> Result<()> {
        if now < self.locked_until {
            return Err(GridError::new(
                Code::AccountLocked,
                Reason::ScaLocked,
                "too many wrong codes",
            ));
        }
        if code == SCA_CODE {
            self.failures = 0;
            return Ok(());
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= MAX_FAILURES {
            self.failures = 0;
            self.locked_until = now.saturating_add(LOCK_MS);
        }
        Err(unproven(Reason::ScaCodeWrong, "the code is wrong"))
    }
}

impl Grid<'_> {
    /// "Sends" a code.
    pub(crate) fn new_sca_challenge(&self, factor: Option<ScaFactor>) -> Result<ScaChallenge> {
        match factor.unwrap_or(ScaFactor::SmsOtp) {
            ScaFactor::SmsOtp => Ok(ScaChallenge {
                id: new_id("ScaChallenge"),
                expires_at: self.now.saturating_add(millis(self.options.challenge_life)),
            }),
            ScaFactor::Totp | ScaFactor::Passkey => Err(GridError::invalid_input(
                Reason::ScaFactorUnsuitable,
                "the customer is not enrolled for this factor",
            )),
        }
    }

    /// `authorizeQuote`
    pub(crate) fn authorize_quote(&mut self, request: &GridRequest) -> Result<Answer> {
        let expires_at = self.pending_challenge(&request.id)?;
        let now = self.now;
        let body: ScaAuthorization = request.json()?;
        let (Some(code), None) = (body.code, body.passkey_assertion) else {
            return Err(unproven(
                Reason::ScaFactorUnsuitable,
                "an SMS_OTP challenge is authorized with a code",
            ));
        };
        if now >= expires_at {
            return Err(unproven(Reason::ScaExpired, "the code expired"));
        }
        let account = self.account(&self.quote(&request.id)?.account_id)?;
        let mut customers = self.state.customers.iter_mut();
        if let Some(customer) = customers.find(|customer| customer.id == account.customer_id) {
            customer.sca.check(&code, now)?;
        }
        self.transfer(&request.id)?;
        Ok(Answer::json(200, self.quote(&request.id)?.json(now)))
    }

    /// `resendQuoteScaCode`. The challenge stays as it is.
    pub(crate) fn resend_quote_sca_code(&mut self, request: &GridRequest) -> Result<Answer> {
        self.pending_challenge(&request.id)?;
        let limit = self.options.sca_resend_limit;
        self.state
            .rate_limits
            .admit(request.operation, &request.id, limit, self.now)?;
        Ok(Answer::empty(204))
    }

    /// When the quote's challenge ends.
    fn pending_challenge(&self, quote_id: &str) -> Result<Millis> {
        match &self.quote(quote_id)?.status {
            Status::PendingAuthorization(challenge) => Ok(challenge.expires_at),
            Status::Pending | Status::Processing | Status::Completed => Err(GridError::new(
                Code::Conflict,
                Reason::ScaNotPending,
                "the quote has no pending challenge",
            )),
        }
    }
}

fn unproven(reason: Reason, message: &'static str) -> GridError {
    GridError::invalid_input(reason, message)
}
