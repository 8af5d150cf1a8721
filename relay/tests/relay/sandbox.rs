//! Two customers of a real sandbox, both signed in through the relay.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use gridkey::crypto::key::PublicKey;
use gridkey::crypto::random::SystemRandom;
use gridkey::formats::otp::OtpCode;
use gridkey::formats::session_key::{PublicKeyEncoding, SessionKey};
use gridkey_relay::{
    Grid, Login, Owned, OwnedResources, Ownership, Relay, RelyingParty, Unavailable, User,
};
use gridkey_sandbox::{
    Customer, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, OTP_CODE, Sandbox, SandboxOptions,
};
use serde_json::{Value, json};

use crate::support::{Answer, Mounted, patch_of, post_of, request_of};

/// A platform whose customers are the sandbox's, signed in by the header `x-user`.
#[derive(Clone)]
struct Platform(HashMap<String, Customer>);

impl Login for Platform {
    async fn identify(&self, request: &Parts) -> Result<Option<User>, Unavailable> {
        let id = request
            .headers
            .get("x-user")
            .and_then(|id| id.to_str().ok());
        let customer = id.and_then(|id| self.0.get(id));
        Ok(customer.map(|customer| User::new(&customer.customer_id, &customer.email)))
    }
}

impl Ownership for Platform {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        let customer = &self.0[&user.id];
        Ok(Owned {
            account_ids: vec![customer.account_id.clone()],
            agent_ids: vec![customer.agent_id.clone()],
            card_ids: vec![customer.card_id.clone()],
            card_funding_source_ids: vec![customer.card_funding_source_id.clone()],
            customer_ids: vec![customer.customer_id.clone()],
            external_account_ids: vec![customer.external_account_id.clone()],
        })
    }
}

struct World {
    sandbox: Sandbox,
    relay: Mounted,
    direct: Mounted,
    ada: Customer,
    bo: Customer,
}

struct SignedIn {
    session_id: String,
    key: SessionKey,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::new(SandboxOptions::default());
        let (address, _) = gridkey_sandbox::serve(sandbox.router()).await.unwrap();
        let [ada, bo] = sandbox.customers().try_into().unwrap();
        let customers = [&ada, &bo].map(|c| (c.customer_id.clone(), c.clone()));
        let platform = Platform(customers.into());
        let grid = Grid::new(
            &format!("http://{address}"),
            DEFAULT_CLIENT_ID,
            DEFAULT_CLIENT_SECRET,
            Duration::from_secs(10),
        )
        .unwrap();
        let authorizer = OwnedResources::new(grid.clone(), platform.clone());
        let relying_party = RelyingParty {
            id: "localhost".into(),
            name: "Wallet".into(),
        };
        let relay = Relay::builder(grid, platform, authorizer, relying_party)
            .allowed_origins([crate::support::ORIGIN])
            .user_id_secret(*b"a secret of more than 16 bytes")
            .agent_operations(true)
            .delegated_keys(true)
            .router()
            .unwrap();
        let direct = Mounted(Router::new().nest("/api/grid", sandbox.router()));
        Self {
            sandbox,
            relay: Mounted::nested(relay),
            direct,
            ada,
            bo,
        }
    }

    async fn sign_in(&self, customer: &Customer) -> SignedIn {
        let user = &customer.customer_id;
        let path = format!("/auth/credentials/{}", customer.email_otp_auth_method_id);
        let challenge = format!("{path}/challenge");
        let challenged = self.relay.send(bare(user, Method::POST, &challenge)).await;
        let bundle = text(&expect(challenged, 200), "otpEncryptionTargetBundle");

        let key = SessionKey::generate(&SystemRandom).unwrap();
        let otp_key = PublicKey::from_hex(&self.sandbox.enclave_keys().otp).unwrap();
        let code = OtpCode::new(OTP_CODE.as_bytes()).unwrap();
        let encoding = PublicKeyEncoding::Uncompressed;
        let sealed = key
            .seal_otp_code(&bundle, &code, &otp_key, encoding, &SystemRandom)
            .unwrap();
        let body = json!({ "type": "EMAIL_OTP", "encryptedOtpBundle": sealed });
        let verify = || post_of(user, &format!("{path}/verify"), &body);
        let signed = signed(
            verify(),
            &expect(self.relay.send(verify()).await, 202),
            &key,
        );
        let session = expect(self.relay.send(signed).await, 200);
        SignedIn {
            session_id: text(&session, "id"),
            key,
        }
    }
}

#[tokio::test]
async fn one_customer_cannot_touch_another() {
    let world = World::new().await;
    let ada = world.sign_in(&world.ada).await;
    let bo = world.sign_in(&world.bo).await;
    let before = world.sandbox.requests();

    for request in requests_about(&world.ada, &ada.session_id, &world.bo.customer_id) {
        let what = format!("{} {}", request.method(), request.uri());
        let is_session = what.contains("Session:");
        let answer = world.relay.send(request).await;
        assert_eq!(answer.status, if is_session { 404 } else { 403 }, "{what}");
    }

    // Nor with a stamp of Bo's own on what Ada has begun.
    let revoke = format!("/auth/sessions/{}", ada.session_id);
    let pending = expect(
        world
            .relay
            .send(bare(&world.ada.customer_id, Method::DELETE, &revoke))
            .await,
        202,
    );
    let stolen = bare(&world.bo.customer_id, Method::DELETE, &revoke);
    expect(
        world.relay.send(signed(stolen, &pending, &bo.key)).await,
        404,
    );

    // All that arrived are the relay's own look at what Bo has, and Ada's revocation.
    let mut after = world.sandbox.requests();
    for (operation, counts) in before {
        let now = after.get_mut(&operation).unwrap();
        now.first -= counts.first;
        now.second -= counts.second;
    }
    after.retain(|_, counts| counts.first + counts.second > 0);
    let mut arrived: Vec<_> = after
        .iter()
        .map(|(operation, counts)| (operation.id(), counts.second))
        .collect();
    arrived.sort_unstable();
    assert_eq!(arrived, [("listAuthSessions", 0), ("revokeAuthSession", 0)]);

    // And Ada's own way is open.
    let own = bare(&world.ada.customer_id, Method::DELETE, &revoke);
    assert_eq!(
        world
            .relay
            .send(signed(own, &pending, &ada.key))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn each_customer_reaches_grid_for_their_own() {
    let world = World::new().await;
    for customer in [&world.ada, &world.bo] {
        let own = world.sign_in(customer).await;
        for request in requests_about(customer, &own.session_id, &customer.customer_id) {
            let what = format!("{} {}", request.method(), request.uri());
            let answer = world.relay.send(request).await;
            let is_device_code = what.contains("/status");
            assert_eq!(
                answer.status == 403,
                is_device_code,
                "{what}: {:?}",
                answer.body
            );
            assert_ne!(answer.status, 401, "{what}: {:?}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_found_as_grid_says_itself() {
    let world = World::new().await;
    let ada = world.sign_in(&world.ada).await;
    world.sandbox.expire_sessions();
    for path in [
        format!("/auth/sessions/{}", ada.session_id),
        unknown_session(),
    ] {
        let relayed = world
            .relay
            .send(bare(&world.ada.customer_id, Method::DELETE, &path))
            .await;
        let mut request = bare(&world.ada.customer_id, Method::DELETE, &path);
        // Base64 of `sandbox-client-id:sandbox-client-secret`.
        let basic = "Basic c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0";
        request
            .headers_mut()
            .insert("authorization", basic.parse().unwrap());
        let direct = world.direct.send(request).await;
        assert_eq!(
            (relayed.status.as_u16(), direct.status.as_u16()),
            (404, 404)
        );
        assert_eq!(relayed.json()["code"], direct.json()["code"]);
    }
}

#[tokio::test]
async fn a_customer_sees_and_changes_their_own_accounts() {
    let world = World::new().await;
    let ada = world.sign_in(&world.ada).await;
    let user = &world.ada.customer_id;
    let list = format!("/customers/internal-accounts?customerId={user}");
    let listed = expect(world.relay.send(bare(user, Method::GET, &list)).await, 200);
    let accounts = listed["data"].as_array().unwrap();
    assert!(!accounts.is_empty());
    for account in accounts {
        assert_eq!(account["customerId"], user.as_str());
    }

    let wallet = format!("/internal-accounts/{}", world.ada.account_id);
    let update = || patch_of(user, &wallet, &json!({ "privateEnabled": true }));
    let pending = expect(world.relay.send(update()).await, 202);
    let updated = world.relay.send(signed(update(), &pending, &ada.key)).await;
    assert_eq!(expect(updated, 200)["privateEnabled"], true);

    let customer = format!("/customers/{user}");
    let email = json!({ "customerType": "INDIVIDUAL", "email": "new@example.com" });
    let update = || patch_of(user, &customer, &email);
    let pending = expect(world.relay.send(update()).await, 202);
    let updated = world.relay.send(signed(update(), &pending, &ada.key)).await;
    assert_eq!(expect(updated, 200)["email"], "new@example.com");
}

#[tokio::test]
async fn a_payment_is_its_payers() {
    let world = World::new().await;
    let ada = world.sign_in(&world.ada).await;
    let (payer, other) = (&world.ada.customer_id, &world.bo.customer_id);
    let send = |request| world.relay.send(request);

    let create = post_of(payer, "/quotes", &quote(&world.ada));
    let created = expect(send(create).await, 201);
    let path = format!("/quotes/{}", text(&created, "id"));
    let payload = &created["paymentInstructions"][0]["accountOrWalletInfo"]["payloadToSign"];
    let stamp = ada.key.stamp_unchecked(payload.as_str().unwrap()).unwrap();
    let execute = |user: &str| {
        let mut request = bare(user, Method::POST, &format!("{path}/execute"));
        let headers = request.headers_mut();
        headers.insert("grid-wallet-signature", stamp.parse().unwrap());
        headers.insert("idempotency-key", "a-random-one".parse().unwrap());
        request
    };
    let sca = json!({ "code": "123456" });
    for request in [
        bare(other, Method::GET, &path),
        execute(other),
        post_of(other, &format!("{path}/authorize"), &sca),
        bare(other, Method::POST, &format!("{path}/authorize/resend")),
    ] {
        let answer = send(request).await;
        answer.assert_refused(404, "REFERENCE_NOT_FOUND");
    }

    let executed = expect(send(execute(payer)).await, 200);
    assert_eq!(executed["id"], created["id"]);
    let seen = expect(send(bare(payer, Method::GET, &path)).await, 200);
    assert_ne!(seen["status"], "PENDING");
    // Nobody has to authorise it further, says the sandbox and not the relay.
    let authorized = send(post_of(payer, &format!("{path}/authorize"), &sca)).await;
    assert_eq!(authorized.status, 409, "{:?}", authorized.body);
}

#[tokio::test]
async fn a_delegated_key_is_its_creators() {
    let world = World::new().await;
    let ada = world.sign_in(&world.ada).await;
    let (owner, other) = (&world.ada.customer_id, &world.bo.customer_id);
    let send = |request| world.relay.send(request);

    let create = || post_of(owner, "/auth/delegated-keys", &delegated_key(&world.ada));
    let first = expect(send(create()).await, 202);
    let second = expect(send(signed(create(), &first, &ada.key)).await, 202);
    let created = expect(send(signed(create(), &second, &ada.key)).await, 201);
    assert_eq!(
        created["fundingSourceId"],
        world.ada.card_funding_source_id.as_str()
    );
    let path = format!("/auth/delegated-keys/{}", text(&created, "id"));
    for method in [Method::GET, Method::DELETE] {
        let answer = send(bare(other, method, &path)).await;
        answer.assert_refused(404, "REFERENCE_NOT_FOUND");
    }
    let seen = expect(send(bare(owner, Method::GET, &path)).await, 200);
    assert_eq!(seen["status"], "ACTIVE");
    let revoked = send(bare(owner, Method::DELETE, &path)).await;
    assert_eq!(revoked.status, 204, "{:?}", revoked.body);
    // It stays the customer's to look at.
    let seen = expect(send(bare(owner, Method::GET, &path)).await, 200);
    assert_eq!(seen["status"], "REVOKED");
}

#[tokio::test]
async fn answers_carry_the_time_that_grid_has() {
    let world = World::new().await;
    let path = format!("/auth/sessions?accountId={}", world.ada.account_id);
    let list = || bare(&world.ada.customer_id, Method::GET, &path);
    let before = world.relay.send(list()).await.headers["date"].clone();
    world.sandbox.advance_clock(86_400_000);
    let after = world.relay.send(list()).await.headers["date"].clone();
    assert_ne!(before, after);
}

#[tokio::test]
async fn registration_options_leave_out_what_the_account_has() {
    let world = World::new().await;
    let path = "/auth/credentials/registration-options";
    let body = json!({ "accountId": world.ada.account_id });
    let options = expect(
        world
            .relay
            .send(post_of(&world.ada.customer_id, path, &body))
            .await,
        200,
    );
    assert_eq!(options["user"]["name"], world.ada.email);
    // The e-mail address is no passkey.
    assert_eq!(options["excludeCredentials"], json!([]));
}

/// Every operation on what belongs to a customer, sent by `user`.
fn requests_about(customer: &Customer, session_id: &str, user: &str) -> Vec<Request<Body>> {
    let account_id = &customer.account_id;
    let credential = format!("/auth/credentials/{}", customer.email_otp_auth_method_id);
    let session = format!("/auth/sessions/{session_id}");
    let key = json!({ "clientPublicKey": "04" });
    let account = json!({ "accountId": account_id });
    let account_path = format!("/internal-accounts/{account_id}");
    let customer_id = &customer.customer_id;
    let email = json!({ "customerType": "INDIVIDUAL", "email": "new@example.com" });
    let generated = SessionKey::generate(&SystemRandom).unwrap();
    let export = json!({ "clientPublicKey": generated.public_key().to_uncompressed_hex() });
    let create = json!({ "accountId": account_id, "type": "EMAIL_OTP" });
    let verification = json!({ "type": "EMAIL_OTP", "encryptedOtpBundle": "{}" });
    let get = |path: String| bare(user, Method::GET, &path);
    vec![
        post_of(user, "/auth/credentials/registration-options", &account),
        post_of(user, "/auth/credentials", &create),
        get(format!("/auth/credentials?accountId={account_id}")),
        get(format!("/auth/sessions?accountId={account_id}")),
        post_of(user, &format!("{credential}/challenge"), &json!({})),
        post_of(user, &format!("{credential}/verify"), &verification),
        bare(user, Method::DELETE, &credential),
        post_of(user, &format!("{session}/refresh"), &key),
        bare(user, Method::DELETE, &session),
        bare(
            user,
            Method::POST,
            &format!("/agents/{}/device-codes", customer.agent_id),
        ),
        get(format!(
            "/agents/device-codes/{}/status",
            customer.device_code
        )),
        get(format!(
            "/customers/internal-accounts?customerId={customer_id}"
        )),
        get(format!(
            "/customers/internal-accounts?limit=1&type=EMBEDDED_WALLET&customerId={customer_id}"
        )),
        get(format!("/auth/delegated-keys?accountId={account_id}")),
        get(format!(
            "/auth/delegated-keys?fundingSourceId={}",
            customer.card_funding_source_id
        )),
        post_of(user, "/auth/delegated-keys", &delegated_key(customer)),
        post_of(user, "/quotes", &quote(customer)),
        patch_of(user, &format!("/customers/{customer_id}"), &email),
        patch_of(user, &account_path, &json!({ "privateEnabled": true })),
        post_of(user, &format!("{account_path}/export"), &export),
    ]
}

/// A payment of a customer's to their own bank account.
fn quote(customer: &Customer) -> Value {
    json!({
        "source": {
            "sourceType": "ACCOUNT",
            "accountId": customer.account_id,
        },
        "destination": {
            "destinationType": "ACCOUNT",
            "accountId": customer.external_account_id,
        },
        "lockedCurrencySide": "SENDING",
        "lockedCurrencyAmount": 1000,
    })
}

fn delegated_key(customer: &Customer) -> Value {
    json!({
        "cardId": customer.card_id,
        "internalAccountId": customer.account_id,
        "nickname": "Card payments",
    })
}

fn unknown_session() -> String {
    "/auth/sessions/Session:019542f5-b3e7-1d02-0000-00000000ffff".into()
}

fn bare(user: &str, method: Method, path: &str) -> Request<Body> {
    request_of(user, method, path).body(Body::empty()).unwrap()
}

/// The signed retry of a request that was answered with a payload to sign.
fn signed(mut request: Request<Body>, challenge: &Value, key: &SessionKey) -> Request<Body> {
    let stamp = key
        .stamp_unchecked(&text(challenge, "payloadToSign"))
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("grid-wallet-signature", stamp.parse().unwrap());
    headers.insert("request-id", text(challenge, "requestId").parse().unwrap());
    request
}

#[track_caller]
fn expect(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    answer.json()
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap().to_owned()
}
