//! What `pkg/host.js` does: what takes many steps in the browser is done there, step by step in
//! plain JavaScript, and comes back as one plain answer.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;

use super::{number, tasks::Answered};
use crate::ports::LocalFuture;

/// What an answer begins with, unless it is the status of a reply.
pub(crate) mod kind {
    pub(crate) const DONE: u16 = 0;
    pub(crate) const MISSING: u16 = 1;
    pub(crate) const INSECURE: u16 = 2;
    /// With the exception's name, if it is of the form that all have.
    pub(crate) const FAILED: u16 = 3;
    pub(crate) const BLOCKED: u16 = 4;
    pub(crate) const LATE: u16 = 5;
    pub(crate) const HEADERS_FAILED: u16 = 6;
    pub(crate) const HEADERS_REFUSED: u16 = 7;
    pub(crate) const HEADERS_BASIC: u16 = 8;
    pub(crate) const FETCH_THREW: u16 = 9;
    pub(crate) const REDIRECT: u16 = 10;
    pub(crate) const NO_REPLY: u16 = 11;
    pub(crate) const CUT_OFF: u16 = 12;
    pub(crate) const TOO_LONG: u16 = 13;
    pub(crate) const NOTHING: u16 = 14;
    pub(crate) const NO_CRYPTO: u16 = 15;
    /// With the exception's name, as above.
    pub(crate) const CRYPTO_FAILED: u16 = 16;
}

#[wasm_bindgen(module = "/pkg/host.js", js_namespace = host)]
extern "C" {
    fn end(promise: &Promise);

    #[wasm_bindgen(js_name = bytesAt)]
    fn bytes_at(answer: &JsValue, index: u32, max: u32) -> Option<Vec<u8>>;

    #[wasm_bindgen(js_name = fetchReply)]
    pub(crate) fn fetch_reply(
        fetch: &JsValue,
        headers: &JsValue,
        credentials: Option<&str>,
        url: &str,
        method: &str,
        body: Option<&str>,
        stamp: Option<&str>,
        request_id: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Promise;

    #[wasm_bindgen(js_name = transportReply)]
    pub(crate) fn transport_reply(
        transport: &Function,
        operation: &str,
        method: &str,
        path: &str,
        params: &Array,
        body: Option<&str>,
        stamp: Option<&str>,
        request_id: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Promise;

    #[cfg(test)]
    #[wasm_bindgen(js_name = httpDateMs)]
    pub(crate) fn http_date_ms(header: &str) -> Option<f64>;

    #[wasm_bindgen(js_name = getCredential)]
    pub(crate) fn get_credential(
        challenge: &[u8],
        credential_id: &[u8],
        rp_id: Option<&str>,
        timeout: Option<u32>,
    ) -> Promise;

    #[wasm_bindgen(js_name = createCredential)]
    pub(crate) fn create_credential(
        challenge: &[u8],
        rp_id: Option<&str>,
        rp_name: &str,
        user_id: &[u8],
        user_name: &str,
        display_name: &str,
        excluded: &Array,
        timeout: Option<u32>,
    ) -> Promise;

    #[wasm_bindgen(js_name = generateKey)]
    pub(crate) fn generate_key(proof: &[u8]) -> Promise;

    pub(crate) fn sign(private_key: &JsValue, message: &[u8]) -> Promise;

    #[wasm_bindgen(js_name = inStore)]
    pub(crate) fn in_store(
        method: &str,
        name: &str,
        private_key: &JsValue,
        proof: &[u8],
    ) -> Promise;

    #[wasm_bindgen(js_name = getNote)]
    pub(crate) fn get_note(name: &str) -> Option<String>;

    #[wasm_bindgen(js_name = setNote)]
    pub(crate) fn set_note(name: &str, text: Option<&str>) -> bool;

    pub(crate) fn sleep(ms: f64, in_background: bool) -> Promise;

    pub(crate) fn aborted(signal: &JsValue) -> Promise;

    pub(crate) fn controller() -> JsValue;

    pub(crate) fn abort(controller: &JsValue);

    pub(crate) fn called(function: &Function, argument: &JsValue) -> Promise;
}

/// Something that the browser does for us; dropping it ends it.
pub(crate) struct Task {
    promise: Promise,
    answer: Answered,
}

impl Task {
    pub(crate) fn new(promise: Promise) -> Self {
        Self {
            answer: Answered::new(&promise),
            promise,
        }
    }
}

impl Future for Task {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        // Rejected only if the page breaks what everybody uses: then it is the answer to nothing.
        Pin::new(&mut self.answer).poll(context).map(Answer)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        end(&self.promise);
    }
}

/// What is made of the answer. The promise is one already, so what it stands for has begun.
pub(crate) fn then<T: 'static>(promise: Promise, read: fn(Answer) -> T) -> LocalFuture<'static, T> {
    Box::pin(Then {
        task: Task::new(promise),
        read,
    })
}

struct Then<T> {
    task: Task,
    read: fn(Answer) -> T,
}

impl<T> Future for Then<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let answer = Pin::new(&mut self.task).poll(context);
        answer.map(self.read)
    }
}

/// An array of the host's making.
pub(crate) struct Answer(JsValue);

impl Answer {
    /// What became of it: one of [`kind`], or a status. [`kind::FAILED`] where there is no telling.
    pub(crate) fn kind(&self) -> u16 {
        let kind = self.whole(0, u16::MAX.into());
        kind.and_then(|kind| u16::try_from(kind).ok())
            .unwrap_or(kind::FAILED)
    }

    #[inline(never)]
    pub(crate) fn value(&self, index: u32) -> JsValue {
        Reflect::get_u32(&self.0, index).unwrap_or_default()
    }

    pub(crate) fn text(&self, index: u32) -> Option<String> {
        self.value(index).as_string()
    }

    pub(crate) fn whole(&self, index: u32, max: u64) -> Option<u64> {
        number::whole(self.value(index).as_f64()?, max)
    }

    /// Milliseconds since 1970; or before it, which no server's time is but which `Date` has.
    pub(crate) fn date(&self, index: u32) -> Option<i64> {
        self.value(index).as_f64().map(number::from_js)
    }

    /// At most so many bytes; none where there are none.
    pub(crate) fn bytes(&self, index: u32, max: u32) -> Vec<u8> {
        bytes_at(&self.0, index, max).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::kind::*;

    #[test]
    fn both_sides_have_the_same_kinds() {
        let host = include_str!("../../pkg/host.js");
        let kinds = [
            ("DONE", DONE),
            ("MISSING", MISSING),
            ("INSECURE", INSECURE),
            ("FAILED", FAILED),
            ("BLOCKED", BLOCKED),
            ("LATE", LATE),
            ("HEADERS_FAILED", HEADERS_FAILED),
            ("HEADERS_REFUSED", HEADERS_REFUSED),
            ("HEADERS_BASIC", HEADERS_BASIC),
            ("FETCH_THREW", FETCH_THREW),
            ("REDIRECT", REDIRECT),
            ("NO_REPLY", NO_REPLY),
            ("CUT_OFF", CUT_OFF),
            ("TOO_LONG", TOO_LONG),
            ("NOTHING", NOTHING),
            ("NO_CRYPTO", NO_CRYPTO),
            ("CRYPTO_FAILED", CRYPTO_FAILED),
        ];
        let theirs: Vec<_> = host
            .lines()
            .skip_while(|line| !line.starts_with("const DONE"))
            .take_while(|line| !line.is_empty())
            .collect();
        let ours: Vec<_> = kinds
            .iter()
            .map(|(name, kind)| format!("const {name} = {kind};"))
            .collect();
        assert_eq!(theirs, ours);
    }
}
