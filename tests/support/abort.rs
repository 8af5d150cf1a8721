//! An `AbortController`.

use std::{cell::Cell, rc::Rc};

use gridkey::ports::{Cancellation, LocalFuture};

#[derive(Default)]
pub struct Abort {
    aborted: Cell<bool>,
    notify: Rc<tokio::sync::Notify>,
}

impl Abort {
    pub fn abort(&self) {
        self.aborted.set(true);
        self.notify.notify_waiters();
    }
}

impl Cancellation for Abort {
    fn is_cancelled(&self) -> bool {
        self.aborted.get()
    }

    fn cancelled(&self) -> LocalFuture<'static, ()> {
        let notify = self.notify.clone();
        Box::pin(async move { notify.notified().await })
    }
}
