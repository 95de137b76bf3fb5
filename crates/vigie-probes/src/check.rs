//! The trait of all checks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::failure::{Failure, FailureKind};

/// The outcome of a run of a check.
pub type Outcome = Result<(), Failure>;

/// A boxed future, so that all kinds of checks fit into one list.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A check of one dependency of the backend.
///
/// `run` takes `&mut self`, so runs of a check never overlap. A run that exceeds its deadline is dropped, so a check
/// that keeps a connection takes it out of itself first and puts it back after the response: a connection with a
/// pending response is never reused.
pub trait Check: Send + 'static {
    /// Its name in `/readyz`, in metrics and in logs.
    fn name(&self) -> &str;

    /// Its target for messages: an address without secrets.
    fn target(&self) -> String;

    /// Runs the check once. The caller stops waiting after `deadline`.
    fn run(&mut self, deadline: Duration) -> BoxFuture<'_, Outcome>;
}

/// Runs a check once, for at most `deadline`, and measures how long it took.
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
