//! Canonical PromQL on one line, which parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    ast::{
        Aggregate, At, AtTime, Binary, Call, Duration, DurationKind, Expr, Fill, Matching, Name,
        Number, Operation, Selector, Shift, Side, Subquery,
    },
    number::write_duration,
    token::Keyword,
};
use crate::{labels::METRIC_NAME, matcher::Matcher};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => quoted(f, &text.value),
            Self::Selector(selector) => {
                series(f, selector)?;
                selector.shift.at.as_ref().map_or(Ok(()), |at| at.fmt(f))?;
                extension(f, selector)?;
                offset(f, &selector.shift)
            }
            Self::Range(range) => {
                series(f, &range.selector)?;
                write!(f, "[{}]", range.range)?;
                extension(f, &range.selector)?;
                range.selector.shift.fmt(f)
            }
            Self::Subquery(subquery) => subquery.fmt(f),
            Self::Paren(paren) => write!(f, "({})", paren.expr),
            Self::Unary(unary) => {
                write!(
                    f,
                    "{}{}",
                    if unary.negative { '-' } else { '+' },
                    unary.expr
                )
            }
            Self::Binary(binary) => binary.fmt(f),
            Self::Call(call) => call.fmt(f),
            Self::Aggregate(aggregate) => aggregate.fmt(f),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.duration && self.value == 0.0 && self.value.is_sign_negative() {
            return f.write_str("-0s");
        }
        if self.duration {
            return write_duration(f, (self.value * 1000.0).round() as i64);
        }
        plain_number(f, self.value)
    }
}

/// Writes `Inf` without a sign, because a sign before `^` would apply to the whole power.
fn plain_number(f: &mut Formatter<'_>, value: f64) -> fmt::Result {
    let size = value.abs();
    if value.is_infinite() {
        return f.write_str(if value > 0.0 { "Inf" } else { "-Inf" });
    }
    if size >= 1e21 || (size < 1e-9 && size > 0.0) {
        return write!(f, "{value:e}");
    }
    write!(f, "{value}")
}

/// A double-quoted string with Go's escapes.
fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Whether a label name can be written without quotes.
fn is_plain_label(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let number = ["inf", "nan"].contains(&text.to_ascii_lowercase().as_str());
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    first && !number && text.chars().all(rest)
}

/// Whether a metric name can be written before the braces. A keyword is always quoted.
fn is_plain_metric(text: &str) -> bool {
    !text.is_empty()
        && text
            .split(':')
            .all(|part| part.is_empty() || is_plain_label(&format!("_{part}")))
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !["inf", "nan"].contains(&text.to_ascii_lowercase().as_str())
        && Keyword::find(&text.to_ascii_lowercase()).is_none()
}

fn label(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if is_plain_label(text) {
        f.write_str(text)
    } else {
        quoted(f, text)
    }
}

fn labels(f: &mut Formatter<'_>, names: &[Name]) -> fmt::Result {
    f.write_char('(')?;
    for (at, name) in names.iter().enumerate() {
        f.write_str(if at > 0 { ", " } else { "" })?;
        label(f, &name.text)?;
    }
    f.write_char(')')
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        label(f, self.name())?;
        f.write_str(self.op().text())?;
        quoted(f, self.value())
    }
}

/// The metric name and the matchers.
fn series(f: &mut Formatter<'_>, selector: &Selector) -> fmt::Result {
    let mut inside = Vec::new();
    let mut matchers = selector.matchers.iter();
    let named_twice = matchers.any(|matcher| matcher.matcher.name() == METRIC_NAME);
    match &selector.name {
        Some(name) if is_plain_metric(&name.text) && !named_twice => f.write_str(&name.text)?,
        Some(name) => inside.push(&name.text),
        None => {}
    }
    if inside.is_empty() && selector.matchers.is_empty() {
        return Ok(());
    }
    f.write_char('{')?;
    for name in &inside {
        quoted(f, name)?;
    }
    for (at, matcher) in selector.matchers.iter().enumerate() {
        f.write_str(if at + inside.len() > 0 { "," } else { "" })?;
        matcher.matcher.fmt(f)?;
    }
    f.write_char('}')
}

fn extension(f: &mut Formatter<'_>, selector: &Selector) -> fmt::Result {
    match selector.extension {
        Some(extension) => write!(f, " {}", extension.text()),
        None => Ok(()),
    }
}

impl Display for Shift {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.at.as_ref().map_or(Ok(()), |at| at.fmt(f))?;
        offset(f, self)
    }
}

impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.time {
            AtTime::Start => f.write_str(" @ start()"),
            AtTime::End => f.write_str(" @ end()"),
            AtTime::Millis(millis) => {
                let sign = if millis < 0 { "-" } else { "" };
                let (seconds, rest) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
                write!(f, " @ {sign}{seconds}.{rest:03}")
            }
        }
    }
}

fn offset(f: &mut Formatter<'_>, shift: &Shift) -> fmt::Result {
    match &shift.offset {
        Some(offset) => write!(f, " offset {offset}"),
        None => Ok(()),
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Literal(seconds) => {
                let millis = (seconds * 1000.0).round();
                if millis / 1000.0 == *seconds {
                    write_duration(f, millis as i64)
                } else {
                    plain_number(f, *seconds)
                }
            }
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            DurationKind::Negative(inner) => write!(f, "-{inner}"),
            DurationKind::Paren(inner) => write!(f, "({inner})"),
            DurationKind::Binary(op, left, right) => write!(f, "{left} {} {right}", op.text()),
            DurationKind::MinOf(left, right) => write!(f, "min_of({left}, {right})"),
            DurationKind::MaxOf(left, right) => write!(f, "max_of({left}, {right})"),
        }
    }
}

impl Display for Subquery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.expr, Brackets(self))
    }
}

/// The brackets of a subquery, with its modifiers.
pub(super) struct Brackets<'a>(pub(super) &'a Subquery);

impl Display for Brackets<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Subquery { range, shift, .. } = self.0;
        write!(f, "[{range}:")?;
        if let Some(step) = &self.0.step {
            step.fmt(f)?;
        }
        write!(f, "]{shift}")
    }
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Run(self, self.rest.len()).fmt(f)
    }
}

/// The given number of leading operations of a run.
pub(super) struct Run<'a>(pub(super) &'a Binary, pub(super) usize);

impl Display for Run<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.first.fmt(f)?;
        let mut operations = self.0.rest[..self.1].iter();
        operations.try_for_each(|operation| operation.fmt(f))
    }
}

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, " {} {}", Operator(self), self.rhs)
    }
}

/// An operator with its modifiers.
pub(super) struct Operator<'a>(pub(super) &'a Operation);

impl Display for Operator<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.text())?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        if let Some(matching) = &self.0.matching {
            matching.fmt(f)?;
        }
        self.0.fill.fmt(f)
    }
}

impl Display for Matching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.on { " on " } else { " ignoring " })?;
        labels(f, &self.labels)?;
        let Some(group) = &self.group else {
            return Ok(());
        };
        f.write_str(match group.many {
            Side::Left => " group_left ",
            Side::Right => " group_right ",
        })?;
        labels(f, &group.include)
    }
}

impl Display for Fill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut clause = |word: &str, value: f64| {
            write!(f, " {word} (")?;
            plain_number(f, value)?;
            f.write_char(')')
        };
        match (self.left, self.right) {
            (Some(left), Some(right)) if left == right => clause("fill", left),
            (left, right) => {
                left.map_or(Ok(()), |left| clause("fill_left", left))?;
                right.map_or(Ok(()), |right| clause("fill_right", right))
            }
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name())?;
        for (at, arg) in self.args.iter().enumerate() {
            f.write_str(if at > 0 { ", " } else { "" })?;
            arg.fmt(f)?;
        }
        f.write_char(')')
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Head(self).fmt(f)?;
        match &self.param {
            Some(param) => write!(f, "({param}, {})", self.expr),
            None => write!(f, "({})", self.expr),
        }
    }
}

/// The operator of an aggregation, with its grouping.
pub(super) struct Head<'a>(pub(super) &'a Aggregate);

impl Display for Head<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.text())?;
        let Some(grouping) = &self.0.grouping else {
            return Ok(());
        };
        f.write_str(if grouping.without {
            " without "
        } else {
            " by "
        })?;
        labels(f, &grouping.labels)?;
        f.write_char(' ')
    }
}
