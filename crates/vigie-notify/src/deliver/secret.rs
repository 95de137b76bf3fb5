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
