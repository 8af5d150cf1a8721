//! The signed retry, once, for every operation that has it.
//!
//! The first leg is answered with 202 and a payload; the same request is sent again with a stamp
//! over that payload and its request id. Between the legs the payload is checked against what was
//! asked for: what is not that is neither stamped nor answered.

use std::future::Future;

use super::{
    client::{CallOptions, Signed, SignedHeaders},
    types::SignedRequestChallenge,
};
use crate::{
    error::{Error, ErrorCode, Result},
    ports::Clock,
};

/// Runs both legs of `leg`, which sends one of them: without headers first, then with them.
///
/// `stamp` checks the payload and stamps it. A first leg that is done at once (a wallet's first
/// credential is created unsigned) is accepted.
pub async fn signed_retry<T, Leg, Sent>(
    clock: &dyn Clock,
    options: &CallOptions,
    leg: Leg,
    stamp: impl FnOnce(&SignedRequestChallenge) -> Result<String>,
) -> Result<T>
where
    Leg: Fn(SignedHeaders) -> Sent,
    Sent: Future<Output = Result<Signed<T>>>,
{
    let challenge = match leg(SignedHeaders::default()).await? {
        Signed::Done(done) => return Ok(done),
        Signed::Challenge(challenge) => challenge,
    };
    check_fresh(clock, challenge.expires_at_ms)?;
    let of_request = |error: Error| error.with_request_id(challenge.request_id.as_str());
    let stamp = stamp(&challenge).map_err(of_request)?;
    if options
        .cancellation
        .as_ref()
        .is_some_and(|cancellation| cancellation.is_cancelled())
    {
        return Err(of_request(Error::new(
            ErrorCode::Aborted,
            "the call was ended by its AbortSignal before the signature was sent",
        )));
    }
    let headers = SignedHeaders {
        stamp: Some(stamp),
        request_id: Some(challenge.request_id.clone()),
        idempotency_key: None,
    };
    match leg(headers)
        .await
        .map_err(outcome_unknown)
        .map_err(of_request)?
    {
        Signed::Done(done) => Ok(done),
        Signed::Challenge(_) => Err(of_request(Error::new(
            ErrorCode::RelayProtocol,
            "the signed request was answered with a further challenge: the relay must pass on \
             Grid-Wallet-Signature and Request-Id",
        ))),
    }
}

/// Refuses a challenge that ran out. One that had run out when it arrived tells of a wrong clock.
pub fn check_fresh(clock: &dyn Clock, expires_at_ms: i64) -> Result<()> {
    if clock.now_ms() < expires_at_ms {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::ClockWrong,
        "Grid's challenge has run out at its arrival, by this device's clock: correct the \
         device's date and time",
    ))
}

/// A request id is good for one use, so a second leg is never repeated; whoever called must know
/// that it may have been carried out.
fn outcome_unknown(error: Error) -> Error {
    match error.code() {
        ErrorCode::Network | ErrorCode::Timeout | ErrorCode::Aborted => {
            error.with_reason("outcome_unknown")
        }
        _ => error,
    }
}
