//! A server that speaks TLS and nothing else, and OpenSSL's verdict on it.

use std::net::Ipv4Addr;
use std::path::Path;

use tokio::net::TcpStream;

use crate::server::{Server, User, client, output};
use crate::{Error, ports, tools};

/// `openssl s_server`, which presents any certificate that it is given.
pub struct TlsServer {
    _server: Server,
    port: u16,
}

impl TlsServer {
    /// Presents this certificate on a free port of 127.0.0.1, with others that lie between it and its root.
    ///
    /// # Errors
    /// When openssl is not installed, or does not start.
    pub async fn start(certificate: &Path, key: &Path, more: Option<&Path>) -> Result<Self, Error> {
        let program = tools::OPENSSL.find()?;
        let directory = User::OURSELVES.directory()?;
        let port = ports::free();
        let files = [certificate, key].map(Path::to_owned);
        let more = more.map(Path::to_owned);
        let mut server = Server::spawn("openssl s_server", directory, move |_| {
            let mut command = User::OURSELVES.command(&program);
            let [certificate, key] = &files;
            // In this mode it does not read its standard input.
            command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")]);
            command.arg("-cert").arg(certificate).arg("-key").arg(key);
            if let Some(more) = &more {
                command.arg("-cert_chain").arg(more);
            }
            command
        })?;
        let address = (Ipv4Addr::LOCALHOST, port);
        server
            .until(async |_| TcpStream::connect(address).await.is_ok())
            .await?;
        Ok(Self {
            _server: server,
            port,
        })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether `openssl s_client` trusts it, with these roots, as the server of `host`.
    ///
    /// # Errors
    /// When openssl is not installed.
    pub async fn is_trusted_by_openssl(&self, roots: &Path, host: &str) -> Result<bool, Error> {
        let mut command = client(tools::OPENSSL)?;
        let check = match host.parse::<std::net::IpAddr>() {
            Ok(_) => "-verify_ip",
            Err(_) => "-verify_hostname",
        };
        command
            .args(["s_client", "-connect", &format!("127.0.0.1:{}", self.port)])
            .args([
                "-verify_return_error",
                "-no-CApath",
                "-no-CAstore",
                check,
                host,
            ])
            .arg("-CAfile")
            .arg(roots);
        Ok(output("openssl s_client", command).await.is_ok())
    }
}
