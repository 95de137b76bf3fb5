//! Findings: the mistake, its position, and the remedy.

use vigie_promql::ParseError;
use vigie_promql::syntax::ParseErrorKind as Kind;

use crate::lint::{Level, Lint};

/// A range of bytes of a rule file.
pub type Span = std::ops::Range<usize>;

/// A mistake in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub lint: Lint,
    /// Its position.
    pub span: Span,
    /// The mistake in a few words.
    pub title: String,
    /// The accepted values, or the reason; shown beside the position.
    pub label: String,
    /// The remedy.
    pub help: Option<String>,
    /// A related position and its description.
    pub also: Option<(Span, String)>,
}

impl Finding {
    pub(crate) fn new(
        lint: Lint,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            lint,
            span,
            title: title.into(),
            label: label.into(),
            help: None,
            also: None,
        }
    }

    /// An expression that cannot be parsed.
    pub(crate) fn not_promql(error: &ParseError, span: Span) -> Self {
        let (lint, title) = match error.kind {
            Kind::Type => (Lint::Promql, "an expression of the wrong type"),
            Kind::UnknownFunction => (Lint::Promql, "an unknown function"),
            Kind::NotSupported => (Lint::NotChecked, "PromQL that Vigie does not support"),
            Kind::Experimental => (Lint::NotChecked, "experimental PromQL"),
            Kind::TooLong | Kind::TooDeep => (Lint::NotChecked, "an expression too large to check"),
            _ => (Lint::Promql, "this is not PromQL"),
        };
        Self::new(lint, span, title, &*error.message)
    }

    /// How serious the finding is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.lint.level()
    }

    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    pub(crate) fn also(mut self, span: Span, what: impl Into<String>) -> Self {
        self.also = Some((span, what.into()));
        self
    }
}
