//! The failures of unit tests, for people.

use std::time::Duration;

use vigie_alerts::unit::{Alert, Failure, Outcome};
use vigie_promql::syntax::format_duration;
use vigie_promql::{Labels, go_general};

/// The most differences of one failure that are shown.
const MOST: usize = 20;

/// The failures of a test. `line` gives the line of a position.
pub(super) fn describe(path: &str, outcome: &Outcome, line: &dyn Fn(usize) -> usize) -> String {
    let mut out = format!("{path}:{}: ", line(outcome.span.start));
    match &outcome.name {
        Some(name) => writeln(&mut out, &format!("test {name:?} failed")),
        None => writeln(&mut out, "a test without name failed"),
    }
    for failure in &outcome.failures {
        describe_failure(failure, line, &mut out);
    }
    out
}

fn describe_failure(failure: &Failure, line: &dyn Fn(usize) -> usize, out: &mut String) {
    match failure {
        Failure::Rule { rule, at, error } => {
            writeln(out, &format!("  rule {rule} at {}: {error}", time(*at)));
        }
        Failure::Alerts {
            span,
            name,
            at,
            missing,
            unexpected,
        } => {
            let line = line(span.start);
            writeln(
                out,
                &format!("  line {line}: alert {name} at {}", time(*at)),
            );
            alerts(missing, unexpected, out);
        }
        Failure::Samples {
            span,
            expr,
            at,
            missing,
            unexpected,
        } => {
            let line = line(span.start);
            writeln(
                out,
                &format!("  line {line}: {} at {}", expr.trim(), time(*at)),
            );
            let lines = |samples: &[(Labels, f64)]| {
                let lines = samples.iter();
                let lines = lines.map(|(labels, value)| format!("{labels} {}", go_general(*value)));
                lines.collect::<Vec<_>>()
            };
            listed("expected", &lines(missing), out);
            listed("found", &lines(unexpected), out);
        }
        Failure::Query {
            span,
            expr,
            at,
            error,
        } => {
            let (line, at) = (line(span.start), time(*at));
            writeln(
                out,
                &format!("  line {line}: {} at {at}: {error}", expr.trim()),
            );
        }
        Failure::TooLong => writeln(
            out,
            "  the latest eval_time needs too many evaluations: use a longer evaluation_interval",
        ),
        Failure::Input { error } => writeln(out, &format!("  an input series: {error}")),
    }
}

/// Alerts with other annotations than expected, then those with other labels.
fn alerts(missing: &[Alert], unexpected: &[Alert], out: &mut String) {
    let mut unexpected: Vec<_> = unexpected.iter().collect();
    let mut absent = Vec::new();
    for alert in missing {
        let same = |found: &&Alert| found.labels == alert.labels;
        let Some(found) = unexpected.iter().position(same) else {
            absent.push(alert);
            continue;
        };
        let found = unexpected.remove(found);
        writeln(out, &format!("    {}", braced(&alert.labels)));
        annotations(&alert.annotations, &found.annotations, out);
    }
    let lines = |alerts: &[&Alert]| {
        let lines = alerts.iter().map(|alert| {
            let annotations = alert.annotations.iter();
            let annotations = annotations.map(|(name, value)| format!("\n      {name}: {value:?}"));
            braced(&alert.labels) + &annotations.collect::<String>()
        });
        lines.collect::<Vec<_>>()
    };
    listed("expected", &lines(&absent), out);
    listed("found", &lines(&unexpected), out);
}

fn annotations(expected: &[(String, String)], found: &[(String, String)], out: &mut String) {
    let names = expected.iter().chain(found).map(|(name, _)| name);
    let names: std::collections::BTreeSet<_> = names.collect();
    let of = |pairs: &[(String, String)], wanted: &String| {
        let mut pairs = pairs.iter();
        let value = pairs.find(|(name, _)| name == wanted);
        value.map_or("nothing".to_owned(), |(_, value)| format!("{value:?}"))
    };
    for name in names {
        let (expected, found) = (of(expected, name), of(found, name));
        if expected != found {
            writeln(out, &format!("      {name}"));
            writeln(out, &format!("        expected  {expected}"));
            writeln(out, &format!("        found     {found}"));
        }
    }
}

fn listed(what: &str, lines: &[String], out: &mut String) {
    for line in lines.iter().take(MOST) {
        writeln(out, &format!("    {what:8}  {line}"));
    }
    if let Some(more) = lines.len().checked_sub(MOST).filter(|more| *more > 0) {
        writeln(out, &format!("    … and {more} more"));
    }
}

fn braced(pairs: &[(String, String)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// A duration as in the file: `1h30m`.
fn time(duration: Duration) -> String {
    format_duration(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

fn writeln(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
