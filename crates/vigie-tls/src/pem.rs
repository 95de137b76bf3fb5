//! Certificates and keys in PEM format, in files that may be replaced while the program runs.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;
use crate::x509::Certificate;

/// No bundle of certificates is larger; a wrong path must not be read without end.
const LARGEST: u64 = 4 << 20;

/// Certificates or a key in PEM format. `Debug` shows no key.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file, which is read anew each time.
    File(PathBuf),
    /// In the address itself.
    Text(String),
}

impl Pem {
    /// Tells whether certificates can be used.
    ///
    /// # Errors
    /// When the file cannot be read, holds none, or one that cannot be understood.
    pub fn judge_certificates(&self) -> Result<(), Error> {
        self.certificates().map(drop)
    }

    /// Tells whether a key can be used. The error says nothing of its content.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn judge_key(&self) -> Result<(), Error> {
        self.key().map(drop)
    }

    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        certificates(&self.read()?).map_err(|reason| self.unusable(reason))
    }

    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        key(&self.read()?).map_err(|reason| self.unusable(reason))
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::File(path) => read(path).map_err(|reason| self.unusable(reason)),
            Self::Text(text) => Ok(text.clone().into_bytes()),
        }
    }

    fn unusable(&self, reason: impl fmt::Display) -> Error {
        Error::Unusable {
            source_name: match self {
                Self::File(path) => path.display().to_string(),
                Self::Text(_) => "the PEM text in the address".to_owned(),
            },
            reason: reason.to_string(),
        }
    }
}

impl From<&str> for Pem {
    fn from(text: &str) -> Self {
        match text.trim_start().starts_with("-----BEGIN") {
            true => Self::Text(text.to_owned()),
            false => Self::File(text.into()),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

/// All certificates in a PEM text, of which each can be read.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|_| "it holds a certificate that is not valid PEM")?;
    if all.is_empty() {
        return Err("it holds no certificate in PEM format");
    }
    let readable = |der: &CertificateDer<'_>| Certificate::read(der).is_some();
    match all.iter().all(readable) {
        true => Ok(all),
        false => Err("it holds a certificate that cannot be understood"),
    }
}

/// The first private key in a PEM text.
pub(crate) fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    let holds = |text: &str| pem.windows(text.len()).any(|part| part == text.as_bytes());
    if holds("BEGIN ENCRYPTED PRIVATE KEY") || holds("Proc-Type: 4,ENCRYPTED") {
        return Err("the key is encrypted; a key without a password is needed");
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => "it holds no private key in PEM format",
        _ => "it holds a private key that is not valid PEM",
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    // Opening a FIFO would wait for a writer.
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    Ok(bytes)
}

/// The certificates that are trusted.
pub(crate) enum Roots {
    Certificates(Vec<CertificateDer<'static>>),
    /// Those of Mozilla, without the certificates around their keys.
    Mozilla(RootCertStore),
}

impl Roots {
    /// Those of the system, or where it has none, as in a minimal container image, those of Mozilla.
    pub(crate) fn of_system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            tracing::warn!(%error, "cannot read some root certificates of the system; they are not trusted");
        }
        match found.certs.is_empty() {
            true => Self::Mozilla(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
            false => Self::Certificates(found.certs),
        }
    }
}
