//! The life of a session: stamping, refreshing, revoking, signing out.

use alloc::{
    borrow::ToOwned as _,
    boxed::Box,
    rc::{Rc, Weak},
    string::String,
};
use core::{cell::RefCell, future::ready};

use super::{
    client::Core,
    key_delivery::PendingKey,
    signed::{Accepted, KeySource, Purpose, SignedRequest, check_and_stamp, known},
    signer::Signer,
    state::{SessionState, SignedOutReason},
    steps::{Work, begun, then, whatever},
    turns::Turns,
};
use crate::{
    api::{
        client::{CallOptions, cancellable},
        operation::Operation,
        request::Request,
        server_clock,
        signed_retry::DoneAtOnce,
        types::{AuthMethodType, AuthSession},
        validate::{self, IdKind},
    },
    error::{Error, ErrorCode, Result},
    formats::intent::{Intent, Stated},
    ports::LocalFuture,
};

/// A session is not used in its last 30 seconds: what it stamps must still reach Grid.
const UNUSED_BEFORE_EXPIRY_MS: i64 = 30_000;

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

/// A session, with its key. Clones are the same session; the key is wiped when the session ends or
/// the last of them is dropped.
#[derive(Clone)]
pub struct WalletSession {
    pub(super) inner: Rc<Inner>,
}

/// A session that is held by others: what waits for its turn must not keep the key.
#[derive(Clone)]
pub(super) struct WeakSession(Weak<Inner>);

impl WeakSession {
    /// The session, if somebody still holds it.
    pub fn upgrade(&self) -> Result<WalletSession> {
        let inner = self.0.upgrade().ok_or_else(session_ended)?;
        Ok(WalletSession { inner })
    }
}

pub(super) struct Inner {
    pub(super) core: Rc<Core>,
    current: RefCell<Current>,
    refreshing: Turns,
}

struct Current {
    info: Rc<SessionInfo>,
    /// Gone when the session has ended.
    key: Option<Rc<Signer>>,
    ended: Option<SignedOutReason>,
}

impl WalletSession {
    pub(super) fn start(
        core: Rc<Core>,
        session: AuthSession,
        auth_method_id: Option<String>,
        key: Rc<Signer>,
    ) -> Result<Self> {
        check_life(&core, &session)?;
        let info = info(&core, session, auth_method_id, &key);
        core.state.set(SessionState::SignedIn(info.clone()));
        let inner = Rc::new(Inner {
            core,
            current: RefCell::new(Current::new(info, key)),
            refreshing: Turns::default(),
        });
        end_in_time(&inner);
        Ok(Self { inner })
    }

    pub(super) fn downgrade(&self) -> WeakSession {
        WeakSession(Rc::downgrade(&self.inner))
    }

    /// What everybody may know.
    pub fn info(&self) -> Rc<SessionInfo> {
        self.inner.current.borrow().info.clone()
    }

    /// Whether it can stamp.
    pub fn is_active(&self) -> bool {
        self.inner.active_key().is_ok()
    }

    /// Stamps a payload that came by the caller's own routes, if it is what `stated` says: the
    /// value of `Grid-Wallet-Signature`.
    pub fn stamp(&self, payload: &str, stated: Stated) -> Work<String> {
        begun(|| {
            let core = self.inner.core.clone();
            let info = self.inner.active_info()?;
            let key = self.inner.key_source();
            if matches!(stated.intent, Intent::VerifyOtp { .. }) {
                return Err(Error::invalid_argument(
                    "a session's key signs no verification of a one-time code",
                ));
            }
            let stamped = check_and_stamp(&core, &info.account_id, key, payload, stated);
            Ok(then(stamped, move |stamped| {
                // Nobody here learns whether Grid accepts it; but the next payload is to be of the
                // same organization.
                stamped.remember(&core, &info.account_id);
                Ok(stamped.stamp)
            }))
        })
    }

    /// Replaces the session by a new one, with a new key, in this same object.
    ///
    /// Until the new one is safe the old one is kept, whatever fails. At Grid the old one lives on
    /// until it expires; `revoke_old` ends it there too, as far as that is to be had.
    pub fn refresh(&self, revoke_old: bool, options: &CallOptions) -> Work<()> {
        let (this, options) = (self.clone(), options.clone());
        Box::pin(async move {
            let asked_for = this.inner.active_info()?;
            let turns = &this.inner.refreshing;
            let _turn =
                cancellable(&options, || Box::pin(async { Ok(turns.take().await) })).await?;
            let old = this.inner.active_info()?;
            if old.id != asked_for.id {
                // Another call has refreshed it meanwhile.
                return Ok(());
            }
            this.refresh_now(&old, &options)?.await?.await?;
            if revoke_old {
                // The refresh has succeeded whatever comes of this: the old session ends by itself.
                this.revoke_session(&old.id, &options).await.ok();
            }
            Ok(())
        })
    }

    /// What it gives is what is left to do.
    fn refresh_now(&self, old: &Rc<SessionInfo>, options: &CallOptions) -> Result<Work<Work<()>>> {
        let core = &self.inner.core;
        let pending = PendingKey::generate(core.session_keys, &*core.random)?;
        let client_public_key = pending.client_public_key();
        let request = Request::on(Operation::RefreshAuthSession, &old.id)
            .with_texts(&[("clientPublicKey", &client_public_key)]);
        let intent = Intent::RefreshSession { client_public_key };
        let refreshed =
            self.inner
                .signed(request, DoneAtOnce::Refused, known(intent, None), options);
        let (inner, old) = (self.inner.clone(), old.clone());
        Ok(whatever(refreshed, move |refreshed| {
            inner.refreshed(&old, pending, refreshed)
        }))
    }

    /// Ends the session: here at once, then at Grid. Says whether Grid has revoked it; where it
    /// could not be reached, the session ends there by itself.
    pub fn sign_out(&self, options: &CallOptions) -> LocalFuture<'static, bool> {
        let (inner, options) = (self.inner.clone(), options.clone());
        Box::pin(async move {
            let info = inner.current.borrow().info.clone();
            match inner.end(SignedOutReason::SignedOut) {
                Some(key) => revoke(&inner.core, &info.account_id, key, &info.id, &options)
                    .await
                    .is_ok(),
                None => false,
            }
        })
    }

    /// Ends a session of this account at Grid: another device's, say. One that is not there any
    /// more counts as revoked.
    pub fn revoke_session(&self, id: &str, options: &CallOptions) -> Work<()> {
        begun(|| {
            validate::id("id", IdKind::Session, id)?;
            let request = Request::on(Operation::RevokeAuthSession, id);
            let purpose = known(Intent::RevokeSession, None);
            let revoked = self
                .inner
                .signed(request, DoneAtOnce::Refused, purpose, options);
            let (inner, id) = (self.inner.clone(), id.to_owned());
            Ok(then(gone(revoked), move |()| {
                let is_this = inner.current.borrow().info.id == id;
                if is_this {
                    inner.end(SignedOutReason::SignedOut);
                }
                Ok(())
            }))
        })
    }
}

impl Current {
    fn new(info: Rc<SessionInfo>, key: Rc<Signer>) -> Self {
        Self {
            info,
            key: Some(key),
            ended: None,
        }
    }
}

impl Inner {
    pub(super) fn active_info(&self) -> Result<Rc<SessionInfo>> {
        self.active_key()?;
        Ok(self.current.borrow().info.clone())
    }

    fn active_key(&self) -> Result<Rc<Signer>> {
        let current = self.current.borrow();
        let usable_until_ms = usable_until_ms(current.info.expires_at_ms);
        match &current.key {
            Some(key) if self.core.api.time().now_ms() < usable_until_ms => Ok(key.clone()),
            Some(_) | None => Err(session_ended()),
        }
    }

    fn refreshed(
        self: &Rc<Self>,
        old: &SessionInfo,
        pending: PendingKey,
        refreshed: Result<Accepted>,
    ) -> Result<Work<()>> {
        let core = &self.core;
        let refreshed = refreshed.map(|accepted| (AuthSession::read(&accepted.body), accepted));
        if self.current.borrow().ended == Some(SignedOutReason::SignedOut) {
            // Signed out meanwhile: then the new session must end too. Where the old one has only
            // run out meanwhile, the new one takes its place.
            let over = match refreshed {
                Ok((session, _)) => match pending.into_signer(&session) {
                    Ok(key) => {
                        let options = CallOptions::default();
                        let (account_id, key) = (&session.account_id, Rc::new(key));
                        revoke(core, account_id, key, &session.id, &options)
                    }
                    Err(error) => Box::pin(ready(Err(error))),
                },
                Err(error) if error.reason() == Some("outcome_unknown") => {
                    Box::pin(ready(Err(error)))
                }
                Err(_) => Box::pin(ready(Ok(()))),
            };
            return Ok(whatever(over, |over| {
                Err(match over {
                    Ok(()) => session_ended(),
                    // Nobody has its key, and it runs out by itself.
                    Err(_) => session_ended().with_reason("outcome_unknown"),
                })
            }));
        }
        let (session, accepted) = refreshed?;
        if session.account_id != old.account_id || session.kind != old.kind || session.id == old.id
        {
            return Err(Error::relay_protocol(
                "the refreshed session is the old one, or of another account or credential",
            ));
        }
        let key = Rc::new(pending.into_signer(&session)?);
        check_life(core, &session)?;
        accepted.remember();
        let info = info(core, session, old.auth_method_id.clone(), &key);
        self.current.replace(Current::new(info.clone(), key));
        core.state.set(SessionState::SignedIn(info));
        end_in_time(self);
        Ok(Box::pin(ready(Ok(()))))
    }

    /// The key as it is when it is needed: a refresh may have replaced it, the end taken it.
    pub(super) fn key_source(self: &Rc<Self>) -> KeySource {
        let inner = self.clone();
        Rc::new(move || inner.active_key())
    }

    pub(super) fn signed(
        self: &Rc<Self>,
        request: Request,
        done_at_once: DoneAtOnce,
        purpose: Purpose,
        options: &CallOptions,
    ) -> Work<Accepted> {
        begun(|| {
            let account_id = self.active_info()?.account_id.clone();
            let signed = SignedRequest {
                core: self.core.clone(),
                account_id,
                key: self.key_source(),
                purpose,
                done_at_once,
            };
            Ok(signed.send(request, options))
        })
    }

    /// Ends the session here and hands out its key, if it was still there.
    fn end(&self, reason: SignedOutReason) -> Option<Rc<Signer>> {
        let (info, key) = {
            let mut current = self.current.borrow_mut();
            let key = current.key.take();
            if key.is_some() || reason == SignedOutReason::SignedOut {
                current.ended = Some(reason);
            }
            (current.info.clone(), key)
        };
        key.as_ref()?;
        if matches!(self.core.state.get(), SessionState::SignedIn(shown) if shown.id == info.id) {
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

/// Grid's sessions live for a day at most. Whoever answers may claim more, and a later beginning.
fn ends_at_ms(core: &Core, session: &AuthSession) -> i64 {
    const MAX_LIFE_MS: i64 = 24 * 60 * 60 * 1000;
    let began_ms = session.created_at_ms.min(core.api.time().now_ms());
    session
        .expires_at_ms
        .min(began_ms.saturating_add(MAX_LIFE_MS))
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
pub(super) fn check_adoptable(core: &Core, session: &AuthSession) -> Result<()> {
    if core.api.time().now_ms() < usable_until_ms(ends_at_ms(core, session)) {
        Ok(())
    } else {
        Err(session_ended())
    }
}

/// Refuses a session that is over when it begins, and a clock by which it would not end in time.
fn check_life(core: &Core, session: &AuthSession) -> Result<()> {
    let usable_until_ms = usable_until_ms(ends_at_ms(core, session));
    let now_ms = core.api.time().now_ms();
    core.api.time().check()?;
    if now_ms < usable_until_ms {
        Ok(())
    } else if session.created_at_ms < usable_until_ms {
        Err(server_clock::wrong(
            "The session has run out at its arrival, by this device's clock",
        ))
    } else {
        Err(session_ended())
    }
}

fn info(
    core: &Core,
    session: AuthSession,
    auth_method_id: Option<String>,
    key: &Signer,
) -> Rc<SessionInfo> {
    let expires_at_ms = ends_at_ms(core, &session);
    Rc::new(SessionInfo {
        id: session.id,
        auth_method_id,
        account_id: session.account_id,
        kind: session.kind,
        nickname: session.nickname,
        created_at_ms: session.created_at_ms,
        expires_at_ms,
        public_key: key.public_key().to_compressed_hex(),
    })
}

/// Ends the session when its time is over, also if nobody asks, and whatever the clock was set to
/// meanwhile. A session that a refresh put in its place has its own end.
fn end_in_time(inner: &Rc<Inner>) {
    let weak: Weak<Inner> = Rc::downgrade(inner);
    let ending = inner.current.borrow().info.clone();
    let clock = inner.core.api.time().device().clone();
    inner.core.api.time().device().spawn(Box::pin(async move {
        // Now, not before: the device may have slept since.
        let Some(now_ms) = weak.upgrade().map(|inner| inner.core.api.time().now_ms()) else {
            return;
        };
        let until_ms = usable_until_ms(ending.expires_at_ms);
        let wait_ms = u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0);
        clock.sleep(wait_ms).await;
        if let Some(inner) = weak.upgrade() {
            let is_current = inner.current.borrow().info.id == ending.id;
            if is_current {
                inner.end(SignedOutReason::Expired);
            }
        }
    }));
}

/// Revokes a session with its own key.
fn revoke(
    core: &Rc<Core>,
    account_id: &str,
    key: Rc<Signer>,
    id: &str,
    options: &CallOptions,
) -> Work<()> {
    let revoked = SignedRequest {
        core: core.clone(),
        account_id: account_id.to_owned(),
        key: Rc::new(move || Ok(key.clone())),
        purpose: known(Intent::RevokeSession, None),
        done_at_once: DoneAtOnce::Refused,
    };
    gone(revoked.send(Request::on(Operation::RevokeAuthSession, id), options))
}

/// What is not there any more has been revoked.
pub(super) fn gone(revoked: Work<Accepted>) -> Work<()> {
    whatever(revoked, |revoked| match revoked {
        Ok(accepted) => {
            accepted.remember();
            Ok(())
        }
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error),
    })
}
