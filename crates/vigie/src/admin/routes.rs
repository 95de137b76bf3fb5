//! `/routes`: all routes as a setting that can be pasted into the configuration, followed by their request counts. The section is
//! that of the source, `[gateway]` or `[capture]`.
//!
//! ```text
//! [gateway]
//! routes = [
//!   "GET /users/:id",
//!   "/orders/:id",
//! ]
//!
//! # requests  origin      route
//! #      120  configured  GET /users/:id
//! #       77  learned     /orders/:id
//! #
//! # Most frequent under <other>, with the latest request:
//! # requests  template
//! #       31  /search  (GET 429)
//! ```

use std::fmt::{self, Write as _};

use axum::Router;
use axum::routing::get;
use vigie_traffic::{KnownRoutes, ListedRoute, RouteList, RouteOrigin};

/// The number of folded templates shown.
const MOST_FOLDED: usize = 20;
/// The section without a source of requests.
const NO_SOURCE: &str = "gateway";

/// The routes of the app.
#[derive(Clone)]
pub struct Routes {
    /// The routes that the source of the requests knows.
    pub known: KnownRoutes,
    /// The section of the source.
    pub section: &'static str,
}

pub(super) fn router<S: Clone + Send + Sync + 'static>(routes: Option<Routes>) -> Router<S> {
    let show = move || {
        let shown = match &routes {
            Some(routes) => page(routes.section, &routes.known.list()),
            None => page(NO_SOURCE, &RouteList::default()),
        };
        async move { shown }
    };
    Router::new().route("/routes", get(show))
}

fn page(section: &str, list: &RouteList) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, section, list);
    page
}

fn write(page: &mut String, section: &str, list: &RouteList) -> fmt::Result {
    writeln!(page, "[{section}]\nroutes = [")?;
    for route in &list.routes {
        // A pattern contains no quotes, backslashes or control characters.
        writeln!(page, "  \"{}\",", route.pattern)?;
    }
    writeln!(page, "]")?;
    if !list.routes.is_empty() {
        writeln!(page, "\n# requests  origin      route")?;
    }
    for route in &list.routes {
        let (requests, origin) = (route.requests, route.origin.name());
        let note = note(route);
        writeln!(
            page,
            "# {requests:>8}  {origin:<10}  {}{note}",
            route.pattern
        )?;
    }
    if list.folded.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n# Most frequent under <other>, with the latest request:"
    )?;
    writeln!(page, "# requests  template")?;
    for folded in list.folded.iter().take(MOST_FOLDED) {
        // The template contains only segments that learned routes may have.
        let (requests, template) = (folded.at_most, &folded.template);
        let (method, code) = (folded.method, folded.code);
        let error = match folded.at_most - folded.at_least {
            0 => String::new(),
            _ => format!("  (at least {})", folded.at_least),
        };
        writeln!(
            page,
            "# {requests:>8}  {template}  ({method} {code}){error}"
        )?;
    }
    Ok(())
}

fn note(route: &ListedRoute) -> &'static str {
    match (route.origin, route.requests) {
        (RouteOrigin::Configured, 0) => "  (no request since the start)",
        (RouteOrigin::Failing, _) => "  (only failures so far)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use vigie_traffic::FoldedTemplate;

    use super::*;

    fn list() -> RouteList {
        let route = |pattern: &str, origin, requests| ListedRoute {
            pattern: pattern.to_owned(),
            origin,
            requests,
        };
        let folded = |template: &str, at_least, at_most| FoldedTemplate {
            template: template.to_owned(),
            at_least,
            at_most,
            method: "GET",
            code: 429,
        };
        RouteList {
            routes: vec![
                route("GET /caf\u{e9}/{id}", RouteOrigin::Configured, 120),
                route("/e\u{301}/*rest", RouteOrigin::Configured, 0),
                route("/it's/:id", RouteOrigin::Learned, 77),
                route("/reports", RouteOrigin::Failing, 5),
            ],
            folded: vec![folded("/search", 31, 31), folded("/x/:id", 2, 9)],
        }
    }

    #[test]
    fn the_page_is_the_setting_and_comments() {
        let page = page("gateway", &list());
        let expected = "[gateway]\nroutes = [\n  \"GET /café/{id}\",\n  \"/e\u{301}/*rest\",\n  \
            \"/it's/:id\",\n  \"/reports\",\n]\n\n\
            # requests  origin      route\n\
            #      120  configured  GET /café/{id}\n\
            #        0  configured  /e\u{301}/*rest  (no request since the start)\n\
            #       77  learned     /it's/:id\n\
            #        5  failing     /reports  (only failures so far)\n\n\
            # Most frequent under <other>, with the latest request:\n\
            # requests  template\n\
            #       31  /search  (GET 429)\n\
            #        9  /x/:id  (GET 429)  (at least 2)\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn the_page_is_read_back_without_loss() {
        for section in ["gateway", "capture"] {
            is_read_back_without_loss(section);
        }
    }

    fn is_read_back_without_loss(section: &str) {
        let page = page(section, &list());
        let read: toml::Table = page.parse().unwrap();
        let routes = read[section]["routes"].as_array().unwrap();
        let routes: Vec<_> = routes.iter().map(|route| route.as_str().unwrap()).collect();
        let expected: Vec<_> = list()
            .routes
            .iter()
            .map(|route| route.pattern.clone())
            .collect();
        assert_eq!(routes, expected);
        for route in routes {
            vigie_traffic::validate_pattern(route).unwrap();
        }
    }

    #[test]
    fn without_routes_it_is_an_empty_setting() {
        assert_eq!(
            page(NO_SOURCE, &RouteList::default()),
            "[gateway]\nroutes = [\n]\n"
        );
    }
}
