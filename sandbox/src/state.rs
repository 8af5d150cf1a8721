//! Everything the sandbox remembers, and the customers it starts with.

use p256::{PublicKey, SecretKey};
use serde::Serialize;
use uuid::Uuid;

#[cfg(feature = "conformance")]
use crate::conformance::{Renames, Violation};
use crate::{
    agents::Agent,
    clock::{Clock, Millis},
    counts::RequestCounts,
    enclaves::Enclaves,
    faults::Faults,
    keys::Delivery,
    lies::Lies,
    oidc::Identity,
    options::SandboxOptions,
    otp::Channel,
    rate_limits::RateLimits,
    signed_requests::SignedRequests,
    webauthn::{PasskeyChallenges, PasskeyKey},
};

/// What the operations work on: one request's view of the sandbox.
pub(crate) struct Grid<'a> {
    pub(crate) options: &'a SandboxOptions,
    pub(crate) enclaves: &'a Enclaves,
    pub(crate) state: &'a mut State,
    /// Sandbox time at which the request arrived.
    pub(crate) now: Millis,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) accounts: Vec<Account>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) signed_requests: SignedRequests,
    pub(crate) passkey_challenges: PasskeyChallenges,
    pub(crate) used_registration_challenges: Vec<String>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) faults: Faults,
    pub(crate) lies: Lies,
    pub(crate) counts: RequestCounts,
    #[cfg(feature = "conformance")]
    pub(crate) violations: Vec<Violation>,
    #[cfg(feature = "conformance")]
    pub(crate) renames: Renames,
}

/// An Embedded Wallet's internal account, its customer's addresses, and what Turnkey calls them.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) phone_number: String,
    pub(crate) organization_id: String,
    pub(crate) user_id: String,
}

/// An `AuthMethod`.
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) nickname: String,
    pub(crate) kind: CredentialKind,
    /// What Turnkey calls the authenticator or provider.
    pub(crate) turnkey_id: String,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

pub(crate) enum CredentialKind {
    Otp {
        channel: Channel,
        issued: Option<IssuedOtp>,
    },
    OAuth {
        identity: Identity,
    },
    Passkey {
        key: PasskeyKey,
    },
}

/// A code that was not used yet, and the key its bundle is sealed to.
pub(crate) struct IssuedOtp {
    pub(crate) target: SecretKey,
    pub(crate) expires_at: Millis,
}

/// An `AuthSession`.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) credential_id: String,
    /// What Turnkey calls the session's key.
    pub(crate) api_key_id: String,
    pub(crate) public_key: PublicKey,
    pub(crate) delivery: Delivery,
    pub(crate) created_at: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) is_revoked: bool,
}

impl Session {
    pub(crate) fn is_active(&self, now: Millis) -> bool {
        !self.is_revoked && now < self.expires_at
    }
}

/// A seeded customer, as `GET /sandbox/customers` shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// `Customer:<uuid>`
    pub customer_id: String,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// The account's organization, which payloads to sign carry.
    pub organization_id: String,
    /// `Agent:<uuid>`
    pub agent_id: String,
    /// The device code that the agent was created with.
    pub device_code: String,
    /// Where codes are "sent".
    pub email: String,
    /// Where an SMS_OTP credential's codes are "sent"; E.164.
    pub phone_number: String,
    /// The account's first credential: `AuthMethod:<uuid>`
    pub email_otp_auth_method_id: String,
}

/// The seeded customers: always the same ids, so that they survive a `reset`.
pub(crate) fn seeded_customers() -> Vec<Customer> {
    [
        (
            "1",
            "ada@example.com",
            "+14155550101",
            "GRID-AGENT-ADA2-7K9X",
        ),
        (
            "2",
            "bo@example.com",
            "+14155550102",
            "GRID-AGENT-BO22-M2P4",
        ),
    ]
    .into_iter()
    .map(|(n, email, phone_number, device_code)| Customer {
        customer_id: format!("Customer:019542f5-b3e7-1d02-0000-00000000000{n}"),
        account_id: format!("InternalAccount:019542f5-b3e7-1d02-0001-00000000000{n}"),
        organization_id: format!("7d4c9a52-6b1e-4f3a-9c80-00000000000{n}"),
        agent_id: format!("Agent:019542f5-b3e7-1d02-0003-00000000000{n}"),
        device_code: device_code.to_owned(),
        email: email.to_owned(),
        phone_number: phone_number.to_owned(),
        email_otp_auth_method_id: format!("AuthMethod:019542f5-b3e7-1d02-0002-00000000000{n}"),
    })
    .collect()
}

impl State {
    pub(crate) fn seeded(options: &SandboxOptions) -> Self {
        let mut state = Self::default();
        let now = state.clock.now();
        for customer in seeded_customers() {
            state.credentials.push(Credential {
                id: customer.email_otp_auth_method_id,
                account_id: customer.account_id.clone(),
                nickname: customer.email.clone(),
                kind: CredentialKind::Otp {
                    channel: Channel::Email,
                    issued: None,
                },
                turnkey_id: new_uuid(),
                created_at: now,
                updated_at: now,
            });
            state.agents.push(Agent::seeded(
                customer.agent_id,
                customer.device_code,
                now,
                options,
            ));
            state.accounts.push(Account {
                user_id: customer.organization_id.replace("7d4c9a52", "b21f6e07"),
                id: customer.account_id,
                email: customer.email,
                phone_number: customer.phone_number,
                organization_id: customer.organization_id,
            });
        }
        state
    }

    pub(crate) fn expire_challenges(&mut self) {
        let now = self.clock.now();
        self.signed_requests.expire_all(now);
        self.passkey_challenges.expire_all(now);
        for credential in &mut self.credentials {
            if let CredentialKind::Otp {
                issued: Some(otp), ..
            } = &mut credential.kind
            {
                otp.expires_at = otp.expires_at.min(now);
            }
        }
    }

    pub(crate) fn expire_sessions(&mut self) {
        let now = self.clock.now();
        for session in &mut self.sessions {
            session.expires_at = session.expires_at.min(now);
        }
    }

    pub(crate) fn revoke_sessions(&mut self) {
        for session in &mut self.sessions {
            session.is_revoked = true;
        }
    }

    /// Removes a credential together with its sessions.
    pub(crate) fn remove_credential(&mut self, id: &str) {
        self.sessions.retain(|session| session.credential_id != id);
        self.credentials.retain(|credential| credential.id != id);
    }

    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    pub(crate) fn credential(&self, id: &str) -> Option<&Credential> {
        self.credentials
            .iter()
            .find(|credential| credential.id == id)
    }

    pub(crate) fn credential_mut(&mut self, id: &str) -> Option<&mut Credential> {
        self.credentials
            .iter_mut()
            .find(|credential| credential.id == id)
    }

    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }
}

/// `<prefix>:<uuid>`
pub(crate) fn new_id(prefix: &str) -> String {
    format!("{prefix}:{}", new_uuid())
}

pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}
