//! Runs Cargo.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// The repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The Cargo that runs this program, in the repository.
///
/// It does not get the variables that describe this package: build scripts that read variables of the same names would
/// run again, and all that depends on them would be compiled again, here and at the next plain `cargo build`.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether `cargo run` sets the variable from the package of the program.
fn describes_package(variable: &str) -> bool {
    let of_manifest = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    of_manifest
        .iter()
        .any(|prefix| variable.starts_with(prefix))
        || variable == "OUT_DIR"
}

/// Builds the program with these options and returns its path.
pub(crate) fn build_vigie(options: &[&str]) -> anyhow::Result<PathBuf> {
    let output = cargo()
        .args(["build", "--package", "vigie", "--bin", "vigie"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo build failed");
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built no program")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_package_is_not_described_to_cargo() {
        let removed: Vec<_> = cargo()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        // Cargo sets them for its tests, as for `cargo run`.
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(removed.iter().any(|removed| removed == name), "{removed:?}");
        }
        assert!(!removed.iter().any(|removed| removed == "CARGO_HOME"));
    }
}
