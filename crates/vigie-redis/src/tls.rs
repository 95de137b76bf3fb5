//! Certificates and keys, in files that may be replaced while we run.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};

use crate::error::Error;

/// No bundle of certificates is larger; a wrong path must not be read without end.
const LARGEST: u64 = 4 << 20;

/// PEM files. They are read anew for every connection: certificates that were renewed are taken by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The CAs that may sign the server's certificate, instead of those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Our certificate, with those between it and its CA, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// Judges a file of certificates.
    ///
    /// # Errors
    /// When it cannot be read, or holds none, or one that cannot be understood.
    pub fn judge_certificates(path: &Path) -> Result<(), Error> {
        certificates_of(path).map(drop)
    }

    /// Judges the file of a key. The error says nothing of its content.
    ///
    /// # Errors
    /// When it cannot be read, or holds no key.
    pub fn judge_key(path: &Path) -> Result<(), Error> {
        key_of(path).map(drop)
    }

    /// A client for the server at `info`, with what the files hold now.
    pub(crate) fn client(&self, info: ConnectionInfo) -> Result<Client, Error> {
        let over_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if !over_tls || *self == Self::default() {
            return Client::open(info).map_err(Error::Redis);
        }
        let client_tls = self.client.as_ref().map(|(certificate, key)| {
            Ok(ClientTlsConfig {
                client_cert: certificates_of(certificate)?,
                client_key: key_of(key)?,
            })
        });
        let root_cert = self.ca.as_deref().map(certificates_of);
        let files = TlsCertificates {
            client_tls: client_tls.transpose()?,
            root_cert: root_cert.transpose()?,
        };
        Client::build_with_tls(info, files).map_err(Error::Redis)
    }
}

/// What a file of certificates holds, if these can be used.
fn certificates_of(path: &Path) -> Result<Vec<u8>, Error> {
    let pem = read(path)?;
    match certificates(&pem) {
        Ok(0) => Err(unusable(path, "it holds no certificate in PEM format")),
        Ok(_) => Ok(pem),
        Err(reason) => Err(unusable(path, reason)),
    }
}

/// What the file of a key holds, if it can be used.
fn key_of(path: &Path) -> Result<Vec<u8>, Error> {
    // What a key looks like is for the TLS library to say; a password on it we do not have.
    let pem = read(path)?;
    let holds = |text: &str| pem.windows(text.len()).any(|part| part == text.as_bytes());
    if holds("BEGIN ENCRYPTED PRIVATE KEY") || holds("Proc-Type: 4,ENCRYPTED") {
        return Err(unusable(
            path,
            "the key is encrypted; a key without a password is needed",
        ));
    }
    if !holds("PRIVATE KEY-----") {
        return Err(unusable(path, "it holds no private key in PEM format"));
    }
    Ok(pem)
}

/// How many certificates there are.
fn certificates(pem: &[u8]) -> Result<usize, String> {
    let begin = b"-----BEGIN CERTIFICATE-----";
    let count = pem
        .windows(begin.len())
        .filter(|part| part == begin)
        .count();
    // Judged by whoever will use them.
    let files = TlsCertificates {
        client_tls: None,
        root_cert: Some(pem.to_vec()),
    };
    match Client::build_with_tls("rediss://127.0.0.1", files) {
        Ok(_) => Ok(count),
        Err(error) => Err(error.to_string()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(path, error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unusable(path, format_args!("larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

fn unusable(path: &Path, reason: impl fmt::Display) -> Error {
    Error::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Why two sides do not trust each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The server's certificate is signed by nobody we trust.
    UnknownCa,
    /// The server's certificate has expired.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The server's certificate is for another host.
    OtherHost,
    /// The server wants a certificate of ours.
    ClientCertificateMissing,
    /// The server trusts the CA of our certificate not.
    ClientCaUnknown,
    /// Our certificate has expired.
    ClientCertificateExpired,
    /// The server does not accept our certificate for another reason.
    ClientCertificateRefused,
    /// The key is not that of the certificate.
    OtherKey,
    /// The server presents a CA's certificate as its own.
    CaAsServer,
    /// What answers does not speak TLS.
    NotTls,
}

impl TlsProblem {
    /// What the TLS library means: it says so only in text, once its error has gone through two others.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        // RFC 8446, section 6.2, has the alerts; those of the peer are about our own certificate.
        let known = [
            ("alert: CertificateRequired", Self::ClientCertificateMissing),
            ("alert: UnknownCA", Self::ClientCaUnknown),
            ("alert: CertificateExpired", Self::ClientCertificateExpired),
            ("alert: BadCertificate", Self::ClientCertificateRefused),
            (
                "alert: UnsupportedCertificate",
                Self::ClientCertificateRefused,
            ),
            ("alert: CertificateRevoked", Self::ClientCertificateRefused),
            ("alert: CertificateUnknown", Self::ClientCertificateRefused),
            ("alert: AccessDenied", Self::ClientCertificateRefused),
            ("certificate: UnknownIssuer", Self::UnknownCa),
            ("certificate: BadSignature", Self::UnknownCa),
            ("certificate: certificate expired", Self::Expired),
            ("certificate: Expired", Self::Expired),
            ("certificate: certificate not valid yet", Self::NotYetValid),
            ("certificate: NotValidYet", Self::NotYetValid),
            ("certificate: certificate not valid for", Self::OtherHost),
            ("certificate: NotValidForName", Self::OtherHost),
            ("CaUsedAsEndEntity", Self::CaAsServer),
            ("KeyMismatch", Self::OtherKey),
            ("InvalidContentType", Self::NotTls),
        ];
        let found = known.iter().find(|(said, _)| text.contains(said));
        found.map(|(_, problem)| *problem)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::UnknownCa => "set redis.ca_file to the CA that signed the server's certificate",
            Self::Expired => "renew the server's certificate",
            Self::NotYetValid => "compare the clocks of this machine and the server's",
            Self::OtherHost => "name the host in redis.url as the server's certificate does",
            Self::ClientCertificateMissing => {
                "set redis.cert_file and redis.key_file to a certificate that the server accepts"
            }
            Self::ClientCaUnknown | Self::ClientCertificateRefused => {
                "let redis.cert_file be signed by the CA that the server trusts"
            }
            Self::ClientCertificateExpired => "renew the certificate in redis.cert_file",
            Self::CaAsServer => {
                "give the server a certificate of its own, signed by this CA and without CA:TRUE"
            }
            Self::OtherKey => "redis.key_file must hold the key of redis.cert_file",
            Self::NotTls => "does the server speak TLS on this port? else write redis://",
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCa => "the server's certificate is signed by a CA that is not trusted",
            Self::Expired => "the server's certificate has expired",
            Self::NotYetValid => "the server's certificate is not valid yet",
            Self::OtherHost => "the server's certificate is for another host",
            Self::ClientCertificateMissing => "the server wants a client certificate",
            Self::ClientCaUnknown => {
                "our client certificate is signed by a CA that the server does not trust"
            }
            Self::ClientCertificateExpired => "our client certificate has expired",
            Self::ClientCertificateRefused => "the server does not accept our client certificate",
            Self::CaAsServer => {
                "the server presents a CA certificate as its own, which is not accepted"
            }
            Self::OtherKey => "the key is not that of our client certificate",
            Self::NotTls => "what answers does not speak TLS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_in_place_of_a_server_certificate_has_a_name() {
        let text = "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))";
        let problem = TlsProblem::in_text(text);
        assert_eq!(problem, Some(TlsProblem::CaAsServer));
        assert!(!problem.map_or("", TlsProblem::advice).contains("redis."));
    }
}
