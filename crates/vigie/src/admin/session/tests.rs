#![allow(clippy::unwrap_used)]

use axum::body::Body;
use axum::routing::any;
use tower::ServiceExt as _;

use super::*;

const NAME: &str = "vigie_session_9850";
const PEER: &str = "10.0.0.1:4000";

struct Port(Router);

fn port(credentials: Credentials, external: Option<&str>) -> Port {
    let cookies = Cookies {
        name: NAME.to_owned(),
        external: external.map(|host| (host.to_owned(), true)),
        is_proxy: Box::new(|peer| peer == IpAddr::from([10, 0, 0, 1])),
    };
    let protection = Protection::new(credentials, cookies, &Registry::new());
    let guarded = protection.clone();
    let secret = any(
        async move |headers: HeaderMap| match guarded.allows(&headers) {
            true => StatusCode::OK.into_response(),
            false => guarded.refuse(&headers),
        },
    );
    Port(
        Router::new()
            .route("/secret", secret)
            .merge(router(Some(protection))),
    )
}

fn token() -> Port {
    port(Credentials::bearer("s3cret".to_owned().into()), None)
}

impl Port {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "vigie:9850");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        let peer: SocketAddr = PEER.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        self.0.clone().oneshot(request).await.unwrap()
    }

    async fn log_in(&self, headers: &[(&str, &str)], body: &str) -> Response {
        let all = [&[("content-type", "application/json")], headers].concat();
        self.send("POST", "/login", &all, body).await
    }

    async fn status(&self, headers: &[(&str, &str)]) -> u16 {
        self.send("GET", "/secret", headers, "")
            .await
            .status()
            .as_u16()
    }
}

fn cookie(response: &Response) -> String {
    response.headers()[SET_COOKIE].to_str().unwrap().to_owned()
}

/// The cookie as a browser sends it back.
fn sent(response: &Response) -> String {
    format!("other=1; {}", cookie(response).split(';').next().unwrap())
}

const RIGHT: &str = r#"{"token": "s3cret"}"#;
const WRONG: &str = r#"{"token": "s3cre"}"#;

#[tokio::test]
async fn a_login_opens_a_session_that_a_logout_closes() {
    let port = token();
    assert_eq!(port.status(&[]).await, 401);
    let answer = port.log_in(&[], RIGHT).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let value = cookie(&answer);
    assert!(
        value.starts_with(&format!("{NAME}=")) && value.ends_with("; HttpOnly; SameSite=Strict"),
        "{value}"
    );
    let session = sent(&answer);
    assert_eq!(port.status(&[("cookie", &session)]).await, 200);
    assert_eq!(
        port.status(&[("authorization", "Bearer s3cret")]).await,
        200
    );

    let answer = port
        .send("POST", "/logout", &[("cookie", &session)], "")
        .await;
    assert!(
        cookie(&answer).ends_with("; Max-Age=0"),
        "{}",
        cookie(&answer)
    );
    assert_eq!(port.status(&[("cookie", &session)]).await, 401);
    for other in [
        format!("{NAME}="),
        format!("{NAME}={}", "0".repeat(64)),
        format!("{NAME}={}", "é".repeat(32)),
    ] {
        assert_eq!(port.status(&[("cookie", &other)]).await, 401, "{other}");
    }
}

#[tokio::test]
async fn wrong_credentials_open_no_session() {
    let port = token();
    for (body, status) in [
        (WRONG, 401),
        (r#"{"username": "a", "password": "s3cret"}"#, 401),
        (r#"{"user": "a"}"#, 400),
        ("", 400),
    ] {
        let answer = port.log_in(&[], body).await;
        assert_eq!(answer.status().as_u16(), status, "{body}");
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
    let basic = Credentials::basic("ada", &"pass:word".to_owned().into());
    let basic = super::tests::port(basic, None);
    let answer = basic
        .log_in(&[], r#"{"username": "ada", "password": "pass:word"}"#)
        .await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let answer = basic
        .log_in(&[], r#"{"username": "ada", "password": "word"}"#)
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logins_are_limited_for_each_client() {
    let port = token();
    let client = [("x-forwarded-for", "203.0.113.9, 192.0.2.1")];
    for _ in 0..5 {
        assert_eq!(
            port.log_in(&client, WRONG).await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let answer = port.log_in(&client, RIGHT).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()[RETRY_AFTER], "12");
    // Entries that the client wrote before the proxy's own do not make it another client.
    let same = [("x-forwarded-for", "203.0.113.77, 192.0.2.1")];
    assert_eq!(
        port.log_in(&same, RIGHT).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    let other = [("x-forwarded-for", "192.0.2.2")];
    assert_eq!(
        port.log_in(&other, RIGHT).await.status(),
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn pages_of_other_origins_have_no_session() {
    let port = token();
    let session = sent(&port.log_in(&[], RIGHT).await);
    let with = |name, value| [("cookie", session.as_str()), (name, value)];
    for (name, value, status) in [
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "none", 200),
        // Another port of the host is the same site.
        ("sec-fetch-site", "same-site", 401),
        ("sec-fetch-site", "cross-site", 401),
        ("origin", "http://vigie:9850", 200),
        ("origin", "http://vigie:3000", 401),
        ("origin", "null", 401),
    ] {
        assert_eq!(
            port.status(&with(name, value)).await,
            status,
            "{name}: {value}"
        );
    }
    // Nor can they log in; a form of HTML cannot either.
    let other = [("origin", "http://vigie:3000")];
    assert_eq!(
        port.log_in(&other, RIGHT).await.status(),
        StatusCode::FORBIDDEN
    );
    let form = [("content-type", "text/plain")];
    let answer = port.send("POST", "/login", &form, RIGHT).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_cookie_is_secure_behind_https() {
    let port = token();
    let proxied = [("x-forwarded-proto", "https")];
    assert!(cookie(&port.log_in(&proxied, RIGHT).await).ends_with("; Secure"));
    let plain = [("x-forwarded-proto", "http")];
    assert!(!cookie(&port.log_in(&plain, RIGHT).await).contains("Secure"));
    let external = super::tests::port(
        Credentials::bearer("s3cret".to_owned().into()),
        Some("vigie.example.org"),
    );
    let origin = [("origin", "https://vigie.example.org")];
    assert!(cookie(&external.log_in(&origin, RIGHT).await).ends_with("; Secure"));
}

#[tokio::test]
async fn the_page_is_told_what_to_ask_for_and_the_browser_does_not_ask() {
    let port = token();
    let describe = async |headers: &[(&str, &str)]| {
        let answer = port.send("GET", "/login", headers, "").await;
        let body = to_bytes(answer.into_body(), 1 << 10).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    };
    let expected = serde_json::json!({"by": "token", "session": false});
    assert_eq!(describe(&[]).await, expected);
    let session = sent(&port.log_in(&[], RIGHT).await);
    let expected = serde_json::json!({"by": "token", "session": true});
    assert_eq!(describe(&[("cookie", &session)]).await, expected);

    let refused = port
        .send("GET", "/secret", &[("x-vigie-page", "1")], "")
        .await;
    assert_eq!(
        refused.headers()["www-authenticate"],
        "Cookie realm=\"vigie\""
    );
    let refused = port.send("GET", "/secret", &[], "").await;
    assert_eq!(
        refused.headers()["www-authenticate"],
        "Bearer realm=\"vigie\""
    );
}
