//! The parts of an expression.
//!
//! An expression is split at its set operators and comparisons: in `a > 1 and on (x) b`, the parts are `a`, the condition
//! `> 1`, and `b`.

use std::fmt;

use vigie_promql::Expr;
use vigie_promql::syntax::{BinaryOp, ValueType};

/// A part of an expression.
pub(super) enum Part<'a> {
    /// A vector, as it is before the condition, if there is one.
    Vector {
        depth: usize,
        query: &'a Expr,
        condition: Option<Condition<'a>>,
    },
    /// `and`, `or` or `unless`.
    Operator { depth: usize, op: BinaryOp },
}

/// A comparison of a part.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    op: BinaryOp,
    /// A scalar; `None` for the next part.
    bound: Option<&'a Expr>,
}

impl Condition<'_> {
    /// How many of the values fulfil it, if the bound is a number.
    pub(super) fn count(&self, values: impl Iterator<Item = f64>) -> Option<usize> {
        let bound = self.bound?.constant()?;
        Some(values.filter(|value| self.op.holds(*value, bound)).count())
    }
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bound {
            Some(bound) => write!(f, "{} {bound}", self.op.text()),
            None => write!(f, "{} the next part", self.op.text()),
        }
    }
}

/// The parts from left to right.
pub(super) fn of(expr: &Expr) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    split(expr, 0, &mut parts);
    parts
}

fn split<'a>(expr: &'a Expr, depth: usize, parts: &mut Vec<Part<'a>>) {
    let expr = expr.unwrap_parens();
    let vector = |query: &'a Expr, condition| Part::Vector {
        depth,
        query: query.unwrap_parens(),
        condition,
    };
    let Expr::Binary(binary) = expr else {
        return parts.push(vector(expr, None));
    };
    let operation = &binary.rest[0];
    let (op, left, right) = (operation.op, &*binary.first, &operation.rhs);
    if op.is_set() {
        split(left, depth + 1, parts);
        for operation in &binary.rest {
            let op = operation.op;
            parts.push(Part::Operator { depth, op });
            split(&operation.rhs, depth + 1, parts);
        }
        return;
    }
    if !op.is_comparison() || binary.rest.len() > 1 || operation.return_bool {
        return parts.push(vector(expr, None));
    }
    // A comparison with a number is a condition on the other side.
    let scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
    let condition = |op, bound| Some(Condition { op, bound });
    match (scalar(left), scalar(right)) {
        (_, true) => parts.push(vector(left, condition(op, Some(right)))),
        (true, false) => parts.push(vector(right, condition(op.mirrored(), Some(left)))),
        (false, false) => {
            parts.push(vector(left, condition(op, None)));
            parts.push(vector(right, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let expr = vigie_promql::parse(text).unwrap();
        let shown = of(&expr).into_iter().map(|part| match part {
            Part::Operator { depth, op } => format!("{depth} {}", op.text()),
            Part::Vector {
                depth,
                query,
                condition,
            } => match condition {
                Some(condition) => format!("{depth} {query} [{condition}]"),
                None => format!("{depth} {query}"),
            },
        });
        shown.collect()
    }

    #[test]
    fn expressions_are_split_at_sets_and_conditions() {
        assert_eq!(parts("a > 500"), ["0 a [> 500]"]);
        assert_eq!(parts("(a) > (1 + 1)"), ["0 a [> (1 + 1)]"]);
        assert_eq!(parts("5 < a"), ["0 a [> 5]"]);
        assert_eq!(parts("a + b"), ["0 a + b"]);
        assert_eq!(parts("a > bool 5"), ["0 a > bool 5"]);
        assert_eq!(parts("a > on (x) b"), ["0 a [> the next part]", "0 b"]);
        assert_eq!(
            parts("rate(a[5m]) / b > 0.1 and (c or d == 0)"),
            [
                "1 rate(a[5m]) / b [> 0.1]",
                "0 and",
                "2 c",
                "1 or",
                "2 d [== 0]"
            ]
        );
    }

    #[test]
    fn values_that_fulfil_a_condition_are_counted() {
        for (text, expected) in [
            ("a > 5", Some(1)),
            ("5 >= a", Some(2)),
            ("a != (2 + 3)", Some(2)),
            ("a > time()", None),
            ("a > b", None),
        ] {
            let expr = vigie_promql::parse(text).unwrap();
            let parts = of(&expr);
            let Part::Vector {
                condition: Some(condition),
                ..
            } = &parts[0]
            else {
                panic!("{text}");
            };
            let found = condition.count([4.0, 5.0, 6.0].into_iter());
            assert_eq!(found, expected, "{text}");
        }
    }
}
