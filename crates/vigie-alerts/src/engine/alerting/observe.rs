//! The value of an alert whose condition no longer holds.

use std::collections::HashMap;

use vigie_promql::syntax::ValueType;
use vigie_promql::value::VectorSample;
use vigie_promql::{Expr, Labels};

/// The operand whose value the expression has where its condition holds: of `a > 5 and b`, `a`. `None` if the
/// expression is not such a condition.
pub(super) fn operand(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Paren(paren) => operand(&paren.expr),
        Expr::Binary(binary) => {
            let first = binary.rest.first()?;
            if first.op.is_comparison() && !first.return_bool {
                let left = binary.first.value_type() == ValueType::Scalar;
                return Some(if left { &first.rhs } else { &binary.first });
            }
            let precedence = first.op.precedence();
            let keeps_left = precedence == vigie_promql::syntax::BinaryOp::And.precedence();
            keeps_left.then(|| operand(&binary.first)).flatten()
        }
        _ => None,
    }
}

/// The values of series by the labels that a rule does not set.
pub(super) struct Observed<'a> {
    set: &'a dyn Fn(&str) -> bool,
    /// `None` for labels that several series have.
    values: HashMap<Labels, Option<f64>>,
}

impl<'a> Observed<'a> {
    /// `set` returns whether the rule sets a label.
    pub(super) fn new(samples: &[VectorSample], set: &'a dyn Fn(&str) -> bool) -> Self {
        let mut values = HashMap::new();
        for sample in samples {
            let value = values.entry(key(&sample.labels, set));
            value
                .and_modify(|value| *value = None)
                .or_insert(Some(sample.value));
        }
        Self { set, values }
    }

    /// The value of the series that an alert with these labels comes from.
    pub(super) fn value(&self, alert: &Labels) -> Option<f64> {
        self.values.get(&key(alert, self.set)).copied().flatten()
    }
}

fn key(labels: &Labels, set: &dyn Fn(&str) -> bool) -> Labels {
    labels.filter(|name| !set(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn operands() {
        for (expr, expected) in [
            ("a > 5", Some("a")),
            ("5 < a", Some("a")),
            ("(sum by (x) (a) > 5) and b > 3", Some("sum by (x) (a)")),
            ("a > 5 unless on (x) b", Some("a")),
            ("a / b > 0.5 < 0.9", Some("a / b")),
            ("a > bool 5", None),
            ("a", None),
            ("absent(a)", None),
            ("a > 5 or b > 3", None),
        ] {
            let expr = vigie_promql::parse(expr).unwrap();
            let found = operand(&expr).map(ToString::to_string);
            assert_eq!(found.as_deref(), expected, "{expr}");
        }
    }

    #[test]
    fn ambiguous_series_have_no_value() {
        let sample = |queue: &str, team: &str, value| VectorSample {
            labels: Labels::new([("__name__", "jobs"), ("queue", queue), ("team", team)]),
            value,
            histogram: None,
        };
        let samples = [
            sample("mail", "a", 1.0),
            sample("pdf", "a", 2.0),
            sample("pdf", "b", 3.0),
        ];
        let set = |name: &str| ["__name__", "alertname", "team"].contains(&name);
        let observed = Observed::new(&samples, &set);
        let of = |queue: &str| {
            let alert = [("alertname", "A"), ("queue", queue), ("team", "core")];
            observed.value(&Labels::new(alert))
        };
        assert_eq!((of("mail"), of("pdf"), of("none")), (Some(1.0), None, None));
    }
}
