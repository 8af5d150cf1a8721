//! The client: what a page makes once.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String, vec::Vec};

use super::{
    key_delivery::KeyDelivery,
    oauth::{OAuthOptions, OAuthSignIn, OAuthState},
    otp::{OtpSignIn, OtpState},
    passkey::{self, PasskeySignIn},
    session::{self, WalletSession},
    signer::Signer,
    state::{Listener, Observable, SessionState},
    steps::{Work, then},
    wallets::Wallets,
};
use crate::{
    api::{
        client::{Answer, CallOptions, GridApi, Observer},
        operation::Operation,
        request::{Request, texts},
        types::{AuthMethod, AuthSession},
        validate::{self, IdKind},
    },
    crypto::{enclave::EnclaveKeys, json::Json},
    error::{Error, Result},
    formats::session_key::SessionKey,
    ports::{Authenticator, Clock, KeyStore, Notes, Random, Transport},
};

/// The world, as the client sees it.
pub struct Ports {
    /// HTTP.
    pub transport: Rc<dyn Transport>,
    /// Passkeys.
    pub authenticator: Rc<dyn Authenticator>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// Secure randomness.
    pub random: Rc<dyn Random>,
    /// Keys that outlive the page.
    pub key_store: Rc<dyn KeyStore>,
    /// What is remembered of accounts.
    pub notes: Rc<dyn Notes>,
}

/// What the integrator chooses.
pub struct Options {
    /// How passkey sign-ins and refreshes get their keys.
    pub session_keys: KeyDelivery,
    /// The enclave keys that bundles and tokens must be signed with.
    pub enclave: EnclaveKeys,
    /// WebAuthn's relying party id; missing: the page's own domain.
    pub rp_id: Option<String>,
    /// The relying party's name for new passkeys; missing: what the relay says.
    pub rp_name: Option<String>,
    /// How long a request may take, in milliseconds.
    pub timeout_ms: u64,
    /// Sees every request, redacted.
    pub observer: Option<Observer>,
    /// Accounts and their organizations at Turnkey, as far as the platform knows them.
    pub organizations: Vec<(String, String)>,
}

/// What the client and everything made by it share.
pub(super) struct Core {
    pub api: GridApi,
    pub authenticator: Rc<dyn Authenticator>,
    pub random: Rc<dyn Random>,
    pub key_store: Rc<dyn KeyStore>,
    pub wallets: Wallets,
    pub session_keys: KeyDelivery,
    pub enclave: EnclaveKeys,
    pub rp_id: Option<String>,
    pub rp_name: Option<String>,
    pub state: Observable,
}

impl Core {
    /// One leg of an operation.
    pub fn call(self: &Rc<Self>, request: Request, options: &CallOptions) -> Work<Answer> {
        let (core, options) = (self.clone(), options.clone());
        Box::pin(async move { core.api.call(request, &options).await })
    }
}

/// Whom a sign-in is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// `AuthMethod:<uuid>`
    pub auth_method_id: String,
    /// The account that the caller knows it to be of, where it does.
    pub account_id: Option<String>,
}

impl Credential {
    /// A credential, and perhaps its account.
    pub fn of(auth_method_id: &str, account_id: Option<&str>) -> Self {
        Self {
            auth_method_id: auth_method_id.to_owned(),
            account_id: account_id.map(str::to_owned),
        }
    }

    /// Refuses what is no id, before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        validate::id("authMethodId", IdKind::AuthMethod, &self.auth_method_id)?;
        match &self.account_id {
            Some(account_id) => validate::id("accountId", IdKind::InternalAccount, account_id),
            None => Ok(()),
        }
    }

    /// Refuses an answer that is of another account: whose wallet would that be?
    pub(super) fn check_account(&self, account_id: &str) -> Result<()> {
        match &self.account_id {
            Some(expected) if expected != account_id => Err(Error::relay_protocol(
                "the answer is of another account than was asked for",
            )),
            Some(_) | None => Ok(()),
        }
    }
}

impl From<&str> for Credential {
    fn from(auth_method_id: &str) -> Self {
        Self::of(auth_method_id, None)
    }
}

impl From<&String> for Credential {
    fn from(auth_method_id: &String) -> Self {
        Self::of(auth_method_id, None)
    }
}

/// A client of one relay. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Gridkey {
    core: Rc<Core>,
}

impl Gridkey {
    /// A client in which nobody is signed in.
    pub fn new(ports: Ports, options: Options) -> Self {
        let Ports {
            transport,
            authenticator,
            clock,
            random,
            key_store,
            notes,
        } = ports;
        let Options {
            session_keys,
            enclave,
            rp_id,
            rp_name,
            timeout_ms,
            observer,
            organizations,
        } = options;
        Self {
            core: Rc::new(Core {
                api: GridApi::new(transport, clock, random.clone(), observer, timeout_ms),
                authenticator,
                random,
                key_store,
                wallets: Wallets::new(notes, organizations),
                session_keys,
                enclave,
                rp_id,
                rp_name,
                state: Observable::default(),
            }),
        }
    }

    /// Grid's endpoints, one by one.
    pub fn api(&self) -> &GridApi {
        &self.core.api
    }

    /// Whether somebody is signed in.
    pub fn state(&self) -> SessionState {
        self.core.state.get()
    }

    /// Calls `listener` after each change of [`Self::state`].
    pub fn subscribe(&self, listener: Listener) -> u64 {
        self.core.state.subscribe(listener)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, subscription: u64) {
        self.core.state.unsubscribe(subscription);
    }

    /// The ways to sign in to an account.
    pub fn list_auth_methods(
        &self,
        account_id: &str,
        options: &CallOptions,
    ) -> Work<Vec<AuthMethod>> {
        let mut request = Request::new(Operation::ListAuthCredentials);
        request.query = Some(texts(&[("accountId", account_id)]));
        then(self.core.call(request, options), |answer| {
            let methods = answer.body.get("data").and_then(Json::as_array);
            let methods = methods.unwrap_or_default().iter();
            // Of kinds that a newer Grid has, nothing can be done with here.
            let known = methods.filter(|method| AuthMethod::is_of_known_kind(method));
            Ok(known.map(AuthMethod::read).collect())
        })
    }

    /// Sends a one-time code by e-mail or SMS.
    pub fn send_otp(
        &self,
        credential: impl Into<Credential>,
        options: &CallOptions,
    ) -> Work<OtpSignIn> {
        OtpSignIn::send(&self.core, credential.into(), options)
    }

    /// Goes on where [`OtpSignIn::state`] was taken, e.g. before the page was loaded anew.
    pub fn resume_otp(&self, state: OtpState) -> Result<OtpSignIn> {
        OtpSignIn::resume(self.core.clone(), state)
    }

    /// Fetches a passkey's challenge ahead of the tap, and keeps it fresh.
    pub fn prepare_passkey(
        &self,
        credential: impl Into<Credential>,
        options: CallOptions,
    ) -> Work<PasskeySignIn> {
        PasskeySignIn::prepare(self.core.clone(), credential.into(), options)
    }

    /// Fetches a passkey's challenge and asks for the passkey at once.
    pub fn sign_in_with_passkey(
        &self,
        credential: impl Into<Credential>,
        options: &CallOptions,
    ) -> Work<WalletSession> {
        passkey::sign_in(self.core.clone(), credential.into(), options.clone())
    }

    /// Makes the key that an identity provider's token will be bound to.
    pub fn prepare_oauth(&self, options: OAuthOptions) -> Work<OAuthSignIn> {
        OAuthSignIn::prepare(self.core.clone(), options)
    }

    /// Goes on after a redirect to the identity provider and back.
    pub fn resume_oauth(&self, state: OAuthState) -> Work<OAuthSignIn> {
        OAuthSignIn::resume(self.core.clone(), state)
    }

    /// Forgets which organization and wallet an account has: the next payload is believed again.
    pub fn forget_organization(&self, account_id: &str) -> Result<()> {
        validate::id("accountId", IdKind::InternalAccount, account_id)?;
        self.core.wallets.forget(account_id);
        Ok(())
    }

    /// Takes over a session that was opened by other means, with its key.
    ///
    /// `key` is asked for once the session is known to be of use: a session that is over costs
    /// nobody their key.
    pub fn adopt_session(
        &self,
        session: AuthSession,
        key: impl FnOnce() -> Result<SessionKey>,
    ) -> Result<WalletSession> {
        session::check_adoptable(&self.core, &session)?;
        let key = Rc::new(Signer::Held(key()?));
        WalletSession::start(self.core.clone(), session, None, key)
    }
}
