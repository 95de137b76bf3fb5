//! The identity of the node that reads a queue.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Identifies a node, even among nodes of the same name over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u64);

impl NodeId {
    /// An id that no other node has.
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}
