//! TLS parameters of the `mysql` client, mysql2 and Prisma.

use serde_json::{Map, Value};
use vigie_tls::{Pem, Tls, Verify};

use crate::address::UrlError;
use crate::sql::parameters::{client_certificate, wrong};
use crate::sql::tls::{Demand, Policy};

const UNSUPPORTED: &str = "has a value that is not supported";

/// The parameters for TLS.
#[derive(Default)]
pub(super) struct Words {
    mode: Option<String>,
    ssl: Option<String>,
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    accept: Option<String>,
    identity: Option<String>,
    password: Option<String>,
}

impl Words {
    /// Takes a parameter if it is about TLS.
    pub(super) fn take(&mut self, key: &str, value: &str) -> bool {
        let place = match key {
            "ssl-mode" | "sslmode" | "ssl_mode" => &mut self.mode,
            "ssl" => &mut self.ssl,
            "ssl-ca" | "sslca" | "ssl_ca" => &mut self.roots,
            "ssl-cert" | "sslcert" | "ssl_cert" => &mut self.certificate,
            "ssl-key" | "sslkey" | "ssl_key" => &mut self.key,
            "sslaccept" => &mut self.accept,
            "sslidentity" => &mut self.identity,
            "sslpassword" => &mut self.password,
            _ => return false,
        };
        *place = Some(value.to_owned());
        true
    }

    pub(super) fn policy(&self) -> Result<Policy, UrlError> {
        if let (None, Some(ssl)) = (&self.mode, &self.ssl) {
            return from_mysql2(ssl, self.roots.as_deref());
        }
        let client = client_certificate(
            self.certificate.as_deref(),
            self.key.as_deref(),
            self.password.as_deref(),
            self.identity.as_deref(),
        )?;
        let mode = self.mode.as_deref().map(str::to_ascii_lowercase);
        let (demand, mut verify) = match mode.as_deref() {
            // As in the client: a configured root implies TLS.
            None if self.roots.is_some() => (Demand::Always, Verify::Chain),
            None | Some("preferred" | "prefer") => (Demand::IfPossible, Verify::Nothing),
            Some("disabled" | "disable") => (Demand::Never, Verify::Nothing),
            Some("required" | "require" | "no-verify") => (Demand::Always, Verify::Nothing),
            Some("verify_ca" | "verify-ca") => (Demand::Always, Verify::Chain),
            Some("verify_identity" | "verify-full" | "verify-identity") => {
                (Demand::Always, Verify::ChainAndName)
            }
            Some(_) => return Err(wrong("ssl-mode", UNSUPPORTED)),
        };
        match self.accept.as_deref() {
            Some("strict") => verify = Verify::ChainAndName,
            Some("accept_invalid_certs") => verify = Verify::Nothing,
            Some(_) => return Err(wrong("sslaccept", UNSUPPORTED)),
            None => {}
        }
        // Prisma's `sslcert` is the server's root, because it takes the client's certificate from `sslidentity`.
        let prisma = self.certificate.as_deref().filter(|_| client.is_none());
        Ok(Policy {
            demand,
            tls: Tls {
                roots: self.roots.as_deref().or(prisma).map(Pem::from),
                client,
                verify,
            },
        })
    }
}

/// `ssl={"rejectUnauthorized":true}`: options of Node.js.
fn from_mysql2(text: &str, roots: Option<&str>) -> Result<Policy, UrlError> {
    let policy = |demand, verify| Policy {
        demand,
        tls: Tls {
            roots: roots.map(Pem::from),
            client: None,
            verify,
        },
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(options)) => {
            let mut policy = policy(Demand::Always, verify(&options)?);
            apply(&mut policy.tls, &options)?;
            Ok(policy)
        }
        Ok(Value::Bool(true)) | Ok(Value::Number(_)) if text != "0" => {
            Ok(policy(Demand::Always, Verify::ChainAndName))
        }
        Ok(Value::Bool(false) | Value::Null | Value::Number(_)) => {
            Ok(policy(Demand::Never, Verify::Nothing))
        }
        _ => {
            let problem = "names a profile, which is not supported: name its CA with ssl-ca=FILE";
            Err(wrong("ssl", problem))
        }
    }
}

/// As in mysql2: verified unless disabled, and the name only if requested.
fn verify(options: &Map<String, Value>) -> Result<Verify, UrlError> {
    let option = |name: &str, default: bool| match options.get(name) {
        None => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong("ssl", "has an option that is not true or false")),
    };
    let is_verified = option("rejectUnauthorized", true)?;
    Ok(match (is_verified, option("verifyIdentity", false)?) {
        (false, _) => Verify::Nothing,
        (true, false) => Verify::Chain,
        (true, true) => Verify::ChainAndName,
    })
}

fn apply(tls: &mut Tls, options: &Map<String, Value>) -> Result<(), UrlError> {
    let pem = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            let all: Vec<_> = all.iter().filter_map(Value::as_str).collect();
            Ok(all.join("\n"))
        }
        _ => Err(wrong("ssl", "has a certificate or key that is not a text")),
    };
    let (mut certificate, mut key) = (None, None);
    for (name, value) in options {
        match name.as_str() {
            "rejectUnauthorized" | "verifyIdentity" => {}
            "ca" => tls.roots = Some(Pem::from(pem(value)?.as_str())),
            "cert" => certificate = Some(pem(value)?),
            "key" => key = Some(pem(value)?),
            "minVersion" if matches!(value.as_str(), Some("TLSv1" | "TLSv1.1" | "TLSv1.2")) => {}
            _ => return Err(wrong("ssl", "has an option that is not supported")),
        }
    }
    tls.client = client_certificate(certificate.as_deref(), key.as_deref(), None, None)?;
    Ok(())
}
