//! Tokens of the language.

use super::span::Span;

/// A token with its span.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name or a keyword: a keyword is also a name wherever the grammar permits one.
    Name(Option<Keyword>),
    Number(f64),
    /// A number written with units, in seconds.
    Duration(f64),
    Text(String),
    Symbol(Symbol),
    End,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant),+ }

        impl $name {
            pub(super) fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            pub(super) fn find(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// Keywords, in lower case; matched case-insensitively.
    Keyword {
        And = "and", Or = "or", Unless = "unless", Atan2 = "atan2",
        Sum = "sum", Avg = "avg", Count = "count", Min = "min", Max = "max", Group = "group",
        Stddev = "stddev", Stdvar = "stdvar", Topk = "topk", Bottomk = "bottomk",
        CountValues = "count_values", Quantile = "quantile", Limitk = "limitk", LimitRatio = "limit_ratio",
        Offset = "offset", By = "by", Without = "without", On = "on", Ignoring = "ignoring",
        GroupLeft = "group_left", GroupRight = "group_right", Bool = "bool",
        Start = "start", End = "end", Step = "step", Range = "range", MinOf = "min_of", MaxOf = "max_of",
        Smoothed = "smoothed", Anchored = "anchored",
        Fill = "fill", FillLeft = "fill_left", FillRight = "fill_right",
    }
}

words! {
    /// Punctuation and symbolic operators.
    Symbol {
        LeftParen = "(", RightParen = ")", LeftBrace = "{", RightBrace = "}",
        LeftBracket = "[", RightBracket = "]", Comma = ",", Colon = ":", At = "@",
        Add = "+", Sub = "-", Mul = "*", Div = "/", Mod = "%", Pow = "^",
        Assign = "=", Equal = "==", NotEqual = "!=", Less = "<", LessEqual = "<=",
        Greater = ">", GreaterEqual = ">=", Match = "=~", NotMatch = "!~",
        TrimUpper = "</", TrimLower = ">/",
    }
}
