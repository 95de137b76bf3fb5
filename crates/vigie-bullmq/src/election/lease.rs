//! Which of several watchers exports: the one that holds a lease, which is a key in Redis.
//!
//! This is all that the crate ever writes, and only when it is told to. The key holds the name of its holder and expires
//! after a period. The holder renews it three times a period, the others try as often to take it. So after a holder died
//! another has the lease within a period and a third.
//!
//! Nobody extends or removes what another holds, and no script is needed: the key is watched, read, and changed in a
//! transaction that fails if somebody else changed it in between, or if it expired.
//!
//! A holder counts its period from before it asked, so it ends no later than the key does, and a holder that cannot reach
//! Redis ends by itself. Two export at a time only if the key is gone early: it was deleted, the server came back
//! without it, or its clock was set forward. The first then learns of it at its next renewal, and after one period
//! whether it does or not.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::Error;
use crate::events::entry::bytes;
use crate::nodes::link::{Backoff, Link};
use crate::shared::Shared;

/// Renewals and tries in a period.
const TRIES: u32 = 3;

/// A lease in the watched Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its key.
    pub key: String,
    /// How long it lasts when it is not renewed.
    pub period: Duration,
}

/// Who wants the lease.
pub(crate) struct Candidate {
    shared: Arc<Shared>,
    lease: Lease,
    /// Of this process alone.
    name: String,
    backoff: Backoff,
    /// What was last said of it.
    said: Option<Said>,
}

#[derive(PartialEq, Eq)]
enum Said {
    Holds,
    Other(String),
    Unknown(String),
}

impl Candidate {
    pub(crate) fn new(shared: Arc<Shared>, lease: Lease) -> Self {
        Self {
            shared,
            lease,
            name: name(),
            backoff: Backoff::new(),
            said: None,
        }
    }

    /// Runs until `stop` is cancelled, and then gives the lease back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let tries = async {
            loop {
                let Err(error) = self.session().await;
                let text = error.to_string();
                if !matches!(self.said, Some(Said::Unknown(_))) {
                    warn!(
                        error = text,
                        "the lease cannot be read: queues are exported only while it lasts"
                    );
                    self.said = Some(Said::Unknown(text));
                }
                sleep(self.backoff.next().min(self.pause())).await;
            }
        };
        let _: Option<Infallible> = stop.run_until_cancelled(tries).await;
        let held = self.shared.tenure.holds(Instant::now());
        self.shared.tenure.set(None);
        if held && let Err(error) = self.give_back().await {
            warn!(%error, "the lease was not given back: it ends by itself");
        }
    }

    fn pause(&self) -> Duration {
        self.lease.period / TRIES
    }

    /// From connecting to the first error.
    async fn session(&mut self) -> Result<Infallible, Error> {
        let mut link = self.connect().await?;
        loop {
            self.turn(&mut link).await?;
            self.backoff.reset();
            sleep(self.pause()).await;
        }
    }

    async fn connect(&self) -> Result<Link, Error> {
        let settings = &self.shared.settings;
        Link::open_to(&settings.redis, &self.lease.key, settings.timeout).await
    }

    /// Renews the lease, or takes it when nobody has it.
    async fn turn(&mut self, link: &mut Link) -> Result<(), Error> {
        let Lease { key, period } = &self.lease;
        let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let asked = Instant::now();
        let (held, said) = match self.holder(link).await? {
            Holder::Me => {
                let mut renew = redis::cmd("PEXPIRE");
                renew.arg(key).arg(millis);
                (change(link, &renew).await?, Said::Holds)
            }
            Holder::Nobody => {
                let mut take = redis::cmd("SET");
                take.arg(key).arg(&self.name).arg("NX");
                take.arg("PX").arg(millis);
                (change(link, &take).await?, Said::Holds)
            }
            Holder::Other(name) => {
                link.ask("leaving the lease", &redis::cmd("UNWATCH"))
                    .await?;
                (false, Said::Other(name))
            }
        };
        let until = held.then(|| asked + *period);
        self.shared.tenure.set(until);
        // Who lost a race hears the next time whose it is.
        if self.said.as_ref() != Some(&said) && (held || said != Said::Holds) {
            match &said {
                Said::Other(holder) => info!(holder, key, "another Vigie exports the queues"),
                _ => info!(name = self.name, key, "this Vigie exports the queues"),
            }
            self.said = Some(said);
        }
        Ok(())
    }

    /// Who holds the lease. It is watched from here to the next transaction.
    async fn holder(&self, link: &mut Link) -> Result<Holder, Error> {
        let what = "reading the lease";
        let mut pipeline = redis::pipe();
        pipeline.cmd("WATCH").arg(&self.lease.key);
        pipeline.cmd("GET").arg(&self.lease.key);
        let answers = link.ask_all(what, &pipeline).await?;
        refusal(what, &answers)?;
        let holder = answers.last().unwrap_or(&Value::Nil);
        Holder::of(holder, &self.name).ok_or(Error::Answer { what })
    }

    /// So that the next one need not wait for its end.
    async fn give_back(&self) -> Result<(), Error> {
        let mut link = self.connect().await?;
        if self.holder(&mut link).await? == Holder::Me {
            let mut delete = redis::cmd("DEL");
            delete.arg(&self.lease.key);
            change(&mut link, &delete).await?;
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Holder {
    Me,
    Nobody,
    Other(String),
}

impl Holder {
    fn of(reply: &Value, me: &str) -> Option<Self> {
        match reply {
            Value::Nil => Some(Self::Nobody),
            reply => match bytes(reply)? {
                name if name == me.as_bytes() => Some(Self::Me),
                name => Some(Self::Other(String::from_utf8_lossy(name).into_owned())),
            },
        }
    }
}

/// Changes the watched key unless somebody else did. Says whether it was changed.
async fn change(link: &mut Link, command: &redis::Cmd) -> Result<bool, Error> {
    let what = "changing the lease";
    let mut pipeline = redis::pipe();
    pipeline.cmd("MULTI");
    pipeline.add_command(command.clone());
    pipeline.cmd("EXEC");
    let answers = link.ask_all(what, &pipeline).await?;
    refusal(what, &answers)?;
    Ok(is_done(answers.last().unwrap_or(&Value::Nil)))
}

/// Whether a transaction of one command took place and changed something.
fn is_done(reply: &Value) -> bool {
    match reply {
        Value::Array(replies) => matches!(replies[..], [Value::Okay | Value::Int(1)]),
        _ => false,
    }
}

fn refusal(what: &'static str, answers: &[Value]) -> Result<(), Error> {
    let refused = answers.iter().find_map(|answer| match answer {
        Value::ServerError(error) => Some(error.clone()),
        _ => None,
    });
    refused.map_or(Ok(()), |error| {
        Err(Error::Redis {
            what,
            source: error.into(),
        })
    })
}

/// A name that no other process has, and that tells people where it runs.
fn name() -> String {
    use std::hash::{BuildHasher as _, RandomState};

    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let process = std::process::id();
    // Each hasher has keys of its own, which come from the system's source of chance.
    let chance = RandomState::new().hash_one(process);
    format!("{}:{process}:{chance:016x}", host.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read() {
        let reply = |text: &str| Value::BulkString(text.into());
        for (reply, expected) in [
            (Value::Nil, Some(Holder::Nobody)),
            (reply("a:1"), Some(Holder::Me)),
            (reply("a:12"), Some(Holder::Other("a:12".into()))),
            (reply(""), Some(Holder::Other(String::new()))),
            (Value::Int(3), None),
        ] {
            assert_eq!(Holder::of(&reply, "a:1"), expected);
        }
    }

    #[test]
    fn only_a_transaction_that_changed_something_counts() {
        let of = |reply| is_done(&Value::Array(vec![reply]));
        assert!(of(Value::Okay) && of(Value::Int(1)));
        assert!(!of(Value::Nil) && !of(Value::Int(0)));
        assert!(!is_done(&Value::Nil) && !is_done(&Value::Array(vec![])));
    }

    #[test]
    fn no_two_processes_have_the_same_name() {
        assert_ne!(name(), name());
    }
}
