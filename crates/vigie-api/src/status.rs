//! `/status/buildinfo`, `/runtimeinfo`, `/flags` and `/config`.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::json::{self, Remarks};

/// The compatible version of Prometheus. There are no `features`: Grafana identifies Mimir by them.
pub(crate) async fn build_info(State(api): State<Api>) -> Response {
    let build = api.build();
    let known = [
        ("version", build.version.as_str()),
        ("revision", build.revision.as_str()),
        ("branch", ""),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ];
    strings(&known)
}

/// The fields that clients read, except those about Go's runtime and the files of Prometheus.
pub(crate) async fn runtime_info(State(api): State<Api>) -> Response {
    let time = |millis: i64| {
        let time = jiff::Timestamp::from_millisecond(millis);
        time.map(|time| time.to_string()).unwrap_or_default()
    };
    let (started, now) = (time(api.started()), time(api.now()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    json::success(&Remarks::default(), |out| {
        let info = format!(
            r#"{{"startTime":"{started}","serverTime":"{now}","lastConfigTime":"{started}","reloadConfigSuccess":true,"corruptionCount":0,"GOMAXPROCS":{threads}}}"#
        );
        out.extend_from_slice(info.as_bytes());
    })
}

/// The flags that limit queries, with the current values.
pub(crate) async fn flags(State(api): State<Api>) -> Response {
    let settings = api.settings();
    let duration = |duration: Duration| format!("{}ms", duration.as_millis());
    strings(&[
        ("query.lookback-delta", &duration(settings.lookback)),
        ("query.max-concurrency", &settings.concurrency.to_string()),
        ("query.max-memory", &settings.limits.bytes.to_string()),
        ("query.max-samples", &settings.limits.samples.to_string()),
        ("query.timeout", &duration(settings.timeout)),
    ])
}

/// Vigie has no configuration in Prometheus' format.
pub(crate) async fn config() -> Response {
    strings(&[("yaml", "")])
}

fn strings(values: &[(&str, &str)]) -> Response {
    json::success(&Remarks::default(), |out| {
        out.push(b'{');
        json::list(out, values, |out, (name, value)| {
            json::string(out, name);
            out.push(b':');
            json::string(out, value);
        });
        out.push(b'}');
    })
}
