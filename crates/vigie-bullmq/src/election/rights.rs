//! Whether a lease could be taken, without taking it.
//!
//! Redis judges a command by its user's rights when it enters a transaction, and a transaction that is not ended does
//! nothing. So everything that a lease needs is asked for in one that is dropped with its connection. What ends
//! transactions is tried on an empty one.

use redis::Value;

use crate::Settings;
use crate::election::lease::Lease;
use crate::error::Error;
use crate::events::entry::bytes;
use crate::nodes::link::Link;

/// Makes sure that this user may hold the lease, and says who does. Nothing is written.
///
/// # Errors
/// When Redis cannot be reached, or refuses one of the commands, or the key.
pub async fn check_lease(settings: &Settings, lease: &Lease) -> Result<Option<String>, Error> {
    let what = "asking for the lease";
    let key = &lease.key;
    let mut link = Link::open_to(&settings.redis, key, settings.timeout).await?;
    let mut looks = redis::pipe();
    looks.cmd("WATCH").arg(key);
    looks.cmd("GET").arg(key);
    looks.cmd("UNWATCH");
    looks.cmd("MULTI");
    looks.cmd("EXEC");
    let answers = granted(what, link.ask_all(what, &looks).await?)?;
    // Alone, and answered before the next is sent: outside of a transaction those would be done.
    link.ask(what, &redis::cmd("MULTI")).await?;
    let mut changes = redis::pipe();
    changes
        .cmd("SET")
        .arg(key)
        .arg("")
        .arg("NX")
        .arg("PX")
        .arg(1);
    changes.cmd("PEXPIRE").arg(key).arg(1);
    changes.cmd("DEL").arg(key);
    granted(what, link.ask_all(what, &changes).await?)?;
    match answers.get(1) {
        Some(Value::Nil) => Ok(None),
        holder => {
            let name = holder.and_then(bytes).ok_or(Error::Answer { what })?;
            Ok(Some(String::from_utf8_lossy(name).into_owned()))
        }
    }
}

/// The answers, if none of them is a refusal.
fn granted(what: &'static str, answers: Vec<Value>) -> Result<Vec<Value>, Error> {
    let refused = answers.iter().find_map(|answer| match answer {
        Value::ServerError(error) => Some(error.clone()),
        _ => None,
    });
    match refused {
        Some(error) => Err(Error::Redis {
            what,
            source: error.into(),
        }),
        None => Ok(answers),
    }
}
