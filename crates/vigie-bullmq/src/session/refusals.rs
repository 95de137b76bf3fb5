//! The commands that a node currently refuses. Each is logged once.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{Cmd, Pipeline, ServerError, Value};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::error::Error;
use crate::protocol::commands::Command;
use crate::protocol::errors::{is_of_key, is_of_server};

/// Minimum interval between logs about an intermittently refused command.
const QUIET: Duration = Duration::from_secs(600);
/// Maximum length of a reply in the log, in characters.
const SHOWN: usize = 60;

/// Replaces an unusable reply. No command returns this value, so that all parsers treat it as unknown.
pub(crate) const UNUSABLE: Value = Value::Okay;

/// The commands for which a node returns errors or unexpected replies.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<&'static str, Refusal>>);

struct Refusal {
    logged: Instant,
    /// Whether the refusal was logged, but not yet its end.
    is_open: bool,
    /// Why the command is refused now.
    reason: Option<String>,
}

impl Refusals {
    /// Checks the replies of one round trip. Errors of single commands and replies of an unexpected type are recorded
    /// and replaced by [`UNUSABLE`].
    ///
    /// # Errors
    ///
    /// If the server currently rejects all commands, for example while it loads its data.
    pub(crate) fn review(
        &self,
        what: &'static str,
        pipeline: &Pipeline,
        replies: &mut [Value],
    ) -> Result<(), Error> {
        for (command, reply) in pipeline.cmd_iter().zip(replies) {
            match reply {
                Value::ServerError(error) if is_of_server(error) => {
                    return Err(refused(what, error.clone()));
                }
                Value::ServerError(error) if is_of_key(error) => {}
                reply => self.judge(command, reply),
            }
        }
        Ok(())
    }

    fn judge(&self, command: &Cmd, reply: &mut Value) {
        let Some(known) = Command::of(command) else {
            return;
        };
        if known.fits(command, reply) {
            return self.answered(known);
        }
        let reason = match std::mem::replace(reply, UNUSABLE) {
            Value::ServerError(error) => error_text(&error),
            reply => {
                let reply: String = format!("{reply:?}").chars().take(SHOWN).collect();
                format!("unexpected reply: {reply}")
            }
        };
        self.note(known, &reason);
    }

    fn note(&self, command: &'static Command, reason: &str) {
        let now = Instant::now();
        let mut refusals = self.0.lock();
        let refusal = refusals.entry(command.name).or_insert(Refusal {
            logged: now,
            is_open: false,
            reason: None,
        });
        let is_new = refusal.reason.is_none();
        refusal.reason.get_or_insert_with(|| reason.to_owned());
        if is_new && (refusal.logged == now || now - refusal.logged >= QUIET) {
            (refusal.logged, refusal.is_open) = (now, true);
            warn!(
                command = command.name,
                reason,
                absent = command.absent,
                "Redis refuses a command; dependent metrics are absent"
            );
        }
    }

    fn answered(&self, command: &'static Command) {
        let mut refusals = self.0.lock();
        if let Some(refusal) = refusals.get_mut(command.name)
            && refusal.reason.take().is_some()
            && std::mem::take(&mut refusal.is_open)
        {
            info!(command = command.name, "Redis accepts a command again");
        }
    }

    /// Why some of these commands are refused now; `None` if none is known to be refused.
    pub(crate) fn reasons(&self, names: &[&'static str]) -> Option<String> {
        let refusals = self.0.lock();
        let reasons = names.iter().filter_map(|name| {
            let reason = refusals.get(name)?.reason.as_ref()?;
            Some(format!("{name} is refused: {reason}"))
        });
        let reasons: Vec<_> = reasons.collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

fn error_text(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{}: {details}", error.code()),
        None => error.code().to_owned(),
    }
}

pub(crate) fn refused(what: &'static str, error: ServerError) -> Error {
    Error::Redis {
        what,
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn error(text: &str) -> Value {
        redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap()
    }

    fn review(refusals: &Refusals, replies: &mut [Value]) -> Result<(), Error> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("LLEN").arg("k").cmd("GET").arg("k");
        refusals.review("testing", &pipeline, replies)
    }

    #[test]
    fn a_command_is_refused_and_answered_again() {
        let refusals = Refusals::default();
        let both = ["LLEN", "GET"];
        let mut replies = [
            error("ERR unknown command 'LLEN'"),
            Value::SimpleString("PONG".into()),
        ];
        review(&refusals, &mut replies).unwrap();
        assert_eq!(replies[1], UNUSABLE);
        let reasons = refusals.reasons(&both).unwrap();
        assert!(reasons.contains("unknown command 'LLEN'"), "{reasons}");
        assert!(reasons.contains("PONG"), "{reasons}");
        assert_eq!(refusals.reasons(&["ZCARD"]), None);
        review(&refusals, &mut [Value::Int(1), Value::Nil]).unwrap();
        assert_eq!(refusals.reasons(&both), None);
    }

    #[test]
    fn errors_of_a_key_are_not_refusals_and_errors_of_the_server_are_returned() {
        let refusals = Refusals::default();
        let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
        review(&refusals, &mut [error(wrong), Value::Nil]).unwrap();
        assert_eq!(refusals.reasons(&["LLEN", "GET"]), None);
        for all in [
            "LOADING Redis is loading the dataset in memory",
            "NOAUTH Authentication required.",
            "CLUSTERDOWN The cluster is down",
        ] {
            assert!(review(&refusals, &mut [error(all), Value::Nil]).is_err());
        }
        let denied = "NOPERM User u has no permissions to run the 'llen' command";
        review(&refusals, &mut [error(denied), Value::Nil]).unwrap();
        assert!(refusals.reasons(&["LLEN"]).is_some());
    }
}
