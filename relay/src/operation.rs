//! The operations that are relayed. What is not in the table is not forwarded.

use axum::http::Method;

use crate::refusal::Refusal;
use crate::resource::{Resource, ResourceKind};

/// An operation of the relay, by Grid's `operationId`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /quotes/{quoteId}/authorize`
    AuthorizeQuote,
    /// `POST /auth/credentials/{id}/challenge`
    ChallengeAuthCredential,
    /// `POST /auth/credentials`
    CreateAuthCredential,
    /// `POST /auth/delegated-keys`
    CreateDelegatedKey,
    /// `POST /auth/credentials/registration-options`: the relay's own, not Grid's.
    CreatePasskeyRegistrationOptions,
    /// `POST /quotes`
    CreateQuote,
    /// `POST /quotes/{quoteId}/execute`
    ExecuteQuote,
    /// `POST /internal-accounts/{id}/export`
    ExportInternalAccount,
    /// `GET /agents/device-codes/{code}/status`
    GetAgentDeviceCodeStatus,
    /// `GET /auth/delegated-keys/{id}`
    GetDelegatedKeyById,
    /// `GET /quotes/{quoteId}`
    GetQuoteById,
    /// `GET /auth/credentials?accountId=…`
    ListAuthCredentials,
    /// `GET /auth/sessions?accountId=…`
    ListAuthSessions,
    /// `GET /customers/internal-accounts?customerId=…`
    ListCustomerInternalAccounts,
    /// `GET /auth/delegated-keys?accountId=…&fundingSourceId=…`, with one of the two or both
    ListDelegatedKeys,
    /// `POST /auth/sessions/{id}/refresh`
    RefreshAuthSession,
    /// `POST /agents/{agentId}/device-codes`
    RegenerateAgentDeviceCode,
    /// `POST /quotes/{quoteId}/authorize/resend`
    ResendQuoteScaCode,
    /// `DELETE /auth/credentials/{id}`
    RevokeAuthCredential,
    /// `DELETE /auth/sessions/{id}`
    RevokeAuthSession,
    /// `DELETE /auth/delegated-keys/{id}`
    RevokeDelegatedKey,
    /// `PATCH /customers/{customerId}`
    UpdateCustomerById,
    /// `PATCH /internal-accounts/{id}`
    UpdateInternalAccount,
    /// `POST /auth/credentials/{id}/verify`
    VerifyAuthCredential,
}

impl Operation {
    /// The `operationId`.
    pub fn id(self) -> &'static str {
        match self {
            Self::AuthorizeQuote => "authorizeQuote",
            Self::ChallengeAuthCredential => "challengeAuthCredential",
            Self::CreateAuthCredential => "createAuthCredential",
            Self::CreateDelegatedKey => "createDelegatedKey",
            Self::CreatePasskeyRegistrationOptions => "createPasskeyRegistrationOptions",
            Self::CreateQuote => "createQuote",
            Self::ExecuteQuote => "executeQuote",
            Self::ExportInternalAccount => "exportInternalAccount",
            Self::GetAgentDeviceCodeStatus => "getAgentDeviceCodeStatus",
            Self::GetDelegatedKeyById => "getDelegatedKeyById",
            Self::GetQuoteById => "getQuoteById",
            Self::ListAuthCredentials => "listAuthCredentials",
            Self::ListAuthSessions => "listAuthSessions",
            Self::ListCustomerInternalAccounts => "listCustomerInternalAccounts",
            Self::ListDelegatedKeys => "listDelegatedKeys",
            Self::RefreshAuthSession => "refreshAuthSession",
            Self::RegenerateAgentDeviceCode => "regenerateAgentDeviceCode",
            Self::ResendQuoteScaCode => "resendQuoteScaCode",
            Self::RevokeAuthCredential => "revokeAuthCredential",
            Self::RevokeAuthSession => "revokeAuthSession",
            Self::RevokeDelegatedKey => "revokeDelegatedKey",
            Self::UpdateCustomerById => "updateCustomerById",
            Self::UpdateInternalAccount => "updateInternalAccount",
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
    /// What the query may have. Each parameter is there once at most, and others are refused. An
    /// identifier is required where nothing else in the request is one.
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Body,
    switch: Switch,
}

/// A parameter of a query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// What the parameter identifies, if it is an identifier.
    pub(crate) resource: Option<ResourceKind>,
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

/// A member of an object in a JSON body. Others are refused: an identifier under a name that the
/// relay does not know, or under two spellings of one name, would go unauthorised.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) value: MemberValue,
    /// Of what is no identifier and has none in it, Grid says whether it has to be there.
    pub(crate) is_required: bool,
}

/// What a member is, as far as the relay needs to know.
pub(crate) enum MemberValue {
    /// Whatever Grid takes: it has no identifier in it.
    Any,
    /// The identifier of something of this kind.
    Id(ResourceKind),
    /// The identifier of something of one of these kinds, and its prefix says of which.
    IdOf(&'static [ResourceKind]),
    /// An object. The text of the member `discriminator` says which variant of it.
    OneOf {
        discriminator: &'static str,
        variants: &'static [Variant],
    },
}

/// An object's members if its discriminator has this text.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) members: &'static [Member],
}

/// Which operations are offered besides those that always are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Switches {
    pub(crate) agent_operations: bool,
    pub(crate) delegated_keys: bool,
}

/// What an operation depends on.
#[derive(Clone, Copy)]
enum Switch {
    AlwaysOn,
    AgentOperations,
    DelegatedKeys,
}

/// A request's row, and what its path names.
pub(crate) struct Match {
    pub(crate) row: &'static Row,
    pub(crate) resource: Option<Resource>,
}

impl Row {
    /// The operation's path at Grid, with this identifier in it.
    pub(crate) fn grid_path(&self, resource: Option<&Resource>) -> String {
        let id = resource.map(Resource::encoded_id).unwrap_or_default();
        let segments = self.path.split('/');
        let segments: Vec<_> = segments
            .map(|segment| {
                if segment.starts_with('{') {
                    id.as_str()
                } else {
                    segment
                }
            })
            .collect();
        segments.join("/")
    }
}

impl Switches {
    fn has(self, switch: Switch) -> bool {
        match switch {
            Switch::AlwaysOn => true,
            Switch::AgentOperations => self.agent_operations,
            Switch::DelegatedKeys => self.delegated_keys,
        }
    }
}

/// Finds a request's operation. `path` is the raw path, still encoded.
pub(crate) fn find(method: &Method, path: &str, switches: Switches) -> Result<Match, Refusal> {
    // What is literal is not read as an identifier, as in `/customers/internal-accounts`.
    let is_literal = TABLE.iter().any(|row| row.path == path);
    let mut is_path_known = false;
    for row in TABLE
        .iter()
        .filter(|row| switches.has(row.switch))
        .filter(|row| !is_literal || row.path == path)
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

const fn id(name: &'static str, kind: ResourceKind) -> Member {
    Member {
        name,
        value: MemberValue::Id(kind),
        is_required: true,
    }
}

const fn id_of(name: &'static str, kinds: &'static [ResourceKind]) -> Member {
    Member {
        name,
        value: MemberValue::IdOf(kinds),
        is_required: true,
    }
}

const fn optional_id(name: &'static str, kind: ResourceKind) -> Member {
    Member {
        name,
        value: MemberValue::Id(kind),
        is_required: false,
    }
}

const fn one_of(
    name: &'static str,
    discriminator: &'static str,
    variants: &'static [Variant],
) -> Member {
    Member {
        name,
        value: MemberValue::OneOf {
            discriminator,
            variants,
        },
        is_required: true,
    }
}

const fn member(name: &'static str) -> Member {
    Member {
        name,
        value: MemberValue::Any,
        is_required: false,
    }
}

const fn id_parameter(name: &'static str, kind: ResourceKind) -> Parameter {
    Parameter {
        name,
        resource: Some(kind),
    }
}

const fn parameter(name: &'static str) -> Parameter {
    Parameter {
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
        query: &[],
        body: Body::Required(&[id("accountId", ResourceKind::Account)]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::CreateAuthCredential,
        method: Method::POST,
        path: "/auth/credentials",
        path_resource: None,
        query: &[],
        body: Body::Required(&[
            id("accountId", ResourceKind::Account),
            member("type"),
            member("oidcToken"),
            member("nickname"),
            member("challenge"),
            member("attestation"),
        ]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ListAuthCredentials,
        method: Method::GET,
        path: "/auth/credentials",
        path_resource: None,
        query: &[id_parameter("accountId", ResourceKind::Account)],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::RevokeAuthCredential,
        method: Method::DELETE,
        path: "/auth/credentials/{id}",
        path_resource: Some(ResourceKind::AuthMethod),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ChallengeAuthCredential,
        method: Method::POST,
        path: "/auth/credentials/{id}/challenge",
        path_resource: Some(ResourceKind::AuthMethod),
        query: &[],
        body: Body::Optional(&[member("clientPublicKey")]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::VerifyAuthCredential,
        method: Method::POST,
        path: "/auth/credentials/{id}/verify",
        path_resource: Some(ResourceKind::AuthMethod),
        query: &[],
        body: Body::Required(&[
            member("type"),
            member("encryptedOtpBundle"),
            member("oidcToken"),
            member("clientPublicKey"),
            member("assertion"),
        ]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ListAuthSessions,
        method: Method::GET,
        path: "/auth/sessions",
        path_resource: None,
        query: &[id_parameter("accountId", ResourceKind::Account)],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::RevokeAuthSession,
        method: Method::DELETE,
        path: "/auth/sessions/{id}",
        path_resource: Some(ResourceKind::Session),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::RefreshAuthSession,
        method: Method::POST,
        path: "/auth/sessions/{id}/refresh",
        path_resource: Some(ResourceKind::Session),
        query: &[],
        body: Body::Required(&[member("clientPublicKey")]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::CreateDelegatedKey,
        method: Method::POST,
        path: "/auth/delegated-keys",
        path_resource: None,
        query: &[],
        body: Body::Required(&[
            id("cardId", ResourceKind::Card),
            id("internalAccountId", ResourceKind::Account),
            member("nickname"),
        ]),
        switch: Switch::DelegatedKeys,
    },
    Row {
        operation: Operation::ListDelegatedKeys,
        method: Method::GET,
        path: "/auth/delegated-keys",
        path_resource: None,
        query: &[
            id_parameter("accountId", ResourceKind::Account),
            id_parameter("fundingSourceId", ResourceKind::CardFundingSource),
        ],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::GetDelegatedKeyById,
        method: Method::GET,
        path: "/auth/delegated-keys/{id}",
        path_resource: Some(ResourceKind::DelegatedKey),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::RevokeDelegatedKey,
        method: Method::DELETE,
        path: "/auth/delegated-keys/{id}",
        path_resource: Some(ResourceKind::DelegatedKey),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    // Grid takes this without a customer, and answers for the whole platform.
    Row {
        operation: Operation::ListCustomerInternalAccounts,
        method: Method::GET,
        path: "/customers/internal-accounts",
        path_resource: None,
        query: &[
            id_parameter("customerId", ResourceKind::Customer),
            parameter("type"),
            parameter("currency"),
            parameter("limit"),
            parameter("cursor"),
        ],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    // The rest of a customer's record, such as name and address, is the platform's to write.
    Row {
        operation: Operation::UpdateCustomerById,
        method: Method::PATCH,
        path: "/customers/{customerId}",
        path_resource: Some(ResourceKind::Customer),
        query: &[],
        body: Body::Required(&[
            member("customerType"),
            member("email"),
            member("phoneNumber"),
        ]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::UpdateInternalAccount,
        method: Method::PATCH,
        path: "/internal-accounts/{id}",
        path_resource: Some(ResourceKind::Account),
        query: &[],
        body: Body::Required(&[member("privateEnabled")]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ExportInternalAccount,
        method: Method::POST,
        path: "/internal-accounts/{id}/export",
        path_resource: Some(ResourceKind::Account),
        query: &[],
        body: Body::Required(&[member("clientPublicKey")]),
        switch: Switch::AlwaysOn,
    },
    // Not for a browser to say, and so not here: `immediatelyExecute`, which leaves out the wallet's
    // signature; `platformFeeOverride`, what the platform earns; `senderCustomerInfo`, who the
    // platform says the sender is. Nor is an external account a source: that would be a debit of
    // whoever's bank account it is.
    Row {
        operation: Operation::CreateQuote,
        method: Method::POST,
        path: "/quotes",
        path_resource: None,
        query: &[],
        body: Body::Required(&[
            optional_id("lookupId", ResourceKind::Lookup),
            one_of("source", "sourceType", QUOTE_SOURCES),
            one_of("destination", "destinationType", QUOTE_DESTINATIONS),
            member("lockedCurrencySide"),
            member("lockedCurrencyAmount"),
            member("description"),
            member("remittanceInformation"),
            member("purposeOfPayment"),
            member("scaFactor"),
        ]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::GetQuoteById,
        method: Method::GET,
        path: "/quotes/{quoteId}",
        path_resource: Some(ResourceKind::Quote),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ExecuteQuote,
        method: Method::POST,
        path: "/quotes/{quoteId}/execute",
        path_resource: Some(ResourceKind::Quote),
        query: &[],
        body: Body::Optional(&[member("scaFactor")]),
        switch: Switch::AlwaysOn,
    },
    // `endUserIpAddress` feeds risk assessment: what a browser says of its own address is worthless.
    Row {
        operation: Operation::AuthorizeQuote,
        method: Method::POST,
        path: "/quotes/{quoteId}/authorize",
        path_resource: Some(ResourceKind::Quote),
        query: &[],
        body: Body::Required(&[member("code"), member("passkeyAssertion"), member("origin")]),
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::ResendQuoteScaCode,
        method: Method::POST,
        path: "/quotes/{quoteId}/authorize/resend",
        path_resource: Some(ResourceKind::Quote),
        query: &[],
        body: Body::None,
        switch: Switch::AlwaysOn,
    },
    Row {
        operation: Operation::RegenerateAgentDeviceCode,
        method: Method::POST,
        path: "/agents/{agentId}/device-codes",
        path_resource: Some(ResourceKind::Agent),
        query: &[],
        body: Body::None,
        switch: Switch::AgentOperations,
    },
    Row {
        operation: Operation::GetAgentDeviceCodeStatus,
        method: Method::GET,
        path: "/agents/device-codes/{code}/status",
        path_resource: Some(ResourceKind::DeviceCode),
        query: &[],
        body: Body::None,
        switch: Switch::AgentOperations,
    },
];

const QUOTE_SOURCES: &[Variant] = &[
    Variant {
        name: "ACCOUNT",
        members: &[
            member("sourceType"),
            id_of("accountId", &[ResourceKind::Account]),
            optional_id("customerId", ResourceKind::Customer),
        ],
    },
    // Grid takes this without a customer, for the platform itself.
    Variant {
        name: "REALTIME_FUNDING",
        members: &[
            member("sourceType"),
            id("customerId", ResourceKind::Customer),
            member("currency"),
            member("cryptoNetwork"),
        ],
    },
];

const QUOTE_DESTINATIONS: &[Variant] = &[
    Variant {
        name: "ACCOUNT",
        members: &[
            member("destinationType"),
            id_of(
                "accountId",
                &[ResourceKind::Account, ResourceKind::ExternalAccount],
            ),
            member("paymentRail"),
        ],
    },
    Variant {
        name: "UMA_ADDRESS",
        members: &[
            member("destinationType"),
            member("umaAddress"),
            member("currency"),
        ],
    },
];

#[cfg(test)]
mod two_customers;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The first column of the table under "What each operation needs".
    fn documented() -> BTreeSet<&'static str> {
        include_str!("../README.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
            .flat_map(|(operations, _)| operations.split(", "))
            .map(|operation| operation.trim_matches('`'))
            .collect()
    }

    #[test]
    fn the_documented_operations_are_the_tables() {
        let offered: BTreeSet<_> = TABLE.iter().map(|row| row.operation.id()).collect();
        assert_eq!(offered.len(), TABLE.len());
        assert_eq!(offered, documented());
    }

    #[test]
    fn whatever_a_path_identifies_is_of_a_kind() {
        for row in TABLE {
            let placeholders = row.path.matches('{').count();
            let kinds = usize::from(row.path_resource.is_some());
            assert_eq!(placeholders, kinds, "{}", row.path);
        }
    }
}
