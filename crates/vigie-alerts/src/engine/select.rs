//! The series that an expression selects, and when.

use vigie_promql::syntax::{Duration, RangeSelector, Selector, Shift, Subquery, Visitor, walk};
use vigie_promql::{Expr, Matcher};

/// A selector of an expression.
#[derive(Debug)]
pub(super) struct Selected {
    /// The selector as in the expression.
    pub(super) text: String,
    pub(super) matchers: Vec<Matcher>,
    /// How far before the evaluation the selected range begins and ends, in milliseconds. Without a range both are the
    /// offset.
    pub(super) from: i64,
    pub(super) to: i64,
    /// Whether `@` fixes the time.
    pub(super) fixed: bool,
}

/// The names of the metrics that an expression selects. `None` stands for a selector that does not name its metric.
pub fn metrics(expr: &Expr) -> Vec<Option<String>> {
    let mut selectors = Selectors::default();
    walk(expr, &mut selectors);
    let names = selectors.found.into_iter().map(|selected| selected.metric);
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The selectors of an expression, in the order they are written.
pub(super) fn selectors(expr: &Expr) -> Vec<Selected> {
    let mut selectors = Selectors::default();
    walk(expr, &mut selectors);
    let found = selectors.found.into_iter();
    found.map(|found| found.selected).collect()
}

struct Found {
    metric: Option<String>,
    selected: Selected,
}

#[derive(Default)]
struct Selectors {
    found: Vec<Found>,
    /// The length of the range selector that is visited next.
    range: i64,
}

impl<'a> Visitor<'a> for Selectors {
    fn range(&mut self, range: &'a RangeSelector, _ancestors: &[&'a Expr]) {
        self.range = millis(&range.range);
    }

    fn selector(&mut self, selector: &'a Selector, ancestors: &[&'a Expr]) {
        let range = std::mem::take(&mut self.range);
        let own = offset(&selector.shift);
        let (mut from, mut to) = (own.saturating_add(range), own);
        let mut fixed = selector.shift.at.is_some();
        for ancestor in ancestors {
            if let Expr::Subquery(Subquery { range, shift, .. }) = ancestor {
                let offset = offset(shift);
                from = from.saturating_add(offset).saturating_add(millis(range));
                to = to.saturating_add(offset);
                fixed |= shift.at.is_some();
            }
        }
        let text = Expr::Selector(Selector {
            shift: Shift::default(),
            ..selector.clone()
        });
        self.found.push(Found {
            metric: selector.metric().map(str::to_owned),
            selected: Selected {
                text: text.to_string(),
                matchers: selector.all_matchers().collect(),
                from,
                to,
                fixed,
            },
        });
    }
}

fn offset(shift: &Shift) -> i64 {
    shift.offset.as_ref().map_or(0, millis)
}

/// The length of a duration. In an instant query only the step of subqueries is not known here; it counts as 0.
fn millis(duration: &Duration) -> i64 {
    (duration.seconds(0.0, 0.0).unwrap_or(0.0) * 1e3) as i64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_and_offsets_add_up() {
        let expr =
            "max_over_time(rate(a[5m] offset 1m)[1h:] offset 2m) / b offset 10s unless c @ 0";
        let found = selectors(&vigie_promql::parse(expr).unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|one| (&*one.text, one.from / 1_000, one.to / 1_000, one.fixed))
            .collect();
        assert_eq!(
            found,
            [
                ("a", 300 + 60 + 3_600 + 120, 60 + 120, false),
                ("b", 10, 10, false),
                ("c", 0, 0, true)
            ]
        );
    }

    #[test]
    fn metrics_of_an_expression() {
        let expr = vigie_promql::parse("b + on () a{x='1'} + on () a or {x='1'}").unwrap();
        let expected = [None, Some("a".to_owned()), Some("b".to_owned())];
        assert_eq!(metrics(&expr), expected);
    }
}
