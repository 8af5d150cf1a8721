//! The signed retry, once, for every operation that has it.
//!
//! The first leg is answered with 202 and a payload; the same request is sent again with a stamp
//! over that payload and its request id. Between the legs the payload is checked against what was
//! asked for: what is not that is neither stamped nor answered.

use alloc::{string::String, vec::Vec};

use super::{
    client::{Answer, CallOptions, GridApi},
    operation::Signing,
    request::{Request, SignedHeaders},
    types::SignedRequestChallenge,
};
use crate::{
    error::{Error, ErrorCode, Result},
    ports::LocalFuture,
};

/// Whether a first leg may be done at once, without a stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DoneAtOnce {
    /// E.g. a wallet's first credential, which is created unsigned.
    Accepted,
    /// Whoever answers so has checked nothing, and had nothing checked.
    Refused,
}

/// Checks the payload of a challenge and stamps it.
pub type Stamper<'a> = dyn Fn(SignedRequestChallenge) -> LocalFuture<'a, Result<String>> + 'a;

/// Runs all legs of `request`: without headers first, then with a stamp over what the answer
/// before asked for.
pub async fn signed_retry(
    api: &GridApi,
    request: &Request,
    options: &CallOptions,
    done_at_once: DoneAtOnce,
    stamp: &Stamper<'_>,
) -> Result<Answer> {
    let mut request = request.clone();
    let mut answer = api.call_as(&request, options).await?;
    if !answer.is_challenge() && done_at_once == DoneAtOnce::Refused {
        return Err(Error::relay_protocol(
            "the request was answered as done before anything was signed; the answer was not used",
        )
        .with_reason("unsigned"));
    }
    let mut stamps_left = match request.operation.spec().signing {
        Signing::Retry(stamps) => stamps,
        Signing::Unsigned | Signing::AtOnce => 0,
    };
    let mut stamped = Vec::new();
    while answer.is_challenge() {
        let challenge = SignedRequestChallenge::read(&answer.body);
        let request_id = challenge.request_id.clone();
        let of_request = |error: Error| error.with_request_id(request_id.as_str());
        let again = (challenge.payload_to_sign.clone(), request_id.clone());
        if stamped
            .iter()
            .any(|(payload, id)| *payload == again.0 || *id == again.1)
        {
            return Err(of_request(Error::relay_protocol("the signed request was answered with the same challenge: the relay must pass on \
                 Grid-Wallet-Signature and Request-Id",
            )
            .with_reason("outcome_unknown")));
        }
        stamped.push(again);
        if stamps_left == 0 {
            return Err(of_request(Error::relay_protocol("the signed request was answered with a further challenge: the relay must pass on \
                 Grid-Wallet-Signature and Request-Id",
            )
            .with_reason("outcome_unknown")));
        }
        stamps_left = stamps_left.saturating_sub(1);
        api.time().check_fresh(challenge.expires_at_ms)?;
        let stamp = stamp(challenge).await.map_err(of_request)?;
        check_not_aborted(options).map_err(of_request)?;
        request.headers = SignedHeaders {
            stamp: Some(stamp),
            request_id: Some(request_id.clone()),
            idempotency_key: None,
        };
        answer = api
            .call_as(&request, options)
            .await
            .map_err(outcome_unknown)
            .map_err(of_request)?;
    }
    Ok(answer)
}

/// Refuses to send a signature after the caller has ended the call.
pub fn check_not_aborted(options: &CallOptions) -> Result<()> {
    match &options.cancellation {
        Some(cancellation) if cancellation.is_cancelled() => Err(Error::new(
            ErrorCode::Aborted,
            "the call was ended by its AbortSignal before the signature was sent",
        )),
        Some(_) | None => Ok(()),
    }
}

/// A request id is good for one use, so such a request is never repeated; whoever called must know
/// that it may have been carried out. That is so where no whole answer arrived, where a server on the
/// way failed, and where Grid does not know the request any more.
pub fn outcome_unknown(error: Error) -> Error {
    let unknown = match error.code() {
        ErrorCode::Network | ErrorCode::Timeout | ErrorCode::Aborted => true,
        ErrorCode::RelayProtocol => error
            .status()
            .is_some_and(|status| !(300..500).contains(&status)),
        // It ran out or was used, says Grid; a browser or a proxy that lost an answer may have sent
        // it again, and the first was carried out.
        ErrorCode::ChallengeExpired => error.status().is_some(),
        _ => error.status().is_some_and(|status| status >= 500),
    };
    // A reason of Grid's own stays in `details`; one of this package's, a redirect, says more.
    if unknown && (error.status().is_some() || error.reason().is_none()) {
        error.with_reason("outcome_unknown")
    } else {
        error
    }
}
