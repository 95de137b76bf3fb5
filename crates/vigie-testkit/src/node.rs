//! The scripts of `demo/`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Error, Process, SOON, tools};

/// The timeout until a script listens.
const START: Duration = SOON;

/// A script of `demo/` that is not yet started.
pub struct Script {
    path: &'static str,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

/// The path of `demo/`.
pub fn demo_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo")
}

impl Script {
    /// The backend, on a port of its choice.
    pub fn backend(database_url: &str, redis_url: &str) -> Self {
        Self::new("backend/server.js").serving(database_url, redis_url)
    }

    /// The backend with commands for its internal counts, see [`Process::ask`].
    pub fn truth_backend(database_url: &str, redis_url: &str) -> Self {
        Self::new("testing/truth-backend.js").serving(database_url, redis_url)
    }

    fn serving(self, database_url: &str, redis_url: &str) -> Self {
        self.env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("DATABASE_URL", database_url)
            .env("REDIS_URL", redis_url)
    }

    /// A script by its path in `demo/`.
    pub fn new(path: &'static str) -> Self {
        Self {
            path,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Adds command line arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If Node, the script or its libraries are missing.
    pub fn spawn(self) -> Result<Process, Error> {
        let node = tools::NODE.find()?;
        let demo = demo_directory();
        if !demo.join(self.path).is_file() {
            let missing = format!("demo/{} does not exist", self.path);
            return Err(Error::Demo(missing));
        }
        if !demo.join("node_modules").is_dir() {
            let missing =
                "demo/node_modules is missing: run `cargo xtask setup`, or `npm ci` in demo/";
            return Err(Error::Demo(missing.into()));
        }
        let mut command = Command::new(node);
        command
            .arg(self.path)
            .args(self.arguments)
            .current_dir(demo)
            .envs(self.variables);
        Process::spawn(self.path, command)
    }

    /// Starts it and waits for its first line, which contains its port.
    ///
    /// # Errors
    /// If it does not start, or prints something else.
    pub async fn listen(self) -> Result<(Process, u16), Error> {
        let path = self.path;
        let mut process = self.spawn()?;
        let line = process.next_json(START).await?;
        let port = line["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        match (line["msg"] == "listening", port) {
            (true, Some(port)) => Ok((process, port)),
            _ => Err(Error::protocol(
                path,
                format!("does not say where it listens: {line}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Postgres, Redis, http};
    use serde_json::json;

    #[tokio::test]
    async fn the_backend_starts_answers_and_ends() {
        let postgres = Postgres::start().await.unwrap();
        let redis = Redis::start().await.unwrap();
        let backend = Script::truth_backend(&postgres.url(), &redis.url());
        let ticking = backend.env("TICK_EVERY_MS", "200");
        let (mut process, port) = ticking.listen().await.unwrap();
        crate::eventually(START, async || {
            let ticks = process.ask(&json!({"cmd": "ticks"}), START).await.unwrap();
            ticks["count"].as_u64().filter(|n| *n > 0).ok_or(ticks)
        })
        .await;
        let unknown = process.ask(&json!({"cmd": "nonsense"}), START).await;
        assert!(unknown.unwrap_err().to_string().contains("unknown command"));
        let response = http::get(([127, 0, 0, 1], port).into(), "/no-such-path")
            .await
            .unwrap();
        assert_eq!(response.status, 404);
        let status = process.stop(SOON).await;
        assert!(status.unwrap().success(), "{}", process.tail());
    }

    #[test]
    fn a_script_that_is_not_there_is_named() {
        let error = Script::new("no/such.js").spawn().err().unwrap();
        assert!(error.to_string().contains("demo/no/such.js"));
    }
}
