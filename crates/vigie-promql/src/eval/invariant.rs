//! Detection of expressions with the same value at every step, because every selector is fixed by `@`.

use crate::{
    functions::math,
    syntax::{Expr, Function},
};

/// Whether an expression needs to be evaluated only once. `false` for literals: caching them gains nothing.
pub(super) fn is_invariant(expr: &Expr) -> bool {
    !matches!(expr, Expr::Number(_) | Expr::Text(_)) && is_fixed(expr)
}

fn is_fixed(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) | Expr::Text(_) => true,
        Expr::Selector(selector) => selector.shift.at.is_some(),
        Expr::Range(range) => range.selector.shift.at.is_some(),
        Expr::Subquery(subquery) => subquery.shift.at.is_some(),
        Expr::Call(call) => match call.function {
            Function::Time | Function::PredictLinear => false,
            // For an expression other than a selector, `timestamp` returns the time of evaluation.
            Function::Timestamp => {
                let arg = call.args[0].unwrap_parens();
                matches!(arg, Expr::Selector(_)) && is_fixed(arg)
            }
            function if math::of_date(function).is_some() && call.args.is_empty() => false,
            _ => call.args.iter().all(is_fixed),
        },
        Expr::Paren(_) | Expr::Unary(_) | Expr::Binary(_) | Expr::Aggregate(_) => {
            expr.children().all(is_fixed)
        }
    }
}
