//! Logging in at a mail server: AUTH (RFC 4954) with PLAIN, LOGIN and CRAM-MD5.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::super::failure::{Cause, Failure};
use super::super::secret;
use super::super::text::excerpt;
use super::protocol::{SHOWN, cram_md5};
use super::session::Session;
use crate::config::{Secret, Smtp};

/// The user and the credentials.
pub(super) struct Login {
    user: String,
    identity: String,
    /// For PLAIN and LOGIN.
    password: Option<SecretString>,
    /// For CRAM-MD5.
    secret: Option<SecretString>,
    /// The responses of PLAIN and LOGIN that contain the password: a server can quote them.
    responses: Vec<SecretString>,
}

impl Login {
    pub(super) async fn read(settings: &Smtp, deadline: Instant) -> Result<Self, Failure> {
        let mut login = Self {
            user: settings.auth_username.clone(),
            identity: settings.auth_identity.clone(),
            password: None,
            secret: None,
            responses: Vec::new(),
        };
        if !login.user.is_empty() {
            login.password = read(settings.auth_password.as_ref(), deadline).await?;
            login.secret = read(settings.auth_secret.as_ref(), deadline).await?;
        }
        if let Some(password) = &login.password {
            let password = password.expose_secret();
            let plain = format!("{}\0{}\0{password}", login.identity, login.user);
            let responses = [plain.as_str(), password].map(|text| BASE64.encode(text).into());
            login.responses = Vec::from(responses);
        }
        Ok(login)
    }

    /// The credentials, which texts must not contain.
    pub(super) fn secrets(&self) -> Vec<&SecretString> {
        let given = self.password.iter().chain(&self.secret);
        given.chain(&self.responses).collect()
    }
}

async fn read(secret: Option<&Secret>, deadline: Instant) -> Result<Option<SecretString>, Failure> {
    match secret {
        Some(secret) => secret::read(secret, deadline).await.map(Some),
        None => Ok(None),
    }
}

impl Session {
    /// Logs in, if the settings have a user and the server offers a way that they allow.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<(), Failure> {
        if login.user.is_empty() {
            return Ok(());
        }
        let offered = self.extension("AUTH").unwrap_or_default();
        let offered: Vec<String> = offered.split_whitespace().map(str::to_owned).collect();
        if offered.is_empty() {
            return Ok(());
        }
        let has = |name: &str| offered.iter().any(|known| known == name);
        if let (Some(secret), true) = (&login.secret, has("CRAM-MD5")) {
            return self.cram_md5(&login.user, secret).await;
        }
        let (true, [plain, password]) = (has("PLAIN") || has("LOGIN"), &*login.responses) else {
            return Err(self.no_way(&offered));
        };
        if !self.is_encrypted && !self.is_loopback {
            let text = format!("the password is not sent to {} without TLS", self.server);
            return Err(Failure::new(Cause::Tls, text));
        }
        if has("PLAIN") {
            let command = format!("AUTH PLAIN {}", plain.expose_secret());
            let reply = self.command(&command).await?;
            return self.expect(&reply, &[235]);
        }
        let user = BASE64.encode(&login.user);
        let mut reply = self.command("AUTH LOGIN").await?;
        for answer in [user.as_str(), password.expose_secret()] {
            self.expect(&reply, &[334])?;
            reply = self.command(answer).await?;
        }
        self.expect(&reply, &[235])
    }

    fn no_way(&self, offered: &[String]) -> Failure {
        let text = format!(
            "{} offers AUTH {}; Vigie can use PLAIN and LOGIN with a password, and CRAM-MD5 with a secret",
            self.server,
            excerpt(&offered.join(" "), SHOWN)
        );
        Failure::new(Cause::Credentials, text)
    }

    async fn cram_md5(&mut self, user: &str, secret: &SecretString) -> Result<(), Failure> {
        let reply = self.command("AUTH CRAM-MD5").await?;
        self.expect(&reply, &[334])?;
        let challenge = reply.lines.first().map(String::as_str).unwrap_or_default();
        let Ok(challenge) = BASE64.decode(challenge.trim()) else {
            return Err(self.odd("the challenge is not base64"));
        };
        let response = cram_md5(user, secret.expose_secret(), &challenge);
        let reply = self.command(&BASE64.encode(response)).await?;
        self.expect(&reply, &[235])
    }
}
