//! Sends a request to the app, and waits for its response.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::body::{Progress, RequestBody};
use crate::proxy::Shared;
use crate::record::Reason;
use crate::upstream::Lease;

/// How long to wait for the response after the client of a poll has disconnected.
pub(crate) const RESPONSE_GRACE: Duration = Duration::from_secs(1);

/// Sends a request on an idle connection or a new one. When `client` is cancelled, the app's connection is
/// half-closed, and a response that is already on its way is still accepted.
///
/// The app may close an idle connection just before it is reused. If nothing of the request was written, it is then
/// sent on a new connection. A request that the app may have read is never sent again: one that crashed one worker
/// process would crash the next.
pub(crate) async fn send(
    shared: &Shared,
    start: Instant,
    head: Request<()>,
    body: RequestBody,
    progress: Option<&Arc<Progress>>,
    client: Option<&CancellationToken>,
) -> Result<(Response<Incoming>, Lease), Reason> {
    let waits = || client.is_none_or(|client| !client.is_cancelled());
    let mut lease = shared.upstream.lease(start).await?;
    let reused = lease.reused;
    let request = head.map(|()| body);
    let unsent = match send_on(shared, start, &mut lease, request, progress, client).await {
        Ok(response) => return Ok((response, lease)),
        Err(Failure::Unsent(request)) if reused && waits() => *request,
        Err(failure) => return Err(failure.reason()),
    };
    shared.metrics.resent();
    // The first failure is reported: the second does not explain why the connection was lost.
    let first = Reason::ResponseMissing;
    let mut lease = shared.upstream.connect().await.map_err(|_| first)?;
    let sent = send_on(shared, Instant::now(), &mut lease, unsent, progress, client).await;
    match sent {
        Ok(response) => Ok((response, lease)),
        Err(failure) => Err(failure.reason()),
    }
}

/// The outcome of a request without a response.
enum Failure {
    /// Nothing was written; the request can be sent again.
    Unsent(Box<Request<RequestBody>>),
    /// The request was at least partly written.
    Ended(Reason),
}

impl Failure {
    fn reason(self) -> Reason {
        match self {
            Self::Unsent(_) => Reason::ResponseMissing,
            Self::Ended(reason) => reason,
        }
    }
}

async fn send_on(
    shared: &Shared,
    start: Instant,
    lease: &mut Lease,
    request: Request<RequestBody>,
    progress: Option<&Arc<Progress>>,
    client: Option<&CancellationToken>,
) -> Result<Response<Incoming>, Failure> {
    let limit = shared.settings.response_timeout;
    let sending = lease.sender().try_send_request(request);
    let sent = match (progress, client) {
        (Some(progress), _) => response_to_upload(lease, sending, progress, limit).await,
        (None, Some(client)) => response_to_poll(lease, sending, client, start + limit).await,
        (None, None) => lease
            .until(start + limit, sending)
            .await
            .ok_or(Reason::ResponseTimeout),
    };
    match sent {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(mut error)) => Err(match error.take_message() {
            Some(request) => Failure::Unsent(Box::new(request)),
            None => Failure::Ended(reason_of(error.error(), progress)),
        }),
        Err(reason) => Err(Failure::Ended(reason)),
    }
}

fn reason_of(error: &hyper::Error, progress: Option<&Arc<Progress>>) -> Reason {
    if progress.is_some_and(|progress| progress.cut()) {
        Reason::RequestCut
    } else if error.is_parse() {
        Reason::ResponseInvalid
    } else {
        Reason::ResponseMissing
    }
}

/// Waits for the response to a poll, and for a short time after its client disconnects.
async fn response_to_poll<T>(
    lease: &mut Lease,
    sending: impl Future<Output = T>,
    client: &CancellationToken,
    deadline: Instant,
) -> Result<T, Reason> {
    let mut sending = pin!(sending);
    let sent = tokio::select! {
        biased;
        sent = lease.until(deadline, sending.as_mut()) => sent,
        () = client.cancelled() => {
            lease.hang_up();
            lease.until(Instant::now() + RESPONSE_GRACE, sending).await
        }
    };
    sent.ok_or(Reason::ResponseTimeout)
}

/// Waits for a response to a request with a body: progress of the body extends the deadline.
async fn response_to_upload<T>(
    lease: &mut Lease,
    sending: impl Future<Output = T>,
    progress: &Progress,
    limit: Duration,
) -> Result<T, Reason> {
    let mut sending = pin!(sending);
    loop {
        let deadline = progress.last() + limit;
        if let Some(sent) = lease.until(deadline, sending.as_mut()).await {
            return Ok(sent);
        }
        if progress.last() + limit <= Instant::now() {
            let client = progress.waits_for_client() && !progress.ended();
            return Err(if client {
                Reason::RequestStalled
            } else {
                Reason::ResponseTimeout
            });
        }
    }
}
