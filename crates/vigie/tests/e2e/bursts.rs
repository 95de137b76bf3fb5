//! `JobFailing` detects a burst of failures whose counter did not exist before, in the history and in a scraping
//! Prometheus: for a new job name, and for an existing name right after a restart of Vigie.

use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;
use vigie::rules::BuiltIn;
use vigie_alerts::load;
use vigie_testkit::{Prometheus, Redis, SOON, Script, eventually, http};

use crate::common::{Vigie, fill, turn};

const SCRIPT: Duration = SOON;
const BURST: f64 = 40.0;
/// A queue that exists before the burst, and one that is created by it.
const QUEUES: [&str; 2] = ["known", "fresh"];

#[tokio::test]
async fn a_burst_of_a_new_counter_is_an_increase() {
    let _turn = turn().await;
    let redis = Redis::start().await.unwrap();
    let directory = TempDir::new().unwrap();
    let mut vigie = Vigie::start(&format!(
        "[redis]\nurl = {:?}\ndiscover_every = \"500ms\"\n[history]\npath = {:?}\n",
        redis.url(),
        directory.path().join("samples")
    ))
    .await;
    let prometheus = Prometheus::start(&format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs: [{{job_name: vigie, static_configs: [{{targets: ['{}']}}]}}]\n",
        vigie.admin
    ))
    .await
    .unwrap();
    let sources = [vigie.admin, prometheus.addr()];
    fill(&redis, QUEUES[0], &[]).await;
    until_known(&vigie, QUEUES[0]).await;
    for source in sources {
        until(source, "count_over_time(up[15m]) >= bool 2", &[1.0]).await;
    }

    for queue in QUEUES {
        fail(&redis, queue).await;
    }
    for source in sources {
        for queue in QUEUES {
            let failed = failed(queue);
            until(source, &failed, &[BURST]).await;
            until(source, &format!("min_over_time({failed}[15m])"), &[0.0]).await;
            until(source, &at_least(&failed, BURST), &[1.0]).await;
            until(source, &job_failing(queue), &[1.0]).await;
        }
    }

    vigie.kill9_and_restart().await;
    for queue in QUEUES {
        until_known(&vigie, queue).await;
    }
    for queue in QUEUES {
        fail(&redis, queue).await;
    }
    for source in sources {
        for queue in QUEUES {
            let failed = failed(queue);
            until(source, &format!("resets({failed}[15m])"), &[1.0]).await;
            until(source, &failed, &[BURST]).await;
            until(source, &at_least(&failed, 2.0 * BURST), &[1.0]).await;
            until(source, &job_failing(queue), &[1.0]).await;
        }
    }
    vigie.stop().await;
}

/// Waits until the queue is read.
async fn until_known(vigie: &Vigie, queue: &str) {
    eventually(SCRIPT, async || {
        let scrape = vigie.scrape().await;
        let read = scrape.value("queue_jobs_total", &[("queue", queue), ("state", "failed")]);
        read.map(drop).ok_or_else(|| format!("{queue} is not read"))
    })
    .await;
}

/// Runs jobs, all of which fail.
async fn fail(redis: &Redis, queue: &str) {
    let (url, jobs) = (redis.url(), BURST.to_string());
    let script = Script::new("testing/jobs.js")
        .args(["--redis", &url, "--queue", queue, "--jobs", &jobs])
        .args(["--fail-ratio", "1", "--names", "wreck"]);
    let mut script = script.spawn().unwrap();
    let truth = script.next_json(SCRIPT).await.unwrap();
    assert_eq!(truth["failed"]["wreck"], BURST as u64);
    assert!(script.wait(SCRIPT).await.unwrap().success());
}

fn failed(queue: &str) -> String {
    format!("bullmq_jobs_finished_total{{queue=\"{queue}\",name=\"wreck\",outcome=\"failed\"}}")
}

fn at_least(counter: &str, increase: f64) -> String {
    format!("increase({counter}[15m]) >= bool {increase}")
}

/// The expression of the shipped alert for one queue: the ratio of failed jobs.
fn job_failing(queue: &str) -> String {
    let rules = load(BuiltIn::Extended.text()).rules;
    let rule = rules
        .rules()
        .find(|rule| &**rule.name() == "JobFailing")
        .unwrap();
    rule.expr
        .text
        .replace(
            "bullmq_jobs_finished_total{",
            &format!("bullmq_jobs_finished_total{{queue=\"{queue}\","),
        )
        .replace(
            "bullmq_jobs_finished_total[",
            &format!("bullmq_jobs_finished_total{{queue=\"{queue}\"}}["),
        )
}

/// Waits until the API at `source` answers an instant query with these values.
async fn until(source: SocketAddr, query: &str, expected: &[f64]) {
    let encoded: String = byte_serialize(query.as_bytes()).collect();
    let path = format!("/api/v1/query?query={encoded}");
    eventually(SOON, async || {
        let answer = http::get(source, &path)
            .await
            .map_err(|error| error.to_string())?;
        let answer = answer.json().map_err(|error| error.to_string())?;
        let samples = answer["data"]["result"].as_array();
        let value = |sample: &serde_json::Value| sample["value"][1].as_str()?.parse::<f64>().ok();
        let values: Option<Vec<_>> =
            samples.and_then(|samples| samples.iter().map(value).collect());
        match values.as_deref() == Some(expected) {
            true => Ok(()),
            false => Err(format!("{source}: {query}: {answer}")),
        }
    })
    .await;
}
