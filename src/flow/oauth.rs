//! Signing in with an identity provider's token.
//!
//! The token is bound to a key made here by its nonce, so the key is there before the provider is
//! asked. Where the page is left for that, the key must outlive it and nobody must be able to read
//! it: then it is in the browser's keeping, and becomes the session key.

use alloc::{boxed::Box, rc::Rc, string::String};
use core::cell::RefCell;

use super::{
    client::{Core, Credential},
    key_delivery::PendingKey,
    session::WalletSession,
    steps::{Work, begun, whatever},
};
use crate::{
    api::{
        client::{Answer, CallOptions},
        operation::Operation,
        request::Request,
        signed_retry::{check_not_aborted, outcome_unknown},
        types::{AuthMethodType, AuthSession},
        validate,
    },
    error::{Error, ErrorCode, Result},
    formats::oauth::{ExpectedIdToken, check_id_token, nonce},
};

const MAX_CLIENT_ID_BYTES: usize = 1024;

/// What the caller of `prepareOAuth` chooses.
#[derive(Clone, Debug)]
pub struct OAuthOptions {
    /// The credential, and perhaps its account.
    pub credential: Credential,
    /// The platform's client id at the provider, which the token must be for.
    pub client_id: Option<String>,
    /// Whether the page is left for the provider's.
    pub redirect: bool,
}

/// What to keep over the redirect. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuthState {
    /// The credential, and perhaps its account.
    pub credential: Credential,
    /// `clientPublicKey`, SEC1 compressed, hexadecimal.
    pub client_public_key: String,
    /// The platform's client id at the provider.
    pub client_id: Option<String>,
}

/// A key is ready, and the provider is to be asked for a token with its nonce.
pub struct OAuthSignIn {
    core: Rc<Core>,
    credential: Credential,
    client_id: Option<String>,
    client_public_key: String,
    nonce: String,
    outlives_page: bool,
    /// Taken while a token is under way, and for good once it was accepted.
    key: Rc<RefCell<Option<PendingKey>>>,
}

impl OAuthSignIn {
    pub(super) fn prepare(core: Rc<Core>, options: OAuthOptions) -> Work<Self> {
        Box::pin(async move {
            let OAuthOptions {
                credential,
                client_id,
                redirect,
            } = options;
            check(&credential, client_id.as_deref())?;
            let key = if redirect {
                PendingKey::Kept(core.key_store.generate().await?)
            } else {
                PendingKey::generate(core.session_keys, &*core.random)?
            };
            Self::new(core, credential, client_id, key, redirect)
        })
    }

    pub(super) fn resume(core: Rc<Core>, state: OAuthState) -> Work<Self> {
        Box::pin(async move {
            let OAuthState {
                credential,
                client_public_key,
                client_id,
            } = state;
            check(&credential, client_id.as_deref())?;
            nonce(&client_public_key)?;
            let signer = core.key_store.load(&client_public_key).await?;
            let signer = signer.ok_or_else(|| {
            Error::new(
                ErrorCode::ChallengeExpired,
                "the key that this sign-in was begun with is not kept any more: begin again with \
                 prepareOAuth",
            )
        })?;
            Self::new(core, credential, client_id, PendingKey::Kept(signer), true)
        })
    }

    fn new(
        core: Rc<Core>,
        credential: Credential,
        client_id: Option<String>,
        key: PendingKey,
        outlives_page: bool,
    ) -> Result<Self> {
        let client_public_key = key.client_public_key();
        Ok(Self {
            core,
            credential,
            client_id,
            // Of the text as it will be sent.
            nonce: nonce(&client_public_key)?,
            client_public_key,
            outlives_page,
            key: Rc::new(RefCell::new(Some(key))),
        })
    }

    /// `AuthMethod:<uuid>`
    pub fn auth_method_id(&self) -> &str {
        &self.credential.auth_method_id
    }

    /// The key that the token will be bound to, as it will be sent.
    pub fn client_public_key(&self) -> &str {
        &self.client_public_key
    }

    /// What the provider is to put into its token.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// What to keep over a redirect, if this can be.
    pub fn state(&self) -> Option<OAuthState> {
        self.outlives_page.then(|| OAuthState {
            credential: self.credential.clone(),
            client_public_key: self.client_public_key.clone(),
            client_id: self.client_id.clone(),
        })
    }

    /// Signs in with the provider's token. One that cannot be accepted is refused before it is
    /// sent. After a failure it, or another one with this nonce, may be tried.
    pub fn submit(&self, id_token: &str, options: &CallOptions) -> Work<WalletSession> {
        begun(|| self.begin_submit(id_token, options))
    }

    fn begin_submit(&self, id_token: &str, options: &CallOptions) -> Result<Work<WalletSession>> {
        let core = self.core.clone();
        core.api.time().check()?;
        check_id_token(
            id_token,
            &ExpectedIdToken {
                nonce: Some(&self.nonce),
                client_id: self.client_id.as_deref(),
                now_ms: core.api.time().now_ms(),
                uncertainty_ms: core.api.time().uncertainty_ms(),
            },
        )?;
        check_not_aborted(options)?;
        let key = self.key.take().ok_or_else(|| {
            Error::invalid_argument(
                "This sign-in has sent its token. Begin the next with prepareOAuth.",
            )
        })?;
        let request = Request::on(Operation::VerifyAuthCredential, self.auth_method_id())
            .with_texts(&[
                ("type", AuthMethodType::Oauth.as_str()),
                ("oidcToken", id_token),
                ("clientPublicKey", &self.client_public_key),
            ]);
        let answer = core.call(request, options);
        let (credential, keys) = (self.credential.clone(), self.key.clone());
        let kept = self.outlives_page.then(|| self.client_public_key.clone());
        Ok(whatever(answer, move |answer| {
            let verified = answer
                .map_err(outcome_unknown)
                .and_then(|answer| verified(&answer, &credential));
            let session = match verified {
                Ok(session) => session,
                Err(error) => {
                    keys.replace(Some(key));
                    return Err(error);
                }
            };
            // Whatever comes of it: Grid has a session for this key now.
            let key = key.into_signer(&session);
            if let Some(name) = kept {
                // A store that hangs must not keep the session waiting.
                let key_store = core.key_store.clone();
                core.api.time().device().spawn(Box::pin(async move {
                    key_store.remove(&name).await;
                }));
            }
            let id = credential.auth_method_id;
            WalletSession::start(core, session, Some(id), Rc::new(key?))
        }))
    }
}

/// The session that an identity provider's token has opened.
fn verified(answer: &Answer, credential: &Credential) -> Result<AuthSession> {
    if answer.is_challenge() {
        return Err(Error::relay_protocol(
            "the verification of an identity provider's token was answered with a challenge",
        ));
    }
    let session = AuthSession::read(&answer.body);
    if session.kind != AuthMethodType::Oauth {
        return Err(Error::relay_protocol(
            "the session is of another kind of credential than the token was for",
        ));
    }
    credential.check_account(&session.account_id)?;
    Ok(session)
}

fn check(credential: &Credential, client_id: Option<&str>) -> Result<()> {
    credential.check()?;
    match client_id {
        Some(client_id) => validate::text("clientId", MAX_CLIENT_ID_BYTES, client_id),
        None => Ok(()),
    }
}
