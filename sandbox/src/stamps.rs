//! `Grid-Wallet-Signature`: unpadded base64url of `{"publicKey","scheme","signature"}`, the key SEC1
//! compressed hex, the signature DER hex, ECDSA P-256 over SHA-256 of the payload's bytes
//! (tkhq/sdk@aaede6f, packages/api-key-stamper).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{
    PublicKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
};
use serde::Deserialize;

use crate::{
    errors::{Code, GridError, Reason, Result},
    keys::parse_hex,
};

const SCHEME: &str = "SIGNATURE_SCHEME_TK_API_P256";

pub(crate) struct Stamp {
    pub(crate) public_key: PublicKey,
    signature: Signature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StampText {
    public_key: String,
    scheme: String,
    signature: String,
}

impl Stamp {
    pub(crate) fn parse(header: &str) -> Result<Self> {
        Self::read(header).ok_or_else(|| {
            GridError::new(
                Code::WalletSignatureMalformed,
                Reason::StampMalformed,
                "Grid-Wallet-Signature is not a stamp",
            )
        })
    }

    fn read(header: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(header).ok()?;
        let text: StampText = serde_json::from_slice(&json).ok()?;
        if text.scheme != SCHEME || text.public_key.len() != 66 {
            return None;
        }
        Some(Self {
            public_key: parse_hex(&text.public_key)?,
            signature: Signature::from_der(&hex::decode(text.signature).ok()?).ok()?,
        })
    }

    /// Checks the signature over `payload`.
    pub(crate) fn verify(&self, payload: &str) -> Result<()> {
        VerifyingKey::from(&self.public_key)
            .verify(payload.as_bytes(), &self.signature)
            .map_err(|_| {
                invalid(
                    Reason::StampSignatureInvalid,
                    "Grid-Wallet-Signature does not verify over payloadToSign",
                )
            })
    }
}

pub(crate) fn invalid(reason: Reason, message: &'static str) -> GridError {
    GridError::new(Code::WalletSignatureInvalid, reason, message)
}
