//! Durations in brackets and after `offset`: literals and arithmetic.

use super::{Fault, Keyword, Parsed, Parser, Span, Symbol, TokenKind};
use crate::syntax::{
    ast::{BinaryOp, Duration, DurationKind},
    number::MAX_SECONDS,
};

impl Parser<'_> {
    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        let outer = self.depth;
        let duration = self.duration_inner()?;
        self.depth = outer;
        Ok(duration)
    }

    fn duration_inner(&mut self) -> Parsed<Duration> {
        self.duration_binary(BinaryOp::Add.precedence())
    }

    /// Parses the duration after `offset`. Arithmetic needs parentheses: `x offset 5 + 2` adds 2 to the samples.
    pub(super) fn offset_duration(&mut self) -> Parsed<Duration> {
        let sign = self.accept(Symbol::Sub);
        let start = sign.or_else(|| self.accept(Symbol::Add));
        let outer = self.depth;
        let duration = self.duration_primary()?;
        self.depth = outer;
        Ok(signed(duration, sign.is_some(), start))
    }

    fn duration_binary(&mut self, lowest: u8) -> Parsed<Duration> {
        let mut duration = self.deeper(Self::duration_unary)?;
        while let Some(op) = self.duration_op() {
            let precedence = op.precedence();
            if precedence < lowest {
                break;
            }
            let op_span = self.next().span;
            let tighter = if op == BinaryOp::Pow {
                precedence
            } else {
                precedence + 1
            };
            // Every operator deepens the tree to the left, so each counts as a level of nesting until the end of the
            // duration.
            self.depth += 1;
            let rhs = self.deeper(|parser| parser.duration_binary(tighter))?;
            if let (BinaryOp::Div | BinaryOp::Mod, DurationKind::Literal(0.0)) = (op, &rhs.kind) {
                return Err(Fault::syntax(op_span, "division by zero"));
            }
            duration = Duration {
                span: duration.span.to(rhs.span),
                kind: DurationKind::Binary(op, Box::new(duration), Box::new(rhs)),
            };
        }
        Ok(duration)
    }

    fn duration_op(&self) -> Option<BinaryOp> {
        let TokenKind::Symbol(symbol) = self.peek().kind else {
            return None;
        };
        Some(match symbol {
            Symbol::Add => BinaryOp::Add,
            Symbol::Sub => BinaryOp::Sub,
            Symbol::Mul => BinaryOp::Mul,
            Symbol::Div => BinaryOp::Div,
            Symbol::Mod => BinaryOp::Mod,
            Symbol::Pow => BinaryOp::Pow,
            _ => return None,
        })
    }

    fn duration_unary(&mut self) -> Parsed<Duration> {
        let sign = self.accept(Symbol::Sub);
        let Some(start) = sign.or_else(|| self.accept(Symbol::Add)) else {
            return self.duration_primary();
        };
        let power = BinaryOp::Pow.precedence();
        let duration = self.deeper(|parser| parser.duration_binary(power))?;
        Ok(signed(duration, sign.is_some(), Some(start)))
    }

    fn duration_primary(&mut self) -> Parsed<Duration> {
        let token = self.peek().clone();
        let kind = match token.kind {
            TokenKind::Number(seconds) | TokenKind::Duration(seconds) => {
                if seconds.is_nan() || seconds.abs() > MAX_SECONDS {
                    return Err(Fault::syntax(token.span, "this duration is out of range"));
                }
                self.next();
                return Ok(Duration {
                    span: token.span,
                    kind: DurationKind::Literal(seconds),
                });
            }
            TokenKind::Symbol(Symbol::LeftParen) => {
                self.next();
                let inner = self.deeper(Self::duration_inner)?;
                let close = self.close(Symbol::RightParen, token.span, "an operator or ")?;
                return Ok(Duration {
                    span: token.span.to(close),
                    kind: DurationKind::Paren(Box::new(inner)),
                });
            }
            TokenKind::Name(_) => match keyword(token.span.text(self.query)) {
                Some(keyword @ (Keyword::Step | Keyword::Range)) => {
                    self.next();
                    self.expect(Symbol::LeftParen, &format!(" after {}", keyword.text()))?;
                    let step = keyword == Keyword::Step;
                    if step {
                        DurationKind::Step
                    } else {
                        DurationKind::Range
                    }
                }
                Some(keyword @ (Keyword::MinOf | Keyword::MaxOf)) => {
                    self.next();
                    self.expect(Symbol::LeftParen, &format!(" after {}", keyword.text()))?;
                    let first = Box::new(self.deeper(Self::duration_inner)?);
                    self.expect(Symbol::Comma, " and a second duration")?;
                    let second = Box::new(self.deeper(Self::duration_inner)?);
                    if keyword == Keyword::MinOf {
                        DurationKind::MinOf(first, second)
                    } else {
                        DurationKind::MaxOf(first, second)
                    }
                }
                _ => return Err(self.unexpected("a duration such as 5m")),
            },
            _ => return Err(self.unexpected("a duration such as 5m")),
        };
        let close = self.expect(Symbol::RightParen, "")?;
        Ok(Duration {
            span: token.span.to(close),
            kind,
        })
    }
}

fn keyword(word: &str) -> Option<Keyword> {
    Keyword::find(&word.to_ascii_lowercase())
}

fn signed(duration: Duration, negative: bool, start: Option<Span>) -> Duration {
    let span = start.map_or(duration.span, |start| start.to(duration.span));
    let kind = match duration.kind {
        kind if !negative => kind,
        DurationKind::Literal(seconds) => DurationKind::Literal(-seconds),
        kind => DurationKind::Negative(Box::new(Duration {
            span: duration.span,
            kind,
        })),
    };
    Duration { span, kind }
}
