//! The tree as text over several lines, laid out as Prometheus does.
//!
//! An expression that fits on a line stands on one; otherwise each part has indented lines of its own.

use std::fmt::{self, Write};

use super::{
    ast::{Aggregate, Binary, Expr, Operation},
    print::{Brackets, Head, Operator, Run},
};

/// The longest line that is not split, in bytes, without what it is indented by.
const LINE: usize = 100;
/// Nothing is split further in, since each line would begin with as many blanks.
const MOST_LEVELS: usize = 100;

/// The expression over as many lines as it takes.
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

/// A run of operations. The part left of an operator is an expression by itself, one level further in.
fn operations(out: &mut String, binary: &Binary, level: usize) -> fmt::Result {
    let count = binary.rest.len();
    let levels = MOST_LEVELS - level;
    // So many of the first operations stand on one line.
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

/// The number of operations, from the first on, that fit on a line.
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
    level >= MOST_LEVELS || write!(Line { left: LINE }, "{expr}").is_ok()
}

/// Takes as much as fits on a line.
struct Line {
    left: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}
