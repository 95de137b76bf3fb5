//! A real Redis server: the installed one, or the one that [`wheels::VARIABLE`] names.

use std::path::{Path, PathBuf};

use crate::server::{Server, client, open, output};
use crate::{Error, ports, tools, wheels};

/// Options of a server.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// `requirepass`.
    pub password: Option<String>,
    /// Listens on a unix socket, too.
    pub unix_socket: bool,
    /// Further command line arguments, such as `["--maxmemory", "10mb"]`, which override the defaults.
    pub args: Vec<String>,
}

/// A Redis server.
///
/// Each write is appended to a file before it is answered, so that a killed server restarts with its data.
pub struct Redis {
    server: Server,
    port: u16,
    options: RedisOptions,
}

impl Redis {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// If Redis is not installed, or does not start.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(RedisOptions::default()).await
    }

    /// Starts a server with options.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub async fn start_with(options: RedisOptions) -> Result<Self, Error> {
        let (program, user) = wheels::redis()?;
        tools::REDIS_CLI.find()?;
        let directory = user.directory()?;
        let port = ports::free();
        let settings = options.clone();
        let server = Server::spawn("redis-server", directory, move |directory| {
            let mut command = user.command(&program);
            command
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .arg("--dir")
                .arg(directory)
                .args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"]);
            if let Some(password) = &settings.password {
                command.args(["--requirepass", password]);
            }
            if settings.unix_socket {
                command.arg("--unixsocket").arg(socket(directory));
                // The server runs as another user.
                command.args(["--unixsocketperm", "777"]);
            }
            command.args(&settings.args);
            command
        })?;
        if options.unix_socket {
            open(server.directory.path())?;
        }
        let mut redis = Self {
            server,
            port,
            options,
        };
        redis.until_ready().await?;
        Ok(redis)
    }

    /// The connection URL, with the password if any.
    pub fn url(&self) -> String {
        let password = self.options.password.as_ref();
        let login = password.map(|word| format!(":{word}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// The port, which survives a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of the unix socket, if enabled.
    pub fn unix_socket(&self) -> Option<PathBuf> {
        let directory = self.server.directory.path();
        self.options.unix_socket.then(|| socket(directory))
    }

    /// Runs a command with `redis-cli` and returns the printed answer.
    ///
    /// # Errors
    /// If the server does not answer, or answers with an error.
    pub async fn cli(&self, args: &[&str]) -> Result<String, Error> {
        cli(self.port, self.options.password.as_deref(), args).await
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// SIGSTOP: connections stay open without answers.
    pub fn freeze(&self) {
        self.server.process().freeze();
    }

    /// Ends a [`Redis::freeze`].
    pub fn thaw(&self) {
        self.server.process().thaw();
    }

    /// Restarts it on the same port with the same data, after killing it if it runs.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.server.respawn()?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<(), Error> {
        let (port, password) = (self.port, self.options.password.clone());
        let probe = async |_: &Path| {
            // While it loads its data it answers each command with an error.
            cli(port, password.as_deref(), &["PING"]).await.is_ok()
        };
        self.server.until(probe).await
    }
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("socket")
}

/// Runs a command by `redis-cli` with an address that it reads itself; `ca` is what it trusts.
///
/// # Errors
/// When it cannot connect, or the server answers with an error.
pub async fn ask(address: &str, ca: Option<&Path>, args: &[&str]) -> Result<String, Error> {
    let mut command = client(tools::REDIS_CLI)?;
    command.args(["-e", "--no-auth-warning", "-u", address]);
    if let Some(ca) = ca {
        command.arg("--cacert").arg(ca);
    }
    command.args(args);
    output("redis-cli", command).await
}

pub(crate) async fn cli(port: u16, password: Option<&str>, args: &[&str]) -> Result<String, Error> {
    let mut command = client(tools::REDIS_CLI)?;
    if let Some(password) = password {
        // Not an argument, because the program warns about it.
        command.env("REDISCLI_AUTH", password);
    }
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-e"]);
    command.args(args);
    output("redis-cli", command).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;
    use tokio::net::{TcpStream, UnixStream};
    use tokio::time::timeout;

    #[tokio::test]
    async fn lives_dies_freezes_and_comes_back_with_its_data() {
        let mut redis = Redis::start().await.unwrap();
        redis.cli(&["XADD", "s", "1-1", "f", "v"]).await.unwrap();

        redis.freeze();
        let asked = timeout(Duration::from_millis(300), redis.cli(&["PING"])).await;
        assert!(asked.is_err(), "a frozen server answered");
        redis.thaw();
        assert_eq!(redis.cli(&["XLEN", "s"]).await.unwrap(), "1");

        redis.freeze();
        redis.kill9();
        let refused = TcpStream::connect(("127.0.0.1", redis.port())).await;
        assert!(refused.is_err(), "a killed server accepted");
        redis.restart().await.unwrap();
        assert_eq!(redis.cli(&["XLEN", "s"]).await.unwrap(), "1");
    }

    #[tokio::test]
    async fn options_are_obeyed() {
        let redis = Redis::start_with(RedisOptions {
            password: Some("let-me-in".into()),
            unix_socket: true,
            args: ["--maxmemory", "10mb"].map(String::from).to_vec(),
        })
        .await
        .unwrap();
        assert!(redis.url().starts_with("redis://:let-me-in@127.0.0.1:"));
        let memory = redis.cli(&["CONFIG", "GET", "maxmemory"]).await.unwrap();
        assert_eq!(memory, "maxmemory\n10485760");
        let denied = cli(redis.port(), None, &["PING"]).await.unwrap_err();
        assert!(denied.to_string().contains("NOAUTH"), "{denied}");
        UnixStream::connect(redis.unix_socket().unwrap())
            .await
            .unwrap();
    }
}
