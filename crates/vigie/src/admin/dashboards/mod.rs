//! `/dashboards`: the Grafana dashboards that are built in and those of the user, for the web page.

mod directory;
mod files;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use vigie_config::Page;
use vigie_metrics::Registry;

use super::compression;
use crate::commands::dashboards::{Lang, Name, dashboard};
use directory::Directory;
use files::Found;
pub(crate) use files::MEMORY;

/// The names of the other pages of the web page, besides the built-in dashboards.
const PAGES: [&str; 5] = ["queues", "queue", "explore", "runbooks", "login"];

/// The parameters of a request.
#[derive(Deserialize)]
pub(super) struct Parameters {
    lang: Option<String>,
}

impl Parameters {
    /// The language that is asked for, if there is one of this name.
    pub(super) fn named(&self) -> Option<Lang> {
        let named = self.lang.as_deref();
        named.and_then(|lang| Lang::from_str(lang, true).ok())
    }

    /// English, unless another language is asked for that there is.
    fn language(&self) -> Lang {
        self.named().unwrap_or(Lang::En)
    }
}

/// Where the dashboards of the user are, and Grafana.
#[derive(Clone)]
struct Sources(Arc<(Option<Directory>, Option<String>)>);

impl Sources {
    /// The dashboards of the user; none without a directory.
    async fn own(&self) -> Arc<Found> {
        match &self.0.0 {
            Some(directory) => directory.found().await,
            None => Arc::default(),
        }
    }
}

/// The paths, for the dashboards that the settings name besides the built-in ones.
pub(crate) fn router(page: &Page, registry: &Registry) -> Router {
    let directory = page.dashboards.clone();
    let directory = directory.map(|path| Directory::new(path, taken(), registry));
    Router::new()
        .route("/dashboards", get(list))
        .route("/dashboards/{name}", get(one))
        .layer(compression())
        .with_state(Sources(Arc::new((directory, page.grafana.clone()))))
}

/// The number of dashboards in a directory, and the files that cannot be used, for `vigie check`. Blocks.
pub(crate) fn look(directory: &std::path::Path) -> (usize, Vec<String>) {
    let found = files::read(directory, &taken());
    (found.dashboards.len(), found.problems)
}

/// The names that belong to other pages.
fn taken() -> Vec<String> {
    let built_in = Name::value_variants().iter().map(|name| key(*name));
    PAGES
        .map(str::to_owned)
        .into_iter()
        .chain(built_in)
        .collect()
}

/// The name of a built-in dashboard in addresses.
fn key(name: Name) -> String {
    let value = name.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// A dashboard in the list.
#[derive(Debug, PartialEq, Serialize)]
struct Listed {
    name: String,
    title: String,
}

/// The title in the JSON of a dashboard.
#[derive(Deserialize)]
struct Titled {
    title: String,
}

fn listed(lang: Lang) -> Vec<Listed> {
    let names = Name::value_variants().iter();
    names
        .filter_map(|name| {
            let json = dashboard(*name, lang).json;
            let titled: Titled = serde_json::from_str(json).ok()?;
            Some(Listed {
                name: key(*name),
                title: titled.title,
            })
        })
        .collect()
}

/// The answer to the request for the list.
#[derive(Serialize)]
struct List<'a> {
    dashboards: Vec<Listed>,
    /// Why files of the user cannot be used.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    grafana: Option<&'a str>,
}

async fn list(State(sources): State<Sources>, Query(parameters): Query<Parameters>) -> Response {
    let own = sources.own().await;
    let further = own.dashboards.iter().map(|one| Listed {
        name: one.name.clone(),
        title: one.title.clone(),
    });
    let mut dashboards = listed(parameters.language());
    dashboards.extend(further);
    let list = List {
        dashboards,
        problems: &own.problems,
        grafana: sources.0.1.as_deref(),
    };
    json(StatusCode::OK, serde_json::json!(list).to_string())
}

async fn one(
    State(sources): State<Sources>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Response {
    if let Ok(name) = Name::from_str(&name, false) {
        return json(StatusCode::OK, dashboard(name, parameters.language()).json);
    }
    let own = sources.own().await;
    if let Some(found) = own.get(&name) {
        return json(StatusCode::OK, found.json.clone());
    }
    let built_in = Name::value_variants().iter().map(|name| key(*name));
    let further = own.dashboards.iter().map(|one| one.name.clone());
    let names: Vec<_> = built_in.chain(further).collect();
    let error = format!(
        "there is no dashboard {name:?}; there are {}",
        names.join(", ")
    );
    let body = serde_json::json!({ "error": error }).to_string();
    json(StatusCode::NOT_FOUND, body)
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (status, headers, body.into()).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::to_bytes;
    use axum::http::Request;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(path: &str) -> (StatusCode, Value) {
        get_with(&Page::default(), path).await
    }

    async fn get_with(page: &Page, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let router = router(page, &Registry::new());
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn every_listed_dashboard_is_sent_in_both_languages() {
        for lang in ["en", "fr"] {
            let (_, list) = get(&format!("/dashboards?lang={lang}")).await;
            let list = list["dashboards"].as_array().unwrap();
            assert_eq!(list.len(), Name::value_variants().len());
            for listed in list {
                let name = listed["name"].as_str().unwrap();
                let (status, json) = get(&format!("/dashboards/{name}?lang={lang}")).await;
                assert_eq!(status, StatusCode::OK);
                assert_eq!(json["title"], listed["title"]);
            }
        }
        let (_, unknown) = get("/dashboards?lang=xx").await;
        assert_eq!(unknown, get("/dashboards").await.1);
    }

    #[tokio::test]
    async fn an_unknown_dashboard_is_named_with_those_there_are() {
        let (status, json) = get("/dashboards/other").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let error = json["error"].as_str().unwrap();
        assert!(
            error.contains("\"other\"") && error.contains("vigie, details"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn the_dashboards_of_the_user_follow_the_built_in_ones() {
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(files.path().join(name), text).unwrap();
        };
        write("mine.json", r#"{"title": "Mine", "panels": [{"id": 7}]}"#);
        write("vigie.json", r#"{"title": "Not ours", "panels": []}"#);
        write("broken.json", "{");
        let page = Page {
            dashboards: Some(files.path().to_owned()),
            grafana: Some("https://grafana.example.org".to_owned()),
            queue_link: None,
            ..Page::default()
        };
        let (_, list) = get_with(&page, "/dashboards").await;
        let names: Vec<_> = list["dashboards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["vigie", "details", "mine"]);
        assert_eq!(list["dashboards"][2]["title"], "Mine");
        assert_eq!(list["grafana"], "https://grafana.example.org");
        let problems = list["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0]
                .as_str()
                .unwrap()
                .ends_with("broken.json:1:1: EOF while parsing an object"),
            "{problems:?}"
        );

        let (status, mine) = get_with(&page, "/dashboards/mine").await;
        assert_eq!(
            (status, &mine["panels"][0]["id"]),
            (StatusCode::OK, &serde_json::json!(7))
        );
        let (status, other) = get_with(&page, "/dashboards/broken").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            other["error"]
                .as_str()
                .unwrap()
                .ends_with("there are vigie, details, mine")
        );
    }
}
