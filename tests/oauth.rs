//! Signing in with an identity provider's token, in both deliveries and over a redirect.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use std::{fmt::Write, rc::Rc};

use base64ct::{Base64UrlUnpadded, Encoding};
use gridkey::{
    error::{Error, ErrorCode, Recovery, Result},
    flow::{
        client::{Credential, Gridkey},
        key_delivery::KeyDelivery,
        oauth::{OAuthOptions, OAuthState},
        session::WalletSession,
    },
    ports::Clock,
};
use gridkey_sandbox::{Fault, FaultOrder, Lie, LieOrder, OidcUser, Operation};
use sha2::{Digest, Sha256};
use support::{
    TestKeyStore, World,
    flow::{DEFAULTS, oauth, parse},
    local, text,
};

const DELIVERIES: [KeyDelivery; 2] = [KeyDelivery::Sealed, KeyDelivery::ClientHeld];

struct Page {
    world: World,
    client: Gridkey,
    session: WalletSession,
    auth_method_id: String,
}

impl Page {
    async fn new(delivery: KeyDelivery) -> Self {
        let world = World::new().await;
        let client = world.client(delivery);
        let session = world.sign_in(&client).await;
        let token = world.id_token(None);
        let added = session.add_oauth(&token, Some("page"), &DEFAULTS).await;
        Self {
            auth_method_id: added.unwrap().id,
            world,
            client,
            session,
        }
    }

    fn redirect(&self) -> OAuthOptions {
        OAuthOptions {
            redirect: true,
            ..oauth(&self.auth_method_id)
        }
    }

    /// A token with claims of one's own, of a provider whose signatures the sandbox does not check.
    fn token(&self, client_id: &str, nonce: Option<&str>, age_s: i64, life_s: i64) -> String {
        let issued_at = self.world.clock.now_ms() / 1000 - age_s;
        let nonce = nonce.map_or(String::new(), |nonce| format!(r#","nonce":"{nonce}""#));
        let claims = format!(
            r#"{{"iss":"https://accounts.google.com","aud":"{client_id}","sub":"1","iat":{issued_at},"exp":{}{nonce}}}"#,
            issued_at + life_s
        );
        let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let header = part(r#"{"alg":"RS256","typ":"JWT"}"#);
        format!("{header}.{}.{}", part(&claims), part("signature"))
    }

    /// Whether the session's key is the one that Grid knows, and stamps.
    async fn assert_signs(&self, session: &WalletSession) {
        let info = session.info();
        let sessions = self.world.sandbox.sessions();
        let of_grid = sessions
            .iter()
            .find(|of_grid| of_grid.id == info.id)
            .unwrap();
        assert_eq!(of_grid.public_key, info.public_key);
        assert_eq!(info.auth_method_id.as_ref(), Some(&self.auth_method_id));
        session.refresh(true, &DEFAULTS).await.unwrap();
        assert_ne!(session.info().id, info.id);
    }
}

fn refused<T>(result: Result<T>, code: ErrorCode, reason: Option<&str>) -> Error {
    let error = result.err().unwrap();
    assert_eq!(error.code(), code, "{error:?}");
    assert_eq!(error.reason(), reason, "{error:?}");
    error
}

/// A session's key is kept no longer; nobody has to wait for that.
async fn no_key_is_kept(world: &World) {
    for _ in 0..1000 {
        if world.key_store.len() == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the key is still kept");
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

#[tokio::test]
async fn the_nonce_is_of_the_key_as_it_is_sent() {
    local(async {
        for delivery in DELIVERIES {
            let page = Page::new(delivery).await;
            let Page { world, client, .. } = &page;
            let prepared = client
                .prepare_oauth(oauth(&page.auth_method_id))
                .await
                .unwrap();
            assert_eq!(prepared.auth_method_id(), page.auth_method_id);
            assert!(prepared.state().is_none());
            let key = prepared.client_public_key();
            match delivery {
                KeyDelivery::Sealed => assert!(key.len() == 130 && key.starts_with("04")),
                KeyDelivery::ClientHeld => assert_eq!(key.len(), 66),
            }
            assert_eq!(prepared.nonce(), sha256_hex(key));
            world.transport.take_sent();
            let token = world.id_token(Some(prepared.nonce()));
            let session = prepared.submit(&token, &DEFAULTS).await.unwrap();
            let [body] = <[String; 1]>::try_from(world.transport.bodies()).unwrap();
            assert_eq!(text(&parse(&body), "clientPublicKey"), key);
            assert_eq!(text(&parse(&body), "oidcToken"), token);
            assert_eq!(
                session.info().public_key == key,
                delivery == KeyDelivery::ClientHeld
            );
            page.assert_signs(&session).await;

            // A key is for one session.
            world.transport.take_sent();
            let again = prepared.submit(&token, &DEFAULTS).await;
            refused(again, ErrorCode::InvalidArgument, None);
            assert!(world.transport.take_sent().is_empty());
            let next = client
                .prepare_oauth(oauth(&page.auth_method_id))
                .await
                .unwrap();
            assert_ne!(next.nonce(), prepared.nonce());
            assert_eq!(
                world.key_store.len(),
                0,
                "nothing is kept without a redirect"
            );
        }
    })
    .await;
}

/// The page is left for the provider's and loaded anew: another client, the same storage.
#[tokio::test]
async fn over_a_redirect() {
    local(async {
        for delivery in DELIVERIES {
            let page = Page::new(delivery).await;
            let Page { world, client, .. } = &page;
            let prepared = client.prepare_oauth(page.redirect()).await.unwrap();
            let state = prepared.state().unwrap();
            assert_eq!(state.credential.auth_method_id, page.auth_method_id);
            assert_eq!(state.client_public_key, prepared.client_public_key());
            assert_eq!(state.client_id.as_deref(), Some("page"));
            // Nobody can read it, so it can only be the session's own, whatever the client asks for.
            assert_eq!(state.client_public_key.len(), 66);
            assert_eq!(prepared.nonce(), sha256_hex(&state.client_public_key));
            let token = world.id_token(Some(prepared.nonce()));
            drop(prepared);
            assert_eq!(world.key_store.len(), 1);

            let reloaded = world.client(delivery);
            let resumed = reloaded.resume_oauth(state.clone()).await.unwrap();
            assert_eq!(resumed.auth_method_id(), page.auth_method_id);
            assert_eq!(resumed.client_public_key(), state.client_public_key);
            let session = resumed.submit(&token, &DEFAULTS).await.unwrap();
            assert_eq!(session.info().public_key, state.client_public_key);
            no_key_is_kept(world).await;
            page.assert_signs(&session).await;

            // The state is good for one session.
            let stale = reloaded.resume_oauth(state).await;
            let error = refused(stale, ErrorCode::ChallengeExpired, None);
            assert_eq!(error.recovery(), Recovery::Retry);
        }
    })
    .await;
}

/// A pop-up instead of a redirect: the key is kept, and used without a reload.
#[tokio::test]
async fn the_kept_key_signs_without_a_reload_too() {
    local(async {
        let page = Page::new(KeyDelivery::Sealed).await;
        let prepared = page.client.prepare_oauth(page.redirect()).await.unwrap();
        let token = page.world.id_token(Some(prepared.nonce()));
        let session = prepared.submit(&token, &DEFAULTS).await.unwrap();
        assert!(session.sign_out(&DEFAULTS).await, "the kept key stamps");
        no_key_is_kept(&page.world).await;
    })
    .await;
}

#[tokio::test]
async fn the_key_is_kept_until_it_has_succeeded() {
    local(async {
        let page = Page::new(KeyDelivery::ClientHeld).await;
        let Page { world, client, .. } = &page;
        let prepared = client.prepare_oauth(page.redirect()).await.unwrap();
        let state = prepared.state().unwrap();
        let nonce = prepared.nonce().to_owned();
        let good = || world.id_token(Some(&nonce));
        let submit = async |token: String| {
            let resumed = world
                .client(KeyDelivery::Sealed)
                .resume_oauth(state.clone())
                .await;
            resumed.unwrap().submit(&token, &DEFAULTS).await
        };
        refused(
            submit(world.id_token(None)).await,
            ErrorCode::OauthRejected,
            Some("nonce"),
        );
        let of_another = world.sandbox.id_token(OidcUser::Bo, "page", Some(&nonce));
        let error = submit(of_another).await.err().unwrap();
        assert_eq!(error.code(), ErrorCode::OauthRejected);
        assert_eq!(error.status(), Some(401), "Grid knows who is who");
        world.transport.set_down(true);
        refused(
            submit(good()).await,
            ErrorCode::Network,
            Some("outcome_unknown"),
        );
        world.transport.set_down(false);
        assert_eq!(world.key_store.len(), 1);
        // So too in the sign-in itself.
        world.transport.set_down(true);
        let lost = prepared.submit(&good(), &DEFAULTS).await;
        refused(lost, ErrorCode::Network, Some("outcome_unknown"));
        world.transport.set_down(false);
        prepared.submit(&good(), &DEFAULTS).await.unwrap();
        no_key_is_kept(world).await;
    })
    .await;
}

#[tokio::test]
async fn states_that_lead_nowhere() {
    local(async {
        let page = Page::new(KeyDelivery::Sealed).await;
        let Page { world, client, .. } = &page;
        let state = client
            .prepare_oauth(page.redirect())
            .await
            .unwrap()
            .state()
            .unwrap();
        let with = |change: &dyn Fn(&mut OAuthState)| {
            let mut state = state.clone();
            change(&mut state);
            client.resume_oauth(state)
        };
        // Another browser's, or one that was kept for too long.
        let other = page.session.info().public_key.clone();
        let lost = with(&|state| state.client_public_key.clone_from(&other)).await;
        refused(lost, ErrorCode::ChallengeExpired, None);
        for malformed in [
            with(&|state| state.credential.auth_method_id = "Session:1".to_owned()).await,
            with(&|state| state.credential.auth_method_id = "../x".to_owned()).await,
            with(&|state| state.client_public_key = String::new()).await,
            with(&|state| state.client_public_key = "05".repeat(33)).await,
            with(&|state| state.client_id = Some(String::new())).await,
            with(&|state| state.client_id = Some("x".repeat(1025))).await,
        ] {
            refused(malformed, ErrorCode::InvalidArgument, None);
        }
        for malformed in [
            oauth("Session:1"),
            OAuthOptions {
                client_id: Some(String::new()),
                ..page.redirect()
            },
        ] {
            let prepared = client.prepare_oauth(malformed).await;
            refused(prepared, ErrorCode::InvalidArgument, None);
        }
        assert_eq!(world.key_store.len(), 1, "what is refused makes no key");
        client.resume_oauth(state.clone()).await.unwrap();

        // A private window: sign-ins that leave the page cannot be, all others can.
        world.key_store.make_unavailable();
        let prepared = client.prepare_oauth(page.redirect()).await;
        let error = refused(prepared, ErrorCode::StorageUnavailable, None);
        assert_eq!(error.recovery(), Recovery::OtherMethod);
        refused(
            client.resume_oauth(state.clone()).await,
            ErrorCode::StorageUnavailable,
            None,
        );
        let prepared = client
            .prepare_oauth(oauth(&page.auth_method_id))
            .await
            .unwrap();
        let token = world.id_token(Some(prepared.nonce()));
        prepared.submit(&token, &DEFAULTS).await.unwrap();
    })
    .await;
    // Storage of another origin has another page's keys.
    local(async {
        let mut page = Page::new(KeyDelivery::Sealed).await;
        let prepared = page.client.prepare_oauth(page.redirect()).await.unwrap();
        page.world.key_store = Rc::new(TestKeyStore::default());
        let elsewhere = page.world.client(KeyDelivery::Sealed);
        let resumed = elsewhere.resume_oauth(prepared.state().unwrap()).await;
        refused(resumed, ErrorCode::ChallengeExpired, None);
    })
    .await;
}

/// Whoever knows whose account it is says so, and is not signed in to another one.
#[tokio::test]
async fn of_the_account_that_was_named() {
    local(async {
        let page = Page::new(KeyDelivery::Sealed).await;
        let Page { world, client, .. } = &page;
        let own = world.customer.account_id.clone();
        let other = world.sandbox.customers()[1].account_id.clone();
        for redirect in [false, true] {
            for (account_id, is_right) in [(&own, true), (&other, false)] {
                let options = OAuthOptions {
                    credential: Credential::of(&page.auth_method_id, Some(account_id)),
                    redirect,
                    ..oauth(&page.auth_method_id)
                };
                let mut prepared = client.prepare_oauth(options).await.unwrap();
                if let Some(state) = prepared.state() {
                    assert_eq!(state.credential.account_id.as_ref(), Some(account_id));
                    prepared = client.resume_oauth(state).await.unwrap();
                }
                let token = world.id_token(Some(prepared.nonce()));
                let submitted = prepared.submit(&token, &DEFAULTS).await;
                match is_right {
                    true => assert_eq!(submitted.unwrap().info().account_id, own),
                    false => drop(refused(submitted, ErrorCode::RelayProtocol, None)),
                }
            }
        }
        let malformed = OAuthOptions {
            credential: Credential::of(&page.auth_method_id, Some("Session:1")),
            ..oauth(&page.auth_method_id)
        };
        let prepared = client.prepare_oauth(malformed).await;
        refused(prepared, ErrorCode::InvalidArgument, None);
    })
    .await;
}

/// A token that cannot be accepted is of no use to Grid, and might be to whoever reads along.
#[tokio::test]
async fn tokens_that_are_not_sent() {
    local(async {
        for delivery in DELIVERIES {
            let page = Page::new(delivery).await;
            let Page { world, client, .. } = &page;
            for options in [oauth(&page.auth_method_id), page.redirect()] {
                let prepared = client.prepare_oauth(options).await.unwrap();
                let nonce = Some(prepared.nonce());
                let other = client
                    .prepare_oauth(oauth(&page.auth_method_id))
                    .await
                    .unwrap();
                let upper = prepared.nonce().to_uppercase();
                world.transport.take_sent();
                for (token, reason) in [
                    (page.token("page", None, 0, 60), "nonce"),
                    (page.token("page", Some(other.nonce()), 0, 60), "nonce"),
                    (page.token("page", Some(&upper), 0, 60), "nonce"),
                    (page.token("page", Some(""), 0, 60), "nonce"),
                    (page.token("another page", nonce, 0, 60), "audience"),
                    (page.token("", nonce, 0, 60), "malformed"),
                    (page.token("page", nonce, 62, 3600), "freshness"),
                    (page.token("page", nonce, -63, 3600), "freshness"),
                    (page.token("page", nonce, 10, 5), "freshness"),
                    ("an access token".to_owned(), "malformed"),
                    (String::new(), "malformed"),
                ] {
                    let submitted = prepared.submit(&token, &DEFAULTS).await;
                    refused(submitted, ErrorCode::OauthRejected, Some(reason));
                }
                assert!(world.transport.take_sent().is_empty());
                let token = world.id_token(nonce);
                let session = prepared.submit(&token, &DEFAULTS).await.unwrap();
                page.assert_signs(&session).await;
            }
        }
    })
    .await;
}

/// A token that becomes a credential carries no nonce: with one it could open a session.
#[tokio::test]
async fn tokens_that_become_no_credential() {
    local(async {
        for delivery in DELIVERIES {
            let page = Page::new(delivery).await;
            let Page { world, session, .. } = &page;
            world.transport.take_sent();
            for (token, reason) in [
                (page.token("page", Some(&sha256_hex("x")), 0, 60), "nonce"),
                (page.token("page", Some(""), 0, 60), "nonce"),
                (page.token("another page", None, 0, 60), "audience"),
                (page.token("page", None, 62, 3600), "freshness"),
                (page.token("page", None, 10, 5), "freshness"),
                ("e30.e30.e30".to_owned(), "malformed"),
            ] {
                let added = session.add_oauth(&token, Some("page"), &DEFAULTS).await;
                refused(added, ErrorCode::OauthRejected, Some(reason));
            }
            assert!(world.transport.take_sent().is_empty());
            let token = page.token("page", None, 0, 60);
            let added = session
                .add_oauth(&token, Some("page"), &DEFAULTS)
                .await
                .unwrap();
            assert_ne!(added.id, page.auth_method_id);
        }
    })
    .await;
}

/// Grid's time counts: on a device whose clock is a little off a fresh token is fresh.
#[tokio::test]
async fn freshness_is_by_grids_time() {
    local(async {
        for offset_ms in [90_000, -90_000] {
            let world = World::new().await;
            world.clock.advance(offset_ms);
            let client = world.client(KeyDelivery::Sealed);
            let session = world.sign_in(&client).await;
            let token = world.id_token(None);
            session.add_oauth(&token, None, &DEFAULTS).await.unwrap();
        }
    })
    .await;
}

/// What is answered with something else than this sign-in's session is not used.
#[tokio::test]
async fn answers_that_are_no_session_of_this() {
    local(async {
        for delivery in DELIVERIES {
            let page = Page::new(delivery).await;
            let Page { world, client, .. } = &page;
            let submit = async || {
                let prepared = client.prepare_oauth(oauth(&page.auth_method_id)).await.unwrap();
                let token = world.id_token(Some(prepared.nonce()));
                prepared.submit(&token, &DEFAULTS).await
            };
            let challenge = r#"{"payloadToSign":"{}","requestId":"Request:1","expiresAt":"2126-01-01T00:00:00Z"}"#;
            world.transport.set_tamper(move |_, reply| {
                reply.status = 202;
                reply.body = challenge.as_bytes().to_vec();
            });
            world.transport.take_sent();
            refused(submit().await, ErrorCode::RelayProtocol, None);
            assert_eq!(world.transport.take_sent(), [("verifyAuthCredential", false)]);
            world.transport.set_tamper(|_, reply| {
                let body = String::from_utf8(reply.body.clone()).unwrap();
                reply.body = body.replace("\"OAUTH\"", "\"EMAIL_OTP\"").into_bytes();
            });
            refused(submit().await, ErrorCode::RelayProtocol, None);
            world.transport.stop_tampering();

            let (lie, code, reason) = match delivery {
                KeyDelivery::Sealed => {
                    (Lie::NoSealedKey, ErrorCode::RelayProtocol, "sealed_key_missing")
                }
                KeyDelivery::ClientHeld => {
                    (Lie::SealedKeyUnasked, ErrorCode::BundleUntrusted, "sealed_key_unasked")
                }
            };
            let operation = Some(Operation::VerifyAuthCredential);
            world.sandbox.lie(LieOrder { operation, lie });
            refused(submit().await, code, Some(reason));
            let session = submit().await.unwrap();
            page.assert_signs(&session).await;
        }
    })
    .await;
}

/// Two taps on the button are one sign-in.
#[tokio::test]
async fn a_token_is_submitted_once_at_a_time() {
    local(async {
        let page = Page::new(KeyDelivery::Sealed).await;
        let Page { world, client, .. } = &page;
        let prepared = client
            .prepare_oauth(oauth(&page.auth_method_id))
            .await
            .unwrap();
        let token = world.id_token(Some(prepared.nonce()));
        world.sandbox.fault(FaultOrder {
            operation: Some(Operation::VerifyAuthCredential),
            leg: None,
            times: 1,
            fault: Fault::Delay { ms: 100 },
        });
        world.transport.take_sent();
        let (first, second) = tokio::join!(
            prepared.submit(&token, &DEFAULTS),
            prepared.submit(&token, &DEFAULTS)
        );
        first.unwrap();
        refused(second, ErrorCode::InvalidArgument, None);
        assert_eq!(world.transport.take_sent().len(), 1);
    })
    .await;
}

/// A clock that is minutes off, of which no answer has told yet: the token cannot fit. That it is of
/// a time to come is the clock's fault; that it is old may be either's.
#[tokio::test]
async fn a_clock_that_nobody_has_told_about() {
    local(async {
        for (offset_ms, code) in [
            (600_000, ErrorCode::OauthRejected),
            (-600_000, ErrorCode::ClockWrong),
        ] {
            let page = Page::new(KeyDelivery::ClientHeld).await;
            let world = &page.world;
            world.clock.advance(offset_ms);
            let client = world.client(KeyDelivery::ClientHeld);
            let prepared = client
                .prepare_oauth(oauth(&page.auth_method_id))
                .await
                .unwrap();
            let token = world.id_token(Some(prepared.nonce()));
            world.transport.take_sent();
            let error = prepared.submit(&token, &DEFAULTS).await.err().unwrap();
            assert_eq!(error.code(), code, "{error:?}");
            assert!(world.transport.take_sent().is_empty());
            world.clock.advance(-offset_ms);
            let token = world.id_token(Some(prepared.nonce()));
            prepared.submit(&token, &DEFAULTS).await.unwrap();
        }
    })
    .await;
}

/// Grid has opened a session for the key, so it is not kept for another attempt.
#[tokio::test]
async fn a_kept_key_goes_with_an_answer_that_is_refused() {
    local(async {
        let page = Page::new(KeyDelivery::ClientHeld).await;
        let Page { world, client, .. } = &page;
        let prepared = client.prepare_oauth(page.redirect()).await.unwrap();
        world.sandbox.lie(LieOrder {
            operation: Some(Operation::VerifyAuthCredential),
            lie: Lie::SealedKeyUnasked,
        });
        let token = world.id_token(Some(prepared.nonce()));
        let error = prepared.submit(&token, &DEFAULTS).await.err().unwrap();
        assert_eq!(error.reason(), Some("sealed_key_unasked"));
        no_key_is_kept(world).await;
    })
    .await;
}
