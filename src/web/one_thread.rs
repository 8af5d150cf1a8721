//! State of the module.

use core::ops::Deref;

#[cfg(target_feature = "atomics")]
compile_error!("shared memory has threads, and this state is of one");

/// A static for a module that has one thread. The standard library's `thread_local` is not to be had
/// where that library is not.
pub(super) struct OneThread<T>(T);

// SAFETY: there is no other thread to share it with: see the check above.
unsafe impl<T> Sync for OneThread<T> {}

impl<T> OneThread<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for OneThread<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
