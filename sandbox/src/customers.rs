//! Changing a customer: the addresses that OTP credentials are tied to, and the name.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::rfc3339,
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    otp::Channel,
    payloads,
    signed_requests::Leg,
    state::{Account, Credential, CredentialKind, CustomerRecord, Grid},
};

/// What the sandbox lets one update; the API has more, which is refused here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateRequest {
    customer_type: CustomerType,
    email: Option<String>,
    phone_number: Option<String>,
    full_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CustomerType {
    Individual,
}

impl CustomerRecord {
    /// An `IndividualCustomer`.
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "platformCustomerId": self.id.replace("Customer:", "platform-"),
            "customerType": "INDIVIDUAL",
            "umaAddress": format!("${}", self.email),
            "fullName": self.full_name,
            "email": self.email,
            "phoneNumber": self.phone_number,
            "kycStatus": "APPROVED",
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(self.updated_at),
        })
    }
}

impl Grid<'_> {
    /// `updateCustomerById`. A contact that a credential is tied to changes only together with it,
    /// by a signed retry; anything else at once.
    pub(crate) fn update_customer_by_id(&mut self, request: &GridRequest) -> Result<Answer> {
        self.customer(&request.id)?;
        let body: UpdateRequest = request.json()?;
        let CustomerType::Individual = body.customer_type;
        let change = match (body.email, body.phone_number) {
            (Some(_), Some(_)) => {
                return Err(GridError::invalid_input(
                    Reason::UpdateUnsuitable,
                    "email and phoneNumber are updated one by one",
                ));
            }
            (Some(email), None) => Some((Channel::Email, email)),
            (None, Some(phone_number)) => Some((Channel::Sms, phone_number)),
            (None, None) => None,
        };
        if let Some((channel, contact)) = &change {
            self.check_contact(*channel, contact)?;
            let account = self.account_of_customer(&request.id)?;
            let tied: Vec<_> = self
                .credentials_of(&account)
                .filter(|credential| credential.channel() == Some(*channel))
                .collect();
            match Leg::of(request)? {
                Leg::First if tied.is_empty() => {}
                Leg::First => {
                    let payload = payloads::set_contact(&account, *channel, contact, self.now);
                    return Ok(self.ask_account(request, payload, &account));
                }
                Leg::Second(retry) => {
                    let ages: Vec<_> = tied.iter().map(|tied| tied.created_at).collect();
                    let signed = self.check_retry(request, &retry)?;
                    if ages.is_empty() || ages.iter().any(|age| *age > signed.issued_at) {
                        return Err(set_changed(*channel));
                    }
                }
            }
        }
        self.apply(&request.id, change, body.full_name)
    }

    fn apply(
        &mut self,
        id: &str,
        change: Option<(Channel, String)>,
        full_name: Option<String>,
    ) -> Result<Answer> {
        let now = self.now;
        if let Some((channel, contact)) = &change {
            let account = self.account_of_customer(id)?;
            for credential in &mut self.state.credentials {
                if credential.account_id == account.id && credential.channel() == Some(*channel) {
                    credential.move_to(contact);
                    credential.updated_at = now;
                }
            }
        }
        let customer = self
            .state
            .customers
            .iter_mut()
            .find(|customer| customer.id == id);
        let customer = customer.ok_or_else(not_found)?;
        match change {
            Some((Channel::Email, email)) => customer.email = email,
            Some((Channel::Sms, phone_number)) => customer.phone_number = phone_number,
            None => {}
        }
        if let Some(full_name) = full_name {
            customer.full_name = full_name;
        }
        customer.updated_at = now;
        Ok(Answer::json(200, customer.json()))
    }

    fn check_contact(&self, channel: Channel, contact: &str) -> Result<()> {
        let is_well_formed = match channel {
            Channel::Email => contact
                .split_once('@')
                .is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.')),
            Channel::Sms => is_e164(contact),
        };
        if !is_well_formed {
            return Err(GridError::invalid_input(
                Reason::ContactMalformed,
                "email or phoneNumber is malformed",
            ));
        }
        let is_taken = |credential: &Credential| {
            credential.channel() == Some(channel) && credential.nickname == contact
        };
        if self.state.credentials.iter().any(is_taken) {
            let code = match channel {
                Channel::Email => Code::EmailOtpEmailAlreadyExists,
                // The API has no code of its own for it.
                Channel::Sms => Code::Conflict,
            };
            return Err(GridError::new(
                code,
                Reason::ContactTaken,
                "a credential has this email or phoneNumber",
            ));
        }
        Ok(())
    }

    /// Each customer has one Embedded Wallet.
    fn account_of_customer(&self, id: &str) -> Result<Account> {
        let mut accounts = self.state.accounts.iter();
        accounts
            .find(|account| account.customer_id == id)
            .cloned()
            .ok_or_else(not_found)
    }

    pub(crate) fn customer(&self, id: &str) -> Result<&CustomerRecord> {
        self.state.customer(id).ok_or_else(not_found)
    }
}

impl Credential {
    /// Codes go to another contact from now on; one that is on its way is void.
    fn move_to(&mut self, contact: &str) {
        contact.clone_into(&mut self.nickname);
        if let CredentialKind::Otp { issued, .. } = &mut self.kind {
            *issued = None;
        }
    }
}

/// `^\+[1-9]\d{1,14}$`
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn set_changed(channel: Channel) -> GridError {
    let code = match channel {
        Channel::Email => Code::EmailOtpCredentialSetChanged,
        Channel::Sms => Code::Conflict,
    };
    GridError::new(
        code,
        Reason::CredentialSetChanged,
        "the customer's credentials changed since the payload was made",
    )
}

fn not_found() -> GridError {
    GridError::not_found(Reason::CustomerNotFound, "no such customer")
}
