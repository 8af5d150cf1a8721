//! Registering and using passkeys.

use gridkey_sandbox::{AllowedOrigins, SandboxOptions};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{
    Call, ORIGIN, Server, Session, add_passkey,
    authenticator::{Passkey, encode},
    compressed_hex, generate, uncompressed_hex,
};

const CHALLENGE: &[u8] = b"a registration challenge";

fn with_body(call: &Call, change: impl Fn(&mut Value)) -> Call {
    let mut body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    change(&mut body);
    Call {
        body: Some(body.to_string()),
        ..call.clone()
    }
}

async fn refuse_creation(server: &Server, call: &Call) {
    let reply = server.send(call).await;
    reply.expect_error(400, "INVALID_INPUT", "ATTESTATION_INVALID");
}

#[tokio::test]
async fn attestations_are_of_this_registration() {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let good = add_passkey(&account, &Passkey::new(), CHALLENGE);
    server.send(&good).await.expect(202);
    for wrong in [
        with_body(&good, |body| body["challenge"] = json!(encode("another"))),
        with_body(&good, |body| {
            body["challenge"] = json!(format!("{}=", encode(CHALLENGE)))
        }),
        with_body(&good, |body| {
            body["attestation"]["credentialId"] = json!(encode("other"))
        }),
        with_body(&good, |body| {
            body["attestation"]["clientDataJson"] = json!(encode("{}"))
        }),
        with_body(&good, |body| {
            body["attestation"]["clientDataJson"] = json!("{}")
        }),
        with_body(&good, |body| {
            body["attestation"]["attestationObject"] = json!(encode("x"))
        }),
        with_body(&good, |body| {
            let assertion = Passkey::new().assert(CHALLENGE);
            body["attestation"]["clientDataJson"] = assertion["clientDataJson"].clone();
        }),
    ] {
        refuse_creation(&server, &wrong).await;
    }
}

#[tokio::test]
async fn attestations_are_by_this_relying_party() {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let right = Passkey::new;
    for wrong in [
        Passkey {
            origin: "https://localhost".to_owned(),
            ..right()
        },
        Passkey {
            origin: "http://localhost.example".to_owned(),
            ..right()
        },
        Passkey {
            origin: "http://localhost:5173/".to_owned(),
            ..right()
        },
        Passkey {
            rp_id: "localhost.example".to_owned(),
            ..right()
        },
        // User verified, but not present.
        Passkey {
            flags: 0b0000_0100,
            ..right()
        },
        // RS256, although the key is P-256.
        Passkey {
            algorithm: -257,
            ..right()
        },
    ] {
        refuse_creation(&server, &add_passkey(&account, &wrong, CHALLENGE)).await;
    }
    for origin in ["http://localhost", ORIGIN] {
        let passkey = Passkey {
            origin: origin.to_owned(),
            format: "packed",
            ..right()
        };
        server
            .send(&add_passkey(&account, &passkey, CHALLENGE))
            .await
            .expect(202);
    }
}

#[tokio::test]
async fn attestations_carry_an_es256_key() {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let passkey = Passkey::new();
    let good = add_passkey(&account, &passkey, CHALLENGE);
    let mut bare = Sha256::digest(b"localhost").to_vec();
    bare.extend([0b0000_0101, 0, 0, 0, 0]);
    let attested = passkey.attested_auth_data();
    let without_last = attested.split_last().unwrap().1.to_vec();
    let with_more = [attested.clone(), vec![0]].concat();
    let off_curve = {
        let mut bytes = attested;
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    for auth_data in [bare, without_last, with_more, off_curve, vec![]] {
        let wrong = with_body(&good, |body| {
            body["attestation"] = passkey.attestation_of(CHALLENGE, auth_data.clone());
        });
        refuse_creation(&server, &wrong).await;
    }
}

#[tokio::test]
async fn attestation_objects_are_cbor_of_one_item() {
    let server = Server::start().await;
    let passkey = Passkey::new();
    let good = add_passkey(&server.customer().account_id, &passkey, CHALLENGE);
    let object = passkey.attestation_object(passkey.attested_auth_data());
    let with = |object: &[u8]| {
        with_body(&good, |body| {
            body["attestation"]["attestationObject"] = json!(encode(object))
        })
    };
    server.send(&with(&object)).await.expect(202);
    refuse_creation(&server, &with(&[object.as_slice(), &[0]].concat())).await;
    refuse_creation(&server, &with(object.split_last().unwrap().1)).await;

    // Without attestation there is no statement.
    let stated = Passkey {
        has_statement: true,
        ..passkey
    };
    let with_statement =
        |passkey: &Passkey| with(&passkey.attestation_object(passkey.attested_auth_data()));
    refuse_creation(&server, &with_statement(&stated)).await;
    let packed = Passkey {
        format: "packed",
        ..stated
    };
    server.send(&with_statement(&packed)).await.expect(202);
}

#[tokio::test]
async fn a_passkey_is_added_by_a_turnkey_activity() {
    let server = Server::start().await;
    let customer = server.customer();
    let passkey = Passkey::new();
    let call = add_passkey(&customer.account_id, &passkey, CHALLENGE);
    let challenge = server.send(&call).await.expect(202);
    assert_eq!(challenge["type"], "PASSKEY");
    let attestation = passkey.attest(CHALLENGE);
    let activity = crate::client::activity(&challenge);
    assert_eq!(
        activity,
        json!({
            "organizationId": customer.organization_id,
            "parameters": {
                "authenticators": [{
                    "attestation": {
                        "attestationObject": attestation["attestationObject"],
                        "clientDataJson": attestation["clientDataJson"],
                        "credentialId": attestation["credentialId"],
                    },
                    "authenticatorName": "Ada's phone",
                    "challenge": encode(CHALLENGE),
                    "transports": ["internal", "hybrid"],
                }],
                "userId": activity["parameters"]["userId"],
            },
            "timestampMs": activity["timestampMs"],
            "type": "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
        })
    );
    assert!(activity["parameters"]["userId"].is_string());
    assert!(activity["timestampMs"].is_string());
}

#[tokio::test]
async fn origins_and_the_relying_party_can_be_set() {
    let server = Server::with(SandboxOptions {
        rp_id: "wallet.example".to_owned(),
        origins: AllowedOrigins::List(vec!["https://app.wallet.example".to_owned()]),
        ..SandboxOptions::default()
    })
    .await;
    let account = server.customer().account_id;
    refuse_creation(&server, &add_passkey(&account, &Passkey::new(), CHALLENGE)).await;
    let passkey = Passkey {
        rp_id: "wallet.example".to_owned(),
        origin: "https://app.wallet.example".to_owned(),
        ..Passkey::new()
    };
    server
        .send(&add_passkey(&account, &passkey, CHALLENGE))
        .await
        .expect(202);
}

#[tokio::test]
async fn nicknames() {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let creation = add_passkey(&account, &Passkey::new(), CHALLENGE);
    let named = |nickname: &str| with_body(&creation, |body| body["nickname"] = json!(nickname));
    let long = "x".repeat(100);
    for nickname in ["a", "  Ada's iPhone (2)._-  ", "日本語 9", "Ⅷ ½", &long] {
        let challenge = server.send(&named(nickname)).await.expect(202);
        let payload: Value =
            serde_json::from_str(challenge["payloadToSign"].as_str().unwrap()).unwrap();
        let name = &payload["parameters"]["authenticators"][0]["authenticatorName"];
        assert_eq!(name, nickname.trim());
    }
    let too_long = "x".repeat(101);
    for nickname in [
        "", "   ", "a/b", "a\nb", "a\u{a0}b", "🔑", "e\u{301}", "a\"", &too_long,
    ] {
        let reply = server.send(&named(nickname)).await;
        reply.expect_error(400, "INVALID_INPUT", "NICKNAME_INVALID");
    }
}

#[tokio::test]
async fn transports_are_the_known_ones() {
    let server = Server::start().await;
    let account = server.customer().account_id;
    let creation = add_passkey(&account, &Passkey::new(), CHALLENGE);
    for transports in [
        json!([]),
        json!(["usb", "nfc", "ble", "internal", "hybrid"]),
    ] {
        let call = with_body(&creation, |body| {
            body["attestation"]["transports"] = transports.clone()
        });
        server.send(&call).await.expect(202);
    }
    let call = with_body(&creation, |body| {
        body["attestation"]["transports"] = json!(["cable"])
    });
    server
        .send(&call)
        .await
        .expect_error(400, "INVALID_INPUT", "BODY_MALFORMED");
}

#[tokio::test]
async fn a_credential_id_is_registered_once_per_account() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_customer_with_code(&ada).await;
    let passkey = Passkey::new();
    let first = add_passkey(&ada.account_id, &passkey, b"first");
    let second = add_passkey(&ada.account_id, &passkey, b"second");
    let pending = server.send(&second).await.expect(202);
    server.send_signed(&first, &session.key).await.expect(201);
    for call in [&second, &second.signed(&pending, &session.key)] {
        server.send(call).await.expect_error(
            400,
            "PASSKEY_CREDENTIAL_ALREADY_EXISTS",
            "PASSKEY_CREDENTIAL_EXISTS",
        );
    }
    server
        .send(&add_passkey(&bo.account_id, &passkey, b"third"))
        .await
        .expect(202);
    server.expect_conformance();
}

#[tokio::test]
async fn a_registration_challenge_is_used_once() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let account = server.customer().account_id;
    let first = add_passkey(&account, &Passkey::new(), CHALLENGE);
    server.send(&first).await.expect(202);
    server.send_signed(&first, &session.key).await.expect(201);
    server
        .send(&add_passkey(&account, &Passkey::new(), CHALLENGE))
        .await
        .expect_error(400, "INVALID_INPUT", "REGISTRATION_CHALLENGE_USED");
}

/// A sandbox with a passkey.
struct SignIn {
    server: Server,
    session: Session,
    passkey: Passkey,
    id: String,
}

impl SignIn {
    async fn start() -> Self {
        let server = Server::start().await;
        let session = server.sign_in_with_code().await;
        let passkey = Passkey::new();
        let id = add(&server, &session, &passkey).await;
        Self {
            server,
            session,
            passkey,
            id,
        }
    }

    async fn challenge(&self) -> Value {
        let key = compressed_hex(&generate().public_key());
        let body = json!({ "clientPublicKey": key });
        self.server
            .post(&format!("/auth/credentials/{}/challenge", self.id), body)
            .await
            .expect(200)
    }

    fn verification(&self, challenge: &Value, assertion: &Value) -> Call {
        let body = json!({ "type": "PASSKEY", "assertion": assertion });
        Call::post(format!("/auth/credentials/{}/verify", self.id), Some(body))
            .request_id(&challenge["requestId"])
    }

    /// Signs in with the assertion that `assert` makes.
    async fn try_with(&self, assert: impl FnOnce(&[u8]) -> Value) -> crate::client::Reply {
        let challenge = self.challenge().await;
        let assertion = assert(challenge["challenge"].as_str().unwrap().as_bytes());
        self.server
            .send(&self.verification(&challenge, &assertion))
            .await
    }

    async fn refused(&self, reason: &str, assert: impl FnOnce(&[u8]) -> Value) {
        self.try_with(assert)
            .await
            .expect_error(401, "UNAUTHORIZED", reason);
    }
}

async fn add(server: &Server, session: &Session, passkey: &Passkey) -> String {
    let call = add_passkey(
        &server.customer().account_id,
        passkey,
        &passkey.credential_id,
    );
    let created = server.send_signed(&call, &session.key).await.expect(201);
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_challenge_is_the_hash_of_a_session_creation() {
    let flow = SignIn::start().await;
    let challenge = flow.challenge().await;
    let text = challenge["challenge"].as_str().unwrap();
    assert_eq!(text.len(), 64);
    assert!(
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert_ne!(flow.challenge().await["challenge"], text);
    assert_eq!(challenge["credentialId"], flow.passkey.id());

    for body in [None, Some(json!({}))] {
        let call = Call::post(format!("/auth/credentials/{}/challenge", flow.id), body);
        let reply = flow.server.send(&call).await;
        reply.expect_error(400, "INVALID_INPUT", "CLIENT_PUBLIC_KEY_INVALID");
    }
}

#[tokio::test]
async fn assertions_are_of_this_sign_in() {
    let mut flow = SignIn::start().await;
    let copy = |passkey: &Passkey| Passkey {
        key: passkey.key.clone(),
        credential_id: passkey.credential_id.clone(),
        ..Passkey::new()
    };
    let mut it = copy(&flow.passkey);
    flow.refused("ASSERTION_CHALLENGE_MISMATCH", |_| it.assert(b"another"))
        .await;
    // The bytes that the hex stands for are not the challenge.
    flow.refused("ASSERTION_CHALLENGE_MISMATCH", |challenge| {
        it.assert(&hex::decode(challenge).unwrap())
    })
    .await;
    flow.refused("ASSERTION_MALFORMED", |c| {
        it.assert_as("webauthn.create", c)
    })
    .await;
    let mut wrong = Passkey {
        origin: "https://evil.example".to_owned(),
        ..copy(&flow.passkey)
    };
    flow.refused("ASSERTION_ORIGIN_NOT_ALLOWED", |c| wrong.assert(c))
        .await;
    let mut wrong = Passkey {
        rp_id: "evil.example".to_owned(),
        ..copy(&flow.passkey)
    };
    flow.refused("ASSERTION_RP_ID_MISMATCH", |c| wrong.assert(c))
        .await;
    let mut wrong = Passkey {
        flags: 0b0000_0100,
        ..copy(&flow.passkey)
    };
    flow.refused("ASSERTION_USER_NOT_PRESENT", |c| wrong.assert(c))
        .await;
    let mut wrong = Passkey {
        key: generate(),
        ..copy(&flow.passkey)
    };
    flow.refused("ASSERTION_SIGNATURE_INVALID", |c| wrong.assert(c))
        .await;
    let mut wrong = Passkey {
        credential_id: vec![1; 16],
        ..copy(&flow.passkey)
    };
    flow.refused("ASSERTION_CREDENTIAL_MISMATCH", |c| wrong.assert(c))
        .await;
    for name in [
        "credentialId",
        "clientDataJson",
        "authenticatorData",
        "signature",
        "userHandle",
    ] {
        flow.refused("ASSERTION_MALFORMED", |challenge| {
            let mut assertion = it.assert(challenge);
            assertion[name] = json!("a=b");
            assertion
        })
        .await;
    }
    flow.refused("ASSERTION_MALFORMED", |challenge| {
        let mut assertion = it.assert(challenge);
        assertion["signature"] = json!(encode([7; 64]));
        assertion
    })
    .await;
    flow.try_with(|challenge| it.assert(challenge))
        .await
        .expect(200);
    flow.passkey = it;
}

#[tokio::test]
async fn a_user_handle_is_optional() {
    let flow = SignIn::start().await;
    let mut passkey = Passkey {
        counter: 0,
        ..flow.passkey
    };
    let flow = SignIn {
        passkey: Passkey::new(),
        ..flow
    };
    flow.try_with(|challenge| {
        let mut assertion = passkey.assert(challenge);
        assertion.as_object_mut().unwrap().remove("userHandle");
        assertion
    })
    .await
    .expect(200);
}

#[tokio::test]
async fn the_counter_increases() {
    let mut flow = SignIn::start().await;
    let mut passkey = std::mem::replace(&mut flow.passkey, Passkey::new());
    flow.try_with(|c| passkey.assert(c)).await.expect(200);
    for stale in [0, 1] {
        passkey.counter = stale;
        flow.refused("ASSERTION_COUNTER_NOT_INCREASED", |c| {
            passkey.assert_uncounted(c)
        })
        .await;
    }
    flow.try_with(|c| passkey.assert(c)).await.expect(200);

    // Synced passkeys never count.
    let synced = Passkey::new();
    flow.id = add(&flow.server, &flow.session, &synced).await;
    for _ in 0..2 {
        flow.try_with(|c| synced.assert_uncounted(c))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a_challenge_is_for_one_assertion_by_one_credential() {
    let flow = SignIn::start().await;
    let mut passkey = Passkey {
        counter: 0,
        ..Passkey::new()
    };
    passkey.key = flow.passkey.key.clone();
    passkey.credential_id = flow.passkey.credential_id.clone();
    let server = &flow.server;
    let challenge = flow.challenge().await;
    let assertion = passkey.assert(challenge["challenge"].as_str().unwrap().as_bytes());
    let call = flow.verification(&challenge, &assertion);

    let unnamed = Call {
        request_id: None,
        ..call.clone()
    };
    let reply = server.send(&unnamed).await;
    reply.expect_error(401, "REQUEST_ID_MISSING", "REQUEST_ID_MISSING");
    let reply = server
        .send(&call.clone().request_id(&json!("Request:x")))
        .await;
    reply.expect_error(401, "UNAUTHORIZED", "REQUEST_ID_UNKNOWN");
    let other = add(server, &flow.session, &Passkey::new()).await;
    let elsewhere = Call {
        path: format!("/auth/credentials/{other}/verify"),
        ..call.clone()
    };
    let reply = server.send(&elsewhere).await;
    reply.expect_error(401, "UNAUTHORIZED", "REQUEST_ID_OF_ANOTHER_REQUEST");
    server.send(&call).await.expect(200);
    let reply = server.send(&call).await;
    reply.expect_error(401, "UNAUTHORIZED", "REQUEST_ID_USED");

    for late in [
        |server: &Server| server.sandbox.advance_clock(300_000),
        |server: &Server| {
            server.sandbox.expire_challenges();
        },
    ] {
        let challenge = flow.challenge().await;
        late(server);
        let assertion = passkey.assert(challenge["challenge"].as_str().unwrap().as_bytes());
        let reply = server
            .send(&flow.verification(&challenge, &assertion))
            .await;
        reply.expect_error(401, "UNAUTHORIZED", "REQUEST_ID_EXPIRED");
    }
}

#[tokio::test]
async fn client_public_keys_are_points() {
    let flow = SignIn::start().await;
    let key = generate().public_key();
    let (compressed, uncompressed) = (compressed_hex(&key), uncompressed_hex(&key));
    let truncated: String = uncompressed.chars().take(66).collect();
    let off_curve: String = uncompressed
        .chars()
        .take(66)
        .chain("0".repeat(64).chars())
        .collect();
    for text in [
        String::new(),
        "02".to_owned(),
        truncated,
        off_curve,
        format!("0x{compressed}"),
        format!("{compressed}00"),
        compressed.replace(['2', '3'], "g"),
        uncompressed.replacen("04", "06", 1),
        compressed.replacen(['2', '3'], "5", 1),
        "00".to_owned(),
        format!("02{}", "f".repeat(64)),
    ] {
        let body = json!({ "clientPublicKey": text });
        let challenge = format!("/auth/credentials/{}/challenge", flow.id);
        let refresh = format!("/auth/sessions/{}/refresh", flow.session.id);
        for path in [challenge, refresh] {
            let reply = flow.server.post(&path, body.clone()).await;
            reply.expect_error(400, "INVALID_INPUT", "CLIENT_PUBLIC_KEY_INVALID");
        }
    }
}
