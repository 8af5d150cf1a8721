//! Lies on order: answers that a hostile relay or a wrong enclave would give. Each falsifies the
//! honest answer; what the sandbox remembers stays honest.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{PublicKey, ecdsa::SigningKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Millis, rfc3339},
    enclaves::{
        Enclaves, export_data, generate_key, generate_signing_key, seal_session_key, sign_envelope,
        sign_jwt,
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
    /// `payloadToSign` has a stranger's key for a session, an export or a delegated signer, in the
    /// same encoding.
    SwapTargetKey,
    /// `payloadToSign` has a stranger's `credentialId` and `attestationObject`.
    SwapAttestation,
    /// `payloadToSign` is of another organization.
    OtherOrganization,
    /// `payloadToSign` is the same activity with the type of a wallet export, or that of an
    /// account's export where it is one.
    WrongActivityType,
    /// `payloadToSign` has its `type` twice, once of a wallet export.
    DuplicateMember,
    /// Likewise; the false one is written `\u0074ype`.
    EscapedDuplicateMember,
    /// `payloadToSign` has a member of its innermost object twice, once with another value.
    DuplicateParameter,
    /// Likewise; the first character of the false one's name is escaped.
    EscapedDuplicateParameter,
    /// `payloadToSign` has `invalidateExisting` among its parameters.
    ExtraParameter,
    /// `payloadToSign` was made an hour ago.
    StaleTimestamp,
    /// `payloadToSign` is made in an hour.
    FutureTimestamp,
    /// `payloadToSign` of a quote or of wallet privacy signs with another wallet.
    OtherSignWith,
    /// `payloadToSign` exports another wallet.
    OtherWalletId,
    /// `payloadToSign` sets another `userEmail`.
    OtherEmail,
    /// `payloadToSign` sets another `userPhoneNumber`.
    OtherPhone,
    /// `payloadToSign` adds a provider by a token about somebody else.
    OtherOidcToken,
    /// `payloadToSign` adds two providers.
    SecondProvider,
    /// `payloadToSign` deletes two sessions, passkeys or providers.
    TwoIds,
    /// A first leg, or a challenge, is answered as the one before for the same operation was.
    Replay,
    /// `payloadToSign` or the OTP bundle ends in a lone surrogate.
    LoneSurrogate,
    /// `payloadToSign` is a wallet export where a verification token belongs.
    JsonPayloadForOtp,
    /// The verification token is bound to a stranger's key.
    OtherTokenKey,
    /// The verification token is of another address.
    OtherContact,
    /// The verification token is of a code that was sent in another way.
    OtherTokenType,
    /// The verification token expired a minute ago.
    ExpiredToken,
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
    /// The sealed key is sealed to a stranger.
    SwapAnswerKey,
    /// There is a sealed key after a compressed `clientPublicKey`.
    SealedKeyUnasked,
    /// There is no sealed key after an uncompressed `clientPublicKey`.
    NoSealedKey,
    /// `expiresAt` of a challenge or of a quote is a minute ago.
    ExpiredChallenge,
    /// The wallet export is of another organization. Signed as it should be.
    ExportOtherOrganization,
    /// The wallet export is signed by a key of nobody, which it names.
    ExportOtherEnclaveKey,
    /// The wallet export is signed by the enclave that signs OTP bundles.
    ExportOtpEnclaveKey,
    /// One byte of what is signed in the wallet export differs.
    TamperExport,
    /// The wallet export is sealed to a stranger. Signed as it should be.
    ExportOtherReceiver,
    /// The exported mnemonic is not UTF-8. Sealed and signed as it should be.
    ExportNotUtf8,
}

/// Orders that were not carried out yet, and what can be replayed.
#[derive(Default)]
pub(crate) struct Lies {
    orders: Vec<LieOrder>,
    /// The last answer to a first leg of each operation: status and body, as they would be without
    /// lies.
    last: BTreeMap<Operation, (u16, Value)>,
}

/// What a liar knows.
pub(crate) struct Liar<'a> {
    pub(crate) enclaves: &'a Enclaves,
    pub(crate) now: Millis,
    /// The key of the session that is answered.
    pub(crate) session_key: Option<PublicKey>,
    /// `clientPublicKey` of the request.
    pub(crate) client_public_key: Option<PublicKey>,
}

const EXPORT_WALLET: &str = "ACTIVITY_TYPE_EXPORT_WALLET";
const HOUR_MS: i64 = 3_600_000;

/// Stands where a lone surrogate is to be written, which a `String` cannot hold.
const SURROGATE_MARK: &str = "\u{e000}";

impl Lies {
    pub(crate) fn order(&mut self, order: LieOrder) {
        self.orders.push(order);
    }

    /// Falsifies `answer` by the first order that can. Returns the text to send, if there was one.
    pub(crate) fn tell(
        &mut self,
        operation: Operation,
        answer: &mut Answer,
        liar: &Liar<'_>,
    ) -> Option<String> {
        let status = answer.status;
        let body = answer.body.as_mut()?;
        let previous = (payload(body).is_some() || body.get("challenge").is_some())
            .then(|| self.last.insert(operation, (status, body.clone())))
            .flatten()
            .filter(|(previous_status, _)| *previous_status == status);
        let index = self.orders.iter().position(|order| {
            order.operation.is_none_or(|wanted| wanted == operation)
                && match (order.lie, &previous) {
                    (Lie::Replay, Some((_, previous))) => {
                        previous.clone_into(body);
                        true
                    }
                    (lie, _) => liar.falsify(lie, body).is_some(),
                }
        })?;
        let order = self.orders.remove(index);
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
            Lie::SwapPayload => change_payload(body, |_| Some(self.export())),
            // What to replay is not in the answer.
            Lie::Replay => None,
            Lie::SwapTargetKey => change_parameter(body, "targetPublicKey", stranger_like)
                .or_else(|| change_parameter(body, "users/0/apiKeys/0/publicKey", stranger_like)),
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
                let kind = activity.get_mut("type")?;
                *kind = if kind == EXPORT_WALLET {
                    json!("ACTIVITY_TYPE_EXPORT_WALLET_ACCOUNT")
                } else {
                    json!(EXPORT_WALLET)
                };
                Some(())
            }),
            Lie::DuplicateMember => prefix_member(body, "type"),
            Lie::EscapedDuplicateMember => prefix_member(body, "\\u0074ype"),
            Lie::DuplicateParameter => duplicate_innermost(body, false),
            Lie::EscapedDuplicateParameter => duplicate_innermost(body, true),
            Lie::ExtraParameter => change_activity(body, |activity| {
                let parameters = activity.get_mut("parameters")?.as_object_mut()?;
                parameters.insert("invalidateExisting".to_owned(), json!(true));
                Some(())
            }),
            Lie::StaleTimestamp => set_timestamp(body, self.now.saturating_sub(HOUR_MS)),
            Lie::FutureTimestamp => set_timestamp(body, self.now.saturating_add(HOUR_MS)),
            Lie::OtherSignWith => change_parameter(body, "signWith", other_last_digit),
            Lie::OtherWalletId => change_parameter(body, "walletId", other_last_digit),
            Lie::OtherEmail => {
                change_parameter(body, "userEmail", |_| "mallory@example.com".to_owned())
            }
            Lie::OtherPhone => change_parameter(body, "userPhoneNumber", other_last_digit),
            Lie::OtherOidcToken => change_activity(body, |activity| {
                let token = activity.pointer_mut("/parameters/oauthProviders/0/oidcToken")?;
                *token = json!(about_mallory(token.as_str()?)?);
                Some(())
            }),
            Lie::SecondProvider => change_activity(body, |activity| {
                let providers = activity.pointer_mut("/parameters/oauthProviders")?;
                let mut second = providers.get(0)?.clone();
                *second.get_mut("providerName")? = json!("Mallory");
                providers.as_array_mut()?.push(second);
                Some(())
            }),
            Lie::TwoIds => change_activity(body, |activity| {
                let parameters = activity.get_mut("parameters")?.as_object_mut()?;
                let mut ids = parameters
                    .iter_mut()
                    .filter(|(name, _)| name.ends_with("Ids"));
                let (_, ids) = ids.next()?;
                ids.as_array_mut()?.push(json!(new_uuid()));
                Some(())
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
            Lie::OtherTokenType => self.change_claim(body, "verification_type", |kind| {
                let other = if kind == "OTP_TYPE_SMS" {
                    "OTP_TYPE_EMAIL"
                } else {
                    "OTP_TYPE_SMS"
                };
                other.to_owned()
            }),
            Lie::ExpiredToken => {
                self.change_claim(body, "exp", |_| self.now.saturating_sub(60_000).to_string())
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
            Lie::SwapAnswerKey => change_sealed_key(body, |_| {
                seal_session_key(&generate_key().public_key(), &generate_key()).ok()
            }),
            Lie::SealedKeyUnasked => self.add_sealed_key(body),
            Lie::NoSealedKey => body
                .as_object_mut()?
                .remove("encryptedSessionSigningKey")
                .map(|_| ()),
            Lie::ExpiredChallenge => {
                body.get("requestId")
                    .or_else(|| body.get("paymentInstructions"))?;
                *body.get_mut("expiresAt")? = json!(rfc3339(self.now.saturating_sub(60_000)));
                Some(())
            }
            Lie::ExportOtherOrganization
            | Lie::ExportOtherEnclaveKey
            | Lie::ExportOtpEnclaveKey
            | Lie::TamperExport
            | Lie::ExportOtherReceiver
            | Lie::ExportNotUtf8 => self.falsify_export(lie, body),
        }
    }

    fn falsify_export(&self, lie: Lie, body: &mut Value) -> Option<()> {
        change_text(body, "encryptedWalletCredentials", |envelope| {
            let text = signed_data(envelope)?;
            let mut data: Value = serde_json::from_slice(&text).ok()?;
            let sealed_to = |recipient: &PublicKey, plaintext: &[u8]| {
                let organization_id = data.get("organizationId")?.as_str()?;
                export_data(recipient, organization_id, plaintext).ok()
            };
            let data = match lie {
                Lie::ExportOtherEnclaveKey => {
                    return Some(sign_envelope(&generate_signing_key(), &text));
                }
                Lie::ExportOtpEnclaveKey => {
                    return Some(sign_envelope(&self.enclaves.otp, &text));
                }
                Lie::TamperExport => {
                    let ciphertext = data.get_mut("ciphertext")?;
                    *ciphertext = json!(other_last_digit(ciphertext.as_str()?));
                    let mut envelope: Value = serde_json::from_str(envelope).ok()?;
                    *envelope.get_mut("data")? = json!(hex::encode(data.to_string()));
                    return Some(envelope.to_string());
                }
                Lie::ExportOtherOrganization => {
                    *data.get_mut("organizationId")? = json!(new_uuid());
                    data.to_string()
                }
                Lie::ExportOtherReceiver => {
                    sealed_to(&generate_key().public_key(), b"not for you")?
                }
                Lie::ExportNotUtf8 => sealed_to(&self.client_public_key?, b"legal \xff winner")?,
                _ => return None,
            };
            Some(sign_envelope(&self.enclaves.export, data.as_bytes()))
        })
    }

    fn export(&self) -> String {
        json!({
            "organizationId": new_uuid(),
            "parameters": {
                "targetPublicKey": uncompressed_hex(&generate_key().public_key()),
                "walletId": new_uuid(),
            },
            "timestampMs": self.now.to_string(),
            "type": EXPORT_WALLET,
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

/// `payloadToSign`, which in a quote stands in its payment instructions.
fn payload(body: &mut Value) -> Option<&mut Value> {
    let pointer = [
        "/payloadToSign",
        "/paymentInstructions/0/accountOrWalletInfo/payloadToSign",
    ]
    .into_iter()
    .find(|pointer| body.pointer(pointer).is_some())?;
    body.pointer_mut(pointer)
}

fn change_payload(body: &mut Value, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    let payload = payload(body)?;
    *payload = json!(change(payload.as_str()?)?);
    Some(())
}

/// Puts the type of a wallet export before all members of an activity.
fn prefix_member(body: &mut Value, name: &str) -> Option<()> {
    change_payload(body, |payload| {
        let rest = payload.strip_prefix('{')?;
        Some(format!("{{\"{name}\":\"{EXPORT_WALLET}\",{rest}"))
    })
}

/// Puts a member with another value before the members of the object that begins last.
fn duplicate_innermost(body: &mut Value, is_escaped: bool) -> Option<()> {
    change_payload(body, |payload| {
        let (before, members) = payload.rsplit_once("{\"")?;
        let (name, _) = members.split_once('"')?;
        let object = format!("{{\"{members}");
        let object = serde_json::Deserializer::from_str(&object);
        let object: Value = object.into_iter().next()?.ok()?;
        let value = match object.get(name)? {
            Value::String(text) if parse_hex(text).is_some() => json!(stranger_like(text)),
            Value::String(_) => json!(new_uuid()),
            _ => json!([new_uuid()]),
        };
        let name = if is_escaped {
            let mut characters = name.chars();
            let first = u32::from(characters.next()?);
            format!("\\u{first:04x}{}", characters.as_str())
        } else {
            name.to_owned()
        };
        Some(format!("{before}{{\"{name}\":{value},\"{members}"))
    })
}

fn set_timestamp(body: &mut Value, now: Millis) -> Option<()> {
    change_activity(body, |activity| {
        *activity.get_mut("timestampMs")? = json!(now.to_string());
        Some(())
    })
}

/// Changes a text among an activity's parameters.
fn change_parameter(body: &mut Value, path: &str, change: impl Fn(&str) -> String) -> Option<()> {
    change_activity(body, |activity| {
        let parameter = activity.pointer_mut(&format!("/parameters/{path}"))?;
        *parameter = json!(change(parameter.as_str()?));
        Some(())
    })
}

/// An ID token with another `sub`. Its signature is as false as that.
fn about_mallory(token: &str) -> Option<String> {
    let mut claims = claims(token)?;
    *claims.get_mut("sub")? = json!("mallory");
    let (header, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    Some(format!("{header}.{claims}.{signature}"))
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
