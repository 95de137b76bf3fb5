//! Traversal of the syntax tree.

use super::ast::{Aggregate, Binary, Call, Expr, Operation, RangeSelector, Selector, Subquery};

/// Callbacks for the nodes of a tree. By default they do nothing.
///
/// A node is visited before its children. `ancestors` holds the enclosing nodes, the root first.
pub trait Visitor<'a> {
    /// Called for every node, before its specific method.
    fn expr(&mut self, _expr: &'a Expr, _ancestors: &[&'a Expr]) {}

    /// Called for every selector, including those inside of ranges.
    fn selector(&mut self, _selector: &'a Selector, _ancestors: &[&'a Expr]) {}

    /// Called for every range selector; its selector is visited next.
    fn range(&mut self, _range: &'a RangeSelector, _ancestors: &[&'a Expr]) {}

    /// Called for every subquery.
    fn subquery(&mut self, _subquery: &'a Subquery, _ancestors: &[&'a Expr]) {}

    /// Called for every function call.
    fn call(&mut self, _call: &'a Call, _ancestors: &[&'a Expr]) {}

    /// Called for every aggregation.
    fn aggregate(&mut self, _aggregate: &'a Aggregate, _ancestors: &[&'a Expr]) {}

    /// Called for every operator of every run, from left to right.
    fn operation(&mut self, _left: Left<'a>, _operation: &'a Operation, _ancestors: &[&'a Expr]) {}
}

/// The left operand of an operator.
#[derive(Clone, Copy, Debug)]
pub enum Left<'a> {
    /// An expression: in `a + b`, `a`.
    Expr(&'a Expr),
    /// A run and the number of its leading operations: in `a + b + c`, `a + b` is the left operand of the second `+`.
    Run(&'a Binary, usize),
}

impl<'a> Left<'a> {
    /// The expression, if it is a single one.
    #[must_use]
    pub fn expr(self) -> Option<&'a Expr> {
        match self {
            Self::Expr(expr) => Some(expr),
            Self::Run(..) => None,
        }
    }
}

/// Visits every node of `expr`.
pub fn walk<'a>(expr: &'a Expr, visitor: &mut impl Visitor<'a>) {
    inside(expr, visitor, &mut Vec::new());
}

fn inside<'a>(expr: &'a Expr, visitor: &mut impl Visitor<'a>, ancestors: &mut Vec<&'a Expr>) {
    visitor.expr(expr, ancestors);
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Paren(_) | Expr::Unary(_) => {}
        Expr::Selector(selector) => visitor.selector(selector, ancestors),
        Expr::Range(range) => visitor.range(range, ancestors),
        Expr::Subquery(subquery) => visitor.subquery(subquery, ancestors),
        Expr::Call(call) => visitor.call(call, ancestors),
        Expr::Aggregate(aggregate) => visitor.aggregate(aggregate, ancestors),
        Expr::Binary(binary) => {
            for (at, operation) in binary.rest.iter().enumerate() {
                let left = match at {
                    0 => Left::Expr(&binary.first),
                    _ => Left::Run(binary, at),
                };
                visitor.operation(left, operation, ancestors);
            }
        }
    }
    ancestors.push(expr);
    match expr {
        Expr::Range(range) => visitor.selector(&range.selector, ancestors),
        _ => {
            for child in expr.children() {
                inside(child, visitor, ancestors);
            }
        }
    }
    ancestors.pop();
}

impl Expr {
    /// The direct children, in the order they are written.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let (first, rest, operations): (Option<&Self>, &[Self], &[Operation]) = match self {
            Self::Number(_) | Self::Text(_) | Self::Selector(_) | Self::Range(_) => {
                (None, &[], &[])
            }
            Self::Subquery(node) => (Some(&node.expr), &[], &[]),
            Self::Paren(node) => (Some(&node.expr), &[], &[]),
            Self::Unary(node) => (Some(&node.expr), &[], &[]),
            Self::Binary(node) => (Some(&node.first), &[], &node.rest),
            Self::Call(node) => (None, &node.args, &[]),
            Self::Aggregate(node) => (
                node.param.as_deref(),
                std::slice::from_ref(&*node.expr),
                &[],
            ),
        };
        let operands = operations.iter().map(|operation| &operation.rhs);
        first.into_iter().chain(rest).chain(operands)
    }
}
