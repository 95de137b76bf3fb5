//! The list of all routes.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::configured::Configured;
use super::pattern::{Pattern, Piece};
use super::{Routes, tree::ANY};

/// All routes, and the templates that have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteList {
    /// The configured patterns in their order, then the learned and the failing ones, each sorted. All of them together
    /// are an accepted value of `gateway.routes`.
    pub routes: Vec<ListedRoute>,
    /// The templates of requests under `<other>`, the most frequent first.
    pub folded: Vec<FoldedTemplate>,
}

/// A route with its requests since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRoute {
    /// The pattern, as `gateway.routes` accepts it.
    pub pattern: String,
    /// Where it comes from.
    pub origin: RouteOrigin,
    /// Requests recorded under it.
    pub requests: u64,
}

/// Where a route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteOrigin {
    /// From the configuration.
    Configured,
    /// Learned from successful answers.
    Learned,
    /// Learned from failures; it has not succeeded often enough to be learned.
    Failing,
}

impl RouteOrigin {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Learned => "learned",
            Self::Failing => "failing",
        }
    }
}

/// A template of requests under `<other>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedTemplate {
    /// The path, with values replaced.
    pub template: String,
    /// Its requests were at least these.
    pub at_least: u64,
    /// And at most these.
    pub at_most: u64,
    /// The method of the latest request.
    pub method: &'static str,
    /// The recorded code of the latest request.
    pub code: u16,
}

/// Requests by method and label.
pub(crate) type Requests = HashMap<(String, String), u64>;

impl Routes {
    /// The list, given how many requests were recorded.
    pub(crate) fn list(&self, requests: &Requests) -> RouteList {
        let mut routes = configured(&self.configured, requests);
        // Restored and failing routes may match the same requests as another one.
        let mut matched: HashSet<_> = self.configured.patterns().iter().map(shape).collect();
        let mut of = HashMap::<&str, u64>::new();
        for ((_, label), count) in requests {
            *of.entry(label).or_default() += count;
        }
        let state = self.state.read();
        let mut add = |origin, labels: BTreeSet<&str>| {
            for label in labels {
                let pattern = as_pattern(label);
                let is_new = pattern
                    .parse()
                    .is_ok_and(|p: Pattern| matched.insert(shape(&p)));
                if is_new {
                    let requests = of.get(label).copied().unwrap_or_default();
                    routes.push(ListedRoute {
                        pattern,
                        origin,
                        requests,
                    });
                }
            }
        };
        let mut learned = BTreeSet::new();
        state.learned.each_label(&mut |label, _| {
            learned.insert(&**label);
        });
        add(RouteOrigin::Learned, learned);
        let mut failing = BTreeSet::new();
        state.failing.each_label(&mut |label, _| {
            failing.insert(&**label);
        });
        add(RouteOrigin::Failing, failing);
        let folded = state.folded.most_frequent().into_iter();
        let folded = folded.map(|entry| FoldedTemplate {
            at_least: entry.at_least(),
            template: entry.template.into(),
            at_most: entry.count,
            method: entry.latest.0,
            code: entry.latest.1,
        });
        RouteList {
            routes,
            folded: folded.collect(),
        }
    }
}

/// The part of a pattern that decides which requests match: not the names of parameters.
fn shape(pattern: &Pattern) -> (Option<&'static str>, Vec<Piece>) {
    (pattern.method, pattern.pieces.clone())
}

/// A learned `*` is one segment; as a pattern it would be all that follows.
fn as_pattern(label: &str) -> String {
    let segments = label.split('/').map(|segment| match segment {
        ANY => ":any",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The configured patterns. Several may have one label; each request counts for the one that took it.
fn configured(configured: &Configured, requests: &Requests) -> Vec<ListedRoute> {
    let patterns = configured.patterns();
    let mut places = HashMap::<&str, Vec<usize>>::new();
    for (place, pattern) in patterns.iter().enumerate() {
        places.entry(&pattern.label).or_default().push(place);
    }
    let mut counts = vec![0; patterns.len()];
    for ((method, label), count) in requests {
        let Some(places) = places.get(&**label) else {
            continue;
        };
        let with = |wanted: Option<&str>| {
            let mut places = places.iter();
            places.find(|place| patterns[**place].method == wanted)
        };
        let taker = with(Some(method))
            .or_else(|| with(Some("GET")).filter(|_| method == "HEAD"))
            .or_else(|| with(None))
            // A 405 or a preflight.
            .or_else(|| places.first());
        if let Some(taker) = taker {
            counts[*taker] += count;
        }
    }
    let listed = |(pattern, requests): (&Pattern, u64)| ListedRoute {
        pattern: pattern.to_string(),
        origin: RouteOrigin::Configured,
        requests,
    };
    patterns.iter().zip(counts).map(listed).collect()
}
