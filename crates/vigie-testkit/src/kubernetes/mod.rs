//! A minimal API server of Kubernetes for Leases, since no package contains the real one.
//!
//! It uses HTTPS with its own CA, has one namespace and one account with a token, and implements the rules of the
//! real one for Leases: see `objects`.

mod objects;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::{Certificates, Error};
use objects::{Objects, Request};

const NAME: &str = "the API server";
/// The timeout of idle connections.
const IDLE: Duration = Duration::from_secs(60);
/// The maximum size of a request.
const HEAD: u64 = 16 << 10;
const BODY: usize = 1 << 20;

/// How the server handles requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// Normally.
    #[default]
    Well,
    /// Without executing them, and without an answer.
    Hangs,
    /// Normally, but without an answer.
    Mute,
    /// Without executing them, with status 500.
    Fails,
}

/// The server, and the account directory of a Pod.
pub struct ApiServer {
    addr: SocketAddr,
    objects: Arc<Mutex<Objects>>,
    mood: watch::Sender<Mood>,
    accepting: JoinHandle<()>,
    account: TempDir,
    _certificates: Certificates,
}

impl ApiServer {
    /// Starts it on a free port, with one namespace and no Lease.
    ///
    /// # Errors
    /// If openssl is not installed.
    pub async fn start(namespace: &str) -> Result<Self, Error> {
        let certificates = Certificates::new().await?;
        let (certificate, key) = certificates.issue("kubernetes", 2).await?;
        let account = tempfile::Builder::new().prefix("vigie-account-").tempdir();
        let account = account.map_err(Error::io("a temporary directory"))?;
        let write = |name: &str, bytes: &[u8]| {
            fs::write(account.path().join(name), bytes).map_err(Error::io(name))
        };
        let ca = fs::read(certificates.ca()).map_err(Error::io("ca.pem"))?;
        write("ca.crt", &ca)?;
        write("namespace", namespace.as_bytes())?;
        write("token", b"token-0\n")?;
        let acceptor = TlsAcceptor::from(tls(&certificate, &key)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(Error::io("a port for the API server"))?;
        let addr = listener
            .local_addr()
            .map_err(Error::io("a port for the API server"))?;
        let objects = Arc::new(Mutex::new(Objects::new(namespace, "token-0")));
        let (mood, of_connections) = watch::channel(Mood::Well);
        let accepting = accept(listener, acceptor, Arc::clone(&objects), of_connections);
        Ok(Self {
            addr,
            objects,
            mood,
            accepting: tokio::spawn(accepting),
            account,
            _certificates: certificates,
        })
    }

    /// Its address: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The directory with `token`, `ca.crt` and `namespace`.
    pub fn account(&self) -> &Path {
        self.account.path()
    }

    /// Changes the handling of requests. Open connections stay open.
    pub fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// The verbs that are allowed on Leases; initially `get`, `create` and `update`.
    pub fn allow(&self, verbs: &[&str]) {
        self.objects().allow(verbs);
    }

    /// Replaces the token of the account; the previous one becomes invalid.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn rotate_token(&self) -> Result<(), Error> {
        let token = self.objects().rotate_token();
        fs::write(self.account().join("token"), token).map_err(Error::io("token"))
    }

    /// The current Lease.
    pub fn lease(&self, name: &str) -> Option<Value> {
        self.objects().lease(name)
    }

    /// Changes a Lease, as `kubectl edit` does.
    ///
    /// # Panics
    /// If it does not exist.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.objects().edit(name, change);
    }

    /// Deletes a Lease, as `kubectl delete` does.
    pub fn delete(&self, name: &str) {
        self.objects().delete(name);
    }

    /// The requests so far: methods and paths.
    pub fn asked(&self) -> Vec<String> {
        self.objects().asked.clone()
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        lock(&self.objects)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(objects: &Mutex<Objects>) -> MutexGuard<'_, Objects> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::protocol(NAME, error.to_string());
    let certificate = CertificateDer::from_pem_file(certificate).map_err(|error| wrong(&error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|error| wrong(&error))?;
    Ok(Arc::new(config))
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    objects: Arc<Mutex<Objects>>,
    mood: watch::Receiver<Mood>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (acceptor, objects, mood) = (acceptor.clone(), Arc::clone(&objects), mood.clone());
        tokio::spawn(async move {
            // A client that does not trust the CA disconnects.
            let _ = serve(stream, acceptor, &objects, mood).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    objects: &Mutex<Objects>,
    mood: watch::Receiver<Mood>,
) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    loop {
        let request = match timeout(IDLE, read(&mut stream)).await {
            Ok(Ok(Some(request))) => request,
            _ => return Ok(()),
        };
        let mood = *mood.borrow();
        let line = format!("{} {}", request.method, request.path);
        lock(objects).asked.push(line);
        let (status, body) = match mood {
            Mood::Well | Mood::Mute => lock(objects).answer(&request),
            Mood::Hangs => (0, Value::Null),
            Mood::Fails => objects::failure(500, "InternalError", "etcdserver: request timed out"),
        };
        if matches!(mood, Mood::Hangs | Mood::Mute) {
            // Until the client disconnects.
            let _ = timeout(IDLE, stream.read_u8()).await;
            return Ok(());
        }
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

/// `None`: the client disconnected.
async fn read(
    stream: &mut (impl AsyncBufReadExt + AsyncReadExt + Unpin),
) -> io::Result<Option<Request>> {
    let mut request = Request::default();
    let mut length = 0;
    let mut head = (&mut *stream).take(HEAD);
    let mut line = String::new();
    if head.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    request.method = words.next().unwrap_or_default();
    request.path = words.next().unwrap_or_default();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_owned),
            "content-type" => request.is_json = value == "application/json",
            "content-length" => length = value.parse().unwrap_or(usize::MAX),
            _ => {}
        }
    }
    if length > BODY {
        return Err(io::Error::other("the body is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    request.body = serde_json::from_slice(&body).ok();
    Ok(Some(request))
}
