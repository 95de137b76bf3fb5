//! The seam to the gateway: what a route in the settings may look like.

use crate::given::Given;
use crate::values::{Parsed, refused, wrong};

/// Says what is wrong with a route, if anything is: `[METHOD ]/path` with `:name`, `{name}` or a
/// last `*` for the parts that vary.
///
/// # Errors
/// What is wrong, in words for the person who wrote the route.
pub fn validate_route(route: &str) -> Result<(), String> {
    vigie_gateway::validate_pattern(route).map_err(|error| error.reason())
}

pub(crate) fn route(given: &Given) -> Parsed<String> {
    let example = r#"a route, like "GET /users/:id" or "/files/*""#;
    let Some(text) = given.text() else {
        return wrong(example);
    };
    match validate_route(text) {
        Ok(()) => Ok(text.to_owned()),
        // The reason quotes the route, and this one must not be shown.
        Err(_) if given.may_hide_secret() => wrong(example),
        Err(reason) => refused(reason),
    }
}
