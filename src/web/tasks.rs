//! What goes on while JavaScript does something else.
//!
//! In the place of wasm-bindgen-futures, which is 1 KB more after brotli: here all tasks are polled
//! when one of them is woken. They are a few at any time, and most wait for one promise.

use alloc::{rc::Rc, sync::Arc, task::Wake, vec::Vec};
use core::{
    cell::{Cell, OnceCell},
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use js_sys::Promise;
use wasm_bindgen::{JsValue, closure::Closure};

use super::one_thread::OneThread;
use crate::ports::LocalFuture;

type Callback = Closure<dyn FnMut(JsValue)>;

static TASKS: OneThread<Cell<Vec<LocalFuture<'static, ()>>>> =
    OneThread::new(Cell::new(Vec::new()));
static IS_DUE: OneThread<Cell<bool>> = OneThread::new(Cell::new(false));
static POLL_ALL: OneThread<OnceCell<Callback>> = OneThread::new(OnceCell::new());

/// Begins a task, but not before what is going on now has returned to JavaScript.
pub(super) fn spawn(task: LocalFuture<'static, ()>) {
    push(task);
    poll_soon();
}

fn push(task: LocalFuture<'static, ()>) {
    let mut tasks = TASKS.take();
    tasks.push(task);
    TASKS.set(tasks);
}

/// In a microtask, one for all that ask for it meanwhile.
fn poll_soon() {
    if !IS_DUE.replace(true) {
        let poll_all = POLL_ALL.get_or_init(|| Closure::new(|_| poll_all()));
        let _ = Promise::resolve(&JsValue::UNDEFINED).then2(poll_all, poll_all);
    }
}

fn poll_all() {
    IS_DUE.set(false);
    let waker = Waker::from(Arc::new(All));
    let mut context = Context::from_waker(&waker);
    for mut task in TASKS.take() {
        if task.as_mut().poll(&mut context).is_pending() {
            push(task);
        }
    }
}

struct All;

impl Wake for All {
    fn wake(self: Arc<Self>) {
        poll_soon();
    }
}

/// What a promise comes to; `undefined` where it is rejected.
pub(super) struct Answered(Rc<Settling>);

#[derive(Default)]
struct Settling {
    answer: Cell<Option<JsValue>>,
    waker: Cell<Option<Waker>>,
    /// Kept until one of them is called: nobody can take them back from the promise.
    callbacks: Cell<Option<(Callback, Callback)>>,
}

impl Answered {
    pub(super) fn new(promise: &Promise) -> Self {
        let settling = Rc::<Settling>::default();
        let answered = callback(&settling, true);
        let rejected = callback(&settling, false);
        let _ = promise.then2(&answered, &rejected);
        settling.callbacks.set(Some((answered, rejected)));
        Self(settling)
    }
}

fn callback(settling: &Rc<Settling>, is_answer: bool) -> Callback {
    let settling = settling.clone();
    Closure::new(move |value| {
        let answer = if is_answer { value } else { JsValue::UNDEFINED };
        settling.answer.set(Some(answer));
        if let Some(waker) = settling.waker.take() {
            waker.wake();
        }
        // Last: with them goes this closure itself.
        drop(settling.callbacks.take());
    })
}

impl Future for Answered {
    type Output = JsValue;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<JsValue> {
        match self.0.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                self.0.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
