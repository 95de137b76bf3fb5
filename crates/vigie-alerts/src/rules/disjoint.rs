//! Decides whether two expressions can result in the same series.

use vigie_promql::syntax::{
    Aggregate, AggregateOp, BinaryOp, Call, Function, Operation, Selector, ValueType,
};
use vigie_promql::{Expr, MatchOp, Matcher};

/// Whether no series can be in both results, because their selectors exclude each other.
pub(super) fn disjoint(one: &Expr, other: &Expr) -> bool {
    let (one, other) = (conditions(one), conditions(other));
    one.iter()
        .any(|a| other.iter().any(|b| a.name() == b.name() && apart(a, b)))
}

/// Whether no value satisfies both matchers.
fn apart(one: &Matcher, other: &Matcher) -> bool {
    let none = |values: Option<Vec<&str>>, matcher: &Matcher| {
        values.is_some_and(|values| !values.iter().any(|value| matcher.matches(value)))
    };
    none(values(one), other) || none(values(other), one) || opposite(one, other)
}

fn opposite(one: &Matcher, other: &Matcher) -> bool {
    let negation = match one.op() {
        MatchOp::Equal => MatchOp::NotEqual,
        MatchOp::NotEqual => MatchOp::Equal,
        MatchOp::Match => MatchOp::NotMatch,
        MatchOp::NotMatch => MatchOp::Match,
    };
    other.op() == negation && one.value() == other.value()
}

/// The values that a matcher lists: `"a"`, or `"a|b"` as a regular expression.
fn values(matcher: &Matcher) -> Option<Vec<&str>> {
    let literal = |c: char| c.is_alphanumeric() || "|_-:/ ".contains(c);
    match matcher.op() {
        MatchOp::Equal => Some(vec![matcher.value()]),
        MatchOp::Match if matcher.value().chars().all(literal) => {
            Some(matcher.value().split('|').collect())
        }
        _ => None,
    }
}

/// The matchers that each series of the result satisfies.
fn conditions(expr: &Expr) -> Vec<&Matcher> {
    match expr {
        Expr::Number(_) | Expr::Text(_) => Vec::new(),
        Expr::Selector(selector) => selected(selector),
        Expr::Range(range) => selected(&range.selector),
        Expr::Subquery(subquery) => conditions(&subquery.expr),
        Expr::Paren(paren) => conditions(&paren.expr),
        Expr::Unary(unary) => conditions(&unary.expr),
        Expr::Aggregate(aggregate) => aggregated(aggregate),
        Expr::Call(call) => called(call),
        Expr::Binary(binary) => {
            let mut result = conditions(&binary.first);
            let mut scalar = binary.first.value_type() == ValueType::Scalar;
            for operation in &binary.rest {
                let right_scalar = operation.rhs.value_type() == ValueType::Scalar;
                if scalar {
                    result = conditions(&operation.rhs);
                } else if !right_scalar {
                    result = joined(result, operation);
                }
                scalar &= right_scalar;
            }
            result
        }
    }
}

fn selected(selector: &Selector) -> Vec<&Matcher> {
    let matchers = selector.matchers.iter().map(|given| &given.matcher);
    matchers
        .filter(|matcher| matcher.name() != "__name__")
        .collect()
}

fn aggregated(aggregate: &Aggregate) -> Vec<&Matcher> {
    let mut result = conditions(&aggregate.expr);
    if aggregate.op.selects_series() {
        return result;
    }
    match &aggregate.grouping {
        None => result.clear(),
        Some(grouping) => result.retain(|matcher| {
            let listed = grouping
                .labels
                .iter()
                .any(|name| name.text == matcher.name());
            listed != grouping.without
        }),
    }
    if let (AggregateOp::CountValues, Some(Expr::Text(name))) =
        (aggregate.op, aggregate.param.as_deref())
    {
        result.retain(|matcher| matcher.name() != name.value);
    }
    result
}

fn called(call: &Call) -> Vec<&Matcher> {
    let argument = |at: usize| call.args.get(at).map_or_else(Vec::new, conditions);
    let without = |mut result: Vec<_>, name: &str| {
        result.retain(|matcher: &&Matcher| matcher.name() != name);
        result
    };
    match call.function {
        Function::HistogramQuantile => without(argument(1), "le"),
        Function::HistogramFraction => without(argument(2), "le"),
        Function::QuantileOverTime => argument(1),
        Function::Absent | Function::AbsentOverTime => {
            let mut result = argument(0);
            result.retain(|matcher| matcher.op() == MatchOp::Equal);
            result
        }
        Function::LabelReplace | Function::LabelJoin => match call.args.get(1) {
            Some(Expr::Text(name)) => without(argument(0), &name.value),
            _ => Vec::new(),
        },
        Function::VectorOf | Function::ScalarOf | Function::Time | Function::Pi => Vec::new(),
        _ => argument(0),
    }
}

fn joined<'a>(left: Vec<&'a Matcher>, operation: &'a Operation) -> Vec<&'a Matcher> {
    let mut result = left;
    match operation.op {
        BinaryOp::And | BinaryOp::Unless => return result,
        BinaryOp::Or => {
            let right = conditions(&operation.rhs);
            result.retain(|matcher| right.contains(matcher));
            return result;
        }
        _ => {}
    }
    if let Some(matching) = &operation.matching {
        if matching.group.is_some() {
            return Vec::new();
        }
        result.retain(|matcher| {
            let listed = matching
                .labels
                .iter()
                .any(|name| name.text == matcher.name());
            listed == matching.on
        });
    }
    result
}
