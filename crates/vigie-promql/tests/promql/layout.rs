//! Queries over several lines are laid out as in Prometheus.

use crate::common::{Words, vectors};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use vigie_promql::{
    parse,
    syntax::{MAX_TOKENS, pretty},
};
use vigie_testkit::{http, prometheus::Release};

#[test]
fn short_expressions_stay_on_one_line() {
    for query in [
        "up",
        "sum by (job) (rate(http_requests_total[5m])) > 0.5",
        "-(a + b)",
    ] {
        assert_eq!(pretty(&parse(query).unwrap()), query);
    }
}

#[test]
fn long_expressions_are_split() {
    let selector = format!("http_requests_total{{handler=\"{}\"}}", "a".repeat(70));
    let query = format!(
        "sum by (job) (rate({selector}[5m])) / on (job) group_left () sum(up) + -topk(3, {selector} + b)"
    );
    let expected = format!(
        "    sum by (job) (
      rate(
        {selector}[5m]
      )
    )
  / on (job) group_left ()
    sum(up)
+
  -topk(
    3,
      {selector}
    +
      b
  )"
    );
    let expr = parse(&query).unwrap();
    assert_eq!(pretty(&expr), expected);
    assert_eq!(parse(&expected).unwrap(), expr);
}

/// Neither many operators nor deep nesting make the text much longer.
#[test]
fn the_size_of_the_text_is_bounded() {
    let long = format!("1{}", " + 1".repeat(MAX_TOKENS / 2 - 1));
    let expr = parse(&long).unwrap();
    let laid_out = pretty(&expr);
    assert!(
        laid_out.len() < long.len() + 100 * 300,
        "{}",
        laid_out.len()
    );
    assert_eq!(parse(&laid_out).unwrap(), expr);
}

#[tokio::test]
#[ignore = "needs Prometheus 3.5 in target/servers/sid (`cargo xtask setup`)"]
async fn random_queries_are_laid_out_as_in_prometheus_3_5() {
    let prometheus = Release::sid()
        .unwrap()
        .with_samples("# EOF\n")
        .await
        .unwrap();
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let words = Words {
        numbers: &["3", "1000", "-0.25"],
        without: &["first_over_time"],
        ..Words::all()
    };
    let queries = vectors(words);
    let mut split = 0;
    for _ in 0..400 {
        let [first, second, third] =
            [(); 3].map(|()| queries.new_tree(&mut runner).unwrap().current());
        let query =
            format!("sum by (x) ({first}) + abs({second}) * on (job) group_left () ({third})");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = format!("query={encoded}");
        let path = "/api/v1/format_query";
        let answer = http::request(prometheus.addr(), "POST", path, &form, body.as_bytes());
        let answer = answer.await.unwrap().json().unwrap();
        let (Some(theirs), Ok(expr)) = (answer["data"].as_str(), parse(&query)) else {
            assert!(
                answer["data"].is_null() && parse(&query).is_err(),
                "{query}: {answer}"
            );
            continue;
        };
        let ours = pretty(&expr);
        assert_eq!(ours, theirs, "{query}");
        split += usize::from(ours.lines().count() > 5);
    }
    assert!(split > 50, "{split} take several lines");
}
