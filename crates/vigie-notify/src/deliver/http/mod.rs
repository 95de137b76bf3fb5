//! The HTTP client of the receivers: one POST on a connection of its own, within a deadline.

mod answer;
mod exchange;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub(crate) use answer::{Answer, seconds};

use super::connect::{self, Address, Connection};
use super::failure::{Cause, Failure};
use super::secret;
use crate::config::{Credentials, HttpConfig};

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// A request of a receiver.
pub(crate) struct Request {
    /// Its URL, which may be a secret.
    pub(crate) url: Url,
    /// The media type of the body.
    pub(crate) content_type: &'static str,
    /// A value of `Authorization` in place of the one in `http_config`.
    pub(crate) authorization: Option<SecretString>,
    /// Credentials in the URL or the body, which texts about the answer must not contain.
    pub(crate) secrets: Vec<SecretString>,
    /// The body.
    pub(crate) body: Bytes,
}

impl Request {
    /// A POST of JSON.
    pub(crate) fn json(url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            url,
            content_type: "application/json",
            authorization: None,
            secrets: Vec::new(),
            body: body.into(),
        }
    }
}

/// Sends a POST and reads the answer, whatever its status.
pub(crate) async fn post(
    request: &Request,
    settings: &HttpConfig,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let authorization = match &request.authorization {
        Some(given) => Some(given.clone()),
        None => authorization(settings, deadline).await?,
    };
    let authorization = authorization.as_ref();
    let mut hidden = Vec::from_iter(authorization);
    hidden.extend(&settings.proxy_url);
    hidden.extend(&request.secrets);
    let mut url = request.url.clone();
    for _ in 0..=REDIRECTS {
        let answer = once(request, &url, settings, authorization, deadline).await;
        let mut answer = answer.map_err(|failure| failure.without(&url, &hidden))?;
        answer.hide(&url, &hidden);
        match redirect(&answer, &url, settings.follow_redirects)? {
            Some(next) => url = next,
            None => return Ok(answer),
        }
    }
    let text = format!("more than {REDIRECTS} redirects");
    Err(Failure::new(Cause::Refused, text))
}

/// The URL that a redirect names, if the request is to be repeated there.
///
/// Only a redirect within the server is followed: the body, the path and the credentials may be secrets of another one.
fn redirect(answer: &Answer, from: &Url, follow: bool) -> Result<Option<Url>, Failure> {
    let Some(location) = answer.location.as_deref().filter(|_| follow) else {
        return Ok(None);
    };
    let Ok(to) = from.join(location) else {
        return Ok(None);
    };
    let keeps_body = matches!(
        answer.status,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let why = match (to.origin() == from.origin(), keeps_body) {
        (true, true) => return Ok(Some(to)),
        (true, false) => "would lose the message",
        (false, _) => "leads to another server, which does not get the message",
    };
    let (server, status) = (&answer.server, answer.status);
    let host = to.host_str().unwrap_or_default();
    let text = format!(
        "{server} answered {status}: the redirect to {}://{host} {why}; change the URL in the settings",
        to.scheme()
    );
    Err(Failure::new(Cause::Refused, text))
}

async fn once(
    request: &Request,
    url: &Url,
    settings: &HttpConfig,
    authorization: Option<&SecretString>,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let address = address(url)?;
    let (connection, proxy) = connected(url, &address, settings, deadline).await?;
    let http = exchange::build(request, url, authorization, proxy)?;
    let exchange = timeout_at(deadline, exchange::run(connection, http, &address)).await;
    exchange.unwrap_or_else(|_| {
        let text = format!("{address} did not answer before the deadline");
        Err(Failure::new(Cause::NoAnswer, text))
    })
}

/// Whether a connection to the server of a URL is possible. Nothing is sent.
pub(crate) async fn reach(
    url: &Url,
    settings: &HttpConfig,
    deadline: Instant,
) -> Result<(), Failure> {
    let hidden = Vec::from_iter(&settings.proxy_url);
    let connected = connected(url, &address(url)?, settings, deadline).await;
    connected
        .map(drop)
        .map_err(|failure| failure.without(url, &hidden))
}

fn address(url: &Url) -> Result<Address<'_>, Failure> {
    Address::of(url).ok_or_else(|| Failure::new(Cause::Settings, "the URL has no host"))
}

/// A connection for a request. If it leads to a proxy that forwards requests, also the URL of the proxy.
async fn connected(
    url: &Url,
    address: &Address<'_>,
    settings: &HttpConfig,
    deadline: Instant,
) -> Result<(Connection, Option<Url>), Failure> {
    let opening = timeout_at(deadline, open(url, address, settings)).await;
    opening.unwrap_or_else(|_| {
        let text = format!("no connection to {address} before the deadline");
        Err(Failure::new(Cause::Unreachable, text))
    })
}

async fn open(
    url: &Url,
    address: &Address<'_>,
    settings: &HttpConfig,
) -> Result<(Connection, Option<Url>), Failure> {
    let is_tls = url.scheme() == "https";
    let Some(proxy) = &settings.proxy_url else {
        let connection = connect::tcp(address).await?;
        return match is_tls {
            true => Ok((
                connect::tls(address, connection, &settings.tls).await?,
                None,
            )),
            false => Ok((connection, None)),
        };
    };
    let proxy = Url::parse(proxy.expose_secret())
        .map_err(|_| Failure::new(Cause::Settings, "`proxy_url` is no URL"))?;
    let connection = connect::proxy(&proxy, &settings.tls).await?;
    if !is_tls {
        return Ok((connection, Some(proxy)));
    }
    let login = connect::proxy_login(&proxy);
    let connection = connect::tunnel(connection, address, login.as_deref()).await?;
    Ok((
        connect::tls(address, connection, &settings.tls).await?,
        None,
    ))
}

/// The credentials of `http_config`, as the value of the header.
async fn authorization(
    settings: &HttpConfig,
    deadline: Instant,
) -> Result<Option<SecretString>, Failure> {
    let text = match &settings.credentials {
        None => return Ok(None),
        Some(Credentials::Basic { username, password }) => {
            let password = secret::read_optional(password.as_ref(), deadline).await?;
            let password = password.as_ref().map_or("", |known| known.expose_secret());
            format!("Basic {}", BASE64.encode(format!("{username}:{password}")))
        }
        Some(Credentials::Authorization {
            scheme,
            credentials,
        }) => {
            let credentials = secret::read(credentials, deadline).await?;
            format!("{scheme} {}", credentials.expose_secret())
        }
    };
    Ok(Some(text.into()))
}

/// The deadline of a delivery that starts now.
pub(crate) fn deadline(configured: Duration, default: Duration) -> Instant {
    let within = if configured.is_zero() {
        default
    } else {
        configured
    };
    Instant::now() + within
}
