//! Passkeys by `navigator.credentials`.

use std::cell::RefCell;

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use super::{
    cancellation::{AbortOnDrop, abort},
    object::Builder,
    value,
};
use crate::{
    crypto::encoding::base64url,
    error::{Error, ErrorCode, Result},
    formats::passkey::{
        PasskeyAssertion, PasskeyAssertionRequest, PasskeyAttestation, PasskeyCreationRequest,
    },
    ports::{Authenticator, LocalFuture},
};

/// More than any authenticator sends, attestation statements included.
const MAX_BYTES: u64 = 64 * 1024;
const MAX_TRANSPORTS: u64 = 16;

/// ES256 and RS256 in COSE's registry. Grid takes both (`PasskeyAssertion.signature` in
/// lightsparkdev/grid-api@cf2510e openapi.yaml), and Windows needs the second.
const ALGORITHMS: [i32; 2] = [-7, -257];

/// Whoever picks up an unlocked device must not move money with a click. "preferred" would leave
/// the check out wherever it costs a password, as on computers without a fingerprint reader.
const USER_VERIFICATION: &str = "required";

/// `navigator.credentials`
pub(crate) struct BrowserAuthenticator;

thread_local! {
    /// The `AbortController` of the ceremony that is going on. A page can have one only.
    static CEREMONY: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
}

impl Authenticator for BrowserAuthenticator {
    fn create(
        &self,
        request: PasskeyCreationRequest,
    ) -> LocalFuture<'_, Result<PasskeyAttestation>> {
        Box::pin(async move {
            let credential = ceremony("create", creation_options(&request)).await?;
            read_attestation(&credential).ok_or_else(unreadable)
        })
    }

    fn get(&self, request: PasskeyAssertionRequest) -> LocalFuture<'_, Result<PasskeyAssertion>> {
        Box::pin(async move {
            let credential = ceremony("get", request_options(&request)).await?;
            read_assertion(&credential).ok_or_else(unreadable)
        })
    }
}

/// Asks the browser at its first poll, so that the tap that led here still counts.
async fn ceremony(method: &str, public_key: JsValue) -> Result<JsValue> {
    let container = credentials_container()?;
    abort(&CEREMONY.take());
    let aborting = AbortOnDrop::new();
    CEREMONY.set(aborting.controller());
    let options = Builder::new();
    options
        .set("publicKey", &public_key)
        .set("signal", &aborting.signal());
    let options = options.dictionary();
    match value::call_settled(&container, method, &[&options]).await {
        Some(Ok(credential)) => {
            aborting.ended();
            Ok(credential)
        }
        Some(Err(exception)) => Err(failure(method, &exception)),
        None => Err(unsupported(NO_PASSKEYS)),
    }
}

fn credentials_container() -> Result<JsValue> {
    if value::global("isSecureContext").and_then(|secure| secure.as_bool()) == Some(false) {
        return Err(unsupported(
            "Passkeys need a secure context: serve the page by https, or from localhost.",
        ));
    }
    value::global("PublicKeyCredential")
        .and_then(|_| value::get(&value::global("navigator")?, "credentials"))
        .ok_or_else(|| unsupported(NO_PASSKEYS))
}

const NO_PASSKEYS: &str = "There is no `navigator.credentials` for passkeys here: offer another \
                           way to sign in.";

/// `PublicKeyCredentialRequestOptions`: WebAuthn section 5.5.
fn request_options(request: &PasskeyAssertionRequest) -> JsValue {
    Builder::new()
        .set("challenge", &bytes(&request.challenge))
        .set(
            "allowCredentials",
            &Array::of1(&descriptor(&request.credential_id)),
        )
        .optional_text("rpId", request.rp_id.as_deref())
        .number("timeout", request.timeout_ms.map(timeout))
        .text("userVerification", USER_VERIFICATION)
        .dictionary()
}

/// `PublicKeyCredentialCreationOptions`: WebAuthn section 5.4.
fn creation_options(request: &PasskeyCreationRequest) -> JsValue {
    let rp = Builder::new();
    rp.optional_text("id", request.rp_id.as_deref())
        .text("name", &request.rp_name);
    let user = Builder::new();
    user.set("id", &bytes(&request.user_id))
        .text("name", &request.user_name)
        .text("displayName", &request.user_display_name);
    let selection = Builder::new();
    selection
        // Synced and discoverable where possible; security keys without room will do.
        .text("residentKey", "preferred")
        .text("userVerification", USER_VERIFICATION);
    let algorithms: Array = ALGORITHMS
        .iter()
        .map(|number| of_type().set("alg", &(*number).into()).dictionary())
        .collect();
    let excluded: Array = request
        .exclude_credentials
        .iter()
        .map(|id| descriptor(id))
        .collect();
    Builder::new()
        .set("challenge", &bytes(&request.challenge))
        .set("rp", &rp.dictionary())
        .set("user", &user.dictionary())
        .set("pubKeyCredParams", &algorithms)
        .set("excludeCredentials", &excluded)
        .number("timeout", request.timeout_ms.map(timeout))
        .set("authenticatorSelection", &selection.dictionary())
        // Grid does not ask which make of authenticator it is, and asking would prompt people.
        .text("attestation", "none")
        .dictionary()
}

/// `PublicKeyCredentialDescriptor`
fn descriptor(id: &[u8]) -> JsValue {
    of_type().set("id", &bytes(id)).dictionary()
}

fn of_type() -> Builder {
    let object = Builder::new();
    object.text("type", "public-key");
    object
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// An unsigned long of Web IDL, which takes larger numbers modulo 2^32.
fn timeout(milliseconds: u64) -> u64 {
    milliseconds.min(u32::MAX.into())
}

/// Reads raw buffers only: password managers that put themselves in the browser's place break
/// `toJSON()` and `getPublicKey()`.
fn read_assertion(credential: &JsValue) -> Option<PasskeyAssertion> {
    let response = value::get(credential, "response")?;
    Some(PasskeyAssertion {
        credential_id: base64url_of(credential, "rawId")?,
        client_data_json: base64url_of(&response, "clientDataJSON")?,
        authenticator_data: base64url_of(&response, "authenticatorData")?,
        signature: base64url_of(&response, "signature")?,
        user_handle: base64url_of(&response, "userHandle").filter(|handle| !handle.is_empty()),
    })
}

fn read_attestation(credential: &JsValue) -> Option<PasskeyAttestation> {
    let response = value::get(credential, "response")?;
    // Some password managers do not have it; then the transports are not known.
    let transports = value::call(&response, "getTransports", &[])
        .and_then(|transports| read_texts(&transports.ok()?))
        .unwrap_or_default();
    Some(PasskeyAttestation {
        credential_id: base64url_of(credential, "rawId")?,
        client_data_json: base64url_of(&response, "clientDataJSON")?,
        attestation_object: base64url_of(&response, "attestationObject")?,
        transports: PasskeyAttestation::known_transports(transports.iter().map(String::as_str)),
    })
}

fn base64url_of(object: &JsValue, name: &str) -> Option<String> {
    let bytes = value::bytes(&value::get(object, name)?, MAX_BYTES)?;
    Some(base64url::encode(&bytes))
}

fn read_texts(list: &JsValue) -> Option<Vec<String>> {
    let length = value::get_whole(list, "length", MAX_TRANSPORTS)?;
    let indices = 0..u32::try_from(length).ok()?;
    let elements = indices.map(|index| Reflect::get_u32(list, index).ok()?.as_string());
    Some(elements.flatten().collect())
}

/// By the exception's name, as every browser sets it; what it says differs.
fn failure(method: &str, exception: &JsValue) -> Error {
    let name = value::get_text(exception, "name")
        .map(String::from)
        .unwrap_or_default();
    let (code, message) = match name.as_str() {
        "AbortError" => (
            ErrorCode::PasskeyNotUsed,
            "The passkey prompt was closed by another ceremony or by the caller.",
        ),
        "InvalidStateError" if method == "create" => (
            ErrorCode::PasskeyAlreadyRegistered,
            "This device already holds a passkey for this account.",
        ),
        "SecurityError" => (
            ErrorCode::PasskeyUnsupported,
            "The page may not use passkeys of this `rpId`: it must be the page's own domain or a \
             parent of it, and the page must be served by https or from localhost.",
        ),
        "NotSupportedError" => (
            ErrorCode::PasskeyUnsupported,
            "No authenticator here can make a passkey that Grid takes.",
        ),
        "ConstraintError" => (
            ErrorCode::PasskeyUnsupported,
            "No authenticator here can check who is using it: set up a screen lock.",
        ),
        "TypeError" => (
            ErrorCode::PasskeyUnsupported,
            "The browser refused the passkey options.",
        ),
        _ => (
            ErrorCode::PasskeyNotUsed,
            "The passkey prompt was closed, timed out, or no passkey of this account is here.",
        ),
    };
    let error = Error::new(code, message);
    // Any other name would be somebody else's text.
    match KNOWN_NAMES.iter().find(|known| **known == name) {
        Some(name) => error.with_reason(*name),
        None => error,
    }
}

const KNOWN_NAMES: [&str; 10] = [
    "AbortError",
    "ConstraintError",
    "InvalidStateError",
    "NotAllowedError",
    "NotReadableError",
    "NotSupportedError",
    "OperationError",
    "SecurityError",
    "TypeError",
    "UnknownError",
];

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorCode::PasskeyUnsupported, message)
}

fn unreadable() -> Error {
    Error::new(
        ErrorCode::PasskeyNotUsed,
        "The browser, or an extension in its place, gave an answer that is no passkey's.",
    )
}
