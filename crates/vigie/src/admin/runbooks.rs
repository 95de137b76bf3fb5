//! `/runbooks/NAME`: the runbooks of the alert rules, as Markdown. They are the same for everybody and contain nothing about the
//! backend, so they need no credentials. A browser is sent to the web page, which shows them.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, VARY,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::page;

/// The name and the text of each file in `docs/runbooks`, sorted by name.
const RUNBOOKS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

const PREFIX: &str = "/runbooks/";

/// Whether the path is that of a runbook.
pub(super) fn is_runbook(path: &str) -> bool {
    path.starts_with(PREFIX)
}

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(
        "/runbooks/{name}",
        get(async |Path(name): Path<String>, headers: HeaderMap| {
            runbook(&name, page::wants_page(&headers))
        }),
    )
}

fn runbook(name: &str, in_page: bool) -> Response {
    let vary = (VARY, HeaderValue::from_name(ACCEPT));
    let found = RUNBOOKS.binary_search_by_key(&name, |(name, _)| name);
    let Some((name, text)) = found.ok().and_then(|at| RUNBOOKS.get(at)) else {
        let text = "404 Not Found: there is no runbook of this name\n";
        return (StatusCode::NOT_FOUND, [vary], text).into_response();
    };
    if in_page {
        // Relative, since a proxy may have added a path prefix.
        let page = (LOCATION, format!("../#/runbooks/{name}"));
        return (StatusCode::SEE_OTHER, [vary], [page]).into_response();
    }
    let headers = [
        (CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    ([vary], headers, *text).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn every_runbook_is_sent() {
        let directory =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
        let mut count = 0;
        for file in fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let answer = runbook(name, false);
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            assert_eq!(
                answer.headers()[CONTENT_TYPE],
                "text/markdown; charset=utf-8"
            );
            let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            assert_eq!(body, fs::read(&path).unwrap());
            count += 1;
        }
        assert_eq!(count, RUNBOOKS.len());
    }

    #[test]
    fn browsers_are_sent_to_the_page() {
        let answer = runbook("SlowTick", true);
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[LOCATION], "../#/runbooks/SlowTick");
        assert_eq!(answer.headers()[VARY], "accept");
    }

    #[test]
    fn other_names_are_not_found() {
        for name in ["slowtick", "SlowTick.md", "../rules", ""] {
            for in_page in [false, true] {
                let answer = runbook(name, in_page);
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
            }
        }
    }
}
