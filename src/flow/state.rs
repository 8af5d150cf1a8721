//! Whether somebody is signed in, and who wants to know.

use alloc::{rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use super::session::SessionInfo;

/// What a page shows.
#[derive(Clone, Debug)]
pub enum SessionState {
    /// No session here.
    SignedOut {
        /// Why a session that was here ended.
        reason: Option<SignedOutReason>,
    },
    /// The newest session.
    SignedIn(Rc<SessionInfo>),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignedOutReason {
    /// Its time was over.
    Expired,
    /// The customer signed out, or revoked it.
    SignedOut,
}

/// Called after each change.
pub type Listener = Rc<dyn Fn(&SessionState)>;

/// The state, and its listeners.
pub struct Observable {
    state: RefCell<SessionState>,
    listeners: RefCell<Vec<(u64, Listener)>>,
    subscriptions: Cell<u64>,
}

impl Default for Observable {
    fn default() -> Self {
        Self {
            state: RefCell::new(SessionState::SignedOut { reason: None }),
            listeners: RefCell::default(),
            subscriptions: Cell::new(0),
        }
    }
}

impl Observable {
    /// The state.
    pub fn get(&self) -> SessionState {
        self.state.borrow().clone()
    }

    /// Sets the state and tells the listeners, which may subscribe and unsubscribe meanwhile.
    pub fn set(&self, state: SessionState) {
        self.state.replace(state);
        let listeners: Vec<_> = self
            .listeners
            .borrow()
            .iter()
            .map(|(_, listener)| listener.clone())
            .collect();
        for listener in listeners {
            // As it is by now: a listener before may have changed it.
            listener(&self.get());
        }
    }

    /// Calls `listener` after each change until [`Self::unsubscribe`].
    pub fn subscribe(&self, listener: Listener) -> u64 {
        let subscription = self.subscriptions.get();
        self.subscriptions.set(subscription.wrapping_add(1));
        self.listeners.borrow_mut().push((subscription, listener));
        subscription
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, subscription: u64) {
        self.listeners
            .borrow_mut()
            .retain(|(other, _)| *other != subscription);
    }
}
