//! Routes that have not succeeded yet: those that only ever fail or refuse.
//!
//! A failure proves less than a success, since something in front of the handlers may have answered. So these routes
//! have places of their own, a name needs several failures on one template that is not made of values alone, and a kind
//! of failure that many different templates get proves nothing: authentication in front of the router answers 401 on
//! every path that a scanner tries, and an app in maintenance 503.

use std::sync::Arc;

use super::answer::{Evidence, Failure};
use super::path::Path;
use super::summary::Entry;
use super::tree::{ANY, VALUE};
use super::usage::{Minute, Turnover, Usage};
use super::{Limits, Route};

/// This share of the number of learned routes may be failing ones, in addition to them.
const SHARE: usize = 8;

/// Different templates with one kind of failure; with more, it proves nothing.
const MOST_TEMPLATES: u32 = 50;

/// The count of templates is halved so often.
const HALVE_EVERY: Minute = 60;

/// The routes that only fail.
#[derive(Debug)]
pub(super) struct Failing {
    places: Vec<(Arc<str>, Usage)>,
    limits: Limits,
    /// New templates by kind of failure.
    templates: [u32; Failure::ALL.len()],
    halved: Minute,
    turnover: Turnover,
}

impl Failing {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            places: Vec::new(),
            limits,
            templates: Default::default(),
            halved: 0,
            turnover: Turnover::default(),
        }
    }

    /// The most routes there can be.
    pub(super) fn capacity(&self) -> usize {
        self.limits.max_routes.div_ceil(SHARE)
    }

    /// The label of the route with these names of segments.
    pub(super) fn known<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
        minute: Minute,
    ) -> Option<Route> {
        let is_it = |label: &str| {
            let label = Path::parse(label).into_iter().flat_map(Path::segments);
            label.eq(names.clone())
        };
        let (label, usage) = self.places.iter().find(|(label, _)| is_it(label))?;
        usage.touch(1, self.limits.established, minute);
        Some(Route::known(Arc::clone(label)))
    }

    /// Considers a folded request. Returns the label once its template has enough failures and a place.
    pub(super) fn learn(
        &mut self,
        entry: &Entry,
        is_new: bool,
        evidence: Evidence,
        minute: Minute,
    ) -> Option<Route> {
        self.halve(minute);
        let Evidence::Failure(kind) = evidence else {
            return None;
        };
        let templates = &mut self.templates[kind as usize];
        *templates = templates.saturating_add(u32::from(is_new));
        let proves = *templates <= MOST_TEMPLATES && has_a_name(&entry.template);
        if !proves || entry.failures < self.limits.promote_after {
            return None;
        }
        if self.places.len() >= self.capacity() && !self.retire(entry.failures, minute) {
            return None;
        }
        let label: Arc<str> = Arc::from(&*entry.template);
        let usage = Usage::new(entry.failures.min(self.limits.established), minute);
        self.places.push((Arc::clone(&label), usage));
        Some(Route::known(label))
    }

    fn halve(&mut self, minute: Minute) {
        if minute.saturating_sub(self.halved) >= HALVE_EVERY {
            self.templates.iter_mut().for_each(|count| *count /= 2);
            self.halved = minute;
        }
    }

    fn retire(&mut self, hits: u32, minute: Minute) -> bool {
        if !self.turnover.allows(minute) {
            return false;
        }
        let places = self.places.iter().enumerate();
        let ready = places.filter(|(_, (_, usage))| usage.gives_way(hits, minute));
        let Some((place, _)) = ready.min_by_key(|(_, (_, usage))| usage.rank()) else {
            return false;
        };
        self.places.swap_remove(place);
        self.turnover.changed();
        true
    }

    /// Restores saved routes, as long as there are places.
    pub(super) fn restore(&mut self, labels: &[(u32, String)], minute: Minute) {
        for (hits, label) in labels {
            let is_known = self.places.iter().any(|(known, _)| **known == **label);
            if !is_known && self.places.len() < self.capacity() {
                let usage = Usage::new((*hits).min(self.limits.established), minute);
                self.places.push((Arc::from(&**label), usage));
            }
        }
    }

    /// Frees the place of a route that has succeeded.
    pub(super) fn remove(&mut self, label: &str) {
        self.places.retain(|(failing, _)| **failing != *label);
    }

    /// Calls `each` for every label in use.
    pub(super) fn each_label<'a>(&'a self, each: &mut impl FnMut(&'a Arc<str>, &'a Usage)) {
        for (label, usage) in &self.places {
            each(label, usage);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The places that have changed hands.
    pub(super) fn retired(&self) -> u64 {
        self.turnover.places()
    }
}

/// Whether the template is `/` or has a segment that is not a value.
fn has_a_name(template: &str) -> bool {
    let mut segments = Path::parse(template).into_iter().flat_map(Path::segments);
    template == "/" || segments.any(|segment| segment != VALUE && segment != ANY)
}
