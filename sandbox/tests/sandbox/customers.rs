//! Changing customers.

use gridkey_sandbox::Customer;
use serde_json::{Value, json};

use crate::client::{Call, Server, activity, add_otp};

fn update(customer: &Customer, mut members: Value) -> Call {
    members["customerType"] = json!("INDIVIDUAL");
    Call::patch(format!("/customers/{}", customer.customer_id), members)
}

async fn nicknames(server: &Server) -> Vec<Value> {
    let path = format!(
        "/auth/credentials?accountId={}",
        server.customer().account_id
    );
    let listed = server.get(&path).await.expect(200);
    let listed = listed["data"].as_array().unwrap().iter();
    listed.map(|c| c["nickname"].clone()).collect()
}

#[tokio::test]
async fn a_contact_changes_with_its_credential() {
    let server = Server::start().await;
    let customer = server.customer();
    let session = server.sign_in_with_code().await;
    server.sign_in_with_text(&session).await;
    for (name, value, kind, parameter) in [
        (
            "email",
            "ada@new.example",
            "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
            "userEmail",
        ),
        (
            "phoneNumber",
            "+14155550199",
            "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER",
            "userPhoneNumber",
        ),
    ] {
        let call = update(&customer, json!({ name: value }));
        let before = nicknames(&server).await;
        let challenge = server.send(&call).await.expect(202);
        assert!(challenge.get("type").is_none());
        let activity = activity(&challenge);
        assert_eq!(activity["type"], kind);
        assert_eq!(activity["parameters"][parameter], value);
        assert_eq!(activity["parameters"].as_object().unwrap().len(), 2);
        assert_eq!(nicknames(&server).await, before);
        let updated = server.send(&call.signed(&challenge, &session.key)).await;
        assert_eq!(updated.expect(200)[name], value);
    }
    assert_eq!(
        nicknames(&server).await,
        ["ada@new.example", "+14155550199"]
    );
    server.expect_conformance();
}

#[tokio::test]
async fn without_a_tied_credential_it_changes_at_once() {
    let server = Server::start().await;
    let customer = server.customer();
    let call = update(&customer, json!({ "phoneNumber": "+14155550199" }));
    let updated = server.send(&call).await.expect(200);
    assert_eq!(updated["phoneNumber"], "+14155550199");
    assert_eq!(updated["email"], customer.email);
    let updated = server
        .send(&update(&customer, json!({ "fullName": "Ada Lovelace" })))
        .await
        .expect(200);
    assert_eq!(updated["fullName"], "Ada Lovelace");
    assert_eq!(updated["phoneNumber"], "+14155550199");
    // A credential that is added later has the new number.
    let session = server.sign_in_with_code().await;
    let call = add_otp(&customer.account_id, "SMS_OTP");
    let added = server.send_signed(&call, &session.key).await.expect(201);
    assert_eq!(added["nickname"], "+14155550199");
    server.expect_conformance();
}

#[tokio::test]
async fn refusals() {
    let server = Server::start().await;
    let [ada, bo] = server.sandbox.customers().try_into().unwrap();
    let session = server.sign_in_with_code().await;
    let text = server.sign_in_with_text(&session).await;
    for (customer, members, status, code, reason) in [
        (
            &ada,
            json!({ "email": "ada@new.example", "phoneNumber": "+14155550199" }),
            400,
            "INVALID_INPUT",
            "UPDATE_UNSUITABLE",
        ),
        (
            &ada,
            json!({ "email": bo.email }),
            409,
            "EMAIL_OTP_EMAIL_ALREADY_EXISTS",
            "CONTACT_TAKEN",
        ),
        (
            &bo,
            json!({ "phoneNumber": ada.phone_number }),
            409,
            "CONFLICT",
            "CONTACT_TAKEN",
        ),
    ] {
        let call = update(customer, members);
        server.send(&call).await.expect_error(status, code, reason);
    }
    server.expect_conformance();

    for malformed in [
        json!({ "email": "ada" }),
        json!({ "phoneNumber": "4155550199" }),
    ] {
        server.send(&update(&ada, malformed)).await.expect_error(
            400,
            "INVALID_INPUT",
            "CONTACT_MALFORMED",
        );
    }
    let unknown = Customer {
        customer_id: "Customer:x".to_owned(),
        ..ada.clone()
    };
    server
        .send(&update(&unknown, json!({ "email": "x@new.example" })))
        .await
        .expect_error(404, "REFERENCE_NOT_FOUND", "CUSTOMER_NOT_FOUND");

    // The credential went between the legs.
    let call = update(&ada, json!({ "email": "ada@new.example" }));
    let challenge = server.send(&call).await.expect(202);
    server
        .sandbox
        .remove_auth_method(&ada.email_otp_auth_method_id);
    server
        .send(&call.signed(&challenge, &text.key))
        .await
        .expect_error(
            409,
            "EMAIL_OTP_CREDENTIAL_SET_CHANGED",
            "CREDENTIAL_SET_CHANGED",
        );
}
