//! Delegated keys: Grid signs card payments in the place of the wallet's owner, who grants it by two
//! signatures. Grid keeps the private keys; nothing here needs them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    enclaves::generate_key,
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    keys::compressed_hex,
    payloads,
    signed_requests::Leg,
    state::{Grid, State, new_id, new_uuid},
};

/// A customer's card, and the wallet that pays for it.
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) funding_source_id: String,
    pub(crate) account_id: String,
}

pub(crate) struct DelegatedKey {
    id: String,
    card_id: String,
    funding_source_id: String,
    account_id: String,
    /// SEC1 compressed hex.
    pub(crate) public_key: String,
    /// What Turnkey calls the signer.
    pub(crate) user_id: String,
    pub(crate) nickname: String,
    status: Status,
    /// The pending request by which the next leg goes on.
    request_id: String,
    created_at: Millis,
    updated_at: Millis,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Status {
    /// The first leg: nobody was created yet, so nothing is listed.
    Drafted,
    /// The second leg: the signer is there, without policies.
    Pending,
    Active,
    Revoked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateRequest {
    card_id: String,
    internal_account_id: String,
    nickname: String,
}

impl DelegatedKey {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "cardId": self.card_id,
            "fundingSourceId": self.funding_source_id,
            "accountId": self.account_id,
            "publicKey": self.public_key,
            "nickname": self.nickname,
            "status": match self.status {
                Status::Drafted | Status::Pending => "PENDING",
                Status::Active => "ACTIVE",
                Status::Revoked => "REVOKED",
            },
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(self.updated_at),
        })
    }
}

impl State {
    /// Whether this pending request is answered by the third leg of a creation.
    pub(crate) fn is_third_leg(&self, request_id: &str) -> bool {
        self.delegated_keys
            .iter()
            .any(|key| key.request_id == request_id && key.status == Status::Pending)
    }
}

impl Grid<'_> {
    /// `createDelegatedKey`, in three legs.
    pub(crate) fn create_delegated_key(&mut self, request: &GridRequest) -> Result<Answer> {
        let body: CreateRequest = request.json()?;
        if !(1..=256).contains(&body.nickname.chars().count()) {
            return Err(GridError::invalid_input(
                Reason::NicknameInvalid,
                "nickname is 1 to 256 characters",
            ));
        }
        let mut cards = self.state.cards.iter();
        let card = cards
            .find(|card| card.id == body.card_id && card.account_id == body.internal_account_id)
            .ok_or_else(|| {
                GridError::not_found(Reason::CardNotFound, "no such card of this account")
            })?;
        let funding_source_id = card.funding_source_id.clone();
        let account = self.account(&card.account_id)?;
        if self
            .state
            .delegated_keys
            .iter()
            .any(|key| key.funding_source_id == funding_source_id && key.status == Status::Active)
        {
            return Err(GridError::new(
                Code::Conflict,
                Reason::DelegatedKeyActive,
                "the card has an active delegated key",
            ));
        }
        match Leg::of(request)? {
            Leg::First => {
                let mut key = DelegatedKey {
                    id: new_id("DelegatedKey"),
                    card_id: body.card_id,
                    funding_source_id,
                    account_id: account.id.clone(),
                    public_key: compressed_hex(&generate_key().public_key()),
                    user_id: new_uuid(),
                    nickname: body.nickname,
                    status: Status::Drafted,
                    request_id: String::new(),
                    created_at: self.now,
                    updated_at: self.now,
                };
                let payload = payloads::create_signer(&account, &key, self.now);
                let answer = self.ask_account(request, payload, &account);
                key.request_id = answer.request_id().to_owned();
                self.state.delegated_keys.push(key);
                Ok(answer)
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                let now = self.now;
                let mut keys = self.state.delegated_keys.iter();
                let key = keys
                    .find(|key| key.request_id == retry.request_id)
                    .ok_or_else(not_found)?;
                let id = key.id.clone();
                if key.status == Status::Pending {
                    let key = self.delegated_key_mut(&id)?;
                    key.status = Status::Active;
                    key.updated_at = now;
                    return Ok(Answer::json(201, key.json()));
                }
                let payload = payloads::grant_signing(&account, key, now);
                let answer = self.ask_account(request, payload, &account);
                let key = self.delegated_key_mut(&id)?;
                key.status = Status::Pending;
                key.updated_at = now;
                key.request_id = answer.request_id().to_owned();
                Ok(answer)
            }
        }
    }

    /// `listDelegatedKeys`
    pub(crate) fn list_delegated_keys(&self, request: &GridRequest) -> Result<Answer> {
        let [account_id, funding_source_id] =
            ["accountId", "fundingSourceId"].map(|name| request.query.get(name));
        if account_id.is_none() && funding_source_id.is_none() {
            return Err(GridError::invalid_input(
                Reason::ListingParameterInvalid,
                "accountId or fundingSourceId is required",
            ));
        }
        let data: Vec<_> = self
            .state
            .delegated_keys
            .iter()
            .filter(|key| key.status != Status::Drafted)
            .filter(|key| account_id.is_none_or(|id| key.account_id == *id))
            .filter(|key| funding_source_id.is_none_or(|id| key.funding_source_id == *id))
            .map(DelegatedKey::json)
            .collect();
        Ok(Answer::json(200, json!({ "data": data })))
    }

    /// `getDelegatedKeyById`
    pub(crate) fn get_delegated_key_by_id(&mut self, request: &GridRequest) -> Result<Answer> {
        Ok(Answer::json(
            200,
            self.delegated_key_mut(&request.id)?.json(),
        ))
    }

    /// `revokeDelegatedKey`: Grid signs it with the key itself.
    pub(crate) fn revoke_delegated_key(&mut self, request: &GridRequest) -> Result<Answer> {
        let now = self.now;
        let key = self.delegated_key_mut(&request.id)?;
        if key.status != Status::Active {
            return Err(GridError::invalid_input(
                Reason::DelegatedKeyNotActive,
                "the delegated key is not active",
            ));
        }
        key.status = Status::Revoked;
        key.updated_at = now;
        Ok(Answer::empty(204))
    }

    fn delegated_key_mut(&mut self, id: &str) -> Result<&mut DelegatedKey> {
        let mut keys = self.state.delegated_keys.iter_mut();
        // Nobody was told the id of a drafted one.
        keys.find(|key| key.id == id).ok_or_else(not_found)
    }
}

fn not_found() -> GridError {
    GridError::not_found(Reason::DelegatedKeyNotFound, "no such delegated key")
}
