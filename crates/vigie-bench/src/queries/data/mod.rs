//! The samples that all parties hold, made up and the same in every run: a day of metrics like ours, the other series
//! that the panels of a dashboard query, and in the last hour two sets of many series.

mod panels;

/// Seconds between scrapes.
pub(super) const EVERY: i64 = 15;
/// The scrapes of a day.
pub(super) const DAY: usize = (24 * 60 * 60 / EVERY) as usize;
/// The scrapes of the last hour.
pub(super) const HOUR: usize = 240;
/// The time of the first scrape, in Unix seconds: from here a day fits into one block of promtool's (see `peer`).
pub(super) const START: i64 = 1_788_480_000 + 60 * 60;
/// The time of the last scrape.
pub(super) const END: i64 = START + (DAY as i64 - 1) * EVERY;
/// Series of metrics like ours.
pub(crate) const OURS: usize = 2_000;

/// What had been counted before: near 0, Prometheus 2 extrapolates otherwise than Prometheus 3, and so than we do.
const BEFORE: u64 = 100_000;
const ROUTES: usize = 80;
const RUNS: usize = 16;
const QUEUES: usize = 20;
const STATES: [&str; 8] = [
    "waiting",
    "active",
    "delayed",
    "prioritized",
    "paused",
    "waiting-children",
    "completed",
    "failed",
];
const REQUEST: &[&str] = &[
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
    "10", "+Inf",
];
const TICK: &[&str] = &[
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "0.75", "1", "1.5", "2", "3", "5",
    "10", "30", "+Inf",
];
const RUN: &[&str] = &[
    "0.005", "0.025", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "300", "1800",
    "+Inf",
];
const TEN: &[&str] = &[
    "0.005", "0.01", "0.05", "0.1", "0.5", "1", "2.5", "5", "10", "+Inf",
];

/// Labels by name, the metric's own as `__name__`.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Where the values of a few series come from, with what they have in common.
enum Source {
    /// A count that grows by so much a scrape, on average.
    Count(f64, u64),
    /// A level that walks.
    Level(f64),
    /// A value that is another one each time, in nanoseconds.
    Duration,
    /// Always the same.
    Constant(f64),
    /// Cumulative buckets, and sum and count where they are wanted.
    Histogram {
        mean: f64,
        buckets: Vec<u64>,
        rest: Option<f64>,
    },
}

/// A backend whose metrics are scraped.
pub(super) struct Backend {
    /// The labels of all series: those like ours first.
    pub(super) labels: Vec<Labels>,
    sources: Vec<Source>,
    /// How many of the sources have samples all day.
    all_day: usize,
    dice: Dice,
    scrape: usize,
    values: Vec<f64>,
}

impl Backend {
    pub(super) fn new() -> Self {
        let mut backend = Self {
            labels: Vec::new(),
            sources: Vec::new(),
            all_day: 0,
            dice: Dice(42),
            scrape: 0,
            values: Vec::new(),
        };
        backend.like_ours();
        backend.of_panels();
        backend.all_day = backend.sources.len();
        backend.many();
        backend
    }

    /// The next scrape: its time in Unix seconds, and the values of the series it has, which are the first ones.
    pub(super) fn scrape(&mut self) -> (i64, &[f64]) {
        let time = START + self.scrape as i64 * EVERY;
        let part_of_day = self.scrape as f64 / DAY as f64;
        let rhythm = 1.0 + 0.7 * (part_of_day * std::f64::consts::TAU).sin();
        let last_hour = self.scrape >= DAY - HOUR;
        let there = if last_hour { usize::MAX } else { self.all_day };
        self.scrape += 1;
        self.values.clear();
        for source in self.sources.iter_mut().take(there) {
            source.values(rhythm, &mut self.dice, &mut self.values);
        }
        (time, &self.values)
    }

    fn like_ours(&mut self) {
        for route in 0..ROUTES {
            let path = format!("/api/v1/things/:id/{}", route / 2);
            let code = ["200", "404"][route % 2];
            let labels = [("method", "GET"), ("route", &path), ("code", code)];
            // Few routes have most of the requests.
            let mean = 600.0 / ((route + 1) as f64).powf(1.6);
            let name = "http_request_duration_seconds";
            self.histogram(name, &labels, (mean, REQUEST), true);
        }
        for route in 0..ROUTES / 2 {
            let path = format!("/api/v1/things/:id/{route}");
            let labels = [("method", "GET"), ("route", &path), ("code", "500")];
            let mean = 0.3 / (route + 1) as f64;
            self.one(
                "http_requests_errors_total",
                &labels,
                Source::Count(mean, BEFORE),
            );
        }
        for queue in 0..QUEUES {
            let name = format!("queue-{queue}");
            for state in STATES {
                let source = match state {
                    "waiting" | "active" | "delayed" => Source::Level(0.0),
                    "completed" => Source::Count(20.0 / (queue + 1) as f64, BEFORE),
                    "failed" => Source::Count(0.2, BEFORE),
                    _ => Source::Constant(0.0),
                };
                let labels = [("queue", &*name), ("state", state)];
                self.one("queue_jobs_total", &labels, source);
            }
        }
        self.histogram("production_tick_duration_seconds", &[], (15.0, TICK), true);
        self.one("socket_active_connections", &[], Source::Level(500.0));
        for run in 0..RUNS {
            let name = format!("job-{run}");
            let labels = [
                ("prefix", "bull"),
                ("queue", "production"),
                ("name", &name),
                ("outcome", "completed"),
            ];
            let mean = 10.0 / (run + 1) as f64;
            self.histogram("bullmq_job_run_seconds", &labels, (mean, RUN), true);
        }
        while self.labels.len() < OURS {
            let at = self.labels.len();
            let queue = format!("queue-{at}");
            let labels = [("prefix", "bull"), ("queue", &*queue)];
            let (name, source) = match at % 2 {
                0 => ("bullmq_oldest_active_age_seconds", Source::Duration),
                _ => ("bullmq_workers", Source::Constant(1.0)),
            };
            self.one(name, &labels, source);
        }
    }

    /// 5,000 counters and 10,000 buckets, of 20 jobs.
    fn many(&mut self) {
        for at in 0..5_000 {
            let (job, instance) = (format!("job-{}", at % 20), format!("10.0.0.1:{at}"));
            let labels = [("job", &*job), ("instance", &instance)];
            self.one("x", &labels, Source::Count(40.0, BEFORE));
        }
        for at in 0..1_000 {
            let (job, instance) = (format!("job-{}", at % 20), format!("10.0.0.1:{at}"));
            let labels = [("job", &*job), ("instance", &instance)];
            self.histogram("b", &labels, (40.0, TEN), false);
        }
    }

    fn histogram(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        (mean, bounds): (f64, &[&str]),
        rest: bool,
    ) {
        for bound in bounds {
            self.series(
                &format!("{name}_bucket"),
                &[labels, &[("le", bound)]].concat(),
            );
        }
        if rest {
            self.series(&format!("{name}_sum"), labels);
            self.series(&format!("{name}_count"), labels);
        }
        self.sources.push(Source::Histogram {
            mean,
            buckets: vec![BEFORE; bounds.len()],
            rest: rest.then_some(0.0),
        });
    }

    fn one(&mut self, name: &str, labels: &[(&'static str, &str)], source: Source) {
        self.series(name, labels);
        self.sources.push(source);
    }

    fn series(&mut self, name: &str, labels: &[(&'static str, &str)]) {
        let mut all = vec![("__name__", name.to_owned())];
        if !labels.iter().any(|(name, _)| *name == "job") {
            all.push(("instance", "127.0.0.1:9850".to_owned()));
            all.push(("job", "vigie".to_owned()));
        }
        all.extend(
            labels
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        all.sort();
        self.labels.push(all);
    }
}

impl Source {
    fn values(&mut self, rhythm: f64, dice: &mut Dice, values: &mut Vec<f64>) {
        match self {
            Self::Count(mean, count) => {
                *count += dice.times(*mean * rhythm);
                values.push(*count as f64);
            }
            Self::Level(level) => {
                let step = dice.times(3.0) as f64 - dice.times(3.0) as f64;
                *level = (*level + step).max(0.0);
                values.push(*level);
            }
            Self::Duration => values.push((400_000 + dice.below(3_000_000)) as f64 / 1e9),
            Self::Constant(value) => values.push(*value),
            Self::Histogram {
                mean,
                buckets,
                rest,
            } => {
                let seen = dice.times(*mean * rhythm);
                for _ in 0..seen {
                    // Each bucket has half of what the ones above it have left, from the third on.
                    let skipped = dice.next().trailing_zeros() as usize;
                    let bucket = (2 + skipped).min(buckets.len() - 1);
                    buckets[bucket] += 1;
                }
                let mut count = 0;
                for bucket in buckets {
                    count += *bucket;
                    values.push(count as f64);
                }
                if let Some(sum) = rest {
                    *sum += (seen * 7_000_000 + dice.below(3_000_000) * seen.min(1)) as f64;
                    values.extend([*sum / 1e9, count as f64]);
                }
            }
        }
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of times that is `mean` on average.
    fn times(&mut self, mean: f64) -> u64 {
        (2.0 * mean * self.part() + self.part()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_series_as_it_says() {
        let mut backend = Backend::new();
        let all_day = backend.labels.len() - 5_000 - 10_000;
        assert_eq!(backend.scrape().1.len(), all_day);
        assert!((OURS + 100..OURS + 1_000).contains(&all_day), "{all_day}");
        backend.scrape = DAY - HOUR;
        let (time, values) = backend.scrape();
        let (time, count) = (time, values.len());
        assert_eq!(time, END - (HOUR as i64 - 1) * EVERY);
        assert_eq!(count, backend.labels.len());
    }
}
