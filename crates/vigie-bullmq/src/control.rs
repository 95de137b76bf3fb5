//! The task that finds queues and counts their jobs, on one connection.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use crate::discovery::{self, FIRST_PAUSE, Found, PAUSE, Sweep};
use crate::error::Error;
use crate::inspector::Inspector;
use crate::key::QueueKey;
use crate::levels::{self, Levels};
use crate::link::{Backoff, Link, unless_of_key};
use crate::refresh::{self, Seen};
use crate::shared::{Counted, Shared};

/// Queues counted in one round trip: question and answers take a kilobyte and a half each.
const CHUNK: usize = 1_000;

pub(crate) struct Control {
    shared: Arc<Shared>,
    backoff: Backoff,
    sweep: Sweep,
    /// Whether all keys were walked once.
    swept: bool,
    /// Followed queues met in this sweep.
    met: HashSet<QueueKey>,
    /// Followed queues of which nothing is left, and since when.
    gone: HashMap<QueueKey, Instant>,
    refused: bool,
    inspector: Inspector,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            inspector: Inspector::new(Arc::clone(&shared)),
            shared,
            backoff: Backoff::new(),
            sweep: Sweep::default(),
            swept: false,
            met: HashSet::new(),
            gone: HashMap::new(),
            refused: false,
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let Err(error) = self.session().await;
            self.failed(&error);
            sleep(self.backoff.next()).await;
        }
    }

    /// From connecting to the first error.
    async fn session(&mut self) -> Result<Infallible, Error> {
        let shared = Arc::clone(&self.shared);
        let settings = &shared.settings;
        let mut link = Link::open(&settings.redis, settings.timeout).await?;
        // It may be another server, or the same without its data.
        self.sweep = Sweep::default();
        self.met.clear();
        let mut next_step = Instant::now();
        let mut next_levels = next_step;
        self.inspector.restart();
        loop {
            let next = self.inspector.next().min(next_levels);
            sleep_until(next.min(next_step)).await;
            if next_step <= Instant::now() {
                let known = shared.queues();
                let ended = self.step(&mut link).await?;
                next_step = Instant::now() + self.pause(ended);
                if ended && !Arc::ptr_eq(&known, &shared.queues()) {
                    next_levels = Instant::now();
                }
            }
            if next_levels <= Instant::now() {
                self.count(&mut link).await?;
                next_levels = Instant::now() + settings.levels_every;
            }
            // After the levels, which say where there is nothing to look at.
            if self.inspector.next() <= Instant::now() {
                self.inspector.run(&mut link).await?;
            }
        }
    }

    fn pause(&self, ended: bool) -> Duration {
        match (ended, self.swept) {
            (true, _) => self.shared.settings.discover_every,
            (false, true) => PAUSE,
            (false, false) => FIRST_PAUSE,
        }
    }

    /// One step of the walk over all keys. Says whether it was the last.
    async fn step(&mut self, link: &mut Link) -> Result<bool, Error> {
        let (found, ended) = step(link, &mut self.sweep).await?;
        let followed = self.shared.queues();
        let is_followed: HashMap<&QueueKey, bool> = followed
            .iter()
            .map(|queue| (&queue.key, queue.events))
            .collect();
        // One without events may have become one of BullMQ.
        let (old, new): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|key| is_followed.get(key) == Some(&true));
        self.met.extend(old);
        let (old, new): (Vec<_>, Vec<_>) = validate(link, new)
            .await?
            .into_iter()
            .partition(|found| is_followed.get(&found.key) == Some(&found.events));
        self.met.extend(old.into_iter().map(|found| found.key));
        let anew: HashSet<_> = new.iter().map(|found| &found.key).collect();
        self.shared.drop_queues(|key| anew.contains(key));
        let followed = self.shared.queues().len();
        self.adopt(new, followed);
        if ended {
            self.bury(link).await?;
            self.met.clear();
            self.swept = true;
        }
        Ok(ended)
    }

    fn adopt(&mut self, mut keys: Vec<Found>, followed: usize) {
        let room = self.shared.settings.max_queues.saturating_sub(followed);
        if keys.len() > room {
            if !self.refused {
                warn!(
                    max_queues = self.shared.settings.max_queues,
                    "more queues than may be followed"
                );
            }
            self.refused = true;
            self.shared.families.refused.add((keys.len() - room) as u64);
            keys.truncate(room);
        }
        if keys.is_empty() {
            return;
        }
        for found in &keys {
            debug!(queue = %found.key, events = found.events, "queue found");
        }
        let silent = keys.iter().filter(|found| !found.events).count();
        if silent > 0 {
            info!(
                queues = silent,
                "queues of Bull have no event stream: how their jobs end is unknown"
            );
        }
        info!(
            found = keys.len(),
            followed = followed + keys.len(),
            "following queues"
        );
        self.met.extend(keys.iter().map(|found| found.key.clone()));
        // One that was refused before may be old.
        self.shared.adopt(keys, self.swept && !self.refused);
    }

    /// Drops queues of which nothing has been left for long.
    async fn bury(&mut self, link: &mut Link) -> Result<(), Error> {
        let queues = self.shared.queues();
        let missing = queues.iter().map(|queue| &queue.key);
        let missing: Vec<_> = missing.filter(|key| !self.met.contains(*key)).collect();
        let mut pipeline = redis::pipe();
        for key in &missing {
            pipeline.add_command(levels::ask_exists(key));
        }
        let answers = link.ask_all("looking for queues", &pipeline).await?;
        let now = Instant::now();
        let mut gone = HashMap::new();
        for (key, answer) in missing.into_iter().zip(&answers) {
            unless_of_key("looking for queues", answer)?;
            if crate::entry::count(answer) == Some(0) {
                let since = self.gone.get(key).copied().unwrap_or(now);
                gone.insert(key.clone(), since);
            }
        }
        let patience = self.shared.settings.forget_after;
        let dead = |key: &QueueKey| gone.get(key).is_some_and(|since| now - *since >= patience);
        self.shared.drop_queues(dead);
        gone.retain(|_, since| now - *since < patience);
        self.gone = gone;
        Ok(())
    }

    /// Counts the jobs of the queues whose turn it is, in one round trip unless they are many.
    async fn count(&mut self, link: &mut Link) -> Result<(), Error> {
        let queues = self.shared.queues();
        let known: Vec<_> = queues.iter().map(|queue| *queue.counted.lock()).collect();
        let seen = queues.iter().zip(&known).map(|(queue, known)| Seen {
            counted: known.map(|known| known.at),
            quiet: queue.activity.was_quiet(),
        });
        let now = Instant::now();
        let due = refresh::due(seen, now, self.shared.settings.levels_every);
        let asked: Vec<_> = due
            .iter()
            .map(|at| {
                (
                    &queues[*at].key,
                    known[*at].is_none_or(|known| known.markers),
                )
            })
            .collect();
        match asked.is_empty() {
            true => drop(link.ask("PING", &redis::cmd("PING")).await?),
            false => {
                let read = ask(link, &asked).await?;
                for (at, (levels, markers)) in due.iter().zip(read) {
                    queues[*at].series.set(&levels);
                    let counted = Counted {
                        at: now,
                        levels,
                        markers,
                    };
                    *queues[*at].counted.lock() = Some(counted);
                }
            }
        }
        let mut due = due.into_iter().peekable();
        let mut end = 0;
        for same_name in queues.chunk_by(|a, b| a.key.name() == b.key.name()) {
            end += same_name.len();
            let mut anew = false;
            while due.next_if(|at| *at < end).is_some() {
                anew = true;
            }
            if anew {
                let levels = same_name.iter().map(|queue| *queue.counted.lock());
                let levels: Vec<_> = levels.flatten().map(|counted| counted.levels).collect();
                same_name[0].row.set(levels.iter());
            }
        }
        self.works();
        Ok(())
    }

    fn works(&mut self) {
        self.backoff.reset();
        self.shared.families.redis_up.set(1.0);
        let mut health = self.shared.health.lock();
        health.last_levels = Some(Instant::now());
        if health.error.take().is_some() {
            info!("Redis answers again");
        }
    }

    /// Nothing is known any more.
    fn failed(&mut self, error: &Error) {
        self.shared.families.redis_up.set(0.0);
        for queue in self.shared.queues().iter() {
            *queue.counted.lock() = None;
            queue.series.forget();
            queue.signals.forget();
            queue.signals.workers(None);
            queue.row.forget();
        }
        let text = error.to_string();
        let mut health = self.shared.health.lock();
        if health.error.as_ref() != Some(&text) {
            warn!(error = text, "Redis cannot be read: levels are unknown");
        }
        health.error = Some(text);
    }
}

/// One step of a sweep.
async fn step(link: &mut Link, sweep: &mut Sweep) -> Result<(Vec<QueueKey>, bool), Error> {
    let what = "looking for queues";
    let answer = link.ask(what, &sweep.command()).await?;
    sweep.step(&answer).ok_or(Error::Answer { what })
}

/// Keeps those that are queues, each once.
async fn validate(link: &mut Link, mut keys: Vec<QueueKey>) -> Result<Vec<Found>, Error> {
    keys.sort_by(|a, b| a.order().cmp(&b.order()));
    keys.dedup();
    let mut pipeline = redis::pipe();
    for key in &keys {
        discovery::append(&mut pipeline, key);
    }
    let what = "reading meta";
    let answers = link.ask_all(what, &pipeline).await?;
    for answer in &answers {
        unless_of_key(what, answer)?;
    }
    let answers = answers.chunks(discovery::REPLIES);
    let found = keys.into_iter().zip(answers);
    let found = found.filter_map(|(key, answers)| discovery::read(key, answers));
    let (sure, open): (Vec<_>, Vec<_>) = found.partition(|(_, sure)| *sure);
    let asked: Vec<_> = open.iter().map(|(found, _)| (&found.key, false)).collect();
    let read = ask(link, &asked).await?;
    let open = open.iter().zip(read);
    let proven = open.filter(|(_, (levels, _))| levels.are_known());
    let proven = proven.map(|((found, _), _)| found.clone());
    Ok(sure
        .into_iter()
        .map(|(found, _)| found)
        .chain(proven)
        .collect())
}

/// Counts the jobs of queues, each with or without a look for markers; says where to look the next time.
async fn ask(link: &mut Link, queues: &[(&QueueKey, bool)]) -> Result<Vec<(Levels, bool)>, Error> {
    let what = "counting jobs";
    let mut read = Vec::with_capacity(queues.len());
    for queues in queues.chunks(CHUNK) {
        let mut pipeline = redis::pipe();
        for (key, markers) in queues {
            levels::append(&mut pipeline, key, *markers);
        }
        let answers = link.ask_all(what, &pipeline).await?;
        for answer in &answers {
            unless_of_key(what, answer)?;
        }
        let mut rest = answers.as_slice();
        read.extend(queues.iter().map(|(_, markers)| {
            let (mine, others) = rest.split_at(levels::replies(*markers).min(rest.len()));
            rest = others;
            levels::read(mine)
        }));
    }
    Ok(read)
}

/// Finds all queues and counts their jobs, once.
pub(crate) async fn once(
    link: &mut Link,
    max_queues: usize,
) -> Result<Vec<(QueueKey, Levels)>, Error> {
    let mut sweep = Sweep::default();
    let mut keys = Vec::new();
    loop {
        let (found, ended) = step(link, &mut sweep).await?;
        keys.extend(found);
        if ended || keys.len() > max_queues {
            break;
        }
    }
    let found = validate(link, keys).await?;
    let mut keys: Vec<_> = found.into_iter().map(|found| found.key).collect();
    keys.sort_by(|a, b| a.order().cmp(&b.order()));
    keys.truncate(max_queues);
    let asked: Vec<_> = keys.iter().map(|key| (key, true)).collect();
    let read = ask(link, &asked).await?.into_iter();
    let levels: Vec<_> = read.map(|(levels, _)| levels).collect();
    Ok(keys.into_iter().zip(levels).collect())
}
