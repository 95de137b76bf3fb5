//! Good and bad configuration files, the reference file, and secrets, which no error shows.

#[path = "config/corpus.rs"]
mod corpus;
#[path = "config/example.rs"]
mod example;
#[path = "config/secrets.rs"]
mod secrets;
