//! Time of the device and of Grid together: it passes when it is told to, and costs nothing.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
    time::{SystemTime, UNIX_EPOCH},
};

use gridkey::ports::{Clock, LocalFuture};
use gridkey_sandbox::Sandbox;

/// The real time, and as much more as was said.
pub struct SharedTime(Rc<Shared>);

struct Shared {
    sandbox: Sandbox,
    ahead_ms: Cell<i64>,
    /// Who waits, and may be woken in vain.
    sleepers: RefCell<BTreeMap<u64, Option<Waker>>>,
    next: Cell<u64>,
}

/// Shorter waits are those between a request and its repetition: they are over at once. All other
/// timers are for longer than this: of requests, of sessions, and of what is fetched ahead.
const LONGEST_BACK_OFF_MS: u64 = 4_999;

struct Sleeper {
    shared: Rc<Shared>,
    number: u64,
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.shared.sleepers.borrow_mut().remove(&self.number);
    }
}

impl Shared {
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis()).unwrap() + self.ahead_ms.get()
    }

    fn advance(&self, ms: i64) {
        self.ahead_ms.set(self.ahead_ms.get() + ms);
        self.sandbox.advance_clock(ms);
        for waker in self.sleepers.borrow_mut().values_mut() {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }
}

impl SharedTime {
    pub fn new(sandbox: &Sandbox) -> Self {
        Self(Rc::new(Shared {
            sandbox: sandbox.clone(),
            ahead_ms: Cell::new(0),
            sleepers: RefCell::default(),
            next: Cell::new(0),
        }))
    }

    /// Lets time pass, for the device and for Grid.
    pub fn advance(&self, ms: i64) {
        self.0.advance(ms);
    }

    /// How many timers run.
    pub fn timers(&self) -> usize {
        self.0.sleepers.borrow().len()
    }
}

impl Clock for SharedTime {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let shared = self.0.clone();
        let signed_ms = i64::try_from(ms).unwrap();
        if ms <= LONGEST_BACK_OFF_MS {
            return Box::pin(async move {
                shared.advance(signed_ms);
                tokio::task::yield_now().await;
            });
        }
        let due_ms = shared.now_ms() + signed_ms;
        let number = shared.next.get();
        shared.next.set(number + 1);
        shared.sleepers.borrow_mut().insert(number, None);
        let sleeper = Sleeper { shared, number };
        Box::pin(poll_fn(move |context| {
            let Sleeper { shared, number } = &sleeper;
            if shared.now_ms() >= due_ms {
                return Poll::Ready(());
            }
            let waker = Some(context.waker().clone());
            shared.sleepers.borrow_mut().insert(*number, waker);
            Poll::Pending
        }))
    }

    fn spawn(&self, task: LocalFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
}
