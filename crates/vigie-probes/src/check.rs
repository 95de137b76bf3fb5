//! What a check is.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::failure::{Failure, FailureKind};

/// What a run of a check came to.
pub type Outcome = Result<(), Failure>;

/// A boxed future, so that checks of all kinds fit into one list.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something the backend depends on and that can be asked whether it works.
///
/// A run takes `&mut self`, so no two runs of a check ever overlap. A run that takes too long is dropped
/// where it stands: a check that keeps a connection takes it out of itself first and puts it back when
/// the answer has come, and so never meets a connection again that is out of step.
pub trait Check: Send + 'static {
    /// What it is called in `/readyz`, in metrics and in logs.
    fn name(&self) -> &str;

    /// What it asks, for people: an address without secrets.
    fn target(&self) -> String;

    /// Asks once. The caller stops waiting after `deadline`.
    fn run(&mut self, deadline: Duration) -> BoxFuture<'_, Outcome>;
}

/// Runs a check once, for at most `deadline`, and tells how long it took.
pub async fn run_once(check: &mut dyn Check, deadline: Duration) -> (Outcome, Duration) {
    let started = Instant::now();
    let outcome = match timeout(deadline, check.run(deadline)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(no_answer(check, deadline)),
    };
    (outcome, started.elapsed())
}

fn no_answer(check: &dyn Check, deadline: Duration) -> Failure {
    let text = format!("{}: no answer within {deadline:?}", check.target());
    Failure::new(FailureKind::TimedOut, text)
}
