//! The threshold of an alert, found in the expression that its URL shows.

use std::fmt;

use url::Url;
use vigie_promql::go_general;
use vigie_promql::syntax::{Binary, BinaryOp, Expr, parse};

/// A comparison with a number, as in `> 500`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Threshold {
    op: BinaryOp,
    number: f64,
}

impl Threshold {
    /// How far a value is beyond the number, in the direction of the comparison, as a part of the number; of 0, as it
    /// is.
    pub(super) fn excess(self, value: f64) -> f64 {
        let distance = match self.op {
            BinaryOp::Less | BinaryOp::LessEqual => self.number - value,
            BinaryOp::Greater | BinaryOp::GreaterEqual => value - self.number,
            _ => (value - self.number).abs(),
        };
        match self.number.abs() {
            0.0 => distance,
            size => distance / size,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op.text(), go_general(self.number))
    }
}

/// The longest expression that is read.
const MAX_EXPRESSION_BYTES: usize = 16 << 10;

/// The threshold of the expression in Prometheus' URL of its graph: `/graph?g0.expr=…`.
pub(super) fn of_url(url: &str) -> Option<Threshold> {
    // A relative URL is one too.
    let base = Url::parse("http://localhost/").ok();
    let url = Url::options().base_url(base.as_ref()).parse(url).ok()?;
    let mut pairs = url.query_pairs();
    let (_, expression) = pairs.find(|(name, _)| name == "g0.expr")?;
    if expression.len() > MAX_EXPRESSION_BYTES {
        return None;
    }
    of(&parse(&expression).ok()?)
}

/// The comparison that decides over an expression: the last one, and in `a > 1 and b` the left one.
fn of(expr: &Expr) -> Option<Threshold> {
    match expr {
        Expr::Paren(paren) => of(&paren.expr),
        Expr::Binary(binary) => of_binary(binary),
        _ => None,
    }
}

fn of_binary(binary: &Binary) -> Option<Threshold> {
    let last = binary.rest.last()?;
    match last.op {
        BinaryOp::And | BinaryOp::Unless => of(&binary.first),
        // The result is 0 or 1, whether or not the comparison holds.
        _ if last.return_bool => None,
        op if op.is_comparison() => match (binary.first.constant(), last.rhs.constant()) {
            (None, Some(number)) => Some(Threshold { op, number }),
            (Some(number), None) if binary.rest.len() == 1 => {
                let op = op.mirrored();
                Some(Threshold { op, number })
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of_url;

    #[test]
    fn thresholds() {
        for (expression, expected) in [
            ("x > 500", "> 500"),
            ("(sum(rate(x[5m])) >= 0.05)", ">= 0.05"),
            ("socket_active_connections < 1", "< 1"),
            ("0.5 < x", "> 0.5"),
            ("x > 1 and on (a) y > 2", "> 1"),
            ("x == 0 unless y", "== 0"),
            ("x > 1 < 5", "< 5"),
            ("x > (2)", "> 2"),
            ("x > 60 * 5", "> 300"),
            ("x < -1", "< -1"),
            ("x > bool 5", ""),
            ("5 < bool x", ""),
            ("x > bool 5 == 1", "== 1"),
            ("(x > bool 5) > 0", "> 0"),
            ("x > y", ""),
            ("x > 1 or y > 2", ""),
            ("up", ""),
            ("x >", ""),
        ] {
            let query: String =
                url::form_urlencoded::byte_serialize(expression.as_bytes()).collect();
            for base in ["https://vigie.example/", "/", ""] {
                let found = of_url(&format!("{base}graph?g0.expr={query}&g0.tab=1"));
                let found = found.map(|found| found.to_string());
                assert_eq!(found.unwrap_or_default(), expected, "{expression}");
            }
        }
        assert_eq!(of_url("https://vigie.example/graph"), None);
        assert_eq!(of_url("http://[x"), None);
    }
}
