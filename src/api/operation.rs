//! Grid's endpoints as data: one row an operation.

use alloc::string::String;

use super::{
    shape::{LONG_TEXT_BYTES, Member, Shape, optional, required},
    types::{
        AGENT_DEVICE_CODE, AUTH_METHOD, AUTH_SESSION, CHALLENGED_CREDENTIAL, LISTED_METHOD,
        LISTED_SESSION, PASSKEY_ASSERTION, PASSKEY_ATTESTATION, REGISTRATION_OPTIONS,
        SIGNED_REQUEST_CHALLENGE,
    },
    validate::IdKind,
};
use crate::{
    crypto::hex,
    error::{Error, Result, cut, filled},
};

/// One row of the table.
#[derive(Debug)]
pub struct Spec {
    /// The API's `operationId`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with the API document's parameter name in braces.
    pub path: &'static str,
    /// What stands in the braces.
    pub subject: Option<(&'static str, IdKind)>,
    /// The query's parameters.
    pub query: &'static [Member],
    /// The body.
    pub body: Body,
    /// The answers of success.
    pub answers: &'static [Success],
    /// How it is signed.
    pub signing: Signing,
    /// The kinds of intent that its payloads are checked against, as JavaScript names them. By
    /// `activity` a caller may state any payload.
    pub intents: &'static [&'static str],
    /// Whether an unsigned request may be repeated unasked: it does nothing, or what it does is
    /// undone by being forgotten.
    pub is_repeatable: bool,
    /// Whether it takes an `Idempotency-Key`, which makes its repetition harmless.
    pub takes_idempotency_key: bool,
}

/// What a request carries.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// An object, or nothing.
    Optional(Shape),
    /// An object, which has no members unless some are given.
    Defaulted(Shape),
    /// An object.
    Required(Shape),
}

/// An answer of success.
#[derive(Debug)]
pub struct Success {
    /// The HTTP status.
    pub status: u16,
    /// What the answer is called in JavaScript.
    pub name: &'static str,
    /// Its form; a body is there unless the status is 204.
    pub shape: Shape,
    /// Whether it is `{"data": […]}`, which JavaScript gets under `name`.
    pub is_list: bool,
}

/// Stands for every status from 200 to 299.
pub const ANY_SUCCESS: u16 = 200 | 0x8000;

impl Success {
    /// Whether an answer of this status is meant.
    pub fn is_of(&self, status: u16) -> bool {
        self.status == status || (self.status == ANY_SUCCESS && (200..300).contains(&status))
    }
}

/// How an operation is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signing {
    /// Not at all.
    Unsigned,
    /// 202 carries a payload and a request id; the same request is sent again with a stamp. So
    /// many times.
    Retry(u8),
    /// At once: the payload came with something else, and there is no request id.
    AtOnce,
}

const fn success(status: u16, name: &'static str, shape: Shape) -> Success {
    Success {
        status,
        name,
        shape,
        is_list: false,
    }
}

const fn list(name: &'static str, shape: Shape) -> Success {
    Success {
        status: 200,
        name,
        shape,
        is_list: true,
    }
}

const CHALLENGE: Success = success(202, "challenge", SIGNED_REQUEST_CHALLENGE);
const DONE: Success = success(204, "", Shape::Any);

const UNSIGNED: Spec = Spec {
    id: "",
    method: "POST",
    path: "",
    subject: None,
    query: &[],
    body: Body::None,
    answers: &[],
    signing: Signing::Unsigned,
    intents: &[],
    is_repeatable: false,
    takes_idempotency_key: false,
};
const SIGNED: Spec = Spec {
    signing: Signing::Retry(1),
    ..UNSIGNED
};
/// The first leg of a signed retry on what exists leaves nothing behind but a challenge.
const SIGNED_ON_WHAT_EXISTS: Spec = Spec {
    is_repeatable: true,
    ..SIGNED
};
const GET: Spec = Spec {
    method: "GET",
    is_repeatable: true,
    ..UNSIGNED
};

const NAME_BYTES: usize = 512;
/// `{"encappedPublic": 130, "ciphertext"}` of a code and a public key.
const OTP_BUNDLE_BYTES: usize = 4 * 1024;

const ACCOUNT_QUERY: &[Member] = &[required("accountId", Shape::Id(IdKind::InternalAccount))];
const ACCOUNT: Member = required("accountId", Shape::Id(IdKind::InternalAccount));
const CLIENT_PUBLIC_KEY: Member = required("clientPublicKey", Shape::PublicKey);
const OIDC_TOKEN: Member = required("oidcToken", Shape::Token);
const OTP_BUNDLE: &[Member] = &[required(
    "encryptedOtpBundle",
    Shape::Text(OTP_BUNDLE_BYTES),
)];
/// Of a payment's strong customer authentication; an authenticator app's code is not bound to one.
const SCA_FACTOR: Member = optional("scaFactor", Shape::OneOf(&["SMS_OTP", "PASSKEY"]));

const DELEGATED_KEY: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::DelegatedKey)),
    required("cardId", Shape::Id(IdKind::Card)),
    required("fundingSourceId", Shape::Id(IdKind::CardFundingSource)),
    required("accountId", Shape::Id(IdKind::InternalAccount)),
    required("publicKey", Shape::Text(NAME_BYTES)),
    required("nickname", Shape::AnyText),
    required("status", Shape::Text(NAME_BYTES)),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
]);

const CURRENCY_AMOUNT: Shape = Shape::Object(&[
    required("amount", Shape::Number),
    required("currency", Shape::Object(&[])),
]);

const INTERNAL_ACCOUNT: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::InternalAccount)),
    optional("customerId", Shape::Id(IdKind::Customer)),
    required("type", Shape::Text(NAME_BYTES)),
    required("status", Shape::Text(NAME_BYTES)),
    required("balance", CURRENCY_AMOUNT),
    required("totalBalance", CURRENCY_AMOUNT),
    optional("privateEnabled", Shape::Flag),
    required("createdAt", Shape::Time),
    required("updatedAt", Shape::Time),
]);

/// `Quote`.
pub const QUOTE: Shape = Shape::Object(&[
    required("id", Shape::Id(IdKind::Quote)),
    required("status", Shape::Text(NAME_BYTES)),
    required("createdAt", Shape::Time),
    required("expiresAt", Shape::Time),
    required("source", Shape::Object(&[])),
    required("destination", Shape::Object(&[])),
    required("sendingCurrency", Shape::Object(&[])),
    required("receivingCurrency", Shape::Object(&[])),
    required("totalSendingAmount", Shape::Number),
    required("totalReceivingAmount", Shape::Number),
    required("exchangeRate", Shape::Number),
    required("feesIncluded", Shape::Number),
    required("transactionId", Shape::AnyText),
    optional(
        "paymentInstructions",
        Shape::List(&Shape::Object(&[required(
            "accountOrWalletInfo",
            Shape::Object(&[]),
        )])),
    ),
    optional(
        "scaChallenge",
        Shape::Object(&[
            required("id", Shape::Text(NAME_BYTES)),
            required("expiresAt", Shape::Time),
            required("factor", Shape::Text(NAME_BYTES)),
            required("availableFactors", Shape::List(&Shape::Text(NAME_BYTES))),
        ]),
    ),
]);

const QUOTE_REQUEST: Shape = Shape::Object(&[
    optional("lookupId", Shape::Text(NAME_BYTES)),
    required(
        "source",
        Shape::Tagged(&(
            "sourceType",
            &[
                (
                    "ACCOUNT",
                    &[ACCOUNT, optional("customerId", Shape::Id(IdKind::Customer))],
                ),
                (
                    "REALTIME_FUNDING",
                    &[
                        optional("customerId", Shape::Id(IdKind::Customer)),
                        required("currency", Shape::Text(NAME_BYTES)),
                        optional("cryptoNetwork", Shape::Text(NAME_BYTES)),
                    ],
                ),
            ],
        )),
    ),
    required(
        "destination",
        Shape::Tagged(&(
            "destinationType",
            &[
                (
                    "ACCOUNT",
                    &[
                        required("accountId", Shape::Text(NAME_BYTES)),
                        optional("paymentRail", Shape::Text(NAME_BYTES)),
                    ],
                ),
                (
                    "UMA_ADDRESS",
                    &[
                        required("umaAddress", Shape::Text(NAME_BYTES)),
                        optional("currency", Shape::Text(NAME_BYTES)),
                    ],
                ),
            ],
        )),
    ),
    required(
        "lockedCurrencySide",
        Shape::OneOf(&["SENDING", "RECEIVING"]),
    ),
    required("lockedCurrencyAmount", Shape::Amount),
    optional("immediatelyExecute", Shape::Flag),
    optional("description", Shape::Text(LONG_TEXT_BYTES)),
    optional("remittanceInformation", Shape::Text(NAME_BYTES)),
    optional("purposeOfPayment", Shape::Text(NAME_BYTES)),
    optional("platformFeeOverride", Shape::Object(&[])),
    SCA_FACTOR,
    optional("senderCustomerInfo", Shape::Any),
]);

/// What `WalletSession.signedRequest` sends: its method and path are the caller's.
const SIGNED_REQUEST: Spec = Spec {
    id: "signedRequest",
    answers: &[CHALLENGE, success(ANY_SUCCESS, "", Shape::Any)],
    signing: Signing::Retry(3),
    intents: &["activity"],
    ..SIGNED
};

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $variant:ident = $spec:expr;)+) => {
        /// The operations this package knows.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Operation {
            $($(#[doc = $doc])+ $variant,)+
            /// None of them: what Grid adds next.
            SignedRequest,
        }

        impl Operation {
            /// All that the API names, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its row.
            pub fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$variant => {
                        const SPEC: &Spec = &$spec;
                        SPEC
                    })+
                    Self::SignedRequest => &SIGNED_REQUEST,
                }
            }
        }
    };
}

operations! {
    /// Satisfies a payment's strong customer authentication.
    AuthorizeQuote = Spec {
        id: "authorizeQuote",
        path: "/quotes/{quoteId}/authorize",
        subject: Some(("quoteId", IdKind::Quote)),
        body: Body::Required(Shape::Object(&[
            optional("code", Shape::Text(NAME_BYTES)),
            optional("passkeyAssertion", Shape::Object(&[])),
            optional("origin", Shape::Text(NAME_BYTES)),
            optional("endUserIpAddress", Shape::Text(NAME_BYTES)),
        ])),
        answers: &[success(200, "quote", QUOTE)],
        ..UNSIGNED
    };
    /// Re-issues a credential's challenge; for one-time codes it sends a new code.
    ChallengeAuthCredential = Spec {
        id: "challengeAuthCredential",
        path: "/auth/credentials/{id}/challenge",
        subject: Some(("id", IdKind::AuthMethod)),
        body: Body::Defaulted(Shape::Object(&[optional("clientPublicKey", Shape::PublicKey)])),
        answers: &[success(200, "challenge", CHALLENGED_CREDENTIAL)],
        ..UNSIGNED
    };
    /// Registers a further credential.
    CreateAuthCredential = Spec {
        id: "createAuthCredential",
        path: "/auth/credentials",
        body: Body::Required(Shape::Tagged(&("type", &[
            ("EMAIL_OTP", &[ACCOUNT]),
            ("SMS_OTP", &[ACCOUNT]),
            ("OAUTH", &[ACCOUNT, OIDC_TOKEN]),
            ("PASSKEY", &[
                ACCOUNT,
                required("nickname", Shape::Nickname),
                required("challenge", Shape::Base64Url(LONG_TEXT_BYTES)),
                required("attestation", PASSKEY_ATTESTATION),
            ]),
        ]))),
        answers: &[CHALLENGE, success(201, "authMethod", AUTH_METHOD)],
        intents: &["addOauth", "addPasskey", "setEmail", "setPhone"],
        ..SIGNED
    };
    /// Lets Grid sign card payments of an account without the customer.
    CreateDelegatedKey = Spec {
        id: "createDelegatedKey",
        path: "/auth/delegated-keys",
        body: Body::Required(Shape::Object(&[
            required("cardId", Shape::Id(IdKind::Card)),
            required("internalAccountId", Shape::Id(IdKind::InternalAccount)),
            required("nickname", Shape::Text(1024)),
        ])),
        answers: &[CHALLENGE, success(201, "delegatedKey", DELEGATED_KEY)],
        signing: Signing::Retry(2),
        intents: &["activity"],
        ..SIGNED
    };
    /// The relay's own: what `navigator.credentials.create()` needs of the platform.
    CreatePasskeyRegistrationOptions = Spec {
        id: "createPasskeyRegistrationOptions",
        path: "/auth/credentials/registration-options",
        body: Body::Required(Shape::Object(&[ACCOUNT])),
        answers: &[success(200, "options", REGISTRATION_OPTIONS)],
        ..UNSIGNED
    };
    /// Offers a payment, with its price.
    CreateQuote = Spec {
        id: "createQuote",
        path: "/quotes",
        body: Body::Required(QUOTE_REQUEST),
        answers: &[success(201, "quote", QUOTE), success(202, "quote", QUOTE)],
        takes_idempotency_key: true,
        ..UNSIGNED
    };
    /// Pays: the stamp is over the payload in the quote's payment instructions.
    ExecuteQuote = Spec {
        id: "executeQuote",
        path: "/quotes/{quoteId}/execute",
        subject: Some(("quoteId", IdKind::Quote)),
        body: Body::Optional(Shape::Object(&[SCA_FACTOR])),
        answers: &[success(200, "quote", QUOTE)],
        signing: Signing::AtOnce,
        intents: &["executeQuote"],
        takes_idempotency_key: true,
        ..UNSIGNED
    };
    /// Hands out the wallet's mnemonic, sealed to a fresh key.
    ExportInternalAccount = Spec {
        id: "exportInternalAccount",
        path: "/internal-accounts/{id}/export",
        subject: Some(("id", IdKind::InternalAccount)),
        body: Body::Required(Shape::Object(&[
            required("clientPublicKey", Shape::UncompressedKey),
        ])),
        answers: &[
            CHALLENGE,
            success(200, "walletExport", Shape::Object(&[
                required("id", Shape::Id(IdKind::InternalAccount)),
                required("encryptedWalletCredentials", Shape::Text(LONG_TEXT_BYTES)),
            ])),
        ],
        intents: &["exportWallet"],
        ..SIGNED_ON_WHAT_EXISTS
    };
    /// Whether a device code was redeemed.
    GetAgentDeviceCodeStatus = Spec {
        id: "getAgentDeviceCodeStatus",
        path: "/agents/device-codes/{code}/status",
        subject: Some(("code", IdKind::DeviceCode)),
        answers: &[success(200, "deviceCodeStatus", Shape::Object(&[
            required("code", Shape::Text(NAME_BYTES)),
            required("redeemed", Shape::Flag),
        ]))],
        ..GET
    };
    /// A delegated key.
    GetDelegatedKeyById = Spec {
        id: "getDelegatedKeyById",
        path: "/auth/delegated-keys/{id}",
        subject: Some(("id", IdKind::DelegatedKey)),
        answers: &[success(200, "delegatedKey", DELEGATED_KEY)],
        ..GET
    };
    /// A quote, as it stands.
    GetQuoteById = Spec {
        id: "getQuoteById",
        path: "/quotes/{quoteId}",
        subject: Some(("quoteId", IdKind::Quote)),
        answers: &[success(200, "quote", QUOTE)],
        ..GET
    };
    /// Lists an account's credentials.
    ListAuthCredentials = Spec {
        id: "listAuthCredentials",
        path: "/auth/credentials",
        query: ACCOUNT_QUERY,
        answers: &[list("authMethods", Shape::Object(&[
            required("data", Shape::List(&LISTED_METHOD)),
        ]))],
        ..GET
    };
    /// Lists an account's active sessions.
    ListAuthSessions = Spec {
        id: "listAuthSessions",
        path: "/auth/sessions",
        query: ACCOUNT_QUERY,
        answers: &[list("sessions", Shape::Object(&[
            required("data", Shape::List(&LISTED_SESSION)),
        ]))],
        ..GET
    };
    /// Lists a customer's accounts.
    ListCustomerInternalAccounts = Spec {
        id: "listCustomerInternalAccounts",
        path: "/customers/internal-accounts",
        query: &[
            required("customerId", Shape::Id(IdKind::Customer)),
            optional("type", Shape::Text(NAME_BYTES)),
            optional("currency", Shape::Text(NAME_BYTES)),
            optional("limit", Shape::Amount),
            optional("cursor", Shape::Text(NAME_BYTES)),
        ],
        answers: &[list("internalAccounts", Shape::Object(&[
            required("data", Shape::List(&INTERNAL_ACCOUNT)),
            required("hasMore", Shape::Flag),
            optional("nextCursor", Shape::Text(NAME_BYTES)),
            optional("totalCount", Shape::Number),
        ]))],
        ..GET
    };
    /// Lists an account's, or a card funding source's, delegated keys.
    ListDelegatedKeys = Spec {
        id: "listDelegatedKeys",
        path: "/auth/delegated-keys",
        query: &[
            optional("accountId", Shape::Id(IdKind::InternalAccount)),
            optional("fundingSourceId", Shape::Id(IdKind::CardFundingSource)),
        ],
        answers: &[list("delegatedKeys", Shape::Object(&[
            required("data", Shape::List(&DELEGATED_KEY)),
        ]))],
        ..GET
    };
    /// Adds a session to a running one, with a new key.
    RefreshAuthSession = Spec {
        id: "refreshAuthSession",
        path: "/auth/sessions/{id}/refresh",
        subject: Some(("id", IdKind::Session)),
        body: Body::Required(Shape::Object(&[CLIENT_PUBLIC_KEY])),
        answers: &[CHALLENGE, success(201, "session", AUTH_SESSION)],
        intents: &["refreshSession"],
        ..SIGNED_ON_WHAT_EXISTS
    };
    /// Issues a new device code for an agent.
    RegenerateAgentDeviceCode = Spec {
        id: "regenerateAgentDeviceCode",
        path: "/agents/{agentId}/device-codes",
        subject: Some(("agentId", IdKind::Agent)),
        answers: &[success(201, "deviceCode", AGENT_DEVICE_CODE)],
        ..UNSIGNED
    };
    /// Sends the code of a payment's strong customer authentication again.
    ResendQuoteScaCode = Spec {
        id: "resendQuoteScaCode",
        path: "/quotes/{quoteId}/authorize/resend",
        subject: Some(("quoteId", IdKind::Quote)),
        answers: &[DONE],
        ..UNSIGNED
    };
    /// Removes a credential. A session of another credential signs.
    RevokeAuthCredential = Spec {
        id: "revokeAuthCredential",
        method: "DELETE",
        path: "/auth/credentials/{id}",
        subject: Some(("id", IdKind::AuthMethod)),
        answers: &[CHALLENGE, DONE],
        intents: &["revokeOauth", "revokePasskey", "activity"],
        ..SIGNED_ON_WHAT_EXISTS
    };
    /// Ends a session.
    RevokeAuthSession = Spec {
        id: "revokeAuthSession",
        method: "DELETE",
        path: "/auth/sessions/{id}",
        subject: Some(("id", IdKind::Session)),
        answers: &[CHALLENGE, DONE],
        intents: &["revokeSession"],
        ..SIGNED_ON_WHAT_EXISTS
    };
    /// Ends a delegated key. The platform's credentials suffice.
    RevokeDelegatedKey = Spec {
        id: "revokeDelegatedKey",
        method: "DELETE",
        path: "/auth/delegated-keys/{id}",
        subject: Some(("id", IdKind::DelegatedKey)),
        answers: &[DONE],
        ..UNSIGNED
    };
    /// Changes a customer's e-mail address or phone number, and the credential tied to it. Where no
    /// credential is tied it is done at once, so it is never repeated unasked.
    UpdateCustomerById = Spec {
        id: "updateCustomerById",
        method: "PATCH",
        path: "/customers/{customerId}",
        subject: Some(("customerId", IdKind::Customer)),
        body: Body::Required(Shape::Object(&[
            required("customerType", Shape::OneOf(&["INDIVIDUAL", "BUSINESS"])),
            optional("email", Shape::Text(NAME_BYTES)),
            optional("phoneNumber", Shape::Text(NAME_BYTES)),
        ])),
        answers: &[CHALLENGE, success(200, "customer", Shape::Object(&[]))],
        intents: &["setEmail", "setPhone"],
        ..SIGNED
    };
    /// Switches a wallet's privacy.
    UpdateInternalAccount = Spec {
        id: "updateInternalAccount",
        method: "PATCH",
        path: "/internal-accounts/{id}",
        subject: Some(("id", IdKind::InternalAccount)),
        body: Body::Required(Shape::Object(&[required("privateEnabled", Shape::Flag)])),
        answers: &[CHALLENGE, success(200, "internalAccount", INTERNAL_ACCOUNT)],
        intents: &["updatePrivacy"],
        ..SIGNED_ON_WHAT_EXISTS
    };
    /// Answers a challenge; issues a session.
    VerifyAuthCredential = Spec {
        id: "verifyAuthCredential",
        path: "/auth/credentials/{id}/verify",
        subject: Some(("id", IdKind::AuthMethod)),
        body: Body::Required(Shape::Tagged(&("type", &[
            ("EMAIL_OTP", OTP_BUNDLE),
            ("SMS_OTP", OTP_BUNDLE),
            ("OAUTH", &[OIDC_TOKEN, CLIENT_PUBLIC_KEY]),
            ("PASSKEY", &[required("assertion", PASSKEY_ASSERTION)]),
        ]))),
        answers: &[CHALLENGE, success(200, "session", AUTH_SESSION)],
        intents: &["verifyOtp"],
        ..SIGNED
    };
}

impl Operation {
    /// The path of a request: parameters percent-encoded, the query behind it.
    ///
    /// `params` carries what stands in braces, and the query's parameters.
    pub fn path(self, params: &[(&'static str, String)]) -> Result<String> {
        let spec = self.spec();
        let mut path = String::new();
        let (_, mut rest) = cut(spec.path, b'/');
        while let Some(segments) = rest {
            let (segment, more) = cut(segments, b'/');
            rest = more;
            path.push('/');
            match segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => {
                    let value = params.iter().find(|(param, _)| *param == name);
                    let (_, value) = value.ok_or_else(|| {
                        Error::invalid_argument(filled("{} needs `{}`", &[spec.id, name]))
                    })?;
                    percent_encode(value, &mut path);
                }
                None => path.push_str(segment),
            }
        }
        let in_query = |name| spec.query.iter().any(|member| member.name == name);
        let mut separator = '?';
        for (name, value) in params.iter().filter(|(name, _)| in_query(*name)) {
            path.push(separator);
            path.push_str(name);
            path.push('=');
            percent_encode(value, &mut path);
            separator = '&';
        }
        Ok(path)
    }
}

/// RFC 3986: everything but unreserved characters becomes `%XX`.
fn percent_encode(text: &str, encoded: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode(&[byte]).to_ascii_uppercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::intent::Intent;

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
        let params = [
            ("customerId", "Customer:1".to_owned()),
            ("limit", "5".to_owned()),
            ("cursor", "a&b=c".to_owned()),
        ];
        assert_eq!(
            Operation::ListCustomerInternalAccounts
                .path(&params)
                .unwrap(),
            "/customers/internal-accounts?customerId=Customer%3A1&limit=5&cursor=a%26b%3Dc"
        );
    }

    #[test]
    fn a_missing_parameter_is_refused() {
        assert!(Operation::RevokeAuthSession.path(&[]).is_err());
    }

    /// What stands in braces is what the row says.
    #[test]
    fn rows_are_consistent() {
        for operation in Operation::ALL {
            let spec = operation.spec();
            let in_braces = spec.path.split(['{', '}']).nth(1);
            assert_eq!(
                in_braces,
                spec.subject.map(|(name, _)| name),
                "{operation:?}"
            );
            let asks = spec
                .answers
                .iter()
                .any(|answer| answer.name == "challenge" && answer.status == 202);
            assert_eq!(
                asks,
                matches!(spec.signing, Signing::Retry(_)),
                "{operation:?}"
            );
            let is_signed = spec.signing != Signing::Unsigned;
            assert_eq!(is_signed, !spec.intents.is_empty(), "{operation:?}");
            let kinds = Intent::KINDS.iter().map(|(kind, _)| kind);
            assert!(
                spec.intents
                    .iter()
                    .all(|intent| kinds.clone().any(|kind| kind == intent)),
                "{operation:?}"
            );
        }
    }
}
