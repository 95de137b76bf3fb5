//! The check of a cluster, for each node.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;
use vigie_redis::{Error, Master, SLOTS, Scout, Slots};

use crate::redis::{Trouble, What};
use crate::redis_ping::Ping;

/// The masters of a cluster, each with its connection.
pub(crate) struct Members {
    scout: Scout,
    pings: BTreeMap<String, Ping>,
}

impl Members {
    pub(crate) fn new(scout: Scout) -> Self {
        Self {
            scout,
            pings: BTreeMap::new(),
        }
    }

    /// Passes if every master answers, all slots are owned, and the cluster reports itself as working.
    pub(crate) async fn run(
        &mut self,
        deadline: Duration,
        relogin_every: Duration,
    ) -> Result<(), Trouble> {
        // A hanging node must leave time for the others.
        let each = deadline.mul_f64(0.4);
        let masters = self.scout.masters(each).await?;
        let held = masters.iter().fold(Slots::none(), |mut all, master| {
            all.add_all(&master.slots);
            all
        });
        self.ping(masters, each, relogin_every).await?;
        let missing = usize::from(SLOTS) - held.len();
        if missing > 0 {
            return Err(partial(format!(
                "{missing} of {SLOTS} slots are held by no node"
            )));
        }
        match self.state().await? {
            Some(state) if state != "ok" => Err(partial(format!("cluster_state is {state}"))),
            _ => Ok(()),
        }
    }

    async fn ping(
        &mut self,
        masters: Vec<Master>,
        each: Duration,
        relogin_every: Duration,
    ) -> Result<(), Trouble> {
        let mut asked = JoinSet::new();
        for master in masters {
            let mut ping = self.pings.remove(&master.name).unwrap_or_default();
            asked.spawn(async move {
                let answer = ping.run(&master.endpoint, each, relogin_every);
                let answer = tokio::time::timeout(each, answer).await;
                let answer = answer.unwrap_or(Err(Error::Late(each)));
                (master.name, ping, answer)
            });
        }
        // Connections to former masters are dropped.
        self.pings.clear();
        let mut failed: Option<(String, Error)> = None;
        while let Some(answered) = asked.join_next().await {
            let Ok((name, ping, answer)) = answered else {
                continue;
            };
            match answer {
                Ok(()) => drop(self.pings.insert(name, ping)),
                Err(error) => {
                    self.scout.avoid(&name);
                    // Report the same node each time, regardless of the order of replies.
                    if failed.as_ref().is_none_or(|(first, _)| name < *first) {
                        failed = Some((name, error));
                    }
                }
            }
        }
        match failed {
            Some((node, error)) => Err(Trouble {
                node: Some(node),
                what: What::Error(error),
            }),
            None => Ok(()),
        }
    }

    /// The state that the cluster reports; `None` if this user has no permission.
    async fn state(&mut self) -> Result<Option<String>, Error> {
        let Some(connection) = self.scout.connection() else {
            return Ok(None);
        };
        let mut command = redis::cmd("CLUSTER");
        command.arg("INFO");
        let info: Result<String, _> = command.query_async(connection).await;
        match info {
            Ok(info) => {
                let mut lines = info.lines();
                let state = lines.find_map(|line| line.strip_prefix("cluster_state:"));
                Ok(state.map(str::to_owned))
            }
            Err(error) if error.code() == Some("NOPERM") => Ok(None),
            Err(error) => Err(Error::Redis(error)),
        }
    }
}

fn partial(text: String) -> Trouble {
    Trouble {
        node: None,
        what: What::Partial(text),
    }
}
