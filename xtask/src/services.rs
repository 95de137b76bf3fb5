//! The servers that packages start by themselves, as Debian's do: the tests start their own, so those are not wanted.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::say::say;

/// A package, and the systemd unit that it brings, enables and starts.
const STARTED: [(&str, &str); 6] = [
    ("mariadb-server", "mariadb"),
    ("nginx-light", "nginx"),
    ("postgresql", "postgresql"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("redis-server", "redis-server"),
];

/// The units that installing these packages is about to bring. One that is known already is somebody's own, whatever
/// it does: it is not among them.
pub(crate) fn brought_by(packages: &[&str]) -> Vec<&'static str> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Vec::new();
    }
    new_units(packages, is_known)
}

/// Stops these units, for now and for later starts of the machine. `root` makes a command root's.
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
            "that failed: {units} may be running, which does the tests no harm"
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
    // In doubt it is left alone.
    shown.map_or(true, |status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_packages_bring_and_nobody_had_is_stopped() {
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
    fn nothing_is_run_when_there_is_nothing_to_stop() {
        stop(&[], |line| panic!("{line:?}"));
    }
}
