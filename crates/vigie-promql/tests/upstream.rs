//! The engine passes Prometheus' own scripts, which are read in place: they are not part of this repository.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use vigie_promql::script::run;
use vigie_testkit::conformance::{self, Test};

/// The scripts: file, number of queries. All of them pass.
const UPSTREAM: &[(&str, usize)] = &[
    ("aggregators.test", 160),
    ("collision.test", 2),
    ("duration_expression.test", 59),
    ("functions.test", 431),
    ("histograms.test", 185),
    ("limit.test", 37),
    ("literals.test", 25),
    ("native_histograms.test", 522),
    ("operators.test", 214),
    ("range_queries.test", 18),
    ("selectors.test", 31),
    ("staleness.test", 17),
];

fn main() -> ExitCode {
    let scripts = conformance::data("promqltest", "PROMQLTEST");
    let tests = UPSTREAM.iter().map(|&(file, queries)| -> Test<'static> {
        let test = move |directory: &Path| passes(&directory.join(file), queries);
        (file.to_owned(), Box::new(test))
    });
    conformance::run(scripts, true, tests.collect())
}

/// Every query of the script passes, and there are at least as many as expected.
fn passes(script: &Path, queries: usize) {
    let text = fs::read_to_string(script).expect("the script is readable");
    let report = run(&text);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let failed: Vec<_> = report
        .verdicts
        .iter()
        .filter_map(|verdict| Some((verdict.line, &verdict.query, verdict.failure.as_ref()?)))
        .map(|(line, query, failure)| {
            format!(
                "line {line}: {query}\n  {}: {}",
                failure.run, failure.reason
            )
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let found = report.verdicts.len();
    assert!(found >= queries, "{found} of {queries} queries");
}
