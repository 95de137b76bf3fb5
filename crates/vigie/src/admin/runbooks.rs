//! `/runbooks/NAME`: the runbooks of the alert rules, as Markdown, in English and French (`?lang=fr`, or `Accept-Language`).
//! They are the same for everybody and contain nothing about the backend, so they need no credentials. A browser is sent to the
//! web page, which shows them.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue,
    LOCATION, VARY,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::dashboards::Parameters;
use super::page;
use crate::commands::dashboards::Lang;

/// A runbook.
struct Runbook {
    name: &'static str,
    english: &'static str,
    french: &'static str,
}

/// The files in `docs/runbooks`, sorted by name.
const RUNBOOKS: &[Runbook] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

const PREFIX: &str = "/runbooks/";
/// The runbooks of the project, in any version.
const PROJECT: &str = "https://github.com/vigie-rs/vigie/blob/";
const DIRECTORY: &str = "/docs/runbooks/";

/// Whether the path is that of a runbook.
pub(super) fn is_runbook(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// The path of the runbook that the address of the project's documentation names, if Vigie serves it.
pub(crate) fn served(address: &str) -> Option<String> {
    let (version, file) = address.strip_prefix(PROJECT)?.split_once(DIRECTORY)?;
    let name = file.strip_suffix(".md")?;
    (!version.contains('/') && find(name).is_some()).then(|| format!("{PREFIX}{name}"))
}

fn find(name: &str) -> Option<&'static Runbook> {
    let found = RUNBOOKS.binary_search_by_key(&name, |runbook| runbook.name);
    RUNBOOKS.get(found.ok()?)
}

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(
        "/runbooks/{name}",
        get(
            async |Path(name): Path<String>,
                   Query(parameters): Query<Parameters>,
                   headers: HeaderMap| {
                let language = parameters.named().unwrap_or_else(|| preferred(&headers));
                runbook(&name, language, page::wants_page(&headers))
            },
        ),
    )
}

/// The language that a browser prefers; English, if it names neither.
fn preferred(headers: &HeaderMap) -> Lang {
    let lists = headers.get_all(ACCEPT_LANGUAGE).iter();
    let items = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    let ranked = items.filter_map(|item| {
        let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let language = match primary.to_ascii_lowercase().as_str() {
            "en" => Lang::En,
            "fr" => Lang::Fr,
            _ => return None,
        };
        let quality = parameters.trim().strip_prefix("q=");
        let quality = quality.map_or(Some(1.0), |quality| quality.trim().parse::<f64>().ok())?;
        (quality > 0.0).then_some((language, quality))
    });
    // Of equal ones the first.
    let best = ranked.reduce(|best, one| if one.1 > best.1 { one } else { best });
    best.map_or(Lang::En, |(language, _)| language)
}

fn runbook(name: &str, language: Lang, in_page: bool) -> Response {
    let vary = (VARY, HeaderValue::from_static("accept, accept-language"));
    let Some(runbook) = find(name) else {
        let text = "404 Not Found: there is no runbook of this name\n";
        return (StatusCode::NOT_FOUND, [vary], text).into_response();
    };
    if in_page {
        // Relative, since a proxy may have added a path prefix. The page has a language of its own.
        let page = (LOCATION, format!("../#/runbooks/{}", runbook.name));
        return (StatusCode::SEE_OTHER, [vary], [page]).into_response();
    }
    let (tag, text) = match language {
        Lang::En => ("en", runbook.english),
        Lang::Fr => ("fr", runbook.french),
    };
    let headers = [
        (CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (CONTENT_LANGUAGE, tag),
        (CACHE_CONTROL, "no-cache"),
    ];
    ([vary], headers, text).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::path::Path;

    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn every_runbook_is_sent_in_both_languages() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
        for (language, tag, directory) in [
            (Lang::En, "en", directory.clone()),
            (Lang::Fr, "fr", directory.join("fr")),
        ] {
            let mut count = 0;
            for file in fs::read_dir(directory).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    continue;
                }
                let name = path.file_stem().unwrap().to_str().unwrap();
                let answer = runbook(name, language, false);
                assert_eq!(answer.status(), StatusCode::OK, "{name}");
                assert_eq!(
                    answer.headers()[CONTENT_TYPE],
                    "text/markdown; charset=utf-8"
                );
                assert_eq!(answer.headers()[CONTENT_LANGUAGE], tag);
                let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
                assert_eq!(body, fs::read(&path).unwrap());
                count += 1;
            }
            assert_eq!(count, RUNBOOKS.len());
        }
    }

    #[test]
    fn browsers_are_sent_to_the_page() {
        let answer = runbook("SlowTick", Lang::Fr, true);
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[LOCATION], "../#/runbooks/SlowTick");
        assert_eq!(answer.headers()[VARY], "accept, accept-language");
    }

    #[test]
    fn other_names_are_not_found() {
        for name in ["slowtick", "SlowTick.md", "../rules", "fr", ""] {
            for in_page in [false, true] {
                let answer = runbook(name, Lang::En, in_page);
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
            }
        }
    }

    #[test]
    fn the_language_is_the_one_that_the_client_prefers() {
        for (accepted, expected) in [
            ("fr", Lang::Fr),
            ("fr-CA, en;q=0.5", Lang::Fr),
            ("en-GB,en;q=0.9,fr;q=0.8", Lang::En),
            ("de, fr;q=0.3, en;q=0.2", Lang::Fr),
            ("fr;q=0, en;q=0.1", Lang::En),
            ("en, fr", Lang::En),
            ("de, *", Lang::En),
            ("fr;q=x", Lang::En),
            ("", Lang::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            assert_eq!(preferred(&headers), expected, "{accepted}");
        }
        assert_eq!(preferred(&HeaderMap::new()), Lang::En);
    }
}
