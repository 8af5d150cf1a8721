//! `SessionState` for pages.

use js_sys::Date;
use wasm_bindgen::JsValue;

use super::{number, object::Builder};
use crate::flow::{
    session::SessionInfo,
    state::{SessionState, SignedOutReason},
};

/// A frozen `SessionState`.
pub(crate) fn state_object(state: &SessionState) -> JsValue {
    let object = Builder::new();
    match state {
        SessionState::SignedOut { reason } => {
            let reason = reason.map(|reason| match reason {
                SignedOutReason::Expired => "expired",
                SignedOutReason::SignedOut => "signedOut",
            });
            object
                .text("status", "signedOut")
                .optional_text("reason", reason)
        }
        SessionState::SignedIn(session) => object
            .text("status", "signedIn")
            .set("session", &session_object(session)),
    }
    .frozen()
}

/// Milliseconds since 1970 as a `Date`.
pub(crate) fn date(milliseconds: i64) -> Date {
    Date::new(&number::to_js(milliseconds).into())
}

fn session_object(session: &SessionInfo) -> JsValue {
    Builder::new()
        .text("id", &session.id)
        .text("accountId", &session.account_id)
        .text("type", session.kind.as_str())
        .text("nickname", &session.nickname)
        .set("createdAt", &date(session.created_at_ms))
        .set("expiresAt", &date(session.expires_at_ms))
        .text("publicKey", &session.public_key)
        .frozen()
}
