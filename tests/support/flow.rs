//! Everything that a customer has signed, proves or receives sealed, as attempts: each may be made
//! again until it has succeeded.

use std::{cell::Cell, rc::Rc};

use gridkey::{
    api::{
        client::CallOptions,
        request::Route,
        types::{AuthMethod, SignedRequestChallenge},
    },
    crypto::json::{Json, Limits},
    error::{ErrorCode, Result},
    flow::{
        client::Gridkey, key_delivery::KeyDelivery, oauth::OAuthOptions, otp::OtpSignIn,
        session::WalletSession, signed::Purpose, wallet::ExecuteOptions,
    },
    formats::intent::{Intent, Stated},
};
use serde_json::{Value, json};

use super::{World, code, enrolment};

pub const DEFAULTS: CallOptions = CallOptions {
    cancellation: None,
    timeout_ms: None,
};
pub const NEW_EMAIL: &str = "ada.new@example.com";
pub const NEW_PHONE_NUMBER: &str = "+4915112345678";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    SignInByEmail,
    SignInBySms,
    SignInByPasskey,
    SignInByOauth,
    Refresh,
    RevokeSession,
    AddPasskey,
    AddOauth,
    AddEmailOtp,
    AddSmsOtp,
    RevokePasskey,
    RevokeOauth,
    UpdateEmail,
    UpdatePhoneNumber,
    UpdatePrivacy,
    ExportMnemonic,
    ExecuteQuote,
    CreateDelegatedKey,
    SignedRequest,
}

/// A flow in a world where everything that it needs is there.
pub struct Attempt {
    flow: Flow,
    world: Rc<World>,
    pub client: Gridkey,
    /// Missing where the flow is a sign-in.
    pub session: Option<WalletSession>,
    /// What is signed in with, or revoked.
    subject: String,
    /// Of each of its calls.
    pub options: CallOptions,
}

impl Flow {
    pub const ALL: [Self; 19] = [
        Self::SignInByEmail,
        Self::SignInBySms,
        Self::SignInByPasskey,
        Self::SignInByOauth,
        Self::Refresh,
        Self::RevokeSession,
        Self::AddPasskey,
        Self::AddOauth,
        Self::AddEmailOtp,
        Self::AddSmsOtp,
        Self::RevokePasskey,
        Self::RevokeOauth,
        Self::UpdateEmail,
        Self::UpdatePhoneNumber,
        Self::UpdatePrivacy,
        Self::ExportMnemonic,
        Self::ExecuteQuote,
        Self::CreateDelegatedKey,
        Self::SignedRequest,
    ];

    pub async fn prepared(self, delivery: KeyDelivery) -> Attempt {
        self.prepared_in(World::new().await, delivery).await
    }

    /// Makes everything ready, honestly.
    pub async fn prepared_in(self, world: World, delivery: KeyDelivery) -> Attempt {
        let world = Rc::new(world);
        let client = world.client(delivery);
        let session = world.sign_in(&client).await;
        let customer = &world.customer;
        let subject = match self {
            Self::SignInByEmail => customer.email_otp_auth_method_id.clone(),
            Self::SignInBySms => sms(&world, &session).await.state().auth_method_id,
            Self::SignInByPasskey | Self::RevokePasskey | Self::AddEmailOtp => {
                world.add_passkey(&session, "Key").await
            }
            Self::SignInByOauth | Self::RevokeOauth => {
                let token = world.id_token(None);
                session.add_oauth(&token, None, &DEFAULTS).await.unwrap().id
            }
            Self::RevokeSession | Self::SignedRequest => {
                world.sign_in_by_code(&client).await.info().id.clone()
            }
            Self::UpdatePhoneNumber => sms(&world, &session).await.state().auth_method_id,
            _ => String::new(),
        };
        let session = match self {
            Self::SignInByEmail | Self::SignInBySms | Self::SignInByPasskey => None,
            Self::SignInByOauth => None,
            Self::AddEmailOtp => {
                let signed_in = client.sign_in_with_passkey(&subject, &DEFAULTS).await;
                let id = &customer.email_otp_auth_method_id;
                world.sandbox.remove_auth_method(id);
                Some(signed_in.unwrap())
            }
            _ => Some(session),
        };
        let attempt = Attempt {
            flow: self,
            world,
            client,
            session,
            subject,
            options: DEFAULTS,
        };
        if matches!(
            self,
            Self::UpdatePrivacy | Self::ExportMnemonic | Self::ExecuteQuote
        ) {
            // Whose wallet it is, is believed when it is first seen.
            attempt.make().await.unwrap();
        }
        attempt
    }
}

impl Attempt {
    pub fn world(&self) -> &World {
        &self.world
    }

    pub async fn make(&self) -> Result<()> {
        let Self {
            flow,
            world,
            client,
            session,
            subject,
            options,
        } = self;
        let customer = &world.customer;
        let session = || session.as_ref().unwrap();
        match flow {
            Flow::SignInByEmail | Flow::SignInBySms => {
                let otp = client.send_otp(subject, options).await?;
                otp.submit(&code("000000"), options).await.map(drop)
            }
            Flow::SignInByPasskey => client
                .sign_in_with_passkey(subject, options)
                .await
                .map(drop),
            Flow::SignInByOauth => {
                let oauth = client.prepare_oauth(oauth(subject)).await?;
                let token = world.id_token(Some(oauth.nonce()));
                oauth.submit(&token, options).await.map(drop)
            }
            Flow::Refresh => session().refresh(false, options).await,
            Flow::RevokeSession => session().revoke_session(subject, options).await,
            Flow::AddPasskey => {
                let enrolment = session()
                    .prepare_passkey_registration(enrolment("Key"), options.clone())
                    .await?;
                enrolment.confirm(options).await.map(drop)
            }
            Flow::AddOauth => {
                let token = world.id_token(None);
                session()
                    .add_oauth(&token, Some("page"), options)
                    .await
                    .map(drop)
            }
            Flow::AddEmailOtp => {
                let added = session().add_email_otp(&customer.email, options).await;
                self.activate(added).await
            }
            Flow::AddSmsOtp => {
                let number = &customer.phone_number;
                let added = session().add_sms_otp(number, options).await;
                self.activate(added).await
            }
            Flow::RevokePasskey | Flow::RevokeOauth => {
                session().revoke_auth_method(subject, None, options).await
            }
            Flow::UpdateEmail => {
                session()
                    .update_email(&customer.customer_id, NEW_EMAIL, options)
                    .await
            }
            Flow::UpdatePhoneNumber => {
                session()
                    .update_phone_number(&customer.customer_id, NEW_PHONE_NUMBER, options)
                    .await
            }
            Flow::UpdatePrivacy => session().update_privacy(true, options).await.map(drop),
            Flow::ExportMnemonic => {
                let organization_id = Some(customer.organization_id.clone());
                let exported = session().export_mnemonic(organization_id, options).await?;
                assert_eq!(*exported, customer.mnemonic.as_bytes());
                Ok(())
            }
            Flow::ExecuteQuote => {
                let request = world.quote_request();
                let quote = client.api().call(request, options).await?.body;
                let execute = ExecuteOptions::default();
                session()
                    .execute_quote(&quote, execute, options)
                    .await
                    .map(drop)
            }
            Flow::CreateDelegatedKey => {
                let purpose = delegation("Groceries");
                session()
                    .create_delegated_key(&customer.card_id, "Groceries", purpose, options)
                    .await
                    .map(drop)
            }
            Flow::SignedRequest => {
                let path = format!("/auth/sessions/{}", subject.replace(':', "%3A"));
                let route = Route::new("DELETE", path)?;
                let purpose = stated(Intent::RevokeSession);
                session()
                    .signed_request(route, None, purpose, options)
                    .await
                    .map(drop)
            }
        }
    }

    /// Enters the code of a credential that was just added, or that was added in an attempt before
    /// whose answer was not used.
    async fn activate(&self, added: Result<OtpSignIn>) -> Result<()> {
        let otp = match added {
            Err(error) if error.code() == ErrorCode::CredentialAlreadyExists => {
                let account_id = &self.world.customer.account_id;
                let methods = self
                    .client
                    .list_auth_methods(account_id, &self.options)
                    .await?;
                let of_kind = |method: &&AuthMethod| match self.flow {
                    Flow::AddSmsOtp => method.kind.as_str() == "SMS_OTP",
                    _ => method.kind.as_str() == "EMAIL_OTP",
                };
                let id = methods.iter().find(of_kind).unwrap().id.clone();
                self.client.send_otp(&id, &self.options).await?
            }
            added => added?,
        };
        otp.submit(&code("000000"), &self.options).await.map(drop)
    }
}

pub fn oauth(auth_method_id: &str) -> OAuthOptions {
    OAuthOptions {
        credential: auth_method_id.into(),
        client_id: Some("page".to_owned()),
        redirect: false,
    }
}

pub async fn sms(world: &World, session: &WalletSession) -> OtpSignIn {
    let number = &world.customer.phone_number;
    session.add_sms_otp(number, &DEFAULTS).await.unwrap()
}

/// A purpose that is known beforehand.
pub fn stated(intent: Intent) -> Purpose {
    let stated = Stated {
        intent,
        organization_id: None,
        expires_at_ms: None,
    };
    Rc::new(move |_: &SignedRequestChallenge| {
        let stated = stated.clone();
        Box::pin(async move { Ok(stated) })
    })
}

/// What an app makes of the payloads of a delegated key: it reads each with a parser of its own and
/// states everything but what it cannot know, which it takes from there.
pub fn delegation(nickname: &str) -> Purpose {
    let nickname = nickname.to_owned();
    let legs = Cell::new(0);
    Rc::new(move |challenge: &SignedRequestChallenge| {
        let seen: Value = serde_json::from_str(&challenge.payload_to_sign).unwrap_or_default();
        let (activity_type, parameters) = if legs.replace(1) == 0 {
            let public_key = seen.pointer("/parameters/users/0/apiKeys/0/publicKey");
            (
                "ACTIVITY_TYPE_CREATE_USERS_V3",
                json!({ "users": [{
                    "userName": nickname,
                    "userTags": [],
                    "apiKeys": [{
                        "apiKeyName": nickname,
                        "curveType": "API_KEY_CURVE_P256",
                        "publicKey": public_key,
                    }],
                    "authenticators": [],
                    "oauthProviders": [],
                }] }),
            )
        } else {
            let consensus = seen.pointer("/parameters/policies/0/consensus");
            let policy = |name: &str, activity: &str| {
                json!({
                    "policyName": format!("{nickname} {name}"),
                    "effect": "EFFECT_ALLOW",
                    "consensus": consensus,
                    "condition": format!("activity.type == '{activity}'"),
                    "notes": "",
                })
            };
            (
                "ACTIVITY_TYPE_CREATE_POLICIES",
                json!({ "policies": [
                    policy("signs", "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2"),
                    policy("removes itself", "ACTIVITY_TYPE_DELETE_USERS"),
                ] }),
            )
        };
        let stated = Stated {
            intent: Intent::Activity {
                activity_type: activity_type.to_owned(),
                parameters: parse(&parameters.to_string()),
            },
            organization_id: None,
            expires_at_ms: None,
        };
        Box::pin(async move { Ok(stated) })
    })
}

pub fn parse(text: &str) -> Json {
    let limits = Limits {
        bytes: 1 << 20,
        depth: 32,
    };
    Json::parse(text, limits).unwrap()
}
