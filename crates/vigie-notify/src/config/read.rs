//! Reads tables, lists and texts of YAML, and collects mistakes.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use vigie_alerts::yaml::{Node, Text, Value, shown};
use vigie_promql::suggest;

use super::table::Table;
use crate::problem::{Problem, position};

/// How many merge keys may refer to tables with merge keys, one within the other.
const MAX_MERGE_DEPTH: usize = 32;
/// After how many mistakes no more are collected.
const MAX_PROBLEMS: usize = 100;

/// The file being read, and the mistakes found.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.span.start);
        problems
    }

    pub(super) fn problem(
        &self,
        span: Range<usize>,
        found: impl Into<String>,
        accepted: impl Into<String>,
        help: Option<String>,
    ) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() == MAX_PROBLEMS {
            return;
        }
        let (line, column) = position(self.text, span.start);
        problems.push(Problem {
            span,
            line,
            column,
            found: found.into(),
            accepted: accepted.into(),
            help,
        });
    }

    pub(super) fn wrong(&self, node: &Node, what: &str, wanted: &str) {
        let found = format!("{what} is {}", node.described());
        self.problem(node.start(), found, format!("must be {wanted}"), None);
    }

    /// The keys of a table. Nothing is an empty table; anything else is a mistake.
    pub(super) fn table<'r, 'n>(
        &'r self,
        node: &'n Node,
        what: &'static str,
    ) -> Option<Table<'r, 't, 'n>> {
        let entries = self.entries(node, what)?;
        Some(Table::new(self, what, node, entries))
    }

    /// The keys and values of a table with any text keys, each key once.
    pub(super) fn entries<'n>(
        &self,
        node: &'n Node,
        what: &str,
    ) -> Option<Vec<(&'n Text, &'n Node)>> {
        self.merged(node, what, 0)
    }

    fn merged<'n>(
        &self,
        node: &'n Node,
        what: &str,
        depth: usize,
    ) -> Option<Vec<(&'n Text, &'n Node)>> {
        let entries = match &node.resolved().value {
            Value::Table(entries) => entries,
            Value::Scalar(None) => return Some(Vec::new()),
            _ => {
                self.wrong(node, what, "a table (`key: value`)");
                return None;
            }
        };
        if depth > MAX_MERGE_DEPTH {
            let accepted = format!("at most {MAX_MERGE_DEPTH} levels of merge keys");
            self.problem(node.start(), "nested too deep", accepted, None);
            return None;
        }
        let mut fields: Vec<(&Text, &Node)> = Vec::new();
        let mut merge = None;
        for (key, value) in entries {
            let Value::Scalar(Some(name)) = &key.resolved().value else {
                self.wrong(key, "a key", "a text");
                continue;
            };
            if &**name == "<<" && name.is_plain() {
                merge = Some(&**value);
            } else if fields.iter().any(|(known, _)| known[..] == name[..]) {
                let found = format!("`{}` is given twice", shown(name));
                self.problem(name.span(), found, "a key is given once", None);
            } else {
                fields.push((name, value));
            }
        }
        let tables: Vec<&Node> = match merge.map(|node| (&node.resolved().value, node)) {
            None => Vec::new(),
            Some((Value::List(items), _)) => items.iter().map(|item| &**item).collect(),
            Some((_, node)) => vec![node],
        };
        for table in tables {
            for (key, value) in self.merged(table, "a merge key (`<<`)", depth + 1)? {
                if !fields.iter().any(|(known, _)| known[..] == key[..]) {
                    fields.push((key, value));
                }
            }
        }
        Some(fields)
    }

    /// The items of a list. Nothing is an empty list.
    pub(super) fn list<'n>(&self, node: &'n Node, what: &str) -> &'n [Rc<Node>] {
        match &node.resolved().value {
            Value::List(items) => items,
            Value::Scalar(None) => &[],
            _ => {
                self.wrong(node, what, "a list (`- item`)");
                &[]
            }
        }
    }

    /// A text; numbers and the like are texts, too.
    pub(super) fn text<'n>(&self, node: &'n Node, what: &str) -> Option<&'n Text> {
        match &node.resolved().value {
            Value::Scalar(Some(text)) => Some(text),
            _ => {
                self.wrong(node, what, "a text");
                None
            }
        }
    }
}

/// The known name nearest to `typed`, if it is near enough.
pub(super) fn did_you_mean(typed: &str, known: &[&str]) -> Option<String> {
    suggest::did_you_mean(typed, known.iter().copied())
}
