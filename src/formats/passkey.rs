//! What goes into a passkey ceremony and what comes out of it.

#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use super::otp::read_base64url;
use crate::{
    crypto::{encoding::base64url, json::Json},
    error::{Error, ErrorCode, Result},
};

/// The longest credential id that WebAuthn allows (Level 3, section 4, "Credential ID").
pub const MAX_CREDENTIAL_ID_BYTES: usize = 1023;

/// What the authenticator is asked to sign with an existing passkey.
#[derive(Clone, Debug)]
pub struct PasskeyAssertionRequest {
    /// The bytes that WebAuthn takes as `challenge`: see [`challenge_bytes`].
    pub challenge: Vec<u8>,
    /// The one passkey that may answer.
    pub credential_id: Vec<u8>,
    /// The relying party, where it is not the page's own host.
    pub rp_id: Option<String>,
    /// How long the prompt may stay open, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// What the authenticator is asked to create.
#[derive(Clone, Debug)]
pub struct PasskeyCreationRequest {
    /// The platform's random challenge.
    pub challenge: Vec<u8>,
    /// The relying party, where it is not the page's own host.
    pub rp_id: Option<String>,
    /// The relying party's name, as the prompt shows it.
    pub rp_name: String,
    /// A stable opaque id of the user, 1 to 64 bytes. Not an e-mail address.
    pub user_id: Vec<u8>,
    /// The account's name, as the prompt shows it.
    pub user_name: String,
    /// The person's name, as the prompt shows it.
    pub user_display_name: String,
    /// The account's passkeys: an authenticator that holds one of them makes no second one.
    pub exclude_credentials: Vec<Vec<u8>>,
    /// How long the prompt may stay open, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// An authenticator's answer to a [`PasskeyAssertionRequest`], as Grid takes it. All members are
/// base64url without padding.
#[derive(Clone)]
pub struct PasskeyAssertion {
    /// The passkey that answered.
    pub credential_id: String,
    /// What was signed, as the browser wrote it.
    pub client_data_json: String,
    /// RP id hash, flags and counter: WebAuthn section 6.1.
    pub authenticator_data: String,
    /// ECDSA with SHA-256 in DER.
    pub signature: String,
    /// The id given when the passkey was made, where the authenticator returns it.
    pub user_handle: Option<String>,
}

/// An authenticator's answer to a [`PasskeyCreationRequest`], as Grid takes it. Bytes are
/// base64url without padding.
#[derive(Clone)]
pub struct PasskeyAttestation {
    /// The new passkey.
    pub credential_id: String,
    /// What was signed, as the browser wrote it.
    pub client_data_json: String,
    /// The new public key: WebAuthn section 6.5.
    pub attestation_object: String,
    /// How the authenticator can be reached: see [`PasskeyAttestation::known_transports`].
    pub transports: Vec<String>,
}

impl PasskeyAttestation {
    /// Keeps the transports that Grid's API has (`PasskeyAttestation.transports`) and drops what
    /// browsers may add to them, e.g. `smart-card`.
    pub fn known_transports<'a>(transports: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for transport in transports {
            if matches!(transport, "usb" | "nfc" | "ble" | "internal" | "hybrid")
                && !known.iter().any(|listed| listed == transport)
            {
                known.push(transport.to_owned());
            }
        }
        known
    }
}

/// Which of the two passkey ceremonies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ceremony {
    /// `navigator.credentials.create()`
    Create,
    /// `navigator.credentials.get()`
    Get,
}

impl Ceremony {
    /// `type` in the client data: WebAuthn section 5.8.1.
    fn client_data_type(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// The bytes to be signed for a challenge of Grid's: the 64 ASCII bytes of the text itself.
///
/// The text is 64 lower-case hex digits, the SHA-256 of an activity. It is neither hex nor
/// base64url to be decoded: Turnkey signs over the digits (tkhq/sdk@aaede6f
/// packages/webauthn-stamper/src/index.ts, `getChallengeFromPayload`).
///
/// Fails with `invalid_argument`.
pub fn challenge_bytes(challenge: &str) -> Result<Vec<u8>> {
    let is_digest = challenge.len() == 64
        && challenge
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest {
        return Err(Error::invalid_argument(
            "A passkey challenge of Grid's must be 64 lower-case hexadecimal digits.",
        ));
    }
    Ok(challenge.as_bytes().to_vec())
}

/// The challenge inside client data, decoded.
///
/// `client_data_json` is base64url without padding. Fails with `passkey_rejected`.
pub fn client_data_challenge(client_data_json: &str) -> Result<Vec<u8>> {
    challenge_of(&read_client_data(client_data_json)?)
}

/// Checks that the authenticator signed what it was asked to sign: this ceremony and these
/// challenge bytes.
///
/// `client_data_json` is base64url without padding. Fails with `passkey_rejected`.
pub fn check_client_data(
    client_data_json: &str,
    ceremony: Ceremony,
    challenge: &[u8],
) -> Result<()> {
    let client_data = read_client_data(client_data_json)?;
    if client_data.text("type") != Some(ceremony.client_data_type()) {
        return Err(rejected(
            "The passkey's answer belongs to another kind of ceremony.",
        ));
    }
    if challenge_of(&client_data)? != challenge {
        return Err(rejected(
            "The passkey signed another challenge than it was asked to.",
        ));
    }
    Ok(())
}

/// WebAuthn section 5.8.1. Browsers write a few hundred bytes.
const MAX_CLIENT_DATA_BYTES: usize = 16 * 1024;

fn read_client_data(base64: &str) -> Result<Json> {
    read_base64url(base64, MAX_CLIENT_DATA_BYTES)
        .ok_or_else(|| rejected("The passkey's client data is not base64url of a JSON text."))
}

fn challenge_of(client_data: &Json) -> Result<Vec<u8>> {
    client_data
        .text("challenge")
        .and_then(|challenge| base64url::decode(challenge, MAX_CLIENT_DATA_BYTES).ok())
        .ok_or_else(|| rejected("The passkey's client data has no challenge."))
}

fn rejected(message: &'static str) -> Error {
    Error::new(ErrorCode::PasskeyRejected, message)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn challenges_are_64_lower_case_hex_digits() {
        let challenge = "6b35a4c41d9aa7a2a0e742f9f9e7a1c2d65a2db33a3fb748f6d4f1ce78d9a729";
        assert_eq!(challenge_bytes(challenge).unwrap(), challenge.as_bytes());
        for refused in [
            "",
            challenge.get(1..).unwrap(),
            &format!("{challenge}0"),
            &challenge.to_uppercase(),
            &challenge.replace('6', "g"),
            &challenge.replace('6', " "),
            &challenge.replacen("6b", "é", 1),
            &"0".repeat(1 << 20),
        ] {
            let error = challenge_bytes(refused).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn client_data_must_be_of_this_ceremony_and_challenge() {
        let client_data = client_data(r#"{"type":"webauthn.get","challenge":"AQI","x":{}}"#);
        assert!(check_client_data(&client_data, Ceremony::Get, &[1, 2]).is_ok());
        assert_eq!(client_data_challenge(&client_data).unwrap(), [1, 2]);
        for (ceremony, challenge) in [
            (Ceremony::Create, [1, 2].as_slice()),
            (Ceremony::Get, &[1, 3]),
            (Ceremony::Get, &[1]),
            (Ceremony::Get, &[]),
            // The text that stands for it.
            (Ceremony::Get, b"AQI"),
        ] {
            let error = check_client_data(&client_data, ceremony, challenge).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PasskeyRejected);
        }
    }

    #[test]
    fn refuses_what_is_not_client_data() {
        for refused in [
            String::new(),
            "{}".to_owned(),
            client_data(""),
            client_data("{}"),
            client_data(r#"{"type":"webauthn.get"}"#),
            client_data(r#"{"challenge":"AQI"}"#),
            client_data(r#"{"type":"webauthn.get","challenge":"AQI="}"#),
            client_data(r#"{"type":"webauthn.get","challenge":"AQJ"}"#),
            client_data(r#"{"type":"webauthn.get","challenge":"AQI","challenge":"AQI"}"#),
            client_data(r#"{"type":"webauthn.get","challenge":["AQI"]}"#),
            client_data(r#"{"type":"payment.get","challenge":"AQI"}"#),
            format!(
                "{}=",
                client_data(r#"{"type":"webauthn.get","challenge":"AQI"}"#)
            ),
            base64url::encode(&[0xff]),
            "A".repeat(1 << 20),
        ] {
            let error = check_client_data(&refused, Ceremony::Get, &[1, 2]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PasskeyRejected);
        }
    }

    #[test]
    fn unknown_transports_are_dropped() {
        let listed = [
            "internal",
            "smart-card",
            "hybrid",
            "cable",
            "",
            "USB",
            "internal",
            "usb",
        ];
        assert_eq!(
            PasskeyAttestation::known_transports(listed.into_iter()),
            ["internal", "hybrid", "usb"]
        );
        let all = ["usb", "nfc", "ble", "internal", "hybrid"];
        assert_eq!(PasskeyAttestation::known_transports(all.into_iter()), all);
    }

    fn client_data(json: &str) -> String {
        base64url::encode(json.as_bytes())
    }
}
