//! Requests by `fetch`, or by a function of the caller's.

use js_sys::{Date, Function, JSON, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::{args::Argument, cancellation::AbortOnDrop, error::to_object, number, value};
use crate::{
    api::call::{GridCall, GridReply},
    crypto::json::Json,
    error::{Error, ErrorCode, Recovery, Result},
    ports::{LocalFuture, Transport},
};

/// Longer answers are not read to their end.
const MAX_BODY_BYTES: u32 = 1024 * 1024;
/// A year.
const MAX_RETRY_AFTER_MS: f64 = 366.0 * 24.0 * 60.0 * 60.0 * 1000.0;

#[wasm_bindgen]
extern "C" {
    type Headers;

    #[wasm_bindgen(constructor, catch)]
    fn new(init: &JsValue) -> std::result::Result<Headers, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn get(this: &Headers, name: &str) -> std::result::Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn set(this: &Headers, name: &str, value: &str) -> std::result::Result<(), JsValue>;
}

/// Requests by `fetch`.
pub(crate) struct FetchTransport {
    /// Without a slash at its end.
    pub(crate) base_url: String,
    /// Instead of the global `fetch`.
    pub(crate) fetch: Option<Function>,
    /// `HeadersInit`, or a function that gives it or a promise of it; asked before each request.
    pub(crate) headers: JsValue,
    /// `RequestInit.credentials`
    pub(crate) credentials: Option<&'static str>,
}

impl Transport for FetchTransport {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        Box::pin(self.fetch(call))
    }
}

impl FetchTransport {
    async fn fetch(&self, call: GridCall) -> Result<GridReply> {
        let headers = self.headers(&call).await?;
        let fetch = self.fetch.clone().or_else(global_fetch).ok_or_else(|| {
            Error::invalid_argument("There is no `fetch` here: pass one in the options.")
        })?;
        let aborting = AbortOnDrop::new();
        let request = value::dictionary([
            ("method", call.method.into()),
            ("headers", headers.into()),
            (
                "body",
                call.body.as_deref().map(JsValue::from).unwrap_or_default(),
            ),
            (
                "credentials",
                self.credentials.map(JsValue::from).unwrap_or_default(),
            ),
            // Another address must not see the signature. "manual" and not "error", because only
            // so a redirect can be told from a broken connection.
            ("redirect", "manual".into()),
            ("signal", aborting.signal()),
        ]);
        let url = [self.base_url.as_str(), &call.path].concat().into();
        // Without `this`, as a browser's own `fetch` needs it.
        let response = match fetch.call2(&JsValue::UNDEFINED, &url, &request) {
            Ok(promise) => value::settled(promise).await,
            Err(thrown) => Err(thrown),
        };
        let response = response.map_err(|_| network("The request got no answer."))?;
        let reply = read_response(&response).await?;
        aborting.ended();
        Ok(reply)
    }

    async fn headers(&self, call: &GridCall) -> Result<Headers> {
        let given = match self.headers.dyn_ref::<Function>() {
            None => self.headers.clone(),
            Some(function) => match function.call0(&JsValue::UNDEFINED) {
                Ok(headers) => value::settled(headers).await,
                Err(thrown) => Err(thrown),
            }
            .map_err(|_| network("`headers` failed; the request was not sent."))?,
        };
        let refused = |_| Error::invalid_argument("`headers` is not what `new Headers()` takes.");
        let headers = Headers::new(&given).map_err(refused)?;
        let authorization = headers.get("Authorization").map_err(refused)?;
        if in_window() && authorization.is_some_and(|value| is_basic(&value)) {
            return Err(Error::invalid_argument(
                "A page must not hold the platform's Basic credentials: anybody could read them. \
                 Let the relay add them.",
            ));
        }
        let own = [
            ("Accept", Some("application/json")),
            (
                "Content-Type",
                call.body.as_ref().map(|_| "application/json"),
            ),
            ("Grid-Wallet-Signature", call.stamp.as_deref()),
            ("Request-Id", call.request_id.as_deref()),
            ("Idempotency-Key", call.idempotency_key.as_deref()),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                headers.set(name, value).map_err(|_| {
                    Error::invalid_argument([name, " holds what no header can."].concat())
                })?;
            }
        }
        Ok(headers)
    }
}

/// Requests by a function of the caller's: `transport(call)`.
pub(crate) struct FunctionTransport {
    /// `(call: GridCall) => Promise<GridReply>`
    pub(crate) function: Function,
}

impl Transport for FunctionTransport {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        Box::pin(async move {
            let aborting = AbortOnDrop::new();
            let call = call_object(&call);
            let _ = Reflect::set(&call, &"signal".into(), &aborting.signal());
            let reply = match self.function.call1(&JsValue::UNDEFINED, &call) {
                Ok(promise) => value::settled(promise).await,
                Err(thrown) => Err(thrown),
            };
            let reply = reply.map_err(|_| network("`transport` failed."))?;
            let reply = read_reply(&reply)?;
            aborting.ended();
            Ok(reply)
        })
    }
}

/// `GridCall`, but for its signal.
fn call_object(call: &GridCall) -> JsValue {
    let text = |name: &str, text: &str| (name.to_owned(), Json::from(text));
    let given =
        |name: &str, value: &Option<String>| value.as_deref().map(|value| text(name, value));
    let params = call.params.iter().map(|(name, value)| text(name, value));
    let members = [
        Some(text("operation", call.operation)),
        Some(text("method", call.method)),
        Some(text("path", &call.path)),
        Some(("params".to_owned(), Json::Object(params.collect()))),
        given("body", &call.body),
        given("stamp", &call.stamp),
        given("requestId", &call.request_id),
        given("idempotencyKey", &call.idempotency_key),
    ];
    to_object(&Json::Object(members.into_iter().flatten().collect()))
}

fn read_reply(reply: &JsValue) -> Result<GridReply> {
    let reply = Argument::new(reply, "reply");
    let member = |name| {
        reply
            .get(name)
            .map_err(|_| wrong_reply("it is no readable object"))
    };
    let status = member("status")?
        .as_f64()
        .and_then(|status| number::whole(status, 599));
    let status = status.and_then(|status| u16::try_from(status).ok());
    let Some(status) = status.filter(|status| *status >= 100) else {
        return Err(wrong_reply("its status is no HTTP status"));
    };
    let retry_after = member("retryAfterMs")?;
    let retry_after_ms = retry_after
        .as_f64()
        .filter(|milliseconds| *milliseconds >= 0.0)
        .and_then(|milliseconds| {
            number::whole(milliseconds.ceil().min(MAX_RETRY_AFTER_MS), u64::MAX)
        });
    if retry_after_ms.is_none() && !retry_after.is_undefined() {
        return Err(wrong_reply("its retryAfterMs is no number of milliseconds"));
    }
    Ok(GridReply {
        status,
        body: read_body_member(member("body")?)?.into_bytes(),
        retry_after_ms,
    })
}

/// A text is the body itself; anything else is what a text was parsed to.
fn read_body_member(body: JsValue) -> Result<String> {
    if body.is_undefined() || body.is_null() {
        return Ok(String::new());
    }
    let text = match body.is_string() {
        true => body,
        // Throws for cycles and the like; gives nothing for functions.
        false => JSON::stringify(&body)
            .map(JsValue::from)
            .unwrap_or_default(),
    };
    Argument::new(&text, "body")
        .as_text(MAX_BODY_BYTES)
        .map_err(|_| wrong_reply("its body is no JSON of at most 1 MiB"))
}

fn wrong_reply(why: &str) -> Error {
    Error::new(
        ErrorCode::RelayProtocol,
        ["`transport` must resolve to { status, body }: ", why, "."].concat(),
    )
}

async fn read_response(response: &JsValue) -> Result<GridReply> {
    let junk = || network("`fetch` resolved to something that is no Response.");
    let kind = value::get_text(response, "type").map(String::from);
    let status = value::get_whole(response, "status", 599).ok_or_else(junk)?;
    if kind.as_deref() == Some("opaqueredirect") || (300..400).contains(&status) {
        return Err(network(
            "The relay answered with a redirect, which is not followed: it would carry the \
             signature elsewhere. Is the user signed out of the platform?",
        )
        .with_reason("redirect")
        .with_recovery(Recovery::Integrator));
    }
    let status = u16::try_from(status).ok().filter(|status| *status >= 100);
    let status = status.ok_or_else(junk)?;
    let retry_after_ms = value::get(response, "headers")
        .and_then(|headers| value::call(&headers, "get", &[&"Retry-After".into()]))
        .and_then(|header| header.ok()?.as_string())
        .and_then(|header| retry_after_ms(&header));
    Ok(GridReply {
        status,
        body: read_body(response).await?,
        retry_after_ms,
    })
}

async fn read_body(response: &JsValue) -> Result<Vec<u8>> {
    let cut_off = || network("The answer was cut off.");
    let reader = value::get(response, "body")
        .and_then(|stream| value::call(&stream, "getReader", &[]))
        .and_then(std::result::Result::ok);
    let Some(reader) = reader else {
        // There is no body, or the caller's `fetch` gives no stream.
        let buffer = value::call_settled(response, "arrayBuffer", &[]).await;
        let buffer = buffer
            .and_then(std::result::Result::ok)
            .ok_or_else(cut_off)?;
        return value::bytes(&buffer, MAX_BODY_BYTES.into()).ok_or_else(too_long);
    };
    let mut body = Vec::new();
    loop {
        let part = value::call_settled(&reader, "read", &[]).await;
        let part = part.and_then(std::result::Result::ok).ok_or_else(cut_off)?;
        if value::get(&part, "done").is_some_and(|done| done.is_truthy()) {
            return Ok(body);
        }
        let chunk = value::get(&part, "value").ok_or_else(cut_off)?;
        let read = u32::try_from(body.len()).unwrap_or(MAX_BODY_BYTES);
        let chunk = value::bytes(&chunk, MAX_BODY_BYTES.saturating_sub(read).into());
        body.extend_from_slice(&chunk.ok_or_else(too_long)?);
    }
}

/// RFC 9110 section 10.2.3: seconds, or a date.
fn retry_after_ms(header: &str) -> Option<u64> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(u64::from(seconds).saturating_mul(1000));
    }
    let date = Date::parse(header);
    if date.is_nan() {
        return None;
    }
    number::whole(
        (date - Date::now()).ceil().clamp(0.0, MAX_RETRY_AFTER_MS),
        u64::MAX,
    )
}

fn global_fetch() -> Option<Function> {
    value::global("fetch")?.dyn_into().ok()
}

fn in_window() -> bool {
    value::global("window").is_some() && value::global("document").is_some()
}

fn is_basic(authorization: &str) -> bool {
    let scheme = authorization.trim_start().get(..6);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))
}

fn network(message: &str) -> Error {
    Error::new(ErrorCode::Network, message)
}

fn too_long() -> Error {
    Error::new(ErrorCode::RelayProtocol, "The answer has more than 1 MiB.")
}
