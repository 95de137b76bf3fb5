//! `/`: the web page, which is built from `page/` and embedded. It is the same for everybody and contains nothing about the
//! backend, so it needs no credentials; what it requests does.
//!
//! Programs that do not ask for HTML get the list of paths as text.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// A file of the page.
struct File {
    /// Relative to `/`.
    path: &'static str,
    /// Quoted, as in the header.
    etag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
}

/// The built page; empty if it was not built before the program.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const PATHS: &str = "Vigie\n\n/metrics  Prometheus text or OpenMetrics\n/healthz  Vigie itself\n\
                     /readyz   what the backend depends on (?verbose, ?exclude=NAME, /readyz/NAME)\n\
                     /queues   the BullMQ queues, for scalers (?queue=NAME)\n\
                     /queues/NAME  a queue, and why its jobs failed (vigie queue NAME)\n\
                     /api/v1   PromQL and rules, as Prometheus answers (vigie query; Grafana)\n\
                     /api/v2   alerts and silences, as Alertmanager answers (vigie alerts; amtool)\n\
                     /federate the newest samples, for a Prometheus to scrape (?match[]=up)\n\
                     /routes   all routes with their requests, to paste into the configuration\n\
                     /dashboards  the Grafana dashboards, as JSON\n\
                     /runbooks/NAME  the runbook of an alert, as Markdown\n\
                     /graph?g0.expr=QUERY  a query on the web page, at the address of Prometheus\n";
const NOT_BUILT: &str = "\nThe web page is not part of this program, because it was compiled without it. Released programs \
                         contain it. To build it: install Node 20, run `cargo xtask page`, and compile Vigie again.\n";

/// Nothing is loaded from elsewhere, no script or style is inline, and no site can show the page in a frame. The icon is an
/// image in a `data:` URL.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The names of the files contain a hash of their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Whether the path is one of the page itself.
pub(super) fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/page/")
}

/// Whether the client is a browser that can be sent to the page.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    !FILES.is_empty() && wants_html(headers)
}

fn wants_html(headers: &HeaderMap) -> bool {
    mentions(headers, &ACCEPT, "text/html")
}

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(async |headers: HeaderMap| index(FILES, &headers)))
        .route(
            "/page/{file}",
            get(async |Path(name): Path<String>, headers: HeaderMap| asset(FILES, &name, &headers)),
        )
}

fn index(files: &[File], headers: &HeaderMap) -> Response {
    let page = find(files, "index.html");
    match page.filter(|_| wants_html(headers)) {
        Some(page) => send(page, "no-cache", headers),
        None => {
            let note = if page.is_some() { "" } else { NOT_BUILT };
            let vary = [(VARY, HeaderValue::from_name(ACCEPT))];
            (vary, format!("{PATHS}{note}")).into_response()
        }
    }
}

fn asset(files: &[File], name: &str, headers: &HeaderMap) -> Response {
    match find(files, &format!("page/{name}")) {
        Some(file) => send(file, IMMUTABLE, headers),
        None => (StatusCode::NOT_FOUND, "404 Not Found\n").into_response(),
    }
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    files.iter().find(|file| file.path == path)
}

fn send(file: &File, cache: &'static str, headers: &HeaderMap) -> Response {
    let common = [
        (ETAG, HeaderValue::from_static(file.etag)),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
        (VARY, HeaderValue::from_static("accept, accept-encoding")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    if mentions(headers, &IF_NONE_MATCH, file.etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = [(CONTENT_TYPE, content_type(file.path))];
    match file
        .gzip
        .filter(|_| mentions(headers, &ACCEPT_ENCODING, "gzip"))
    {
        Some(gzip) => {
            let encoding = [(CONTENT_ENCODING, "gzip")];
            (common, content_type, encoding, gzip).into_response()
        }
        None => (common, content_type, file.plain).into_response(),
    }
}

/// Whether a header contains the value in its list, with any parameters but a quality of 0.
fn mentions(headers: &HeaderMap, name: &HeaderName, value: &str) -> bool {
    let lists = headers.get_all(name).iter();
    let mut items = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    items.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let found = parts.next().unwrap_or_default();
        // A proxy that compresses makes the tag a weak one.
        let found = found.strip_prefix("W/").unwrap_or(found);
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|quality| quality.parse() == Ok(0.0))
        });
        found.eq_ignore_ascii_case(value) && !is_refused
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
