//! Signing in with a one-time code that came by e-mail or SMS.
//!
//! The code is sealed to the enclave, together with the public key of a session key made here;
//! neither the relay nor Grid sees it. The enclave answers with a token that carries this public
//! key; the token is verified and stamped with the session key.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String};
use core::{cell::RefCell, future::ready};

use super::{
    client::{Core, Credential},
    session::WalletSession,
    signed::{SignedRequest, known},
    signer::Signer,
    steps::{Work, begun, then},
};
use crate::{
    api::{
        client::CallOptions,
        operation::Operation,
        request::Request,
        signed_retry::DoneAtOnce,
        types::{AuthMethod, AuthMethodType, AuthSession},
        validate::{self, IdKind},
    },
    error::{Error, ErrorCode, Result},
    formats::{
        intent::Intent,
        otp::OtpCode,
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
    /// `EMAIL_OTP` or `SMS_OTP`.
    pub kind: AuthMethodType,
    /// The address or number that the code went to.
    pub sent_to: String,
    /// What the code is sealed to.
    pub otp_encryption_target_bundle: String,
}

/// A code is under way.
pub struct OtpSignIn {
    core: Rc<Core>,
    state: Rc<RefCell<OtpState>>,
}

const MAX_ADDRESS_BYTES: usize = 320;
const MAX_BUNDLE_BYTES: usize = 64 * 1024;

impl OtpSignIn {
    pub(super) fn send(
        core: &Rc<Core>,
        credential: Credential,
        options: &CallOptions,
    ) -> Work<Self> {
        begun(|| {
            credential.check()?;
            let state = challenge(core, &credential.auth_method_id, options);
            let core = core.clone();
            Ok(then(state, move |state| {
                credential.check_account(&state.account_id)?;
                Ok(Self {
                    core,
                    state: Rc::new(RefCell::new(state)),
                })
            }))
        })
    }

    /// Of a credential that was just created: with the code that this has sent, or a new one.
    pub(super) fn of_new(core: &Rc<Core>, method: AuthMethod, options: &CallOptions) -> Work<Self> {
        if method.otp_encryption_target_bundle.is_none() {
            let credential = Credential::of(&method.id, Some(&method.account_id));
            return Self::send(core, credential, options);
        }
        let core = core.clone();
        Box::pin(ready(state_of(&core, method).map(|state| Self {
            core,
            state: Rc::new(RefCell::new(state)),
        })))
    }

    pub(super) fn resume(core: Rc<Core>, state: OtpState) -> Result<Self> {
        validate::id("authMethodId", IdKind::AuthMethod, &state.auth_method_id)?;
        validate::id("accountId", IdKind::InternalAccount, &state.account_id)?;
        if !state.kind.is_one_time_code() {
            return Err(Error::invalid_argument(
                "`state.type` must be EMAIL_OTP or SMS_OTP",
            ));
        }
        validate::text("sentTo", MAX_ADDRESS_BYTES, &state.sent_to)?;
        let bundle = &state.otp_encryption_target_bundle;
        validate::text("otpEncryptionTargetBundle", MAX_BUNDLE_BYTES, bundle)?;
        otp_encryption_target(bundle, &core.enclave.otp)?;
        Ok(Self {
            core,
            state: Rc::new(RefCell::new(state)),
        })
    }

    /// What to keep over a reload of the page.
    pub fn state(&self) -> OtpState {
        self.state.borrow().clone()
    }

    /// Sends another code; the one before is no longer good.
    pub fn resend(&self, options: &CallOptions) -> Work<()> {
        let before = self.state();
        let state = challenge(&self.core, &before.auth_method_id, options);
        let current = self.state.clone();
        then(state, move |state| {
            if (&state.account_id, &state.sent_to) != (&before.account_id, &before.sent_to) {
                return Err(Error::relay_protocol(
                    "the next code went to another address, or is for another account, than the \
                     one before",
                ));
            }
            current.replace(state);
            Ok(())
        })
    }

    /// Signs in with the code. May be called again after a wrong one: each attempt has a key of
    /// its own.
    pub fn submit(&self, code: &OtpCode, options: &CallOptions) -> Work<WalletSession> {
        begun(|| self.begin_submit(code, options))
    }

    fn begin_submit(&self, code: &OtpCode, options: &CallOptions) -> Result<Work<WalletSession>> {
        let core = self.core.clone();
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
        let kind = state.kind;
        let request = Request::on(Operation::VerifyAuthCredential, &state.auth_method_id)
            .with_texts(&[
                ("type", kind.as_str()),
                ("encryptedOtpBundle", &encrypted_otp_bundle),
            ]);
        let intent = Intent::VerifyOtp {
            public_key: key.public_key().clone(),
            contact: Some(state.sent_to.clone()),
            verification_type: Some(match kind {
                AuthMethodType::SmsOtp => "OTP_TYPE_SMS".to_owned(),
                _ => "OTP_TYPE_EMAIL".to_owned(),
            }),
            quorum_key: core.enclave.otp.clone(),
        };
        let key = Rc::new(Signer::Held(key));
        let of_attempt = key.clone();
        let signed = SignedRequest {
            core: core.clone(),
            account_id: state.account_id.clone(),
            key: Rc::new(move || Ok(of_attempt.clone())),
            purpose: known(intent, None),
            done_at_once: DoneAtOnce::Refused,
        };
        Ok(then(signed.send(request, options), move |accepted| {
            let session = AuthSession::read(&accepted.body);
            if session.account_id != state.account_id || session.kind != state.kind {
                return Err(Error::relay_protocol(
                    "the session is of another account or credential than the code was sent for",
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
            let id = state.auth_method_id;
            let session = WalletSession::start(core, session, Some(id), key)?;
            accepted.remember();
            Ok(session)
        }))
    }
}

fn challenge(core: &Rc<Core>, auth_method_id: &str, options: &CallOptions) -> Work<OtpState> {
    let request = Request::on(Operation::ChallengeAuthCredential, auth_method_id);
    let answer = core.call(request, options);
    let (core, auth_method_id) = (core.clone(), auth_method_id.to_owned());
    then(answer, move |answer| {
        let method = AuthMethod::read(&answer.body);
        if method.id != auth_method_id {
            return Err(Error::relay_protocol(
                "the answer to challengeAuthCredential is of another credential",
            ));
        }
        state_of(&core, method)
    })
}

fn state_of(core: &Core, method: AuthMethod) -> Result<OtpState> {
    if !method.kind.is_one_time_code() {
        return Err(Error::invalid_argument(
            "`authMethodId` is of a credential that is no EMAIL_OTP and no SMS_OTP",
        ));
    }
    if method.nickname.is_empty() {
        return Err(Error::relay_protocol(
            "the answer does not say where the code went",
        ));
    }
    let bundle = method
        .otp_encryption_target_bundle
        .ok_or_else(|| Error::relay_protocol("the answer has no `otpEncryptionTargetBundle`"))?;
    // A bundle of an enclave that is not trusted is told before people look for their code.
    otp_encryption_target(&bundle, &core.enclave.otp)?;
    Ok(OtpState {
        auth_method_id: method.id,
        account_id: method.account_id,
        kind: method.kind,
        sent_to: method.nickname,
        otp_encryption_target_bundle: bundle,
    })
}
