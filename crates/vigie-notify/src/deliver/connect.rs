//! Connections: TCP, through a proxy where one is set, and TLS.

use std::fmt::Display;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use vigie_tls::{Pem, Tls, Verify};

use super::failure::{Cause, Failure};
use crate::config::TlsConfig;

/// The longest head of a proxy's answer, in bytes.
const PROXY_HEAD: usize = 8 << 10;

/// A connection in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection to a server, with or without TLS.
pub(crate) type Connection = Box<dyn Stream>;

/// A server.
pub(crate) struct Address<'a> {
    /// Its name or IP address, without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Address<'a> {
    /// The server of an `http://` or `https://` URL.
    pub(crate) fn of(url: &'a Url) -> Option<Self> {
        let host = url.host_str()?;
        Some(Self {
            host: bare(host),
            port: url.port_or_known_default()?,
        })
    }

    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl Display for Address<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.authority())
    }
}

/// A host without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}

/// Opens a TCP connection. The caller bounds the time.
pub(crate) async fn tcp(address: &Address<'_>) -> Result<Connection, Failure> {
    let stream = TcpStream::connect((address.host, address.port)).await;
    let stream = stream.map_err(|error| {
        let text = format!("no connection to {address}: {error}");
        Failure::new(Cause::Unreachable, text)
    })?;
    // Fails only if the connection is already gone, which the first write reports.
    let _ = stream.set_nodelay(true);
    Ok(Box::new(stream))
}

/// Makes the TLS handshake over a connection.
pub(crate) async fn tls(
    address: &Address<'_>,
    connection: Connection,
    settings: &TlsConfig,
) -> Result<Connection, Failure> {
    let file = |path: &PathBuf| Pem::File(path.clone());
    let (certificate, key) = (&settings.cert_file, &settings.key_file);
    let tls = Tls {
        roots: settings.ca_file.as_ref().map(file),
        client: certificate.as_ref().map(file).zip(key.as_ref().map(file)),
        verify: match settings.insecure_skip_verify {
            true => Verify::Nothing,
            false => Verify::ChainAndName,
        },
    };
    let name = settings.server_name.as_deref().unwrap_or(address.host);
    let failed = |error: vigie_tls::Error| {
        let cause = match &error {
            vigie_tls::Error::Unusable { .. } => Cause::Settings,
            vigie_tls::Error::Io(_) | vigie_tls::Error::Interrupted => Cause::Unreachable,
            _ => Cause::Tls,
        };
        Failure::new(cause, format!("no TLS with {address}: {error}"))
    };
    let prepared = tls.prepare().await.map_err(failed)?;
    let stream = prepared.connect(name, connection).await.map_err(failed)?;
    Ok(Box::new(stream))
}

/// Opens a connection to an HTTP proxy.
pub(crate) async fn proxy(proxy: &Url, settings: &TlsConfig) -> Result<Connection, Failure> {
    let address = Address::of(proxy);
    let address =
        address.ok_or_else(|| Failure::new(Cause::Settings, "`proxy_url` has no host"))?;
    let connection = tcp(&address).await?;
    match proxy.scheme() {
        "http" => Ok(connection),
        "https" => tls(&address, connection, settings).await,
        scheme => {
            let text = format!("`proxy_url` has the scheme {scheme}; accepted: http and https");
            Err(Failure::new(Cause::Settings, text))
        }
    }
}

/// The value of `Proxy-Authorization`, if the URL has a login.
pub(crate) fn proxy_login(proxy: &Url) -> Option<String> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let password = proxy.password().unwrap_or_default();
    let login = format!("{}:{}", decoded(proxy.username()), decoded(password));
    (login != ":").then(|| format!("Basic {}", BASE64.encode(login)))
}

/// Asks a proxy for a connection to a server (`CONNECT`).
pub(crate) async fn tunnel(
    mut connection: Connection,
    address: &Address<'_>,
    login: Option<&str>,
) -> Result<Connection, Failure> {
    let to = address.authority();
    let login = login.map(|login| format!("Proxy-Authorization: {login}\r\n"));
    let request = format!(
        "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{}\r\n",
        login.unwrap_or_default()
    );
    let broken = |error: std::io::Error| {
        Failure::new(Cause::Unreachable, format!("the proxy failed: {error}"))
    };
    connection
        .write_all(request.as_bytes())
        .await
        .map_err(broken)?;
    connection.flush().await.map_err(broken)?;
    let mut head = Vec::new();
    // Byte by byte: what follows the head belongs to the server.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == PROXY_HEAD {
            return Err(Failure::new(
                Cause::Unreachable,
                "the proxy's answer is too long",
            ));
        }
        head.push(connection.read_u8().await.map_err(broken)?);
    }
    let line = String::from_utf8_lossy(&head);
    let line = line.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let version = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match words.next() {
        Some(code) if version && code.starts_with('2') => Ok(connection),
        Some("407") if version => {
            let text = "the proxy does not accept the credentials (407)";
            Err(Failure::new(Cause::Credentials, text))
        }
        _ => {
            let line = super::text::excerpt(line, 100);
            let text = format!("the proxy does not connect to {to}: {line}");
            Err(Failure::new(Cause::Unreachable, text))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn logins_of_proxies() {
        let login = |url: &str| proxy_login(&Url::parse(url).unwrap());
        assert_eq!(login("http://proxy:3128"), None);
        let encoded = |text: &str| Some(format!("Basic {}", BASE64.encode(text)));
        assert_eq!(login("http://a:b%40%C3%A9@proxy"), encoded("a:b@é"));
        assert_eq!(login("http://a:100%@proxy"), encoded("a:100%"));
        assert_eq!(login("http://a:1%+1%2@proxy"), encoded("a:1%+1%2"));
    }

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("http://a", "a:80"),
            ("https://a/b", "a:443"),
            ("http://[::1]:8/", "[::1]:8"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(Address::of(&url).unwrap().to_string(), expected);
        }
    }
}
