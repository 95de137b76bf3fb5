//! The interface to the state that comes from the event stream.

use crate::events::pauses::Pauses;

/// Information about jobs and the queue from the events.
pub(crate) trait Events {
    /// When a waiting job became ready, by the server's clock.
    fn ready(&self, job: &[u8]) -> Option<u64>;
    /// When an active job started, by the server's clock.
    fn started(&self, job: &[u8]) -> Option<u64>;
    /// The pauses of the queue.
    fn pauses(&self) -> Pauses;
    /// Whether the events are followed, so that jobs that begin to wait are seen at once.
    fn are_followed(&self) -> bool;
}
