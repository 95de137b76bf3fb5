//! A gateway in front of an app whose bytes the test writes itself.
#![allow(dead_code, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use vigie_gateway::{Gateway, Running, Settings};
use vigie_metrics::{Format, Registry};
pub(crate) use vigie_testkit::SOON;
use vigie_testkit::promtext::{self, Scrape};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// The timeouts of the gateway, unless the test sets them: a condition that comes true only because of one is not seen in time.
const LATE: Duration = Duration::from_secs(10 * SOON.as_secs());

pub(crate) struct Fixture {
    pub(crate) gateway: Running,
    pub(crate) registry: Registry,
}

impl Fixture {
    pub(crate) fn start(app: SocketAddr, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::listening(listener, app, change)
    }

    pub(crate) fn listening(
        listener: std::net::TcpListener,
        app: SocketAddr,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::new(app.to_string());
        for timeout in [
            &mut settings.header_timeout,
            &mut settings.connect_timeout,
            &mut settings.response_timeout,
            &mut settings.body_timeout,
            &mut settings.keep_alive,
        ] {
            *timeout = LATE;
        }
        change(&mut settings);
        let registry = Registry::new();
        let gateway = Gateway::new(settings, &registry).unwrap();
        let gateway = gateway.start(listener).unwrap();
        Self { gateway, registry }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.gateway.address()
    }

    pub(crate) fn scrape(&self) -> Scrape {
        let page = self.registry.expose(Format::Text);
        Scrape::parse(&page, promtext::Format::Text).unwrap()
    }

    /// How often requests were recorded with this code.
    pub(crate) fn recorded(&self, code: &str) -> f64 {
        let name = "http_request_duration_seconds_count";
        self.scrape().sum(name, &[("code", code)])
    }

    pub(crate) fn failed(&self, reason: &str) -> f64 {
        let scrape = self.scrape();
        scrape
            .value("vigie_gateway_errors_total", &[("reason", reason)])
            .unwrap()
    }
}

/// An app that the test plays itself.
pub(crate) struct App {
    listener: TcpListener,
}

impl App {
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Whether no further connection comes for a moment.
    pub(crate) async fn has_no_connection(&self) -> bool {
        let quiet = Duration::from_millis(100);
        timeout(quiet, self.listener.accept()).await.is_err()
    }

    pub(crate) async fn accept(&self) -> Peer {
        let accepted = timeout(SOON, self.listener.accept()).await;
        Peer(accepted.expect("the gateway connects").unwrap().0)
    }
}

/// One side of a connection, byte by byte.
pub(crate) struct Peer(pub(crate) TcpStream);

impl Peer {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until `end` has been seen, and returns all of it.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        let reading = async {
            while !read.ends_with(end.as_bytes()) {
                read.push(self.0.read_u8().await?);
            }
            std::io::Result::Ok(())
        };
        let ended = timeout(SOON, reading).await;
        let text = String::from_utf8_lossy(&read).into_owned();
        assert!(matches!(ended, Ok(Ok(()))), "no {end:?} in {text:?}");
        text
    }

    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Waits until the other side has closed.
    pub(crate) async fn closed(&mut self) {
        let mut buffer = [0; 1024];
        let reading = async { while !matches!(self.0.read(&mut buffer).await, Ok(0) | Err(_)) {} };
        timeout(SOON, reading).await.expect("the connection closes");
    }

    pub(crate) async fn silent(&mut self, quiet: Duration) {
        let read = timeout(quiet, self.0.read_u8()).await;
        assert!(read.is_err(), "expected silence, got {read:?}");
    }
}
