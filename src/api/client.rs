//! One request and its answer: checked, sent, repeated where that does no harm, read.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String, vec, vec::Vec};
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
    failure::{Exchange, failure, unreadable},
    operation::{Operation, Success},
    request::Request,
    server_clock::ServerClock,
    shape::check_answer,
    types::AuthMethodType,
    validate::IdKind,
};
use crate::{
    crypto::{
        encoding::decimal,
        json::{Json, Limits},
    },
    error::{Error, ErrorCode, Recovery, Result, cut, filled},
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
        Box::pin(async move { self.call_as(&request, options).await })
    }

    /// As [`GridApi::call`], of a request that is needed again.
    pub fn call_as<'a>(
        &'a self,
        request: &'a Request,
        options: &'a CallOptions,
    ) -> LocalFuture<'a, Result<Answer>> {
        Box::pin(self.carry_out(request, options))
    }

    async fn carry_out(&self, request: &Request, options: &CallOptions) -> Result<Answer> {
        let mut repetitions = 0;
        loop {
            let call = request.to_call()?;
            let begun = self.begin(request, &call);
            let reply = self.within_limits(call, options).await;
            let error = match self.end(begun, request, reply) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait_ms) = self.wait_ms(request, &error, repetitions)? else {
                return Err(error);
            };
            let waited = self.time.device().sleep(wait_ms);
            cancellable(options, || {
                Box::pin(async {
                    waited.await;
                    Ok(())
                })
            })
            .await?;
            repetitions = repetitions.saturating_add(1);
        }
    }

    /// How long to wait before the next attempt, if there is one.
    #[inline(never)]
    fn wait_ms(&self, request: &Request, error: &Error, repetitions: u32) -> Result<Option<u64>> {
        let may_repeat = request.operation.spec().is_repeatable && request.headers.stamp.is_none();
        let back_off_ms = BACK_OFF_MS.wrapping_shl(repetitions);
        let wait_ms = error.retry_after_ms().unwrap_or(back_off_ms);
        if !may_repeat
            || repetitions == MAX_REPETITIONS
            || !may_pass(error)
            || wait_ms > MAX_WAIT_MS
        {
            return Ok(None);
        }
        // A random number of milliseconds more, so that not everybody comes back at once.
        let mut byte = [0; 1];
        self.random.fill(&mut byte)?;
        let [byte] = byte;
        let more_ms = back_off_ms.wrapping_mul(byte.into()).wrapping_shr(8);
        Ok(Some(wait_ms.wrapping_add(more_ms)))
    }

    /// Tells the observer that a request goes out.
    #[inline(never)]
    fn begin(&self, request: &Request, call: &GridCall) -> Begun {
        let event = self.observer.as_ref().map(|observer| {
            let id = self.requests.get();
            self.requests.set(id.wrapping_add(1));
            let event = RequestEvent {
                id,
                operation: call.operation,
                leg: request.exchange().leg,
                method: call.method,
                path: shown_path(request.operation, call),
                signed: call.stamp.is_some(),
                body: request.body_json().map(|body| redact(&body, false)),
                outcome: None,
            };
            observer(&event);
            event
        });
        Begun {
            event,
            sent_ms: self.time.device().now_ms(),
            // A GET may be answered from a cache, with a date of long ago.
            tells_time: call.method != "GET",
        }
    }

    /// Reads the answer, and tells the observer how the request ended.
    #[inline(never)]
    fn end(&self, begun: Begun, request: &Request, reply: Result<GridReply>) -> Result<Answer> {
        let mut event = begun.event;
        let mut outcome = Outcome {
            duration_ms: 0,
            status: None,
            code: None,
            retry_after_ms: None,
        };
        let result = match reply {
            Ok(reply) => {
                if let Some(date_ms) = reply.date_ms.filter(|_| begun.tells_time) {
                    self.time.learn(date_ms, begun.sent_ms);
                }
                outcome.status = Some(reply.status);
                outcome.retry_after_ms = reply.retry_after_ms;
                let body = parse_body(&reply.body);
                if let Some(event) = &mut event {
                    let json = body.as_ref().ok();
                    event.body = json.map(|json| redact(json, reply.status >= 400));
                }
                read(request.exchange(), &reply, body)
            }
            Err(error) => {
                if let Some(event) = &mut event {
                    event.body = None;
                }
                Err(error)
            }
        };
        let result = result.map_err(|error| error.with_operation(request.operation.spec().id));
        if let (Some(observer), Some(mut event)) = (&self.observer, event) {
            let duration_ms = self.time.device().now_ms().saturating_sub(begun.sent_ms);
            outcome.duration_ms = u64::try_from(duration_ms).unwrap_or(0);
            outcome.code = result.as_ref().err().map(Error::code);
            event.outcome = Some(outcome);
            observer(&event);
        }
        result
    }

    /// Ends the request when the caller or the time says so.
    fn within_limits<'a>(
        &'a self,
        call: GridCall,
        options: &CallOptions,
    ) -> Limited<'a, GridReply> {
        let timeout_ms = options.timeout_ms.unwrap_or(self.timeout_ms);
        cancellable(options, || {
            let too_late = Error::new(
                ErrorCode::Timeout,
                filled(
                    "no answer within {} ms: try again",
                    &[&decimal::encode(timeout_ms)],
                ),
            );
            Box::pin(Limited {
                work: self.transport.send(call),
                end: Some((self.time.device().sleep(timeout_ms), too_late)),
            })
        })
    }
}

/// What is kept of a request until it has ended.
struct Begun {
    /// Where somebody observes.
    event: Option<RequestEvent>,
    sent_ms: i64,
    tells_time: bool,
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
        Operation::SignedRequest => cut(path, b'?').0,
        _ => path,
    };
    shown.to_owned()
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
            && let Some((end, _)) = &mut self.end
            && end.as_mut().poll(context).is_ready()
            && let Some((_, error)) = self.end.take()
        {
            return Poll::Ready(Err(error));
        }
        done
    }
}

fn read(
    exchange: Exchange,
    reply: &GridReply,
    body: core::result::Result<Json, &'static str>,
) -> Result<Answer> {
    let spec = exchange.operation.spec();
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
