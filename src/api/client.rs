//! One request and its answer: checked, sent, repeated where that does no harm, read.

use alloc::{
    borrow::ToOwned as _,
    boxed::Box,
    rc::Rc,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};
use core::{
    cell::Cell,
    fmt,
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    call::{GridCall, GridReply},
    event::{Outcome, RequestEvent, redact},
    failure::{Exchange, Leg, failure, unreadable},
    operation::{Operation, Success},
    request::{Request, Route},
    server_clock::ServerClock,
    shape::check_answer,
    types::AuthMethodType,
    validate::IdKind,
};
use crate::{
    crypto::json::{Json, Limits},
    error::{Error, ErrorCode, Recovery, Result, joined},
    ports::{Cancellation, Clock, LocalFuture, Random, Transport},
};

/// Answers longer than this are refused unread.
const BODY_LIMITS: Limits = Limits {
    bytes: 1024 * 1024,
    depth: 32,
};
/// How often a request that does no harm is repeated.
const MAX_REPETITIONS: u32 = 2;
/// Before the first repetition; twice that before the second.
const BACK_OFF_MS: u64 = 300;
/// Whoever must wait longer is told so instead.
const MAX_WAIT_MS: u64 = 10_000;

/// What a caller may say of one call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// Ends the call.
    pub cancellation: Option<Rc<dyn Cancellation>>,
    /// How long each request of the call may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// Sees every request.
pub type Observer = Rc<dyn Fn(&RequestEvent)>;

/// Grid's endpoints, through a relay.
pub struct GridApi {
    transport: Rc<dyn Transport>,
    time: ServerClock,
    random: Rc<dyn Random>,
    observer: Option<Observer>,
    timeout_ms: u64,
    requests: Cell<u64>,
}

/// A success, of the form that its operation's row gives.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` where there is none.
    pub body: Json,
    success: &'static Success,
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold a sealed key or a device code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.success.name)
    }
}

impl Answer {
    /// Whether it asks for a stamp.
    pub fn is_challenge(&self) -> bool {
        self.status == 202 && self.success.name == "challenge"
    }

    /// The members of what JavaScript gets: `status`, and the body under the name that the row
    /// gives; of a list the page's other members too.
    pub fn into_members(self) -> Vec<(String, Json)> {
        let name = self.success.name;
        let mut members = vec![("status".to_owned(), Json::from(u64::from(self.status)))];
        match self.body {
            _ if name.is_empty() => {}
            Json::Object(page) if self.success.is_list => {
                // Of a page only what is known: another member could take the list's name.
                let page = page.into_iter();
                let known = page.filter(|(member, _)| self.success.shape.has_member(member));
                members.extend(known.map(|(member, value)| match &*member {
                    "data" => (name.to_owned(), value),
                    _ => (member, value),
                }));
            }
            body => {
                // The two answers to a challenge are told apart by the credential's kind.
                let kind = body
                    .get("type")
                    .filter(|_| name == "challenge" && self.status == 200);
                let name = match kind.and_then(Json::as_str) {
                    Some(kind) if kind != AuthMethodType::Passkey.as_str() => "authMethod",
                    _ => name,
                };
                members.extend(kind.map(|kind| ("type".to_owned(), kind.clone())));
                members.push((name.to_owned(), body));
            }
        }
        members
    }
}

impl GridApi {
    /// `timeout_ms` is for calls that do not say otherwise.
    pub fn new(
        transport: Rc<dyn Transport>,
        clock: Rc<dyn Clock>,
        random: Rc<dyn Random>,
        observer: Option<Observer>,
        timeout_ms: u64,
    ) -> Self {
        Self {
            transport,
            time: ServerClock::new(clock),
            random,
            observer,
            timeout_ms,
            requests: Cell::new(0),
        }
    }

    /// What time it is at Grid.
    pub fn time(&self) -> &ServerClock {
        &self.time
    }

    /// Sends one leg of an operation and reads the answer.
    ///
    /// It is repeated, at most twice and after a moment, only where the operation's row says that
    /// this does no harm, without a stamp, and only after failures that may pass: no answer, a
    /// server's fault, or a 429 that says when to come back.
    pub fn call<'a>(
        &'a self,
        request: Request,
        options: &'a CallOptions,
    ) -> LocalFuture<'a, Result<Answer>> {
        Box::pin(self.carry_out(request, options))
    }

    async fn carry_out(&self, request: Request, options: &CallOptions) -> Result<Answer> {
        let spec = request.operation.spec();
        let params = request.checked_params()?;
        let exchange = Exchange {
            operation: request.operation,
            leg: if request.headers.stamp.is_some() {
                Leg::Second
            } else {
                Leg::First
            },
            credential: request.credential(),
        };
        let body = request.body_text();
        let (method, path) = match request.route {
            Some(Route { method, path }) => (method, path),
            None => (spec.method, request.operation.path(&params)?),
        };
        let call = GridCall {
            operation: spec.id,
            method,
            path,
            params,
            body,
            stamp: request.headers.stamp,
            request_id: request.headers.request_id,
            idempotency_key: request.headers.idempotency_key,
        };
        let may_repeat = spec.is_repeatable && call.stamp.is_none();
        self.repeated(exchange, call, may_repeat, options).await
    }

    async fn repeated(
        &self,
        exchange: Exchange,
        call: GridCall,
        may_repeat: bool,
        options: &CallOptions,
    ) -> Result<Answer> {
        let mut repetitions = 0;
        loop {
            let error = match self.send(exchange, call.clone(), options).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !may_repeat || repetitions == MAX_REPETITIONS || !may_pass(&error) {
                return Err(error);
            }
            let back_off_ms = BACK_OFF_MS.wrapping_shl(repetitions);
            let wait_ms = error.retry_after_ms().unwrap_or(back_off_ms);
            if wait_ms > MAX_WAIT_MS {
                return Err(error);
            }
            let wait_ms = wait_ms.saturating_add(self.up_to(back_off_ms)?);
            let clock = self.time.device().clone();
            let waited = async move {
                clock.sleep(wait_ms).await;
                Ok(())
            };
            cancellable(options, || Box::pin(waited)).await?;
            repetitions = repetitions.saturating_add(1);
        }
    }

    /// A random number of milliseconds, so that not everybody comes back at once.
    fn up_to(&self, max_ms: u64) -> Result<u64> {
        let mut byte = [0; 1];
        self.random.fill(&mut byte)?;
        let [byte] = byte;
        Ok(max_ms.saturating_mul(byte.into()).wrapping_shr(8))
    }

    async fn send(
        &self,
        exchange: Exchange,
        call: GridCall,
        options: &CallOptions,
    ) -> Result<Answer> {
        let operation = call.operation;
        let mut event = RequestEvent {
            id: self.requests.get(),
            operation,
            leg: exchange.leg,
            method: call.method,
            path: shown_path(exchange.operation, &call),
            signed: call.stamp.is_some(),
            body: call
                .body
                .as_deref()
                .and_then(|body| redacted(body.as_bytes(), false)),
            outcome: None,
        };
        self.requests.set(event.id.wrapping_add(1));
        self.observe(&event);
        let sent_ms = self.time.device().now_ms();
        // A GET may be answered from a cache, with a date of long ago.
        let tells_time = call.method != "GET";
        let reply = self.within_limits(call, options).await;
        let result = match &reply {
            Ok(reply) => {
                if let Some(date_ms) = reply.date_ms.filter(|_| tells_time) {
                    self.time.learn(date_ms, sent_ms);
                }
                read(exchange, reply)
            }
            Err(error) => Err(error.clone()),
        }
        .map_err(|error| error.with_operation(operation));
        let reply = reply.ok();
        event.body = reply
            .as_ref()
            .and_then(|reply| redacted(&reply.body, reply.status >= 400));
        event.outcome = Some(Outcome {
            duration_ms: u64::try_from(self.time.device().now_ms().saturating_sub(sent_ms))
                .unwrap_or(0),
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

    /// Ends the request when the caller or the time says so.
    async fn within_limits(&self, call: GridCall, options: &CallOptions) -> Result<GridReply> {
        let timeout_ms = options.timeout_ms.unwrap_or(self.timeout_ms);
        let too_late = Error::new(
            ErrorCode::Timeout,
            joined(&[
                "no answer within ",
                &timeout_ms.to_string(),
                " ms: try again",
            ]),
        );
        cancellable(options, || {
            Box::pin(Limited {
                work: self.transport.send(call),
                end: Some((self.time.device().sleep(timeout_ms), too_late)),
            })
        })
        .await
    }
}

/// Whether the next attempt may fare better.
fn may_pass(error: &Error) -> bool {
    match error.code() {
        ErrorCode::Network => error.recovery() == Recovery::Retry,
        ErrorCode::RateLimited => error.retry_after_ms().is_some(),
        ErrorCode::GridError | ErrorCode::RelayProtocol => {
            error.status().is_some_and(|status| status >= 500)
        }
        _ => false,
    }
}

/// The path for logs. A device code in it is worth a token, and nobody knows what stands in the
/// query of an unknown operation.
fn shown_path(operation: Operation, call: &GridCall) -> String {
    let path = match operation.spec().subject {
        Some((_, IdKind::DeviceCode)) => operation.spec().path,
        _ => &call.path,
    };
    let shown = match operation {
        Operation::SignedRequest => path.split('?').next(),
        _ => Some(path),
    };
    shown.unwrap_or_default().to_owned()
}

/// Ends what `begin` begins when the caller says so; does not begin it if that was said before.
pub fn cancellable<'a, T: 'a>(
    options: &CallOptions,
    begin: impl FnOnce() -> LocalFuture<'a, Result<T>>,
) -> Limited<'a, T> {
    let cancellation = options.cancellation.as_ref();
    let is_cancelled = cancellation.is_some_and(|cancellation| cancellation.is_cancelled());
    let aborted = || Error::new(ErrorCode::Aborted, "the call was ended by its AbortSignal");
    Limited {
        work: match is_cancelled {
            true => Box::pin(ready(Err(aborted()))),
            false => begin(),
        },
        end: cancellation.map(|cancellation| (cancellation.cancelled(), aborted())),
    }
}

/// Ends `work` with this error when `end` is ready. What is ready at once never looks at it.
pub fn limited<'a, T>(
    work: LocalFuture<'a, Result<T>>,
    end: LocalFuture<'static, ()>,
    error: Error,
) -> Limited<'a, T> {
    Limited {
        work,
        end: Some((end, error)),
    }
}

/// Work, unless something else ends it, with an error. Written out and over boxes: a state machine
/// of its own for each kind of work is many times as large.
pub struct Limited<'a, T> {
    work: LocalFuture<'a, Result<T>>,
    end: Option<(LocalFuture<'static, ()>, Error)>,
}

impl<T> Future for Limited<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let done = self.work.as_mut().poll(context);
        if done.is_pending()
            && let Some((end, error)) = &mut self.end
            && end.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(error.clone()));
        }
        done
    }
}

fn read(exchange: Exchange, reply: &GridReply) -> Result<Answer> {
    let spec = exchange.operation.spec();
    let body = parse_body(&reply.body);
    let success = spec.answers.iter().find(|answer| {
        // Of what is not known, only the form tells whether it asks for a stamp.
        answer.is_of(reply.status)
            && (exchange.operation != Operation::SignedRequest
                || body.as_ref().map_or(answer.name.is_empty(), |body| {
                    check_answer(&answer.shape, body).is_ok()
                }))
    });
    let Some(success) = success else {
        return Err(failure(
            exchange,
            reply.status,
            body.as_ref().map_err(|why| *why),
            reply.retry_after_ms,
        ));
    };
    let may_be_empty = reply.status == 204 || exchange.operation == Operation::SignedRequest;
    let body = match body {
        Err(_) if may_be_empty && reply.body.is_empty() => Json::Null,
        _ if reply.status == 204 => Json::Null,
        Ok(body) => body,
        Err(why) => {
            return Err(unreadable(spec.id, reply.status, why).with_status(reply.status));
        }
    };
    check_answer(&success.shape, &body).map_err(|error| error.with_status(reply.status))?;
    let mut body = body;
    success.shape.tidy(&mut body);
    Ok(Answer {
        status: reply.status,
        body,
        success,
    })
}

/// The body as JSON, or what it is instead.
fn parse_body(bytes: &[u8]) -> core::result::Result<Json, &'static str> {
    if bytes.len() > BODY_LIMITS.bytes {
        return Err("is longer than 1 MiB");
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
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
