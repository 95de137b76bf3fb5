//! Deliveries to servers that enforce the rules of each service.
#![allow(clippy::unwrap_used)]

#[path = "deliver/answers.rs"]
mod answers;
#[path = "deliver/failures.rs"]
mod failures;
#[path = "deliver/http.rs"]
mod http;
#[path = "deliver/limits.rs"]
mod limits;
#[path = "deliver/services.rs"]
mod services;
#[path = "support/answers.rs"]
mod support;
