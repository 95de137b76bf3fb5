//! Scrapes continuously and compares each page with the previous one: no counter may decrease or disappear, and every
//! page is answered.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use vigie_testkit::http;
use vigie_testkit::promtext::{Format, Kind, Sample, Scrape};

const PAUSE: Duration = Duration::from_millis(40);
const STATES_THAT_COUNT: [&str; 2] = ["completed", "failed"];

/// A separate thread, so that the waits of the test do not make a page appear late.
pub(crate) struct Vigil {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<usize, String>>,
}

type Counts = HashMap<(String, Vec<(String, String)>), f64>;

impl Vigil {
    pub(crate) fn keep(admin: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || watch(admin, &until));
        Self { stop, thread }
    }

    /// Stops scraping.
    ///
    /// # Panics
    /// If a page was wrong, or if there was almost nothing to compare.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let scrapes = match self.thread.join().unwrap() {
            Ok(scrapes) => scrapes,
            Err(wrong) => panic!("{wrong}"),
        };
        assert!(scrapes > 20, "only {scrapes} pages were seen");
    }
}

fn watch(admin: SocketAddr, stop: &AtomicBool) -> Result<usize, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut before = Counts::new();
    let mut scrapes = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = runtime.block_on(http::get(admin, "/metrics"));
        let page = answer.map_err(|error| format!("/metrics: {error}"))?;
        if page.status != 200 {
            return Err(format!("/metrics: {}", page.status));
        }
        let scrape = Scrape::parse(&page.text(), Format::Text)
            .map_err(|error| format!("/metrics cannot be read: {error}"))?;
        let now = counts(&scrape);
        for (series, was) in &before {
            match now.get(series) {
                Some(is) if is >= was => {}
                is => return Err(format!("{series:?} was {was} and is {is:?}")),
            }
        }
        before = now;
        scrapes += 1;
        std::thread::sleep(PAUSE);
    }
    Ok(scrapes)
}

/// All values that must not decrease.
fn counts(scrape: &Scrape) -> Counts {
    let mut counts = Counts::new();
    for family in scrape.families() {
        let grows = |sample: &&Sample| match family.kind {
            Kind::Counter | Kind::Histogram => true,
            _ => {
                let state = sample.label("state").unwrap_or_default();
                family.name == "queue_jobs_total" && STATES_THAT_COUNT.contains(&state)
            }
        };
        for sample in family.samples.iter().filter(grows) {
            let series = (sample.name.clone(), sample.labels.clone());
            counts.insert(series, sample.value);
        }
    }
    counts
}
