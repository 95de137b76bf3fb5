//! Long answers: written piece by piece while the client reads them, so that they never stand in memory as text all at once.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use tokio::task::JoinHandle;

use crate::gate::Permit;
use crate::json;

/// About how many bytes are written at a time. Shorter answers are sent whole.
pub(crate) const PIECE: usize = 64 << 10;

/// An answer with its first piece written.
pub(crate) trait Pieces: Send + 'static {
    /// Takes what was written, and writes the next piece.
    fn next_piece(&mut self) -> Vec<u8>;

    /// Whether the piece that is taken next is the last.
    fn is_written(&self) -> bool;
}

/// The response. Where it has several pieces it keeps the permit until the client has read all but the last, for `timeout` at
/// most: then it is dropped, and the connection is closed.
pub(crate) fn response(
    mut pieces: impl Pieces,
    permit: Option<Permit>,
    timeout: Duration,
) -> Response {
    if pieces.is_written() {
        return (json::HEADERS, pieces.next_piece()).into_response();
    }
    let held: Held = Arc::new(Mutex::new(Some((Box::new(pieces), permit))));
    let late = Arc::clone(&held);
    let timer = tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        if take(&late).is_some() {
            tracing::info!(
                ?timeout,
                "a client did not read its answer in time; the answer is dropped"
            );
        }
    });
    let body = Sending {
        held,
        timer,
        is_whole: false,
    };
    (json::HEADERS, Body::new(body)).into_response()
}

/// The rest of a response; empty once it was sent or dropped.
type Held = Arc<Mutex<Option<(Box<dyn Pieces>, Option<Permit>)>>>;

fn take(held: &Held) -> Option<(Box<dyn Pieces>, Option<Permit>)> {
    held.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct Sending {
    held: Held,
    /// Drops the answer when the client takes too long.
    timer: JoinHandle<()>,
    /// Whether the last piece was handed out.
    is_whole: bool,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        let Some((mut pieces, permit)) = take(&self.held) else {
            let late = io::Error::new(io::ErrorKind::TimedOut, "the answer was dropped");
            return Poll::Ready(Some(Err(late)));
        };
        self.is_whole = pieces.is_written();
        let piece = pieces.next_piece();
        if !self.is_whole {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            *held = Some((pieces, permit));
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_whole
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::pin::pin;

    use http_body::Body as _;

    use super::*;
    use crate::gate::Gate;

    const LONG: Duration = Duration::from_secs(600);
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Numbered pieces.
    struct Numbers(std::ops::Range<u8>);

    impl Pieces for Numbers {
        fn next_piece(&mut self) -> Vec<u8> {
            self.0.next().into_iter().collect()
        }

        fn is_written(&self) -> bool {
            self.0.len() <= 1
        }
    }

    async fn next(body: &mut Pin<&mut Body>) -> Option<Result<Bytes, axum::Error>> {
        let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_read_gives_its_place_back_with_the_last_piece() {
        let gate = Gate::new(1);
        let ((), permit) = gate.run(LONG, |_| Ok(())).await.unwrap();
        let response = response(Numbers(0..3), Some(permit), TIMEOUT);
        let mut body = pin!(response.into_body());
        for piece in 0..3 {
            assert_eq!(*next(&mut body).await.unwrap().unwrap(), [piece]);
            assert_eq!(body.is_end_stream(), piece == 2);
        }
        assert!(gate.run(TIMEOUT, |_| Ok(())).await.is_ok());
        assert!(next(&mut body).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_read_is_dropped() {
        let gate = Gate::new(1);
        let ((), permit) = gate.run(LONG, |_| Ok(())).await.unwrap();
        let response = response(Numbers(0..3), Some(permit), TIMEOUT);
        let mut body = pin!(response.into_body());
        assert_eq!(*next(&mut body).await.unwrap().unwrap(), [0]);
        // The next query gets the place while the client still holds the connection.
        assert!(gate.run(LONG, |_| Ok(())).await.is_ok());
        assert!(next(&mut body).await.unwrap().is_err());
    }
}
