//! Generated samples like those of Vigie: a backend with 80 route series, 20 queues and a daily rhythm.
#![allow(dead_code)] // each user needs a part of it

/// Milliseconds between scrapes.
pub(crate) const EVERY: i64 = 15_000;
/// The number of series.
pub(crate) const SERIES: usize = 2_000;
/// The number of scrapes of a day.
pub(crate) const DAY: usize = 24 * 60 * 60 * 1000 / EVERY as usize;

const ROUTES: usize = 80;
const JOBS: usize = 16;
const QUEUES: usize = 20;
const BOUNDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Reproducible pseudo-random numbers (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The number of events when `mean` are expected (Poisson).
    fn times(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            let spread: f64 = (0..12).map(|_| self.part()).sum::<f64>() - 6.0;
            return (mean + spread * mean.sqrt()).max(0.0) as u64;
        }
        let (limit, mut product, mut times) = ((-mean).exp(), self.part(), 0);
        while product > limit {
            product *= self.part();
            times += 1;
        }
        times
    }
}

#[derive(Default)]
struct Histogram {
    buckets: [u64; 14],
    nanos: u64,
}

impl Histogram {
    fn observe(&mut self, seconds: f64) {
        let bucket = BOUNDS.iter().take_while(|bound| seconds > **bound).count();
        self.buckets[bucket] += 1;
        self.nanos += (seconds * 1e9) as u64;
    }

    fn values(&self, out: &mut Vec<f64>) {
        let mut count = 0;
        for bucket in self.buckets {
            count += bucket;
            out.push(count as f64);
        }
        out.push(self.nanos as f64 / 1e9);
        out.push(count as f64);
    }
}

/// The backend.
pub(crate) struct Traffic {
    /// The labels of each series, sorted by name.
    pub(crate) labels: Vec<Vec<(&'static str, String)>>,
    dice: Dice,
    values: Vec<f64>,
    scrape: usize,
    routes: Vec<Histogram>,
    jobs: Vec<Histogram>,
    errors: Vec<u64>,
    levels: Vec<f64>,
    counts: Vec<u64>,
    cpu: u64,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        Self {
            labels: labels(),
            dice: Dice(42),
            values: Vec::new(),
            scrape: 0,
            routes: (0..ROUTES).map(|_| Histogram::default()).collect(),
            jobs: (0..JOBS).map(|_| Histogram::default()).collect(),
            errors: vec![0; 40],
            levels: vec![0.0; QUEUES * 16],
            counts: vec![0; QUEUES * 4],
            cpu: 0,
        }
    }

    /// The values of all series at the next scrape.
    pub(crate) fn scrape(&mut self) -> &[f64] {
        let dice = &mut self.dice;
        let hour = self.scrape as f64 / 240.0;
        let rhythm = 1.0 + 0.7 * (hour / 24.0 * std::f64::consts::TAU).sin();
        for (at, route) in self.routes.iter_mut().enumerate() {
            // Few routes receive most of the requests.
            let mean = 600.0 * rhythm / ((at + 1) as f64).powf(1.6);
            for _ in 0..dice.times(mean) {
                let slow = if dice.below(50) == 0 { 20.0 } else { 1.0 };
                route.observe(0.002 * slow / (1.0 - dice.part()).powf(0.6));
            }
        }
        for (at, job) in self.jobs.iter_mut().enumerate() {
            for _ in 0..dice.times(10.0 / (at + 1) as f64) {
                job.observe(0.05 / (1.0 - dice.part()).powf(0.8));
            }
        }
        for (at, errors) in self.errors.iter_mut().enumerate() {
            *errors += dice.times(0.3 / (at + 1) as f64);
        }
        for (at, level) in self.levels.iter_mut().enumerate() {
            // Of the sixteen states of a queue, three change.
            if at % 16 < 3 {
                let step = dice.times(3.0) as f64 - dice.times(3.0) as f64;
                *level = (*level + step).max(0.0);
            }
        }
        for (at, count) in self.counts.iter_mut().enumerate() {
            *count += dice.times(20.0 / (at % 8 + 1) as f64);
        }
        self.cpu += 15 + dice.below(20);
        self.scrape += 1;

        let values = &mut self.values;
        values.clear();
        for histogram in self.routes.iter().chain(&self.jobs) {
            histogram.values(values);
        }
        values.extend(self.errors.iter().map(|&count| count as f64));
        values.extend(&self.levels);
        values.extend(self.counts.iter().map(|&count| count as f64));
        values.push(self.cpu as f64 / 100.0);
        values.push((40 << 20) as f64 + (dice.below(64) << 12) as f64);
        values.push(1_790_000_000.0 + self.scrape as f64 * 15.0 + dice.part());
        while values.len() < SERIES {
            // Half are durations, half are constant.
            let even = values.len().is_multiple_of(2);
            values.push(if even {
                (dice.below(3_000_000) + 400_000) as f64 / 1e9
            } else {
                1.0
            });
        }
        values
    }
}

fn labels() -> Vec<Vec<(&'static str, String)>> {
    let mut all = Vec::new();
    let mut add = |name: &str, more: &[(&'static str, &str)]| {
        let mut labels = vec![
            ("__name__", name.to_owned()),
            ("instance", "127.0.0.1:9850".to_owned()),
            ("job", "vigie".to_owned()),
        ];
        labels.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        labels.sort();
        all.push(labels);
    };
    let mut histogram = |name: &str, labels: &[(&'static str, &str)]| {
        for bound in BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]) {
            let bucket = [labels, &[("le", &bound)]].concat();
            add(&format!("{name}_bucket"), &bucket);
        }
        add(&format!("{name}_sum"), labels);
        add(&format!("{name}_count"), labels);
    };
    for route in 0..ROUTES {
        let (route, code) = (
            format!("/api/v1/things/:id/{}", route / 2),
            ["200", "404"][route % 2],
        );
        let labels = [("method", "GET"), ("route", &route), ("code", code)];
        histogram("http_request_duration_seconds", &labels);
    }
    for job in 0..JOBS {
        let name = format!("job-{job}");
        let labels = [("prefix", "bull"), ("queue", "production"), ("name", &name)];
        histogram("bullmq_job_run_seconds", &labels);
    }
    for rest in all.len()..SERIES {
        let (queue, state) = (
            format!("queue-{}", rest / 16),
            format!("state-{}", rest % 16),
        );
        let mut labels = vec![
            ("__name__", "queue_jobs_total".to_owned()),
            ("instance", "127.0.0.1:9850".to_owned()),
            ("job", "vigie".to_owned()),
            ("queue", queue),
            ("state", state),
        ];
        labels.sort();
        all.push(labels);
    }
    all
}
