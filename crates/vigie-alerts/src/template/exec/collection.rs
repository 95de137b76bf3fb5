//! Lists and maps of any values. How deep they nest is bounded, since printing and dropping them recurses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::value::Value;

/// How deep lists and maps nest at most.
const MAX_DEPTH: usize = 32;

/// The Go type of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `[]interface {}`
    Any,
    /// The result of `query`.
    Samples,
    /// `[]string`
    Texts,
    /// Alertmanager's `Pairs`.
    Pairs,
    /// Alertmanager's `Alerts`.
    Alerts,
    /// Some of Alertmanager's alerts, which have no methods.
    SomeAlerts,
}

impl ListKind {
    /// The name of the type in Go.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Samples => "template.queryResult",
            Self::Texts => "[]string",
            Self::Pairs => "template.Pairs",
            Self::Alerts => "template.Alerts",
            Self::SomeAlerts => "[]template.Alert",
        }
    }
}

/// A list of values.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    kind: ListKind,
    items: Vec<Value>,
    depth: usize,
}

/// A map of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    entries: BTreeMap<String, Value>,
    depth: usize,
}

impl List {
    /// The type.
    #[must_use]
    pub fn kind(&self) -> ListKind {
        self.kind
    }

    /// The values.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

impl Map {
    /// The values by key.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<String, Value> {
        &self.entries
    }
}

impl Value {
    /// A list.
    ///
    /// # Errors
    /// Lists and maps nest too deep.
    pub fn list(kind: ListKind, items: Vec<Self>) -> Result<Self, String> {
        let depth = above(items.iter())?;
        Ok(Self::List(Arc::new(List { kind, items, depth })))
    }

    /// A list of strings.
    pub fn texts<T: Into<Arc<str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(Arc::new(List {
            kind: ListKind::Texts,
            items: texts.into_iter().map(Self::text).collect(),
            depth: 1,
        }))
    }

    /// A map.
    ///
    /// # Errors
    /// Lists and maps nest too deep.
    pub fn map(entries: BTreeMap<String, Self>) -> Result<Self, String> {
        let depth = above(entries.values())?;
        Ok(Self::Map(Arc::new(Map { entries, depth })))
    }

    /// How deep lists, maps and structs nest in it.
    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            // The structs of the callers hold lists of structs of texts.
            Self::Data(_) => 4,
            _ => 0,
        }
    }
}

/// The depth of a collection of `values`.
fn above<'v>(values: impl Iterator<Item = &'v Value>) -> Result<usize, String> {
    let depth = values.map(Value::depth).max().unwrap_or(0) + 1;
    match depth > MAX_DEPTH {
        true => Err(format!(
            "more than {MAX_DEPTH} lists and maps in each other"
        )),
        false => Ok(depth),
    }
}
