//! The built-in rule files, and the command `vigie rules`.

#![allow(clippy::unwrap_used)]

#[path = "rules/command.rs"]
mod command;
#[path = "rules/corpus.rs"]
mod corpus;
#[path = "rules/differential.rs"]
mod differential;
#[path = "rules/promtool.rs"]
mod promtool;
#[path = "rules/random.rs"]
mod random;
#[path = "rules/runbooks.rs"]
mod runbooks;
#[path = "rules/specification.rs"]
mod specification;
#[path = "rules/templates.rs"]
mod templates;
#[path = "rules/unit.rs"]
mod unit;
