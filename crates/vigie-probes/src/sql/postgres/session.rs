//! A connection to PostgreSQL, by its message protocol (version 3.0).

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{
    AuthenticationSaslBody, ErrorResponseBody, Header, Message,
};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use vigie_tls::{Prepared, Verify};

use super::login::{Binding, Login, Server};
use crate::failure::FailureKind;
use crate::sql::error::Error;
use crate::sql::stream::Stream;
use crate::sql::tls::Demand;

/// The maximum length of an expected message.
const LONGEST: i32 = 64 * 1024;
const NO_PASSWORD: &str = "the address names none (PGPASSWORD and ~/.pgpass are not read)";

/// A logged-in connection.
pub(crate) struct Session {
    stream: Stream,
    input: BytesMut,
    /// The hash of the server's certificate, for channel binding.
    end_point: Option<Vec<u8>>,
}

impl Session {
    /// Connects and logs in, with TLS as in libpq.
    pub(crate) async fn login(server: &Server, login: &Login) -> Result<Self, Error> {
        let demand = match server.place.host() {
            Some(_) => login.tls.demand,
            None => Demand::Never,
        };
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
        let tls = match (demand, server.place.host()) {
            (Demand::IfPossible | Demand::Always, Some(host)) => {
                Some((login.tls.tls.prepare().await?, host))
            }
            _ => None,
        };
        let mut session = Self {
            stream: server.place.connect().await?,
            input: BytesMut::new(),
            end_point: None,
        };
        if let Some((tls, host)) = tls {
            session = session.encrypt(host, tls, demand).await?;
        }
        session.start(login).await?;
        Ok(session)
    }

    async fn encrypt(mut self, host: &str, tls: Prepared, demand: Demand) -> Result<Self, Error> {
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        self.stream.write_all(&request).await?;
        match self.stream.read_u8().await? {
            b'S' => {
                let stream = tls.connect(host, self.stream).await?;
                Ok(Self {
                    end_point: vigie_tls::end_point(&stream),
                    stream: Box::new(stream),
                    ..self
                })
            }
            b'N' if demand == Demand::Always => Err(Error::NoTls),
            b'N' => Ok(self),
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
        self.send(message(|out| frontend::startup_message(parameters, out))?)
            .await?;
        let mut is_asked = false;
        loop {
            match self.receive().await? {
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
                let answer = message(|out| frontend::password_message(password, out))?;
                self.send(answer).await?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(login.user.as_bytes(), password, body.salt());
                let answer = message(|out| frontend::password_message(hash.as_bytes(), out))?;
                self.send(answer).await?;
            }
            Message::AuthenticationSasl(body) => self.scram(body, login.binding, password).await?,
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

    async fn scram(
        &mut self,
        body: &AuthenticationSaslBody,
        binding: Binding,
        password: &[u8],
    ) -> Result<(), Error> {
        let offered: Vec<_> = body
            .mechanisms()
            .map(|name| Ok(name.to_owned()))
            .collect()?;
        let offers = |name: &str| offered.iter().any(|offered| offered == name);
        let end_point = self.end_point.clone().filter(|_| binding != Binding::Never);
        let (name, binding) = match end_point {
            Some(hash) if offers(SCRAM_SHA_256_PLUS) => (
                SCRAM_SHA_256_PLUS,
                ChannelBinding::tls_server_end_point(hash),
            ),
            _ if binding == Binding::Required => {
                let text = "SCRAM without channel binding, though channel_binding=require is set";
                return Err(Error::Method(text.into()));
            }
            _ if !offers(SCRAM_SHA_256) => return Err(Error::Method(offered.join(", "))),
            Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
            None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
        };
        let mut scram = ScramSha256::new(password, binding);
        let first = scram.message().to_vec();
        self.send(message(|out| {
            frontend::sasl_initial_response(name, &first, out)
        })?)
        .await?;
        match self.receive().await? {
            Message::AuthenticationSaslContinue(body) => scram.update(body.data()).map_err(odd)?,
            Message::ErrorResponse(error) => return Err(server_error(&error, false)),
            _ => return Err(Error::protocol("unexpected message during SCRAM")),
        }
        let second = scram.message().to_vec();
        self.send(message(|out| frontend::sasl_response(&second, out))?)
            .await?;
        match self.receive().await? {
            Message::AuthenticationSaslFinal(body) => scram.finish(body.data()).map_err(odd),
            Message::ErrorResponse(error) => Err(server_error(&error, false)),
            _ => Err(Error::protocol("unexpected message during SCRAM")),
        }
    }

    /// Runs a statement by the simple protocol, which transaction poolers support; returns the first value.
    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Option<String>, Error> {
        self.send(message(|out| frontend::query(sql, out))?).await?;
        let mut value = None;
        loop {
            match self.receive().await? {
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
            let mut terminate = BytesMut::new();
            frontend::terminate(&mut terminate);
            self.send(terminate).await?;
            self.stream.shutdown().await.map_err(Error::Io)
        };
        let _ = end.await;
    }

    async fn send(&mut self, message: BytesMut) -> Result<(), Error> {
        self.stream.write_all(&message).await?;
        Ok(self.stream.flush().await?)
    }

    async fn receive(&mut self) -> Result<Message, Error> {
        loop {
            let header = Header::parse(&self.input).map_err(odd)?;
            if header.is_some_and(|header| header.len() > LONGEST) {
                return Err(Error::protocol("a message that is longer than expected"));
            }
            if let Some(message) = Message::parse(&mut self.input).map_err(odd)? {
                return Ok(message);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

/// A message, encoded by the protocol library.
fn message(write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>) -> Result<BytesMut, Error> {
    let mut out = BytesMut::new();
    write(&mut out).map_err(odd)?;
    Ok(out)
}

/// Errors of the protocol library are about content, not the connection.
fn odd(error: std::io::Error) -> Error {
    Error::Protocol(error.to_string())
}

fn server_error(error: &ErrorResponseBody, before_login: bool) -> Error {
    let field = |wanted: u8| {
        let mut fields = error.fields();
        let found = fields.find(|field| Ok(field.type_() == wanted));
        let text = found
            .ok()
            .flatten()
            .map(|field| field.value_bytes().to_vec());
        String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
    };
    let code = field(b'C');
    Error::Server {
        kind: kind(&code),
        is_refusal: before_login && code == "28000",
        message: field(b'M'),
    }
}

fn kind(code: &str) -> FailureKind {
    match code {
        "3D000" | "42501" => FailureKind::Denied,
        "53300" => FailureKind::Full,
        code if code.starts_with("28") => FailureKind::Denied,
        code if code.starts_with("57P") => FailureKind::NotReady,
        _ => FailureKind::Other,
    }
}
