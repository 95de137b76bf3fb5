//! The syntax: text to syntax tree and back.
//!
//! The grammar is that of Prometheus 3.14 (`promql/parser/generated_parser.y`). Its feature-flagged parts are refused
//! with an error that names them.

mod ast;
mod check;
mod error;
mod function;
mod lexer;
pub(crate) mod number;
mod parser;
mod pretty;
mod print;
mod size;
mod span;
mod token;
mod visit;

pub use ast::*;
pub use error::{ParseError, ParseErrorKind};
pub use function::Function;
pub use parser::{MAX_DEPTH, MAX_QUERY_BYTES, MAX_REGEX_BYTES, MAX_TOKENS, is_costly, parse};
pub use pretty::pretty;
pub use size::tree_bytes;
pub use span::Span;
pub use visit::{Left, Visitor, walk};
