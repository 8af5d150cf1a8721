//! Layer 3: the client. Layer 2: Grid's operations, one leg each.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::{
    arguments::Arguments,
    authenticator::BrowserAuthenticator,
    bridge::{Object, Outcome, later, methods, now, object},
    cancellation::Canceller,
    clock::BrowserClock,
    data::Data,
    key_store::BrowserKeyStore,
    notes::BrowserNotes,
    sign_in::PasskeySignIn,
    state::state_json,
    transport::{FetchTransport, FunctionTransport},
};
use crate::{
    api::{
        client::{Answer, Observer, cancellable},
        event::RequestEvent,
        failure::Leg,
        operation::Operation,
        request::{Request, SignedHeaders},
        signed_retry::{check_not_aborted, outcome_unknown},
        types::{AuthMethod, AuthMethodType, AuthSession},
    },
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        json::Json,
        key::PublicKey,
        random::SystemRandom,
    },
    error::{Error, ErrorCode, Result},
    flow::{
        client::{Credential, Gridkey, Options, Ports},
        key_delivery::KeyDelivery,
        oauth::{OAuthOptions, OAuthSignIn, OAuthState},
        otp::{OtpSignIn, OtpState},
        session::WalletSession,
        steps::Work,
    },
    ports::Transport,
};

const DEFAULT_TIMEOUT_MS: u64 = 30_000;

methods! { Gridkey,
    "operation": |it, arguments| {
        let name = arguments.text();
        let operation = Operation::ALL.iter().find(|known| known.spec().id == name);
        let operation = *operation.ok_or_else(|| Error::invalid_argument("No such operation."))?;
        let mut request = Request::new(operation);
        request.id = arguments.optional_text();
        let data = arguments.json();
        match operation.spec().query.is_empty() {
            true => request.body = data,
            false => request.query = data,
        }
        request.headers = SignedHeaders {
            stamp: arguments.optional_text(),
            request_id: arguments.optional_text(),
            idempotency_key: arguments.optional_text(),
        };
        let (it, options) = (it.clone(), arguments.call().clone());
        let is_harmless = operation.spec().is_repeatable && request.headers.stamp.is_none();
        let answer: Work<Answer> = Box::pin(async move {
            let is_sent = check_not_aborted(&options).is_ok();
            let answer = it.api().call(request, &options).await;
            answer.map_err(|error| match is_harmless || !is_sent {
                true => error,
                false => outcome_unknown(error),
            })
        });
        later(answer, |answer| Outcome::Data(Json::Object(answer.into_members())))
    },
    "listAuthMethods": |it, arguments| {
        let account_id = arguments.text();
        later(it.list_auth_methods(&account_id, arguments.call()), |methods| {
            let methods = methods.iter().map(AuthMethod::to_json).collect();
            Outcome::Data(Json::Array(methods))
        })
    },
    "preparePasskey": |it, arguments| {
        let credential = credential(arguments);
        later(it.prepare_passkey(credential, arguments.call().clone()), |sign_in| {
            let sign_in = PasskeySignIn {
                sign_in,
                confirming: Canceller::default(),
            };
            Outcome::Object(Object::PasskeySignIn(Rc::new(sign_in)))
        })
    },
    "signInWithPasskey": |it, arguments| {
        let credential = credential(arguments);
        let session = it.sign_in_with_passkey(credential, arguments.call());
        later(session, WalletSession::into)
    },
    "sendOtp": |it, arguments| {
        let credential = credential(arguments);
        later(it.send_otp(credential, arguments.call()), OtpSignIn::into)
    },
    "prepareOAuth": |it, arguments| {
        let options = OAuthOptions {
            credential: credential(arguments),
            client_id: arguments.optional_text(),
            redirect: arguments.flag(),
        };
        let sign_in = cancellable(arguments.call(), || it.prepare_oauth(options));
        later(Box::pin(sign_in), OAuthSignIn::into)
    },
    "resumeOAuth": |it, arguments| {
        let state = OAuthState {
            credential: credential(arguments),
            client_public_key: arguments.text(),
            client_id: arguments.optional_text(),
        };
        later(it.resume_oauth(state), OAuthSignIn::into)
    },
    "resumeOtp": |it, arguments| {
        let state = OtpState {
            kind: AuthMethodType::parse(&arguments.text()).unwrap_or(AuthMethodType::EmailOtp),
            auth_method_id: arguments.text(),
            account_id: arguments.text(),
            sent_to: arguments.text(),
            otp_encryption_target_bundle: arguments.text(),
        };
        object(Object::OtpSignIn(Rc::new(it.resume_otp(state)?)))
    },
    "forgetOrganization": |it, arguments| {
        it.forget_organization(&arguments.text())?;
        now(Outcome::Nothing)
    },
    "adoptSession": |it, arguments| {
        let session = auth_session(arguments)?;
        let key = arguments.object()?;
        let session = it.adopt_session(session, || match key {
            Object::SessionKey(key) => key.take(),
            _ => Err(Error::invalid_argument("`key` must be a SessionKey.")),
        })?;
        object(Object::WalletSession(session))
    },
}

/// `createGridkey`: its options, and what is called with each new `SessionState`.
pub(super) fn create(arguments: &mut Arguments) -> Result<Gridkey> {
    let client = Gridkey::new(ports(arguments), options(arguments)?);
    if let Some(changed) = arguments.function() {
        client.subscribe(Rc::new(move |state| {
            // What listeners throw is theirs.
            let _ = changed.call1(&JsValue::UNDEFINED, &state_json(state).to_text().into());
        }));
    }
    Ok(client)
}

/// `authMethodId` and, perhaps, `accountId`.
fn credential(arguments: &mut Arguments) -> Credential {
    Credential {
        auth_method_id: arguments.text(),
        account_id: arguments.optional_text(),
    }
}

/// `AuthSession`
fn auth_session(arguments: &mut Arguments) -> Result<AuthSession> {
    let names = [
        "id",
        "accountId",
        "type",
        "nickname",
        "createdAt",
        "updatedAt",
        "expiresAt",
        "credentialId",
    ];
    let mut members = Data::default();
    for name in names {
        members.optional_text(name, arguments.optional_text().as_deref());
    }
    AuthSession::from_json(&members.json())
        .map_err(|_| Error::invalid_argument("`session` is no session as Grid answers it."))
}

fn ports(arguments: &mut Arguments) -> Ports {
    let function = arguments.function();
    let fetch = FetchTransport {
        base_url: arguments.text(),
        headers: arguments.value(),
        fetch: arguments.function(),
        credentials: arguments.choice(&["include", "omit", "same-origin"]),
    };
    let transport: Rc<dyn Transport> = match function {
        Some(function) => Rc::new(FunctionTransport { function }),
        None => Rc::new(fetch),
    };
    Ports {
        transport,
        authenticator: Rc::new(BrowserAuthenticator),
        clock: Rc::new(BrowserClock),
        random: Rc::new(SystemRandom),
        key_store: Rc::new(BrowserKeyStore),
        notes: Rc::new(BrowserNotes::default()),
    }
}

fn options(arguments: &mut Arguments) -> Result<Options> {
    let rp_id = arguments.optional_text();
    let rp_name = arguments.optional_text();
    let mut enclave = EnclaveKeys::production()?;
    if let (Some(otp), Some(export)) = (arguments.optional_text(), arguments.optional_text()) {
        enclave = EnclaveKeys {
            otp: PublicKey::from_hex(&otp)?,
            export: match export.as_str() {
                "unsigned-sandbox" => ExportTrust::UnsignedSandbox,
                key => ExportTrust::Key(PublicKey::from_hex(key)?),
            },
        };
    }
    Ok(Options {
        session_keys: match arguments.optional_text().as_deref() {
            Some("client-held") => KeyDelivery::ClientHeld,
            _ => KeyDelivery::Sealed,
        },
        enclave,
        rp_id,
        rp_name,
        timeout_ms: arguments.number().unwrap_or(DEFAULT_TIMEOUT_MS),
        observer: arguments.function().map(observer),
        organizations: organizations(arguments.json()),
    })
}

/// `organizations`: accounts and their organizations.
fn organizations(known: Option<Json>) -> Vec<(String, String)> {
    let Some(Json::Object(members)) = known else {
        return Vec::new();
    };
    let mut organizations = Vec::new();
    for (account_id, organization_id) in members {
        if let Json::String(organization_id) = organization_id {
            organizations.push((account_id, organization_id));
        }
    }
    organizations
}

fn observer(function: Function) -> Observer {
    Rc::new(move |event| {
        // A log that fails must not fail the call.
        let _ = function.call1(&JsValue::UNDEFINED, &event_json(event).to_text().into());
    })
}

/// `RequestEvent`
fn event_json(event: &RequestEvent) -> Json {
    let outcome = event.outcome.as_ref();
    let leg = match event.leg {
        Leg::First => 1,
        Leg::Second => 2,
    };
    let mut data = Data::default();
    data.text("phase", if outcome.is_some() { "ended" } else { "sent" })
        .number("id", Some(event.id))
        .text("operation", event.operation)
        .number("leg", Some(leg))
        .text("method", event.method)
        .text("path", &event.path)
        .set("signed", event.signed.into());
    if let Some(body) = &event.body {
        data.set("body", body.clone());
    }
    if let Some(outcome) = outcome {
        data.number("durationMs", Some(outcome.duration_ms))
            .number("status", outcome.status.map(u64::from))
            .optional_text("code", outcome.code.map(ErrorCode::as_str))
            .number("retryAfterMs", outcome.retry_after_ms);
    }
    data.json()
}
