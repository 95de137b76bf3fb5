#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use super::*;
use crate::{Fault, FaultServer, SOON, eventually, faults::http_answer, ports};

const RULES: &str = r#"
groups:
  - name: both
    rules:
      - record: some:answer
        expr: vector(42)
      - alert: Always
        expr: some:answer > 41
        labels: {severity: warning}
      - alert: Later
        expr: some:answer > 41
        for: 1h
      - alert: Broken
        expr: label_replace(vector(1), "no label", "", "", "")
"#;
const PAGE: &str = "# TYPE fish gauge\nfish{kind=\"cod\"} 7\nfish{kind=\"eel\"} NaN\n";

#[tokio::test]
async fn scrapes_answers_and_evaluates() {
    let exporter = FaultServer::start(Fault::CloseAfter(usize::MAX, http_answer(200, PAGE)));
    let exporter = exporter.await.unwrap();
    let rules = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(rules.path(), RULES).unwrap();
    let (fish, nobody) = (exporter.addr(), ports::free());
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{:?}]\n\
             scrape_configs:\n\
             - {{job_name: fish, static_configs: [{{targets: ['{fish}']}}]}}\n\
             - {{job_name: nobody, static_configs: [{{targets: ['127.0.0.1:{nobody}']}}]}}\n",
        rules.path()
    );
    let prometheus = Prometheus::start(&config).await.unwrap();

    let targets = eventually(SOON, async || {
        let targets = prometheus.targets().await.unwrap();
        let known = targets.iter().filter(|target| target.up.is_some());
        (known.count() == 2)
            .then_some(targets.clone())
            .ok_or(format!("{targets:?}"))
    })
    .await;
    let target = |job: &str| targets.iter().find(|target| target.labels["job"] == job);
    assert_eq!(target("fish").unwrap().up, Some(true));
    let nobody = target("nobody").unwrap();
    assert!(nobody.error.contains("refused"), "{nobody:?}");
    assert_eq!(nobody.up, Some(false));

    let cod = prometheus
        .query("fish{kind=~\"c.d\"} + 0 > 6")
        .await
        .unwrap();
    let [cod] = &cod[..] else { panic!("{cod:?}") };
    assert_eq!((cod.value, &*cod.labels["kind"]), (7.0, "cod"));
    assert!(
        prometheus.query("fish{kind='eel'}").await.unwrap()[0]
            .value
            .is_nan()
    );
    assert_eq!(prometheus.query("none").await.unwrap(), []);
    let scalar = prometheus.query("1 / 0").await.unwrap();
    assert_eq!(
        (scalar[0].value, scalar[0].labels.len()),
        (f64::INFINITY, 0)
    );
    let refused = prometheus
        .query("sum by (fish")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("400") && refused.contains("parse error"),
        "{refused}"
    );

    let range = prometheus
        .query_range("vector(1)", (10.0, 30.0), 10.0)
        .await
        .unwrap();
    let values = vec![(10.0, 1.0), (20.0, 1.0), (30.0, 1.0)];
    assert_eq!(
        range,
        [Series {
            labels: BTreeMap::new(),
            values
        }]
    );

    let rules = eventually(SOON, async || {
        let rules = prometheus.rules().await.unwrap();
        let evaluated = rules.iter().filter(|rule| rule.health != "unknown");
        (evaluated.count() == 4)
            .then_some(rules.clone())
            .ok_or(format!("{rules:?}"))
    })
    .await;
    let seen: Vec<_> = rules
        .iter()
        .map(|rule| {
            (
                &*rule.name,
                rule.alert.as_ref().map(|alert| &*alert.state),
                &*rule.health,
            )
        })
        .collect();
    let expected = [
        ("some:answer", None, "ok"),
        ("Always", Some("firing"), "ok"),
        ("Later", Some("pending"), "ok"),
        ("Broken", Some("inactive"), "err"),
    ];
    assert_eq!(seen, expected, "{rules:?}");
    assert_eq!(rules[1].labels["severity"], "warning");
    assert_eq!(rules[1].query, "some:answer > 41");
    assert_eq!(
        rules[2].alert.as_ref().unwrap().pending_for.as_secs(),
        3_600
    );
    assert!(rules[3].error.contains("no label"), "{:?}", rules[3]);
}

#[tokio::test]
async fn a_configuration_that_it_refuses_is_told_with_its_reason() {
    let refused = Prometheus::start("global: {scrape_intervall: 1s}").await;
    let reason = refused.err().unwrap().to_string();
    assert!(reason.contains("scrape_intervall"), "{reason}");
}

#[test]
fn escapes_what_a_form_must_not_hold() {
    let form = [("query", "a{b=\"c d\"}&+%é"), ("n", "1")];
    let expected = "query=a%7Bb%3D%22c%20d%22%7D%26%2B%25%C3%A9&n=1";
    assert_eq!(urlencoded(&form), expected);
}
