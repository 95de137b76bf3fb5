//! Alertmanager's API v2, so that amtool, karma and Grafana work, and Vigie's own paths beside it.
//!
//! | path | |
//! | --- | --- |
//! | `/api/v2/status`, `/receivers` | the configuration and its receivers |
//! | `/api/v2/alerts`, `/alerts/groups` | the firing alerts; POST adds alerts |
//! | `/api/v2/silences`, `/silence/ID` | the silences; POST adds or changes one, DELETE ends it |
//! | `/vigie/v1/alerts` | the firing alerts with their next messages and the reasons |
//! | `/vigie/v1/alerts/FINGERPRINT/ack` | POST acknowledges an alert, DELETE ends that |
//!
//! The paths below `/api/v2` exist below `/alertmanager/api/v2` too, for clients whose data source has a path of its own.
//! `/alertmanager/metrics` has the version, which karma reads to choose the API.
//! Shapes, codes and messages are those of Alertmanager 0.33. Differences:
//!
//! * Times are in UTC, and the matchers of a silence are sorted.
//! * An acknowledged alert is suppressed, and its `mutedBy` says so. `silenced=false` leaves it out, as silenced ones.
//! * An alert of the rule engine has no end while it fires; its `endsAt` is `resolve_timeout` from now.
//! * Writes can be forbidden; they are answered with 403 then.

mod alerts;
mod answer;
mod body;
mod overview;
mod page;
mod post;
mod query;
mod shape;
mod silences;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, delete, get};

use crate::Time;
use crate::config::{self, Config};
use crate::service::Handle;
use answer::Refusal;
pub use page::router as acknowledgement_page;
pub use status::COMPATIBLE_VERSION;

/// Entry points for the fuzzer.
#[doc(hidden)]
pub mod fuzzing {
    pub use super::post::fuzz as alerts;
    pub use super::silences::fuzz as silences;
}

/// The largest body of a request, in bytes.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The settings of the API.
#[derive(Clone)]
pub struct Settings {
    /// Whether clients may add alerts, change silences and acknowledge. To be set only if they must present credentials.
    pub writes: bool,
    /// The time at which the program started.
    pub started: Time,
    /// The current configuration.
    pub configured: Arc<dyn Fn() -> Arc<Configured> + Send + Sync>,
}

/// The parts of a configuration that the API shows.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The text of the configuration, without secrets.
    pub original: String,
    /// The names of the receivers.
    pub receivers: Vec<String>,
    /// An alert without an end resolves this long after it was last received, in milliseconds.
    pub resolve_timeout: Time,
}

impl Configured {
    /// The shown parts of a configuration, which was read from `text`.
    #[must_use]
    pub fn new(config: &Config, text: &str) -> Self {
        let receivers = config.receivers.iter();
        Self {
            original: config::masked(text),
            receivers: receivers.map(|receiver| receiver.name.clone()).collect(),
            resolve_timeout: crate::millis(config.global.resolve_timeout),
        }
    }
}

#[derive(Clone)]
struct Api {
    handle: Handle,
    settings: Settings,
}

impl Api {
    /// Reads the state and renders what was read, on a thread for blocking work: a list of 10,000 alerts takes a while. The
    /// state is locked only while it is read.
    async fn show<R>(
        &self,
        read: impl FnOnce(&crate::dispatch::Dispatcher, Time) -> R + Send + 'static,
        render: impl FnOnce(R) -> Result<Response, Refusal> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let handle = self.handle.clone();
        let showing = tokio::task::spawn_blocking(move || render(handle.read(read)));
        showing.await.map_err(|_| Refusal::failed())?
    }
}

/// The router of the API. Its paths are to be protected by credentials, if there are any.
pub fn router(handle: Handle, settings: Settings) -> Router {
    let api = Api { handle, settings };
    let v2 = Router::new()
        .route("/status", only(get(status::status)))
        .route("/receivers", only(get(status::receivers)))
        .route("/alerts", only(get(alerts::alerts).post(post::alerts)))
        .route("/alerts/groups", only(get(alerts::groups)))
        .route("/silences", only(get(silences::list).post(silences::set)))
        .route(
            "/silence/{id}",
            only(get(silences::one).delete(silences::expire)),
        )
        .route("/", any(unknown))
        .route("/{*path}", any(unknown));
    let own = Router::new()
        .route("/alerts", only(get(overview::alerts)))
        .route(
            "/alerts/{fingerprint}/ack",
            only(delete(overview::unacknowledge).post(overview::acknowledge)),
        )
        .route("/", any(unknown))
        .route("/{*path}", any(unknown));
    Router::new()
        .nest("/api/v2", v2.clone())
        .nest("/alertmanager/api/v2", v2)
        .route("/alertmanager/metrics", only(get(status::metrics)))
        .nest("/vigie/v1", own)
        .layer(middleware::from_fn_with_state(api.clone(), guard))
        .layer(middleware::map_response(uncached))
        .with_state(api)
}

fn only(methods: MethodRouter<Api>) -> MethodRouter<Api> {
    methods.fallback(async |method: Method| Refusal::method(&method))
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal::unknown_path(uri.path())
}

/// Refuses writes unless they are allowed.
async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    match reads || api.settings.writes {
        true => next.run(request).await,
        false => Refusal::read_only().into_response(),
    }
}

async fn uncached(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
