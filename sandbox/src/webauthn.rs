//! Passkeys: WebAuthn Level 3, registration (7.1) and authentication (7.2), as far as they concern
//! this relying party. ES256 only; attestation statements are not judged.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ciborium::Value as Cbor;
use p256::{
    PublicKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    clock::Millis,
    errors::{GridError, Reason, Result},
    keys::ClientPublicKey,
    options::SandboxOptions,
};

/// Authenticator data flag: user present.
const UP: u8 = 0b0000_0001;
/// Authenticator data flag: attested credential data included.
const AT: u8 = 0b0100_0000;
/// Authenticator data flag: extension data included.
const ED: u8 = 0b1000_0000;

/// A registered passkey.
pub(crate) struct PasskeyKey {
    pub(crate) credential_id: Vec<u8>,
    public_key: PublicKey,
    sign_count: u32,
}

/// `attestation` of a creation request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attestation {
    pub(crate) credential_id: String,
    pub(crate) client_data_json: String,
    pub(crate) attestation_object: String,
    #[serde(default)]
    pub(crate) transports: Vec<Transport>,
}

/// How the authenticator can be reached.
#[derive(Clone, Copy, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Usb,
    Nfc,
    Ble,
    Internal,
    Hybrid,
}

/// `assertion` of a verification request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assertion {
    credential_id: String,
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
}

/// Checks an attestation made for `challenge` (base64url).
pub(crate) fn check_attestation(
    attestation: &Attestation,
    challenge: &str,
    options: &SandboxOptions,
) -> Result<PasskeyKey> {
    let refuse = |message| GridError::invalid_input(Reason::AttestationInvalid, message);

    let challenge = BASE64_URL_SAFE_NO_PAD
        .decode(challenge)
        .map_err(|_| refuse("challenge is not unpadded base64url"))?;
    let client_data = BASE64_URL_SAFE_NO_PAD
        .decode(&attestation.client_data_json)
        .ok()
        .and_then(|json| serde_json::from_slice::<ClientData>(&json).ok())
        .ok_or_else(|| refuse("clientDataJson is malformed"))?;
    if client_data.r#type != "webauthn.create" {
        return Err(refuse("clientDataJson is not of a registration"));
    }
    if BASE64_URL_SAFE_NO_PAD.decode(&client_data.challenge).ok() != Some(challenge) {
        return Err(refuse("clientDataJson is of another challenge"));
    }
    if !options.origins.allow(&client_data.origin) {
        return Err(refuse("the origin in clientDataJson is not allowed"));
    }

    let object = BASE64_URL_SAFE_NO_PAD
        .decode(&attestation.attestation_object)
        .map_err(|_| refuse("attestationObject is not unpadded base64url"))?;
    let data =
        attested_auth_data(&object).ok_or_else(|| refuse("attestationObject is malformed"))?;
    let data = AuthData::parse(&data).ok_or_else(|| refuse("authData is malformed"))?;
    if data.rp_id_hash != rp_id_hash(options) {
        return Err(refuse("authData is for another relying party"));
    }
    if data.flags & UP == 0 {
        return Err(refuse("the user was not present"));
    }
    let (credential_id, public_key) = data
        .credential
        .ok_or_else(|| refuse("authData has no attested credential data"))?;
    if BASE64_URL_SAFE_NO_PAD
        .decode(&attestation.credential_id)
        .ok()
        .as_ref()
        != Some(&credential_id)
    {
        return Err(refuse("credentialId is not the attested one"));
    }
    Ok(PasskeyKey {
        credential_id,
        public_key,
        sign_count: data.sign_count,
    })
}

/// Checks an assertion over `challenge` (the text that Grid issued) and counts it.
pub(crate) fn check_assertion(
    passkey: &mut PasskeyKey,
    assertion: &Assertion,
    challenge: &str,
    options: &SandboxOptions,
) -> Result<()> {
    let refuse = GridError::unauthorized;
    let decode = |text: &str| {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| refuse(Reason::AssertionMalformed, "not unpadded base64url"))
    };

    if decode(&assertion.credential_id)? != passkey.credential_id {
        return Err(refuse(
            Reason::AssertionCredentialMismatch,
            "credentialId is another passkey's",
        ));
    }
    if let Some(user_handle) = &assertion.user_handle {
        decode(user_handle)?;
    }
    let client_data_json = decode(&assertion.client_data_json)?;
    let client_data: ClientData = serde_json::from_slice(&client_data_json)
        .map_err(|_| refuse(Reason::AssertionMalformed, "clientDataJson is malformed"))?;
    if client_data.r#type != "webauthn.get" {
        return Err(refuse(
            Reason::AssertionMalformed,
            "clientDataJson is not of an assertion",
        ));
    }
    if client_data.challenge != BASE64_URL_SAFE_NO_PAD.encode(challenge) {
        return Err(refuse(
            Reason::AssertionChallengeMismatch,
            "clientDataJson is of another challenge",
        ));
    }
    if !options.origins.allow(&client_data.origin) {
        return Err(refuse(
            Reason::AssertionOriginNotAllowed,
            "the origin in clientDataJson is not allowed",
        ));
    }

    let auth_data = decode(&assertion.authenticator_data)?;
    let data = AuthData::parse(&auth_data)
        .ok_or_else(|| refuse(Reason::AssertionMalformed, "authenticatorData is malformed"))?;
    if data.rp_id_hash != rp_id_hash(options) {
        return Err(refuse(
            Reason::AssertionRpIdMismatch,
            "authenticatorData is for another relying party",
        ));
    }
    if data.flags & UP == 0 {
        return Err(refuse(
            Reason::AssertionUserNotPresent,
            "the user was not present",
        ));
    }
    let signature = Signature::from_der(&decode(&assertion.signature)?)
        .map_err(|_| refuse(Reason::AssertionMalformed, "signature is not DER"))?;
    let signed = [auth_data, Sha256::digest(&client_data_json).to_vec()].concat();
    VerifyingKey::from(&passkey.public_key)
        .verify(&signed, &signature)
        .map_err(|_| {
            refuse(
                Reason::AssertionSignatureInvalid,
                "the assertion's signature does not verify",
            )
        })?;
    // 7.2, step 22: authenticators without a counter always say 0.
    let has_counter = data.sign_count != 0 || passkey.sign_count != 0;
    if has_counter && data.sign_count <= passkey.sign_count {
        return Err(refuse(
            Reason::AssertionCounterNotIncreased,
            "the signature counter did not increase",
        ));
    }
    passkey.sign_count = data.sign_count;
    Ok(())
}

fn rp_id_hash(options: &SandboxOptions) -> [u8; 32] {
    Sha256::digest(options.rp_id.as_bytes()).into()
}

/// `authData` of an attestation object (6.5.4): a CBOR map of `fmt`, `attStmt` and `authData`.
fn attested_auth_data(object: &[u8]) -> Option<Vec<u8>> {
    let mut rest = object;
    let object: Cbor = ciborium::from_reader(&mut rest).ok()?;
    let members = object.as_map().filter(|_| rest.is_empty())?;
    let member = |name: &str| {
        members
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value)
    };
    let statement = member("attStmt")?.as_map()?;
    let is_well_formed = match member("fmt")?.as_text()? {
        "none" => statement.is_empty(),
        _ => true,
    };
    member("authData")?
        .as_bytes()
        .filter(|_| is_well_formed)
        .cloned()
}

/// Authenticator data (6.1).
struct AuthData {
    rp_id_hash: [u8; 32],
    flags: u8,
    sign_count: u32,
    credential: Option<(Vec<u8>, PublicKey)>,
}

impl AuthData {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let rp_id_hash = take::<32>(&mut rest)?;
        let [flags] = take::<1>(&mut rest)?;
        let sign_count = u32::from_be_bytes(take::<4>(&mut rest)?);
        let credential = if flags & AT == 0 {
            None
        } else {
            let _aaguid = take::<16>(&mut rest)?;
            let length = usize::from(u16::from_be_bytes(take::<2>(&mut rest)?));
            let (credential_id, after) = rest.split_at_checked(length)?;
            rest = after;
            Some((credential_id.to_vec(), es256_key(&mut rest)?))
        };
        if flags & ED != 0 {
            let extensions: Cbor = ciborium::from_reader(&mut rest).ok()?;
            extensions.as_map()?;
        }
        rest.is_empty().then_some(Self {
            rp_id_hash,
            flags,
            sign_count,
            credential,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// An ES256 COSE_Key (RFC 9053, 7.1.1): kty 2, alg -7, crv 1, x and y of 32 bytes.
fn es256_key(rest: &mut &[u8]) -> Option<PublicKey> {
    let key: Cbor = ciborium::from_reader(rest).ok()?;
    let members = key.as_map()?;
    let member = |label: i64| {
        let label = Cbor::from(label);
        members
            .iter()
            .find(|(key, _)| *key == label)
            .map(|(_, value)| value)
    };
    let is = |label, value: i64| member(label) == Some(&Cbor::from(value));
    if !(is(1, 2) && is(3, -7) && is(-1, 1)) {
        return None;
    }
    let x = member(-2)?.as_bytes()?;
    let y = member(-3)?.as_bytes()?;
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    PublicKey::from_sec1_bytes(&[&[4], x.as_slice(), y.as_slice()].concat()).ok()
}

/// Sign-ins that wait for an assertion.
#[derive(Default)]
pub(crate) struct PasskeyChallenges(Vec<PasskeyChallenge>);

pub(crate) struct PasskeyChallenge {
    pub(crate) request_id: String,
    /// `AuthMethod:<uuid>`
    pub(crate) credential_id: String,
    /// 64 lowercase hex characters, whose ASCII bytes the passkey signs.
    pub(crate) challenge: String,
    pub(crate) client_public_key: ClientPublicKey,
    pub(crate) expires_at: Millis,
    pub(crate) is_used: bool,
}

impl PasskeyChallenges {
    pub(crate) fn add(&mut self, challenge: PasskeyChallenge) {
        self.0.push(challenge);
    }

    /// Uses up the challenge that was issued with `request_id` for this credential.
    pub(crate) fn take(
        &mut self,
        request_id: &str,
        credential_id: &str,
        now: Millis,
    ) -> Result<(String, ClientPublicKey)> {
        let refuse = GridError::unauthorized;
        let pending = self
            .0
            .iter_mut()
            .find(|pending| pending.request_id == request_id)
            .ok_or_else(|| refuse(Reason::RequestIdUnknown, "no such pending challenge"))?;
        if pending.credential_id != credential_id {
            return Err(refuse(
                Reason::RequestIdOfAnotherRequest,
                "Request-Id was issued for another credential",
            ));
        }
        if pending.is_used {
            return Err(refuse(Reason::RequestIdUsed, "Request-Id was used before"));
        }
        pending.is_used = true;
        if now >= pending.expires_at {
            return Err(refuse(Reason::RequestIdExpired, "the challenge expired"));
        }
        Ok((pending.challenge.clone(), pending.client_public_key.clone()))
    }

    pub(crate) fn expire_all(&mut self, now: Millis) {
        for pending in &mut self.0 {
            pending.expires_at = pending.expires_at.min(now);
        }
    }
}
