//! From an answer that is no success to an error: one table, by operation and leg.
//!
//! An HTTP status alone does not say what went wrong. Grid answers a wrong one-time code with 401
//! and has no code for it; a platform whose own login lapsed answers 401 too, but without Grid's
//! error body.

use alloc::borrow::ToOwned as _;

use super::{operation::Operation, types::AuthMethodType};
use crate::{
    crypto::{encoding::decimal, json::Json},
    error::{Error, ErrorCode, Recovery, filled},
};

/// The first request of an operation, or its repetition with a stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leg {
    /// Without a stamp.
    First,
    /// With stamp and `Request-Id`.
    Second,
}

/// Where an answer belongs.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The operation.
    pub operation: Operation,
    /// Its leg.
    pub leg: Leg,
    /// The kind of the credential that a create or verify is about.
    pub credential: Option<AuthMethodType>,
}

/// The error of an answer whose status is none of the operation's successes.
pub fn failure(
    exchange: Exchange,
    status: u16,
    body: Result<&Json, &'static str>,
    retry_after_ms: Option<u64>,
) -> Error {
    let grid = body.ok().and_then(|json| GridError::read(json, status));
    let mut error = match &grid {
        Some(grid) => from_grid(exchange, status, grid),
        None => without_grid_body(exchange, status, body.err()),
    };
    if let Some(grid) = grid {
        error = error.with_grid_code(grid.code);
        if let Some(reason) = grid.reason {
            error = error.with_reason(reason.to_owned());
        }
        if let Some(details) = grid.details {
            error = error.with_details(details.clone());
        }
    }
    if let Some(ms) = retry_after_ms {
        error = error.with_retry_after_ms(ms);
    }
    error
        .with_operation(exchange.operation.spec().id)
        .with_status(status)
}

/// `{"status", "code", "message", "details"?}`, the error body of the API document.
struct GridError<'a> {
    code: &'a str,
    reason: Option<&'a str>,
    details: Option<&'a Json>,
}

impl<'a> GridError<'a> {
    fn read(json: &'a Json, status: u16) -> Option<Self> {
        if json.get("status")?.as_u64()? != u64::from(status) {
            return None;
        }
        json.get("message")?.as_str()?;
        let details = json
            .get("details")
            .filter(|details| details.as_object().is_some());
        Some(Self {
            code: json.get("code")?.as_str()?,
            reason: details
                .and_then(|details| details.get("reason"))
                .or_else(|| json.get("reason"))
                .and_then(Json::as_str),
            details,
        })
    }
}

/// A row matches where each of its lists is empty or holds the answer's value. The first counts.
#[derive(Debug)]
pub struct Row {
    /// Of these operations.
    pub operations: &'static [Operation],
    /// About credentials of these kinds.
    pub credentials: &'static [AuthMethodType],
    /// On these legs.
    pub legs: &'static [Leg],
    /// With these HTTP statuses.
    pub statuses: &'static [u16],
    /// With one of these codes of Grid's.
    pub grid_codes: &'static [&'static str],
    /// With this reason.
    pub reason: Option<&'static str>,
    /// What it means.
    pub code: ErrorCode,
    /// What helps, where it is not what usually helps.
    pub recovery: Option<Recovery>,
    /// What was wrong and what to do, for developers.
    pub message: &'static str,
}

const ANY: Row = Row {
    operations: &[],
    credentials: &[],
    legs: &[],
    statuses: &[],
    grid_codes: &[],
    reason: None,
    code: ErrorCode::GridError,
    recovery: None,
    message: "Grid refused the request: see `gridCode`",
};

const ONE_TIME_CODE: &[AuthMethodType] = &[AuthMethodType::EmailOtp, AuthMethodType::SmsOtp];

/// The table: what an answer with Grid's error body means.
pub const ROWS: &[Row] = &[
    Row {
        grid_codes: &["DAILY_VOLUME_LIMIT_EXCEEDED", "VELOCITY_LIMIT_EXCEEDED"],
        code: ErrorCode::Conflict,
        message: "a limit on amounts is used up: see `gridCode`",
        ..ANY
    },
    Row {
        statuses: &[429],
        code: ErrorCode::RateLimited,
        message: "too many attempts in a short time: wait `retryAfterMs` before the next",
        ..ANY
    },
    Row {
        statuses: &[401],
        grid_codes: &["REQUEST_ID_MISSING", "WALLET_SIGNATURE_MISSING"],
        code: ErrorCode::RelayProtocol,
        message: "Grid did not receive the signature headers: the relay must pass on \
                  Grid-Wallet-Signature and Request-Id",
        ..ANY
    },
    Row {
        statuses: &[401],
        grid_codes: &["WALLET_SIGNATURE_BODY_MISMATCH"],
        code: ErrorCode::RelayProtocol,
        message: "Grid received another body than the one that was signed: the relay must pass \
                  bodies on byte for byte",
        ..ANY
    },
    // Grid documents neither a code nor a reason for a code that ran out; where a server gives this
    // reason all the same, people learn that typing again is no use.
    Row {
        operations: &[Operation::VerifyAuthCredential],
        credentials: ONE_TIME_CODE,
        legs: &[Leg::First],
        statuses: &[401],
        reason: Some("OTP_EXPIRED"),
        code: ErrorCode::OtpExpired,
        message: "the code ran out: ask for a new one",
        ..ANY
    },
    Row {
        operations: &[Operation::VerifyAuthCredential],
        credentials: ONE_TIME_CODE,
        legs: &[Leg::First],
        statuses: &[401],
        code: ErrorCode::OtpRejected,
        message: "Grid did not accept the code: it is wrong or ran out",
        ..ANY
    },
    Row {
        operations: &[Operation::VerifyAuthCredential],
        credentials: &[AuthMethodType::Passkey],
        statuses: &[401],
        code: ErrorCode::PasskeyRejected,
        message: "Grid did not accept the passkey's answer: it belongs to another challenge, \
                  which may have run out, or to another account",
        ..ANY
    },
    Row {
        operations: &[
            Operation::VerifyAuthCredential,
            Operation::CreateAuthCredential,
        ],
        credentials: &[AuthMethodType::Oauth],
        legs: &[Leg::First],
        statuses: &[400, 401],
        grid_codes: &["INVALID_INPUT", "UNAUTHORIZED"],
        code: ErrorCode::OauthRejected,
        message: "Grid did not accept the identity provider's token: it is malformed, too old, of \
                  another issuer or identity, or its nonce does not fit the key",
        ..ANY
    },
    Row {
        statuses: &[401],
        grid_codes: &[
            "INVALID_SIGNATURE",
            "WALLET_SIGNATURE_INVALID",
            "WALLET_SIGNATURE_MALFORMED",
        ],
        code: ErrorCode::SignatureRejected,
        message: "Grid did not accept the signature: its session may have ended, sign in again",
        ..ANY
    },
    Row {
        operations: &[Operation::RefreshAuthSession],
        statuses: &[404],
        code: ErrorCode::SessionExpired,
        message: "the session can no longer be refreshed: sign in again",
        ..ANY
    },
    Row {
        operations: &[Operation::RefreshAuthSession],
        legs: &[Leg::First],
        statuses: &[401],
        code: ErrorCode::SessionExpired,
        message: "the session can no longer be refreshed: sign in again",
        ..ANY
    },
    Row {
        operations: &[Operation::ExecuteQuote],
        statuses: &[401],
        code: ErrorCode::SignatureRejected,
        message: "Grid did not accept the signature over the quote: its session may have ended",
        ..ANY
    },
    Row {
        operations: &[Operation::AuthorizeQuote],
        statuses: &[400],
        code: ErrorCode::OtpRejected,
        message: "the payment was not authorised: the code, or the passkey's answer, is wrong or \
                  ran out",
        ..ANY
    },
    Row {
        statuses: &[423],
        code: ErrorCode::RateLimited,
        message: "the customer is locked out for a while after too many attempts: see \
                  `details.lockedUntil`",
        ..ANY
    },
    Row {
        operations: &[Operation::ExecuteQuote],
        statuses: &[409],
        code: ErrorCode::Conflict,
        message: "the quote cannot be executed any more: it ran out, was executed, or waits for \
                  its authorisation",
        ..ANY
    },
    Row {
        operations: &[Operation::RevokeAuthCredential],
        statuses: &[400],
        code: ErrorCode::Conflict,
        message: "the account's only credential cannot be removed",
        ..ANY
    },
    Row {
        operations: &[Operation::CreateAuthCredential],
        credentials: &[AuthMethodType::Oauth],
        legs: &[Leg::Second],
        statuses: &[401],
        grid_codes: &["UNAUTHORIZED"],
        code: ErrorCode::OauthRejected,
        message: "Grid did not accept the identity provider's token, which may have become too old, \
                  or no longer knows this signed request",
        ..ANY
    },
    Row {
        operations: &[Operation::RevokeAuthCredential],
        legs: &[Leg::Second],
        statuses: &[401],
        grid_codes: &["UNAUTHORIZED"],
        code: ErrorCode::ChallengeExpired,
        message: "Grid no longer knows this signed request, or its session is of the credential \
                  that was to be removed: sign in by another one",
        ..ANY
    },
    Row {
        legs: &[Leg::Second],
        statuses: &[401],
        grid_codes: &["UNAUTHORIZED"],
        code: ErrorCode::ChallengeExpired,
        message: "Grid no longer knows this signed request: it ran out or was used, start again",
        ..ANY
    },
    Row {
        statuses: &[401],
        code: ErrorCode::GridError,
        message: "Grid refused the platform's API credentials or the request: see `gridCode`",
        ..ANY
    },
    Row {
        statuses: &[400, 409],
        grid_codes: &[
            "EMAIL_OTP_CREDENTIAL_ALREADY_EXISTS",
            "EMAIL_OTP_EMAIL_ALREADY_EXISTS",
            "PASSKEY_CREDENTIAL_ALREADY_EXISTS",
            "SMS_OTP_CREDENTIAL_ALREADY_EXISTS",
        ],
        code: ErrorCode::CredentialAlreadyExists,
        message: "the account already has this credential",
        ..ANY
    },
    Row {
        statuses: &[403],
        code: ErrorCode::Forbidden,
        message: "this user may not do this with this account",
        ..ANY
    },
    Row {
        statuses: &[404, 410],
        code: ErrorCode::NotFound,
        message: "Grid does not know this id",
        ..ANY
    },
    Row {
        operations: &[Operation::RegenerateAgentDeviceCode],
        statuses: &[409],
        code: ErrorCode::Conflict,
        message: "the agent is already connected, so it gets no new device code",
        ..ANY
    },
    Row {
        operations: &[Operation::CreateDelegatedKey],
        statuses: &[409],
        code: ErrorCode::Conflict,
        message: "the card already has a delegated key: revoke it first",
        ..ANY
    },
    Row {
        statuses: &[409],
        code: ErrorCode::Conflict,
        message: "the state of the account forbids this: see `gridCode`",
        ..ANY
    },
    Row {
        statuses: &[405, 501],
        code: ErrorCode::UnsupportedOperation,
        message: "the relay does not offer this operation",
        ..ANY
    },
    Row {
        statuses: &[500, 502, 503, 504],
        recovery: Some(Recovery::Retry),
        message: "Grid or the relay failed: try again",
        ..ANY
    },
    ANY,
];

impl Row {
    fn matches(&self, exchange: Exchange, status: u16, grid: &GridError<'_>) -> bool {
        fn among<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
            list.is_empty() || value.is_some_and(|value| list.contains(value))
        }
        among(self.operations, Some(&exchange.operation))
            && among(self.credentials, exchange.credential.as_ref())
            && among(self.legs, Some(&exchange.leg))
            && among(self.statuses, Some(&status))
            && among(self.grid_codes, Some(&grid.code))
            && (self.reason.is_none() || self.reason == grid.reason)
    }
}

fn from_grid(exchange: Exchange, status: u16, grid: &GridError<'_>) -> Error {
    let row = ROWS
        .iter()
        .find(|row| row.matches(exchange, status, grid))
        .unwrap_or(&ANY);
    let error = Error::new(row.code, row.message);
    match row.recovery {
        Some(recovery) => error.with_recovery(recovery),
        None => error,
    }
}

/// What an answer means whose body is none of Grid's error bodies: it is the relay's, or a proxy's.
fn without_grid_body(exchange: Exchange, status: u16, problem: Option<&'static str>) -> Error {
    let operation = exchange.operation.spec().id;
    match status {
        401 => Error::new(
            ErrorCode::SignedOutOfPlatform,
            "the platform no longer knows this user: sign in to the platform again",
        ),
        403 => Error::new(
            ErrorCode::Forbidden,
            "the platform does not allow this to this user",
        ),
        404 | 405 | 501 => Error::new(
            ErrorCode::UnsupportedOperation,
            filled(
                "the relay does not offer {}: check `baseUrl` and the relay's list",
                &[operation],
            ),
        ),
        429 => Error::new(
            ErrorCode::RateLimited,
            "too many attempts in a short time: wait before the next",
        ),
        _ => {
            let problem = problem.unwrap_or("is not of the API's form");
            let error = unreadable(operation, status, problem);
            if status >= 500 {
                error.with_recovery(Recovery::Retry)
            } else {
                error
            }
        }
    }
}

/// An answer that is not as the API has it. `problem` says of the body what is wrong with it.
pub(super) fn unreadable(operation: &str, status: u16, problem: &str) -> Error {
    Error::relay_protocol(filled(
        "the answer to {} has status {} and its body {}",
        &[operation, &decimal::encode(status), problem],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::json::Limits;

    fn grid_body(status: u16, code: &str, reason: Option<&str>) -> Json {
        let details = reason.map_or(String::new(), |r| {
            format!(r#","details":{{"reason":"{r}"}}"#)
        });
        let text = format!(r#"{{"status":{status},"code":"{code}","message":"no"{details}}}"#);
        Json::parse(
            &text,
            Limits {
                bytes: 1000,
                depth: 4,
            },
        )
        .unwrap()
    }

    fn of_grid(
        operation: Operation,
        credential: Option<AuthMethodType>,
        leg: Leg,
        status: u16,
        code: &str,
        reason: Option<&str>,
    ) -> Error {
        let body = grid_body(status, code, reason);
        failure(
            Exchange {
                operation,
                leg,
                credential,
            },
            status,
            Ok(&body),
            None,
        )
    }

    /// Operation, credential, leg, status, Grid's code and reason, and what they mean.
    type Case = (
        Operation,
        Option<AuthMethodType>,
        Leg,
        u16,
        &'static str,
        Option<&'static str>,
        ErrorCode,
    );

    #[test]
    fn each_row() {
        use AuthMethodType::{EmailOtp, Oauth, Passkey, SmsOtp};
        use ErrorCode as E;
        use Leg::{First, Second};
        use Operation as O;
        #[rustfmt::skip]
        let cases: &[Case] = &[
            (O::ChallengeAuthCredential, None, First, 429, "RATE_LIMITED", None, E::RateLimited),
            (O::VerifyAuthCredential, Some(EmailOtp), First, 429, "RATE_LIMITED", None, E::RateLimited),
            (O::CreateAuthCredential, Some(Passkey), Second, 401, "WALLET_SIGNATURE_MISSING", None, E::RelayProtocol),
            (O::VerifyAuthCredential, Some(Passkey), First, 401, "REQUEST_ID_MISSING", None, E::RelayProtocol),
            (O::CreateAuthCredential, Some(Passkey), Second, 401, "WALLET_SIGNATURE_BODY_MISMATCH", None, E::RelayProtocol),
            (O::CreateAuthCredential, Some(Passkey), Second, 401, "WALLET_SIGNATURE_MALFORMED", None, E::SignatureRejected),
            (O::CreateAuthCredential, Some(Passkey), Second, 401, "WALLET_SIGNATURE_INVALID", None, E::SignatureRejected),
            (O::RefreshAuthSession, None, Second, 401, "INVALID_SIGNATURE", None, E::SignatureRejected),
            (O::VerifyAuthCredential, Some(EmailOtp), First, 401, "UNAUTHORIZED", Some("OTP_EXPIRED"), E::OtpExpired),
            (O::VerifyAuthCredential, Some(EmailOtp), First, 401, "UNAUTHORIZED", Some("OTHER"), E::OtpRejected),
            (O::VerifyAuthCredential, Some(EmailOtp), First, 401, "UNAUTHORIZED", None, E::OtpRejected),
            (O::VerifyAuthCredential, Some(SmsOtp), First, 401, "UNAUTHORIZED", None, E::OtpRejected),
            (O::VerifyAuthCredential, Some(EmailOtp), Second, 401, "UNAUTHORIZED", None, E::ChallengeExpired),
            (O::VerifyAuthCredential, Some(EmailOtp), Second, 401, "WALLET_SIGNATURE_INVALID", None, E::SignatureRejected),
            (O::VerifyAuthCredential, Some(Passkey), First, 401, "UNAUTHORIZED", None, E::PasskeyRejected),
            (O::VerifyAuthCredential, Some(Oauth), First, 401, "UNAUTHORIZED", None, E::OauthRejected),
            (O::CreateAuthCredential, Some(Oauth), First, 400, "INVALID_INPUT", None, E::OauthRejected),
            (O::RefreshAuthSession, None, First, 401, "UNAUTHORIZED", None, E::SessionExpired),
            (O::RefreshAuthSession, None, First, 404, "REFERENCE_NOT_FOUND", None, E::SessionExpired),
            (O::CreateAuthCredential, Some(Passkey), Second, 401, "UNAUTHORIZED", None, E::ChallengeExpired),
            (O::RefreshAuthSession, None, Second, 401, "UNAUTHORIZED", None, E::ChallengeExpired),
            (O::RefreshAuthSession, None, Second, 404, "REFERENCE_NOT_FOUND", None, E::SessionExpired),
            (O::ExecuteQuote, None, Second, 401, "UNAUTHORIZED", None, E::SignatureRejected),
            (O::ExecuteQuote, None, Second, 401, "WALLET_SIGNATURE_INVALID", None, E::SignatureRejected),
            (O::ExecuteQuote, None, Second, 400, "AMOUNT_OUT_OF_RANGE", None, E::GridError),
            (O::CreateQuote, None, First, 429, "DAILY_VOLUME_LIMIT_EXCEEDED", None, E::Conflict),
            (O::CreateAuthCredential, Some(Oauth), Second, 401, "UNAUTHORIZED", None, E::OauthRejected),
            (O::ExecuteQuote, None, Second, 409, "CONFLICT", None, E::Conflict),
            (O::AuthorizeQuote, None, First, 400, "INVALID_INPUT", None, E::OtpRejected),
            (O::AuthorizeQuote, None, First, 423, "ACCOUNT_LOCKED", None, E::RateLimited),
            (O::AuthorizeQuote, None, First, 409, "SCA_SESSION_REQUIRED", None, E::Conflict),
            (O::RevokeAuthCredential, None, First, 400, "INVALID_INPUT", None, E::Conflict),
            (O::RevokeAuthCredential, None, Second, 401, "UNAUTHORIZED", None, E::ChallengeExpired),
            (O::CreateDelegatedKey, None, First, 409, "CONFLICT", None, E::Conflict),
            (O::CreateAuthCredential, Some(SmsOtp), First, 400, "SMS_OTP_CREDENTIAL_ALREADY_EXISTS", None, E::CredentialAlreadyExists),
            (O::UpdateCustomerById, None, First, 409, "EMAIL_OTP_EMAIL_ALREADY_EXISTS", None, E::CredentialAlreadyExists),
            (O::UpdateCustomerById, None, Second, 410, "CUSTOMER_DELETED", None, E::NotFound),
            (O::ListAuthCredentials, None, First, 401, "UNAUTHORIZED", None, E::GridError),
            (O::CreateAuthCredential, Some(EmailOtp), First, 400, "EMAIL_OTP_CREDENTIAL_ALREADY_EXISTS", None, E::CredentialAlreadyExists),
            (O::CreateAuthCredential, Some(EmailOtp), First, 409, "EMAIL_OTP_EMAIL_ALREADY_EXISTS", None, E::CredentialAlreadyExists),
            (O::CreateAuthCredential, Some(Passkey), Second, 400, "PASSKEY_CREDENTIAL_ALREADY_EXISTS", None, E::CredentialAlreadyExists),
            (O::ListAuthSessions, None, First, 403, "FORBIDDEN", None, E::Forbidden),
            (O::ChallengeAuthCredential, None, First, 404, "REFERENCE_NOT_FOUND", None, E::NotFound),
            (O::RegenerateAgentDeviceCode, None, First, 409, "CONFLICT", None, E::Conflict),
            (O::CreateAuthCredential, Some(EmailOtp), Second, 409, "EMAIL_OTP_CREDENTIAL_SET_CHANGED", None, E::Conflict),
            (O::RevokeAuthSession, None, First, 405, "INVALID_INPUT", None, E::UnsupportedOperation),
            (O::ChallengeAuthCredential, None, First, 500, "INTERNAL_ERROR", None, E::GridError),
            (O::ChallengeAuthCredential, None, First, 400, "A_CODE_OF_NEXT_YEAR", None, E::GridError),
        ];
        let mut hit = vec![false; ROWS.len()];
        for &(operation, credential, leg, status, code, reason, expected) in cases {
            let body = grid_body(status, code, reason);
            let grid = GridError::read(&body, status).unwrap();
            let exchange = Exchange {
                operation,
                leg,
                credential,
            };
            let row = ROWS
                .iter()
                .position(|row| row.matches(exchange, status, &grid))
                .unwrap();
            hit[row] = true;
            let error = of_grid(operation, credential, leg, status, code, reason);
            assert_eq!(
                error.code(),
                expected,
                "{operation:?} {leg:?} {status} {code}"
            );
            assert_eq!(error.grid_code(), Some(code));
            assert_eq!(error.reason(), reason);
            assert_eq!(error.status(), Some(status));
            assert_eq!(error.operation(), Some(operation.spec().id));
        }
        let unreached: Vec<_> = (0..ROWS.len()).filter(|row| !hit[*row]).collect();
        assert!(
            unreached.is_empty(),
            "rows without a case, or shadowed: {unreached:?}"
        );
    }

    #[test]
    fn a_server_fault_may_be_tried_again() {
        let error = of_grid(
            Operation::ListAuthSessions,
            None,
            Leg::First,
            500,
            "INTERNAL_ERROR",
            None,
        );
        assert_eq!(error.recovery(), Recovery::Retry);
    }

    #[test]
    fn without_a_body_of_grid() {
        let exchange = Exchange {
            operation: Operation::VerifyAuthCredential,
            leg: Leg::First,
            credential: Some(AuthMethodType::EmailOtp),
        };
        let other = Json::object([("error", Json::from("signed_out_of_platform"))]);
        // A body whose status is not the answer's is not Grid's.
        let forged = grid_body(400, "UNAUTHORIZED", None);
        for (status, expected, recovery) in [
            (401, ErrorCode::SignedOutOfPlatform, Recovery::SignIn),
            (403, ErrorCode::Forbidden, Recovery::Integrator),
            (404, ErrorCode::UnsupportedOperation, Recovery::Integrator),
            (429, ErrorCode::RateLimited, Recovery::Wait),
            (302, ErrorCode::RelayProtocol, Recovery::Integrator),
            (502, ErrorCode::RelayProtocol, Recovery::Retry),
        ] {
            for body in [Ok(&other), Ok(&forged), Err("is empty")] {
                let error = failure(exchange, status, body, Some(2000));
                assert_eq!(error.code(), expected, "{status}");
                assert_eq!(error.recovery(), recovery, "{status}");
                assert_eq!(error.retry_after_ms(), Some(2000));
                assert_eq!(error.grid_code(), None);
            }
        }
    }
}
