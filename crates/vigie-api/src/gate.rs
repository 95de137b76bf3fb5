//! Where queries run: apart from the threads that serve, a few at a time, each until its deadline or its client's end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{ApiError, Kind};

/// Lets so many queries run at once.
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
}

/// What a query's work is told of the outside.
pub(crate) struct Running {
    abandoned: Arc<AtomicBool>,
    /// How long the query waited for its turn.
    pub(crate) queued: Duration,
}

impl Running {
    /// Whether nobody waits for the result any more.
    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned.load(Relaxed)
    }
}

/// Held for as long as a query's result takes up memory.
pub(crate) struct Permit(
    #[expect(dead_code, reason = "it is given back when dropped")] OwnedSemaphorePermit,
);

impl Gate {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(concurrency)),
        }
    }

    /// Runs `work` once it is its turn. When this future is dropped or the time is up, `work` is told; its permit is given
    /// back when it has really ended.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce(&Running) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<(T, Permit), ApiError> {
        if timeout.is_zero() {
            return Err(ApiError::queue_full());
        }
        let asked = Instant::now();
        let deadline = asked + timeout;
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(ApiError::queue_full());
        };
        let abandoned = Arc::new(AtomicBool::new(false));
        let _abandon = Abandon(Arc::clone(&abandoned));
        let queued = asked.elapsed();
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&Running { abandoned, queued });
            result.map(|result| (result, Permit(permit)))
        });
        match timeout_at(deadline, task).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                tracing::error!(%error, "a query panicked");
                Err(ApiError::new(
                    Kind::Internal,
                    "the query failed unexpectedly",
                ))
            }
            Err(_) => Err(ApiError::too_slow()),
        }
    }
}

/// Says that nobody waits any more, when it is dropped.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc::sync_channel;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    fn until_abandoned(running: &Running) {
        while !running.abandoned() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[tokio::test]
    async fn the_deadline_ends_the_work_and_gives_the_permit_back() {
        let gate = Gate::new(1);
        let late = gate.run(SHORT, |running| {
            until_abandoned(running);
            Ok(())
        });
        assert_eq!(
            late.await.err().unwrap().to_string(),
            "query timed out in expression evaluation"
        );
        assert!(gate.run(LONG, |_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_leaves_ends_the_work() {
        let gate = Arc::new(Gate::new(1));
        let (started, has_started) = sync_channel(1);
        let (ended, has_ended) = sync_channel(1);
        let client = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move {
                let work = move |running: &Running| {
                    started.send(()).unwrap();
                    until_abandoned(running);
                    ended.send(()).unwrap();
                    Ok(())
                };
                gate.run(LONG, work).await.map(|_| ())
            }
        });
        tokio::task::spawn_blocking(move || has_started.recv_timeout(LONG))
            .await
            .unwrap()
            .unwrap();
        client.abort();
        tokio::task::spawn_blocking(move || has_ended.recv_timeout(LONG))
            .await
            .unwrap()
            .unwrap();
        assert!(gate.run(LONG, |_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn a_result_that_is_still_held_keeps_the_next_one_waiting() {
        let gate = Gate::new(1);
        let (_, permit) = gate.run(LONG, |_| Ok(())).await.unwrap();
        let next = gate.run(SHORT, |_| Ok(())).await;
        assert_eq!(
            next.err().unwrap().to_string(),
            "query timed out in query queue"
        );
        drop(permit);
        assert!(gate.run(LONG, |_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn no_time_is_no_turn_and_a_panic_is_no_end() {
        let gate = Gate::new(1);
        let none = gate.run(Duration::ZERO, |_| Ok(())).await;
        assert_eq!(
            none.err().unwrap().to_string(),
            "query timed out in query queue"
        );
        let panicked = gate.run(LONG, |_| -> Result<(), ApiError> { panic!("on purpose") });
        assert!(panicked.await.is_err());
        assert!(gate.run(LONG, |_| Ok(())).await.is_ok());
    }
}
