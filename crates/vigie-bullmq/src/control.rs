//! The task that finds queues and counts their jobs, on one connection.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::Pipeline;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use crate::discovery::{FIRST_PAUSE, PAUSE, Sweep};
use crate::error::Error;
use crate::key::QueueKey;
use crate::levels::{self, Levels};
use crate::link::{Backoff, Link, unless_of_key};
use crate::shared::{Queues, Shared};

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
    round: Round,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            round: Round::new(shared.queues()),
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
        let mut link = Link::open(&settings.client, settings.timeout).await?;
        // It may be another server, or the same without its data.
        self.sweep = Sweep::default();
        self.met.clear();
        let mut next_step = Instant::now();
        let mut next_levels = next_step;
        loop {
            sleep_until(next_step.min(next_levels)).await;
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
        let is_followed: HashSet<&QueueKey> = followed.iter().map(|queue| &queue.key).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|key| is_followed.contains(key));
        self.met.extend(old);
        self.adopt(validate(link, new).await?, followed.len());
        if ended {
            self.bury(link).await?;
            self.met.clear();
            self.swept = true;
        }
        Ok(ended)
    }

    fn adopt(&mut self, mut keys: Vec<QueueKey>, followed: usize) {
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
        for key in &keys {
            debug!(queue = %key, "queue found");
        }
        info!(
            found = keys.len(),
            followed = followed + keys.len(),
            "following queues"
        );
        self.met.extend(keys.iter().cloned());
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

    /// Counts the jobs of all queues, in one round trip.
    async fn count(&mut self, link: &mut Link) -> Result<(), Error> {
        let queues = self.shared.queues();
        if !Arc::ptr_eq(&queues, &self.round.queues) {
            self.round = Round::new(Arc::clone(&queues));
        }
        let levels = self.round.ask(link).await?;
        let now = Instant::now();
        for (queue, levels) in queues.iter().zip(&levels) {
            queue.series.set(levels);
            *queue.levels.lock() = Some((now, *levels));
        }
        let mut rest = levels.as_slice();
        for same_name in queues.chunk_by(|a, b| a.key.name() == b.key.name()) {
            let (levels, others) = rest.split_at(same_name.len());
            same_name[0].row.set(levels.iter());
            rest = others;
        }
        self.backoff.reset();
        self.shared.families.redis_up.set(1.0);
        let mut health = self.shared.health.lock();
        health.last_levels = Some(now);
        if health.error.take().is_some() {
            info!("Redis answers again");
        }
        Ok(())
    }

    /// Nothing is known any more.
    fn failed(&mut self, error: &Error) {
        self.shared.families.redis_up.set(0.0);
        for queue in self.shared.queues().iter() {
            *queue.levels.lock() = None;
            queue.series.forget();
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

/// The commands for all queues, which are the same from one second to the next.
pub(crate) struct Round {
    queues: Queues,
    pipeline: Pipeline,
    /// Where to look for markers.
    markers: Vec<bool>,
}

impl Round {
    fn new(queues: Queues) -> Self {
        let markers = vec![true; queues.len()];
        let keys = queues.iter().map(|queue| &queue.key);
        Self {
            pipeline: pipeline(keys, &markers),
            markers,
            queues,
        }
    }

    async fn ask(&mut self, link: &mut Link) -> Result<Vec<Levels>, Error> {
        if self.queues.is_empty() {
            link.ask("PING", &redis::cmd("PING")).await?;
            return Ok(Vec::new());
        }
        let (levels, markers) = ask(link, &self.pipeline, &self.markers).await?;
        if markers != self.markers {
            let keys = self.queues.iter().map(|queue| &queue.key);
            self.pipeline = pipeline(keys, &markers);
            self.markers = markers;
        }
        Ok(levels)
    }
}

/// One step of a sweep.
async fn step(link: &mut Link, sweep: &mut Sweep) -> Result<(Vec<QueueKey>, bool), Error> {
    let what = "looking for queues";
    let answer = link.ask(what, &sweep.command()).await?;
    sweep.step(&answer).ok_or(Error::Answer { what })
}

/// Keeps those that are queues, each once.
async fn validate(link: &mut Link, mut keys: Vec<QueueKey>) -> Result<Vec<QueueKey>, Error> {
    keys.sort_by(|a, b| a.order().cmp(&b.order()));
    keys.dedup();
    let mut pipeline = redis::pipe();
    for key in &keys {
        pipeline.add_command(levels::ask_meta(key));
    }
    let what = "reading meta";
    let answers = link.ask_all(what, &pipeline).await?;
    for answer in &answers {
        unless_of_key(what, answer)?;
    }
    let mut answers = answers.iter();
    keys.retain(|_| answers.next().is_some_and(levels::is_queue));
    Ok(keys)
}

fn pipeline<'a>(keys: impl Iterator<Item = &'a QueueKey>, markers: &[bool]) -> Pipeline {
    let mut pipeline = redis::pipe();
    for (key, markers) in keys.zip(markers) {
        levels::append(&mut pipeline, key, *markers);
    }
    pipeline
}

async fn ask(
    link: &mut Link,
    pipeline: &Pipeline,
    markers: &[bool],
) -> Result<(Vec<Levels>, Vec<bool>), Error> {
    let what = "counting jobs";
    let answers = link.ask_all(what, pipeline).await?;
    for answer in &answers {
        unless_of_key(what, answer)?;
    }
    let mut rest = answers.as_slice();
    let read = markers.iter().map(|markers| {
        let (mine, others) = rest.split_at(levels::replies(*markers).min(rest.len()));
        rest = others;
        levels::read(mine)
    });
    Ok(read.unzip())
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
    let mut keys = validate(link, keys).await?;
    keys.truncate(max_queues);
    let markers = vec![true; keys.len()];
    let (levels, _) = ask(link, &pipeline(keys.iter(), &markers), &markers).await?;
    Ok(keys.into_iter().zip(levels).collect())
}
