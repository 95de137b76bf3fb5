//! The `route` label: a bounded set of templates, whatever clients send.
//!
//! A path is first matched against the patterns that the user configured, then against the routes learned from the
//! traffic, then against the routes that have only failed so far. Every other request is `<unmatched>` (the app answered
//! 404 or 405) or `<other>`.
//!
//! Only answers that a handler of the app gives teach a route ([`answer`]). So a scanner that collects 404s, or 401s from
//! an authentication in front of the router, leaves no trace. A label needs several such answers.
//!
//! Everything here is a plain value: the time and the requests are arguments.

#[cfg(test)]
mod allocation_tests;
mod answer;
mod configured;
mod failing;
mod learned;
mod limits;
mod listing;
mod path;
mod pattern;
mod patterns;
mod route;
mod saved;
mod segment;
mod summary;
#[cfg(test)]
mod tests;
mod tree;
mod unrequested;
mod usage;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::RwLock;

pub(crate) use self::answer::Answer;
pub(crate) use self::limits::Limits;
pub(crate) use self::listing::Requests;
pub use self::listing::{FoldedTemplate, ListedRoute, RouteList, RouteOrigin};
pub use self::pattern::PatternError;
pub(crate) use self::patterns::Patterns;
pub(crate) use self::route::Route;
pub(crate) use self::saved::Saved;
pub use self::saved::{SavedError, is_saved_routes};
pub use self::unrequested::Unrequested;
use self::{
    answer::Evidence, configured::Configured, failing::Failing, learned::Learned, path::Path,
    summary::Summary, usage::minute,
};

/// Checks a route pattern: `[METHOD] /users/:id`, `{id}`, a tail `*`.
///
/// # Errors
/// The error, its place, and the accepted form.
pub fn validate_pattern(pattern: &str) -> Result<(), PatternError> {
    Configured::new(&[pattern]).map(drop)
}

/// Templates in the summary of folded requests.
const FOLDED_TEMPLATES: usize = 100;

/// One of so many requests whose names share a label is counted by name.
const SAMPLE: u32 = 8;

/// Finds the route of a request, and learns.
#[derive(Debug)]
pub(crate) struct Routes {
    configured: Configured,
    state: RwLock<State>,
    /// Successful requests whose names share a label.
    shared: AtomicU32,
}

/// The state that changes with the traffic.
#[derive(Debug)]
struct State {
    limits: Limits,
    learned: Learned,
    failing: Failing,
    folded: Summary,
}

impl Routes {
    /// With the patterns of the user: `[METHOD] /users/:id`.
    pub(crate) fn new(patterns: &[impl AsRef<str>], limits: Limits) -> Result<Self, PatternError> {
        let limits = limits.sane();
        Ok(Self {
            configured: Configured::new(patterns)?,
            state: RwLock::new(State {
                limits,
                learned: Learned::new(limits),
                failing: Failing::new(limits),
                folded: Summary::new(FOLDED_TEMPLATES),
            }),
            shared: AtomicU32::new(0),
        })
    }

    /// The route of an answered request. `now` is the time since the start.
    ///
    /// A known route costs a walk under a read lock and no allocation, except for one of [`SAMPLE`] requests whose names
    /// share a label.
    pub(crate) fn resolve(
        &self,
        method: &'static str,
        target: &str,
        answer: Answer,
        now: Duration,
    ) -> Route {
        let Some(path) = Path::parse(target) else {
            return Route::unknown(answer.code());
        };
        if let Some(route) = self.configured(path, method, answer) {
            return route;
        }
        let evidence = answer.evidence(method);
        let known = self.state.read().known(path, evidence, minute(now));
        if let Some((route, shares)) = known {
            if shares && is_sampled(self.shared.fetch_add(1, Relaxed)) {
                let mut state = self.state.write();
                state.learned.count_shared(path, minute(now));
            }
            return route;
        }
        let unknown = Route::unknown(answer.code());
        if evidence == Evidence::Nothing && &*unknown == Route::UNMATCHED {
            return unknown;
        }
        let latest = (method, answer.code());
        let route = self
            .state
            .write()
            .learn(path, latest, evidence, minute(now));
        route.unwrap_or(unknown)
    }

    /// A 405 and a preflight are about the path, not about the method that the pattern names.
    fn configured(&self, path: Path<'_>, method: &str, answer: Answer) -> Option<Route> {
        let of_the_path = answer.code() == 405 || method == "OPTIONS";
        let exact = self.configured.find(path, Some(method));
        exact.or_else(|| of_the_path.then(|| self.configured.find(path, None))?)
    }

    /// The number of labels that routes have now: configured, learned and failing ones.
    pub(crate) fn len(&self) -> usize {
        let state = self.state.read();
        self.configured.labels() + state.learned.len() + state.failing.len()
    }

    /// How many learned or failing routes have given their place to another.
    pub(crate) fn retired(&self) -> u64 {
        let state = self.state.read();
        state.learned.retired() + state.failing.retired()
    }

    /// Calls `work` with a test that tells whether a value of the label may still have series. No route gets a label
    /// until `work` returns.
    pub(crate) fn with_labels<T>(&self, work: impl FnOnce(&dyn Fn(&str) -> bool) -> T) -> T {
        let state = self.state.read();
        let configured = self.configured.patterns().iter();
        let configured = configured.map(|pattern| &*pattern.label);
        let mut labels: HashSet<&str> = configured.chain(Route::FOLDED).collect();
        state.learned.each_kept(&mut |label| {
            labels.insert(label);
        });
        state.failing.each_label(&mut |label, _| {
            labels.insert(label);
        });
        work(&|label| labels.contains(label))
    }

    /// The state that survives a restart.
    pub(crate) fn save(&self, series: Vec<[String; 3]>) -> Saved {
        let state = self.state.read();
        let mut saved = Saved {
            series,
            ..Saved::default()
        };
        state.learned.save(&mut saved.learned, &mut saved.folded);
        state.failing.each_label(&mut |label, usage| {
            saved.failing.push((usage.hits(), label.to_string()));
        });
        saved
    }

    /// Restores saved routes, as far as there are places. Routes that were learned meanwhile keep theirs.
    pub(crate) fn restore(&self, saved: &Saved, now: Duration) {
        let state = &mut *self.state.write();
        let minute = minute(now);
        state.learned.restore(&saved.learned, &saved.folded, minute);
        state.failing.restore(&saved.failing, minute);
    }

    /// The learned routes as patterns, ready to be pasted into the configuration.
    #[cfg(test)]
    pub(crate) fn learned(&self) -> Vec<String> {
        let list = self.list(&Requests::new()).routes.into_iter();
        let learned = list.filter(|route| route.origin == RouteOrigin::Learned);
        learned.map(|route| route.pattern).collect()
    }
}

/// Whether the request with this number belongs to the sample. Multiples of the golden ratio are spread evenly and without a
/// period, so requests that come at regular intervals are not missed.
fn is_sampled(number: u32) -> bool {
    const GOLDEN: u32 = 0x9e37_79b9;
    number.wrapping_mul(GOLDEN) < u32::MAX / SAMPLE
}

impl State {
    /// The route, and whether the request is a success whose names share the label.
    fn known(
        &self,
        path: Path<'_>,
        evidence: Evidence,
        minute: usage::Minute,
    ) -> Option<(Route, bool)> {
        let weight = match evidence {
            Evidence::Success(weight) => weight,
            _ => 0,
        };
        if let Some((route, shares)) = self.learned.known(path, weight, minute) {
            return Some((route, shares && weight > 0));
        }
        // A success may teach the route a label in the tree, under which it is not failing any more.
        match weight {
            0 => {
                let route = self.failing.known(self.learned.names(path), minute)?;
                Some((route, false))
            }
            _ => None,
        }
    }

    fn learn(
        &mut self,
        path: Path<'_>,
        latest: (&'static str, u16),
        evidence: Evidence,
        minute: usage::Minute,
    ) -> Option<Route> {
        if let Evidence::Success(weight) = evidence {
            if let Some(route) = self.learned.learn(path, weight, minute) {
                self.failing.remove(&route);
                self.folded.remove(&route);
                return Some(route);
            }
            if let Some(route) = self.failing.known(self.learned.names(path), minute) {
                return Some(route);
            }
        }
        let template = self.template(path)?;
        let (entry, is_new) = self.folded.count(&template, latest, evidence);
        let route = self.failing.learn(entry, is_new, evidence, minute);
        if route.is_some() {
            self.folded.remove(&template);
        }
        route
    }

    /// The path with values replaced, unless it is deeper than a route may be.
    fn template(&self, path: Path<'_>) -> Option<String> {
        let segments = path.segments();
        let is_deep = segments.clone().nth(self.limits.max_depth).is_some();
        if is_deep || segments.clone().any(str::is_empty) {
            return None;
        }
        let names = self.learned.names(path);
        let template: String = names.flat_map(|name| ["/", name]).collect();
        Some(if template.is_empty() {
            "/".to_owned()
        } else {
            template
        })
    }
}
