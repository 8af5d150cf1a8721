//! Who may do what: nobody who is not signed in, and no customer to another.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use gridkey_relay::{Decision, DevelopmentCustomer, Owned, OwnedResources, Unavailable, User};
use gridkey_relay::{Operation, Relay, RelyingParty, ResourceKind};
use serde_json::{Value, json};

use crate::support::{
    ALICE_ACCOUNT, ALICE_AGENT, ALICE_AUTH_METHOD, ALICE_CUSTOMER, ALICE_DELEGATED_KEY,
    ALICE_QUOTE, ALICE_SESSION, Always, Mounted, Upstream, bare, builder, patch_of, post, post_of,
    request_of,
};

/// Every operation, on what belongs to Alice, with the identifier in its place.
fn requests_about_alice(user: &str) -> Vec<(Operation, Request<Body>)> {
    let bare = |method, path: String| request_of(user, method, &path).body(Body::empty()).unwrap();
    let account = json!({ "accountId": ALICE_ACCOUNT });
    let email_otp = json!({ "type": "EMAIL_OTP", "accountId": ALICE_ACCOUNT });
    let passkey =
        json!({ "type": "PASSKEY", "accountId": ALICE_ACCOUNT, "challenge": "a challenge" });
    let key = json!({ "clientPublicKey": "02" });
    let verification = json!({ "type": "EMAIL_OTP", "encryptedOtpBundle": "{}" });
    let credential = format!("/auth/credentials/{ALICE_AUTH_METHOD}");
    let session = format!("/auth/sessions/{ALICE_SESSION}");
    let options = "/auth/credentials/registration-options";
    let delegated_key = json!({
        "cardId": "Card:alice",
        "internalAccountId": ALICE_ACCOUNT,
        "nickname": "Card payments",
    });
    let delegated_key_path = format!("/auth/delegated-keys/{ALICE_DELEGATED_KEY}");
    let email = json!({ "customerType": "INDIVIDUAL", "email": "new@example.com" });
    let internal_account = format!("/internal-accounts/{ALICE_ACCOUNT}");
    let quote = format!("/quotes/{ALICE_QUOTE}");
    let sca = json!({ "code": "123456" });
    vec![
        (
            Operation::CreatePasskeyRegistrationOptions,
            post_of(user, options, &account),
        ),
        (
            Operation::CreateAuthCredential,
            post_of(user, "/auth/credentials", &email_otp),
        ),
        (
            Operation::CreateAuthCredential,
            post_of(user, "/auth/credentials", &passkey),
        ),
        (
            Operation::ListAuthCredentials,
            bare(
                Method::GET,
                format!("/auth/credentials?accountId={ALICE_ACCOUNT}"),
            ),
        ),
        (
            Operation::ListAuthSessions,
            bare(
                Method::GET,
                format!("/auth/sessions?accountId={ALICE_ACCOUNT}"),
            ),
        ),
        (
            Operation::RevokeAuthCredential,
            bare(Method::DELETE, credential.clone()),
        ),
        (
            Operation::ChallengeAuthCredential,
            post_of(user, &format!("{credential}/challenge"), &key),
        ),
        (
            Operation::VerifyAuthCredential,
            post_of(user, &format!("{credential}/verify"), &verification),
        ),
        (
            Operation::RevokeAuthSession,
            bare(Method::DELETE, session.clone()),
        ),
        (
            Operation::RefreshAuthSession,
            post_of(user, &format!("{session}/refresh"), &key),
        ),
        (
            Operation::RegenerateAgentDeviceCode,
            bare(Method::POST, format!("/agents/{ALICE_AGENT}/device-codes")),
        ),
        (
            Operation::GetAgentDeviceCodeStatus,
            bare(
                Method::GET,
                "/agents/device-codes/GRID-AGENT-ALICE/status".into(),
            ),
        ),
        (
            Operation::CreateDelegatedKey,
            post_of(user, "/auth/delegated-keys", &delegated_key),
        ),
        (
            Operation::ListDelegatedKeys,
            bare(
                Method::GET,
                "/auth/delegated-keys?fundingSourceId=CardFundingSource:alice".into(),
            ),
        ),
        (
            Operation::GetDelegatedKeyById,
            bare(Method::GET, delegated_key_path.clone()),
        ),
        (
            Operation::RevokeDelegatedKey,
            bare(Method::DELETE, delegated_key_path),
        ),
        (
            Operation::ListCustomerInternalAccounts,
            bare(
                Method::GET,
                format!("/customers/internal-accounts?customerId={ALICE_CUSTOMER}"),
            ),
        ),
        (
            Operation::UpdateCustomerById,
            patch_of(user, &format!("/customers/{ALICE_CUSTOMER}"), &email),
        ),
        (
            Operation::UpdateInternalAccount,
            patch_of(user, &internal_account, &json!({ "privateEnabled": true })),
        ),
        (
            Operation::ExportInternalAccount,
            post_of(user, &format!("{internal_account}/export"), &key),
        ),
        (
            Operation::CreateQuote,
            post_of(user, "/quotes", &quote_of_alice()),
        ),
        (Operation::GetQuoteById, bare(Method::GET, quote.clone())),
        (
            Operation::ExecuteQuote,
            bare(Method::POST, format!("{quote}/execute")),
        ),
        (
            Operation::AuthorizeQuote,
            post_of(user, &format!("{quote}/authorize"), &sca),
        ),
        (
            Operation::ResendQuoteScaCode,
            bare(Method::POST, format!("{quote}/authorize/resend")),
        ),
    ]
}

/// A payment of Alice's to a bank account that she may pay to.
fn quote_of_alice() -> Value {
    json!({
        "source": {
            "sourceType": "ACCOUNT",
            "accountId": ALICE_ACCOUNT,
            "customerId": ALICE_CUSTOMER,
        },
        "destination": { "destinationType": "ACCOUNT", "accountId": "ExternalAccount:alice" },
        "lockedCurrencySide": "SENDING",
        "lockedCurrencyAmount": 1000,
    })
}

/// Whether Grid was asked for anything but what is on Bob's own accounts, and whose a quote is.
fn was_asked_about_alice(upstream: &Upstream) -> bool {
    let whose_quote = (Method::GET, format!("/quotes/{ALICE_QUOTE}"));
    let mut seen = upstream.seen();
    let asked = seen
        .iter()
        .position(|seen| whose_quote == (seen.method.clone(), seen.path_and_query.clone()));
    asked.map(|index| seen.remove(index));
    seen.iter().any(|seen| {
        let text = format!(
            "{}{}",
            seen.path_and_query,
            String::from_utf8_lossy(&seen.body)
        );
        text.to_lowercase().contains("alice")
    })
}

#[tokio::test]
async fn one_customer_cannot_touch_another() {
    for (operation, request) in requests_about_alice("bob") {
        let upstream = Upstream::start().await;
        let answer = Mounted::by_ownership(&upstream).send(request).await;
        match operation {
            Operation::AuthorizeQuote
            | Operation::ExecuteQuote
            | Operation::GetDelegatedKeyById
            | Operation::GetQuoteById
            | Operation::RefreshAuthSession
            | Operation::ResendQuoteScaCode
            | Operation::RevokeAuthSession
            | Operation::RevokeDelegatedKey => {
                answer.assert_refused(404, "REFERENCE_NOT_FOUND");
            }
            _ => answer.assert_refused(403, "FORBIDDEN"),
        }
        assert!(
            !was_asked_about_alice(&upstream),
            "{operation:?}: {:?}",
            upstream.seen()
        );
    }
}

#[tokio::test]
async fn what_one_customer_has_used_stays_closed_to_another() {
    let upstream = Upstream::start().await;
    let relay = Mounted::by_ownership(&upstream);
    for (_, request) in requests_about_alice("alice") {
        relay.send(request).await;
    }
    for (operation, request) in requests_about_alice("bob") {
        let answer = relay.send(request).await;
        assert!(
            matches!(answer.status.as_u16(), 403 | 404),
            "{operation:?}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_customer_can_use_what_is_their_own() {
    for (operation, request) in requests_about_alice("alice") {
        let upstream = Upstream::start().await;
        let answer = Mounted::by_ownership(&upstream).send(request).await;
        match operation {
            // Grid does not say whose a device code is.
            Operation::GetAgentDeviceCodeStatus => answer.assert_refused(403, "FORBIDDEN"),
            // The challenge is not one of the relay's: past the authorisation.
            Operation::CreateAuthCredential if answer.status != 200 => {
                answer.assert_refused(400, "INVALID_INPUT");
            }
            _ => assert_eq!(answer.status, 200, "{operation:?}"),
        }
    }
}

#[tokio::test]
async fn every_account_of_a_customer_counts() {
    let upstream = Upstream::start().await;
    let path = "/auth/credentials/AuthMethod:alice-second/challenge";
    let answer = Mounted::by_ownership(&upstream)
        .send(bare(Method::POST, path))
        .await;
    assert_eq!(answer.status, 200);
    let asked: Vec<_> = upstream
        .seen()
        .into_iter()
        .map(|seen| seen.path_and_query)
        .collect();
    assert_eq!(
        asked,
        [
            "/auth/credentials?accountId=InternalAccount:alice",
            "/auth/credentials?accountId=InternalAccount:alice-second",
            path,
        ]
    );
}

#[tokio::test]
async fn whose_a_credential_is_is_asked_once() {
    let upstream = Upstream::start().await;
    let relay = Mounted::by_ownership(&upstream);
    let path = format!("/auth/credentials/{ALICE_AUTH_METHOD}/challenge");
    for _ in 0..3 {
        assert_eq!(relay.send(bare(Method::POST, &path)).await.status, 200);
    }
    let lookups = upstream
        .seen()
        .iter()
        .filter(|seen| seen.method == Method::GET)
        .count();
    assert_eq!((lookups, upstream.seen().len()), (1, 4));
}

#[tokio::test]
async fn an_unknown_owner_is_no_permission() {
    let upstream = Upstream::start().await;
    let relay = Mounted::by_ownership(&upstream);
    let path = format!("/auth/credentials/{ALICE_AUTH_METHOD}/challenge");
    let list = json!({ "data": [{ "id": ALICE_AUTH_METHOD, "type": "PASSKEY" }] }).to_string();
    for told in [
        (StatusCode::INTERNAL_SERVER_ERROR, list.clone()),
        (StatusCode::OK, "{}".to_owned()),
        (StatusCode::OK, "not JSON".to_owned()),
    ] {
        upstream.will_answer(told);
        relay
            .send(bare(Method::POST, &path))
            .await
            .assert_refused(503, "INTERNAL_ERROR");
    }
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| seen.method == Method::GET)
    );
}

#[tokio::test]
async fn who_is_not_signed_in_gets_nothing() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for (operation, mut request) in requests_about_alice("alice") {
        request.headers_mut().remove("x-user");
        let answer = relay.send(request).await;
        assert_eq!(answer.status, 401, "{operation:?}");
        assert_eq!(answer.json(), json!({ "error": "signed_out_of_platform" }));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn what_the_platform_denies_is_not_forwarded() {
    for (decision, status, code) in [
        (Ok(Decision::Deny), 403, "FORBIDDEN"),
        (Ok(Decision::NotFound), 404, "REFERENCE_NOT_FOUND"),
        (Err(Unavailable), 503, "INTERNAL_ERROR"),
    ] {
        let upstream = Upstream::start().await;
        let relay = builder(upstream.grid(), Always::new(decision));
        let relay = relay.agent_operations(true).delegated_keys(true);
        let relay = Mounted::nested(relay.router().unwrap());
        for (_, request) in requests_about_alice("alice") {
            relay.send(request).await.assert_refused(status, code);
        }
        assert!(upstream.seen().is_empty());
    }
}

#[tokio::test]
async fn an_outage_of_the_login_is_not_a_sign_out() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for (_, request) in requests_about_alice("outage") {
        relay
            .send(request)
            .await
            .assert_refused(503, "INTERNAL_ERROR");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn every_identifier_is_named() {
    let upstream = Upstream::start().await;
    let authorizer = Always::new(Ok(Decision::Deny));
    let relay = builder(upstream.grid(), authorizer.clone());
    let relay = relay.agent_operations(true).delegated_keys(true);
    let relay = Mounted::nested(relay.router().unwrap());
    for (operation, request) in requests_about_alice("alice") {
        relay.send(request).await;
        let (asked, resources) = authorizer.asked.lock().unwrap().pop().unwrap();
        assert_eq!(asked, operation);
        let named: Vec<_> = resources.iter().map(|r| (r.kind, r.id.as_str())).collect();
        let expected = match operation {
            Operation::CreateAuthCredential
            | Operation::CreatePasskeyRegistrationOptions
            | Operation::ExportInternalAccount
            | Operation::ListAuthCredentials
            | Operation::ListAuthSessions
            | Operation::UpdateInternalAccount => vec![(ResourceKind::Account, ALICE_ACCOUNT)],
            Operation::ChallengeAuthCredential
            | Operation::RevokeAuthCredential
            | Operation::VerifyAuthCredential => {
                vec![(ResourceKind::AuthMethod, ALICE_AUTH_METHOD)]
            }
            Operation::RefreshAuthSession | Operation::RevokeAuthSession => {
                vec![(ResourceKind::Session, ALICE_SESSION)]
            }
            Operation::RegenerateAgentDeviceCode => vec![(ResourceKind::Agent, ALICE_AGENT)],
            Operation::GetAgentDeviceCodeStatus => {
                vec![(ResourceKind::DeviceCode, "GRID-AGENT-ALICE")]
            }
            Operation::CreateDelegatedKey => vec![
                (ResourceKind::Card, "Card:alice"),
                (ResourceKind::Account, ALICE_ACCOUNT),
            ],
            Operation::ListDelegatedKeys => {
                vec![(ResourceKind::CardFundingSource, "CardFundingSource:alice")]
            }
            Operation::GetDelegatedKeyById | Operation::RevokeDelegatedKey => {
                vec![(ResourceKind::DelegatedKey, ALICE_DELEGATED_KEY)]
            }
            Operation::ListCustomerInternalAccounts | Operation::UpdateCustomerById => {
                vec![(ResourceKind::Customer, ALICE_CUSTOMER)]
            }
            Operation::CreateQuote => vec![
                (ResourceKind::Account, ALICE_ACCOUNT),
                (ResourceKind::Customer, ALICE_CUSTOMER),
                (ResourceKind::ExternalAccount, "ExternalAccount:alice"),
            ],
            Operation::AuthorizeQuote
            | Operation::ExecuteQuote
            | Operation::GetQuoteById
            | Operation::ResendQuoteScaCode => vec![(ResourceKind::Quote, ALICE_QUOTE)],
            other => panic!("{other:?}"),
        };
        assert_eq!(named, expected);
    }
}

#[tokio::test]
async fn the_authorizer_sees_identifiers_decoded() {
    let upstream = Upstream::start().await;
    let authorizer = Always::new(Ok(Decision::Deny));
    let relay = Mounted::nested(
        builder(upstream.grid(), authorizer.clone())
            .router()
            .unwrap(),
    );
    relay
        .send(bare(Method::DELETE, "/auth/sessions/%53ession%3Aalice"))
        .await;
    relay
        .send(bare(
            Method::GET,
            "/auth/sessions?accountId=%49nternalAccount%3Aalice",
        ))
        .await;
    relay
        .send(post(
            "/auth/credentials",
            &json!({ "accountId": "a", "type": "OAUTH" }),
        ))
        .await;
    let asked = authorizer.asked.lock().unwrap();
    let ids: Vec<_> = asked
        .iter()
        .map(|(_, resources)| resources[0].id.as_str())
        .collect();
    assert_eq!(ids, [ALICE_SESSION, ALICE_ACCOUNT, "a"]);
}

async fn development_relay(upstream: &Upstream) -> Mounted {
    let customer = DevelopmentCustomer {
        user: User::new("alice", "Alice"),
        owned: Owned {
            account_ids: vec![ALICE_ACCOUNT.into()],
            ..Owned::default()
        },
    };
    let grid = upstream.grid();
    let authorizer = OwnedResources::new(grid.clone(), customer.clone());
    let relying_party = RelyingParty {
        id: "localhost".into(),
        name: "Wallet".into(),
    };
    let relay = Relay::builder(grid, customer, authorizer, relying_party).agent_operations(true);
    Mounted::nested(relay.router().unwrap())
}

/// A request of a page that was loaded from `host`.
fn page_request(host: &str, path: &str) -> Request<Body> {
    Request::post(format!("/api/grid{path}"))
        .header("host", host)
        .header("origin", format!("http://{host}"))
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn a_development_customer_is_everybody_and_owns_what_is_configured() {
    let upstream = Upstream::start().await;
    let relay = development_relay(&upstream).await;
    let send = async |path: &str| relay.send(page_request("localhost:8788", path)).await;
    let own = format!("/auth/credentials/{ALICE_AUTH_METHOD}/challenge");
    assert_eq!(send(&own).await.status, 200);
    let bobs = send("/auth/credentials/AuthMethod:bob/challenge").await;
    bobs.assert_refused(403, "FORBIDDEN");
    let agent = send(&format!("/agents/{ALICE_AGENT}/device-codes")).await;
    agent.assert_refused(403, "FORBIDDEN");
    let mut status = page_request("localhost", "/agents/device-codes/GRID-AGENT-ANY/status");
    *status.method_mut() = Method::GET;
    assert_eq!(relay.send(status).await.status, 200);
}

#[tokio::test]
async fn a_development_customer_is_on_this_machine_only() {
    let upstream = Upstream::start().await;
    let relay = development_relay(&upstream).await;
    let path = format!("/auth/credentials/{ALICE_AUTH_METHOD}/challenge");
    for host in ["LocalHost", "127.0.0.1:8788", "127.1.2.3", "[::1]:8788"] {
        assert_eq!(
            relay.send(page_request(host, &path)).await.status,
            200,
            "{host}"
        );
    }
    let forwarded = upstream.seen().len();
    for host in [
        "evil.example:8788",
        "localhost.evil.example",
        "10.0.0.1",
        "[::2]",
    ] {
        assert_eq!(
            relay.send(page_request(host, &path)).await.status,
            401,
            "{host}"
        );
    }
    let mut nowhere = page_request("localhost", &path);
    nowhere.headers_mut().remove("host");
    nowhere.headers_mut().remove("origin");
    *nowhere.method_mut() = Method::GET;
    *nowhere.uri_mut() = format!("/api/grid/auth/sessions?accountId={ALICE_ACCOUNT}")
        .parse()
        .unwrap();
    assert_eq!(relay.send(nowhere).await.status, 401);
    assert_eq!(upstream.seen().len(), forwarded);
}
