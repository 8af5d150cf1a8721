//! A small client of the Grid API for the sandbox's own tests, written from the specification and
//! sharing nothing with the product.

pub mod authenticator;

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gridkey_sandbox::{
    Customer, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Sandbox, SandboxOptions, serve,
};
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::DhP256HkdfSha256,
};
use p256::{
    PublicKey, SecretKey,
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer, Verifier},
    },
    elliptic_curve::{Generate, sec1::ToSec1Point},
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const ORIGIN: &str = "http://localhost:5173";
pub const UNKNOWN_ACCOUNT: &str = "InternalAccount:019542f5-b3e7-1d02-0000-00000000ffff";

/// A running sandbox.
pub struct Server {
    pub sandbox: Sandbox,
    pub address: SocketAddr,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<String>,
    pub date: Option<String>,
}

impl Reply {
    /// The body, after checking the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that this is an error body with these words.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str, reason: &str) {
        assert_eq!(
            (
                self.status,
                self.body["code"].as_str(),
                self.body["details"]["reason"].as_str()
            ),
            (status, Some(code), Some(reason)),
            "{}",
            self.body
        );
        assert_eq!(self.body["status"], status);
        assert!(self.body["message"].is_string());
    }
}

/// A request in the making.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub body: Option<String>,
    pub signature: Option<String>,
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
    pub password: Option<String>,
    pub content_type: &'static str,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into(), None)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path.into(), None)
    }

    pub fn post(path: impl Into<String>, body: Option<Value>) -> Self {
        Self::new(Method::POST, path.into(), body.map(|body| body.to_string()))
    }

    pub fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PATCH, path.into(), Some(body.to_string()))
    }

    fn new(method: Method, path: String, body: Option<String>) -> Self {
        let password = Some(DEFAULT_CLIENT_SECRET.to_owned());
        Self {
            method,
            path,
            body,
            signature: None,
            request_id: None,
            idempotency_key: None,
            password,
            content_type: "application/json",
        }
    }

    /// The second leg: the same request with a stamp over `payloadToSign`.
    pub fn signed(&self, challenge: &Value, key: &SecretKey) -> Self {
        let payload = challenge["payloadToSign"].as_str().unwrap();
        self.retry(challenge, &stamp(key, payload))
    }

    pub fn retry(&self, challenge: &Value, stamp: &str) -> Self {
        Self {
            signature: Some(stamp.to_owned()),
            request_id: Some(challenge["requestId"].as_str().unwrap().to_owned()),
            ..self.clone()
        }
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        Self {
            idempotency_key: Some(key.to_owned()),
            ..self
        }
    }

    pub fn request_id(self, id: &Value) -> Self {
        Self {
            request_id: Some(id.as_str().unwrap().to_owned()),
            ..self
        }
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(SandboxOptions::default()).await
    }

    pub async fn with(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::new(options);
        let (address, _) = serve(sandbox.router()).await.unwrap();
        Self {
            sandbox,
            address,
            http: reqwest::Client::new(),
        }
    }

    pub fn customer(&self) -> Customer {
        self.sandbox.customers().remove(0)
    }

    pub async fn send(&self, call: &Call) -> Reply {
        self.try_send(call).await.unwrap()
    }

    pub async fn try_send(&self, call: &Call) -> reqwest::Result<Reply> {
        let response = self.response(call).await?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (retry_after, date) = (header("Retry-After"), header("Date"));
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Reply {
            status,
            body,
            retry_after,
            date,
        })
    }

    async fn response(&self, call: &Call) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.request(
            call.method.clone(),
            format!("http://{}{}", self.address, call.path),
        );
        if let Some(password) = &call.password {
            request = request.basic_auth(DEFAULT_CLIENT_ID, Some(password));
        }
        if let Some(body) = &call.body {
            request = request
                .header("Content-Type", call.content_type)
                .body(body.clone());
        }
        if let Some(signature) = &call.signature {
            request = request.header("Grid-Wallet-Signature", signature);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(request_id) = &call.request_id {
            request = request.header("Request-Id", request_id);
        }
        request.send().await
    }

    /// The answer's text, and what it says if it is JSON. Not checked: it may be a lie.
    pub async fn answered(&self, call: &Call) -> Answered {
        let raw = self.response(call).await.unwrap().text().await.unwrap();
        let json = serde_json::from_str(&raw).ok();
        Answered { raw, json }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(&Call::get(path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(&Call::post(path, Some(body))).await
    }

    /// Sends both legs of a signed retry.
    pub async fn send_signed(&self, call: &Call, key: &SecretKey) -> Reply {
        let challenge = self.send(call).await.expect(202);
        self.send(&call.signed(&challenge, key)).await
    }

    /// Signs the first customer in with the e-mailed code.
    pub async fn sign_in_with_code(&self) -> Session {
        self.sign_in_customer_with_code(&self.customer()).await
    }

    /// Signs a customer in with the e-mailed code.
    pub async fn sign_in_customer_with_code(&self, customer: &Customer) -> Session {
        let key = SecretKey::generate();
        let id = &customer.email_otp_auth_method_id;
        let call = self
            .verification_of(id, "000000", &compressed_hex(&key.public_key()))
            .await;
        let challenge = self.send(&call).await.expect(202);
        let session = self.send(&call.signed(&challenge, &key)).await.expect(200);
        Session {
            id: session["id"].as_str().unwrap().to_owned(),
            key,
            answer: session,
        }
    }

    /// Checks that all traffic was as Grid's documents specify.
    #[track_caller]
    pub fn expect_conformance(&self) {
        assert_eq!(self.sandbox.violations(), []);
    }

    /// Signs the first customer in with a texted code, after adding the credential with `session`.
    pub async fn sign_in_with_text(&self, session: &Session) -> Session {
        let call = add_otp(&self.customer().account_id, "SMS_OTP");
        let added = self.send_signed(&call, &session.key).await.expect(201);
        let bundle = added["otpEncryptionTargetBundle"].as_str().unwrap();
        let key = SecretKey::generate();
        let attempt = otp_attempt("000000", &compressed_hex(&key.public_key()));
        let id = added["id"].as_str().unwrap();
        let call = sms_verification(id, &seal_otp(bundle, &attempt));
        let answer = self.send_signed(&call, &key).await.expect(200);
        Session {
            id: answer["id"].as_str().unwrap().to_owned(),
            key,
            answer,
        }
    }

    /// Ids of the first customer's active sessions.
    pub async fn session_ids(&self) -> Vec<Value> {
        let path = format!("/auth/sessions?accountId={}", self.customer().account_id);
        let sessions = self.get(&path).await.expect(200);
        sessions["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|session| session["id"].clone())
            .collect()
    }

    /// The first leg of a verification with the right code for the first customer.
    pub async fn otp_verification(&self, public_key: &str) -> Call {
        let id = self.customer().email_otp_auth_method_id;
        self.verification_of(&id, "000000", public_key).await
    }

    /// Has a code sent, and makes the first leg of its verification.
    pub async fn verification_of(&self, id: &str, code: &str, public_key: &str) -> Call {
        let bundle = self.request_code(id).await;
        verification(id, &seal_otp(&bundle, &otp_attempt(code, public_key)))
    }

    /// Has a code sent, and returns the target bundle.
    pub async fn request_code(&self, id: &str) -> String {
        let reply = self
            .post(&format!("/auth/credentials/{id}/challenge"), json!({}))
            .await;
        reply.expect(200)["otpEncryptionTargetBundle"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// An answer as it came.
pub struct Answered {
    pub raw: String,
    pub json: Option<Value>,
}

impl Answered {
    /// A text member.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.json.as_ref().unwrap()[name]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// A parsed `otpEncryptionTargetBundle`.
pub struct Bundle {
    pub data: Value,
    pub quorum: String,
    signed: Vec<u8>,
    signature: String,
}

impl Bundle {
    pub fn is_signed_by(&self, key: &str) -> bool {
        verifies(key, &self.signed, &self.signature)
    }

    pub fn target(&self) -> Option<PublicKey> {
        let target = hex::decode(self.data["targetPublic"].as_str().unwrap()).unwrap();
        PublicKey::from_sec1_bytes(&target).ok()
    }
}

pub fn parse_bundle(text: &str) -> Bundle {
    let envelope: Value = serde_json::from_str(text).unwrap();
    assert_eq!(envelope["version"], "v1.0.0");
    let member = |name: &str| envelope[name].as_str().unwrap().to_owned();
    let signed = hex::decode(member("data")).unwrap();
    Bundle {
        data: serde_json::from_slice(&signed).unwrap(),
        quorum: member("enclaveQuorumPublic"),
        signature: member("dataSignature"),
        signed,
    }
}

/// Claims of a verification token, after checking its header.
pub fn claims(token: &str) -> Value {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let read = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(read(parts[0]), json!({ "alg": "ES256", "typ": "JWT" }));
    read(parts[1])
}

pub fn verifies_jwt(token: &str, key: &str) -> bool {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let key = VerifyingKey::from_sec1_bytes(&hex::decode(key).unwrap()).unwrap();
    key.verify(input.as_bytes(), &signature).is_ok()
}

/// `payloadToSign`, parsed.
pub fn activity(challenge: &Value) -> Value {
    serde_json::from_str(challenge["payloadToSign"].as_str().unwrap()).unwrap()
}

/// The first leg of an OTP verification.
pub fn verification(id: &str, encrypted_otp_bundle: &str) -> Call {
    let body = json!({ "type": "EMAIL_OTP", "encryptedOtpBundle": encrypted_otp_bundle });
    Call::post(format!("/auth/credentials/{id}/verify"), Some(body))
}

/// The first leg of a verification of a texted code.
pub fn sms_verification(id: &str, encrypted_otp_bundle: &str) -> Call {
    let body = json!({ "type": "SMS_OTP", "encryptedOtpBundle": encrypted_otp_bundle });
    Call::post(format!("/auth/credentials/{id}/verify"), Some(body))
}

/// `createAuthCredential` of codes that are e-mailed or texted.
pub fn add_otp(account_id: &str, kind: &str) -> Call {
    let body = json!({ "type": kind, "accountId": account_id });
    Call::post("/auth/credentials", Some(body))
}

/// `createQuote` of so many cents out of the customer's wallet to the account elsewhere.
pub fn quote_of(customer: &Customer, cents: i64) -> Call {
    let body = json!({
        "source": { "sourceType": "ACCOUNT", "accountId": customer.account_id },
        "destination": {
            "destinationType": "ACCOUNT",
            "accountId": customer.external_account_id,
        },
        "lockedCurrencySide": "SENDING",
        "lockedCurrencyAmount": cents,
    });
    Call::post("/quotes", Some(body))
}

/// What a quote has its owner sign.
pub fn quote_payload(quote: &Value) -> &str {
    let wallet = &quote["paymentInstructions"][0]["accountOrWalletInfo"];
    assert_eq!(wallet["accountType"], "EMBEDDED_WALLET");
    wallet["payloadToSign"].as_str().unwrap()
}

/// `executeQuote`, stamped.
pub fn execution(quote: &Value, key: &SecretKey) -> Call {
    Call {
        signature: Some(stamp(key, quote_payload(quote))),
        ..Call::post(
            format!("/quotes/{}/execute", quote["id"].as_str().unwrap()),
            None,
        )
    }
}

/// `createDelegatedKey` for the customer's card.
pub fn delegation(customer: &Customer) -> Call {
    let body = json!({
        "cardId": customer.card_id,
        "internalAccountId": customer.account_id,
        "nickname": "Card payments key",
    });
    Call::post("/auth/delegated-keys", Some(body))
}

/// A session and its key.
pub struct Session {
    pub id: String,
    pub key: SecretKey,
    pub answer: Value,
}

/// `createAuthCredential` of a passkey.
pub fn add_passkey(account_id: &str, passkey: &authenticator::Passkey, challenge: &[u8]) -> Call {
    let body = json!({
        "type": "PASSKEY",
        "accountId": account_id,
        "nickname": " Ada's phone ",
        "challenge": authenticator::encode(challenge),
        "attestation": passkey.attest(challenge),
    });
    Call::post("/auth/credentials", Some(body))
}

pub fn generate() -> SecretKey {
    SecretKey::generate()
}

pub fn compressed_hex(key: &PublicKey) -> String {
    hex::encode(key.to_sec1_point(true).as_bytes())
}

pub fn uncompressed_hex(key: &PublicKey) -> String {
    hex::encode(key.to_sec1_point(false).as_bytes())
}

/// A `Grid-Wallet-Signature`.
pub fn stamp(key: &SecretKey, payload: &str) -> String {
    let signature: Signature = SigningKey::from(key).sign(payload.as_bytes());
    stamp_text(&json!({
        "publicKey": compressed_hex(&key.public_key()),
        "scheme": "SIGNATURE_SCHEME_TK_API_P256",
        "signature": hex::encode(signature.to_der().as_bytes()),
    }))
}

pub fn stamp_text(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Whether `signature` (DER hex) is `key`'s over `message`.
pub fn verifies(key_hex: &str, message: &[u8], signature: &str) -> bool {
    let key = VerifyingKey::from_sec1_bytes(&hex::decode(key_hex).unwrap()).unwrap();
    let signature = Signature::from_der(&hex::decode(signature).unwrap()).unwrap();
    key.verify(message, &signature).is_ok()
}

/// Plaintext of an OTP bundle.
pub fn otp_attempt(code: &str, public_key: &str) -> String {
    json!({ "otp_code": code, "public_key": public_key }).to_string()
}

/// `encryptedOtpBundle`.
pub fn seal_otp(target_bundle: &str, plaintext: &str) -> String {
    let target = parse_bundle(target_bundle).target().unwrap();
    seal_to(&target, "turnkey_hpke", false, plaintext)
}

/// `encryptedOtpBundle` with this info, and with aad the right or the wrong way round.
pub fn seal_to(target: &PublicKey, info: &str, is_aad_swapped: bool, plaintext: &str) -> String {
    let target = target.to_sec1_point(false).as_bytes().to_vec();
    let recipient = <DhP256HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&target).unwrap();
    let (enc, mut context) = hpke::setup_sender::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        info.as_bytes(),
    )
    .unwrap();
    let enc = enc.to_bytes().to_vec();
    let aad = if is_aad_swapped {
        [target, enc.clone()]
    } else {
        [enc.clone(), target]
    };
    let ciphertext = context.seal(plaintext.as_bytes(), &aad.concat()).unwrap();
    json!({ "encappedPublic": hex::encode(enc), "ciphertext": hex::encode(ciphertext) }).to_string()
}

/// An OIDC token with a dummy signature.
pub fn jwt(claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": "1", "typ": "JWT" });
    let [header, claims, signature] = [header.to_string(), claims.to_string(), "x".to_owned()]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.{signature}")
}

pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A `NumericDate` (RFC 7519), this many seconds from now.
pub fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs())
        .unwrap()
        .checked_add(seconds)
        .unwrap()
}

/// Opens an `encryptedSessionSigningKey`.
pub fn open_session_key(receiver: &SecretKey, sealed: &str) -> Option<SecretKey> {
    let payload = bs58::decode(sealed).with_check(None).into_vec().ok()?;
    let (enc, ciphertext) = payload.split_at(33);
    let enc = PublicKey::from_sec1_bytes(enc).ok()?;
    SecretKey::from_slice(&open(receiver, &enc, ciphertext)?).ok()
}

/// Opens the data of an `encryptedWalletCredentials`.
pub fn open_export(receiver: &SecretKey, data: &Value) -> Option<Vec<u8>> {
    let bytes = |name: &str| hex::decode(data[name].as_str().unwrap()).unwrap();
    let enc = bytes("encappedPublic");
    assert_eq!(enc.len(), 65);
    let enc = PublicKey::from_sec1_bytes(&enc).ok()?;
    open(receiver, &enc, &bytes("ciphertext"))
}

fn open(receiver: &SecretKey, enc: &PublicKey, ciphertext: &[u8]) -> Option<Vec<u8>> {
    let enc = enc.to_sec1_point(false);
    let receiver_public = receiver.public_key().to_sec1_point(false);
    let aad = [enc.as_bytes(), receiver_public.as_bytes()].concat();
    hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeR::Base,
        &<DhP256HkdfSha256 as hpke::Kem>::PrivateKey::from_bytes(&receiver.to_bytes()).ok()?,
        &<DhP256HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(enc.as_bytes()).ok()?,
        b"turnkey_hpke",
        ciphertext,
        &aad,
    )
    .ok()
}
