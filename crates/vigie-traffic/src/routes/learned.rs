//! Routes learned from the traffic: a tree that stays small whatever clients send.

use std::sync::Arc;

use super::tree::{Growth, Node, name_alone};
use super::usage::{Minute, QUIET, Turnover, Usage};
use super::{Limits, Route, path::Path};

/// This share of the places is only for routes with many hits, so that paths that are requested a few times cannot take
/// every place before an important route is first requested.
const RESERVED: usize = 4;

/// How many times `promote_after` a route needs for a reserved place.
const RESERVED_PRICE: u32 = 10;

/// The learned routes.
///
/// Three bounds hold: the places (`max_routes`), the children of a node (`max_children`) and, against paths that never
/// get a label, the nodes. When no place is free, a route that is used more takes the place of one that is not used any
/// more; see [`Usage::gives_way`].
#[derive(Debug)]
pub(super) struct Learned {
    root: Node,
    limits: Limits,
    /// Labels in the tree.
    labels: usize,
    /// Labels that folding removed from the tree. Each keeps its place until its series no longer matters.
    lost: Vec<(Arc<str>, Minute)>,
    /// At least the number of nodes; exact after a sweep.
    nodes: usize,
    turnover: Turnover,
}

impl Learned {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            root: Node::new(""),
            limits,
            labels: 0,
            lost: Vec::new(),
            nodes: 1,
            turnover: Turnover::default(),
        }
    }

    /// The label of a path that has one, and whether it shares the label with other names. `weight` is how much the
    /// request counts for its route.
    pub(super) fn known(
        &self,
        path: Path<'_>,
        weight: u32,
        minute: Minute,
    ) -> Option<(Route, bool)> {
        let mut node = &self.root;
        let mut shares = false;
        for segment in path.segments() {
            shares |= node.shares(segment);
            node = node.child(segment)?;
        }
        let label = node.label.clone()?;
        node.usage.touch(weight, self.limits.established, minute);
        Some((Route::known(label), shares))
    }

    /// Counts one of the sampled requests whose names share a label. If that makes a name a route of its own, the path gets
    /// its label at once; without a place for that it stays what it is.
    pub(super) fn count_shared(&mut self, path: Path<'_>, minute: Minute) {
        if self.labels + self.lost.len() >= self.limits.max_routes {
            return;
        }
        let mut node = &mut self.root;
        for segment in path.segments() {
            if node.shares(segment) && node.count_shared(segment, &self.limits) {
                self.nodes += 1;
                self.learn(path, self.limits.established, minute);
                return;
            }
            match node.child_mut(segment) {
                Some(child) => node = child,
                None => return,
            }
        }
    }

    /// Counts a request. Returns the label once the route has enough hits and a place.
    pub(super) fn learn(&mut self, path: Path<'_>, weight: u32, minute: Minute) -> Option<Route> {
        let segments = path.segments();
        let depth = segments.clone().take(self.limits.max_depth + 1).count();
        let is_deep = depth > self.limits.max_depth;
        if self.limits.max_routes == 0 || is_deep || segments.clone().any(str::is_empty) {
            return None;
        }
        if self.nodes + depth > self.limits.max_nodes() {
            self.sweep();
        }
        let mut growth = Growth {
            limits: &self.limits,
            added: 0,
            lost: Vec::new(),
        };
        let mut node = &mut self.root;
        for (place, segment) in segments.enumerate() {
            node = node.enter(segment, place == 0, &mut growth);
        }
        node.usage.touch(weight, self.limits.established, minute);
        let (hits, label) = (node.usage.hits(), node.label.clone());
        self.nodes += growth.added;
        self.labels -= growth.lost.len();
        self.lost.append(&mut growth.lost);
        if let Some(label) = label {
            return Some(Route::known(label));
        }
        if hits < self.limits.promote_after || !self.has_place(hits, minute) {
            return None;
        }
        self.name(path).map(Route::known)
    }

    /// Gives a path that is in the tree its label.
    fn name(&mut self, path: Path<'_>) -> Option<Arc<str>> {
        let mut text = String::new();
        let mut node = &mut self.root;
        for segment in path.segments() {
            node = node.child_mut(segment)?;
            text.push('/');
            text.push_str(&node.name);
        }
        if text.is_empty() {
            text.push('/');
        }
        let label: Arc<str> = text.into();
        node.label = Some(Arc::clone(&label));
        self.labels += 1;
        self.lost.retain(|(lost, _)| *lost != label);
        Some(label)
    }

    /// Whether there is a place for a route with so many hits; one is made if possible.
    fn has_place(&mut self, hits: u32, minute: Minute) -> bool {
        let taken = self.labels + self.lost.len();
        let all = self.limits.max_routes;
        taken < all - all / RESERVED
            || self.retire(hits, minute)
            || (taken < all && hits >= self.reserved_price())
    }

    fn reserved_price(&self) -> u32 {
        let price = self.limits.promote_after.saturating_mul(RESERVED_PRICE);
        price.min(self.limits.established)
    }

    /// Frees the place of a route that gives way to one with so many hits.
    fn retire(&mut self, hits: u32, minute: Minute) -> bool {
        if !self.turnover.allows(minute) {
            return false;
        }
        let is_quiet = |(_, used): &(_, Minute)| minute.saturating_sub(*used) >= QUIET;
        let freed = match self.lost.iter().position(is_quiet) {
            Some(place) => {
                self.lost.swap_remove(place);
                true
            }
            None => self.retire_least_used(hits, minute),
        };
        if freed {
            self.turnover.changed();
        }
        freed
    }

    fn retire_least_used(&mut self, hits: u32, minute: Minute) -> bool {
        let mut least: Option<(&Arc<str>, &Usage)> = None;
        self.root.each_label(&mut |label, usage| {
            let is_less = least.is_none_or(|(_, least)| usage.rank() < least.rank());
            if is_less && usage.gives_way(hits, minute) {
                least = Some((label, usage));
            }
        });
        let Some(label) = least.map(|(label, _)| Arc::clone(label)) else {
            return false;
        };
        // A label is a path that leads to its own node.
        let mut node = Some(&mut self.root);
        for segment in Path::parse(&label).into_iter().flat_map(Path::segments) {
            node = node.and_then(|node| node.child_mut(segment));
        }
        let Some(node) = node.filter(|node| node.label.is_some()) else {
            return false;
        };
        node.label = None;
        node.usage.clear();
        self.labels -= 1;
        true
    }

    /// The names of a path's segments: a value is `:id`.
    pub(super) fn names<'a>(&'a self, path: Path<'a>) -> impl Iterator<Item = &'a str> + Clone {
        let mut node = Some(&self.root);
        path.segments().map(move |segment| {
            let parent = node;
            node = node.and_then(|node| node.child(segment));
            match parent {
                Some(parent) => parent.name_of(segment),
                None => name_alone(segment),
            }
        })
    }

    /// Calls `each` for every label in use.
    pub(super) fn each_label<'a>(&'a self, each: &mut impl FnMut(&'a Arc<str>, &'a Usage)) {
        self.root.each_label(each);
    }

    /// Calls `each` for every label whose series matters: those in use and those that folding removed a short time ago.
    pub(super) fn each_kept<'a>(&'a self, each: &mut impl FnMut(&'a Arc<str>)) {
        self.root.each_label(&mut |label, _| each(label));
        self.lost.iter().for_each(|(label, _)| each(label));
    }

    /// The labels with their hits, and the paths of the folded nodes that lead to a label.
    pub(super) fn save(&self, labels: &mut Vec<(u32, String)>, folded: &mut Vec<String>) {
        self.root.each_label(&mut |label, usage| {
            labels.push((usage.hits(), label.to_string()));
        });
        self.root.each_folded(&mut String::new(), folded);
    }

    /// Restores saved routes, those with many hits first, as long as there are places.
    pub(super) fn restore(&mut self, labels: &[(u32, String)], folded: &[String], minute: Minute) {
        let mut labels: Vec<_> = labels.iter().collect();
        labels.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
        for (hits, label) in labels {
            if self.labels + self.lost.len() >= self.limits.max_routes {
                break;
            }
            let most = self.limits.established;
            let Some(node) = self.build(label) else {
                continue;
            };
            node.usage.touch(*hits, most, minute);
            if node.label.is_none() {
                node.label = Some(Arc::from(&**label));
                self.labels += 1;
            }
        }
        for path in folded {
            if let Some(node) = self.build(path) {
                node.folded = true;
            }
        }
    }

    /// The node of a label, added if it does not exist.
    fn build(&mut self, label: &str) -> Option<&mut Node> {
        let segments = Path::parse(label)?.segments();
        let depth = segments.clone().count();
        if depth > self.limits.max_depth || self.nodes + depth > self.limits.max_nodes() {
            return None;
        }
        let mut node = &mut self.root;
        for name in segments {
            node = node.build(name, &mut self.nodes);
        }
        Some(node)
    }

    /// The number of labels in use.
    pub(super) fn len(&self) -> usize {
        self.labels
    }

    /// The places that have changed hands.
    pub(super) fn retired(&self) -> u64 {
        self.turnover.places()
    }

    /// Makes room for at least as many nodes as the labels can need. Paths with many hits stay the longest. The cost is
    /// small for each of the many requests that filled the tree.
    fn sweep(&mut self) {
        let enough = self.limits.max_nodes() / 2 + 1;
        // The hits of a node without a label reach 0 by then.
        for _ in 0..=u32::BITS {
            self.nodes = self.root.age().max(1);
            if self.nodes <= enough {
                return;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> u64 {
        self.root.sum(&|_| 1)
    }
}
