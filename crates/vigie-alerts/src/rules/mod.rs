//! A rule file as Prometheus reads it.

mod disjoint;
pub(crate) mod duration;
mod load;
mod names;
mod reader;
#[cfg(test)]
mod tests;

use std::time::Duration;

use vigie_promql::Expr;

use crate::finding::{Finding, Span};
use crate::template::Template;
use crate::yaml::Text;
pub use duration::parse as parse_duration;
pub(crate) use load::not_promql;
pub use load::{MAX_FILE_BYTES, load};

/// What [`load`] read, and what it could not.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rules that could be read.
    pub rules: RuleFile,
    /// What Prometheus would refuse, in the order of the file.
    pub findings: Vec<Finding>,
}

/// The content of a rule file.
#[derive(Debug, Default)]
pub struct RuleFile {
    /// The groups, in the order of the file.
    pub groups: Vec<Group>,
}

impl RuleFile {
    /// All rules of all groups.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

/// Rules that are evaluated one after the other, at the same time.
#[derive(Debug)]
pub struct Group {
    /// Its name, unique in the file.
    pub name: Text,
    /// How often; the engine's own interval where none is given.
    pub interval: Option<Duration>,
    /// The most alerts or series one rule may give; 0 is no limit.
    pub limit: u64,
    /// The rules, in the order they are evaluated.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// From its first key to its last value.
    pub span: Span,
    /// What comes of it.
    pub kind: RuleKind,
    /// What is evaluated.
    pub expr: Expression,
    /// Labels that are added; templates in an alert's.
    pub labels: Vec<Entry>,
}

/// What comes of a rule.
#[derive(Debug)]
pub enum RuleKind {
    /// A series under a name of its own.
    Record {
        /// The metric's name.
        name: Text,
    },
    /// An alert for each series of the result.
    Alert {
        /// The alert's name.
        name: Text,
        /// How long a series must be there before the alert fires (`for`).
        hold: Duration,
        /// How long it keeps firing afterwards (`keep_firing_for`).
        keep_firing: Duration,
        /// Texts for people, which are templates.
        annotations: Vec<Entry>,
    },
}

impl Rule {
    /// The name of the alert or of the recorded metric.
    #[must_use]
    pub fn name(&self) -> &Text {
        match &self.kind {
            RuleKind::Record { name } | RuleKind::Alert { name, .. } => name,
        }
    }

    /// Labels and annotations.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let annotations: &[Entry] = match &self.kind {
            RuleKind::Record { .. } => &[],
            RuleKind::Alert { annotations, .. } => annotations,
        };
        self.labels.iter().chain(annotations)
    }
}

/// A PromQL expression, as it was written and as it is meant.
#[derive(Debug)]
pub struct Expression {
    /// As it was written; spans of `tree` are places in it.
    pub text: Text,
    /// As it is meant.
    pub tree: Expr,
}

/// A label or an annotation.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub key: Text,
    /// Its value, a template where `template` is there.
    pub value: Text,
    /// The value as it is meant; a recording rule's labels are no templates.
    pub template: Option<Template>,
}
