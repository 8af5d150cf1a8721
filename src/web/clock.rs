//! Time in a page, a worker or Node.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use js_sys::{Date, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{number, value};
use crate::ports::{Clock, LocalFuture};

#[wasm_bindgen]
extern "C" {
    /// A number in browsers, an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// `Date.now`, `setTimeout` and the microtask queue.
pub(crate) struct BrowserClock;

impl Clock for BrowserClock {
    fn now_ms(&self) -> i64 {
        number::from_js(Date::now())
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let background = IN_BACKGROUND.get();
        Box::pin(async move {
            let mut left = ms;
            loop {
                // A longer timer would go off at once.
                let nap = i32::try_from(left).unwrap_or(i32::MAX);
                Timer::set(nap, background).await;
                left = left.saturating_sub(u64::from(nap.unsigned_abs()));
                if left == 0 {
                    return;
                }
            }
        })
    }

    fn spawn(&self, task: LocalFuture<'static, ()>) {
        spawn_local(Background(task));
    }
}

thread_local! {
    static IN_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// A task that nobody waits for: its timers must not keep a Node process alive.
struct Background(LocalFuture<'static, ()>);

impl Future for Background {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        IN_BACKGROUND.set(true);
        let polled = self.0.as_mut().poll(context);
        IN_BACKGROUND.set(false);
        polled
    }
}

/// A timer that is set; dropping it clears it.
struct Timer {
    id: JsValue,
    elapsed: JsFuture,
}

impl Timer {
    fn set(milliseconds: i32, background: bool) -> Self {
        let mut id = JsValue::UNDEFINED;
        let promise = Promise::new(&mut |resolve, _| id = set_timeout(&resolve, milliseconds));
        if background {
            // Only Node's timers have it.
            let _ = value::call(&id, "unref", &[]);
        }
        Self {
            id,
            elapsed: promise.into(),
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.elapsed).poll(context).map(|_| ())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
