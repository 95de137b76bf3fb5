//! Reads credentials when they are needed.

use std::path::Path;

use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};
use vigie_store::read_text;

use super::failure::{Cause, Failure};
use crate::config::Secret;

/// The largest file of a credential, in bytes.
const LARGEST: u64 = 64 << 10;

/// A credential, from its file unless it is in the configuration.
pub(super) async fn read(secret: &Secret, deadline: Instant) -> Result<SecretString, Failure> {
    match secret {
        Secret::Value(value) => Ok(value.clone()),
        Secret::File(path) => text_of(path, deadline).await,
        Secret::Hidden(path) => {
            let text = "the file of a credential cannot be used: there is none with this path, which is not shown, \
                        since it may be the credential itself";
            let read = text_of(path, deadline).await;
            read.map_err(|_| Failure::new(Cause::Settings, text))
        }
    }
}

/// As [`read`], for one that need not be there.
pub(super) async fn read_optional(
    secret: Option<&Secret>,
    deadline: Instant,
) -> Result<Option<SecretString>, Failure> {
    match secret {
        Some(secret) => read(secret, deadline).await.map(Some),
        None => Ok(None),
    }
}

/// The text of a file, without white space around it.
pub(super) async fn text_of(path: &Path, deadline: Instant) -> Result<SecretString, Failure> {
    let owned = path.to_owned();
    // A file on a network can block.
    let reading = tokio::task::spawn_blocking(move || content(&owned));
    let reason = match timeout_at(deadline, reading).await {
        Ok(Ok(Ok(text))) => return Ok(text),
        Ok(Ok(Err(reason))) => reason,
        Ok(Err(_)) => "the program ends".to_owned(),
        Err(_) => "it was not read before the deadline".to_owned(),
    };
    let text = format!("the file {} cannot be used: {reason}", path.display());
    Err(Failure::new(Cause::Settings, text))
}

fn content(path: &Path) -> Result<SecretString, String> {
    let text = read_text(path, LARGEST).map_err(|reason| reason.to_string())?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(SecretString::from(text)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::config::{self, Kind};

    /// The credential of the only receiver of a configuration in `directory`.
    fn credential(directory: &Path, value: &str) -> Secret {
        let mut config = config::load(&format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a, slack_configs: [{{api_url_file: '{value}'}}]}}]\n"
        ))
        .unwrap();
        config.resolve(directory);
        match &config.receivers[0].integrations[0].kind {
            Kind::Slack(slack) => slack.api_url.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_credential_in_place_of_its_path_is_not_shown() {
        let directory = tempfile::tempdir().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let read = async |value: &str| read(&credential(directory.path(), value), deadline).await;
        for value in [
            "https://hooks.slack.com/services/T0/B0/hunter2",
            "123456:hunter2",
            "hunter2",
        ] {
            let failure = read(value).await.unwrap_err();
            assert_eq!(failure.cause, Cause::Settings);
            assert!(!failure.text.contains("hunter2"), "{}", failure.text);
        }
        let failure = read("./url").await.unwrap_err();
        assert!(failure.text.contains("url"), "{}", failure.text);
        // Files that are mounted later are read.
        let later = credential(directory.path(), "url");
        std::fs::write(directory.path().join("url"), "https://h\n").unwrap();
        let found = super::read(&later, deadline).await.unwrap();
        assert_eq!(found.expose_secret(), "https://h");
    }
}
