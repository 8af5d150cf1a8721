//! Lies on order: answers that a hostile relay or a wrong enclave would give. Each falsifies the
//! honest answer; what the sandbox remembers stays honest.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{PublicKey, ecdsa::SigningKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    enclaves::{
        Enclaves, generate_key, generate_signing_key, seal_session_key, sign_envelope, sign_jwt,
    },
    http::Answer,
    keys::{compressed_hex, parse_hex, uncompressed_hex},
    operation::Operation,
    state::new_uuid,
};

/// A lie, and the answers it is meant for.
#[derive(Clone, Copy, Debug)]
pub struct LieOrder {
    /// Only answers of this operation.
    pub operation: Option<Operation>,
    /// What is falsified, in the next answer that has it.
    pub lie: Lie,
}

/// What can be falsified. In JSON `"swapPayload"` and so on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Lie {
    /// `payloadToSign` is a wallet export to a stranger's key.
    SwapPayload,
    /// `payloadToSign` has a stranger's `targetPublicKey`, in the same encoding.
    SwapTargetKey,
    /// `payloadToSign` has a stranger's `credentialId` and `attestationObject`.
    SwapAttestation,
    /// `payloadToSign` is of another organization.
    OtherOrganization,
    /// `payloadToSign` is the same activity with the type of a wallet export.
    WrongActivityType,
    /// `payloadToSign` has its `type` twice, once of a wallet export.
    DuplicateMember,
    /// `payloadToSign` or the OTP bundle ends in a lone surrogate.
    LoneSurrogate,
    /// `payloadToSign` is a wallet export where a verification token belongs.
    JsonPayloadForOtp,
    /// The verification token is bound to a stranger's key.
    OtherTokenKey,
    /// The verification token is of another address.
    OtherContact,
    /// The OTP bundle or the verification token is signed by a key of nobody; the bundle says so in
    /// `enclaveQuorumPublic`.
    OtherEnclaveKey,
    /// The OTP bundle or the verification token is signed by the enclave that signs exports.
    ExportEnclaveKey,
    /// One byte of what is signed in the OTP bundle or the verification token differs.
    TamperBundle,
    /// The OTP bundle's target key is compressed. Signed as it should be.
    CompressedTarget,
    /// The OTP bundle's target key is not on the curve. Signed as it should be.
    InvalidCurveTarget,
    /// The OTP bundle or the sealed key ends in the middle.
    TruncateBundle,
    /// The OTP bundle has 128 KiB more whitespace, the sealed key 128 KiB more digits.
    OversizedBundle,
    /// One byte of the sealed key's ciphertext differs; the checksum is right.
    TamperSealedKey,
    /// There is a sealed key after a compressed `clientPublicKey`.
    SealedKeyUnasked,
    /// There is no sealed key after an uncompressed `clientPublicKey`.
    NoSealedKey,
    /// `expiresAt` of a challenge is a minute ago.
    ExpiredChallenge,
}

/// Orders that were not carried out yet.
#[derive(Default)]
pub(crate) struct Lies(Vec<LieOrder>);

/// What a liar knows.
pub(crate) struct Liar<'a> {
    pub(crate) enclaves: &'a Enclaves,
    pub(crate) now: Millis,
    /// The key of the session that is answered.
    pub(crate) session_key: Option<PublicKey>,
}

/// Stands where a lone surrogate is to be written, which a `String` cannot hold.
const SURROGATE_MARK: &str = "\u{e000}";

impl Lies {
    pub(crate) fn order(&mut self, order: LieOrder) {
        self.0.push(order);
    }

    /// Falsifies `answer` by the first order that can. Returns the text to send, if there was one.
    pub(crate) fn tell(
        &mut self,
        operation: Operation,
        answer: &mut Answer,
        liar: &Liar<'_>,
    ) -> Option<String> {
        let body = answer.body.as_mut()?;
        let index = self.0.iter().position(|order| {
            order.operation.is_none_or(|wanted| wanted == operation)
                && liar.falsify(order.lie, body).is_some()
        })?;
        let order = self.0.remove(index);
        let text = answer.text();
        Some(match order.lie {
            Lie::LoneSurrogate => text.replace(SURROGATE_MARK, "\\ud800"),
            _ => text,
        })
    }
}

impl Liar<'_> {
    /// `None` if `body` has nothing that this lie is about; then it is as it was.
    fn falsify(&self, lie: Lie, body: &mut Value) -> Option<()> {
        match lie {
            Lie::SwapPayload => body
                .get_mut("payloadToSign")
                .map(|payload| *payload = json!(self.export())),
            Lie::SwapTargetKey => change_activity(body, |activity| {
                let target = activity.pointer_mut("/parameters/targetPublicKey")?;
                *target = json!(stranger_like(target.as_str()?));
                Some(())
            }),
            Lie::SwapAttestation => change_activity(body, |activity| {
                let attestation =
                    activity.pointer_mut("/parameters/authenticators/0/attestation")?;
                let stranger = generate_key().to_bytes();
                let object = attestation.get_mut("attestationObject")?;
                *object = json!(flip_last_byte(object.as_str()?)?);
                *attestation.get_mut("credentialId")? =
                    json!(BASE64_URL_SAFE_NO_PAD.encode(stranger));
                Some(())
            }),
            Lie::OtherOrganization => change_activity(body, |activity| {
                *activity.get_mut("organizationId")? = json!(new_uuid());
                Some(())
            }),
            Lie::WrongActivityType => change_activity(body, |activity| {
                *activity.get_mut("type")? = json!("ACTIVITY_TYPE_EXPORT_WALLET");
                Some(())
            }),
            Lie::DuplicateMember => change_payload(body, |payload| {
                let rest = payload.strip_prefix('{')?;
                Some(format!("{{\"type\":\"ACTIVITY_TYPE_EXPORT_WALLET\",{rest}"))
            }),
            Lie::LoneSurrogate => {
                let add = |text: &str| Some(format!("{text}{SURROGATE_MARK}"));
                change_payload(body, add).or_else(|| change_bundle(body, add))
            }
            Lie::JsonPayloadForOtp => change_payload(body, |payload| {
                (!payload.starts_with('{')).then(|| self.export())
            }),
            Lie::OtherTokenKey => self.change_claim(body, "public_key", stranger_like),
            Lie::OtherContact => {
                self.change_claim(body, "contact", |_| "mallory@example.com".to_owned())
            }
            Lie::OtherEnclaveKey => sign_again(body, &generate_signing_key()),
            Lie::ExportEnclaveKey => sign_again(body, &self.enclaves.export),
            Lie::TamperBundle => tamper(body),
            Lie::CompressedTarget => {
                self.change_target(body, |target| Some(compressed_hex(&parse_hex(target)?)))
            }
            Lie::InvalidCurveTarget => {
                // For one x only y and p - y solve the equation.
                self.change_target(body, |target| Some(other_last_digit(target)))
            }
            Lie::TruncateBundle => {
                let half = |text: &str| Some(text.chars().take(text.len().div_euclid(2)).collect());
                change_bundle(body, half).or_else(|| change_sealed_key(body, half))
            }
            Lie::OversizedBundle => {
                let padding = 128 << 10;
                let blank = |text: &str| {
                    Some(format!(
                        "{}{}}}",
                        text.strip_suffix('}')?,
                        " ".repeat(padding)
                    ))
                };
                let digits = |text: &str| Some(format!("{text}{}", "2".repeat(padding)));
                change_bundle(body, blank).or_else(|| change_sealed_key(body, digits))
            }
            Lie::TamperSealedKey => change_sealed_key(body, |sealed| {
                let mut bytes = bs58::decode(sealed).with_check(None).into_vec().ok()?;
                *bytes.last_mut()? ^= 1;
                Some(bs58::encode(bytes).with_check().into_string())
            }),
            Lie::SealedKeyUnasked => self.add_sealed_key(body),
            Lie::NoSealedKey => body
                .as_object_mut()?
                .remove("encryptedSessionSigningKey")
                .map(|_| ()),
            Lie::ExpiredChallenge => {
                body.get("requestId")?;
                *body.get_mut("expiresAt")? = json!(rfc3339(self.now.saturating_sub(60_000)));
                Some(())
            }
        }
    }

    fn export(&self) -> String {
        json!({
            "organizationId": new_uuid(),
            "parameters": {
                "targetPublicKey": uncompressed_hex(&generate_key().public_key()),
                "walletId": new_uuid(),
            },
            "timestampMs": self.now.to_string(),
            "type": "ACTIVITY_TYPE_EXPORT_WALLET",
        })
        .to_string()
    }

    fn change_claim(
        &self,
        body: &mut Value,
        name: &str,
        change: impl Fn(&str) -> String,
    ) -> Option<()> {
        change_payload(body, |token| {
            let mut claims = claims(token)?;
            let claim = claims.get_mut(name)?;
            *claim = json!(change(claim.as_str()?));
            Some(sign_jwt(&self.enclaves.otp, &claims))
        })
    }

    fn change_target(
        &self,
        body: &mut Value,
        change: impl Fn(&str) -> Option<String>,
    ) -> Option<()> {
        change_bundle(body, |bundle| {
            let mut data: Value = serde_json::from_slice(&signed_data(bundle)?).ok()?;
            let target = data.get_mut("targetPublic")?;
            *target = json!(change(target.as_str()?)?);
            Some(sign_envelope(
                &self.enclaves.otp,
                data.to_string().as_bytes(),
            ))
        })
    }

    fn add_sealed_key(&self, body: &mut Value) -> Option<()> {
        body.get("expiresAt")
            .filter(|_| body.get("requestId").is_none())?;
        let members = body.as_object_mut()?;
        if members.contains_key("encryptedSessionSigningKey") {
            return None;
        }
        let sealed = seal_session_key(&self.session_key?, &generate_key()).ok()?;
        members.insert("encryptedSessionSigningKey".to_owned(), json!(sealed));
        Some(())
    }
}

fn change_text(
    body: &mut Value,
    name: &str,
    change: impl Fn(&str) -> Option<String>,
) -> Option<()> {
    let text = body.get_mut(name)?;
    *text = json!(change(text.as_str()?)?);
    Some(())
}

fn change_payload(body: &mut Value, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    change_text(body, "payloadToSign", change)
}

fn change_bundle(body: &mut Value, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    change_text(body, "otpEncryptionTargetBundle", change)
}

fn change_sealed_key(body: &mut Value, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    change_text(body, "encryptedSessionSigningKey", change)
}

fn change_activity(body: &mut Value, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    change_payload(body, |payload| {
        let mut activity = serde_json::from_str(payload).ok()?;
        change(&mut activity)?;
        Some(activity.to_string())
    })
}

/// Signs the OTP bundle or the verification token again, with `key`.
fn sign_again(body: &mut Value, key: &SigningKey) -> Option<()> {
    change_bundle(body, |bundle| {
        Some(sign_envelope(key, &signed_data(bundle)?))
    })
    .or_else(|| change_payload(body, |token| Some(sign_jwt(key, &claims(token)?))))
}

/// Changes one byte under the signature, where nothing but the signature shows it.
fn tamper(body: &mut Value) -> Option<()> {
    let change_last_digit = |member: &mut Value| {
        *member = json!(other_last_digit(member.as_str()?));
        Some(())
    };
    change_bundle(body, |bundle| {
        let mut envelope: Value = serde_json::from_str(bundle).ok()?;
        let mut data: Value = serde_json::from_slice(&signed_data(bundle)?).ok()?;
        change_last_digit(data.get_mut("userId")?)?;
        *envelope.get_mut("data")? = json!(hex::encode(data.to_string()));
        Some(envelope.to_string())
    })
    .or_else(|| {
        change_payload(body, |token| {
            let mut claims = claims(token)?;
            change_last_digit(claims.get_mut("exp")?)?;
            let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
            let (header, rest) = token.split_once('.')?;
            let (_, signature) = rest.split_once('.')?;
            Some(format!("{header}.{claims}.{signature}"))
        })
    })
}

fn signed_data(bundle: &str) -> Option<Vec<u8>> {
    let envelope: Value = serde_json::from_str(bundle).ok()?;
    hex::decode(envelope.get("data")?.as_str()?).ok()
}

fn claims(token: &str) -> Option<Value> {
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1)?)
        .ok()?;
    serde_json::from_slice(&claims).ok()
}

/// Another key, in the encoding of `key`.
fn stranger_like(key: &str) -> String {
    let stranger = generate_key().public_key();
    if key.starts_with("04") {
        uncompressed_hex(&stranger)
    } else {
        compressed_hex(&stranger)
    }
}

fn other_last_digit(text: &str) -> String {
    let mut text = text.to_owned();
    let last = text.pop().unwrap_or('0');
    text.push(if last == '0' { '1' } else { '0' });
    text
}

fn flip_last_byte(base64url: &str) -> Option<String> {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(base64url).ok()?;
    *bytes.last_mut()? ^= 1;
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
