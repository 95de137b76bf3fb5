//! The value of the `route` label.

use std::{fmt, ops::Deref, sync::Arc};

/// A value of the `route` label.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route(Label);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Label {
    Folded(&'static str),
    Known(Arc<str>),
}

impl Route {
    /// Requests without a route of their own.
    pub(super) const OTHER: &'static str = "<other>";

    /// Requests for which the app has no route.
    pub(super) const UNMATCHED: &'static str = "<unmatched>";

    /// Both of these.
    pub(crate) const FOLDED: [&'static str; 2] = [Self::OTHER, Self::UNMATCHED];

    pub(super) fn known(label: Arc<str>) -> Self {
        Self(Label::Known(label))
    }

    pub(super) fn unknown(code: u16) -> Self {
        Self(Label::Folded(match code {
            404 | 405 => Self::UNMATCHED,
            _ => Self::OTHER,
        }))
    }

    /// `<other>` or `<unmatched>`, if the request has no route of its own.
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
