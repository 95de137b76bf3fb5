//! The framing of HTTP/1.1: against a corpus of exchanges, against every division of their bytes, and against Node.
#![allow(clippy::unwrap_used)]

mod corpus;
mod divisions;
mod driver;
mod gaps;
mod generator;
mod limits;
mod node;
mod notes;
mod observed;
mod parsed;
mod responses;
mod semantics;
mod smuggling;
mod steps;
mod variants;
