//! The HTTP side of the receivers.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Service;
use super::rules;
use crate::post;
use crate::{Error, SOON};

/// The largest body.
const BODY: usize = 16 << 20;
/// The timeout for receiving a request.
const ARRIVES: Duration = SOON;
/// The most requests that are recorded.
const POSTED: usize = 10_000;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The path, with the query.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The mistake that the service would refuse it for.
    pub refused: Option<String>,
}

impl Posted {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as JSON, `null` if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// An answer in place of the service's.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, headers and a body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// None, on an open connection.
    Hang,
    /// None: the connection is closed.
    Close,
    /// Bytes that are not HTTP.
    Garbage,
    /// A success whose body does not end.
    Endless,
}

/// A server that stands for a service.
pub struct Receiver {
    scheme: &'static str,
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    service: Service,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    posted: Vec<Posted>,
    answers: VecDeque<Answer>,
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Errors
    /// If the port is not available.
    pub async fn start(service: Service) -> Result<Self, Error> {
        Self::listen(service, None).await
    }

    /// The same with TLS, by a certificate and its key in PEM files.
    ///
    /// # Errors
    /// If the port is not available, or the files cannot be used.
    pub async fn start_tls(
        service: Service,
        certificate: &Path,
        key: &Path,
    ) -> Result<Self, Error> {
        let unusable = |error: &dyn std::fmt::Display| Error::protocol("TLS", error.to_string());
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
            .map_err(|error| unusable(&error))?
            .collect();
        let certificates = certificates.map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| unusable(&error))?;
        Self::listen(service, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(service: Service, tls: Option<TlsAcceptor>) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(Error::io("a port for a receiver"))?;
        let addr = listener.local_addr();
        let addr = addr.map_err(Error::io("a port for a receiver"))?;
        let shared = Arc::new(Shared {
            service,
            state: Mutex::default(),
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Ok(Self {
            scheme,
            addr,
            shared,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.addr)
    }

    /// Answers the next request so; further ones are queued.
    pub fn answer(&self, answer: Answer) {
        self.shared.lock().answers.push_back(answer);
    }

    /// The requests so far.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.lock().posted.clone()
    }

    /// The last request.
    #[must_use]
    pub fn last(&self) -> Option<Posted> {
        self.shared.lock().posted.last().cloned()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, mut posted: Posted) -> Answer {
        let judged = rules::judge(self.service, &posted);
        let answer = match judged {
            Ok(answer) => answer,
            Err((reason, answer)) => {
                posted.refused = Some(reason);
                answer
            }
        };
        let mut state = self.lock();
        if state.posted.len() < POSTED {
            state.posted.push(posted);
        }
        state.answers.pop_front().unwrap_or(answer)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        // A sender that disconnects fails its own test.
        connections.spawn(async move {
            match tls {
                Some(tls) => {
                    let stream = timeout(ARRIVES, tls.accept(stream)).await??;
                    serve(BufReader::new(stream), &shared).await
                }
                None => serve(BufReader::new(stream), &shared).await,
            }
        });
    }
}

/// One request for each connection.
async fn serve<S>(mut stream: BufReader<S>, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(posted) = timeout(ARRIVES, read(&mut stream)).await else {
        return Ok(());
    };
    match shared.take(posted?) {
        Answer::Http(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let length = body.len();
            let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
        Answer::Hang => {
            let mut rest = Vec::new();
            // Until the sender gives up.
            stream.read_to_end(&mut rest).await.map(drop)
        }
        Answer::Close => Ok(()),
        Answer::Garbage => {
            stream.write_all(b"\0\x01nonsense\r\n\r\n").await?;
            stream.shutdown().await
        }
        Answer::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
                .await?;
            loop {
                stream.write_all(&[b'x'; 8 << 10]).await?;
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Posted> {
    let invalid = |mistake| io::Error::new(io::ErrorKind::InvalidData, mistake);
    let post = post::read(stream, BODY).await?.map_err(invalid)?;
    let body = String::from_utf8(post.body);
    Ok(Posted {
        path: post.path,
        headers: post.headers,
        body: body.map_err(|error| invalid(error.to_string()))?,
        refused: None,
    })
}
