#![allow(clippy::unwrap_used)]

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vigie_testkit::prometheus::Prometheus;

use super::*;
use crate::admin::server::serve;
use vigie_testkit::SOON;

fn burst(registry: &Registry, job: &str) {
    let finished = registry.family(&vigie_bullmq::metrics::BULLMQ_JOBS_FINISHED);
    finished.add(["bull", "mail", job, "failed"], 40);
    let runs = registry.family(&vigie_bullmq::metrics::BULLMQ_JOB_RUN);
    runs.observe(["bull", "mail", job, "failed"], Duration::from_millis(3));
}

/// Waits until a query has a result and returns it.
async fn answer(prometheus: &Prometheus, query: &str) -> f64 {
    let deadline = Instant::now() + SOON;
    loop {
        let answer = prometheus.query(query).await.unwrap();
        if let [sample] = &answer[..] {
            return sample.value;
        }
        assert!(Instant::now() < deadline, "{query}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn prometheus_sees_the_first_burst_also_after_a_restart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = format!(
        "global: {{scrape_interval: 300ms, scrape_timeout: 300ms}}\n\
         scrape_configs:\n- {{job_name: vigie, static_configs: [{{targets: ['{address}']}}]}}\n"
    );
    let (mut registry, stop) = (Registry::new(), CancellationToken::new());
    let mut serving = tokio::spawn(serve(
        listener,
        router(registry.clone()),
        registry.clone(),
        stop.clone(),
    ));
    let prometheus = Prometheus::start(&config).await.unwrap();
    answer(&prometheus, "up == 1").await;
    burst(&registry, "first");
    let total = |job: &str| format!("bullmq_jobs_finished_total{{name='{job}', outcome='failed'}}");
    let runs = |job: &str| format!("bullmq_job_run_seconds_count{{name='{job}'}}");
    let grown = async |job: &str, least: u32| {
        // Extrapolation can only increase the value.
        let query = format!("increase({}[1m]) >= {least}", total(job));
        assert!(answer(&prometheus, &query).await < f64::from(least) + 40.0);
        answer(&prometheus, &format!("increase({}[1m]) > 0", runs(job))).await;
    };
    grown("first", 40).await;

    stop.cancel();
    serving.await.unwrap();
    let listener = TcpListener::bind(address).await.unwrap();
    registry = Registry::new();
    // Before the first scrape of the new process.
    burst(&registry, "first");
    let stop = CancellationToken::new();
    serving = tokio::spawn(serve(
        listener,
        router(registry.clone()),
        registry.clone(),
        stop.clone(),
    ));
    grown("first", 80).await;
    burst(&registry, "second");
    grown("second", 40).await;
    answer(&prometheus, &format!("{} == 40", total("second"))).await;
    // A Prometheus that does not ingest created timestamps gets none.
    let created = prometheus.query("{__name__=~'.*_created'}").await.unwrap();
    assert_eq!(created, []);
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn clients_that_do_not_scrape_see_true_values() {
    let registry = Registry::new();
    let page = Page {
        registry: registry.clone(),
        scrapers: Mutex::default(),
        start: Instant::now(),
    };
    burst(&registry, "x");
    let body = async |headers: &[(HeaderName, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let response = page.expose(None, &headers.collect()).into_response();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    };
    let value = |body: &str| {
        let line = body
            .lines()
            .find(|line| line.starts_with("bullmq_jobs_finished_total"));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let open = (ACCEPT, "application/openmetrics-text;version=1.0.0");
    let ingests = (
        ACCEPT,
        "application/vnd.google.protobuf;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5",
    );
    let scrape = (SCRAPE_TIMEOUT, "10");
    let pages = [
        (body(&[]).await, "40", false),
        (body(std::slice::from_ref(&open)).await, "40", true),
        (body(std::slice::from_ref(&scrape)).await, "0", false),
        (body(&[scrape.clone(), open]).await, "40", false),
        (body(&[scrape, ingests]).await, "40", true),
    ];
    for (n, (page, expected, created)) in pages.into_iter().enumerate() {
        assert_eq!(value(&page), expected, "page {n}");
        assert_eq!(page.contains("_created{"), created, "page {n}");
    }
}
