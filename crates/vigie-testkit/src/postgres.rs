//! A real PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Server, User, client, open, output};
use crate::{Error, ports, tools};

/// The database and role of the tests.
const NAME: &str = "vigie";
const ADMIN: &str = "postgres";
const ADMIN_PASSWORD: &str = "testkit-admin-password";
/// The initial password of the role; a program that keeps its secrets never prints it.
pub const PASSWORD: &str = "testkit-role-password";

/// The settings that differ from a plain server.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// The certificate and the key with which it speaks TLS.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The CA that signs the certificates of clients.
    pub client_ca: Option<PathBuf>,
    /// `pg_hba.conf`, without the line of the superuser.
    pub access: Option<String>,
    /// Listens on a unix socket, besides the port.
    pub unix_socket: bool,
}

/// A PostgreSQL server with a database and a role of its own, both named `vigie`.
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
        Self::start_with(PostgresOptions::default()).await
    }

    /// Starts a server with options.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub async fn start_with(options: PostgresOptions) -> Result<Self, Error> {
        let program = tools::POSTGRES.find()?;
        let user = User::of("postgres")?;
        let directory = user.directory()?;
        initdb(user, directory.path()).await?;
        if let Some((certificate, key)) = &options.certificate {
            user.copy(certificate, &directory.path().join("server.pem"))?;
            user.copy(key, &directory.path().join("server.key"))?;
        }
        if let Some(ca) = &options.client_ca {
            user.copy(ca, &directory.path().join("client-ca.pem"))?;
        }
        if let Some(rules) = &options.access {
            // The superuser of the tests always comes in.
            let rules = format!("host all {ADMIN} 127.0.0.1/32 scram-sha-256\n{rules}\n");
            let file = directory.path().join("data/pg_hba.conf");
            std::fs::write(file, rules).map_err(Error::io("pg_hba.conf"))?;
        }
        if options.unix_socket {
            open(directory.path())?;
        }
        let port = ports::free();
        let server = Server::spawn("postgres", directory, move |directory| {
            let mut command = user.command(&program);
            command.arg("-D").arg(directory.join("data"));
            for setting in [
                &format!("port={port}"),
                "listen_addresses=127.0.0.1",
                &match options.unix_socket {
                    true => format!("unix_socket_directories={}", directory.display()),
                    false => "unix_socket_directories=".to_owned(),
                },
                "shared_buffers=32MB",
                // The data must survive the death of the server, but not of the machine.
                "fsync=off",
                "full_page_writes=off",
            ] {
                command.args(["-c", setting]);
            }
            if options.certificate.is_some() {
                for (setting, file) in [
                    ("ssl_cert_file", "server.pem"),
                    ("ssl_key_file", "server.key"),
                ] {
                    let path = directory.join(file);
                    command.args(["-c", &format!("{setting}={}", path.display())]);
                }
                command.args(["-c", "ssl=on"]);
            }
            if options.client_ca.is_some() {
                let path = directory.join("client-ca.pem");
                command.args(["-c", &format!("ssl_ca_file={}", path.display())]);
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

    /// The directory of its unix socket, if one was asked for.
    pub fn socket_directory(&self) -> &Path {
        self.server.directory.path()
    }

    /// Runs SQL as the superuser in the tests' database; rows are lines, columns are parted by `|`.
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

/// Runs SQL by `psql` with an address that it reads itself, and without any file or variable of a user.
///
/// # Errors
/// When it cannot connect, or the server refuses.
pub async fn ask(address: &str, sql: &str) -> Result<String, Error> {
    let mut command = client(tools::PSQL)?;
    command
        .env("HOME", "/nonexistent")
        .env("PGCONNECT_TIMEOUT", "5")
        .args(["-X", "-w", "-A", "-t", "-d", address, "-c", sql]);
    output("psql", command).await
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
