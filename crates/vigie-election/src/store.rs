//! The interface of a store of leases.

use std::fmt::Display;
use std::time::Duration;

/// A lease, as read from its store.
pub(crate) trait Record: Clone {
    /// The name of its holder; empty when it has none.
    fn holder(&self) -> &str;

    /// How long it lasts unless it changes, for a candidate with this `period`. `None` if the store itself removes it
    /// at its end.
    fn lasts(&self, period: Duration) -> Option<Duration>;

    /// Whether no candidate renewed, acquired or released it in between.
    fn is_unchanged(&self, before: &Self) -> bool;
}

/// A store in which one of two concurrent writes fails. A write returns the new record, or `None` if another
/// candidate wrote first.
pub(crate) trait Store {
    type Record: Record + Send;
    type Error: Display;

    /// The name of the lease, for log lines.
    fn name(&self) -> &str;

    /// The lease, if it exists.
    fn read(&mut self) -> impl Future<Output = Result<Option<Self::Record>, Self::Error>> + Send;

    /// Creates the lease, held by `me`.
    fn create(
        &mut self,
        me: &str,
    ) -> impl Future<Output = Result<Option<Self::Record>, Self::Error>> + Send;

    /// Renews the lease or takes it over, unless it is no longer `record`.
    fn replace(
        &mut self,
        record: Self::Record,
        me: &str,
    ) -> impl Future<Output = Result<Option<Self::Record>, Self::Error>> + Send;

    /// Ends the lease if `me` holds it, so that another candidate does not have to wait.
    fn release(&mut self, me: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
