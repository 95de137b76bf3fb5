//! Silences: matchers that mute alerts from one time to another.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use crate::Time;
use crate::matcher::{MatchOp, Matcher, Matchers};

/// An expired silence is kept this long, in milliseconds: five days, as in Alertmanager.
pub const RETENTION: Time = 5 * 24 * 3_600_000;

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its identifier.
    pub id: String,
    /// The alerts that it mutes.
    pub matchers: Matchers,
    /// Its start.
    pub starts_at: Time,
    /// Its end.
    pub ends_at: Time,
    /// The time of its last change.
    pub updated_at: Time,
    /// Its author.
    pub created_by: String,
    /// Its reason.
    pub comment: String,
}

/// A silence as requested.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The silence that it changes; `None` for a new one.
    pub id: Option<String>,
    /// The alerts to mute.
    pub matchers: Vec<Matcher>,
    /// Its start.
    pub starts_at: Time,
    /// Its end.
    pub ends_at: Time,
    /// Its author.
    pub created_by: String,
    /// Its reason.
    pub comment: String,
}

/// The state of a silence at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not started.
    Pending,
    /// It mutes alerts.
    Active,
    /// It ended.
    Expired,
}

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most silences, expired ones included.
    pub silences: usize,
    /// The most bytes of text in one silence.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silences: 1_000,
            bytes: 16 * 1024,
        }
    }
}

/// Why a silence is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is no silence of this identifier.
    #[error("silence not found")]
    NotFound,
    /// It would mute everything.
    #[error("at least one matcher required")]
    NoMatchers,
    /// It would mute every alert that lacks some labels.
    #[error("at least one matcher must not match the empty string")]
    MatchesEmpty,
    /// A matcher without a label.
    #[error("invalid label name \"\"")]
    NoName,
    /// It ends as it begins, or before.
    #[error("start time must be before end time")]
    Backwards,
    /// It ends in the past.
    #[error("end time can't be in the past")]
    Past,
    /// A bound is reached.
    #[error("too many silences: at most {0} are kept")]
    TooMany(usize),
    /// A bound is reached.
    #[error("silence too large: at most {0} bytes are accepted")]
    TooLarge(usize),
}

impl Silence {
    /// Its state now.
    #[must_use]
    pub fn state(&self, now: Time) -> State {
        match now {
            _ if now < self.starts_at => State::Pending,
            _ if now > self.ends_at => State::Expired,
            _ => State::Active,
        }
    }
}

/// All silences, by identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    limits: Limits,
    silences: BTreeMap<String, Silence>,
}

impl Silences {
    /// None, within these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            silences: BTreeMap::new(),
        }
    }

    /// Saved silences. Beyond the bound, those that end first are dropped.
    pub(crate) fn restore(limits: Limits, mut saved: Vec<Silence>) -> Self {
        saved.sort_by_key(|silence| std::cmp::Reverse(silence.ends_at));
        saved.truncate(limits.silences);
        let silences = saved.into_iter();
        let silences = silences.map(|silence| (silence.id.clone(), silence));
        Self {
            limits,
            silences: silences.collect(),
        }
    }

    /// Adds or changes a silence, and returns its identifier. `new_id` is used for a new one.
    ///
    /// An expired silence, and an active one whose matchers or start would change, stays as it is: it is expired, and a new
    /// one is created.
    ///
    /// # Errors
    /// The first rule of Alertmanager that the silence breaks.
    pub fn set(
        &mut self,
        now: Time,
        draft: Draft,
        new_id: impl FnOnce() -> String,
    ) -> Result<String, SilenceError> {
        self.validate(now, &draft)?;
        self.forget(now);
        let mut silence = Silence {
            id: String::new(),
            matchers: Matchers::new(draft.matchers),
            starts_at: draft.starts_at,
            ends_at: draft.ends_at,
            updated_at: now,
            created_by: draft.created_by,
            comment: draft.comment,
        };
        let known = draft.id.filter(|id| !id.is_empty());
        if let Some(id) = &known {
            let before = self.silences.get(id).ok_or(SilenceError::NotFound)?;
            if can_change(before, &silence, now) {
                silence.id.clone_from(id);
                self.silences.insert(id.clone(), silence);
                return Ok(id.clone());
            }
        }
        if self.silences.len() >= self.limits.silences {
            return Err(SilenceError::TooMany(self.limits.silences));
        }
        if let Some(id) = known {
            self.expire(now, &id)?;
        }
        silence.id = new_id();
        silence.starts_at = silence.starts_at.max(now);
        let id = silence.id.clone();
        self.silences.insert(id.clone(), silence);
        Ok(id)
    }

    fn validate(&self, now: Time, draft: &Draft) -> Result<(), SilenceError> {
        let matchers = draft.matchers.iter();
        let bytes = matchers.map(|matcher| matcher.name().len() + matcher.value().len());
        let bytes = bytes.sum::<usize>() + draft.created_by.len() + draft.comment.len();
        if bytes > self.limits.bytes {
            return Err(SilenceError::TooLarge(self.limits.bytes));
        }
        if draft.matchers.is_empty() {
            return Err(SilenceError::NoMatchers);
        }
        if draft.matchers.iter().any(|known| known.name().is_empty()) {
            return Err(SilenceError::NoName);
        }
        if draft.matchers.iter().all(matches_empty) {
            return Err(SilenceError::MatchesEmpty);
        }
        if draft.starts_at >= draft.ends_at {
            return Err(SilenceError::Backwards);
        }
        if draft.ends_at < now {
            return Err(SilenceError::Past);
        }
        Ok(())
    }

    /// Ends a silence. An expired one stays as it is.
    ///
    /// # Errors
    /// If there is none of this identifier.
    pub fn expire(&mut self, now: Time, id: &str) -> Result<(), SilenceError> {
        let silence = self.silences.get_mut(id).ok_or(SilenceError::NotFound)?;
        if silence.state(now) != State::Expired {
            // The end itself is still muted, so it is put before now.
            silence.starts_at = silence.starts_at.min(now.saturating_sub(1));
            silence.ends_at = now.saturating_sub(1);
            silence.updated_at = now;
        }
        Ok(())
    }

    /// Drops silences that expired longer ago than the retention.
    fn forget(&mut self, now: Time) {
        self.silences
            .retain(|_, silence| silence.ends_at.saturating_add(RETENTION) > now);
    }

    /// The active silences that mute an alert with these labels.
    pub fn mutes<'a>(
        &'a self,
        labels: &'a Labels,
        now: Time,
    ) -> impl Iterator<Item = &'a Silence> + 'a {
        let silences = self.silences.values();
        silences.filter(move |silence| {
            silence.state(now) == State::Active && silence.matchers.matches(labels)
        })
    }

    /// The silence of this identifier.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.silences.get(id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values()
    }
}

/// Whether a matcher matches the empty value. As in Alertmanager, a negative one does not count.
fn matches_empty(matcher: &Matcher) -> bool {
    matches!(matcher.op(), MatchOp::Equal | MatchOp::Match) && matcher.matches_value("")
}

/// Whether a silence can become the other one and keep its identifier.
fn can_change(before: &Silence, after: &Silence, now: Time) -> bool {
    let times = match before.state(now) {
        // Alertmanager compares seconds.
        State::Active => {
            before.starts_at.div_euclid(1000) == after.starts_at.div_euclid(1000)
                && after.ends_at >= now
        }
        State::Pending => after.starts_at >= now,
        State::Expired => false,
    };
    times && before.matchers == after.matchers
}
