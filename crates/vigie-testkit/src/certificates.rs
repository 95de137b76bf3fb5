//! A certificate authority for one test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::server::{client, output};
use crate::{Error, tools};

/// A CA and its certificates.
pub struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// Creates a CA.
    ///
    /// # Errors
    /// If openssl is not installed.
    pub async fn new() -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("vigie-ca-").tempdir();
        let directory = directory.map_err(Error::io("a temporary directory"))?;
        // Servers run as another user.
        allow(directory.path(), 0o755)?;
        let ca = Self { directory };
        let subject = ["-x509", "-subj", "/CN=a test's CA", "-days", "2"];
        ca.request("ca", &subject).await?;
        Ok(ca)
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Signs a certificate with a key for 127.0.0.1 that is valid for this many days, or has expired.
    ///
    /// # Errors
    /// If openssl fails.
    pub async fn issue(&self, name: &str, days: i32) -> Result<(PathBuf, PathBuf), Error> {
        let subject = format!("/CN={name}");
        let names = ["-addext", "subjectAltName=IP:127.0.0.1"];
        self.request(name, &[&["-subj", &subject], &names[..]].concat())
            .await?;
        let mut sign = client(tools::OPENSSL)?;
        sign.current_dir(self.directory.path())
            .args(["x509", "-req", "-in", &format!("{name}.pem")])
            .args(["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"])
            .args(["-days", &days.to_string(), "-copy_extensions", "copy"])
            .args(["-out", &format!("{name}.pem")]);
        output("openssl", sign).await?;
        Ok((
            self.path(&format!("{name}.pem")),
            self.path(&format!("{name}.key")),
        ))
    }

    /// The directives and values that make a Redis or a Sentinel use TLS on this port with its own certificate.
    /// Clients need a certificate of the same CA, as do the servers as clients of each other.
    ///
    /// # Errors
    /// If openssl fails.
    pub async fn of_server(
        &self,
        name: &str,
        port: u16,
    ) -> Result<[(&'static str, String); 5], Error> {
        let (certificate, key) = self.issue(name, 2).await?;
        let shown = |path: PathBuf| path.display().to_string();
        Ok([
            ("tls-port", port.to_string()),
            ("tls-cert-file", shown(certificate)),
            ("tls-key-file", shown(key)),
            ("tls-ca-cert-file", shown(self.ca())),
            ("tls-replication", "yes".to_owned()),
        ])
    }

    /// A key, and a request or, with `-x509`, a certificate.
    async fn request(&self, name: &str, args: &[&str]) -> Result<(), Error> {
        let mut request = client(tools::OPENSSL)?;
        request
            .current_dir(self.directory.path())
            .args(["req", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:P-256", "-nodes", "-keyout"])
            .arg(format!("{name}.key"))
            .args(["-out", &format!("{name}.pem")])
            .args(args);
        output("openssl", request).await?;
        allow(&self.path(&format!("{name}.key")), 0o644)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn allow(path: &Path, mode: u32) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).map_err(Error::io("chmod"))
}
