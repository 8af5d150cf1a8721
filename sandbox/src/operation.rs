//! The operations of the Grid API that the sandbox answers, by their operationIds.

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// Lists each operation once: its name, HTTP method and path template.
macro_rules! operations {
    ($($name:ident $id:literal $method:ident $path:literal,)*) => {
        /// An operation of the Grid API. Serialised as its operationId.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Operation {
            $(
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                $name,
            )*
        }

        impl Operation {
            /// All of them.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The operationId.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The HTTP method.
            pub fn method(self) -> Method {
                match self {
                    $(Self::$name => Method::$method,)*
                }
            }

            /// The path template, in the notation that OpenAPI and axum share.
            pub fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

operations! {
    CreateAuthCredential "createAuthCredential" POST "/auth/credentials",
    ListAuthCredentials "listAuthCredentials" GET "/auth/credentials",
    RevokeAuthCredential "revokeAuthCredential" DELETE "/auth/credentials/{id}",
    ChallengeAuthCredential "challengeAuthCredential" POST "/auth/credentials/{id}/challenge",
    VerifyAuthCredential "verifyAuthCredential" POST "/auth/credentials/{id}/verify",
    ListAuthSessions "listAuthSessions" GET "/auth/sessions",
    RevokeAuthSession "revokeAuthSession" DELETE "/auth/sessions/{id}",
    RefreshAuthSession "refreshAuthSession" POST "/auth/sessions/{id}/refresh",
    ListCustomerInternalAccounts "listCustomerInternalAccounts" GET "/customers/internal-accounts",
    UpdateInternalAccount "updateInternalAccount" PATCH "/internal-accounts/{id}",
    ExportInternalAccount "exportInternalAccount" POST "/internal-accounts/{id}/export",
    UpdateCustomerById "updateCustomerById" PATCH "/customers/{customerId}",
    CreateQuote "createQuote" POST "/quotes",
    GetQuoteById "getQuoteById" GET "/quotes/{quoteId}",
    ExecuteQuote "executeQuote" POST "/quotes/{quoteId}/execute",
    AuthorizeQuote "authorizeQuote" POST "/quotes/{quoteId}/authorize",
    ResendQuoteScaCode "resendQuoteScaCode" POST "/quotes/{quoteId}/authorize/resend",
    CreateDelegatedKey "createDelegatedKey" POST "/auth/delegated-keys",
    ListDelegatedKeys "listDelegatedKeys" GET "/auth/delegated-keys",
    GetDelegatedKeyById "getDelegatedKeyById" GET "/auth/delegated-keys/{id}",
    RevokeDelegatedKey "revokeDelegatedKey" DELETE "/auth/delegated-keys/{id}",
    RegenerateAgentDeviceCode "regenerateAgentDeviceCode" POST "/agents/{agentId}/device-codes",
    GetAgentDeviceCodeStatus "getAgentDeviceCodeStatus" GET "/agents/device-codes/{code}/status",
    RedeemAgentDeviceCode "redeemAgentDeviceCode" POST "/agents/device-codes/{code}/redeem",
}

impl Operation {
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
