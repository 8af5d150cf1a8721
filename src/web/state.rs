//! `SessionState` for pages.

use js_sys::{Date, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

use super::{error::to_object, number};
use crate::{
    crypto::json::Json,
    flow::{
        session::SessionInfo,
        state::{SessionState, SignedOutReason},
    },
};

/// A frozen `SessionState`.
pub(crate) fn state_object(state: &SessionState) -> JsValue {
    let text = |name: &str, text: &str| (name.to_owned(), Json::from(text));
    let object = match state {
        SessionState::SignedOut { reason } => {
            let mut members = vec![text("status", "signedOut")];
            match reason {
                None => {}
                Some(SignedOutReason::Expired) => members.push(text("reason", "expired")),
                Some(SignedOutReason::SignedOut) => members.push(text("reason", "signedOut")),
            }
            to_object(&Json::Object(members))
        }
        SessionState::SignedIn(session) => {
            let object = to_object(&Json::Object(vec![text("status", "signedIn")]));
            set(&object, "session", &session_object(session));
            object
        }
    };
    frozen(object)
}

/// Milliseconds since 1970 as a `Date`.
pub(crate) fn date(milliseconds: i64) -> Date {
    Date::new(&number::to_js(milliseconds).into())
}

/// The object, frozen.
pub(crate) fn frozen(object: JsValue) -> JsValue {
    Object::freeze(object.unchecked_ref::<Object>());
    object
}

fn session_object(session: &SessionInfo) -> JsValue {
    let object = to_object(&Json::object([
        ("id", session.id.as_str().into()),
        ("accountId", session.account_id.as_str().into()),
        ("type", session.kind.as_str().into()),
        ("nickname", session.nickname.as_str().into()),
        ("publicKey", session.public_key.as_str().into()),
    ]));
    set(&object, "createdAt", &date(session.created_at_ms));
    set(&object, "expiresAt", &date(session.expires_at_ms));
    frozen(object)
}

/// Adds a member to an object of our own.
fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Cannot fail: the object is ours and not frozen yet.
    let _ = Reflect::set(object, &name.into(), value);
}
