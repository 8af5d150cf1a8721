//! Requests by `fetch`, or by a function of the caller's.

use js_sys::{Date, Function, JSON};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::Headers;

use super::{
    args::{Argument, Problem, read},
    cancellation::AbortOnDrop,
    number,
    object::Builder,
    value,
};
use crate::{
    api::call::{GridCall, GridReply},
    error::{Error, ErrorCode, Recovery, Result},
    ports::{LocalFuture, Transport},
};

/// Longer answers are not read to their end.
const MAX_BODY_BYTES: u32 = 1024 * 1024;
/// A year.
const MAX_RETRY_AFTER_MS: f64 = 366.0 * 24.0 * 60.0 * 60.0 * 1000.0;

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
        let aborting = AbortOnDrop::new();
        let response = self.begin(&call, &headers, &aborting.signal())?;
        let response = value::settled(response).await;
        let response = response.map_err(|_| network("The request got no answer."))?;
        let reply = read_response(&response).await?;
        aborting.ended();
        Ok(reply)
    }

    /// Asks `fetch`, and gives what it gives.
    fn begin(&self, call: &GridCall, headers: &Headers, signal: &JsValue) -> Result<JsValue> {
        let request = Builder::new()
            .text("method", call.method)
            .set("headers", headers)
            .optional_text("body", call.body.as_deref())
            .optional_text("credentials", self.credentials)
            // Another address must not see the signature. "manual" and not "error", because only
            // so a redirect can be told from a broken connection.
            .text("redirect", "manual")
            .set("signal", signal)
            .dictionary();
        let url = value::joined(&[&self.base_url, &call.path]);
        let fetch = self.fetch.clone().or_else(global_fetch).ok_or_else(|| {
            Error::invalid_argument("There is no `fetch` here: pass one in the options.")
        })?;
        // Without `this`, as a browser's own `fetch` needs it.
        fetch
            .call2(&JsValue::UNDEFINED, &url.into(), &request)
            .map_err(|_| network("`fetch` threw an exception."))
    }

    async fn headers(&self, call: &GridCall) -> Result<Headers> {
        let given = match self.headers.dyn_ref::<Function>() {
            None => self.headers.clone(),
            Some(function) => value::called(function, &JsValue::UNDEFINED)
                .await
                .map_err(|_| network("`headers` failed; the request was not sent."))?,
        };
        let refused = |_| Error::invalid_argument("`headers` is not what `new Headers()` takes.");
        let headers = Headers::new_with_headers(given.unchecked_ref()).map_err(refused)?;
        if in_window() && is_basic(headers.get("Authorization").map_err(refused)?.as_deref()) {
            return Err(Error::invalid_argument(
                "A page must not hold the platform's Basic credentials: anybody could read them. \
                 Let the relay add them.",
            ));
        }
        let has_body = call.body.is_some();
        let own = [
            ("Accept", Some("application/json")),
            ("Content-Type", has_body.then_some("application/json")),
            ("Grid-Wallet-Signature", call.stamp.as_deref()),
            ("Request-Id", call.request_id.as_deref()),
            ("Idempotency-Key", call.idempotency_key.as_deref()),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                // Cannot fail: they are visible ASCII.
                headers.set(name, value).map_err(refused)?;
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
            let call = call_object(&call, &aborting.signal());
            let reply = value::called(&self.function, &call).await;
            let reply = reply.map_err(|_| network("`transport` failed."))?;
            let reply = read_reply(&reply)?;
            aborting.ended();
            Ok(reply)
        })
    }
}

/// `GridCall`
fn call_object(call: &GridCall, signal: &JsValue) -> JsValue {
    let params = Builder::new();
    for (name, value) in &call.params {
        params.text(name, value);
    }
    Builder::new()
        .text("operation", call.operation)
        .text("method", call.method)
        .text("path", &call.path)
        .set("params", &params.build())
        .optional_text("body", call.body.as_deref())
        .optional_text("stamp", call.stamp.as_deref())
        .optional_text("requestId", call.request_id.as_deref())
        .optional_text("idempotencyKey", call.idempotency_key.as_deref())
        .set("signal", signal)
        .build()
}

fn read_reply(reply: &JsValue) -> Result<GridReply> {
    let reply = read(|problem| {
        let reply = Argument::new(problem, reply, "reply");
        let status = reply.get("status").as_f64();
        let retry_after = reply.get("retryAfterMs");
        (
            status.and_then(http_status),
            read_retry_after(&retry_after),
            retry_after.is_undefined(),
            read_body_member(problem, reply.get("body")),
        )
    });
    match reply {
        Ok((Some(status), retry_after_ms, is_without, body))
            if retry_after_ms.is_some() || is_without =>
        {
            Ok(GridReply {
                status,
                body: body.into_bytes(),
                retry_after_ms,
                date_ms: None,
            })
        }
        Ok(_) | Err(_) => Err(Error::new(
            ErrorCode::RelayProtocol,
            "`transport` must resolve to { status, body, retryAfterMs? }: an HTTP status, the \
             answer as a text or as what was parsed of it, at most 1 MiB, and milliseconds.",
        )),
    }
}

fn http_status(status: f64) -> Option<u16> {
    let status = u16::try_from(number::whole(status, 599)?).ok()?;
    (status >= 100).then_some(status)
}

fn read_retry_after(milliseconds: &JsValue) -> Option<u64> {
    let milliseconds = milliseconds.as_f64().filter(|value| *value >= 0.0)?;
    number::whole(milliseconds.ceil().min(MAX_RETRY_AFTER_MS), u64::MAX)
}

/// A text is the body itself; anything else is what a text was parsed to.
fn read_body_member(problem: &Problem, body: JsValue) -> String {
    if body.is_undefined() || body.is_null() {
        return String::new();
    }
    let text = match body.is_string() {
        true => body,
        // Throws for cycles and the like; gives nothing for functions.
        false => JSON::stringify(&body)
            .map(JsValue::from)
            .unwrap_or_default(),
    };
    Argument::new(problem, &text, "body").as_text(MAX_BODY_BYTES)
}

async fn read_response(response: &JsValue) -> Result<GridReply> {
    let kind = value::get_text(response, "type").map(String::from);
    let status = value::get(response, "status").and_then(|status| status.as_f64());
    let is_redirect = status.is_some_and(|status| (300.0..400.0).contains(&status));
    if is_redirect || kind.as_deref() == Some("opaqueredirect") {
        return Err(network(
            "The relay answered with a redirect, which is not followed: it would carry the \
             signature elsewhere. Is the user signed out of the platform?",
        )
        .with_reason("redirect")
        .with_recovery(Recovery::Integrator));
    }
    let status = status.and_then(http_status);
    let status =
        status.ok_or_else(|| network("`fetch` resolved to something that is no Response."))?;
    let retry_after_ms = value::get(response, "headers")
        .and_then(|headers| value::call(&headers, "get", &[&"Retry-After".into()]))
        .and_then(|header| header.ok()?.as_string())
        .and_then(|header| retry_after_ms(&header));
    Ok(GridReply {
        status,
        body: read_body(response).await?,
        retry_after_ms,
        date_ms: None,
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

fn is_basic(authorization: Option<&str>) -> bool {
    let scheme = authorization.and_then(|authorization| authorization.get(..6));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))
}

fn network(message: &str) -> Error {
    Error::new(ErrorCode::Network, message)
}

fn too_long() -> Error {
    Error::new(ErrorCode::RelayProtocol, "The answer has more than 1 MiB.")
}
