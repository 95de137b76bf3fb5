//! Selectors with their matchers, and the suffixes of expressions: ranges, subqueries, `offset`, `@`.

use super::{
    Fault, Keyword, MAX_REGEX_BYTES, ParseErrorKind, Parsed, Parser, Span, Symbol, TokenKind,
};
use crate::{
    labels::METRIC_NAME,
    matcher::{MatchOp, Matcher},
    syntax::{
        ast::{
            At, AtTime, Duration, Expr, Extension, LabelMatcher, Name, RangeSelector, Selector,
            Shift, Subquery,
        },
        check,
    },
};

impl Parser<'_> {
    /// Parses a selector that starts with the name at `name`, or with a brace.
    pub(super) fn selector(&mut self, name: Option<Span>) -> Parsed<Expr> {
        let start = self.peek().span;
        let mut selector = Selector {
            span: start,
            name: name.map(|span| Name {
                span,
                text: span.text(self.query).to_owned(),
            }),
            matchers: Vec::new(),
            extension: None,
            shift: Shift::default(),
        };
        if name.is_some() {
            self.next();
        }
        if let Some(open) = self.accept(Symbol::LeftBrace) {
            let close = self.matchers(open, &mut selector)?;
            selector.span = start.to(close);
        }
        if !self.any_selector {
            check::selector(&selector, name.is_some())?;
        }
        Ok(Expr::Selector(selector))
    }

    /// Parses the matchers up to the closing brace.
    fn matchers(&mut self, open: Span, selector: &mut Selector) -> Parsed<Span> {
        loop {
            if let Some(close) = self.accept(Symbol::RightBrace) {
                return Ok(close);
            }
            let token = self.peek().clone();
            let label = match token.kind {
                TokenKind::Name(_) => token.span.text(self.query).to_owned(),
                TokenKind::Text(text) => text,
                _ => return Err(self.unexpected("a label name or \"}\"")),
            };
            let quoted = token.span.text(self.query) != label;
            self.next();
            let op = match self.peek().kind {
                TokenKind::Symbol(Symbol::Assign) => MatchOp::Equal,
                TokenKind::Symbol(Symbol::NotEqual) => MatchOp::NotEqual,
                TokenKind::Symbol(Symbol::Match) => MatchOp::Match,
                TokenKind::Symbol(Symbol::NotMatch) => MatchOp::NotMatch,
                TokenKind::Symbol(Symbol::Comma | Symbol::RightBrace) if quoted => {
                    Self::quoted_name(label, token.span, selector);
                    self.separator(open)?;
                    continue;
                }
                _ => {
                    let expected = format!("=, !=, =~ or !~ after the label \"{label}\"");
                    return Err(self.unexpected(&expected));
                }
            };
            self.next();
            let value = self.peek().clone();
            let TokenKind::Text(text) = value.kind else {
                let expected = format!("a quoted string after \"{}\"", op.text());
                return Err(self.unexpected(&expected));
            };
            self.next();
            if label.is_empty() {
                return Err(Fault::syntax(token.span, "a label name cannot be empty"));
            }
            let matcher = Matcher::new(label, op, text);
            let matcher = matcher.map_err(|message| Fault::syntax(value.span, message))?;
            self.regex_bytes += matcher.regex_bytes();
            if self.regex_bytes > MAX_REGEX_BYTES {
                let message = format!(
                    "the regular expressions up to here compile to more than {} MiB",
                    MAX_REGEX_BYTES >> 20
                );
                return Err(Fault::new(ParseErrorKind::TooLong, value.span, message));
            }
            selector.matchers.push(LabelMatcher {
                span: token.span.to(value.span),
                matcher,
            });
            self.separator(open)?;
        }
    }

    fn separator(&mut self, open: Span) -> Parsed<()> {
        if self.accept(Symbol::Comma).is_none() && !self.is(Symbol::RightBrace) {
            self.close(Symbol::RightBrace, open, "\",\" or ")?;
        }
        Ok(())
    }

    /// `{"metric.name"}` is short for `{__name__="metric.name"}`.
    fn quoted_name(text: String, span: Span, selector: &mut Selector) {
        if selector.name.is_none() && !text.is_empty() {
            selector.name = Some(Name { span, text });
            return;
        }
        let matcher = Matcher::equal(METRIC_NAME, text);
        selector.matchers.push(LabelMatcher { span, matcher });
    }

    /// Parses a primary expression with the brackets and modifiers that follow it.
    pub(super) fn postfix(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        loop {
            expr = match self.peek().kind {
                TokenKind::Symbol(Symbol::LeftBracket) => self.bracket(expr)?,
                TokenKind::Symbol(Symbol::At) => self.at_modifier(expr)?,
                TokenKind::Name(Some(Keyword::Offset)) => self.offset_modifier(expr)?,
                TokenKind::Name(Some(Keyword::Anchored)) => {
                    self.extension(expr, Extension::Anchored)?
                }
                TokenKind::Name(Some(Keyword::Smoothed)) => {
                    self.extension(expr, Extension::Smoothed)?
                }
                _ => return Ok(expr),
            };
        }
    }

    /// `[range]` or `[range:step]`.
    fn bracket(&mut self, expr: Expr) -> Parsed<Expr> {
        let open = self.next().span;
        let range = self.positive_duration()?;
        if self.accept(Symbol::Colon).is_none() {
            let close = self.close(Symbol::RightBracket, open, "\":\" or ")?;
            let selector = check::ranged(expr, open.to(close))?;
            return Ok(Expr::Range(RangeSelector {
                span: selector.span.to(close),
                selector,
                range,
            }));
        }
        let step = if self.is(Symbol::RightBracket) {
            None
        } else {
            Some(self.positive_duration()?)
        };
        let close = self.close(Symbol::RightBracket, open, "")?;
        let span = expr.span().to(close);
        check::subquery(&expr)?;
        Ok(Expr::Subquery(Subquery {
            span,
            expr: Box::new(expr),
            range,
            step,
            shift: Shift::default(),
        }))
    }

    fn positive_duration(&mut self) -> Parsed<Duration> {
        let duration = self.duration()?;
        check::positive(&duration)?;
        Ok(duration)
    }

    fn extension(&mut self, mut expr: Expr, extension: Extension) -> Parsed<Expr> {
        let keyword = self.next().span;
        self.experimental(keyword, extension.text())?;
        let (span, given) = check::extension(&mut expr, extension, keyword)?;
        *span = span.to(keyword);
        *given = Some(extension);
        Ok(expr)
    }

    fn offset_modifier(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let keyword = self.next().span;
        let duration = self.offset_duration()?;
        let (span, shift) = check::shift(&mut expr, "offset", keyword)?;
        if shift.offset.is_some() {
            return Err(Fault::syntax(keyword, "offset is given twice"));
        }
        *span = span.to(duration.span);
        shift.offset = Some(duration);
        Ok(expr)
    }

    fn at_modifier(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let start = self.next().span;
        let (end, time) = self.at_time()?;
        let (span, shift) = check::shift(&mut expr, "@", start)?;
        if shift.at.is_some() {
            return Err(Fault::syntax(start, "@ is given twice"));
        }
        *span = span.to(end);
        shift.at = Some(At {
            span: start.to(end),
            time,
        });
        Ok(expr)
    }

    fn at_time(&mut self) -> Parsed<(Span, AtTime)> {
        let preprocessor = match self.keyword() {
            Some(Keyword::Start) => Some(AtTime::Start),
            Some(Keyword::End) => Some(AtTime::End),
            _ => None,
        };
        if let Some(time) = preprocessor {
            self.next();
            self.expect(Symbol::LeftParen, "")?;
            let close = self.expect(Symbol::RightParen, "")?;
            return Ok((close, time));
        }
        let start = self.peek().span;
        let negative = self.accept(Symbol::Sub).is_some();
        if !negative {
            self.accept(Symbol::Add);
        }
        let (TokenKind::Number(seconds) | TokenKind::Duration(seconds)) = self.peek().kind else {
            return Err(self.unexpected("a time in seconds, start() or end() after \"@\""));
        };
        let end = self.next().span;
        let seconds = if negative { -seconds } else { seconds };
        // Prometheus accepts any number below 2^63 s, and its milliseconds overflow; this bound is where they would.
        let millis = (seconds * 1000.0).round();
        if millis.is_nan() || millis.abs() >= 9.2e18 {
            return Err(Fault::syntax(start.to(end), "this time is out of range"));
        }
        Ok((end, AtTime::Millis(millis as i64)))
    }
}
