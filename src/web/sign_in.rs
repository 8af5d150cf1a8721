//! Layer 3: signing in.

use std::rc::Rc;

use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, read},
    call::{Call, or_rejected},
    cancellation::Canceller,
    object::Builder,
    session::WalletSession,
    state::date,
};
use crate::flow::{oauth, otp, passkey};

/// A passkey's challenge, fetched ahead of the tap and kept fresh.
#[wasm_bindgen]
pub struct PasskeySignIn {
    sign_in: Rc<passkey::PasskeySignIn>,
    confirming: Canceller,
}

#[wasm_bindgen]
impl PasskeySignIn {
    /// The credential.
    #[wasm_bindgen(getter, js_name = authMethodId)]
    pub fn auth_method_id(&self) -> String {
        self.sign_in.auth_method_id().to_owned()
    }

    /// When the challenge that is ready runs out. It is renewed before that.
    #[wasm_bindgen(getter, js_name = expiresAt)]
    pub fn expires_at(&self) -> Date {
        date(self.sign_in.expires_at_ms())
    }

    /// Asks for the passkey and signs in. Call it inside the tap that asked for it; after a
    /// failure it can be called again.
    ///
    /// @throws {GridkeyError} `passkey_not_used`, `passkey_unsupported`, `passkey_rejected`,
    /// `challenge_expired`, `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(unchecked_return_type = "Promise<WalletSession>")]
    pub fn confirm(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "SignInOptions")] options: &JsValue,
    ) -> Promise {
        let sign_in = self.sign_in.clone();
        let call = Call::cancellable(options, "options", &self.confirming);
        or_rejected(call.map(|call| {
            call.promise(|options| async move {
                let session = sign_in.confirm(&options).await?;
                Ok(WalletSession::new(session).into())
            })
        }))
    }

    /// Ends a `confirm()` that is under way, which then fails with `aborted`.
    pub fn cancel(&self) {
        self.confirming.cancel();
    }
}

impl PasskeySignIn {
    pub(super) fn new(sign_in: passkey::PasskeySignIn) -> Self {
        Self {
            sign_in: Rc::new(sign_in),
            confirming: Canceller::default(),
        }
    }
}

/// A one-time code that is under way by e-mail or SMS.
#[wasm_bindgen]
pub struct OtpSignIn {
    sign_in: Rc<otp::OtpSignIn>,
}

#[wasm_bindgen]
impl OtpSignIn {
    /// The credential.
    #[wasm_bindgen(getter, js_name = authMethodId)]
    pub fn auth_method_id(&self) -> String {
        self.sign_in.state().auth_method_id
    }

    /// The address or number that the code went to.
    #[wasm_bindgen(getter, js_name = sentTo)]
    pub fn sent_to(&self) -> String {
        self.sign_in.state().sent_to
    }

    /// What to keep over a reload of the page, for `Gridkey.resumeOtp`. Nothing in it is secret.
    /// Read it again after `resend()`.
    #[wasm_bindgen(getter, unchecked_return_type = "OtpState")]
    pub fn state(&self) -> JsValue {
        let state = self.sign_in.state();
        Builder::new()
            .text("authMethodId", &state.auth_method_id)
            .text("accountId", &state.account_id)
            .text("type", state.kind.as_str())
            .text("sentTo", &state.sent_to)
            .text(
                "otpEncryptionTargetBundle",
                &state.otp_encryption_target_bundle,
            )
            .frozen()
    }

    /// Signs in with the code. After a wrong one it can be called again.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `otp_rejected`, `otp_expired`,
    /// `bundle_untrusted`, `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid
    /// refuses with
    #[wasm_bindgen(unchecked_return_type = "Promise<WalletSession>")]
    pub fn submit(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] code: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "SignInOptions")] options: &JsValue,
    ) -> Promise {
        let sign_in = self.sign_in.clone();
        or_rejected((|| {
            let (code, call) = read(|problem| {
                (
                    Argument::new(problem, code, "code").as_otp_code(),
                    Call::read(Argument::new(problem, options, "options")),
                )
            })?;
            let code = code?;
            Ok(call.promise(|options| async move {
                let session = sign_in.submit(&code, &options).await?;
                Ok(WalletSession::new(session).into())
            }))
        })())
    }

    /// Sends another code. The one before is no longer good.
    ///
    /// @throws {GridkeyError} `rate_limited`, `aborted`, `network`, `timeout` and whatever Grid
    /// refuses with
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn resend(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Call")] call: &JsValue,
    ) -> Promise {
        let sign_in = self.sign_in.clone();
        or_rejected(Call::from_js(call, "call").map(|call| {
            call.promise(|options| async move {
                sign_in.resend(&options).await?;
                Ok(JsValue::UNDEFINED)
            })
        }))
    }
}

impl OtpSignIn {
    pub(super) fn new(sign_in: otp::OtpSignIn) -> Self {
        Self {
            sign_in: Rc::new(sign_in),
        }
    }
}

/// A sign-in with an identity provider: its token is bound to a key made here.
#[wasm_bindgen]
pub struct OAuthSignIn {
    sign_in: Rc<oauth::OAuthSignIn>,
}

#[wasm_bindgen]
impl OAuthSignIn {
    /// The credential.
    #[wasm_bindgen(getter, js_name = authMethodId)]
    pub fn auth_method_id(&self) -> String {
        self.sign_in.auth_method_id().to_owned()
    }

    /// The public key that the session will be for: SEC1, hexadecimal, as it will be sent.
    #[wasm_bindgen(getter, js_name = clientPublicKey)]
    pub fn client_public_key(&self) -> String {
        self.sign_in.client_public_key().to_owned()
    }

    /// What the provider is to put into its token as `nonce`: 64 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn nonce(&self) -> String {
        self.sign_in.nonce().to_owned()
    }

    /// What to keep over a redirect, for `Gridkey.resumeOAuth`. Nothing in it is secret. Only of a
    /// sign-in that was prepared with `redirect: true`.
    #[wasm_bindgen(getter, unchecked_return_type = "OAuthState | undefined")]
    pub fn state(&self) -> JsValue {
        let Some(state) = self.sign_in.state() else {
            return JsValue::UNDEFINED;
        };
        Builder::new()
            .text("authMethodId", &state.credential.auth_method_id)
            .optional_text("accountId", state.credential.account_id.as_deref())
            .text("clientPublicKey", &state.client_public_key)
            .optional_text("clientId", state.client_id.as_deref())
            .frozen()
    }

    /// Signs in with the provider's ID token, which may be 60 seconds old. One that cannot be
    /// accepted is refused before it is sent. After a failure it can be called again.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `oauth_rejected`, `clock_wrong`, `aborted`,
    /// `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(unchecked_return_type = "Promise<WalletSession>")]
    pub fn submit(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] id_token: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "SignInOptions")] options: &JsValue,
    ) -> Promise {
        let sign_in = self.sign_in.clone();
        or_rejected((|| {
            let (token, call) = read(|problem| {
                (
                    Argument::new(problem, id_token, "idToken").as_text(MAX_TOKEN_CHARS),
                    Call::read(Argument::new(problem, options, "options")),
                )
            })?;
            Ok(call.promise(|options| async move {
                let session = sign_in.submit(&token, &options).await?;
                Ok(WalletSession::new(session).into())
            }))
        })())
    }
}

/// Of an ID token, with room: what is longer than 8 KiB is refused by its format.
pub(super) const MAX_TOKEN_CHARS: u32 = 16 * 1024;

impl OAuthSignIn {
    pub(super) fn new(sign_in: oauth::OAuthSignIn) -> Self {
        Self {
            sign_in: Rc::new(sign_in),
        }
    }
}
