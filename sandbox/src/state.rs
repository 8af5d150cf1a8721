//! Everything the sandbox remembers, and the customers it starts with.

use p256::{PublicKey, SecretKey};
use serde::Serialize;
use uuid::Uuid;

#[cfg(feature = "conformance")]
use crate::conformance::{Renames, Violation};
use crate::{
    accounts::Holding,
    agents::Agent,
    clock::{Clock, Millis},
    counts::RequestCounts,
    delegated_keys::{Card, DelegatedKey},
    enclaves::Enclaves,
    faults::Faults,
    idempotency::IdempotentAnswers,
    keys::Delivery,
    lies::Lies,
    oidc::Identity,
    oidc_provider::Provider,
    options::SandboxOptions,
    otp::Channel,
    quotes::{ExternalAccount, Quote},
    rate_limits::RateLimits,
    sca::CustomerSca,
    signed_requests::SignedRequests,
    webauthn::{PasskeyChallenges, PasskeyKey},
};

/// What the operations work on: one request's view of the sandbox.
pub(crate) struct Grid<'a> {
    pub(crate) options: &'a SandboxOptions,
    pub(crate) enclaves: &'a Enclaves,
    pub(crate) provider: &'a Provider,
    pub(crate) state: &'a mut State,
    /// Sandbox time at which the request arrived.
    pub(crate) now: Millis,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) customers: Vec<CustomerRecord>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) external_accounts: Vec<ExternalAccount>,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) idempotent_answers: IdempotentAnswers,
    pub(crate) cards: Vec<Card>,
    pub(crate) delegated_keys: Vec<DelegatedKey>,
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
    /// Whether wallet exports come without a signature.
    pub(crate) has_unsigned_exports: bool,
    #[cfg(feature = "conformance")]
    pub(crate) violations: Vec<Violation>,
    #[cfg(feature = "conformance")]
    pub(crate) renames: Renames,
}

/// A customer as Grid knows it.
#[derive(Clone)]
pub(crate) struct CustomerRecord {
    pub(crate) id: String,
    pub(crate) full_name: String,
    pub(crate) email: String,
    pub(crate) phone_number: String,
    pub(crate) sca: CustomerSca,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// An Embedded Wallet's internal account, and what Turnkey calls it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) organization_id: String,
    pub(crate) user_id: String,
    pub(crate) wallet_id: String,
    /// The wallet's address on Spark.
    pub(crate) spark_address: String,
    pub(crate) mnemonic: &'static str,
    /// Cents that can be spent.
    pub(crate) balance: i64,
    /// Cents, with those that are on their way out.
    pub(crate) total_balance: i64,
    pub(crate) is_private: bool,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
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
    /// First names, for the demos' sign-in page.
    pub name: String,
    /// A holding account of the customer beside the wallet: `InternalAccount:<uuid>`
    pub holding_account_id: String,
    /// What Turnkey calls the wallet; payloads to sign carry it.
    pub wallet_id: String,
    /// The wallet's address on Spark, with which its privacy is signed.
    pub spark_address: String,
    /// What an export of the wallet comes to: a BIP-39 mnemonic of twelve words.
    pub mnemonic: String,
    /// Where quotes can pay to, in euros: `ExternalAccount:<uuid>`
    pub external_account_id: String,
    /// A card that the wallet pays for: `Card:<uuid>`
    pub card_id: String,
    /// `CardFundingSource:<uuid>`
    pub card_funding_source_id: String,
}

/// What customers differ in.
struct Seed {
    /// Last digit of all ids.
    n: u8,
    name: &'static str,
    email: &'static str,
    phone_number: &'static str,
    device_code: &'static str,
    mnemonic: &'static str,
}

/// The mnemonics are test vectors of BIP-39, known to everybody.
const SEEDS: [Seed; 2] = [
    Seed {
        n: 1,
        name: "Ada",
        email: "ada@example.com",
        phone_number: "+14155550101",
        device_code: "GRID-AGENT-ADA2-7K9X",
        mnemonic: "legal winner thank year wave sausage worth useful legal winner thank yellow",
    },
    Seed {
        n: 2,
        name: "Bo",
        email: "bo@example.com",
        phone_number: "+14155550102",
        device_code: "GRID-AGENT-BO22-M2P4",
        mnemonic: "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
    },
];

/// Cents in each wallet at first.
const BALANCE: i64 = 1_000_000;

impl Seed {
    fn id(&self, prefix: &str, group: u8) -> String {
        format!(
            "{prefix}:019542f5-b3e7-1d02-{group:04}-00000000000{}",
            self.n
        )
    }

    fn customer(&self) -> Customer {
        let n = self.n;
        Customer {
            customer_id: self.id("Customer", 0),
            account_id: self.id("InternalAccount", 1),
            organization_id: format!("7d4c9a52-6b1e-4f3a-9c80-00000000000{n}"),
            agent_id: self.id("Agent", 3),
            device_code: self.device_code.to_owned(),
            email: self.email.to_owned(),
            phone_number: self.phone_number.to_owned(),
            email_otp_auth_method_id: self.id("AuthMethod", 2),
            name: self.name.to_owned(),
            holding_account_id: self.id("InternalAccount", 4),
            wallet_id: format!("5e0b7c14-2a9d-4c61-8f37-00000000000{n}"),
            spark_address: format!("sp1pgssx2ndesmr2cm86s6ylgsx7rqed58p5l4skcw69e2kzqqxgg79j{n}"),
            mnemonic: self.mnemonic.to_owned(),
            external_account_id: self.id("ExternalAccount", 5),
            card_id: self.id("Card", 6),
            card_funding_source_id: self.id("CardFundingSource", 7),
        }
    }
}

/// The seeded customers: always the same ids, so that they survive a `reset`.
pub(crate) fn seeded_customers() -> Vec<Customer> {
    SEEDS.iter().map(Seed::customer).collect()
}

impl State {
    pub(crate) fn seeded(options: &SandboxOptions) -> Self {
        let mut state = Self {
            has_unsigned_exports: options.unsigned_exports,
            ..Self::default()
        };
        let now = state.clock.now();
        for seed in &SEEDS {
            let customer = seed.customer();
            state.customers.push(CustomerRecord {
                id: customer.customer_id.clone(),
                full_name: format!("{} Example", customer.name),
                email: customer.email.clone(),
                phone_number: customer.phone_number,
                sca: CustomerSca::default(),
                created_at: now,
                updated_at: now,
            });
            state.credentials.push(Credential {
                id: customer.email_otp_auth_method_id,
                account_id: customer.account_id.clone(),
                nickname: customer.email,
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
            state.holdings.push(Holding {
                id: customer.holding_account_id,
                customer_id: customer.customer_id.clone(),
                created_at: now,
            });
            state.external_accounts.push(ExternalAccount {
                id: customer.external_account_id,
                customer_id: customer.customer_id.clone(),
            });
            state.cards.push(Card {
                id: customer.card_id,
                funding_source_id: customer.card_funding_source_id,
                account_id: customer.account_id.clone(),
            });
            state.accounts.push(Account {
                user_id: customer.organization_id.replace("7d4c9a52", "b21f6e07"),
                id: customer.account_id,
                customer_id: customer.customer_id,
                organization_id: customer.organization_id,
                wallet_id: customer.wallet_id,
                spark_address: customer.spark_address,
                mnemonic: seed.mnemonic,
                balance: BALANCE,
                total_balance: BALANCE,
                is_private: false,
                created_at: now,
                updated_at: now,
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

    pub(crate) fn customer(&self, id: &str) -> Option<&CustomerRecord> {
        self.customers.iter().find(|customer| customer.id == id)
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
