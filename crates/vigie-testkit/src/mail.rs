//! A real mail server: aiosmtpd, with STARTTLS, implicit TLS and logins.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::wheels::MAIL;
use crate::{Error, Process, SOON, tools};

const NAME: &str = "aiosmtpd";
const START: Duration = SOON;
/// The user that the server knows, and the password.
pub const LOGIN: (&str, &str) = ("vigie@example.org", "right horse");

/// How the server is started.
#[derive(Clone, Debug, Default)]
pub struct MailOptions {
    /// The certificate and its key; without them there is no TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether TLS begins with the connection, and not with STARTTLS.
    pub implicit: bool,
    /// The mechanisms that it offers, one of which it then requires: `PLAIN`, `LOGIN`, `CRAM-MD5`.
    pub mechanisms: Vec<&'static str>,
}

/// A mail server on a free port of 127.0.0.1, which accepts any sender, and prints mails.
///
/// It refuses the recipients `refused@…` (550) and `later@…` (451), answers mails to `full@…` with 452 and to `spam@…`
/// with 554, does not answer those to `hang@…`, and closes the connection on those to `lost@…`.
pub struct MailServer {
    process: Process,
    port: u16,
}

/// A mail that arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender of the envelope.
    pub sender: String,
    /// The recipients of the envelope.
    pub recipients: Vec<String>,
    /// The mail, as it was sent.
    pub text: String,
    /// Whether the connection was encrypted.
    pub encrypted: bool,
    /// The user that was logged in.
    pub login: Option<String>,
}

impl MailServer {
    /// Starts it.
    ///
    /// # Errors
    /// If Python or a library is absent, or it does not start.
    pub async fn start(options: &MailOptions) -> Result<Self, Error> {
        let mut libraries = Vec::new();
        for wheel in MAIL {
            libraries.push(wheel.find()?);
        }
        let libraries = std::env::join_paths(libraries);
        let libraries = libraries.map_err(|error| Error::protocol(NAME, error.to_string()))?;
        let shown = |path: &Path| path.display().to_string();
        let tls = options.tls.as_ref();
        let (user, password) = LOGIN;
        let options = json!({
            "user": user,
            "password": password,
            "certificate": tls.map(|(certificate, _)| shown(certificate)),
            "key": tls.map(|(_, key)| shown(key)),
            "implicit": options.implicit,
            "require_tls": tls.is_some(),
            "mechanisms": options.mechanisms,
        });
        let mut command = Command::new(tools::PYTHON.find()?);
        command
            .args(["-W", "ignore", "-c", include_str!("mail_server.py")])
            .arg(options.to_string())
            .env("PYTHONPATH", libraries);
        let mut process = Process::spawn(NAME, command)?;
        let ready = process.next_json(START).await?;
        let port = ready["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or_else(|| Error::protocol(NAME, format!("no port in {ready}")))?;
        Ok(Self { process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next mail.
    ///
    /// # Errors
    /// If none arrives in time.
    pub async fn next(&mut self, within: Duration) -> Result<Mail, Error> {
        let event = self.process.next_json(within).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let recipients = event["recipients"].as_array().into_iter().flatten();
        Ok(Mail {
            sender: text(&event["sender"]).unwrap_or_default(),
            recipients: recipients.filter_map(text).collect(),
            text: text(&event["mail"]).unwrap_or_default(),
            encrypted: event["encrypted"] == true,
            login: text(&event["login"]),
        })
    }
}
