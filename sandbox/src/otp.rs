//! One-time passwords: the target bundle, the attempt sealed to it, and the verification token.
//!
//! Formats: tkhq/sdk@aaede6f, packages/crypto.

use p256::PublicKey;
use serde::Deserialize;
use serde_json::json;

use crate::{
    clock::Millis,
    enclaves::{Enclaves, generate_key, open, sign_envelope, sign_jwt},
    errors::{GridError, Reason, Result},
    keys::{compressed_hex, parse_hex, uncompressed_hex},
    state::{Account, CustomerRecord, IssuedOtp, new_uuid},
};

/// The code that every customer "receives", as in Grid's own sandbox.
pub const OTP_CODE: &str = "000000";

/// How a code is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Channel {
    Email,
    Sms,
}

impl Channel {
    /// The credential type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL_OTP",
            Self::Sms => "SMS_OTP",
        }
    }

    /// `verification_type` of a token.
    fn verification_type(self) -> &'static str {
        match self {
            Self::Email => "OTP_TYPE_EMAIL",
            Self::Sms => "OTP_TYPE_SMS",
        }
    }

    /// Where the customer's codes of this kind are sent.
    pub(crate) fn contact(self, customer: &CustomerRecord) -> &str {
        match self {
            Self::Email => &customer.email,
            Self::Sms => &customer.phone_number,
        }
    }
}

/// Issues a code: what to remember, and the `otpEncryptionTargetBundle` for the client.
pub(crate) fn issue(
    enclaves: &Enclaves,
    account: &Account,
    expires_at: Millis,
) -> (IssuedOtp, String) {
    let target = generate_key();
    let data = json!({
        "organizationId": account.organization_id,
        "targetPublic": uncompressed_hex(&target.public_key()),
        "userId": account.user_id,
    });
    let bundle = sign_envelope(&enclaves.otp, data.to_string().as_bytes());
    (IssuedOtp { target, expires_at }, bundle)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EncryptedOtpBundle {
    encapped_public: String,
    ciphertext: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtpAttempt {
    otp_code: String,
    public_key: String,
}

/// Opens an `encryptedOtpBundle` and checks the code. Returns the key that the session will have.
pub(crate) fn check_attempt(issued: &IssuedOtp, bundle: &str, now: Millis) -> Result<PublicKey> {
    let sealed: EncryptedOtpBundle = serde_json::from_str(bundle).map_err(|_| malformed())?;
    // Turnkey writes `enc` uncompressed in JSON bundles.
    let enc = parse_hex(&sealed.encapped_public).filter(|_| sealed.encapped_public.len() == 130);
    let enc = enc.ok_or_else(malformed)?;
    let ciphertext = hex::decode(&sealed.ciphertext).map_err(|_| malformed())?;
    if now >= issued.expires_at {
        return Err(GridError::unauthorized(
            Reason::OtpExpired,
            "the code expired",
        ));
    }
    let attempt = open(&issued.target, &enc, &ciphertext).ok_or_else(|| {
        GridError::unauthorized(
            Reason::OtpBundleUndecryptable,
            "the bundle is not sealed to the latest target key",
        )
    })?;
    let attempt: OtpAttempt = serde_json::from_slice(&attempt).map_err(|_| malformed())?;
    let public_key = parse_hex(&attempt.public_key).ok_or_else(malformed)?;
    if attempt.otp_code != OTP_CODE {
        return Err(GridError::unauthorized(
            Reason::OtpCodeWrong,
            "the code is wrong",
        ));
    }
    Ok(public_key)
}

fn malformed() -> GridError {
    GridError::invalid_input(
        Reason::OtpBundleMalformed,
        "encryptedOtpBundle is malformed",
    )
}

/// The claims of a `verificationToken`, all of them texts.
pub(crate) fn verification_token(
    enclaves: &Enclaves,
    account: &Account,
    (channel, contact): (Channel, &str),
    public_key: &PublicKey,
    expires_at: Millis,
) -> String {
    let claims = json!({
        "contact": contact,
        "exp": expires_at.to_string(),
        "id": new_uuid(),
        "organization_id": account.organization_id,
        "public_key": compressed_hex(public_key),
        "verification_type": channel.verification_type(),
    });
    sign_jwt(&enclaves.otp, &claims)
}
