//! Versions of Prometheus and its peers that are newer than in Debian 12, from Debian's unstable suite (sid).
//!
//! `cargo xtask setup` unpacks the packages into `target/servers/sid`; nothing is installed. The suite changes, so
//! versions are not pinned. If the packages are not available, [`Program::find`] returns the reason, and the tests
//! that need them are reported as ignored.

use std::path::{Path, PathBuf};

/// A program of a package in sid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program's file name.
    pub name: &'static str,
    /// Its package.
    pub package: &'static str,
}

/// The Prometheus server, 3.5 or later.
pub const PROMETHEUS: Program = program("prometheus", "prometheus");
/// Prometheus' checker of rules and configuration.
pub const PROMTOOL: Program = program("promtool", "promtool");
/// Alertmanager, 0.33 or later.
pub const ALERTMANAGER: Program = program("prometheus-alertmanager", "prometheus-alertmanager");
/// The command line of Alertmanager.
pub const AMTOOL: Program = program("amtool", "prometheus-alertmanager");
/// VictoriaMetrics, 1.145 or later.
pub const VICTORIA_METRICS: Program = program("victoria-metrics", "victoria-metrics");

/// The rule evaluator of VictoriaMetrics.
pub const VMALERT: Program = program("vmalert", "victoria-metrics");

/// All programs.
pub const ALL: [Program; 6] = [
    PROMETHEUS,
    PROMTOOL,
    ALERTMANAGER,
    AMTOOL,
    VICTORIA_METRICS,
    VMALERT,
];

const fn program(name: &'static str, package: &'static str) -> Program {
    Program { name, package }
}

/// The directory of the unpacked packages.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/sid")
}

impl Program {
    /// The path of the program.
    ///
    /// # Errors
    /// The reason, if it is not unpacked.
    pub fn find(&self) -> Result<PathBuf, String> {
        let path = directory().join("usr/bin").join(self.name);
        match path.is_file() {
            true => Ok(path),
            false => Err(format!(
                "{} of Debian's package {} (sid) is absent; `cargo xtask setup` unpacks it on Debian",
                self.name, self.package
            )),
        }
    }
}
