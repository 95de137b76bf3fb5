//! One request and its answer, over a connection.

use std::error::Error as _;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderName, HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::super::connect::{self, Address, Connection};
use super::super::failure::{Cause, Failure};
use super::Request;
use super::answer::{self, Answer};

/// The longest answer that is read, in bytes.
const ANSWER: usize = 64 << 10;

/// The request as it is sent. `proxy` is the URL of a proxy that forwards it.
pub(super) fn build(
    request: &Request,
    url: &Url,
    authorization: Option<&SecretString>,
    proxy: Option<Url>,
) -> Result<http::Request<Full<Bytes>>, Failure> {
    let unusable = |what: &str| {
        let text = format!("{what} has characters that a header cannot have");
        Failure::new(Cause::Settings, text)
    };
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = match &proxy {
        Some(_) => &url[..url::Position::AfterQuery],
        None => &url[url::Position::BeforePath..url::Position::AfterQuery],
    };
    let target = without_login(target, url);
    let target: Uri = target.parse().map_err(|_| unusable("the URL"))?;
    let mut http = http::Request::new(Full::new(request.body.clone()));
    *http.method_mut() = http::Method::POST;
    *http.uri_mut() = target;
    let mut set = |name: HeaderName, value: &str, what: &str| {
        let value = HeaderValue::from_str(value).map_err(|_| unusable(what))?;
        http.headers_mut().insert(name, value);
        Ok::<_, Failure>(())
    };
    set(HOST, host, "the host")?;
    set(USER_AGENT, concat!("vigie/", env!("CARGO_PKG_VERSION")), "")?;
    set(CONTENT_TYPE, request.content_type, "the media type")?;
    // hyper omits it for an empty body, and some servers refuse a POST without it.
    set(
        CONTENT_LENGTH,
        &request.body.len().to_string(),
        "the length",
    )?;
    if let Some(authorization) = authorization {
        set(
            AUTHORIZATION,
            authorization.expose_secret(),
            "the credential",
        )?;
    } else if !url.username().is_empty() || url.password().is_some() {
        // `https://user:password@host/`.
        let login = connect::proxy_login(url).unwrap_or_default();
        set(AUTHORIZATION, &login, "the login in the URL")?;
    }
    if let Some(login) = proxy.as_ref().and_then(connect::proxy_login) {
        set(PROXY_AUTHORIZATION, &login, "the proxy's login")?;
    }
    Ok(http)
}

/// A request target without the login that the URL may have.
fn without_login(target: &str, url: &Url) -> String {
    let login = &url[url::Position::BeforeUsername..url::Position::BeforeHost];
    match login.is_empty() || !target.starts_with(url.scheme()) {
        true => target.to_owned(),
        false => target.replacen(login, "", 1),
    }
}

/// Sends a request and reads its answer. The caller bounds the time.
pub(super) async fn run(
    connection: Connection,
    request: http::Request<Full<Bytes>>,
    address: &Address<'_>,
) -> Result<Answer, Failure> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await;
    let (mut sender, driver) = handshake.map_err(|error| {
        let text = format!("no HTTP with {address}: {error}");
        Failure::new(Cause::Unreachable, text)
    })?;
    let sending = async {
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| broken(&error, address))?;
        Ok(read(answer, address).await)
    };
    // The driver ends when the connection does, which can be before the answer was taken from it.
    tokio::pin!(sending);
    tokio::select! {
        answer = &mut sending => answer,
        _ = driver => sending.await,
    }
}

/// A connection that broke after the request was, at least in part, sent.
fn broken(error: &hyper::Error, address: &Address<'_>) -> Failure {
    let source = error.source().map(|source| format!(": {source}"));
    let source = source.unwrap_or_default();
    match error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        true => {
            let text = format!("the answer of {address} is not HTTP: {error}{source}");
            Failure::new(Cause::Answer, text)
        }
        false => {
            let text =
                format!("{address} closed the connection without an answer: {error}{source}");
            Failure::new(Cause::NoAnswer, text)
        }
    }
}

/// The answer. Its body is cut at the bound, or where the connection broke: the status is known already.
async fn read(answer: http::Response<Incoming>, address: &Address<'_>) -> Answer {
    let (head, mut body) = answer.into_parts();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = ANSWER - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() >= room {
            break;
        }
    }
    let location = head.headers.get(LOCATION);
    Answer {
        server: address.to_string(),
        status: head.status,
        retry_after: answer::retry_after(&head.headers),
        location: location
            .filter(|_| head.status.is_redirection())
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    }
}
