//! Signing in with a one-time code that came by e-mail.
//!
//! The code is sealed to the enclave, together with the public key of a session key made here;
//! neither the relay nor Grid sees it. The enclave answers with a token that carries this public
//! key; the token is verified and stamped with the session key.

use std::{cell::RefCell, rc::Rc};

use super::{client::Core, session::WalletSession};
use crate::{
    api::{
        client::{CallOptions, ChallengeAnswer},
        request::VerifyAuthCredential,
        signed_retry::{DoneAtOnce, signed_retry},
        types::{AuthMethod, AuthMethodType},
        validate::{self, IdKind},
    },
    error::{Error, ErrorCode, Result},
    formats::{
        otp::{ExpectedToken, OtpCode, VerificationToken},
        session_key::{PublicKeyEncoding, SessionKey, otp_encryption_target},
    },
};

/// What to keep over a reload of the page. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq)]
pub struct OtpState {
    /// `AuthMethod:<uuid>`
    pub auth_method_id: String,
    /// `InternalAccount:<uuid>`
    pub account_id: String,
    /// The address that the code went to.
    pub sent_to: String,
    /// What the code is sealed to.
    pub otp_encryption_target_bundle: String,
}

/// A code is under way.
pub struct OtpSignIn {
    core: Rc<Core>,
    state: RefCell<OtpState>,
}

const MAX_ADDRESS_BYTES: usize = 320;
const MAX_BUNDLE_BYTES: usize = 64 * 1024;

impl OtpSignIn {
    pub(super) async fn send(
        core: Rc<Core>,
        auth_method_id: &str,
        options: &CallOptions,
    ) -> Result<Self> {
        let state = challenge(&core, auth_method_id, options).await?;
        Ok(Self {
            core,
            state: RefCell::new(state),
        })
    }

    pub(super) fn resume(core: Rc<Core>, state: OtpState) -> Result<Self> {
        validate::id("authMethodId", IdKind::AuthMethod, &state.auth_method_id)?;
        validate::id("accountId", IdKind::InternalAccount, &state.account_id)?;
        validate::text("sentTo", MAX_ADDRESS_BYTES, &state.sent_to)?;
        let bundle = &state.otp_encryption_target_bundle;
        validate::text("otpEncryptionTargetBundle", MAX_BUNDLE_BYTES, bundle)?;
        otp_encryption_target(bundle, &core.enclave.otp)?;
        Ok(Self {
            core,
            state: RefCell::new(state),
        })
    }

    /// What to keep over a reload of the page.
    pub fn state(&self) -> OtpState {
        self.state.borrow().clone()
    }

    /// Sends another code; the one before is no longer good.
    pub async fn resend(&self, options: &CallOptions) -> Result<()> {
        let before = self.state();
        let state = challenge(&self.core, &before.auth_method_id, options).await?;
        if (&state.account_id, &state.sent_to) != (&before.account_id, &before.sent_to) {
            return Err(Error::new(
                ErrorCode::RelayProtocol,
                "the next code went to another address, or is for another account, than the one \
                 before",
            ));
        }
        self.state.replace(state);
        Ok(())
    }

    /// Signs in with the code. May be called again after a wrong one: each attempt has a key of
    /// its own.
    pub async fn submit(&self, code: &OtpCode, options: &CallOptions) -> Result<WalletSession> {
        let core = &self.core;
        let state = self.state();
        let random = &*core.random;
        let key = SessionKey::generate(random)?;
        let encrypted_otp_bundle = key.seal_otp_code(
            &state.otp_encryption_target_bundle,
            code,
            &core.enclave.otp,
            PublicKeyEncoding::Uncompressed,
            random,
        )?;
        let id = &state.auth_method_id;
        let body = VerifyAuthCredential::EmailOtp {
            encrypted_otp_bundle,
        };
        let session = signed_retry(
            &*core.clock,
            options,
            DoneAtOnce::Refused,
            |headers| core.api.verify_auth_credential(id, &body, headers, options),
            |challenge| {
                VerificationToken::verify(
                    &challenge.payload_to_sign,
                    &ExpectedToken {
                        otp_key: &core.enclave.otp,
                        public_key: key.public_key(),
                        contact: Some(&state.sent_to),
                        verification_type: Some("OTP_TYPE_EMAIL"),
                        now_ms: core.clock.now_ms(),
                    },
                )?;
                key.stamp_unchecked(&challenge.payload_to_sign)
            },
        )
        .await?;
        if session.account_id != state.account_id {
            return Err(Error::new(
                ErrorCode::RelayProtocol,
                "the session is of another account than the code was sent for",
            ));
        }
        if session.encrypted_session_signing_key.is_some() {
            return Err(Error::new(
                ErrorCode::BundleUntrusted,
                "the session came with an `encryptedSessionSigningKey`, which sessions by \
                 one-time code never have; it was not used",
            )
            .with_reason("sealed_key_unasked"));
        }
        WalletSession::start(core.clone(), session, Some(state.auth_method_id), key)
    }
}

async fn challenge(core: &Core, auth_method_id: &str, options: &CallOptions) -> Result<OtpState> {
    let method = match core
        .api
        .challenge_auth_credential(auth_method_id, None, options)
        .await?
    {
        ChallengeAnswer::Otp(method) if method.kind == AuthMethodType::EmailOtp => method,
        ChallengeAnswer::Otp(_) | ChallengeAnswer::Passkey(_) => {
            return Err(Error::invalid_argument(
                "`authMethodId` is of a credential that is no EMAIL_OTP",
            ));
        }
    };
    let AuthMethod {
        id,
        account_id,
        nickname,
        otp_encryption_target_bundle,
        ..
    } = method;
    let bundle = otp_encryption_target_bundle.ok_or_else(|| {
        Error::new(
            ErrorCode::RelayProtocol,
            "the answer to challengeAuthCredential has no `otpEncryptionTargetBundle`",
        )
    })?;
    if id != auth_method_id {
        return Err(Error::new(
            ErrorCode::RelayProtocol,
            "the answer to challengeAuthCredential is of another credential",
        ));
    }
    // A bundle of an enclave that is not trusted is told before people look for their code.
    otp_encryption_target(&bundle, &core.enclave.otp)?;
    Ok(OtpState {
        auth_method_id: id,
        account_id,
        sent_to: nickname,
        otp_encryption_target_bundle: bundle,
    })
}
