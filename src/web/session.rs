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
    api::request::Route,
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
        let options = arguments.call();
        later(async move {
            let enrolment = PasskeyEnrolment {
                enrolment: Rc::new(it.prepare_passkey_registration(enrolment, options).await?),
                confirming: Canceller::default(),
            };
            Ok(Outcome::Object(Object::PasskeyEnrolment(Rc::new(enrolment))))
        })
    },
    "addPasskey": |it, arguments| {
        let registration = registration(arguments);
        let options = arguments.call();
        later(async move { Ok(Outcome::Data(it.add_passkey(registration, &options).await?.to_json())) })
    },
    "addOAuth": |it, arguments| {
        let token = arguments.text();
        let client_id = arguments.optional_text();
        let options = arguments.call();
        later(async move {
            let method = it.add_oauth(&token, client_id.as_deref(), &options).await?;
            Ok(Outcome::Data(method.to_json()))
        })
    },
    "addEmailOtp": |it, arguments| {
        let email = arguments.text();
        let options = arguments.call();
        later(async move { Ok(otp(it.add_email_otp(&email, &options).await?)) })
    },
    "addSmsOtp": |it, arguments| {
        let number = arguments.text();
        let options = arguments.call();
        later(async move { Ok(otp(it.add_sms_otp(&number, &options).await?)) })
    },
    "revokeAuthMethod": |it, arguments| {
        let id = arguments.text();
        let purpose = arguments.function().map(purpose_of);
        let options = arguments.call();
        later(async move {
            it.revoke_auth_method(&id, purpose, &options).await?;
            Ok(Outcome::Nothing)
        })
    },
    "updateEmail": |it, arguments| {
        let customer = customer(arguments);
        let email = arguments.text();
        let options = arguments.call();
        later(async move {
            it.update_email(customer, &email, &options).await?;
            Ok(Outcome::Nothing)
        })
    },
    "updatePhoneNumber": |it, arguments| {
        let customer = customer(arguments);
        let number = arguments.text();
        let options = arguments.call();
        later(async move {
            it.update_phone_number(customer, &number, &options).await?;
            Ok(Outcome::Nothing)
        })
    },
    "updatePrivacy": |it, arguments| {
        let enabled = arguments.flag();
        let options = arguments.call();
        later(async move { Ok(Outcome::Data(it.update_privacy(enabled, &options).await?)) })
    },
    "exportMnemonic": |it, arguments| {
        let organization_id = arguments.optional_text();
        let options = arguments.call();
        later(async move {
            let mnemonic = it.export_mnemonic(organization_id, &options).await?;
            Ok(Outcome::Bytes(mnemonic.as_slice().into()))
        })
    },
    "executeQuote": |it, arguments| {
        let quote = arguments.json().unwrap_or(Json::Null);
        let execute = ExecuteOptions {
            sca_factor: arguments.optional_text(),
            idempotency_key: arguments.optional_text(),
            sign_with: arguments.optional_text(),
        };
        let options = arguments.call();
        later(async move { Ok(Outcome::Data(it.execute_quote(&quote, execute, &options).await?)) })
    },
    "createDelegatedKey": |it, arguments| {
        let card_id = arguments.text();
        let nickname = arguments.text();
        let purpose = purpose(arguments)?;
        let options = arguments.call();
        later(async move {
            let key = it.create_delegated_key(&card_id, &nickname, purpose, &options).await?;
            Ok(Outcome::Data(key))
        })
    },
    "stamp": |it, arguments| {
        let payload = arguments.text();
        let stated = read_intent(arguments.json())?;
        later(async move { Ok(Outcome::Data(it.stamp(&payload, stated).await?.into())) })
    },
    "signedRequest": |it, arguments| {
        let method = arguments.choice(Route::METHODS).unwrap_or_default();
        let route = Route::new(method, arguments.text())?;
        let body = arguments.json();
        let purpose = purpose(arguments)?;
        let options = arguments.call();
        later(async move { Ok(Outcome::Data(it.signed_request(route, body, purpose, &options).await?)) })
    },
    "refresh": |it, arguments| {
        let revoke_old = arguments.flag();
        let options = arguments.call();
        later(async move {
            it.refresh(revoke_old, &options).await?;
            Ok(Outcome::Nothing)
        })
    },
    "signOut": |it, arguments| {
        let options = arguments.call();
        later(async move {
            let revoked = it.sign_out(&options).await;
            Ok(Outcome::Data(Data::default().set("revokedAtGrid", revoked.into()).json()))
        })
    },
    "revokeSession": |it, arguments| {
        let id = arguments.text();
        let options = arguments.call();
        later(async move {
            it.revoke_session(&id, &options).await?;
            Ok(Outcome::Nothing)
        })
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

fn otp(sign_in: OtpSignIn) -> Outcome {
    Outcome::Object(Object::OtpSignIn(Rc::new(sign_in)))
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
    enrolment: Rc<flow::enrolment::PasskeyEnrolment>,
    confirming: Canceller,
}

pub(super) mod enrolment {
    use super::*;

    methods! { Rc<PasskeyEnrolment>,
        "confirm": |it, arguments| {
            let options = arguments.cancellable_call(&it.confirming);
            // The object itself may be freed meanwhile.
            let enrolment = it.enrolment.clone();
            later(async move { Ok(Outcome::Data(enrolment.confirm(&options).await?.to_json())) })
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
