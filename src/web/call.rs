//! What exported methods take for each call, and the promises that they give.

use std::{future::Future, rc::Rc};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::{
    args::Argument,
    cancellation::{AbortSignal, Canceller, Either},
    error::to_js,
};
use crate::{
    api::client::{CallOptions, SignedHeaders},
    error::{Error, ErrorCode, Result},
    ports::Cancellation,
};

/// Longer than any id; [`crate::api::validate`] has the real bounds.
pub(crate) const MAX_ID_CHARS: u32 = 512;
const MAX_HEADER_CHARS: u32 = 4096;

/// `Call`
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) options: CallOptions,
    signal: Option<AbortSignal>,
}

impl Call {
    /// Reads `signal` and `timeoutMs` out of an object that may have more members, or be
    /// `undefined`.
    pub(crate) fn read(call: &Argument) -> Result<Self> {
        let signal = match call.get_given("signal")? {
            Some(signal) => Some(AbortSignal::from_argument(&signal)?),
            None => None,
        };
        let timeout_ms = match call.get_given("timeoutMs")? {
            Some(timeout_ms) => Some(timeout_ms.milliseconds()?),
            None => None,
        };
        let cancellation = signal
            .clone()
            .map(|signal| -> Rc<dyn Cancellation> { Rc::new(signal) });
        Ok(Self {
            options: CallOptions {
                cancellation,
                timeout_ms,
            },
            signal,
        })
    }

    /// Lets `canceller` end the call as well.
    pub(crate) fn cancelled_by(mut self, canceller: &Canceller) -> Self {
        if let Some(own) = canceller.begin() {
            self.options.cancellation = Some(match &self.signal {
                Some(signal) => Rc::new(Either(signal.clone(), own)),
                None => Rc::new(own),
            });
        }
        self
    }

    /// `SignedCall`
    pub(crate) fn read_signed(call: &Argument) -> Result<(Self, SignedHeaders)> {
        let text = |name| call.get_text(name, MAX_HEADER_CHARS);
        let headers = SignedHeaders {
            stamp: text("stamp")?,
            request_id: text("requestId")?,
            idempotency_key: text("idempotencyKey")?,
        };
        Ok((Self::read(call)?, headers))
    }

    /// What the caller's own signal says of an aborted call.
    fn cause(&self, error: &Error) -> JsValue {
        match &self.signal {
            Some(signal) if error.code() == ErrorCode::Aborted => signal.reason(),
            Some(_) | None => JsValue::UNDEFINED,
        }
    }
}

/// The promise of an exported method. `begin` reads the arguments, at once; the future that it
/// gives does the rest.
pub(crate) fn promise<F>(begin: impl FnOnce() -> Result<(Call, F)>) -> Promise
where
    F: Future<Output = Result<JsValue>> + 'static,
{
    match begin() {
        Ok((call, future)) => future_to_promise(async move {
            future
                .await
                .map_err(|error| to_js(&error, &call.cause(&error)))
        }),
        Err(error) => Promise::reject(&to_js(&error, &JsValue::UNDEFINED)),
    }
}
