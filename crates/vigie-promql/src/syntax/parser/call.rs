//! Expressions that start with a name and may be calls: functions and aggregations.

use super::{Fault, Keyword, Parsed, Parser, Span, Symbol, TokenKind};
use crate::syntax::{
    ast::{Aggregate, AggregateOp, Call, Expr, Grouping},
    check,
    error::ParseErrorKind,
    function::{self, Function},
};

impl Parser<'_> {
    /// Parses a function call, an aggregation or a metric, depending on the token after the name.
    pub(super) fn named(&mut self, keyword: Option<Keyword>, span: Span) -> Parsed<Expr> {
        let called = self.peek_second().kind == TokenKind::Symbol(Symbol::LeftParen);
        let grouped = matches!(
            self.peek_second().kind,
            TokenKind::Name(Some(Keyword::By | Keyword::Without))
        );
        match keyword {
            None if called => self.call(span),
            None => self.selector(Some(span)),
            Some(keyword) => {
                let op = aggregate_op(keyword).filter(|_| called || grouped);
                if let Some(op) = op {
                    if op.is_experimental() {
                        self.experimental(span, format_args!("{}()", op.text()))?;
                    }
                    return self.aggregate(op);
                }
                match keyword {
                    Keyword::Start
                    | Keyword::End
                    | Keyword::Step
                    | Keyword::Range
                    | Keyword::MinOf
                    | Keyword::MaxOf
                        if called =>
                    {
                        self.call(span)
                    }
                    Keyword::Bool
                    | Keyword::On
                    | Keyword::Ignoring
                    | Keyword::GroupLeft
                    | Keyword::GroupRight
                    | Keyword::Atan2 => Err(self.unexpected("an expression")),
                    _ => self.selector(Some(span)),
                }
            }
        }
    }

    fn call(&mut self, name_span: Span) -> Parsed<Expr> {
        let name = name_span.text(self.query);
        let function = Function::find(name).ok_or_else(|| unknown(name, name_span))?;
        if function.is_experimental() {
            self.experimental(name_span, format_args!("{name}()"))?;
        }
        self.next();
        let (args, close) = self.arguments(Some(function))?;
        let call = Call {
            span: name_span.to(close),
            name_span,
            function,
            args,
        };
        check::call(&call)?;
        Ok(Expr::Call(call))
    }

    /// `(a, b)`: the arguments of a function or, without one, of an aggregation.
    fn arguments(&mut self, of: Option<Function>) -> Parsed<(Vec<Expr>, Span)> {
        let open = self.expect(Symbol::LeftParen, "")?;
        let mut args = Vec::new();
        if let Some(close) = self.accept(Symbol::RightParen) {
            return Ok((args, close));
        }
        loop {
            // The second argument of `info` adds conditions to a selector.
            let outer = self.any_selector;
            self.any_selector |= of == Some(Function::Info) && args.len() == 1;
            let arg = self.expr();
            self.any_selector = outer;
            args.push(arg?);
            if self.accept(Symbol::Comma).is_none() {
                break;
            }
            if self.is(Symbol::RightParen) {
                return Err(self.unexpected("another argument after \",\""));
            }
        }
        let close = self.close(Symbol::RightParen, open, "an operator, \",\" or ")?;
        Ok((args, close))
    }

    fn aggregate(&mut self, op: AggregateOp) -> Parsed<Expr> {
        let start = self.next().span;
        let mut grouping = self.grouping()?;
        let context = match &grouping {
            Some(_) => format!(" with what {} aggregates", op.text()),
            None => format!(" after {}", op.text()),
        };
        if !self.is(Symbol::LeftParen) {
            return Err(self.unexpected(&format!("\"(\"{context}")));
        }
        let (args, close) = self.arguments(None)?;
        let mut span = start.to(close);
        if grouping.is_none() {
            grouping = self.grouping()?;
            span = grouping
                .as_ref()
                .map_or(span, |grouping| span.to(grouping.span));
        }
        let (param, expr) = check::aggregate_args(op, span, args)?;
        Ok(Expr::Aggregate(Aggregate {
            span,
            op,
            grouping,
            param: param.map(Box::new),
            expr: Box::new(expr),
        }))
    }

    /// `by (…)` or `without (…)`, if it is next.
    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let without = match self.keyword() {
            Some(Keyword::By) => false,
            Some(Keyword::Without) => true,
            _ => return Ok(None),
        };
        let start = self.next().span;
        let (span, labels) = self.label_list(if without { "without" } else { "by" })?;
        Ok(Some(Grouping {
            span: start.to(span),
            without,
            labels,
        }))
    }
}

fn aggregate_op(keyword: Keyword) -> Option<AggregateOp> {
    Some(match keyword {
        Keyword::Sum => AggregateOp::Sum,
        Keyword::Avg => AggregateOp::Avg,
        Keyword::Count => AggregateOp::Count,
        Keyword::Min => AggregateOp::Min,
        Keyword::Max => AggregateOp::Max,
        Keyword::Group => AggregateOp::Group,
        Keyword::Stddev => AggregateOp::Stddev,
        Keyword::Stdvar => AggregateOp::Stdvar,
        Keyword::Topk => AggregateOp::Topk,
        Keyword::Bottomk => AggregateOp::Bottomk,
        Keyword::CountValues => AggregateOp::CountValues,
        Keyword::Quantile => AggregateOp::Quantile,
        Keyword::Limitk => AggregateOp::Limitk,
        Keyword::LimitRatio => AggregateOp::LimitRatio,
        _ => return None,
    })
}

fn unknown(name: &str, span: Span) -> Fault {
    let lower = name.to_ascii_lowercase();
    let known = function::NOT_EVALUATED.iter();
    if let Some((_, why)) = known.clone().find(|(known, _)| *known == lower) {
        return Fault::not_supported(span, format_args!("{name}(): {why}"));
    }
    let hint = match function::nearest(name) {
        Some(known) => format!(", did you mean \"{known}\"?"),
        None => String::new(),
    };
    let message = format!("unknown function \"{}\"{hint}", super::shortened(name));
    Fault::new(ParseErrorKind::UnknownFunction, span, message)
}
