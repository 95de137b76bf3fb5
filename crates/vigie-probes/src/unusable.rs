//! A check whose settings cannot be used.

use std::time::Duration;

use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind};

/// Fails on each run with the same reason, so that a wrong setting is reported like any other failure
/// and does not keep the program from starting.
pub struct Unusable {
    name: String,
    failure: Failure,
}

impl Unusable {
    /// A check of this name that fails for this reason.
    pub fn new(name: impl Into<String>, reason: &str) -> Self {
        let advice =
            Some("run `vigie check` to see the setting; it is read again at the next start");
        Self {
            name: name.into(),
            failure: Failure::new(FailureKind::Other, reason).advise(advice),
        }
    }
}

impl Check for Unusable {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    fn run(&mut self, _: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(std::future::ready(Err(self.failure.clone())))
    }
}
