//! What goes into a passkey ceremony and what comes out of it.

#![forbid(unsafe_code)]

use crate::{
    crypto::{
        encoding::base64url,
        json::{Json, Limits},
    },
    error::{Error, ErrorCode, Result},
};

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
    if client_data.get("type").and_then(Json::as_str) != Some(ceremony.client_data_type()) {
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
const CLIENT_DATA_LIMITS: Limits = Limits {
    bytes: 16 * 1024,
    depth: 16,
};

fn read_client_data(base64: &str) -> Result<Json> {
    let malformed = || rejected("The passkey's client data is not base64url of a JSON text.");
    let bytes = base64url::decode(base64, CLIENT_DATA_LIMITS.bytes).map_err(|_| malformed())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    Json::parse(text, CLIENT_DATA_LIMITS).map_err(|_| malformed())
}

fn challenge_of(client_data: &Json) -> Result<Vec<u8>> {
    client_data
        .get("challenge")
        .and_then(Json::as_str)
        .and_then(|challenge| base64url::decode(challenge, CLIENT_DATA_LIMITS.bytes).ok())
        .ok_or_else(|| rejected("The passkey's client data has no challenge."))
}

fn rejected(message: &str) -> Error {
    Error::new(ErrorCode::PasskeyRejected, message)
}
