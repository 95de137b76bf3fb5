//! Operators, signs, parentheses and literals.

use super::{Keyword, Parsed, Parser, Span, Symbol, TokenKind};
use crate::syntax::{
    ast::{
        Binary, BinaryOp, Expr, Fill, Group, Matching, Number, Operation, Paren, Side, Text, Unary,
    },
    check,
};

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(|parser| parser.binary(1))
    }

    /// Parses an expression of operators with at least the precedence `lowest`.
    fn binary(&mut self, lowest: u8) -> Parsed<Expr> {
        let mut expr = self.unary()?;
        while let Some(op) = self.binary_op() {
            let precedence = op.precedence();
            if precedence < lowest {
                break;
            }
            expr = self.run(expr, precedence)?;
        }
        Ok(expr)
    }

    /// Parses the operations of one precedence that follow `first`.
    fn run(&mut self, first: Expr, precedence: u8) -> Parsed<Expr> {
        let mut value_type = first.value_type();
        let mut span = first.span();
        let mut rest = Vec::new();
        while let Some(op) = self.binary_op() {
            if op.precedence() != precedence {
                break;
            }
            let op_span = self.next().span;
            let return_bool = self.bool_modifier();
            let matching = self.matching()?;
            let fill = self.fill()?;
            self.operand_expected(op_span)?;
            // The right operand of `^` may contain further ones; those of other operators only operators of higher
            // precedence.
            let tighter = if op == BinaryOp::Pow {
                precedence
            } else {
                precedence + 1
            };
            let rhs = self.deeper(|parser| parser.binary(tighter))?;
            let operation = Operation {
                op,
                op_span,
                return_bool,
                matching,
                fill,
                rhs,
            };
            value_type = check::operation(span, &first, value_type, &operation)?;
            span = span.to(operation.rhs.span());
            rest.push(operation);
        }
        Ok(Expr::Binary(Binary {
            span,
            first: Box::new(first),
            rest,
            value_type,
        }))
    }

    fn binary_op(&self) -> Option<BinaryOp> {
        Some(match self.peek().kind {
            TokenKind::Name(Some(keyword)) => match keyword {
                Keyword::And => BinaryOp::And,
                Keyword::Or => BinaryOp::Or,
                Keyword::Unless => BinaryOp::Unless,
                Keyword::Atan2 => BinaryOp::Atan2,
                _ => return None,
            },
            TokenKind::Symbol(symbol) => match symbol {
                Symbol::Add => BinaryOp::Add,
                Symbol::Sub => BinaryOp::Sub,
                Symbol::Mul => BinaryOp::Mul,
                Symbol::Div => BinaryOp::Div,
                Symbol::Mod => BinaryOp::Mod,
                Symbol::Pow => BinaryOp::Pow,
                Symbol::Equal => BinaryOp::Equal,
                Symbol::NotEqual => BinaryOp::NotEqual,
                Symbol::Less => BinaryOp::Less,
                Symbol::LessEqual => BinaryOp::LessEqual,
                Symbol::Greater => BinaryOp::Greater,
                Symbol::GreaterEqual => BinaryOp::GreaterEqual,
                Symbol::TrimUpper => BinaryOp::TrimUpper,
                Symbol::TrimLower => BinaryOp::TrimLower,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn bool_modifier(&mut self) -> bool {
        let given = self.keyword() == Some(Keyword::Bool);
        if given {
            self.next();
        }
        given
    }

    /// `on (…) group_left (…)` and similar, if it is next.
    fn matching(&mut self) -> Parsed<Option<Matching>> {
        let on = match self.keyword() {
            Some(Keyword::On) => true,
            Some(Keyword::Ignoring) => false,
            Some(keyword @ (Keyword::GroupLeft | Keyword::GroupRight)) => {
                let hint = format!("write on (…) or ignoring (…) before {}", keyword.text());
                return Err(self.unexpected_with(&hint));
            }
            _ => return Ok(None),
        };
        let start = self.next().span;
        let (span, labels) = self.label_list(if on { "on" } else { "ignoring" })?;
        let mut matching = Matching {
            span: start.to(span),
            on,
            labels,
            group: None,
        };
        let many = match self.keyword() {
            Some(Keyword::GroupLeft) => Side::Left,
            Some(Keyword::GroupRight) => Side::Right,
            _ => return Ok(Some(matching)),
        };
        let keyword = self.next().span;
        matching.span = start.to(keyword);
        let mut include = Vec::new();
        if self.is(Symbol::LeftParen) {
            let (span, labels) = self.label_list("group_left")?;
            matching.span = start.to(span);
            include = labels;
        }
        matching.group = Some(Group { many, include });
        Ok(Some(matching))
    }

    /// `fill (…)`, `fill_left (…)` and `fill_right (…)`, if they are next.
    fn fill(&mut self) -> Parsed<Fill> {
        let mut fill = Fill::default();
        while let Some(keyword @ (Keyword::Fill | Keyword::FillLeft | Keyword::FillRight)) =
            self.keyword()
            && self.peek_second().kind == TokenKind::Symbol(Symbol::LeftParen)
        {
            let span = self.peek().span;
            self.experimental(span, keyword.text())?;
            let (left, right) = (keyword != Keyword::FillRight, keyword != Keyword::FillLeft);
            if (left && fill.left.is_some()) || (right && fill.right.is_some()) {
                return Err(self.unexpected_with("this side is filled already"));
            }
            self.next();
            let value = Some(self.fill_value()?);
            if left {
                fill.left = value;
            }
            if right {
                fill.right = value;
            }
        }
        Ok(fill)
    }

    /// `(1.5)`.
    fn fill_value(&mut self) -> Parsed<f64> {
        let open = self.expect(Symbol::LeftParen, "")?;
        let negative = self.accept(Symbol::Sub).is_some();
        if !negative {
            self.accept(Symbol::Add);
        }
        let (TokenKind::Number(value) | TokenKind::Duration(value)) = self.peek().kind else {
            return Err(self.unexpected("a number"));
        };
        self.next();
        self.close(Symbol::RightParen, open, "")?;
        Ok(if negative { -value } else { value })
    }

    /// Reports a missing operand: in `foo > and bar`, `and` is not a metric name.
    fn operand_expected(&self, op: Span) -> Parsed<()> {
        let operator = matches!(
            self.keyword(),
            Some(
                Keyword::And
                    | Keyword::Or
                    | Keyword::Unless
                    | Keyword::By
                    | Keyword::Without
                    | Keyword::Offset
            )
        );
        let operand = matches!(
            self.peek_second().kind,
            TokenKind::Name(None)
                | TokenKind::Number(_)
                | TokenKind::Duration(_)
                | TokenKind::Text(_)
                | TokenKind::Symbol(Symbol::LeftParen)
        );
        if operator && operand {
            let after = op.text(self.query);
            return Err(self.unexpected(&format!("an expression after \"{after}\"")));
        }
        Ok(())
    }

    /// A sign has the precedence of `*`, lower than that of `^`.
    fn unary(&mut self) -> Parsed<Expr> {
        let negative = match self.peek().kind {
            TokenKind::Symbol(Symbol::Sub) => true,
            TokenKind::Symbol(Symbol::Add) => false,
            _ => return self.postfix(),
        };
        let sign = self.next().span;
        let power = BinaryOp::Pow.precedence();
        let operand = self.deeper(|parser| parser.binary(power))?;
        let span = sign.to(operand.span());
        if let Expr::Number(number) = operand {
            let value = if negative {
                -number.value
            } else {
                number.value
            };
            return Ok(Expr::Number(Number {
                span,
                value,
                ..number
            }));
        }
        check::sign(&operand)?;
        Ok(Expr::Unary(Unary {
            span,
            negative,
            expr: Box::new(operand),
        }))
    }

    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        match token.kind {
            TokenKind::Number(value) | TokenKind::Duration(value) => {
                self.next();
                Ok(Expr::Number(Number {
                    span: token.span,
                    value,
                    duration: matches!(token.kind, TokenKind::Duration(_)),
                }))
            }
            TokenKind::Text(value) => {
                self.next();
                Ok(Expr::Text(Text {
                    span: token.span,
                    value,
                }))
            }
            TokenKind::Symbol(Symbol::LeftParen) => {
                self.next();
                let expr = Box::new(self.expr()?);
                let close = self.close(Symbol::RightParen, token.span, "an operator or ")?;
                Ok(Expr::Paren(Paren {
                    span: token.span.to(close),
                    expr,
                }))
            }
            TokenKind::Symbol(Symbol::LeftBrace) => self.selector(None),
            TokenKind::Name(keyword) => self.named(keyword, token.span),
            _ => Err(self.unexpected("an expression")),
        }
    }
}
