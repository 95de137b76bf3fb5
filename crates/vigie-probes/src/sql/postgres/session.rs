//! A session with PostgreSQL: encryption, login, statements.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use vigie_tls::{Prepared, Verify};

use super::login::{Binding, Login, Server};
use super::scram;
use super::wire::{Wire, odd, server_error};
use crate::sql::error::Error;
use crate::sql::stream::Stream;
use crate::sql::tls::Demand;

const NO_PASSWORD: &str = "the address names none (PGPASSWORD and ~/.pgpass are not read)";

/// A logged-in connection.
pub(crate) struct Session {
    wire: Wire,
    /// The hash of the server's certificate, for channel binding.
    end_point: Option<Vec<u8>>,
}

impl Session {
    /// Connects and logs in, with TLS as in libpq.
    pub(crate) async fn login(server: &Server, login: &Login) -> Result<Self, Error> {
        let demand = login.tls.demand_at(&server.place);
        let first = Self::attempt(server, login, demand).await;
        let second = match (&first, demand) {
            (
                Err(Error::Server {
                    is_refusal: true, ..
                }),
                Demand::IfRefused,
            ) => Demand::Always,
            // With Prisma's `sslaccept=strict` an untrusted certificate is final.
            (Err(Error::Tls(_)), _) if login.tls.tls.verify == Verify::ChainAndName => {
                return first;
            }
            (
                Err(
                    Error::Tls(_)
                    | Error::Server {
                        is_refusal: true, ..
                    },
                ),
                Demand::IfPossible,
            ) => Demand::Never,
            _ => return first,
        };
        match Self::attempt(server, login, second).await {
            Ok(session) => Ok(session),
            Err(_) => first,
        }
    }

    async fn attempt(server: &Server, login: &Login, demand: Demand) -> Result<Self, Error> {
        let tls = login.tls.prepare(demand, &server.place).await?;
        let stream = server.place.connect().await?;
        Self::over(stream, login, tls, demand).await
    }

    /// Logs in over a new connection, which is encrypted first if TLS is given.
    pub(crate) async fn over(
        stream: Stream,
        login: &Login,
        tls: Option<(Prepared, &str)>,
        demand: Demand,
    ) -> Result<Self, Error> {
        let mut session = match tls {
            Some((tls, host)) => Self::encrypt(stream, host, tls, demand).await?,
            None => Self {
                wire: Wire::new(stream),
                end_point: None,
            },
        };
        session.start(login).await?;
        Ok(session)
    }

    async fn encrypt(
        stream: Stream,
        host: &str,
        tls: Prepared,
        demand: Demand,
    ) -> Result<Self, Error> {
        let mut wire = Wire::new(stream);
        wire.send(|out| {
            frontend::ssl_request(out);
            Ok(())
        })
        .await?;
        match wire.stream.read_u8().await? {
            b'S' => {
                let stream = tls.connect(host, wire.stream).await?;
                Ok(Self {
                    end_point: vigie_tls::end_point(&stream),
                    wire: Wire::new(Box::new(stream)),
                })
            }
            b'N' if demand == Demand::Always => Err(Error::NoTls),
            b'N' => Ok(Self {
                wire,
                end_point: None,
            }),
            _ => Err(Error::protocol("unexpected answer to the request for TLS")),
        }
    }

    async fn start(&mut self, login: &Login) -> Result<(), Error> {
        let mut parameters = vec![
            ("user", login.user.as_str()),
            ("database", &login.database),
            ("application_name", &login.application_name),
            ("client_encoding", "UTF8"),
        ];
        // Poolers reject unknown parameters.
        if let Some(options) = &login.options {
            parameters.push(("options", options));
        }
        self.wire
            .send(|out| frontend::startup_message(parameters, out))
            .await?;
        let mut is_asked = false;
        loop {
            match self.wire.receive().await? {
                Message::ReadyForQuery(_) => return Ok(()),
                Message::AuthenticationOk if login.binding == Binding::Required && !is_asked => {
                    let text = "a login without SCRAM, though channel_binding=require is set";
                    return Err(Error::Method(text.into()));
                }
                Message::ErrorResponse(error) => return Err(server_error(&error, !is_asked)),
                other => is_asked |= self.authenticate(&other, login).await?,
            }
        }
    }

    /// Responds to an authentication message.
    async fn authenticate(&mut self, asked: &Message, login: &Login) -> Result<bool, Error> {
        let is_scram = matches!(asked, Message::AuthenticationSasl(_));
        let is_method = is_scram
            || matches!(
                asked,
                Message::AuthenticationCleartextPassword | Message::AuthenticationMd5Password(_)
            );
        if is_method && !is_scram && login.binding == Binding::Required {
            let text = "a password, though channel_binding=require is set";
            return Err(Error::Method(text.into()));
        }
        let password = login.password.as_deref().unwrap_or_default();
        if is_method && password.is_empty() {
            return Err(Error::NoPassword(NO_PASSWORD));
        }
        let password = password.as_bytes();
        match asked {
            Message::AuthenticationCleartextPassword => {
                self.wire
                    .send(|out| frontend::password_message(password, out))
                    .await?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(login.user.as_bytes(), password, body.salt());
                self.wire
                    .send(|out| frontend::password_message(hash.as_bytes(), out))
                    .await?;
            }
            Message::AuthenticationSasl(body) => {
                let end_point = self.end_point.clone();
                scram::log_in(&mut self.wire, body, login.binding, end_point, password).await?;
            }
            Message::AuthenticationGss | Message::AuthenticationSspi => {
                return Err(Error::Method("GSSAPI or SSPI".into()));
            }
            Message::AuthenticationKerberosV5 | Message::AuthenticationScmCredential => {
                return Err(Error::Method("Kerberos 5 or SCM credentials".into()));
            }
            _ => {}
        }
        Ok(is_method)
    }

    /// Runs a statement by the simple protocol, which transaction poolers support; returns the first value.
    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Option<String>, Error> {
        self.wire.send(|out| frontend::query(sql, out)).await?;
        let mut value = None;
        loop {
            match self.wire.receive().await? {
                Message::ReadyForQuery(_) => return Ok(value),
                Message::ErrorResponse(error) => return Err(server_error(&error, false)),
                Message::DataRow(row) if value.is_none() => {
                    let range = row.ranges().next().map_err(odd)?.flatten();
                    let bytes = range.and_then(|range| row.buffer().get(range));
                    value = bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                }
                _ => {}
            }
        }
    }

    /// Sends a termination message: some servers log a warning otherwise.
    pub(crate) async fn close(mut self) {
        let end = async {
            let terminate = self.wire.send(|out| {
                frontend::terminate(out);
                Ok(())
            });
            terminate.await?;
            self.wire.stream.shutdown().await.map_err(Error::Io)
        };
        let _ = end.await;
    }
}
