//! The round trips that find queues and count their jobs.

use vigie_redis::Slots;

use crate::error::Error;
use crate::protocol::counting;
use crate::protocol::discovery::{self, Found, Sweep};
use crate::protocol::errors::is_elsewhere;
use crate::protocol::key::QueueKey;
use crate::protocol::levels::Levels;
use crate::session::connection::Connection;
use crate::settings::RESERVED;

/// Queues counted per round trip: requests and replies take 1.5 KB each per queue.
const CHUNK: usize = 1_000;

/// The levels of a queue, and whether to search for markers next time; `None` while the queue migrates to another node.
pub(crate) type Read = Option<(Levels, bool)>;

/// Makes one step of a sweep; `None`: the server refuses it.
pub(crate) async fn step(
    connection: &mut Connection,
    sweep: &mut Sweep,
) -> Result<Option<(Vec<QueueKey>, bool)>, Error> {
    let answer = connection.ask("finding queues", sweep.command()).await?;
    Ok(sweep.step(&answer))
}

/// Returns the keys that belong to queues, without duplicates.
pub(crate) async fn validate(
    connection: &mut Connection,
    mut keys: Vec<QueueKey>,
) -> Result<Vec<Found>, Error> {
    keys.sort_by(|a, b| a.order().cmp(&b.order()));
    keys.dedup();
    let mut pipeline = redis::pipe();
    for key in &keys {
        discovery::append(&mut pipeline, key);
    }
    let answers = connection.ask_all("reading meta", &pipeline).await?;
    let answers = answers.chunks(discovery::REPLIES);
    let found = keys.into_iter().zip(answers);
    // Migrating queues are found on their new node.
    let found = found.filter(|(_, answers)| !answers.iter().any(is_elsewhere));
    let found = found.filter_map(|(key, answers)| discovery::read(key, answers));
    let (sure, open): (Vec<_>, Vec<_>) = found.partition(|(_, sure)| *sure);
    let asked: Vec<_> = open.iter().map(|(found, _)| (&found.key, false)).collect();
    let read = ask(connection, &asked).await?;
    let open = open.iter().zip(read);
    let is_queue = |read: &Read| read.is_some_and(|(levels, _)| levels.are_known());
    let proven = open.filter(|(_, read)| is_queue(read));
    let proven = proven.map(|((found, _), _)| found.clone());
    Ok(sure
        .into_iter()
        .map(|(found, _)| found)
        .chain(proven)
        .collect())
}

/// The first of these queues that was created by BullMQ.
pub(crate) async fn first_of_bullmq<'a>(
    connection: &mut Connection,
    keys: &'a [QueueKey],
) -> Result<Option<&'a QueueKey>, Error> {
    let mut pipeline = redis::pipe();
    for key in keys {
        discovery::append_meta(&mut pipeline, key);
    }
    let answers = connection.ask_all("reading meta", &pipeline).await?;
    let mut found = keys.iter().zip(&answers);
    Ok(found
        .find(|(_, answer)| discovery::is_of_bullmq(answer))
        .map(|(key, _)| key))
}

/// Counts the jobs of queues, each with or without a search for markers.
pub(crate) async fn ask(
    connection: &mut Connection,
    queues: &[(&QueueKey, bool)],
) -> Result<Vec<Read>, Error> {
    let mut read = Vec::with_capacity(queues.len());
    for queues in queues.chunks(CHUNK) {
        let mut pipeline = redis::pipe();
        for (key, markers) in queues {
            counting::append(&mut pipeline, key, *markers);
        }
        let answers = connection.ask_all("counting jobs", &pipeline).await?;
        let mut rest = answers.as_slice();
        read.extend(queues.iter().map(|(_, markers)| {
            let (mine, others) = rest.split_at(counting::replies(*markers).min(rest.len()));
            rest = others;
            (!mine.iter().any(is_elsewhere)).then(|| counting::read(mine))
        }));
    }
    Ok(read)
}

/// Finds at most `max_queues` queues of a node, and those that `is_wanted` in any case, and counts their jobs, once.
pub(crate) async fn once(
    connection: &mut Connection,
    slots: Option<&Slots>,
    max_queues: usize,
    is_wanted: impl Fn(&QueueKey) -> bool,
) -> Result<Vec<(QueueKey, Levels)>, Error> {
    let mut sweep = Sweep::default();
    let (mut keys, mut open) = (Vec::new(), Vec::new());
    loop {
        let Some((mut found, ended)) = step(connection, &mut sweep).await? else {
            break;
        };
        if let Some(slots) = slots {
            found.retain(|queue| queue.is_tagged() && slots.contains(queue.slot()));
        }
        if keys.len() >= max_queues {
            found.retain(&is_wanted);
        }
        open.extend(found);
        // Usually all in one round trip.
        if !open.is_empty() && (ended || open.len() > max_queues) {
            let found = validate(connection, std::mem::take(&mut open)).await?;
            keys.extend(found.into_iter().map(|found| found.key));
        }
        if ended {
            break;
        }
    }
    keys.sort_by(|a, b| (!is_wanted(a), a.order()).cmp(&(!is_wanted(b), b.order())));
    keys.dedup();
    let wanted = keys.partition_point(&is_wanted);
    keys.truncate(max_queues.max(wanted.min(RESERVED)));
    let asked: Vec<_> = keys.iter().map(|key| (key, true)).collect();
    let read = ask(connection, &asked).await?.into_iter();
    let levels: Vec<_> = read
        .map(|read| read.map_or_else(Levels::default, |(levels, _)| levels))
        .collect();
    Ok(keys.into_iter().zip(levels).collect())
}
