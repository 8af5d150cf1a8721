//! The real clock, which a test can set forward.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gridkey::ports::{Clock, LocalFuture};

#[derive(Default)]
pub struct TestClock {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    offset_ms: Cell<i64>,
    sleepers: RefCell<Vec<Waker>>,
}

impl Shared {
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis())
            .unwrap()
            .saturating_add(self.offset_ms.get())
    }
}

impl TestClock {
    /// Sets it forward, or back, and wakes who has slept long enough by that.
    pub fn advance(&self, ms: i64) {
        self.shared
            .offset_ms
            .set(self.shared.offset_ms.get().saturating_add(ms));
        for waker in self.shared.sleepers.take() {
            waker.wake();
        }
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.shared.now_ms()
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let shared = self.shared.clone();
        let due_ms = shared.now_ms().saturating_add(i64::try_from(ms).unwrap());
        Box::pin(async move {
            let mut real = Box::pin(tokio::time::sleep(Duration::from_millis(ms)));
            poll_fn(move |context| {
                if shared.now_ms() >= due_ms {
                    return Poll::Ready(());
                }
                shared.sleepers.borrow_mut().push(context.waker().clone());
                real.as_mut().poll(context)
            })
            .await;
        })
    }

    fn spawn(&self, task: LocalFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
}
