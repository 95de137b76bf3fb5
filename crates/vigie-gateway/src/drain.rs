//! The signal that the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// Tells all connections to end once they are idle. Clones share the signal.
#[derive(Clone, Default)]
pub(crate) struct Drain(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Read at every wake of a connection: a token takes a lock.
    begun: AtomicBool,
    token: CancellationToken,
}

impl Drain {
    pub(crate) fn begin(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.token.cancel();
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Waits until [`has_begun`](Self::has_begun).
    pub(crate) fn begun(&self) -> WaitForCancellationFuture<'_> {
        self.0.token.cancelled()
    }
}
