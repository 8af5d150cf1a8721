//! Options for new passkeys, and their challenges' one use.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64ct::{Base64UrlUnpadded, Encoding};
use gridkey_relay::{
    ChallengeStore, ConfigError, Decision, IssuedChallenge, MemoryChallengeStore, Unavailable,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{ALICE_ACCOUNT, Always, Answer, Mounted, Upstream, builder, post, post_of};

const OPTIONS: &str = "/auth/credentials/registration-options";
const CREATE: &str = "/auth/credentials";

async fn options_of(relay: &Mounted, user: &str, account_id: &str) -> Value {
    let answer = relay
        .send(post_of(user, OPTIONS, &json!({ "accountId": account_id })))
        .await;
    assert_eq!(answer.status, 200);
    answer.json()
}

async fn challenge(relay: &Mounted) -> String {
    options_of(relay, "alice", ALICE_ACCOUNT).await["challenge"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn creation(user: &str, account_id: &str, challenge: &str) -> Request<Body> {
    let body = json!({
        "type": "PASSKEY",
        "accountId": account_id,
        "nickname": "Phone",
        "challenge": challenge,
        "attestation": {},
    });
    post_of(user, CREATE, &body)
}

async fn first_leg(relay: &Mounted, challenge: &str) -> Answer {
    relay
        .send(creation("alice", ALICE_ACCOUNT, challenge))
        .await
}

async fn signed_retry(relay: &Mounted, challenge: &str) -> Answer {
    let mut request = creation("alice", ALICE_ACCOUNT, challenge);
    request
        .headers_mut()
        .insert("grid-wallet-signature", "stamp".parse().unwrap());
    request
        .headers_mut()
        .insert("request-id", "Request:1".parse().unwrap());
    relay.send(request).await
}

fn creations(upstream: &Upstream) -> usize {
    upstream
        .seen()
        .iter()
        .filter(|seen| seen.path_and_query == CREATE)
        .count()
}

#[tokio::test]
async fn options_have_what_the_ceremony_needs() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let before = OffsetDateTime::now_utc();
    let options = options_of(&relay, "alice", ALICE_ACCOUNT).await;

    let challenge = options["challenge"].as_str().unwrap();
    assert_eq!(Base64UrlUnpadded::decode_vec(challenge).unwrap().len(), 32);
    assert_ne!(
        options_of(&relay, "alice", ALICE_ACCOUNT).await["challenge"],
        challenge
    );
    let expires_at = options["expiresAt"].as_str().unwrap();
    let lifetime = OffsetDateTime::parse(expires_at, &Rfc3339).unwrap() - before;
    assert!((299..310).contains(&lifetime.whole_seconds()), "{lifetime}");
    assert_eq!(expires_at.len(), "2026-04-08T15:35:00Z".len());
    assert_eq!(
        options["rp"],
        json!({ "id": "wallet.example", "name": "Wallet" })
    );
    assert_eq!(options["user"]["name"], "alice@example.com");
    assert_eq!(options["user"]["displayName"], "alice@example.com");
    assert_eq!(
        options["excludeCredentials"],
        json!([{ "type": "public-key", "id": "credential-of-alice" }])
    );
    let mut members: Vec<_> = options.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["challenge", "excludeCredentials", "expiresAt", "rp", "user"]
    );

    // What is on the second account is an e-mail address.
    let second = options_of(&relay, "alice", "InternalAccount:alice-second").await;
    assert_eq!(second["excludeCredentials"], json!([]));
}

#[tokio::test]
async fn user_ids_are_opaque_stable_and_apart() {
    let upstream = Upstream::start().await;
    let allow = || Always::new(Ok(Decision::Allow));
    let id = async |relay: &Mounted, user, account| {
        let options = options_of(relay, user, account).await;
        options["user"]["id"].as_str().unwrap().to_owned()
    };
    let relay = Mounted::allowing(&upstream);
    let alice = id(&relay, "alice", ALICE_ACCOUNT).await;
    assert_eq!(Base64UrlUnpadded::decode_vec(&alice).unwrap().len(), 32);
    // HMAC-SHA-256, computed by Python's `hmac` from the secret in `support`.
    assert_eq!(alice, "KnkaMxPsd7JUECHBZ5e2o0foXW2A-S2NPgJyo7B8b5s");
    assert_eq!(
        id(&Mounted::allowing(&upstream), "alice", ALICE_ACCOUNT).await,
        alice
    );
    assert_ne!(id(&relay, "bob", ALICE_ACCOUNT).await, alice);
    assert_ne!(
        id(&relay, "alice", "InternalAccount:alice-second").await,
        alice
    );

    let other = builder(upstream.grid(), allow()).user_id_secret(*b"another secret of 16 bytes");
    let other = Mounted::nested(other.router().unwrap());
    assert_ne!(id(&other, "alice", ALICE_ACCOUNT).await, alice);
    let short = builder(upstream.grid(), allow()).user_id_secret(*b"fifteen bytes..");
    assert_eq!(short.router().err(), Some(ConfigError::ShortUserIdSecret));
}

#[tokio::test]
async fn a_challenge_survives_the_first_leg_and_ends_with_the_signed_retry() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;

    upstream.will_answer((StatusCode::ACCEPTED, "{}"));
    assert_eq!(first_leg(&relay, &challenge).await.status, 202);
    upstream.will_answer((StatusCode::CREATED, "{}"));
    assert_eq!(signed_retry(&relay, &challenge).await.status, 201);

    signed_retry(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
    first_leg(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
    assert_eq!(creations(&upstream), 2);
}

#[tokio::test]
async fn a_challenge_ends_with_a_creation_at_once() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;
    upstream.will_answer((StatusCode::CREATED, "{}"));
    assert_eq!(first_leg(&relay, &challenge).await.status, 201);
    first_leg(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
    assert_eq!(creations(&upstream), 1);
}

#[tokio::test]
async fn a_challenge_survives_what_certainly_created_nothing() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;
    for status in [400, 401, 404, 429] {
        let status = StatusCode::from_u16(status).unwrap();
        upstream.will_answer((status, "{}"));
        assert_eq!(first_leg(&relay, &challenge).await.status, status);
        upstream.will_answer((status, "{}"));
        assert_eq!(signed_retry(&relay, &challenge).await.status, status);
    }
    upstream.will_answer((StatusCode::INTERNAL_SERVER_ERROR, "{}"));
    assert_eq!(first_leg(&relay, &challenge).await.status, 500);
    upstream.will_answer((StatusCode::CREATED, "{}"));
    assert_eq!(signed_retry(&relay, &challenge).await.status, 201);
}

#[tokio::test]
async fn a_challenge_ends_with_a_signed_retry_of_unknown_outcome() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;
    upstream.will_answer((StatusCode::INTERNAL_SERVER_ERROR, "{}"));
    assert_eq!(signed_retry(&relay, &challenge).await.status, 500);
    signed_retry(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
}

#[tokio::test]
async fn of_simultaneous_signed_retries_one_is_forwarded() {
    let upstream = Upstream::start().await;
    upstream.will_wait(Duration::from_millis(50));
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;
    let retry = || signed_retry(&relay, &challenge);
    let (a, b, c) = tokio::join!(retry(), retry(), retry());
    let mut statuses = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400]);
    assert_eq!(creations(&upstream), 1);
}

#[tokio::test]
async fn challenges_of_others_are_refused() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let challenge = challenge(&relay).await;
    let padded = format!("{challenge}=");
    for (user, account, challenge) in [
        ("bob", ALICE_ACCOUNT, challenge.as_str()),
        ("alice", "InternalAccount:alice-second", &challenge),
        ("alice", ALICE_ACCOUNT, &padded),
        (
            "alice",
            ALICE_ACCOUNT,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ("alice", ALICE_ACCOUNT, ""),
    ] {
        let answer = relay.send(creation(user, account, challenge)).await;
        answer.assert_refused(400, "INVALID_INPUT");
    }
    let without = json!({ "type": "PASSKEY", "accountId": ALICE_ACCOUNT, "attestation": {} });
    relay
        .send(post(CREATE, &without))
        .await
        .assert_refused(400, "INVALID_INPUT");
    assert_eq!(creations(&upstream), 0);
    assert_eq!(first_leg(&relay, &challenge).await.status, 200);
}

#[tokio::test]
async fn expired_challenges_are_refused() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)))
        .challenge_lifetime(Duration::from_millis(40));
    let relay = Mounted::nested(relay.router().unwrap());
    let challenge = challenge(&relay).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    first_leg(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
    signed_retry(&relay, &challenge)
        .await
        .assert_refused(400, "INVALID_INPUT");
    assert_eq!(creations(&upstream), 0);
}

#[tokio::test]
async fn other_credentials_need_no_challenge() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for r#type in ["EMAIL_OTP", "SMS_OTP", "OAUTH"] {
        let body = json!({ "type": r#type, "accountId": ALICE_ACCOUNT });
        assert_eq!(relay.send(post(CREATE, &body)).await.status, 200);
    }
}

#[tokio::test]
async fn no_options_without_grids_list_of_passkeys() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let body = json!({ "accountId": ALICE_ACCOUNT });
    for told in [
        (StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        (StatusCode::OK, "{}"),
    ] {
        upstream.will_answer(told);
        relay
            .send(post(OPTIONS, &body))
            .await
            .assert_refused(502, "INTERNAL_ERROR");
    }
}

struct BrokenStore;

impl ChallengeStore for BrokenStore {
    async fn keep(&self, _: IssuedChallenge) -> Result<(), Unavailable> {
        Err(Unavailable)
    }

    async fn find(&self, _: &str, _: &str) -> Result<Option<IssuedChallenge>, Unavailable> {
        Err(Unavailable)
    }

    async fn take(&self, _: &str, _: &str) -> Result<Option<IssuedChallenge>, Unavailable> {
        Err(Unavailable)
    }
}

#[tokio::test]
async fn a_store_that_fails_lets_nothing_through() {
    let upstream = Upstream::start().await;
    let relay = builder(upstream.grid(), Always::new(Ok(Decision::Allow)));
    let relay = Mounted::nested(relay.challenge_store(BrokenStore).router().unwrap());
    let options = post(OPTIONS, &json!({ "accountId": ALICE_ACCOUNT }));
    relay
        .send(options)
        .await
        .assert_refused(503, "INTERNAL_ERROR");
    first_leg(&relay, "challenge")
        .await
        .assert_refused(503, "INTERNAL_ERROR");
    signed_retry(&relay, "challenge")
        .await
        .assert_refused(503, "INTERNAL_ERROR");
    assert_eq!(creations(&upstream), 0);
}

#[tokio::test]
async fn the_memory_store_is_bounded() {
    let now = SystemTime::now();
    let later = now + Duration::from_secs(60);
    let issued = |user: &str, challenge: &str, expires_at| {
        IssuedChallenge::new(user, ALICE_ACCOUNT, challenge, expires_at)
    };
    let store = MemoryChallengeStore::new(10);
    for number in 0..20 {
        store
            .keep(issued("alice", &number.to_string(), later))
            .await
            .unwrap();
    }
    // Alice has displaced her own oldest, and left room for others.
    assert_eq!(store.find("alice", "11").await, Ok(None));
    assert!(store.find("alice", "12").await.unwrap().is_some());
    store.keep(issued("bob", "a", now)).await.unwrap();
    store.keep(issued("bob", "b", later)).await.unwrap();

    // Full, but for what has expired.
    store.keep(issued("carol", "a", later)).await.unwrap();
    assert_eq!(store.find("bob", "a").await, Ok(None));
    assert!(store.find("bob", "b").await.unwrap().is_some());
    assert_eq!(
        store.keep(issued("carol", "b", later)).await,
        Err(Unavailable)
    );

    assert_eq!(store.take("carol", "b").await, Ok(None));
    assert_eq!(store.take("bob", "12").await, Ok(None));
    assert!(store.take("alice", "12").await.unwrap().is_some());
    assert_eq!(store.take("alice", "12").await, Ok(None));
    store.keep(issued("carol", "b", later)).await.unwrap();
}
