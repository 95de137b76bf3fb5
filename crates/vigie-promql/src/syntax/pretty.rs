//! Formatting over several lines, laid out as in Prometheus.
//!
//! An expression that fits is printed on one line; otherwise each of its parts is printed on indented lines of its own.

use std::fmt::{self, Write};

use super::{
    ast::{Aggregate, Binary, Expr, Operation},
    print::{Brackets, Head, Operator, Run},
};

/// The longest line that is not split, in bytes, without indentation.
const LINE: usize = 100;
/// The deepest indentation at which expressions are split: each line starts with as many blanks, so the text would grow
/// quadratically.
const MAX_LEVELS: usize = 100;

/// Formats the expression over as many lines as it needs.
#[must_use]
pub fn pretty(expr: &Expr) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, expr, 0);
    out
}

fn write(out: &mut String, expr: &Expr, level: usize) -> fmt::Result {
    if let Expr::Subquery(subquery) = expr {
        // As in Prometheus, a subquery that fits is not indented.
        if fits(expr, level) {
            return write!(out, "{expr}");
        }
        write(out, &subquery.expr, level)?;
        return write!(out, "{}", Brackets(subquery));
    }
    if let Expr::Unary(unary) = expr {
        indent(out, level);
        out.push(if unary.negative { '-' } else { '+' });
        let mut inside = String::new();
        write(&mut inside, &unary.expr, level)?;
        out.push_str(inside.trim_ascii());
        return Ok(());
    }
    let splits = matches!(
        expr,
        Expr::Paren(_) | Expr::Call(_) | Expr::Aggregate(_) | Expr::Binary(_)
    );
    if !splits || fits(expr, level) {
        indent(out, level);
        return write!(out, "{expr}");
    }
    match expr {
        Expr::Binary(binary) => operations(out, binary, level),
        Expr::Paren(paren) => {
            indent(out, level);
            enclosed(out, [&*paren.expr], level)
        }
        Expr::Call(call) => {
            indent(out, level);
            out.push_str(call.function.name());
            enclosed(out, &call.args, level)
        }
        Expr::Aggregate(aggregate) => {
            indent(out, level);
            write!(out, "{}", Head(aggregate))?;
            let Aggregate { param, expr, .. } = aggregate;
            enclosed(out, param.iter().chain([expr]).map(|expr| &**expr), level)
        }
        _ => Ok(()),
    }
}

/// A run of operations. The part to the left of an operator is an expression of its own, indented one level further.
fn operations(out: &mut String, binary: &Binary, level: usize) -> fmt::Result {
    let count = binary.rest.len();
    let levels = MAX_LEVELS - level;
    // The number of leading operations printed on one line.
    let whole = fitting(binary).max(count.saturating_sub(levels));
    let innermost = level + count - whole;
    if whole == 0 {
        write(out, &binary.first, innermost)?;
    } else {
        indent(out, innermost);
        write!(out, "{}", Run(binary, whole))?;
    }
    for (at, operation) in binary.rest.iter().enumerate().skip(whole) {
        let level = level + count - 1 - at;
        out.push('\n');
        indent(out, level);
        writeln!(out, "{}", Operator(operation))?;
        write(out, &operation.rhs, level + 1)?;
    }
    Ok(())
}

/// The number of leading operations that fit on a line.
fn fitting(binary: &Binary) -> usize {
    let mut line = Line { left: LINE };
    if write!(line, "{}", binary.first).is_err() {
        return 0;
    }
    let fits = |operation: &&Operation| write!(line, "{operation}").is_ok();
    binary.rest.iter().take_while(fits).count()
}

/// `(`, the expressions on lines of their own, and `)`.
fn enclosed<'e>(
    out: &mut String,
    inside: impl IntoIterator<Item = &'e Expr>,
    level: usize,
) -> fmt::Result {
    out.push('(');
    for (at, expr) in inside.into_iter().enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        write(out, expr, level + 1)?;
    }
    out.push('\n');
    indent(out, level);
    out.push(')');
    Ok(())
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

fn fits(expr: &Expr, level: usize) -> bool {
    level >= MAX_LEVELS || write!(Line { left: LINE }, "{expr}").is_ok()
}

/// A buffer that accepts as much text as fits on a line.
struct Line {
    left: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}
