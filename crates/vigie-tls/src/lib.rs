//! TLS to the servers that are watched: certificates in files, a verifier, and errors in words.
//!
//! One verifier serves Redis, PostgreSQL and MySQL. It accepts the certificates that the clients of the watched backend
//! accept, which are those of OpenSSL (libpq, redis-cli, Node.js):
//!
//! - a certificate that is itself one of the configured roots, even if it says that it is a CA's;
//! - a certificate of version 1, or a CA's, that a configured root has signed;
//! - a common name in place of an alternative name, if the certificate has no alternative name of that kind;
//! - and no certificate that stands below a root that has expired.
//!
//! Unlike OpenSSL without `X509_V_FLAG_PARTIAL_CHAIN`, it accepts an intermediate CA as a root.
//!
//! Files are read anew for every connection, so a renewed certificate counts from the next connection on.

mod end_point;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod name;
mod pem;
mod problem;
mod verifier;
mod x509;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::pem::Roots;
use crate::verifier::Verifier;

pub use end_point::end_point;
pub use error::Error;
pub use pem::Pem;
pub use problem::TlsProblem;
pub use tokio_rustls::client::TlsStream;

/// How far the server's certificate is verified; a later one is stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verify {
    /// Not at all.
    Nothing,
    /// As [`Verify::Chain`] if the file of the roots exists; otherwise not at all, as libpq has it.
    ChainIfPresent,
    /// A root has signed it, and it is valid now.
    Chain,
    /// Also, it names the host.
    #[default]
    ChainAndName,
}

/// How to speak TLS with a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The trusted roots; `None` stands for those of the system.
    pub roots: Option<Pem>,
    /// The client's certificate, with those between it and its CA, and its key.
    pub client: Option<(Pem, Pem)>,
    /// How far the server's certificate is verified.
    pub verify: Verify,
}

impl Tls {
    /// Reads the files, so that a mistake in them shows before there is a connection. The caller bounds the time.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub async fn prepare(&self) -> Result<Prepared, Error> {
        let tls = self.clone();
        // A file on a network may take its time.
        let config = tokio::task::spawn_blocking(move || tls.config());
        let config = config.await.map_err(|_| Error::Interrupted)??;
        Ok(Prepared(Arc::new(config)))
    }

    /// The configuration by the current content of the files.
    fn config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verify = match (self.verify, &self.roots) {
            (Verify::ChainIfPresent, Some(Pem::File(path))) if !path.exists() => Verify::Nothing,
            (Verify::ChainIfPresent, None) => Verify::Nothing,
            (Verify::ChainIfPresent, Some(_)) => Verify::Chain,
            (verify, _) => verify,
        };
        let roots = match (verify, &self.roots) {
            (Verify::Nothing, _) => Roots::Certificates(Vec::new()),
            (_, Some(pem)) => Roots::Certificates(pem.certificates()?),
            (_, None) => Roots::of_system(),
        };
        let verifier = Verifier::new(&provider, roots, verify);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::of(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        match &self.client {
            Some((certificate, key)) => config
                .with_client_auth_cert(certificate.certificates()?, key.key()?)
                .map_err(|error| Error::of(&error)),
            None => Ok(config.with_no_client_auth()),
        }
    }
}

/// TLS with the certificates that the files held a moment ago.
#[derive(Clone)]
pub struct Prepared(Arc<ClientConfig>);

impl Prepared {
    /// Makes the handshake with `host` over a connection. The caller bounds its time.
    ///
    /// # Errors
    /// When the two sides do not agree, or the connection breaks.
    pub async fn connect<S>(self, host: &str, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Name)?;
        let connecting = TlsConnector::from(self.0).connect(name, stream);
        connecting.await.map_err(Error::handshake)
    }
}
