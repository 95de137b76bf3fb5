//! Credentials: given in the file or in a file of their own.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;
use vigie_alerts::yaml::Text;

use super::table::Table;

/// A credential. Its debug form does not show it.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Given in the configuration.
    Value(SecretString),
    /// The content of this file, read when it is needed.
    File(PathBuf),
    /// As [`Secret::File`], for a path that may be the credential itself in place of one: it is not shown.
    Hidden(PathBuf),
}

impl Table<'_, '_, '_> {
    /// A credential and the key that names a file instead.
    pub(super) fn secret(&self, name: &'static str, file: &'static str) -> Option<Secret> {
        self.secret_as(name, file, |_| true)
    }

    /// The URL of a receiver, which is a credential as well.
    pub(super) fn secret_url(&self, name: &'static str, file: &'static str) -> Option<Secret> {
        self.secret_as(name, file, is_http)
    }

    pub(super) fn secret_as(
        &self,
        name: &'static str,
        file: &'static str,
        valid: impl FnOnce(&str) -> bool,
    ) -> Option<Secret> {
        let (value, path) = (self.filled(name), self.filled(file));
        self.exclusive(name, file);
        let Some(value) = value else {
            return path.map(|path| Secret::File(PathBuf::from(&**path)));
        };
        if !valid(value) {
            self.no_url(name, value, "");
        }
        Some(Secret::Value(SecretString::from(value.to_string())))
    }

    /// The secret, or a mistake and a placeholder: a configuration with mistakes is not used.
    pub(super) fn needed(&self, secret: Option<Secret>, names: &str) -> Secret {
        secret.unwrap_or_else(|| {
            self.missing(names);
            Secret::File(PathBuf::new())
        })
    }

    /// A path.
    pub(super) fn path(&self, name: &'static str) -> Option<PathBuf> {
        self.filled(name).map(|path| PathBuf::from(&**path))
    }

    /// A URL that is no secret, so it has no password.
    pub(super) fn url(&self, name: &'static str) -> Option<Url> {
        let text = self.filled(name)?;
        let parsed =
            http_url(text).filter(|url| url.username().is_empty() && url.password().is_none());
        if parsed.is_none() {
            self.no_url(name, text, " without a login");
        }
        parsed
    }

    /// A URL that can hold a password.
    pub(super) fn login_url(&self, name: &'static str) -> Option<SecretString> {
        let text = self.filled(name)?;
        if !is_http(text) {
            self.no_url(name, text, "");
        }
        Some(SecretString::from(text.to_string()))
    }

    /// Reports a text that is no URL. The text itself can hold a secret, so it is not shown.
    fn no_url(&self, name: &str, text: &Text, kind: &str) {
        let found = format!("`{name}` is no URL{kind}");
        let accepted = "accepted: an http:// or https:// URL with a host";
        self.reader().problem(text.span(), found, accepted, None);
    }
}

pub(super) fn is_http(text: &str) -> bool {
    http_url(text).is_some()
}

/// The `http://` or `https://` URL that a text is.
pub(crate) fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
