//! Time in a page, a worker or Node.

use alloc::boxed::Box;
use core::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use js_sys::Date;

use super::{host, number, one_thread::OneThread, tasks};
use crate::ports::{Clock, LocalFuture};

/// `Date.now`, `setTimeout` and the microtask queue.
pub(crate) struct BrowserClock;

impl Clock for BrowserClock {
    fn now_ms(&self) -> i64 {
        number::from_js(Date::now())
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let in_background = IN_BACKGROUND.get();
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        let elapsed = host::sleep(number::to_js(ms), in_background);
        host::then(elapsed, |_| ())
    }

    fn spawn(&self, task: LocalFuture<'static, ()>) {
        tasks::spawn(Box::pin(Background(task)));
    }
}

static IN_BACKGROUND: OneThread<Cell<bool>> = OneThread::new(Cell::new(false));

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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::testing::{Replaced, js, of};

    /// Timers that go off at once and remember for how long they were set. WebKit's driver, which
    /// looks in from time to time, sets one of 30 seconds in the page itself: that is none of ours.
    const IMPATIENT: &str = "{ value: (setTimeout => (callback, ms) => {
        if (ms === 30000) return setTimeout(callback, ms);
        globalThis.gridkeyNaps.push(ms);
        return setTimeout(callback);
    })(setTimeout) }";

    #[test]
    async fn a_long_time_is_slept_in_naps() {
        let naps = js("globalThis.gridkeyNaps = []");
        {
            let _impatient = Replaced::new("setTimeout", IMPATIENT);
            for ms in [0, 5, 0x7fff_ffff, 0x8000_0000, 0x1_0000_0005] {
                BrowserClock.sleep(ms).await;
            }
        }
        let expected = "it.join() === '0,5,2147483647,2147483647,1,2147483647,2147483647,7'";
        assert!(of(&naps, expected).is_truthy(), "{naps:?}");
    }

    #[test]
    fn a_sleep_that_is_dropped_is_cleared() {
        let cleared = js("globalThis.gridkeyNaps = []");
        let _recording = (
            Replaced::new("setTimeout", "{ value: () => 17 }"),
            Replaced::new(
                "clearTimeout",
                "{ value: timer => globalThis.gridkeyNaps.push(timer) }",
            ),
        );
        let sleeping = BrowserClock.sleep(5);
        assert!(of(&cleared, "it.length === 0").is_truthy());
        drop(sleeping);
        assert!(of(&cleared, "it.join() === '17'").is_truthy());
    }
}
