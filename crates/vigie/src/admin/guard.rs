//! Protection of a port without credentials against web pages: a browser sends requests for any page to any port that
//! it can reach.
//!
//! - A request sent by a page of another site has an `Origin` or a `Sec-Fetch-Site` that says so, and is refused.
//! - A page can let the name of its own host resolve to 127.0.0.1 (DNS rebinding). Its requests then appear to have
//!   the same origin, but their `Host` names that host. On a loopback listener, whose only protection is its address,
//!   only known names are accepted. On other listeners scrapers send the names of services, so `Host` is not checked.
//!
//! Probes are never refused: they change nothing and are cheap. Nor is the page of the links that acknowledge an alert: it is
//! opened from a chat, browsers send its form without an origin, and the token in its path is a credential. Nor are the files of
//! the web page, the runbooks and the addresses that lead to Explore: links to them are on other sites, and they contain nothing
//! about the backend.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header::{
    HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::{Authority, Uri};
use axum::http::{StatusCode, request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use vigie_metrics::Registry;

use super::refusals::Refusals;
use super::server::Class;
use super::{graph, page, runbooks};

/// The relation between the page that sent the request and this host, as reported by the browser.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");

/// The hosts that a port without credentials accepts.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Accepted in addition to loopback names and IP addresses, in lower case.
    names: Vec<String>,
    is_loopback: bool,
}

impl Hosts {
    /// The hosts of a port that listens on `listen`, plus the configured names.
    #[must_use]
    pub fn new(listen: SocketAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        Self {
            names: names.collect(),
            is_loopback: listen.ip().to_canonical().is_loopback(),
        }
    }

    fn is_configured(&self, authority: &Authority) -> bool {
        let host = bare(authority);
        self.names
            .iter()
            .any(|name| host.eq_ignore_ascii_case(name))
    }

    fn is_known(&self, authority: &Authority) -> bool {
        let host = bare(authority).to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.is_configured(authority)
    }

    /// Whether the request names a host that is not accepted.
    fn is_for_another(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let in_target = uri.authority().cloned().map(Some);
        let in_headers = headers.get_all(HOST).iter().map(authority);
        self.is_loopback
            && in_target
                .into_iter()
                .chain(in_headers)
                .any(|named| named.is_none_or(|authority| !self.is_known(&authority)))
    }

    /// Whether a page of another origin sent the request.
    fn is_from_another(&self, headers: &HeaderMap) -> bool {
        let is_own = |origin: &HeaderValue| {
            let Some(origin) = origin
                .to_str()
                .ok()
                .and_then(|text| text.parse::<Uri>().ok())
            else {
                return false;
            };
            origin.authority().is_some_and(|origin| {
                let host = headers.get(HOST).and_then(authority);
                host.as_ref() == Some(origin) || self.is_configured(origin)
            })
        };
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin))
            || sites.any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
    }
}

/// `None` if the value is not a host.
fn authority(value: &HeaderValue) -> Option<Authority> {
    value.to_str().ok()?.trim().parse().ok()
}

/// The host without its port and without a trailing dot.
fn bare(authority: &Authority) -> &str {
    let host = authority.host();
    host.strip_suffix('.').unwrap_or(host)
}

/// Refuses requests that are not meant for this port, and forbids browsers to guess the type of a response.
#[derive(Clone)]
pub(super) struct Guard {
    /// `None`: credentials protect the port.
    hosts: Option<Hosts>,
    origin: Refusals,
    host: Refusals,
}

impl Guard {
    pub(super) fn new(registry: &Registry, hosts: Option<Hosts>) -> Self {
        Self {
            hosts,
            origin: Refusals::of_requests(
                registry,
                "origin",
                "a web page of another site sent a request; answering 403",
            ),
            host: Refusals::of_requests(
                registry,
                "host",
                "a request names a host that is not in admin.hosts; answering 403",
            ),
        }
    }

    fn refusal(&self, request: &request::Parts) -> Option<(&Refusals, &'static str)> {
        let hosts = self.hosts.as_ref()?;
        let path = request.uri.path();
        if Class::of(path) == Class::Probe
            || path.starts_with("/ack/")
            || page::is_page(path)
            || graph::is_graph(path)
            || runbooks::is_runbook(path)
        {
            return None;
        }
        if hosts.is_from_another(&request.headers) {
            let body = "403 Forbidden: sent by a web page of another site. Pages may send requests only with credentials \
                        (admin.token) or from a host in admin.hosts\n";
            return Some((&self.origin, body));
        }
        if hosts.is_for_another(&request.uri, &request.headers) {
            let body = "403 Forbidden: the Host is neither localhost nor an IP address nor in admin.hosts\n";
            return Some((&self.host, body));
        }
        None
    }
}

/// The outermost layer of the port.
pub(super) async fn protect(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let mut response = match guard.refusal(&head) {
        Some((refusals, text)) => {
            refusals.note();
            (StatusCode::FORBIDDEN, text).into_response()
        }
        None => next.run(Request::from_parts(head, body)).await,
    };
    let headers = response.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFFING);
    response
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
