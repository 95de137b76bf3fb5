//! `/status/buildinfo`.

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::json::{self, Remarks};

/// Which Prometheus this is compatible with. There is no `features` among it: by that, Grafana knows Mimir.
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
    json::success(&Remarks::default(), |out| {
        out.push(b'{');
        json::list(out, known, |out, (name, value)| {
            json::string(out, name);
            out.push(b':');
            json::string(out, value);
        });
        out.push(b'}');
    })
}
