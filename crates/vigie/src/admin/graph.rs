//! `/graph` and `/query`: the addresses at which Prometheus shows a query, which alerts link to (`generatorURL`). They lead to
//! Explore on the web page, which asks for credentials if it needs them.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse as _;
use axum::routing::get;
use url::form_urlencoded;

const PATHS: [&str; 2] = ["/graph", "/query"];

/// Whether the path is one of these.
pub(super) fn is_graph(path: &str) -> bool {
    PATHS.contains(&path)
}

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let lead = get(async |RawQuery(query): RawQuery| {
        let view = view(query.as_deref().unwrap_or_default());
        // Relative, since a proxy may have added a path prefix.
        (StatusCode::SEE_OTHER, [(LOCATION, format!("./#/{view}"))]).into_response()
    });
    let add = |router: Router<S>, path| router.route(path, lead.clone());
    PATHS.into_iter().fold(Router::new(), add)
}

/// The view of Explore for the first panel of Prometheus' page, in the form that `page/src/model/view.ts` reads.
fn view(query: &str) -> String {
    let given = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let mut view = form_urlencoded::Serializer::new(String::new());
    if let Some(expr) = given("g0.expr") {
        view.append_pair("q", &expr);
    }
    // Numbers up to Prometheus 2, names since.
    if given("g0.tab").is_none_or(|tab| ["1", "table"].contains(&&*tab)) {
        view.append_pair("as", "table");
    }
    if let Some(span) = given("g0.range_input").filter(|span| is_span(span)) {
        view.append_pair("from", &format!("now-{span}"));
        view.append_pair("to", "now");
    }
    match view.finish() {
        view if view.is_empty() => "explore".to_owned(),
        view => format!("explore?{view}"),
    }
}

/// A number with one unit, as ranges on the page.
fn is_span(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd', 'w']);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && digits.len() <= 6 && text.len() == digits.len() + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_query_its_form_and_its_range_are_kept() {
        for (query, expected) in [
            ("", "explore?as=table"),
            ("g0.expr=up&g0.tab=1", "explore?q=up&as=table"),
            ("g0.expr=up&g0.tab=0", "explore?q=up"),
            (
                "g0.expr=up&g0.tab=graph&g0.range_input=6h",
                "explore?q=up&from=now-6h&to=now",
            ),
            (
                "g0.expr=up&g0.tab=0&g0.range_input=1h30m&g1.expr=x",
                "explore?q=up",
            ),
            ("g0.expr=up&g0.tab=0&g0.range_input=h", "explore?q=up"),
        ] {
            assert_eq!(view(query), expected, "{query}");
        }
    }

    #[test]
    fn any_expression_survives() {
        for expr in [
            "sum by (queue) (rate(queue_jobs_total{state=\"failed\"}[5m])) > 1",
            "up{job=~\"a|b&c=d#e?f%g\"} + 1",
            "é\r\nset-cookie: a=b",
        ] {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("g0.expr", expr)
                .append_pair("g0.tab", "0")
                .finish();
            let view = view(&query);
            assert!(view.bytes().all(|byte| byte.is_ascii_graphic()), "{view}");
            let (_, parameters) = view.split_once('?').unwrap();
            let (_, found) = form_urlencoded::parse(parameters.as_bytes())
                .next()
                .unwrap();
            assert_eq!(found, expr);
        }
    }
}
