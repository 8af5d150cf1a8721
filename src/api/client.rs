//! One method an operation: checks, sends one leg, reads the answer.

use std::{cell::Cell, future::Future, rc::Rc};

use futures_lite::future::or;

use super::{
    call::{GridCall, GridReply},
    event::{Outcome, RequestEvent, redact},
    failure::{Exchange, Leg, failure},
    operation::Operation,
    request::{CreateAuthCredential, VerifyAuthCredential},
    types::{
        AgentDeviceCode, AuthMethod, AuthMethodType, AuthSession, PasskeyAuthChallenge,
        PasskeyRegistrationOptions, SignedRequestChallenge, list,
    },
    validate::{self, IdKind},
};
use crate::{
    crypto::json::{Json, Limits},
    error::{Error, ErrorCode, Result},
    ports::{Cancellation, Clock, LocalFuture, Transport},
};

/// Answers longer than this are refused unread.
const BODY_LIMITS: Limits = Limits {
    bytes: 1024 * 1024,
    depth: 32,
};
const MAX_STAMP_CHARS: usize = 4096;
const MAX_HEADER_CHARS: usize = 256;

/// What a caller may say of one call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// Ends the call.
    pub cancellation: Option<Rc<dyn Cancellation>>,
    /// How long each request of the call may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// The headers of a second leg; a passkey's verification has the `Request-Id` alone.
#[derive(Clone, Default)]
pub struct SignedHeaders {
    /// `Grid-Wallet-Signature`.
    pub stamp: Option<String>,
    /// `Request-Id`.
    pub request_id: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

impl SignedHeaders {
    fn leg(&self) -> Leg {
        if self.stamp.is_some() {
            Leg::Second
        } else {
            Leg::First
        }
    }

    fn check(&self, operation: Operation, passkey: bool) -> Result<()> {
        let name = operation.spec().id;
        if let Some(stamp) = &self.stamp {
            validate::header("stamp", MAX_STAMP_CHARS, stamp)?;
        }
        if let Some(request_id) = &self.request_id {
            validate::header("requestId", MAX_HEADER_CHARS, request_id)?;
        }
        if let Some(idempotency_key) = &self.idempotency_key {
            validate::header("idempotencyKey", MAX_HEADER_CHARS, idempotency_key)?;
        }
        match (passkey, &self.stamp, &self.request_id) {
            (true, None, Some(_)) | (false, None, None) | (false, Some(_), Some(_)) => Ok(()),
            (true, _, _) => Err(Error::invalid_argument(format!(
                "{name} with a passkey needs the challenge's `requestId`, and no `stamp`"
            ))),
            (false, _, _) => Err(Error::invalid_argument(format!(
                "{name} needs `stamp` and `requestId` together, or neither"
            ))),
        }
    }
}

/// The answer to an operation of two legs.
#[derive(Clone, Debug)]
pub enum Signed<T> {
    /// 202: stamp this and come back.
    Challenge(SignedRequestChallenge),
    /// Done.
    Done(T),
}

/// The answer to `challengeAuthCredential`.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// A one-time code was sent.
    Otp(AuthMethod),
    /// A passkey is asked.
    Passkey(PasskeyAuthChallenge),
}

/// Sees every request.
pub type Observer = Rc<dyn Fn(&RequestEvent)>;

/// Grid's endpoints, through a relay.
pub struct GridApi {
    transport: Rc<dyn Transport>,
    clock: Rc<dyn Clock>,
    observer: Option<Observer>,
    timeout_ms: u64,
    requests: Cell<u64>,
}

/// What one request is made of.
struct Request<'a> {
    operation: Operation,
    /// The kind of the credential that it is about.
    credential: Option<AuthMethodType>,
    params: Vec<(&'static str, String)>,
    body: Option<String>,
    headers: SignedHeaders,
    options: &'a CallOptions,
}

impl<'a> Request<'a> {
    fn new(operation: Operation, options: &'a CallOptions) -> Self {
        Self {
            operation,
            credential: None,
            params: Vec::new(),
            body: None,
            headers: SignedHeaders::default(),
            options,
        }
    }
}

/// A success: its status, and its body where it has one.
struct Answer {
    status: u16,
    body: Option<Json>,
}

impl Answer {
    fn json(&self) -> Result<&Json> {
        self.body.as_ref().ok_or_else(|| {
            Error::new(
                ErrorCode::RelayProtocol,
                "the answer has no body, but should have one",
            )
        })
    }
}

impl GridApi {
    /// `timeout_ms` is for calls that do not say otherwise.
    pub fn new(
        transport: Rc<dyn Transport>,
        clock: Rc<dyn Clock>,
        observer: Option<Observer>,
        timeout_ms: u64,
    ) -> Self {
        Self {
            transport,
            clock,
            observer,
            timeout_ms,
            requests: Cell::new(0),
        }
    }

    /// `createAuthCredential`
    pub async fn create_auth_credential(
        &self,
        body: &CreateAuthCredential,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<Signed<AuthMethod>> {
        let operation = Operation::CreateAuthCredential;
        headers.check(operation, false)?;
        let answer = self
            .send(Request {
                credential: Some(body.kind()),
                body: Some(body.to_body()?),
                headers,
                ..Request::new(operation, options)
            })
            .await?;
        signed(operation, &answer, AuthMethod::from_json)
    }

    /// `listAuthCredentials`
    pub async fn list_auth_credentials(
        &self,
        account_id: &str,
        options: &CallOptions,
    ) -> Result<Vec<AuthMethod>> {
        let operation = Operation::ListAuthCredentials;
        validate::id("accountId", IdKind::InternalAccount, account_id)?;
        let answer = self.unsigned(
            operation,
            vec![("accountId", account_id.to_owned())],
            None,
            options,
        );
        let answer = answer.await?;
        of(operation, list(answer.json()?, AuthMethod::from_json))
    }

    /// `challengeAuthCredential`: with `client_public_key` for passkeys, without for one-time codes.
    pub async fn challenge_auth_credential(
        &self,
        id: &str,
        client_public_key: Option<&str>,
        options: &CallOptions,
    ) -> Result<ChallengeAnswer> {
        let operation = Operation::ChallengeAuthCredential;
        validate::id("id", IdKind::AuthMethod, id)?;
        let mut members = Vec::new();
        if let Some(key) = client_public_key {
            validate::client_public_key(key)?;
            members.push(("clientPublicKey".to_owned(), Json::from(key)));
        }
        let body = Json::Object(members).to_text();
        let answer = self
            .unsigned(operation, vec![("id", id.to_owned())], Some(body), options)
            .await?;
        let json = answer.json()?;
        // A passkey's answer is told by its type: an AuthMethod of that type lacks the challenge.
        of(
            operation,
            match AuthMethod::from_json(json)?.kind {
                AuthMethodType::Passkey => {
                    PasskeyAuthChallenge::from_json(json).map(ChallengeAnswer::Passkey)
                }
                AuthMethodType::EmailOtp | AuthMethodType::SmsOtp => {
                    AuthMethod::from_json(json).map(ChallengeAnswer::Otp)
                }
                AuthMethodType::Oauth => Err(Error::new(
                    ErrorCode::RelayProtocol,
                    "an OAUTH credential was challenged, which Grid does not do",
                )),
            },
        )
    }

    /// `verifyAuthCredential`
    pub async fn verify_auth_credential(
        &self,
        id: &str,
        body: &VerifyAuthCredential,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<Signed<AuthSession>> {
        let operation = Operation::VerifyAuthCredential;
        validate::id("id", IdKind::AuthMethod, id)?;
        headers.check(operation, body.kind() == AuthMethodType::Passkey)?;
        let answer = self
            .send(Request {
                credential: Some(body.kind()),
                params: vec![("id", id.to_owned())],
                body: Some(body.to_body()?),
                headers,
                ..Request::new(operation, options)
            })
            .await?;
        signed(operation, &answer, AuthSession::from_json)
    }

    /// `listAuthSessions`
    pub async fn list_auth_sessions(
        &self,
        account_id: &str,
        options: &CallOptions,
    ) -> Result<Vec<AuthSession>> {
        let operation = Operation::ListAuthSessions;
        validate::id("accountId", IdKind::InternalAccount, account_id)?;
        let answer = self.unsigned(
            operation,
            vec![("accountId", account_id.to_owned())],
            None,
            options,
        );
        let answer = answer.await?;
        of(operation, list(answer.json()?, AuthSession::from_json))
    }

    /// `refreshAuthSession`
    pub async fn refresh_auth_session(
        &self,
        id: &str,
        client_public_key: &str,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<Signed<AuthSession>> {
        let operation = Operation::RefreshAuthSession;
        validate::id("id", IdKind::Session, id)?;
        validate::client_public_key(client_public_key)?;
        headers.check(operation, false)?;
        let body = Json::object([("clientPublicKey", Json::from(client_public_key))]);
        let answer = self
            .send(Request {
                params: vec![("id", id.to_owned())],
                body: Some(body.to_text()),
                headers,
                ..Request::new(operation, options)
            })
            .await?;
        signed(operation, &answer, AuthSession::from_json)
    }

    /// `revokeAuthSession`
    pub async fn revoke_auth_session(
        &self,
        id: &str,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<Signed<()>> {
        let operation = Operation::RevokeAuthSession;
        validate::id("id", IdKind::Session, id)?;
        headers.check(operation, false)?;
        let answer = self
            .send(Request {
                params: vec![("id", id.to_owned())],
                headers,
                ..Request::new(operation, options)
            })
            .await?;
        signed(operation, &answer, |_| Ok(()))
    }

    /// `regenerateAgentDeviceCode`
    pub async fn regenerate_agent_device_code(
        &self,
        agent_id: &str,
        options: &CallOptions,
    ) -> Result<AgentDeviceCode> {
        let operation = Operation::RegenerateAgentDeviceCode;
        validate::id("agentId", IdKind::Agent, agent_id)?;
        let params = vec![("agentId", agent_id.to_owned())];
        let answer = self.unsigned(operation, params, None, options).await?;
        of(operation, AgentDeviceCode::from_json(answer.json()?))
    }

    /// `createPasskeyRegistrationOptions`, the relay's own.
    pub async fn create_passkey_registration_options(
        &self,
        account_id: &str,
        options: &CallOptions,
    ) -> Result<PasskeyRegistrationOptions> {
        let operation = Operation::CreatePasskeyRegistrationOptions;
        validate::id("accountId", IdKind::InternalAccount, account_id)?;
        let body = Json::object([("accountId", Json::from(account_id))]).to_text();
        let answer = self
            .unsigned(operation, Vec::new(), Some(body), options)
            .await?;
        of(
            operation,
            PasskeyRegistrationOptions::from_json(answer.json()?),
        )
    }

    async fn unsigned(
        &self,
        operation: Operation,
        params: Vec<(&'static str, String)>,
        body: Option<String>,
        options: &CallOptions,
    ) -> Result<Answer> {
        self.send(Request {
            params,
            body,
            ..Request::new(operation, options)
        })
        .await
    }

    async fn send(&self, request: Request<'_>) -> Result<Answer> {
        let Request {
            operation,
            credential,
            params,
            body,
            headers,
            options,
        } = request;
        let spec = operation.spec();
        let exchange = Exchange {
            operation,
            leg: headers.leg(),
            credential,
        };
        let call = GridCall {
            operation: spec.id,
            method: spec.method,
            path: operation.path(&params)?,
            params,
            body,
            stamp: headers.stamp,
            request_id: headers.request_id,
            idempotency_key: headers.idempotency_key,
        };
        let mut event = RequestEvent {
            id: self.requests.get(),
            operation,
            leg: exchange.leg,
            method: call.method,
            path: call.path.clone(),
            signed: call.stamp.is_some(),
            body: call
                .body
                .as_deref()
                .and_then(|body| redacted(body.as_bytes(), false)),
            outcome: None,
        };
        self.requests.set(event.id.wrapping_add(1));
        self.observe(&event);
        let sent_ms = self.clock.now_ms();
        let reply = self
            .within_limits(|| self.transport.send(call), options)
            .await;
        let result = match &reply {
            Ok(reply) => read(exchange, reply),
            Err(error) => Err(error.clone()),
        }
        .map_err(|error| error.with_operation(spec.id));
        let reply = reply.ok();
        event.body = reply
            .as_ref()
            .and_then(|reply| redacted(&reply.body, reply.status >= 400));
        event.outcome = Some(Outcome {
            duration_ms: u64::try_from(self.clock.now_ms().saturating_sub(sent_ms)).unwrap_or(0),
            status: reply.as_ref().map(|reply| reply.status),
            code: result.as_ref().err().map(Error::code),
            retry_after_ms: reply.as_ref().and_then(|reply| reply.retry_after_ms),
        });
        self.observe(&event);
        result
    }

    fn observe(&self, event: &RequestEvent) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }

    /// Ends what `begin` begins when the caller or the time says so.
    async fn within_limits<'a>(
        &'a self,
        begin: impl FnOnce() -> LocalFuture<'a, Result<GridReply>>,
        options: &CallOptions,
    ) -> Result<GridReply> {
        let timeout_ms = options.timeout_ms.unwrap_or(self.timeout_ms);
        let timeout = async {
            self.clock.sleep(timeout_ms).await;
            Err(Error::new(
                ErrorCode::Timeout,
                format!("no answer within {timeout_ms} ms: try again"),
            ))
        };
        cancellable(options, || or(begin(), timeout)).await
    }
}

/// Ends what `begin` begins when the caller says so; does not begin it if that was said before.
pub async fn cancellable<T, Begun>(
    options: &CallOptions,
    begin: impl FnOnce() -> Begun,
) -> Result<T>
where
    Begun: Future<Output = Result<T>>,
{
    let aborted = || Error::new(ErrorCode::Aborted, "the call was ended by its AbortSignal");
    match &options.cancellation {
        None => begin().await,
        Some(cancellation) if cancellation.is_cancelled() => Err(aborted()),
        Some(cancellation) => {
            let cancelled = async {
                cancellation.cancelled().await;
                Err(aborted())
            };
            or(begin(), cancelled).await
        }
    }
}

fn read(exchange: Exchange, reply: &GridReply) -> Result<Answer> {
    let spec = exchange.operation.spec();
    let body = parse_body(&reply.body);
    if !spec.success.contains(&reply.status) {
        return Err(failure(
            exchange,
            reply.status,
            body.as_ref().map_err(|why| *why),
            reply.retry_after_ms,
        ));
    }
    if reply.status == 204 {
        return Ok(Answer {
            status: reply.status,
            body: None,
        });
    }
    match body {
        Ok(body) => Ok(Answer {
            status: reply.status,
            body: Some(body),
        }),
        Err(why) => Err(Error::new(
            ErrorCode::RelayProtocol,
            format!(
                "the answer to {} has status {} but its body {why}",
                spec.id, reply.status
            ),
        )
        .with_status(reply.status)),
    }
}

/// The body as JSON, or what it is instead.
fn parse_body(bytes: &[u8]) -> std::result::Result<Json, &'static str> {
    if bytes.len() > BODY_LIMITS.bytes {
        return Err("is longer than 1 MiB");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("is not UTF-8");
    };
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err("is empty"),
        Some(b'<') => return Err("is HTML or XML, as from a proxy"),
        Some(_) => {}
    }
    Json::parse(text, BODY_LIMITS).map_err(|_| "is not whole, well-formed JSON")
}

fn redacted(body: &[u8], is_error: bool) -> Option<Json> {
    parse_body(body).ok().map(|json| redact(&json, is_error))
}

fn signed<T>(
    operation: Operation,
    answer: &Answer,
    done: impl Fn(&Json) -> Result<T>,
) -> Result<Signed<T>> {
    let signed = match answer.status {
        202 => SignedRequestChallenge::from_json(answer.json()?).map(Signed::Challenge),
        204 => done(&Json::Null).map(Signed::Done),
        _ => done(answer.json()?).map(Signed::Done),
    };
    of(operation, signed).map_err(|error| error.with_status(answer.status))
}

fn of<T>(operation: Operation, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.with_operation(operation.spec().id))
}
