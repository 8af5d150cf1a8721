//! Layer 3: the client.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::{convert::TryFromJsValue as _, prelude::*};

use super::{
    args::Argument,
    authenticator::BrowserAuthenticator,
    call::{Call, MAX_ID_CHARS, promise},
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
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, changed: Function) -> Result<GridkeyClient> {
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
        promise(|| {
            let options = Argument::new(options, "options");
            let account_id = options.get("accountId")?.text(MAX_ID_CHARS)?;
            let call = Call::read(&options)?;
            let options = call.options.clone();
            Ok((call, async move {
                let methods = client.list_auth_methods(&account_id, &options).await?;
                let methods = methods.iter().map(AuthMethod::to_json).collect();
                Ok(to_object(&Json::Array(methods)))
            }))
        })
    }

    /// `Gridkey.preparePasskey`
    #[wasm_bindgen(js_name = preparePasskey)]
    pub fn prepare_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let (auth_method_id, call) = read_sign_in(options)?;
            let options = call.options.clone();
            Ok((call, async move {
                let sign_in = client.prepare_passkey(&auth_method_id, options).await?;
                Ok(PasskeySignIn::new(sign_in).into())
            }))
        })
    }

    /// `Gridkey.signInWithPasskey`
    #[wasm_bindgen(js_name = signInWithPasskey)]
    pub fn sign_in_with_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let (auth_method_id, call) = read_sign_in(options)?;
            let options = call.options.clone();
            Ok((call, async move {
                let session = client
                    .sign_in_with_passkey(&auth_method_id, &options)
                    .await?;
                Ok(WalletSession::new(session).into())
            }))
        })
    }

    /// `Gridkey.sendOtp`
    #[wasm_bindgen(js_name = sendOtp)]
    pub fn send_otp(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let (auth_method_id, call) = read_sign_in(options)?;
            let options = call.options.clone();
            Ok((call, async move {
                let sign_in = client.send_otp(&auth_method_id, &options).await?;
                Ok(OtpSignIn::new(sign_in).into())
            }))
        })
    }

    /// `Gridkey.resumeOtp`
    #[wasm_bindgen(js_name = resumeOtp)]
    pub fn resume_otp(&self, state: &JsValue) -> Result<OtpSignIn> {
        let state = Argument::new(state, "state");
        state.get("type")?.choice(&["EMAIL_OTP"])?;
        let text = |name, max| state.get(name)?.text(max);
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
        let session = read_session(&Argument::new(session, "session"))?;
        // From here on the session has the key, and the caller's object is as if freed.
        let key = SessionKey::try_from_js_value(key)
            .map_err(|_| Error::invalid_argument("`key` must be a SessionKey that is in use."))?;
        let session = self.client.adopt_session(session, key.into_key())?;
        Ok(WalletSession::new(session))
    }
}

fn read_sign_in(options: &JsValue) -> Result<(String, Call)> {
    let options = Argument::new(options, "options");
    let auth_method_id = options.get("authMethodId")?.text(MAX_ID_CHARS)?;
    Ok((auth_method_id, Call::read(&options)?))
}

/// `AuthSession`
fn read_session(session: &Argument) -> Result<AuthSession> {
    let mut members = Vec::new();
    for name in [
        "id",
        "accountId",
        "type",
        "nickname",
        "createdAt",
        "updatedAt",
        "expiresAt",
    ] {
        members.push((
            name.to_owned(),
            session.get(name)?.text(MAX_NAME_CHARS)?.into(),
        ));
    }
    if let Some(credential_id) = session.get_text("credentialId", MAX_BUNDLE_CHARS)? {
        members.push(("credentialId".to_owned(), credential_id.into()));
    }
    AuthSession::from_json(&Json::Object(members))
        .map_err(|_| session.refused("is no session as Grid answers it"))
}

fn ports(options: &JsValue) -> Result<Ports> {
    let options = Argument::new(options, "options");
    let transport: Rc<dyn Transport> = match options.get_given("transport")? {
        Some(transport) => Rc::new(FunctionTransport {
            function: transport.function()?,
        }),
        None => Rc::new(fetch_transport(&options)?),
    };
    Ok(Ports {
        transport,
        authenticator: Rc::new(BrowserAuthenticator),
        clock: Rc::new(BrowserClock),
        random: Rc::new(SystemRandom),
    })
}

fn fetch_transport(options: &Argument) -> Result<FetchTransport> {
    let base_url = options.get_given("baseUrl")?.ok_or_else(|| {
        Error::invalid_argument(
            "A client needs `baseUrl`, the address of your relay, or `transport`.",
        )
    })?;
    let url = base_url.text(MAX_URL_CHARS)?;
    if url.contains(['?', '#']) {
        return Err(base_url.refused("must have no query and no fragment"));
    }
    let is_absolute = url.starts_with("https://") || url.starts_with("http://");
    if !is_absolute && value::global("location").is_none() {
        return Err(base_url.refused("must be absolute where there is no page"));
    }
    let headers = match options.get_given("headers")? {
        None => JsValue::UNDEFINED,
        Some(headers) if headers.value().is_object() || headers.value().is_function() => {
            headers.value().clone()
        }
        Some(headers) => return Err(headers.refused("must be an object or a function")),
    };
    Ok(FetchTransport {
        base_url: url.trim_end_matches('/').to_owned(),
        fetch: match options.get_given("fetch")? {
            Some(fetch) => Some(fetch.function()?),
            None => None,
        },
        headers,
        credentials: match options.get_given("credentials")? {
            Some(credentials) => Some(credentials.choice(&["include", "omit", "same-origin"])?),
            None => None,
        },
    })
}

fn read_options(options: &JsValue) -> Result<Options> {
    let options = Argument::new(options, "options");
    let session_keys = match options.get_given("sessionKeys")? {
        None => KeyDelivery::default(),
        Some(delivery) => match delivery.choice(&["sealed", "client-held"])? {
            "client-held" => KeyDelivery::ClientHeld,
            _ => KeyDelivery::Sealed,
        },
    };
    let (rp_id, rp_name) = match options.get_given("passkey")? {
        Some(passkey) => (
            passkey.get_text("rpId", MAX_RP_ID_CHARS)?,
            passkey.get_text("rpName", MAX_NAME_CHARS)?,
        ),
        None => (None, None),
    };
    Ok(Options {
        session_keys,
        enclave: match options.get_given("enclave")? {
            Some(enclave) => read_enclave(&enclave)?,
            None => EnclaveKeys::production()?,
        },
        rp_id,
        rp_name,
        timeout_ms: match options.get_given("timeoutMs")? {
            Some(timeout_ms) => timeout_ms.milliseconds()?,
            None => DEFAULT_TIMEOUT_MS,
        },
        observer: match options.get_given("onRequest")? {
            Some(function) => Some(observer(function.function()?)),
            None => None,
        },
    })
}

fn read_enclave(enclave: &Argument) -> Result<EnclaveKeys> {
    if enclave.value().is_string() {
        enclave.choice(&["production"])?;
        return EnclaveKeys::production();
    }
    let trust = enclave.get("dangerouslyTrust")?;
    let key = |key: &Argument| PublicKey::from_hex(&key.text(MAX_KEY_CHARS)?);
    let export = trust.get("export")?;
    let is_unsigned = export.value().as_string().as_deref() == Some("unsigned-sandbox");
    Ok(EnclaveKeys {
        otp: key(&trust.get("otp")?)?,
        export: match is_unsigned {
            true => ExportTrust::UnsignedSandbox,
            false => ExportTrust::Key(key(&export)?),
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
