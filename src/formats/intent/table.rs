//! What may stand in a payload, as data.
//!
//! A benign parameter that Grid adds is one more line here, and so is another activity type for an
//! operation that has one already. Sources: the examples of lightsparkdev/grid-api@cf2510e
//! openapi.yaml and mintlify/snippets/global-accounts; `DELETE_OAUTH_PROVIDERS`, of which there is
//! no example, is as in Turnkey's own API (tkhq/sdk@aaede6f packages/http).
//!
//! Revoking an e-mail or SMS credential and creating a delegated key have no row, because nobody
//! has documented what Grid asks for there: only [`Intent::Activity`](super::Intent::Activity),
//! which states the whole payload, signs for them.

#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};

/// What one kind of intent allows a payload to be. A kind may have more than one.
#[derive(Debug)]
pub struct Row {
    /// As in [`Intent::kind`](super::Intent::kind).
    pub kind: &'static str,
    /// The payload's `type`.
    pub activity_type: &'static str,
    /// How long ago the payload may have been made, where its `expiresAt` is known, in milliseconds.
    pub max_age_ms: i64,
    /// Whether what is signed for cannot be seen in the payload.
    pub blind: bool,
    /// The payload's `parameters`, and nothing beside them.
    pub parameters: &'static [Field],
}

/// A member of an object in a payload.
#[derive(Debug)]
pub struct Field {
    /// The member's name.
    pub name: &'static str,
    /// What it must be.
    pub rule: Rule,
}

/// What a member must be. Every text is non-empty and without control characters.
#[derive(Debug)]
pub enum Rule {
    /// Something that is looked at elsewhere.
    Any,
    /// A text that nobody here can know.
    Text,
    /// Such a text of at most so many characters.
    ShortText(usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The text of this member of the intent.
    Equal(&'static str),
    /// The hexadecimal text of this member of the intent, in either case.
    EqualHex(&'static str),
    /// The text of this member of the intent; where the intent has none, any text.
    EqualIfGiven(&'static str),
    /// An object of these members.
    Object(&'static [Field]),
    /// An array of one such object.
    OnlyObject(&'static [Field]),
    /// An array of one text that nobody here can know.
    OnlyText,
    /// Need not be there: `true` or `false`.
    OptionalFlag,
    /// Need not be there: from 1 to so many, as a whole number or its digits.
    OptionalUpTo(u64),
    /// Need not be there: an array of texts.
    OptionalTexts,
}

impl Row {
    /// The parameters in one line, for documentation.
    pub fn describe(&self) -> String {
        describe(self.parameters)
    }
}

impl Rule {
    /// Whether the member may be missing.
    pub fn is_optional(&self) -> bool {
        matches!(
            self,
            Self::OptionalFlag | Self::OptionalUpTo(_) | Self::OptionalTexts
        )
    }
}

/// A payload is made when the challenge is, and a challenge lives five minutes.
pub(super) const MAX_AGE_MS: i64 = 15 * 60 * 1000;
/// A quote's rate may be locked for longer.
const MAX_QUOTE_AGE_MS: i64 = 24 * 60 * 60 * 1000;
/// Sessions live 15 minutes.
const MAX_SESSION_SECONDS: u64 = 900;
/// Turnkey's providers have short names, e.g. `Google`.
const MAX_PROVIDER_NAME_CHARS: usize = 64;

/// The payload itself.
pub(super) const ENVELOPE: &[Field] = &[
    field("organizationId", Rule::Any),
    field("parameters", Rule::Any),
    field("timestampMs", Rule::Any),
    field("type", Rule::Text),
    field("generateAppProofs", Rule::OptionalFlag),
];

pub(super) const ROWS: &[Row] = &[
    row(
        "addPasskey",
        "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
        &[
            field(
                "authenticators",
                Rule::OnlyObject(&[
                    field(
                        "attestation",
                        Rule::Object(&[
                            field("attestationObject", Rule::Equal("attestationObject")),
                            field("clientDataJson", Rule::Equal("clientDataJson")),
                            field("credentialId", Rule::Equal("credentialId")),
                            // Here in Turnkey's API, beside the attestation in Grid's example.
                            field("transports", Rule::OptionalTexts),
                        ]),
                    ),
                    field("authenticatorName", Rule::EqualIfGiven("nickname")),
                    field("challenge", Rule::Equal("challenge")),
                    field("transports", Rule::OptionalTexts),
                ]),
            ),
            USER_ID,
        ],
    ),
    row(
        "addOauth",
        "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS",
        &[
            field(
                "oauthProviders",
                Rule::OnlyObject(&[
                    field("oidcToken", Rule::Equal("oidcToken")),
                    // Grid's own choice.
                    field("providerName", Rule::ShortText(MAX_PROVIDER_NAME_CHARS)),
                ]),
            ),
            USER_ID,
        ],
    ),
    row(
        "setEmail",
        "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
        &[field("userEmail", Rule::Equal("email")), USER_ID],
    ),
    row(
        "setPhone",
        "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER",
        &[
            field("userPhoneNumber", Rule::Equal("phoneNumber")),
            USER_ID,
        ],
    ),
    // What is revoked has an id of Turnkey's own, which nobody here can hold against Grid's.
    row(
        "revokePasskey",
        "ACTIVITY_TYPE_DELETE_AUTHENTICATORS",
        &[field("authenticatorIds", Rule::OnlyText), USER_ID],
    ),
    row(
        "revokeOauth",
        "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS",
        &[field("providerIds", Rule::OnlyText), USER_ID],
    ),
    row(
        "revokeSession",
        "ACTIVITY_TYPE_DELETE_API_KEYS",
        &[field("apiKeyIds", Rule::OnlyText), USER_ID],
    ),
    row(
        "refreshSession",
        "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
        &[
            field("targetPublicKey", Rule::EqualHex("clientPublicKey")),
            field("expirationSeconds", Rule::OptionalUpTo(MAX_SESSION_SECONDS)),
        ],
    ),
    row(
        "exportWallet",
        "ACTIVITY_TYPE_EXPORT_WALLET",
        &[
            field("targetPublicKey", Rule::EqualHex("clientPublicKey")),
            field("walletId", Rule::EqualIfGiven("walletId")),
        ],
    ),
    Row {
        max_age_ms: MAX_QUOTE_AGE_MS,
        blind: true,
        ..row(
            "executeQuote",
            "ACTIVITY_TYPE_SIGN_TRANSACTION_V2",
            &[
                field("signWith", Rule::EqualIfGiven("signWith")),
                field("type", Rule::Text),
                field("unsignedTransaction", Rule::Text),
            ],
        )
    },
    Row {
        blind: true,
        ..row(
            "updatePrivacy",
            "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2",
            &[
                field("encoding", Rule::OneOf(&["PAYLOAD_ENCODING_HEXADECIMAL"])),
                field("hashFunction", Rule::OneOf(&["HASH_FUNCTION_NO_OP"])),
                field("payload", Rule::Text),
                field("signWith", Rule::EqualIfGiven("signWith")),
            ],
        )
    },
];

fn describe(fields: &[Field]) -> String {
    let described: Vec<String> = fields.iter().map(Field::describe).collect();
    described.join(", ")
}

impl Field {
    fn describe(&self) -> String {
        let name = self.name;
        match &self.rule {
            Rule::Any | Rule::Text => name.to_owned(),
            Rule::ShortText(max_chars) => format!("{name} (at most {max_chars} characters)"),
            Rule::OneOf(texts) => format!("{name} = {:?}", texts.join(" or ")),
            Rule::Equal(member) => format!("{name} = `{member}`"),
            Rule::EqualHex(member) => format!("{name} = `{member}` in either case"),
            Rule::EqualIfGiven(member) => format!("{name} = `{member}` where given"),
            Rule::Object(fields) => format!("{name} {{{}}}", describe(fields)),
            Rule::OnlyObject(fields) => format!("{name} [one: {{{}}}]", describe(fields)),
            Rule::OnlyText => format!("{name} [one]"),
            Rule::OptionalFlag => format!("{name}? (true or false)"),
            Rule::OptionalUpTo(most) => format!("{name}? (1 to {most})"),
            Rule::OptionalTexts => format!("{name}? [texts]"),
        }
    }
}

/// Turnkey's id of the customer.
const USER_ID: Field = field("userId", Rule::Text);

const fn field(name: &'static str, rule: Rule) -> Field {
    Field { name, rule }
}

const fn row(kind: &'static str, activity_type: &'static str, parameters: &'static [Field]) -> Row {
    Row {
        kind,
        activity_type,
        max_age_ms: MAX_AGE_MS,
        blind: false,
        parameters,
    }
}
