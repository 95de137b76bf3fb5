//! Requests to the API server: sequential, each with a deadline and a bounded answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::cluster::Cluster;
use super::error::Error;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("vigie/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Larger than any Lease, including its managed fields.
const LONGEST: usize = 256 << 10;
/// The maximum length of a `message` of the API server.
const MESSAGE: usize = 300;
/// A connection that was idle for longer may have been dropped by a middlebox.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    cluster: Cluster,
    deadline: Duration,
    open: Option<Connection>,
}

struct Connection {
    sender: SendRequest<String>,
    used: Instant,
    _driver: AbortOnDropHandle<()>,
}

/// An answer: its status, and its body if it is JSON.
pub(crate) struct Answer {
    what: &'static str,
    pub(crate) status: StatusCode,
    body: Option<Value>,
}

impl Answer {
    pub(crate) fn object(self) -> Result<Value, Error> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        let what = self.what;
        self.body.ok_or(Error::Answer { what })
    }

    /// The `message` of a `Status` object.
    fn refusal(self) -> Error {
        let reason = self.status.canonical_reason().unwrap_or("no reason");
        let message = self.body.as_ref();
        let message = message.and_then(|body| body["message"].as_str());
        let message = message.unwrap_or(reason).chars();
        Error::Refused {
            what: self.what,
            status: self.status.as_u16(),
            message: message.filter(|c| !c.is_control()).take(MESSAGE).collect(),
        }
    }
}

impl Client {
    pub(crate) fn new(cluster: Cluster, deadline: Duration) -> Self {
        Self {
            cluster,
            deadline,
            open: None,
        }
    }

    /// Sends a request; connects first if necessary.
    pub(crate) async fn ask(
        &mut self,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        // After any error the next request opens a new connection.
        let open = self.open.take();
        let asking = exchange(&self.cluster, open, what, method, path, body);
        let (open, answer) = timeout(self.deadline, asking)
            .await
            .unwrap_or(Err(Error::Late {
                what,
                within: self.deadline,
            }))?;
        self.open = Some(open);
        Ok(answer)
    }
}

async fn exchange(
    cluster: &Cluster,
    open: Option<Connection>,
    what: &'static str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(Connection, Answer), Error> {
    let broken = |error: hyper::Error| Error::Broken {
        what,
        reason: with_source(&error),
    };
    let request = request(cluster, method, path, body)?;
    let usable = |open: &Connection| !open.sender.is_closed() && open.used.elapsed() < IDLE;
    let mut open = match open.filter(usable) {
        Some(open) => open,
        None => connect(cluster).await?,
    };
    open.sender.ready().await.map_err(broken)?;
    let response = open.sender.send_request(request).await.map_err(broken)?;
    let answer = read(what, response).await?;
    open.used = Instant::now();
    Ok((open, answer))
}

fn request(
    cluster: &Cluster,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Request<String>, Error> {
    let mut request = Request::new(body.map(Value::to_string).unwrap_or_default());
    *request.method_mut() = method;
    let no_place = |reason: String| Error::Connect {
        address: cluster.address(),
        reason,
    };
    let uri = path.parse::<http::Uri>();
    *request.uri_mut() = uri.map_err(|error| no_place(error.to_string()))?;
    let host = HeaderValue::from_str(&cluster.address());
    let headers = request.headers_mut();
    headers.insert(HOST, host.map_err(|error| no_place(error.to_string()))?);
    headers.insert(AUTHORIZATION, cluster.authorization()?);
    headers.insert(ACCEPT, JSON);
    headers.insert(USER_AGENT, AGENT);
    if body.is_some() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    Ok(request)
}

async fn connect(cluster: &Cluster) -> Result<Connection, Error> {
    let unreached = |reason: String| Error::Connect {
        address: cluster.address(),
        reason,
    };
    let connector = TlsConnector::from(cluster.tls()?);
    let stream = TcpStream::connect(cluster.place()).await;
    let stream = stream.map_err(|error| unreached(error.to_string()))?;
    // Small requests are sent without delay.
    let _ = stream.set_nodelay(true);
    let stream = connector.connect(cluster.server_name()?, stream).await;
    let stream = stream.map_err(|error| unreached(error.to_string()))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (sender, driver) = handshake.map_err(|error| unreached(with_source(&error)))?;
    let driver = tokio::spawn(async move {
        // The sender of the next request gets the error, too.
        let _ = driver.await;
    });
    Ok(Connection {
        sender,
        used: Instant::now(),
        _driver: AbortOnDropHandle::new(driver),
    })
}

async fn read(what: &'static str, response: Response<Incoming>) -> Result<Answer, Error> {
    let status = response.status();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| Error::Broken {
            what,
            reason: with_source(&error),
        })?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > LONGEST {
                return Err(Error::Answer { what });
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Answer {
        what,
        status,
        body: serde_json::from_slice(&bytes).ok(),
    })
}

/// hyper's errors name the operation, and their source the cause.
fn with_source(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
