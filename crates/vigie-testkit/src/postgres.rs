//! A real PostgreSQL server.

use std::path::Path;
use std::process::Command;

use crate::server::{Server, User, client, output};
use crate::{Error, ports, tools};

/// The database and role of the tests.
const NAME: &str = "vigie";
const ADMIN: &str = "postgres";
const ADMIN_PASSWORD: &str = "testkit-admin-password";
/// The initial password of the role; a program that keeps its secrets never prints it.
pub const PASSWORD: &str = "testkit-role-password";

/// A PostgreSQL server with its own database and role, both named `vigie`.
pub struct Postgres {
    server: Server,
    port: u16,
}

impl Postgres {
    /// Creates a data directory and starts a server on a free port.
    ///
    /// # Errors
    /// If PostgreSQL is not installed, or does not start.
    pub async fn start() -> Result<Self, Error> {
        let program = tools::POSTGRES.find()?;
        let user = User::of("postgres")?;
        let directory = user.directory()?;
        initdb(user, directory.path()).await?;
        let port = ports::free();
        let server = Server::spawn("postgres", directory, move |directory| {
            let mut command = user.command(&program);
            command.arg("-D").arg(directory.join("data"));
            for setting in [
                &format!("port={port}"),
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "shared_buffers=32MB",
                // The data must survive the death of the server, but not of the machine.
                "fsync=off",
                "full_page_writes=off",
            ] {
                command.args(["-c", setting]);
            }
            command
        })?;
        let mut postgres = Self { server, port };
        postgres.until_ready().await?;
        let role = format!("CREATE ROLE {NAME} LOGIN PASSWORD '{PASSWORD}'");
        postgres.admin("postgres", &role).await?;
        let database = format!("CREATE DATABASE {NAME} OWNER {NAME}");
        postgres.admin("postgres", &database).await?;
        Ok(postgres)
    }

    /// The role's connection URL.
    pub fn url(&self) -> String {
        self.url_with_password(PASSWORD)
    }

    /// The connection URL with another password.
    pub fn url_with_password(&self, password: &str) -> String {
        format!(
            "postgres://{NAME}:{password}@127.0.0.1:{}/{NAME}",
            self.port
        )
    }

    /// The name of the role and of the database.
    pub fn role(&self) -> &'static str {
        NAME
    }

    /// The port, which survives a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL as the superuser in the tests' database; rows are lines, columns are separated by `|`.
    ///
    /// # Errors
    /// If the server does not answer, or refuses.
    pub async fn run_sql(&self, sql: &str) -> Result<String, Error> {
        self.admin(NAME, sql).await
    }

    /// SIGKILL to the server and all its backends.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// SIGSTOP: connections stay open without answers.
    pub fn freeze(&self) {
        self.server.process().freeze();
    }

    /// Ends a [`Postgres::freeze`].
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
        let port = self.port;
        let probe = async |_: &Path| psql(port, "postgres", "SELECT 1").await.is_ok();
        // Report a missing client immediately, not after the timeout.
        tools::PSQL.find()?;
        self.server.until(probe).await
    }

    async fn admin(&self, database: &str, sql: &str) -> Result<String, Error> {
        psql(self.port, database, sql).await
    }
}

async fn psql(port: u16, database: &str, sql: &str) -> Result<String, Error> {
    let mut command = client(tools::PSQL)?;
    command
        .env("PGPASSWORD", ADMIN_PASSWORD)
        .env("PGCONNECT_TIMEOUT", "5")
        .args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
        ])
        .args([
            "-p",
            &port.to_string(),
            "-U",
            ADMIN,
            "-d",
            database,
            "-c",
            sql,
        ]);
    output("psql", command).await
}

async fn initdb(user: User, directory: &Path) -> Result<(), Error> {
    let password = directory.join("password");
    std::fs::write(&password, ADMIN_PASSWORD).map_err(Error::io("the password file"))?;
    let mut command: Command = user.command(&tools::INITDB.find()?);
    command
        .arg("-D")
        .arg(directory.join("data"))
        .arg("--pwfile")
        .arg(&password)
        .args(["-U", ADMIN, "--auth=scram-sha-256", "--encoding=UTF8"])
        .args(["--locale=C", "--no-sync"]);
    output("initdb", command).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    #[tokio::test]
    async fn lives_dies_freezes_and_comes_back_with_its_data() {
        let mut postgres = Postgres::start().await.unwrap();
        postgres
            .run_sql("CREATE TABLE t AS SELECT 7 AS x")
            .await
            .unwrap();
        let role = || async {
            let mut command = client(tools::PSQL).unwrap();
            command.args([
                "-X",
                "-A",
                "-t",
                &postgres.url(),
                "-c",
                "SELECT current_user",
            ]);
            output("psql", command).await
        };
        assert_eq!(role().await.unwrap(), "vigie");
        postgres
            .run_sql("ALTER ROLE vigie PASSWORD 'other'")
            .await
            .unwrap();
        assert!(role().await.unwrap_err().to_string().contains("password"));

        postgres.freeze();
        // The kernel still completes the handshake, but there is no answer.
        TcpStream::connect(("127.0.0.1", postgres.port()))
            .await
            .unwrap();
        let asked = timeout(Duration::from_millis(300), postgres.run_sql("SELECT 1")).await;
        assert!(asked.is_err(), "a frozen server answered");
        postgres.thaw();
        assert_eq!(postgres.run_sql("SELECT x FROM t").await.unwrap(), "7");

        postgres.freeze();
        postgres.kill9();
        let refused = TcpStream::connect(("127.0.0.1", postgres.port())).await;
        assert!(refused.is_err(), "a killed server accepted");
        postgres.restart().await.unwrap();
        assert_eq!(postgres.run_sql("SELECT x FROM t").await.unwrap(), "7");
    }
}
