//! A session with a mail server: SMTP (RFC 5321) and STARTTLS (RFC 3207).

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use lettre::address::Address as Mailbox;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::super::connect::{self, Address, Connection};
use super::super::failure::{Cause, Failure};
use super::content::Mail;
use super::protocol::{Reply, parse, stuffed};
use crate::config::Smtp;

/// The longest line of a reply, in bytes, and the most lines.
const LINE: u64 = 4096;
const LINES: usize = 100;
/// The port on which TLS begins at once.
const IMPLICIT_TLS: u16 = 465;

/// A session after the greeting, with TLS unless the settings allow it to be without.
pub(super) struct Session {
    stream: BufReader<Connection>,
    pub(super) server: String,
    pub(super) is_encrypted: bool,
    pub(super) is_loopback: bool,
    /// The lines of the reply to EHLO, in upper case.
    extensions: Vec<String>,
}

impl Session {
    pub(super) async fn open(settings: &Smtp) -> Result<Self, Failure> {
        let unusable = || {
            let text = format!(
                "`{}` is no mail server; accepted: HOST:PORT",
                settings.smarthost
            );
            Failure::new(Cause::Settings, text)
        };
        let (host, port) = settings.smarthost.rsplit_once(':').ok_or_else(unusable)?;
        let port: u16 = port.parse().map_err(|_| unusable())?;
        let host = connect::bare(host);
        let address = Address { host, port };
        let implicit = settings.implicit_tls.unwrap_or(port == IMPLICIT_TLS);
        let mut connection = connect::tcp(&address).await?;
        if implicit {
            connection = connect::tls(&address, connection, &settings.tls).await?;
        }
        let is_address = host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
        let mut session = Self {
            stream: BufReader::new(connection),
            server: settings.smarthost.clone(),
            is_encrypted: implicit,
            is_loopback: is_address || host == "localhost",
            extensions: Vec::new(),
        };
        let greeting = session.reply().await?;
        session.expect(&greeting, &[220])?;
        session.greet(&settings.hello).await?;
        if implicit {
            return Ok(session);
        }
        if session.extension("STARTTLS").is_none() {
            return match settings.require_tls {
                false => Ok(session),
                true => {
                    let text = format!(
                        "{} does not offer STARTTLS, and `require_tls` is true",
                        session.server
                    );
                    Err(Failure::new(Cause::Tls, text))
                }
            };
        }
        session.start_tls(&address, settings).await
    }

    async fn start_tls(mut self, address: &Address<'_>, settings: &Smtp) -> Result<Self, Failure> {
        let reply = self.command("STARTTLS").await?;
        self.expect(&reply, &[220])?;
        // Bytes after the reply were not encrypted and may come from an attacker. They must not be read as encrypted ones.
        if !self.stream.buffer().is_empty() {
            let text = format!("{} sent more than its reply to STARTTLS", self.server);
            return Err(Failure::new(Cause::Tls, text));
        }
        let connection = self.stream.into_inner();
        let connection = connect::tls(address, connection, &settings.tls).await?;
        self.stream = BufReader::new(connection);
        self.is_encrypted = true;
        self.greet(&settings.hello).await?;
        Ok(self)
    }

    async fn greet(&mut self, name: &str) -> Result<(), Failure> {
        let reply = self.command(&format!("EHLO {name}")).await?;
        self.expect(&reply, &[250])?;
        let extensions = reply.lines.iter().skip(1);
        self.extensions = extensions.map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// The parameters of an extension, if the server has it.
    pub(super) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            // `AUTH=LOGIN` is an old form.
            (rest.is_empty() || rest.starts_with([' ', '='])).then(|| &rest[rest.len().min(1)..])
        })
    }

    /// Sends a mail. A recipient that the server refuses is logged if there is another one.
    pub(super) async fn send(
        &mut self,
        mail: &Mail,
        is_sent: &AtomicBool,
    ) -> Result<String, Failure> {
        let from = format!("MAIL FROM:<{}>{}", mail.from, self.parameters(mail)?);
        let reply = self.command(&from).await?;
        self.expect(&reply, &[250])?;
        let mut refused = Vec::new();
        for to in &mail.to {
            let reply = self.command(&format!("RCPT TO:<{to}>")).await?;
            if let Err(failure) = self.expect(&reply, &[250, 251, 252]) {
                refused.push((to, failure));
            }
        }
        if refused.len() == mail.to.len() {
            let first = refused.into_iter().next();
            return Err(first.map_or_else(|| self.odd("no recipient"), |(_, failure)| failure));
        }
        for (to, failure) in refused {
            tracing::warn!(%to, reason = %failure, "the mail server refused a recipient: the mail goes to the others");
        }
        let reply = self.command("DATA").await?;
        self.expect(&reply, &[354])?;
        self.write(&stuffed(&mail.bytes)).await?;
        is_sent.store(true, Ordering::Relaxed);
        let reply = self.write(b".\r\n").await;
        let reply = match reply {
            Ok(()) => self.reply().await,
            Err(failure) => Err(failure),
        };
        let reply = reply.map_err(|failure| Failure {
            cause: Cause::NoAnswer,
            ..failure
        })?;
        self.expect(&reply, &[250])?;
        Ok(format!(
            "{} answered {} {}",
            self.server,
            reply.code,
            reply.text()
        ))
    }

    /// The parameters of MAIL: addresses that are not ASCII need SMTPUTF8.
    fn parameters(&self, mail: &Mail) -> Result<&'static str, Failure> {
        let is_ascii = |address: &Mailbox| AsRef::<str>::as_ref(address).is_ascii();
        if is_ascii(&mail.from) && mail.to.iter().all(is_ascii) {
            return Ok("");
        }
        match self.extension("SMTPUTF8") {
            Some(_) => Ok(" SMTPUTF8"),
            None => {
                let text = format!(
                    "{} does not accept addresses with characters outside of ASCII",
                    self.server
                );
                Err(Failure::new(Cause::Refused, text))
            }
        }
    }

    /// Ends the session. The mail has been accepted, so errors no longer matter.
    pub(super) async fn quit(mut self) {
        let _ = self.write(b"QUIT\r\n").await;
        let _ = self.stream.shutdown().await;
    }

    pub(super) async fn command(&mut self, command: &str) -> Result<Reply, Failure> {
        if command.contains(['\r', '\n', '\0']) {
            let text = "a name or an address has a line break";
            return Err(Failure::new(Cause::Settings, text));
        }
        self.write(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.stream.write_all(bytes).await;
        let written = match written {
            Ok(()) => self.stream.flush().await,
            Err(error) => Err(error),
        };
        written.map_err(|error| self.broken(&error.to_string()))
    }

    async fn reply(&mut self) -> Result<Reply, Failure> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.stream).take(LINE);
            let read = bounded.read_until(b'\n', &mut line).await;
            read.map_err(|error| self.broken(&error.to_string()))?;
            if line.last() != Some(&b'\n') {
                return Err(match line.len() as u64 == LINE {
                    true => self.odd("a line is too long"),
                    false => self.broken("it closed the connection"),
                });
            }
            let (code, is_last, text) =
                parse(&line).ok_or_else(|| self.odd("its reply is not SMTP"))?;
            lines.push(text);
            if is_last {
                return Ok(Reply { code, lines });
            }
            if lines.len() == LINES {
                return Err(self.odd("a reply has too many lines"));
            }
        }
    }

    pub(super) fn expect(&self, reply: &Reply, codes: &[u16]) -> Result<(), Failure> {
        if codes.contains(&reply.code) {
            return Ok(());
        }
        let cause = match reply.code {
            530 | 534 | 535 | 538 => Cause::Credentials,
            400..=499 => Cause::Server,
            500..=599 => Cause::Refused,
            _ => Cause::Answer,
        };
        let text = format!("{} answered {} {}", self.server, reply.code, reply.text());
        Err(Failure::new(cause, text))
    }

    fn broken(&self, reason: &str) -> Failure {
        let text = format!("the connection to {} broke: {reason}", self.server);
        Failure::new(Cause::Unreachable, text)
    }

    pub(super) fn odd(&self, reason: &str) -> Failure {
        Failure::new(Cause::Answer, format!("{}: {reason}", self.server))
    }
}
