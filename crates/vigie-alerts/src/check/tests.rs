use super::*;
use crate::load;

fn metric(kind: Kind, labels: &[&str], buckets: &[f64]) -> Metric {
    Metric {
        kind,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        buckets: buckets.to_vec(),
        states: None,
    }
}

fn known() -> Known {
    let mut known = Known::default();
    let buckets = [0.5, 1.0, 2.5];
    known.add(
        "request_seconds",
        metric(Kind::Histogram, &["route", "code"], &buckets),
    );
    known.add(
        "errors_total",
        metric(Kind::Counter, &["route", "code"], &[]),
    );
    known.add("workers", metric(Kind::Gauge, &["queue"], &[]));
    known.add("connections", metric(Kind::Gauge, &[], &[]));
    known.add(
        "jobs_total",
        Metric {
            states: Some(States {
                label: "state".to_owned(),
                counts: vec!["completed".to_owned(), "failed".to_owned()],
                levels: vec!["waiting".to_owned(), "active".to_owned()],
            }),
            ..metric(Kind::Untyped, &["queue", "state"], &[])
        },
    );
    known
}

/// The title of each finding of an alert, and the text it refers to.
fn found(expr: &str, summary: &str) -> Vec<(String, String)> {
    let text = format!(
        "groups:\n  - name: g\n    rules:\n      - record: recorded:p95\n        expr: histogram_quantile(0.95, sum by (le, route) (rate(request_seconds_bucket[5m])))\n      - record: recorded:errors\n        expr: sum by (route) (rate(errors_total[5m]))\n        labels: {{team: core}}\n      - alert: A\n        expr: |-\n          {expr}\n        annotations:\n          summary: |-\n            {summary}\n"
    );
    let loaded = load(&text);
    assert_eq!(loaded.findings, [], "{text}");
    let findings = check(&loaded.rules, &known()).into_iter();
    findings
        .map(|finding| (finding.title, text[finding.span].to_owned()))
        .collect()
}

#[test]
fn correct_rules_have_no_findings() {
    for expr in [
        "sum(rate(errors_total[5m])) > 5",
        "sum by (route, instance) (rate(errors_total{code=~\"5..\", namespace=\"prod\"}[5m])) > 5",
        "jobs_total{state=\"waiting\"} > 500",
        "rate(jobs_total{state=\"failed\"}[5m]) > 5",
        "increase(jobs_total{state=~\"failed|completed\"}[5m]) > 5",
        "rate(jobs_total{state!=\"waiting\", state!=\"active\"}[5m]) > 5",
        "histogram_quantile(0.95, sum(rate(request_seconds_bucket[5m])) by (le)) > 1",
        "1 < histogram_quantile(0.95, sum by (le, route) (rate(request_seconds_bucket[5m])))",
        "histogram_quantile(0.95, rate(request_seconds_bucket[5m])) * 1000 >= 2500",
        "1 / histogram_quantile(0.95, rate(request_seconds_bucket[5m])) > 0.7",
        "1000 * histogram_quantile(0.95, rate(request_seconds_bucket[5m])) > 500",
        "max by (route) (recorded:p95) > 0.5",
        "rate(request_seconds_sum[5m]) / rate(request_seconds_count[5m]) > 0.7",
        "rate(request_seconds_bucket{le=\"0.5\"}[5m]) / ignoring(le) rate(request_seconds_count[5m]) < 0.9",
        "rate(errors_total[5m]) / ignoring(code) group_left sum without (code) (rate(errors_total[5m])) > 1",
        "recorded:errors{team=\"core\"} > 1",
        "up == 0 or absent(up{job=\"x\"}) or scrape_duration_seconds > 1 or ALERTS{alertname=\"A\"} == 1",
        "label_replace(workers, \"kind\", \"$1\", \"queue\", \"(.*)\") > 0",
        "sum by (kind) (label_replace(workers, \"kind\", \"$1\", \"queue\", \"(.*)\")) > 0",
        "sum by (n) (count_values(\"n\", workers)) > 0",
        "{__name__=~\"any.*\", x=\"y\"} > 0",
        "delta(workers[5m]) < 0 and deriv(workers[1h] offset -5m) < 0",
        "max_over_time(rate(errors_total[5m])[1h:1m]) > 1",
        "rate(errors_total[5m:1m]) > 1",
        "vector(1) and vector(time()) > 0",
        "topk(3, workers) > 0",
    ] {
        assert_eq!(found(expr, "x"), [], "{expr}");
    }
}

#[test]
fn names_that_do_not_exist() {
    for (expr, title, at) in [
        (
            "eror_total > 1",
            "unknown metric `eror_total`",
            "eror_total",
        ),
        (
            "sum(rate(errors_totl[5m])) > 1",
            "unknown metric `errors_totl`",
            "errors_totl",
        ),
        (
            "request_seconds > 1",
            "unknown metric `request_seconds`",
            "request_seconds",
        ),
        (
            "workers_bucket > 1",
            "unknown metric `workers_bucket`",
            "workers_bucket",
        ),
        (
            "errors_total{rout=\"/\"} > 1",
            "unknown label `rout`",
            "rout=\"/\"",
        ),
        (
            "sum by (rout) (errors_total) > 1",
            "unknown label `rout`",
            "rout",
        ),
        (
            "sum without (cod) (errors_total) > 1",
            "unknown label `cod`",
            "cod",
        ),
        (
            "sum by (route) (sum by (code) (errors_total)) > 1",
            "unknown label `route`",
            "route",
        ),
        (
            "workers + on(queu) connections > 1",
            "unknown label `queu`",
            "queu",
        ),
        (
            "workers * on(queue) group_left(stat) jobs_total > 1",
            "unknown label `stat`",
            "stat",
        ),
        (
            "recorded:errors{code=\"500\"} > 1",
            "unknown label `code`",
            "code=\"500\"",
        ),
        (
            "jobs_total{state=\"wating\"} > 1",
            "`state` is never \"wating\"",
            "state=\"wating\"",
        ),
        (
            "jobs_total{state=~\"wait\"} > 1",
            "`state` is never \"wait\"",
            "state=~\"wait\"",
        ),
        (
            "request_seconds_bucket{le=\"0.7\"} > 1",
            "`request_seconds` has no bucket \"0.7\"",
            "le=\"0.7\"",
        ),
    ] {
        let expected = [(title.to_owned(), at.to_owned())];
        assert_eq!(found(expr, "x"), expected, "{expr}");
    }
}

#[test]
fn rates_of_gauges() {
    for (expr, title, at) in [
        (
            "rate(workers[5m]) > 1",
            "rate() over `workers`, which is not a counter",
            "workers",
        ),
        (
            "increase(up[5m]) > 1",
            "increase() over `up`, which is not a counter",
            "up",
        ),
        (
            "irate((connections[5m])) > 1",
            "irate() over `connections`, which is not a counter",
            "connections",
        ),
        (
            "rate(workers[5m:1m]) > 1",
            "rate() over `workers`, which is not a counter",
            "workers",
        ),
        (
            "rate(recorded:errors[5m]) > 1",
            "rate() over `recorded:errors`, which is not a counter",
            "recorded:errors",
        ),
        (
            "rate(jobs_total[5m]) > 1",
            "rate() over `jobs_total`, which is not a counter",
            "jobs_total",
        ),
        (
            "rate(jobs_total{state=\"waiting\"}[5m]) > 1",
            "rate() over `jobs_total`, which is not a counter",
            "jobs_total{state=\"waiting\"}",
        ),
        (
            "rate(jobs_total{state!=\"active\"}[5m]) > 1",
            "rate() over `jobs_total`, which is not a counter",
            "jobs_total{state!=\"active\"}",
        ),
        (
            "rate(sum(errors_total)[5m:1m]) > 1",
            "rate() over computed values",
            "sum(errors_total)",
        ),
    ] {
        let expected = [(title.to_owned(), at.to_owned())];
        assert_eq!(found(expr, "x"), expected, "{expr}");
    }
}

#[test]
fn thresholds_between_bounds() {
    let quantile = "histogram_quantile(0.95, sum(rate(request_seconds_bucket[5m])) by (le))";
    for (expr, title, at) in [
        (
            format!("{quantile} > 1.5"),
            "1.5 is not a bucket boundary of `request_seconds`",
            "1.5",
        ),
        (
            format!("{quantile} > 0.1"),
            "0.1 is not a bucket boundary of `request_seconds`",
            "0.1",
        ),
        (
            format!("0.7 < {quantile}"),
            "0.7 is not a bucket boundary of `request_seconds`",
            "0.7",
        ),
        (
            format!("({quantile}) * 1000 > 700"),
            "0.7 is not a bucket boundary of `request_seconds`",
            "700",
        ),
        (
            format!("{quantile} > 2.5"),
            "a quantile of `request_seconds` never exceeds 2.5",
            "2.5",
        ),
        (
            format!("{quantile} > 10"),
            "a quantile of `request_seconds` never exceeds 2.5",
            "10",
        ),
        (
            format!("{quantile} < 10"),
            "10 is not a bucket boundary of `request_seconds`",
            "10",
        ),
        (
            format!("1000 * {quantile} > 700"),
            "0.7 is not a bucket boundary of `request_seconds`",
            "700",
        ),
        (
            "max(recorded:p95) > 3 / 2".to_owned(),
            "1.5 is not a bucket boundary of `request_seconds`",
            "3 / 2",
        ),
    ] {
        let expected = [(title.to_owned(), at.to_owned())];
        assert_eq!(found(&expr, "x"), expected, "{expr}");
    }
}

#[test]
fn syntax_newer_than_prometheus_2_42() {
    for (expr, what, at) in [
        (
            "rate(errors_total[300]) > 1",
            "a duration without a unit",
            "300",
        ),
        (
            "errors_total offset 300 > 1",
            "a duration without a unit",
            "300",
        ),
        (
            "rate(errors_total[5m + 1m]) > 1",
            "a computed duration",
            "5m + 1m",
        ),
        (
            "errors_total offset (5m) > 1",
            "a computed duration",
            "(5m)",
        ),
        (
            "first_over_time(workers[5m]) > 1",
            "first_over_time()",
            "first_over_time",
        ),
        (
            "histogram_avg(workers) > 1",
            "histogram_avg()",
            "histogram_avg",
        ),
        (
            "histogram_stddev(workers) > 1",
            "histogram_stddev()",
            "histogram_stddev",
        ),
        (
            "histogram_stdvar(workers) > 1",
            "histogram_stdvar()",
            "histogram_stdvar",
        ),
        ("{\"workers\"} > 1", "a name in quotes", "\"workers\""),
        (
            "workers{\"queue\"=\"a\"} > 1",
            "a name in quotes",
            "\"queue\"=\"a\"",
        ),
        (
            "sum by (\"queue\") (workers) > 1",
            "a name in quotes",
            "\"queue\"",
        ),
        (
            r#"workers{queue=~"(?<a>b)"} > 1"#,
            "`(?<name>…)` in a regular expression",
            r#"queue=~"(?<a>b)""#,
        ),
        (
            r#"workers{queue!~"\\Qa.b"} > 1"#,
            r"`\Q` without `\E` in a regular expression",
            r#"queue!~"\\Qa.b""#,
        ),
        (
            r#"workers{queue=~"\\p{LC}"} > 1"#,
            "a newer class of Unicode in a regular expression",
            r#"queue=~"\\p{LC}""#,
        ),
        ("workers > 5m", "a duration as a number", "5m"),
        ("workers > 1_000", "a number with `_`", "1_000"),
    ] {
        let expected = [(format!("{what} needs a newer Prometheus"), at.to_owned())];
        assert_eq!(found(expr, "x"), expected, "{expr}");
    }
}

#[test]
fn keys_newer_than_prometheus_2_42() {
    let text = "groups: [{name: a, query_offset: 1m, labels: {team: core}}]";
    let loaded = load(text);
    assert_eq!(loaded.findings, []);
    let findings = check(&loaded.rules, &Known::default());
    let found: Vec<_> = findings
        .iter()
        .map(|one| (&*one.title, &text[one.span.clone()]))
        .collect();
    assert_eq!(
        found,
        [
            (
                "`query_offset` in a group needs a newer Prometheus",
                "query_offset"
            ),
            ("`labels` in a group needs a newer Prometheus", "labels"),
        ]
    );
}

#[test]
fn results_of_the_wrong_type() {
    for (expr, title) in [
        ("workers[5m]", "the result is a range vector"),
        ("\"text\"", "the result is a string"),
    ] {
        let expected = [(title.to_owned(), expr.to_owned())];
        assert_eq!(found(expr, "x"), expected, "{expr}");
    }
}

#[test]
fn correct_templates() {
    for summary in [
        "{{ $value | humanize }} {{ $labels.queue }} {{ .Labels.queue }} {{ $.Labels.queue }} {{ .Value }}",
        "{{ with $labels.instance }}{{ . }}{{ end }} {{ $externalLabels.anything }} {{ .ExternalURL }}",
        "{{ range query \"topk(3, workers)\" }}{{ .Labels.queue }} {{ .Value | humanize }}{{ end }}",
        "{{ range $i, $s := query \"workers\" | sortByLabel \"queue\" }}{{ $s.Labels.queue }}{{ end }}",
        "{{ range $s := query \"workers\" }}{{ $s.Labels.queue }}{{ end }}",
        "{{ with query \"workers\" }}{{ . | first | value | printf \"%.1f\" }}{{ end }}",
        "{{ (query \"workers\" | first).Labels.queue }}",
        "{{ query (printf \"workers{queue='%s'}\" $labels.queue) | first | value }}",
        "{{ define \"x\" }}{{ .Anything }}{{ end }}{{ template \"x\" . }}",
        "{{ if gt $value 5.0 }}a{{ else if and true $labels.queue }}b{{ end }}",
        "{{ index $labels \"queue\" }}",
    ] {
        assert_eq!(found("workers > 1", summary), [], "{summary}");
    }
}

#[test]
fn templates_with_unknown_values() {
    for (expr, summary, title, at) in [
        (
            "workers > 1",
            "{{ $labels.queu }}",
            "unknown label `queu`",
            "queu",
        ),
        (
            "sum(workers) > 1",
            "{{ $labels.queue }}",
            "unknown label `queue`",
            "queue",
        ),
        (
            "sum by (queue) (workers) > 1",
            "{{ $labels.instance }}",
            "unknown label `instance`",
            "instance",
        ),
        (
            "workers > 1",
            "{{ .Labels.stat }}",
            "unknown label `stat`",
            "stat",
        ),
        (
            "workers > 1",
            "{{ $.Lables.queue }}",
            "unknown field `.Lables`",
            "Lables",
        ),
        (
            "workers > 1",
            "{{ .Vaule }}",
            "unknown field `.Vaule`",
            "Vaule",
        ),
        (
            "workers > 1",
            "{{ humanize }}",
            "`humanize` with 0 arguments",
            "humanize",
        ),
        (
            "workers > 1",
            "{{ $value | humanize 1 }}",
            "`humanize` with 2 arguments",
            "humanize",
        ),
        (
            "workers > 1",
            "{{ $value | reReplaceAll \"a\" }}",
            "`reReplaceAll` with 2 arguments",
            "reReplaceAll",
        ),
        ("workers > 1", "{{ eq 1 }}", "`eq` with 1 arguments", "eq"),
        (
            "workers > 1",
            "{{ $value 1 }}",
            "a value with arguments",
            "$value",
        ),
        (
            "workers > 1",
            "{{ $value | toDuration }}",
            "`toDuration` needs a newer Prometheus",
            "toDuration",
        ),
        (
            "workers > 1",
            "{{ query \"wrkers\" }}",
            "unknown metric `wrkers`",
            "wrkers",
        ),
        (
            "workers > 1",
            "{{ query \"sum(\" }}",
            "this is not PromQL",
            "",
        ),
        (
            "workers > 1",
            "{{ query `rate(workers[5m])` }}",
            "rate() over `workers`, which is not a counter",
            "workers",
        ),
        (
            "workers > 1",
            "{{ query \"workers{queu=\\\"a\\\"}\" }}",
            "unknown label `queu`",
            "\"workers{queu=\\\"a\\\"}\"",
        ),
        (
            "workers > 1",
            "{{ range query \"sum(workers)\" }}{{ .Labels.queue }}{{ end }}",
            "unknown label `queue`",
            "queue",
        ),
        (
            "workers > 1",
            "{{ range $i, $s := query \"workers\" }}{{ $s.Lables }}{{ end }}",
            "unknown field `.Lables`",
            "Lables",
        ),
        (
            "workers > 1",
            "{{ (query \"workers\").Value }}",
            "`.Value` of a list",
            "Value",
        ),
    ] {
        let expected = [(title.to_owned(), at.to_owned())];
        assert_eq!(found(expr, summary), expected, "{expr} {summary}");
    }
}

#[test]
fn suggestions() {
    let text = "groups: [{name: g, rules: [{alert: A, expr: 'sum by (cod) (error_total{rout=\"/\"})', annotations: {a: '{{ $labels.cdoe }}'}}]}]";
    let loaded = load(text);
    let findings = check(&loaded.rules, &known());
    let helps: Vec<_> = findings
        .iter()
        .map(|finding| finding.help.as_deref())
        .collect();
    // For an unknown metric only its name is reported.
    assert_eq!(helps, [Some("did you mean `errors_total`?"), None]);
    let text = text.replace("error_total", "errors_total");
    let findings = check(&load(&text).rules, &known());
    let helps: Vec<_> = findings
        .iter()
        .map(|finding| finding.help.as_deref())
        .collect();
    assert_eq!(
        helps,
        [
            Some("did you mean `code`?"),
            Some("did you mean `route`?"),
            None
        ]
    );
}

#[test]
fn recording_rules_of_other_files_are_known() {
    let reads = load("groups: [{name: g, rules: [{alert: A, expr: 'a:b:c > 1'}]}]").rules;
    let records = load("groups: [{name: g, rules: [{record: 'a:b:c', expr: workers}]}]").rules;
    let mut known = known();
    assert_eq!(check(&reads, &known).len(), 1);
    known.learn(&records);
    assert_eq!(check(&reads, &known), []);
}

#[test]
fn removed_labels() {
    for (expr, summary, label) in [
        (
            "sum without (instance) (workers) > 5",
            "{{ $labels.instance }}",
            "instance",
        ),
        (
            "workers > ignoring (instance) connections",
            "{{ $labels.instance }}",
            "instance",
        ),
        (
            "sum(workers) > 5",
            "{{ index $labels \"queue\" }}",
            "\"queue\"",
        ),
        (
            "sum(workers) > 5",
            "{{ index .Labels \"queue\" }}",
            "\"queue\"",
        ),
        (
            "workers > 5",
            "{{ with query \"sum(workers)\" | first }}{{ . | label \"queue\" }}{{ end }}",
            "\"queue\"",
        ),
    ] {
        let title = format!("unknown label `{}`", label.trim_matches('"'));
        assert_eq!(found(expr, summary), [(title, label.to_owned())], "{expr}");
    }
    for (expr, summary) in [
        (
            "sum without (instance) (workers) > 5",
            "{{ $labels.queue }} {{ $labels.job }}",
        ),
        (
            "sum without (instance) (workers) or workers",
            "{{ $labels.instance }}",
        ),
        (
            "label_replace(sum without (instance) (workers), \"instance\", \"x\", \"\", \"\")",
            "{{ $labels.instance }}",
        ),
        (
            "sum by (queue) (workers) > 5",
            "{{ index $labels \"queue\" }}",
        ),
    ] {
        assert_eq!(found(expr, summary), [], "{expr}");
    }
}

#[test]
fn a_removed_label_is_not_named_as_an_accepted_one() {
    for (expr, accepted) in [
        (
            "sum without (instance) (up) > 5",
            "the series have only target labels: job, …",
        ),
        (
            "sum without (instance, job) (up) > 5",
            "the series have only target labels: …",
        ),
        (
            "sum without (instance) (workers) > 5",
            "known labels: queue; and target labels: job, …",
        ),
    ] {
        let text = format!(
            "groups: [{{name: g, rules: [{{alert: A, expr: '{expr}', annotations: {{summary: '{{{{ $labels.instance }}}}'}}}}]}}]"
        );
        let findings = check(&load(&text).rules, &known());
        let labels: Vec<_> = findings.iter().map(|finding| &finding.label).collect();
        assert_eq!(labels, [accepted], "{expr}");
    }
}

/// The titles of the findings of one expression.
fn titles(expr: &str, known: &Known) -> Vec<String> {
    let text = format!("groups: [{{name: g, rules: [{{alert: A, expr: '{expr}'}}]}}]");
    let findings = check(&load(&text).rules, known).into_iter();
    findings.map(|finding| finding.title).collect()
}

#[test]
fn declared_metrics_are_known_by_name() {
    let mut known = known();
    let expr = "node_load1 > 1 and on () http_pool_size{pool=\"a\"} > 1";
    assert_eq!(titles(expr, &known).len(), 2);
    known.declare_metric("http_pool_size");
    known.declare_prefix("node_");
    assert_eq!(titles(expr, &known), [""; 0]);
    assert_eq!(titles("rate(node_load1[5m])", &known), [""; 0]);
    assert_eq!(titles("http_pool_sizes", &known).len(), 1);
    // A declaration does not apply to Vigie's own metrics.
    known.declare_metric("errors_total");
    assert_eq!(titles("errors_total{colour=\"red\"}", &known).len(), 1);
}

#[test]
fn declared_target_labels_are_on_every_series() {
    let mut known = known();
    let expr = "sum by (team) (rate(errors_total{team=\"core\"}[5m])) > 1";
    assert_eq!(titles(expr, &known).len(), 2);
    known.declare_target_label("team");
    assert_eq!(titles(expr, &known), [""; 0]);
}

#[test]
fn metrics_of_another_job_are_not_ours() {
    let known = known();
    for (job, ours) in [
        ("", true),
        ("job=\"vigie\"", true),
        ("job=~\"vigie|api\"", true),
        ("job=\"prod/vigie-exporter\"", true),
        ("job!=\"node\"", true),
        ("job=\"api\"", false),
        ("job=~\"api|web\"", false),
        ("job!=\"vigie\"", false),
        ("job!~\"vigie.*\"", false),
    ] {
        for expr in [
            format!("rate(errors_total{{colour=\"red\",{job}}}[5m]) > 1"),
            format!("sum by (colour) (workers{{{job}}}) > 1"),
            format!("rate(workers{{{job}}}[5m]) > 1"),
            format!("jobs_total{{state=\"lost\",{job}}} > 1"),
            format!("request_seconds_bucket{{le=\"3\",{job}}} > 1"),
            format!("histogram_quantile(0.9, rate(request_seconds_bucket{{{job}}}[5m])) > 3"),
        ] {
            let expr = expr.replace(",}", "}");
            assert_eq!(titles(&expr, &known).is_empty(), !ours, "{expr}");
        }
    }
}
