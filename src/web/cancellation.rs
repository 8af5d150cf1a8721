//! `AbortSignal` in, `AbortController` out.

use std::cell::RefCell;

use futures_lite::future::or;
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::value;
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
        let signal = self.clone();
        Box::pin(async move {
            // Not `Function::default()`: that is `new Function("")`, which a Content-Security-Policy
            // without 'unsafe-eval' refuses.
            let mut resolve = None;
            let aborted = Promise::new(&mut |resolver, _| resolve = Some(resolver));
            let _listening = resolve.map(|resolve| Listener::add(&signal.0, resolve));
            if !signal.is_cancelled() {
                let _ = JsFuture::from(aborted).await;
            }
        })
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

/// A listener of the event `abort`; dropping it removes it.
struct Listener {
    signal: JsValue,
    callback: Function,
}

impl Listener {
    fn add(signal: &JsValue, callback: Function) -> Self {
        let _ = value::call(signal, "addEventListener", &[&"abort".into(), &callback]);
        Self {
            signal: signal.clone(),
            callback,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let listener = [&"abort".into(), self.callback.as_ref()];
        let _ = value::call(&self.signal, "removeEventListener", &listener);
    }
}

/// Ends the newest of the calls that were begun with it.
#[derive(Default)]
pub(crate) struct Canceller(RefCell<JsValue>);

impl Canceller {
    /// The signal of a call that begins.
    pub(crate) fn begin(&self) -> Option<AbortSignal> {
        let controller = AbortController::new().ok()?;
        let signal = value::get(&controller, "signal")?;
        self.0.replace(controller.into());
        Some(AbortSignal(signal))
    }

    /// Ends it.
    pub(crate) fn cancel(&self) {
        abort(&self.0.take());
    }
}

/// Ends what the browser does for us, unless it has ended by itself.
pub(crate) struct AbortOnDrop(Option<AbortController>);

impl AbortOnDrop {
    /// Without `AbortController` nothing can be ended, and nothing is.
    pub(crate) fn new() -> Self {
        Self(AbortController::new().ok())
    }

    /// The signal to hand out.
    pub(crate) fn signal(&self) -> JsValue {
        self.0
            .as_ref()
            .and_then(|controller| value::get(controller, "signal"))
            .unwrap_or_default()
    }

    /// What ends it from elsewhere.
    pub(crate) fn controller(&self) -> JsValue {
        self.0.clone().map(JsValue::from).unwrap_or_default()
    }

    /// It has ended by itself.
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            abort(controller);
        }
    }
}

/// Aborts an `AbortController`, if it is one.
pub(crate) fn abort(controller: &JsValue) {
    let _ = value::call(controller, "abort", &[]);
}
