//! The `route` label: a bounded set of templates, whatever clients send.
//!
//! A path first meets the patterns that the user configured, then the routes learned from the traffic. What fits
//! neither is `<unmatched>` (the app said 404 or 405) or `<other>`.
//!
//! Only an answer that a handler of the app gave teaches a route: a success or a redirect, and neither an upgrade nor
//! an `OPTIONS` (which a CORS middleware answers on every path). So a scanner that collects 404s, or 401s from an
//! authentication in front of the router, leaves no trace. A label needs several such answers.

#[cfg(test)]
mod allocation_tests;
mod configured;
mod learned;
mod path;
mod pattern;
mod segment;
#[cfg(test)]
mod tests;

use std::{fmt, ops::Deref, sync::Arc};

use parking_lot::RwLock;

pub use self::pattern::PatternError;
use self::{configured::Configured, learned::Learned, path::Path};

/// Judges a route pattern: `[METHOD] /users/:id`, `{id}`, a tail `*`.
///
/// # Errors
/// What is wrong with it, where, and what is accepted.
pub fn validate_pattern(pattern: &str) -> Result<(), PatternError> {
    Configured::new(&[pattern]).map(drop)
}

/// The bounds of what is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Labels ever given to learned routes; afterwards new routes are `<other>`. 0 learns nothing.
    pub(crate) max_routes: usize,
    /// Answers before a route gets its label.
    pub(crate) promote_after: u32,
    /// Names under one node of the tree; one more, and they are taken for the values of a parameter.
    pub(crate) max_children: usize,
    /// Segments of the longest path that is learned, at most 15 (so that a label has at most 512 bytes).
    pub(crate) max_depth: usize,
    /// Answers after which a name stays itself when its siblings turn out to be values.
    pub(crate) established: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_routes: 200,
            promote_after: 5,
            max_children: 30,
            max_depth: 12,
            established: 100,
        }
    }
}

impl Limits {
    /// With values that the tree can keep to.
    fn sane(self) -> Self {
        Self {
            max_depth: self.max_depth.min(15),
            established: self.established.max(self.promote_after),
            ..self
        }
    }

    /// Nodes of the tree: the routes fill half of them at most, the other half is for paths on trial.
    fn max_nodes(&self) -> usize {
        let routes = self.max_routes.saturating_mul(self.max_depth.max(1));
        routes.saturating_mul(2).saturating_add(1)
    }
}

/// Finds the route of a request, and learns.
#[derive(Debug)]
pub(crate) struct Routes {
    configured: Configured,
    learned: RwLock<Learned>,
}

impl Routes {
    /// With the patterns of the user: `[METHOD] /users/:id`.
    pub(crate) fn new(patterns: &[impl AsRef<str>], limits: Limits) -> Result<Self, PatternError> {
        Ok(Self {
            configured: Configured::new(patterns)?,
            learned: RwLock::new(Learned::new(limits.sane())),
        })
    }

    /// The route of an answered request. A known route costs a walk under a read lock and no allocation.
    pub(crate) fn resolve(&self, method: &str, target: &str, status: u16, upgrade: bool) -> Route {
        let Some(path) = Path::parse(target) else {
            return Route::unknown(status);
        };
        if let Some(route) = self.configured(path, method, status) {
            return route;
        }
        let teaches = (200..400).contains(&status) && !upgrade && method != "OPTIONS";
        {
            let learned = self.learned.read();
            if let Some(route) = learned.known(path, teaches) {
                return route;
            }
            if !teaches || learned.is_full() {
                return Route::unknown(status);
            }
        }
        let earned = self.learned.write().learn(path);
        earned.unwrap_or_else(|| Route::unknown(status))
    }

    /// A 405 and a preflight are about the path, not about the method that the pattern names.
    fn configured(&self, path: Path<'_>, method: &str, status: u16) -> Option<Route> {
        let of_the_path = status == 405 || method == "OPTIONS";
        let exact = self.configured.find(path, Some(method));
        exact.or_else(|| of_the_path.then(|| self.configured.find(path, None))?)
    }

    /// The labels of routes there are now: the configured and the learned ones.
    pub(crate) fn len(&self) -> usize {
        self.configured.labels() + self.learned.read().len()
    }

    /// The learned routes as patterns, ready to be pasted into the configuration.
    pub(crate) fn learned(&self) -> Vec<String> {
        let labels = self.learned.read().labels();
        let mut patterns: Vec<String> = labels.iter().map(|label| as_pattern(label)).collect();
        patterns.sort_unstable();
        patterns
    }
}

/// A learned `*` is one segment; as a pattern it would be all that follows.
fn as_pattern(label: &str) -> String {
    let segments = label.split('/').map(|segment| match segment {
        "*" => ":any",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A value of the `route` label.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route(Label);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Label {
    Folded(&'static str),
    Known(Arc<str>),
}

impl Route {
    /// A request that no route is known for.
    const OTHER: Self = Self(Label::Folded("<other>"));

    /// A request that the app has no route for.
    const UNMATCHED: Self = Self(Label::Folded("<unmatched>"));

    fn known(label: Arc<str>) -> Self {
        Self(Label::Known(label))
    }

    fn unknown(status: u16) -> Self {
        match status {
            404 | 405 => Self::UNMATCHED,
            _ => Self::OTHER,
        }
    }

    /// `<other>` or `<unmatched>`, when the request has no route of its own; for the counter of such.
    pub(crate) fn folded(&self) -> Option<&'static str> {
        match &self.0 {
            Label::Folded(name) => Some(name),
            Label::Known(_) => None,
        }
    }
}

impl Deref for Route {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Label::Folded(name) => name,
            Label::Known(label) => label,
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
