//! Authentication by the plugins of MySQL and MariaDB.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::sql::error::Error;

const NATIVE: &str = "mysql_native_password";
const CACHING: &str = "caching_sha2_password";
const SHA256: &str = "sha256_password";

/// The plugin used for the first response, before the server names one.
pub(super) const FIRST: &str = NATIVE;

/// The first response to a challenge. Over a private connection, some plugins send the password itself.
pub(super) fn answer(
    plugin: &str,
    password: &str,
    challenge: &[u8],
    is_private: bool,
) -> Result<Vec<u8>, Error> {
    let is_known = matches!(plugin, NATIVE | CACHING | SHA256);
    match plugin {
        _ if is_known && password.is_empty() => Ok(Vec::new()),
        NATIVE => Ok(native(password, challenge)),
        CACHING => Ok(caching(password, challenge)),
        SHA256 if is_private => Ok(plain(password)),
        SHA256 => Err(needs_tls(plugin)),
        _ => Err(Error::Method(plugin.to_owned())),
    }
}

/// The password itself, if the server has no cached result of an earlier login.
pub(super) fn full(password: &str, is_private: bool) -> Result<Vec<u8>, Error> {
    match is_private {
        true => Ok(plain(password)),
        false => Err(needs_tls(CACHING)),
    }
}

fn needs_tls(plugin: &str) -> Error {
    Error::Method(format!("{plugin} without TLS; add ssl-mode=REQUIRED"))
}

fn plain(password: &str) -> Vec<u8> {
    [password.as_bytes(), &[0]].concat()
}

/// `SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password)))`
fn native(password: &str, challenge: &[u8]) -> Vec<u8> {
    let once = Sha1::digest(password);
    let mask = Sha1::new()
        .chain_update(challenge)
        .chain_update(Sha1::digest(once))
        .finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// `SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge)`
fn caching(password: &str, challenge: &[u8]) -> Vec<u8> {
    let once = Sha256::digest(password);
    let mask = Sha256::new()
        .chain_update(Sha256::digest(once))
        .chain_update(challenge)
        .finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}
