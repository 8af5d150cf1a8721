//! Adding and listing credentials.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    clock::{Millis, rfc3339},
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    nickname,
    oidc::IdToken,
    otp::Channel,
    payloads,
    signed_requests::{Leg, Signer},
    state::{Account, Credential, CredentialKind, Grid, new_id, new_uuid},
    webauthn::{Attestation, check_attestation},
};

#[derive(Deserialize)]
#[serde(
    tag = "type",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
enum CreateRequest {
    EmailOtp {
        account_id: String,
    },
    Oauth {
        account_id: String,
        oidc_token: String,
    },
    Passkey {
        account_id: String,
        nickname: String,
        challenge: String,
        attestation: Attestation,
    },
    SmsOtp {
        account_id: String,
    },
}

impl CredentialKind {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Otp { channel, .. } => channel.type_name(),
            Self::OAuth { .. } => "OAUTH",
            Self::Passkey { .. } => "PASSKEY",
        }
    }
}

impl Credential {
    /// How its codes are sent, if it has codes.
    pub(crate) fn channel(&self) -> Option<Channel> {
        match self.kind {
            CredentialKind::Otp { channel, .. } => Some(channel),
            CredentialKind::OAuth { .. } | CredentialKind::Passkey { .. } => None,
        }
    }

    /// The members of an `AuthMethod`.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(self.id));
        members.insert("accountId".to_owned(), json!(self.account_id));
        members.insert("type".to_owned(), json!(self.kind.type_name()));
        if let CredentialKind::Passkey { key } = &self.kind {
            let credential_id = BASE64_URL_SAFE_NO_PAD.encode(&key.credential_id);
            members.insert("credentialId".to_owned(), json!(credential_id));
        }
        members.insert("nickname".to_owned(), json!(self.nickname));
        members.insert("createdAt".to_owned(), json!(rfc3339(self.created_at)));
        members.insert("updatedAt".to_owned(), json!(rfc3339(self.updated_at)));
        members
    }
}

/// What a creation request comes to.
struct NewCredential {
    nickname: String,
    kind: CredentialKind,
    payload_to_sign: String,
}

impl Grid<'_> {
    /// `createAuthCredential`
    pub(crate) fn create_auth_credential(&mut self, request: &GridRequest) -> Result<Answer> {
        let body: CreateRequest = request.json()?;
        let account = match &body {
            CreateRequest::EmailOtp { account_id }
            | CreateRequest::SmsOtp { account_id }
            | CreateRequest::Oauth { account_id, .. }
            | CreateRequest::Passkey { account_id, .. } => self.account(account_id)?,
        };
        match Leg::of(request)? {
            Leg::First => {
                let new = self.check_new(&account, &body, self.now)?;
                // A wallet without any credential has nobody who could sign.
                if !self
                    .state
                    .credentials
                    .iter()
                    .any(|c| c.account_id == account.id)
                {
                    return Ok(self.add(&account, new, None));
                }
                let signer = Signer::AccountSession {
                    account_id: account.id,
                };
                let type_name = new.kind.type_name();
                Ok(self.ask_for_signature(request, new.payload_to_sign, signer, Some(type_name)))
            }
            Leg::Second(retry) => {
                let signed = self.check_retry(request, &retry)?;
                let mut new = self.check_new(&account, &body, signed.issued_at)?;
                let bundle = if let CredentialKind::Otp { issued, .. } = &mut new.kind {
                    let (otp, bundle) = self.issue_otp(&account);
                    *issued = Some(otp);
                    Some(bundle)
                } else {
                    None
                };
                if let CreateRequest::Passkey { challenge, .. } = body {
                    self.state.used_registration_challenges.push(challenge);
                }
                Ok(self.add(&account, new, bundle))
            }
        }
    }

    /// Checks a creation as of `at`: a token that was fresh on the first leg may age till the
    /// second.
    fn check_new(
        &self,
        account: &Account,
        body: &CreateRequest,
        at: Millis,
    ) -> Result<NewCredential> {
        match body {
            CreateRequest::EmailOtp { .. } => self.check_new_otp(account, Channel::Email, at),
            CreateRequest::SmsOtp { .. } => self.check_new_otp(account, Channel::Sms, at),
            CreateRequest::Oauth { oidc_token, .. } => {
                let token =
                    IdToken::check(oidc_token, &self.options.oidc_issuers, self.provider, at)?;
                let iss = &token.identity.iss;
                let payload_to_sign = payloads::add_oauth(account, iss, oidc_token, at);
                Ok(NewCredential {
                    nickname: token.email.unwrap_or_else(|| token.identity.sub.clone()),
                    kind: CredentialKind::OAuth {
                        identity: token.identity,
                    },
                    payload_to_sign,
                })
            }
            CreateRequest::Passkey {
                nickname,
                challenge,
                attestation,
                ..
            } => {
                let nickname = nickname::check(nickname)?;
                if self.state.used_registration_challenges.contains(challenge) {
                    return Err(GridError::invalid_input(
                        Reason::RegistrationChallengeUsed,
                        "challenge was used before",
                    ));
                }
                let key = check_attestation(attestation, challenge, self.options)?;
                let is_same = |c: &Credential| match &c.kind {
                    CredentialKind::Passkey { key: other } => {
                        other.credential_id == key.credential_id
                    }
                    CredentialKind::Otp { .. } | CredentialKind::OAuth { .. } => false,
                };
                if self.credentials_of(account).any(is_same) {
                    return Err(GridError::new(
                        Code::PasskeyCredentialAlreadyExists,
                        Reason::PasskeyCredentialExists,
                        "the account has a passkey with this credentialId",
                    ));
                }
                Ok(NewCredential {
                    payload_to_sign: payloads::add_passkey(
                        account,
                        nickname,
                        challenge,
                        attestation,
                        at,
                    ),
                    nickname: nickname.to_owned(),
                    kind: CredentialKind::Passkey { key },
                })
            }
        }
    }

    /// One of each kind is supported per account.
    fn check_new_otp(
        &self,
        account: &Account,
        channel: Channel,
        at: Millis,
    ) -> Result<NewCredential> {
        if self
            .credentials_of(account)
            .any(|credential| credential.channel() == Some(channel))
        {
            return Err(match channel {
                Channel::Email => GridError::new(
                    Code::EmailOtpCredentialAlreadyExists,
                    Reason::EmailOtpCredentialExists,
                    "the account has an EMAIL_OTP credential",
                ),
                Channel::Sms => GridError::new(
                    Code::SmsOtpCredentialAlreadyExists,
                    Reason::SmsOtpCredentialExists,
                    "the account has an SMS_OTP credential",
                ),
            });
        }
        let contact = channel.contact(self.customer(&account.customer_id)?);
        Ok(NewCredential {
            nickname: contact.to_owned(),
            kind: CredentialKind::Otp {
                channel,
                issued: None,
            },
            payload_to_sign: payloads::set_contact(account, channel, contact, at),
        })
    }

    fn add(&mut self, account: &Account, new: NewCredential, bundle: Option<String>) -> Answer {
        let credential = Credential {
            id: new_id("AuthMethod"),
            account_id: account.id.clone(),
            nickname: new.nickname,
            kind: new.kind,
            turnkey_id: new_uuid(),
            created_at: self.now,
            updated_at: self.now,
        };
        let mut members = credential.members();
        if let Some(bundle) = bundle {
            members.insert("otpEncryptionTargetBundle".to_owned(), json!(bundle));
        }
        self.state.credentials.push(credential);
        Answer::json(201, Value::Object(members))
    }

    /// `listAuthCredentials`
    pub(crate) fn list_auth_credentials(&self, request: &GridRequest) -> Result<Answer> {
        let account_id = request.account_id()?;
        let data: Vec<_> = self
            .state
            .credentials
            .iter()
            .filter(|credential| credential.account_id == account_id)
            .map(Credential::members)
            .collect();
        Ok(Answer::json(200, json!({ "data": data })))
    }

    /// `revokeAuthCredential`
    pub(crate) fn revoke_auth_credential(&mut self, request: &GridRequest) -> Result<Answer> {
        let credential = self.credential(&request.id)?;
        let account = self.account(&credential.account_id)?;
        if self.credentials_of(&account).count() == 1 {
            return Err(GridError::invalid_input(
                Reason::LastCredential,
                "an account keeps at least one credential",
            ));
        }
        match Leg::of(request)? {
            Leg::First => {
                let payload = payloads::revoke_credential(&account, credential, self.now);
                let type_name = credential.kind.type_name();
                let signer = Signer::OtherCredential {
                    account_id: account.id,
                    credential_id: request.id.clone(),
                };
                Ok(self.ask_for_signature(request, payload, signer, Some(type_name)))
            }
            Leg::Second(retry) => {
                self.check_retry(request, &retry)?;
                self.state.remove_credential(&request.id);
                Ok(Answer::empty(204))
            }
        }
    }

    pub(crate) fn credentials_of(&self, account: &Account) -> impl Iterator<Item = &Credential> {
        self.state
            .credentials
            .iter()
            .filter(|credential| credential.account_id == account.id)
    }
}

pub(crate) fn unsuitable_type() -> GridError {
    GridError::invalid_input(
        Reason::CredentialTypeUnsuitable,
        "type is not the credential's",
    )
}
