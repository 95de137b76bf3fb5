//! Which traffic is captured.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A port whose traffic is captured: `:3000` or `any:3000` on all interfaces, `eth0:3000` on one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    /// The name of the interface; `None` for all.
    pub interface: Option<String>,
    /// The port of the app.
    pub port: u16,
}

/// Why a text is not a [`Listen`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ListenError {
    /// The text has no colon.
    #[error("no port: expected `:PORT` or `INTERFACE:PORT`")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The kernel accepts no such name.
    #[error("not the name of an interface: expected 1 to 15 characters without `/` and spaces")]
    Interface,
}

/// The kernel's `IFNAMSIZ`, which includes a final 0.
const MAX_NAME: usize = 15;

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let (interface, port) = text.rsplit_once(':').ok_or(ListenError::NoPort)?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port| port > 0 && digits);
        let port = port.ok_or(ListenError::Port)?;
        let valid = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
        match interface {
            "" | "any" => Ok(Self {
                interface: None,
                port,
            }),
            _ if interface.len() > MAX_NAME || !interface.bytes().all(valid) => {
                Err(ListenError::Interface)
            }
            _ => Ok(Self {
                interface: Some(interface.to_owned()),
                port,
            }),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.interface.as_deref().unwrap_or("any");
        write!(formatter, "{interface}:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ports_on_all_interfaces_and_on_one() {
        let read = |text: &str| text.parse::<Listen>().map(|listen| listen.to_string());
        assert_eq!(read(":3000").unwrap(), "any:3000");
        assert_eq!(read("any:3000").unwrap(), "any:3000");
        assert_eq!(read("eth0.5:80").unwrap(), "eth0.5:80");
        for (text, error) in [
            ("3000", ListenError::NoPort),
            ("eth0", ListenError::NoPort),
            (":0", ListenError::Port),
            (":65536", ListenError::Port),
            (":+80", ListenError::Port),
            (":", ListenError::Port),
            ("an-interface-name:80", ListenError::Interface),
            ("a/b:80", ListenError::Interface),
            ("::1:80", ListenError::Interface),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }
}
