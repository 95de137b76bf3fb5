//! Runs Prometheus' test scripts: `cargo run --release -p vigie-promql --example promqltest -- DIR`.
//!
//! Prints, for each file, the passed and total numbers of float-only queries and of all other queries, followed by the
//! failures.
#![allow(clippy::print_stderr)]

use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf, process::ExitCode};

use vigie_promql::script::{Class, Report, run};

fn main() -> ExitCode {
    let Some(dir) = std::env::args().nth(1) else {
        eprintln!("usage: promqltest DIR");
        return ExitCode::from(2);
    };
    match scripts(&dir) {
        Ok(paths) if !paths.is_empty() => report(&paths),
        Ok(_) => {
            eprintln!("{dir}: no *.test files");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{dir}: {error}");
            ExitCode::from(2)
        }
    }
}

fn scripts(dir: &str) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|kind| kind == "test"));
    let mut scripts: Vec<PathBuf> = scripts.collect();
    scripts.sort();
    Ok(scripts)
}

fn report(paths: &[PathBuf]) -> ExitCode {
    let mut reports = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        let report = text.and_then(|text| run(&text).map_err(|error| error.to_string()));
        match report {
            Ok(report) => reports.push((path.display().to_string(), report)),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::from(2);
            }
        }
    }
    let all: Vec<_> = reports
        .iter()
        .flat_map(|(_, report)| report.verdicts.clone())
        .collect();
    let all = Report { verdicts: all };
    // Ignore write errors: the reader of a pipe may close it early.
    let text = table(&reports, &all) + &failures(&reports);
    let _ = std::io::stdout().write_all(text.as_bytes());
    let (passed, of) = all.of(Class::Float);
    ExitCode::from(u8::from(passed < of))
}

fn table(reports: &[(String, Report)], all: &Report) -> String {
    let mut text = String::new();
    let names = reports
        .iter()
        .map(|(path, report)| (path.rsplit('/').next().unwrap_or(path), report));
    for (name, report) in names.chain([("total", all)]) {
        let (passed, of) = (report.passed(), report.verdicts.len());
        let _ = writeln!(text, "{name} {passed}/{of}{}", classes(report));
    }
    text
}

fn failures(reports: &[(String, Report)]) -> String {
    let mut text = String::new();
    for (path, report) in reports {
        for verdict in &report.verdicts {
            let Some(failure) = &verdict.failure else {
                continue;
            };
            let (line, class, query) = (verdict.line, verdict.class.described(), &verdict.query);
            let (run, reason) = (&failure.run, &failure.reason);
            let _ = writeln!(text, "\n{path}:{line} [{class}] {query}\n  {run}: {reason}");
        }
    }
    text
}

fn classes(report: &Report) -> String {
    let classes = [Class::Float, Class::NativeHistograms, Class::FeatureFlagged];
    let classes = classes.map(|class| {
        let (passed, of) = report.of(class);
        format!("{} {passed}/{of}", class.described())
    });
    format!("  ({})", classes.join(", "))
}
