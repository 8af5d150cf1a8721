//! Request bodies, checked before anything is sent.

use super::{types::AuthMethodType, validate};
use crate::{
    crypto::{base64url, json::Json},
    error::{Error, Result},
    formats::{
        nickname::passkey_nickname,
        passkey::{PasskeyAssertion, PasskeyAttestation},
    },
};

/// An OIDC token is a few kilobytes at most.
const MAX_OIDC_TOKEN_BYTES: usize = 8 * 1024;
/// `{"encappedPublic": 130, "ciphertext"}` of a code and a public key.
const MAX_OTP_BUNDLE_BYTES: usize = 4 * 1024;
/// An attestation with a certificate chain has a few kilobytes.
const MAX_WEBAUTHN_CHARS: usize = 64 * 1024;

/// The body of `createAuthCredential`.
#[derive(Clone)]
pub enum CreateAuthCredential {
    /// Adds the customer's e-mail address back.
    EmailOtp {
        /// `InternalAccount:<uuid>`
        account_id: String,
    },
    /// Adds an identity at an OpenID Connect provider.
    Oauth {
        /// `InternalAccount:<uuid>`
        account_id: String,
        /// The provider's ID token, at most 60 seconds old.
        oidc_token: String,
    },
    /// Adds a passkey.
    Passkey {
        /// `InternalAccount:<uuid>`
        account_id: String,
        /// 1 to 100 letters, digits, spaces and `. _ - ' ( )`.
        nickname: String,
        /// The platform's challenge, base64url.
        challenge: String,
        /// What `navigator.credentials.create()` gave.
        attestation: PasskeyAttestation,
    },
}

impl CreateAuthCredential {
    /// The kind of credential.
    pub fn kind(&self) -> AuthMethodType {
        match self {
            Self::EmailOtp { .. } => AuthMethodType::EmailOtp,
            Self::Oauth { .. } => AuthMethodType::Oauth,
            Self::Passkey { .. } => AuthMethodType::Passkey,
        }
    }

    /// The JSON body.
    pub fn to_body(&self) -> Result<String> {
        let kind = ("type", Json::from(self.kind().as_str()));
        let account = |id: &str| {
            validate::id("accountId", validate::IdKind::InternalAccount, id)?;
            Ok::<_, Error>(("accountId", Json::from(id)))
        };
        let json = match self {
            Self::EmailOtp { account_id } => Json::object([kind, account(account_id)?]),
            Self::Oauth {
                account_id,
                oidc_token,
            } => Json::object([
                kind,
                account(account_id)?,
                ("oidcToken", jwt("oidcToken", oidc_token)?),
            ]),
            Self::Passkey {
                account_id,
                nickname,
                challenge,
                attestation,
            } => {
                let transports = attestation
                    .transports
                    .iter()
                    .map(|name| Json::from(name.as_str()))
                    .collect();
                Json::object([
                    kind,
                    account(account_id)?,
                    ("nickname", Json::from(passkey_nickname(nickname)?)),
                    ("challenge", base64url_text("challenge", challenge)?),
                    (
                        "attestation",
                        Json::object([
                            (
                                "credentialId",
                                base64url_text("credentialId", &attestation.credential_id)?,
                            ),
                            (
                                "clientDataJson",
                                base64url_text("clientDataJson", &attestation.client_data_json)?,
                            ),
                            (
                                "attestationObject",
                                base64url_text(
                                    "attestationObject",
                                    &attestation.attestation_object,
                                )?,
                            ),
                            ("transports", Json::Array(transports)),
                        ]),
                    ),
                ])
            }
        };
        Ok(json.to_text())
    }
}

/// The body of `verifyAuthCredential`.
#[derive(Clone)]
pub enum VerifyAuthCredential {
    /// The code that came by e-mail, sealed.
    EmailOtp {
        /// `{"encappedPublic","ciphertext"}`, as a text.
        encrypted_otp_bundle: String,
    },
    /// An identity provider's token.
    Oauth {
        /// The ID token, at most 60 seconds old, its nonce bound to the key.
        oidc_token: String,
        /// SEC1 in hexadecimal: 66 characters client-held, 130 sealed.
        client_public_key: String,
    },
    /// A passkey's answer; needs the challenge's `Request-Id`.
    Passkey {
        /// What `navigator.credentials.get()` gave.
        assertion: PasskeyAssertion,
    },
}

impl VerifyAuthCredential {
    /// The kind of credential.
    pub fn kind(&self) -> AuthMethodType {
        match self {
            Self::EmailOtp { .. } => AuthMethodType::EmailOtp,
            Self::Oauth { .. } => AuthMethodType::Oauth,
            Self::Passkey { .. } => AuthMethodType::Passkey,
        }
    }

    /// The JSON body.
    pub fn to_body(&self) -> Result<String> {
        let kind = ("type", Json::from(self.kind().as_str()));
        let json = match self {
            Self::EmailOtp {
                encrypted_otp_bundle,
            } => {
                validate::text(
                    "encryptedOtpBundle",
                    MAX_OTP_BUNDLE_BYTES,
                    encrypted_otp_bundle,
                )?;
                Json::object([
                    kind,
                    (
                        "encryptedOtpBundle",
                        Json::from(encrypted_otp_bundle.as_str()),
                    ),
                ])
            }
            Self::Oauth {
                oidc_token,
                client_public_key,
            } => {
                validate::client_public_key(client_public_key)?;
                Json::object([
                    kind,
                    ("oidcToken", jwt("oidcToken", oidc_token)?),
                    ("clientPublicKey", Json::from(client_public_key.as_str())),
                ])
            }
            Self::Passkey { assertion } => {
                let mut members = vec![
                    ("credentialId", assertion.credential_id.as_str()),
                    ("clientDataJson", assertion.client_data_json.as_str()),
                    ("authenticatorData", assertion.authenticator_data.as_str()),
                    ("signature", assertion.signature.as_str()),
                ];
                if let Some(user_handle) = &assertion.user_handle {
                    members.push(("userHandle", user_handle));
                }
                let members = members
                    .into_iter()
                    .map(|(name, text)| Ok((name.to_owned(), base64url_text(name, text)?)))
                    .collect::<Result<_>>()?;
                Json::object([kind, ("assertion", Json::Object(members))])
            }
        };
        Ok(json.to_text())
    }
}

fn base64url_text(name: &str, text: &str) -> Result<Json> {
    validate::text(name, MAX_WEBAUTHN_CHARS, text)?;
    base64url::decode(text, MAX_WEBAUTHN_CHARS)
        .map_err(|_| Error::invalid_argument(format!("`{name}` must be unpadded base64url")))?;
    Ok(Json::from(text))
}

fn jwt(name: &str, text: &str) -> Result<Json> {
    validate::text(name, MAX_OIDC_TOKEN_BYTES, text)?;
    let mut segments = 0_u32;
    let well_formed = text.split('.').all(|segment| {
        segments = segments.saturating_add(1);
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    if !well_formed || segments != 3 {
        return Err(Error::invalid_argument(format!(
            "`{name}` must be a JSON Web Token: three base64url texts with dots between"
        )));
    }
    Ok(Json::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passkey(nickname: &str, challenge: &str) -> CreateAuthCredential {
        CreateAuthCredential::Passkey {
            account_id: "InternalAccount:1".to_owned(),
            nickname: nickname.to_owned(),
            challenge: challenge.to_owned(),
            attestation: PasskeyAttestation {
                credential_id: "AdKX".to_owned(),
                client_data_json: "eyJj".to_owned(),
                attestation_object: "o2Nm".to_owned(),
                transports: vec!["internal".to_owned()],
            },
        }
    }

    #[test]
    fn the_passkey_body_has_the_documents_shape() {
        assert_eq!(
            passkey("  iPhone Face-ID ", "ArkQ").to_body().unwrap(),
            concat!(
                r#"{"type":"PASSKEY","accountId":"InternalAccount:1","nickname":"iPhone Face-ID","#,
                r#""challenge":"ArkQ","attestation":{"credentialId":"AdKX","#,
                r#""clientDataJson":"eyJj","attestationObject":"o2Nm","#,
                r#""transports":["internal"]}}"#
            )
        );
    }

    #[test]
    fn what_is_not_base64url_is_refused() {
        // The seeds' own example has 45 characters, which is no base64url length.
        let example = "ArkQi2yAYHPlgnJNFBlneIwchQdWXBOTrdB-AmMUB21Lx";
        for challenge in [example, "", "AA==", "A+/A", "é"] {
            assert!(passkey("x", challenge).to_body().is_err(), "{challenge}");
        }
    }

    #[test]
    fn tokens_are_jwts() {
        let body = |token: &str| {
            VerifyAuthCredential::Oauth {
                oidc_token: token.to_owned(),
                client_public_key:
                    "02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31".to_owned(),
            }
            .to_body()
        };
        assert!(body("a.b.c").is_ok());
        for token in ["", "a.b", "a..c", "a.b.c.d", "a.b.c\n", &"a".repeat(9000)] {
            assert!(body(token).is_err(), "{token:?}");
        }
    }
}
