//! The 17 rules of Grafana's dashboard-linter (grafana/dashboard-linter, `docs/rules`), reimplemented. These also
//! check kinds of panels that the original skips.

mod exceptions;
mod panels;
mod slips;
mod targets;
mod templates;
mod units;

use crate::model::Dashboard;
use exceptions::EXCEPTIONS;

/// The findings of a rule: the title of a panel or the name of a variable, and the problem.
type Findings = Vec<(String, String)>;

/// A rule by its name.
type Rule = (&'static str, fn(&Dashboard) -> Findings);

const RULES: [Rule; 17] = [
    ("template-datasource", templates::datasource),
    ("template-job", templates::job),
    ("template-instance", templates::instance),
    ("template-label-promql", templates::label_promql),
    (
        "template-on-time-change-reload",
        templates::on_time_change_reload,
    ),
    ("panel-datasource", panels::datasource),
    ("panel-title-description", panels::title_description),
    ("panel-units", panels::units),
    ("panel-no-targets", panels::no_targets),
    ("target-logql", targets::logql),
    ("target-logql-auto", targets::logql_auto),
    ("target-promql", targets::promql),
    ("target-rate-interval", targets::rate_interval),
    ("target-job", targets::job),
    ("target-instance", targets::instance),
    ("target-counter-agg", targets::counter_agg),
    ("uneditable-dashboard", templates::uneditable),
];

#[test]
fn no_finding_without_an_exception() {
    for dashboard in Dashboard::sources() {
        for (rule, check) in RULES {
            for (place, what) in check(&dashboard) {
                let excepted = EXCEPTIONS
                    .iter()
                    .any(|exception| exception.covers(rule, &dashboard, &place));
                assert!(excepted, "{}: {rule}: {place}: {what}", dashboard.file);
            }
        }
    }
}

#[test]
fn no_exception_without_a_finding() {
    for exception in EXCEPTIONS {
        let dashboard = Dashboard::open(exception.file);
        let (_, check) = RULES
            .iter()
            .find(|(rule, _)| *rule == exception.rule)
            .unwrap();
        let found: Vec<_> = check(&dashboard)
            .into_iter()
            .map(|(place, _)| place)
            .collect();
        for place in exception.places {
            let needed = found.iter().any(|found| found == place);
            assert!(
                needed,
                "{}: {}: {place:?} needs no exception",
                exception.file, exception.rule
            );
        }
    }
}
