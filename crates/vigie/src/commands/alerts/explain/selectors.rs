//! The selectors of an expression.

use vigie_promql::Expr;
use vigie_promql::syntax::{RangeSelector, Selector, Visitor, walk};

/// A selector, and a query that counts its series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counted {
    pub(super) text: String,
    pub(super) count: String,
}

/// The selectors of an expression, each once.
pub(super) fn of(expr: &Expr) -> Vec<Counted> {
    let mut found = Found::default();
    walk(expr, &mut found);
    found.selectors
}

#[derive(Default)]
struct Found {
    selectors: Vec<Counted>,
    /// Whether the selector that is visited next is within a range, which was added.
    in_range: bool,
}

impl Found {
    fn add(&mut self, text: String, count: String) {
        let counted = Counted { text, count };
        if !self.selectors.contains(&counted) {
            self.selectors.push(counted);
        }
    }
}

impl<'a> Visitor<'a> for Found {
    fn selector(&mut self, selector: &'a Selector, _: &[&'a Expr]) {
        if std::mem::take(&mut self.in_range) {
            return;
        }
        let text = Expr::Selector(selector.clone()).to_string();
        let count = format!("count({text})");
        self.add(text, count);
    }

    fn range(&mut self, range: &'a RangeSelector, _: &[&'a Expr]) {
        self.in_range = true;
        let text = Expr::Range(range.clone()).to_string();
        let count = format!("count(last_over_time({text}))");
        self.add(text, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_selector_is_counted_once() {
        let expr = vigie_promql::parse("rate(a{x=\"1\"}[5m]) > 0 and b offset 1h and b offset 1h");
        let expected = [
            ("a{x=\"1\"}[5m]", "count(last_over_time(a{x=\"1\"}[5m]))"),
            ("b offset 1h", "count(b offset 1h)"),
        ];
        let expected = expected.map(|(text, count)| Counted {
            text: text.to_owned(),
            count: count.to_owned(),
        });
        assert_eq!(of(&expr.unwrap()), expected);
    }
}
