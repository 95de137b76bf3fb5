//! The content of a rule file.

mod disjoint;
mod duplicates;
pub(crate) mod duration;
mod load;
pub(crate) mod names;
pub(crate) mod reader;
#[cfg(test)]
mod tests;

use std::time::Duration;

use vigie_promql::Expr;

use crate::finding::{Finding, Span};
use crate::template::Template;
use crate::yaml::Text;
pub use duration::parse as parse_duration;
pub use load::{load, load_with};
pub use reader::MAX_FILE_BYTES;

/// The result of [`load`].
#[derive(Debug, Default)]
pub struct Loaded {
    /// The valid rules.
    pub rules: RuleFile,
    /// The mistakes, in the order of the file.
    pub findings: Vec<Finding>,
    /// The items that comments apply to; `None` if the file is not YAML.
    pub(crate) outline: Option<Outline>,
}

/// The structure of a rule file, including invalid rules.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The start of the document.
    pub(crate) start: usize,
    /// The positions of the groups.
    pub(crate) groups: Vec<Span>,
    /// The positions of the rules.
    pub(crate) rules: Vec<Span>,
    /// The positions of all texts except expressions; a `#` in them does not start a comment.
    pub(crate) texts: Vec<Span>,
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

/// Rules that are evaluated sequentially at the same time.
#[derive(Debug)]
pub struct Group {
    /// Its name, unique in the file.
    pub name: Text,
    /// The evaluation interval; `None` is the default of the engine.
    pub interval: Option<Duration>,
    /// The maximum number of alerts or series of a rule; 0 is unlimited.
    pub limit: u64,
    /// How far before the time of evaluation the expressions are evaluated; `None` is the default of the engine.
    pub query_offset: Option<Duration>,
    /// Labels of all rules, unless a rule has another value.
    pub labels: Vec<Entry>,
    /// The keys that Prometheus 2.42 does not have.
    pub newer: Vec<Text>,
    /// The rules, in the order of evaluation.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// From its first key to its last value.
    pub span: Span,
    /// Its kind.
    pub kind: RuleKind,
    /// Its expression.
    pub expr: Expression,
    /// Additional labels, which are templates in an alert.
    pub labels: Vec<Entry>,
}

/// The kind of a rule.
#[derive(Debug)]
pub enum RuleKind {
    /// A recording rule.
    Record {
        /// The metric's name.
        name: Text,
    },
    /// An alerting rule.
    Alert {
        /// The alert's name.
        name: Text,
        /// How long a series must be there before the alert fires (`for`).
        hold: Duration,
        /// How long it keeps firing afterwards (`keep_firing_for`).
        keep_firing: Duration,
        /// Texts for people, as templates.
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

/// A PromQL expression: source and syntax tree.
#[derive(Debug)]
pub struct Expression {
    /// The source; spans of `tree` are positions in it.
    pub text: Text,
    /// The syntax tree.
    pub tree: Expr,
}

/// A label or an annotation.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub key: Text,
    /// Its value.
    pub value: Text,
    /// The parsed value; `None` if it is not a template, as in recording rules.
    pub template: Option<Template>,
}
