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
                // Nobody polls again what was ready.
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

#[cfg(test)]
mod tests {
    use alloc::rc::Rc;
    use core::{future::pending, task::Waker};

    use super::*;
    use crate::error::Error;

    fn polled<T>(work: &mut Work<T>) -> Poll<Result<T>> {
        let mut context = Context::from_waker(Waker::noop());
        work.as_mut().poll(&mut context)
    }

    fn done(number: i32) -> Work<i32> {
        Box::pin(ready(Ok(number)))
    }

    fn failed() -> Work<i32> {
        begun(|| Err(Error::invalid_argument("no")))
    }

    #[test]
    fn the_next_step_is_made_of_the_one_before() {
        let mut work = then(done(1), |number| Ok((number, 2)));
        assert!(matches!(polled(&mut work), Poll::Ready(Ok((1, 2)))));
        let mut work = then(done(1), |_| failed_now());
        assert!(matches!(polled(&mut work), Poll::Ready(Err(_))));
    }

    fn failed_now() -> Result<i32> {
        Err(Error::invalid_argument("no"))
    }

    #[test]
    fn a_failure_is_that_of_all_steps_after_it_but_of_those_that_ask() {
        let mut work = then(failed(), |_| -> Result<()> {
            panic!("there is nothing to go on with")
        });
        assert!(matches!(polled(&mut work), Poll::Ready(Err(_))));
        let mut work = whatever(failed(), |failed| Ok(failed.is_err()));
        assert!(matches!(polled(&mut work), Poll::Ready(Ok(true))));
        let mut work = whatever(done(1), |failed| Ok(failed.is_err()));
        assert!(matches!(polled(&mut work), Poll::Ready(Ok(false))));
    }

    #[test]
    fn what_is_dropped_keeps_nothing() {
        let held = Rc::new(());
        let by_next = held.clone();
        let mut work = then(Box::pin(pending::<Result<i32>>()), move |_| Ok(by_next));
        assert!(polled(&mut work).is_pending());
        assert_eq!(Rc::strong_count(&held), 2);
        drop(work);
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
