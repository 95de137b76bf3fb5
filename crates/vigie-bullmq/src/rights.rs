//! Whether a lease could be taken, without taking it.
//!
//! Redis judges a command by its user's rights when it enters a transaction, and a transaction that is not ended does
//! nothing. So everything that a lease needs is asked for in one that is dropped with its connection. What ends
//! transactions is tried on an empty one.

use redis::Value;

use crate::Settings;
use crate::entry::bytes;
use crate::error::Error;
use crate::lease::Lease;
use crate::link::Link;

/// Makes sure that this user may hold the lease, and says who does. Nothing is written.
///
/// # Errors
/// When Redis cannot be reached, or refuses one of the commands, or the key.
pub async fn check_lease(settings: &Settings, lease: &Lease) -> Result<Option<String>, Error> {
    let what = "asking for the lease";
    let mut link = Link::open(&settings.redis, settings.timeout).await?;
    let key = &lease.key;
    let mut asked = redis::pipe();
    asked.cmd("WATCH").arg(key);
    asked.cmd("GET").arg(key);
    asked.cmd("UNWATCH");
    asked.cmd("MULTI");
    asked.cmd("EXEC");
    asked.cmd("MULTI");
    asked.cmd("SET").arg(key).arg("").arg("NX").arg("PX").arg(1);
    asked.cmd("PEXPIRE").arg(key).arg(1);
    asked.cmd("DEL").arg(key);
    let answers = link.ask_all(what, &asked).await?;
    let refused = answers.iter().find_map(|answer| match answer {
        Value::ServerError(error) => Some(error.clone()),
        _ => None,
    });
    if let Some(error) = refused {
        let source = error.into();
        return Err(Error::Redis { what, source });
    }
    match answers.get(1) {
        Some(Value::Nil) => Ok(None),
        holder => {
            let name = holder.and_then(bytes).ok_or(Error::Answer { what })?;
            Ok(Some(String::from_utf8_lossy(name).into_owned()))
        }
    }
}
