//! The programs of tests, demo and benchmarks, with their packages.
//!
//! This is the only list of them: `cargo xtask setup` installs from it.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Error;

/// A program and its Debian/Ubuntu package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The program's file name.
    pub program: &'static str,
    /// Its package.
    pub package: &'static str,
    /// The minimum major version, if it matters.
    pub major: Option<u32>,
}

const fn tool(program: &'static str, package: &'static str) -> Tool {
    Tool {
        program,
        package,
        major: None,
    }
}

/// The PostgreSQL server.
pub const POSTGRES: Tool = tool("postgres", "postgresql");
/// Creates a PostgreSQL data directory.
pub const INITDB: Tool = tool("initdb", "postgresql");
/// The PostgreSQL client.
pub const PSQL: Tool = tool("psql", "postgresql");
/// The Redis server.
pub const REDIS_SERVER: Tool = tool("redis-server", "redis-server");
/// The Redis client.
pub const REDIS_CLI: Tool = tool("redis-cli", "redis-tools");
/// Creates certificates.
pub const OPENSSL: Tool = tool("openssl", "openssl");
/// Compiles libFuzzer for the fuzz targets.
pub const CXX: Tool = tool("c++", "g++");
/// The MariaDB server.
pub const MARIADBD: Tool = tool("mariadbd", "mariadb-server");
/// Creates a MariaDB data directory.
pub const MARIADB_INSTALL_DB: Tool = tool("mariadb-install-db", "mariadb-server");
/// The MariaDB client.
pub const MARIADB: Tool = tool("mariadb", "mariadb-client");
/// Runs the demo backend.
pub const NODE: Tool = Tool {
    program: "node",
    package: "nodejs",
    major: Some(20),
};
/// Installs the demo backend's libraries.
pub const NPM: Tool = tool("npm", "npm");
/// The browser that the tests of the page drive.
pub const CHROMIUM: Tool = tool("chromium", "chromium");
/// Checks expositions.
pub const PROMTOOL: Tool = tool("promtool", "prometheus");
/// The Prometheus server.
pub const PROMETHEUS: Tool = tool("prometheus", "prometheus");
/// The Alertmanager.
pub const ALERTMANAGER: Tool = tool("prometheus-alertmanager", "prometheus-alertmanager");
/// Checks Alertmanager's configuration.
pub const AMTOOL: Tool = tool("amtool", "prometheus-alertmanager");
/// Renders the Kubernetes objects, as `kubectl kustomize`.
pub const KUBECTL: Tool = tool("kubectl", "kubernetes-client");
/// Unpacks wheels.
pub const PYTHON: Tool = tool("python3", "python3");
/// Downloads wheels.
pub const PIP: Tool = tool("pip3", "python3-pip");
/// Checks the compose file.
pub const DOCKER_COMPOSE: Tool = tool("docker-compose", "docker-compose");
/// A client of HTTP.
pub const CURL: Tool = tool("curl", "curl");
/// The proxies that the gateway is compared with.
pub const NGINX: Tool = tool("nginx", "nginx-light");
/// See [`NGINX`].
pub const HAPROXY: Tool = tool("haproxy", "haproxy");
/// The load generator.
pub const WRK: Tool = tool("wrk", "wrk");

impl Tool {
    /// The path of the program.
    ///
    /// # Errors
    /// [`Error::Missing`] with the name of the package.
    pub fn find(&self) -> Result<PathBuf, Error> {
        directories()
            .into_iter()
            .map(|directory| directory.join(self.program))
            .find(|path| is_executable(path))
            .ok_or(Error::Missing {
                program: self.program,
                package: self.package,
            })
    }
}

/// `PATH`, and the directories where Debian installs servers outside of a user's path.
fn directories() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| std::cmp::Reverse(version_of(path)));
    // The directory of one PostgreSQL first: its programs must have the same version.
    found.splice(0..0, versions.iter().map(|path| path.join("bin")));
    found.extend(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    found
}

fn version_of(path: &Path) -> u32 {
    path.file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.parse().ok())
        .unwrap_or(0)
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_what_is_there_and_names_the_package_of_what_is_not() {
        assert!(tool("sh", "dash").find().unwrap().is_absolute());
        let error = tool("no-such-server", "the-package").find().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("no-such-server") && text.contains("the-package"));
    }
}
