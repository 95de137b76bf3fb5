//! The format of a route in the settings, which the gateway defines.

use crate::given::Given;
use crate::values::{Parsed, refused, wrong};

/// Validates a route: `[METHOD ]/path` with `:name`, `{name}` or a last `*` for variable segments.
///
/// # Errors
/// A human-readable description of the mistake.
pub fn validate_route(route: &str) -> Result<(), String> {
    vigie_traffic::validate_pattern(route).map_err(|error| error.reason())
}

pub(crate) fn route(given: &Given) -> Parsed<String> {
    let example = r#"a route, like "GET /users/:id" or "/files/*""#;
    let Some(text) = given.text() else {
        return wrong(example);
    };
    match validate_route(text) {
        Ok(()) => Ok(text.to_owned()),
        // The reason quotes the route, which must not be shown here.
        Err(_) if given.may_hide_secret() => wrong(example),
        Err(reason) => refused(reason),
    }
}
