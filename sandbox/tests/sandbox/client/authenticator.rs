//! A software authenticator: makes attestations and assertions, right or wrong.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ciborium::cbor;
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::{Generate, sec1::ToSec1Point},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ORIGIN;

pub struct Passkey {
    pub key: SecretKey,
    pub credential_id: Vec<u8>,
    pub origin: String,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub format: &'static str,
    pub has_statement: bool,
    pub algorithm: i32,
}

impl Passkey {
    pub fn new() -> Self {
        let key = SecretKey::generate();
        let credential_id = Sha256::digest(key.to_bytes()).to_vec();
        Self {
            key,
            credential_id,
            origin: ORIGIN.to_owned(),
            rp_id: "localhost".to_owned(),
            flags: 0b0000_0101,
            counter: 0,
            format: "none",
            has_statement: false,
            algorithm: -7,
        }
    }

    pub fn id(&self) -> String {
        encode(&self.credential_id)
    }

    fn client_data(&self, kind: &str, challenge: &[u8]) -> String {
        json!({
            "type": kind,
            "challenge": encode(challenge),
            "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn auth_data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `attestation` over `challenge`.
    pub fn attest(&self, challenge: &[u8]) -> Value {
        self.attestation_of(challenge, self.attested_auth_data())
    }

    /// Authenticator data with the credential's id and key.
    pub fn attested_auth_data(&self) -> Vec<u8> {
        let mut auth_data = self.auth_data(self.flags | 0b0100_0000);
        auth_data.extend([0; 16]);
        auth_data.extend(
            u16::try_from(self.credential_id.len())
                .unwrap()
                .to_be_bytes(),
        );
        auth_data.extend(&self.credential_id);
        let point = self.key.public_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap().to_vec(), point.y().unwrap().to_vec());
        let cose = cbor!({
            1 => 2, 3 => self.algorithm, -1 => 1,
            -2 => ciborium::Value::Bytes(x), -3 => ciborium::Value::Bytes(y),
        });
        ciborium::into_writer(&cose.unwrap(), &mut auth_data).unwrap();
        auth_data
    }

    pub fn attestation_of(&self, challenge: &[u8], auth_data: Vec<u8>) -> Value {
        json!({
            "credentialId": self.id(),
            "clientDataJson": encode(self.client_data("webauthn.create", challenge)),
            "attestationObject": encode(self.attestation_object(auth_data)),
            "transports": ["internal", "hybrid"],
        })
    }

    pub fn attestation_object(&self, auth_data: Vec<u8>) -> Vec<u8> {
        let statement = if self.has_statement {
            cbor!({ "alg" => -7 })
        } else {
            cbor!({})
        };
        let object = cbor!({
            "fmt" => self.format, "attStmt" => statement.unwrap(),
            "authData" => ciborium::Value::Bytes(auth_data),
        });
        let mut bytes = Vec::new();
        ciborium::into_writer(&object.unwrap(), &mut bytes).unwrap();
        bytes
    }

    /// `assertion` over `challenge`, after counting.
    pub fn assert(&mut self, challenge: &[u8]) -> Value {
        self.assert_as("webauthn.get", challenge)
    }

    pub fn assert_as(&mut self, kind: &str, challenge: &[u8]) -> Value {
        self.counter = self.counter.wrapping_add(1);
        self.make_assertion(kind, challenge)
    }

    /// `assertion` over `challenge` with the counter as it is.
    pub fn assert_uncounted(&self, challenge: &[u8]) -> Value {
        self.make_assertion("webauthn.get", challenge)
    }

    fn make_assertion(&self, kind: &str, challenge: &[u8]) -> Value {
        let auth_data = self.auth_data(self.flags);
        let client_data = self.client_data(kind, challenge);
        let signed = [auth_data.clone(), Sha256::digest(&client_data).to_vec()].concat();
        let signature: Signature = SigningKey::from(&self.key).sign(&signed);
        json!({
            "credentialId": self.id(),
            "clientDataJson": encode(client_data),
            "authenticatorData": encode(auth_data),
            "signature": encode(signature.to_der().as_bytes()),
            "userHandle": encode(b"user"),
        })
    }
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
