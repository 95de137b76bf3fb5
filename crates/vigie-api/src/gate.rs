//! Runs queries on separate threads, with limited concurrency, until their deadline or until the client disconnects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{ApiError, Kind};

/// Limits the number of concurrent queries.
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
}

/// Information for the work of a query.
pub(crate) struct Running {
    abandoned: Arc<AtomicBool>,
    /// How long the query waited in the queue.
    pub(crate) queued: Duration,
}

impl Running {
    /// Whether the client disconnected.
    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned.load(Relaxed)
    }
}

/// Held while the result of a query occupies memory.
pub(crate) struct Permit(
    #[expect(dead_code, reason = "it is given back when dropped")] OwnedSemaphorePermit,
);

impl Gate {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(concurrency)),
        }
    }

    /// Runs `work` when a permit is available. `work` is notified when this future is dropped or the timeout expires;
    /// its permit is released when it has ended.
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
        let _guard = AbandonOnDrop(Arc::clone(&abandoned));
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

/// Signals on drop that the client disconnected.
struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
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
    async fn the_deadline_ends_the_work_and_releases_the_permit() {
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
    async fn a_disconnect_ends_the_work() {
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
    async fn a_held_result_delays_the_next_query() {
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
    async fn a_timeout_in_the_queue_and_a_panic_are_errors() {
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
