//! Queries fixed at one time by `@`, so that the result does not depend on the evaluation time.

use crate::{
    Expr,
    functions::math,
    syntax::{At, AtTime, Call, Function, Shift, Span, Visitor, walk},
};

/// Whether the expression uses `step()`, `range()`, `start()` or `end()`, which depend on the query's range.
pub(super) fn depends_on_range(expr: &Expr) -> bool {
    let text = expr.to_string();
    ["range()", "step()", "start()", "end()"]
        .iter()
        .any(|one| text.contains(one))
}

/// The query with `@ time` added to every selector and subquery without `@`; `None` if a function reads the evaluation
/// time.
pub(super) fn fixed_at(expr: &Expr, time: i64) -> Option<Expr> {
    struct Calls(bool);
    impl<'a> Visitor<'a> for Calls {
        fn call(&mut self, call: &'a Call, _: &[&'a Expr]) {
            let reads = matches!(
                call.function,
                Function::Time
                    | Function::Timestamp
                    | Function::PredictLinear
                    | Function::StartOf
                    | Function::EndOf
                    | Function::RangeOf
                    | Function::StepOf
            );
            self.0 |= reads || math::of_date(call.function).is_some();
        }
    }
    let mut calls = Calls(false);
    walk(expr, &mut calls);
    if calls.0 {
        return None;
    }
    let mut fixed = expr.clone();
    fix(&mut fixed, time);
    Some(fixed)
}

fn fix(expr: &mut Expr, time: i64) {
    let at = |shift: &mut Shift| {
        shift.at.get_or_insert(At {
            span: Span::default(),
            time: AtTime::Millis(time),
        });
    };
    match expr {
        Expr::Number(_) | Expr::Text(_) => {}
        Expr::Selector(node) => at(&mut node.shift),
        Expr::Range(node) => at(&mut node.selector.shift),
        Expr::Subquery(node) => at(&mut node.shift),
        Expr::Paren(node) => fix(&mut node.expr, time),
        Expr::Unary(node) => fix(&mut node.expr, time),
        Expr::Binary(node) => {
            fix(&mut node.first, time);
            for operation in &mut node.rest {
                fix(&mut operation.rhs, time);
            }
        }
        Expr::Call(node) => {
            for arg in &mut node.args {
                fix(arg, time);
            }
        }
        Expr::Aggregate(node) => {
            if let Some(param) = &mut node.param {
                fix(param, time);
            }
            fix(&mut node.expr, time);
        }
    }
}
