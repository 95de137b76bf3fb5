//! Handles one request: from the client to the app and back.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::upgrade::OnUpgrade;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::body::{Download, Progress, RequestBody, ResponseBody, ResponseError};
use crate::client::Phase;
use crate::engineio::{EngineIo, ResponseTap};
use crate::forwarded::Client;
use crate::headers;
use crate::record::{Metrics, Reason, Record};
use crate::send::{RESPONSE_GRACE, send};
use crate::settings::Settings;
use crate::tunnel;
use crate::upstream::{Lease, Upstream};

/// State shared by the requests of one gateway thread.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) engineio: EngineIo,
    pub(crate) upstream: Arc<Upstream>,
}

/// One client connection: state shared by its requests, and resources held while it is open.
pub(crate) struct Connection<Held> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Client,
    pub(crate) phase: Phase,
    /// Released when the connection and its tunnel, if any, have ended.
    pub(crate) _held: Held,
}

impl<Held: Send + Sync + 'static> Connection<Held> {
    /// Serves one request. Every failure becomes a response.
    pub(crate) async fn serve(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let start = Instant::now();
        self.phase.request();
        let shared = &*self.shared;

        let taps = shared
            .engineio
            .exchange(request.method().as_str(), request.uri().query());
        let (request_tap, response_tap) = taps.unzip();
        let record = Record::begin(&shared.metrics, request.method(), request.uri(), start);
        let mut exchange = Exchange {
            record: Some(record),
            tap: response_tap,
        };

        let upgrade = headers::upgrade_of(request.headers())
            // An HTTP/2 connection would carry requests that the gateway cannot see.
            .filter(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(b"h2c"));
        let on_upgrade = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));

        let (parts, body) = request.into_parts();
        let mut head = Request::from_parts(parts, ());
        if let Err((status, text)) = self.prepare(&mut head, upgrade) {
            if let Some(tap) = &mut exchange.tap {
                tap.head(status.as_u16(), None);
            }
            exchange.refuse(status);
            exchange.complete();
            return Ok(self.own(status, text));
        }
        let (body, progress) = RequestBody::new(body, request_tap);
        let is_poll = exchange.tap.as_ref().is_some_and(ResponseTap::is_poll);
        if is_poll && body.is_end_stream() && on_upgrade.is_none() {
            return Ok(self.poll(start, head, exchange).await);
        }
        let sent = send(shared, start, head, body, progress.as_ref(), None).await;
        Ok(self.conclude(sent, exchange, progress, on_upgrade))
    }

    /// Serves a poll of an Engine.IO session.
    ///
    /// When its client disconnects, the app's connection is half-closed and its response is awaited briefly: if the
    /// app had just answered, it does not notice the disconnect, and the session stays open; otherwise the session is
    /// closed.
    async fn poll(
        self: &Arc<Self>,
        start: Instant,
        head: Request<()>,
        exchange: Exchange,
    ) -> Response<ResponseBody> {
        let client = CancellationToken::new();
        let leaves = client.clone().drop_guard();
        let connection = Arc::clone(self);
        let serving = tokio::spawn(async move {
            let shared = &connection.shared;
            let sent = send(shared, start, head, RequestBody::Empty, None, Some(&client)).await;
            if client.is_cancelled() && sent.is_err() {
                return None;
            }
            let response = connection.conclude(sent, exchange, None, None);
            if !client.is_cancelled() {
                return Some(response);
            }
            // Its packets count even if the client does not receive them.
            let mut body = response.into_body();
            let all = async { while let Some(Ok(_)) = frame(&mut body).await {} };
            let _ = timeout(RESPONSE_GRACE, all).await;
            None
        });
        let served = serving.await;
        leaves.disarm();
        match served {
            Ok(Some(response)) => response,
            _ => self.own(StatusCode::BAD_GATEWAY, Reason::ResponseMissing.text()),
        }
    }

    /// Turns the outcome of a request into the client's response.
    fn conclude(
        self: &Arc<Self>,
        sent: Result<(Response<Incoming>, Lease), Reason>,
        mut exchange: Exchange,
        upload: Option<Arc<Progress>>,
        on_upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        match sent {
            Ok((response, lease)) => self.answer(response, lease, exchange, upload, on_upgrade),
            Err(reason) => {
                self.shared.metrics.failed(reason);
                exchange.fail(reason);
                self.own(reason.status(), reason.text())
            }
        }
    }

    /// Rewrites the client's head for the app.
    fn prepare(
        &self,
        head: &mut Request<()>,
        upgrade: Option<HeaderValue>,
    ) -> Result<(), (StatusCode, &'static str)> {
        if head.method() == Method::CONNECT {
            let text = "501 Not Implemented: this gateway does not support CONNECT.\n";
            return Err((StatusCode::NOT_IMPLEMENTED, text));
        }
        if head.uri().authority().is_some() {
            // The absolute form (RFC 9112, section 3.2.2): its authority takes precedence over `Host`.
            let parts = std::mem::take(head.uri_mut()).into_parts();
            if let Some(host) = parts.authority
                && let Ok(host) = HeaderValue::from_str(host.as_str())
            {
                head.headers_mut().insert(HOST, host);
            }
            *head.uri_mut() = parts.path_and_query.map_or_else(Uri::default, Uri::from);
        }
        if !head.headers().contains_key(HOST) {
            if head.version() >= Version::HTTP_11 {
                let text = "400 Bad Request: the Host header is missing.\n";
                return Err((StatusCode::BAD_REQUEST, text));
            }
            if let Ok(host) = HeaderValue::from_str(self.shared.upstream.app()) {
                head.headers_mut().insert(HOST, host);
            }
        }
        *head.version_mut() = Version::HTTP_11;
        headers::remove_hop_by_hop(head.headers_mut());
        if let Some(protocol) = upgrade {
            head.headers_mut().insert(UPGRADE, protocol);
            let upgrade = HeaderValue::from_static("upgrade");
            head.headers_mut().insert(CONNECTION, upgrade);
        }
        self.client.set_headers(head.headers_mut());
        Ok(())
    }

    /// Turns the app's response into the client's.
    fn answer(
        self: &Arc<Self>,
        mut response: Response<Incoming>,
        mut lease: Lease,
        mut exchange: Exchange,
        upload: Option<Arc<Progress>>,
        on_upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let status = response.status();
        if let Some(tap) = &mut exchange.tap {
            let encoding = response.headers().get(http::header::CONTENT_ENCODING);
            tap.head(status.as_u16(), encoding.and_then(|v| v.to_str().ok()));
        }
        let switched = status == StatusCode::SWITCHING_PROTOCOLS;
        exchange.head(status, switched);
        if switched {
            return self.switch(response, exchange, on_upgrade);
        }
        if let Some(idle) = headers::keep_alive_timeout(response.headers()) {
            lease.app_keeps(idle);
        }
        headers::remove_hop_by_hop(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        let shared = &self.shared;
        response.map(|body| {
            ResponseBody::App(Box::new(Download {
                body,
                record: exchange.record.take(),
                tap: exchange.tap.take(),
                lease: Some(lease),
                upload,
                metrics: Arc::clone(&shared.metrics),
                phase: self.phase.clone(),
                stall_timeout: shared.settings.body_timeout,
                stalled: None,
                complete: false,
            }))
        })
    }

    /// The app switches protocols: from here on bytes are only forwarded.
    fn switch(
        self: &Arc<Self>,
        mut response: Response<Incoming>,
        mut exchange: Exchange,
        on_upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let Some(client) = on_upgrade else {
            // The app switched protocols without a request for it.
            self.shared.metrics.failed(Reason::ResponseInvalid);
            exchange.fail(Reason::ResponseInvalid);
            return self.own(StatusCode::BAD_GATEWAY, Reason::ResponseInvalid.text());
        };
        let app = hyper::upgrade::on(&mut response);
        exchange.complete();
        let tap = exchange.tap.take().map(ResponseTap::upgraded);
        let connection = Arc::clone(self);
        let write_timeout = self.shared.settings.body_timeout;
        tokio::spawn(async move {
            tunnel::run(client, app, tap, write_timeout).await;
            drop(connection);
        });
        response.map(|_| ResponseBody::Own(None, self.phase.clone()))
    }

    /// A response made by the gateway.
    fn own(&self, status: StatusCode, text: &'static str) -> Response<ResponseBody> {
        let body = ResponseBody::Own(
            Some(Bytes::from_static(text.as_bytes())),
            self.phase.clone(),
        );
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        response
    }
}

/// The record of a request and, for Engine.IO requests, the tap on its response.
struct Exchange {
    record: Option<Record>,
    tap: Option<ResponseTap>,
}

impl Exchange {
    fn head(&mut self, status: StatusCode, upgrade: bool) {
        if self.tap.as_ref().is_some_and(ResponseTap::is_engine_io) {
            self.discard();
        } else if let Some(record) = &mut self.record {
            record.head(status, upgrade);
        }
    }

    /// The gateway responds without forwarding the request.
    fn refuse(&mut self, status: StatusCode) {
        if self.tap.as_ref().is_some_and(ResponseTap::is_engine_io) {
            self.discard();
        } else if let Some(record) = &mut self.record {
            record.refuse(status);
        }
    }

    fn complete(&mut self) {
        if let Some(record) = &mut self.record {
            record.complete();
        }
    }

    fn fail(&mut self, reason: Reason) {
        if let Some(record) = &mut self.record {
            record.fail(reason);
        }
    }

    fn discard(&mut self) {
        if let Some(record) = self.record.take() {
            record.discard();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // The client disconnected before the response head: a request for Engine.IO is assumed to be one.
        if self.tap.is_some() {
            self.discard();
        }
    }
}

async fn frame(body: &mut ResponseBody) -> Option<Result<Frame<Bytes>, ResponseError>> {
    poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}
