//! How far behind the reader is: how long after a job's events were written its end is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::bail;
use vigie_metrics::{Counter, Series};

use super::feed;

/// Between two looks at the count, and so the precision.
const LOOK: Duration = Duration::from_micros(500);
/// Between two markers, a little longer each time, so that they meet the reader at all moments of its round.
const PAUSE: Duration = Duration::from_millis(20);
/// It was trimmed before it was read, then.
const LOST: Duration = Duration::from_secs(2);
/// The name of jobs that are markers.
pub(super) const NAME: &str = "marker";

/// Jobs that are written one at a time, each as soon as the last was counted.
pub(super) struct Markers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<f64>>>,
}

impl Markers {
    /// Writes into a queue until it is told to end; `ended` counts them.
    pub(super) fn start(
        url: &str,
        queue: &str,
        ended: Arc<Series<Counter, 4>>,
    ) -> anyhow::Result<Self> {
        let mut connection = redis::Client::open(url)?.get_connection()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, queue) = (Arc::clone(&stop), queue.to_owned());
        let thread = std::thread::spawn(move || {
            let mut lags = Vec::new();
            while !stopped.load(Relaxed) {
                let before = ended.get();
                let mut pipeline = redis::pipe();
                let job = format!("{NAME}-{}", lags.len());
                feed::life(&mut pipeline, &queue, &job, NAME, &["event", "completed"]);
                let start = Instant::now();
                pipeline.query::<()>(&mut connection)?;
                while ended.get() == before && start.elapsed() < LOST {
                    sleep(LOOK);
                }
                lags.push(start.elapsed().as_secs_f64() * 1e3);
                sleep(PAUSE + LOOK * (lags.len() % 17) as u32);
            }
            Ok(lags)
        });
        Ok(Self { stop, thread })
    }

    /// How many milliseconds each of them took, or that long until it was given up.
    pub(super) fn end(self) -> anyhow::Result<Vec<f64>> {
        self.stop.store(true, Relaxed);
        match self.thread.join() {
            Ok(lags) => lags,
            Err(_) => bail!("the thread that writes markers panicked"),
        }
    }
}
