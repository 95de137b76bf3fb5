//! The check of the app: whether it accepts connections, or answers a request as expected.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Host;

use crate::address::{self, UrlError};
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind, io_failure};

/// Opens a TCP connection and closes it again, so that the app renders and logs nothing. This proves that the process
/// listens. With [`App::asks`], it sends a request and compares the status code.
pub struct App {
    name: String,
    addresses: Vec<Address>,
    request: Option<AppRequest>,
}

/// One of the addresses of the app.
struct Address {
    host: Host<String>,
    port: u16,
}

/// A request to the app and the status codes that count as success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRequest {
    /// The method.
    pub method: Method,
    /// The path, with an optional query.
    pub path: String,
    /// The expected status codes.
    pub status: Vec<RangeInclusive<u16>>,
}

impl App {
    /// A check of the app at `http://` URLs, whose paths are ignored. One of them that succeeds is sufficient.
    ///
    /// # Errors
    /// If a URL cannot be parsed.
    pub fn new(name: impl Into<String>, urls: &[impl AsRef<str>]) -> Result<Self, UrlError> {
        let addresses = urls.iter().map(|url| Address::new(url.as_ref()));
        Ok(Self {
            name: name.into(),
            addresses: addresses.collect::<Result<_, _>>()?,
            request: None,
        })
    }

    /// Sends this request on each run. Without one, the check only connects.
    #[must_use]
    pub fn asks(mut self, request: Option<AppRequest>) -> Self {
        self.request = request;
        self
    }

    /// Tries the addresses in turn, each for a part of the time. Returns the failure of the last one if all fail.
    async fn ask(&self, within: Duration) -> Outcome {
        let request = self.request.as_ref();
        let Some((last, others)) = self.addresses.split_last() else {
            return Ok(());
        };
        let part = within / u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        for address in others {
            if let Ok(Ok(())) = timeout(part, address.ask(request)).await {
                return Ok(());
            }
        }
        last.ask(request).await
    }
}

impl Address {
    fn new(url: &str) -> Result<Self, UrlError> {
        let url = address::parse(url)?;
        let host = url.host().map(|host| host.to_owned());
        let (Some(host), "http") = (host, url.scheme()) else {
            return Err(UrlError::Scheme("http://"));
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(80),
        })
    }

    fn target(&self, request: Option<&AppRequest>) -> String {
        let (host, port) = (&self.host, self.port);
        match request {
            Some(request) => format!("{} http://{host}:{port}{}", request.method, request.path),
            None => format!("http {host}:{port}"),
        }
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        match &self.host {
            Host::Domain(name) => TcpStream::connect((name.as_str(), self.port)).await,
            Host::Ipv4(ip) => TcpStream::connect((*ip, self.port)).await,
            Host::Ipv6(ip) => TcpStream::connect((*ip, self.port)).await,
        }
    }

    async fn ask(&self, request: Option<&AppRequest>) -> Outcome {
        let place = self.target(request);
        let broken = |error: std::io::Error| io_failure(&place, &error);
        let mut stream = self.connect().await.map_err(broken)?;
        let Some(request) = request else {
            return Ok(());
        };
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: vigie\r\nConnection: close\r\n\r\n",
            request.method, request.path, self.host, self.port
        );
        stream.write_all(head.as_bytes()).await.map_err(broken)?;
        let mut head = [0; b"HTTP/1.1 200".len()];
        stream.read_exact(&mut head).await.map_err(broken)?;
        let Some(status) = status(&head) else {
            let text = format_args!("{place}: does not speak HTTP/1.1");
            return Err(Failure::new(FailureKind::Protocol, text));
        };
        if request.status.iter().any(|range| range.contains(&status)) {
            return Ok(());
        }
        let text = format_args!("{place}: unexpected status {status}");
        Err(Failure::new(FailureKind::NotReady, text))
    }
}

/// The status code of `HTTP/1.1 200`.
fn status(line: &[u8; 12]) -> Option<u16> {
    let (version, code) = line.split_at(b"HTTP/1.1 ".len());
    let is_http = version.starts_with(b"HTTP/1.") && code.iter().all(u8::is_ascii_digit);
    let code = std::str::from_utf8(code).ok().filter(|_| is_http)?;
    code.parse().ok()
}

impl Check for App {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        let targets = self.addresses.iter();
        let targets = targets.map(|address| address.target(self.request.as_ref()));
        targets.collect::<Vec<_>>().join(", ")
    }

    fn run(&mut self, within: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(self.ask(within))
    }
}
