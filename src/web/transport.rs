//! Requests by `fetch`, or by a function of the caller's.

use alloc::string::String;

use js_sys::{Array, Function};
use wasm_bindgen::JsValue;

use super::host::{self, Answer, kind};
use crate::{
    api::call::{GridCall, GridReply},
    error::{Error, ErrorCode, Recovery, Result, joined},
    ports::{LocalFuture, Transport},
};

/// Longer answers are not read to their end.
const MAX_BODY_BYTES: u32 = 1024 * 1024;
/// Of texts of that many UTF-16 code units.
const MAX_TEXT_BYTES: u32 = 3 * MAX_BODY_BYTES;

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
        let promise = host::fetch_reply(
            self.fetch
                .as_ref()
                .map_or(&JsValue::UNDEFINED, AsRef::as_ref),
            &self.headers,
            self.credentials,
            &joined(&[&self.base_url, &call.path]),
            call.method,
            call.body.as_deref(),
            call.stamp.as_deref(),
            call.request_id.as_deref(),
            call.idempotency_key.as_deref(),
        );
        host::then(promise, |answer| {
            read_reply(&answer, MAX_BODY_BYTES).ok_or_else(|| fetch_failure(answer.kind()))
        })
    }
}

fn fetch_failure(what: u16) -> Error {
    let message = match what {
        kind::MISSING => {
            return Error::invalid_argument("There is no `fetch` here: pass one in the options.");
        }
        kind::HEADERS_REFUSED => {
            return Error::invalid_argument("`headers` is not what `new Headers()` takes.");
        }
        kind::HEADERS_BASIC => {
            return Error::invalid_argument(
                "A page must not hold the platform's Basic credentials: anybody could read them. \
                 Let the relay add them.",
            );
        }
        kind::TOO_LONG => {
            let message = "The answer has more than 1 MiB.";
            return Error::new(ErrorCode::RelayProtocol, message);
        }
        kind::REDIRECT => {
            return network(
                "The relay answered with a redirect, which is not followed: it would carry the \
                 signature elsewhere. Is the user signed out of the platform?",
            )
            .with_reason("redirect")
            .with_recovery(Recovery::Integrator);
        }
        kind::HEADERS_FAILED => "`headers` failed; the request was not sent.",
        kind::FETCH_THREW => "`fetch` threw an exception.",
        kind::NO_REPLY => "`fetch` resolved to something that is no Response.",
        kind::CUT_OFF => "The answer was cut off.",
        _ => "The request got no answer.",
    };
    network(message)
}

/// Requests by a function of the caller's: `transport(call)`.
pub(crate) struct FunctionTransport {
    /// `(call: GridCall) => Promise<GridReply>`
    pub(crate) function: Function,
}

impl Transport for FunctionTransport {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        let params = Array::new();
        for (name, value) in &call.params {
            params.push(&JsValue::from_str(name));
            params.push(&JsValue::from_str(value));
        }
        let promise = host::transport_reply(
            &self.function,
            call.operation,
            call.method,
            &call.path,
            &params,
            call.body.as_deref(),
            call.stamp.as_deref(),
            call.request_id.as_deref(),
            call.idempotency_key.as_deref(),
        );
        host::then(promise, |answer| {
            read_reply(&answer, MAX_TEXT_BYTES).ok_or_else(|| match answer.kind() {
                kind::FAILED => network("`transport` failed."),
                _ => Error::new(
                    ErrorCode::RelayProtocol,
                    "`transport` must resolve to { status, body, headers?, retryAfterMs?, dateMs? }: an \
                     HTTP status, the answer as a text or as what was parsed of it, at most 1 MiB, \
                     an object of headers, and milliseconds.",
                ),
            })
        })
    }
}

/// `[status, body, retryAfterMs, dateMs]`
fn read_reply(answer: &Answer, max: u32) -> Option<GridReply> {
    let status = answer.kind();
    if status < 100 {
        return None;
    }
    Some(GridReply {
        status,
        body: answer.bytes(1, max),
        retry_after_ms: answer.whole(2, u64::MAX),
        date_ms: answer.date(3),
    })
}

fn network(message: &'static str) -> Error {
    Error::new(ErrorCode::Network, message)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::{
        number,
        testing::{js, of, settled},
    };

    fn http_date_ms(header: &str) -> Option<i64> {
        host::http_date_ms(header).map(number::from_js)
    }

    fn a_call() -> GridCall {
        GridCall {
            operation: "listAuthSessions",
            method: "GET",
            path: "/auth/sessions".to_owned(),
            params: Vec::new(),
            body: None,
            stamp: None,
            request_id: None,
            idempotency_key: None,
        }
    }

    /// What becomes of a call whose `fetch` gives this.
    async fn read_response(response: &JsValue) -> Result<GridReply> {
        let transport = FetchTransport {
            base_url: String::new(),
            fetch: Some(of(response, "() => it").into()),
            headers: JsValue::UNDEFINED,
            credentials: None,
        };
        transport.send(a_call()).await
    }

    /// What becomes of a call whose `transport` gives this.
    async fn read_reply(reply: &JsValue) -> Result<GridReply> {
        let function = of(reply, "() => it").into();
        FunctionTransport { function }.send(a_call()).await
    }

    fn in_window() -> bool {
        js("typeof window === 'object' && typeof document === 'object'").is_truthy()
    }

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
            let apart = number::to_js(date_ms) - js_sys::Date::now();
            assert!(apart.abs() < 60_000.0, "{apart}");
        }
    }

    #[test]
    async fn the_servers_time_is_read_from_a_reply() {
        for (date, date_ms) in [
            ("dateMs: 784111777000", Some(784_111_777_000)),
            ("dateMs: 0", Some(0)),
            ("dateMs: undefined", None),
            ("", None),
        ] {
            let reply = js(&format!("({{ status: 200, body: '', {date} }})"));
            assert_eq!(read_reply(&reply).await.unwrap().date_ms, date_ms);
        }
    }
}
