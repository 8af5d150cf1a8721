//! A software authenticator (1Password's passkey crates) behind the client's port.

use std::cell::{Cell, RefCell};

use base64ct::{Base64UrlUnpadded, Encoding};
use gridkey::{
    error::{Error, ErrorCode, Result},
    formats::passkey::{
        PasskeyAssertion, PasskeyAssertionRequest, PasskeyAttestation, PasskeyCreationRequest,
    },
    ports::{Authenticator, LocalFuture},
};
use passkey::{
    authenticator::{self, MemoryStore, UiHint, UserCheck, UserValidationMethod},
    client::{Client, DefaultClientData, WebauthnError},
    crypto::{iana, rust_crypto::RustCryptoBackend},
    types::{Passkey, ctap2::Ctap2Error, webauthn::*},
};
use tokio::sync::Mutex;
use url::Url;

type Device =
    Client<MemoryStore, AlwaysPresent, RustCryptoBackend, public_suffix::PublicSuffixList, ()>;

pub struct SoftwareAuthenticator {
    origin: Url,
    device: Mutex<Device>,
    /// What the person does with the next prompts.
    cancels: Cell<bool>,
    prompts: RefCell<Vec<&'static str>>,
}

struct AlwaysPresent;

#[async_trait::async_trait]
impl UserValidationMethod for AlwaysPresent {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Self::PasskeyItem>,
        presence: bool,
        verification: bool,
    ) -> std::result::Result<UserCheck, Ctap2Error> {
        if matches!(hint, UiHint::InformExcludedCredentialFound(_)) {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck {
            presence,
            verification,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

impl SoftwareAuthenticator {
    pub fn new(origin: &str) -> Self {
        let device = authenticator::Authenticator::new(
            passkey::types::ctap2::Aaguid::new_empty(),
            MemoryStore::new(),
            AlwaysPresent,
            RustCryptoBackend,
        );
        Self {
            origin: Url::parse(origin).unwrap(),
            device: Mutex::new(Client::new(device).allows_insecure_localhost(true)),
            cancels: Cell::new(false),
            prompts: RefCell::default(),
        }
    }

    /// Whether the person closes the prompts.
    pub fn set_cancels(&self, cancels: bool) {
        self.cancels.set(cancels);
    }

    fn prompt(&self, ceremony: &'static str) -> Result<()> {
        self.prompts.borrow_mut().push(ceremony);
        if self.cancels.get() {
            return Err(Error::new(
                ErrorCode::PasskeyNotUsed,
                "the prompt was closed",
            ));
        }
        Ok(())
    }
}

fn failed(error: WebauthnError) -> Error {
    match error {
        // CTAP2_ERR_CREDENTIAL_EXCLUDED
        WebauthnError::AuthenticatorError(0x19) => {
            Error::new(ErrorCode::PasskeyAlreadyRegistered, "the device has one")
        }
        _ => Error::new(ErrorCode::PasskeyNotUsed, "no passkey fitted"),
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

impl Authenticator for SoftwareAuthenticator {
    fn create(
        &self,
        request: PasskeyCreationRequest,
    ) -> LocalFuture<'_, Result<PasskeyAttestation>> {
        Box::pin(async move {
            self.prompt("create")?;
            let options = CredentialCreationOptions {
                public_key: PublicKeyCredentialCreationOptions {
                    rp: PublicKeyCredentialRpEntity {
                        id: request.rp_id,
                        name: request.rp_name,
                    },
                    user: PublicKeyCredentialUserEntity {
                        id: request.user_id.into(),
                        name: request.user_name,
                        display_name: request.user_display_name,
                    },
                    challenge: request.challenge.into(),
                    pub_key_cred_params: vec![PublicKeyCredentialParameters {
                        ty: PublicKeyCredentialType::PublicKey,
                        alg: iana::Algorithm::ES256,
                    }],
                    timeout: None,
                    exclude_credentials: Some(
                        request
                            .exclude_credentials
                            .into_iter()
                            .map(|id| PublicKeyCredentialDescriptor {
                                ty: PublicKeyCredentialType::PublicKey,
                                id: id.into(),
                                transports: None,
                            })
                            .collect(),
                    ),
                    authenticator_selection: None,
                    hints: None,
                    attestation: AttestationConveyancePreference::None,
                    attestation_formats: None,
                    extensions: None,
                },
            };
            let mut device = self.device.lock().await;
            let created = device
                .register(&self.origin, options, DefaultClientData)
                .await
                .map_err(failed)?;
            Ok(PasskeyAttestation {
                credential_id: encode(&created.raw_id),
                client_data_json: encode(&created.response.client_data_json),
                attestation_object: encode(&created.response.attestation_object),
                transports: vec!["internal".to_owned()],
            })
        })
    }

    fn get(&self, request: PasskeyAssertionRequest) -> LocalFuture<'_, Result<PasskeyAssertion>> {
        Box::pin(async move {
            self.prompt("get")?;
            let options = CredentialRequestOptions {
                public_key: PublicKeyCredentialRequestOptions {
                    challenge: request.challenge.into(),
                    timeout: None,
                    rp_id: request.rp_id,
                    allow_credentials: Some(vec![PublicKeyCredentialDescriptor {
                        ty: PublicKeyCredentialType::PublicKey,
                        id: request.credential_id.into(),
                        transports: None,
                    }]),
                    user_verification: UserVerificationRequirement::Preferred,
                    hints: None,
                    attestation: AttestationConveyancePreference::None,
                    attestation_formats: None,
                    extensions: None,
                },
            };
            let mut device = self.device.lock().await;
            let used = device
                .authenticate(&self.origin, options, DefaultClientData)
                .await
                .map_err(failed)?;
            Ok(PasskeyAssertion {
                credential_id: encode(&used.raw_id),
                client_data_json: encode(&used.response.client_data_json),
                authenticator_data: encode(&used.response.authenticator_data),
                signature: encode(&used.response.signature),
                user_handle: used.response.user_handle.map(|bytes| encode(&bytes)),
            })
        })
    }
}
