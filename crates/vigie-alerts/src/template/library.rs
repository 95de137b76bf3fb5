//! Named templates of several texts, which call each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Node, is_empty};
use super::exec::{Clock, ExecutionError, Limits, Source, Value, execute_in};
use super::{Dialect, Error, parse_as};

/// The templates of Alertmanager's template files.
#[derive(Clone, Debug, Default)]
pub struct Library {
    base: Option<Arc<Self>>,
    files: Vec<File>,
    /// The index of the file, and the nodes.
    named: BTreeMap<String, (usize, Vec<Node>)>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    text: String,
}

impl Library {
    /// An empty library over another one, whose templates it replaces, also by empty ones.
    #[must_use]
    pub fn over(base: Arc<Self>) -> Self {
        Self {
            base: Some(base),
            ..Self::default()
        }
    }

    /// Adds the templates that a text defines, and the text itself under its name. A template replaces an earlier one
    /// of the same name, unless it consists of spaces alone.
    ///
    /// # Errors
    /// The first mistake in the text; nothing is added then.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> Result<(), Error> {
        let (name, text) = (name.into(), text.into());
        let template = parse_as(Dialect::Alertmanager, &text)?;
        let file = self.files.len();
        let own = (name.clone(), template.nodes);
        self.files.push(File { name, text });
        for (name, nodes) in template.defined.into_iter().chain([own]) {
            if !is_empty(&nodes) || !self.named.contains_key(&name) {
                self.named.insert(name, (file, nodes));
            }
        }
        Ok(())
    }

    /// Whether there is a template of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The names of its own templates, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    pub(super) fn find(&self, name: &str) -> Option<(&str, &[Node], Source<'_>)> {
        let Some((name, (file, nodes))) = self.named.get_key_value(name) else {
            return self.base.as_ref()?.find(name);
        };
        let file = self.files.get(*file)?;
        let source = Source {
            name: &file.name,
            text: &file.text,
            inserted: 0,
        };
        Some((name, nodes, source))
    }

    /// Runs a text, which can call the named templates, over `data`.
    ///
    /// # Errors
    /// The text does not parse, or the run fails.
    pub fn text(
        &self,
        text: &str,
        data: &Value,
        clock: &Clock,
        limits: Limits,
    ) -> Result<String, Failure> {
        self.run(text, (data, clock), false, limits)
    }

    /// As [`Library::text`], but values are escaped as Go's `html/template` does it.
    ///
    /// # Errors
    /// The text does not parse, or the run fails.
    pub fn html(
        &self,
        text: &str,
        data: &Value,
        clock: &Clock,
        limits: Limits,
    ) -> Result<String, Failure> {
        self.run(text, (data, clock), true, limits)
    }

    fn run(
        &self,
        text: &str,
        data: (&Value, &Clock),
        is_html: bool,
        limits: Limits,
    ) -> Result<String, Failure> {
        let template = parse_as(Dialect::Alertmanager, text).map_err(Failure::Parse)?;
        Ok(execute_in(self, (&template, text), data, is_html, limits)?)
    }
}

/// A text that does not parse, or a run that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The text does not parse.
    #[error("{}", .0.title)]
    Parse(Error),
    /// The run failed.
    #[error(transparent)]
    Run(#[from] ExecutionError),
}
