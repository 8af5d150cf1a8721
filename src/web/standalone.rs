//! What the standard library would bring, for the module that the package ships: an allocator, and
//! the end of a panic.
//!
//! The standard library's own are a tenth of the module, most of it for messages about panics that
//! nobody would see: a page sees a trap either way (`pkg/instance.js`).

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
    ptr,
};

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

#[global_allocator]
static ALLOCATOR: Wiping = Wiping(
    // SAFETY: the module has one thread: it is compiled without shared memory.
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) },
);

/// Leaves nothing of what was freed in memory. Secrets are wiped by their types; this is for the
/// copies that nobody owns, as of a text that grew and moved.
struct Wiping(AssumeSingleThreaded<FreeListAllocator>);

// SAFETY: what `GlobalAlloc` demands is handed on as it is. Moving to another size is not
// overridden, so it allocates, copies and frees.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: `start` is of this allocator and has this layout, and is used no more.
        unsafe {
            ptr::write_bytes(start, 0, layout.size());
            self.0.dealloc(start, layout);
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
