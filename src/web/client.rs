//! Layer 3: the client.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::{convert::TryFromJsValue as _, prelude::*};

use super::{
    args::Argument,
    authenticator::BrowserAuthenticator,
    call::{Call, MAX_ID_CHARS, or_rejected},
    clock::BrowserClock,
    error::to_object,
    keys::{MAX_KEY_CHARS, SessionKey},
    passkey::{MAX_NAME_CHARS, MAX_RP_ID_CHARS},
    session::WalletSession,
    sign_in::{OtpSignIn, PasskeySignIn},
    state::{frozen, state_object},
    transport::{FetchTransport, FunctionTransport},
    value,
};
use crate::{
    api::{
        client::Observer,
        event::RequestEvent,
        failure::Leg,
        types::{AuthMethod, AuthSession},
    },
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        json::Json,
        key::PublicKey,
        random::SystemRandom,
    },
    error::{Error, Result},
    flow::{
        client::{Gridkey, Options, Ports},
        key_delivery::KeyDelivery,
        otp::OtpState,
    },
    ports::Transport,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/client.d.ts");

const DEFAULT_TIMEOUT_MS: u64 = 30_000;
const MAX_URL_CHARS: u32 = 2048;
const MAX_BUNDLE_CHARS: u32 = 64 * 1024;

/// What `Gridkey` of the package puts its calls through, once the WebAssembly is there.
#[wasm_bindgen(skip_typescript)]
pub struct GridkeyClient {
    pub(super) client: Gridkey,
}

#[wasm_bindgen]
impl GridkeyClient {
    /// `options` are `GridkeyOptions`; `changed` is called with each new `SessionState`.
    pub fn create(options: &JsValue, changed: Function) -> Result<GridkeyClient> {
        let options = Argument::new(options, "options");
        let client = Gridkey::new(ports(options)?, read_options(options)?);
        let state = client.clone();
        client.subscribe(Rc::new(move || {
            // What listeners throw is theirs.
            let _ = changed.call1(&JsValue::UNDEFINED, &state_object(&state.state()));
        }));
        Ok(Self { client })
    }

    /// `Gridkey.listAuthMethods`
    #[wasm_bindgen(js_name = listAuthMethods)]
    pub fn list_auth_methods(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_id("accountId", options).map(|(account_id, call)| {
            call.promise(|options| async move {
                let methods = client.list_auth_methods(&account_id, &options).await?;
                let methods = methods.iter().map(AuthMethod::to_json).collect();
                Ok(to_object(&Json::Array(methods)))
            })
        }))
    }

    /// `Gridkey.preparePasskey`
    #[wasm_bindgen(js_name = preparePasskey)]
    pub fn prepare_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_id("authMethodId", options).map(|(id, call)| {
            call.promise(|options| async move {
                let sign_in = client.prepare_passkey(&id, options).await?;
                Ok(PasskeySignIn::new(sign_in).into())
            })
        }))
    }

    /// `Gridkey.signInWithPasskey`
    #[wasm_bindgen(js_name = signInWithPasskey)]
    pub fn sign_in_with_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_id("authMethodId", options).map(|(id, call)| {
            call.promise(|options| async move {
                let session = client.sign_in_with_passkey(&id, &options).await?;
                Ok(WalletSession::new(session).into())
            })
        }))
    }

    /// `Gridkey.sendOtp`
    #[wasm_bindgen(js_name = sendOtp)]
    pub fn send_otp(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_id("authMethodId", options).map(|(id, call)| {
            call.promise(|options| async move {
                let sign_in = client.send_otp(&id, &options).await?;
                Ok(OtpSignIn::new(sign_in).into())
            })
        }))
    }

    /// `Gridkey.resumeOtp`
    #[wasm_bindgen(js_name = resumeOtp)]
    pub fn resume_otp(&self, state: &JsValue) -> Result<OtpSignIn> {
        let state = Argument::new(state, "state");
        state.choice("type", &["EMAIL_OTP"])?;
        let text = |name, max| state.text(name, max);
        let state = OtpState {
            auth_method_id: text("authMethodId", MAX_ID_CHARS)?,
            account_id: text("accountId", MAX_ID_CHARS)?,
            sent_to: text("sentTo", MAX_NAME_CHARS)?,
            otp_encryption_target_bundle: text("otpEncryptionTargetBundle", MAX_BUNDLE_CHARS)?,
        };
        self.client.resume_otp(state).map(OtpSignIn::new)
    }

    /// `Gridkey.adoptSession`
    #[wasm_bindgen(js_name = adoptSession)]
    pub fn adopt_session(&self, session: &JsValue, key: JsValue) -> Result<WalletSession> {
        let session = read_session(Argument::new(session, "session"))?;
        // From here on the session has the key, and the caller's object is as if freed.
        let key = SessionKey::try_from_js_value(key)
            .map_err(|_| Error::invalid_argument("`key` must be a SessionKey that is in use."))?;
        let session = self.client.adopt_session(session, key.into_key())?;
        Ok(WalletSession::new(session))
    }
}

fn read_id(name: &'static str, options: &JsValue) -> Result<(String, Call)> {
    let options = Argument::new(options, "options");
    Ok((options.text(name, MAX_ID_CHARS)?, Call::read(options)?))
}

/// `AuthSession`
fn read_session(session: Argument<'_>) -> Result<AuthSession> {
    let names = [
        "id",
        "accountId",
        "type",
        "nickname",
        "createdAt",
        "updatedAt",
        "expiresAt",
    ];
    let mut members = Vec::new();
    for name in names {
        members.push((name.to_owned(), session.text(name, MAX_NAME_CHARS)?.into()));
    }
    if let Some(credential_id) = session.optional_text("credentialId", MAX_BUNDLE_CHARS)? {
        members.push(("credentialId".to_owned(), credential_id.into()));
    }
    AuthSession::from_json(&Json::Object(members))
        .map_err(|_| session.refused("is no session as Grid answers it"))
}

fn ports(options: Argument<'_>) -> Result<Ports> {
    let transport: Rc<dyn Transport> = match options.optional_function("transport")? {
        Some(function) => Rc::new(FunctionTransport { function }),
        None => Rc::new(fetch_transport(options)?),
    };
    Ok(Ports {
        transport,
        authenticator: Rc::new(BrowserAuthenticator),
        clock: Rc::new(BrowserClock),
        random: Rc::new(SystemRandom),
    })
}

fn fetch_transport(options: Argument<'_>) -> Result<FetchTransport> {
    let Some(base_url) = options.optional_text("baseUrl", MAX_URL_CHARS)? else {
        return Err(options.refused("must have a `baseUrl`, your relay's, or a `transport`"));
    };
    if base_url.contains(['?', '#']) {
        return Err(options.refused("must have a `baseUrl` without query and fragment"));
    }
    let is_absolute = base_url.starts_with("https://") || base_url.starts_with("http://");
    if !is_absolute && value::global("location").is_none() {
        return Err(options.refused("must have an absolute `baseUrl` where there is no page"));
    }
    let headers = options.get("headers")?;
    if !(headers.is_undefined() || headers.is_object() || headers.is_function()) {
        return Err(options.refused("must have `headers` that are an object or a function"));
    }
    Ok(FetchTransport {
        base_url: base_url.trim_end_matches('/').to_owned(),
        fetch: options.optional_function("fetch")?,
        headers,
        credentials: options.optional_choice("credentials", &["include", "omit", "same-origin"])?,
    })
}

fn read_options(options: Argument<'_>) -> Result<Options> {
    let passkey = options.get("passkey")?;
    let passkey = options.member("passkey", &passkey);
    let enclave = options.get("enclave")?;
    Ok(Options {
        session_keys: match options.optional_choice("sessionKeys", &["sealed", "client-held"])? {
            Some("client-held") => KeyDelivery::ClientHeld,
            _ => KeyDelivery::Sealed,
        },
        enclave: read_enclave(options.member("enclave", &enclave))?,
        rp_id: passkey.optional_text("rpId", MAX_RP_ID_CHARS)?,
        rp_name: passkey.optional_text("rpName", MAX_NAME_CHARS)?,
        timeout_ms: options
            .optional_milliseconds("timeoutMs")?
            .unwrap_or(DEFAULT_TIMEOUT_MS),
        observer: options.optional_function("onRequest")?.map(observer),
    })
}

fn read_enclave(enclave: Argument<'_>) -> Result<EnclaveKeys> {
    if !enclave.value().is_object() {
        if enclave.is_given() {
            enclave.as_choice(&["production"])?;
        }
        return EnclaveKeys::production();
    }
    let trusted = enclave.get("dangerouslyTrust")?;
    let trusted = enclave.member("dangerouslyTrust", &trusted);
    let export = trusted.text("export", MAX_KEY_CHARS)?;
    Ok(EnclaveKeys {
        otp: PublicKey::from_hex(&trusted.text("otp", MAX_KEY_CHARS)?)?,
        export: match export.as_str() {
            "unsigned-sandbox" => ExportTrust::UnsignedSandbox,
            key => ExportTrust::Key(PublicKey::from_hex(key)?),
        },
    })
}

fn observer(function: Function) -> Observer {
    Rc::new(move |event| {
        // A log that fails must not fail the call.
        let _ = function.call1(&JsValue::UNDEFINED, &event_object(event));
    })
}

/// `RequestEvent`
fn event_object(event: &RequestEvent) -> JsValue {
    let outcome = event.outcome.as_ref();
    let number = |number: u64| Some(Json::from(number));
    let members = [
        (
            "phase",
            Some(Json::from(if outcome.is_some() { "ended" } else { "sent" })),
        ),
        ("id", number(event.id)),
        ("operation", Some(Json::from(event.operation.spec().id))),
        (
            "leg",
            number(match event.leg {
                Leg::First => 1,
                Leg::Second => 2,
            }),
        ),
        ("method", Some(Json::from(event.method))),
        ("path", Some(Json::from(event.path.as_str()))),
        ("signed", Some(Json::from(event.signed))),
        (
            "durationMs",
            outcome.and_then(|outcome| number(outcome.duration_ms)),
        ),
        (
            "status",
            outcome.and_then(|outcome| number(outcome.status?.into())),
        ),
        (
            "code",
            outcome.and_then(|outcome| Some(Json::from(outcome.code?.as_str()))),
        ),
        (
            "retryAfterMs",
            outcome.and_then(|outcome| number(outcome.retry_after_ms?)),
        ),
        ("body", event.body.clone()),
    ];
    let given = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    frozen(to_object(&Json::Object(given.collect())))
}
