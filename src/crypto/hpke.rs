//! HPKE, RFC 9180, for the one suite that the enclaves speak: base mode,
//! DHKEM(P-256, HKDF-SHA256) = 0x0010, HKDF-SHA256 = 0x0001, AES-256-GCM = 0x0002, single shot.
//!
//! Written out on p256, hkdf and aes-gcm rather than taken from the `hpke` crate, which derives
//! public keys again that are known here. That crate checks this module in the tests.

#![forbid(unsafe_code)]

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce, Tag, aead::consts::U12};
use hkdf::{Hkdf, HkdfExtract};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::{
    key::{PrivateKey, PublicKey},
    random::Random,
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
/// `info` is [`INFO`] and the associated data is `enc || recipient`, both uncompressed, as every
/// enclave bundle has it (tkhq/sdk@aaede6f packages/crypto/src/crypto.ts, `hpkeEncrypt`).
pub fn seal(recipient: &PublicKey, plaintext: &[u8], random: &dyn Random) -> Result<Sealed> {
    let ephemeral = PrivateKey::generate(random)?;
    let aad = concat_points(ephemeral.public_key(), recipient);
    seal_base(recipient, ephemeral, INFO, &aad, plaintext)
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
    open_base(receiver, encapped, INFO, &aad, ciphertext)
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
    let context = key_schedule(&shared_secret, info)?;
    // Of its final size from the start: it holds the plaintext until it is encrypted in place, and
    // growing would leave a copy behind.
    let mut ciphertext = Vec::with_capacity(plaintext.len().saturating_add(TAG_BYTES));
    ciphertext.extend_from_slice(plaintext);
    let sealed = context.cipher().encrypt_inout_detached(
        context.nonce(),
        aad,
        ciphertext.as_mut_slice().into(),
    );
    let Ok(tag) = sealed else {
        ciphertext.zeroize();
        return Err(Error::invalid_argument(
            "The text is too long to be sealed.",
        ));
    };
    ciphertext.extend_from_slice(&tag);
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
    let (body, tag) = ciphertext
        .split_last_chunk::<TAG_BYTES>()
        .ok_or_else(decrypt_failed)?;
    let shared_secret = decap(encapped, receiver)?;
    let context = key_schedule(&shared_secret, info)?;
    let mut plaintext = Zeroizing::new(body.to_vec());
    context
        .cipher()
        .decrypt_inout_detached(
            context.nonce(),
            aad,
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| decrypt_failed())?;
    Ok(plaintext)
}

/// AES-256-GCM: RFC 9180 section 7.3.
const TAG_BYTES: usize = 16;

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
    let (_, eae_prk) = labeled_extract(KEM_SUITE_ID, b"", b"eae_prk", dh);
    let kem_context = concat_points(encapped, recipient);
    labeled_expand(&eae_prk, KEM_SUITE_ID, b"shared_secret", &kem_context)
}

/// What is left of a `Context` in a single shot: sequence number 0, so the nonce is `base_nonce`.
struct Context {
    key: Zeroizing<[u8; 32]>,
    base_nonce: Zeroizing<[u8; 12]>,
}

impl Context {
    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }

    fn nonce(&self) -> &Nonce<U12> {
        (&*self.base_nonce).into()
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
    let (_, secret) = labeled_extract(SUITE_ID, shared_secret.as_slice(), b"secret", b"");
    Ok(Context {
        key: labeled_expand(&secret, SUITE_ID, b"key", &context)?,
        base_nonce: labeled_expand(&secret, SUITE_ID, b"base_nonce", &context)?,
    })
}

fn key_schedule_context(info: &[u8]) -> Vec<u8> {
    const MODE_BASE: &[u8] = &[0];
    let (psk_id_hash, _) = labeled_extract(SUITE_ID, b"", b"psk_id_hash", b"");
    let (info_hash, _) = labeled_extract(SUITE_ID, b"", b"info_hash", info);
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
fn labeled_extract(
    suite_id: &[u8],
    salt: &[u8],
    label: &[u8],
    ikm: &[u8],
) -> (Zeroizing<[u8; 32]>, Hkdf<Sha256>) {
    let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
    for part in [VERSION, suite_id, label, ikm] {
        extract.input_ikm(part);
    }
    let (prk, hkdf) = extract.finalize();
    (Zeroizing::new(prk.into()), hkdf)
}

// def LabeledExpand(prk, label, info, L):
//   labeled_info = concat(I2OSP(L, 2), "HPKE-v1", suite_id,
//                         label, info)
//   return Expand(prk, labeled_info, L)
fn labeled_expand<const L: usize>(
    prk: &Hkdf<Sha256>,
    suite_id: &[u8],
    label: &[u8],
    info: &[u8],
) -> Result<Zeroizing<[u8; L]>> {
    let too_long = || Error::invalid_argument("HKDF gives at most 8160 bytes.");
    let length = u16::try_from(L).map_err(|_| too_long())?.to_be_bytes();
    let mut okm = Zeroizing::new([0; L]);
    prk.expand_multi_info(
        &[&length, VERSION, suite_id, label, info],
        okm.as_mut_slice(),
    )
    .map_err(|_| too_long())?;
    Ok(okm)
}

const VERSION: &[u8] = b"HPKE-v1";

fn decrypt_failed() -> Error {
    Error::new(
        ErrorCode::DecryptFailed,
        "The sealed text does not open with this key: it was sealed for another key, or altered.",
    )
}
