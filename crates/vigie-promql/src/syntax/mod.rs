//! The syntax: text to syntax tree and back.
//!
//! The grammar is that of Prometheus 3.14 (`promql/parser/generated_parser.y`). Its feature-flagged parts are refused
//! with an error that names them, unless the caller permits them with [`Features::Experimental`].

mod ast;
mod check;
mod error;
mod features;
mod function;
mod lexer;
mod number;
mod parser;
mod pretty;
mod print;
mod size;
mod span;
mod token;
mod visit;

pub use ast::*;
pub use error::{ParseError, ParseErrorKind};
pub use features::Features;
pub use function::Function;
pub use number::{DURATION_UNITS, format_duration, parse_duration};
pub use parser::{
    MAX_DEPTH, MAX_QUERY_BYTES, MAX_REGEX_BYTES, MAX_TOKENS, is_costly, parse, parse_selector,
    parse_with,
};
pub use pretty::pretty;
pub use size::tree_bytes;
pub use span::Span;
pub use visit::{Left, Visitor, walk};
