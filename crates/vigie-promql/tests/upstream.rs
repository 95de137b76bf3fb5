//! The engine passes Prometheus' own scripts, which are read in place: they are not part of this repository.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use vigie_promql::script::{Class, run};
use vigie_testkit::conformance::{self, Test};

/// The scripts: file, number of float-only queries, number of other queries that pass.
const UPSTREAM: &[(&str, usize, usize)] = &[
    ("aggregators.test", 124, 0),
    ("collision.test", 2, 0),
    ("duration_expression.test", 59, 0),
    ("functions.test", 251, 53),
    ("histograms.test", 83, 0),
    ("limit.test", 0, 0),
    ("literals.test", 25, 0),
    ("native_histograms.test", 3, 0),
    ("operators.test", 142, 3),
    ("range_queries.test", 14, 1),
    ("selectors.test", 31, 0),
    ("staleness.test", 17, 0),
];

fn main() -> ExitCode {
    let scripts = conformance::data("promqltest", "PROMQLTEST");
    let tests = UPSTREAM
        .iter()
        .map(|&(file, floats, others)| -> Test<'static> {
            let test = move |directory: &Path| passes(&directory.join(file), floats, others);
            (file.to_owned(), Box::new(test))
        });
    conformance::run(scripts, true, tests.collect())
}

/// Every float-only query of the script passes, and at least `others` of the rest.
fn passes(script: &Path, floats: usize, others: usize) {
    let text = fs::read_to_string(script).expect("the script is readable");
    let report = run(&text).expect("the script is well formed");
    let failed: Vec<_> = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.class == Class::Float)
        .filter_map(|verdict| Some((verdict.line, &verdict.query, verdict.failure.as_ref()?)))
        .map(|(line, query, failure)| {
            format!(
                "line {line}: {query}\n  {}: {}",
                failure.run, failure.reason
            )
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let (passed, _) = report.of(Class::Float);
    assert!(passed >= floats, "{passed} of {floats} queries of floats");
    let rest = report.passed() - passed;
    assert!(rest >= others, "{rest} of {others} other queries");
}
