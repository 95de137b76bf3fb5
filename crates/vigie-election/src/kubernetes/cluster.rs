//! The address of the API server and the service account, as Kubernetes provides them to every Pod ("Accessing the
//! Kubernetes API from a Pod" in its documentation).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::error::Error;

/// The directory with the token, CA and namespace of a Pod's account.
pub const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Larger than any token or certificate bundle; a wrong path must not be read without limit.
const LARGEST: u64 = 1 << 20;

/// An API server, and the account to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// A name or an IP address.
    host: String,
    port: u16,
    /// The directory with `token`, `ca.crt` and `namespace`.
    account: PathBuf,
}

impl Cluster {
    /// The cluster of this Pod, from the variables that the kubelet sets.
    ///
    /// # Errors
    /// If they are not set.
    pub fn of_this_pod(account: &Path) -> Result<Self, Error> {
        let variable = |variable| {
            let value = std::env::var(variable).ok();
            let value = value.filter(|value| !value.is_empty());
            value.ok_or(Error::NoCluster { variable })
        };
        let host = variable("KUBERNETES_SERVICE_HOST")?;
        let port = "KUBERNETES_SERVICE_PORT";
        let number = variable(port)?.parse();
        let number = number.map_err(|_| Error::NoCluster { variable: port })?;
        Ok(Self::new(host, number, account))
    }

    /// The cluster at this address.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, account: &Path) -> Self {
        Self {
            host: host.into(),
            port,
            account: account.to_owned(),
        }
    }

    /// Host and port, as in a URL.
    pub(crate) fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    pub(crate) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(self.host.clone()).map_err(|error| Error::Connect {
            address: self.address(),
            reason: error.to_string(),
        })
    }

    /// Trusts only certificates signed by the account's CA, which is read for each connection because it is rotated.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let pem = self.read("ca.crt")?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|der| roots.add(der).map_err(|error| error.to_string()));
            added.map_err(|reason| self.unusable("ca.crt", reason))?;
        }
        if roots.is_empty() {
            return Err(self.unusable("ca.crt", "it does not contain a certificate in PEM format"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.unusable("ca.crt", error.to_string()))?;
        let config = config.with_root_certificates(roots);
        Ok(Arc::new(config.with_no_client_auth()))
    }

    /// `Authorization: Bearer …`, read for each request: the kubelet replaces the token before it expires.
    pub(crate) fn authorization(&self) -> Result<HeaderValue, Error> {
        let token = self.text("token")?;
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value = value.map_err(|_| self.unusable("token", "it does not contain a token"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The namespace of the Pod.
    pub(crate) fn namespace(&self) -> Result<String, Error> {
        let namespace = self.text("namespace")?;
        // It becomes part of a path.
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match namespace.chars().all(allowed) {
            true => Ok(namespace),
            false => Err(self.unusable("namespace", "it does not contain the name of a namespace")),
        }
    }

    /// Reads a single line. The error does not quote it.
    fn text(&self, name: &str) -> Result<String, Error> {
        let text = String::from_utf8(self.read(name)?);
        let text = text.map_err(|_| self.unusable(name, "it is not UTF-8 text"))?;
        match text.trim() {
            "" => Err(self.unusable(name, "it is empty")),
            text => Ok(text.to_owned()),
        }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        File::open(self.account.join(name))
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| self.unusable(name, error.to_string()))?;
        if bytes.len() as u64 > LARGEST {
            return Err(self.unusable(name, format!("it is larger than {LARGEST} bytes")));
        }
        Ok(bytes)
    }

    fn unusable(&self, name: &str, reason: impl Into<String>) -> Error {
        Error::Account {
            path: self.account.join(name),
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses() {
        for (host, address) in [
            ("10.0.0.1", "10.0.0.1:443"),
            ("fd00::1", "[fd00::1]:443"),
            ("kubernetes.default", "kubernetes.default:443"),
        ] {
            let cluster = Cluster::new(host, 443, ACCOUNT.as_ref());
            assert_eq!(cluster.address(), address);
            assert!(cluster.server_name().is_ok());
        }
        assert!(
            Cluster::new("a b", 1, ACCOUNT.as_ref())
                .server_name()
                .is_err()
        );
    }

    #[test]
    fn invalid_files() {
        let account = tempfile::tempdir().unwrap();
        let cluster = Cluster::new("h", 1, account.path());
        let missing = cluster.authorization().unwrap_err().to_string();
        assert!(missing.contains("token: No such file"), "{missing}");
        let write = |name: &str, text: &str| {
            std::fs::write(account.path().join(name), text).unwrap();
        };
        write("token", "secret\nline\n");
        let wrong = cluster.authorization().unwrap_err().to_string();
        assert!(!wrong.contains("secret"), "{wrong}");
        write("token", "secret\n");
        let token = cluster.authorization().unwrap();
        assert_eq!(token, "Bearer secret");
        assert!(!format!("{token:?}").contains("secret"));
        for text in ["../x", "", "A"] {
            write("namespace", text);
            assert!(cluster.namespace().is_err(), "{text}");
        }
        write("namespace", "shop-1\n");
        assert_eq!(cluster.namespace().unwrap(), "shop-1");
        write(
            "ca.crt",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        assert!(cluster.tls().is_err());
        write("ca.crt", "none");
        let none = cluster.tls().unwrap_err().to_string();
        assert!(none.contains("a certificate in PEM format"), "{none}");
    }
}
