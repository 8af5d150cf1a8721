//! The published examples of `payloadToSign`, and attacks on them, for the intents that exist.
//! The same tests run natively and in WebAssembly.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in WebAssembly these tests are no `#[test]`s"
)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use gridkey::{
    error::ErrorCode,
    formats::{
        intent::{Intent, check},
        passkey::PasskeyAttestation,
    },
};
use serde_json::Value;

#[test]
fn published_payloads_and_attacks() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/intent.json")).unwrap();
    let mut accepted = 0;
    let mut refused = 0;
    for vector in vectors["tests"].as_array().unwrap() {
        let (id, payload) = (&vector["id"], vector["payload"].as_str().unwrap());
        let text = |name: &str| vector["intent"][name].as_str().unwrap_or_default();
        let attestation = PasskeyAttestation {
            credential_id: text("credentialId").to_owned(),
            client_data_json: text("clientDataJson").to_owned(),
            attestation_object: text("attestationObject").to_owned(),
            transports: Vec::new(),
        };
        // An example may leave the name open, but the package always knows it.
        let nickname = vector["intent"]["nickname"]
            .as_str()
            .unwrap_or("iPhone Face-ID");
        let intent = match text("kind") {
            "addPasskey" => Intent::AddPasskey {
                attestation: &attestation,
                challenge: text("challenge"),
                nickname,
            },
            "refreshSession" => Intent::RefreshSession {
                client_public_key: text("clientPublicKey"),
            },
            "revokeSession" => Intent::RevokeSession,
            _ => continue,
        };
        // The examples carry times of their own: their challenge ran out five minutes later.
        let timestamp = payload
            .split("\"timestampMs\":\"")
            .nth(1)
            .unwrap_or_default();
        let timestamp_ms: i64 = timestamp.get(..13).unwrap_or_default().parse().unwrap_or(0);
        let result = check(payload, intent, timestamp_ms + 300_000);
        if vector["expect"] == "accept" {
            result.unwrap_or_else(|error| panic!("{id}: {error:?}"));
            accepted += 1;
        } else {
            assert_eq!(result.unwrap_err().code(), ErrorCode::IntentRefused, "{id}");
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (ACCEPTED, REFUSED));
}

/// So that a vector that is passed over by mistake is noticed.
const ACCEPTED: usize = 4;
const REFUSED: usize = 6;
