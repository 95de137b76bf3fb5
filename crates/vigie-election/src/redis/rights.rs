//! Checks the permissions for the lease without acquiring it.
//!
//! Redis checks the permissions of a command when it is queued in a transaction, and a transaction that is not
//! executed changes nothing. So each command that the lease needs is queued in a transaction that ends with its
//! connection; the commands that end transactions are tried on an empty one.

use super::error::Error;
use super::key::{Key, Settings, holder};
use crate::store::Record as _;

/// Checks the permissions for the lease and returns its holder. Nothing is written.
///
/// # Errors
/// If Redis cannot be reached, or refuses one of the commands or the key.
pub async fn check(settings: Settings) -> Result<Option<String>, Error> {
    let what = "checking the lease";
    let mut store = Key::new(settings);
    let key = store.name().to_owned();
    let mut reads = redis::pipe();
    reads.cmd("WATCH").arg(&key);
    reads.cmd("GET").arg(&key);
    reads.cmd("UNWATCH");
    reads.cmd("MULTI");
    reads.cmd("EXEC");
    let answers = store.ask(what, &reads).await?;
    // Answered before the next commands are sent: outside of a transaction they would be executed.
    let mut begin = redis::pipe();
    begin.cmd("MULTI");
    store.ask(what, &begin).await?;
    let mut changes = redis::pipe();
    changes
        .cmd("SET")
        .arg(&key)
        .arg("")
        .arg("NX")
        .arg("PX")
        .arg(1);
    changes.cmd("PEXPIRE").arg(&key).arg(1);
    changes.cmd("DEL").arg(&key);
    store.ask(what, &changes).await?;
    let holder = holder(answers.get(1)).ok_or(Error::Answer { what })?;
    Ok(holder.map(|holder| holder.holder().to_owned()))
}
