//! What a signed-in customer does with the wallet, in both deliveries of the session's key.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

mod support;

use std::{cell::RefCell, rc::Rc};

use gridkey::{
    api::{
        call::GridCall,
        client::CallOptions,
        operation::Operation,
        request::{Request, Route, SignedHeaders},
        types::{AuthMethodType, SignedRequestChallenge},
    },
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        json::Json,
        key::PublicKey,
    },
    error::{Error, ErrorCode, Result},
    flow::{
        client::{Credential, Gridkey},
        key_delivery::KeyDelivery,
        session::WalletSession,
        signed::{Purpose, known},
        wallet::{Customer, ExecuteOptions},
    },
    formats::intent::{Intent, Stated},
    ports::Notes,
};
use gridkey_sandbox::{Lie, LieOrder, SCA_CODE};
use support::{
    World,
    abort::Abort,
    code, enrolment,
    flow::{DEFAULTS, Flow, NEW_EMAIL, NEW_PHONE_NUMBER, delegation, oauth, parse, sms, stated},
    local, text,
};

/// Each of these, with a session key that came sealed and with one that was held from the start.
macro_rules! in_both_deliveries {
    ($($name:ident)*) => {
        mod sealed {
            $(#[tokio::test]
            async fn $name() {
                super::local(super::$name(super::KeyDelivery::Sealed)).await;
            })*
        }
        mod client_held {
            $(#[tokio::test]
            async fn $name() {
                super::local(super::$name(super::KeyDelivery::ClientHeld)).await;
            })*
        }
    };
}

in_both_deliveries! {
    the_key_comes_as_it_was_asked_for
    credentials_are_added_and_signed_in_with
    an_email_address_is_added_back
    credentials_are_revoked
    what_is_not_documented_is_stated_or_refused
    contacts_change_with_their_credentials
    privacy_is_switched
    a_mnemonic_is_exported
    exports_that_are_not_believed
    a_quote_is_paid
    quotes_that_are_not_paid
    a_payment_is_authorized
    a_key_is_delegated
    delegations_that_were_not_stated
    a_request_that_is_not_known
    a_payload_of_ones_own
    another_organization_is_refused
}

struct Wallet {
    world: World,
    client: Gridkey,
    session: WalletSession,
}

impl Wallet {
    async fn new(delivery: KeyDelivery) -> Self {
        let world = World::new().await;
        let client = world.client(delivery);
        let session = world.sign_in(&client).await;
        Self {
            world,
            client,
            session,
        }
    }

    async fn get(&self, operation: Operation, id: &str) -> Json {
        let request = Request::on(operation, id);
        self.client
            .api()
            .call(request, &DEFAULTS)
            .await
            .unwrap()
            .body
    }

    /// The wallet's account, as Grid lists it.
    async fn account(&self) -> Json {
        let customer_id = self.world.customer.customer_id.as_str();
        let request = Request::new(Operation::ListCustomerInternalAccounts).with_query([
            ("customerId", customer_id.into()),
            ("type", "EMBEDDED_WALLET".into()),
        ]);
        let answer = self.client.api().call(request, &DEFAULTS).await.unwrap();
        answer.body.get("data").and_then(Json::as_array).unwrap()[0].clone()
    }

    async fn nickname(&self, id: &str) -> Option<String> {
        let account_id = &self.world.customer.account_id;
        let methods = self.client.list_auth_methods(account_id, &DEFAULTS).await;
        let mut methods = methods.unwrap().into_iter();
        methods
            .find(|method| method.id == id)
            .map(|method| method.nickname)
    }

    fn lie(&self, operation: gridkey_sandbox::Operation, lie: Lie) {
        self.world.sandbox.lie(LieOrder {
            operation: Some(operation),
            lie,
        });
    }

    /// What was refused: the reason, and that nothing was stamped.
    fn refused<T>(&self, result: Result<T>, code: ErrorCode) -> Error {
        let error = result.err().unwrap();
        assert_eq!(error.code(), code, "{error:?}");
        let sent = self.world.transport.take_sent();
        assert!(sent.iter().all(|(_, stamped)| !stamped), "{sent:?}");
        error
    }
}

/// Which key signs from here on, by what Grid knows.
fn assert_key(world: &World, session: &WalletSession) {
    let info = session.info();
    let sessions = world.sandbox.sessions();
    let of_grid = sessions
        .iter()
        .find(|of_grid| of_grid.id == info.id)
        .unwrap();
    assert!(of_grid.active);
    assert_eq!(of_grid.public_key, info.public_key);
}

async fn the_key_comes_as_it_was_asked_for(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let passkey_id = world.add_passkey(session, "Key").await;
    let sent_key = |bodies: Vec<String>| {
        let of_key = |body: &String| parse(body).get("clientPublicKey").is_some();
        let body = bodies.into_iter().find(of_key).unwrap();
        text(&parse(&body), "clientPublicKey")
    };
    let check = |session: &WalletSession, sent: String| {
        assert_key(world, session);
        let mut sessions = world.sandbox.sessions().into_iter();
        let of_grid = sessions.find(|of_grid| of_grid.id == session.info().id);
        assert_eq!(of_grid.unwrap().sealed, delivery == KeyDelivery::Sealed);
        let is_own =
            PublicKey::from_hex(&sent).unwrap().to_compressed_hex() == session.info().public_key;
        match delivery {
            KeyDelivery::Sealed => assert!(sent.starts_with("04") && !is_own),
            KeyDelivery::ClientHeld => assert!(sent.len() == 66 && is_own),
        }
    };
    world.transport.take_sent();
    session.refresh(false, &DEFAULTS).await.unwrap();
    check(session, sent_key(world.transport.bodies()));
    world.transport.take_sent();
    let by_passkey = client
        .sign_in_with_passkey(&passkey_id, &DEFAULTS)
        .await
        .unwrap();
    check(&by_passkey, sent_key(world.transport.bodies()));
}

async fn credentials_are_added_and_signed_in_with(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;

    let otp = sms(world, session).await;
    let state = otp.state();
    assert_eq!(state.kind, AuthMethodType::SmsOtp);
    assert_eq!(state.sent_to, world.customer.phone_number);
    let activated = otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    let again = client
        .send_otp(&state.auth_method_id, &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(again.state().kind, AuthMethodType::SmsOtp);
    let wrong = again.submit(&code("123456"), &DEFAULTS).await;
    assert_eq!(wrong.err().unwrap().code(), ErrorCode::OtpRejected);
    let signed_in = again.submit(&code("000000"), &DEFAULTS).await.unwrap();
    for session in [activated, signed_in] {
        assert_eq!(session.info().kind, AuthMethodType::SmsOtp);
        assert_eq!(
            session.info().auth_method_id.as_ref(),
            Some(&state.auth_method_id)
        );
        assert_key(world, &session);
        // Its first key is held from the start; the next one comes as the client asks for it.
        session.refresh(false, &DEFAULTS).await.unwrap();
        assert_key(world, &session);
    }

    let token = world.id_token(None);
    let method = session
        .add_oauth(&token, Some("page"), &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(method.kind, AuthMethodType::Oauth);
    let prepared = client.prepare_oauth(oauth(&method.id)).await.unwrap();
    let token = world.id_token(Some(prepared.nonce()));
    let by_oauth = prepared.submit(&token, &DEFAULTS).await.unwrap();
    assert_eq!(by_oauth.info().kind, AuthMethodType::Oauth);
    assert_key(world, &by_oauth);
    by_oauth.refresh(false, &DEFAULTS).await.unwrap();
    assert_key(world, &by_oauth);

    for (again, expected) in [
        (
            session
                .add_sms_otp(&world.customer.phone_number, &DEFAULTS)
                .await
                .err(),
            ErrorCode::CredentialAlreadyExists,
        ),
        (
            session
                .add_email_otp(&world.customer.email, &DEFAULTS)
                .await
                .err(),
            ErrorCode::CredentialAlreadyExists,
        ),
    ] {
        assert_eq!(again.unwrap().code(), expected);
    }
}

async fn an_email_address_is_added_back(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let passkey_id = world.add_passkey(session, "Key").await;
    let by_passkey = client
        .sign_in_with_passkey(&passkey_id, &DEFAULTS)
        .await
        .unwrap();
    world
        .sandbox
        .remove_auth_method(&world.customer.email_otp_auth_method_id);

    // Grid knows the customer's address; another one is not asked for by accident.
    world.transport.take_sent();
    let other = by_passkey.add_email_otp(NEW_EMAIL, &DEFAULTS).await;
    let error = wallet.refused(other, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("parameters"));

    let email = &world.customer.email;
    let otp = by_passkey.add_email_otp(email, &DEFAULTS).await.unwrap();
    let state = otp.state();
    assert_eq!(
        (state.kind, &state.sent_to),
        (AuthMethodType::EmailOtp, email)
    );
    // The page is loaded anew before the code is entered.
    let reloaded = world.client(delivery).resume_otp(state.clone()).unwrap();
    let by_code = reloaded.submit(&code("000000"), &DEFAULTS).await.unwrap();
    assert_key(world, &by_code);
    let again = client
        .send_otp(&state.auth_method_id, &DEFAULTS)
        .await
        .unwrap();
    again.submit(&code("000000"), &DEFAULTS).await.unwrap();
}

async fn credentials_are_revoked(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let passkey_id = world.add_passkey(session, "Key").await;
    let token = world.id_token(None);
    let oauth_id = session.add_oauth(&token, None, &DEFAULTS).await.unwrap().id;
    let by_passkey = client
        .sign_in_with_passkey(&passkey_id, &DEFAULTS)
        .await
        .unwrap();

    // Not by a session of its own.
    let own = by_passkey
        .revoke_auth_method(&passkey_id, None, &DEFAULTS)
        .await;
    assert_eq!(own.unwrap_err().code(), ErrorCode::SignatureRejected);
    assert!(wallet.nickname(&passkey_id).await.is_some());

    for id in [&passkey_id, &oauth_id] {
        session
            .revoke_auth_method(id, None, &DEFAULTS)
            .await
            .unwrap();
        assert_eq!(wallet.nickname(id).await, None);
    }
    let error = by_passkey.refresh(false, &DEFAULTS).await.unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::SessionExpired,
        "its sessions are gone: {error:?}"
    );
    let malformed = session
        .revoke_auth_method("Session:1", None, &DEFAULTS)
        .await;
    assert_eq!(malformed.unwrap_err().code(), ErrorCode::InvalidArgument);
}

/// An app that reads a payload of which it knows everything but one text, which it takes from there.
fn revocation(kind: &'static str) -> Purpose {
    Rc::new(move |challenge: &SignedRequestChallenge| {
        let seen = parse(&challenge.payload_to_sign);
        let user_id = seen
            .get("parameters")
            .and_then(|p| p.get("userId"))
            .cloned();
        let stated = Stated {
            intent: Intent::Activity {
                activity_type: kind.to_owned(),
                parameters: Json::object([("userId", user_id.unwrap())]),
            },
            organization_id: None,
            expires_at_ms: None,
        };
        Box::pin(async move { Ok(stated) })
    })
}

async fn what_is_not_documented_is_stated_or_refused(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let passkey_id = world.add_passkey(session, "Key").await;
    let sms_id = sms(world, session).await.state().auth_method_id;
    let by_passkey = client
        .sign_in_with_passkey(&passkey_id, &DEFAULTS)
        .await
        .unwrap();
    for (id, kind) in [
        (&sms_id, "ACTIVITY_TYPE_DELETE_USER_PHONE_NUMBER"),
        (
            &world.customer.email_otp_auth_method_id,
            "ACTIVITY_TYPE_DELETE_USER_EMAIL",
        ),
    ] {
        world.transport.take_sent();
        let blind = by_passkey.revoke_auth_method(id, None, &DEFAULTS).await;
        let error = wallet.refused(blind, ErrorCode::IntentRefused);
        assert_eq!(error.reason(), Some("undocumented"));
        assert!(error.request_id().is_some());
        for (purpose, reason) in [
            (revocation("ACTIVITY_TYPE_DELETE_USERS"), "type"),
            (stated(Intent::RevokePasskey), "type"),
            (
                stated(Intent::Activity {
                    activity_type: kind.to_owned(),
                    parameters: Json::object([]),
                }),
                "parameters",
            ),
        ] {
            let wrong = by_passkey
                .revoke_auth_method(id, Some(purpose), &DEFAULTS)
                .await;
            let error = wallet.refused(wrong, ErrorCode::IntentRefused);
            assert_eq!(error.reason(), Some(reason));
        }
        // The app itself may refuse.
        let no: Purpose =
            Rc::new(|_| Box::pin(async { Err(Error::new(ErrorCode::Aborted, "not this one")) }));
        let stopped = by_passkey.revoke_auth_method(id, Some(no), &DEFAULTS).await;
        wallet.refused(stopped, ErrorCode::Aborted);
        assert!(wallet.nickname(id).await.is_some());
        let purpose = Some(revocation(kind));
        by_passkey
            .revoke_auth_method(id, purpose, &DEFAULTS)
            .await
            .unwrap();
        assert_eq!(wallet.nickname(id).await, None);
    }
}

async fn contacts_change_with_their_credentials(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let customer = &world.customer;
    let customer_id = &customer.customer_id;

    // Nothing is tied to the number yet: done at once, unsigned.
    world.transport.take_sent();
    let free = "+4915111111111";
    session
        .update_phone_number(customer_id, free, &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(world.transport.take_sent(), [("updateCustomerById", false)]);
    let otp = session.add_sms_otp(free, &DEFAULTS).await.unwrap();
    let sms_id = otp.state().auth_method_id;
    otp.submit(&code("000000"), &DEFAULTS).await.unwrap();

    world.transport.take_sent();
    session
        .update_phone_number(customer_id, NEW_PHONE_NUMBER, &DEFAULTS)
        .await
        .unwrap();
    session
        .update_email(customer_id, NEW_EMAIL, &DEFAULTS)
        .await
        .unwrap();
    let legs = ("updateCustomerById", false);
    let stamped = ("updateCustomerById", true);
    assert_eq!(world.transport.take_sent(), [legs, stamped, legs, stamped]);

    for (id, contact) in [
        (&sms_id, NEW_PHONE_NUMBER),
        (&customer.email_otp_auth_method_id, NEW_EMAIL),
    ] {
        assert_eq!(wallet.nickname(id).await.as_deref(), Some(contact));
        let otp = client.send_otp(id, &DEFAULTS).await.unwrap();
        assert_eq!(otp.state().sent_to, contact);
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
    }

    let taken = world.sandbox.customers()[1].email.clone();
    let error = session
        .update_email(customer_id, &taken, &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialAlreadyExists);
    assert_eq!(error.grid_code(), Some("EMAIL_OTP_EMAIL_ALREADY_EXISTS"));
    world.transport.take_sent();
    let long = "x".repeat(321);
    for result in [
        session.update_email(customer_id, "", &DEFAULTS).await,
        session
            .update_phone_number(customer_id, &long, &DEFAULTS)
            .await,
        session
            .update_email("Session:1", NEW_EMAIL, &DEFAULTS)
            .await,
    ] {
        assert_eq!(result.unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    assert!(world.transport.take_sent().is_empty());

    // An answer with another address says that something else was done.
    world.transport.set_tamper(|call, reply| {
        if call.stamp.is_some() {
            let body = String::from_utf8(reply.body.clone()).unwrap();
            reply.body = body.replace("ada.third", "mallory").into_bytes();
        }
    });
    let third = "ada.third@example.com";
    let error = session
        .update_email(customer_id, third, &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::RelayProtocol);
}

async fn privacy_is_switched(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    for enabled in [true, false, true] {
        let account = wallet
            .session
            .update_privacy(enabled, &DEFAULTS)
            .await
            .unwrap();
        for account in [account, wallet.account().await] {
            assert_eq!(text(&account, "id"), wallet.world.customer.account_id);
            assert_eq!(
                account.get("privateEnabled").unwrap().as_bool(),
                Some(enabled)
            );
        }
    }
    // The address whose key Turnkey uses was believed when it was first seen; no other is.
    wallet.lie(
        gridkey_sandbox::Operation::UpdateInternalAccount,
        Lie::OtherSignWith,
    );
    wallet.world.transport.take_sent();
    let lied_to = wallet.session.update_privacy(false, &DEFAULTS).await;
    let error = wallet.refused(lied_to, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("parameters"));
    // That of a payment is another one, and not mistaken for it.
    let quote = wallet.world.quote(&wallet.client).await;
    let execute = ExecuteOptions::default();
    wallet
        .session
        .execute_quote(&quote, execute, &DEFAULTS)
        .await
        .unwrap();
}

async fn a_mnemonic_is_exported(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let organization_id = || Some(world.customer.organization_id.clone());
    let mnemonic = world.customer.mnemonic.as_bytes();

    // What was merely seen in payloads, when signing in and refreshing, is not enough.
    world.transport.take_sent();
    let error = session.export_mnemonic(None, &DEFAULTS).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("organizationId"));
    assert!(world.transport.take_sent().is_empty());

    let wrong = Some("7d4c9a52-0000-4000-8000-000000000000".to_owned());
    let refused = session.export_mnemonic(wrong, &DEFAULTS).await;
    let error = wallet.refused(refused, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("organization"));
    let error = session.export_mnemonic(None, &DEFAULTS).await.unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::InvalidArgument,
        "a refused one is not remembered"
    );

    let exported = session
        .export_mnemonic(organization_id(), &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(*exported, mnemonic);
    // What has proved right is not argued with, also where the relay agrees.
    let wrong = "7d4c9a52-0000-4000-8000-000000000000".to_owned();
    let (right, lie) = (world.customer.organization_id.clone(), wrong.clone());
    world.transport.set_tamper(move |_, reply| {
        let honest = String::from_utf8(reply.body.clone()).unwrap();
        assert!(honest.contains(&right));
        reply.body = honest.replace(&right, &lie).into_bytes();
    });
    world.transport.take_sent();
    let refused = session.export_mnemonic(Some(wrong), &DEFAULTS).await;
    world.transport.stop_tampering();
    let error = wallet.refused(refused, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("organization"));
    // Each has a key of its own.
    world.transport.take_sent();
    let exported = session.export_mnemonic(None, &DEFAULTS).await.unwrap();
    assert_eq!(*exported, mnemonic);
    session.export_mnemonic(None, &DEFAULTS).await.unwrap();
    let bodies = world.transport.bodies();
    assert_eq!(bodies.len(), 4);
    assert_eq!(bodies[0], bodies[1], "both legs have the same body");
    assert_ne!(bodies[0], bodies[2]);

    // Another page of the same origin knows it too.
    let later = world.client(delivery);
    let later = world.sign_in(&later).await;
    assert_eq!(
        *later.export_mnemonic(None, &DEFAULTS).await.unwrap(),
        mnemonic
    );
    // Until it is forgotten.
    client
        .forget_organization(&world.customer.account_id)
        .unwrap();
    let error = session.export_mnemonic(None, &DEFAULTS).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(client.forget_organization("Session:1").is_err());

    // The platform knows it.
    let knows = world.client_that_knows(delivery);
    let knows = world.sign_in(&knows).await;
    assert_eq!(
        *knows.export_mnemonic(None, &DEFAULTS).await.unwrap(),
        mnemonic
    );
}

async fn exports_that_are_not_believed(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet { world, session, .. } = &wallet;
    let organization_id = || Some(world.customer.organization_id.clone());
    let operation = gridkey_sandbox::Operation::ExportInternalAccount;
    for (lie, stamps, code, reason) in [
        (
            Lie::ExportOtherOrganization,
            1,
            ErrorCode::BundleUntrusted,
            Some("organization_mismatch"),
        ),
        (
            Lie::ExportOtherEnclaveKey,
            1,
            ErrorCode::BundleUntrusted,
            None,
        ),
        (
            Lie::ExportOtpEnclaveKey,
            1,
            ErrorCode::BundleUntrusted,
            None,
        ),
        (Lie::TamperExport, 1, ErrorCode::BundleUntrusted, None),
        (Lie::ExportOtherReceiver, 1, ErrorCode::DecryptFailed, None),
        (Lie::ExportNotUtf8, 1, ErrorCode::BundleMalformed, None),
        (
            Lie::OtherOrganization,
            0,
            ErrorCode::IntentRefused,
            Some("organization"),
        ),
        (
            Lie::SwapTargetKey,
            0,
            ErrorCode::IntentRefused,
            Some("parameters"),
        ),
        // Which wallet it is was seen in the exports before.
        (
            Lie::OtherWalletId,
            0,
            ErrorCode::IntentRefused,
            Some("parameters"),
        ),
    ] {
        wallet.lie(operation, lie);
        world.transport.take_sent();
        let error = session
            .export_mnemonic(organization_id(), &DEFAULTS)
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{lie:?}: {error:?}");
        if reason.is_some() {
            assert_eq!(error.reason(), reason, "{lie:?}: {error:?}");
        }
        let sent = world.transport.take_sent();
        assert_eq!(sent.len(), 1 + stamps, "{lie:?}");
        let exported = session
            .export_mnemonic(organization_id(), &DEFAULTS)
            .await
            .unwrap();
        assert_eq!(*exported, world.customer.mnemonic.as_bytes());
    }

    // Grid's own sandbox does not sign: whoever uses it says so, and gets nothing else.
    world.sandbox.set_unsigned_exports(true);
    let error = session
        .export_mnemonic(organization_id(), &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::BundleUntrusted, "{error:?}");
    let unsigned = EnclaveKeys {
        otp: world.enclave().otp,
        export: ExportTrust::UnsignedSandbox,
    };
    let client = world.client_that_trusts(delivery, unsigned);
    let session = world.sign_in(&client).await;
    let exported = session
        .export_mnemonic(organization_id(), &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(*exported, world.customer.mnemonic.as_bytes());
}

async fn a_quote_is_paid(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let balance = |account: &Json, name: &str| {
        account
            .get(name)
            .and_then(|b| b.get("amount")?.as_u64())
            .unwrap()
    };
    let before = balance(&wallet.account().await, "totalBalance");
    let quote = world.quote(client).await;
    assert_eq!(text(&quote, "status"), "PENDING");
    let quote_id = text(&quote, "id");
    assert_eq!(wallet.get(Operation::GetQuoteById, &quote_id).await, quote);

    world.transport.take_sent();
    let execute = ExecuteOptions {
        idempotency_key: Some("payment-1".to_owned()),
        ..ExecuteOptions::default()
    };
    let paid = session
        .execute_quote(&quote, execute.clone(), &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(world.transport.take_sent(), [("executeQuote", true)]);
    assert_eq!(
        (text(&paid, "id"), text(&paid, "status")),
        (quote_id.clone(), "PROCESSING".into())
    );
    // The same key is the same payment; another one would be a second.
    let again = session
        .execute_quote(&quote, execute, &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(again, paid);
    let twice = session
        .execute_quote(&quote, ExecuteOptions::default(), &DEFAULTS)
        .await;
    assert_eq!(twice.unwrap_err().code(), ErrorCode::Conflict);

    let done = wallet.get(Operation::GetQuoteById, &quote_id).await;
    assert_eq!(text(&done, "status"), "COMPLETED");
    let sent = quote.get("totalSendingAmount").unwrap().as_u64().unwrap();
    let account = wallet.account().await;
    assert_eq!(balance(&account, "totalBalance"), before - sent);
    assert_eq!(balance(&account, "balance"), before - sent);

    // Where none is given, each payment has one that nobody guesses.
    let keys: Rc<RefCell<Vec<Option<String>>>> = Rc::default();
    let seen = keys.clone();
    let record = move |call: &GridCall, _: &mut _| {
        if call.operation == "executeQuote" {
            seen.borrow_mut().push(call.idempotency_key.clone());
        }
    };
    world.transport.set_tamper(record);
    for _ in 0..2 {
        let quote = world.quote(client).await;
        let execute = ExecuteOptions::default();
        session
            .execute_quote(&quote, execute, &DEFAULTS)
            .await
            .unwrap();
    }
    let keys: Vec<String> = keys.take().into_iter().map(Option::unwrap).collect();
    assert!(
        keys.iter().all(|key| key.len() == 32) && keys[0] != keys[1],
        "{keys:?}"
    );
}

async fn quotes_that_are_not_paid(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let quote = world.quote(client).await;
    let changed = |from: &str, to: &str| {
        let changed = quote.to_text().replace(from, to);
        assert_ne!(changed, quote.to_text());
        parse(&changed)
    };
    let other_account = world.sandbox.customers()[1].account_id.clone();
    let instructions = quote.get("paymentInstructions").unwrap().to_text();
    let instruction = instructions.trim_matches(['[', ']']);
    world.transport.take_sent();
    for wrong in [
        changed(&world.customer.account_id, &other_account),
        changed(&instructions, "[]"),
        changed(&instructions, &format!("[{instruction},{instruction}]")),
        changed("EMBEDDED_WALLET", "SPARK_WALLET"),
        changed("\"expiresAt\"", "\"expires\""),
        changed("\"Quote:", "\"Session:"),
        Json::Null,
    ] {
        let refused = session
            .execute_quote(&wrong, ExecuteOptions::default(), &DEFAULTS)
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");
    }
    for (wrong, reason) in [
        (changed("SIGN_TRANSACTION_V2", "EXPORT_WALLET"), "type"),
        (
            changed("TRANSACTION_V2\\\",", "TRANSACTION_V2\\\",\\\"x\\\":1,"),
            "members",
        ),
        (changed("\\\"signWith\\\"", "\\\"with\\\""), "parameters"),
    ] {
        let refused = session
            .execute_quote(&wrong, ExecuteOptions::default(), &DEFAULTS)
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IntentRefused, "{error:?}");
        assert_eq!(error.reason(), Some(reason));
    }
    assert!(world.transport.take_sent().is_empty());

    // Whoever knows which wallet pays says so.
    let from = |wallet: &str| ExecuteOptions {
        sign_with: Some(wallet.to_owned()),
        ..Default::default()
    };
    let refused = session
        .execute_quote(&quote, from("another"), &DEFAULTS)
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.reason(), Some("parameters"));
    assert!(world.transport.take_sent().is_empty());
    let wallet_id = &world.customer.wallet_id;
    let known = world.quote(client).await;
    session
        .execute_quote(&known, from(wallet_id), &DEFAULTS)
        .await
        .unwrap();

    // A wallet that was paid from once is believed; another one is not.
    session
        .execute_quote(&quote, ExecuteOptions::default(), &DEFAULTS)
        .await
        .unwrap();
    wallet.lie(gridkey_sandbox::Operation::CreateQuote, Lie::OtherSignWith);
    let lied_about = world.quote(client).await;
    world.transport.take_sent();
    let refused = session
        .execute_quote(&lied_about, ExecuteOptions::default(), &DEFAULTS)
        .await;
    assert_eq!(refused.unwrap_err().reason(), Some("parameters"));

    let quote = world.quote(client).await;
    world.sandbox.advance_clock(301_000);
    world.clock.advance(301_000);
    world.transport.take_sent();
    let late = session
        .execute_quote(&quote, ExecuteOptions::default(), &DEFAULTS)
        .await;
    assert_eq!(late.unwrap_err().code(), ErrorCode::ChallengeExpired);
    assert!(world.transport.take_sent().is_empty());
    let quote = world.quote(client).await;
    session
        .execute_quote(&quote, ExecuteOptions::default(), &DEFAULTS)
        .await
        .unwrap();
}

async fn a_payment_is_authorized(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    world
        .sandbox
        .require_sca(Some(&world.customer.customer_id), true);
    let quote = world.quote(client).await;
    let quote_id = text(&quote, "id");
    let by = |factor: &str| ExecuteOptions {
        sca_factor: Some(factor.to_owned()),
        ..ExecuteOptions::default()
    };
    let error = session
        .execute_quote(&quote, by("PASSKEY"), &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(400));
    let error = session
        .execute_quote(&quote, by("PIGEON"), &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    let pending = session
        .execute_quote(&quote, by("SMS_OTP"), &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(text(&pending, "status"), "PENDING_AUTHORIZATION");
    let challenge = pending.get("scaChallenge").unwrap();
    assert_eq!(text(challenge, "factor"), "SMS_OTP");

    let authorize = async |code: &str| {
        let request =
            Request::on(Operation::AuthorizeQuote, &quote_id).with_body([("code", code.into())]);
        client.api().call(request, &DEFAULTS).await
    };
    let error = authorize("000000").await.unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        (ErrorCode::OtpRejected, Some(400))
    );
    let resend = Request::on(Operation::ResendQuoteScaCode, &quote_id);
    let resent = client.api().call(resend, &DEFAULTS).await.unwrap();
    assert_eq!((resent.status, resent.body), (204, Json::Null));
    let paid = authorize(SCA_CODE).await.unwrap();
    assert_eq!(text(&paid.body, "status"), "PROCESSING");
    let done = wallet.get(Operation::GetQuoteById, &quote_id).await;
    assert_eq!(text(&done, "status"), "COMPLETED");
    let error = authorize(SCA_CODE).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict);
}

async fn a_key_is_delegated(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let customer = &world.customer;
    let payloads: Rc<RefCell<Vec<String>>> = Rc::default();
    let purpose: Purpose = {
        let (payloads, app) = (payloads.clone(), delegation("Groceries"));
        Rc::new(move |challenge: &SignedRequestChallenge| {
            payloads
                .borrow_mut()
                .push(challenge.payload_to_sign.clone());
            app(challenge)
        })
    };
    world.transport.take_sent();
    let key = session
        .create_delegated_key(&customer.card_id, "Groceries", purpose, &DEFAULTS)
        .await
        .unwrap();
    let leg = |stamped| ("createDelegatedKey", stamped);
    assert_eq!(
        world.transport.take_sent(),
        [leg(false), leg(true), leg(true)]
    );
    let types = payloads.take();
    let types: Vec<String> = types
        .iter()
        .map(|payload| text(&parse(payload), "type"))
        .collect();
    assert_eq!(
        types,
        [
            "ACTIVITY_TYPE_CREATE_USERS_V3",
            "ACTIVITY_TYPE_CREATE_POLICIES"
        ]
    );
    assert_eq!(text(&key, "status"), "ACTIVE");
    assert_eq!(text(&key, "nickname"), "Groceries");

    let id = text(&key, "id");
    assert_eq!(wallet.get(Operation::GetDelegatedKeyById, &id).await, key);
    let list = async |name, id: &str| {
        let request = Request::new(Operation::ListDelegatedKeys).with_query([(name, id.into())]);
        let answer = client.api().call(request, &DEFAULTS).await.unwrap();
        answer
            .body
            .get("data")
            .and_then(Json::as_array)
            .unwrap()
            .to_vec()
    };
    let by_account = list("accountId", &customer.account_id).await;
    assert_eq!(by_account, std::slice::from_ref(&key));
    let by_card = list("fundingSourceId", &customer.card_funding_source_id).await;
    assert_eq!(by_card, [key]);

    let second = delegation("Second");
    let card_id = &customer.card_id;
    let again = session
        .create_delegated_key(card_id, "Second", second, &DEFAULTS)
        .await;
    assert_eq!(again.unwrap_err().code(), ErrorCode::Conflict);

    let revoke = Request::on(Operation::RevokeDelegatedKey, &id);
    let revoked = client.api().call(revoke.clone(), &DEFAULTS).await.unwrap();
    assert_eq!((revoked.status, revoked.body), (204, Json::Null));
    let key = wallet.get(Operation::GetDelegatedKeyById, &id).await;
    assert_eq!(text(&key, "status"), "REVOKED");
    let error = client.api().call(revoke, &DEFAULTS).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
}

fn activity(activity_type: &str) -> Intent {
    Intent::Activity {
        activity_type: activity_type.to_owned(),
        parameters: Json::object([]),
    }
}

async fn delegations_that_were_not_stated(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let card_id = &world.customer.card_id;
    let account_id = world.customer.account_id.as_str();
    let create = async |purpose| {
        session
            .create_delegated_key(card_id, "Groceries", purpose, &DEFAULTS)
            .await
    };
    let statuses = async || {
        let request = Request::new(Operation::ListDelegatedKeys)
            .with_query([("accountId", account_id.into())]);
        let answer = client.api().call(request, &DEFAULTS).await.unwrap();
        let keys = answer
            .body
            .get("data")
            .and_then(Json::as_array)
            .unwrap()
            .to_vec();
        keys.iter()
            .map(|key| text(key, "status"))
            .collect::<Vec<_>>()
    };
    world.transport.take_sent();
    // The name is in the payload, so another name's purpose does not fit.
    let other = create(delegation("Other")).await;
    let error = wallet.refused(other, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("parameters"));
    let never = create(stated(Intent::RevokeSession)).await;
    wallet.refused(never, ErrorCode::InvalidArgument);
    assert!(statuses().await.is_empty());

    // What was stated beforehand was stated for one payload.
    let beforehand: Purpose = {
        let (once, app) = (known(activity("x"), None), delegation("Groceries"));
        let first = RefCell::new(Some(app));
        Rc::new(
            move |challenge: &SignedRequestChallenge| match first.take() {
                Some(app) => {
                    drop(once(challenge));
                    app(challenge)
                }
                None => once(challenge),
            },
        )
    };
    world.transport.take_sent();
    let error = create(beforehand).await.unwrap_err();
    assert_eq!(
        (error.code(), error.reason()),
        (ErrorCode::IntentRefused, Some("repeated"))
    );

    // The first payload as stated, the second not: one stamp, and the key never becomes active.
    let first_only: Purpose = {
        let app = delegation("Groceries");
        Rc::new(move |challenge: &SignedRequestChallenge| {
            if challenge.payload_to_sign.contains("POLICIES") {
                return stated(activity("ACTIVITY_TYPE_DELETE_POLICIES"))(challenge);
            }
            app(challenge)
        })
    };
    world.transport.take_sent();
    let error = create(first_only).await.unwrap_err();
    assert_eq!(
        (error.code(), error.reason()),
        (ErrorCode::IntentRefused, Some("type"))
    );
    let leg = |stamped| ("createDelegatedKey", stamped);
    assert_eq!(world.transport.take_sent(), [leg(false), leg(true)]);
    assert_eq!(statuses().await, ["PENDING", "PENDING"]);

    create(delegation("Groceries")).await.unwrap();
    assert!(statuses().await.contains(&"ACTIVE".to_owned()));
}

async fn a_request_that_is_not_known(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet { world, session, .. } = &wallet;
    let account_id = world.customer.account_id.replace(':', "%3A");
    let route = || Route::new("PATCH", format!("/internal-accounts/{account_id}")).unwrap();
    let body = || Some(parse(r#"{"privateEnabled":true}"#));
    world.transport.take_sent();
    for (intent, reason) in [
        (Intent::RevokeSession, "type"),
        (
            Intent::UpdatePrivacy {
                sign_with: Some("sp1another".to_owned()),
            },
            "parameters",
        ),
    ] {
        let refused = session
            .signed_request(route(), body(), stated(intent), &DEFAULTS)
            .await;
        let error = wallet.refused(refused, ErrorCode::IntentRefused);
        assert_eq!(error.reason(), Some(reason));
    }
    let purpose = stated(Intent::UpdatePrivacy { sign_with: None });
    let account = session
        .signed_request(route(), body(), purpose, &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(account.get("privateEnabled").unwrap().as_bool(), Some(true));

    // Without a body, and answered without one.
    let other = world
        .sign_in_by_code(&wallet.client)
        .await
        .info()
        .id
        .clone();
    let path = format!("/auth/sessions/{}", other.replace(':', "%3A"));
    let route = Route::new("DELETE", path).unwrap();
    let purpose = stated(Intent::RevokeSession);
    let ended = session
        .signed_request(route, None, purpose, &DEFAULTS)
        .await
        .unwrap();
    assert_eq!(ended, Json::Null);
    let sessions = world.sandbox.sessions();
    assert!(
        !sessions
            .iter()
            .find(|session| session.id == other)
            .unwrap()
            .active
    );

    // What is answered at once was not signed, so it is no signed request.
    let path = format!("/auth/credentials?accountId={account_id}");
    let route = Route::new("GET", path).unwrap();
    let purpose = stated(Intent::RevokeSession);
    let error = session
        .signed_request(route, None, purpose, &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Some("unsigned"), "{error:?}");
    // The relay offers what it knows, and nothing else.
    let route = Route::new("POST", "/new/things".to_owned()).unwrap();
    let purpose = stated(Intent::RevokeSession);
    let error = session
        .signed_request(route, None, purpose, &DEFAULTS)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnsupportedOperation);
}

/// A page with a transport of its own has a payload stamped that its own routes brought.
async fn a_payload_of_ones_own(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let other = world.sign_in_by_code(client).await.info().id.clone();
    let request = Request::on(Operation::RevokeAuthSession, &other);
    let answer = client.api().call(request.clone(), &DEFAULTS).await.unwrap();
    let challenge = SignedRequestChallenge::read(&answer.body);
    let payload = &challenge.payload_to_sign;
    let state = |intent, organization_id: Option<&str>, expires_at_ms| Stated {
        intent,
        organization_id: organization_id.map(str::to_owned),
        expires_at_ms,
    };
    let is = || Intent::RevokeSession;
    let expires = Some(challenge.expires_at_ms);
    for (wrong, reason) in [
        (state(Intent::RevokePasskey, None, expires), "type"),
        (state(is(), Some("another"), expires), "organization"),
    ] {
        let error = session.stamp(payload, wrong).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IntentRefused);
        assert_eq!(error.reason(), Some(reason));
    }
    let past = Some(challenge.expires_at_ms - 600_000);
    let late = session.stamp(payload, state(is(), None, past)).await;
    assert_eq!(late.unwrap_err().code(), ErrorCode::ChallengeExpired);
    let stamp = session
        .stamp(payload, state(is(), None, expires))
        .await
        .unwrap();
    let signed = request.with_headers(SignedHeaders {
        stamp: Some(stamp),
        request_id: Some(challenge.request_id),
        idempotency_key: None,
    });
    assert_eq!(
        client.api().call(signed, &DEFAULTS).await.unwrap().status,
        204
    );
    session.sign_out(&DEFAULTS).await;
    let late = session.stamp(payload, state(is(), None, expires)).await;
    assert_eq!(late.unwrap_err().code(), ErrorCode::SessionExpired);
}

async fn another_organization_is_refused(delivery: KeyDelivery) {
    let wallet = Wallet::new(delivery).await;
    let Wallet {
        world,
        client,
        session,
    } = &wallet;
    let customer = &world.customer;
    // Signing in has shown which it is.
    wallet.lie(
        gridkey_sandbox::Operation::RefreshAuthSession,
        Lie::OtherOrganization,
    );
    world.transport.take_sent();
    let refused = session.refresh(false, &DEFAULTS).await;
    let error = wallet.refused(refused, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("organization"));
    session.refresh(false, &DEFAULTS).await.unwrap();
    world.transport.take_sent();

    // Another page remembers another one, as after a move of the wallet.
    let note = world.notes.all().into_keys().next().unwrap();
    assert!(note.contains(&customer.account_id));
    world.notes.set(
        &note,
        Some(r#"{"organizationId":"another","isConfirmed":false}"#),
    );
    let refused = session.refresh(false, &DEFAULTS).await;
    let error = wallet.refused(refused, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("organization"));
    let otp = client
        .send_otp(&customer.email_otp_auth_method_id, &DEFAULTS)
        .await
        .unwrap();
    let refused = otp.submit(&code("000000"), &DEFAULTS).await;
    let error = wallet.refused(refused, ErrorCode::IntentRefused);
    assert_eq!(error.reason(), Some("organization"));

    // What the platform says goes before what was remembered.
    let knows = world.client_that_knows(delivery);
    world.sign_in(&knows).await;
    world.notes.set(
        &note,
        Some(r#"{"organizationId":"another","isConfirmed":true}"#),
    );
    client.forget_organization(&customer.account_id).unwrap();
    assert!(world.notes.all().is_empty());
    session.refresh(false, &DEFAULTS).await.unwrap();
    assert!(world.notes.all()[&note].contains(&customer.organization_id));
    let wrong = vec![(customer.account_id.clone(), "another".to_owned())];
    let misled = world.client_with(delivery, world.enclave(), wrong);
    let otp = misled
        .send_otp(&customer.email_otp_auth_method_id, &DEFAULTS)
        .await
        .unwrap();
    let refused = otp.submit(&code("000000"), &DEFAULTS).await;
    let error = wallet.refused_since_sign_in(refused);
    assert_eq!(error.reason(), Some("organization"));

    // Notes that somebody else wrote are no reason to fail.
    for strange in [
        "",
        "{",
        "[]",
        r#"{"organizationId":7}"#,
        r#"{"organizationId":""}"#,
    ] {
        world.notes.set(&note, Some(strange));
        session.refresh(false, &DEFAULTS).await.unwrap();
        assert!(world.notes.all()[&note].contains(&customer.organization_id));
    }
}

impl Wallet {
    fn refused_since_sign_in<T>(&self, result: Result<T>) -> Error {
        let error = result.err().unwrap();
        assert_eq!(error.code(), ErrorCode::IntentRefused, "{error:?}");
        let last = self.world.transport.take_sent().pop();
        assert_eq!(last, Some(("verifyAuthCredential", false)));
        error
    }
}

/// Whoever knows whose account it is says so, and proves nothing to another one.
#[tokio::test]
async fn sign_ins_of_the_account_that_was_named() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let Wallet {
            world,
            client,
            session,
        } = &wallet;
        let passkey_id = world.add_passkey(session, "Key").await;
        let otp_id = &world.customer.email_otp_auth_method_id;
        let other = world.sandbox.customers()[1].account_id.clone();
        let of = |id: &str| Credential::of(id, Some(&world.customer.account_id));
        let of_other = |id: &str| Credential::of(id, Some(&other));
        world.transport.take_sent();
        for refused in [
            client.send_otp(of_other(otp_id), &DEFAULTS).await.err(),
            client
                .prepare_passkey(of_other(&passkey_id), DEFAULTS)
                .await
                .err(),
            client
                .sign_in_with_passkey(of_other(&passkey_id), &DEFAULTS)
                .await
                .err(),
        ] {
            assert_eq!(refused.unwrap().code(), ErrorCode::RelayProtocol);
        }
        let sent = world.transport.take_sent();
        assert!(
            sent.iter()
                .all(|(name, _)| *name == "challengeAuthCredential"),
            "{sent:?}"
        );
        let otp = client.send_otp(of(otp_id), &DEFAULTS).await.unwrap();
        otp.submit(&code("000000"), &DEFAULTS).await.unwrap();
        client
            .sign_in_with_passkey(of(&passkey_id), &DEFAULTS)
            .await
            .unwrap();
    })
    .await;
}

/// What is prepared for a session does not keep its key.
#[tokio::test]
async fn what_is_prepared_ends_with_its_session() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let Wallet { world, session, .. } = wallet;
        let enrolment = session
            .prepare_passkey_registration(enrolment("Key"), DEFAULTS)
            .await;
        let enrolment = enrolment.unwrap();
        drop(session);
        world.transport.take_sent();
        let error = enrolment.confirm(&DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SessionExpired);
        assert!(world.transport.take_sent().is_empty());
    })
    .await;
}

/// The sandbox knows no businesses; what is sent says that it is one.
#[tokio::test]
async fn a_businesss_contact() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let business = Customer {
            id: wallet.world.customer.customer_id.clone(),
            is_business: true,
        };
        wallet.world.transport.take_sent();
        let error = wallet
            .session
            .update_email(business, NEW_EMAIL, &DEFAULTS)
            .await;
        assert_eq!(error.unwrap_err().status(), Some(400));
        let bodies = wallet.world.transport.bodies();
        assert_eq!(text(&parse(&bodies[0]), "customerType"), "BUSINESS");
    })
    .await;
}

/// An app that asks people may be ended while it waits for them.
#[tokio::test]
async fn an_abort_ends_the_apps_question() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let Wallet { world, session, .. } = &wallet;
        let asked = Rc::new(tokio::sync::Notify::new());
        let asks = asked.clone();
        let purpose: Purpose = Rc::new(move |_| {
            asks.notify_one();
            Box::pin(std::future::pending())
        });
        let abort = Rc::new(Abort::default());
        let options = CallOptions {
            cancellation: Some(abort.clone()),
            timeout_ms: None,
        };
        let card_id = &world.customer.card_id;
        world.transport.take_sent();
        let create = session.create_delegated_key(card_id, "Groceries", purpose, &options);
        let (created, ()) = tokio::join!(create, async {
            asked.notified().await;
            abort.abort();
        });
        wallet.refused(created, ErrorCode::Aborted);
    })
    .await;
}

#[tokio::test]
async fn a_device_code_is_looked_after() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let agent_id = &wallet.world.customer.agent_id;
        let device_code = wallet
            .get(Operation::RegenerateAgentDeviceCode, agent_id)
            .await;
        let device_code = text(&device_code, "code");
        let is_redeemed = async || {
            let status = wallet
                .get(Operation::GetAgentDeviceCodeStatus, &device_code)
                .await;
            assert_eq!(text(&status, "code"), device_code);
            status.get("redeemed").unwrap().as_bool().unwrap()
        };
        assert!(!is_redeemed().await);
        let sandbox_url = &wallet.world.sandbox_url;
        let url = format!("{sandbox_url}/agents/device-codes/{device_code}/redeem");
        let redeemed = reqwest::Client::new().post(url).send().await.unwrap();
        assert_eq!(redeemed.status().as_u16(), 200);
        assert!(is_redeemed().await);
        // Another kind of id does not reach the path.
        let wrong = Request::on(Operation::GetAgentDeviceCodeStatus, agent_id);
        let error = wallet
            .client
            .api()
            .call(wrong, &DEFAULTS)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    })
    .await;
}

#[tokio::test]
async fn accounts_are_listed_page_by_page() {
    local(async {
        let wallet = Wallet::new(KeyDelivery::Sealed).await;
        let customer = &wallet.world.customer;
        let page = async |cursor: Option<&str>| {
            let mut query = vec![
                (
                    "customerId".to_owned(),
                    customer.customer_id.as_str().into(),
                ),
                ("limit".to_owned(), Json::from(1_u64)),
            ];
            query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor.into())));
            let request = Request {
                query: Some(Json::Object(query)),
                ..Request::new(Operation::ListCustomerInternalAccounts)
            };
            wallet
                .client
                .api()
                .call(request, &DEFAULTS)
                .await
                .unwrap()
                .body
        };
        let id = |page: &Json| text(&page.get("data").and_then(Json::as_array).unwrap()[0], "id");
        let first = page(None).await;
        assert_eq!(first.get("hasMore").unwrap().as_bool(), Some(true));
        assert_eq!(first.get("totalCount").unwrap().as_u64(), Some(2));
        let second = page(Some(&text(&first, "nextCursor"))).await;
        assert_eq!(second.get("hasMore").unwrap().as_bool(), Some(false));
        let ids = [id(&first), id(&second)];
        assert_eq!(
            ids,
            [&customer.account_id, &customer.holding_account_id].map(String::clone)
        );
    })
    .await;
}

/// A storage that is gone, as in a private window, costs nothing but what was remembered.
#[tokio::test]
async fn nothing_is_remembered_without_storage() {
    struct NoNotes;
    impl Notes for NoNotes {
        fn get(&self, _: &str) -> Option<String> {
            None
        }
        fn set(&self, _: &str, _: Option<&str>) {}
    }
    local(async {
        let world = World::new().await;
        let client = world.client_with_notes(KeyDelivery::Sealed, Rc::new(NoNotes));
        let session = world.sign_in(&client).await;
        let organization_id = Some(world.customer.organization_id.clone());
        session
            .export_mnemonic(organization_id, &DEFAULTS)
            .await
            .unwrap();
        let error = session.export_mnemonic(None, &DEFAULTS).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    })
    .await;
}

/// A clock that is a little off is nobody's business: Grid's time is learnt from its answers.
#[tokio::test]
async fn a_clock_that_is_a_little_off() {
    local(async {
        for offset_ms in [90_000, -90_000] {
            for flow in Flow::ALL {
                let world = World::new().await;
                world.clock.advance(offset_ms);
                let attempt = flow.prepared_in(world, KeyDelivery::Sealed).await;
                let made = attempt.make().await;
                made.unwrap_or_else(|error| panic!("{flow:?} {offset_ms}: {error:?}"));
            }
        }
    })
    .await;
}

/// A clock that is wrong is told as such, before anything is stamped.
#[tokio::test]
async fn a_clock_that_is_wrong() {
    local(async {
        for offset_ms in [180_000, -180_000] {
            for flow in Flow::ALL {
                let attempt = flow.prepared(KeyDelivery::Sealed).await;
                let world = attempt.world();
                world.clock.advance(offset_ms);
                // Whatever was answered last has told what time it is at Grid, unless a cache may
                // have answered it.
                let agent_id = &world.customer.agent_id;
                let post = Request::on(Operation::RegenerateAgentDeviceCode, agent_id);
                let teach = async || attempt.client.api().call(post.clone(), &DEFAULTS).await;
                teach().await.unwrap();
                world.transport.take_sent();
                let told = format!("{flow:?} {offset_ms}");
                let error = attempt
                    .make()
                    .await
                    .err()
                    .unwrap_or_else(|| panic!("{told}"));
                assert_eq!(error.code(), ErrorCode::ClockWrong, "{told}: {error:?}");
                let sent = world.transport.take_sent();
                assert!(sent.iter().all(|(_, stamped)| !stamped), "{told}: {sent:?}");
                if matches!(flow, Flow::SignInByOauth | Flow::AddOauth) {
                    assert!(sent.is_empty(), "{told}: a token is not sent: {sent:?}");
                }
                world.clock.advance(-offset_ms);
                teach().await.unwrap();
                let made = attempt.make().await;
                made.unwrap_or_else(|error| panic!("{told}: {error:?}"));
            }
        }
    })
    .await;
}
