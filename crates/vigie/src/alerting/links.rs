//! The addresses that messages link to.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use tracing::{error, warn};
use vigie_notify::Alert;
use vigie_notify::ack::{self, Key};
use vigie_notify::template::Links;
use vigie_probes::Clock;
use vigie_redis::redact;
use vigie_store::{Directory, Kind, Loaded};

/// The file with the key that signs the links of acknowledgement.
pub(super) const NAME: &str = "ack.key";
const KIND: Kind = Kind::new(*b"AKEY", 1);
const KEY_BYTES: usize = 32;

/// The address of the admin port as users may reach it: by the name of the machine if it listens on all addresses.
pub(super) fn page(address: SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}");
    }
    match &*vigie_election::host_name() {
        "" => format!("http://localhost:{}", address.port()),
        name => format!("http://{name}:{}", address.port()),
    }
}

/// Links to the page of Vigie, and signed ones that acknowledge an alert.
pub(super) struct PageLinks {
    /// Without a trailing slash.
    url: Arc<str>,
    clock: Clock,
    signed: OnceLock<ack::Links>,
}

impl PageLinks {
    pub(super) fn new(url: Arc<str>, clock: Clock) -> Self {
        Self {
            url,
            clock,
            signed: OnceLock::new(),
        }
    }

    /// Signs links with this key from now on.
    pub(super) fn sign_with(&self, key: Key) {
        let links = ack::Links::new(&self.url, key, ack::LIFETIME);
        // It is called once, at the start.
        let _ = self.signed.set(links);
    }
}

impl Links for PageLinks {
    fn external_url(&self) -> &str {
        &self.url
    }

    fn dashboard(&self, _: &Alert) -> Option<String> {
        None
    }

    fn acknowledge(&self, alert: &Alert) -> Option<String> {
        let now = self.clock.millis();
        Some(self.signed.get()?.acknowledge(alert, now))
    }
}

/// The key in the directory, or a new one. Without a directory it lasts as long as the process. `None` if the file cannot be
/// read, which is left as it is, or if the system has no random bytes; then messages have no links of acknowledgement.
pub(super) fn key(directory: Option<&Directory>) -> Option<Key> {
    if let Some(directory) = directory {
        match directory.load(NAME, KIND, KEY_BYTES as u64) {
            Ok(Loaded::Missing) => {}
            Ok(Loaded::Document(bytes)) => match <[u8; KEY_BYTES]>::try_from(bytes) {
                Ok(bytes) => return Some(Key::new(bytes)),
                Err(bytes) => {
                    let found = bytes.len();
                    error!(
                        file = NAME,
                        found,
                        expected = KEY_BYTES,
                        "messages have no links that acknowledge: the file of their key has another length; remove it to get a new key"
                    );
                    return None;
                }
            },
            Ok(Loaded::SetAside { why, path }) => {
                let path = redact::addresses(&path.display().to_string());
                warn!(
                    %why,
                    path,
                    "the key of the links that acknowledge cannot be used; it is kept under this name, and earlier links end"
                );
            }
            Err(error) => {
                let error = redact::addresses(&error.to_string());
                error!(
                    error,
                    "messages have no links that acknowledge: the file of their key cannot be read"
                );
                return None;
            }
        }
    }
    let key = match Key::random() {
        Ok(key) => key,
        Err(error) => {
            error!(%error, "messages have no links that acknowledge: the system has no random bytes");
            return None;
        }
    };
    if let Some(Err(error)) = directory.map(|directory| directory.save(NAME, KIND, key.expose())) {
        let error = redact::addresses(&error.to_string());
        error!(
            error,
            "the key of the links that acknowledge cannot be saved; they end with this process"
        );
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let directory = Directory::open(parent.path()).unwrap();
        let first = key(Some(&directory)).unwrap();
        let again = key(Some(&directory)).unwrap();
        assert_eq!(first.expose(), again.expose());

        directory.save(NAME, KIND, b"short").unwrap();
        assert!(key(Some(&directory)).is_none());
        let kept = directory.load(NAME, KIND, 100).unwrap();
        assert!(matches!(kept, Loaded::Document(bytes) if bytes == b"short"));

        std::fs::write(parent.path().join(NAME), "of another program").unwrap();
        assert!(key(Some(&directory)).is_none());
        let kept = std::fs::read(parent.path().join(NAME)).unwrap();
        assert_eq!(kept, b"of another program");
    }
}
