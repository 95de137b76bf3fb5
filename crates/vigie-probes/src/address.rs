//! Addresses in the settings.

use percent_encoding::percent_decode_str;
use url::Url;

/// The reason why an address in the settings is invalid. The message never contains the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It cannot be parsed.
    #[error("not a URL: {0} (characters like / ? # @ in a password must be percent-encoded)")]
    Syntax(String),
    /// Its scheme is unknown.
    #[error("the URL must begin with {0}")]
    Scheme(&'static str),
    /// It cannot be reached from outside the app.
    #[error("a SQLite database in memory lives inside the app and cannot be checked from outside")]
    InMemory,
    /// Another problem, such as an unknown parameter.
    #[error("{0}")]
    Detail(String),
}

/// Parses a URL whose host is safe to show.
pub(crate) fn parse(url: &str) -> Result<Url, UrlError> {
    let syntax = |text: &str| UrlError::Syntax(text.to_owned());
    let url = Url::parse(url.trim()).map_err(|error| syntax(&error.to_string()))?;
    // In `db://user:12/34@host`, `user:12` would be parsed as the host and shown, though it is part of the password.
    let query = url.query().unwrap_or_default();
    let keys = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default());
    if url.path().contains('@') || keys.into_iter().any(|key| key.contains('@')) {
        return Err(syntax("there is an @ behind the host"));
    }
    if url.fragment().is_some() {
        return Err(syntax("there is a #"));
    }
    Ok(url)
}

/// Decodes percent-encoding. A `%` that no two hexadecimal digits follow is kept, as `url` does.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percent_encoding() {
        assert_eq!(decode("a%2fb%zz%4"), "a/b%zz%4");
        assert_eq!(decode("%+1% 1%-1%2"), "%+1% 1%-1%2");
    }

    #[test]
    fn part_of_a_password_is_never_shown_as_a_host() {
        for password in ["12/34", "12?34", "12#34", "/", "?", "#", "12?3=4&56"] {
            let error = parse(&format!("postgres://u:{password}@h/d")).unwrap_err();
            let text = error.to_string();
            assert!(
                !text.contains("12") && text.contains("percent-encoded"),
                "{text}"
            );
        }
        for well in [
            "redis://:12%2F34@h/0",
            "mysql://u:p@h/d?socket=/a@b",
            " http://h ",
        ] {
            parse(well).unwrap();
        }
    }
}
