//! One-time codes, and the token that a right code is answered with.

#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::{
    crypto::{
        encoding::base64url,
        json::{Json, Limits},
        key::PublicKey,
    },
    error::{Error, ErrorCode, Result},
};

/// A one-time code as the customer typed it. Wiped when dropped.
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::formats::otp::OtpCode>();
/// ```
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<gridkey::formats::otp::OtpCode>();
/// ```
pub struct OtpCode {
    characters: Box<Zeroizing<[u8; MAX_CODE_CHARS]>>,
    length: usize,
}

impl OtpCode {
    /// From 1 to 16 ASCII letters and digits. Codes are texts: leading zeros count, and Turnkey
    /// has alphanumeric ones.
    ///
    /// Fails with `invalid_argument`.
    pub fn new(code: &[u8]) -> Result<Self> {
        let is_code = (1..=MAX_CODE_CHARS).contains(&code.len())
            && code.iter().all(u8::is_ascii_alphanumeric);
        if !is_code {
            return Err(Error::invalid_argument(
                "A one-time code must be 1 to 16 letters and digits, without spaces.",
            ));
        }
        let mut characters = Box::new(Zeroizing::new([0; MAX_CODE_CHARS]));
        for (to, from) in characters.iter_mut().zip(code) {
            *to = *from;
        }
        Ok(Self {
            characters,
            length: code.len(),
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.characters.get(..self.length).unwrap_or_default()
    }
}

const MAX_CODE_CHARS: usize = 16;

/// What a verification token must say.
pub struct ExpectedToken<'a> {
    /// The enclave key that signs tokens.
    pub otp_key: &'a PublicKey,
    /// The key that was sealed with the code, and is about to become the session key.
    pub public_key: &'a PublicKey,
    /// The address or number that the code was sent to, where it is known.
    pub contact: Option<&'a str>,
    /// E.g. `OTP_TYPE_EMAIL`, where it is known.
    pub verification_type: Option<&'a str>,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// The claims of a verified token: the OTP leg's `payloadToSign`.
#[derive(Clone, Debug)]
pub struct VerificationToken {
    /// The customer's organization at Turnkey.
    pub organization_id: String,
    /// Milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl VerificationToken {
    /// Verifies a token before it is stamped.
    ///
    /// A compact JWS, ES256 with `typ` JWT, at most 8 KiB, whose claims are texts:
    /// `organization_id`, `verification_type`, `contact`, `public_key` (hex), and `exp` in
    /// milliseconds (tkhq/sdk@aaede6f packages/crypto/src/turnkey.ts,
    /// `verifyOtpVerificationToken`).
    ///
    /// Fails with
    /// - `intent_refused` where the text is an activity (`{...`), or a token for another key,
    ///   contact or purpose: a key about to become a session key must stamp nothing else;
    /// - `bundle_malformed` where it is no such token;
    /// - `bundle_untrusted` where the trusted enclave did not sign it;
    /// - `challenge_expired` where its time has passed.
    pub fn verify(text: &str, expected: &ExpectedToken<'_>) -> Result<Self> {
        if text.trim_start().starts_with('{') {
            return Err(refused("is an activity, not a verification token"));
        }
        if text.len() > MAX_TOKEN_BYTES {
            return Err(malformed("is longer than 8 KiB"));
        }
        let (signing_input, signature) = text
            .rsplit_once('.')
            .ok_or_else(|| malformed("is not three texts with dots between them"))?;
        let (header, claims) = signing_input
            .split_once('.')
            .ok_or_else(|| malformed("is not three texts with dots between them"))?;
        check_header(&read_part(header)?)?;
        let signature = base64url::decode(signature, 64)
            .map_err(|_| malformed("has a signature that is not 64 bytes in base64url"))?;
        if !expected
            .otp_key
            .verify_raw(signing_input.as_bytes(), &signature)
        {
            return Err(Error::new(
                ErrorCode::BundleUntrusted,
                format!(
                    "The verification token is not signed by the key {}, which this client \
                     trusts. Against a sandbox, give the sandbox's enclave keys in the options.",
                    expected.otp_key.fingerprint()
                ),
            ));
        }
        check_claims(&read_part(claims)?, expected)
    }
}

const MAX_TOKEN_BYTES: usize = 8 * 1024;

fn read_part(base64: &str) -> Result<Json> {
    let bytes = base64url::decode(base64, MAX_TOKEN_BYTES)
        .map_err(|_| malformed("has a part that is not base64url"))?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| malformed("has a part that is not UTF-8"))?;
    Json::parse(
        text,
        Limits {
            bytes: MAX_TOKEN_BYTES,
            depth: 16,
        },
    )
    .map_err(|error| malformed(&format!("has a part that is not JSON: {error}")))
}

fn check_header(header: &Json) -> Result<()> {
    let has = |name: &str, value: &str| header.get(name).and_then(Json::as_str) == Some(value);
    // RFC 7515 section 4.1.11: what is critical must be understood.
    if has("alg", "ES256") && has("typ", "JWT") && header.get("crit").is_none() {
        Ok(())
    } else {
        Err(malformed("has a header other than ES256 and JWT"))
    }
}

fn check_claims(claims: &Json, expected: &ExpectedToken<'_>) -> Result<VerificationToken> {
    let claim = |name: &str| claims.get(name).and_then(Json::as_str);
    let public_key = claim("public_key").and_then(|text| PublicKey::from_hex(text).ok());
    if public_key.as_ref() != Some(expected.public_key) {
        return Err(refused("is for another public key"));
    }
    if expected.contact.is_some() && claim("contact") != expected.contact {
        return Err(refused("is for another contact"));
    }
    if expected.verification_type.is_some()
        && claim("verification_type") != expected.verification_type
    {
        return Err(refused("is for another kind of verification"));
    }
    let organization_id = claim("organization_id")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| refused("names no organization"))?;
    let expires_at_ms = claim("exp")
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| refused("has no expiry in milliseconds"))?;
    if expected.now_ms >= expires_at_ms {
        return Err(Error::new(
            ErrorCode::ChallengeExpired,
            "The verification token has expired. Ask for a new code.",
        ));
    }
    Ok(VerificationToken {
        organization_id: organization_id.to_owned(),
        expires_at_ms,
    })
}

fn malformed(what: &str) -> Error {
    Error::new(
        ErrorCode::BundleMalformed,
        format!("The verification token {what}."),
    )
}

fn refused(what: &str) -> Error {
    Error::new(
        ErrorCode::IntentRefused,
        format!("The payload to sign {what}. Nothing was signed."),
    )
}
