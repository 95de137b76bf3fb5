//! The admin port as used by scrapers, kubelets and people.

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use vigie_testkit::http::{self, Connection};
use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{Redis, SOON, eventually};

use crate::common::{Stage, Vigie, promtool_finds_nothing_in};

const TOKEN: &str = "a-token-for-the-scraper";
const WRONG: [&str; 4] = ["", "Bearer", "Bearer another-token", "Basic YS10b2tlbg=="];

#[tokio::test]
async fn promtool_accepts_the_metrics() {
    let stage = Stage::set().await;
    // Produce all metrics: a request, and an error.
    for (method, path) in [("GET", "/players/7"), ("POST", "/market/wood/crash")] {
        http::request(stage.vigie.gateway, method, path, &[], b"")
            .await
            .unwrap();
    }
    let page = stage.vigie.get("/metrics").await.text();
    for metric in [
        "http_requests_errors_total{",
        "queue_jobs_total{",
        "socket_active_connections ",
    ] {
        assert!(page.contains(metric), "{metric}");
    }
    promtool_finds_nothing_in(&page);
    stage.end().await;
}

#[tokio::test]
async fn metrics_in_both_formats_compressed_and_head_only() {
    let vigie = Vigie::start("").await;
    for (accept, format) in [
        ("", Format::Text),
        ("text/plain;version=0.0.4", Format::Text),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            Format::OpenMetrics,
        ),
    ] {
        let headers = [("accept", accept), ("accept-encoding", "gzip")];
        let page = http::request(vigie.admin, "GET", "/metrics", &headers, b"")
            .await
            .unwrap();
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-encoding"), Some("gzip"));
        assert_eq!(
            Format::of(page.header("content-type").unwrap()),
            Some(format),
            "{accept}"
        );
        let mut text = String::new();
        GzDecoder::new(&*page.body)
            .read_to_string(&mut text)
            .unwrap();
        let scrape = Scrape::parse(&text, format).unwrap();
        assert_eq!(scrape.samples("vigie_build_info", &[]).count(), 1);
    }
    let plain = vigie.get("/metrics").await;
    assert_eq!(plain.header("content-encoding"), None);

    let mut connection = Connection::open(vigie.admin).await.unwrap();
    let head = format!(
        "HEAD /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        vigie.admin
    );
    connection.send(head.as_bytes()).await.unwrap();
    let answer = connection.head_response().await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), plain.header("content-type"));
    connection.closed().await.unwrap();
    vigie.stop().await;
}

#[tokio::test]
async fn a_bearer_token_guards_metrics_and_details() {
    let mut redis = Redis::start().await.unwrap();
    let sections = format!("[redis]\nurl = {:?}\n", redis.url());
    let vigie = Vigie::start_with(&sections, &[("VIGIE__ADMIN__TOKEN", TOKEN)]).await;
    guarded(&vigie, &format!("Bearer {TOKEN}"), "Bearer realm=\"vigie\"").await;

    redis.kill9();
    let details = eventually(SOON, async || {
        let headers = [("authorization", &*format!("Bearer {TOKEN}"))];
        let answer = http::request(vigie.admin, "GET", "/readyz", &headers, b"").await?;
        match answer.status {
            503 => Ok(answer.json()?),
            _ => Err(vigie_testkit::Error::Demo(answer.text())),
        }
    })
    .await;
    assert!(details["checks"]["redis"]["error"].is_string(), "{details}");
    assert!(details["checks"]["redis"]["since"].is_string(), "{details}");
    // The kubelet has no token; its response names the failed checks without reasons or addresses.
    let answer = vigie.get("/readyz").await;
    assert_eq!(answer.status, 503);
    let names = answer.json().unwrap();
    let redis_check = &names["checks"]["redis"];
    assert_eq!(
        *redis_check,
        serde_json::json!({"status": "failed"}),
        "{names}"
    );
    let port = redis.port().to_string();
    assert!(!answer.text().contains(&port), "{names}");
    assert!(!vigie.get("/readyz?verbose").await.text().contains(&port));
    vigie.stop().await;
}

#[tokio::test]
async fn basic_authentication_guards_metrics_and_details() {
    let login = [
        ("VIGIE__ADMIN__USERNAME", "prometheus"),
        ("VIGIE__ADMIN__PASSWORD", "a pass:word"),
    ];
    let vigie = Vigie::start_with("", &login).await;
    let challenge = "Basic realm=\"vigie\", charset=\"UTF-8\"";
    // prometheus:a pass:word
    guarded(&vigie, "Basic cHJvbWV0aGV1czphIHBhc3M6d29yZA==", challenge).await;
    vigie.stop().await;
}

/// Rules whose names and labels nobody without credentials may see.
const SECRET_RULES: &str = "
groups:
  - name: hidden-group
    interval: 1s
    rules:
      - alert: HiddenAlert
        expr: vigie_check_up{check='redis'} == 0
        labels: {severity: critical, customer: hidden-customer}
        annotations: {summary: hidden-summary}
";

#[tokio::test]
async fn a_public_status_names_nothing_and_opens_nothing_else() {
    let mut redis = Redis::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("hidden.yml");
    std::fs::write(&rules, SECRET_RULES).unwrap();
    let sections = format!(
        "[redis]\nurl = {:?}\n[alerts]\nrules = [{rules:?}]\nbuiltin = []\n[page]\npublic = true\n",
        redis.url()
    );
    let vigie = Vigie::start_with(&sections, &[("VIGIE__ADMIN__TOKEN", TOKEN)]).await;
    guarded(&vigie, &format!("Bearer {TOKEN}"), "Bearer realm=\"vigie\"").await;
    for path in [
        "/dashboards",
        "/queues",
        "/queues/mail",
        "/vigie/v1/alerts",
        "/vigie/v1/functions",
        "/api/v1/rules",
        "/api/v2/alerts",
        "/alertmanager/api/v2/alerts",
        "/status/redis",
    ] {
        let status = vigie.get(path).await.status;
        assert!([401, 404].contains(&status), "{path}: {status}");
    }
    let passing = serde_json::json!({"status": "ok", "required": true});
    let expected =
        serde_json::json!({"status": "ok", "checks": [passing, passing], "alerts": "none"});
    eventually(SOON, async || match vigie.get("/status").await.json()? {
        found if found == expected => Ok(()),
        found => Err(vigie_testkit::Error::Demo(found.to_string())),
    })
    .await;

    redis.kill9();
    let failing = serde_json::json!({"status": "failed", "required": true});
    let expected =
        serde_json::json!({"status": "failed", "checks": [failing, failing], "alerts": "critical"});
    let answer = eventually(SOON, async || {
        let answer = vigie.get("/status").await;
        match answer.json()? {
            found if found == expected => Ok(answer),
            found => Err(vigie_testkit::Error::Demo(found.to_string())),
        }
    })
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    // The attempts to log in are limited as without it.
    let json = [("content-type", "application/json")];
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let form = b"{\"token\": \"wrong\"}";
        let answer = http::request(vigie.admin, "POST", "/login", &json, form).await;
        statuses.push(answer.unwrap().status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    vigie.stop().await;

    let vigie = Vigie::start_with("", &[("VIGIE__ADMIN__TOKEN", TOKEN)]).await;
    assert_eq!(vigie.get("/status").await.status, 404);
    vigie.stop().await;
}

/// Asserts which paths need these credentials and which do not.
async fn guarded(vigie: &Vigie, credentials: &str, challenge: &str) {
    for path in [
        "/metrics",
        "/routes",
        "/api/v1/query?query=1",
        "/api/v1/nothing",
        "/federate?match[]=up",
    ] {
        for wrong in WRONG {
            let headers = [("authorization", wrong)];
            let answer = http::request(vigie.admin, "GET", path, &headers, b"")
                .await
                .unwrap();
            assert_eq!(answer.status, 401, "{path} with {wrong:?}");
            assert_eq!(answer.header("www-authenticate"), Some(challenge));
        }
        assert_eq!(vigie.get(path).await.status, 401, "{path}");
        let headers = [("authorization", credentials)];
        let answer = http::request(vigie.admin, "GET", path, &headers, b"")
            .await
            .unwrap();
        let open = if path.ends_with("nothing") { 404 } else { 200 };
        assert_eq!(answer.status, open, "{path}");
    }
    assert_eq!(vigie.get("/queues").await.status, 401);
    for path in ["/healthz", "/livez", "/readyz", "/-/healthy", "/-/ready"] {
        assert_eq!(
            vigie.get(path).await.status,
            200,
            "{path} is for the kubelet"
        );
    }
    let alive = vigie.get("/healthz").await.json().unwrap();
    assert!(
        alive["status"] == "ok" && alive["uptime"].as_f64() > Some(0.0),
        "{alive}"
    );
}
