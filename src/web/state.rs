//! `SessionState` for pages.

use super::data::Data;
use crate::{
    crypto::json::Json,
    flow::{
        session::SessionInfo,
        state::{SessionState, SignedOutReason},
    },
};

/// `SessionState`; its times are numbers.
pub(super) fn state_json(state: &SessionState) -> Json {
    let mut data = Data::default();
    match state {
        SessionState::SignedOut { reason } => {
            let reason = reason.map(|reason| match reason {
                SignedOutReason::Expired => "expired",
                SignedOutReason::SignedOut => "signedOut",
            });
            data.text("status", "signedOut")
                .optional_text("reason", reason)
        }
        SessionState::SignedIn(session) => data
            .text("status", "signedIn")
            .set("session", session_data(session).json()),
    }
    .json()
}

/// What is known of a session.
pub(super) fn session_data(session: &SessionInfo) -> Data {
    let mut data = Data::default();
    data.text("id", &session.id)
        .text("accountId", &session.account_id)
        .text("type", session.kind.as_str())
        .text("nickname", &session.nickname)
        .time("createdAt", session.created_at_ms)
        .time("expiresAt", session.expires_at_ms)
        .text("publicKey", &session.public_key);
    data
}
