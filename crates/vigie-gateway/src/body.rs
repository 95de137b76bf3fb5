//! Streaming bodies: forwarded without buffering, checked for stalls, and parsed for Engine.IO packets.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};

use crate::client::Phase;
use crate::engineio::{RequestTap, ResponseTap};
use crate::record::{Metrics, Reason, Record};
use crate::upstream::Lease;

/// The progress of a request's body, read by the task that waits for the response.
pub(crate) struct Progress {
    last: Mutex<Instant>,
    /// The next bytes are due from the client, and the app has read the previous ones.
    waits_for_client: AtomicBool,
    ended: AtomicBool,
    cut: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        Self {
            last: Mutex::new(Instant::now()),
            waits_for_client: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        }
    }

    /// The time of the last progress.
    pub(crate) fn last(&self) -> Instant {
        *self.last.lock()
    }

    /// Whether the body has been sent completely.
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Whether the body waits for the client, and not for the app.
    pub(crate) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Relaxed)
    }

    /// Whether the client's body was cut short or malformed.
    pub(crate) fn cut(&self) -> bool {
        self.cut.load(Relaxed)
    }
}

/// A request's body sent to the app.
pub(crate) enum RequestBody {
    /// No body, as in most requests.
    Empty,
    /// A streamed body.
    Stream(Box<Upload>),
}

pub(crate) struct Upload {
    body: Incoming,
    progress: Arc<Progress>,
    tap: Option<RequestTap>,
}

impl RequestBody {
    /// Wraps the client's body. The progress is `None` if there is no body.
    pub(crate) fn new(
        body: Incoming,
        mut tap: Option<RequestTap>,
    ) -> (Self, Option<Arc<Progress>>) {
        if body.is_end_stream() {
            if let Some(tap) = &mut tap {
                tap.end();
            }
            return (Self::Empty, None);
        }
        let progress = Arc::new(Progress::new());
        let upload = Upload {
            body,
            progress: Arc::clone(&progress),
            tap,
        };
        (Self::Stream(Box::new(upload)), Some(progress))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self::Stream(upload) = self.get_mut() else {
            return Poll::Ready(None);
        };
        let Upload {
            body,
            progress,
            tap,
        } = &mut **upload;
        let polled = Pin::new(&mut *body).poll_frame(cx);
        progress
            .waits_for_client
            .store(polled.is_pending(), Relaxed);
        let frame = ready!(polled);
        *progress.last.lock() = Instant::now();
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(tap), Some(data)) = (&mut *tap, frame.data_ref()) {
                    tap.chunk(data);
                }
            }
            Some(Err(_)) => progress.cut.store(true, Relaxed),
            None => {}
        }
        if frame.is_none() || body.is_end_stream() {
            progress.ended.store(true, Relaxed);
            if let Some(mut tap) = tap.take() {
                tap.end();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(upload) => upload.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(upload) => upload.body.size_hint(),
        }
    }
}

/// A response's body sent to the client.
pub(crate) enum ResponseBody {
    /// A body made by the gateway.
    Own(Option<Bytes>, Phase),
    /// The body of the app's response.
    App(Box<Download>),
}

/// The app's response being sent, with the state to release at its end.
pub(crate) struct Download {
    pub(crate) body: Incoming,
    pub(crate) record: Option<Record>,
    pub(crate) tap: Option<ResponseTap>,
    pub(crate) lease: Option<Lease>,
    /// The request's body: the connection is not reusable before it has been sent too.
    pub(crate) upload: Option<Arc<Progress>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: Phase,
    pub(crate) stall_timeout: Duration,
    pub(crate) stalled: Option<Pin<Box<Sleep>>>,
    pub(crate) complete: bool,
}

/// The reason why a response's body was cut short.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResponseError {
    #[error("the app ended its response early")]
    Cut(#[source] hyper::Error),
    #[error("the app's response stalled for too long")]
    Stalled,
}

impl Download {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.stalled = None;
                if let (Some(tap), Some(data)) = (&mut self.tap, frame.data_ref()) {
                    tap.chunk(data);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.fail(Reason::ResponseCut);
                Poll::Ready(Some(Err(ResponseError::Cut(error))))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let timeout = self.stall_timeout;
                let timer = self
                    .stalled
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
                ready!(timer.as_mut().poll(cx));
                self.fail(Reason::ResponseStalled);
                Poll::Ready(Some(Err(ResponseError::Stalled)))
            }
        }
    }

    fn fail(&mut self, reason: Reason) {
        self.lease = None;
        self.metrics.failed(reason);
        if let Some(record) = &mut self.record {
            record.fail(reason);
        }
    }

    /// All data has been handed over: records the request and releases the connection.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.complete, true) {
            return;
        }
        let now = Instant::now();
        if let Some(mut tap) = self.tap.take() {
            tap.end();
        }
        if let Some(mut record) = self.record.take() {
            record.complete_at(now);
        }
        if let Some(lease) = self.lease.take()
            && self.upload.as_ref().is_none_or(|upload| upload.ended())
        {
            lease.put_back(now);
        }
        self.phase.idle();
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // hyper does not poll a body of known length after its last byte.
        if self.body.is_end_stream() {
            self.finish();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        match self.get_mut() {
            Self::Own(body, phase) => {
                phase.idle();
                Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::App(download) => download.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body, _) => body.is_none(),
            Self::App(download) => download.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body, _) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::App(download) => download.body.size_hint(),
        }
    }
}
