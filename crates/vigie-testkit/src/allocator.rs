//! A global allocator that counts, for tests of memory and allocations.
//!
//! ```
//! use vigie_testkit::allocator::{Counting, thread};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let before = thread::allocations();
//! drop(std::hint::black_box(Box::new(7)));
//! assert_eq!(thread::allocations() - before, 1);
//! ```
#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait; see the proof at its implementation

use std::alloc::{GlobalAlloc, Layout, System};

/// The system allocator with counters for each thread and for the process.
pub struct Counting;

// SAFETY: every method passes its arguments unchanged to `System`, which fulfils the contract of `GlobalAlloc`, and
// returns its result unchanged; the caller's guarantees are passed on. Counting accesses only atomics and `Cell`s of this
// thread that are constant-initialized and have no destructor: it does not allocate, unwind or access the memory in
// question, at any time of a thread's life.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks may exist during the copy.
        allocated(size);
        freed(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        freed(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocated(bytes: usize) {
    thread::allocated(bytes);
    process::allocated(bytes);
}

fn freed(bytes: usize) {
    thread::freed(bytes);
    process::freed(bytes);
}

/// Counters of the current thread. Memory may be freed by another thread, so only differences within a thread are valid.
pub mod thread {
    use std::cell::Cell;

    thread_local! {
        static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
        static HELD: Cell<usize> = const { Cell::new(0) };
        static PEAK: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn allocated(bytes: usize) {
        ALLOCATIONS.set(ALLOCATIONS.get().wrapping_add(1));
        let held = HELD.get().wrapping_add(bytes);
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
    }

    pub(super) fn freed(bytes: usize) {
        HELD.set(HELD.get().wrapping_sub(bytes));
    }

    /// The number of allocations and reallocations.
    #[must_use]
    pub fn allocations() -> u64 {
        ALLOCATIONS.get()
    }

    /// The bytes held.
    #[must_use]
    pub fn held() -> usize {
        HELD.get()
    }

    /// The most bytes held since the last call.
    pub fn take_peak() -> usize {
        PEAK.replace(HELD.get())
    }
}

/// Counters of all threads.
pub mod process {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

    static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
    static HELD: AtomicUsize = AtomicUsize::new(0);
    static PEAK: AtomicUsize = AtomicUsize::new(0);

    pub(super) fn allocated(bytes: usize) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        let held = HELD.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(held, Relaxed);
    }

    pub(super) fn freed(bytes: usize) {
        HELD.fetch_sub(bytes, Relaxed);
    }

    /// The number of allocations and reallocations.
    #[must_use]
    pub fn allocations() -> u64 {
        ALLOCATIONS.load(Relaxed)
    }

    /// The bytes held.
    #[must_use]
    pub fn held() -> usize {
        HELD.load(Relaxed)
    }

    /// The most bytes held since the last call.
    pub fn take_peak() -> usize {
        PEAK.swap(HELD.load(Relaxed), Relaxed)
    }
}
