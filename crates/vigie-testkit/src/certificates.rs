//! A certificate authority for one test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::server::{client, output};
use crate::{Error, tools};

/// A CA and its certificates.
pub struct Certificates {
    directory: TempDir,
}

/// The parts of a certificate that differ.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// The common name.
    pub common_name: &'a str,
    /// The name of the certificate that signs it; `None`: it signs itself.
    pub issuer: Option<&'a str>,
    /// How long it is valid; less than 0: it has expired.
    pub days: i32,
    /// Lines of extensions as openssl reads them. Without any it is a certificate of version 1.
    pub extensions: &'a str,
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
        let kind = Kind {
            common_name: name,
            issuer: Some("ca"),
            days,
            extensions: "subjectAltName=IP:127.0.0.1",
        };
        self.make(name, kind).await
    }

    /// Makes a certificate and its key. The CA's own name is `ca`.
    ///
    /// # Errors
    /// When openssl refuses.
    pub async fn make(&self, name: &str, kind: Kind<'_>) -> Result<(PathBuf, PathBuf), Error> {
        let subject = format!("/CN={}", kind.common_name);
        self.request(name, &["-subj", &subject]).await?;
        let (certificate, key) = (
            self.path(&format!("{name}.pem")),
            self.path(&format!("{name}.key")),
        );
        let mut sign = client(tools::OPENSSL)?;
        sign.current_dir(self.directory.path())
            .args(["x509", "-req", "-days", &kind.days.to_string()])
            .args([
                "-in",
                &format!("{name}.pem"),
                "-out",
                &format!("{name}.pem"),
            ]);
        match kind.issuer {
            Some(issuer) => sign
                .args([
                    "-CA",
                    &format!("{issuer}.pem"),
                    "-CAkey",
                    &format!("{issuer}.key"),
                ])
                .arg("-CAcreateserial"),
            None => sign.args(["-signkey", &format!("{name}.key")]),
        };
        if !kind.extensions.is_empty() {
            let extensions = self.path(&format!("{name}.ext"));
            std::fs::write(&extensions, kind.extensions).map_err(Error::io("the extensions"))?;
            sign.arg("-extfile").arg(extensions);
        }
        output("openssl", sign).await?;
        Ok((certificate, key))
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
