//! Every member of every body that the documents know, renamed or of another type.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{
    SOURCES,
    openapi::{body_schema, closed_components, errors, read_document},
    rename_member,
};
use crate::{
    errors::{Code, GridError, Reason},
    operation::Operation,
};

/// What one body of one document may be, and its schema.
struct Body {
    name: String,
    samples: Vec<Value>,
    schema: Validator,
}

#[test]
fn a_renamed_member_is_noticed_wherever_it_is() {
    let mut noticed = 0;
    for body in bodies() {
        assert!(!body.samples.is_empty(), "{}", body.name);
        for sample in body.samples {
            assert_eq!(
                errors(&body.schema, &sample),
                Vec::<String>::new(),
                "{}",
                body.name
            );
            let mut pointers = Vec::new();
            member_pointers(&sample, String::new(), &mut pointers);
            for pointer in pointers {
                let mut renamed = sample.clone();
                rename_member(&mut renamed, &pointer).unwrap();
                assert!(!body.schema.is_valid(&renamed), "{} {pointer}", body.name);
                noticed += 1;
            }
        }
    }
    assert!(noticed > 400, "{noticed}");
}

#[test]
fn a_value_of_another_type_or_format_is_noticed() {
    for body in bodies() {
        for sample in body.samples {
            let mut pointers = Vec::new();
            member_pointers(&sample, String::new(), &mut pointers);
            for pointer in pointers {
                let mut changed = sample.clone();
                *changed.pointer_mut(&pointer).unwrap() = json!(-0.5);
                assert!(!body.schema.is_valid(&changed), "{} {pointer}", body.name);
                if pointer.ends_with("At") {
                    *changed.pointer_mut(&pointer).unwrap() = json!("2026-04-08 15:30");
                    assert!(!body.schema.is_valid(&changed), "{} {pointer}", body.name);
                }
            }
        }
    }
}

#[test]
fn a_missing_retry_after_is_noticed() {
    let (_, yaml) = SOURCES[0];
    let document = read_document(yaml).unwrap();
    let specification = &document[&Operation::VerifyAuthCredential];
    let mut answer = GridError {
        retry_after_seconds: Some(1),
        ..GridError::new(Code::RateLimited, Reason::TooManyRequests, "")
    }
    .to_answer();
    assert!(specification.wrong_in_answer(&answer).is_empty());
    answer.retry_after_seconds = None;
    assert_eq!(specification.wrong_in_answer(&answer).len(), 1);
}

/// Every request and answer body of the sandbox's operations, in every document.
fn bodies() -> Vec<Body> {
    let mut bodies = Vec::new();
    for (file, yaml) in SOURCES {
        let document: Value = serde_saphyr::from_str(yaml).unwrap();
        let components = closed_components(&document);
        for operation in Operation::ALL {
            let Some(path) = document["paths"].get(operation.path()) else {
                continue;
            };
            let described = &path[operation.method().as_str().to_lowercase()];
            let answers = described["responses"].as_object().into_iter().flatten();
            let mut named = vec![("request".to_owned(), &described["requestBody"])];
            named.extend(answers.map(|(status, answer)| (status.clone(), answer)));
            for (name, of) in named {
                let Some(schema) = of.pointer("/content/application~1json/schema") else {
                    continue;
                };
                bodies.push(Body {
                    name: format!("{file} {} {name}", operation.id()),
                    samples: samples(schema, &document),
                    schema: body_schema(of, &components).unwrap().unwrap(),
                });
            }
        }
    }
    bodies
}

/// Values that the schema describes, with every member that it knows: one for each branch.
fn samples(schema: &Value, document: &Value) -> Vec<Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap();
        return samples(target, document);
    }
    if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
        return branches
            .iter()
            .flat_map(|branch| samples(branch, document))
            .collect();
    }
    // Documented to be open (`details` of an error).
    if schema["additionalProperties"] == json!(true) {
        return vec![json!({})];
    }
    let mut members = Map::new();
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        match one_sample(part, document) {
            Value::Object(part) => members.extend(part),
            scalar => return vec![scalar],
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, member) in properties.into_iter().flatten() {
        members.insert(name.clone(), one_sample(member, document));
    }
    if !members.is_empty() {
        return vec![Value::Object(members)];
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return vec![words[0].clone()];
    }
    if let Some(items) = schema.get("items") {
        return vec![json!([one_sample(items, document)])];
    }
    let of_type = || match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(1),
        _ if schema["format"] == "date-time" => json!("2026-04-08T15:30:01Z"),
        _ => json!("text"),
    };
    vec![schema.get("example").cloned().unwrap_or_else(of_type)]
}

fn one_sample(schema: &Value, document: &Value) -> Value {
    samples(schema, document).swap_remove(0)
}

fn member_pointers(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers.push(format!("{at}/{name}"));
                member_pointers(member, format!("{at}/{name}"), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                member_pointers(item, format!("{at}/{index}"), pointers);
            }
        }
        _ => {}
    }
}
