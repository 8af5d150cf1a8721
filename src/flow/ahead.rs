//! What is fetched ahead of the tap that needs it.
//!
//! A passkey prompt must open inside the tap that asked for it, so nothing may be fetched between.
//! What was fetched ahead runs out after minutes, so it is fetched again shortly before.

use alloc::{
    boxed::Box,
    rc::{Rc, Weak},
};
use core::{
    cell::{Cell, RefCell},
    future::ready,
};

use super::steps::{Work, then};
use crate::{
    api::client::CallOptions,
    ports::{Clock, LocalFuture},
};

/// What runs out.
pub trait Expiring: 'static {
    /// When, in milliseconds since 1970.
    fn expires_at_ms(&self) -> i64;
}

type Fetch<T> = Box<dyn Fn(CallOptions) -> Work<T>>;

/// One `T`, fresh as long as somebody holds this.
pub struct Ahead<T> {
    clock: Rc<dyn Clock>,
    fetch: Fetch<T>,
    ready: RefCell<Option<T>>,
    expires_at_ms: Cell<i64>,
}

/// A prompt takes people some seconds; what has less than this left is fetched again.
const RENEW_BEFORE_EXPIRY_MS: i64 = 30_000;
/// What has less than this left when the tap comes is not used: the prompt would close by itself.
const MIN_LEFT_MS: i64 = 10_000;
/// A page left open over night asks no more after this many renewals, about an hour; then the
/// next tap fetches for itself.
const MAX_RENEWALS: u32 = 12;
/// Nor after this many attempts, however they ended.
const MAX_ATTEMPTS: u32 = 60;
/// Keeps a server that hands out what has already expired from being asked in a loop.
const MIN_RENEWAL_INTERVAL_MS: u64 = 5_000;
/// Between attempts while the network is gone, or while a prompt is open.
const MAX_RETRY_INTERVAL_MS: u64 = 60_000;

impl<T: Expiring> Ahead<T> {
    /// Fetches the first one and begins to renew.
    pub fn fetched(
        clock: Rc<dyn Clock>,
        fetch: impl Fn(CallOptions) -> Work<T> + 'static,
        options: CallOptions,
    ) -> Work<Rc<Self>> {
        then(fetch(options), |first| {
            let this = Rc::new(Self {
                expires_at_ms: Cell::new(first.expires_at_ms()),
                clock,
                fetch: Box::new(fetch),
                ready: RefCell::new(Some(first)),
            });
            let renewed: Rc<dyn Renewed> = this.clone();
            this.clock.spawn(Box::pin(renew_before_expiry(
                Rc::downgrade(&renewed),
                this.clock.clone(),
            )));
            Ok(this)
        })
    }

    /// When the one that is ready runs out, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> i64 {
        self.expires_at_ms.get()
    }

    /// The one that is ready; only if there is none, or it is about to run out, is one fetched.
    pub fn take(&self, options: CallOptions) -> Work<T> {
        let needed_until_ms = self.clock.now_ms().saturating_add(MIN_LEFT_MS);
        match self.ready.take() {
            Some(one) if one.expires_at_ms() > needed_until_ms => Box::pin(ready(Ok(one))),
            Some(_) | None => (self.fetch)(options),
        }
    }

    /// Gives back one that was not used up.
    pub fn put_back(&self, unused: T) {
        self.expires_at_ms.set(unused.expires_at_ms());
        self.ready.replace(Some(unused));
    }

    /// Fetches another one in the background, for the next attempt.
    pub fn refill(self: &Rc<Self>) {
        let this = Rc::downgrade(self);
        self.clock.spawn(Box::pin(async move {
            if let Some(this) = this.upgrade() {
                // A failure is told by the next `take`, which then fetches for itself.
                if let Ok(fresh) = (this.fetch)(CallOptions::default()).await {
                    this.put_back(fresh);
                }
            }
        }));
    }
}

/// What runs out and can be had anew, whatever it is.
trait Renewed {
    /// When, in milliseconds since 1970.
    fn expires_at_ms(&self) -> i64;

    /// Whether a fresh one has taken the place of the one that was ready. While that is taken, a
    /// ceremony is open; [`Self::refill`] looks after the next one.
    fn renew(&self) -> LocalFuture<'_, bool>;
}

impl<T: Expiring> Renewed for Ahead<T> {
    fn expires_at_ms(&self) -> i64 {
        self.expires_at_ms.get()
    }

    fn renew(&self) -> LocalFuture<'_, bool> {
        Box::pin(async {
            if self.ready.borrow().is_none() {
                return false;
            }
            match (self.fetch)(CallOptions::default()).await {
                Ok(fresh) if self.ready.borrow().is_some() => {
                    self.put_back(fresh);
                    true
                }
                Ok(_) | Err(_) => false,
            }
        })
    }
}

async fn renew_before_expiry(renewed: Weak<dyn Renewed>, clock: Rc<dyn Clock>) {
    let mut renewals = 0_u32;
    let mut interval_ms = MIN_RENEWAL_INTERVAL_MS;
    for _ in 0..MAX_ATTEMPTS {
        let Some(expires_at_ms) = renewed.upgrade().map(|renewed| renewed.expires_at_ms()) else {
            return;
        };
        let due_ms = expires_at_ms.saturating_sub(RENEW_BEFORE_EXPIRY_MS);
        let wait_ms = u64::try_from(due_ms.saturating_sub(clock.now_ms())).unwrap_or(0);
        clock.sleep(wait_ms.max(interval_ms)).await;
        let Some(renewed) = renewed.upgrade() else {
            return;
        };
        if renewed.renew().await {
            renewals = renewals.saturating_add(1);
            interval_ms = MIN_RENEWAL_INTERVAL_MS;
        } else {
            interval_ms = interval_ms.saturating_mul(2).min(MAX_RETRY_INTERVAL_MS);
        }
        if renewals == MAX_RENEWALS {
            return;
        }
    }
}
