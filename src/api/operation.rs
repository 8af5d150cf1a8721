//! Grid's endpoints as data: one row an operation.

use crate::error::{Error, Result};

/// One row of the table.
#[derive(Debug)]
pub struct Spec {
    /// The API's `operationId`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with the API document's parameter names in braces.
    pub path: &'static str,
    /// The query parameter, where the operation has one.
    pub query: Option<&'static str>,
    /// The statuses of success.
    pub success: &'static [u16],
    /// Whether it is repeated with a stamp after a 202.
    pub signed: bool,
}

/// The operations this package knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Re-issues a credential's challenge; for one-time codes it sends a new code.
    ChallengeAuthCredential,
    /// Registers a further credential.
    CreateAuthCredential,
    /// The relay's own: what `navigator.credentials.create()` needs of the platform.
    CreatePasskeyRegistrationOptions,
    /// Lists an account's credentials.
    ListAuthCredentials,
    /// Lists an account's active sessions.
    ListAuthSessions,
    /// Adds a session to a running one, with a new key.
    RefreshAuthSession,
    /// Issues a new device code for an agent.
    RegenerateAgentDeviceCode,
    /// Ends a session.
    RevokeAuthSession,
    /// Answers a challenge; issues a session.
    VerifyAuthCredential,
}

impl Operation {
    /// All of them, for tables and tests.
    pub const ALL: &'static [Self] = &[
        Self::ChallengeAuthCredential,
        Self::CreateAuthCredential,
        Self::CreatePasskeyRegistrationOptions,
        Self::ListAuthCredentials,
        Self::ListAuthSessions,
        Self::RefreshAuthSession,
        Self::RegenerateAgentDeviceCode,
        Self::RevokeAuthSession,
        Self::VerifyAuthCredential,
    ];

    /// Its row.
    pub fn spec(self) -> &'static Spec {
        match self {
            Self::ChallengeAuthCredential => &Spec {
                id: "challengeAuthCredential",
                method: "POST",
                path: "/auth/credentials/{id}/challenge",
                query: None,
                success: &[200],
                signed: false,
            },
            Self::CreateAuthCredential => &Spec {
                id: "createAuthCredential",
                method: "POST",
                path: "/auth/credentials",
                query: None,
                success: &[201, 202],
                signed: true,
            },
            Self::CreatePasskeyRegistrationOptions => &Spec {
                id: "createPasskeyRegistrationOptions",
                method: "POST",
                path: "/auth/credentials/registration-options",
                query: None,
                success: &[200],
                signed: false,
            },
            Self::ListAuthCredentials => &Spec {
                id: "listAuthCredentials",
                method: "GET",
                path: "/auth/credentials",
                query: Some("accountId"),
                success: &[200],
                signed: false,
            },
            Self::ListAuthSessions => &Spec {
                id: "listAuthSessions",
                method: "GET",
                path: "/auth/sessions",
                query: Some("accountId"),
                success: &[200],
                signed: false,
            },
            Self::RefreshAuthSession => &Spec {
                id: "refreshAuthSession",
                method: "POST",
                path: "/auth/sessions/{id}/refresh",
                query: None,
                success: &[201, 202],
                signed: true,
            },
            Self::RegenerateAgentDeviceCode => &Spec {
                id: "regenerateAgentDeviceCode",
                method: "POST",
                path: "/agents/{agentId}/device-codes",
                query: None,
                success: &[201],
                signed: false,
            },
            Self::RevokeAuthSession => &Spec {
                id: "revokeAuthSession",
                method: "DELETE",
                path: "/auth/sessions/{id}",
                query: None,
                success: &[202, 204],
                signed: true,
            },
            Self::VerifyAuthCredential => &Spec {
                id: "verifyAuthCredential",
                method: "POST",
                path: "/auth/credentials/{id}/verify",
                query: None,
                success: &[200, 202],
                signed: true,
            },
        }
    }

    /// The path of a request: parameters percent-encoded, the query behind it.
    ///
    /// `params` carries each name in braces, and the query parameter if there is one.
    pub fn path(self, params: &[(&'static str, String)]) -> Result<String> {
        let spec = self.spec();
        let value = |name: &str| {
            params
                .iter()
                .find(|(param, _)| *param == name)
                .map(|(_, value)| percent_encode(value))
                .ok_or_else(|| Error::invalid_argument(format!("{} needs `{name}`", spec.id)))
        };
        let mut path = String::new();
        for segment in spec.path.split('/').skip(1) {
            path.push('/');
            match segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => path.push_str(&value(name)?),
                None => path.push_str(segment),
            }
        }
        if let Some(name) = spec.query {
            path.push('?');
            path.push_str(name);
            path.push('=');
            path.push_str(&value(name)?);
        }
        Ok(path)
    }
}

/// RFC 3986: everything but unreserved characters becomes `%XX`.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_percent_encoded() {
        let params = [("id", "AuthMethod:01/..?#%".to_owned())];
        assert_eq!(
            Operation::ChallengeAuthCredential.path(&params).unwrap(),
            "/auth/credentials/AuthMethod%3A01%2F..%3F%23%25/challenge"
        );
        let params = [("accountId", "InternalAccount:é".to_owned())];
        assert_eq!(
            Operation::ListAuthSessions.path(&params).unwrap(),
            "/auth/sessions?accountId=InternalAccount%3A%C3%A9"
        );
    }

    #[test]
    fn a_missing_parameter_is_refused() {
        assert!(Operation::RevokeAuthSession.path(&[]).is_err());
    }
}
