//! The thread that reads the ring.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::{info, warn};
use vigie_metrics::Registry;
use vigie_traffic::Traffic;

use crate::clock::Clock;
use crate::filter::{Depth, Port, program};
use crate::loss::{Loss, Totals};
use crate::published::Published;
use crate::ring::{Ring, RingError, interface_index, monotonic_time, raise_priority, real_time};
use crate::{Capture, Listen, Protocol, Settings};

/// How long the thread waits for packets, after which it looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// How old the packets can be that the kernel has not handed over: longer than the age of a block, and the kernel's timers are
/// late on a busy machine.
const LAG: Duration = Duration::from_millis(100);

/// How often the metrics are published.
const PERIOD: Duration = Duration::from_secs(1);

/// How often series of replaced routes are removed.
const TIDY: Duration = Duration::from_secs(60);

/// When a ring is opened again that has failed.
const RETRY: Duration = Duration::from_secs(2);

/// A running capture.
#[derive(Debug)]
pub struct Source {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Source {
    /// Opens the ring and starts the thread. Counts the requests in `traffic`, whose times are those of
    /// [`monotonic_time`], and expires its sessions.
    ///
    /// # Errors
    /// If packets cannot be captured, or the thread cannot be started.
    pub fn start(
        settings: &Settings,
        traffic: Traffic,
        registry: &Registry,
    ) -> Result<Self, RingError> {
        let ring = open(settings, Depth::Heads)?;
        info!(
            listen = %list(&settings.listen),
            ring_bytes = ring.bytes(),
            "capturing packets"
        );
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker::new(settings, ring, traffic, registry, Arc::clone(&stop));
        let thread = thread::Builder::new().name("vigie-capture".into());
        let spawned = thread.spawn(move || worker.run());
        let failed = |error: io::Error| RingError::Failed {
            step: "start the thread",
            error,
        };
        Ok(Self {
            stop,
            thread: spawned.map_err(failed)?,
        })
    }

    /// Stops the thread, which publishes what it has counted.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            warn!("the thread that captures packets has panicked");
        }
    }
}

/// Opens the ring for the traffic of the settings.
pub(crate) fn open(settings: &Settings, depth: Depth) -> Result<Ring, RingError> {
    let ports = ports(&settings.listen)?;
    Ring::open(
        &program(&ports, depth),
        only_interface(&ports),
        settings.ring_bytes,
    )
}

fn ports(listen: &[Listen]) -> Result<Vec<Port>, RingError> {
    let port = |listen: &Listen| {
        let interface = listen
            .interface
            .as_deref()
            .map(interface_index)
            .transpose()?;
        Ok(Port {
            number: listen.port,
            interface,
        })
    };
    listen.iter().map(port).collect()
}

/// The interface that all ports are captured on: the packets of others need not pass the filter.
fn only_interface(ports: &[Port]) -> Option<u32> {
    let first = ports.first()?.interface;
    first.filter(|_| ports.iter().all(|port| port.interface == first))
}

fn list(listen: &[Listen]) -> String {
    let listen: Vec<String> = listen.iter().map(Listen::to_string).collect();
    listen.join(", ")
}

struct Worker {
    settings: Settings,
    ring: Option<Ring>,
    depth: Depth,
    capture: Capture,
    traffic: Traffic,
    clock: Clock,
    published: Published,
    loss: Loss,
    totals: Totals,
    /// Since when packets are captured without interruption.
    since: Duration,
    /// When the metrics are published next, or the ring is opened again.
    due: Duration,
    is_up: bool,
    /// When the series of routes that others have replaced are removed next.
    tidy: Duration,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn new(
        settings: &Settings,
        ring: Ring,
        traffic: Traffic,
        registry: &Registry,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let ports: Vec<u16> = settings.listen.iter().map(|listen| listen.port).collect();
        let now = monotonic_time();
        let mut worker = Self {
            ring: Some(ring),
            depth: Depth::Heads,
            capture: Capture::new(&ports, traffic.clone(), settings.limits),
            traffic,
            clock: Clock::default(),
            published: Published::new(registry),
            loss: Loss::default(),
            totals: Totals::default(),
            since: now,
            due: now,
            is_up: true,
            tidy: now + TIDY,
            stop,
            settings: settings.clone(),
        };
        worker.loss.add(now, Totals::default());
        worker.publish(now);
        worker
    }

    fn run(mut self) {
        if !raise_priority() {
            info!(
                "the capture has the normal priority: a higher one needs the capability CAP_SYS_NICE"
            );
        }
        while !self.stop.load(Ordering::Relaxed) {
            match self.ring.take() {
                Some(mut ring) => match self.read(&mut ring) {
                    Ok(()) => self.ring = Some(ring),
                    Err(error) => self.fail(&error),
                },
                None => self.reopen(),
            }
            let now = monotonic_time();
            if now >= self.due {
                self.publish(now);
            }
        }
        self.publish(monotonic_time());
    }

    /// Reads a block, or waits for one.
    fn read(&mut self, ring: &mut Ring) -> Result<(), RingError> {
        let waited = match self.read_block(ring) {
            true => false,
            false => {
                ring.wait(PATIENCE)?;
                true
            }
        };
        if self.depth == Depth::Heads && self.capture.saw_engineio() {
            // The sessions can only be followed if everything is captured.
            self.depth = Depth::Whole;
            ring.set_filter(&program(&ports(&self.settings.listen)?, self.depth))?;
            info!("Engine.IO is in use: responses are captured whole from now on");
        }
        if waited {
            // All packets before this time were read.
            let drained = self.clock.last().max(monotonic_time().saturating_sub(LAG));
            self.capture.tick(drained);
            // Returns when to call it again; it is called often enough.
            let _ = self.traffic.expire(drained);
        }
        Ok(())
    }

    fn read_block(&mut self, ring: &mut Ring) -> bool {
        let Some(block) = ring.block() else {
            return false;
        };
        self.clock.begin_block(monotonic_time(), real_time());
        for packet in block.packets() {
            let at = self.clock.time(packet.captured_at);
            self.capture
                .packet(at, packet.interface, packet.bytes, packet.wire);
        }
        let now = self.clock.last();
        self.capture.tick(now);
        let _ = self.traffic.expire(now);
        true
    }

    fn fail(&mut self, error: &RingError) {
        warn!(%error, "packets are no longer captured; trying again every {RETRY:?}");
        let now = monotonic_time();
        self.capture.abandon(now);
        self.published.count(self.capture.counts(), self.totals);
        self.go_down();
    }

    fn go_down(&mut self) {
        self.is_up = false;
        self.published.set_up(false, false);
        self.published.set_loss(None);
        self.published.set_connections(None);
    }

    fn reopen(&mut self) {
        let begin = monotonic_time();
        while monotonic_time() < begin + RETRY {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(PATIENCE);
        }
        if let Ok(ring) = open(&self.settings, self.depth) {
            info!("packets are captured again");
            self.ring = Some(ring);
            self.since = monotonic_time();
            self.is_up = true;
        }
    }

    fn publish(&mut self, now: Duration) {
        self.due = now + PERIOD;
        if now >= self.tidy {
            self.tidy = now + TIDY;
            self.traffic.remove_retired();
        }
        let Some(ring) = &self.ring else {
            return;
        };
        // Without statistics, no drops are known.
        let statistics = ring.statistics().unwrap_or_default();
        let counts = self.capture.counts();
        self.totals = Totals {
            captured: self.totals.captured + statistics.captured,
            dropped: self.totals.dropped + statistics.dropped,
            known: counts.known,
            abandoned: counts.abandoned,
        };
        self.loss.add(now, self.totals);
        self.published.count(counts, self.totals);
        let share = self.loss.share(self.totals);
        let is_up = share <= self.settings.max_loss;
        if is_up != self.is_up {
            match is_up {
                true => info!(share, "the capture misses few requests again and is up"),
                false => warn!(
                    share,
                    max_loss = self.settings.max_loss,
                    "the capture misses too many requests and is down until it misses fewer"
                ),
            }
        }
        self.is_up = is_up;
        let census = self.capture.census();
        let settled = now >= self.since + self.settings.settle;
        let knows_sessions = settled && census[Protocol::WebSocket as usize] == 0;
        self.published.set_loss(Some(share));
        self.published.set_connections(Some(census));
        self.published.set_up(is_up, knows_sessions);
    }
}
