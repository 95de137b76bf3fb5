//! Authentication for `/metrics`: a bearer token (RFC 6750), or a user and a password (RFC 7617).

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// The credentials that a client must present.
#[derive(Clone)]
pub enum Credentials {
    /// `Authorization: Bearer …`.
    Bearer(Arc<SecretString>),
    /// `Authorization: Basic …`; here `user:password`.
    Basic(Arc<SecretString>),
}

/// The credentials that the web page's form sends.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Presented {
    Token { token: String },
    Basic { username: String, password: String },
}

impl Credentials {
    /// A bearer token.
    #[must_use]
    pub fn bearer(token: SecretString) -> Self {
        Self::Bearer(Arc::new(token))
    }

    /// A user and a password.
    #[must_use]
    pub fn basic(user: &str, password: &SecretString) -> Self {
        let pair = format!("{user}:{}", password.expose_secret());
        Self::Basic(Arc::new(pair.into()))
    }

    /// Whether the request presents the credentials. The time is the same for all wrong values of one length.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()) else {
            return false;
        };
        let Some((scheme, presented)) = value.split_once(' ') else {
            return false;
        };
        match self {
            Self::Bearer(token) => {
                scheme.eq_ignore_ascii_case("bearer") && equal(token, presented.trim().as_bytes())
            }
            Self::Basic(pair) => {
                scheme.eq_ignore_ascii_case("basic")
                    && BASE64_STANDARD
                        .decode(presented.trim())
                        .is_ok_and(|decoded| equal(pair, &decoded))
            }
        }
    }

    /// Whether these are the credentials. The time is the same for all wrong values of one length.
    pub(super) fn are(&self, presented: &Presented) -> bool {
        match (self, presented) {
            (Self::Bearer(secret), Presented::Token { token }) => equal(secret, token.as_bytes()),
            (Self::Basic(pair), Presented::Basic { username, password }) => {
                let presented = SecretString::from(format!("{username}:{password}"));
                equal(pair, presented.expose_secret().as_bytes())
            }
            _ => false,
        }
    }

    /// The kind of credentials, which selects the form of the web page.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "token",
            Self::Basic(_) => "password",
        }
    }

    /// The value of `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "Bearer realm=\"vigie\"",
            Self::Basic(_) => "Basic realm=\"vigie\", charset=\"UTF-8\"",
        }
    }
}

fn equal(secret: &SecretString, presented: &[u8]) -> bool {
    secret.expose_secret().as_bytes().ct_eq(presented).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(credentials: &Credentials, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        credentials.allow(&headers)
    }

    #[test]
    fn only_the_right_credentials_pass() {
        let bearer = Credentials::bearer("s3cret".to_owned().into());
        assert!(allowed(&bearer, "Bearer s3cret"));
        assert!(allowed(&bearer, "bearer s3cret"));
        for wrong in [
            "Bearer s3cre",
            "Bearer s3cret2",
            "Bearer ",
            "Basic s3cret",
            "s3cret",
        ] {
            assert!(!allowed(&bearer, wrong), "{wrong}");
        }
        assert!(!bearer.allow(&HeaderMap::new()));

        let basic = Credentials::basic("prom", &"pass:word".to_owned().into());
        let header = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
        assert!(allowed(&basic, &header("prom:pass:word")));
        for wrong in ["prom:pass", "root:pass:word", ""] {
            assert!(!allowed(&basic, &header(wrong)), "{wrong}");
        }
        assert!(!allowed(&basic, "Basic %%%"));
    }
}
