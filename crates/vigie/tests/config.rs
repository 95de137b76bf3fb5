//! The settings: files good and bad, what wins over what, and that no secret is ever shown.

#[path = "config/corpus.rs"]
mod corpus;
#[path = "config/example.rs"]
mod example;
#[path = "config/precedence.rs"]
mod precedence;
#[path = "config/secrets.rs"]
mod secrets;
