//! Routes learned from the traffic: a tree that stays small whatever clients send.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use super::{Limits, Route, path::Path, segment::is_value};

/// What a segment that looks like a value is called.
const VALUE: &str = ":id";

/// What the segments below a node with too many names are called.
const ANY: &str = "*";

/// A child with this share of its parent's requests is a route of its own among values: `/users/me`.
const SHARE_OF_A_ROUTE: u64 = 4;

/// The learned routes.
///
/// Three bounds hold it: the labels ever given out (`max_routes`; a label is not given back, since its series lives
/// on), the children of a node (`max_children`) and, against paths that never earn a label, the nodes.
#[derive(Debug)]
pub(super) struct Learned {
    root: Node,
    limits: Limits,
    issued: usize,
    /// At least the number of nodes; exact after a sweep.
    nodes: usize,
}

#[derive(Debug)]
struct Node {
    name: Box<str>,
    /// Sorted by name, at most `max_children`.
    literals: Vec<Node>,
    /// Where values go and, once folded, every name that is not among the literals.
    wildcard: Option<Box<Node>>,
    folded: bool,
    /// Requests that ended here; counted up to `Limits::established`.
    hits: AtomicU32,
    label: Option<Arc<str>>,
}

impl Learned {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            root: Node::new(""),
            limits,
            issued: 0,
            nodes: 1,
        }
    }

    /// The label of a path that has one. `teaches` lets the request count for its route.
    pub(super) fn known(&self, path: Path<'_>, teaches: bool) -> Option<Route> {
        let mut node = &self.root;
        for segment in path.segments() {
            node = node.child(segment)?;
        }
        let label = node.label.clone()?;
        // An established route writes nothing: no cache line goes to and fro between cores.
        if teaches && node.hits.load(Relaxed) < self.limits.established {
            node.hits.fetch_add(1, Relaxed);
        }
        Some(Route::known(label))
    }

    /// Whether nothing can be learned any more.
    pub(super) fn is_full(&self) -> bool {
        self.issued >= self.limits.max_routes
    }

    /// Counts a request; the label once it has been earned.
    pub(super) fn learn(&mut self, path: Path<'_>) -> Option<Route> {
        let segments = path.segments();
        let depth = segments.clone().take(self.limits.max_depth + 1).count();
        if self.is_full() || depth > self.limits.max_depth || segments.clone().any(str::is_empty) {
            return None;
        }
        if self.nodes + depth > self.limits.max_nodes() {
            self.sweep();
        }
        let mut text = String::new();
        let mut node = &mut self.root;
        for (place, segment) in segments.enumerate() {
            node = node.enter(segment, &self.limits, place == 0, &mut self.nodes);
            text.push('/');
            text.push_str(&node.name);
        }
        let hits = node.hits.get_mut();
        *hits = hits.saturating_add(1);
        if *hits < self.limits.promote_after {
            return None;
        }
        if text.is_empty() {
            text.push('/');
        }
        let issued = &mut self.issued;
        let label = node.label.get_or_insert_with(|| {
            *issued += 1;
            Arc::from(text)
        });
        Some(Route::known(Arc::clone(label)))
    }

    /// The labels in use, sorted.
    pub(super) fn labels(&self) -> Vec<Arc<str>> {
        let mut labels = Vec::new();
        self.root.collect(&mut labels);
        labels.sort_unstable();
        labels
    }

    /// How many labels are in use.
    pub(super) fn len(&self) -> usize {
        self.labels().len()
    }

    /// Forgets all that leads to no label. That is at least half of the nodes when they are all in use, so the cost is
    /// small for each of the many requests that brought it about.
    fn sweep(&mut self) {
        self.nodes = self.root.prune().max(1);
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> u64 {
        self.root.sum(&|_| 1)
    }
}

impl Node {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            literals: Vec::new(),
            wildcard: None,
            folded: false,
            hits: AtomicU32::new(0),
            label: None,
        }
    }

    fn literal(&self, segment: &str) -> Result<usize, usize> {
        self.literals
            .binary_search_by(|child| (*child.name).cmp(segment))
    }

    fn child(&self, segment: &str) -> Option<&Self> {
        match self.literal(segment) {
            Ok(place) => Some(&self.literals[place]),
            Err(_) if segment.is_empty() => None,
            Err(_) if self.folded || is_value(segment) => self.wildcard.as_deref(),
            Err(_) => None,
        }
    }

    /// The child for a segment, made if need be.
    fn enter(
        &mut self,
        segment: &str,
        limits: &Limits,
        root: bool,
        nodes: &mut usize,
    ) -> &mut Self {
        let mut place = self.literal(segment);
        let value = place.is_err() && is_value(segment);
        if place.is_err() && !value && !self.folded && self.literals.len() >= limits.max_children {
            self.fold(limits, root);
            place = self.literal(segment);
        }
        match place {
            Ok(place) => &mut self.literals[place],
            Err(_) if self.folded || value => {
                let name = if self.folded { ANY } else { VALUE };
                self.wildcard.get_or_insert_with(|| {
                    *nodes += 1;
                    Box::new(Self::new(name))
                })
            }
            Err(place) => {
                *nodes += 1;
                self.literals.insert(place, Self::new(segment));
                &mut self.literals[place]
            }
        }
    }

    /// Too many names: they are the values of a parameter. From now on they share the wildcard, for good. Those that
    /// have proved to be routes stay what they are.
    ///
    /// The root is the one place where being wrong costs every route of the app, and where anybody can send anything
    /// (a page that answers 200 to all). There, passers-by are forgotten, and it folds only when routes leave them
    /// little room (which also keeps this walk over the tree rare).
    fn fold(&mut self, limits: &Limits, root: bool) {
        let established = if root {
            limits.promote_after
        } else {
            limits.established
        };
        let all: u64 = self
            .literals
            .iter()
            .map(|child| child.sum(&Self::hits))
            .sum();
        self.literals.retain(|child| {
            let hits = child.sum(&Self::hits);
            hits >= u64::from(established) || (!root && hits > 0 && hits * SHARE_OF_A_ROUTE >= all)
        });
        self.literals.shrink_to_fit();
        self.folded = !root || self.literals.len() * 4 >= limits.max_children.saturating_mul(3);
    }

    /// Drops what leads to no label; the nodes that are left, this one included if it is.
    fn prune(&mut self) -> usize {
        let mut left = 0;
        self.literals.retain_mut(|child| {
            let kept = child.prune();
            left += kept;
            kept > 0
        });
        self.literals.shrink_to_fit();
        let kept = self.wildcard.as_mut().map_or(0, |child| child.prune());
        if kept == 0 {
            self.wildcard = None;
        }
        left += kept;
        match left > 0 || self.label.is_some() {
            true => left + 1,
            false => 0,
        }
    }

    fn hits(&self) -> u64 {
        u64::from(self.hits.load(Relaxed))
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        self.literals.iter().chain(self.wildcard.as_deref())
    }

    /// The sum of a figure over this node and all below.
    fn sum(&self, figure: &impl Fn(&Self) -> u64) -> u64 {
        figure(self) + self.children().map(|child| child.sum(figure)).sum::<u64>()
    }

    fn collect(&self, labels: &mut Vec<Arc<str>>) {
        labels.extend(self.label.clone());
        for child in self.children() {
            child.collect(labels);
        }
    }
}
