//! Access to the metrics: open, by a bearer token, or by user name and password.

use crate::given::Given;
use crate::problem::Problem;
use crate::reader::Reader;
use crate::settings::Access;
use crate::values::{Parsed, text, wrong};

pub(crate) fn access(r: &mut Reader) -> Access {
    let token = r.secret("admin.token", token);
    let username = r.optional("admin.username", username);
    let password = r.secret("admin.password", text);

    let token_place = r.secret_place("admin.token");
    let username_place = r.place("admin.username").cloned();
    let password_place = r.secret_place("admin.password");
    let basic_place = username_place.as_ref().or(password_place.as_ref());

    if let (Some(place), Some(basic)) = (&token_place, basic_place) {
        let title = "admin.token excludes admin.username and admin.password";
        let problem = Problem::at(place.clone(), title, "choose this");
        r.problem(problem.also(Some(basic), "or this"));
    } else if let (Some(place), None) = (&username_place, &password_place) {
        let label = "a name needs its password";
        let problem = Problem::at(place.clone(), "admin.password is missing", label);
        r.problem(problem.help(r#"add password = "…" or password_file = "…""#));
    } else if let (None, Some(place)) = (&username_place, &password_place) {
        let label = "a password needs its name";
        let problem = Problem::at(place.clone(), "admin.username is missing", label);
        r.problem(problem.help(r#"add username = "…""#));
    }

    match (token, username, password) {
        (Some(token), _, _) => Access::Bearer(token.into()),
        (None, Some(username), Some(password)) => Access::Basic {
            username,
            password: password.into(),
        },
        // Also after an error, which has been recorded and prevents the start: the port never becomes open by
        // accident.
        _ => Access::Open,
    }
}

/// A token valid in `Authorization: Bearer …`.
fn token(given: &Given) -> Parsed<String> {
    match given.text() {
        Some(token) if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(token.to_owned())
        }
        _ => wrong("visible ASCII characters without blanks"),
    }
}

/// A user name for `Authorization: Basic …`, in which the first colon ends the name.
fn username(given: &Given) -> Parsed<String> {
    match text(given) {
        Ok(name) if !name.contains(':') => Ok(name),
        _ => wrong("a name without a colon"),
    }
}
