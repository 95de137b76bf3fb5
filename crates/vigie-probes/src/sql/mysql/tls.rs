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
        let client = client_certificate(
            self.certificate.as_deref(),
            self.key.as_deref(),
            self.password.as_deref(),
            self.identity.as_deref(),
        )?;
        // Prisma's `sslcert` is the server's root, because it takes the client's certificate from `sslidentity`.
        let prisma = self.certificate.as_deref().filter(|_| client.is_none());
        let mut tls = Tls {
            roots: self.roots.as_deref().or(prisma).map(Pem::from),
            client,
            verify: Verify::Nothing,
        };
        let by_mode = self.by_mode()?;
        let by_ssl = match &self.ssl {
            Some(text) => Some(from_mysql2(text, &mut tls)?),
            None => None,
        };
        let (demand, verify) = match (by_mode, by_ssl) {
            // As in the client: a configured root implies TLS.
            (None, None) if self.roots.is_some() => (Demand::Always, Verify::Chain),
            (None, None) => (Demand::IfPossible, Verify::Nothing),
            (Some(one), None) | (None, Some(one)) => one,
            (Some((mode, by_mode)), Some((ssl, by_ssl))) => {
                if (mode == Demand::Never) != (ssl == Demand::Never) {
                    return Err(wrong("ssl", "contradicts ssl-mode"));
                }
                (ssl, by_mode.max(by_ssl))
            }
        };
        tls.verify = match self.accept.as_deref() {
            Some("strict") => Verify::ChainAndName,
            Some("accept_invalid_certs") if by_ssl.is_some() && verify != Verify::Nothing => {
                return Err(wrong("sslaccept", "contradicts ssl"));
            }
            Some("accept_invalid_certs") => Verify::Nothing,
            Some(_) => return Err(wrong("sslaccept", UNSUPPORTED)),
            None => verify,
        };
        Ok(Policy { demand, tls })
    }

    /// What `ssl-mode` demands.
    fn by_mode(&self) -> Result<Option<(Demand, Verify)>, UrlError> {
        let mode = self.mode.as_deref().map(str::to_ascii_lowercase);
        Ok(Some(match mode.as_deref() {
            None => return Ok(None),
            Some("preferred" | "prefer") => (Demand::IfPossible, Verify::Nothing),
            Some("disabled" | "disable") => (Demand::Never, Verify::Nothing),
            Some("required" | "require" | "no-verify") => (Demand::Always, Verify::Nothing),
            Some("verify_ca" | "verify-ca") => (Demand::Always, Verify::Chain),
            Some("verify_identity" | "verify-full" | "verify-identity") => {
                (Demand::Always, Verify::ChainAndName)
            }
            Some(_) => return Err(wrong("ssl-mode", UNSUPPORTED)),
        }))
    }
}

/// `ssl={"rejectUnauthorized":true}`: options of Node.js. Certificates in them are added to `tls`.
fn from_mysql2(text: &str, tls: &mut Tls) -> Result<(Demand, Verify), UrlError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(options)) => {
            let verify = verify(&options)?;
            apply(tls, &options)?;
            Ok((Demand::Always, verify))
        }
        Ok(Value::Bool(true)) | Ok(Value::Number(_)) if text != "0" => {
            Ok((Demand::Always, Verify::ChainAndName))
        }
        Ok(Value::Bool(false) | Value::Null | Value::Number(_)) => {
            Ok((Demand::Never, Verify::Nothing))
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
            "ca" if tls.roots.is_some() => return Err(wrong("ssl", "names a second CA")),
            "ca" => tls.roots = Some(Pem::from(pem(value)?.as_str())),
            "cert" => certificate = Some(pem(value)?),
            "key" => key = Some(pem(value)?),
            "minVersion" if matches!(value.as_str(), Some("TLSv1" | "TLSv1.1" | "TLSv1.2")) => {}
            _ => return Err(wrong("ssl", "has an option that is not supported")),
        }
    }
    let client = client_certificate(certificate.as_deref(), key.as_deref(), None, None)?;
    match (&tls.client, client) {
        (Some(_), Some(_)) => return Err(wrong("ssl", "names a second client certificate")),
        (None, Some(client)) => tls.client = Some(client),
        (_, None) => {}
    }
    Ok(())
}
