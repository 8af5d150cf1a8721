//! The operations that are relayed. What is not in the table is not forwarded.

use axum::http::Method;

use crate::refusal::Refusal;
use crate::resource::{Resource, ResourceKind};

/// An operation of the relay, by Grid's `operationId`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /auth/credentials/{id}/challenge`
    ChallengeAuthCredential,
    /// `POST /auth/credentials`
    CreateAuthCredential,
    /// `POST /auth/credentials/registration-options`: the relay's own, not Grid's.
    CreatePasskeyRegistrationOptions,
    /// `GET /agents/device-codes/{code}/status`
    GetAgentDeviceCodeStatus,
    /// `GET /auth/credentials?accountId=…`
    ListAuthCredentials,
    /// `GET /auth/sessions?accountId=…`
    ListAuthSessions,
    /// `POST /auth/sessions/{id}/refresh`
    RefreshAuthSession,
    /// `POST /agents/{agentId}/device-codes`
    RegenerateAgentDeviceCode,
    /// `DELETE /auth/credentials/{id}`
    RevokeAuthCredential,
    /// `DELETE /auth/sessions/{id}`
    RevokeAuthSession,
    /// `POST /auth/credentials/{id}/verify`
    VerifyAuthCredential,
}

impl Operation {
    /// The `operationId`.
    pub fn id(self) -> &'static str {
        match self {
            Self::ChallengeAuthCredential => "challengeAuthCredential",
            Self::CreateAuthCredential => "createAuthCredential",
            Self::CreatePasskeyRegistrationOptions => "createPasskeyRegistrationOptions",
            Self::GetAgentDeviceCodeStatus => "getAgentDeviceCodeStatus",
            Self::ListAuthCredentials => "listAuthCredentials",
            Self::ListAuthSessions => "listAuthSessions",
            Self::RefreshAuthSession => "refreshAuthSession",
            Self::RegenerateAgentDeviceCode => "regenerateAgentDeviceCode",
            Self::RevokeAuthCredential => "revokeAuthCredential",
            Self::RevokeAuthSession => "revokeAuthSession",
            Self::VerifyAuthCredential => "verifyAuthCredential",
        }
    }
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) operation: Operation,
    method: Method,
    /// Literal segments, and `{…}` where the identifier of `path_resource` stands.
    path: &'static str,
    path_resource: Option<ResourceKind>,
    /// The query's one parameter and what it identifies. It is required; others are refused.
    pub(crate) query: Option<(&'static str, ResourceKind)>,
    pub(crate) body: Body,
    is_agent_operation: bool,
}

/// What a request carries.
pub(crate) enum Body {
    /// Nothing.
    None,
    /// Nothing, or a JSON object of these members.
    Optional(&'static [Member]),
    /// A JSON object of these members.
    Required(&'static [Member]),
}

/// A top-level member of a JSON body. Others are refused: an identifier under a name that the
/// relay does not know, or under two spellings of one name, would go unauthorised.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// What the member identifies. Such a member is required.
    pub(crate) resource: Option<ResourceKind>,
}

/// A request's row, and what its path names.
pub(crate) struct Match {
    pub(crate) row: &'static Row,
    pub(crate) resource: Option<Resource>,
}

impl Row {
    /// The operation's path and query at Grid, with these identifiers.
    pub(crate) fn grid_path(&self, path: Option<&Resource>, query: Option<&Resource>) -> String {
        let encoded = |resource: Option<&Resource>| resource.map(Resource::encoded_id);
        let path_id = encoded(path).unwrap_or_default();
        let segments = self.path.split('/');
        let segments: Vec<_> = segments
            .map(|segment| {
                if segment.starts_with('{') {
                    path_id.as_str()
                } else {
                    segment
                }
            })
            .collect();
        let path = segments.join("/");
        match (self.query, encoded(query)) {
            (Some((name, _)), Some(id)) => format!("{path}?{name}={id}"),
            _ => path,
        }
    }
}

/// Finds a request's operation. `path` is the raw path, still encoded.
pub(crate) fn find(method: &Method, path: &str, agent_operations: bool) -> Result<Match, Refusal> {
    let mut is_path_known = false;
    for row in TABLE
        .iter()
        .filter(|row| agent_operations || !row.is_agent_operation)
    {
        let Some(segment) = match_path(row.path, path) else {
            continue;
        };
        is_path_known = true;
        if row.method != *method {
            continue;
        }
        let resource = match (segment, row.path_resource) {
            (Some(segment), Some(kind)) => {
                let resource = Resource::from_path_segment(kind, segment);
                Some(resource.ok_or(Refusal::invalid("The identifier in the path is malformed."))?)
            }
            _ => None,
        };
        return Ok(Match { row, resource });
    }
    Err(if is_path_known {
        Refusal::method_not_allowed()
    } else {
        Refusal::UnknownPath
    })
}

/// `Some` if the path is of the template's form, with the segment at the template's `{…}`.
fn match_path<'p>(template: &str, path: &'p str) -> Option<Option<&'p str>> {
    let mut captured = None;
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') && !segment.is_empty() {
            captured = Some(segment);
        } else if segment != expected {
            return None;
        }
    }
    segments.next().is_none().then_some(captured)
}

const fn account_id() -> Member {
    Member {
        name: "accountId",
        resource: Some(ResourceKind::Account),
    }
}

const fn member(name: &'static str) -> Member {
    Member {
        name,
        resource: None,
    }
}

/// Redeeming a device code (`POST /agents/device-codes/{code}/redeem`) is not here and must not
/// be added: its answer is a bearer token, which has no business in a browser.
static TABLE: &[Row] = &[
    Row {
        operation: Operation::CreatePasskeyRegistrationOptions,
        method: Method::POST,
        path: "/auth/credentials/registration-options",
        path_resource: None,
        query: None,
        body: Body::Required(&[account_id()]),
        is_agent_operation: false,
    },
    Row {
        operation: Operation::CreateAuthCredential,
        method: Method::POST,
        path: "/auth/credentials",
        path_resource: None,
        query: None,
        body: Body::Required(&[
            account_id(),
            member("type"),
            member("oidcToken"),
            member("nickname"),
            member("challenge"),
            member("attestation"),
        ]),
        is_agent_operation: false,
    },
    Row {
        operation: Operation::ListAuthCredentials,
        method: Method::GET,
        path: "/auth/credentials",
        path_resource: None,
        query: Some(("accountId", ResourceKind::Account)),
        body: Body::None,
        is_agent_operation: false,
    },
    Row {
        operation: Operation::RevokeAuthCredential,
        method: Method::DELETE,
        path: "/auth/credentials/{id}",
        path_resource: Some(ResourceKind::AuthMethod),
        query: None,
        body: Body::None,
        is_agent_operation: false,
    },
    Row {
        operation: Operation::ChallengeAuthCredential,
        method: Method::POST,
        path: "/auth/credentials/{id}/challenge",
        path_resource: Some(ResourceKind::AuthMethod),
        query: None,
        body: Body::Optional(&[member("clientPublicKey")]),
        is_agent_operation: false,
    },
    Row {
        operation: Operation::VerifyAuthCredential,
        method: Method::POST,
        path: "/auth/credentials/{id}/verify",
        path_resource: Some(ResourceKind::AuthMethod),
        query: None,
        body: Body::Required(&[
            member("type"),
            member("encryptedOtpBundle"),
            member("oidcToken"),
            member("clientPublicKey"),
            member("assertion"),
        ]),
        is_agent_operation: false,
    },
    Row {
        operation: Operation::ListAuthSessions,
        method: Method::GET,
        path: "/auth/sessions",
        path_resource: None,
        query: Some(("accountId", ResourceKind::Account)),
        body: Body::None,
        is_agent_operation: false,
    },
    Row {
        operation: Operation::RevokeAuthSession,
        method: Method::DELETE,
        path: "/auth/sessions/{id}",
        path_resource: Some(ResourceKind::Session),
        query: None,
        body: Body::None,
        is_agent_operation: false,
    },
    Row {
        operation: Operation::RefreshAuthSession,
        method: Method::POST,
        path: "/auth/sessions/{id}/refresh",
        path_resource: Some(ResourceKind::Session),
        query: None,
        body: Body::Required(&[member("clientPublicKey")]),
        is_agent_operation: false,
    },
    Row {
        operation: Operation::RegenerateAgentDeviceCode,
        method: Method::POST,
        path: "/agents/{agentId}/device-codes",
        path_resource: Some(ResourceKind::Agent),
        query: None,
        body: Body::None,
        is_agent_operation: true,
    },
    Row {
        operation: Operation::GetAgentDeviceCodeStatus,
        method: Method::GET,
        path: "/agents/device-codes/{code}/status",
        path_resource: Some(ResourceKind::DeviceCode),
        query: None,
        body: Body::None,
        is_agent_operation: true,
    },
];
