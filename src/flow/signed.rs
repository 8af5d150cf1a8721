//! A signed request in a flow: nothing is stamped that was not checked.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::cell::{Cell, RefCell};

use super::{
    client::Core,
    signer::Signer,
    steps::{Work, begun, then},
};
use crate::{
    api::{
        client::{CallOptions, cancellable, limited},
        operation::Operation,
        request::Request,
        signed_retry::{DoneAtOnce, signed_retry},
        types::SignedRequestChallenge,
    },
    crypto::json::Json,
    error::{Error, ErrorCode, Result, joined},
    formats::intent::{self, Checked, Expected, Intent, Stated},
    ports::LocalFuture,
};

/// What a payload must be. It may depend on the challenge: an app may be asked that reads the
/// payload of what Grid does not document.
pub type Purpose = Rc<dyn Fn(&SignedRequestChallenge) -> LocalFuture<'static, Result<Stated>>>;

/// Gives the key when it is needed, if it is still there.
pub(super) type KeySource = Rc<dyn Fn() -> Result<Rc<Signer>>>;

/// A purpose that is known beforehand. `organization_id` goes before the remembered one.
pub fn known(intent: Intent, organization_id: Option<String>) -> Purpose {
    stated(Stated {
        organization_id,
        ..intent.into()
    })
}

/// As [`known`], with all that a caller states: for one payload. Whoever answers with a second one
/// would have that stamped too.
pub fn stated(stated: Stated) -> Purpose {
    let stated = Cell::new(Some(stated));
    Rc::new(move |_| {
        let stated = stated.take().ok_or_else(|| {
            Error::new(
                ErrorCode::IntentRefused,
                "a second payload came for what one intent was stated for; it was not signed",
            )
            .with_reason("repeated")
        });
        Box::pin(async move { stated })
    })
}

/// A request for an account that is signed with its session's key.
pub(super) struct SignedRequest {
    pub core: Rc<Core>,
    pub account_id: String,
    pub key: KeySource,
    pub purpose: Purpose,
    pub done_at_once: DoneAtOnce,
}

impl SignedRequest {
    /// Runs all legs.
    pub fn send(self, request: Request, options: &CallOptions) -> Work<Accepted> {
        let options = options.clone();
        Box::pin(async move {
            // The session may have ended since the call, and the first leg alone can have an effect.
            (self.key)()?;
            let seen = RefCell::new(Vec::new());
            let stamp = |challenge| self.stamp(request.operation, challenge, &options, &seen);
            let (api, done_at_once) = (&self.core.api, self.done_at_once);
            let answer = signed_retry(api, &request, &options, done_at_once, &stamp).await?;
            let stamped = seen.take();
            Ok(Accepted {
                body: answer.body,
                stamped,
                core: self.core.clone(),
                account_id: self.account_id.clone(),
            })
        })
    }

    fn stamp<'a>(
        &'a self,
        operation: Operation,
        challenge: SignedRequestChallenge,
        options: &'a CallOptions,
        seen: &'a RefCell<Vec<Stamped>>,
    ) -> LocalFuture<'a, Result<String>> {
        Box::pin(async move {
            // An app that asks people takes its time, but a challenge has an end.
            let stating = cancellable(options, || (self.purpose)(&challenge));
            let mut stated = limited(
                Box::pin(stating),
                at_end_of(&self.core, challenge.expires_at_ms),
                Error::new(
                    ErrorCode::ChallengeExpired,
                    "the challenge ran out before `intent` had said what it asks for; nothing was signed",
                ),
            )
            .await?;
            check_kind(operation, &stated.intent)?;
            let expires_at_ms = challenge.expires_at_ms;
            stated.expires_at_ms = stated
                .expires_at_ms
                .map(|stated| stated.min(expires_at_ms))
                .or(Some(expires_at_ms));
            let payload = &challenge.payload_to_sign;
            let stamped = check_and_stamp(
                &self.core,
                &self.account_id,
                self.key.clone(),
                payload,
                stated,
            )
            .await?;
            let stamp = stamped.stamp.clone();
            seen.borrow_mut().push(stamped);
            Ok(stamp)
        })
    }
}

/// Ready when a challenge has run out, and no later than its payload is too old. The timer is set
/// when it is first asked.
fn at_end_of(core: &Core, expires_at_ms: i64) -> LocalFuture<'static, ()> {
    const MAX_MS: i64 = 15 * 60 * 1000;
    let time = core.api.time();
    let left_ms = expires_at_ms.saturating_sub(time.now_ms());
    let left_ms = u64::try_from(left_ms.min(MAX_MS)).unwrap_or(0);
    let device = Rc::clone(time.device());
    Box::pin(async move { device.sleep(left_ms).await })
}

/// What Grid has answered after the stamps, for the flow to check.
pub(super) struct Accepted {
    pub body: Json,
    stamped: Vec<Stamped>,
    core: Rc<Core>,
    account_id: String,
}

impl Accepted {
    /// The answer was what it should be: what the payloads said of the account is remembered.
    pub fn remember(self) -> Json {
        for stamped in self.stamped {
            stamped.remember(&self.core, &self.account_id);
        }
        self.body
    }
}

/// Refuses an intent that no payload of this operation has. What Grid adds next may have any.
fn check_kind(operation: Operation, intent: &Intent) -> Result<()> {
    let spec = operation.spec();
    if operation == Operation::SignedRequest || spec.intents.contains(&intent.kind()) {
        return Ok(());
    }
    Err(Error::invalid_argument(joined(&[
        "`intent` is of a kind that ",
        spec.id,
        " does not have",
    ])))
}

/// A stamp, and what it is over.
pub(super) struct Stamped {
    pub stamp: String,
    kind: &'static str,
    checked: Checked,
}

impl Stamped {
    /// Remembers what Grid has accepted.
    pub fn remember(&self, core: &Core, account_id: &str) {
        core.wallets.remember(account_id, self.kind, &self.checked);
    }
}

/// Stamps exactly the text that was checked.
pub(super) fn check_and_stamp(
    core: &Core,
    account_id: &str,
    key: KeySource,
    payload: &str,
    mut stated: Stated,
) -> Work<Stamped> {
    begun(|| {
        let checked = check(core, account_id, payload, &mut stated)?;
        let kind = stated.intent.kind();
        Ok(then(key()?.stamp_checked(payload), move |stamp| {
            // The session may have ended while the browser signed.
            key()?;
            Ok(Stamped {
                stamp,
                kind,
                checked,
            })
        }))
    })
}

/// Refuses a payload that is anything but what is stated, and known of the account.
fn check(core: &Core, account_id: &str, payload: &str, stated: &mut Stated) -> Result<Checked> {
    let Stated {
        intent,
        organization_id: named,
        expires_at_ms,
    } = stated;
    let wallet = core.wallets.known(account_id);
    wallet.bind(intent);
    let time = core.api.time();
    time.check()?;
    let now_ms = time.now_ms();
    // Only for an export does the caller know better than what was seen; whatever else names an
    // organization may have it from the payload.
    let may_correct = matches!(intent, Intent::ExportWallet { .. }) && !wallet.is_confirmed;
    if let (Some(named), Some(known)) = (&*named, &wallet.organization_id)
        && !may_correct
        && named != known
    {
        return Err(Error::new(
            ErrorCode::IntentRefused,
            "another organization was stated than the account is known to have; nothing was signed",
        )
        .with_reason("organization"));
    }
    let expected = Expected {
        organization_id: named.as_deref().or(wallet.organization_id.as_deref()),
        expires_at_ms: *expires_at_ms,
        now_ms,
    };
    intent::check(payload, intent, &expected)
}
