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

/// Whether a first leg may be done at once, without a stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DoneAtOnce {
    /// A wallet's first credential is created unsigned.
    Accepted,
    /// Whoever answers so has checked nothing, and had nothing checked.
    Refused,
}

/// Runs both legs of `leg`, which sends one of them: without headers first, then with them.
///
/// `stamp` checks the payload and stamps it.
pub async fn signed_retry<T, Leg, Sent>(
    clock: &dyn Clock,
    options: &CallOptions,
    done_at_once: DoneAtOnce,
    leg: Leg,
    stamp: impl FnOnce(&SignedRequestChallenge) -> Result<String>,
) -> Result<T>
where
    Leg: Fn(SignedHeaders) -> Sent,
    Sent: Future<Output = Result<Signed<T>>>,
{
    let challenge = match leg(SignedHeaders::default()).await? {
        Signed::Done(done) if done_at_once == DoneAtOnce::Accepted => return Ok(done),
        Signed::Done(_) => {
            return Err(Error::new(
                ErrorCode::RelayProtocol,
                "the request was answered as done before anything was signed; the answer was not \
                 used",
            )
            .with_reason("unsigned"));
        }
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

/// A request id is good for one use, so such a request is never repeated; whoever called must know
/// that it may have been carried out. That is so where no whole answer arrived, and where a server
/// on the way failed.
pub fn outcome_unknown(error: Error) -> Error {
    let unknown = match error.code() {
        ErrorCode::Network | ErrorCode::Timeout | ErrorCode::Aborted => true,
        ErrorCode::RelayProtocol => error
            .status()
            .is_some_and(|status| !(300..500).contains(&status)),
        _ => error.status().is_some_and(|status| status >= 500),
    };
    if unknown && error.reason().is_none() {
        error.with_reason("outcome_unknown")
    } else {
        error
    }
}
