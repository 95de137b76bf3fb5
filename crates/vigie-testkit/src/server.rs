//! The common parts of the real servers.

use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::{Error, Process, SOON, http, tools::Tool};

/// The timeout until a server answers.
const START: Duration = SOON;
/// The timeout of a client program.
const CLIENT: Duration = SOON;

/// The process of a server, and how to restart it.
pub(crate) struct Server {
    // Before the directory: fields are dropped in this order.
    process: Process,
    command: Recipe,
    name: &'static str,
    pub(crate) directory: TempDir,
}

type Recipe = Box<dyn Fn(&Path) -> Command + Send + Sync>;

impl Server {
    pub(crate) fn spawn(
        name: &'static str,
        directory: TempDir,
        command: impl Fn(&Path) -> Command + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Ok(Self {
            process: Process::spawn(name, command(directory.path()))?,
            command: Box::new(command),
            name,
            directory,
        })
    }

    pub(crate) fn respawn(&mut self) -> Result<(), Error> {
        self.process.kill9();
        self.process = Process::spawn(self.name, (self.command)(self.directory.path()))?;
        Ok(())
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    pub(crate) fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Polls until the probe succeeds.
    pub(crate) async fn until(&mut self, probe: impl AsyncFn(&Path) -> bool) -> Result<(), Error> {
        let deadline = Instant::now() + START;
        while !probe(self.directory.path()).await {
            if self.process.status().is_some() {
                return Err(self.process.exited());
            }
            if Instant::now() > deadline {
                return Err(self.process.late("answer", START));
            }
            sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// Waits until `/-/ready` answers 200, as in Prometheus and related servers.
    pub(crate) async fn until_ready(&mut self, addr: SocketAddr) -> Result<(), Error> {
        let probe = async |_: &Path| {
            let answer = http::get(addr, "/-/ready").await;
            answer.is_ok_and(|answer| answer.status == 200)
        };
        self.until(probe).await
    }
}

/// The user of a server that refuses to run as root.
#[derive(Clone, Copy)]
pub(crate) struct User(Option<(u32, u32)>);

impl User {
    /// For servers that run as root.
    pub(crate) const OURSELVES: Self = Self(None);

    /// The user of the package, or `nobody`; the current user unless it is root.
    pub(crate) fn of(name: &str) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd").map_err(Error::io("/etc/passwd"))?;
        let find = |name: &str| {
            let mut fields = users.lines().map(|line| line.split(':'));
            let mut user =
                fields.find_map(|mut user| (user.next() == Some(name)).then_some(user))?;
            Some((user.nth(1)?.parse().ok()?, user.next()?.parse().ok()?))
        };
        match find(name).or_else(|| find("nobody")) {
            Some(ids) => Ok(Self(Some(ids))),
            None => Err(Error::protocol(
                name,
                "neither this user nor `nobody` exists",
            )),
        }
    }

    /// A temporary directory of this user.
    pub(crate) fn directory(self) -> Result<TempDir, Error> {
        let directory = tempfile::Builder::new()
            .prefix("vigie-")
            .tempdir()
            .map_err(Error::io("a temporary directory"))?;
        if let Some((user, group)) = self.0 {
            chown(directory.path(), Some(user), Some(group)).map_err(Error::io("chown"))?;
        }
        Ok(directory)
    }

    /// Copies a file to where only this user can read it, as servers demand it of a key.
    pub(crate) fn copy(self, from: &Path, to: &Path) -> Result<(), Error> {
        std::fs::copy(from, to).map_err(Error::io(format!("copying {}", from.display())))?;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(to, mode).map_err(Error::io("chmod"))?;
        match self.0 {
            Some((user, group)) => chown(to, Some(user), Some(group)).map_err(Error::io("chown")),
            None => Ok(()),
        }
    }

    /// A command of this user's, with nothing of our environment but the path.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = bare(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Lets every user reach a socket in the directory.
pub(crate) fn open(directory: &Path) -> Result<(), Error> {
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory, mode).map_err(Error::io("chmod"))
}

/// A command with nothing of our environment but the path: `PGHOST` and the like must not interfere.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// A command of a client program.
pub(crate) fn client(tool: Tool) -> Result<Command, Error> {
    Ok(bare(&tool.find()?))
}

/// Runs a command and returns its trimmed output.
pub(crate) async fn output(name: &str, command: Command) -> Result<String, Error> {
    let mut command = tokio::process::Command::from(command);
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let late = |_| Error::Late {
        name: name.to_owned(),
        what: "end",
        within: CLIENT,
        tail: String::new(),
    };
    let output = timeout(CLIENT, running)
        .await
        .map_err(late)?
        .map_err(Error::io(format!("cannot start {name}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(printed);
    }
    Err(Error::Exited {
        name: name.to_owned(),
        status: output.status.to_string(),
        tail: format!(
            "{printed}\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
    })
}
