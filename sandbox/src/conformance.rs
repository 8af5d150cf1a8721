//! Holds all Grid traffic against Grid's OpenAPI documents.
//!
//! The four documentation pages specify sealed session keys, so what they specify is held against
//! them where a `clientPublicKey` is uncompressed or absent. Everything else is held against the
//! API document. OpenAPI 3.1 schemas are JSON Schema 2020-12; every object is closed where it is
//! used, so that a name which no document knows is a violation.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::http::{Method, header::CONTENT_TYPE};
use jsonschema::{
    Draft, ValidationError, Validator, error::ValidationErrorKind as Kind, paths::Location,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    http::{Answer, GRID_WALLET_SIGNATURE, GridRequest, REQUEST_ID},
    operation::Operation,
};

/// Traffic that is not what the documents specify.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Violation {
    /// The operation, if the path is one's.
    pub operation: Option<Operation>,
    /// Whose mistake it is.
    pub direction: Direction,
    /// The answer's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The document that says otherwise: a file name in `tests/openapi`.
    pub document: String,
    /// What is wrong, and where.
    pub what: String,
}

/// Which half of an exchange a violation is in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The client's half.
    Request,
    /// The sandbox's half.
    Answer,
}

/// What is wrong with `request`.
pub(crate) fn check_request(request: &GridRequest) -> Option<Violation> {
    check(request, Direction::Request, None, |specification| {
        specification.wrong_in_request(request)
    })
}

/// What is wrong with `answer` to `request`.
pub(crate) fn check_answer(request: &GridRequest, answer: &Answer) -> Option<Violation> {
    check(
        request,
        Direction::Answer,
        Some(answer.status),
        |specification| specification.wrong_in_answer(answer),
    )
}

/// A request that is for no operation.
pub(crate) fn unknown_path(method: &Method, path: &str) -> Violation {
    Violation {
        operation: None,
        direction: Direction::Request,
        status: None,
        document: GRID.to_owned(),
        what: format!("no operation: {method} {path}"),
    }
}

/// Members to be renamed in answers, so that it shows whether that is noticed.
#[derive(Default)]
pub(crate) struct Renames(Vec<(Operation, String)>);

impl Renames {
    pub(crate) fn order(&mut self, operation: Operation, pointer: String) {
        self.0.push((operation, pointer));
    }

    pub(crate) fn rename(&mut self, operation: Operation, answer: &mut Answer) {
        self.0.retain(|(wanted, pointer)| {
            let body = answer.body.as_mut().filter(|_| *wanted == operation);
            body.and_then(|body| rename_member(body, pointer)).is_none()
        });
    }
}

/// Appends an X to the name of the member at a JSON pointer.
fn rename_member(value: &mut Value, pointer: &str) -> Option<()> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let members = value.pointer_mut(parent)?.as_object_mut()?;
    let member = members.remove(name)?;
    members.insert(format!("{name}X"), member);
    Some(())
}

fn check(
    request: &GridRequest,
    direction: Direction,
    status: Option<u16>,
    wrong: impl Fn(&Specification) -> Vec<String>,
) -> Option<Violation> {
    let file = document_of(request);
    let wrong = match &*DOCUMENTS {
        Ok(documents) => documents
            .get(file)
            .and_then(|document| document.get(&request.operation))
            .map_or_else(|| vec!["not in this document".to_owned()], wrong),
        Err(error) => vec![error.clone()],
    };
    (!wrong.is_empty()).then(|| Violation {
        operation: Some(request.operation),
        direction,
        status,
        document: file.to_owned(),
        what: wrong.join("; "),
    })
}

const GRID: &str = "grid.yaml";

/// The documents, by file name.
const SOURCES: [(&str, &str); 5] = [
    (GRID, include_str!("../../tests/openapi/grid.yaml")),
    (
        "createAuthCredential.yaml",
        include_str!("../../tests/openapi/createAuthCredential.yaml"),
    ),
    (
        "challengeAuthCredential.yaml",
        include_str!("../../tests/openapi/challengeAuthCredential.yaml"),
    ),
    (
        "refreshAuthSession.yaml",
        include_str!("../../tests/openapi/refreshAuthSession.yaml"),
    ),
    (
        "regenerateAgentDeviceCode.yaml",
        include_str!("../../tests/openapi/regenerateAgentDeviceCode.yaml"),
    ),
];

fn document_of(request: &GridRequest) -> &'static str {
    let body = request.json::<Value>().unwrap_or_default();
    let is_client_held = body
        .get("clientPublicKey")
        .and_then(Value::as_str)
        .is_some_and(|key| key.starts_with("02") || key.starts_with("03"));
    match request.operation {
        Operation::CreateAuthCredential => "createAuthCredential.yaml",
        Operation::RegenerateAgentDeviceCode => "regenerateAgentDeviceCode.yaml",
        Operation::ChallengeAuthCredential if !is_client_held => "challengeAuthCredential.yaml",
        Operation::RefreshAuthSession if !is_client_held => "refreshAuthSession.yaml",
        _ => GRID,
    }
}

type Document = BTreeMap<Operation, Specification>;

static DOCUMENTS: LazyLock<Result<BTreeMap<&str, Document>, String>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(file, yaml)| Ok((*file, read_document(yaml)?)))
        .collect()
});

/// What a document says of one operation.
struct Specification {
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
    fn wrong_in_request(&self, request: &GridRequest) -> Vec<String> {
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
        for name in [&GRID_WALLET_SIGNATURE, &REQUEST_ID] {
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

    fn wrong_in_answer(&self, answer: &Answer) -> Vec<String> {
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

fn errors(schema: &Validator, value: &Value) -> Vec<String> {
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

fn read_document(yaml: &str) -> Result<Document, String> {
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
        let has_retry_after = answer.pointer("/headers/Retry-After").is_some();
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

fn body_schema(of: &Value, components: &Value) -> Result<Option<Validator>, String> {
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

fn closed_components(document: &Value) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;

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
        vec![
            schema
                .get("example")
                .cloned()
                .unwrap_or_else(|| json!("text")),
        ]
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
}
