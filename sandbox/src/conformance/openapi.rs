//! OpenAPI 3.1 documents. Their schemas are JSON Schema 2020-12; every object is closed where it is
//! used, so that a name which the document does not know is an error.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use jsonschema::{
    Draft, ValidationError, Validator, error::ValidationErrorKind as Kind, paths::Location,
};
use serde_json::{Map, Value, json};

use crate::{
    http::{Answer, GRID_WALLET_SIGNATURE, GridRequest, IDEMPOTENCY_KEY, REQUEST_ID},
    operation::Operation,
};

/// What a document says of each operation that it knows.
pub(super) type Document = BTreeMap<Operation, Specification>;

/// What a document says of one operation.
pub(super) struct Specification {
    /// Names of query parameters, and whether they are required.
    query: Vec<(String, bool)>,
    /// Names of header parameters, in lower case.
    headers: Vec<String>,
    request_body: Option<RequestBody>,
    answers: BTreeMap<u16, AnswerSpecification>,
}

struct RequestBody {
    is_required: bool,
    schema: Validator,
}

struct AnswerSpecification {
    has_retry_after: bool,
    body: Option<Validator>,
}

impl Specification {
    pub(super) fn wrong_in_request(&self, request: &GridRequest) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, is_required) in &self.query {
            if *is_required && !request.query.contains_key(name) {
                wrong.push(format!("no query parameter {name}"));
            }
        }
        for name in request.query.keys() {
            if !self.query.iter().any(|(known, _)| known == name) {
                wrong.push(format!("unknown query parameter {name}"));
            }
        }
        for name in [&GRID_WALLET_SIGNATURE, &REQUEST_ID, &IDEMPOTENCY_KEY] {
            if request.headers.contains_key(name)
                && !self.headers.iter().any(|known| name == known.as_str())
            {
                wrong.push(format!("unknown header {name}"));
            }
        }
        match &self.request_body {
            None if request.body.is_empty() => {}
            None => wrong.push("a body where none is specified".to_owned()),
            Some(body) if request.body.is_empty() => {
                if body.is_required {
                    wrong.push("no body".to_owned());
                }
            }
            Some(body) => {
                let is_json = request
                    .headers
                    .get(CONTENT_TYPE)
                    .is_some_and(|content_type| {
                        content_type.as_bytes().starts_with(b"application/json")
                    });
                if !is_json {
                    wrong.push("Content-Type is not application/json".to_owned());
                }
                match request.json::<Value>() {
                    Ok(json) => wrong.extend(errors(&body.schema, &json)),
                    Err(_) => wrong.push("the body is not JSON".to_owned()),
                }
            }
        }
        wrong
    }

    pub(super) fn wrong_in_answer(&self, answer: &Answer) -> Vec<String> {
        let Some(specification) = self.answers.get(&answer.status) else {
            return vec!["a status that is not specified".to_owned()];
        };
        let mut wrong = Vec::new();
        if specification.has_retry_after != answer.retry_after_seconds.is_some() {
            wrong.push("Retry-After is missing or not specified".to_owned());
        }
        match (&specification.body, &answer.body) {
            (Some(schema), Some(body)) => wrong.extend(errors(schema, body)),
            (Some(_), None) => wrong.push("no body".to_owned()),
            (None, Some(_)) => wrong.push("a body where none is specified".to_owned()),
            (None, None) => {}
        }
        wrong
    }
}

pub(super) fn errors(schema: &Validator, value: &Value) -> Vec<String> {
    let errors: Vec<_> = schema.iter_errors(value).collect();
    // Where no branch matches, everything is unevaluated as well, which says nothing.
    let has_no_branch = |at: &Location| {
        errors
            .iter()
            .any(|other| branches(other).is_some() && other.instance_path() == at)
    };
    errors
        .iter()
        .filter(|error| {
            !matches!(error.kind(), Kind::UnevaluatedProperties { .. })
                || !has_no_branch(error.instance_path())
        })
        .flat_map(describe)
        .collect()
}

fn branches<'a>(error: &'a ValidationError<'_>) -> Option<&'a [Vec<ValidationError<'static>>]> {
    match error.kind() {
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => Some(context),
        _ => None,
    }
}

/// What is wrong with the branch that was probably meant, or with the value itself.
fn describe(error: &ValidationError<'_>) -> Vec<String> {
    let is_of_type = |error: &ValidationError<'_>| error.instance_path().as_str() != "/type";
    let meant = branches(error).and_then(|branches| {
        branches
            .iter()
            .min_by_key(|errors| (!errors.iter().all(is_of_type), errors.len()))
    });
    match meant {
        Some(errors) => errors.iter().flat_map(describe).collect(),
        // Masked: bodies carry codes and tokens.
        None => vec![format!("{}: {}", error.instance_path(), error.masked())],
    }
}

pub(super) fn read_document(yaml: &str) -> Result<Document, String> {
    let document: Value = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
    let components = closed_components(&document);
    let mut operations = Document::new();
    for operation in Operation::ALL {
        let Some(path) = document
            .get("paths")
            .and_then(|paths| paths.get(operation.path()))
        else {
            continue;
        };
        let method = operation.method().as_str().to_lowercase();
        let Some(described) = path.get(method) else {
            continue;
        };
        if described.get("operationId").and_then(Value::as_str) != Some(operation.id()) {
            return Err(format!("{} is not at {}", operation.id(), operation.path()));
        }
        operations.insert(operation, read_operation(path, described, &components)?);
    }
    Ok(operations)
}

fn read_operation(
    path: &Value,
    described: &Value,
    components: &Value,
) -> Result<Specification, String> {
    let mut specification = Specification {
        query: Vec::new(),
        headers: Vec::new(),
        request_body: None,
        answers: BTreeMap::new(),
    };
    let parameters = |of: &Value| of.get("parameters").and_then(Value::as_array).cloned();
    for parameter in [parameters(path), parameters(described)]
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = |name| {
            parameter
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        match text("in") {
            "query" => {
                let is_required = parameter.get("required") == Some(&Value::Bool(true));
                specification
                    .query
                    .push((text("name").to_owned(), is_required));
            }
            "header" => specification.headers.push(text("name").to_lowercase()),
            _ => {}
        }
    }
    if let Some(body) = described.get("requestBody") {
        let is_required = body.get("required") == Some(&Value::Bool(true));
        let schema = body_schema(body, components)?.ok_or("a request body without a schema")?;
        specification.request_body = Some(RequestBody {
            is_required,
            schema,
        });
    }
    let answers = described
        .get("responses")
        .and_then(Value::as_object)
        .ok_or("no responses")?;
    for (status, answer) in answers {
        let status = status.parse().map_err(|_| format!("status {status}"))?;
        // Some answers have the header in their description only.
        let description = answer.get("description").and_then(Value::as_str);
        let has_retry_after = answer.pointer("/headers/Retry-After").is_some()
            || description.is_some_and(|text| text.contains("`Retry-After`"));
        let body = body_schema(answer, components)?;
        specification.answers.insert(
            status,
            AnswerSpecification {
                has_retry_after,
                body,
            },
        );
    }
    Ok(specification)
}

pub(super) fn body_schema(of: &Value, components: &Value) -> Result<Option<Validator>, String> {
    of.pointer("/content/application~1json/schema")
        .map(|schema| compile(&root_schema(schema, components)))
        .transpose()
}

/// A body's schema as a JSON Schema document of its own.
fn root_schema(schema: &Value, components: &Value) -> Value {
    let mut root = schema.clone();
    close(&mut root);
    if let Value::Object(members) = &mut root {
        members.insert("components".to_owned(), components.clone());
    }
    root
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())
}

pub(super) fn closed_components(document: &Value) -> Value {
    let mut schemas = document
        .pointer("/components/schemas")
        .cloned()
        .unwrap_or(Value::Object(Map::new()));
    for schema in schemas
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        close_inside(schema);
    }
    json!({ "schemas": schemas })
}

/// Closes a schema at a place where it is used as a whole. Members that `additionalProperties`
/// admits count as evaluated, so documents that mean to be open stay so.
fn close(schema: &mut Value) {
    close_inside(schema);
    if let Value::Object(members) = schema {
        members.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

/// Closes the places inside a schema. The schema itself stays open: where it is a part of an
/// `allOf`, the other parts have members too.
fn close_inside(schema: &mut Value) {
    let Value::Object(keywords) = schema else {
        return;
    };
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(members)) => members.values_mut().for_each(close),
            ("items", item) => close(item),
            ("additionalProperties", members @ Value::Object(_)) => close(members),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter_mut().for_each(close_inside);
            }
            _ => {}
        }
    }
}
