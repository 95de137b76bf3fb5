//! Resources used by the process itself, read from `/proc` at each scrape (proc(5)).

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::metrics;
use vigie_metrics::Registry;

/// The unit of CPU time in `/proc`: ticks a second, fixed in Linux' user interface.
const TICKS_PER_SECOND: f64 = 100.0;
const KIBIBYTE: f64 = 1024.0;

/// Registers `vigie_build_info` and the `process_*` metrics, which are absent without `/proc`.
pub(crate) fn register(registry: &Registry) {
    let build = registry.family(&metrics::BUILD_INFO);
    build.set([env!("CARGO_PKG_VERSION"), env!("VIGIE_RUSTC")], 1.0);

    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let started = started.ok().map(|since| since.as_secs_f64());
    registry.collect(&metrics::PROCESS_START_TIME, move || started);
    registry.collect(&metrics::PROCESS_CPU, cpu_seconds);
    registry.collect(&metrics::PROCESS_RESIDENT_MEMORY, || {
        status("VmRSS:").map(|kib| kib * KIBIBYTE)
    });
    registry.collect(&metrics::PROCESS_VIRTUAL_MEMORY, || {
        status("VmSize:").map(|kib| kib * KIBIBYTE)
    });
    registry.collect(&metrics::PROCESS_THREADS, || status("Threads:"));
    registry.collect(&metrics::PROCESS_OPEN_FDS, || {
        let descriptors = fs::read_dir("/proc/self/fd").ok()?.count();
        // Reading the directory opens one descriptor itself.
        Some(descriptors.saturating_sub(1) as f64)
    });
    registry.collect(&metrics::PROCESS_MAX_FDS, || {
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"))?;
        line.split_whitespace().nth(3)?.parse().ok()
    });
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, which may contain anything; parse from its closing parenthesis.
    let after = &stat[stat.rfind(')')? + 1..];
    let mut fields = after.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn status(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_metrics::Format;

    #[test]
    fn every_process_metric_has_a_value() {
        let registry = Registry::new();
        register(&registry);
        let page = registry.expose(Format::Text);
        for meta in crate::metrics::all()
            .iter()
            .filter(|meta| meta.name.starts_with("process_"))
        {
            let line = page
                .lines()
                .find(|line| line.starts_with(&format!("{} ", meta.name)));
            let value: f64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
            assert!(value >= 0.0 && value.is_finite(), "{}: {value}", meta.name);
        }
        assert!(page.contains("vigie_build_info{version=\""), "{page}");
    }
}
