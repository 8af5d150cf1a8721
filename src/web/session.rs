//! Layer 3: what a signed-in customer can do.

use std::rc::Rc;

use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, read},
    call::{Call, MAX_ID_CHARS, or_rejected},
    cancellation::Canceller,
    object::{Builder, from_json},
    passkey::{MAX_NAME_CHARS, read_registration},
    state::date,
};
use crate::flow::session::{self, EnrolmentOptions, SessionInfo};

/// A session and its key. The key is wiped when the session ends, or when this object is freed and
/// nothing is under way.
#[wasm_bindgen]
pub struct WalletSession {
    session: session::WalletSession,
}

#[wasm_bindgen]
impl WalletSession {
    /// The session's id at Grid. Another one after `refresh()`.
    #[wasm_bindgen(getter, unchecked_return_type = "string")]
    pub fn id(&self) -> JsValue {
        self.known(|info| info.id.into())
    }

    /// The credential that it was opened with, where that is known.
    #[wasm_bindgen(
        getter,
        js_name = authMethodId,
        unchecked_return_type = "string | undefined"
    )]
    pub fn auth_method_id(&self) -> JsValue {
        self.known(|info| info.auth_method_id.into())
    }

    /// The customer's account.
    #[wasm_bindgen(getter, js_name = accountId, unchecked_return_type = "string")]
    pub fn account_id(&self) -> JsValue {
        self.known(|info| info.account_id.into())
    }

    /// The kind of the credential that it was opened with.
    #[wasm_bindgen(getter, js_name = type, unchecked_return_type = "AuthMethodType")]
    pub fn kind(&self) -> JsValue {
        self.known(|info| info.kind.as_str().into())
    }

    /// That credential's name: an e-mail address, or what the customer calls the passkey.
    #[wasm_bindgen(getter, unchecked_return_type = "string")]
    pub fn nickname(&self) -> JsValue {
        self.known(|info| info.nickname.into())
    }

    /// When it was opened, or refreshed.
    #[wasm_bindgen(getter, js_name = createdAt, unchecked_return_type = "Date")]
    pub fn created_at(&self) -> JsValue {
        self.known(|info| date(info.created_at_ms).into())
    }

    /// When it ends at Grid. In its last 30 seconds it is not used.
    #[wasm_bindgen(getter, js_name = expiresAt, unchecked_return_type = "Date")]
    pub fn expires_at(&self) -> JsValue {
        self.known(|info| date(info.expires_at_ms).into())
    }

    /// Whether it can sign.
    #[wasm_bindgen(getter, js_name = isActive)]
    pub fn is_active(&self) -> bool {
        self.session.is_active()
    }

    /// The key that stamps: SEC1 compressed, 66 hexadecimal digits. Another one after `refresh()`.
    #[wasm_bindgen(getter, js_name = publicKey, unchecked_return_type = "string")]
    pub fn public_key(&self) -> JsValue {
        self.known(|info| info.public_key.into())
    }

    /// Fetches the relay's registration options, ahead of the tap that confirms.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `aborted`, `network`,
    /// `timeout` and whatever the relay refuses with
    #[wasm_bindgen(
        js_name = preparePasskeyRegistration,
        unchecked_return_type = "Promise<PasskeyEnrolment>"
    )]
    pub fn prepare_passkey_registration(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ nickname: string; userName?: string; userDisplayName?: string } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (enrolment, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                let enrolment = EnrolmentOptions {
                    nickname: options.text("nickname", MAX_NAME_CHARS),
                    user_name: options.optional_text("userName", MAX_NAME_CHARS),
                    user_display_name: options.optional_text("userDisplayName", MAX_NAME_CHARS),
                };
                (enrolment, Call::read(options))
            })?;
            Ok(call.promise(|options| async move {
                let enrolment = session
                    .prepare_passkey_registration(enrolment, options)
                    .await?;
                Ok(PasskeyEnrolment::new(enrolment).into())
            }))
        })())
    }

    /// Makes a passkey on this device and adds it to the account. Call it inside the tap that asked
    /// for it.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `passkey_not_used`,
    /// `passkey_already_registered`, `passkey_unsupported`, `passkey_rejected`,
    /// `credential_already_exists`, `intent_refused`, `aborted`, `network`, `timeout` and whatever
    /// Grid refuses with
    #[wasm_bindgen(js_name = addPasskey, unchecked_return_type = "Promise<AuthMethod>")]
    pub fn add_passkey(
        &self,
        #[wasm_bindgen(unchecked_param_type = "PasskeyRegistration")] registration: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Call")] call: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (registration, call) = read(|problem| {
                (
                    read_registration(Argument::new(problem, registration, "registration")),
                    Call::read(Argument::new(problem, call, "call")),
                )
            })?;
            Ok(call.promise(|options| async move {
                let method = session.add_passkey(registration, &options).await?;
                Ok(from_json(&method.to_json()))
            }))
        })())
    }

    /// Replaces the session by a new one with a new key, in this same object. Until the new one is
    /// there the old one stays as it is, whatever fails. At Grid the old one lives on until it
    /// expires, unless `revokeOld` is true.
    ///
    /// @throws {GridkeyError} `session_expired`, `intent_refused`, `decrypt_failed`,
    /// `relay_protocol`, `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn refresh(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "{ revokeOld?: boolean } & Call")]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (revoke_old, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                (options.optional_boolean("revokeOld"), Call::read(options))
            })?;
            Ok(call.promise(|options| async move {
                session.refresh(revoke_old, &options).await?;
                Ok(JsValue::UNDEFINED)
            }))
        })())
    }

    /// Ends the session: the key here at once, then the session at Grid. Where Grid cannot be told,
    /// `revokedAtGrid` is false and the session ends there by itself.
    ///
    /// @throws {GridkeyError} `invalid_argument`
    #[wasm_bindgen(
        js_name = signOut,
        unchecked_return_type = "Promise<{ revokedAtGrid: boolean }>"
    )]
    pub fn sign_out(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Call")] call: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected(Call::from_js(call, "call").map(|call| {
            call.promise(|options| async move {
                let revoked = session.sign_out(&options).await;
                let answer = Builder::new();
                answer.set("revokedAtGrid", &revoked.into());
                Ok(answer.build())
            })
        }))
    }

    /// Ends a session of this account at Grid: another device's, say. One that is not there any
    /// more counts as ended.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
    /// `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = revokeSession, unchecked_return_type = "Promise<void>")]
    pub fn revoke_session(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Call")] call: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (id, call) = read(|problem| {
                (
                    Argument::new(problem, id, "id").as_text(MAX_ID_CHARS),
                    Call::read(Argument::new(problem, call, "call")),
                )
            })?;
            Ok(call.promise(|options| async move {
                session.revoke_session(&id, &options).await?;
                Ok(JsValue::UNDEFINED)
            }))
        })())
    }
}

impl WalletSession {
    pub(super) fn new(session: session::WalletSession) -> Self {
        Self { session }
    }

    /// One copy for all getters.
    fn known(&self, pick: fn(SessionInfo) -> JsValue) -> JsValue {
        pick(self.session.info())
    }
}

/// What a passkey needs, fetched ahead of the tap and kept fresh.
#[wasm_bindgen]
pub struct PasskeyEnrolment {
    enrolment: Rc<session::PasskeyEnrolment>,
    confirming: Canceller,
}

#[wasm_bindgen]
impl PasskeyEnrolment {
    /// When the options that are ready run out. They are renewed before that.
    #[wasm_bindgen(getter, js_name = expiresAt)]
    pub fn expires_at(&self) -> Date {
        date(self.enrolment.expires_at_ms())
    }

    /// Asks the device for a passkey and adds it to the account. Call it inside the tap that asked
    /// for it; after a failure it can be called again.
    ///
    /// @throws {GridkeyError} as `WalletSession.addPasskey`
    #[wasm_bindgen(unchecked_return_type = "Promise<AuthMethod>")]
    pub fn confirm(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Call")] call: &JsValue,
    ) -> Promise {
        let enrolment = self.enrolment.clone();
        let call = Call::cancellable(call, "call", &self.confirming);
        or_rejected(call.map(|call| {
            call.promise(|options| async move {
                let method = enrolment.confirm(&options).await?;
                Ok(from_json(&method.to_json()))
            })
        }))
    }

    /// Ends a `confirm()` that is under way, which then fails with `aborted`.
    pub fn cancel(&self) {
        self.confirming.cancel();
    }
}

impl PasskeyEnrolment {
    fn new(enrolment: session::PasskeyEnrolment) -> Self {
        Self {
            enrolment: Rc::new(enrolment),
            confirming: Canceller::default(),
        }
    }
}
