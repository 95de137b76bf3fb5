//! The server that is asked: one request on a connection of its own.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Scheme, Uri};
use http::{Request, StatusCode};
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
pub(crate) struct Server {
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
            return Err("--url: https:// is not supported; use promtool query instead".into());
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

    /// Sends the query and returns the body of the response, a result or an error.
    pub(crate) async fn ask(&self, expr: &str, times: &Times) -> Result<Bytes> {
        let place = format!("http://{}{}", self.authority, self.prefix);
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
            let response = sender.send_request(self.request(expr, times)?).await?;
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
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => bail!(
                "{place} answers {status}: give --token-file, --username with --password-file, or the server's own --config"
            ),
            StatusCode::NOT_FOUND => bail!("{place} has no query API ({status})"),
            _ => Ok(body),
        }
    }

    fn request(&self, expr: &str, times: &Times) -> Result<Request<Full<Bytes>>> {
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
        let mut request = Request::post(format!("{}/api/v1/{endpoint}", self.prefix))
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form.finish()))?;
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
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
