//! The period for which this process is elected.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Until when this process is elected, by its own clock. Clones share the value.
#[derive(Clone, Debug, Default)]
pub struct Tenure(Arc<Mutex<Option<Instant>>>);

impl Tenure {
    /// Sets the end of the tenure; `None` ends it now.
    pub fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether it lasts beyond `now`.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_tenure_expires() {
        let (tenure, now) = (Tenure::default(), Instant::now());
        assert!(!tenure.holds(now));
        tenure.clone().set(Some(now + Duration::from_secs(10)));
        assert!(tenure.holds(now + Duration::from_secs(9)));
        assert!(!tenure.holds(now + Duration::from_secs(10)));
        tenure.set(None);
        assert!(!tenure.holds(now));
    }
}
