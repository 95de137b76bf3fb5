//! One look at all queues, without a watcher.

use std::collections::BTreeSet;
use std::sync::Arc;

use vigie_redis::{Endpoint, Slots};

use crate::error::Error;
use crate::protocol::key::QueueKey;
use crate::protocol::levels::Levels;
use crate::session::connection::Connection;
use crate::session::control::REQUIRED;
use crate::session::refusals::Refusals;
use crate::session::{job_names, survey};
use crate::settings::Settings;

/// A queue that [`probe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLevels {
    /// Its database, if several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state.
    pub levels: Levels,
    /// If the production tick has a job name: names of jobs in the tick's queue, from a sample of stored jobs and
    /// recent events. Empty for other queues.
    pub names: BTreeSet<String>,
}

/// Connects to each node, scans all keys once, and counts the jobs of each queue found: at most [`Settings::max_queues`], and
/// the queue of the production tick.
///
/// # Errors
///
/// If a node cannot be reached, refuses a required command, or does not reply in time.
pub async fn probe(settings: &Settings) -> Result<Vec<QueueLevels>, Error> {
    let mut queues = Vec::new();
    let mut probe_node = async |endpoint: &Endpoint, slots: Option<&Slots>, database| {
        let refusals = Arc::new(Refusals::default());
        let connection = Connection::open(endpoint, settings.timeout, &refusals);
        let mut connection = connection.await?;
        let room = settings.max_queues.saturating_sub(queues.len());
        let is_of_tick = |key: &QueueKey| settings.is_of_tick(key.name());
        let found = survey::once(&mut connection, slots, room, is_of_tick).await?;
        if let Some(reasons) = refusals.reasons(&REQUIRED) {
            return Err(Error::Refused(reasons));
        }
        let tick = settings.tick.as_ref().filter(|tick| tick.job.is_some());
        for (key, levels) in found {
            let is_ticks = tick.is_some_and(|tick| tick.queue == key.name());
            let names = match is_ticks {
                true => job_names::sample(&mut connection, &key).await?,
                false => BTreeSet::new(),
            };
            queues.push(QueueLevels {
                database,
                prefix: key.prefix().into(),
                name: key.name().into(),
                levels,
                names,
            });
        }
        Ok(())
    };
    let of = |node: String| move |error| Error::Node(node, Box::new(error));
    if let Some(mut scout) = settings.redis.scout() {
        let masters = scout.masters(settings.timeout).await;
        for master in masters.map_err(Error::Connect)? {
            let probed = probe_node(&master.endpoint, Some(&master.slots), None).await;
            probed.map_err(of(master.name))?;
        }
    } else if settings.databases.is_empty() {
        probe_node(&settings.redis, None, None).await?;
    } else {
        for database in &settings.databases {
            let endpoint = settings.redis.clone().in_database(*database);
            let probed = probe_node(&endpoint, None, Some(*database)).await;
            probed.map_err(of(format!("database {database}")))?;
        }
    }
    queues.sort_by(|a, b| (&a.name, &a.prefix, a.database).cmp(&(&b.name, &b.prefix, b.database)));
    Ok(queues)
}
