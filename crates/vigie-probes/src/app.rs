//! Whether the app answers HTTP at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Host;

use crate::address::{self, UrlError};
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind, io_failure};

/// Asks the app for the head of its root page; any status is an answer, so this proves a whole turn of its
/// event loop and nothing about what it serves.
pub struct App {
    name: String,
    host: Host<String>,
    port: u16,
    path: String,
}

impl App {
    /// A check of the app at an `http://` URL.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, UrlError> {
        let url = address::parse(url)?;
        let host = url.host().map(|host| host.to_owned());
        let (Some(host), "http") = (host, url.scheme()) else {
            return Err(UrlError::Scheme("http://"));
        };
        Ok(Self {
            name: name.into(),
            host,
            port: url.port().unwrap_or(80),
            path: url.path().to_owned(),
        })
    }

    async fn ask(&self) -> Outcome {
        let place = self.target();
        let broken = |error: std::io::Error| io_failure(&place, &error);
        let connecting = match &self.host {
            Host::Domain(name) => TcpStream::connect((name.as_str(), self.port)).await,
            Host::Ipv4(ip) => TcpStream::connect((*ip, self.port)).await,
            Host::Ipv6(ip) => TcpStream::connect((*ip, self.port)).await,
        };
        let mut stream = connecting.map_err(broken)?;
        let request = format!(
            "HEAD {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: vigie\r\nConnection: close\r\n\r\n",
            self.path, self.host, self.port
        );
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut head = [0; b"HTTP/1.1 200".len()];
        stream.read_exact(&mut head).await.map_err(broken)?;
        let is_http = head.starts_with(b"HTTP/1.") && head[9..].iter().all(u8::is_ascii_digit);
        if is_http {
            return Ok(());
        }
        let text = format_args!("{place}: does not speak HTTP/1.1");
        Err(Failure::new(FailureKind::Protocol, text))
    }
}

impl Check for App {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        format!("http {}:{}", self.host, self.port)
    }

    fn run(&mut self, _: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(self.ask())
    }
}
