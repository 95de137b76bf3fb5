//! A real Redis Sentinel.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use crate::server::Server;
use crate::{Error, ports, redis, wheels};

/// A Sentinel that watches one master, called `mymaster`, and is enough to replace it.
pub struct Sentinel {
    server: Server,
    port: u16,
}

impl Sentinel {
    /// Starts a Sentinel on a free port. It finds the master's replicas by itself.
    ///
    /// # Errors
    /// When Redis is not installed, or it does not start.
    pub async fn watch(master: u16) -> Result<Self, Error> {
        Self::watch_with(master, &[]).await
    }

    /// The same with more lines of configuration, each a word and its value.
    ///
    /// # Errors
    /// As [`Sentinel::watch`].
    pub async fn watch_with(master: u16, more: &[(&str, String)]) -> Result<Self, Error> {
        let (program, user) = wheels::redis()?;
        let directory = user.directory()?;
        let port = ports::free();
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor mymaster 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n",
            directory.path().display()
        );
        let more = more.iter().map(|(word, value)| format!("{word} {value}\n"));
        let text = more.collect::<String>() + &text;
        fs::write(&file, text).map_err(Error::io("sentinel.conf"))?;
        // It keeps in its configuration what it finds out.
        let owner = fs::metadata(directory.path()).map_err(Error::io("the directory"))?;
        use std::os::unix::fs::MetadataExt;
        chown(&file, Some(owner.uid()), Some(owner.gid())).map_err(Error::io("chown"))?;
        let mut server = Server::spawn("redis-sentinel", directory, move |directory| {
            let mut command = user.command(&program);
            command
                .arg(directory.join("sentinel.conf"))
                .arg("--sentinel");
            command
        })?;
        let answers = async |_: &Path| redis::cli(port, None, &["PING"]).await.is_ok();
        server.until(answers).await?;
        Ok(Self { server, port })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command by `redis-cli`, which prints the answer.
    ///
    /// # Errors
    /// When the Sentinel does not answer, or answers with an error.
    pub async fn cli(&self, args: &[&str]) -> Result<String, Error> {
        redis::cli(self.port, None, args).await
    }

    /// The port of the server that is master now.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn master(&self) -> Result<u16, Error> {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"];
        let answer = self.cli(&ask).await?;
        let port = answer.lines().last().and_then(|port| port.parse().ok());
        port.ok_or_else(|| Error::protocol("redis-sentinel", format!("no port in {answer:?}")))
    }

    /// How many replicas it has found that it could make the master.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn replicas(&self) -> Result<usize, Error> {
        let answer = self.cli(&["SENTINEL", "REPLICAS", "mymaster"]).await?;
        let linked = answer.lines().zip(answer.lines().skip(1));
        Ok(linked
            .filter(|pair| *pair == ("master-link-status", "ok"))
            .count())
    }

    /// SIGSTOP: it accepts, and never answers.
    pub fn freeze(&self) {
        self.server.process().freeze();
    }
}
