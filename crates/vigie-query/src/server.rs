//! The server that is asked: each request on a connection of its own.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Scheme, Uri};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::seconds;
use crate::time::Times;
use vigie_config::{Access, Admin};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the default query timeout of Vigie and Prometheus.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(150);
const LARGEST_ANSWER: usize = 256 << 20;

/// The address of a server, and the credentials for it.
pub struct Server {
    authority: String,
    /// Host and port to connect to.
    address: String,
    /// The path before `/api/v1`, without a trailing slash.
    prefix: String,
    authorization: Option<HeaderValue>,
}

impl Server {
    /// The admin port in the configuration; loopback if it listens on all addresses.
    pub(crate) fn of_settings(admin: &Admin) -> Self {
        let mut address = admin.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address.is_ipv4() {
                true => std::net::Ipv4Addr::LOCALHOST.into(),
                false => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let authorization = match &admin.access {
            Access::Open => None,
            Access::Bearer(token) => authorization(Some(token), None),
            Access::Basic { username, password } => authorization(None, Some((username, password))),
        };
        Self {
            authority: address.to_string(),
            address: address.to_string(),
            prefix: String::new(),
            authorization,
        }
    }

    /// The server at a URL.
    pub(crate) fn at(
        url: &str,
        token: Option<&SecretString>,
        basic: Option<(&str, &SecretString)>,
    ) -> Result<Self, String> {
        let wrong = || format!("--url {url:?}: expected an address like http://127.0.0.1:9850");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Err("--url: https:// is not supported; use promtool or amtool instead".into());
        }
        let authority = uri
            .authority()
            .filter(|_| uri.scheme() == Some(&Scheme::HTTP));
        let authority = authority.ok_or_else(wrong)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err("--url: expected no user, password or parameters; use --username and --password-file".into());
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            authority: authority.to_string(),
            address: format!("{}:{port}", authority.host()),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            authorization: authorization(token, basic),
        })
    }

    /// The URL of the server, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("http://{}{}", self.authority, self.prefix)
    }

    /// Sends a request and returns the status and the body of the response. `path` begins with `/` and may have parameters;
    /// `body` is its media type and its content.
    ///
    /// # Errors
    /// If the server does not answer in time, or does not accept the credentials.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<(StatusCode, Bytes)> {
        let place = self.place();
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.address)).await;
        let connected = match connecting {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => bail!("cannot connect to {place}: {error}"),
            Err(_) => bail!("cannot connect to {place} within {CONNECT_TIMEOUT:?}"),
        };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(connected)).await?;
        tokio::spawn(connection);
        let exchange = async {
            let request = self.build(method, path, body)?;
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER)
                .collect()
                .await;
            let body = body.map_err(|error| {
                anyhow!(error).context("the response is incomplete or larger than 256 MiB")
            })?;
            Ok::<_, anyhow::Error>((status, body.to_bytes()))
        };
        let answered = timeout(ANSWER_TIMEOUT, exchange).await;
        let answered = answered
            .with_context(|| format!("no answer from {place} within {ANSWER_TIMEOUT:?}"))?;
        let (status, body) = answered.with_context(|| format!("no answer from {place}"))?;
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let reason = reason(&body).map_or_else(String::new, |reason| format!(" ({reason})"));
            bail!(
                "{place} answers {status}{reason}: give --token-file, --username with --password-file, or the server's own --config"
            );
        }
        Ok((status, body))
    }

    /// Sends the query and returns the body of the response, a result or an error.
    pub(crate) async fn ask(&self, expr: &str, times: &Times) -> Result<Bytes> {
        let (endpoint, form) = form(expr, times);
        let path = format!("/api/v1/{endpoint}");
        let body = Some(("application/x-www-form-urlencoded", form.into()));
        match self.request(Method::POST, &path, body).await? {
            (StatusCode::NOT_FOUND, _) => {
                let place = self.place();
                bail!("{place} has no query API ({})", StatusCode::NOT_FOUND)
            }
            (_, body) => Ok(body),
        }
    }

    fn build(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(HOST, &self.authority);
        let mut content = Bytes::new();
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind);
            content = body;
        }
        let mut request = request.body(Full::from(content))?;
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
}

/// The endpoint of a query and its parameters.
fn form(expr: &str, times: &Times) -> (&'static str, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", expr);
    let unix = |time: Timestamp| format!("{}", time.as_millisecond() as f64 / 1e3);
    let endpoint = match times {
        Times::At(time) => {
            if let Some(time) = time {
                form.append_pair("time", &unix(*time));
            }
            "query"
        }
        Times::Range(range) => {
            form.append_pair("start", &unix(range.start));
            form.append_pair("end", &unix(range.end));
            form.append_pair("step", &seconds(range.step));
            "query_range"
        }
    };
    (endpoint, form.finish())
}

/// The server's reason for a refusal, in one of the shapes of Prometheus and Alertmanager.
#[must_use]
pub fn reason(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Reason {
        Text(String),
        Alertmanager { message: String },
        Prometheus { error: String },
    }
    let reason = match serde_json::from_slice(body).ok()? {
        Reason::Text(text) => text,
        Reason::Alertmanager { message } => message,
        Reason::Prometheus { error } => error,
    };
    Some(crate::table::printable(&reason))
}

fn authorization(
    token: Option<&SecretString>,
    basic: Option<(&str, &SecretString)>,
) -> Option<HeaderValue> {
    let text = match (token, basic) {
        (Some(token), _) => format!("Bearer {}", token.expose_secret()),
        (None, Some((name, password))) => {
            let pair = format!("{name}:{}", password.expose_secret());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
        (None, None) => return None,
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
