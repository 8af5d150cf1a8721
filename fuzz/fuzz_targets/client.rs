//! The whole client, over answers of which the fuzzer chooses what is wrong: whatever comes, it ends,
//! panics never, and stamps nothing but what was asked for; and where nothing is wrong it succeeds.

#![no_main]

use std::{
    cell::{Cell, RefCell},
    future::pending,
    rc::Rc,
    sync::LazyLock,
};

use arbitrary::{Result, Unstructured};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    Error, ErrorCode,
    api::{
        call::{GridCall, GridReply},
        client::CallOptions,
        request::Route,
        types::AuthSession,
    },
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        hpke,
        json::{Json, Limits},
        key::{PrivateKey, PublicKey},
    },
    error,
    flow::{
        client::{Gridkey, Options, Ports},
        enrolment::EnrolmentOptions,
        key_delivery::KeyDelivery,
        oauth::OAuthOptions,
        session::WalletSession,
        signed::known,
        state::SessionState,
        wallet::ExecuteOptions,
    },
    formats::{intent::Intent, otp::OtpCode, session_key::SessionKey},
    ports::{LocalFuture, Transport},
};
use gridkey_fuzz::{
    judge::Asked,
    mutate::{self, CANARY},
    oracle, right, strict,
    world::{Choices, FuzzAuthenticator, FuzzClock, FuzzKeyStore, FuzzNotes, FuzzRandom, START_MS},
};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::Signature;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

fuzz_target!(|data: &[u8]| {
    run(data);
});

const ACCOUNT: &str = "InternalAccount:1";
const CUSTOMER: &str = "Customer:1";
const ORGANIZATION: &str = "org_1";
const EMAIL: &str = "ada@example.com";
const NEW_EMAIL: &str = "ada.new@example.com";
const PHONE: &str = "+4915112345678";
const MNEMONIC: &[u8] = b"leaf lady until indicate";
const SESSION: &str = "Session:1";
const TIMEOUT_MS: u64 = 10_000;

/// The keys of everybody but the client, by their scalars.
struct Keys {
    enclave: PrivateKey,
    exporter: PrivateKey,
    target: PrivateKey,
    held: PublicKey,
    sealed: PublicKey,
}

const HELD: [u8; 32] = [7; 32];
const SEALED: [u8; 32] = [9; 32];

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    enclave: right::of(&[1; 32]),
    exporter: right::of(&[2; 32]),
    target: right::of(&[3; 32]),
    held: right::of(&HELD).public_key().clone(),
    sealed: right::of(&SEALED).public_key().clone(),
});

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flow {
    SignInByCode,
    SignInByPasskey,
    SignInByPreparedPasskey,
    SignInByOauth,
    SignInAfterRedirect,
    Refresh,
    RevokeSession,
    SignOut,
    AddPasskey,
    AddOauth,
    AddEmail,
    AddPhone,
    RevokePasskey,
    RevokeOauth,
    UpdateEmail,
    UpdatePhone,
    UpdatePrivacy,
    Export,
    ExecuteQuote,
    SignedRequest,
    List,
}

const FLOWS: [Flow; 21] = [
    Flow::SignInByCode,
    Flow::SignInByPasskey,
    Flow::SignInByPreparedPasskey,
    Flow::SignInByOauth,
    Flow::SignInAfterRedirect,
    Flow::Refresh,
    Flow::RevokeSession,
    Flow::SignOut,
    Flow::AddPasskey,
    Flow::AddOauth,
    Flow::AddEmail,
    Flow::AddPhone,
    Flow::RevokePasskey,
    Flow::RevokeOauth,
    Flow::UpdateEmail,
    Flow::UpdatePhone,
    Flow::UpdatePrivacy,
    Flow::Export,
    Flow::ExecuteQuote,
    Flow::SignedRequest,
    Flow::List,
];

impl Flow {
    /// Whether it never succeeds without a stamp. What is not there any more needs none to be revoked,
    /// and Grid may change a contact that no credential is tied to without one.
    fn is_signed(self) -> bool {
        matches!(
            self,
            Self::SignInByCode
                | Self::Refresh
                | Self::AddPasskey
                | Self::AddOauth
                | Self::AddEmail
                | Self::AddPhone
                | Self::UpdatePrivacy
                | Self::Export
                | Self::ExecuteQuote
                | Self::SignedRequest
        )
    }
}

fn run(data: &[u8]) {
    let [flow, options, rest @ ..] = data else {
        return;
    };
    let flow = FLOWS[usize::from(*flow) % FLOWS.len()];
    let delivery = match options & 1 {
        0 => KeyDelivery::Sealed,
        _ => KeyDelivery::ClientHeld,
    };
    let knows = options & 2 != 0;
    let choices = Rc::new(Choices::new(rest));
    let is_altered = Rc::new(Cell::new(false));
    let notes = FuzzNotes::default();
    if options & 4 != 0
        && let Some(altered) = choices.next()
    {
        is_altered.set(true);
        let note = note(&mut Unstructured::new(&altered)).unwrap_or_default();
        notes
            .0
            .borrow_mut()
            .insert(format!("wallet:{ACCOUNT}"), note);
    }
    let clock = Rc::new(FuzzClock::default());
    let authenticator = Rc::new(FuzzAuthenticator {
        choices: choices.clone(),
        is_altered: is_altered.clone(),
        made: RefCell::default(),
    });
    let grid = Rc::new(Grid {
        flow,
        knows,
        clock: clock.clone(),
        choices,
        is_altered: is_altered.clone(),
        authenticator: authenticator.clone(),
        client: RefCell::new(None),
        client_public_key: RefCell::default(),
        requests: Cell::new(0),
        served: RefCell::default(),
        replies: RefCell::default(),
        stamps: Cell::new(0),
    });
    let client = Gridkey::new(
        Ports {
            transport: grid.clone(),
            authenticator,
            clock: clock.clone(),
            random: Rc::new(FuzzRandom::default()),
            key_store: Rc::new(FuzzKeyStore(Rc::new(right::of(&HELD)))),
            notes: Rc::new(notes),
        },
        Options {
            session_keys: delivery,
            enclave: EnclaveKeys {
                otp: KEYS.enclave.public_key().clone(),
                export: ExportTrust::Key(KEYS.exporter.public_key().clone()),
            },
            rp_id: None,
            rp_name: None,
            timeout_ms: TIMEOUT_MS,
            observer: Some(Rc::new(|event| {
                assert!(event.body.as_ref().is_none_or(is_redacted), "{event:?}");
            })),
            organizations: match knows {
                true => vec![(ACCOUNT.to_owned(), ORGANIZATION.to_owned())],
                false => Vec::new(),
            },
        },
    );
    grid.client.replace(Some(client.clone()));
    let done = clock.run(carry_out(flow, &client, &grid));
    match &done {
        Ok(()) => assert!(
            !flow.is_signed() || grid.stamps.get() > 0,
            "{flow:?} succeeded unsigned"
        ),
        Err(error) => {
            assert!(is_altered.get(), "{flow:?}: {error:?}");
            assert!(ErrorCode::ALL.contains(&error.code()));
            assert!(!error.message().contains(CANARY), "{error}");
        }
    }
    let is_signing_in = matches!(
        flow,
        Flow::SignInByCode
            | Flow::SignInByPasskey
            | Flow::SignInByPreparedPasskey
            | Flow::SignInByOauth
            | Flow::SignInAfterRedirect
    );
    if is_signing_in {
        // The session is held by nobody any more.
        assert!(matches!(client.state(), SessionState::SignedOut { .. }));
    }
    clock.clear();
    grid.client.replace(None);
}

/// What a script of this origin may have written.
fn note(u: &mut Unstructured<'_>) -> Result<String> {
    let mut note = Json::object([
        ("organizationId", ORGANIZATION.into()),
        ("isConfirmed", u.arbitrary::<bool>()?.into()),
        ("executeQuote", "wallet_1".into()),
        ("exportWallet", "wallet_1".into()),
        ("updatePrivacy", "sp1q".into()),
    ]);
    mutate::json(u, &mut note)?;
    let mut text = mutate::written(u, &note)?;
    mutate::text(u, &mut text)?;
    Ok(text)
}

/// Nothing is as long as a key, a token or a payload, whatever stood in the place of what.
fn is_redacted(json: &Json) -> bool {
    let is_short = |text: &str| text.chars().count() < 64;
    match json {
        Json::String(text) => is_short(text),
        Json::Array(items) => items.iter().all(is_redacted),
        Json::Object(members) => members
            .iter()
            .all(|(name, value)| is_short(name) && is_redacted(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
    }
}

async fn carry_out(flow: Flow, client: &Gridkey, grid: &Grid) -> error::Result<()> {
    let options = &CallOptions::default();
    let session = || {
        client.adopt_session(session_of("PASSKEY"), || {
            SessionKey::from_private_key(&HELD)
        })
    };
    match flow {
        Flow::SignInByCode => {
            let otp = client.send_otp("AuthMethod:email", options).await?;
            // As over a reload of the page.
            let otp = client.resume_otp(otp.state())?;
            let code = OtpCode::new(b"123456").unwrap();
            let session = otp.submit(&code, options).await?;
            grid.check_key(client, &session, false);
        }
        Flow::SignInByPasskey => {
            let session = client
                .sign_in_with_passkey("AuthMethod:passkey", options)
                .await?;
            grid.check_key(client, &session, true);
        }
        Flow::SignInByPreparedPasskey => {
            let prepared = client
                .prepare_passkey("AuthMethod:passkey", options.clone())
                .await?;
            let session = prepared.confirm(options).await?;
            grid.check_key(client, &session, true);
        }
        Flow::SignInByOauth | Flow::SignInAfterRedirect => {
            let redirect = flow == Flow::SignInAfterRedirect;
            let mut oauth = client
                .prepare_oauth(OAuthOptions {
                    credential: "AuthMethod:oauth".into(),
                    client_id: Some("page".to_owned()),
                    redirect,
                })
                .await?;
            if let Some(state) = oauth.state() {
                oauth = client.resume_oauth(state).await?;
            }
            let token = id_token(grid.clock_s(), Some(oauth.nonce()));
            let session = oauth.submit(&token, options).await?;
            grid.check_key(client, &session, !redirect);
        }
        Flow::Refresh => {
            let session = session()?;
            session.refresh(true, options).await?;
            grid.check_key(client, &session, true);
        }
        Flow::RevokeSession => session()?.revoke_session("Session:2", options).await?,
        Flow::SignOut => {
            session()?.sign_out(options).await;
        }
        Flow::AddPasskey => {
            let session = session()?;
            let enrolment = EnrolmentOptions {
                nickname: "Key".to_owned(),
                user_name: None,
                user_display_name: None,
            };
            let prepared = session.prepare_passkey_registration(enrolment, options.clone());
            prepared.await?.confirm(options).await?;
        }
        Flow::AddOauth => {
            let token = id_token(grid.clock_s(), None);
            session()?.add_oauth(&token, Some("page"), options).await?;
        }
        Flow::AddEmail => drop(session()?.add_email_otp(EMAIL, options).await?),
        Flow::AddPhone => drop(session()?.add_sms_otp(PHONE, options).await?),
        Flow::RevokePasskey | Flow::RevokeOauth => {
            session()?
                .revoke_auth_method("AuthMethod:2", None, options)
                .await?;
        }
        Flow::UpdateEmail => {
            session()?
                .update_email(CUSTOMER, NEW_EMAIL, options)
                .await?
        }
        Flow::UpdatePhone => {
            session()?
                .update_phone_number(CUSTOMER, PHONE, options)
                .await?
        }
        Flow::UpdatePrivacy => drop(session()?.update_privacy(true, options).await?),
        Flow::Export => {
            let organization_id = Some(ORGANIZATION.to_owned());
            let mnemonic = session()?.export_mnemonic(organization_id, options).await?;
            assert_eq!(*mnemonic, MNEMONIC);
        }
        Flow::ExecuteQuote => {
            let session = session()?;
            let request = gridkey::api::request::Request::new(
                gridkey::api::operation::Operation::CreateQuote,
            )
            .with_body([
                (
                    "source",
                    Json::object([
                        ("sourceType", "ACCOUNT".into()),
                        ("accountId", ACCOUNT.into()),
                    ]),
                ),
                (
                    "destination",
                    Json::object([
                        ("destinationType", "UMA_ADDRESS".into()),
                        ("umaAddress", "$bo@example.com".into()),
                    ]),
                ),
                ("lockedCurrencySide", "SENDING".into()),
                ("lockedCurrencyAmount", Json::from(500_u64)),
            ]);
            let quote = client.api().call(request, options).await?.body;
            let execute = ExecuteOptions::default();
            session.execute_quote(&quote, execute, options).await?;
        }
        Flow::SignedRequest => {
            let route = Route::new("POST", "/auth/something".to_owned())?;
            let purpose = known(activity(), None);
            session()?
                .signed_request(route, Some(Json::Object(Vec::new())), purpose, options)
                .await?;
        }
        Flow::List => drop(client.list_auth_methods(ACCOUNT, options).await?),
    }
    Ok(())
}

const ACTIVITY: &str = "ACTIVITY_TYPE_SOMETHING_NEW";

fn activity_parameters() -> Json {
    Json::object([("what", "something".into()), ("howMany", Json::from(2_u64))])
}

fn activity() -> Intent {
    Intent::Activity {
        activity_type: ACTIVITY.to_owned(),
        parameters: activity_parameters(),
    }
}

fn id_token(now_s: i64, nonce: Option<&str>) -> String {
    let header = Json::object([("alg", "RS256".into())]);
    let number = |number: i64| Json::Number(number.to_string());
    let mut claims = vec![
        ("iss".to_owned(), Json::from("https://provider.example")),
        ("sub".to_owned(), Json::from("1")),
        ("aud".to_owned(), Json::from("page")),
        ("iat".to_owned(), number(now_s)),
        ("exp".to_owned(), number(now_s + 600)),
    ];
    claims.extend(nonce.map(|nonce| ("nonce".to_owned(), Json::from(nonce))));
    [header, Json::Object(claims)]
        .map(|part| BASE64.encode(part.to_text()))
        .join(".")
        + ".c2ln"
}

fn rfc_3339(ms: i64) -> Json {
    let time = OffsetDateTime::from_unix_timestamp(ms / 1000).unwrap();
    time.format(&Rfc3339).unwrap().into()
}

fn session_of(kind: &str) -> AuthSession {
    AuthSession::from_json(&session_json(SESSION, kind, START_MS, None)).unwrap()
}

fn session_json(id: &str, kind: &str, now_ms: i64, sealed: Option<String>) -> Json {
    let mut members = vec![
        ("id".to_owned(), Json::from(id)),
        ("accountId".to_owned(), ACCOUNT.into()),
        ("type".to_owned(), kind.into()),
        ("nickname".to_owned(), "Ada".into()),
        ("createdAt".to_owned(), rfc_3339(now_ms)),
        ("updatedAt".to_owned(), rfc_3339(now_ms)),
        ("expiresAt".to_owned(), rfc_3339(now_ms + 900_000)),
    ];
    members.extend(sealed.map(|sealed| ("encryptedSessionSigningKey".to_owned(), sealed.into())));
    Json::Object(members)
}

/// Grid, which answers rightly unless the fuzzer chooses otherwise, and sees what is stamped.
struct Grid {
    flow: Flow,
    /// Whether the client was told its customer's organization.
    knows: bool,
    clock: Rc<FuzzClock>,
    choices: Rc<Choices>,
    is_altered: Rc<Cell<bool>>,
    authenticator: Rc<FuzzAuthenticator>,
    /// For the time that it goes by.
    client: RefCell<Option<Gridkey>>,
    /// The last that was sent.
    client_public_key: RefCell<String>,
    requests: Cell<usize>,
    /// The challenges that were answered: request id, payload, end and credential's kind.
    served: RefCell<Vec<Served>>,
    replies: RefCell<Vec<(&'static str, GridReply)>>,
    stamps: Cell<usize>,
}

#[derive(Clone)]
struct Served {
    request_id: Option<String>,
    payload: String,
    expires_at_ms: i64,
    kind: Option<String>,
}

impl Transport for Grid {
    fn send(&self, call: GridCall) -> LocalFuture<'_, error::Result<GridReply>> {
        self.requests.set(self.requests.get() + 1);
        assert!(
            self.requests.get() < 200,
            "{:?} asks without end",
            self.flow
        );
        if call.stamp.is_some() {
            self.check_stamp(&call);
        }
        let body = call
            .body
            .as_deref()
            .and_then(|body| strict::read(body, 1 << 20, 32));
        let body = body.unwrap_or(Json::Null);
        if let Some(key) = strict::text(&body, "clientPublicKey") {
            self.client_public_key.replace(key.to_owned());
        }
        let (status, json) = self.answer(&call, &body);
        let mut reply = Some(GridReply {
            status,
            body: match json {
                Json::Null => Vec::new(),
                json => json.to_text().into_bytes(),
            },
            retry_after_ms: None,
            date_ms: Some(START_MS.max(self.clock_s() * 1000)),
        });
        let mut answers = true;
        if let Some(choices) = self.choices.next() {
            self.is_altered.set(true);
            let mut u = Unstructured::new(&choices);
            answers = self
                .alter(&mut u, &call, json_of(&reply), &mut reply)
                .unwrap_or(true);
        }
        if let Some(reply) = &reply {
            self.replies
                .borrow_mut()
                .push((call.operation, reply.clone()));
            self.note_served(reply);
        }
        Box::pin(async move {
            if !answers {
                pending::<()>().await;
            }
            reply.ok_or_else(|| Error::new(ErrorCode::Network, "no answer"))
        })
    }
}

fn json_of(reply: &Option<GridReply>) -> Json {
    let text = reply
        .as_ref()
        .map(|reply| String::from_utf8_lossy(&reply.body));
    strict::read(&text.unwrap_or_default(), 1 << 20, 32).unwrap_or(Json::Null)
}

impl Grid {
    fn clock_s(&self) -> i64 {
        use gridkey::ports::Clock as _;
        self.clock.now_ms().div_euclid(1000)
    }

    fn now_ms(&self) -> i64 {
        self.clock_s() * 1000
    }

    /// Something else than the right answer; `false`: none ever.
    fn alter(
        &self,
        u: &mut Unstructured<'_>,
        call: &GridCall,
        mut json: Json,
        reply: &mut Option<GridReply>,
    ) -> Result<bool> {
        let Some(right) = reply else {
            return Ok(true);
        };
        match u.int_in_range(0..=12)? {
            0..=2 => mutate::json(u, &mut json)?,
            3 | 4 => {
                // The payload inside.
                let Json::Object(members) = &mut json else {
                    return Ok(true);
                };
                let payload = members.iter_mut().find(|(name, _)| name == "payloadToSign");
                let Some((_, Json::String(payload))) = payload else {
                    mutate::json(u, &mut json)?;
                    right.body = json.to_text().into_bytes();
                    return Ok(true);
                };
                match strict::read(payload, 1 << 20, 32) {
                    Some(mut activity) => {
                        mutate::json(u, &mut activity)?;
                        *payload = mutate::written(u, &activity)?;
                    }
                    None => mutate::text(u, payload)?,
                }
            }
            5 => {
                // What belongs to something else.
                let other = *u.choose(&FLOWS)?;
                if let Json::Object(members) = &mut json {
                    for (name, value) in members {
                        if name == "payloadToSign" {
                            *value = self.payload(other, "").to_text().into();
                        }
                    }
                }
            }
            6 => {
                right.status = match u.int_in_range(0..=3)? {
                    0 => u.arbitrary()?,
                    1 => *u.choose(&[200, 201, 202, 204])?,
                    _ => {
                        *u.choose(&[301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503])?
                    }
                };
                return Ok(true);
            }
            7 => {
                right.status = *u.choose(&[400, 401, 403, 404, 409, 410, 424, 429, 500, 503])?;
                let code = *u.choose(&["UNAUTHORIZED", "INVALID_INPUT", "CONFLICT", CANARY])?;
                let mut body = Json::object([
                    ("status", Json::from(u64::from(right.status))),
                    ("code", code.into()),
                    ("message", CANARY.into()),
                    ("details", Json::object([("reason", CANARY.into())])),
                ]);
                mutate::json(u, &mut body)?;
                json = body;
            }
            8 => {
                right.body = match u.int_in_range(0..=2)? {
                    0 => mutate::some(u, 200)?.to_vec(),
                    1 => b"<html>".to_vec(),
                    _ => {
                        let mut bytes = right.body.clone();
                        mutate::bytes(u, &mut bytes)?;
                        bytes
                    }
                };
                return Ok(true);
            }
            9 => {
                *reply = None;
                return Ok(true);
            }
            10 => return Ok(false),
            11 => {
                right.date_ms = match u.int_in_range(0..=2)? {
                    0 => None,
                    1 => Some(u.arbitrary()?),
                    _ => Some(self.now_ms() + i64::from(u.int_in_range(-200..=200)?) * 1000),
                };
                right.retry_after_ms = u.arbitrary()?;
                return Ok(true);
            }
            _ => {
                let replies = self.replies.borrow();
                let mut before = replies.iter().rev();
                if let Some((_, before)) =
                    before.find(|(operation, _)| *operation == call.operation)
                {
                    *right = before.clone();
                }
                return Ok(true);
            }
        }
        right.body = mutate::written(u, &json)?.into_bytes();
        Ok(true)
    }

    fn note_served(&self, reply: &GridReply) {
        let Some(json) = std::str::from_utf8(&reply.body)
            .ok()
            .and_then(|text| strict::read(text.trim_start(), 1 << 20, 32))
        else {
            return;
        };
        let expires_at = strict::text(&json, "expiresAt");
        let expires_at = expires_at.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let expires_at_ms = expires_at.map_or(i64::MAX, |time| {
            i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap()
        });
        let serve = |payload: &str| {
            self.served.borrow_mut().push(Served {
                request_id: strict::text(&json, "requestId").map(str::to_owned),
                payload: payload.to_owned(),
                expires_at_ms,
                kind: strict::text(&json, "type").map(str::to_owned),
            });
        };
        if let Some(payload) = strict::text(&json, "payloadToSign") {
            serve(payload);
        }
        if let Some(Json::Array(instructions)) = strict::member(&json, "paymentInstructions") {
            for instruction in instructions {
                let wallet = strict::member(instruction, "accountOrWalletInfo");
                if let Some(payload) =
                    wallet.and_then(|wallet| strict::text(wallet, "payloadToSign"))
                {
                    serve(payload);
                }
            }
        }
    }

    /// A stamp is by the right key, over a payload that was served, which is what was asked for.
    fn check_stamp(&self, call: &GridCall) {
        self.stamps.set(self.stamps.get() + 1);
        let stamp = BASE64.decode(call.stamp.as_ref().unwrap()).unwrap();
        let stamp = strict::read(std::str::from_utf8(&stamp).unwrap(), 4096, 1).unwrap();
        let Json::Object(members) = &stamp else {
            panic!("a stamp is an object");
        };
        assert_eq!(members.len(), 3);
        assert_eq!(
            strict::text(&stamp, "scheme"),
            Some("SIGNATURE_SCHEME_TK_API_P256")
        );
        let unhex = |name: &str| gridkey_fuzz::unhex(strict::text(&stamp, name).unwrap()).unwrap();
        let public_key = oracle::point(&unhex("publicKey")).unwrap();
        let signature = Signature::from_der(&unhex("signature")).unwrap();
        let served = self.served.borrow();
        let served = served
            .iter()
            .rev()
            .find(|served| call.request_id.is_none() || served.request_id == call.request_id)
            .expect("a stamp answers a challenge");
        let is_signed = oracle::verifies(&public_key, served.payload.as_bytes(), &signature);
        assert!(is_signed, "the stamp is over something else");
        if call.operation == "verifyAuthCredential" {
            self.check_token(&served.payload, &public_key);
            return;
        }
        let client_public_key = self.client_public_key.borrow();
        let is_held = public_key == *KEYS.held.as_uncompressed();
        let is_new = public_key == *KEYS.sealed.as_uncompressed()
            || gridkey_fuzz::unhex(&client_public_key).and_then(|sec1| oracle::point(&sec1))
                == Some(public_key);
        // With the new key, only the session before it is revoked.
        let may_be_new = (self.flow, call.operation) == (Flow::Refresh, "revokeAuthSession");
        assert!(is_held || is_new && may_be_new, "another key has stamped");
        let now_ms = self.client.borrow().as_ref().unwrap().api().time().now_ms();
        let made = self.authenticator.made.borrow();
        let token;
        let parameters = activity_parameters();
        let (kind, stated) = match (call.operation, self.flow) {
            // Of the old session after a refresh, too.
            ("revokeAuthSession", _) => ("revokeSession", vec![]),
            ("refreshAuthSession", Flow::Refresh) => (
                "refreshSession",
                vec![("clientPublicKey", client_public_key.as_str())],
            ),
            ("createAuthCredential", Flow::AddEmail) => ("setEmail", vec![("email", EMAIL)]),
            ("updateCustomerById", Flow::UpdateEmail) => ("setEmail", vec![("email", NEW_EMAIL)]),
            ("createAuthCredential", Flow::AddPhone)
            | ("updateCustomerById", Flow::UpdatePhone) => {
                ("setPhone", vec![("phoneNumber", PHONE)])
            }
            ("createAuthCredential", Flow::AddOauth) => {
                let body = strict::read(call.body.as_ref().unwrap(), 1 << 20, 32).unwrap();
                token = strict::text(&body, "oidcToken").unwrap().to_owned();
                ("addOauth", vec![("oidcToken", token.as_str())])
            }
            ("createAuthCredential", Flow::AddPasskey) => {
                let made = made.last().expect("a passkey was made");
                let body = strict::read(call.body.as_ref().unwrap(), 1 << 20, 32).unwrap();
                token = strict::text(&body, "challenge").unwrap().to_owned();
                (
                    "addPasskey",
                    vec![
                        ("attestationObject", made.attestation_object.as_str()),
                        ("clientDataJson", &made.client_data_json),
                        ("credentialId", &made.credential_id),
                        ("challenge", &token),
                        ("nickname", "Key"),
                    ],
                )
            }
            ("revokeAuthCredential", Flow::RevokePasskey | Flow::RevokeOauth) => {
                match served.kind.as_deref() {
                    Some("PASSKEY") => ("revokePasskey", vec![]),
                    Some("OAUTH") => ("revokeOauth", vec![]),
                    kind => panic!("a stamp to revoke {kind:?}"),
                }
            }
            ("updateInternalAccount", Flow::UpdatePrivacy) => ("updatePrivacy", vec![]),
            ("exportInternalAccount", Flow::Export) => (
                "exportWallet",
                vec![("clientPublicKey", client_public_key.as_str())],
            ),
            ("executeQuote", Flow::ExecuteQuote) => ("executeQuote", vec![]),
            ("signedRequest", Flow::SignedRequest) => ("activity", vec![]),
            (operation, flow) => panic!("{flow:?} stamped {operation}"),
        };
        let asked = Asked {
            kind,
            stated,
            activity: Some((ACTIVITY, &parameters)),
            organization_id: (self.knows || kind == "exportWallet").then_some(ORGANIZATION),
            expires_at_ms: Some(served.expires_at_ms),
            now_ms,
        };
        assert!(asked.is(&served.payload), "{asked:?} {}", served.payload);
    }

    /// The token is the enclave's, for the key that stamps it.
    fn check_token(&self, token: &str, public_key: &[u8; 65]) {
        let (signing_input, signature) = token.rsplit_once('.').unwrap();
        let (_, claims) = signing_input.split_once('.').unwrap();
        let signature = Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
        let enclave = KEYS.enclave.public_key().as_uncompressed();
        assert!(oracle::verifies(
            enclave,
            signing_input.as_bytes(),
            &signature
        ));
        let claims = BASE64.decode(claims).unwrap();
        let claims = strict::read(std::str::from_utf8(&claims).unwrap(), 8192, 16).unwrap();
        let claimed = strict::text(&claims, "public_key").and_then(gridkey_fuzz::unhex);
        assert_eq!(oracle::point(&claimed.unwrap()), Some(*public_key));
    }

    /// The session's key is the one that an enclave sealed, or the one that was sent; and it is shown.
    fn check_key(&self, client: &Gridkey, session: &WalletSession, is_delivered: bool) {
        let shown = session.info().public_key.clone();
        let sent = self.client_public_key.borrow();
        let is_right = match is_delivered && sent.len() == 130 {
            true => shown == KEYS.sealed.to_compressed_hex(),
            false => shown == *sent,
        };
        assert!(is_right, "{shown} {sent}");
        assert!(matches!(client.state(), SessionState::SignedIn(info) if info.public_key == shown));
    }
}

/// What is right.
impl Grid {
    fn answer(&self, call: &GridCall, body: &Json) -> (u16, Json) {
        let now_ms = self.now_ms();
        let is_signed = call.stamp.is_some();
        let param = |name: &str| {
            let (_, value) = call.params.iter().find(|(param, _)| *param == name)?;
            Some(value.as_str())
        };
        let id = param("id").unwrap_or_default();
        let kind = strict::text(body, "type").unwrap_or_default();
        match (call.operation, is_signed) {
            ("challengeAuthCredential", _) if id.ends_with("passkey") => {
                let mut json = self.method(id, "PASSKEY", "Key");
                if let Json::Object(members) = &mut json {
                    members.extend([
                        ("challenge".to_owned(), "0a".repeat(32).into()),
                        ("requestId".to_owned(), self.request_id()),
                        ("expiresAt".to_owned(), rfc_3339(now_ms + 300_000)),
                    ]);
                }
                (200, json)
            }
            ("challengeAuthCredential", _) => {
                (200, self.with_bundle(self.method(id, "EMAIL_OTP", EMAIL)))
            }
            ("verifyAuthCredential", false) if kind == "EMAIL_OTP" => {
                (202, self.challenge(self.token(body), kind))
            }
            ("verifyAuthCredential", true) => {
                (200, session_json(SESSION, "EMAIL_OTP", now_ms, None))
            }
            ("verifyAuthCredential", false) => {
                (200, session_json(SESSION, kind, now_ms, self.sealed()))
            }
            ("refreshAuthSession", true) => (
                201,
                session_json("Session:3", "PASSKEY", now_ms, self.sealed()),
            ),
            ("revokeAuthSession" | "revokeAuthCredential", true) => (204, Json::Null),
            ("createAuthCredential", true) => (
                201,
                match kind {
                    "EMAIL_OTP" => self.with_bundle(self.method("AuthMethod:3", kind, EMAIL)),
                    "SMS_OTP" => self.with_bundle(self.method("AuthMethod:3", kind, PHONE)),
                    kind => self.method("AuthMethod:3", kind, "Key"),
                },
            ),
            ("createPasskeyRegistrationOptions", _) => (
                200,
                Json::object([
                    ("challenge", BASE64.encode([5; 32]).into()),
                    ("expiresAt", rfc_3339(now_ms + 300_000)),
                    ("rp", Json::object([("id", "wallet.example".into())])),
                    (
                        "user",
                        Json::object([
                            ("id", BASE64.encode(b"ada").into()),
                            ("name", "Ada".into()),
                        ]),
                    ),
                ]),
            ),
            ("updateCustomerById", true) => (200, Json::object([("id", CUSTOMER.into())])),
            ("updateInternalAccount", true) => {
                let amount = || {
                    Json::object([
                        ("amount", Json::from(5_u64)),
                        ("currency", Json::Object(Vec::new())),
                    ])
                };
                (
                    200,
                    Json::object([
                        ("id", ACCOUNT.into()),
                        ("type", "EMBEDDED_WALLET".into()),
                        ("status", "ACTIVE".into()),
                        ("balance", amount()),
                        ("totalBalance", amount()),
                        ("privateEnabled", true.into()),
                        ("createdAt", rfc_3339(now_ms)),
                        ("updatedAt", rfc_3339(now_ms)),
                    ]),
                )
            }
            ("exportInternalAccount", true) => (
                200,
                Json::object([
                    ("id", ACCOUNT.into()),
                    ("encryptedWalletCredentials", self.export().into()),
                ]),
            ),
            ("createQuote", _) => (201, self.quote()),
            ("executeQuote", _) => (200, self.quote()),
            ("listAuthCredentials", _) => (
                200,
                Json::object([(
                    "data",
                    Json::Array(vec![
                        self.method("AuthMethod:email", "EMAIL_OTP", EMAIL),
                        self.method("AuthMethod:passkey", "PASSKEY", "Key"),
                    ]),
                )]),
            ),
            ("signedRequest", true) => (200, Json::object([("done", true.into())])),
            _ => {
                let kind = match self.flow {
                    Flow::RevokeOauth | Flow::AddOauth => "OAUTH",
                    _ => "PASSKEY",
                };
                let flow = match call.operation {
                    "revokeAuthSession" => Flow::RevokeSession,
                    _ => self.flow,
                };
                let payload = self.payload(flow, call.body.as_deref().unwrap_or_default());
                (202, self.challenge(payload.to_text(), kind))
            }
        }
    }

    fn request_id(&self) -> Json {
        format!("Request:{}", self.requests.get()).into()
    }

    fn challenge(&self, payload: String, kind: &str) -> Json {
        Json::object([
            ("payloadToSign", payload.into()),
            ("requestId", self.request_id()),
            ("expiresAt", rfc_3339(self.now_ms() + 300_000)),
            ("type", kind.into()),
        ])
    }

    fn method(&self, id: &str, kind: &str, nickname: &str) -> Json {
        let mut members = vec![
            ("id".to_owned(), Json::from(id)),
            ("accountId".to_owned(), ACCOUNT.into()),
            ("type".to_owned(), kind.into()),
            ("nickname".to_owned(), nickname.into()),
            ("createdAt".to_owned(), rfc_3339(START_MS)),
            ("updatedAt".to_owned(), rfc_3339(START_MS)),
        ];
        if kind == "PASSKEY" {
            let made = self.authenticator.made.borrow();
            let id = made.last().map(|made| made.credential_id.clone());
            let id = id.unwrap_or_else(|| BASE64.encode(b"a passkey"));
            members.push(("credentialId".to_owned(), id.into()));
        }
        Json::Object(members)
    }

    fn with_bundle(&self, mut method: Json) -> Json {
        let target = Json::object([(
            "targetPublic",
            KEYS.target.public_key().to_uncompressed_hex().into(),
        )]);
        if let Json::Object(members) = &mut method {
            let bundle = envelope(&KEYS.enclave, target.to_text().as_bytes());
            members.push(("otpEncryptionTargetBundle".to_owned(), bundle.into()));
        }
        method
    }

    /// Opens what the code was sealed with, as the enclave does, and answers a right one.
    fn token(&self, body: &Json) -> String {
        let sealed = strict::text(body, "encryptedOtpBundle").unwrap();
        let sealed = strict::read(sealed, 4096, 2).unwrap();
        let unhex = |name: &str| gridkey_fuzz::unhex(strict::text(&sealed, name).unwrap()).unwrap();
        let encapped = PublicKey::from_sec1(&unhex("encappedPublic")).unwrap();
        let opened = hpke::open(&KEYS.target, &encapped, &unhex("ciphertext")).unwrap();
        let opened = strict::read(std::str::from_utf8(&opened).unwrap(), 4096, 2).unwrap();
        assert_eq!(strict::text(&opened, "otp_code"), Some("123456"));
        let public_key = strict::text(&opened, "public_key").unwrap();
        let sent = PublicKey::from_hex(public_key).unwrap();
        self.client_public_key.replace(sent.to_compressed_hex());
        let header = Json::object([("alg", "ES256".into()), ("typ", "JWT".into())]);
        let claims = Json::object([
            ("contact", EMAIL.into()),
            ("exp", (self.now_ms() + 300_000).to_string().into()),
            ("organization_id", ORGANIZATION.into()),
            ("public_key", public_key.into()),
            ("verification_type", "OTP_TYPE_EMAIL".into()),
        ]);
        let signing_input = [header, claims]
            .map(|part| BASE64.encode(part.to_text()))
            .join(".");
        let signature = right::signature(&KEYS.enclave, signing_input.as_bytes());
        format!("{signing_input}.{}", BASE64.encode(signature))
    }

    /// The session's key, where it was asked for.
    fn sealed(&self) -> Option<String> {
        let receiver = self.client_public_key.borrow();
        let receiver = PublicKey::from_hex(&receiver)
            .ok()
            .filter(|_| receiver.len() == 130)?;
        let sealed = hpke::seal(&receiver, &SEALED, &right::Told([4; 32])).unwrap();
        let payload = [
            sealed.encapped.to_compressed().as_slice(),
            &sealed.ciphertext,
        ]
        .concat();
        Some(bs58::encode(payload).with_check().into_string())
    }

    fn export(&self) -> String {
        let receiver = PublicKey::from_hex(&self.client_public_key.borrow()).unwrap();
        let sealed = hpke::seal(&receiver, MNEMONIC, &right::Told([6; 32])).unwrap();
        let data = Json::object([
            (
                "encappedPublic",
                sealed.encapped.to_uncompressed_hex().into(),
            ),
            ("ciphertext", gridkey_fuzz::hex(&sealed.ciphertext).into()),
            ("organizationId", ORGANIZATION.into()),
        ]);
        envelope(&KEYS.exporter, data.to_text().as_bytes())
    }

    fn quote(&self) -> Json {
        let payload = self.payload(Flow::ExecuteQuote, "").to_text();
        let none = || Json::Object(Vec::new());
        let wallet = Json::object([
            ("accountType", "EMBEDDED_WALLET".into()),
            ("payloadToSign", payload.into()),
        ]);
        Json::object([
            ("id", "Quote:1".into()),
            ("status", "PENDING".into()),
            ("createdAt", rfc_3339(START_MS)),
            ("expiresAt", rfc_3339(START_MS + 600_000)),
            (
                "source",
                Json::object([
                    ("sourceType", "ACCOUNT".into()),
                    ("accountId", ACCOUNT.into()),
                ]),
            ),
            ("destination", none()),
            ("sendingCurrency", none()),
            ("receivingCurrency", none()),
            ("totalSendingAmount", Json::from(500_u64)),
            ("totalReceivingAmount", Json::from(490_u64)),
            ("exchangeRate", Json::from(1_u64)),
            ("feesIncluded", Json::from(10_u64)),
            ("transactionId", "Transaction:1".into()),
            (
                "paymentInstructions",
                Json::Array(vec![Json::object([("accountOrWalletInfo", wallet)])]),
            ),
        ])
    }

    /// What is to be signed in a flow, about what the request says.
    fn payload(&self, flow: Flow, body: &str) -> Json {
        let limits = Limits {
            bytes: 1 << 20,
            depth: 32,
        };
        let body = Json::parse(body, limits).unwrap_or(Json::Null);
        let said = |name: &str| Json::from(strict::text(&body, name).unwrap_or("?"));
        let user = || Json::from("user_1");
        let ids = || Json::Array(vec!["id_1".into()]);
        let (kind, parameters) = match flow {
            Flow::Refresh => (
                "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
                Json::object([("targetPublicKey", said("clientPublicKey"))]),
            ),
            Flow::RevokePasskey => (
                "ACTIVITY_TYPE_DELETE_AUTHENTICATORS",
                Json::object([("authenticatorIds", ids()), ("userId", user())]),
            ),
            Flow::RevokeOauth => (
                "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS",
                Json::object([("providerIds", ids()), ("userId", user())]),
            ),
            Flow::AddEmail => (
                "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
                Json::object([("userEmail", EMAIL.into()), ("userId", user())]),
            ),
            Flow::UpdateEmail => (
                "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
                Json::object([("userEmail", NEW_EMAIL.into()), ("userId", user())]),
            ),
            Flow::AddPhone | Flow::UpdatePhone => (
                "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER",
                Json::object([("userPhoneNumber", PHONE.into()), ("userId", user())]),
            ),
            Flow::AddOauth => {
                let provider = Json::object([
                    ("oidcToken", said("oidcToken")),
                    ("providerName", "Google".into()),
                ]);
                (
                    "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS",
                    Json::object([
                        ("oauthProviders", Json::Array(vec![provider])),
                        ("userId", user()),
                    ]),
                )
            }
            Flow::AddPasskey => {
                let attestation = strict::member(&body, "attestation").unwrap_or(&Json::Null);
                let passkey = Json::object([
                    ("attestation", attestation.clone()),
                    ("authenticatorName", said("nickname")),
                    ("challenge", said("challenge")),
                ]);
                (
                    "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
                    Json::object([
                        ("authenticators", Json::Array(vec![passkey])),
                        ("userId", user()),
                    ]),
                )
            }
            Flow::UpdatePrivacy => (
                "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2",
                Json::object([
                    ("encoding", "PAYLOAD_ENCODING_HEXADECIMAL".into()),
                    ("hashFunction", "HASH_FUNCTION_NO_OP".into()),
                    ("payload", "9f3b".into()),
                    ("signWith", "sp1q".into()),
                ]),
            ),
            Flow::Export => (
                "ACTIVITY_TYPE_EXPORT_WALLET",
                Json::object([
                    ("targetPublicKey", said("clientPublicKey")),
                    ("walletId", "wallet_1".into()),
                ]),
            ),
            Flow::ExecuteQuote => (
                "ACTIVITY_TYPE_SIGN_TRANSACTION_V2",
                Json::object([
                    ("signWith", "wallet_1".into()),
                    ("type", "TRANSACTION_TYPE_SPARK".into()),
                    ("unsignedTransaction", "ea69b4bf".into()),
                ]),
            ),
            Flow::SignedRequest => (ACTIVITY, activity_parameters()),
            _ => (
                "ACTIVITY_TYPE_DELETE_API_KEYS",
                Json::object([("apiKeyIds", ids()), ("userId", user())]),
            ),
        };
        Json::object([
            ("organizationId", ORGANIZATION.into()),
            ("parameters", parameters),
            ("timestampMs", self.now_ms().to_string().into()),
            ("type", kind.into()),
        ])
    }
}

fn envelope(signer: &PrivateKey, data: &[u8]) -> String {
    Json::object([
        ("version", "v1.0.0".into()),
        ("data", gridkey_fuzz::hex(data).into()),
        (
            "dataSignature",
            gridkey_fuzz::hex(&signer.sign_der(data)).into(),
        ),
        (
            "enclaveQuorumPublic",
            signer.public_key().to_uncompressed_hex().into(),
        ),
    ])
    .to_text()
}
