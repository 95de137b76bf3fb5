//! The engine passes the project's own scripts.

use std::{collections::BTreeSet, fs, path::Path};

use vigie_promql::{
    Engine, Expr, Features, NameRemoval, parse_with,
    script::{Class, Report, run, run_with},
    syntax::{Aggregate, AggregateOp, Call, Function, Visitor, walk},
};

fn scripts(dir: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let scripts = entries.filter(|path| path.extension().is_some_and(|kind| kind == "test"));
    let mut scripts: Vec<_> = scripts
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    scripts.sort();
    scripts
}

fn failures(name: &str, report: &Report, class: Class) -> Vec<String> {
    let verdicts = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.class == class);
    let failed = verdicts.filter_map(|verdict| {
        let failure = verdict.failure.as_ref()?;
        let (line, query) = (verdict.line, &verdict.query);
        let (run, reason) = (&failure.run, &failure.reason);
        Some(format!("{name}:{line} {query}\n  {run}: {reason}"))
    });
    failed.collect()
}

fn own() -> Vec<(String, String)> {
    scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"))
}

#[test]
fn the_suite_of_the_project_passes() {
    for (name, text) in own() {
        let report = run(&text);
        assert!(report.errors.is_empty(), "{name}: {:?}", report.errors);
        let failed = failures(&name, &report, Class::Float);
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        assert_eq!(report.passed(), report.verdicts.len());
    }
}

/// With immediate name removal only a few queries differ: those that read a name after its removal, and texts that
/// contain it.
#[test]
fn the_suite_passes_with_names_removed_at_once() {
    let differ = [
        "label_replace(abs(m), \"was\"",
        "sum by (__name__) (abs(m))",
        "histogram_quantile(0.5, label_replace(",
        "histogram_quantile(0.9, n_bucket)",
    ];
    let engine = Engine {
        name_removal: NameRemoval::Immediate,
        ..Engine::default()
    };
    for (name, text) in own() {
        let report = run_with(&engine, &text);
        let failed = failures(&name, &report, Class::Float);
        let known = |failure: &String| differ.iter().any(|query| failure.contains(query));
        let unknown: Vec<_> = failed.iter().filter(|failure| !known(failure)).collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }
}

#[test]
fn the_suite_of_the_project_uses_every_function() {
    #[derive(Default)]
    struct Used(BTreeSet<&'static str>);
    impl<'a> Visitor<'a> for Used {
        fn call(&mut self, call: &'a Call, _: &[&'a Expr]) {
            self.0.insert(call.function.name());
        }
        fn aggregate(&mut self, aggregate: &'a Aggregate, _: &[&'a Expr]) {
            self.0.insert(aggregate.op.text());
        }
    }
    let mut used = Used::default();
    for (_, text) in own() {
        for verdict in run(&text).verdicts {
            if let Ok(expr) = parse_with(&verdict.query, Features::Experimental) {
                walk(&expr, &mut used);
            }
        }
    }
    let functions = Function::ALL.iter().map(|function| function.name());
    let aggregations = [
        AggregateOp::Sum,
        AggregateOp::Avg,
        AggregateOp::Count,
        AggregateOp::Min,
        AggregateOp::Max,
        AggregateOp::Group,
        AggregateOp::Stddev,
        AggregateOp::Stdvar,
        AggregateOp::Topk,
        AggregateOp::Bottomk,
        AggregateOp::CountValues,
        AggregateOp::Quantile,
        AggregateOp::Limitk,
        AggregateOp::LimitRatio,
    ];
    let all = functions.chain(aggregations.iter().map(|op| op.text()));
    let unused: Vec<_> = all.filter(|name| !used.0.contains(name)).collect();
    assert!(unused.is_empty(), "no script uses {unused:?}");
}
