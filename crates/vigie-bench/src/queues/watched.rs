//! A watcher that runs: one thread, on one core, as in the program.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;
use vigie_bullmq::{Settings, Watcher};
use vigie_metrics::{Counter, Format, Registry, Series};
use vigie_testkit::{Scrape, promtext};

use super::LATE;
use crate::{pinned, usage};

/// Stops when it is dropped.
pub(super) struct Watched {
    registry: Registry,
    watcher: Watcher,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    number: i32,
}

impl Watched {
    pub(super) fn start(settings: Settings, core: usize) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let watcher = Watcher::new(settings, &registry);
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (tell, told) = sync_channel(1);
        let running = watcher.clone().run(stop.clone());
        let thread = std::thread::spawn(move || {
            let moved = pinned::move_to(core, None);
            let number = rustix::thread::gettid().as_raw_nonzero().get();
            if tell.send(moved.map(|()| number)).is_ok() {
                runtime.block_on(running);
            }
        });
        let mut watched = Self {
            registry,
            watcher,
            stop,
            thread: Some(thread),
            number: 0,
        };
        watched.number = told.recv().context("the watcher's thread ended")??;
        Ok(watched)
    }

    /// Waits until so many queues have been counted.
    pub(super) fn until_counted(&self, queues: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + LATE;
        loop {
            let status = self.watcher.status();
            let counted = status.queues.iter().filter(|queue| queue.levels.is_some());
            let counted = counted.count();
            if counted == queues && status.last_levels.is_some() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let errors = [status.error, status.events_error];
                bail!("{counted} queues were counted, not {queues}: {errors:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The processor time of its thread so far.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu_of_thread(self.number)
    }

    /// The count of completed jobs of a queue and name.
    pub(super) fn completed(&self, queue: &str, name: &str) -> Arc<Series<Counter, 4>> {
        let ended = self
            .registry
            .family(&vigie_bullmq::metrics::BULLMQ_JOBS_FINISHED);
        ended.series(["bull", queue, name, "completed"])
    }

    /// What it publishes.
    pub(super) fn scrape(&self) -> anyhow::Result<Scrape> {
        let page = self.registry.expose(Format::Text);
        let scrape = Scrape::parse(&page, promtext::Format::Text);
        scrape.map_err(|error| anyhow::anyhow!("{error}"))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
