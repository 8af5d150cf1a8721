//! Layer 3: the client.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, read},
    authenticator::BrowserAuthenticator,
    call::{Call, MAX_ID_CHARS, or_rejected},
    clock::BrowserClock,
    key_store::BrowserKeyStore,
    keys::{MAX_KEY_CHARS, SessionKey},
    notes::BrowserNotes,
    object::{Builder, from_json},
    passkey::{MAX_NAME_CHARS, MAX_RP_ID_CHARS},
    session::WalletSession,
    sign_in::{OAuthSignIn, OtpSignIn, PasskeySignIn},
    state::state_object,
    transport::{FetchTransport, FunctionTransport},
    value,
};
use crate::{
    api::{
        client::{Observer, cancellable},
        event::RequestEvent,
        failure::Leg,
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
        oauth::{OAuthOptions, OAuthState},
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
        let client = Gridkey::new(read_ports(options)?, read_options(options)?);
        client.subscribe(Rc::new(move |state| {
            // What listeners throw is theirs.
            let _ = changed.call1(&JsValue::UNDEFINED, &state_object(state));
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
                Ok(from_json(&Json::Array(methods)))
            })
        }))
    }

    /// `Gridkey.preparePasskey`
    #[wasm_bindgen(js_name = preparePasskey)]
    pub fn prepare_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_credential(options).map(|(credential, call)| {
            call.promise(|options| async move {
                let sign_in = client.prepare_passkey(credential, options).await?;
                Ok(PasskeySignIn::new(sign_in).into())
            })
        }))
    }

    /// `Gridkey.signInWithPasskey`
    #[wasm_bindgen(js_name = signInWithPasskey)]
    pub fn sign_in_with_passkey(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_credential(options).map(|(credential, call)| {
            call.promise(|options| async move {
                let session = client.sign_in_with_passkey(credential, &options).await?;
                Ok(WalletSession::new(session).into())
            })
        }))
    }

    /// `Gridkey.sendOtp`
    #[wasm_bindgen(js_name = sendOtp)]
    pub fn send_otp(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected(read_credential(options).map(|(credential, call)| {
            call.promise(|options| async move {
                let sign_in = client.send_otp(credential, &options).await?;
                Ok(OtpSignIn::new(sign_in).into())
            })
        }))
    }

    /// `Gridkey.resumeOtp`
    #[wasm_bindgen(js_name = resumeOtp)]
    pub fn resume_otp(&self, state: &JsValue) -> Result<OtpSignIn> {
        let state = read(|problem| {
            let state = Argument::new(problem, state, "state");
            let kind = state.choice("type", &["EMAIL_OTP", "SMS_OTP"]);
            OtpState {
                kind: AuthMethodType::parse(kind).unwrap_or(AuthMethodType::EmailOtp),
                auth_method_id: state.text("authMethodId", MAX_ID_CHARS),
                account_id: state.text("accountId", MAX_ID_CHARS),
                sent_to: state.text("sentTo", MAX_NAME_CHARS),
                otp_encryption_target_bundle: state
                    .text("otpEncryptionTargetBundle", MAX_BUNDLE_CHARS),
            }
        })?;
        self.client.resume_otp(state).map(OtpSignIn::new)
    }

    /// `Gridkey.prepareOAuth`
    #[wasm_bindgen(js_name = prepareOAuth)]
    pub fn prepare_oauth(&self, options: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected((|| {
            let (options, call) = read(|problem| {
                let options = Argument::new(problem, options, "options");
                let prepared = OAuthOptions {
                    credential: credential(options),
                    client_id: options.optional_text("clientId", MAX_NAME_CHARS),
                    redirect: options.optional_boolean("redirect"),
                };
                (prepared, Call::read(options))
            })?;
            Ok(call.promise(|call| async move {
                let sign_in = cancellable(&call, || client.prepare_oauth(options)).await?;
                Ok(OAuthSignIn::new(sign_in).into())
            }))
        })())
    }

    /// `Gridkey.resumeOAuth`
    #[wasm_bindgen(js_name = resumeOAuth)]
    pub fn resume_oauth(&self, state: &JsValue) -> Promise {
        let client = self.client.clone();
        or_rejected((|| {
            let state = read(|problem| {
                let state = Argument::new(problem, state, "state");
                OAuthState {
                    credential: credential(state),
                    client_public_key: state.text("clientPublicKey", MAX_KEY_CHARS),
                    client_id: state.optional_text("clientId", MAX_NAME_CHARS),
                }
            })?;
            Ok(Call::default().promise(|_| async move {
                let sign_in = client.resume_oauth(state).await?;
                Ok(OAuthSignIn::new(sign_in).into())
            }))
        })())
    }

    /// `Gridkey.forgetOrganization`
    #[wasm_bindgen(js_name = forgetOrganization)]
    pub fn forget_organization(&self, account_id: &JsValue) -> Result<()> {
        let account_id =
            read(|problem| Argument::new(problem, account_id, "accountId").as_text(MAX_ID_CHARS))?;
        self.client.forget_organization(&account_id)
    }

    /// `Gridkey.adoptSession`
    #[wasm_bindgen(js_name = adoptSession)]
    pub fn adopt_session(&self, session: &JsValue, key: &SessionKey) -> Result<WalletSession> {
        let session = read_session(session)?;
        let session = self.client.adopt_session(session, || key.take())?;
        Ok(WalletSession::new(session))
    }
}

/// `authMethodId` and, perhaps, `accountId`.
fn credential(options: Argument<'_>) -> Credential {
    Credential {
        auth_method_id: options.text("authMethodId", MAX_ID_CHARS),
        account_id: options.optional_text("accountId", MAX_ID_CHARS),
    }
}

fn read_credential(options: &JsValue) -> Result<(Credential, Call)> {
    read(|problem| {
        let options = Argument::new(problem, options, "options");
        (credential(options), Call::read(options))
    })
}

fn read_id(name: &'static str, options: &JsValue) -> Result<(String, Call)> {
    read(|problem| {
        let options = Argument::new(problem, options, "options");
        (options.text(name, MAX_ID_CHARS), Call::read(options))
    })
}

/// `AuthSession`
fn read_session(session: &JsValue) -> Result<AuthSession> {
    let names = [
        "id",
        "accountId",
        "type",
        "nickname",
        "createdAt",
        "updatedAt",
        "expiresAt",
    ];
    let members = read(|problem| {
        let session = Argument::new(problem, session, "session");
        let mut members = Vec::new();
        for name in names {
            members.push((name.to_owned(), session.text(name, MAX_NAME_CHARS).into()));
        }
        if let Some(credential_id) = session.optional_text("credentialId", MAX_BUNDLE_CHARS) {
            members.push(("credentialId".to_owned(), credential_id.into()));
        }
        members
    })?;
    AuthSession::from_json(&Json::Object(members))
        .map_err(|_| Error::invalid_argument("`session` is no session as Grid answers it."))
}

fn read_ports(options: &JsValue) -> Result<Ports> {
    let (function, fetch) = read(|problem| {
        let options = Argument::new(problem, options, "options");
        let function = options.optional_function("transport");
        let fetch = function.is_none().then(|| read_fetch(options));
        (function, fetch)
    })?;
    let transport: Rc<dyn Transport> = match (function, fetch) {
        (Some(function), _) => Rc::new(FunctionTransport { function }),
        (None, Some(fetch)) => Rc::new(fetch),
        (None, None) => return Err(Error::invalid_argument("`options` has no `transport`.")),
    };
    Ok(Ports {
        transport,
        authenticator: Rc::new(BrowserAuthenticator),
        clock: Rc::new(BrowserClock),
        random: Rc::new(SystemRandom),
        key_store: Rc::new(BrowserKeyStore),
        notes: Rc::new(BrowserNotes::default()),
    })
}

fn read_fetch(options: Argument<'_>) -> FetchTransport {
    let base_url = options.optional_text("baseUrl", MAX_URL_CHARS);
    let headers = options.get("headers");
    let is_absolute = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    match &base_url {
        None => options.refuse("must have a `baseUrl`, your relay's, or a `transport`"),
        Some(url) if url.bytes().any(|byte| matches!(byte, b'?' | b'#')) => {
            options.refuse("must have a `baseUrl` without query and fragment");
        }
        Some(url) if !is_absolute(url) && value::global("location").is_none() => {
            options.refuse("must have an absolute `baseUrl` where there is no page");
        }
        Some(_) => {}
    }
    if !(headers.is_undefined() || headers.is_object() || headers.is_function()) {
        options.refuse("must have `headers` that are an object or a function");
    }
    FetchTransport {
        base_url: base_url
            .map(|url| url.strip_suffix('/').unwrap_or(&url).to_owned())
            .unwrap_or_default(),
        fetch: options.optional_function("fetch"),
        headers,
        credentials: options.optional_choice("credentials", &["include", "omit", "same-origin"]),
    }
}

fn read_options(options: &JsValue) -> Result<Options> {
    let production = EnclaveKeys::production()?;
    let (mut options, trusted) = read(|problem| {
        let options = Argument::new(problem, options, "options");
        let passkey = options.get("passkey");
        let passkey = options.member("passkey", &passkey);
        let enclave = options.get("enclave");
        let trusted = read_trusted(options.member("enclave", &enclave));
        let session_keys = options.optional_choice("sessionKeys", &["sealed", "client-held"]);
        let options = Options {
            session_keys: match session_keys {
                Some("client-held") => KeyDelivery::ClientHeld,
                _ => KeyDelivery::Sealed,
            },
            rp_id: passkey.optional_text("rpId", MAX_RP_ID_CHARS),
            rp_name: passkey.optional_text("rpName", MAX_NAME_CHARS),
            timeout_ms: options
                .optional_milliseconds("timeoutMs")
                .unwrap_or(DEFAULT_TIMEOUT_MS),
            observer: options.optional_function("onRequest").map(observer),
            enclave: production,
            organizations: read_organizations(options),
        };
        (options, trusted)
    })?;
    if let Some((otp, export)) = trusted {
        options.enclave = EnclaveKeys {
            otp: PublicKey::from_hex(&otp)?,
            export: match export.as_str() {
                "unsigned-sandbox" => ExportTrust::UnsignedSandbox,
                key => ExportTrust::Key(PublicKey::from_hex(key)?),
            },
        };
    }
    Ok(options)
}

/// `organizations`: accounts and their organizations.
fn read_organizations(options: Argument<'_>) -> Vec<(String, String)> {
    let organizations = options.get("organizations");
    let argument = options.member("organizations", &organizations);
    let mut known = Vec::new();
    match argument.as_json() {
        None => {}
        Some(Json::Object(members)) => {
            for (account_id, organization_id) in members {
                match organization_id {
                    Json::String(id) if !id.is_empty() => known.push((account_id, id)),
                    _ => argument.refuse("must have texts that are not empty"),
                }
            }
        }
        Some(_) => argument.refuse("must be an object"),
    }
    known
}

/// `enclave.dangerouslyTrust`: the keys of OTP bundles and of exports. Nothing for "production".
fn read_trusted(enclave: Argument<'_>) -> Option<(String, String)> {
    if !enclave.value().is_object() {
        if enclave.is_given() {
            enclave.as_choice(&["production"]);
        }
        return None;
    }
    let trusted = enclave.get("dangerouslyTrust");
    let trusted = enclave.member("dangerouslyTrust", &trusted);
    let key = |name| trusted.text(name, MAX_KEY_CHARS);
    Some((key("otp"), key("export")))
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
    let leg = match event.leg {
        Leg::First => 1,
        Leg::Second => 2,
    };
    let object = Builder::new();
    object
        .text("phase", if outcome.is_some() { "ended" } else { "sent" })
        .number("id", Some(event.id))
        .text("operation", event.operation)
        .number("leg", Some(leg))
        .text("method", event.method)
        .text("path", &event.path)
        .set("signed", &event.signed.into())
        .json("body", event.body.as_ref());
    if let Some(outcome) = outcome {
        object
            .number("durationMs", Some(outcome.duration_ms))
            .number("status", outcome.status.map(u64::from))
            .optional_text("code", outcome.code.map(ErrorCode::as_str))
            .number("retryAfterMs", outcome.retry_after_ms);
    }
    object.frozen()
}
