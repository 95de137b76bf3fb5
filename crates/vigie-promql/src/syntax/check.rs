//! Semantic checks: types, and permitted combinations of clauses.
//!
//! Each rule is checked when its node is built, so that the first error in the text is reported.

use super::{
    ast::{
        AggregateOp, BinaryOp, Call, Duration, DurationKind, Expr, Extension, Fill, Operation,
        Selector, Shift, ValueType,
    },
    error::Fault,
    function::Function,
    span::Span,
};
use crate::labels::METRIC_NAME;

/// Checks `left op right` and returns its type. `left` spans from `first` to the operator.
pub(super) fn operation(
    span: Span,
    first: &Expr,
    left: ValueType,
    operation: &Operation,
) -> Result<ValueType, Fault> {
    let (op, op_span) = (operation.op, operation.op_span);
    let right = operation.rhs.value_type();
    for (side, value_type) in [(span, left), (operation.rhs.span(), right)] {
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            let hint = match (value_type, first) {
                (ValueType::Matrix, _) => "; a function such as rate() makes a vector of it",
                _ => "",
            };
            let message = format!(
                "\"{}\" works on scalars and instant vectors, this is {}{hint}",
                op.text(),
                value_type.described()
            );
            return Err(Fault::wrong_type(side, message));
        }
    }
    let scalars = (left == ValueType::Scalar) as u8 + (right == ValueType::Scalar) as u8;
    if operation.return_bool && !op.is_comparison() {
        let message = format!("bool belongs to comparisons, not to \"{}\"", op.text());
        return Err(Fault::syntax(op_span, message));
    }
    if op.is_comparison() && !operation.return_bool && scalars == 2 {
        let message = format!(
            "a comparison of two scalars needs bool: \"{} bool\"",
            op.text()
        );
        return Err(Fault::syntax(op_span, message));
    }
    if op.is_set() && scalars > 0 {
        let scalar = if left == ValueType::Scalar {
            span
        } else {
            operation.rhs.span()
        };
        let message = format!(
            "\"{}\" works on two instant vectors, this is a scalar",
            op.text()
        );
        return Err(Fault::wrong_type(scalar, message));
    }
    if op.is_trim() && scalars == 2 {
        let message = format!(
            "\"{}\" trims native histograms, this is a scalar",
            op.text()
        );
        return Err(Fault::wrong_type(span, message));
    }
    if operation.fill != Fill::default() && (op.is_set() || scalars > 0) {
        let message = format!(
            "fill applies to two instant vectors and not to \"{}\"",
            op.text()
        );
        let message = match op.is_set() {
            true => message,
            false => "fill needs an instant vector on both sides".to_owned(),
        };
        return Err(Fault::syntax(op_span, message));
    }
    matching(op, scalars, operation)?;
    Ok(if scalars == 2 {
        ValueType::Scalar
    } else {
        ValueType::Vector
    })
}

fn matching(op: BinaryOp, scalars: u8, operation: &Operation) -> Result<(), Fault> {
    let Some(matching) = &operation.matching else {
        return Ok(());
    };
    let word = if matching.on { "on" } else { "ignoring" };
    if scalars > 0 && !matching.labels.is_empty() {
        let message = format!("{word} needs an instant vector on both sides");
        return Err(Fault::wrong_type(matching.span, message));
    }
    let Some(group) = &matching.group else {
        return Ok(());
    };
    if op.is_set() {
        let message = format!(
            "\"{}\" matches many with many: group_left and group_right do not apply",
            op.text()
        );
        return Err(Fault::syntax(matching.span, message));
    }
    for label in &group.include {
        if matching.on && matching.labels.contains(label) {
            let message = format!(
                "the label \"{}\" appears both in on and in the group modifier",
                label.text
            );
            return Err(Fault::syntax(label.span, message));
        }
    }
    Ok(())
}

pub(super) fn sign(operand: &Expr) -> Result<(), Fault> {
    match operand.value_type() {
        ValueType::Scalar | ValueType::Vector => Ok(()),
        other => {
            let message = format!(
                "a sign works on scalars and instant vectors, this is {}",
                other.described()
            );
            Err(Fault::wrong_type(operand.span(), message))
        }
    }
}

pub(super) fn call(call: &Call) -> Result<(), Fault> {
    let (fewest, most) = call.function.arg_count();
    let (name, given) = (call.function.name(), call.args.len());
    if given < fewest || given > most {
        let count = match (fewest, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (fewest, usize::MAX) => format!("at least {fewest} arguments"),
            (fewest, most) if fewest == most => format!("{fewest} arguments"),
            (fewest, most) => format!("{fewest} to {most} arguments"),
        };
        let message = format!("{name}() takes {count}, got {given}");
        return Err(Fault::syntax(call.span, message));
    }
    let types = call.function.args();
    for (at, arg) in call.args.iter().enumerate() {
        let wanted = types[at.min(types.len() - 1)];
        let what = format!("{name}()");
        expect(arg, wanted, &what)?;
    }
    if let (Function::Info, [_, second]) = (call.function, &*call.args) {
        let alone = matches!(second, Expr::Selector(selector) if selector.name.is_none());
        if !alone {
            let message = "the second argument of info() is a selector without a metric name, such as {version=~\".+\"}";
            return Err(Fault::syntax(second.span(), message));
        }
    }
    Ok(())
}

/// Splits the arguments of an aggregation into its parameter and the aggregated expression.
pub(super) fn aggregate_args(
    op: AggregateOp,
    span: Span,
    args: Vec<Expr>,
) -> Result<(Option<Expr>, Expr), Fault> {
    let given = args.len();
    let mut args = args.into_iter();
    let found = match op.param() {
        None => (given == 1).then(|| (None, args.next())),
        Some(_) => (given == 2).then(|| (args.next(), args.next())),
    };
    let Some((param, Some(expr))) = found else {
        let count = match op.param() {
            None => "1 argument",
            Some(ValueType::String) => "2 arguments, a label name and a vector",
            Some(_) => "2 arguments, a number and a vector",
        };
        let message = format!("{} takes {count}, got {given}", op.text());
        return Err(Fault::syntax(span, message));
    };
    if let (Some(wanted), Some(param)) = (op.param(), &param) {
        expect(param, wanted, op.text())?;
    }
    expect(&expr, ValueType::Vector, op.text())?;
    Ok((param, expr))
}

fn expect(arg: &Expr, wanted: ValueType, what: &str) -> Result<(), Fault> {
    let got = arg.value_type();
    if got == wanted {
        return Ok(());
    }
    let hint = match (wanted, got, arg.unwrap_parens()) {
        (ValueType::Matrix, ValueType::Vector, Expr::Selector(_)) => ": add a range such as [5m]",
        (ValueType::Matrix, ValueType::Vector, _) => ": make it a subquery such as [5m:]",
        (ValueType::Vector, ValueType::Matrix, Expr::Range(_)) => {
            ": remove the range, or apply a function such as rate()"
        }
        _ => "",
    };
    let message = format!(
        "{what} expects {}, got {}{hint}",
        wanted.described(),
        got.described()
    );
    Err(Fault::wrong_type(arg.span(), message))
}

/// Checks the matchers. A metric name before the braces excludes others inside; names inside are ordinary conditions.
pub(super) fn selector(selector: &Selector, named_before: bool) -> Result<(), Fault> {
    if let Some(name) = &selector.name {
        let mut matchers = selector.matchers.iter();
        let second = matchers.find(|matcher| matcher.matcher.name() == METRIC_NAME);
        return match second.filter(|_| named_before) {
            Some(second) => {
                let (first, second, span) = (&name.text, second.matcher.value(), second.span);
                let message = format!("the metric is named twice, \"{first}\" and \"{second}\"");
                Err(Fault::syntax(span, message))
            }
            None => Ok(()),
        };
    }
    if selector
        .matchers
        .iter()
        .any(|matcher| !matcher.matcher.matches(""))
    {
        return Ok(());
    }
    let message =
        "this selects every series: name a metric, or a label with a value that is not empty";
    Err(Fault::syntax(selector.span, message))
}

/// Checks the operand of a range such as `[5m]`: a selector without modifiers.
pub(super) fn ranged(expr: Expr, bracket: Span) -> Result<Selector, Fault> {
    match expr {
        Expr::Selector(selector)
            if selector.shift == Shift::default() && selector.extension.is_none() =>
        {
            Ok(selector)
        }
        Expr::Selector(_) => {
            let message = "a range must precede offset and @: x[5m] offset 1h";
            Err(Fault::syntax(bracket, message))
        }
        expr if expr.value_type() == ValueType::Vector => {
            let message =
                "only a selector can have a range; for an expression use a subquery such as [5m:]";
            Err(Fault::wrong_type(bracket, message))
        }
        expr => {
            let message = format!(
                "only a selector can have a range, this is {}",
                expr.value_type().described()
            );
            Err(Fault::wrong_type(bracket, message))
        }
    }
}

pub(super) fn subquery(expr: &Expr) -> Result<(), Fault> {
    match expr.value_type() {
        ValueType::Vector => Ok(()),
        other => {
            let message = format!(
                "a subquery works on an instant vector, this is {}",
                other.described()
            );
            Err(Fault::wrong_type(expr.span(), message))
        }
    }
}

pub(super) fn positive(duration: &Duration) -> Result<(), Fault> {
    match duration.kind {
        DurationKind::Literal(seconds) if seconds <= 0.0 => Err(Fault::syntax(
            duration.span,
            "this duration must be greater than 0",
        )),
        _ => Ok(()),
    }
}

/// The span and modifiers of an expression that `word` may follow.
pub(super) fn shift<'a>(
    expr: &'a mut Expr,
    word: &str,
    at: Span,
) -> Result<(&'a mut Span, &'a mut Shift), Fault> {
    match expr {
        Expr::Selector(node) => Ok((&mut node.span, &mut node.shift)),
        Expr::Range(node) => Ok((&mut node.span, &mut node.selector.shift)),
        Expr::Subquery(node) => Ok((&mut node.span, &mut node.shift)),
        _ => {
            let message = format!("{word} must directly follow a selector, a range or a subquery");
            Err(Fault::syntax(at, message))
        }
    }
}

/// The span and the `anchored` or `smoothed` of an expression that one of them follows.
pub(super) fn extension(
    expr: &mut Expr,
    extension: Extension,
    at: Span,
) -> Result<(&mut Span, &mut Option<Extension>), Fault> {
    let word = extension.text();
    let (span, given) = match expr {
        Expr::Selector(node) => (&mut node.span, &mut node.extension),
        Expr::Range(node) => (&mut node.span, &mut node.selector.extension),
        _ => {
            let message = format!("{word} must directly follow a selector or a range");
            return Err(Fault::syntax(at, message));
        }
    };
    match *given {
        None => Ok((span, given)),
        Some(other) => {
            let message = format!("{word} is given after {}", other.text());
            Err(Fault::syntax(at, message))
        }
    }
}
