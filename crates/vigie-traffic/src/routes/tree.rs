//! The tree of learned routes: one node a segment.

use std::sync::Arc;

use super::answer::Evidence;
use super::summary::Summary;
use super::usage::{Minute, Usage};
use super::{Limits, segment::is_value};

/// The name of a segment that looks like a value.
pub(super) const VALUE: &str = ":id";

/// The name of the segments below a node with too many names.
pub(super) const ANY: &str = "*";

/// A child with this share of its parent's requests is a route of its own among values: `/users/me`.
const SHARE_OF_A_ROUTE: u64 = 4;

/// Names in the summary of a folded node: a name with a larger share of the requests is found.
const SHARED_NAMES: usize = 64;

/// Requests of the sample after which a name is a route of its own again.
const FREQUENT: u64 = 12;

/// How many times `max_children` names a folded node may have.
const FREQUENT_NAMES: usize = 3;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Box<str>,
    /// Sorted by name. At most `max_children`, three times as many if folded, and more at the root, which has room for every
    /// route.
    literals: Vec<Node>,
    /// Takes values and, once folded, every name that is not among the literals.
    wildcard: Option<Box<Node>>,
    pub(super) folded: bool,
    /// Of a folded node, the most frequent names that share the wildcard, from a sample of the requests.
    shared: Option<Box<Summary>>,
    /// Requests that ended here, up to `Limits::established`.
    pub(super) usage: Usage,
    pub(super) label: Option<Arc<str>>,
}

/// The name of a segment that no node is known for.
pub(super) fn name_alone(segment: &str) -> &str {
    match is_value(segment) {
        true => VALUE,
        false => segment,
    }
}

/// The effects of adding a path to the tree.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    pub(super) limits: &'a Limits,
    /// Nodes that were added.
    pub(super) added: usize,
    /// Labels whose nodes were folded away, and when they were used last.
    pub(super) lost: Vec<(Arc<str>, Minute)>,
}

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            literals: Vec::new(),
            wildcard: None,
            folded: false,
            shared: None,
            usage: Usage::default(),
            label: None,
        }
    }

    fn literal(&self, segment: &str) -> Result<usize, usize> {
        self.literals
            .binary_search_by(|child| (*child.name).cmp(segment))
    }

    fn takes(&self, segment: &str) -> bool {
        !segment.is_empty() && (self.folded || is_value(segment))
    }

    pub(super) fn child(&self, segment: &str) -> Option<&Self> {
        match self.literal(segment) {
            Ok(place) => Some(&self.literals[place]),
            Err(_) if self.takes(segment) => self.wildcard.as_deref(),
            Err(_) => None,
        }
    }

    /// Whether the segment is a name that shares the wildcard with others.
    pub(super) fn shares(&self, segment: &str) -> bool {
        self.folded && self.literal(segment).is_err() && !is_value(segment)
    }

    /// Counts a name that shares the wildcard. Returns whether it is so frequent that it now has a node of its own: names
    /// that were frequent before the node was folded do not keep others from being routes.
    pub(super) fn count_shared(&mut self, segment: &str, limits: &Limits) -> bool {
        let Err(place) = self.literal(segment) else {
            return false;
        };
        let most = limits.max_children.saturating_mul(FREQUENT_NAMES);
        if self.literals.len() >= most || segment.is_empty() {
            return false;
        }
        let new = || Box::new(Summary::new(SHARED_NAMES));
        let shared = self.shared.get_or_insert_with(new);
        let (entry, _) = shared.count(segment, ("", 0), Evidence::Nothing);
        if entry.at_least() < FREQUENT {
            return false;
        }
        shared.remove(segment);
        self.literals.insert(place, Self::new(segment));
        true
    }

    pub(super) fn child_mut(&mut self, segment: &str) -> Option<&mut Self> {
        match self.literal(segment) {
            Ok(place) => Some(&mut self.literals[place]),
            Err(_) if self.takes(segment) => self.wildcard.as_deref_mut(),
            Err(_) => None,
        }
    }

    /// The name that a segment below this node has or would have.
    pub(super) fn name_of<'a>(&'a self, segment: &'a str) -> &'a str {
        match self.child(segment) {
            Some(child) => &child.name,
            None if self.folded => ANY,
            None => name_alone(segment),
        }
    }

    /// The child for a segment, which is added if it does not exist.
    pub(super) fn enter(
        &mut self,
        segment: &str,
        is_root: bool,
        growth: &mut Growth<'_>,
    ) -> &mut Self {
        let mut place = self.literal(segment);
        let value = place.is_err() && is_value(segment);
        if place.is_err() && !value && !self.folded {
            match is_root {
                true => self.make_room(growth.limits),
                false => self.fold_if_full(growth),
            }
            place = self.literal(segment);
        }
        match place {
            Ok(place) => &mut self.literals[place],
            Err(_) if self.folded || value => {
                let name = if self.folded { ANY } else { VALUE };
                self.wildcard.get_or_insert_with(|| {
                    growth.added += 1;
                    Box::new(Self::new(name))
                })
            }
            Err(place) => {
                growth.added += 1;
                self.literals.insert(place, Self::new(segment));
                &mut self.literals[place]
            }
        }
    }

    /// The child with a name that a label has, which is added if it does not exist.
    pub(super) fn build(&mut self, name: &str, nodes: &mut usize) -> &mut Self {
        if name == ANY || name == VALUE {
            self.folded |= name == ANY;
            return self.wildcard.get_or_insert_with(|| {
                *nodes += 1;
                Box::new(Self::new(name))
            });
        }
        let place = self.literal(name).unwrap_or_else(|place| {
            *nodes += 1;
            self.literals.insert(place, Self::new(name));
            place
        });
        &mut self.literals[place]
    }

    /// With too many names, they are the values of a parameter. From then on they share the wildcard, permanently. Names
    /// that have proved to be routes stay, and others become routes if they are frequent.
    fn fold_if_full(&mut self, growth: &mut Growth<'_>) {
        let limits = growth.limits;
        if self.literals.len() < limits.max_children {
            return;
        }
        let all: u64 = self.literals.iter().map(Self::all_hits).sum();
        self.literals.retain(|child| {
            let hits = child.all_hits();
            let established = hits >= u64::from(limits.established);
            let stays = established || (hits > 0 && hits * SHARE_OF_A_ROUTE >= all);
            if !stays {
                child.each_label(&mut |label, usage| {
                    growth.lost.push((Arc::clone(label), usage.used()));
                });
            }
            stays
        });
        self.literals.shrink_to_fit();
        self.folded = true;
    }

    /// The root never folds: that would rename every route of the app, and an app that answers 200 to every path lets
    /// clients send any name there. When it is full, names without a label are forgotten, those with few hits first.
    fn make_room(&mut self, limits: &Limits) {
        let most = limits.max_routes.saturating_add(limits.max_children.max(1));
        for hits in [u64::from(limits.promote_after), u64::MAX] {
            if self.literals.len() < most {
                return;
            }
            self.literals
                .retain(|child| child.has_label() || child.all_hits() >= hits);
        }
    }

    /// Halves the hits of nodes without a label, and removes what then leads to neither a label nor a hit. Returns the
    /// nodes that are left, including this one if it is.
    pub(super) fn age(&mut self) -> usize {
        let mut left = 0;
        self.literals.retain_mut(|child| {
            let kept = child.age();
            left += kept;
            kept > 0
        });
        self.literals.shrink_to_fit();
        let kept = self.wildcard.as_mut().map_or(0, |child| child.age());
        if kept == 0 {
            self.wildcard = None;
        }
        left += kept;
        if self.label.is_none() {
            self.usage.age();
        }
        match left > 0 || self.label.is_some() || self.usage.hits() > 0 {
            true => left + 1,
            false => 0,
        }
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        self.literals.iter().chain(self.wildcard.as_deref())
    }

    /// Collects the paths of the folded nodes that lead to a label. `path` is that of this node.
    pub(super) fn each_folded(&self, path: &mut String, folded: &mut Vec<String>) {
        if self.folded && self.has_label() {
            folded.push(path.clone());
        }
        for child in self.children() {
            let length = path.len();
            path.push('/');
            path.push_str(&child.name);
            child.each_folded(path, folded);
            path.truncate(length);
        }
    }

    fn has_label(&self) -> bool {
        self.label.is_some() || self.children().any(Self::has_label)
    }

    fn all_hits(&self) -> u64 {
        self.sum(&|node| u64::from(node.usage.hits()))
    }

    /// The sum of a figure over this node and all below.
    pub(super) fn sum(&self, figure: &impl Fn(&Self) -> u64) -> u64 {
        figure(self) + self.children().map(|child| child.sum(figure)).sum::<u64>()
    }

    /// Calls `each` for the labels of this node and all below.
    pub(super) fn each_label<'a>(&'a self, each: &mut impl FnMut(&'a Arc<str>, &'a Usage)) {
        if let Some(label) = &self.label {
            each(label, &self.usage);
        }
        for child in self.children() {
            child.each_label(each);
        }
    }
}
