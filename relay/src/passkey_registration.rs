//! Registering a passkey: the options for the browser, and the check that a passkey answers to a
//! challenge of ours.

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::access::User;
use crate::challenges::{ChallengeStore, IssuedChallenge};
use crate::config::ConfigError;
use crate::grid::{AuthMethod, Grid};
use crate::refusal::Refusal;

/// The party that passkeys are made for (WebAuthn, section 5.4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RelyingParty {
    /// The pages' domain, or a domain above it: `rp.id`. Passkeys are bound to it for good.
    pub id: String,
    /// The name that the browser's dialogs may show: `rp.name`.
    pub name: String,
}

pub(crate) struct PasskeyRegistration<S> {
    pub(crate) relying_party: RelyingParty,
    pub(crate) user_ids: PasskeyUserIds,
    pub(crate) challenge_lifetime: Duration,
    pub(crate) store: S,
}

impl<S: ChallengeStore> PasskeyRegistration<S> {
    /// Answers `createPasskeyRegistrationOptions`.
    pub(crate) async fn options(
        &self,
        grid: &Grid,
        user: &User,
        account_id: &str,
    ) -> Result<Response, Refusal> {
        let credentials = grid.list_auth_credentials(account_id).await?;

        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| Refusal::internal())?;
        let challenge = Base64UrlUnpadded::encode_string(&random);
        let expires_at = SystemTime::now()
            .checked_add(self.challenge_lifetime)
            .ok_or_else(Refusal::internal)?;
        let issued = IssuedChallenge::new(&user.id, account_id, &challenge, expires_at);
        self.store
            .keep(issued)
            .await
            .map_err(|_| Refusal::unavailable())?;

        let options = RegistrationOptions {
            challenge: &challenge,
            expires_at: rfc3339(expires_at).ok_or_else(Refusal::internal)?,
            rp: RelyingPartyEntity {
                id: &self.relying_party.id,
                name: &self.relying_party.name,
            },
            user: UserEntity {
                id: Base64UrlUnpadded::encode_string(&self.user_ids.user_id(&user.id, account_id)),
                name: &user.name,
                display_name: &user.display_name,
            },
            exclude_credentials: credentials.iter().filter_map(passkey).collect(),
        };
        Ok(Json(options).into_response())
    }

    /// The challenge, if it is one that was issued to this user for this account and still holds.
    pub(crate) async fn find(
        &self,
        user: &User,
        account_id: &str,
        challenge: &str,
    ) -> Result<IssuedChallenge, Refusal> {
        let issued = self
            .store
            .find(&user.id, challenge)
            .await
            .map_err(|_| Refusal::unavailable())?;
        issued
            .filter(|issued| issued.account_id == account_id)
            .filter(|issued| issued.expires_at > SystemTime::now())
            .ok_or_else(unknown_challenge)
    }

    /// Uses the challenge up.
    pub(crate) async fn take(&self, issued: &IssuedChallenge) -> Result<(), Refusal> {
        let taken = self.store.take(&issued.user_id, &issued.challenge).await;
        taken
            .map_err(|_| Refusal::unavailable())?
            .map(|_| ())
            .ok_or_else(unknown_challenge)
    }

    /// Makes a challenge usable again.
    pub(crate) async fn give_back(&self, issued: IssuedChallenge) {
        // Should the store fail, the user begins anew with another challenge.
        if self.store.keep(issued).await.is_err() {
            tracing::warn!("a registration challenge could not be given back");
        }
    }
}

/// Makes `user.id` of passkeys: HMAC-SHA-256 over the user and the account, so that it is opaque
/// (WebAuthn, section 14.6.1), and the same for each passkey of the account.
pub(crate) struct PasskeyUserIds(Hmac<Sha256>);

impl PasskeyUserIds {
    pub(crate) fn new(secret: &[u8]) -> Result<Self, ConfigError> {
        let short = |_| ConfigError::ShortUserIdSecret;
        if secret.len() < 16 {
            return Err(ConfigError::ShortUserIdSecret);
        }
        // The secret may serve other purposes too: the label keeps them apart.
        let mut derivation = Hmac::<Sha256>::new_from_slice(secret).map_err(short)?;
        derivation.update(b"gridkey relay: passkey user.id");
        let key = derivation.finalize().into_bytes();
        Hmac::new_from_slice(&key).map(Self).map_err(short)
    }

    fn user_id(&self, user_id: &str, account_id: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        // A byte that is in neither text's UTF-8 keeps the two apart.
        mac.update(user_id.as_bytes());
        mac.update(&[0xff]);
        mac.update(account_id.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationOptions<'a> {
    challenge: &'a str,
    expires_at: String,
    rp: RelyingPartyEntity<'a>,
    user: UserEntity<'a>,
    exclude_credentials: Vec<CredentialDescriptor<'a>>,
}

#[derive(Serialize)]
struct RelyingPartyEntity<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserEntity<'a> {
    id: String,
    name: &'a str,
    display_name: &'a str,
}

#[derive(Serialize)]
struct CredentialDescriptor<'a> {
    r#type: &'static str,
    id: &'a str,
}

fn passkey(method: &AuthMethod) -> Option<CredentialDescriptor<'_>> {
    let id = method
        .credential_id
        .as_deref()
        .filter(|_| method.r#type == "PASSKEY")?;
    Some(CredentialDescriptor {
        r#type: "public-key",
        id,
    })
}

/// A time as Grid writes it: in UTC, to the second before.
fn rfc3339(time: SystemTime) -> Option<String> {
    let time = OffsetDateTime::from(time).replace_nanosecond(0).ok()?;
    time.format(&Rfc3339).ok()
}

fn unknown_challenge() -> Refusal {
    Refusal::invalid(
        "The passkey's challenge is unknown, expired or used: ask for registration options again.",
    )
}
