//! The open connections. Their number is bounded: at the bound the longest idle one is closed.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::activity::Activity;

/// The open connections.
#[derive(Clone)]
pub(super) struct Connections {
    table: Arc<Mutex<Table>>,
    most: usize,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Arc<Activity>>,
}

/// An open connection; dropping it removes it from the table.
pub(super) struct Open {
    table: Arc<Mutex<Table>>,
    key: u64,
}

impl Connections {
    /// At most `most` connections. This must exceed the number of places for requests, so that one can always be
    /// closed.
    pub(super) fn new(most: usize) -> Self {
        Self {
            table: Arc::default(),
            most,
        }
    }

    /// Adds a connection; also returns whether another one was closed for it.
    pub(super) fn open(&self, activity: Arc<Activity>) -> (Open, bool) {
        let mut table = self.table.lock();
        let closed = table.open.len() >= self.most && table.close_one();
        let key = table.next;
        table.next += 1;
        table.open.insert(key, activity);
        let open = Open {
            table: Arc::clone(&self.table),
            key,
        };
        (open, closed)
    }
}

impl Table {
    fn close_one(&mut self) -> bool {
        let idle = self.open.iter();
        let idle = idle.filter_map(|(key, activity)| Some((activity.idle_since()?, *key)));
        let Some((_, key)) = idle.min() else {
            return false;
        };
        let Some(activity) = self.open.remove(&key) else {
            return false;
        };
        activity.close();
        true
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.table.lock().open.remove(&self.key);
    }
}
