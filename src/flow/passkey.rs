//! Signing in with a passkey.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use super::{
    ahead::{Ahead, Expiring},
    client::{Core, Credential},
    key_delivery::PendingKey,
    session::WalletSession,
    steps::{Work, begun, then, whatever},
};
use crate::{
    api::{
        client::{Answer, CallOptions, Limited, cancellable},
        operation::Operation,
        request::{Request, SignedHeaders, assertion_json},
        signed_retry::outcome_unknown,
        types::{AuthMethodType, AuthSession, PasskeyAuthChallenge},
    },
    crypto::base64url,
    error::{Error, ErrorCode, Result},
    formats::passkey::{
        Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyAssertion, PasskeyAssertionRequest,
        challenge_bytes, check_client_data,
    },
};

/// A challenge, with the key whose public half is bound into it.
struct Prepared {
    challenge: PasskeyAuthChallenge,
    challenge_bytes: Vec<u8>,
    credential_id: Vec<u8>,
    key: PendingKey,
}

impl Expiring for Prepared {
    fn expires_at_ms(&self) -> i64 {
        self.challenge.expires_at_ms
    }
}

/// A passkey's challenge, fetched ahead of the tap and kept fresh.
pub struct PasskeySignIn {
    core: Rc<Core>,
    auth_method_id: String,
    ahead: Rc<Ahead<Prepared>>,
}

impl PasskeySignIn {
    pub(super) fn prepare(
        core: Rc<Core>,
        credential: Credential,
        options: CallOptions,
    ) -> Work<Self> {
        let auth_method_id = credential.auth_method_id.clone();
        let clock = core.api.time().device().clone();
        let fetch = {
            let core = core.clone();
            move |options| prepare(&core, &credential, &options)
        };
        then(Ahead::fetched(clock, fetch, options), move |ahead| {
            Ok(Self {
                core,
                auth_method_id,
                ahead,
            })
        })
    }

    /// `AuthMethod:<uuid>`
    pub fn auth_method_id(&self) -> &str {
        &self.auth_method_id
    }

    /// When the challenge that is ready runs out, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> i64 {
        self.ahead.expires_at_ms()
    }

    /// Asks for the passkey and signs in. Call it inside the tap; it may be called again.
    pub fn confirm(&self, options: &CallOptions) -> Work<WalletSession> {
        let (core, ahead) = (self.core.clone(), self.ahead.clone());
        let options = options.clone();
        Box::pin(async move {
            let prepared = ahead.take(options.clone()).await?;
            let assertion = match ask(&core, &prepared, &options).await {
                Ok(assertion) => assertion,
                Err(error) => {
                    // Nothing was sent, so the challenge is still good.
                    ahead.put_back(prepared);
                    return Err(error);
                }
            };
            let session = verify(&core, prepared, assertion, &options).await;
            if session.is_err() {
                ahead.refill();
            }
            session
        })
    }
}

pub(super) fn sign_in(
    core: Rc<Core>,
    credential: Credential,
    options: CallOptions,
) -> Work<WalletSession> {
    Box::pin(async move {
        let prepared = prepare(&core, &credential, &options).await?;
        let assertion = ask(&core, &prepared, &options).await?;
        verify(&core, prepared, assertion, &options).await
    })
}

fn prepare(core: &Rc<Core>, credential: &Credential, options: &CallOptions) -> Work<Prepared> {
    begun(|| {
        credential.check()?;
        let key = PendingKey::generate(core.session_keys, &*core.random)?;
        let client_public_key = key.client_public_key();
        let id = &credential.auth_method_id;
        let request = Request::on(Operation::ChallengeAuthCredential, id)
            .with_texts(&[("clientPublicKey", &client_public_key)]);
        let answer = core.call(request, options);
        let (core, credential) = (core.clone(), credential.clone());
        Ok(then(answer, move |answer| {
            prepared(&core, &credential, key, &answer)
        }))
    })
}

fn prepared(
    core: &Core,
    credential: &Credential,
    key: PendingKey,
    answer: &Answer,
) -> Result<Prepared> {
    let challenge = PasskeyAuthChallenge::read(&answer.body);
    if challenge.auth_method.kind != AuthMethodType::Passkey {
        return Err(Error::invalid_argument(
            "`authMethodId` is of a credential that is no PASSKEY",
        ));
    }
    if challenge.auth_method.id != credential.auth_method_id {
        return Err(Error::relay_protocol(
            "the answer to challengeAuthCredential is of another credential",
        ));
    }
    credential.check_account(&challenge.auth_method.account_id)?;
    core.api.time().check_fresh(challenge.expires_at_ms)?;
    let wrong =
        |_| Error::relay_protocol("the passkey challenge is not of the form that Grid documents");
    Ok(Prepared {
        challenge_bytes: challenge_bytes(&challenge.challenge).map_err(wrong)?,
        credential_id: base64url::decode(&challenge.credential_id, MAX_CREDENTIAL_ID_BYTES)
            .map_err(|_| Error::relay_protocol("the passkey's `credentialId` is too long"))?,
        challenge,
        key,
    })
}

/// The ceremony. Nothing is awaited before the browser is asked.
fn ask<'a>(
    core: &'a Core,
    prepared: &Prepared,
    options: &CallOptions,
) -> Limited<'a, PasskeyAssertion> {
    let left_ms = prepared
        .challenge
        .expires_at_ms
        .saturating_sub(core.api.time().now_ms());
    let request = PasskeyAssertionRequest {
        challenge: prepared.challenge_bytes.clone(),
        credential_id: prepared.credential_id.clone(),
        rp_id: core.rp_id.clone(),
        timeout_ms: u64::try_from(left_ms).ok(),
    };
    cancellable(options, || core.authenticator.get(request))
}

fn verify(
    core: &Rc<Core>,
    prepared: Prepared,
    assertion: PasskeyAssertion,
    options: &CallOptions,
) -> Work<WalletSession> {
    begun(|| {
        let Prepared {
            challenge,
            challenge_bytes,
            key,
            ..
        } = prepared;
        check_client_data(&assertion.client_data_json, Ceremony::Get, &challenge_bytes)?;
        if assertion.credential_id != challenge.credential_id {
            return Err(Error::new(
                ErrorCode::PasskeyRejected,
                "the device answered with another passkey than the one that was asked for",
            ));
        }
        if core.api.time().now_ms() >= challenge.expires_at_ms {
            return Err(Error::new(
                ErrorCode::ChallengeExpired,
                "the passkey prompt was open for longer than Grid's challenge lives: try again",
            ));
        }
        let request = Request::on(Operation::VerifyAuthCredential, &challenge.auth_method.id)
            .with_texts(&[("type", AuthMethodType::Passkey.as_str())])
            .with_member("assertion", assertion_json(&assertion))
            .with_headers(SignedHeaders {
                request_id: Some(challenge.request_id.clone()),
                ..Default::default()
            });
        let answer = core.call(request, options);
        let core = core.clone();
        Ok(whatever(answer, move |answer| {
            let answer = answer.map_err(|error| {
                outcome_unknown(error).with_request_id(challenge.request_id.as_str())
            })?;
            if answer.is_challenge() {
                return Err(Error::relay_protocol(
                    "a passkey's verification was answered with a further challenge",
                ));
            }
            let session = AuthSession::read(&answer.body);
            if session.account_id != challenge.auth_method.account_id
                || session.kind != AuthMethodType::Passkey
            {
                return Err(Error::relay_protocol(
                    "the session is of another account or kind of credential than the passkey",
                ));
            }
            let key = Rc::new(key.into_signer(&session)?);
            WalletSession::start(core, session, Some(challenge.auth_method.id), key)
        }))
    })
}
