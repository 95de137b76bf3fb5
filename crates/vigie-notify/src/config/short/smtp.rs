//! The address of a mail server: `smtps://user@host:465`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpUrl {
    /// The server, `host:port`.
    pub smarthost: String,
    /// Whether TLS begins with the connection (`smtps://`), and not with STARTTLS (`smtp://`).
    pub implicit_tls: bool,
    /// The user to log in as.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
}

/// A text is no address of a mail server. It is not quoted, since it can hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address like smtps://HOST:465, or smtp://HOST:587 with STARTTLS; a user stands before the host with an @, and in it @ is %40, / is %2F, % is %25"
)]
pub struct SmtpUrlError;

impl SmtpUrl {
    /// Reads an address. The port is 465 with `smtps://` and 587 with `smtp://` unless it is given.
    ///
    /// # Errors
    /// If the text is no such address.
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(|_| SmtpUrlError)?;
        let (implicit_tls, port) = match url.scheme() {
            "smtps" => (true, 465),
            "smtp" => (false, 587),
            _ => return Err(SmtpUrlError),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(SmtpUrlError)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(SmtpUrlError);
        }
        let username = decoded(url.username())?;
        let password = url.password().map(decoded).transpose()?;
        Ok(Self {
            smarthost: format!("{host}:{}", url.port().unwrap_or(port)),
            implicit_tls,
            username: (!username.is_empty()).then_some(username),
            password: password.map(SecretString::from),
        })
    }
}

fn decoded(text: &str) -> Result<String, SmtpUrlError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| SmtpUrlError)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn addresses() {
        for (text, smarthost, implicit, user, password) in [
            ("smtps://h", "h:465", true, None, None),
            ("smtp://h", "h:587", false, None, None),
            (
                "smtp://a%40b.c:p%2Fw@h:25/",
                "h:25",
                false,
                Some("a@b.c"),
                Some("p/w"),
            ),
            (
                "smtp://u:1%+1%2@h",
                "h:587",
                false,
                Some("u"),
                Some("1%+1%2"),
            ),
            ("smtps://u@[::1]:1465", "[::1]:1465", true, Some("u"), None),
        ] {
            let url = SmtpUrl::parse(text).unwrap();
            assert_eq!(url.smarthost, smarthost);
            assert_eq!(url.implicit_tls, implicit);
            assert_eq!(url.username.as_deref(), user);
            let known = url.password.as_ref().map(|known| known.expose_secret());
            assert_eq!(known, password);
        }
        for wrong in [
            "",
            "h:25",
            "http://h",
            "smtp://",
            "smtp://h/path",
            "smtp://h?tls=no",
            "smtp://%ff@h",
        ] {
            assert_eq!(SmtpUrl::parse(wrong).err(), Some(SmtpUrlError), "{wrong}");
        }
    }
}
