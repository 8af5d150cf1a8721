//! What JavaScript calls: two functions, and numbers for objects.
//!
//! An exported method of its own costs half a kilobyte for each; here all are rows of tables, and
//! what crosses is the same for all: values that `pkg/bridge.js` has read and checked, and an
//! outcome that it makes objects, data or errors of.
//!
//! No borrow is held over an await or over a call of somebody else's function.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::{
    arguments::Arguments, client, error, functions, keys, one_thread::OneThread, session, sign_in,
    tasks,
};
use crate::{
    api::types::AuthMethod,
    crypto::json::Json,
    error::{Error, ErrorCode, Result, joined},
    flow::{
        self, oauth, otp,
        steps::{Work, then},
    },
    formats::{sealed_key::SealedKeyReceiver, wallet_export::WalletExportKey},
};

/// What JavaScript code can hold. Cheap to clone: a method that is going on has one of its own.
#[derive(Clone)]
pub(super) enum Object {
    Client(flow::client::Gridkey),
    SessionKey(Rc<keys::SessionKey>),
    SealedKeyReceiver(Rc<SealedKeyReceiver>),
    WalletExportKey(Rc<WalletExportKey>),
    PasskeySignIn(Rc<sign_in::PasskeySignIn>),
    OtpSignIn(Rc<otp::OtpSignIn>),
    OAuthSignIn(Rc<oauth::OAuthSignIn>),
    PasskeyEnrolment(Rc<session::PasskeyEnrolment>),
    WalletSession(flow::session::WalletSession),
}

impl Object {
    /// The number of its class in `pkg/bridge.js`.
    fn class(&self) -> u32 {
        match self {
            Self::Client(_) => 0,
            Self::SessionKey(_) => 1,
            Self::SealedKeyReceiver(_) => 2,
            Self::WalletExportKey(_) => 3,
            Self::PasskeySignIn(_) => 4,
            Self::OtpSignIn(_) => 5,
            Self::OAuthSignIn(_) => 6,
            Self::PasskeyEnrolment(_) => 7,
            Self::WalletSession(_) => 8,
        }
    }
}

/// More than there are.
const CLASSES: u32 = 16;

struct Objects {
    /// The newest number. None is given twice, so that nothing freed is taken for something new.
    newest: u32,
    held: Vec<(u32, Object)>,
}

static OBJECTS: OneThread<RefCell<Objects>> = OneThread::new(RefCell::new(Objects {
    newest: 0,
    held: Vec::new(),
}));

fn hold(object: Object) -> u32 {
    let mut objects = OBJECTS.borrow_mut();
    objects.newest = objects.newest.wrapping_add(CLASSES);
    let number = objects.newest | object.class();
    objects.held.push((number, object));
    number
}

/// The object of this number.
pub(super) fn held(number: u32) -> Result<Object> {
    let objects = OBJECTS.borrow();
    let object = objects.held.iter().find(|(held, _)| *held == number);
    let object = object.map(|(_, object)| object.clone());
    object.ok_or_else(|| Error::new(ErrorCode::UsedAfterFree, "This object was freed."))
}

/// Forgets an object, unless it is forgotten.
#[wasm_bindgen(skip_typescript)]
pub fn free(object: u32) {
    let mut objects = OBJECTS.borrow_mut();
    let index = objects.held.iter().position(|(held, _)| *held == object);
    let freed = index.map(|index| objects.held.swap_remove(index));
    drop(objects);
    // Not before the borrow has ended: to end what is under way may call somebody's code.
    drop(freed);
}

/// What a method comes to.
pub(super) enum Outcome {
    Nothing,
    Data(Json),
    Bytes(Uint8Array),
    Object(Object),
}

/// When it comes to it.
pub(super) enum Reply {
    Now(Outcome),
    Later(Work<Outcome>),
}

/// What is known at once.
pub(super) fn now(outcome: Outcome) -> Result<Reply> {
    Ok(Reply::Now(outcome))
}

/// A text that is known at once.
pub(super) fn text(text: String) -> Result<Reply> {
    now(Outcome::Data(text.into()))
}

/// Bytes that are known at once.
pub(super) fn bytes(bytes: &[u8]) -> Result<Reply> {
    now(Outcome::Bytes(bytes.into()))
}

/// An object that is there at once.
pub(super) fn object(object: Object) -> Result<Reply> {
    now(Outcome::Object(object))
}

/// What takes its time, and what it comes to for JavaScript.
pub(super) fn later<T: 'static>(work: Work<T>, outcome: fn(T) -> Outcome) -> Result<Reply> {
    let outcome = move |done| Ok(outcome(done));
    Ok(Reply::Later(then(work, outcome)))
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}

impl From<flow::session::WalletSession> for Outcome {
    fn from(session: flow::session::WalletSession) -> Self {
        Self::Object(Object::WalletSession(session))
    }
}

impl From<otp::OtpSignIn> for Outcome {
    fn from(sign_in: otp::OtpSignIn) -> Self {
        Self::Object(Object::OtpSignIn(Rc::new(sign_in)))
    }
}

impl From<oauth::OAuthSignIn> for Outcome {
    fn from(sign_in: oauth::OAuthSignIn) -> Self {
        Self::Object(Object::OAuthSignIn(Rc::new(sign_in)))
    }
}

impl From<AuthMethod> for Outcome {
    fn from(method: AuthMethod) -> Self {
        Self::Data(method.to_json())
    }
}

impl From<Json> for Outcome {
    fn from(data: Json) -> Self {
        Self::Data(data)
    }
}

/// A method of an object.
pub(super) type Method<T> = fn(&T, &mut Arguments) -> Result<Reply>;

/// The methods of a class, by the numbers that `pkg/bridge.js` has for them; their names are for
/// the test that both have the same.
macro_rules! methods {
    ($object:ty, $($name:literal: $method:expr,)*) => {
        pub(in crate::web) const NAMES: &[&str] = &[$($name),*];
        pub(in crate::web) const METHODS: &[$crate::web::bridge::Method<$object>] = &[$($method),*];
    };
}
pub(super) use methods;

/// The names of all methods, class by class in their order; first the functions.
pub fn method_names() -> [&'static [&'static str]; 10] {
    [
        functions::NAMES,
        client::NAMES,
        keys::session_key::NAMES,
        keys::sealed_key_receiver::NAMES,
        keys::wallet_export_key::NAMES,
        sign_in::passkey::NAMES,
        sign_in::otp::NAMES,
        sign_in::oauth::NAMES,
        session::enrolment::NAMES,
        session::NAMES,
    ]
}

/// Calls a method of an object, or a function where that is 0.
///
/// Returns what it came to: nothing, bytes, the number of an object, JSON, or `!` and the JSON of an
/// error. `settle` is called with the same by what takes its time.
#[wasm_bindgen(skip_typescript)]
pub fn call(method: usize, object: u32, arguments: Vec<JsValue>, settle: JsValue) -> JsValue {
    let mut arguments = Arguments::new(arguments);
    match reply(method, object, &mut arguments) {
        Ok(Reply::Now(outcome)) => to_js(Ok(outcome)),
        Ok(Reply::Later(outcome)) => {
            tasks::spawn(Box::pin(async move {
                let outcome = to_js(outcome.await);
                // It throws nothing.
                let _ = settle
                    .unchecked_into::<Function>()
                    .call1(&JsValue::UNDEFINED, &outcome);
            }));
            JsValue::UNDEFINED
        }
        Err(error) => to_js(Err(error)),
    }
}

fn reply(method: usize, object: u32, arguments: &mut Arguments) -> Result<Reply> {
    if object == 0 {
        return pick(functions::METHODS, method)?(&(), arguments);
    }
    match held(object)? {
        Object::Client(it) => pick(client::METHODS, method)?(&it, arguments),
        Object::SessionKey(it) => pick(keys::session_key::METHODS, method)?(&it, arguments),
        Object::SealedKeyReceiver(it) => {
            pick(keys::sealed_key_receiver::METHODS, method)?(&it, arguments)
        }
        Object::WalletExportKey(it) => {
            pick(keys::wallet_export_key::METHODS, method)?(&it, arguments)
        }
        Object::PasskeySignIn(it) => pick(sign_in::passkey::METHODS, method)?(&it, arguments),
        Object::OtpSignIn(it) => pick(sign_in::otp::METHODS, method)?(&it, arguments),
        Object::OAuthSignIn(it) => pick(sign_in::oauth::METHODS, method)?(&it, arguments),
        Object::PasskeyEnrolment(it) => pick(session::enrolment::METHODS, method)?(&it, arguments),
        Object::WalletSession(it) => pick(session::METHODS, method)?(&it, arguments),
    }
}

fn pick<T>(methods: &[Method<T>], number: usize) -> Result<Method<T>> {
    let method = methods.get(number).copied();
    method.ok_or_else(|| Error::invalid_argument("No such method."))
}

fn to_js(outcome: Result<Outcome>) -> JsValue {
    match outcome {
        Ok(Outcome::Nothing) => JsValue::UNDEFINED,
        Ok(Outcome::Data(json)) => json.to_text().into(),
        Ok(Outcome::Bytes(bytes)) => bytes.into(),
        Ok(Outcome::Object(object)) => hold(object).into(),
        Err(error) => joined(&["!", &error::to_json(&error).to_text()]).into(),
    }
}
