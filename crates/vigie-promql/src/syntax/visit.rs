//! Walking a tree.

use super::ast::{Aggregate, Binary, Call, Expr, Operation, RangeSelector, Selector, Subquery};

/// What is done at the nodes of a tree. Every method does nothing unless it is written.
///
/// A node is visited before what is inside of it. `ancestors` holds what it stands in, the root first.
pub trait Visitor<'a> {
    /// Every node, before the method of its own.
    fn expr(&mut self, _expr: &'a Expr, _ancestors: &[&'a Expr]) {}

    /// Every selector, those inside of ranges included.
    fn selector(&mut self, _selector: &'a Selector, _ancestors: &[&'a Expr]) {}

    /// Every range selector; its selector is visited next.
    fn range(&mut self, _range: &'a RangeSelector, _ancestors: &[&'a Expr]) {}

    /// Every subquery.
    fn subquery(&mut self, _subquery: &'a Subquery, _ancestors: &[&'a Expr]) {}

    /// Every function call.
    fn call(&mut self, _call: &'a Call, _ancestors: &[&'a Expr]) {}

    /// Every aggregation.
    fn aggregate(&mut self, _aggregate: &'a Aggregate, _ancestors: &[&'a Expr]) {}

    /// Every operator of every run of operators, from the left.
    fn operation(&mut self, _left: Left<'a>, _operation: &'a Operation, _ancestors: &[&'a Expr]) {}
}

/// What stands left of an operator.
#[derive(Clone, Copy, Debug)]
pub enum Left<'a> {
    /// One expression: in `a + b`, the `a`.
    Expr(&'a Expr),
    /// A run and how many of its operations are meant: in `a + b + c`, the `a + b` left of the second `+`.
    Run(&'a Binary, usize),
}

impl<'a> Left<'a> {
    /// The one expression, if it is one.
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
    /// The expressions directly inside, in the order they are written.
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
