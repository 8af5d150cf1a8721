//! Layer 3: what a signed-in customer can do.

use std::rc::Rc;

use js_sys::{Date, Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::{
    args::{Argument, read},
    call::{Call, MAX_ID_CHARS, or_rejected},
    cancellation::Canceller,
    keys::read_intent,
    object::{Builder, from_json},
    passkey::{MAX_NAME_CHARS, read_registration},
    sign_in::{MAX_TOKEN_CHARS, OtpSignIn},
    state::date,
    value::called,
};
use crate::{
    api::request::Route,
    crypto::json::Json,
    error::{Error, ErrorCode, Result},
    flow::{
        enrolment::{self, EnrolmentOptions},
        session::{self, SessionInfo},
        signed::{Purpose, stated},
        wallet::{Customer, ExecuteOptions},
    },
};

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
    /// Keep this session while you hold what it resolves to: it does not keep the key.
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

#[wasm_bindgen]
impl WalletSession {
    /// Adds an account at an identity provider. `idToken` may be 60 seconds old and carries no
    /// nonce; `clientId` is yours at the provider.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `oauth_rejected`,
    /// `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = addOAuth, unchecked_return_type = "Promise<AuthMethod>")]
    pub fn add_oauth(
        &self,
        #[wasm_bindgen(unchecked_param_type = "{ idToken: string; clientId?: string } & Call")]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (token, client_id, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                (
                    options.text("idToken", MAX_TOKEN_CHARS),
                    options.optional_text("clientId", MAX_NAME_CHARS),
                    Call::read(options),
                )
            })?;
            Ok(call.promise(|options| async move {
                let method = session
                    .add_oauth(&token, client_id.as_deref(), &options)
                    .await?;
                Ok(from_json(&method.to_json()))
            }))
        })())
    }

    /// Adds the customer's e-mail address back. It sends a code: `submit` of what this resolves to
    /// activates the credential and opens a session by it.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `credential_already_exists`,
    /// `intent_refused`, `bundle_untrusted`, `aborted`, `network`, `timeout` and whatever Grid
    /// refuses with
    #[wasm_bindgen(js_name = addEmailOtp, unchecked_return_type = "Promise<OtpSignIn>")]
    pub fn add_email_otp(
        &self,
        #[wasm_bindgen(unchecked_param_type = "{ email: string } & Call")] options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected(read_one("email", options).map(|(email, call)| {
            call.promise(|options| async move {
                let otp = session.add_email_otp(&email, &options).await?;
                Ok(OtpSignIn::new(otp).into())
            })
        }))
    }

    /// As `addEmailOtp`, with the customer's phone number, E.164.
    ///
    /// @throws {GridkeyError} as `addEmailOtp`
    #[wasm_bindgen(js_name = addSmsOtp, unchecked_return_type = "Promise<OtpSignIn>")]
    pub fn add_sms_otp(
        &self,
        #[wasm_bindgen(unchecked_param_type = "{ phoneNumber: string } & Call")] options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected(read_one("phoneNumber", options).map(|(number, call)| {
            call.promise(|options| async move {
                let otp = session.add_sms_otp(&number, &options).await?;
                Ok(OtpSignIn::new(otp).into())
            })
        }))
    }

    /// Removes a credential of this account. This session must be of another one. One that is not
    /// there any more counts as removed.
    ///
    /// Which credential the signature removes cannot be seen: the payload has Turnkey's id of it, and
    /// the relay says of which kind it is.
    /// For e-mail and SMS credentials Grid does not document the payload at all; without an
    /// `intent` that reads it, they are refused.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
    /// `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = revokeAuthMethod, unchecked_return_type = "Promise<void>")]
    pub fn revoke_auth_method(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "{ intent?: IntentOf } & Call")]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (id, purpose, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                (
                    Argument::new(problem, id, "id").as_text(MAX_ID_CHARS),
                    options.optional_function("intent").map(purpose_of),
                    Call::read(options),
                )
            })?;
            Ok(call.promise(|options| async move {
                session.revoke_auth_method(&id, purpose, &options).await?;
                Ok(JsValue::UNDEFINED)
            }))
        })())
    }

    /// Changes the customer's e-mail address, and the credential tied to it.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `credential_already_exists`,
    /// `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = updateEmail, unchecked_return_type = "Promise<void>")]
    pub fn update_email(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ customerId: string; email: string; customerType?: \"INDIVIDUAL\" | \"BUSINESS\" } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected(read_two("email", options).map(|(customer, email, call)| {
            call.promise(|options| async move {
                session.update_email(customer, &email, &options).await?;
                Ok(JsValue::UNDEFINED)
            })
        }))
    }

    /// Changes the customer's phone number, E.164, and the credential tied to it.
    ///
    /// @throws {GridkeyError} as `updateEmail`
    #[wasm_bindgen(js_name = updatePhoneNumber, unchecked_return_type = "Promise<void>")]
    pub fn update_phone_number(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ customerId: string; phoneNumber: string; customerType?: \"INDIVIDUAL\" | \"BUSINESS\" } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected(
            read_two("phoneNumber", options).map(|(customer, number, call)| {
                call.promise(|options| async move {
                    session
                        .update_phone_number(customer, &number, &options)
                        .await?;
                    Ok(JsValue::UNDEFINED)
                })
            }),
        )
    }

    /// Switches the wallet's privacy. What is signed is a hash, which may as well be a payment's:
    /// `allowBlindSigning` says that the relay and Grid are trusted with that.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
    /// `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = updatePrivacy, unchecked_return_type = "Promise<InternalAccount>")]
    pub fn update_privacy(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ privateEnabled: boolean; allowBlindSigning: true } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (enabled, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                options.demand_true("allowBlindSigning");
                (options.boolean("privateEnabled"), Call::read(options))
            })?;
            Ok(call.promise(|options| async move {
                let account = session.update_privacy(enabled, &options).await?;
                Ok(from_json(&account))
            }))
        })())
    }

    /// The wallet's mnemonic, UTF-8: words with single spaces between. Whoever has it has the
    /// wallet, for ever. The bytes are yours to wipe.
    ///
    /// A first export needs the account's organization, here or in the client's `organizations`.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`,
    /// `bundle_untrusted`, `bundle_malformed`, `decrypt_failed`, `aborted`, `network`, `timeout`
    /// and whatever Grid refuses with
    #[wasm_bindgen(js_name = exportMnemonic, unchecked_return_type = "Promise<Uint8Array>")]
    pub fn export_mnemonic(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "{ organizationId?: string } & Call")]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (organization_id, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                (
                    options.optional_text("organizationId", MAX_ID_CHARS),
                    Call::read(options),
                )
            })?;
            Ok(call.promise(|options| async move {
                let mnemonic = session.export_mnemonic(organization_id, &options).await?;
                Ok(Uint8Array::from(mnemonic.as_slice()).into())
            }))
        })())
    }

    /// Pays: executes a quote, as `createQuote` or `getQuoteById` gave it. The payload shows neither
    /// amount nor payee: `allowBlindSigning` says that the relay and Grid are trusted with that.
    ///
    /// Where strong customer authentication is asked for, the quote that comes back is
    /// `PENDING_AUTHORIZATION`: see `api.authorizeQuote`. After a failure with the reason
    /// `outcome_unknown` look with `api.getQuoteById`.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `challenge_expired`,
    /// `intent_refused`, `conflict`, `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = executeQuote, unchecked_return_type = "Promise<Quote>")]
    pub fn execute_quote(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Quote")] quote: &JsValue,
        #[wasm_bindgen(
            unchecked_param_type = "{ allowBlindSigning: true; idempotencyKey?: string; scaFactor?: \"SMS_OTP\" | \"PASSKEY\"; signWith?: string } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (quote, execute, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                options.demand_true("allowBlindSigning");
                let factor = options.optional_choice("scaFactor", &["SMS_OTP", "PASSKEY"]);
                let execute = ExecuteOptions {
                    idempotency_key: options.optional_text("idempotencyKey", MAX_ID_CHARS),
                    sca_factor: factor.map(str::to_owned),
                    sign_with: options.optional_text("signWith", MAX_ID_CHARS),
                };
                let quote = Argument::new(problem, quote, "quote").as_json();
                (quote.unwrap_or(Json::Null), execute, Call::read(options))
            })?;
            Ok(call.promise(|options| async move {
                let quote = session.execute_quote(&quote, execute, &options).await?;
                Ok(from_json(&quote))
            }))
        })())
    }

    /// Lets Grid sign a card's payments from this account, without limit, until the key is revoked.
    /// Grid does not document what is signed for it: `intent` is called with each of the two
    /// payloads, reads it, and says what it must be. If the second one is refused, a `PENDING` key stays,
    /// which signs nothing.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `conflict`,
    /// `aborted`, `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = createDelegatedKey, unchecked_return_type = "Promise<DelegatedKey>")]
    pub fn create_delegated_key(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ cardId: string; nickname: string; intent: IntentOf } & Call"
        )]
        options: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (card_id, nickname, purpose, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                (
                    options.text("cardId", MAX_ID_CHARS),
                    options.text("nickname", MAX_NAME_CHARS),
                    options.optional_function("intent").map(purpose_of),
                    Call::read(options),
                )
            })?;
            let purpose = purpose
                .ok_or_else(|| Error::invalid_argument("`options.intent` must be a function."))?;
            Ok(call.promise(|options| async move {
                let key = session
                    .create_delegated_key(&card_id, &nickname, purpose, &options)
                    .await?;
                Ok(from_json(&key))
            }))
        })())
    }

    /// Stamps a payload that came by your own routes, if it asks for nothing but `intent` and is of
    /// this account's organization, and resolves to the value of `Grid-Wallet-Signature`.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`,
    /// `challenge_expired`, `clock_wrong`
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn stamp(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] payload_to_sign: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Intent")] intent: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let payload = read(|problem| {
                Argument::new(problem, payload_to_sign, "payloadToSign").as_text(MAX_PAYLOAD)
            })?;
            let stated = read_intent(intent)?;
            Ok(Call::default()
                .promise(|_| async move { Ok(session.stamp(&payload, stated).await?.into()) }))
        })())
    }

    /// A signed request that this package does not know: what Grid adds next. Resolves to the
    /// answer's body. `path` is below the relay's address, percent-encoded; the relay must know it.
    /// `intent` is what is signed, or a function that reads the payload and says so.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
    /// `network`, `timeout` and whatever Grid refuses with
    #[wasm_bindgen(js_name = signedRequest, unchecked_return_type = "Promise<unknown>")]
    pub fn signed_request(
        &self,
        #[wasm_bindgen(
            unchecked_param_type = "{ method: string; path: string; body?: unknown; intent: Intent | IntentOf } & Call"
        )]
        request: &JsValue,
    ) -> Promise {
        let session = self.session.clone();
        or_rejected((|| {
            let (method, path, body, intent, call) = read(|problem| {
                let request = Argument::new(problem, request, "request");
                let body = request.get("body");
                (
                    request.choice("method", Route::METHODS),
                    request.text("path", MAX_PATH_CHARS),
                    request.member("body", &body).as_json(),
                    request.get("intent"),
                    Call::read(request),
                )
            })?;
            let route = Route::new(method, path)?;
            let purpose = match intent.dyn_into::<Function>() {
                Ok(function) => purpose_of(function),
                Err(intent) => stated(read_intent(&intent)?),
            };
            Ok(call.promise(|options| async move {
                let answer = session
                    .signed_request(route, body, purpose, &options)
                    .await?;
                Ok(from_json(&answer))
            }))
        })())
    }
}

const MAX_PATH_CHARS: u32 = 2048;
/// Beyond what any intent allows, so that the check says what is wrong.
const MAX_PAYLOAD: u32 = 1024 * 1024;

/// A text and a `Call`.
fn read_one(name: &'static str, options: &JsValue) -> Result<(String, Call)> {
    read(|problem| {
        let options = Argument::new(problem, options, "options");
        (options.text(name, MAX_NAME_CHARS), Call::read(options))
    })
}

/// A customer, a text and a `Call`.
fn read_two(name: &'static str, options: &JsValue) -> Result<(Customer, String, Call)> {
    read(|problem| {
        let options = Argument::new(problem, options, "options");
        let kind = options.optional_choice("customerType", &["INDIVIDUAL", "BUSINESS"]);
        (
            Customer {
                id: options.text("customerId", MAX_ID_CHARS),
                is_business: kind == Some("BUSINESS"),
            },
            options.text(name, MAX_NAME_CHARS),
            Call::read(options),
        )
    })
}

/// What a function of the app's makes of each payload.
fn purpose_of(intent_of: Function) -> Purpose {
    Rc::new(move |challenge| {
        let intent_of = intent_of.clone();
        let payload = JsValue::from(challenge.payload_to_sign.as_str());
        Box::pin(async move {
            let intent = called(&intent_of, &payload).await.map_err(|_| {
                Error::new(
                    ErrorCode::IntentRefused,
                    "the app's `intent` function refused the payload: it threw; nothing was signed",
                )
                .with_reason("application")
            })?;
            read_intent(&intent)
        })
    })
}

impl WalletSession {
    pub(super) fn new(session: session::WalletSession) -> Self {
        Self { session }
    }

    /// One copy for all getters.
    fn known(&self, pick: fn(SessionInfo) -> JsValue) -> JsValue {
        pick(SessionInfo::clone(&self.session.info()))
    }
}

/// What a passkey needs, fetched ahead of the tap and kept fresh.
#[wasm_bindgen]
pub struct PasskeyEnrolment {
    enrolment: Rc<enrolment::PasskeyEnrolment>,
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
    fn new(enrolment: enrolment::PasskeyEnrolment) -> Self {
        Self {
            enrolment: Rc::new(enrolment),
            confirming: Canceller::default(),
        }
    }
}
