//! One-time codes, and the token that a right code is answered with.

#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, boxed::Box, string::String};

use zeroize::Zeroizing;

use crate::{
    crypto::{
        encoding::{base64url, decimal},
        json::{Json, Limits},
        key::PublicKey,
    },
    error::{Error, ErrorCode, Result, cut, filled},
};

/// A one-time code as the customer typed it. Wiped when dropped.
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::formats::otp::OtpCode>();
/// ```
///
/// ```compile_fail
/// fn print<T: core::fmt::Debug>() {}
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
    ///   contact or purpose: a key about to become a session key must stamp nothing else; its
    ///   `reason` is `type`, `parameters`, `organization` or `timestamp`;
    /// - `bundle_malformed` where it is no such token;
    /// - `bundle_untrusted` where the trusted enclave did not sign it;
    /// - `challenge_expired` where its time has passed.
    pub fn verify(text: &str, expected: &ExpectedToken<'_>) -> Result<Self> {
        if text.bytes().find(|byte| !byte.is_ascii_whitespace()) == Some(b'{') {
            return Err(refused("type", "is an activity, not a verification token"));
        }
        if text.len() > MAX_TOKEN_BYTES {
            return Err(malformed("is longer than 8 KiB"));
        }
        let (signing_input, header, claims, signature) =
            split(text).ok_or_else(|| malformed("is not three texts with dots between them"))?;
        check_header(&read_part(header).ok_or_else(not_json)?)?;
        let signature = base64url::decode(signature, 64)
            .map_err(|_| malformed("has a signature that is not 64 bytes in base64url"))?;
        if !expected
            .otp_key
            .verify_raw(signing_input.as_bytes(), &signature)
        {
            return Err(Error::new(
                ErrorCode::BundleUntrusted,
                filled(
                    "The verification token is not signed by the key {}, which this client trusts. \
                     Against a sandbox, give the sandbox's enclave keys in the options.",
                    &[&expected.otp_key.fingerprint()],
                ),
            ));
        }
        check_claims(&read_part(claims).ok_or_else(not_json)?, expected)
    }
}

/// The longest token, in bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// `header.claims`, `header`, `claims` and `signature`: RFC 7515 section 3.1.
pub(crate) fn split(token: &str) -> Option<(&str, &str, &str, &str)> {
    let (header, rest) = cut(token, b'.');
    let (claims, signature) = cut(rest?, b'.');
    let (signature, None) = cut(signature?, b'.') else {
        return None;
    };
    let signed_bytes = token.len().checked_sub(signature.len())?.checked_sub(1)?;
    Some((token.get(..signed_bytes)?, header, claims, signature))
}

/// The JSON in a header or in claims.
pub(super) fn read_part(base64: &str) -> Option<Json> {
    read_base64url(base64, MAX_TOKEN_BYTES)
}

/// The JSON in base64url.
#[inline(never)]
pub(super) fn read_base64url(base64: &str, max_bytes: usize) -> Option<Json> {
    let bytes = base64url::decode(base64, max_bytes).ok()?;
    let text = core::str::from_utf8(&bytes).ok()?;
    let limits = Limits {
        bytes: max_bytes,
        depth: 16,
    };
    Json::parse(text, limits).ok()
}

fn check_header(header: &Json) -> Result<()> {
    let has = |name: &str, value: &str| header.text(name) == Some(value);
    // RFC 7515 section 4.1.11: what is critical must be understood.
    if has("alg", "ES256") && has("typ", "JWT") && header.get("crit").is_none() {
        Ok(())
    } else {
        Err(malformed("has a header other than ES256 and JWT"))
    }
}

fn check_claims(claims: &Json, expected: &ExpectedToken<'_>) -> Result<VerificationToken> {
    let claim = |name| claims.text(name);
    let public_key = claim("public_key").and_then(|text| PublicKey::from_hex(text).ok());
    if public_key.as_ref() != Some(expected.public_key) {
        return Err(refused("parameters", "is for another public key"));
    }
    if expected.contact.is_some() && claim("contact") != expected.contact {
        return Err(refused("parameters", "is for another contact"));
    }
    if expected.verification_type.is_some()
        && claim("verification_type") != expected.verification_type
    {
        return Err(refused("parameters", "is for another kind of verification"));
    }
    let organization_id = claim("organization_id")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| refused("organization", "names no organization"))?;
    let expires_at_ms = claim("exp")
        .and_then(decimal::decode)
        .and_then(|number| i64::try_from(number).ok())
        .ok_or_else(|| refused("timestamp", "has no expiry in milliseconds"))?;
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
        filled("The verification token {}.", &[what]),
    )
}

fn not_json() -> Error {
    malformed("has a part that is not JSON in base64url")
}

fn refused(reason: &'static str, what: &str) -> Error {
    Error::new(
        ErrorCode::IntentRefused,
        filled("The payload to sign {}. Nothing was signed.", &[what]),
    )
    .with_reason(reason)
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::Signature;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::{key::PrivateKey, random::SystemRandom};

    const NOW: i64 = 1_782_919_651_260;

    #[test]
    fn codes_are_1_to_16_letters_and_digits() {
        for taken in ["0", "000000", "aB3", "0123456789abcdef"] {
            assert_eq!(
                OtpCode::new(taken.as_bytes()).unwrap().as_bytes(),
                taken.as_bytes()
            );
        }
        for refused in [
            "",
            "0123456789abcdefg",
            " 000000",
            "000000 ",
            "000 000",
            "00\"0",
            "00\\",
            "0-0",
            "\0",
            "é",
            "１２３",
        ] {
            let error = OtpCode::new(refused.as_bytes()).err().unwrap();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{refused}");
        }
        assert!(OtpCode::new(&[0xff]).is_err());
    }

    #[test]
    fn takes_a_token_that_says_what_is_expected() {
        let token = Token::new();
        let verified = token.verify().unwrap();
        assert_eq!(verified.organization_id, "org");
        assert_eq!(verified.expires_at_ms, NOW + 1);
        // The key as a point, in either form.
        let mut uncompressed = Token::new();
        uncompressed.set(
            "public_key",
            uncompressed.own.public_key().to_uncompressed_hex(),
        );
        assert!(uncompressed.verify().is_ok());
        // What is not known is not compared.
        let mut unknown = Token::new();
        unknown.set("contact", "somebody@example.com");
        unknown.set("verification_type", "OTP_TYPE_SMS");
        assert!(unknown.verify_as(None, None, NOW).is_ok());
    }

    #[test]
    fn refuses_other_claims() {
        let other = PrivateKey::generate(&SystemRandom).unwrap();
        for (name, value) in [
            ("public_key", other.public_key().to_compressed_hex()),
            ("public_key", String::new()),
            ("contact", "mallory@example.com".to_owned()),
            ("contact", "USER@example.com".to_owned()),
            ("verification_type", "OTP_TYPE_SMS".to_owned()),
            ("organization_id", String::new()),
        ] {
            let mut token = Token::new();
            token.set(name, value.as_str());
            assert_eq!(token.refusal(), ErrorCode::IntentRefused, "{name} {value}");
            let reason = if name == "organization_id" {
                "organization"
            } else {
                "parameters"
            };
            assert_eq!(token.verify().unwrap_err().reason(), Some(reason), "{name}");
        }
        for name in [
            "public_key",
            "contact",
            "verification_type",
            "organization_id",
            "exp",
        ] {
            let mut token = Token::new();
            token.claims.retain(|(claim, _)| claim != name);
            assert_eq!(token.refusal(), ErrorCode::IntentRefused, "no {name}");
            let mut token = Token::new();
            token.set(name, 1_u64);
            assert_eq!(
                token.refusal(),
                ErrorCode::IntentRefused,
                "{name} as a number"
            );
        }
    }

    #[test]
    fn whatever_is_not_provably_fresh_is_refused() {
        let token = Token::new();
        let at = |now: i64| {
            token
                .verify_as(None, None, now)
                .map_err(|error| error.code())
        };
        assert!(at(NOW).is_ok());
        assert!(at(i64::MIN).is_ok());
        for now in [NOW + 1, NOW + 2, i64::MAX] {
            assert_eq!(at(now).err(), Some(ErrorCode::ChallengeExpired), "{now}");
        }
        for exp in [
            "",
            "NaN",
            "Infinity",
            "1e15",
            "+1",
            "-1",
            " 9",
            "9 ",
            "0x9",
            "9.0",
            "١",
            "99999999999999999999",
        ] {
            let mut token = Token::new();
            token.set("exp", exp);
            assert_eq!(token.refusal(), ErrorCode::IntentRefused, "{exp}");
            assert_eq!(token.verify().unwrap_err().reason(), Some("timestamp"));
        }
        // Seconds instead of milliseconds lie in 1970.
        let mut token = Token::new();
        token.set("exp", "1782919651");
        assert_eq!(token.refusal(), ErrorCode::ChallengeExpired);
    }

    /// A key about to become a session key must not stamp an activity at this place.
    #[test]
    fn activities_are_refused() {
        let token = Token::new();
        for text in [
            "{}",
            r#"{"type":"ACTIVITY_TYPE_EXPORT_WALLET"}"#,
            " {}",
            "\n\t{",
            &format!("{{{}", "x".repeat(MAX_TOKEN_BYTES)),
        ] {
            let refused = VerificationToken::verify(text, &token.expected(None, None, NOW));
            let error = refused.unwrap_err();
            assert_eq!(error.code(), ErrorCode::IntentRefused);
            assert_eq!(error.reason(), Some("type"));
        }
    }

    #[test]
    fn other_signatures_are_untrusted() {
        let mut token = Token::new();
        token.signer = PrivateKey::generate(&SystemRandom).unwrap();
        assert_eq!(token.refusal(), ErrorCode::BundleUntrusted);

        let token = Token::new();
        let text = token.text();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let mut bytes = base64url::decode(signature, 64).unwrap();
        bytes[40] ^= 1;
        let zeros = [0; 64];
        for signature in [bytes.as_slice(), &zeros, &bytes[..63], &[]] {
            let text = format!("{signed}.{}", base64url::encode(signature));
            assert_eq!(token.refusal_of(&text), ErrorCode::BundleUntrusted);
        }
    }

    #[test]
    fn other_headers_are_malformed() {
        for header in [
            r#"{"typ":"JWT","alg":"none"}"#,
            r#"{"typ":"JWT","alg":"HS256"}"#,
            r#"{"typ":"JWT","alg":"es256"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":"turnkey"}"#,
            r#"{"typ":"JWT","alg":"ES256","crit":["b64"],"b64":false}"#,
            r#"{"typ":"JWT","alg":"ES256","alg":"ES256"}"#,
            "[]",
            "",
        ] {
            let mut token = Token::new();
            token.header = header;
            assert_eq!(token.refusal(), ErrorCode::BundleMalformed, "{header}");
        }
    }

    #[test]
    fn other_texts_are_malformed() {
        let token = Token::new();
        let text = token.text();
        for refused in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "x".to_owned(),
            format!(" {text}"),
            format!("{text} "),
            format!("{text}="),
            format!("{text}.{text}"),
            text.replacen('.', "", 1),
            text.replace('.', " "),
            format!("{text}AAAA"),
        ] {
            assert_eq!(
                token.refusal_of(&refused),
                ErrorCode::BundleMalformed,
                "{refused}"
            );
        }
        let mut duplicate = Token::new();
        duplicate.claims.push(duplicate.claims[0].clone());
        assert_eq!(duplicate.refusal(), ErrorCode::BundleMalformed);
    }

    #[test]
    fn is_capped_at_8_kib() {
        let token = Token::new();
        let message = |length: usize| {
            let refused =
                VerificationToken::verify(&"x".repeat(length), &token.expected(None, None, NOW));
            refused.unwrap_err().message().to_owned()
        };
        assert!(!message(8 * 1024).contains("8 KiB"));
        assert!(message(8 * 1024 + 1).contains("8 KiB"));
    }

    #[test]
    fn errors_repeat_nothing_of_the_token() {
        let mut token = Token::new();
        token.set("contact", "canary@example.com");
        let error = token.verify().unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }

    struct Token {
        signer: PrivateKey,
        trusted: PublicKey,
        own: PrivateKey,
        header: &'static str,
        claims: Vec<(String, Json)>,
    }

    impl Token {
        fn new() -> Self {
            let signer = PrivateKey::generate(&SystemRandom).unwrap();
            let own = PrivateKey::generate(&SystemRandom).unwrap();
            let claims = [
                ("exp", (NOW + 1).to_string()),
                ("id", "1".to_owned()),
                ("organization_id", "org".to_owned()),
                ("verification_type", "OTP_TYPE_EMAIL".to_owned()),
                ("contact", "user@example.com".to_owned()),
                ("public_key", own.public_key().to_compressed_hex()),
            ];
            Self {
                trusted: signer.public_key().clone(),
                signer,
                own,
                header: r#"{"typ":"JWT","alg":"ES256"}"#,
                claims: claims
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .to_vec(),
            }
        }

        fn set(&mut self, name: &str, value: impl Into<Json>) {
            self.claims
                .iter_mut()
                .find(|(claim, _)| claim == name)
                .unwrap()
                .1 = value.into();
        }

        fn text(&self) -> String {
            let claims = Json::Object(self.claims.clone()).to_text();
            let signed = format!(
                "{}.{}",
                base64url::encode(self.header.as_bytes()),
                base64url::encode(claims.as_bytes())
            );
            let der = self.signer.sign_der(signed.as_bytes());
            let raw = Signature::from_der(&der).unwrap().to_bytes();
            format!("{signed}.{}", base64url::encode(&raw))
        }

        fn expected<'a>(
            &'a self,
            contact: Option<&'a str>,
            verification_type: Option<&'a str>,
            now_ms: i64,
        ) -> ExpectedToken<'a> {
            ExpectedToken {
                otp_key: &self.trusted,
                public_key: self.own.public_key(),
                contact,
                verification_type,
                now_ms,
            }
        }

        fn verify(&self) -> Result<VerificationToken> {
            self.verify_as(Some("user@example.com"), Some("OTP_TYPE_EMAIL"), NOW)
        }

        fn verify_as(
            &self,
            contact: Option<&str>,
            verification_type: Option<&str>,
            now_ms: i64,
        ) -> Result<VerificationToken> {
            let expected = self.expected(contact, verification_type, now_ms);
            VerificationToken::verify(&self.text(), &expected)
        }

        fn refusal(&self) -> ErrorCode {
            self.verify().unwrap_err().code()
        }

        fn refusal_of(&self, text: &str) -> ErrorCode {
            let expected = self.expected(None, None, NOW);
            VerificationToken::verify(text, &expected)
                .unwrap_err()
                .code()
        }
    }
}
