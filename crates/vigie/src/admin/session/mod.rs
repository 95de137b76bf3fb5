//! `/login` and `/logout`: sessions of the web page. A browser that presented the credentials once keeps a cookie that no
//! script can read.

mod attempts;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN, RETRY_AFTER,
    SET_COOKIE,
};
use axum::http::uri::Uri;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use parking_lot::Mutex;
use tokio::time::Instant;
use vigie_metrics::Registry;

use super::auth::{Credentials, Presented};
use super::guard::SEC_FETCH_SITE;
use super::refusals::Refusals;
use attempts::Attempts;
use table::{Id, Table};

/// The largest form of a login, in bytes.
const FORM: usize = 8 << 10;
/// Sent by the page, so that a refusal does not make the browser ask for a password by itself.
const OF_THE_PAGE: HeaderName = HeaderName::from_static("x-vigie-page");

/// Which clients are proxies, by their address.
type IsProxy = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// How cookies are set, and how the clients behind proxies are known.
pub struct Cookies {
    /// Distinguishes several Vigies on one host, since browsers send cookies to all ports.
    pub name: String,
    /// The host of the external address, and whether that begins with `https`.
    pub external: Option<(String, bool)>,
    /// Whose `X-Forwarded-*` headers are trusted.
    pub is_proxy: IsProxy,
}

/// The credentials of the port, and the sessions of those who presented them. Clones share them.
#[derive(Clone)]
pub(super) struct Protection(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    cookies: Cookies,
    sessions: Mutex<Table>,
    attempts: Mutex<Attempts>,
    failures: Refusals,
}

impl Protection {
    pub(super) fn new(credentials: Credentials, cookies: Cookies, registry: &Registry) -> Self {
        Self(Arc::new(Inner {
            credentials,
            cookies,
            sessions: Mutex::default(),
            attempts: Mutex::new(Attempts::new(Instant::now())),
            failures: Refusals::of_requests(
                registry,
                "login",
                "a login with wrong credentials, or too many of them; answering 401 or 429",
            ),
        }))
    }

    /// Whether the request presents the credentials or a session.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        self.0.credentials.allow(headers) || self.has_session(headers)
    }

    /// The refusal of a request without them.
    pub(super) fn refuse(&self, headers: &HeaderMap) -> Response {
        let challenge = match headers.contains_key(OF_THE_PAGE) {
            true => "Cookie realm=\"vigie\"",
            false => self.0.credentials.challenge(),
        };
        let headers = [("www-authenticate", challenge)];
        (StatusCode::UNAUTHORIZED, headers, "401 Unauthorized\n").into_response()
    }

    /// Whether the request is one of the page itself and has the cookie of a session. Browsers send the cookie also with
    /// requests of pages on other ports of the host.
    fn has_session(&self, headers: &HeaderMap) -> bool {
        if !self.is_own(headers) {
            return false;
        }
        let now = Instant::now();
        self.ids(headers)
            .any(|id| self.0.sessions.lock().contains(&id, now))
    }

    /// Whether no page of another origin sent the request.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        if let Some(site) = headers.get(SEC_FETCH_SITE) {
            return [b"same-origin".as_slice(), b"none"].contains(&site.as_bytes());
        }
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(origin) = headers.get(ORIGIN) else {
            return true;
        };
        let origin = origin
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Uri>().ok());
        let Some(authority) = origin.as_ref().and_then(Uri::authority) else {
            return false;
        };
        let external = self.0.cookies.external.as_ref();
        text(&HOST) == Some(authority.as_str())
            || external.is_some_and(|(host, _)| host == authority.as_str())
    }

    /// The cookies of sessions in the request.
    fn ids<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = Id> + 'a {
        let values = headers.get_all(COOKIE).iter();
        let pairs = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.0.cookies.name).then(|| decode(value))?
        })
    }

    /// The address of the client, and whether it used `https`, as the proxies in front say.
    fn client(&self, request: &Request) -> (IpAddr, bool) {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| {
            peer.0.ip().to_canonical()
        });
        if !(self.0.cookies.is_proxy)(peer) {
            return (peer, false);
        }
        // The last entry is the one that the proxy itself added.
        let last = |name: &str| {
            let value = request.headers().get_all(name).iter().next_back()?;
            let (_, last) = value
                .to_str()
                .ok()?
                .rsplit_once(',')
                .unwrap_or(("", value.to_str().ok()?));
            Some(last.trim().to_owned())
        };
        let address = last("x-forwarded-for").and_then(|text| text.parse().ok());
        let scheme = last("x-forwarded-proto").unwrap_or_default();
        (
            address.unwrap_or(peer),
            scheme.eq_ignore_ascii_case("https"),
        )
    }

    /// The value of `Set-Cookie`. Without a path it is that of `/login` as the browser sees it: all that is below the prefix
    /// of a proxy.
    fn cookie(&self, value: &str, is_secure: bool) -> String {
        let external = self.0.cookies.external.as_ref();
        let secure = match is_secure || external.is_some_and(|(_, is_secure)| *is_secure) {
            true => "; Secure",
            false => "",
        };
        let age = if value.is_empty() { "; Max-Age=0" } else { "" };
        let name = &self.0.cookies.name;
        format!("{name}={value}; HttpOnly; SameSite=Strict{secure}{age}")
    }

    async fn log_in(&self, request: Request) -> Response {
        let headers = request.headers();
        let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
        // Only a page of this origin can send it without asking first.
        if !self.is_own(headers) || !kind.is_some_and(|kind| kind.starts_with(b"application/json"))
        {
            let text = "403 Forbidden: a login is JSON, sent by the web page\n";
            return (StatusCode::FORBIDDEN, text).into_response();
        }
        let (client, is_secure) = self.client(&request);
        let taken = self.0.attempts.lock().take(client, Instant::now());
        if let Err(wait) = taken {
            self.0.failures.note();
            return too_many(wait);
        }
        let Ok(form) = to_bytes(request.into_body(), FORM).await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "413 Content Too Large\n").into_response();
        };
        let presented = match serde_json::from_slice::<Presented>(&form) {
            Ok(presented) => presented,
            Err(_) => {
                let text = "400 Bad Request: expected {\"token\": …} or {\"username\": …, \"password\": …}\n";
                return (StatusCode::BAD_REQUEST, text).into_response();
            }
        };
        if !self.0.credentials.are(&presented) {
            self.0.failures.note();
            return (StatusCode::UNAUTHORIZED, "401 Unauthorized\n").into_response();
        }
        let mut id = Id::default();
        if let Err(error) = getrandom::fill(&mut id) {
            tracing::error!(%error, "a login failed: the system has no random bytes");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let now = Instant::now();
        self.0.attempts.lock().forgive(client);
        self.0.sessions.lock().open(id, now);
        let cookie = [(SET_COOKIE, self.cookie(&encode(&id), is_secure))];
        (StatusCode::NO_CONTENT, cookie).into_response()
    }

    fn log_out(&self, request: &Request) -> Response {
        if !self.is_own(request.headers()) {
            return StatusCode::FORBIDDEN.into_response();
        }
        for id in self.ids(request.headers()) {
            self.0.sessions.lock().close(&id);
        }
        let (_, is_secure) = self.client(request);
        let cookie = [(SET_COOKIE, self.cookie("", is_secure))];
        (StatusCode::NO_CONTENT, cookie).into_response()
    }
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().to_string();
    let text = "429 Too Many Requests: too many logins; wait a moment\n";
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(RETRY_AFTER, seconds)],
        text,
    )
        .into_response()
}

fn encode(id: &Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str) -> Option<Id> {
    let mut id = Id::default();
    if text.len() != 2 * id.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(id)
}

/// The routes; without protection there is nothing to log in to.
pub(super) fn router<S: Clone + Send + Sync + 'static>(
    protection: Option<Protection>,
) -> Router<S> {
    Router::new()
        .route("/login", get(describe).post(log_in))
        .route("/logout", post(log_out))
        .with_state(protection)
}

type Shared = State<Option<Protection>>;

/// The kind of credentials, and whether there is a session: `{"by": "token", "session": false}`.
async fn describe(State(protection): Shared, headers: HeaderMap) -> Response {
    let by = protection
        .as_ref()
        .map_or("nothing", |one| one.0.credentials.kind());
    let session = protection.is_some_and(|one| one.has_session(&headers));
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    let body = serde_json::json!({ "by": by, "session": session }).to_string();
    (headers, body).into_response()
}

async fn log_in(State(protection): Shared, request: Request) -> Response {
    match protection {
        Some(protection) => protection.log_in(request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn log_out(State(protection): Shared, request: Request) -> Response {
    match protection {
        Some(protection) => protection.log_out(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests;
