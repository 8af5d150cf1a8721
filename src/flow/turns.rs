//! One at a time, the others wait.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

#[derive(Default)]
pub struct Turns {
    taken: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// Ends the turn when dropped.
pub struct Turn<'a>(&'a Turns);

impl Turns {
    pub async fn take(&self) -> Turn<'_> {
        poll_fn(|context| {
            if self.taken.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(Turn(self))
            }
        })
        .await
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken.set(false);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }
}
