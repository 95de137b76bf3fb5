//! `queues.compatible`: Vigie's page and the page of BullMQ's `exportPrometheusMetrics()` agree on a live queue.

use std::collections::BTreeMap;

use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{Redis, SOON, Script, eventually};

use crate::common::{Vigie, fill};

const QUEUE: &str = "mail";
const NAMES: [&str; 3] = [
    "bullmq_job_count",
    "bullmq_job_completed_total",
    "bullmq_job_failed_total",
];

/// The type and the samples by labels.
type Shown = (String, BTreeMap<Vec<(String, String)>, String>);

/// The families of a page under BullMQ's names.
fn shown(page: &str) -> BTreeMap<String, Shown> {
    let scrape = Scrape::parse(page, Format::Text).unwrap();
    let families = scrape.families().iter();
    let families = families.filter(|family| NAMES.contains(&family.name.as_str()));
    let shown = families.map(|family| {
        let samples = family.samples.iter().map(|sample| {
            let mut labels = sample.labels.clone();
            labels.sort();
            (labels, sample.value.to_string())
        });
        let kind = format!("{:?}", family.kind);
        (family.name.clone(), (kind, samples.collect()))
    });
    shown.collect()
}

/// BullMQ's page for the queue.
async fn theirs(redis: &Redis) -> BTreeMap<String, Shown> {
    let url = redis.url();
    let script = Script::new("testing/exporter.js");
    let mut script = script
        .args(["--redis", &url, "--queue", QUEUE])
        .spawn()
        .unwrap();
    let said = script.next_json(SOON).await.unwrap();
    assert!(script.wait(SOON).await.unwrap().success());
    shown(&format!("{}\n", said["page"].as_str().unwrap()))
}

#[tokio::test]
async fn the_names_types_labels_and_values_are_those_of_bullmq() {
    let redis = Redis::start().await.unwrap();
    let redis_section = format!(
        "[redis]\nurl = {:?}\ndiscover_every = \"200ms\"\n",
        redis.url()
    );
    let plain = Vigie::start(&redis_section).await;
    let vigie = Vigie::start(&format!("{redis_section}[queues]\ncompatible = true\n")).await;
    // The queue is created and discovered before its first job ends, so that both counts start at 0.
    fill(&redis, QUEUE, &[]).await;
    eventually(SOON, async || {
        let page = vigie.get("/metrics").await.text();
        let shown = shown(&page);
        (shown.len() == NAMES.len()).then_some(()).ok_or(page)
    })
    .await;

    let url = redis.url();
    let arguments = ["--redis", &url, "--queue", QUEUE, "--jobs", "40"];
    let script = Script::new("testing/jobs.js").args(arguments);
    let mut script = script.args(["--keep", "--metrics"]).spawn().unwrap();
    script.next_json(SOON).await.unwrap();
    assert!(script.wait(SOON).await.unwrap().success());
    let states = [
        "--waiting",
        "3",
        "--prioritized",
        "2",
        "--delayed",
        "4",
        "--active",
        "1",
        "--waiting-children",
        "2",
    ];
    for arguments in [&states[..], &["--paused"]] {
        fill(&redis, QUEUE, arguments).await;
        let theirs = theirs(&redis).await;
        assert_eq!(theirs.len(), NAMES.len(), "{theirs:?}");
        eventually(SOON, async || {
            let ours = shown(&vigie.get("/metrics").await.text());
            let of_queue = |shown: &Shown| {
                let mut shown = shown.clone();
                let queue = ("queue".to_owned(), QUEUE.to_owned());
                // The children of the flow wait in a separate queue.
                shown.1.retain(|labels, _| labels.contains(&queue));
                shown
            };
            let ours = ours.iter();
            let ours: BTreeMap<_, _> = ours
                .map(|(name, shown)| (name.clone(), of_queue(shown)))
                .collect();
            (ours == theirs)
                .then_some(())
                .ok_or(format!("ours {ours:#?}\ntheirs {theirs:#?}"))
        })
        .await;
        let completed = &theirs["bullmq_job_completed_total"].1;
        assert!(completed.values().eq(["36"]), "{completed:?}");
    }
    // Off by default.
    let page = plain.get("/metrics").await.text();
    assert!(page.contains("queue_jobs_total{") && shown(&page).is_empty());
    plain.stop().await;
    vigie.stop().await;
}
