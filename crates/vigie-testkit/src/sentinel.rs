//! A real Redis Sentinel.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use crate::server::Server;
use crate::{Error, ports, redis, wheels};

/// A Sentinel that monitors one master, named `mymaster`, with a quorum of one.
pub struct Sentinel {
    server: Server,
    port: u16,
}

impl Sentinel {
    /// Starts a Sentinel on a free port. It discovers the replicas of the master.
    ///
    /// # Errors
    /// If Redis is not installed, or it does not start.
    pub async fn watch(master: u16) -> Result<Self, Error> {
        Self::watch_with(master, &[]).await
    }

    /// The same with further configuration, as directives with values.
    ///
    /// # Errors
    /// As [`Sentinel::watch`].
    pub async fn watch_with(master: u16, more: &[(&str, String)]) -> Result<Self, Error> {
        let (program, user) = wheels::redis()?;
        let directory = user.directory()?;
        let port = ports::free();
        let file = directory.path().join("sentinel.conf");
        // A master that answers late on a busy machine is not down.
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor mymaster 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds mymaster 3000\nsentinel failover-timeout mymaster 10000\n",
            directory.path().display()
        );
        let more = more.iter().map(|(word, value)| format!("{word} {value}\n"));
        let text = more.collect::<String>() + &text;
        fs::write(&file, text).map_err(Error::io("sentinel.conf"))?;
        // It stores its state in its configuration.
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

    /// Its address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command with `redis-cli` and returns the printed answer.
    ///
    /// # Errors
    /// If the Sentinel does not answer, or answers with an error.
    pub async fn cli(&self, args: &[&str]) -> Result<String, Error> {
        redis::cli(self.port, None, args).await
    }

    /// The port of the current master.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn master(&self) -> Result<u16, Error> {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"];
        let answer = self.cli(&ask).await?;
        let port = answer.lines().last().and_then(|port| port.parse().ok());
        port.ok_or_else(|| Error::protocol("redis-sentinel", format!("no port in {answer:?}")))
    }

    /// The number of known replicas that can be promoted.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn replicas(&self) -> Result<usize, Error> {
        let answer = self.cli(&["SENTINEL", "REPLICAS", "mymaster"]).await?;
        let linked = answer.lines().zip(answer.lines().skip(1));
        Ok(linked
            .filter(|pair| *pair == ("master-link-status", "ok"))
            .count())
    }

    /// SIGSTOP: it accepts connections and never answers.
    pub fn freeze(&self) {
        self.server.process().freeze();
    }
}
