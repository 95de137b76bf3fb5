//! The server that a command asks: `--url` with its credentials, or the admin port in the configuration.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use vigie_config::{ConfigError, Settings, Sources};

use crate::server::Server;

/// The server to ask.
#[derive(Args)]
pub struct Target {
    /// Another server, Vigie or Prometheus
    #[arg(long, value_name = "URL", env = "VIGIE_URL", hide_env_values = true)]
    pub url: Option<String>,
    /// A file with the bearer token of that server
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "username"
    )]
    pub token_file: Option<PathBuf>,
    /// The name to log in with there
    #[arg(
        long,
        value_name = "NAME",
        requires = "url",
        requires = "password_file"
    )]
    pub username: Option<String>,
    /// A file with the password of that name
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
}

/// The reasons for which there is no server to ask.
#[derive(Debug)]
pub enum TargetError {
    /// A flag is wrong.
    Usage(String),
    /// The configuration is wrong.
    Settings(ConfigError),
}

impl Target {
    /// The server at `--url`, or the admin port that the configuration names.
    ///
    /// # Errors
    /// If a flag or the configuration is wrong.
    pub fn server(&self, config: Option<PathBuf>) -> Result<Server, TargetError> {
        let Some(url) = &self.url else {
            let sources = Sources {
                file: config,
                env: std::env::vars_os().collect(),
                flags: Vec::new(),
            };
            let settings = Settings::load(&sources).map_err(TargetError::Settings)?;
            return Ok(Server::of_settings(&settings.admin));
        };
        let secret = |flag: &str, path: &Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            let secret = vigie_config::secret_file(path);
            let wrong = |reason| TargetError::Usage(format!("{flag}: {reason}"));
            Ok(Some(SecretString::from(secret.map_err(wrong)?)))
        };
        let token = secret("--token-file", &self.token_file)?;
        let password = secret("--password-file", &self.password_file)?;
        let basic = self.username.as_deref().zip(password.as_ref());
        Server::at(url, token.as_ref(), basic).map_err(TargetError::Usage)
    }
}
