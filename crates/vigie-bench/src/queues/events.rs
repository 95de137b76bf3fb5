//! How many events a second one core follows, without losing one.

use std::time::{Duration, Instant};

use anyhow::bail;
use vigie_bullmq::Settings;
use vigie_testkit::{Scrape, Script};

use super::LATE;
use super::feed::{self, ENTRIES_A_JOB, Fed, Feed, NAMES};
use super::lag::{self, Markers};
use super::server::Server;
use super::watched::Watched;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::median;
use crate::{Options, pinned};

/// Events a second that were promised.
const PROMISED: u64 = 50_000;
/// A little more: the clock stops only when the reader has looked for the last time.
const PACE: u64 = 55_000;
/// Milliseconds from the writing of a job's events to the counting of its end, promised at that pace.
const BEHIND: f64 = 200.0;
/// Of return values that are large.
const LARGE: usize = 10 << 10;

/// An end that was read is counted by then, or never.
const COUNTED: Duration = Duration::from_secs(5);

/// How a feed was followed.
struct Followed {
    events: f64,
    lost: f64,
    /// Whether every end of every job was counted, by name.
    exact: bool,
    elapsed: Duration,
    /// The watcher's thread.
    cpu: Duration,
    /// Milliseconds that markers took to be counted; none beside jobs of BullMQ itself.
    behind: Vec<f64>,
}

impl Followed {
    fn rate(&self) -> f64 {
        self.events / self.elapsed.as_secs_f64()
    }

    /// Whether it is all there.
    fn whole(&self) -> bool {
        self.lost == 0.0 && self.exact
    }

    /// How many events are known to be lost; at least one when it is not all there.
    fn missing(&self) -> f64 {
        match self.whole() {
            true => 0.0,
            false => self.lost.max(1.0),
        }
    }

    /// Milliseconds that markers took, by the middle or the most of them; – when there were none.
    fn behind(&self, of: impl Fn(&[f64]) -> f64) -> String {
        match self.behind.as_slice() {
            [] => "–".into(),
            behind => figure(of(behind)),
        }
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    // What one feed needs, so that the promised rate comes to 200,000 events.
    let length = options.seconds * 2;
    let mut table = Table::new([
        "feed",
        "events",
        "events a second",
        "lost",
        "ends exact",
        "reader, of a core",
        "reader, an event",
        "behind, ms, median",
        "behind, ms, most",
    ]);
    let mut promised: f64 = f64::INFINITY;
    let mut behind: f64 = 0.0;
    let mut add = |what: &str, followed: &Followed| {
        let micros = followed.cpu.as_secs_f64() * 1e6 / followed.events;
        let share = followed.cpu.as_secs_f64() / followed.elapsed.as_secs_f64() * 100.0;
        table.row([
            what.into(),
            figure(followed.events),
            figure(followed.rate()),
            figure(followed.lost),
            if followed.whole() { "yes" } else { "**no**" }.into(),
            format!("{} %", figure(share)),
            format!("{} µs", figure(micros)),
            followed.behind(median),
            followed.behind(most),
        ]);
    };
    let mut best = 0.0;
    for (what, queues, pace) in [
        ("one queue, promised pace", 1, Some(PACE)),
        ("10 queues, promised pace", 10, Some(PACE)),
        ("10 queues, twice as fast", 10, Some(2 * PACE)),
        ("100 queues, as fast as Redis takes it", 100, None),
    ] {
        let followed = replayed(queues, pace, length, 0).await?;
        add(what, &followed);
        let without_loss = if followed.whole() {
            followed.rate()
        } else {
            0.0
        };
        best = without_loss.max(best);
        if pace == Some(PACE) {
            promised = promised.min(without_loss);
            behind = behind.max(most(&followed.behind));
        }
    }
    let large = replayed(10, None, length, LARGE).await?;
    let megabytes = large.rate() / ENTRIES_A_JOB as f64 * LARGE as f64 / 1e6;
    let what = format!(
        "10 queues, return values of 10 KB: {} MB a second",
        figure(megabytes)
    );
    add(&what, &large);
    // Node makes about 5,000 jobs a second.
    let jobs = (length.as_secs_f64() * 5_000.0) as u64;
    let real = real(jobs).await?;
    add("jobs of BullMQ itself, one queue", &real);

    heading("Following events");
    note(&format!(
        "Entries as BullMQ writes them (four per job, streams trimmed at 10,000), and in the last row real \
         jobs that are deleted immediately. The reader is one thread, alone on core {}; Redis and the writer \
         share core {}. \"Behind\" is the time from sending the events of a job to counting its end, \
         including the delay of Redis. Streams contain large return values, which must be read completely; \
         requests adapt to the size of earlier entries, for replies of 8 MB, which are not copied.",
        pinned::MEASURED,
        pinned::OTHERS
    ));
    table.print();
    let mut targets = Targets::new();
    for (what, rate) in [("paced", promised), ("at best", best)] {
        let what = format!("events a second without loss, {what}");
        targets.at_least(&what, PROMISED as f64, rate, "");
    }
    targets.at_most("behind at that pace, most", BEHIND, behind, " ms");
    let what = "lost with return values of 10 KB";
    targets.at_most(what, 0.0, large.missing(), "");
    targets.at_most("lost of real jobs", 0.0, real.missing(), "");
    targets.print();
    Ok(())
}

/// A server, and a watcher on it that knows that whatever comes is new.
async fn watch() -> anyhow::Result<(Server, Watched)> {
    let server = Server::start(pinned::OTHERS).await?;
    let mut settings = Settings::new(redis::Client::open(server.redis.url())?);
    settings.discover_every = Duration::from_millis(200);
    let watched = Watched::start(settings, pinned::MEASURED)?;
    watched.until_counted(0)?;
    Ok((server, watched))
}

async fn replayed(
    queues: usize,
    pace: Option<u64>,
    length: Duration,
    value: usize,
) -> anyhow::Result<Followed> {
    let (mut server, watched) = watch().await?;
    let feed = Feed {
        queues: (0..queues).map(|n| format!("feed-{n}")).collect(),
        pace,
        length,
        value,
    };
    feed::open(&mut server.connection, &feed.queues)?;
    watched.until_counted(queues)?;
    pinned::move_to(pinned::OTHERS, None)?;
    let last = &feed.queues[queues - 1];
    let ended = watched.completed(last, lag::NAME);
    let (cpu, start) = (watched.cpu()?, Instant::now());
    let markers = Markers::start(&server.redis.url(), last, ended)?;
    let mut fed = feed.write(&mut server.connection)?;
    let behind = markers.end()?;
    fed.jobs += behind.len() as u64;
    let events = (fed.jobs * ENTRIES_A_JOB) as f64;
    let (scrape, exact) = until_read(&watched, &fed)?;
    let elapsed = start.elapsed();
    Ok(Followed {
        events,
        lost: scrape.sum("bullmq_events_lost_total", &[]),
        exact,
        elapsed,
        cpu: watched.cpu()? - cpu,
        behind,
    })
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Waits until every entry was read, or is known to be lost, and every end was counted.
fn until_read(watched: &Watched, fed: &Fed) -> anyhow::Result<(Scrape, bool)> {
    let events = (fed.jobs * ENTRIES_A_JOB) as f64;
    let deadline = Instant::now() + LATE;
    let mut all_read = None;
    loop {
        let scrape = watched.scrape()?;
        let read = scrape.sum("bullmq_events_read_total", &[]);
        let lost = scrape.sum("bullmq_events_lost_total", &[]);
        let exact = is_exact(&scrape, fed);
        if read + lost >= events {
            // An end is counted a moment after its entry was.
            let since = *all_read.get_or_insert_with(Instant::now);
            if exact || since.elapsed() > COUNTED {
                return Ok((scrape, exact));
            }
        }
        if Instant::now() > deadline {
            bail!("{events} entries were written, {read} read, {lost} reported as lost");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_exact(scrape: &Scrape, fed: &Fed) -> bool {
    let count = |name: &str, outcome: &str| {
        let labels = [("name", name), ("outcome", outcome)];
        scrape.sum("bullmq_jobs_finished_total", &labels)
    };
    let all = scrape.sum("bullmq_jobs_finished_total", &[]);
    let each = NAMES.iter().zip(fed.ends);
    let mut each = each.map(|(name, [completed, failed])| {
        let counted = [count(name, "completed"), count(name, "failed")];
        counted == [completed as f64, failed as f64]
    });
    all == fed.jobs as f64 && each.all(|exact| exact)
}

/// Jobs that BullMQ itself adds, works off and deletes.
async fn real(jobs: u64) -> anyhow::Result<Followed> {
    let (server, watched) = watch().await?;
    let url = server.redis.url();
    let (cpu, start) = (watched.cpu()?, Instant::now());
    // It inherits the core of this thread.
    pinned::move_to(pinned::OTHERS, None)?;
    let arguments = ["--redis", &url, "--jobs", &jobs.to_string()];
    let mut script = Script::new("testing/jobs.js").args(arguments).spawn()?;
    let truth = script.next_json(LATE * 10).await?;
    script.wait(LATE).await?;
    let jobs = jobs as f64;
    let deadline = Instant::now() + LATE;
    let scrape = loop {
        let scrape = watched.scrape()?;
        if scrape.sum("bullmq_jobs_finished_total", &[]) >= jobs || Instant::now() > deadline {
            break scrape;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (elapsed, cpu) = (start.elapsed(), watched.cpu()? - cpu);
    let is_true = |outcome: &str| {
        let names = truth[outcome].as_object().into_iter().flatten();
        let mut counts = names.map(|(name, count)| {
            let labels = [("name", name.as_str()), ("outcome", outcome)];
            count.as_f64() == Some(scrape.sum("bullmq_jobs_finished_total", &labels))
        });
        counts.all(|exact| exact)
    };
    Ok(Followed {
        events: scrape.sum("bullmq_events_read_total", &[]),
        lost: scrape.sum("bullmq_events_lost_total", &[]),
        exact: is_true("completed")
            && is_true("failed")
            && scrape.sum("bullmq_jobs_finished_total", &[]) == jobs,
        elapsed,
        cpu,
        behind: Vec::new(),
    })
}
