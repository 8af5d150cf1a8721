//! HMAC with SHA-256, in one place for nonces and HKDF: as a generic of the crates for both it is
//! three times in the module.

#![forbid(unsafe_code)]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Wiped when dropped.
pub(super) type Tag = Zeroizing<[u8; 32]>;

/// The HMAC of `before || parts || after`.
#[inline(never)]
pub(super) fn hmac(key: &[u8], before: &[u8], parts: &[&[u8]], after: &[u8]) -> Tag {
    let mut block = Zeroizing::new([0; 64]);
    // RFC 2104 section 2: shorter keys are padded with zeros, longer ones are hashed.
    let digest;
    let key = if key.len() > block.len() {
        digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key)));
        digest.as_slice()
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(before);
    for part in parts {
        mac.update(part);
    }
    mac.update(after);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Keys around the length of a block, and texts in parts, against the crate.
    #[test]
    fn agrees_with_the_hmac_crate() {
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 200] {
            let key = vec![7; length];
            let mut expected = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            expected.update(b"before and parts, after");
            let expected: [u8; 32] = expected.finalize().into_bytes().into();
            let tag = hmac(&key, b"before ", &[b"and ", b"", b"parts"], b", after");
            assert_eq!(*tag, expected, "{length}");
        }
    }
}
