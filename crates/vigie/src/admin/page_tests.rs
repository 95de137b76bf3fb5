#![allow(clippy::unwrap_used)]

use axum::body::to_bytes;

use super::*;

const BUILT: &[File] = &[
    File {
        path: "index.html",
        etag: "\"1\"",
        plain: b"<html>",
        gzip: None,
    },
    File {
        path: "page/index-abc.js",
        etag: "\"2\"",
        plain: b"let a",
        gzip: Some(b"compressed"),
    },
];
const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn headers(list: &[(HeaderName, &'static str)]) -> HeaderMap {
    let pairs = list.iter().cloned();
    pairs
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn browsers_get_the_page_and_programs_the_paths() {
    let page = index(BUILT, &headers(&[(ACCEPT, CHROMIUM)]));
    assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    assert_eq!(text(page).await, "<html>");
    for accept in ["*/*", "text/html;q=0", "application/json"] {
        let paths = index(BUILT, &headers(&[(ACCEPT, accept)]));
        assert_eq!(paths.headers()[VARY], "accept");
        let paths = text(paths).await;
        assert_eq!(paths, PATHS, "{accept}");
    }
}

#[tokio::test]
async fn without_the_page_it_says_how_to_get_it() {
    let answer = index(&[], &headers(&[(ACCEPT, CHROMIUM)]));
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = text(answer).await;
    assert!(
        answer.starts_with(PATHS) && answer.contains("cargo xtask page"),
        "{answer}"
    );
}

#[tokio::test]
async fn assets_are_immutable_and_compressed_for_those_who_accept_it() {
    let name = "index-abc.js";
    let plain = asset(BUILT, name, &headers(&[]));
    assert_eq!(plain.headers()[CACHE_CONTROL], IMMUTABLE);
    assert_eq!(plain.headers()[ETAG], "\"2\"");
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    assert_eq!(text(plain).await, "let a");
    let gzip = asset(BUILT, name, &headers(&[(ACCEPT_ENCODING, "br, gzip")]));
    assert_eq!(gzip.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(text(gzip).await, "compressed");
    let refused = asset(BUILT, name, &headers(&[(ACCEPT_ENCODING, "gzip;q=0")]));
    assert!(!refused.headers().contains_key(CONTENT_ENCODING));
    let missing = asset(BUILT, "index-abd.js", &headers(&[]));
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_known_tag_is_answered_without_the_file() {
    for tag in ["\"1\"", "W/\"1\"", "\"0\", \"1\""] {
        let answer = index(BUILT, &headers(&[(ACCEPT, CHROMIUM), (IF_NONE_MATCH, tag)]));
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tag}");
        assert_eq!(answer.headers()[ETAG], "\"1\"");
        assert_eq!(text(answer).await, "");
    }
    let other = headers(&[(ACCEPT, CHROMIUM), (IF_NONE_MATCH, "\"2\"")]);
    assert_eq!(index(BUILT, &other).status(), StatusCode::OK);
}
