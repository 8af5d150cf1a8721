//! `AbortSignal` in, `AbortController` out.

use alloc::boxed::Box;
use core::{cell::RefCell, future::ready};

use futures_lite::future::or;
use wasm_bindgen::JsValue;

use super::{host, value};
use crate::ports::{Cancellation, LocalFuture};

/// An `AbortSignal`.
#[derive(Clone)]
pub(crate) struct AbortSignal(JsValue);

impl AbortSignal {
    /// What `pkg/bridge.js` took for one; nothing where that is `undefined`.
    pub(crate) fn new(signal: JsValue) -> Option<Self> {
        (!signal.is_undefined()).then_some(Self(signal))
    }
}

impl Cancellation for AbortSignal {
    fn is_cancelled(&self) -> bool {
        value::get(&self.0, "aborted").is_some_and(|aborted| aborted.is_truthy())
    }

    fn cancelled(&self) -> LocalFuture<'static, ()> {
        let aborted = host::then(host::aborted(&self.0), |_| ());
        match self.is_cancelled() {
            true => Box::pin(ready(())),
            false => aborted,
        }
    }
}

/// Either of two signals.
pub(crate) struct Either(pub(crate) AbortSignal, pub(crate) AbortSignal);

impl Cancellation for Either {
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled() || self.1.is_cancelled()
    }

    fn cancelled(&self) -> LocalFuture<'static, ()> {
        Box::pin(or(self.0.cancelled(), self.1.cancelled()))
    }
}

/// Ends the newest of the calls that were begun with it.
#[derive(Default)]
pub(crate) struct Canceller(RefCell<JsValue>);

impl Canceller {
    /// The signal of a call that begins.
    pub(crate) fn begin(&self) -> Option<AbortSignal> {
        let controller = host::controller();
        let signal = value::get(&controller, "signal")?;
        self.0.replace(controller);
        Some(AbortSignal(signal))
    }

    /// Ends it.
    pub(crate) fn cancel(&self) {
        host::abort(&self.0.take());
    }
}
