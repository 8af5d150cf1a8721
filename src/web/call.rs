//! What exported methods take for each call, and the promises that they give.

use std::{future::Future, rc::Rc};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::{
    args::{Argument, read},
    cancellation::{AbortSignal, Canceller, Either},
    error::to_js,
};
use crate::{
    api::{client::CallOptions, request::SignedHeaders},
    error::{Error, ErrorCode, Result},
    ports::{Cancellation, LocalFuture},
};

/// Longer than any id; [`crate::api::validate`] has the real bounds.
pub(crate) const MAX_ID_CHARS: u32 = 512;
const MAX_HEADER_CHARS: u32 = 4096;

/// `Call`
#[derive(Default)]
pub(crate) struct Call {
    pub(crate) options: CallOptions,
    signal: Option<AbortSignal>,
}

impl Call {
    /// Reads `signal` and `timeoutMs` out of an object that may have more members, or be
    /// `undefined`.
    #[inline(never)]
    pub(crate) fn read(call: Argument<'_>) -> Self {
        let signal = call.get_optional("signal");
        let signal = AbortSignal::from_argument(call.member("signal", &signal));
        let cancellation = signal
            .clone()
            .map(|signal| -> Rc<dyn Cancellation> { Rc::new(signal) });
        let timeout_ms = call.optional_milliseconds("timeoutMs");
        Self {
            options: CallOptions {
                cancellation,
                timeout_ms,
            },
            signal,
        }
    }

    /// As [`Self::read`], where nothing else is to be read.
    pub(crate) fn from_js(call: &JsValue, name: &'static str) -> Result<Self> {
        read(|problem| Self::read(Argument::new(problem, call, name)))
    }

    /// As [`Self::from_js`], and lets `canceller` end the call as well.
    pub(crate) fn cancellable(
        call: &JsValue,
        name: &'static str,
        canceller: &Canceller,
    ) -> Result<Self> {
        let mut this = Self::from_js(call, name)?;
        if let Some(own) = canceller.begin() {
            this.options.cancellation = Some(match &this.signal {
                Some(signal) => Rc::new(Either(signal.clone(), own)),
                None => Rc::new(own),
            });
        }
        Ok(this)
    }

    /// The headers of a `SignedCall`.
    pub(crate) fn read_headers(call: Argument<'_>) -> SignedHeaders {
        let text = |name| call.optional_text(name, MAX_HEADER_CHARS);
        SignedHeaders {
            stamp: text("stamp"),
            request_id: text("requestId"),
            idempotency_key: text("idempotencyKey"),
        }
    }

    /// The promise of this call, which `future` carries out.
    pub(crate) fn promise<F>(self, future: impl FnOnce(CallOptions) -> F) -> Promise
    where
        F: Future<Output = Result<JsValue>> + 'static,
    {
        promise(self.signal, Box::pin(future(self.options)))
    }
}

/// One copy for all methods.
fn promise(signal: Option<AbortSignal>, future: LocalFuture<'static, Result<JsValue>>) -> Promise {
    future_to_promise(async move {
        future.await.map_err(|error| {
            let cause = match signal {
                // What the caller's own signal says.
                Some(signal) if error.code() == ErrorCode::Aborted => signal.reason(),
                _ => JsValue::UNDEFINED,
            };
            to_js(&error, &cause)
        })
    })
}

/// The promise of a method: what it gave, or the rejection of its arguments.
pub(crate) fn or_rejected(promise: Result<Promise>) -> Promise {
    promise.unwrap_or_else(|error: Error| Promise::reject(&error.into()))
}
