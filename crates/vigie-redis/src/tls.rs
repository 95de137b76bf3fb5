//! Certificates and keys for a connection to Redis.

use std::path::{Path, PathBuf};

use vigie_tls::{Pem, Tls, TlsProblem, Verify};

use crate::error::Error;

/// PEM files. They are read for every connection, so that a renewed certificate is used from the next one on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The trusted root certificates, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The client's certificate, with intermediate certificates, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// Checks whether a file of certificates can be used.
    ///
    /// # Errors
    /// If it cannot be read, or contains no certificate or an invalid one.
    pub fn judge_certificates(path: &Path) -> Result<(), Error> {
        Ok(Pem::File(path.to_owned()).judge_certificates()?)
    }

    /// Checks whether the file of a key can be used. The error does not quote its content.
    ///
    /// # Errors
    /// If it cannot be read, or contains no key.
    pub fn judge_key(path: &Path) -> Result<(), Error> {
        Ok(Pem::File(path.to_owned()).judge_key()?)
    }

    /// The certificate must match the host name, as Node.js requires.
    pub(crate) fn settings(&self) -> Tls {
        let client = self.client.clone();
        Tls {
            roots: self.ca.clone().map(Pem::File),
            client: client.map(|(certificate, key)| (Pem::File(certificate), Pem::File(key))),
            verify: Verify::ChainAndName,
        }
    }
}

/// The setting to change, or another remedy.
pub(crate) fn advice(problem: TlsProblem) -> &'static str {
    use TlsProblem as Is;
    match problem {
        Is::UnknownCa => "set redis.ca_file to the CA that signed the server's certificate",
        Is::Expired | Is::OtherPurpose | Is::Algorithm | Is::Certificate => {
            "renew the server's certificate"
        }
        Is::CaExpired => "renew the CA's certificate in redis.ca_file",
        Is::NotYetValid => "compare the clocks of this machine and the server's",
        Is::OtherHost | Is::UnknownHost => {
            "name the host in redis.url as the server's certificate does"
        }
        Is::ClientCertificateMissing => {
            "set redis.cert_file and redis.key_file to a certificate that the server accepts"
        }
        Is::ClientCaUnknown | Is::ClientCertificateRefused => {
            "let redis.cert_file be signed by the CA that the server trusts"
        }
        Is::ClientCertificateExpired => "renew the certificate in redis.cert_file",
        Is::OtherKey => "redis.key_file must hold the key of redis.cert_file",
        Is::NotTls => "does the server speak TLS on this port? else write redis://",
        _ => "check the TLS settings of the server, and its log",
    }
}
