//! AES-256-GCM, NIST SP 800-38D, with the 12-byte nonces that HPKE has, on the `aes` crate.
//!
//! Written out rather than taken from the `aes-gcm` crate, which is made for megabytes a second:
//! its counter mode, GHASH and the traits between them are 9 KB more of WebAssembly, for texts of
//! some hundred bytes. That crate checks this module in the tests.
//!
//! GHASH runs over all 128 bits with masks, so neither its time nor what it reads depends on the
//! key or the text.

#![forbid(unsafe_code)]

use aes::{
    Aes256,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The authentication tag.
pub const TAG_BYTES: usize = 16;

/// More than a counter of 32 bits reaches, or than GCM allows: 2^39 - 256 bits.
#[derive(Debug)]
pub struct TooLong;

/// A key for one direction. Each nonce is good for one text.
pub struct AesGcm {
    cipher: Aes256,
    /// GHASH's `H`: the encryption of zeros.
    hash_key: Zeroizing<u128>,
}

impl AesGcm {
    pub fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256::new(key.into());
        let hash_key = Zeroizing::new(u128::from_be_bytes(*encrypted(&cipher, 0)));
        Self { cipher, hash_key }
    }

    /// Encrypts in place, and gives the tag.
    pub fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], TooLong> {
        check_length(text)?;
        self.apply_keystream(nonce, text);
        Ok(self.tag(nonce, aad, text))
    }

    /// Decrypts in place and gives `true` if the tag is right; otherwise touches nothing.
    #[must_use]
    pub fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> bool {
        let is_right =
            check_length(text).is_ok() && bool::from(self.tag(nonce, aad, text).ct_eq(tag));
        if is_right {
            self.apply_keystream(nonce, text);
        }
        is_right
    }

    // section 6.5, GCTR with inc32, from J0 + 1 on
    fn apply_keystream(&self, nonce: &[u8; 12], text: &mut [u8]) {
        for (counter, block) in (2..).zip(text.chunks_mut(16)) {
            let keystream = encrypted(&self.cipher, counter_block(nonce, counter));
            for (byte, key) in block.iter_mut().zip(keystream.iter()) {
                *byte ^= key;
            }
        }
    }

    // section 7.1, steps 5 and 6
    fn tag(&self, nonce: &[u8; 12], aad: &[u8], ciphertext: &[u8]) -> [u8; TAG_BYTES] {
        let mut hash = Zeroizing::new(0);
        for block in aad.chunks(16).chain(ciphertext.chunks(16)) {
            let mut padded = [0; 16];
            for (to, from) in padded.iter_mut().zip(block) {
                *to = *from;
            }
            *hash = times(*hash ^ u128::from_be_bytes(padded), *self.hash_key);
        }
        let lengths = (bits(aad) << 64) | bits(ciphertext);
        *hash = times(*hash ^ lengths, *self.hash_key);
        let mask = encrypted(&self.cipher, counter_block(nonce, 1));
        (*hash ^ u128::from_be_bytes(*mask)).to_be_bytes()
    }
}

fn check_length(text: &[u8]) -> Result<(), TooLong> {
    const MAX_BYTES: u64 = (1 << 36) - 32;
    match u64::try_from(text.len()) {
        Ok(length) if length <= MAX_BYTES => Ok(()),
        Ok(_) | Err(_) => Err(TooLong),
    }
}

/// Of what is in memory, so it fits by far.
fn bits(text: &[u8]) -> u128 {
    u128::try_from(text.len())
        .unwrap_or_default()
        .wrapping_mul(8)
}

fn counter_block(nonce: &[u8; 12], counter: u32) -> u128 {
    let nonce = nonce
        .iter()
        .fold(0, |block, byte| (block << 8) | u128::from(*byte));
    (nonce << 32) | u128::from(counter)
}

fn encrypted(cipher: &Aes256, block: u128) -> Zeroizing<[u8; 16]> {
    let mut block = block.to_be_bytes().into();
    cipher.encrypt_block(&mut block);
    let encrypted = Zeroizing::new(block.into());
    block.zeroize();
    encrypted
}

// section 6.3: the product in GF(2^128), whose bits stand in reverse
fn times(x: u128, y: u128) -> u128 {
    /// `11100001 || 0^120`
    const R: u128 = 0xe1 << 120;
    let mut product = 0;
    let mut v = y;
    for bit in (0..128).rev() {
        product ^= v & mask(x >> bit);
        v = (v >> 1) ^ (R & mask(v));
    }
    product
}

/// All ones where the lowest bit is one, or else all zeros.
fn mask(bits: u128) -> u128 {
    (bits & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::AesGcm;

    /// Every length around the ends of blocks, against the `aes-gcm` crate.
    #[test]
    fn agrees_with_the_aes_gcm_crate() {
        let mut random = 1_u8;
        let mut next = || {
            random = random.wrapping_mul(29).wrapping_add(113);
            random
        };
        for text_bytes in (0..70).chain([255, 256, 257, 4096, 5000]) {
            for aad_bytes in [0, 1, 15, 16, 17, 130] {
                let key: [u8; 32] = std::array::from_fn(|_| next());
                let nonce: [u8; 12] = std::array::from_fn(|_| next());
                let aad: Vec<u8> = (0..aad_bytes).map(|_| next()).collect();
                let text: Vec<u8> = (0..text_bytes).map(|_| next()).collect();

                let mut expected = text.clone();
                let expected_tag = Aes256Gcm::new(&key.into())
                    .encrypt_inout_detached(&nonce.into(), &aad, expected.as_mut_slice().into())
                    .unwrap();
                let gcm = AesGcm::new(&key);
                let mut sealed = text.clone();
                let tag = gcm.seal(&nonce, &aad, &mut sealed).unwrap();
                assert_eq!((&sealed, tag), (&expected, expected_tag.into()));

                let mut opened = sealed.clone();
                let mut wrong = tag;
                wrong[text_bytes % 16] ^= 1 << (text_bytes % 8);
                assert!(!gcm.open(&nonce, &aad, &mut opened, &wrong));
                assert_eq!(opened, sealed);
                assert!(gcm.open(&nonce, &aad, &mut opened, &tag));
                assert_eq!(opened, text);
            }
        }
    }

    /// The counter carries beyond its lowest byte.
    #[test]
    fn long_texts_agree_too() {
        let (key, nonce) = ([7; 32], [9; 12]);
        let text = vec![1; 16 * 300];
        let mut expected = text.clone();
        let expected_tag = Aes256Gcm::new(&key.into())
            .encrypt_inout_detached(&nonce.into(), &[], expected.as_mut_slice().into())
            .unwrap();
        let mut sealed = text;
        let tag = AesGcm::new(&key).seal(&nonce, &[], &mut sealed).unwrap();
        assert_eq!((sealed, tag), (expected, expected_tag.into()));
    }
}
