//! The tables of the documentation are what the code does.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew; whoever changes the code reads what
//! changed.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use gridkey::{
    api::{
        failure::{Leg, ROWS, Row},
        operation::{Operation, Signing},
    },
    error::{ErrorCode, Recovery},
    formats::intent::rows,
};

#[test]
fn operations() {
    compare("docs/operations.md", &operations_page());
}

#[test]
fn errors() {
    compare("docs/errors.md", &errors_page());
}

#[test]
fn intents() {
    compare("docs/intents.md", &intents_page());
}

/// What TypeScript knows of `GridCall.params`.
#[test]
fn params() {
    let path = "src/web/types/client.d.ts";
    let types = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let head = "export interface GridCallParams {\n";
    let (before, rest) = types.split_once(head).unwrap();
    let (_, after) = rest.split_once("}\n\n").unwrap();
    compare(
        path,
        &[before, head, &params_members(), "}\n\n", after].concat(),
    );
}

fn params_members() -> String {
    let mut members = String::new();
    for operation in Operation::ALL {
        let spec = operation.spec();
        let subject = spec.subject.map(|(name, _)| format!("{name}: string"));
        let query = spec.query.iter().map(|member| {
            let mark = if member.is_optional { "?" } else { "" };
            format!("{}{mark}: string", member.name)
        });
        let params: Vec<_> = subject.into_iter().chain(query).collect();
        let params = match params.is_empty() {
            true => "Record<string, never>".to_owned(),
            false => format!("{{ {} }}", params.join("; ")),
        };
        let request = match operation {
            Operation::SignedRequest => "a `signedRequest`, whose path is its caller's".to_owned(),
            _ => format!("`{} {}`", spec.method, spec.path),
        };
        writeln!(members, "  /** Of {request}. */\n  {}: {params};", spec.id).unwrap();
    }
    members
}

fn compare(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what the code does: UPDATE_DOCS=1 cargo test --test docs",
        path.display()
    );
}

fn operations_page() -> String {
    let mut page = String::from(
        "# Operations\n\n\
         What `gridkey.api` has, one row each: the API's operation, how often it is sent, which key \
         signs, which [intent](intents.md) its payload is checked against by `WalletSession` and the \
         sign-ins, whether it is repeated unasked, and which [errors](errors.md) of its own it can end \
         with. Everything can also end with those that need no row: `aborted`, `clock_wrong`, \
         `invalid_argument`, `network`, `timeout`, `relay_protocol`, `signed_out_of_platform`, \
         `unsupported_operation`.\n\n\
         \"Repeated\": at most twice, after no answer, a server's fault, or a 429 whose `Retry-After` is \
         at most ten seconds; never with a stamp. After any other failure the error says what happened; \
         the reason `outcome_unknown` says that Grid may have done it all the same.\n\n\
         This page is written by `UPDATE_DOCS=1 cargo test --test docs`, and a test holds it against \
         the code.\n\n\
         | operation | request | legs | signed by | intent | repeated | errors of its own |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for operation in Operation::ALL {
        let spec = operation.spec();
        let is_relays_own = *operation == Operation::CreatePasskeyRegistrationOptions;
        let legs = match spec.signing {
            Signing::Unsigned | Signing::AtOnce => 1,
            Signing::Retry(stamps) => 1 + stamps,
        };
        writeln!(
            page,
            "| `{}`{} | `{} {}` | {legs} | {} | {} | {} | {} |",
            spec.id,
            if is_relays_own {
                " (the relay's own)"
            } else {
                ""
            },
            spec.method,
            spec.path,
            signer(*operation),
            code_list(spec.intents.iter().copied()),
            if spec.is_repeatable {
                "yes, unsigned"
            } else {
                "no"
            },
            code_list(own_errors(*operation).iter().map(String::as_str)),
        )
        .unwrap();
    }
    page
}

fn signer(operation: Operation) -> &'static str {
    match (operation, operation.spec().signing) {
        (_, Signing::Unsigned) => "nobody",
        (Operation::VerifyAuthCredential, _) => {
            "one-time codes: the new session key; passkeys: the passkey; identity providers: the \
             provider, by the nonce"
        }
        (Operation::RevokeAuthCredential, _) => "the session key, of another credential",
        (Operation::ExecuteQuote, _) => "the session key, over the quote's payload",
        (Operation::CreateAuthCredential, _) => {
            "the session key; nobody for an account's first credential"
        }
        (Operation::UpdateCustomerById, _) => {
            "the session key; nobody where no credential is tied to it"
        }
        (_, _) => "the session key",
    }
}

/// What the error table has for this operation alone, and what depends on signatures and ids.
fn own_errors(operation: Operation) -> BTreeSet<String> {
    let is_signed = operation.spec().signing != Signing::Unsigned;
    let has_id = operation.spec().subject.is_some();
    let applies = |row: &&Row| {
        row.operations.contains(&operation)
            || (row.operations.is_empty()
                && match row.code {
                    ErrorCode::SignatureRejected | ErrorCode::ChallengeExpired => is_signed,
                    ErrorCode::NotFound => has_id,
                    ErrorCode::Conflict => {
                        matches!(operation, Operation::CreateQuote | Operation::ExecuteQuote)
                    }
                    ErrorCode::CredentialAlreadyExists => matches!(
                        operation,
                        Operation::CreateAuthCredential | Operation::UpdateCustomerById
                    ),
                    ErrorCode::RateLimited | ErrorCode::Forbidden | ErrorCode::GridError => true,
                    _ => false,
                })
    };
    let mut codes: BTreeSet<_> = ROWS
        .iter()
        .filter(applies)
        .map(|row| row.code.as_str().to_owned())
        .collect();
    if is_signed {
        codes.insert(ErrorCode::IntentRefused.as_str().to_owned());
        codes.insert(ErrorCode::SessionExpired.as_str().to_owned());
    }
    match operation {
        Operation::RefreshAuthSession | Operation::ExportInternalAccount => {
            codes.extend(sealed_text());
        }
        Operation::VerifyAuthCredential => {
            codes.extend(sealed_text());
            codes.extend(["passkey_not_used", "passkey_unsupported"].map(str::to_owned));
        }
        Operation::ChallengeAuthCredential => {
            codes.extend(["bundle_malformed", "bundle_untrusted"].map(str::to_owned));
        }
        Operation::CreateAuthCredential => {
            codes.extend(
                [
                    "passkey_already_registered",
                    "passkey_not_used",
                    "passkey_unsupported",
                ]
                .map(str::to_owned),
            );
        }
        _ => {}
    }
    codes
}

fn sealed_text() -> [String; 3] {
    ["bundle_malformed", "bundle_untrusted", "decrypt_failed"].map(str::to_owned)
}

fn errors_page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Everything in this package throws or rejects with a `GridkeyError`. Branch on `code`, which is \
         a closed set; `recovery` says what helps, `reason` is finer where there is one, and `status`, \
         `gridCode`, `details`, `retryAfterMs`, `requestId` and `operation` say where it came from. A \
         code of a newer Grid comes through as `gridCode`, with the code `grid_error`. No member holds \
         a secret or an echo of what was passed in.\n\n\
         This page is written by `UPDATE_DOCS=1 cargo test --test docs`, and a test holds it against \
         the code.\n\n\
         | `code` | what it means | `recovery` | what people can be told |\n|---|---|---|---|\n",
    );
    for code in ErrorCode::ALL {
        let meaning = code
            .meaning()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        writeln!(
            page,
            "| `{}` | {meaning} | `{}` | {} |",
            code.as_str(),
            code.recovery().as_str(),
            code.for_people(),
        )
        .unwrap();
    }
    page.push_str("\n## Recovery\n\n| `recovery` | what to do |\n|---|---|\n");
    for (recovery, what) in [
        (Recovery::Retry, "offer the same again"),
        (Recovery::Wait, "offer the same again after `retryAfterMs`"),
        (
            Recovery::FixInput,
            "let people correct what they typed, or their clock",
        ),
        (Recovery::SignIn, "go back to signing in"),
        (Recovery::OtherMethod, "offer another way to sign in"),
        (
            Recovery::Integrator,
            "nothing people can do: mend the page, the relay or the platform",
        ),
    ] {
        writeln!(page, "| `{}` | {what} |", recovery.as_str()).unwrap();
    }
    page.push_str(
        "\n## From Grid's answers to codes\n\n\
         The first row that fits counts. An empty field fits everything. An answer without Grid's error \
         body is the relay's, or a proxy's: 401 is `signed_out_of_platform`, 403 `forbidden`, 404, 405 \
         and 501 `unsupported_operation`, 429 `rate_limited`, everything else `relay_protocol`.\n\n\
         | operation | credential | leg | status | Grid's code | reason | `code` | for developers |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | `{}`{} | {} |",
            code_list(row.operations.iter().map(|operation| operation.spec().id)),
            code_list(row.credentials.iter().map(|kind| kind.as_str())),
            join(row.legs.iter().map(|leg| match leg {
                Leg::First => "1".to_owned(),
                Leg::Second => "2".to_owned(),
            })),
            join(row.statuses.iter().map(u16::to_string)),
            code_list(row.grid_codes.iter().copied()),
            code_list(row.reason.into_iter()),
            row.code.as_str(),
            row.recovery
                .map(|recovery| format!(", `{}`", recovery.as_str()))
                .unwrap_or_default(),
            row.message,
        )
        .unwrap();
    }
    page
}

fn intents_page() -> String {
    let mut page = String::from(
        "# Intents\n\n\
         What `payloadToSign` may say before it is stamped: the relay chooses the payload, and a stamp \
         over it moves money. `SessionKey.stamp`, `WalletSession` and `checkIntent` read it strictly and \
         refuse what is not in this table with `intent_refused`; `reason` is `malformed`, `type`, \
         `members`, `timestamp`, `organization`, `parameters`, `undocumented`, `repeated` (a second payload for one intent: what was stamped before it may have been done) or `application` (the app's own function threw).\n\n\
         Every payload is one JSON object of at most 64 KiB without repeated names, with exactly \
         `organizationId`, `parameters`, `timestampMs`, `type` and perhaps `generateAppProofs`. The \
         organization is the one that was given or is remembered for the account: the first one that is seen \
         is believed, so only `organizations` protects from a relay that is hostile from the first \
         request. The timestamp is not later than the challenge's or quote's `expiresAt`, at most ten \
         minutes ahead of this device's time, and at most 15 minutes old (a quote's a day, where its \
         `expiresAt` is known). A time that does not fit is told as `challenge_expired` or `clock_wrong` \
         where it is that.\n\n\
         **What cannot be seen.** A passkey's challenge is a hash: a relay that gets one answered can have \
         any one activity authorised. A quote's payload shows neither amount nor payee, and a wallet's \
         privacy is set by signing a hash: both are signed only with `allowBlindSigning: true`. \
         Revocations name ids that only Turnkey knows. What Grid does not document (removing an e-mail or \
         SMS credential, creating a delegated key) is signed only as an `activity` that the app states \
         after reading it.\n\n\
         This page is written by `UPDATE_DOCS=1 cargo test --test docs`, and a test holds it against \
         the code.\n\n\
         | `kind` | activity type | parameters | blind |\n|---|---|---|---|\n\
         | `verifyOtp` | none: a token that the enclave signed | `public_key` is the own key; `contact` \
         and `verification_type` are what was asked for; `exp` is ahead | no |\n",
    );
    for row in rows() {
        writeln!(
            page,
            "| `{}` | `{}` | {} | {} |",
            row.kind,
            row.activity_type,
            row.describe(),
            if row.blind { "**yes**" } else { "no" },
        )
        .unwrap();
    }
    page.push_str("| `activity` | the given one | exactly the given ones | no |\n");
    page
}

fn code_list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    join(items.map(|item| format!("`{item}`")))
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
