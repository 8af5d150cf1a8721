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
    error::{Error, ErrorCode, Recovery, Result, joined},
    formats::timestamp::parse_rfc3339_ms,
    ports::{LocalFuture, Transport},
};

/// Longer answers are not read to their end.
const MAX_BODY_BYTES: u32 = 1024 * 1024;
/// A year.
const MAX_RETRY_AFTER_MS: f64 = 366.0 * 24.0 * 60.0 * 60.0 * 1000.0;
/// What a `Date` can hold: ECMA-262 section 21.4.1.1.
const MAX_DATE_MS: u64 = 8_640_000_000_000_000;

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
        let url = joined(&[&self.base_url, &call.path]);
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
            // Where this request has none, nobody else's goes with it. Cannot fail: they are
            // visible ASCII.
            match value {
                Some(value) => headers.set(name, value),
                None => headers.delete(name),
            }
            .map_err(refused)?;
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
        let date = reply.get("dateMs");
        let retry_after_ms = read_retry_after(&retry_after);
        let date_ms = read_date(&date);
        let are_read = (retry_after_ms.is_some() || retry_after.is_undefined())
            && (date_ms.is_some() || date.is_undefined());
        let reply = GridReply {
            status: status.and_then(http_status).unwrap_or_default(),
            body: read_body_member(problem, reply.get("body")).into_bytes(),
            retry_after_ms,
            date_ms,
        };
        (are_read, reply)
    });
    match reply {
        Ok((true, reply)) if reply.status != 0 => Ok(reply),
        Ok(_) | Err(_) => Err(Error::new(
            ErrorCode::RelayProtocol,
            "`transport` must resolve to { status, body, retryAfterMs?, dateMs? }: an HTTP \
             status, the answer as a text or as what was parsed of it, at most 1 MiB, and \
             milliseconds.",
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

fn read_date(milliseconds: &JsValue) -> Option<i64> {
    let milliseconds = number::whole(milliseconds.as_f64()?, MAX_DATE_MS)?;
    i64::try_from(milliseconds).ok()
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
    let headers = value::get(response, "headers").unwrap_or_default();
    let header = |name: &str| {
        value::call(&headers, "get", &[&name.into()])?
            .ok()?
            .as_string()
    };
    Ok(GridReply {
        status,
        retry_after_ms: header("Retry-After").and_then(|header| retry_after_ms(&header)),
        // Of another origin's answers it can be seen only if they expose it.
        date_ms: header("Date").and_then(|header| http_date_ms(&header)),
        body: read_body(response).await?,
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

/// RFC 9110 section 5.6.7: `IMF-fixdate`, the only form that is sent any more.
///
/// `Date.parse` takes far more than that, and not the same in all browsers.
fn http_date_ms(header: &str) -> Option<i64> {
    const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    /// From that of 1 January 1970.
    const WEEKDAYS: [&str; 7] = ["Thu,", "Fri,", "Sat,", "Sun,", "Mon,", "Tue,", "Wed,"];
    const MONTHS: [[&str; 2]; 12] = [
        ["Jan", "01"],
        ["Feb", "02"],
        ["Mar", "03"],
        ["Apr", "04"],
        ["May", "05"],
        ["Jun", "06"],
        ["Jul", "07"],
        ["Aug", "08"],
        ["Sep", "09"],
        ["Oct", "10"],
        ["Nov", "11"],
        ["Dec", "12"],
    ];

    // With all else of fixed length, none is left for a fraction of a second.
    let date = header
        .strip_suffix(" GMT")
        .filter(|_| header.len() == LENGTH)?;
    let mut parts = date.split(' ');
    let mut next = || parts.next();
    let (weekday, day, month, year, time) = (next()?, next()?, next()?, next()?, next()?);
    let [_, month] = MONTHS.iter().find(|[name, _]| *name == month)?;
    let date_ms = parse_rfc3339_ms(&joined(&[year, "-", month, "-", day, "T", time, "Z"]));
    let date_ms = date_ms.ok()?;
    let days = usize::try_from(date_ms.div_euclid(DAY_MS).rem_euclid(7)).ok()?;
    (WEEKDAYS.get(days) == Some(&weekday)).then_some(date_ms)
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

fn network(message: &'static str) -> Error {
    Error::new(ErrorCode::Network, message)
}

fn too_long() -> Error {
    Error::new(ErrorCode::RelayProtocol, "The answer has more than 1 MiB.")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::testing::{js, settled};

    #[test]
    fn an_http_date_has_one_form() {
        for (header, ms) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199_000),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799_000),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1000),
        ] {
            assert_eq!(http_date_ms(header), Some(ms), "{header}");
        }
        for header in [
            "",
            "soon",
            " GMT",
            "784111777",
            "1994-11-06T08:49:37Z",
            // The two forms that RFC 9110 calls obsolete.
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37  GMT",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37.5 GMT",
            "Sun,06 Nov 1994 08:49:37  GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Thu, 31 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Sun, 06 Nov 1994 \u{661}:49:37 GMT",
            "Sun, 06 N\u{f6}v 1994 8:49:37 GMT",
        ] {
            assert_eq!(http_date_ms(header), None, "{header}");
        }
    }

    #[test]
    async fn the_servers_time_is_read_from_a_response() {
        for (headers, date_ms) in [
            (
                "{ Date: 'Sun, 06 Nov 1994 08:49:37 GMT' }",
                Some(784_111_777_000),
            ),
            ("{}", None),
            ("{ Date: 'tomorrow' }", None),
            ("{ Date: '' }", None),
        ] {
            let response = js(&format!("new Response('', {{ headers: {headers} }})"));
            let reply = read_response(&response).await.unwrap();
            assert_eq!(reply.date_ms, date_ms, "{headers}");
        }
        for headers in ["5", "{ get() { throw 1 } }", "{ get: () => 5 }", "null"] {
            let response = js(&format!(
                "({{ status: 200, headers: {headers}, arrayBuffer: async () => new ArrayBuffer(0) }})"
            ));
            assert_eq!(read_response(&response).await.unwrap().date_ms, None);
        }
        // As the server of this page writes it, where there is a page.
        if in_window() {
            let response = settled(&JsValue::UNDEFINED, "fetch('/nowhere')").await;
            let date_ms = read_response(&response).await.unwrap().date_ms.unwrap();
            let apart = number::to_js(date_ms) - Date::now();
            assert!(apart.abs() < 60_000.0, "{apart}");
        }
    }

    #[test]
    fn the_servers_time_is_read_from_a_reply() {
        for (date, date_ms) in [
            ("dateMs: 784111777000", Some(784_111_777_000)),
            ("dateMs: 0", Some(0)),
            ("dateMs: undefined", None),
            ("", None),
        ] {
            let reply = js(&format!("({{ status: 200, body: '', {date} }})"));
            assert_eq!(read_reply(&reply).unwrap().date_ms, date_ms);
        }
    }
}
