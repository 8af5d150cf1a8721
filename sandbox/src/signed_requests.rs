//! The signed retry: a first leg leaves a pending request with a payload to sign; the second names
//! it and carries the stamp. A pending request is good for one retry with the same method, path and
//! body, whatever comes of it.

use axum::http::Method;
use bytes::Bytes;
use p256::PublicKey;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    options::millis,
    stamps::{Stamp, invalid},
    state::{Grid, new_id},
};

#[derive(Default)]
pub(crate) struct SignedRequests(Vec<SignedRequest>);

struct SignedRequest {
    id: String,
    method: Method,
    path: String,
    body: Bytes,
    payload: String,
    signer: Signer,
    issued_at: Millis,
    expires_at: Millis,
    is_used: bool,
}

/// A pending request that was stamped as it should be.
pub(crate) struct Signed {
    pub(crate) by: PublicKey,
    /// When the first leg was answered.
    pub(crate) issued_at: Millis,
}

/// Who may stamp a pending request.
#[derive(Clone)]
pub(crate) enum Signer {
    /// Any active session of the account.
    AccountSession { account_id: String },
    /// Any active session of the account that was not signed in with this credential.
    OtherCredential {
        account_id: String,
        credential_id: String,
    },
    /// This session.
    Session { session_id: String },
    /// The key inside the OTP bundle.
    OtpKey { public_key: PublicKey },
}

/// Which leg of a signed retry a request is.
pub(crate) enum Leg {
    First,
    Second(Retry),
}

/// A second leg: what its headers say.
pub(crate) struct Retry {
    pub(crate) request_id: String,
    stamp: String,
}

impl Leg {
    pub(crate) fn of(request: &GridRequest) -> Result<Self> {
        match (request.request_id(), request.signature()) {
            (None, None) => Ok(Self::First),
            (None, Some(_)) => Err(request_id_missing()),
            (Some(_), None) => Err(GridError::new(
                Code::WalletSignatureMissing,
                Reason::SignatureMissing,
                "Grid-Wallet-Signature is required on the signed retry",
            )),
            (Some(request_id), Some(stamp)) => Ok(Self::Second(Retry {
                request_id: request_id.into_owned(),
                stamp: stamp.into_owned(),
            })),
        }
    }
}

pub(crate) fn request_id_missing() -> GridError {
    GridError::new(
        Code::RequestIdMissing,
        Reason::RequestIdMissing,
        "Request-Id is required",
    )
}

impl SignedRequests {
    pub(crate) fn expire_all(&mut self, now: Millis) {
        for request in &mut self.0 {
            request.expires_at = request.expires_at.min(now);
        }
    }
}

impl Grid<'_> {
    /// The answer of a first leg: 202 with `payloadToSign`, `requestId`, `expiresAt` and, where the
    /// API has it, `type`.
    pub(crate) fn ask_for_signature(
        &mut self,
        request: &GridRequest,
        payload: String,
        signer: Signer,
        auth_method_type: Option<&str>,
    ) -> Answer {
        let id = new_id("Request");
        let expires_at = self.now.saturating_add(millis(self.options.challenge_life));
        let mut body = json!({
            "payloadToSign": payload,
            "requestId": id,
            "expiresAt": rfc3339(expires_at),
        });
        if let (Some(kind), Value::Object(members)) = (auth_method_type, &mut body) {
            members.insert("type".to_owned(), json!(kind));
        }
        self.state.signed_requests.0.push(SignedRequest {
            id,
            method: request.operation.method(),
            path: request.path.clone(),
            body: request.body.clone(),
            payload,
            signer,
            issued_at: self.now,
            expires_at,
            is_used: false,
        });
        Answer::json(202, body)
    }

    /// Checks a second leg and uses up the pending request.
    pub(crate) fn check_retry(&mut self, request: &GridRequest, retry: &Retry) -> Result<Signed> {
        let now = self.now;
        let pending = self
            .state
            .signed_requests
            .0
            .iter_mut()
            .find(|pending| pending.id == retry.request_id)
            .ok_or_else(|| refuse(Reason::RequestIdUnknown, "no such pending request"))?;
        if pending.method != request.operation.method() || pending.path != request.path {
            return Err(refuse(
                Reason::RequestIdOfAnotherRequest,
                "Request-Id was issued for another request",
            ));
        }
        if pending.is_used {
            return Err(refuse(Reason::RequestIdUsed, "Request-Id was used before"));
        }
        pending.is_used = true;
        if now >= pending.expires_at {
            return Err(refuse(
                Reason::RequestIdExpired,
                "the pending request expired",
            ));
        }
        if pending.body != request.body {
            return Err(GridError::new(
                Code::WalletSignatureBodyMismatch,
                Reason::BodyChanged,
                "the body differs from the one the payload was made for",
            ));
        }
        let (payload, signer) = (pending.payload.clone(), pending.signer.clone());
        let issued_at = pending.issued_at;
        let stamp = Stamp::parse(&retry.stamp)?;
        self.check_signer(&stamp.public_key, &signer)?;
        stamp.verify(&payload)?;
        Ok(Signed {
            by: stamp.public_key,
            issued_at,
        })
    }

    pub(crate) fn check_signer(&self, key: &PublicKey, signer: &Signer) -> Result<()> {
        let by = |account_id: &str| {
            self.state.sessions.iter().find(|session| {
                session.account_id == account_id
                    && session.is_active(self.now)
                    && session.public_key == *key
            })
        };
        let not_active = || {
            invalid(
                Reason::StampKeyNotOfActiveSession,
                "the stamp's key is not the key of an active session of this account",
            )
        };
        match signer {
            Signer::AccountSession { account_id } => {
                by(account_id).map(|_| ()).ok_or_else(not_active)
            }
            Signer::OtherCredential {
                account_id,
                credential_id,
            } => match by(account_id) {
                Some(session) if session.credential_id == *credential_id => Err(invalid(
                    Reason::StampKeyOfRevokedCredential,
                    "the stamp's key is the key of a session of the revoked credential",
                )),
                Some(_) => Ok(()),
                None => Err(not_active()),
            },
            Signer::Session { session_id } => match self.state.session(session_id) {
                Some(session) if session.public_key == *key => Ok(()),
                Some(session) if by(&session.account_id).is_some() => Err(invalid(
                    Reason::StampKeyOfAnotherSession,
                    "the stamp's key is the key of another session",
                )),
                _ => Err(not_active()),
            },
            Signer::OtpKey { public_key } if public_key == key => Ok(()),
            Signer::OtpKey { .. } => Err(invalid(
                Reason::StampKeyNotInOtpBundle,
                "the stamp's key is not the one in the OTP bundle",
            )),
        }
    }
}

fn refuse(reason: Reason, message: &'static str) -> GridError {
    GridError::unauthorized(reason, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::http::HeaderMap;

    use super::*;
    use crate::{
        enclaves::Enclaves, oidc_provider::Provider, operation::Operation, options::SandboxOptions,
        state::State,
    };

    // Over HTTP no two signed operations share a path, so far.
    #[test]
    fn a_pending_request_is_bound_to_its_method() {
        let request = |operation| GridRequest {
            operation,
            path: "/same".to_owned(),
            id: String::new(),
            query: HashMap::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let (options, enclaves) = (SandboxOptions::default(), Enclaves::generate());
        let mut grid = Grid {
            options: &options,
            enclaves: &enclaves,
            provider: &Provider::generate(),
            state: &mut State::default(),
            now: 0,
        };
        let signer = Signer::Session {
            session_id: String::new(),
        };
        let first = request(Operation::RefreshAuthSession);
        let answer = grid.ask_for_signature(&first, String::new(), signer, None);
        let retry = Retry {
            request_id: answer.body.unwrap()["requestId"]
                .as_str()
                .unwrap()
                .to_owned(),
            stamp: String::new(),
        };
        for (operation, reason) in [
            (
                Operation::RevokeAuthSession,
                Reason::RequestIdOfAnotherRequest,
            ),
            (Operation::RefreshAuthSession, Reason::StampMalformed),
        ] {
            let refusal = grid.check_retry(&request(operation), &retry).err().unwrap();
            assert_eq!(refusal.reason, reason);
        }
    }
}
