//! The life of a session: stamping, refreshing, adding a passkey, signing out.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use super::{
    ahead::{Ahead, Expiring},
    client::Core,
    key_delivery::PendingKey,
    state::{SessionState, SignedOutReason},
    turns::Turns,
};
use crate::{
    api::{
        client::{CallOptions, cancellable},
        request::CreateAuthCredential,
        signed_retry::{DoneAtOnce, check_fresh, signed_retry},
        types::{AuthMethod, AuthMethodType, AuthSession, PasskeyRegistrationOptions},
        validate::{self, IdKind},
    },
    crypto::base64url,
    error::{Error, ErrorCode, Result},
    formats::{
        intent::{self, Expected, Intent},
        nickname::passkey_nickname,
        passkey::{Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyCreationRequest, check_client_data},
        session_key::SessionKey,
    },
    ports::Clock,
};

/// A session is not used in its last 30 seconds: what it stamps must still reach Grid.
const UNUSED_BEFORE_EXPIRY_MS: i64 = 30_000;
/// WebAuthn: a challenge has at least 16 bytes, a user handle at most 64.
const CHALLENGE_BYTES: std::ops::RangeInclusive<usize> = 16..=1024;
const MAX_USER_ID_BYTES: usize = 64;

/// What everybody may know of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionInfo {
    /// `Session:<uuid>`
    pub id: String,
    /// The credential it was opened with, where that is known.
    pub auth_method_id: Option<String>,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// The kind of that credential.
    pub kind: AuthMethodType,
    /// That credential's name.
    pub nickname: String,
    /// In milliseconds since 1970.
    pub created_at_ms: i64,
    /// In milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The key that stamps, SEC1 compressed, hexadecimal.
    pub public_key: String,
}

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

/// A session, with its key. Clones are the same session; the key is wiped when the session ends or
/// the last of them is dropped.
#[derive(Clone)]
pub struct WalletSession {
    inner: Rc<Inner>,
}

struct Inner {
    core: Rc<Core>,
    current: RefCell<Current>,
    refreshing: Turns,
}

struct Current {
    info: SessionInfo,
    /// Gone when the session has ended.
    key: Option<SessionKey>,
    ended: Option<SignedOutReason>,
}

impl WalletSession {
    pub(super) fn start(
        core: Rc<Core>,
        session: AuthSession,
        auth_method_id: Option<String>,
        key: SessionKey,
    ) -> Result<Self> {
        check_life(&core, &session)?;
        let info = info(session, auth_method_id, &key);
        core.state.set(SessionState::SignedIn(info.clone()));
        let inner = Rc::new(Inner {
            core,
            current: RefCell::new(Current::new(info, key)),
            refreshing: Turns::default(),
        });
        end_in_time(&inner);
        Ok(Self { inner })
    }

    /// What everybody may know.
    pub fn info(&self) -> SessionInfo {
        self.inner.current.borrow().info.clone()
    }

    /// Whether it can stamp.
    pub fn is_active(&self) -> bool {
        self.inner
            .current
            .borrow()
            .is_active(self.inner.core.clock.now_ms())
    }

    /// Replaces the session by a new one, with a new key, in this same object.
    ///
    /// Until the new one is safe the old one is kept, whatever fails. At Grid the old one lives on
    /// until it expires; `revoke_old` ends it there too, as far as that is to be had.
    pub async fn refresh(&self, revoke_old: bool, options: &CallOptions) -> Result<()> {
        let Inner {
            core,
            current,
            refreshing,
        } = &*self.inner;
        let asked_for = self.inner.active_info()?.id;
        let _turn = cancellable(options, || async { Ok(refreshing.take().await) }).await?;
        let old = self.inner.active_info()?;
        if old.id != asked_for {
            // Another call has refreshed it meanwhile.
            return Ok(());
        }
        let pending = PendingKey::generate(core.session_keys, &*core.random)?;
        let client_public_key = pending.client_public_key();
        let refreshed = signed_retry(
            &*core.clock,
            options,
            DoneAtOnce::Refused,
            |headers| {
                core.api
                    .refresh_auth_session(&old.id, &client_public_key, headers, options)
            },
            |challenge| {
                let intent = Intent::RefreshSession {
                    client_public_key: client_public_key.clone(),
                };
                self.inner
                    .stamp(&challenge.payload_to_sign, &intent, challenge.expires_at_ms)
            },
        )
        .await;
        if current.borrow().ended == Some(SignedOutReason::SignedOut) {
            // Signed out meanwhile: then the new session must end too. Where the old one has only
            // run out meanwhile, the new one takes its place.
            if let Ok(session) = refreshed
                && let Ok(key) = pending.into_session_key(&session)
            {
                let options = CallOptions::default();
                revoke(core, &key, &session.id, &options).await.ok();
            }
            return Err(session_ended());
        }
        let session = refreshed?;
        if session.account_id != old.account_id {
            return Err(Error::new(
                ErrorCode::RelayProtocol,
                "the refreshed session is of another account",
            ));
        }
        let key = pending.into_session_key(&session)?;
        check_life(core, &session)?;
        let info = info(session, old.auth_method_id.clone(), &key);
        current.replace(Current::new(info.clone(), key));
        core.state.set(SessionState::SignedIn(info));
        end_in_time(&self.inner);
        if revoke_old {
            // The refresh has succeeded whatever comes of this: the old session ends by itself.
            self.revoke_session(&old.id, options).await.ok();
        }
        Ok(())
    }

    /// Ends the session: here at once, then at Grid. Says whether Grid has revoked it; where it
    /// could not be reached, the session ends there by itself.
    pub async fn sign_out(&self, options: &CallOptions) -> bool {
        let id = self.info().id;
        match self.inner.end(SignedOutReason::SignedOut) {
            Some(key) => revoke(&self.inner.core, &key, &id, options).await.is_ok(),
            None => false,
        }
    }

    /// Ends a session of this account at Grid: another device's, say. One that is not there any
    /// more counts as revoked.
    pub async fn revoke_session(&self, id: &str, options: &CallOptions) -> Result<()> {
        validate::id("id", IdKind::Session, id)?;
        self.inner.active_info()?;
        let stamp = |payload: &str, expires_at_ms| {
            self.inner
                .stamp(payload, &Intent::RevokeSession, expires_at_ms)
        };
        revoke_with(&self.inner.core, id, options, stamp).await?;
        if id == self.info().id {
            self.inner.end(SignedOutReason::SignedOut);
        }
        Ok(())
    }

    /// Fetches what the making of a passkey needs ahead of the tap, and keeps it fresh.
    pub async fn prepare_passkey_registration(
        &self,
        enrolment: EnrolmentOptions,
        options: CallOptions,
    ) -> Result<PasskeyEnrolment> {
        passkey_nickname(&enrolment.nickname)?;
        let account_id = self.inner.active_info()?.account_id;
        let core = self.inner.core.clone();
        let clock = core.clock.clone();
        let fetch = move |options: CallOptions| {
            let (core, account_id) = (core.clone(), account_id.clone());
            async move {
                let fetched = core
                    .api
                    .create_passkey_registration_options(&account_id, &options)
                    .await?;
                check_fresh(&*core.clock, fetched.expires_at_ms)?;
                Ok(fetched)
            }
        };
        let ahead = Ahead::fetched(clock, fetch, options).await?;
        Ok(PasskeyEnrolment {
            session: self.clone(),
            enrolment,
            ahead,
        })
    }

    /// Makes a passkey on this device and adds it to the account.
    ///
    /// The device is asked first, so call it inside the tap; then the signed retry runs.
    pub async fn add_passkey(
        &self,
        registration: PasskeyRegistration,
        options: &CallOptions,
    ) -> Result<AuthMethod> {
        let body = self.make_passkey(&registration, options).await?;
        self.register_passkey(body, options).await
    }

    /// The ceremony. Nothing is awaited before the browser is asked.
    async fn make_passkey(
        &self,
        registration: &PasskeyRegistration,
        options: &CallOptions,
    ) -> Result<CreateAuthCredential> {
        let core = &self.inner.core;
        let account_id = self.inner.active_info()?.account_id;
        let nickname = passkey_nickname(&registration.nickname)?;
        let request =
            creation_request(registration, core.rp_id.as_deref(), core.rp_name.as_deref())?;
        let challenge = request.challenge.clone();
        let attestation = cancellable(options, || core.authenticator.create(request)).await?;
        check_client_data(&attestation.client_data_json, Ceremony::Create, &challenge)?;
        let challenge = registration.challenge.clone();
        Ok(CreateAuthCredential::Passkey {
            account_id,
            nickname,
            challenge,
            attestation,
        })
    }

    async fn register_passkey(
        &self,
        body: CreateAuthCredential,
        options: &CallOptions,
    ) -> Result<AuthMethod> {
        let core = &self.inner.core;
        let CreateAuthCredential::Passkey {
            account_id,
            nickname,
            challenge,
            attestation,
        } = &body
        else {
            return Err(Error::invalid_argument("only a passkey is registered here"));
        };
        let method = signed_retry(
            &*core.clock,
            options,
            DoneAtOnce::Accepted,
            |headers| core.api.create_auth_credential(&body, headers, options),
            |answer| {
                let intent = Intent::AddPasskey {
                    credential_id: attestation.credential_id.clone(),
                    client_data_json: attestation.client_data_json.clone(),
                    attestation_object: attestation.attestation_object.clone(),
                    challenge: challenge.clone(),
                    nickname: Some(nickname.clone()),
                };
                self.inner
                    .stamp(&answer.payload_to_sign, &intent, answer.expires_at_ms)
            },
        )
        .await?;
        let same_credential = |id: &String| *id == attestation.credential_id;
        if method.kind != AuthMethodType::Passkey
            || method.account_id != *account_id
            || !method.credential_id.as_ref().is_none_or(same_credential)
        {
            return Err(Error::new(
                ErrorCode::RelayProtocol,
                "the created credential is not the passkey that was made",
            ));
        }
        Ok(method)
    }
}

/// What a passkey needs, fetched ahead of the tap and kept fresh.
pub struct PasskeyEnrolment {
    session: WalletSession,
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
    pub async fn confirm(&self, options: &CallOptions) -> Result<AuthMethod> {
        let fetched = self.ahead.take(options.clone()).await?;
        let EnrolmentOptions {
            nickname,
            user_name,
            user_display_name,
        } = self.enrolment.clone();
        let registration = PasskeyRegistration {
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
        };
        let body = match self.session.make_passkey(&registration, options).await {
            Ok(body) => body,
            Err(error) => {
                // Nothing was sent, so the challenge is still good.
                self.ahead.put_back(fetched);
                return Err(error);
            }
        };
        let added = self.session.register_passkey(body, options).await;
        if added.is_err() {
            self.ahead.refill();
        }
        added
    }
}

impl Current {
    fn new(info: SessionInfo, key: SessionKey) -> Self {
        Self {
            info,
            key: Some(key),
            ended: None,
        }
    }

    fn is_active(&self, now_ms: i64) -> bool {
        self.key.is_some() && now_ms < usable_until_ms(self.info.expires_at_ms)
    }
}

impl Inner {
    fn active_info(&self) -> Result<SessionInfo> {
        let current = self.current.borrow();
        if current.is_active(self.core.clock.now_ms()) {
            Ok(current.info.clone())
        } else {
            Err(session_ended())
        }
    }

    fn stamp(&self, payload: &str, intent: &Intent, expires_at_ms: i64) -> Result<String> {
        let current = self.current.borrow();
        let expected = Expected {
            organization_id: None,
            expires_at_ms: Some(expires_at_ms),
            now_ms: self.core.clock.now_ms(),
        };
        match &current.key {
            Some(key) if current.is_active(self.core.clock.now_ms()) => {
                intent::check(payload, intent, &expected)?;
                key.stamp_unchecked(payload)
            }
            Some(_) | None => Err(session_ended()),
        }
    }

    /// Ends the session here and hands out its key, if it was still there.
    fn end(&self, reason: SignedOutReason) -> Option<SessionKey> {
        let (id, key) = {
            let mut current = self.current.borrow_mut();
            let key = current.key.take();
            if key.is_some() || reason == SignedOutReason::SignedOut {
                current.ended = Some(reason);
            }
            (current.info.id.clone(), key)
        };
        key.as_ref()?;
        if matches!(self.core.state.get(), SessionState::SignedIn(info) if info.id == id) {
            self.core.state.set(SessionState::SignedOut {
                reason: Some(reason),
            });
        }
        key
    }
}

impl Drop for Inner {
    /// A session that nobody holds has no key any more, so nobody is signed in with it.
    fn drop(&mut self) {
        self.end(SignedOutReason::SignedOut);
    }
}

fn usable_until_ms(expires_at_ms: i64) -> i64 {
    expires_at_ms.saturating_sub(UNUSED_BEFORE_EXPIRY_MS)
}

fn session_ended() -> Error {
    Error::new(
        ErrorCode::SessionExpired,
        "the session has ended: sign in again",
    )
}

/// Refuses a session that is over. It may be old, so that says nothing of the clock.
pub(super) fn check_adoptable(clock: &dyn Clock, session: &AuthSession) -> Result<()> {
    if clock.now_ms() < usable_until_ms(session.expires_at_ms) {
        Ok(())
    } else {
        Err(session_ended())
    }
}

/// Refuses a session that is over when it begins.
fn check_life(core: &Core, session: &AuthSession) -> Result<()> {
    let usable_until_ms = usable_until_ms(session.expires_at_ms);
    if core.clock.now_ms() < usable_until_ms {
        Ok(())
    } else if session.created_at_ms < usable_until_ms {
        Err(Error::new(
            ErrorCode::ClockWrong,
            "the session has run out at its arrival, by this device's clock: correct the \
             device's date and time",
        ))
    } else {
        Err(session_ended())
    }
}

fn info(session: AuthSession, auth_method_id: Option<String>, key: &SessionKey) -> SessionInfo {
    SessionInfo {
        id: session.id,
        auth_method_id,
        account_id: session.account_id,
        kind: session.kind,
        nickname: session.nickname,
        created_at_ms: session.created_at_ms,
        expires_at_ms: session.expires_at_ms,
        public_key: key.public_key().to_compressed_hex(),
    }
}

/// Ends the session when its time is over, also if nobody asks, and whatever the clock was set to
/// meanwhile. A session that a refresh put in its place has its own end.
fn end_in_time(inner: &Rc<Inner>) {
    let clock = inner.core.clock.clone();
    let weak: Weak<Inner> = Rc::downgrade(inner);
    let SessionInfo {
        id, expires_at_ms, ..
    } = inner.current.borrow().info.clone();
    inner.core.clock.spawn(Box::pin(async move {
        let until_ms = usable_until_ms(expires_at_ms);
        let wait_ms = u64::try_from(until_ms.saturating_sub(clock.now_ms())).unwrap_or(0);
        clock.sleep(wait_ms).await;
        if let Some(inner) = weak.upgrade() {
            let is_current = inner.current.borrow().info.id == id;
            if is_current {
                inner.end(SignedOutReason::Expired);
            }
        }
    }));
}

async fn revoke(core: &Core, key: &SessionKey, id: &str, options: &CallOptions) -> Result<()> {
    let stamp = |payload: &str, expires_at_ms| {
        let expected = Expected {
            organization_id: None,
            expires_at_ms: Some(expires_at_ms),
            now_ms: core.clock.now_ms(),
        };
        intent::check(payload, &Intent::RevokeSession, &expected)?;
        key.stamp_unchecked(payload)
    };
    revoke_with(core, id, options, stamp).await
}

async fn revoke_with(
    core: &Core,
    id: &str,
    options: &CallOptions,
    stamp: impl Fn(&str, i64) -> Result<String>,
) -> Result<()> {
    let revoked = signed_retry(
        &*core.clock,
        options,
        DoneAtOnce::Refused,
        |headers| core.api.revoke_auth_session(id, headers, options),
        |challenge| stamp(&challenge.payload_to_sign, challenge.expires_at_ms),
    )
    .await;
    match revoked {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        revoked => revoked,
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
    let decode = |name: &str, max_bytes, text: &str| {
        base64url::decode(text, max_bytes).map_err(|_| {
            Error::invalid_argument(format!(
                "`{name}` must be unpadded base64url of at most {max_bytes} bytes"
            ))
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
