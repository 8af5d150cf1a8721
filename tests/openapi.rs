//! The client knows what Grid's API document names: a copy of it is in `tests/openapi`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::collections::BTreeSet;

use gridkey::api::{
    operation::{Body, Operation, Signing},
    shape::Shape,
};
use serde_json::Value;

const METHODS: [&str; 5] = ["delete", "get", "patch", "post", "put"];

fn document() -> Value {
    serde_saphyr::from_str(include_str!("openapi/grid.yaml")).unwrap()
}

/// Method, path and description of each operation.
fn described(document: &Value) -> Vec<(String, String, &Value)> {
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                described.push((method.to_uppercase(), path.clone(), operation));
            }
        }
    }
    described
}

fn known(id: &str) -> Option<Operation> {
    Operation::ALL
        .iter()
        .copied()
        .find(|operation| operation.spec().id == id)
}

/// Whatever Grid adds under this tag, an embedded wallet needs.
#[test]
fn every_operation_of_embedded_wallets_is_there() {
    let document = document();
    let mut missing = Vec::new();
    let mut found = 0;
    for (_, _, operation) in described(&document) {
        let tags = operation["tags"].as_array().unwrap();
        if tags.iter().any(|tag| tag == "Embedded Wallet Auth") {
            found += 1;
            let id = operation["operationId"].as_str().unwrap();
            if known(id).is_none() {
                missing.push(id);
            }
        }
    }
    assert!(missing.is_empty(), "the client lacks {missing:?}");
    assert!(found >= 12, "only {found}: is the tag still called so?");
}

/// Method, path, statuses of success and headers are the document's.
#[test]
fn every_operation_is_as_described() {
    let document = document();
    let described = described(&document);
    for operation in Operation::ALL {
        let spec = operation.spec();
        if *operation == Operation::CreatePasskeyRegistrationOptions {
            continue; // the relay's own
        }
        let (method, path, operation) = described
            .iter()
            .find(|(_, _, operation)| operation["operationId"] == spec.id)
            .unwrap_or_else(|| panic!("{} is not Grid's", spec.id));
        assert_eq!((method.as_str(), path.as_str()), (spec.method, spec.path));
        let responses = operation["responses"].as_object().unwrap();
        let successes: BTreeSet<u16> = responses
            .keys()
            .filter_map(|status| status.parse().ok())
            .filter(|status| (200..300).contains(status))
            .collect();
        let answers = spec.answers.iter().map(|answer| answer.status).collect();
        assert_eq!(successes, answers, "{}", spec.id);
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        assert_eq!(
            has("Grid-Wallet-Signature"),
            spec.signing != Signing::Unsigned,
            "{}",
            spec.id
        );
        assert_eq!(
            has("Request-Id"),
            matches!(spec.signing, Signing::Retry(_)),
            "{}",
            spec.id
        );
        let query: BTreeSet<_> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let ours = spec.query.iter().map(|member| member.name).collect();
        assert_eq!(query, ours, "{}", spec.id);
        let has_body = operation.get("requestBody").is_some();
        assert_eq!(has_body, !matches!(spec.body, Body::None), "{}", spec.id);
    }
}

/// No request has a member that the document does not name.
#[test]
fn every_member_of_a_request_is_the_documents() {
    let document = document();
    for (_, _, described) in described(&document) {
        let Some(operation) = known(described["operationId"].as_str().unwrap()) else {
            continue;
        };
        let (Body::Required(shape) | Body::Optional(shape) | Body::Defaulted(shape)) =
            &operation.spec().body
        else {
            continue;
        };
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        let mut named = BTreeSet::new();
        names(&document, schema, &mut named);
        let mut ours = BTreeSet::new();
        members(shape, &mut ours);
        let unknown: Vec<_> = ours.difference(&named).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", operation.spec().id);
    }
}

fn members(shape: &'static Shape, found: &mut BTreeSet<String>) {
    match shape {
        Shape::Object(list) => {
            for member in *list {
                found.insert(member.name.to_owned());
                members(&member.shape, found);
            }
        }
        Shape::Tagged((tag, kinds)) => {
            found.insert((*tag).to_owned());
            for (_, list) in *kinds {
                for member in *list {
                    found.insert(member.name.to_owned());
                    members(&member.shape, found);
                }
            }
        }
        Shape::List(item) => members(item, found),
        _ => {}
    }
}

/// All names of members in a schema.
fn names(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        names(document, document.pointer(pointer).unwrap(), found);
    }
    for list in ["oneOf", "allOf", "anyOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            names(document, part, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        names(document, member, found);
    }
    if let Some(items) = schema.get("items") {
        names(document, items, found);
    }
}
