//! The machine, without which no figure says anything.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use vigie_testkit::node::demo_directory;
use vigie_testkit::sid;
use vigie_testkit::tools::{CHROMIUM, HAPROXY, NGINX, NODE, PROMETHEUS, REDIS_SERVER, Tool, WRK};

use crate::report::{Table, heading};

pub(crate) fn describe() {
    heading("The machine");
    let mut table = Table::new(["what", "which"]);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = Tool {
        program: "rustc",
        package: "rustc",
        major: None,
    };
    for (what, which) in [
        ("processor", after_colon("/proc/cpuinfo", "model name")),
        ("cores", Some(cores.to_string())),
        ("memory", memory()),
        ("kernel", line("/proc/sys/kernel/osrelease")),
        ("load before", line("/proc/loadavg")),
        ("rustc", said(rustc, "--version")),
        ("nginx", said(NGINX, "-v")),
        ("haproxy", said(HAPROXY, "-v")),
        ("wrk", said(WRK, "-v")),
        ("redis", said(REDIS_SERVER, "--version")),
        ("prometheus", said(PROMETHEUS, "--version")),
        ("prometheus, newer", said_by(sid::PROMETHEUS, "--version")),
        (
            "victoria-metrics",
            said_by(sid::VICTORIA_METRICS, "--version"),
        ),
        ("node", said(NODE, "--version")),
        ("chromium", said(CHROMIUM, "--version")),
        ("bullmq", bullmq(&demo_directory())),
    ] {
        let which = which.unwrap_or_else(|| "not found".into());
        table.row([what.into(), which]);
    }
    table.print();
}

fn line(path: &str) -> Option<String> {
    Some(read_to_string(path).ok()?.trim().to_owned())
}

fn after_colon(path: &str, name: &str) -> Option<String> {
    let text = read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().to_owned())
}

fn memory() -> Option<String> {
    let total = after_colon("/proc/meminfo", "MemTotal")?;
    let kib: f64 = total.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.1} GiB", kib / 1_048_576.0))
}

/// The first line of what a program says of its version; some say it on standard error.
fn said(tool: Tool, option: &str) -> Option<String> {
    version(&tool.find().ok()?, option)
}

fn said_by(program: sid::Program, option: &str) -> Option<String> {
    version(&program.find().ok()?, option)
}

fn version(program: &Path, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let first = text.lines().next()?;
    // wrk, Redis and Prometheus go on with how they were built.
    let end = [" Copyright", " sha=", " (branch"];
    let end = end.into_iter().find_map(|what| first.find(what));
    Some(first[..end.unwrap_or(first.len())].trim().to_owned())
}

fn bullmq(demo: &Path) -> Option<String> {
    let manifest = read_to_string(demo.join("node_modules/bullmq/package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).ok()?;
    Some(manifest["version"].as_str()?.to_owned())
}
