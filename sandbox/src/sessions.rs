//! Sessions: issuing, listing, refreshing, revoking.

use p256::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    clock::rfc3339,
    enclaves::{generate_key, seal_session_key},
    errors::{GridError, Reason, Result},
    http::{Answer, GridRequest},
    keys::{ClientPublicKey, Delivery, compressed_hex},
    options::millis,
    payloads,
    signed_requests::{Leg, Signer},
    state::{Grid, Session, State, new_id, new_uuid},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefreshRequest {
    client_public_key: String,
}

/// A session as `GET /sandbox/sessions` shows it: expired and revoked ones too.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// `Session:<uuid>`
    pub id: String,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// The credential that it was, at first, signed in with.
    pub auth_method_id: String,
    /// SEC1 compressed hex.
    pub public_key: String,
    /// Whether the key was delivered sealed; otherwise the client made it.
    pub sealed: bool,
    /// Neither expired nor revoked.
    pub active: bool,
    /// Revoked, by the API or by the control.
    pub revoked: bool,
    /// RFC 3339.
    pub expires_at: String,
}

impl Grid<'_> {
    /// Makes a session and answers with its `AuthSession`. A client-held session has the client's
    /// key; a sealed one a fresh key, sealed to the client's.
    pub(crate) fn issue_session(
        &mut self,
        status: u16,
        credential_id: &str,
        client_public_key: PublicKey,
        delivery: Delivery,
    ) -> Result<Answer> {
        let (public_key, sealed_key) = match delivery {
            Delivery::ClientHeld => (client_public_key, None),
            Delivery::Sealed => {
                let key = generate_key();
                (
                    key.public_key(),
                    Some(seal_session_key(&client_public_key, &key)?),
                )
            }
        };
        let session = Session {
            id: new_id("Session"),
            account_id: self.credential(credential_id)?.account_id.clone(),
            credential_id: credential_id.to_owned(),
            api_key_id: new_uuid(),
            public_key,
            delivery,
            created_at: self.now,
            expires_at: self.now.saturating_add(millis(self.options.session_life)),
            is_revoked: false,
        };
        let mut members = self.members(&session)?;
        if let Some(sealed_key) = sealed_key {
            members.insert("encryptedSessionSigningKey".to_owned(), json!(sealed_key));
        }
        self.state.sessions.push(session);
        Ok(Answer::json(status, Value::Object(members)))
    }

    /// The members of an `AuthSession`: its credential's, with an id and times of its own.
    fn members(&self, session: &Session) -> Result<Map<String, Value>> {
        let mut members = self.credential(&session.credential_id)?.members();
        members.insert("id".to_owned(), json!(session.id));
        members.insert("createdAt".to_owned(), json!(rfc3339(session.created_at)));
        members.insert("updatedAt".to_owned(), json!(rfc3339(session.created_at)));
        members.insert("expiresAt".to_owned(), json!(rfc3339(session.expires_at)));
        Ok(members)
    }

    /// `listAuthSessions`
    pub(crate) fn list_auth_sessions(&self, request: &GridRequest) -> Result<Answer> {
        let account_id = request.account_id()?;
        let data = self
            .state
            .sessions
            .iter()
            .filter(|session| session.account_id == account_id && session.is_active(self.now))
            .map(|session| self.members(session))
            .collect::<Result<Vec<_>>>()?;
        Ok(Answer::json(200, json!({ "data": data })))
    }

    /// `refreshAuthSession`: adds a session; the refreshed one lives on.
    pub(crate) fn refresh_auth_session(&mut self, request: &GridRequest) -> Result<Answer> {
        let session = self.session(&request.id)?;
        if !session.is_active(self.now) {
            return Err(GridError::unauthorized(
                Reason::SessionNotActive,
                "the session is not active",
            ));
        }
        let credential_id = session.credential_id.clone();
        let account = self.account(&session.account_id)?;
        let body: RefreshRequest = request.json()?;
        match Leg::of(request)? {
            Leg::First => {
                let client_public_key = ClientPublicKey::parse(&body.client_public_key)?;
                let payload = payloads::create_session(&account, &client_public_key.text, self.now);
                let signer = Signer::Session {
                    session_id: request.id.clone(),
                };
                Ok(self.ask_for_signature(request, payload, signer, None))
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                let ClientPublicKey { key, delivery, .. } =
                    ClientPublicKey::parse(&body.client_public_key)?;
                self.issue_session(201, &credential_id, key, delivery)
            }
        }
    }

    /// `revokeAuthSession`
    pub(crate) fn revoke_auth_session(&mut self, request: &GridRequest) -> Result<Answer> {
        let session = self.session(&request.id)?;
        if !session.is_active(self.now) {
            return Err(GridError::not_found(
                Reason::SessionNotActive,
                "the session is not active",
            ));
        }
        let type_name = self.credential(&session.credential_id)?.kind.type_name();
        let account = self.account(&session.account_id)?;
        match Leg::of(request)? {
            Leg::First => {
                let payload = payloads::revoke_session(&account, &session.api_key_id, self.now);
                let signer = Signer::AccountSession {
                    account_id: account.id,
                };
                Ok(self.ask_for_signature(request, payload, signer, Some(type_name)))
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                for session in &mut self.state.sessions {
                    session.is_revoked |= session.id == request.id;
                }
                Ok(Answer::empty(204))
            }
        }
    }

    fn session(&self, id: &str) -> Result<&Session> {
        self.state
            .session(id)
            .ok_or_else(|| GridError::not_found(Reason::SessionNotFound, "no such session"))
    }
}

impl State {
    pub(crate) fn session_records(&self) -> Vec<SessionRecord> {
        let now = self.clock.now();
        let record = |session: &Session| SessionRecord {
            id: session.id.clone(),
            account_id: session.account_id.clone(),
            auth_method_id: session.credential_id.clone(),
            public_key: compressed_hex(&session.public_key),
            sealed: session.delivery == Delivery::Sealed,
            active: session.is_active(now),
            revoked: session.is_revoked,
            expires_at: rfc3339(session.expires_at),
        };
        self.sessions.iter().map(record).collect()
    }
}
