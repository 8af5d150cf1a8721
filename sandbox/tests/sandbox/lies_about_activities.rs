//! Lies about what is to be signed, for every operation that is, and about wallet exports.

use serde_json::{Value, json};

use crate::client::{
    Call, Server, Session, add_otp, add_passkey, authenticator::Passkey, claims, compressed_hex,
    delegation, execution, generate, in_seconds, jwt, open_export, open_session_key, otp_attempt,
    parse_bundle, quote_of, seal_otp, sms_verification, stamp, uncompressed_hex,
};

async fn lie(server: &Server, lie: &str) {
    let command = json!({ "command": "lie", "lie": lie });
    server.post("/sandbox/control", command).await.expect(204);
}

fn payload(answer: &Value) -> String {
    let quoted = "/paymentInstructions/0/accountOrWalletInfo/payloadToSign";
    let payload = answer
        .get("payloadToSign")
        .or_else(|| answer.pointer(quoted));
    payload.unwrap().as_str().unwrap().to_owned()
}

fn activity(payload: &str) -> Value {
    serde_json::from_str(payload).unwrap()
}

/// A customer with a credential of each type but PASSKEY, and its sessions.
struct Setup {
    server: Server,
    email: Session,
    sms: Session,
    oauth_id: String,
}

async fn setup() -> Setup {
    let server = Server::start().await;
    let email = server.sign_in_with_code().await;
    let sms = server.sign_in_with_text(&email).await;
    let added = server
        .send_signed(&add_oauth(&server, "1"), &email.key)
        .await;
    let oauth_id = added.expect(201)["id"].as_str().unwrap().to_owned();
    Setup {
        server,
        email,
        sms,
        oauth_id,
    }
}

fn add_oauth(server: &Server, sub: &str) -> Call {
    let token = jwt(&json!({
        "iss": "https://accounts.google.com", "aud": "client", "sub": sub,
        "iat": in_seconds(0), "exp": in_seconds(3600),
    }));
    let account_id = server.customer().account_id;
    let body = json!({ "type": "OAUTH", "accountId": account_id, "oidcToken": token });
    Call::post("/auth/credentials", Some(body))
}

/// The first leg of every signed operation, by the activity that it asks for.
fn first_legs(setup: &Setup) -> Vec<(&'static str, Call)> {
    let customer = setup.server.customer();
    let account = &customer.account_id;
    let key = json!({ "clientPublicKey": uncompressed_hex(&generate().public_key()) });
    let path = format!("/customers/{}", customer.customer_id);
    let change = |name: &str, value: &str| {
        Call::patch(&path, json!({ "customerType": "INDIVIDUAL", name: value }))
    };
    let revoke = |id: &str| Call::delete(format!("/auth/credentials/{id}"));
    vec![
        ("CREATE_OAUTH_PROVIDERS", add_oauth(&setup.server, "2")),
        (
            "CREATE_AUTHENTICATORS_V2",
            add_passkey(account, &Passkey::new(), b"challenge"),
        ),
        ("DELETE_OAUTH_PROVIDERS", revoke(&setup.oauth_id)),
        (
            "DELETE_USER_EMAIL",
            revoke(&customer.email_otp_auth_method_id),
        ),
        (
            "DELETE_API_KEYS",
            Call::delete(format!("/auth/sessions/{}", setup.sms.id)),
        ),
        (
            "CREATE_READ_WRITE_SESSION_V2",
            Call::post(
                format!("/auth/sessions/{}/refresh", setup.email.id),
                Some(key.clone()),
            ),
        ),
        (
            "EXPORT_WALLET",
            Call::post(format!("/internal-accounts/{account}/export"), Some(key)),
        ),
        (
            "SIGN_RAW_PAYLOAD_V2",
            Call::patch(
                format!("/internal-accounts/{account}"),
                json!({ "privateEnabled": true }),
            ),
        ),
        ("UPDATE_USER_EMAIL", change("email", "ada@new.example")),
        (
            "UPDATE_USER_PHONE_NUMBER",
            change("phoneNumber", "+14155550199"),
        ),
        ("CREATE_USERS_V3", delegation(&customer)),
        ("SIGN_TRANSACTION_V2", quote_of(&customer, 1000)),
    ]
}

/// Lies that every activity can be told with.
const GENERAL: [&str; 10] = [
    "swapPayload",
    "otherOrganization",
    "wrongActivityType",
    "duplicateMember",
    "escapedDuplicateMember",
    "duplicateParameter",
    "escapedDuplicateParameter",
    "extraParameter",
    "staleTimestamp",
    "futureTimestamp",
];

#[tokio::test]
async fn every_activity_can_be_lied_about() {
    let setup = setup().await;
    let server = &setup.server;
    for (name, call) in first_legs(&setup) {
        let status = if name == "SIGN_TRANSACTION_V2" {
            201
        } else {
            202
        };
        for told in GENERAL {
            let context = format!("{name} {told}");
            let honest = payload(&server.send(&call).await.expect(status));
            let kind = format!("ACTIVITY_TYPE_{name}");
            assert_eq!(activity(&honest)["type"], kind, "{context}");
            lie(server, told).await;
            let answer = server.send(&call).await.expect(status);
            let text = payload(&answer);
            let said = activity(&text);
            let members = |payload: &str| payload.matches("\":").count();
            let added =
                i32::try_from(members(&text)).unwrap() - i32::try_from(members(&honest)).unwrap();
            match told {
                "swapPayload" => {
                    assert_eq!(said["type"], "ACTIVITY_TYPE_EXPORT_WALLET", "{context}");
                    let target = "/parameters/targetPublicKey";
                    assert_ne!(said.pointer(target), activity(&honest).pointer(target));
                }
                "otherOrganization" => assert_ne!(
                    said["organizationId"],
                    activity(&honest)["organizationId"],
                    "{context}"
                ),
                "wrongActivityType" => assert_ne!(said["type"], kind, "{context}"),
                "extraParameter" => {
                    assert_eq!(said["parameters"]["invalidateExisting"], true, "{context}");
                }
                "staleTimestamp" | "futureTimestamp" => {
                    let ms = |said: &Value| -> i64 {
                        said["timestampMs"].as_str().unwrap().parse().unwrap()
                    };
                    let minutes = (ms(&said) - ms(&activity(&honest))).div_euclid(60_000);
                    let expected = if told == "staleTimestamp" { -60 } else { 60 };
                    assert!((minutes - expected).abs() < 2, "{context} {minutes}");
                }
                // A parser that lets the last of twins win takes it for honest.
                _ => {
                    assert_eq!(added, 1, "{context}");
                    assert_eq!(said["type"], kind, "{context}");
                    assert_eq!(
                        text.contains("\"\\u00"),
                        told.starts_with("escaped"),
                        "{context}"
                    );
                }
            }
            // Nobody can make use of a stamp over a lie.
            let (stamped, key) = if status == 201 {
                (execution(&answer, &setup.email.key), &setup.email.key)
            } else if name == "DELETE_USER_EMAIL" {
                (call.signed(&answer, &setup.sms.key), &setup.sms.key)
            } else {
                (call.signed(&answer, &setup.email.key), &setup.email.key)
            };
            assert_eq!(stamped.signature, Some(stamp(key, &text)));
            server.send(&stamped).await.expect_error(
                401,
                "WALLET_SIGNATURE_INVALID",
                "STAMP_SIGNATURE_INVALID",
            );
        }
    }
    server.expect_conformance();
}

#[tokio::test]
async fn lies_about_one_parameter() {
    let setup = setup().await;
    let server = &setup.server;
    for (told, pointer, names) in [
        (
            "swapTargetKey",
            "/parameters/targetPublicKey",
            vec!["EXPORT_WALLET", "CREATE_READ_WRITE_SESSION_V2"],
        ),
        (
            "swapTargetKey",
            "/parameters/users/0/apiKeys/0/publicKey",
            vec!["CREATE_USERS_V3"],
        ),
        (
            "otherSignWith",
            "/parameters/signWith",
            vec!["SIGN_RAW_PAYLOAD_V2", "SIGN_TRANSACTION_V2"],
        ),
        (
            "otherWalletId",
            "/parameters/walletId",
            vec!["EXPORT_WALLET"],
        ),
        (
            "otherEmail",
            "/parameters/userEmail",
            vec!["UPDATE_USER_EMAIL"],
        ),
        (
            "otherPhone",
            "/parameters/userPhoneNumber",
            vec!["UPDATE_USER_PHONE_NUMBER"],
        ),
        (
            "otherOidcToken",
            "/parameters/oauthProviders/0/oidcToken",
            vec!["CREATE_OAUTH_PROVIDERS"],
        ),
        (
            "secondProvider",
            "/parameters/oauthProviders",
            vec!["CREATE_OAUTH_PROVIDERS"],
        ),
        (
            "twoIds",
            "/parameters/providerIds",
            vec!["DELETE_OAUTH_PROVIDERS"],
        ),
        ("twoIds", "/parameters/apiKeyIds", vec!["DELETE_API_KEYS"]),
    ] {
        let calls = first_legs(&setup);
        let calls = calls.iter().filter(|(name, _)| names.contains(name));
        for (name, call) in calls {
            let honest = activity(&payload(&server.send(call).await.body));
            lie(server, told).await;
            let answer = server.send(call).await.body;
            let mut said = activity(&payload(&answer));
            let [was, is] = [&honest, &said].map(|a| a.pointer(pointer).unwrap().clone());
            if name == &"CREATE_USERS_V3" {
                // Grid makes a key for each creation, so that another one says nothing yet.
                assert_eq!(is.as_str().unwrap().len(), was.as_str().unwrap().len());
                let stamped = call.signed(&answer, &setup.email.key);
                server.send(&stamped).await.expect_error(
                    401,
                    "WALLET_SIGNATURE_INVALID",
                    "STAMP_SIGNATURE_INVALID",
                );
            }
            assert_ne!(was, is, "{told} {name}");
            if let (Value::Array(was), Value::Array(is)) = (&was, &is) {
                assert_eq!((was.len(), is.len()), (1, 2), "{told} {name}");
            }
            // All else is honest.
            *said.pointer_mut(pointer).unwrap() = was;
            for unique in [
                "timestampMs",
                "/parameters/unsignedTransaction",
                "/parameters/payload",
            ] {
                let unique = format!("/{}", unique.trim_start_matches('/'));
                if let Some(member) = said.pointer_mut(&unique) {
                    *member = honest.pointer(&unique).unwrap().clone();
                }
            }
            assert_eq!(said, honest, "{told} {name}");
        }
    }

    // A token about somebody else is well formed.
    lie(server, "otherOidcToken").await;
    let said = activity(&payload(&server.send(&add_oauth(server, "2")).await.body));
    let token = said["parameters"]["oauthProviders"][0]["oidcToken"].clone();
    let body = json!({
        "type": "OAUTH", "accountId": server.customer().account_id, "oidcToken": token,
    });
    server.post("/auth/credentials", body).await.expect(202);
    server.expect_conformance();
}

#[tokio::test]
async fn replays() {
    let setup = setup().await;
    let server = &setup.server;
    for (name, call) in first_legs(&setup) {
        let first = server.answered(&call).await;
        lie(server, "replay").await;
        let replayed = server.answered(&call).await;
        assert_eq!(first.raw, replayed.raw, "{name}");
        let honest = server.answered(&call).await;
        assert_ne!(first.raw, honest.raw, "{name}");
    }
    // The replayed request is as good as it ever was, which is once.
    let (_, call) = first_legs(&setup).swap_remove(7);
    let first = server.send(&call).await.expect(202);
    server
        .send(&call.signed(&first, &setup.email.key))
        .await
        .expect(200);
    lie(server, "replay").await;
    let replayed = server.send(&call).await.expect(202);
    assert_eq!(replayed, first);
    server
        .send(&call.signed(&replayed, &setup.email.key))
        .await
        .expect_error(401, "UNAUTHORIZED", "REQUEST_ID_USED");
    server.expect_conformance();
}

#[tokio::test]
async fn an_expired_quote() {
    let setup = setup().await;
    let server = &setup.server;
    lie(server, "expiredChallenge").await;
    let quote = server.send(&quote_of(&server.customer(), 1000)).await;
    let quote = quote.expect(201);
    assert!(quote["expiresAt"].as_str() < quote["createdAt"].as_str());
    server
        .send(&execution(&quote, &setup.email.key))
        .await
        .expect(200);
    server.expect_conformance();
}

#[tokio::test]
async fn false_tokens_of_either_channel() {
    let setup = setup().await;
    let server = &setup.server;
    let key = generate();
    let listed = server
        .get(&format!(
            "/auth/credentials?accountId={}",
            server.customer().account_id
        ))
        .await
        .expect(200);
    let sms = listed["data"][1]["id"].as_str().unwrap();
    for (told, name, expected) in [
        (
            "otherTokenType",
            "verification_type",
            Some("OTP_TYPE_EMAIL"),
        ),
        ("expiredToken", "exp", None),
        ("otherContact", "contact", Some("mallory@example.com")),
    ] {
        let bundle = server.request_code(sms).await;
        let attempt = otp_attempt("000000", &compressed_hex(&key.public_key()));
        let call = sms_verification(sms, &seal_otp(&bundle, &attempt));
        lie(server, told).await;
        let challenge = server.send(&call).await.expect(202);
        let claims = claims(challenge["payloadToSign"].as_str().unwrap());
        let said = claims[name].as_str().unwrap();
        match expected {
            Some(expected) => assert_eq!(said, expected),
            None => assert!(said.parse::<i64>().unwrap() < in_seconds(0) * 1000),
        }
        server
            .send(&call.signed(&challenge, &key))
            .await
            .expect_error(401, "WALLET_SIGNATURE_INVALID", "STAMP_SIGNATURE_INVALID");
    }
    let call = server
        .otp_verification(&compressed_hex(&key.public_key()))
        .await;
    lie(server, "otherTokenType").await;
    let challenge = server.send(&call).await.expect(202);
    let claims = claims(challenge["payloadToSign"].as_str().unwrap());
    assert_eq!(claims["verification_type"], "OTP_TYPE_SMS");
    server.expect_conformance();
}

#[tokio::test]
async fn a_session_key_for_somebody_else() {
    let setup = setup().await;
    let server = &setup.server;
    let own = generate();
    let call = Call::post(
        format!("/auth/sessions/{}/refresh", setup.email.id),
        Some(json!({ "clientPublicKey": uncompressed_hex(&own.public_key()) })),
    );
    for (told, opens) in [(None, true), (Some("swapAnswerKey"), false)] {
        if let Some(told) = told {
            lie(server, told).await;
        }
        let refreshed = server
            .send_signed(&call, &setup.email.key)
            .await
            .expect(201);
        let sealed = refreshed["encryptedSessionSigningKey"].as_str().unwrap();
        assert!(bs58::decode(sealed).with_check(None).into_vec().is_ok());
        assert_eq!(open_session_key(&own, sealed).is_some(), opens);
    }
    server.expect_conformance();
}

#[tokio::test]
async fn false_exports() {
    let setup = setup().await;
    let server = &setup.server;
    let customer = server.customer();
    let keys = server.sandbox.enclave_keys();
    let receiver = generate();
    let body = json!({ "clientPublicKey": uncompressed_hex(&receiver.public_key()) });
    let path = format!("/internal-accounts/{}/export", customer.account_id);
    let call = Call::post(path, Some(body));
    for (told, signer, is_own_organization, opens_to) in [
        (
            "",
            Some(&keys.export),
            true,
            Some(customer.mnemonic.as_bytes()),
        ),
        (
            "exportOtherOrganization",
            Some(&keys.export),
            false,
            Some(customer.mnemonic.as_bytes()),
        ),
        (
            "exportOtherEnclaveKey",
            None,
            true,
            Some(customer.mnemonic.as_bytes()),
        ),
        (
            "exportOtpEnclaveKey",
            Some(&keys.otp),
            true,
            Some(customer.mnemonic.as_bytes()),
        ),
        ("tamperExport", None, true, None),
        ("exportOtherReceiver", Some(&keys.export), true, None),
        (
            "exportNotUtf8",
            Some(&keys.export),
            true,
            Some(b"legal \xff winner".as_slice()),
        ),
    ] {
        if !told.is_empty() {
            lie(server, told).await;
        }
        let exported = server
            .send_signed(&call, &setup.email.key)
            .await
            .expect(200);
        let bundle = parse_bundle(exported["encryptedWalletCredentials"].as_str().unwrap());
        let signers: Vec<_> = [&keys.otp, &keys.export]
            .into_iter()
            .filter(|key| bundle.is_signed_by(key))
            .collect();
        assert_eq!(signers, signer.into_iter().collect::<Vec<_>>(), "{told}");
        let names_signer = bundle.is_signed_by(&bundle.quorum);
        assert_eq!(names_signer, told != "tamperExport", "{told}");
        let is_own = bundle.data["organizationId"] == customer.organization_id;
        assert_eq!(is_own, is_own_organization, "{told}");
        let opened = open_export(&receiver, &bundle.data);
        assert_eq!(opened.as_deref(), opens_to, "{told}");
    }
    server.expect_conformance();
}

#[tokio::test]
async fn the_second_credential_of_a_kind_is_lied_about_too() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let call = add_otp(&server.customer().account_id, "SMS_OTP");
    lie(&server, "otherPhone").await;
    let challenge = server.send(&call).await.expect(202);
    let said = activity(&payload(&challenge));
    assert_ne!(
        said["parameters"]["userPhoneNumber"],
        server.customer().phone_number
    );
    server
        .send(&call.signed(&challenge, &session.key))
        .await
        .expect_error(401, "WALLET_SIGNATURE_INVALID", "STAMP_SIGNATURE_INVALID");
    server.expect_conformance();
}
