//! Layer 3: what a signed-in customer can do.

use alloc::{boxed::Box, rc::Rc};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::{
    arguments::{self, Arguments},
    bridge::{Object, Outcome, later, methods, now},
    cancellation::Canceller,
    data::Data,
    keys::read_intent,
    passkey::registration,
    state::session_data,
    value::called,
};
use crate::{
    api::{request::Route, types::AuthMethod},
    crypto::json::Json,
    error::{Error, ErrorCode, Result},
    flow::{
        self,
        enrolment::EnrolmentOptions,
        otp::OtpSignIn,
        session::WalletSession,
        signed::{Purpose, stated},
        wallet::{Customer, ExecuteOptions},
    },
};

methods! { WalletSession,
    "preparePasskeyRegistration": |it, arguments| {
        let enrolment = EnrolmentOptions {
            nickname: arguments.text(),
            user_name: arguments.optional_text(),
            user_display_name: arguments.optional_text(),
        };
        let enrolment = it.prepare_passkey_registration(enrolment, arguments.call().clone());
        later(enrolment, |enrolment| {
            let enrolment = PasskeyEnrolment {
                enrolment,
                confirming: Canceller::default(),
            };
            Outcome::Object(Object::PasskeyEnrolment(Rc::new(enrolment)))
        })
    },
    "addPasskey": |it, arguments| {
        let registration = registration(arguments);
        later(it.add_passkey(registration, arguments.call()), AuthMethod::into)
    },
    "addOAuth": |it, arguments| {
        let token = arguments.text();
        let client_id = arguments.optional_text();
        let added = it.add_oauth(&token, client_id.as_deref(), arguments.call());
        later(added, AuthMethod::into)
    },
    "addEmailOtp": |it, arguments| {
        let email = arguments.text();
        later(it.add_email_otp(&email, arguments.call()), OtpSignIn::into)
    },
    "addSmsOtp": |it, arguments| {
        let number = arguments.text();
        later(it.add_sms_otp(&number, arguments.call()), OtpSignIn::into)
    },
    "revokeAuthMethod": |it, arguments| {
        let id = arguments.text();
        let purpose = arguments.function().map(purpose_of);
        later(it.revoke_auth_method(&id, purpose, arguments.call()), <()>::into)
    },
    "updateEmail": |it, arguments| {
        let customer = customer(arguments);
        let email = arguments.text();
        later(it.update_email(customer, &email, arguments.call()), <()>::into)
    },
    "updatePhoneNumber": |it, arguments| {
        let customer = customer(arguments);
        let number = arguments.text();
        later(it.update_phone_number(customer, &number, arguments.call()), <()>::into)
    },
    "updatePrivacy": |it, arguments| {
        let enabled = arguments.flag();
        later(it.update_privacy(enabled, arguments.call()), Json::into)
    },
    "exportMnemonic": |it, arguments| {
        let organization_id = arguments.optional_text();
        let mnemonic = it.export_mnemonic(organization_id, arguments.call());
        later(mnemonic, |mnemonic| Outcome::Bytes(mnemonic.as_slice().into()))
    },
    "executeQuote": |it, arguments| {
        let quote = arguments.json().unwrap_or(Json::Null);
        let execute = ExecuteOptions {
            sca_factor: arguments.optional_text(),
            idempotency_key: arguments.optional_text(),
            sign_with: arguments.optional_text(),
        };
        later(it.execute_quote(&quote, execute, arguments.call()), Json::into)
    },
    "createDelegatedKey": |it, arguments| {
        let card_id = arguments.text();
        let nickname = arguments.text();
        let purpose = purpose(arguments)?;
        let key = it.create_delegated_key(&card_id, &nickname, purpose, arguments.call());
        later(key, Json::into)
    },
    "stamp": |it, arguments| {
        let payload = arguments.text();
        let stated = read_intent(arguments.json())?;
        later(it.stamp(&payload, stated), |stamp| Outcome::Data(stamp.into()))
    },
    "signedRequest": |it, arguments| {
        let method = arguments.choice(Route::METHODS).unwrap_or_default();
        let route = Route::new(method, arguments.text())?;
        let body = arguments.json();
        let purpose = purpose(arguments)?;
        later(it.signed_request(route, body, purpose, arguments.call()), Json::into)
    },
    "refresh": |it, arguments| {
        let revoke_old = arguments.flag();
        later(it.refresh(revoke_old, arguments.call()), <()>::into)
    },
    "signOut": |it, arguments| {
        let revoked = it.sign_out(arguments.call());
        later(Box::pin(async move { Ok(revoked.await) }), |revoked: bool| {
            Outcome::Data(Data::default().set("revokedAtGrid", revoked.into()).json())
        })
    },
    "revokeSession": |it, arguments| {
        let id = arguments.text();
        later(it.revoke_session(&id, arguments.call()), <()>::into)
    },
    "isActive": |it, _| now(Outcome::Data(it.is_active().into())),
    "known": |it, _| {
        let info = it.info();
        let data = session_data(&info)
            .optional_text("authMethodId", info.auth_method_id.as_deref())
            .json();
        now(Outcome::Data(data))
    },
}

fn customer(arguments: &mut Arguments) -> Customer {
    let kind = arguments.optional_text();
    Customer {
        is_business: kind.as_deref() == Some("BUSINESS"),
        id: arguments.text(),
    }
}

/// What a function of the app's makes of each payload, or what is stated beforehand.
fn purpose(arguments: &mut Arguments) -> Result<Purpose> {
    let intent = arguments.value();
    if intent.is_function() {
        return Ok(purpose_of(intent.unchecked_into()));
    }
    let intent = intent.as_string();
    let intent = intent.and_then(|intent| arguments::json(&intent));
    Ok(stated(read_intent(intent)?))
}

/// What a function of the app's makes of each payload. `pkg/bridge.js` stands before it: it gives
/// JSON, why that is none, or nothing where the function threw.
fn purpose_of(intent_of: Function) -> Purpose {
    Rc::new(move |challenge| {
        let intent_of = intent_of.clone();
        let payload = JsValue::from(challenge.payload_to_sign.as_str());
        Box::pin(async move {
            let intent = called(&intent_of, &payload).await.as_string();
            let intent = intent.ok_or_else(|| {
                Error::new(
                    ErrorCode::IntentRefused,
                    "the app's `intent` function refused the payload: it threw; nothing was signed",
                )
                .with_reason("application")
            })?;
            match arguments::json(&intent) {
                Some(json) => read_intent(Some(json)),
                None => Err(Error::invalid_argument(intent)),
            }
        })
    })
}

/// What a passkey needs, and what ends a `confirm()`.
pub(super) struct PasskeyEnrolment {
    enrolment: flow::enrolment::PasskeyEnrolment,
    confirming: Canceller,
}

pub(super) mod enrolment {
    use super::*;

    methods! { Rc<PasskeyEnrolment>,
        "confirm": |it, arguments| {
            let options = arguments.cancellable_call(&it.confirming);
            later(it.enrolment.confirm(options), AuthMethod::into)
        },
        "cancel": |it, _| {
            it.confirming.cancel();
            now(Outcome::Nothing)
        },
        "known": |it, _| now(Outcome::Data(
            Data::default().time("expiresAt", it.enrolment.expires_at_ms()).json(),
        )),
    }
}
