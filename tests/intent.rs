//! The published examples of `payloadToSign`, and attacks on them.
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
    crypto::json::{Json, Limits},
    error::ErrorCode,
    formats::intent::{Expected, Intent, check},
};
use serde_json::Value;

#[test]
fn published_payloads_and_attacks() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/intent.json")).unwrap();
    let mut accepted = 0;
    let mut refused = 0;
    for vector in vectors["tests"].as_array().unwrap() {
        let (id, payload) = (&vector["id"], vector["payload"].as_str().unwrap());
        let limits = Limits {
            bytes: 64 * 1024,
            depth: 16,
        };
        let intent = Json::parse(&vector["intent"].to_string(), limits).unwrap();
        let intent = Intent::from_json(&intent).unwrap().intent;
        // The examples carry times of their own.
        let said: Value = serde_json::from_str(payload).unwrap();
        let now_ms = said["timestampMs"].as_str().unwrap().parse().unwrap();
        let result = check(
            payload,
            &intent,
            &Expected {
                now_ms,
                ..Expected::default()
            },
        );
        if vector["expect"] == "accept" {
            let checked = result.unwrap_or_else(|error| panic!("{id}: {error:?}"));
            assert_eq!(checked.activity_type.as_deref(), said["type"].as_str());
            assert_eq!(
                checked.organization_id.as_deref(),
                said["organizationId"].as_str()
            );
            accepted += 1;
        } else {
            assert_eq!(result.unwrap_err().code(), ErrorCode::IntentRefused, "{id}");
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (ACCEPTED, REFUSED));
}

/// So that a vector that is passed over by mistake is noticed.
const ACCEPTED: usize = 15;
const REFUSED: usize = 14;
