//! A real MariaDB server.

use std::path::{Path, PathBuf};

use crate::server::{Server, User, client, output};
use crate::{Error, ports, tools};

const NAME: &str = "vigie";
/// The initial password of the user; a program that keeps its secrets never prints it.
pub const PASSWORD: &str = "testkit-user-password";

/// The settings that differ from a plain server.
#[derive(Clone, Debug, Default)]
pub struct MariaDbOptions {
    /// The certificate and the key with which it speaks TLS.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// More command line arguments.
    pub args: Vec<String>,
}

/// A MariaDB server with a database and a user of its own, both named `vigie`.
pub struct MariaDb {
    server: Server,
    port: u16,
}

impl MariaDb {
    /// Creates a data directory and starts a server on a free port.
    ///
    /// # Errors
    /// If MariaDB is not installed, or does not start.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(MariaDbOptions::default()).await
    }

    /// Starts a server with options.
    ///
    /// # Errors
    /// As [`MariaDb::start`].
    pub async fn start_with(options: MariaDbOptions) -> Result<Self, Error> {
        let program = tools::MARIADBD.find()?;
        let user = User::of("mysql")?;
        let directory = user.directory()?;
        let mut install = user.command(&tools::MARIADB_INSTALL_DB.find()?);
        // A server deletes every temporary table in its directory as it starts, those of others too.
        let temporary = format!("--tmpdir={}", directory.path().display());
        install
            .arg("--no-defaults")
            .arg(&temporary)
            .arg(format!(
                "--datadir={}",
                directory.path().join("data").display()
            ))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        output("mariadb-install-db", install).await?;
        if let Some((certificate, key)) = &options.certificate {
            user.copy(certificate, &directory.path().join("server.pem"))?;
            user.copy(key, &directory.path().join("server.key"))?;
        }
        let port = ports::free();
        let server = Server::spawn("mariadbd", directory, move |directory| {
            let mut command = user.command(&program);
            command
                .arg("--no-defaults")
                .arg(&temporary)
                .arg(format!("--datadir={}", directory.join("data").display()))
                .arg(format!("--socket={}", socket(directory)))
                .arg(format!("--pid-file={}", directory.join("pid").display()))
                .arg(format!("--port={port}"))
                .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
                .args([
                    "--innodb-flush-log-at-trx-commit=2",
                    "--innodb-buffer-pool-size=16M",
                ]);
            if options.certificate.is_some() {
                command
                    .arg(format!(
                        "--ssl-cert={}",
                        directory.join("server.pem").display()
                    ))
                    .arg(format!(
                        "--ssl-key={}",
                        directory.join("server.key").display()
                    ));
            }
            command.args(&options.args);
            command
        })?;
        let mut mariadb = Self { server, port };
        mariadb.until_ready().await?;
        let setup = format!(
            "CREATE DATABASE {NAME}; CREATE USER '{NAME}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; \
             GRANT ALL ON {NAME}.* TO '{NAME}'@'127.0.0.1'"
        );
        admin(mariadb.server.directory.path(), "", &setup).await?;
        Ok(mariadb)
    }

    /// The user's connection URL.
    pub fn url(&self) -> String {
        self.url_with_password(PASSWORD)
    }

    /// The connection URL with another password.
    pub fn url_with_password(&self, password: &str) -> String {
        format!("mysql://{NAME}:{password}@127.0.0.1:{}/{NAME}", self.port)
    }

    /// The path of its unix socket, over which `root` comes in without a password.
    pub fn socket(&self) -> PathBuf {
        socket(self.server.directory.path()).into()
    }

    /// The user as SQL names it.
    pub fn user(&self) -> &'static str {
        "'vigie'@'127.0.0.1'"
    }

    /// The port, which survives a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL as root in the tests' database; rows are lines, columns are separated by tabs.
    ///
    /// # Errors
    /// If the server does not answer, or refuses.
    pub async fn run_sql(&self, sql: &str) -> Result<String, Error> {
        admin(self.server.directory.path(), NAME, sql).await
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// SIGSTOP: connections stay open without answers.
    pub fn freeze(&self) {
        self.server.process().freeze();
    }

    /// Ends a [`MariaDb::freeze`].
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
        tools::MARIADB.find()?;
        let probe = async |directory: &Path| admin(directory, "", "SELECT 1").await.is_ok();
        self.server.until(probe).await
    }
}

fn socket(directory: &Path) -> String {
    directory.join("socket").display().to_string()
}

/// Root can log in only through the socket.
async fn admin(directory: &Path, database: &str, sql: &str) -> Result<String, Error> {
    let mut command = client(tools::MARIADB)?;
    command
        .arg("--no-defaults")
        .arg(format!("--socket={}", socket(directory)))
        .args([
            "--user=root",
            "--connect-timeout=60",
            "--batch",
            "--skip-column-names",
        ])
        .args(["--execute", sql])
        .arg(format!("--database={database}"));
    output("mariadb", command).await
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
        let mut mariadb = MariaDb::start().await.unwrap();
        mariadb
            .run_sql("CREATE TABLE t AS SELECT 7 AS x")
            .await
            .unwrap();
        let port = mariadb.port();
        let user = || async move {
            let mut command = client(tools::MARIADB).unwrap();
            command
                .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
                .arg(format!("--port={port}"))
                .args(["--user=vigie", &format!("--password={PASSWORD}"), "--batch"])
                .args(["--skip-column-names", "--execute=SELECT x FROM t", NAME]);
            output("mariadb", command).await
        };
        assert_eq!(user().await.unwrap(), "7");
        let change = format!("ALTER USER {} IDENTIFIED BY 'other'", mariadb.user());
        mariadb.run_sql(&change).await.unwrap();
        assert!(
            user()
                .await
                .unwrap_err()
                .to_string()
                .contains("Access denied")
        );

        mariadb.freeze();
        let asked = timeout(Duration::from_millis(300), mariadb.run_sql("SELECT 1")).await;
        assert!(asked.is_err(), "a frozen server answered");
        mariadb.thaw();
        assert_eq!(mariadb.run_sql("SELECT x FROM t").await.unwrap(), "7");

        mariadb.freeze();
        mariadb.kill9();
        let refused = TcpStream::connect(("127.0.0.1", mariadb.port())).await;
        assert!(refused.is_err(), "a killed server accepted");
        mariadb.restart().await.unwrap();
        assert_eq!(mariadb.run_sql("SELECT x FROM t").await.unwrap(), "7");
    }
}
