//! Whether this watcher is the one of several that exports, and until when.

pub(crate) mod lease;
pub(crate) mod rights;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::election::lease::Lease;

/// Of several watchers of the same Redis one exports.
#[derive(Clone, Debug)]
pub enum Election {
    /// The one that holds a lease in that Redis.
    Redis(Lease),
    /// The one whose tenure it is, which somebody else sets. Nothing is written to Redis.
    Elsewhere(Tenure),
}

/// Until when the office is held, in the time of this process. Clones are the same tenure.
#[derive(Clone, Debug, Default)]
pub struct Tenure(Arc<Mutex<Option<Instant>>>);

impl Tenure {
    /// The one that the election is about.
    pub(crate) fn of(election: Option<&Election>) -> Self {
        match election {
            Some(Election::Elsewhere(tenure)) => tenure.clone(),
            Some(Election::Redis(_)) | None => Self::default(),
        }
    }

    /// Held until then and not longer, unless this is called again; `None`: not held.
    pub fn set(&self, until: Option<Instant>) {
        *self.0.lock() = until;
    }

    /// Whether it is held at `now`.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.0.lock().is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_tenure_ends_by_itself() {
        let (tenure, now) = (Tenure::default(), Instant::now());
        assert!(!tenure.holds(now));
        tenure.clone().set(Some(now + Duration::from_secs(10)));
        assert!(tenure.holds(now + Duration::from_secs(9)));
        assert!(!tenure.holds(now + Duration::from_secs(10)));
        tenure.set(None);
        assert!(!tenure.holds(now));
    }
}
