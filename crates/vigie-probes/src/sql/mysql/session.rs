//! A connection to MySQL or MariaDB, by protocol version 10.

use super::auth;
use super::login::Login;
use super::packet::{Reader, Wire};
use crate::failure::FailureKind;
use crate::sql::error::Error;
use crate::sql::stream::Stream;
use crate::sql::tls::Demand;
use vigie_tls::{Prepared, Verify};

const CONNECT_WITH_DATABASE: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const TLS: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGINS: u32 = 1 << 19;
/// Long passwords and flags, transactions.
const ALWAYS: u32 = 1 | 1 << 2 | 1 << 13 | PROTOCOL_41 | SECURE_CONNECTION;
const LONGEST_PACKET: u32 = 1 << 24;
/// `utf8mb4_general_ci`.
const COLLATION: u8 = 45;
const QUIT: u8 = 1;
const QUERY: u8 = 3;

const OK: u8 = 0;
const MORE: u8 = 1;
const SWITCH: u8 = 0xfe;
const END: u8 = 0xfe;
const ERROR: u8 = 0xff;
/// `caching_sha2_password`: the password is cached from an earlier login, or not.
const KNOWN: [u8; 2] = [MORE, 3];
const UNKNOWN: [u8; 2] = [MORE, 4];

/// A logged-in connection.
pub(crate) struct Session(Wire);

/// The server's first packet.
struct Greeting {
    capabilities: u32,
    challenge: Vec<u8>,
    plugin: String,
}

impl Session {
    /// Connects and logs in.
    pub(crate) async fn login(login: &Login) -> Result<Self, Error> {
        let demand = login.tls.demand_at(&login.place);
        let first = Self::attempt(login, demand).await;
        match (&first, demand) {
            // A client without TLS, which is mysql2's default, is not affected by broken TLS.
            (Err(Error::Tls(_)), Demand::IfPossible)
                if login.tls.tls.verify != Verify::ChainAndName =>
            {
                Self::attempt(login, Demand::Never).await.or(first)
            }
            _ => first,
        }
    }

    async fn attempt(login: &Login, demand: Demand) -> Result<Self, Error> {
        let tls = login.tls.prepare(demand, &login.place).await?;
        let stream = login.place.connect().await?;
        Self::over(stream, login, tls, demand).await
    }

    /// Logs in over a new connection, which is encrypted first if TLS is given and the server supports it.
    pub(crate) async fn over(
        stream: Stream,
        login: &Login,
        tls: Option<(Prepared, &str)>,
        demand: Demand,
    ) -> Result<Self, Error> {
        let mut wire = Wire { stream, number: 0 };
        let packet = wire.read().await?;
        let greeting = Greeting::read(&packet)?;
        let mut capabilities = ALWAYS | greeting.capabilities & PLUGINS;
        if !login.database.is_empty() {
            capabilities |= CONNECT_WITH_DATABASE;
        }
        let can_tls = greeting.capabilities & TLS != 0;
        let mut is_private = login.place.host().is_none();
        match tls {
            Some(_) if !can_tls && demand == Demand::Always => return Err(Error::NoTls),
            Some((tls, host)) if can_tls => {
                capabilities |= TLS;
                wire.write(&head(capabilities)).await?;
                wire.stream = Box::new(tls.connect(host, wire.stream).await?);
                is_private = true;
            }
            _ => {}
        }
        let password = login.password.as_deref().unwrap_or_default();
        // An unknown plugin may be that of other users; the server names the plugin of this user.
        let first = auth::answer(&greeting.plugin, password, &greeting.challenge, is_private);
        let (plugin, proof) = match first {
            Ok(proof) => (greeting.plugin.as_str(), proof),
            Err(_) => {
                let plugin = auth::FIRST;
                let proof = auth::answer(plugin, password, &greeting.challenge, is_private)?;
                (plugin, proof)
            }
        };
        wire.write(&response(login, capabilities, plugin, &proof))
            .await?;
        finish(&mut wire, password, is_private).await?;
        Ok(Self(wire))
    }

    /// Runs `SELECT 1`.
    pub(crate) async fn ask(&mut self) -> Result<(), Error> {
        let wire = &mut self.0;
        wire.number = 0;
        wire.write(&[&[QUERY], b"SELECT 1".as_slice()].concat())
            .await?;
        // The response: a count of columns, these, an end, rows, an end.
        let mut ends = 0;
        while ends < 2 {
            let packet = wire.read().await?;
            match packet.first() {
                Some(&ERROR) => return Err(server_error(&packet)),
                Some(&END) if packet.len() < 9 => ends += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends a quit command: some servers log a warning otherwise.
    pub(crate) async fn close(mut self) {
        self.0.number = 0;
        let _ = self.0.write(&[QUIT]).await;
    }
}

impl Greeting {
    fn read(packet: &[u8]) -> Result<Self, Error> {
        let mut rest = Reader(packet);
        match rest.number::<1>() {
            Some(10) => {}
            Some(0xff) => return Err(server_error(packet)),
            _ => return Err(Error::protocol("the first packet is not a greeting")),
        }
        let mut read = || {
            rest.text();
            rest.take(4)?;
            let first = rest.take(8)?;
            rest.take(1)?;
            let low = rest.number::<2>()?;
            rest.take(3)?;
            let high = rest.number::<2>()?;
            let length = usize::try_from(rest.number::<1>()?).ok()?;
            rest.take(10)?;
            // It is terminated by a zero byte, which is not part of it.
            let second = rest.take(length.saturating_sub(8).max(13))?;
            let challenge = [first, second.get(..12)?].concat();
            Some(Self {
                capabilities: u32::try_from(high << 16 | low).ok()?,
                challenge,
                plugin: rest.text(),
            })
        };
        let mut greeting = read().ok_or_else(|| Error::protocol("the greeting is malformed"))?;
        if greeting.plugin.is_empty() {
            greeting.plugin = auth::FIRST.to_owned();
        }
        Ok(greeting)
    }
}

/// The first part of a login; sent alone it requests TLS.
fn head(capabilities: u32) -> Vec<u8> {
    let mut head = capabilities.to_le_bytes().to_vec();
    head.extend(LONGEST_PACKET.to_le_bytes());
    head.push(COLLATION);
    head.extend([0; 23]);
    head
}

fn response(login: &Login, capabilities: u32, plugin: &str, proof: &[u8]) -> Vec<u8> {
    let mut response = head(capabilities);
    put_text(&mut response, &login.user);
    response.push(u8::try_from(proof.len()).unwrap_or(u8::MAX));
    response.extend(proof.iter().take(usize::from(u8::MAX)));
    if capabilities & CONNECT_WITH_DATABASE != 0 {
        put_text(&mut response, &login.database);
    }
    if capabilities & PLUGINS != 0 {
        put_text(&mut response, plugin);
    }
    response
}

/// A string and its terminating zero byte.
fn put_text(response: &mut Vec<u8>, text: &str) {
    response.extend(text.bytes().filter(|byte| *byte != 0));
    response.push(0);
}

/// Responds to the server until it accepts or refuses the login.
async fn finish(wire: &mut Wire, password: &str, is_private: bool) -> Result<(), Error> {
    loop {
        let packet = wire.read().await?;
        match packet.as_slice() {
            [OK, ..] => return Ok(()),
            [ERROR, ..] => return Err(server_error(&packet)),
            packet if *packet == KNOWN => {}
            packet if *packet == UNKNOWN => wire.write(&auth::full(password, is_private)?).await?,
            [SWITCH, rest @ ..] if !rest.is_empty() => {
                let mut rest = Reader(rest);
                let plugin = rest.text();
                let challenge = rest.0.get(..20).unwrap_or(rest.0);
                let proof = auth::answer(&plugin, password, challenge, is_private)?;
                wire.write(&proof).await?;
            }
            [SWITCH] => return Err(Error::Method("mysql_old_password".into())),
            _ => return Err(Error::protocol("unexpected packet during the login")),
        }
    }
}

/// Parses an error packet: a number, since version 4.1 a state of five characters, and a text.
fn server_error(packet: &[u8]) -> Error {
    let mut rest = Reader(packet.get(1..).unwrap_or_default());
    let number = rest.number::<2>().unwrap_or_default();
    if rest.0.first() == Some(&b'#') {
        rest.take(6);
    }
    Error::Server {
        kind: match number {
            1044 | 1045 | 1049 | 1129 | 1130 | 1142 | 1698 => FailureKind::Denied,
            1040 | 1203 | 1226 => FailureKind::Full,
            1053 => FailureKind::NotReady,
            _ => FailureKind::Other,
        },
        is_refusal: false,
        message: String::from_utf8_lossy(rest.0).into_owned(),
    }
}
