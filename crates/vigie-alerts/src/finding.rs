//! What is wrong, where, and what to do about it.

/// Bytes of a rule file.
pub type Span = std::ops::Range<usize>;

/// One thing that is wrong in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub span: Span,
    /// What was found.
    pub title: String,
    /// What is accepted, or why it is wrong; stands beside the place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// A second place that has to do with it, and what it is.
    pub also: Option<(Span, String)>,
}

impl Finding {
    pub(crate) fn new(span: Span, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            span,
            title: title.into(),
            label: label.into(),
            help: None,
            also: None,
        }
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
