//! The table of operations, and what is written down of it for JavaScript.

use gridkey::api::operation::{Body, Operation};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{assert_js, client, failure};

const BRIDGE: &str = include_str!("../../pkg/bridge.js");
const TYPES: &str = include_str!("../../src/web/types/operations.d.ts");

#[wasm_bindgen_test]
fn the_bridge_and_the_types_have_the_operations_of_the_table() {
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let spec = operation.spec();
        let data = match spec.body {
            Body::Required(_) => Some("body"),
            Body::Optional(_) | Body::Defaulted(_) => Some("body?"),
            Body::None => (!spec.query.is_empty()).then_some("query"),
        };
        let subject = spec.subject.map(|(name, _)| name);
        let parameters: Vec<_> = subject.into_iter().chain(data).collect();
        rows.push(format!("  {}: \"{}\",\n", spec.id, parameters.join(" ")));
    }
    rows.sort();
    let table = format!("export const OPERATIONS = {{\n{}}};\n", rows.concat());
    assert!(BRIDGE.contains(&table), "{table}");

    let (_, interface) = TYPES.split_once("interface GridOperations {\n").unwrap();
    let mut typed: Vec<_> = interface
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once('('))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(|start: char| start.is_ascii_lowercase()))
        .collect();
    typed.sort_unstable();
    let mut known: Vec<_> = Operation::ALL.iter().map(|it| it.spec().id).collect();
    known.sort_unstable();
    assert_eq!(typed, known);
}

#[wasm_bindgen_test]
async fn only_the_operations_of_the_table_are_there() {
    let client = client("{ transport() { throw 1 } }");
    let of = |name: &str| {
        let none = JsValue::UNDEFINED;
        client.operation(name, &none, &none, &none)
    };
    for name in ["", "constructor", "signedRequest", "AuthorizeQuote"] {
        assert_js(
            &failure(of(name)).await,
            "it.code === 'invalid_argument' && it.message === 'No such operation.'",
        );
    }
}
