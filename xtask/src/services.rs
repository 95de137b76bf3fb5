//! Stops the servers that Debian packages start on installation: the tests start their own.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::say::say;

/// A package, and the systemd unit that it enables and starts.
const STARTED: [(&str, &str); 7] = [
    ("haproxy", "haproxy"),
    ("mariadb-server", "mariadb"),
    ("nginx-light", "nginx"),
    ("postgresql", "postgresql"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("redis-server", "redis-server"),
];

/// The units that the installation of these packages will add. An existing unit belongs to the user and is excluded.
pub(crate) fn units_of(packages: &[&str]) -> Vec<&'static str> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Vec::new();
    }
    new_units(packages, is_known)
}

/// Stops and disables these units. `root` builds a command that runs as root.
pub(crate) fn stop(units: &[&str], root: impl Fn(&[&str]) -> Command) {
    if units.is_empty() {
        return;
    }
    let line = [&["systemctl", "disable", "--now"], units].concat();
    say(&format!("running {}", line.join(" ")));
    let stopped = root(&line).status().is_ok_and(|status| status.success());
    if !stopped {
        let units = units.join(", ");
        say(&format!(
            "that failed: {units} may be running, which does not affect the tests"
        ));
    }
}

fn new_units(packages: &[&str], is_known: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let wanted = STARTED
        .iter()
        .filter(|(package, _)| packages.contains(package));
    let units = wanted.map(|(_, unit)| *unit);
    units.filter(|unit| !is_known(unit)).collect()
}

fn is_known(unit: &str) -> bool {
    let shown = Command::new("systemctl")
        .args(["cat", unit])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // If in doubt, it is left alone.
    shown.map_or(true, |status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_units_are_stopped() {
        let packages = ["nodejs", "prometheus", "redis-server"];
        assert_eq!(
            new_units(&packages, |_| false),
            ["prometheus", "redis-server"]
        );
        assert_eq!(
            new_units(&packages, |unit| unit == "prometheus"),
            ["redis-server"]
        );
        assert_eq!(new_units(&packages, |_| true), [""; 0]);
        assert_eq!(new_units(&["nodejs"], |_| false), [""; 0]);
    }

    #[test]
    fn no_command_runs_without_units() {
        stop(&[], |line| panic!("{line:?}"));
    }
}
