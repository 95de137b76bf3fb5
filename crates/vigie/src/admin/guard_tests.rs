#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower::ServiceExt as _;

use super::*;
use crate::metrics::ADMIN_REQUESTS_REFUSED;

const PORT: &str = "9850";

struct Port {
    router: Router,
    registry: Registry,
}

fn port(hosts: Option<Hosts>) -> Port {
    let registry = Registry::new();
    let guard = Guard::new(&registry, hosts);
    let router = Router::new()
        .route("/metrics", get(async || "page"))
        .route("/healthz", get(async || "alive"))
        .route("/ack/{token}", get(async || "page"))
        .route("/", get(async || "page"))
        .layer(from_fn_with_state(guard, protect));
    Port { router, registry }
}

fn on(listen: &str, names: &[&str]) -> Port {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let listen = format!("{listen}:{PORT}").parse().unwrap();
    port(Some(Hosts::new(listen, &names)))
}

impl Port {
    async fn response(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let nosniff = response.headers().get(X_CONTENT_TYPE_OPTIONS);
        assert_eq!(nosniff.unwrap(), "nosniff", "{target}");
        response
    }

    async fn status(&self, target: &str, headers: &[(&str, &str)]) -> u16 {
        self.response(target, headers).await.status().as_u16()
    }

    fn refused(&self, reason: &str) -> u64 {
        let family = self.registry.family(&ADMIN_REQUESTS_REFUSED);
        family.series([reason]).get()
    }
}

#[tokio::test]
async fn on_loopback_only_known_hosts_are_answered() {
    for listen in ["127.0.0.1", "127.0.0.2", "[::1]"] {
        let port = on(listen, &["Vigie.internal"]);
        for host in [
            "localhost",
            "localhost:9850",
            "LocalHost.:9850",
            "vigie.localhost:9850",
            "127.0.0.1:9850",
            "127.0.0.1",
            "[::1]:9850",
            "192.0.2.7:80",
            "vigie.INTERNAL",
            "vigie.internal:443",
        ] {
            assert_eq!(
                port.status("/metrics", &[("host", host)]).await,
                200,
                "{host}"
            );
        }
        let foreign = [
            "evil.example",
            "evil.example:9850",
            "localhost.evil.example",
            "vigie.internal.evil.example",
            "127.0.0.1.evil.example",
            "xlocalhost",
            "",
            "a b",
            "\u{e9}",
        ];
        for host in foreign {
            assert_eq!(
                port.status("/metrics", &[("host", host)]).await,
                403,
                "{host}"
            );
            assert_eq!(
                port.status("/healthz", &[("host", host)]).await,
                200,
                "{host}"
            );
        }
        assert_eq!(port.refused("host"), foreign.len() as u64);
        let both = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(port.status("/metrics", &both).await, 403);
        let target = "http://evil.example/metrics";
        assert_eq!(port.status(target, &[("host", "localhost")]).await, 403);
        // Browsers always send `Host`.
        assert_eq!(port.status("/metrics", &[]).await, 200);
    }
}

#[tokio::test]
async fn elsewhere_scrapers_name_the_service() {
    for listen in ["0.0.0.0", "10.0.0.7", "[::]"] {
        let port = on(listen, &[]);
        let host = [("host", "vigie.default.svc:9850")];
        assert_eq!(port.status("/metrics", &host).await, 200, "{listen}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_on_every_listener() {
    for listen in ["127.0.0.1", "0.0.0.0"] {
        let port = on(listen, &["vigie.internal"]);
        let host = ("host", "localhost:9850");
        let foreign = [
            ("origin", "http://evil.example"),
            ("origin", "http://localhost:3000"),
            ("origin", "http://localhost"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "file://"),
            ("sec-fetch-site", "cross-site"),
        ];
        for header in foreign {
            assert_eq!(
                port.status("/metrics", &[host, header]).await,
                403,
                "{header:?}"
            );
            assert_eq!(
                port.status("/nothing", &[host, header]).await,
                403,
                "{header:?}"
            );
            assert_eq!(
                port.status("/healthz", &[host, header]).await,
                200,
                "{header:?}"
            );
        }
        assert_eq!(port.refused("origin"), 2 * foreign.len() as u64);
        for own in [
            ("origin", "http://localhost:9850"),
            ("origin", "https://vigie.internal"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            assert_eq!(port.status("/metrics", &[host, own]).await, 200, "{own:?}");
        }
    }
}

#[tokio::test]
async fn credentials_are_protection_enough() {
    let port = port(None);
    let page = [("host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(port.status("/metrics", &page).await, 200);
    assert_eq!(port.refused("host") + port.refused("origin"), 0);
}

#[tokio::test]
async fn no_answer_may_be_taken_for_another_type() {
    let port = on("127.0.0.1", &[]);
    // `status` checks the header.
    assert_eq!(port.status("/nothing", &[]).await, 404);
    let request = Request::post("/metrics").body(Body::empty()).unwrap();
    let response = port.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn links_that_acknowledge_are_opened_from_other_sites() {
    let port = on("127.0.0.1", &[]);
    for headers in [
        &[("host", "vigie.example"), ("sec-fetch-site", "cross-site")][..],
        // Browsers send this with the form of a page that has no referrer.
        &[("host", "127.0.0.1:9850"), ("origin", "null")],
    ] {
        for path in ["/ack/token", "/"] {
            assert_eq!(port.status(path, headers).await, 200, "{headers:?}");
        }
        assert_eq!(port.status("/metrics", headers).await, 403, "{headers:?}");
    }
}
