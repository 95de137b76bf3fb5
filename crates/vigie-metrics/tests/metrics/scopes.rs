//! Each of several databases has its own series of the same metric.

use crate::support;
use vigie_metrics::{Format, Registry};
use vigie_testkit::promtext::{Format as Parsed, Scrape};

#[test]
fn each_has_its_own_series_under_one_header() {
    let registry = Registry::new();
    for (database, jobs) in [("0", 1.0), ("3", 2.0)] {
        let registry = registry.scoped(database);
        let paused = registry.family(&support::PAUSED);
        paused.set(["bull", "mail"], jobs);
        let runs = registry.family(&support::RUNS);
        let labels = ["bull", "mail", "send", "completed"];
        runs.observe(labels, std::time::Duration::from_millis(1));
        // Metrics without a scope label are the same in all scopes.
        let rows = registry.family(&support::JOBS);
        rows.set(["mail", "waiting"], jobs);
    }
    let plain = registry.family(&support::PAUSED);
    plain.set(["bull", "mail"], 3.0);

    for (format, parsed) in [
        (Format::Text, Parsed::Text),
        (Format::OpenMetrics, Parsed::OpenMetrics),
    ] {
        // The parser refuses a family that begins twice.
        let scrape = Scrape::parse(&registry.expose(format), parsed).unwrap();
        let of = |database| {
            [
                ("database", database),
                ("prefix", "bull"),
                ("queue", "mail"),
            ]
        };
        assert_eq!(scrape.value("bullmq_queue_paused", &of("0")), Some(1.0));
        assert_eq!(scrape.value("bullmq_queue_paused", &of("3")), Some(2.0));
        assert_eq!(scrape.samples("bullmq_queue_paused", &[]).count(), 3);
        assert_eq!(scrape.sum("bullmq_job_run_seconds_count", &[]), 2.0);
        let row = [("queue", "mail"), ("state", "waiting")];
        assert_eq!(scrape.value("queue_jobs_total", &row), Some(2.0));
    }
    let mut seen = Vec::new();
    registry.visit(|name, labels, value| {
        if name == "bullmq_queue_paused" {
            let database = labels.iter().find(|(label, _)| *label == "database");
            seen.push((database.map(|(_, value)| (*value).to_owned()), value));
        }
    });
    let expected = [
        (None, 3.0),
        (Some("0".to_owned()), 1.0),
        (Some("3".to_owned()), 2.0),
    ];
    assert_eq!(seen, expected);
    let metas = registry.metas();
    let names = metas
        .iter()
        .filter(|meta| meta.name == "bullmq_queue_paused");
    assert_eq!(names.count(), 1);
}

#[test]
fn removal_in_one_scope_does_not_affect_others() {
    let registry = Registry::new();
    let [a, b] = ["0", "3"].map(|database| {
        let registry = registry.scoped(database);
        let family = registry.family(&support::PAUSED);
        family.set(["bull", "mail"], 1.0);
        family
    });
    a.retain(|_| false);
    assert_eq!((a.len(), b.len()), (0, 1));
    assert_eq!(registry.scoped("3").family(&support::PAUSED).len(), 1);
}
