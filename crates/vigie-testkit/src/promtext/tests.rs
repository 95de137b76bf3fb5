#![allow(clippy::unwrap_used)]
use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

const HEAD: &str = "# HELP a About.\n# TYPE a gauge\n";
const HISTOGRAM: &str = r#"# HELP h About "h", a \\ and a line\nmore.
# TYPE h histogram
h_bucket{r="x",le="0.5"} 1
h_bucket{r="x",le="1"} 2
h_bucket{r="x",le="+Inf"} 3
h_sum{r="x"} 4.5e+0
h_count{r="x"} 3
"#;
const OPEN: &str = r#"# HELP h_seconds About \"h\".
# TYPE h_seconds histogram
# UNIT h_seconds seconds
h_seconds_bucket{le="0.5"} 1 # {trace="ä"} 0.25 1.5
h_seconds_bucket{le="+Inf"} 3
h_seconds_sum 4.5
h_seconds_count 3
# HELP c About.
# TYPE c counter
c_total{x="1"} 17 1700000000.5
c_created{x="1"} 1.7e9
# TYPE queue_jobs_total unknown
# HELP queue_jobs_total About.
queue_jobs_total 1
# TYPE b info
# HELP b About.
b_info{v="1"} 1
# EOF
"#;

fn text(page: &str) -> Result<Scrape, ParseError> {
    Scrape::parse(page, Format::Text)
}

fn open_metrics(page: &str) -> Result<Scrape, ParseError> {
    Scrape::parse(page, Format::OpenMetrics)
}

/// Whether promtool can parse it. It also checks names, with status 3.
fn promtool_reads(page: &str) -> bool {
    let mut child = Command::new(crate::tools::PROMTOOL.find().unwrap())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    matches!(child.wait().unwrap().code(), Some(0 | 3))
}

#[test]
fn reads_a_page_of_text() {
    let labels = r#"{n="",l="\"\\\n{}, =é"}"#;
    let page = format!(
        "{HEAD}a{{s=\"1\"}} NaN\na {{ s = \"2\" , }}\t-Inf 123\n\n# a comment\n{HISTOGRAM}\
         # TYPE c_total counter\n# HELP c_total\nc_total{labels} 1e3\n"
    );
    let scrape = text(&page).unwrap();
    assert!(scrape.value("a", &[("s", "1")]).unwrap().is_nan());
    assert_eq!(scrape.value("a", &[("s", "2")]), Some(f64::NEG_INFINITY));
    assert_eq!(scrape.value("a", &[]), None);
    assert_eq!(scrape.sum("h_bucket", &[("r", "x")]), 6.0);
    let help = &scrape.family("h").unwrap().help;
    assert_eq!(help, "About \"h\", a \\ and a line\nmore.");
    let hostile = [("l", "\"\\\n{}, =é"), ("n", "")];
    assert_eq!(scrape.value("c_total", &hostile), Some(1000.0));
    let kinds: Vec<Kind> = scrape.families().iter().map(|family| family.kind).collect();
    assert_eq!(kinds, [Kind::Gauge, Kind::Histogram, Kind::Counter]);
    assert!(promtool_reads(&page));
}

#[test]
fn reads_a_page_of_open_metrics() {
    let scrape = open_metrics(OPEN).unwrap();
    assert_eq!(open_metrics(OPEN.trim_end()).unwrap(), scrape);
    let bucket = scrape
        .samples("h_seconds_bucket", &[("le", "0.5")])
        .next()
        .unwrap();
    let exemplar = bucket.exemplar.as_ref().unwrap();
    assert_eq!((exemplar.labels[0].1.as_str(), exemplar.value), ("ä", 0.25));
    let count = scrape.samples("c_total", &[]).next().unwrap();
    assert_eq!(count.timestamp, Some(1_700_000_000.5));
    assert_eq!(scrape.family("h_seconds").unwrap().help, "About \"h\".");
    assert_eq!(
        scrape.family("queue_jobs_total").unwrap().kind,
        Kind::Unknown
    );
}

#[test]
fn an_empty_page_is_a_page() {
    assert!(text("").unwrap().families().is_empty());
    assert!(open_metrics("# EOF\n").unwrap().families().is_empty());
}

#[test]
fn knows_the_formats_by_their_content_types() {
    let of = Format::of;
    assert_eq!(
        of("text/plain; version=0.0.4; charset=utf-8"),
        Some(Format::Text)
    );
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(of(open), Some(Format::OpenMetrics));
    assert_eq!(of("text/plain"), None);
    assert_eq!(of("application/json"), None);
}

/// Unambiguous in the specification, so promtool agrees.
#[test]
fn refuses_what_the_real_tool_refuses() {
    for (sample, reason) in [
        ("a 1", "does not end"),
        ("a{l=\"\\t\"} 1\n", "no such escape"),
        ("a{l=\"x} 1\n", "not closed"),
        ("a{l=x} 1\n", "not quoted"),
        ("a{1=\"x\"} 1\n", "not a label name"),
        ("a{l-m=\"x\"} 1\n", "no = after"),
        ("a{l=\"x\" m=\"y\"} 1\n", "parted by commas"),
        ("a{,} 1\n", "not a label name"),
        ("a{l=\"x\",l=\"y\"} 1\n", "comes twice"),
        ("a-b 1\n", "a space is missing"),
        ("é 1\n", "not a metric name"),
        ("a\n", "a space is missing"),
        ("a one\n", "not a number"),
        ("a 1 1.5\n", "not a timestamp"),
        ("a 1 1 1\n", "something follows"),
        ("# TYPE a gauge\na 1\n", "a second TYPE"),
        ("# HELP a More.\na 1\n", "a second HELP"),
        ("a 1\n# TYPE b nonsense\n", "no such type"),
    ] {
        let page = format!("{HEAD}{sample}");
        let error = text(&page).unwrap_err();
        assert!(error.reason.contains(reason), "{sample:?}: {error}");
        assert!(!promtool_reads(&page), "{sample:?}");
    }
}

#[test]
fn refuses_what_a_scraper_could_stumble_over() {
    for (sample, reason) in [
        ("a inf\n", "not a number"),
        ("a Infinity\n", "not a number"),
        ("a{__name__=\"b\"} 1\n", "reserved"),
        ("a 1\na 2\n", "comes twice"),
        ("a 1\na{l=\"\"} 2\n", "comes twice"),
        ("a 1\nb 1\n", "b in the block of a"),
        ("a 1\n# TYPE b gauge\nb 1\n", "b has no HELP"),
        ("a 1\n# HELP b B.\nb 1\n", "b has no TYPE"),
        ("a 1\n# HELP b B.\n# HELP c C.\n", "not both HELP and TYPE"),
        (
            "a 1\n# HELP b B.\n# TYPE b gauge\n# HELP a Again.\n",
            "a block already",
        ),
        ("a 1\n# TYPE a gauge\n", "TYPE after samples"),
        (
            "a 1\n# HELP c C.\n# TYPE c counter\nc -1\n",
            "cannot be a count",
        ),
        (
            "a 1\n# HELP c C.\n# TYPE c counter\nc NaN\n",
            "cannot be a count",
        ),
        (
            "a 1\n# HELP c \\\"C.\n# TYPE c counter\nc 1\n",
            "no such escape",
        ),
        (
            "a 1\n# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n\
             # HELP h_count H.\n# TYPE h_count gauge\nh_count{x=\"1\"} 0\n",
            "also of the family h",
        ),
    ] {
        let error = text(&format!("{HEAD}{sample}")).unwrap_err();
        assert!(error.reason.contains(reason), "{sample:?}: {error}");
    }
}

#[test]
fn a_histogram_must_add_up() {
    for (from, to, reason) in [
        (
            "h_count{r=\"x\"} 3",
            "h_count{r=\"x\"} 4",
            "the +Inf bucket 3",
        ),
        ("h_count{r=\"x\"} 3\n", "", "no h_count"),
        ("h_sum{r=\"x\"} 4.5e+0\n", "", "no h_sum"),
        ("le=\"1\"} 2", "le=\"1\"} 0", "holds less"),
        ("le=\"1\"", "le=\"0.50\"", "does not ascend"),
        ("le=\"1\"", "le=\"wide\"", "is no bound"),
        ("h_bucket{r=\"x\",le=\"+Inf\"} 3\n", "", "no +Inf bucket"),
        (
            "h_bucket{r=\"x\",le=\"1\"} 2",
            "h_bucket{r=\"x\"} 2",
            "lacks the label le",
        ),
        (
            "h_sum{r=\"x\"}",
            "h_sum{r=\"x\",le=\"1\"}",
            "may not have the label le",
        ),
        ("h_sum{r=\"x\"}", "h_max{r=\"x\"}", "does not suit"),
    ] {
        assert!(HISTOGRAM.contains(from));
        let error = text(&HISTOGRAM.replacen(from, to, 1)).unwrap_err();
        assert!(error.reason.contains(reason), "{to:?}: {error}");
    }
    let summary = "# HELP s S.\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n";
    assert_eq!(text(summary).unwrap().value("s_sum", &[]), Some(1.0));
    assert!(text(&summary.replace("0.5", "1.5")).is_err());
    assert!(text(&summary.replace("s_count 1\n", "")).is_err());
}

#[test]
fn open_metrics_is_stricter() {
    for (from, to, reason) in [
        ("# EOF\n", "", "no # EOF"),
        ("# EOF\n", "# EOF\n\n", "follows # EOF"),
        (
            "# UNIT h_seconds seconds",
            "# UNIT h_seconds bytes",
            "in its unit",
        ),
        ("# HELP c About.", "#  HELP c About.", "a word is missing"),
        ("# HELP c About.", "# a comment", "no such descriptor"),
        ("# HELP c About.", "# HELP c \"About\".", "must be escaped"),
        ("c_total{x=\"1\"} 17", "c{x=\"1\"} 17", "does not suit"),
        ("c_total{x=\"1\"} 17", "c_total{x=\"1\",} 17", "commas"),
        (
            "c_total{x=\"1\"} 17",
            "c_total{x=\"1\"}  17",
            "a word is missing",
        ),
        ("c_created{x=\"1\"} 1.7e9\n", "\n", "an empty line"),
        (
            "h_seconds_sum 4.5",
            "h_seconds_sum 4.5 # {} 1",
            "no exemplar",
        ),
        ("ä", &"ä".repeat(124), "too long"),
        (
            "# TYPE queue_jobs_total unknown",
            "# TYPE queue_jobs_total untyped",
            "no such type",
        ),
    ] {
        assert!(OPEN.contains(from));
        let error = open_metrics(&OPEN.replacen(from, to, 1)).unwrap_err();
        let found = error.reason.contains(reason) || to.contains("#  HELP");
        assert!(found, "{to:?}: {error}");
    }
    let mixed = "# HELP h H.\n# TYPE h histogram\nh_bucket{a=\"1\",le=\"+Inf\"} 0\n\
                 h_bucket{a=\"2\",le=\"+Inf\"} 0\nh_count{a=\"1\"} 0\nh_sum{a=\"1\"} 0\n\
                 h_count{a=\"2\"} 0\nh_sum{a=\"2\"} 0\n";
    assert!(text(mixed).is_ok());
    let error = open_metrics(&format!("{mixed}# EOF\n")).unwrap_err();
    assert!(error.reason.contains("mixed with others"));
}

proptest! {
    #[test]
    fn any_label_value_and_help_come_back(value in r#"["\\\n,={}# né]{0,12}"#, number: f64) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
        let quoted = escape(&value).replace('"', "\\\"");
        let help = escape(&value);
        let number = if number.is_nan() { "NaN".into() } else { number.to_string() };
        let number = number.replace("inf", "Inf").replacen("Inf", "+Inf", 1).replace("-+", "-");
        let page = |help: &str| format!("# HELP a {help}\n# TYPE a gauge\na{{l=\"{quoted}\"}} {number}\n");
        for scrape in [
            text(&page(&help)).unwrap(),
            open_metrics(&format!("{}# EOF\n", page(&quoted))).unwrap(),
        ] {
            // The text format does not preserve blanks before a help text.
            let help = &scrape.family("a").unwrap().help;
            prop_assert_eq!(help.trim_start_matches(' '), value.trim_start_matches(' '));
            prop_assert_eq!(scrape.samples("a", &[("l", &value)]).count(), 1);
        }
    }

    #[test]
    fn never_panics(page in r#"([#a{}="\\, 1.e+\t\n-]|HELP|TYPE|UNIT|EOF|le|NaN|Inf|gauge|é){0,60}"#) {
        let _ = text(&page);
        let _ = open_metrics(&page);
    }
}
