//! Infers the labels of an expression's result.

use std::collections::BTreeSet;
use std::sync::Arc;

use vigie_promql::Expr;
use vigie_promql::syntax::{
    Aggregate, AggregateOp, Binary, Call, Function, Operation, Selector, Side,
};

use super::known::{Known, Series};
use crate::suggest::listed;

/// The possible labels of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Labels {
    names: BTreeSet<String>,
    others: Others,
    /// Labels that an aggregation or a match removed.
    removed: BTreeSet<String>,
}

/// The labels that are not listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Others {
    None,
    /// Those of the target.
    Target(Arc<BTreeSet<String>>),
    /// Unknown: any label is possible.
    Any,
}

impl Labels {
    pub(super) fn any() -> Self {
        Self::new([], Others::Any)
    }

    fn none() -> Self {
        Self::new([], Others::None)
    }

    fn new(names: impl IntoIterator<Item = String>, others: Others) -> Self {
        Self {
            names: names.into_iter().collect(),
            others,
            removed: BTreeSet::new(),
        }
    }

    pub(super) fn insert(&mut self, name: &str) {
        self.removed.remove(name);
        self.names.insert(name.to_owned());
    }

    /// Whether a series can have this label.
    pub(super) fn has(&self, name: &str) -> bool {
        let other = match &self.others {
            Others::None => false,
            Others::Target(target) => target.contains(name),
            Others::Any => true,
        };
        (other && !self.removed.contains(name)) || self.names.contains(name)
    }

    /// Candidates for a suggestion.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &str> {
        let target = match &self.others {
            Others::Target(target) => Some(target),
            Others::None | Others::Any => None,
        };
        let target = target.into_iter().flat_map(|target| target.iter());
        self.names
            .iter()
            .chain(target)
            .map(String::as_str)
            .filter(|name| !self.removed.contains(*name))
    }

    /// A description for messages.
    pub(super) fn described(&self) -> String {
        let names = listed(self.names.iter().map(String::as_str), "and");
        let usual = ["job", "instance"].into_iter();
        let usual = usual.filter(|name| !self.removed.contains(*name));
        let target = usual.chain(["…"]).collect::<Vec<_>>().join(", ");
        match (names.is_empty(), &self.others) {
            (true, Others::None) => "the series have no labels".to_owned(),
            (true, _) => format!("the series have only target labels: {target}"),
            (false, Others::None) => format!("known labels: {names}"),
            (false, _) => format!("known labels: {names}; and target labels: {target}"),
        }
    }

    fn union(mut self, other: Self) -> Self {
        let removed = self.removed.union(&other.removed);
        let removed = removed.filter(|name| !self.has(name) && !other.has(name));
        self.removed = removed.cloned().collect();
        self.names.extend(other.names);
        self.others = self.others.max(other.others);
        self
    }

    fn without<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            self.remove(name);
        }
        self
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.names.remove(name);
        self.removed.insert(name.to_owned());
    }
}

/// The possible labels of the result of `expr`.
pub(super) fn of(expr: &Expr, known: &Known) -> Labels {
    match expr {
        Expr::Number(_) | Expr::Text(_) => Labels::none(),
        Expr::Selector(selector) => selected(selector, known),
        Expr::Range(range) => selected(&range.selector, known),
        Expr::Subquery(subquery) => of(&subquery.expr, known),
        Expr::Paren(paren) => of(&paren.expr, known),
        Expr::Unary(unary) => of(&unary.expr, known),
        Expr::Binary(binary) => operated(binary, known),
        Expr::Call(call) => called(call, known),
        Expr::Aggregate(aggregate) => aggregated(aggregate, known),
    }
}

/// The possible labels of the selected series.
pub(super) fn selected(selector: &Selector, known: &Known) -> Labels {
    let target = || Others::Target(Arc::clone(&known.target_labels));
    match known.selected(selector) {
        Some(Series::Of(metric)) => Labels::new(metric.labels.clone(), target()),
        Some(Series::Bucket(_, metric)) => {
            let mut labels = Labels::new(metric.labels.clone(), target());
            labels.insert("le");
            labels
        }
        Some(Series::Recorded(recorded)) => recorded.labels.clone(),
        Some(Series::Prometheus | Series::Foreign) | None => Labels::any(),
    }
}

fn aggregated(aggregate: &Aggregate, known: &Known) -> Labels {
    let inside = of(&aggregate.expr, known);
    if aggregate.op.selects_series() {
        return inside;
    }
    let mut labels = match &aggregate.grouping {
        None => Labels::none(),
        Some(grouping) => {
            let names = grouping.labels.iter().map(|name| name.text.as_str());
            if grouping.without {
                inside.without(names)
            } else {
                Labels::new(names.map(str::to_owned), Others::None)
            }
        }
    };
    if let (AggregateOp::CountValues, Some(Expr::Text(name))) =
        (aggregate.op, aggregate.param.as_deref())
    {
        labels.insert(&name.value);
    }
    labels
}

fn called(call: &Call, known: &Known) -> Labels {
    let text = |at: usize| match call.args.get(at) {
        Some(Expr::Text(text)) => Some(text.value.as_str()),
        _ => None,
    };
    let vector = |at: usize| {
        call.args
            .get(at)
            .map_or_else(Labels::any, |arg| of(arg, known))
    };
    match call.function {
        Function::HistogramQuantile => vector(1).without(["le"]),
        Function::HistogramFraction => vector(2).without(["le"]),
        Function::QuantileOverTime => vector(1),
        Function::Absent | Function::AbsentOverTime => match call.args.first() {
            Some(Expr::Selector(selector)) => equal_matchers(selector),
            Some(Expr::Range(range)) => equal_matchers(&range.selector),
            _ => Labels::none(),
        },
        Function::LabelReplace | Function::LabelJoin => {
            let mut labels = vector(0);
            match text(1) {
                Some(name) => labels.insert(name),
                None => return Labels::any(),
            }
            labels
        }
        Function::VectorOf | Function::ScalarOf | Function::Time | Function::Pi => Labels::none(),
        _ if call.args.is_empty() => Labels::none(),
        _ => vector(0),
    }
}

/// The result of `absent(x{a="b"})` is `{a="b"}`.
fn equal_matchers(selector: &Selector) -> Labels {
    let matchers = selector.matchers.iter().map(|matcher| &matcher.matcher);
    let equal = matchers.filter(|matcher| matcher.op() == vigie_promql::MatchOp::Equal);
    Labels::new(equal.map(|matcher| matcher.name().to_owned()), Others::None)
}

fn operated(binary: &Binary, known: &Known) -> Labels {
    let mut labels = of(&binary.first, known);
    let mut scalar = is_scalar(&binary.first);
    for operation in &binary.rest {
        let right = of(&operation.rhs, known);
        labels = match (scalar, is_scalar(&operation.rhs)) {
            (true, _) => right,
            (false, true) => labels,
            (false, false) => joined(labels, right, operation),
        };
        scalar = scalar && is_scalar(&operation.rhs);
    }
    labels
}

fn is_scalar(expr: &Expr) -> bool {
    expr.value_type() == vigie_promql::syntax::ValueType::Scalar
}

fn joined(left: Labels, right: Labels, operation: &Operation) -> Labels {
    use vigie_promql::syntax::BinaryOp;
    match operation.op {
        BinaryOp::Or => return left.union(right),
        BinaryOp::And | BinaryOp::Unless => return left,
        _ => {}
    }
    let Some(matching) = &operation.matching else {
        return left;
    };
    let names = matching.labels.iter().map(|name| name.text.as_str());
    match &matching.group {
        Some(group) => {
            let mut labels = match group.many {
                Side::Left => left,
                Side::Right => right,
            };
            for name in &group.include {
                labels.insert(&name.text);
            }
            labels
        }
        None if matching.on => Labels::new(names.map(str::to_owned), Others::None),
        None => left.without(names),
    }
}
