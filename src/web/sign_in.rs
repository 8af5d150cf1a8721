//! Layer 3: signing in.

use alloc::rc::Rc;

use super::{
    bridge::{Outcome, later, methods, now},
    cancellation::Canceller,
    data::Data,
};
use crate::flow::{self, session::WalletSession};

/// A passkey's challenge, and what ends a `confirm()`.
pub(super) struct PasskeySignIn {
    pub(super) sign_in: flow::passkey::PasskeySignIn,
    pub(super) confirming: Canceller,
}

pub(super) mod passkey {
    use super::*;

    methods! { Rc<PasskeySignIn>,
        "confirm": |it, arguments| {
            let options = arguments.cancellable_call(&it.confirming);
            later(it.sign_in.confirm(options), WalletSession::into)
        },
        "cancel": |it, _| {
            it.confirming.cancel();
            now(Outcome::Nothing)
        },
        "known": |it, _| now(Outcome::Data(
            Data::default()
                .text("authMethodId", it.sign_in.auth_method_id())
                .time("expiresAt", it.sign_in.expires_at_ms())
                .json(),
        )),
    }
}

pub(super) mod otp {
    use super::*;

    methods! { Rc<flow::otp::OtpSignIn>,
        "submit": |it, arguments| {
            let code = arguments.otp_code()?;
            later(it.submit(&code, arguments.call()), WalletSession::into)
        },
        "resend": |it, arguments| later(it.resend(arguments.call()), <()>::into),
        "known": |it, _| {
            let state = it.state();
            let mut data = Data::default();
            data.text("authMethodId", &state.auth_method_id)
                .text("accountId", &state.account_id)
                .text("type", state.kind.as_str())
                .text("sentTo", &state.sent_to)
                .text("otpEncryptionTargetBundle", &state.otp_encryption_target_bundle);
            now(Outcome::Data(
                Data::default()
                    .text("authMethodId", &state.auth_method_id)
                    .text("sentTo", &state.sent_to)
                    .set("state", data.json())
                    .json(),
            ))
        },
    }
}

pub(super) mod oauth {
    use super::*;

    methods! { Rc<flow::oauth::OAuthSignIn>,
        "submit": |it, arguments| {
            let token = arguments.text();
            later(it.submit(&token, arguments.call()), WalletSession::into)
        },
        "known": |it, _| {
            let mut data = Data::default();
            data.text("authMethodId", it.auth_method_id())
                .text("clientPublicKey", it.client_public_key())
                .text("nonce", it.nonce());
            if let Some(state) = it.state() {
                let state = Data::default()
                    .text("authMethodId", &state.credential.auth_method_id)
                    .optional_text("accountId", state.credential.account_id.as_deref())
                    .text("clientPublicKey", &state.client_public_key)
                    .optional_text("clientId", state.client_id.as_deref())
                    .json();
                data.set("state", state);
            }
            now(Outcome::Data(data.json()))
        },
    }
}
