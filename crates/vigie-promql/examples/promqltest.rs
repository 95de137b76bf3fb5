//! Runs Prometheus' test scripts: `cargo run --release -p vigie-promql --example promqltest -- DIR`.
//!
//! Prints, for each file, the passed and total numbers of float-only queries and of all other queries, followed by the
//! parts of scripts that could not be read, and the failures.
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
        match fs::read_to_string(path) {
            Ok(text) => reports.push((path.display().to_string(), run(&text))),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
    let mut all = Report::default();
    for (_, report) in &reports {
        all.verdicts.extend(report.verdicts.iter().cloned());
        all.errors.extend(report.errors.iter().cloned());
    }
    // Ignore write errors: the reader of a pipe may close it early.
    let text = table(&reports, &all) + &failures(&reports);
    let _ = std::io::stdout().write_all(text.as_bytes());
    let (passed, of) = all.of(Class::Float);
    let unread = reports.len() < paths.len() || !all.errors.is_empty();
    ExitCode::from(u8::from(passed < of || unread))
}

fn table(reports: &[(String, Report)], all: &Report) -> String {
    let mut text = String::new();
    let names = reports
        .iter()
        .map(|(path, report)| (path.rsplit('/').next().unwrap_or(path), report));
    for (name, report) in names.chain([("total", all)]) {
        let (passed, of) = (report.passed(), report.verdicts.len());
        let unread = match report.errors.len() {
            0 => String::new(),
            unread => format!(", {unread} parts not read"),
        };
        let _ = writeln!(text, "{name} {passed}/{of}{}{unread}", classes(report));
    }
    text
}

fn failures(reports: &[(String, Report)]) -> String {
    let mut text = String::new();
    for (path, report) in reports {
        for error in &report.errors {
            let _ = writeln!(text, "\n{path}: {error}");
        }
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
