//! Positions in a query.

/// The bytes `start..end` of a query.
///
/// All spans compare equal, so that syntax trees compare by meaning and not by layout. To compare positions, compare
/// [`Span::range`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this span to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }

    /// The span as a range, for indexing and comparison.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    /// The span's text in the query it was parsed from; empty if the span does not fit the query.
    #[must_use]
    pub fn text(self, query: &str) -> &str {
        query.get(self.range()).unwrap_or("")
    }

    /// The line and column of the start, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(self, query: &str) -> (usize, usize) {
        let before = query.get(..self.start).unwrap_or(query);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}
