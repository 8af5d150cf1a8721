//! One step after another, over boxes: where a method waits once, a state machine of its own is
//! twice as large as what it does before and after.

use alloc::boxed::Box;
use core::{
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};

use crate::{error::Result, ports::LocalFuture};

/// Something that fails or gives a `T`, in time.
pub type Work<T> = LocalFuture<'static, Result<T>>;

type Next<T, U> = Box<dyn FnOnce(T) -> U>;

/// What could be begun; or why not, for whoever waits for it.
pub fn begun<T: 'static>(begin: impl FnOnce() -> Result<Work<T>>) -> Work<T> {
    begin().unwrap_or_else(|error| Box::pin(ready(Err(error))))
}

/// What `next` makes of what `work` gives.
pub fn then<T: 'static, U: 'static>(
    work: Work<T>,
    next: impl FnOnce(T) -> Result<U> + 'static,
) -> Work<U> {
    Box::pin(Then {
        work,
        next: Some(Box::new(next)),
    })
}

struct Then<T, U> {
    work: Work<T>,
    next: Option<Next<T, Result<U>>>,
}

impl<T, U> Future for Then<T, U> {
    type Output = Result<U>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<U>> {
        match self.work.as_mut().poll(context) {
            Poll::Ready(Ok(done)) => match self.next.take() {
                Some(next) => Poll::Ready(next(done)),
                // Polled again after it was ready.
                None => Poll::Pending,
            },
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What `next` makes of what becomes of `work`, failures too.
pub fn whatever<T: 'static, U: 'static>(
    work: Work<T>,
    next: impl FnOnce(Result<T>) -> Result<U> + 'static,
) -> Work<U> {
    Box::pin(Whatever {
        work,
        next: Some(Box::new(next)),
    })
}

struct Whatever<T, U> {
    work: Work<T>,
    next: Option<Next<Result<T>, Result<U>>>,
}

impl<T, U> Future for Whatever<T, U> {
    type Output = Result<U>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<U>> {
        match self.work.as_mut().poll(context) {
            Poll::Ready(done) => match self.next.take() {
                Some(next) => Poll::Ready(next(done)),
                None => Poll::Pending,
            },
            Poll::Pending => Poll::Pending,
        }
    }
}
