//! `vigie query`, the real binary, against the API over known samples.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use vigie_api::{Api, BuildInfo, Settings};
use vigie_promql::storage::MemoryStorage;
use vigie_promql::{Labels, Sample};

const START: i64 = 1_700_000_000;

fn samples() -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    let mut series = |labels: &[(&str, &str)], value: fn(f64) -> f64| {
        let labels = Labels::new(labels.iter().copied());
        for n in 0..=240 {
            let time = (START + n * 15) * 1_000;
            let value = value(n as f64);
            storage.insert(&labels, Sample { time, value });
        }
    };
    series(
        &[
            ("__name__", "jobs"),
            ("queue", "mail"),
            ("state", "waiting"),
        ],
        |n| 100.0 + 80.0 * (n / 20.0).sin(),
    );
    series(
        &[("__name__", "jobs"), ("queue", "mail"), ("state", "active")],
        |_| 2.5,
    );
    series(
        &[
            ("__name__", "jobs"),
            ("queue", "\u{1b}[2Jpush"),
            ("state", "waiting"),
        ],
        |n| 12.0 + (n / 10.0).floor(),
    );
    series(&[("__name__", "requests_total"), ("job", "api")], |n| {
        30.0 * n
    });
    storage
}

/// Serves the samples to clients that send `authorization`.
async fn serve(authorization: Option<&'static str>) -> SocketAddr {
    let api = Api::new(
        Arc::new(samples()),
        Settings::default(),
        BuildInfo::default(),
    );
    let guard = move |request: axum::extract::Request, next: Next| async move {
        let sent = request.headers().get("authorization");
        match authorization {
            Some(wanted) if sent.is_none_or(|sent| sent != wanted) => {
                http::StatusCode::UNAUTHORIZED.into_response()
            }
            _ => next.run(request).await,
        }
    };
    let router = vigie_api::router(api).layer(middleware::from_fn(guard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Runs `vigie query` with only this environment.
async fn query(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command
        .arg("query")
        .args(arguments)
        .env_clear()
        .env("TZ", "UTC");
    command.envs(env.iter().copied()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn tables_and_plots() {
    let url = format!("http://{}", serve(None).await);
    let mut snapshots = insta::Settings::new();
    snapshots.set_snapshot_path("query");
    snapshots.set_prepend_module_to_snapshot(false);
    snapshots.set_omit_expression(true);
    let at = ["--at", "1700001001"];
    let range = [
        "--from",
        "2023-11-14 22:13:20",
        "--to",
        "2023-11-14T23:13:20Z",
    ];
    for (name, flags, expr) in [
        ("scalar", &at[..], "1 + 1 / 3"),
        ("text", &at, "\"a\u{1b}[2Jb\""),
        ("one", &at, "requests_total"),
        ("table", &at, "jobs"),
        ("sorted", &at, "sort_desc(jobs)"),
        ("nothing", &at, "nothing"),
        ("samples", &at, "requests_total[45s]"),
        (
            "plot",
            &range,
            "rate(requests_total[5m]) + on() 3 * sin(vector(time() / 600))",
        ),
        ("plots", &range, "jobs"),
    ] {
        let output = query(&[flags, &["--url", &url, expr]].concat(), &[]).await;
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert!(output.stderr.is_empty(), "{name}: {output:?}");
        snapshots.bind(|| insta::assert_snapshot!(name, text(output.stdout)));
    }
}

#[tokio::test]
async fn a_syntax_error_is_shown_at_its_position() {
    let url = format!("http://{}", serve(None).await);
    for (expr, shown) in [
        (
            "sum(rate(requests_total[5m])) by job",
            "error: unexpected \"job\", expected \"(\" after by\n  |\n1 | sum(rate(requests_total[5m])) by job\n  |                                  ^^^\n",
        ),
        (
            "1 +\n jobs * on() jobs",
            "\n2 |  jobs * on() jobs\n  |  ^^^^\n",
        ),
    ] {
        let output = query(&["--url", &url, "--at", "1700001001", expr], &[]).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = text(output.stderr);
        assert!(error.contains(shown), "{error}");
        assert!(output.stdout.is_empty());
    }
    // The unchanged JSON, and the error separately.
    let output = query(&["--url", &url, "--json", "sum("], &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["errorType"], "bad_data");
}

#[tokio::test]
async fn json_is_unchanged_and_warnings_are_separate() {
    let url = format!("http://{}", serve(None).await);
    let output = query(&["--url", &url, "--json", "--at", "4", "1+1"], &[]).await;
    let expected =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[4,\"2\"]}}\n";
    assert_eq!(text(output.stdout), expected);
    let output = query(
        &["--url", &url, "--at", "1700001001", "rate(jobs[5m])"],
        &[],
    )
    .await;
    assert_eq!(output.status.code(), Some(0));
    let remarks = text(output.stderr);
    assert!(
        remarks.starts_with("info: PromQL info: metric might not be a counter"),
        "{remarks}"
    );
}

#[tokio::test]
async fn logging_in() {
    let guarded = serve(Some("Bearer s3cret")).await;
    let url = format!("http://{guarded}");
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    let token = token.to_str().unwrap();

    let without = query(&["--url", &url, "1"], &[]).await;
    assert_eq!(without.status.code(), Some(1));
    assert!(text(without.stderr).contains("--token-file"));
    let with = query(&["--url", &url, "--token-file", token, "1"], &[]).await;
    assert_eq!(text(with.stdout), "1\n");

    // Without --url, the configured Vigie with its token; the token is sent to no other server.
    let config = directory.path().join("vigie.toml");
    let listen = guarded.to_string();
    std::fs::write(
        &config,
        format!("[admin]\nlisten = {listen:?}\ntoken_file = \"token\"\n"),
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let ours = query(&["--config", config, "1"], &[]).await;
    assert_eq!(text(ours.stdout), "1\n");
    let env = [
        ("VIGIE__ADMIN__LISTEN", &*listen),
        ("VIGIE__ADMIN__TOKEN", "s3cret"),
    ];
    let ours = query(&["1"], &env).await;
    assert_eq!(text(ours.stdout), "1\n");
    let elsewhere = query(&["--config", config, "--url", &url, "1"], &[]).await;
    assert_eq!(elsewhere.status.code(), Some(1));

    // me:pass
    let basic = format!("http://{}", serve(Some("Basic bWU6cGFzcw==")).await);
    let password = directory.path().join("password");
    std::fs::write(&password, "pass").unwrap();
    let login = [
        "--username",
        "me",
        "--password-file",
        password.to_str().unwrap(),
    ];
    let with = query(&[&["--url", &basic, "1"], &login[..]].concat(), &[]).await;
    assert_eq!(text(with.stdout), "1\n");
}

#[tokio::test]
async fn no_server_and_wrong_usage() {
    let closed = format!("http://127.0.0.1:{}", vigie_testkit::ports::free());
    for (arguments, code, said) in [
        (
            &["--url", &closed, "1"][..],
            1,
            "cannot connect to http://127.0.0.1:",
        ),
        (
            &["--url", "https://example.org", "1"],
            2,
            "https:// is not supported",
        ),
        (&["--url", "localhost", "1"], 2, "expected an address like"),
        (
            &["--url", "http://me:pass@localhost", "1"],
            2,
            "--password-file",
        ),
        (
            &["--url", &closed, "--token-file", "/etc/no-such", "1"],
            2,
            "--token-file: /etc/no-such: No such file",
        ),
        // The token itself.
        (
            &["--url", &closed, "--token-file", "me:pass", "1"],
            2,
            "--token-file: the path is not shown",
        ),
        (&["--at", "soon", "1"], 2, "expected now, -15m"),
        (&["--last", "1x", "1"], 2, "expected a duration"),
        (
            &["--last", "1h", "--at", "now", "1"],
            2,
            "cannot be used with",
        ),
        (&["--step", "5s", "1"], 2, "add --from or --last"),
        (
            &["--from", "now", "--to", "-5m", "1"],
            2,
            "ends before it starts",
        ),
        (
            &["--config", "/no/such.toml", "1"],
            2,
            "/no/such.toml cannot be read",
        ),
    ] {
        let output = query(arguments, &[]).await;
        let error = text(output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(!error.contains("me:pass"), "{error}");
    }
    // A server without Prometheus' API.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let hello = axum::Router::new().route("/api/v1/query", axum::routing::post(async || "hello"));
    tokio::spawn(async move { axum::serve(listener, hello).await });
    let output = query(&["--url", &other, "1"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stderr).contains("does not answer as Prometheus does"));
    let output = query(&["--url", &format!("{other}/prefix/"), "1"], &[]).await;
    assert!(text(output.stderr).contains("no query API"));
}
