//! Making a passkey on this device and adding it to the account.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String, vec::Vec};

use super::{
    ahead::{Ahead, Expiring},
    session::{WalletSession, WeakSession},
    signed::known,
    steps::{Work, begun, then},
};
use crate::{
    api::{
        client::{CallOptions, cancellable},
        operation::Operation,
        request::{Request, attestation_json},
        signed_retry::DoneAtOnce,
        types::{AuthMethod, AuthMethodType, PasskeyRegistrationOptions},
    },
    crypto::{base64url, encoding::decimal},
    error::{Error, Result, joined},
    formats::{
        intent::Intent,
        nickname::passkey_nickname,
        passkey::{
            Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyAttestation, PasskeyCreationRequest,
            check_client_data,
        },
    },
    ports::LocalFuture,
};

/// WebAuthn: a challenge has at least 16 bytes, a user handle at most 64.
const CHALLENGE_BYTES: core::ops::RangeInclusive<usize> = 16..=1024;
const MAX_USER_ID_BYTES: usize = 64;

/// What is needed to make a passkey.
#[derive(Clone, Debug)]
pub struct PasskeyRegistration {
    /// The passkey's name in the account.
    pub nickname: String,
    /// The platform's challenge, base64url.
    pub challenge: String,
    /// The relying party's domain; missing: the page's own.
    pub rp_id: Option<String>,
    /// The relying party's name.
    pub rp_name: Option<String>,
    /// Opaque, stable, base64url, 1 to 64 bytes.
    pub user_id: String,
    /// The account's name, for people.
    pub user_name: String,
    /// The person's name.
    pub user_display_name: String,
    /// Credential ids, base64url, that this account already has.
    pub exclude_credentials: Vec<String>,
}

/// What the caller of [`WalletSession::prepare_passkey_registration`] chooses.
#[derive(Clone, Debug)]
pub struct EnrolmentOptions {
    /// The passkey's name in the account.
    pub nickname: String,
    /// Instead of the relay's.
    pub user_name: Option<String>,
    /// Instead of the relay's.
    pub user_display_name: Option<String>,
}

/// A passkey that the device has made and Grid does not know yet.
struct NewPasskey {
    nickname: String,
    challenge: String,
    attestation: PasskeyAttestation,
}

impl WalletSession {
    /// Fetches what the making of a passkey needs ahead of the tap, and keeps it fresh.
    pub fn prepare_passkey_registration(
        &self,
        enrolment: EnrolmentOptions,
        options: CallOptions,
    ) -> Work<PasskeyEnrolment> {
        begun(|| {
            passkey_nickname(&enrolment.nickname)?;
            self.inner.active_info()?;
            let clock = self.inner.core.api.time().device().clone();
            let session = self.downgrade();
            let fetch = {
                let session = session.clone();
                move |options| begun(|| session.upgrade()?.registration_options(&options))
            };
            Ok(then(Ahead::fetched(clock, fetch, options), move |ahead| {
                Ok(PasskeyEnrolment {
                    session,
                    enrolment,
                    ahead,
                })
            }))
        })
    }

    fn registration_options(
        &self,
        options: &CallOptions,
    ) -> Result<Work<PasskeyRegistrationOptions>> {
        let info = self.inner.active_info()?;
        let request = Request::new(Operation::CreatePasskeyRegistrationOptions)
            .with_texts(&[("accountId", &info.account_id)]);
        let core = self.inner.core.clone();
        Ok(then(core.call(request, options), move |answer| {
            let fetched = PasskeyRegistrationOptions::read(&answer.body);
            core.api.time().check_fresh(fetched.expires_at_ms)?;
            Ok(fetched)
        }))
    }

    /// Makes a passkey on this device and adds it to the account.
    ///
    /// The device is asked first, so call it inside the tap; then the signed retry runs.
    pub fn add_passkey(
        &self,
        registration: PasskeyRegistration,
        options: &CallOptions,
    ) -> Work<AuthMethod> {
        let (this, options) = (self.clone(), options.clone());
        Box::pin(async move {
            let passkey = this.make_passkey(&registration, &options)?.await?;
            this.register_passkey(passkey, &options).await
        })
    }

    /// The ceremony. Nothing is awaited before the browser is asked.
    fn make_passkey<'a>(
        &'a self,
        registration: &'a PasskeyRegistration,
        options: &CallOptions,
    ) -> Result<LocalFuture<'a, Result<NewPasskey>>> {
        let core = &self.inner.core;
        self.inner.active_info()?;
        let nickname = passkey_nickname(&registration.nickname)?;
        let request =
            creation_request(registration, core.rp_id.as_deref(), core.rp_name.as_deref())?;
        let challenge = request.challenge.clone();
        let attestation = cancellable(options, || core.authenticator.create(request));
        Ok(Box::pin(async move {
            let attestation = attestation.await?;
            check_client_data(&attestation.client_data_json, Ceremony::Create, &challenge)?;
            Ok(NewPasskey {
                nickname,
                challenge: registration.challenge.clone(),
                attestation,
            })
        }))
    }

    fn register_passkey(&self, passkey: NewPasskey, options: &CallOptions) -> Work<AuthMethod> {
        begun(|| {
            let NewPasskey {
                nickname,
                challenge,
                attestation,
            } = passkey;
            let info = self.inner.active_info()?;
            let request = Request::new(Operation::CreateAuthCredential)
                .with_texts(&[
                    ("type", AuthMethodType::Passkey.as_str()),
                    ("accountId", &info.account_id),
                    ("nickname", &nickname),
                    ("challenge", &challenge),
                ])
                .with_member("attestation", attestation_json(&attestation));
            let credential_id = attestation.credential_id.clone();
            let intent = Intent::AddPasskey {
                credential_id: attestation.credential_id,
                client_data_json: attestation.client_data_json,
                attestation_object: attestation.attestation_object,
                challenge,
                nickname: Some(nickname),
            };
            let signed =
                self.inner
                    .signed(request, DoneAtOnce::Refused, known(intent, None), options);
            Ok(then(signed, move |accepted| {
                let method = AuthMethod::read(&accepted.body);
                let same_credential = |id: &String| *id == credential_id;
                if method.kind != AuthMethodType::Passkey
                    || method.account_id != info.account_id
                    || !method.credential_id.as_ref().is_none_or(same_credential)
                {
                    return Err(Error::relay_protocol(
                        "the created credential is not the passkey that was made",
                    ));
                }
                accepted.remember();
                Ok(method)
            }))
        })
    }
}

/// What a passkey needs, fetched ahead of the tap and kept fresh.
pub struct PasskeyEnrolment {
    session: WeakSession,
    enrolment: EnrolmentOptions,
    ahead: Rc<Ahead<PasskeyRegistrationOptions>>,
}

impl Expiring for PasskeyRegistrationOptions {
    fn expires_at_ms(&self) -> i64 {
        self.expires_at_ms
    }
}

impl PasskeyEnrolment {
    /// When the options that are ready run out, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> i64 {
        self.ahead.expires_at_ms()
    }

    /// Asks the device for a passkey and adds it to the account. Call it inside the tap; it may be
    /// called again.
    pub fn confirm(&self, options: &CallOptions) -> Work<AuthMethod> {
        let (session, ahead) = (self.session.clone(), self.ahead.clone());
        let (enrolment, options) = (self.enrolment.clone(), options.clone());
        Box::pin(async move {
            let session = session.upgrade()?;
            let fetched = ahead.take(options.clone()).await?;
            let registration = enrolment.registration(&fetched);
            let made = match session.make_passkey(&registration, &options) {
                Ok(making) => making.await,
                Err(error) => Err(error),
            };
            let passkey = match made {
                Ok(passkey) => passkey,
                Err(error) => {
                    // Nothing was sent, so the challenge is still good.
                    ahead.put_back(fetched);
                    return Err(error);
                }
            };
            let added = session.register_passkey(passkey, &options).await;
            if added.is_err() {
                ahead.refill();
            }
            added
        })
    }
}

impl EnrolmentOptions {
    fn registration(self, fetched: &PasskeyRegistrationOptions) -> PasskeyRegistration {
        let Self {
            nickname,
            user_name,
            user_display_name,
        } = self;
        PasskeyRegistration {
            nickname,
            challenge: fetched.challenge.clone(),
            rp_id: fetched.rp_id.clone(),
            rp_name: fetched.rp_name.clone(),
            user_id: fetched.user_id.clone(),
            user_display_name: user_display_name
                .or_else(|| user_name.clone())
                .unwrap_or_else(|| fetched.user_display_name.clone()),
            user_name: user_name.unwrap_or_else(|| fetched.user_name.clone()),
            exclude_credentials: fetched.exclude_credentials.clone(),
        }
    }
}

/// What the authenticator is asked for a registration. `rp_id` and `rp_name` go before those of
/// the registration.
///
/// Fails with `invalid_argument` where a text is no base64url, or too short or too long.
pub fn creation_request(
    registration: &PasskeyRegistration,
    rp_id: Option<&str>,
    rp_name: Option<&str>,
) -> Result<PasskeyCreationRequest> {
    let decode = |name: &str, max_bytes: usize, text: &str| {
        base64url::decode(text, max_bytes).map_err(|_| {
            let max_bytes = decimal::encode(max_bytes);
            Error::invalid_argument(joined(&[
                "`",
                name,
                "` must be unpadded base64url of at most ",
                &max_bytes,
                " bytes",
            ]))
        })
    };
    let challenge = decode("challenge", *CHALLENGE_BYTES.end(), &registration.challenge)?;
    if !CHALLENGE_BYTES.contains(&challenge.len()) {
        return Err(Error::invalid_argument(
            "`challenge` must have at least 16 bytes",
        ));
    }
    let user_id = decode("user.id", MAX_USER_ID_BYTES, &registration.user_id)?;
    if user_id.is_empty() {
        return Err(Error::invalid_argument("`user.id` must have 1 to 64 bytes"));
    }
    let exclude_credentials = registration
        .exclude_credentials
        .iter()
        .map(|id| decode("excludeCredentials", MAX_CREDENTIAL_ID_BYTES, id))
        .collect::<Result<_>>()?;
    Ok(PasskeyCreationRequest {
        challenge,
        rp_id: rp_id.or(registration.rp_id.as_deref()).map(str::to_owned),
        // WebAuthn demands a name, and shows it nowhere that matters.
        rp_name: rp_name
            .or(registration.rp_name.as_deref())
            .unwrap_or("Wallet")
            .to_owned(),
        user_id,
        user_name: registration.user_name.clone(),
        user_display_name: registration.user_display_name.clone(),
        exclude_credentials,
        timeout_ms: None,
    })
}
