//! `cargo xtask fuzz`: builds all targets of `fuzz/` with coverage instrumentation and runs each for some time.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};

use crate::cargo::{cargo, root};
use crate::say::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long to run each target
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Only build the targets
    #[arg(long)]
    build: bool,
    /// Run only this target
    #[arg(long)]
    target: Option<String>,
    /// The memory limit of a target, in MiB
    #[arg(long, default_value_t = 1024)]
    memory: u64,
}

/// The instrumentation for libFuzzer (clang, SanitizerCoverage), available in the stable compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1 --cfg fuzzing";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut targets = targets()?;
    if let Some(only) = &arguments.target {
        targets.retain(|target| target == only);
        ensure!(!targets.is_empty(), "fuzz/targets has no target {only}");
    }
    let directory = root().join("target/fuzz");
    let status = cargo()
        .args(["build", "--release", "--locked", "--bins"])
        // With an explicit target, build scripts and macros are not instrumented.
        .args(["--target", HOST, "--manifest-path", "fuzz/Cargo.toml"])
        .arg("--target-dir")
        .arg(&directory)
        .env("RUSTFLAGS", COVERAGE)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the fuzz targets do not build");
    if arguments.build {
        return Ok(ExitCode::SUCCESS);
    }
    let mut failed = Vec::new();
    for target in targets {
        say(&format!("fuzzing {target} for {} min", arguments.minutes));
        let corpus = directory.join("corpus").join(&target);
        std::fs::create_dir_all(&corpus)?;
        let status = Command::new(directory.join(HOST).join("release").join(&target))
            .arg(format!("-max_total_time={}", arguments.minutes * 60))
            .arg(format!("-rss_limit_mb={}", arguments.memory))
            .args(["-timeout=30", "-print_final_stats=1"])
            .arg(format!(
                "-artifact_prefix={}/{target}-",
                directory.display()
            ))
            .arg(corpus)
            .status()
            .with_context(|| format!("cannot start {target}"))?;
        if !status.success() {
            failed.push(target);
        }
    }
    ensure!(
        failed.is_empty(),
        "{} found a fault; the input is in {}",
        failed.join(", "),
        directory.display()
    );
    Ok(ExitCode::SUCCESS)
}

const HOST: &str = env!("VIGIE_HOST");

/// The names of all targets: the files of `fuzz/targets`.
fn targets() -> anyhow::Result<Vec<String>> {
    let files = std::fs::read_dir(root().join("fuzz/targets"))?;
    let paths: Vec<PathBuf> = files
        .map(|file| Ok(file?.path()))
        .collect::<std::io::Result<_>>()?;
    let stems = paths.iter().filter_map(|path| path.file_stem()?.to_str());
    let mut names: Vec<_> = stems.map(str::to_owned).collect();
    names.sort_unstable();
    Ok(names)
}
