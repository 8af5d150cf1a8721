//! What the package makes of the two functions that the crate exports: its own JavaScript
//! (`pkg/bridge.js`), around the instance of these tests.

use gridkey::web;
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use crate::support::js;

const ERRORS: &str = include_str!("../../pkg/errors.js");
const BRIDGE: &str = include_str!("../../pkg/bridge.js");

/// An instance that is never lost.
const BOUND: &str = "
    const instance = { lost: false, run: action => action(), whenLost: () => () => {}, ...exported };
    const functions = bind(instance, () => undefined);
    return { functions, jsonOf, members, OPERATIONS };
";

thread_local! {
    static BOUND_ONCE: JsValue = bound();
}

fn bound() -> JsValue {
    let call = |method: usize, object: u32, arguments: Vec<JsValue>, settle: JsValue| {
        web::call(method, object, arguments, settle)
    };
    let call: Closure<dyn Fn(usize, u32, Vec<JsValue>, JsValue) -> JsValue> = Closure::new(call);
    let free: Closure<dyn Fn(u32)> = Closure::new(web::free);
    let mut script = "'use strict';\n".to_owned();
    for line in [ERRORS, BRIDGE].iter().flat_map(|module| module.lines()) {
        if !line.starts_with("import ") {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
    }
    script.push_str(BOUND);
    let exported = Object::new();
    for (name, function) in [
        ("call", call.into_js_value()),
        ("free", free.into_js_value()),
    ] {
        Reflect::set(&exported, &name.into(), &function).unwrap();
    }
    Function::new_with_args("exported", &script)
        .call1(&JsValue::UNDEFINED, &exported)
        .unwrap()
}

/// Something of `pkg/bridge.js`.
pub fn bridge(name: &str) -> JsValue {
    BOUND_ONCE.with(|bound| Reflect::get(bound, &name.into()).unwrap())
}

fn called(object: &JsValue, name: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    let method = Reflect::get(object, &name.into())?;
    let arguments: Array = arguments.iter().copied().collect();
    Reflect::apply(method.unchecked_ref::<Function>(), object, &arguments)
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &name.into())
}

fn function(name: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
    called(&bridge("functions"), name, arguments)
}

/// What gives a promise never throws.
fn promise(outcome: Result<JsValue, JsValue>) -> Promise {
    outcome.unwrap().dyn_into().unwrap()
}

fn text(value: JsValue) -> String {
    value.as_string().unwrap()
}

macro_rules! classes {
    ($($class:ident,)*) => {
        $(
            pub struct $class(JsValue);

            impl From<$class> for JsValue {
                fn from(object: $class) -> Self {
                    object.0
                }
            }
        )*
    };
}

classes! { GridkeyClient, SessionKey, SealedKeyReceiver, WalletExportKey, WalletSession, }

macro_rules! keys {
    ($($class:ident,)*) => {
        $(
            impl $class {
                pub fn dangerously_from_private_key(bytes: &JsValue) -> Result<Self, JsValue> {
                    let name = concat!(stringify!($class), ".dangerouslyFromPrivateKey");
                    function(name, &[bytes]).map(Self)
                }
            }
        )*
    };
}

keys! { SessionKey, SealedKeyReceiver, WalletExportKey, }

impl GridkeyClient {
    pub fn create(options: &JsValue, changed: Function) -> Result<Self, JsValue> {
        function("GridkeyClient.create", &[options, &changed]).map(Self)
    }

    /// An operation, whether it has both arguments or not.
    pub fn operation(
        &self,
        name: &str,
        first: &JsValue,
        second: &JsValue,
        call: &JsValue,
    ) -> Promise {
        let row = Reflect::get(&bridge("OPERATIONS"), &name.into()).unwrap();
        let count = row
            .as_string()
            .map_or(0, |row| row.split_whitespace().count());
        let name = JsValue::from(name);
        let mut arguments = vec![&name, first, second];
        arguments.truncate(count.saturating_add(1));
        arguments.push(call);
        promise(called(&self.0, "operation", &arguments))
    }

    pub fn prepare_passkey(&self, options: &JsValue) -> Promise {
        promise(called(&self.0, "preparePasskey", &[options]))
    }

    pub fn sign_in_with_passkey(&self, options: &JsValue) -> Promise {
        promise(called(&self.0, "signInWithPasskey", &[options]))
    }

    pub fn prepare_oauth(&self, options: &JsValue) -> Promise {
        promise(called(&self.0, "prepareOAuth", &[options]))
    }

    pub fn resume_oauth(&self, state: &JsValue) -> Promise {
        promise(called(&self.0, "resumeOAuth", &[state]))
    }

    pub fn forget_organization(&self, account_id: &JsValue) -> Result<JsValue, JsValue> {
        called(&self.0, "forgetOrganization", &[account_id])
    }

    pub fn adopt_session(
        &self,
        session: &JsValue,
        key: &SessionKey,
    ) -> Result<WalletSession, JsValue> {
        called(&self.0, "adoptSession", &[session, &key.0]).map(WalletSession)
    }
}

impl SessionKey {
    pub fn generate() -> Result<Self, JsValue> {
        function("SessionKey.generate", &[]).map(Self)
    }

    pub fn public_key(&self) -> Result<String, JsValue> {
        get(&self.0, "publicKey").map(text)
    }

    pub fn seal_otp_code(
        &self,
        bundle: &JsValue,
        code: &JsValue,
        options: &JsValue,
    ) -> Result<JsValue, JsValue> {
        called(&self.0, "sealOtpCode", &[bundle, code, options])
    }

    pub fn dangerously_stamp_unchecked(&self, payload: &JsValue) -> Promise {
        promise(called(&self.0, "dangerouslyStampUnchecked", &[payload]))
    }

    pub fn dangerously_export_private_key(&self) -> Result<JsValue, JsValue> {
        called(&self.0, "dangerouslyExportPrivateKey", &[])
    }
}

impl SealedKeyReceiver {
    pub fn generate() -> Result<Self, JsValue> {
        function("SealedKeyReceiver.generate", &[]).map(Self)
    }

    pub fn open(&self, sealed: &JsValue) -> Result<SessionKey, JsValue> {
        called(&self.0, "open", &[sealed]).map(SessionKey)
    }

    pub fn public_key(&self) -> String {
        text(get(&self.0, "publicKey").unwrap())
    }
}

impl WalletSession {
    pub fn id(&self) -> JsValue {
        get(&self.0, "id").unwrap()
    }

    pub fn auth_method_id(&self) -> JsValue {
        get(&self.0, "authMethodId").unwrap()
    }

    pub fn is_active(&self) -> bool {
        get(&self.0, "isActive").unwrap().is_truthy()
    }

    pub fn refresh(&self, options: &JsValue) -> Promise {
        promise(called(&self.0, "refresh", &[options]))
    }

    pub fn sign_out(&self, call: &JsValue) -> Promise {
        promise(called(&self.0, "signOut", &[call]))
    }
}

pub fn oauth_nonce(client_public_key: &JsValue) -> Result<JsValue, JsValue> {
    function("oauthNonce", &[client_public_key])
}

pub fn passkey_challenge_bytes(challenge: &JsValue) -> Result<JsValue, JsValue> {
    function("passkeyChallengeBytes", &[challenge])
}

pub fn request_passkey(challenge: &JsValue, options: &JsValue) -> Promise {
    promise(function("requestPasskey", &[challenge, options]))
}

pub fn create_passkey(registration: &JsValue, options: &JsValue) -> Promise {
    promise(function("createPasskey", &[registration, options]))
}

/// The members of each class as the package has them, in their order.
#[wasm_bindgen_test::wasm_bindgen_test]
fn both_sides_have_the_same_methods() {
    let named = js(
        "classes => Object.values(classes).map(({ promises, methods, getters, known }) => [
        ...Object.keys({ ...promises, ...methods, ...getters }), ...(known ? ['known'] : []),
    ])",
    );
    let members = called(&bridge("members"), "call", &[]).unwrap();
    let classes = named
        .unchecked_ref::<Function>()
        .call1(&JsValue::UNDEFINED, &members)
        .unwrap();
    let classes = Array::from(&classes);
    assert_eq!(classes.length(), 10);
    for (class, names) in classes.iter().zip(web::method_names()) {
        let class = Array::from(&class).iter().map(text).collect::<Vec<_>>();
        assert_eq!(class, names);
    }
}
