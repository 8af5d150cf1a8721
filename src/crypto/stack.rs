//! What finished computations leave on the stack.

#![forbid(unsafe_code)]

use zeroize::zeroize_stack;

/// Runs `compute` in a frame of its own, and then wipes the stack that it used.
///
/// In WebAssembly the stack is part of the memory that every script of the page can read. What is
/// wiped is the 16 KiB below this frame; no computation here needs a third of that in a release
/// build. That the compiler keeps the frames apart is likely and not certain, so this adds to
/// wiping each value and does not replace it.
pub(crate) fn wiping<T>(compute: impl FnOnce() -> T) -> T {
    let result = in_own_frame(compute);
    zeroize_stack::<{ 16 * 1024 }>();
    result
}

#[inline(never)]
fn in_own_frame<T>(compute: impl FnOnce() -> T) -> T {
    compute()
}
