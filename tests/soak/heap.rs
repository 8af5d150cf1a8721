//! All of this program's heap, so that it can be searched for what should not be there any more.

#![allow(
    clippy::as_conversions,
    reason = "an allocator has to do with addresses"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::HashMap,
    hint::spin_loop,
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
};

use crate::luck::Disguised;

/// The system's allocator, with all blocks that are in use in a list.
pub struct ListedHeap;

/// Stands before each block.
#[repr(C, align(16))]
struct Header {
    previous: *mut Header,
    next: *mut Header,
    size: usize,
    number: u64,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);
static FIRST: AtomicPtr<Header> = AtomicPtr::new(null_mut());
static IS_LOCKED: AtomicBool = AtomicBool::new(false);

/// Nothing is allocated while this is held: it would wait for itself.
struct Lock;

impl Lock {
    fn take() -> Self {
        while IS_LOCKED.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        Self
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        IS_LOCKED.store(false, Ordering::Release);
    }
}

/// The block with room for a header before it, and how much that is.
fn with_header(layout: Layout) -> Option<(Layout, usize)> {
    let (whole, offset) = Layout::new::<Header>().extend(layout).ok()?;
    Some((whole, offset))
}

// SAFETY: hands out the system's blocks, each from behind its header on, which is room enough and
// aligned by `Layout::extend`. Headers are touched under the lock only.
unsafe impl GlobalAlloc for ListedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((whole, offset)) = with_header(layout) else {
            return null_mut();
        };
        // SAFETY: it has a header, so its size is not 0.
        let base = unsafe { System.alloc(whole) };
        if base.is_null() {
            return base;
        }
        // SAFETY: both are within the block.
        let (block, header) = unsafe {
            let block = base.add(offset);
            (block, block.cast::<Header>().sub(1))
        };
        let _lock = Lock::take();
        let next = FIRST.load(Ordering::Relaxed);
        // SAFETY: the header is this block's own, and `next` is of a block in use.
        unsafe {
            header.write(Header {
                previous: null_mut(),
                next,
                size: layout.size(),
                number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            });
            if let Some(next) = next.as_mut() {
                next.previous = header;
            }
        }
        FIRST.store(header, Ordering::Relaxed);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some((whole, offset)) = with_header(layout) else {
            return;
        };
        // SAFETY: the block is one that `alloc` gave for this layout.
        unsafe {
            {
                let _lock = Lock::take();
                let Header { previous, next, .. } = block.cast::<Header>().sub(1).read();
                match previous.as_mut() {
                    Some(previous) => previous.next = next,
                    None => FIRST.store(next, Ordering::Relaxed),
                }
                if let Some(next) = next.as_mut() {
                    next.previous = previous;
                }
            }
            System.dealloc(block.sub(offset), whole);
        }
    }
}

/// What was searched, and how many of the secrets were found.
pub struct Search {
    pub bytes: usize,
    pub found: usize,
}

/// Which block will be the next.
pub fn now() -> u64 {
    NEXT_NUMBER.load(Ordering::Relaxed)
}

/// Looks for secrets in every block that is in use, and was not before `since`.
pub fn search(secrets: &[Disguised], since: u64) -> Search {
    let forms: Vec<Disguised> = secrets.iter().flat_map(Disguised::both_ways).collect();
    let by_head: HashMap<[u8; 8], Disguised> =
        forms.iter().map(|form| (form.head(), *form)).collect();
    // By their first three bytes: what is not among them is none.
    let mut heads = vec![0_u8; 1 << 21];
    let place = |head: &[u8]| {
        let number = usize::from(Disguised::disguise(head[0]))
            | usize::from(Disguised::disguise(head[1])) << 8
            | usize::from(Disguised::disguise(head[2])) << 16;
        (number >> 3, 1 << (number & 7))
    };
    for form in &forms {
        let (byte, bit) = place(&form.revealed());
        heads[byte] |= bit;
    }
    let mut search = Search { bytes: 0, found: 0 };
    let _lock = Lock::take();
    let mut header = FIRST.load(Ordering::Relaxed);
    // SAFETY: under the lock, all of the list is of blocks in use. They may hold what was never
    // written, which is only compared, and this thread is the only one that runs.
    while let Some(Header {
        next, size, number, ..
    }) = unsafe { header.as_ref() }
    {
        if *number < since {
            // The list begins with the newest.
            break;
        }
        let block = unsafe { std::slice::from_raw_parts(header.add(1).cast::<u8>(), *size) };
        search.bytes += size;
        for start in 0..size.saturating_sub(31) {
            let bytes = &block[start..start + 32];
            let (byte, bit) = place(bytes);
            if heads[byte] & bit != 0 {
                let head: [u8; 8] = std::array::from_fn(|index| Disguised::disguise(bytes[index]));
                search.found += usize::from(by_head.get(&head).is_some_and(|it| it.is_at(bytes)));
            }
        }
        header = *next;
    }
    search
}
