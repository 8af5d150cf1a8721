//! Challenging and verifying credentials: every way to a session but refreshing.

use p256::PublicKey;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    clock::rfc3339,
    credentials::unsuitable_type,
    errors::{GridError, Reason, Result},
    http::{Answer, GridRequest},
    keys::{ClientPublicKey, Delivery},
    oidc::IdToken,
    options::{RateLimit, millis},
    otp::{self, Channel},
    payloads,
    signed_requests::{Leg, Signer, request_id_missing},
    state::{Account, Credential, CredentialKind, Grid, IssuedOtp, new_id},
    webauthn::{Assertion, PasskeyChallenge, check_assertion},
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChallengeRequest {
    client_public_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    tag = "type",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
enum VerifyRequest {
    EmailOtp {
        encrypted_otp_bundle: String,
    },
    Oauth {
        oidc_token: String,
        client_public_key: String,
    },
    Passkey {
        assertion: Assertion,
    },
    SmsOtp {
        encrypted_otp_bundle: String,
    },
}

impl Grid<'_> {
    /// `challengeAuthCredential`
    pub(crate) fn challenge_auth_credential(&mut self, request: &GridRequest) -> Result<Answer> {
        let account = self.account_of_credential(&request.id)?;
        self.admit(request, self.options.challenge_limit)?;
        match &self.credential(&request.id)?.kind {
            CredentialKind::Otp { .. } => self.challenge_otp(request, &account),
            CredentialKind::Passkey { .. } => self.challenge_passkey(request, &account),
            CredentialKind::OAuth { .. } => Err(GridError::invalid_input(
                Reason::OauthHasNoChallenge,
                "an OAUTH credential is verified without a challenge",
            )),
        }
    }

    fn challenge_otp(&mut self, request: &GridRequest, account: &Account) -> Result<Answer> {
        let (otp, bundle) = self.issue_otp(account);
        let now = self.now;
        let credential = self.credential_mut(&request.id)?;
        if let CredentialKind::Otp { issued, .. } = &mut credential.kind {
            *issued = Some(otp);
        }
        credential.updated_at = now;
        let mut members = credential.members();
        members.insert("otpEncryptionTargetBundle".to_owned(), json!(bundle));
        Ok(Answer::json(200, Value::Object(members)))
    }

    /// "Sends" a code.
    pub(crate) fn issue_otp(&self, account: &Account) -> (IssuedOtp, String) {
        let expires_at = self.now.saturating_add(millis(self.options.otp_life));
        otp::issue(self.enclaves, account, expires_at)
    }

    fn challenge_passkey(&mut self, request: &GridRequest, account: &Account) -> Result<Answer> {
        let body = if request.body.is_empty() {
            ChallengeRequest::default()
        } else {
            request.json::<ChallengeRequest>()?
        };
        let client_public_key = body.client_public_key.ok_or_else(|| {
            GridError::invalid_input(
                Reason::ClientPublicKeyInvalid,
                "clientPublicKey is required for a PASSKEY credential",
            )
        })?;
        let client_public_key = ClientPublicKey::parse(&client_public_key)?;
        let session_creation = payloads::create_session(account, &client_public_key.text, self.now);
        let challenge = hex::encode(Sha256::digest(session_creation));
        let request_id = new_id("Request");
        let expires_at = self.now.saturating_add(millis(self.options.challenge_life));
        let now = self.now;
        let credential = self.credential_mut(&request.id)?;
        credential.updated_at = now;
        let mut members = credential.members();
        members.insert("challenge".to_owned(), json!(challenge));
        members.insert("requestId".to_owned(), json!(request_id));
        members.insert("expiresAt".to_owned(), json!(rfc3339(expires_at)));
        self.state.passkey_challenges.add(PasskeyChallenge {
            request_id,
            credential_id: request.id.clone(),
            challenge,
            client_public_key,
            expires_at,
            is_used: false,
        });
        Ok(Answer::json(200, Value::Object(members)))
    }

    /// `verifyAuthCredential`
    pub(crate) fn verify_auth_credential(&mut self, request: &GridRequest) -> Result<Answer> {
        let account = self.account_of_credential(&request.id)?;
        self.admit(request, self.options.verify_limit)?;
        let kind = self.credential(&request.id)?.kind.type_name();
        match request.json()? {
            VerifyRequest::EmailOtp {
                encrypted_otp_bundle,
            } if kind == "EMAIL_OTP" => {
                self.verify_otp(request, &account, Channel::Email, &encrypted_otp_bundle)
            }
            VerifyRequest::SmsOtp {
                encrypted_otp_bundle,
            } if kind == "SMS_OTP" => {
                self.verify_otp(request, &account, Channel::Sms, &encrypted_otp_bundle)
            }
            VerifyRequest::Oauth {
                oidc_token,
                client_public_key,
            } if kind == "OAUTH" => self.verify_oauth(request, &oidc_token, &client_public_key),
            VerifyRequest::Passkey { assertion } if kind == "PASSKEY" => {
                self.verify_passkey(request, &assertion)
            }
            VerifyRequest::EmailOtp { .. }
            | VerifyRequest::Oauth { .. }
            | VerifyRequest::Passkey { .. }
            | VerifyRequest::SmsOtp { .. } => Err(unsuitable_type()),
        }
    }

    fn verify_otp(
        &mut self,
        request: &GridRequest,
        account: &Account,
        channel: Channel,
        bundle: &str,
    ) -> Result<Answer> {
        match Leg::of(request)? {
            Leg::First => {
                let public_key = self.check_otp(&request.id, bundle)?;
                let expires_at = self.now.saturating_add(millis(self.options.challenge_life));
                let token = otp::verification_token(
                    self.enclaves,
                    account,
                    (channel, &self.credential(&request.id)?.nickname),
                    &public_key,
                    expires_at,
                );
                let signer = Signer::OtpKey { public_key };
                Ok(self.ask_for_signature(request, token, signer, Some(channel.type_name())))
            }
            Leg::Second(retry) => {
                let signed = self.check_retry(request, &retry)?;
                self.issue_session(200, &request.id, signed.by, Delivery::ClientHeld)
            }
        }
    }

    /// Checks a code; the right one is used up.
    fn check_otp(&mut self, credential_id: &str, bundle: &str) -> Result<PublicKey> {
        let now = self.now;
        let CredentialKind::Otp { issued, .. } = &mut self.credential_mut(credential_id)?.kind
        else {
            return Err(unsuitable_type());
        };
        let otp = issued.as_ref().ok_or_else(|| {
            GridError::unauthorized(Reason::OtpNotIssued, "there is no code, or it was used")
        })?;
        let public_key = otp::check_attempt(otp, bundle, now)?;
        *issued = None;
        Ok(public_key)
    }

    fn verify_oauth(
        &mut self,
        request: &GridRequest,
        oidc_token: &str,
        client_public_key: &str,
    ) -> Result<Answer> {
        let client_public_key = ClientPublicKey::parse(client_public_key)?;
        let token = IdToken::check(
            oidc_token,
            &self.options.oidc_issuers,
            self.provider,
            self.now,
        )?;
        token.check_nonce(&client_public_key.text)?;
        match &self.credential(&request.id)?.kind {
            CredentialKind::OAuth { identity } if *identity == token.identity => {}
            CredentialKind::OAuth { .. } => {
                return Err(GridError::unauthorized(
                    Reason::OidcIdentityMismatch,
                    "oidcToken is about somebody else",
                ));
            }
            CredentialKind::Otp { .. } | CredentialKind::Passkey { .. } => {
                return Err(unsuitable_type());
            }
        }
        let ClientPublicKey { key, delivery, .. } = client_public_key;
        self.issue_session(200, &request.id, key, delivery)
    }

    fn verify_passkey(&mut self, request: &GridRequest, assertion: &Assertion) -> Result<Answer> {
        let request_id = request.request_id().ok_or_else(request_id_missing)?;
        let (challenge, client_public_key) =
            self.state
                .passkey_challenges
                .take(&request_id, &request.id, self.now)?;
        let options = self.options;
        let CredentialKind::Passkey { key } = &mut self.credential_mut(&request.id)?.kind else {
            return Err(unsuitable_type());
        };
        check_assertion(key, assertion, &challenge, options)?;
        let ClientPublicKey { key, delivery, .. } = client_public_key;
        self.issue_session(200, &request.id, key, delivery)
    }

    fn admit(&mut self, request: &GridRequest, limit: RateLimit) -> Result<()> {
        self.state
            .rate_limits
            .admit(request.operation, &request.id, limit, self.now)
    }

    fn account_of_credential(&self, id: &str) -> Result<Account> {
        self.account(&self.credential(id)?.account_id)
    }

    pub(crate) fn credential(&self, id: &str) -> Result<&Credential> {
        self.state.credential(id).ok_or_else(credential_not_found)
    }

    fn credential_mut(&mut self, id: &str) -> Result<&mut Credential> {
        self.state
            .credential_mut(id)
            .ok_or_else(credential_not_found)
    }
}

fn credential_not_found() -> GridError {
    GridError::not_found(Reason::CredentialNotFound, "no such credential")
}
