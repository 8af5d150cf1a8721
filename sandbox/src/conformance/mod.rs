//! Holds all Grid traffic against Grid's OpenAPI documents.
//!
//! The four documentation pages specify sealed session keys and do not know SMS_OTP, so what they
//! specify is held against them where a `clientPublicKey` is uncompressed or absent and nothing is
//! of that type. Everything else is held against the API document.

mod openapi;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock};

use axum::http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use self::openapi::{Document, Specification, read_document};
use crate::{
    http::{Answer, GridRequest},
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
    let body = request.json::<Value>().unwrap_or_default();
    let document = document_of(request, &body);
    check(request, document, None, |specification| {
        specification.wrong_in_request(request)
    })
}

/// What is wrong with `answer` to `request`.
pub(crate) fn check_answer(request: &GridRequest, answer: &Answer) -> Option<Violation> {
    let body = answer.body.as_ref().unwrap_or(&Value::Null);
    let document = document_of(request, body);
    check(request, document, Some(answer.status), |specification| {
        specification.wrong_in_answer(answer)
    })
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
    file: &str,
    status: Option<u16>,
    wrong: impl Fn(&Specification) -> Vec<String>,
) -> Option<Violation> {
    let wrong = match &*DOCUMENTS {
        Ok(documents) => documents
            .get(file)
            .and_then(|document| document.get(&request.operation))
            .map_or_else(|| vec!["not in this document".to_owned()], wrong),
        Err(error) => vec![error.clone()],
    };
    (!wrong.is_empty()).then(|| Violation {
        operation: Some(request.operation),
        direction: match status {
            Some(_) => Direction::Answer,
            None => Direction::Request,
        },
        status,
        document: file.to_owned(),
        what: wrong.join("; "),
    })
}

const GRID: &str = "grid.yaml";

/// The documents, by file name.
const SOURCES: [(&str, &str); 5] = [
    (GRID, include_str!("../../../tests/openapi/grid.yaml")),
    (
        "createAuthCredential.yaml",
        include_str!("../../../tests/openapi/createAuthCredential.yaml"),
    ),
    (
        "challengeAuthCredential.yaml",
        include_str!("../../../tests/openapi/challengeAuthCredential.yaml"),
    ),
    (
        "refreshAuthSession.yaml",
        include_str!("../../../tests/openapi/refreshAuthSession.yaml"),
    ),
    (
        "regenerateAgentDeviceCode.yaml",
        include_str!("../../../tests/openapi/regenerateAgentDeviceCode.yaml"),
    ),
];

/// The document that specifies what stands in `body`, the request's or its answer's.
fn document_of(request: &GridRequest, body: &Value) -> &'static str {
    let request_body = request.json::<Value>().unwrap_or_default();
    if [&request_body, body]
        .iter()
        .any(|body| body.get("type") == Some(&json!("SMS_OTP")))
    {
        return GRID;
    }
    let is_client_held = request_body
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

static DOCUMENTS: LazyLock<Result<BTreeMap<&str, Document>, String>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(file, yaml)| Ok((*file, read_document(yaml)?)))
        .collect()
});
