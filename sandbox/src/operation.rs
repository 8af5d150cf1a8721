//! The operations of the Grid API that the sandbox answers, by their operationIds.

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// An operation of the Grid API. Serialised as its operationId.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// `POST /auth/credentials`
    CreateAuthCredential,
    /// `GET /auth/credentials`
    ListAuthCredentials,
    /// `POST /auth/credentials/{id}/challenge`
    ChallengeAuthCredential,
    /// `POST /auth/credentials/{id}/verify`
    VerifyAuthCredential,
    /// `GET /auth/sessions`
    ListAuthSessions,
    /// `DELETE /auth/sessions/{id}`
    RevokeAuthSession,
    /// `POST /auth/sessions/{id}/refresh`
    RefreshAuthSession,
    /// `POST /agents/{agentId}/device-codes`
    RegenerateAgentDeviceCode,
    /// `GET /agents/device-codes/{code}/status`
    GetAgentDeviceCodeStatus,
    /// `POST /agents/device-codes/{code}/redeem`
    RedeemAgentDeviceCode,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CreateAuthCredential,
        Self::ListAuthCredentials,
        Self::ChallengeAuthCredential,
        Self::VerifyAuthCredential,
        Self::ListAuthSessions,
        Self::RevokeAuthSession,
        Self::RefreshAuthSession,
        Self::RegenerateAgentDeviceCode,
        Self::GetAgentDeviceCodeStatus,
        Self::RedeemAgentDeviceCode,
    ];

    /// The operationId.
    pub fn id(self) -> &'static str {
        match self {
            Self::CreateAuthCredential => "createAuthCredential",
            Self::ListAuthCredentials => "listAuthCredentials",
            Self::ChallengeAuthCredential => "challengeAuthCredential",
            Self::VerifyAuthCredential => "verifyAuthCredential",
            Self::ListAuthSessions => "listAuthSessions",
            Self::RevokeAuthSession => "revokeAuthSession",
            Self::RefreshAuthSession => "refreshAuthSession",
            Self::RegenerateAgentDeviceCode => "regenerateAgentDeviceCode",
            Self::GetAgentDeviceCodeStatus => "getAgentDeviceCodeStatus",
            Self::RedeemAgentDeviceCode => "redeemAgentDeviceCode",
        }
    }

    /// The HTTP method.
    pub fn method(self) -> Method {
        match self {
            Self::ListAuthCredentials | Self::ListAuthSessions | Self::GetAgentDeviceCodeStatus => {
                Method::GET
            }
            Self::RevokeAuthSession => Method::DELETE,
            Self::CreateAuthCredential
            | Self::ChallengeAuthCredential
            | Self::VerifyAuthCredential
            | Self::RefreshAuthSession
            | Self::RegenerateAgentDeviceCode
            | Self::RedeemAgentDeviceCode => Method::POST,
        }
    }

    /// The path template, in the notation that OpenAPI and axum share.
    pub fn path(self) -> &'static str {
        match self {
            Self::CreateAuthCredential | Self::ListAuthCredentials => "/auth/credentials",
            Self::ChallengeAuthCredential => "/auth/credentials/{id}/challenge",
            Self::VerifyAuthCredential => "/auth/credentials/{id}/verify",
            Self::ListAuthSessions => "/auth/sessions",
            Self::RevokeAuthSession => "/auth/sessions/{id}",
            Self::RefreshAuthSession => "/auth/sessions/{id}/refresh",
            Self::RegenerateAgentDeviceCode => "/agents/{agentId}/device-codes",
            Self::GetAgentDeviceCodeStatus => "/agents/device-codes/{code}/status",
            Self::RedeemAgentDeviceCode => "/agents/device-codes/{code}/redeem",
        }
    }

    /// Whether the platform's Basic credentials are required. A device code is its own proof.
    pub fn is_platform_authenticated(self) -> bool {
        self != Self::RedeemAgentDeviceCode
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn operations_are_serialised_as_their_ids() {
        for operation in Operation::ALL {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.id());
        }
    }
}
