//! Parameters common to several engines: each is applied, known to be harmless, or an error.

use vigie_tls::Pem;

use crate::address::UrlError;

/// Ignored: Vigie opens the file read-only and never creates it.
const SQLITE: [&str; 5] = [
    "mode",
    "cache",
    "connection_limit",
    "socket_timeout",
    "immutable",
];

/// Longer names are not quoted in an error.
const LONGEST_NAME: usize = 40;

/// Rejects parameters that could change which SQLite file is read, or how.
pub(super) fn check_sqlite(parameters: &str) -> Result<(), UrlError> {
    let mut names = url::form_urlencoded::parse(parameters.as_bytes()).map(|(name, _)| name);
    match names.find(|name| !SQLITE.contains(&&**name)) {
        Some(name) => Err(wrong(&name, "is not supported")),
        None => Ok(()),
    }
}

/// The client's certificate and key.
pub(super) fn client_certificate(
    certificate: Option<&str>,
    key: Option<&str>,
    password: Option<&str>,
    identity: Option<&str>,
) -> Result<Option<(Pem, Pem)>, UrlError> {
    if identity.is_some() {
        let problem = "is not supported: name PEM files with sslcert and sslkey";
        return Err(wrong("sslidentity", problem));
    }
    match (certificate, key) {
        // It is the password of the key, so it has no effect without one.
        (_, Some(_)) if password.is_some() => {
            let problem = "is not supported: a key without a password is needed";
            Err(wrong("sslpassword", problem))
        }
        (Some(certificate), Some(key)) => Ok(Some((certificate.into(), key.into()))),
        (None, Some(_)) => Err(wrong("sslkey", "is given without sslcert")),
        (_, None) => Ok(None),
    }
}

pub(super) fn wrong(name: &str, problem: &str) -> UrlError {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = match name.len() <= LONGEST_NAME && name.chars().all(is_word) {
        true => name,
        false => "?",
    };
    UrlError::Detail(format!("the parameter {name} {problem}"))
}
